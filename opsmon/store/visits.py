"""Command: take what pages sent into the stream of its own, on connections of its own.

Nothing is promised to a page, so nothing waits for the store: what cannot be taken is counted and forgotten.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from redis.asyncio import Redis

from opsmon.clock import Clock
from opsmon.store.connection import STORE_ERRORS
from opsmon.store.event_stream import GROUP
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Taken

MOST_TOGETHER = 100
GATHER_S = 0.02
MOST_WAITING = 5_000
DEADLINE_S = 2.0
LOOK_EVERY_S = 1.0


class Visits:
    """A queue before the stream. `lost` counts by `pixel:reason`; `max_bytes` bounds what no worker has counted."""

    def __init__(self, client: Redis, keys: Keys, clock: Clock, max_bytes: int, lost: "Counter[str]") -> None:
        self._client, self._keys, self._clock = client, keys, clock
        self._scripts = Scripts(client, keys)
        self._max_bytes, self._lost = max_bytes, lost
        self._waiting: list[Taken] = []
        self._some = asyncio.Event()
        self._is_full = False
        self._looked_s = 0.0

    def put(self, taken: Sequence[Taken]) -> None:
        """Take these as soon as may be, or count them as lost. Does not wait."""
        if self._is_full or len(self._waiting) + len(taken) > MOST_WAITING:
            self._lost["pixel:full" if self._is_full else "pixel:busy"] += len(taken)
            self._look_again()
            return
        self._waiting += taken
        self._some.set()

    async def run(self) -> None:
        """Bring what waits to the store, for ever: what came within GATHER_S goes together."""
        while True:
            await self._some.wait()
            self._some.clear()
            await asyncio.sleep(GATHER_S)
            await self.drain()

    async def drain(self) -> None:
        """Bring all that waits to the store. May be repeated."""
        await self._look()
        while self._waiting:
            batch = self._waiting[:MOST_TOGETHER]
            try:
                async with asyncio.timeout(DEADLINE_S):
                    await self._scripts.append_visits(batch, self._clock.now_ms())
            except STORE_ERRORS:
                self._lost["pixel:unavailable"] += len(batch)
            # Not before: whoever is ended in between brings it again, and it is a duplicate then.
            del self._waiting[: len(batch)]

    def _look_again(self) -> None:
        if asyncio.get_running_loop().time() - self._looked_s >= LOOK_EVERY_S:
            self._some.set()

    async def _look(self) -> None:
        """See now and then whether what no worker has counted is more than the stream's share of memory."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        try:
            async with asyncio.timeout(DEADLINE_S):
                self._is_full = await self._uncounted_bytes() > self._max_bytes
        except STORE_ERRORS:
            pass

    async def _uncounted_bytes(self) -> float:
        length = int(await self._client.xlen(self._keys.visits))
        if not length:
            return 0
        size_bytes = await self._client.memory_usage(self._keys.visits) or 0
        groups = [group for group in await self._client.xinfo_groups(self._keys.visits)
                  if group["name"] == GROUP.encode()]
        waiting = sum(int(group["lag"] or 0) + int(group["pending"]) for group in groups) if groups else length
        return size_bytes * min(waiting / length, 1)
