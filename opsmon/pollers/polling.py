"""The polling process: asks every poller when it is due, one process of a site at a time."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from random import Random

from redis.asyncio import Redis

from opsmon.clock import Clock
from opsmon.pollers.base import Poller, PollResult
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.cursors import PollNote, note_poll, read_poll
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

log = logging.getLogger("opsmon.poll")

TURN_MS = 30_000
_FIRST_PAUSE_MS = 10_000
_STORE_PAUSE_S = 2.0
# Machines that were started together shall not ask together.
_JITTER = 0.1


class Polling:
    """Keeps pollers going until told to stop. `who` tells this process from every other; the turn to poll is
    taken for `turn_ms` at a time, so that another process takes over when this one has died."""

    def __init__(self, pollers: Sequence[Poller], client: Redis, keys: Keys, clock: Clock, who: str, *,
                 turn_ms: int = TURN_MS) -> None:
        self._pollers, self._client, self._keys, self._clock, self._who = pollers, client, keys, clock, who
        self._scripts, self._turn_ms = Scripts(client, keys), turn_ms
        self._failures = dict.fromkeys((poller.name for poller in pollers), 0)
        self._chance = Random(who)  # noqa: S311 - spreads load, guards nothing

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop` is set; what is under way then is left, and found again next time."""
        await asyncio.gather(stop.wait(), *(self._keep(poller, stop) for poller in self._pollers))
        for poller in self._pollers:
            with suppress(*STORE_ERRORS):
                async with asyncio.timeout(1):
                    await self._scripts.take_turn(poller.name, self._who, 1)

    async def _keep(self, poller: Poller, stop: asyncio.Event) -> None:
        is_told = False
        while not stop.is_set():
            step = asyncio.create_task(self.step(poller))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({step, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not step.done():
                step.cancel()
                await asyncio.wait({step}, timeout=1)
                return
            pause_s, error = _STORE_PAUSE_S, step.exception()
            if error is None:
                pause_s, is_told = step.result(), False
            elif not isinstance(error, STORE_ERRORS):
                raise error
            elif not is_told:
                log.error("%s cannot poll: the store: %s", poller.name, error)
                is_told = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)

    async def step(self, poller: Poller) -> float:
        """Poll if it is our turn and time; how many seconds to wait before the next look. Raises the store's errors."""
        if not await self._scripts.take_turn(poller.name, self._who, self._turn_ms):
            return self._turn_ms / 2000
        now_ms = self._clock.now_ms()
        note = await read_poll(Reader(self._client), self._keys, poller.name)
        # A note from a time when the clock was ahead, or the pace another, is not waited for.
        if note and now_ms < note.next_ms <= now_ms + 2 * poller.every_ms:
            return min((note.next_ms - now_ms) / 1000, self._turn_ms / 3000)
        result = await self._poll(poller, now_ms)
        next_ms = self._clock.now_ms() + self._pause_ms(poller, result)
        await note_poll(self._client, self._keys, poller.name,
                        PollNote(now_ms, next_ms, result.found, result.new, result.error[:500]))
        return min((next_ms - self._clock.now_ms()) / 1000, self._turn_ms / 3000)

    async def _poll(self, poller: Poller, now_ms: int) -> PollResult:
        polling = asyncio.create_task(poller.poll(now_ms))
        try:
            while not (await asyncio.wait({polling}, timeout=self._turn_ms / 3000))[0]:
                if not await self._scripts.take_turn(poller.name, self._who, self._turn_ms):
                    return PollResult(0, 0, "another process has taken over: this one was too slow")
            return polling.result()
        except STORE_ERRORS:
            raise
        except Exception as error:  # one vendor's oddity must not stop the asking of others
            log.exception("%s: a fault of ours", poller.name)
            return PollResult(0, 0, f"this is a fault in opsmon: {type(error).__name__}: {error!s:.200}")
        finally:
            polling.cancel()

    def _pause_ms(self, poller: Poller, result: PollResult) -> int:
        """Until the next round: its pace, or after an error soon and then ever later; a little more or less."""
        if result.error:
            log.warning("%s: %s", poller.name, result.error)
            pause_ms: int = min(poller.every_ms, _FIRST_PAUSE_MS * 2 ** min(self._failures[poller.name], 20))
            self._failures[poller.name] += 1
        else:
            log.info("%s: %d found, %d new", poller.name, result.found, result.new)
            pause_ms, self._failures[poller.name] = poller.every_ms, 0
        return int(pause_ms * self._chance.uniform(1 - _JITTER, 1 + _JITTER))
