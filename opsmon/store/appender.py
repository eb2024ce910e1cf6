"""Command: take deliveries into the stream. Those that arrive together share one append.

While one append is under way the next deliveries gather, and go together when it is answered: a lone
delivery waits for nobody, and a burst costs one round trip and one fsync for many.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from opsmon.clock import Clock
from opsmon.core.errors import StoreUnavailable
from opsmon.store.connection import STORE_ERRORS
from opsmon.store.scripts import Scripts, Taken

# Shopify gives 5 s, Odoo 1 s: an answer, good or bad, has to be there before.
DEADLINE_S = 0.8
MOST_TOGETHER = 256


@dataclass(slots=True)
class _Waiting:
    taken: Taken
    since_s: float
    answer: "asyncio.Future[str]"


class Appender:
    """Appends deliveries. Raises StoreUnavailable after DEADLINE_S at the latest: nothing is promised."""

    def __init__(self, scripts: Scripts, clock: Clock) -> None:
        self._scripts, self._clock = scripts, clock
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def append(self, taken: Taken) -> str:
        """Take one delivery durably: event, dead, not_used or duplicate. May be repeated."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(taken, loop.time(), loop.create_future())
        self._waiting.append(waiting)
        if self._task is None:
            self._task = loop.create_task(self._drain())
        return await waiting.answer

    async def append_batch(self, batch: Sequence[Taken]) -> list[bytes]:
        """Take deliveries that came together, in one call; the outcome of each. All or none are stored.

        May be repeated. Raises StoreUnavailable when the store did not confirm. Two of these at a time at the
        most: the client has four connections, and lone deliveries and counts want one each.
        """
        try:
            return await self._scripts.append_events(batch, self._clock.now_ms())
        except STORE_ERRORS as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error

    async def _drain(self) -> None:
        while self._waiting:
            batch = self._waiting[:MOST_TOGETHER]
            del self._waiting[:MOST_TOGETHER]
            try:
                _answer(batch, await self._append(batch))
            except BaseException as error:
                # Whoever gathered meanwhile has waited as long: the store is not there for them either.
                _refuse(batch + self._waiting, StoreUnavailable(f"{type(error).__name__}: {error}"))
                self._waiting.clear()
                if not isinstance(error, STORE_ERRORS):
                    self._task = None  # the end of this process, or a fault of ours: let it be seen
                    raise
        self._task = None

    async def _append(self, batch: Sequence[_Waiting]) -> list[bytes]:
        left_s = batch[0].since_s + DEADLINE_S - asyncio.get_running_loop().time()
        deliveries = [waiting.taken for waiting in batch]
        async with asyncio.timeout(left_s):
            return await self._scripts.append_events(deliveries, self._clock.now_ms())


def _answer(batch: Sequence[_Waiting], outcomes: Sequence[bytes]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if not waiting.answer.done():
            waiting.answer.set_result(outcome.decode())


def _refuse(batch: Sequence[_Waiting], error: StoreUnavailable) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
