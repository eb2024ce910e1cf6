"""A worker process: the aggregator's loop, with the minute's chores beside it."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from opsmon.clock import Clock
from opsmon.core.calendar import MINUTE_MS, SiteCalendar
from opsmon.core.errors import NewerStore
from opsmon.core.folding import Rules
from opsmon.settings import Settings
from opsmon.store.connection import STORE_ERRORS
from opsmon.store.data_dir import DataDir
from opsmon.store.event_stream import EventStream
from opsmon.store.keys import Keys
from opsmon.store.notes import WorkerNote, note_worker
from opsmon.store.rollups import Rollups
from opsmon.store.schema import bring_up
from opsmon.store.scripts import Scripts
from opsmon.workers.aggregator import Aggregator, GenerationMoved, TooManyDead
from opsmon.workers.erasing import Erasing
from opsmon.workers.janitor import forget_visits, tidy
from opsmon.workers.lanes import Lanes
from opsmon.workers.measuring import EVERY_MS, measure
from opsmon.workers.rebuild import OtherRules, RebuildRefused, settle

log = logging.getLogger("opsmon.worker")

_BLOCK_MS = 1_000
_NOTE_EVERY_MS = 5_000
_PAUSE_S = (0.1, 0.2, 0.5, 1.0, 2.0)


class Worker:
    """One worker until it is told to stop; it outlives restarts of the store and changes of the calendar."""

    def __init__(self, client: Redis, settings: Settings, clock: Clock) -> None:
        self._client, self._settings, self._clock = client, settings, clock
        self._keys = Keys(settings.site)
        self._scripts = Scripts(client, self._keys)
        calendar = SiteCalendar(settings.timezone, settings.day_start_ms)
        self._rules = Rules(settings.catalogue, calendar, settings.kept, settings.grace_ms)
        self._erasing = Erasing(client, self._keys, self._rules, DataDir(settings.data))
        self._started_ms = clock.now_ms()
        self._failures = 0
        self._noted_ms = 0
        self._tidied_ms = 0
        self._measured_ms = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; the batch in hand is finished first. Raises NewerStore."""
        while not stop.is_set():
            try:
                await self._work(await self.start(), stop)
            except GenerationMoved:
                log.warning("the site is counted anew: starting again")
            except NewerStore:
                raise
            except (TooManyDead, OtherRules) as error:
                await self._stand_still(str(error), stop)
            except (*STORE_ERRORS, RuntimeError, RebuildRefused) as error:
                await self._pause(error, stop)

    async def _work(self, lanes: Lanes, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                await self.step(lanes, _BLOCK_MS)
                self._failures = 0
            await lanes.orders.finish()
        finally:
            await lanes.orders.leave()

    async def start(self) -> Lanes:
        """Bring the store up to date, settle by which rules the site counts, make the groups, and be ready to work."""
        await _if_there_is_room(bring_up(self._client, self._keys))
        generation = await settle(self._client, self._keys, self._rules, self._started_ms, self._clock.now_ms())
        streams, aggregators = [], []
        for key in self._keys.streams:
            stream = EventStream(self._client, self._keys, self._settings.worker_name, key)
            await stream.ensure_group()  # without one, a full store, reading will tell
            rollups = Rollups(self._client, self._keys, self._scripts, generation, self._rules, key)
            streams.append(stream)
            aggregators.append(Aggregator(stream, rollups, self._rules, self._clock))
        return Lanes(streams, aggregators, generation)

    async def step(self, lanes: Lanes, block_ms: int) -> int:
        """One round: a batch and whatever chore is due; how many entries were read."""
        worked = await lanes.run_once(block_ms)
        now_ms = self._clock.now_ms()
        if now_ms - self._noted_ms >= _NOTE_EVERY_MS:
            self._noted_ms = now_ms
            note = WorkerNote(now_ms, lanes.last_arrived_ms, lanes.trouble)
            await _if_there_is_room(note_worker(self._client, self._keys, self._settings.worker_name, note))
            await _if_there_is_room(self._erasing.run(now_ms))
        if now_ms // MINUTE_MS != self._tidied_ms // MINUTE_MS:
            self._tidied_ms = now_ms
            await _if_there_is_room(self._scripts.tick(now_ms, self._rules.catalogue.moved_by_time))
            shares = self._settings.stream_memory_bytes, self._settings.visits_memory_bytes
            await tidy(self._client, self._keys, self._scripts, now_ms, self._settings.retention_ms,
                       dict(zip(self._keys.streams, shares, strict=True)))
            visits = (one.id for one in self._rules.catalogue.rollups if one.measure == "sessions")
            await forget_visits(self._client, self._keys, lanes.generation, visits, now_ms)
        if now_ms - self._measured_ms >= EVERY_MS:
            self._measured_ms = now_ms
            await _if_there_is_room(measure(self._client, self._keys, self._rules, lanes.generation, now_ms))
        return worked

    async def _stand_still(self, why: str, stop: asyncio.Event) -> None:
        """Work nothing more until a person has looked and started the worker again; say so meanwhile."""
        log.error(why)
        while not stop.is_set():
            note = WorkerNote(self._clock.now_ms(), 0, why)
            with suppress(*STORE_ERRORS):
                await note_worker(self._client, self._keys, self._settings.worker_name, note)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _NOTE_EVERY_MS / 1000)

    async def _pause(self, error: Exception, stop: asyncio.Event) -> None:
        """Say what happened once, then try again, ever slower up to two seconds."""
        if isinstance(error, ResponseError) and "NOGROUP" in str(error):
            log.error("the event stream or its group is gone (deleted or flushed?): making it anew")
        elif self._failures == 0:
            log.error("cannot work: %s: %s", type(error).__name__, error)
        pause_s = _PAUSE_S[min(self._failures, len(_PAUSE_S) - 1)]
        self._failures += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause_s)


async def _if_there_is_room(chore: Awaitable[object]) -> None:
    """A full store refuses what adds to it; counting and tidying, which make room, go on all the same."""
    try:
        await chore
    except OutOfMemoryError as error:
        log.error("the store is full: %s", error)
