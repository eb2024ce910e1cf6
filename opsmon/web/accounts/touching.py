"""Who was here is written down beside the requests: at most once a minute of each, and only a few at a time."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from opsmon.clock import Clock
from opsmon.core.access import Who
from opsmon.store.connection import STORE_ERRORS

EVERY_MS = 60_000
# While the store is slow nothing piles up: what is left out is noted a minute later.
MOST_AT_ONCE = 8
_MOST_KNOWN = 2_000


class Touching:
    """Notes uses without making anybody wait."""

    def __init__(self, note: Callable[[Who, int], Awaitable[None]], clock: Clock) -> None:
        self._note, self._clock = note, clock
        self._noted: OrderedDict[str, int] = OrderedDict()
        self._under_way: set[asyncio.Task[None]] = set()

    def __call__(self, who: Who) -> None:
        """They were here just now. May be repeated."""
        now_ms = self._clock.now_ms()
        is_early = now_ms - self._noted.get(who.session, 0) < EVERY_MS
        if not who.session or is_early or len(self._under_way) >= MOST_AT_ONCE:
            return
        self._noted[who.session] = now_ms
        self._noted.move_to_end(who.session)
        if len(self._noted) > _MOST_KNOWN:
            self._noted.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._write(who, now_ms))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def watching(self, gone: Callable[[Iterable[Who]], Awaitable[set[str]]]
                 ) -> Callable[[Iterable[Who]], Awaitable[set[str]]]:
        """The same question about open streams; those that stay are in use: a board on a desk is looked at."""
        async def ask(known: Iterable[Who]) -> set[str]:
            held = list(known)
            ended = await gone(held)
            for who in held:
                if who.session not in ended:
                    self(who)
            return ended

        return ask

    async def finish(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _write(self, who: Who, now_ms: int) -> None:
        with suppress(*STORE_ERRORS):
            await self._note(who, now_ms)
