"""A worker's two streams: what sources send is worked first, what pages send when none of it waits.

Pages are public: whoever floods them must neither delay an order nor stop the worker that counts it.
"""

import logging
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from opsmon.store.event_stream import EventStream
from opsmon.workers.aggregator import Aggregator, TooManyDead

log = logging.getLogger("opsmon.worker")

T = TypeVar("T")

# So many of the pages' events are worked before the orders are looked at again: a few milliseconds.
VISITS_AT_ONCE = 256


class Lanes:
    """The aggregators of both streams, in the order of Keys.streams; one consumer reads both."""

    def __init__(self, streams: Sequence[EventStream], aggregators: Sequence[Aggregator], generation: int) -> None:
        self._orders, self._visits = streams
        self.orders, self.visits = aggregators
        self.generation = generation
        self._visits_stopped = ""
        self._visits_open = False

    @property
    def trouble(self) -> str:
        """What a person should know of; that of the orders first."""
        return self.orders.tally.trouble or self._visits_stopped or self.visits.tally.trouble

    @property
    def last_arrived_ms(self) -> int:
        """When the newest event that was counted arrived."""
        return max(self.orders.tally.last_arrived_ms, self.visits.tally.last_arrived_ms)

    async def run_once(self, block_ms: int = 0) -> int:
        """A batch of orders, or of visits when no order waits; waits up to `block_ms` for the first of either.

        Returns how many entries were read. Raises what Aggregator.run_once raises, TooManyDead of orders only.
        """
        if worked := await self.orders.run_once():
            return worked
        if self._visits_stopped or not await self._can_read_visits():
            return await self.orders.run_once(block_ms)
        worked = await self._of_visits(self.visits.work_again()) or 0
        orders, visits = await self._orders.read_first([self._visits], VISITS_AT_ONCE, 1 if worked else block_ms)
        await self.orders.work(orders)
        await self._of_visits(self.visits.work(visits))
        return worked + len(orders) + len(visits)

    async def _can_read_visits(self) -> bool:
        """Whether their group is there: a store that is full cannot make it before orders have made room."""
        self._visits_open = self._visits_open or await self._visits.ensure_group()
        return self._visits_open

    async def _of_visits(self, work: Awaitable[T]) -> T | None:
        """Visits that cannot be counted stop the visits, not the worker."""
        try:
            return await work
        except TooManyDead as error:
            self._visits_stopped = f"What pages send is not counted any more. {error}"
            log.error(self._visits_stopped)
            return None
