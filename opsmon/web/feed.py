"""Change entries -> slots: marks what is dirty, reads it once when it is due, and lets the hub publish.

Leading edge at once, then coalesced by each slot's cadence. Time is an event too: a tick a minute marks
every slot whose window moves, and a hub that hears no tick says it itself. What several boards show is read
once for all of them; what no open screen shows is not read, except the few numbers of the first board.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from opsmon.clock import Clock
from opsmon.core.alerting.rules import Rule
from opsmon.core.board_records import current
from opsmon.core.boards import HOME, Placed, boards_of
from opsmon.core.boards import Board as ShownBoard
from opsmon.core.calendar import MINUTE_MS
from opsmon.core.catalogue import Catalogue
from opsmon.core.health import Backlog, Health, Heard, judge
from opsmon.core.narrowing import Only, narrowed_board
from opsmon.store import health_queries
from opsmon.store.board_queries import all_boards
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.notes import read_progress
from opsmon.store.scripts import Scripts
from opsmon.telemetry import DEAD, LAG, PENDING, RENDERS, SCREEN_SECONDS
from opsmon.web.failures import Failures
from opsmon.web.hub import Hub, event
from opsmon.web.parts import AskedPart, Parts
from opsmon.web.planning import (
    BAND_SLOT,
    BATCH_MS,
    COUNT_SLOT,
    LIVE_MS,
    NEAR_MS,
    NEVER_MS,
    OPEN_SLOTS,
    SlotPlan,
    fixed_plans,
    plan_of,
    running_ms,
)
from opsmon.web.presenting import health_view, setup_view, standing_view
from opsmon.web.slot_reading import SlotReader
from opsmon.web.views import HealthView, SetupView
from opsmon.web.wording import Wording

log = logging.getLogger("opsmon.web")

HEARTBEAT_S = 5
BEHIND_MS = 10_000
# A page that was made is a screen that is about to connect, or a phone that is looked at again soon.
LEASE_MS = 60_000
MOST_PLANS = 5_000
_BLOCK_MS = 1_000
_SAMPLES = 200
_RECENT_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Board:
    """What a feed shows: the words, the zone, where webhooks go and whether they can be verified, the rules of the
    site's file."""

    wording: Wording
    zone: str
    webhook_url: str
    has_secret: bool
    sources: tuple[str, ...]
    rules: tuple[Rule, ...] = ()


class Feed:
    """Keeps one hub up to date from one store. `run`, `beat` and `watch` are its loops."""

    def __init__(self, hub: Hub, reader: Reader, keys: Keys, kpis: KpiQueries, scripts: Scripts, board: Board,
                 clock: Clock) -> None:
        self.hub, self.board = hub, board
        self._reader, self._keys, self._kpis, self._scripts = reader, keys, kpis, scripts
        self._clock, self._failures = clock, Failures(board.wording)
        self._slots = SlotReader(kpis, board.wording, board.zone)
        self._parts = Parts(reader, keys, kpis, board.wording, board.zone, board.sources, board.rules)
        self.boards = boards_of(kpis.catalogue)
        self._plan_by_id: dict[str, SlotPlan] = {}
        self._home = self._plan_boards()
        self._leases: dict[frozenset[str], int] = {}
        # One reading at a time: an older one that is shown after a newer one would stay.
        self._reading = asyncio.Lock()
        # And one look at the boards, for the same reason.
        self._looking = asyncio.Lock()
        self._epoch = (0, 0)
        self._last_id = "0-0"
        self._ticked = 0
        self._arrived: list[int] = []
        self._news = False
        self._down_since_ms = 0
        self._is_well = False
        self._is_behind = False
        self.ready = asyncio.Event()
        self.backlog = Backlog(0, 0, None)
        # Called when something was counted, and when boards were changed.
        self.listeners: list[Callable[[], None]] = []
        self.reshaped: list[Callable[[], None]] = []
        self._latencies: deque[tuple[int, int]] = deque(maxlen=_SAMPLES)

    async def run(self) -> None:
        """Follow the change stream for ever; outlives the store's restarts."""
        while True:
            try:
                await self.start()
                while True:
                    await self.step(_BLOCK_MS)
            except STORE_ERRORS as error:
                self._note_down(error)
            except Exception as error:  # a mistake of ours must not leave old numbers that look live
                log.exception("the board cannot be computed")
                self._note_down(error)
            await asyncio.sleep(0.5)

    async def beat(self) -> None:
        """Heartbeats: what a screen knows by that it is connected."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self.hub.broadcast(event("hb", str(self._clock.now_ms())))

    async def watch(self) -> None:
        """The age of the data, looked at with every heartbeat, and each second while not all is well."""
        while True:
            await asyncio.sleep(HEARTBEAT_S if self._is_well else 1)
            try:
                # Not wait_for: in Python 3.11 it may swallow the cancellation that ends this loop.
                async with asyncio.timeout(HEARTBEAT_S):
                    await self.look()
            except STORE_ERRORS as error:
                self._note_down(error)
            except Exception as error:  # as above: a loop that ended would leave an old verdict standing
                log.exception("the age of the data cannot be told")
                self._note_down(error)

    async def start(self) -> None:
        """Take the newest change as the present, then read everything: in this order nothing is missed."""
        newest = await self._reader.newest(self._keys.changes)
        self._last_id = newest[0][0].decode() if newest else "0-0"
        await self.take_boards()
        for planned in self._plans:
            planned.hurry()
        await self.look()
        await self._flush()
        for planned in self._plans:
            if planned.cadence_ms < NEAR_MS:
                planned.read_ms = NEVER_MS  # the first change after this is shown at once
        self._epoch = self._epoch_now(self._clock.now_ms())
        self.ready.set()

    async def take_boards(self) -> None:
        """See which boards there are now; screens that show another version of theirs are told. May be repeated."""
        async with self._looking:
            now_ms, calendar = self._clock.now_ms(), self._kpis.calendar
            found = {board_id: current(board, calendar, now_ms) for board_id, board in
                     (await all_boards(self._reader, self._keys, self._kpis.catalogue)).items()}
            if found == self.boards:
                return
            self.boards = found
            self._home = self._plan_boards()
        for tell in self.reshaped:
            tell()

    @property
    def catalogue(self) -> Catalogue:
        """What can be shown."""
        return self._kpis.catalogue

    def narrow(self, board: ShownBoard, only: Only) -> ShownBoard:
        """A board narrowed to what an address asks for; what it shows can be opened afterwards."""
        # Who asks for ever other values is shown the whole, and told so, rather than given all the memory.
        has_room = len(self._plan_by_id) < MOST_PLANS
        found = narrowed_board(board, only, self._kpis.catalogue) if only and has_room else board
        self._plan(found)
        return found

    async def preview(self, placed: Iterable[Placed]) -> dict[str, object]:
        """What slots would show now, by their ids; neither kept nor pushed. Raises STORE_ERRORS."""
        await self.ready.wait()
        return dict(await self._views([plan_of(one, self._kpis.catalogue) for one in placed]))

    async def open(self, slots: frozenset[str]) -> None:
        """Have these slots at hand, as they are now, and keep them so for a while. Raises STORE_ERRORS, and
        TimeoutError while nothing was ever read."""
        # Before anything is waited for: what nobody watches is let go.
        self._leases[slots] = running_ms() + LEASE_MS
        await self.ready.wait()
        for planned in self._plans:
            if planned.slot_id in slots and planned.cadence_ms == BATCH_MS and self._is_older(planned, NEAR_MS):
                planned.read_ms = NEVER_MS
        if slots <= self.hub.slots.keys():
            return
        async with self._reading:
            await self._show_now([p for p in self._plans if p.slot_id in slots - self.hub.slots.keys()])

    async def step(self, block_ms: int) -> None:
        """Wait for changes, or for a slot to come due; then show what is due."""
        self._forget_unwatched()
        waits = [wait for planned in self._watched() if (wait := planned.wait_ms(running_ms())) is not None]
        changes = await self._changes(min([block_ms, *waits]))
        for entry_id, fields in changes:
            self._last_id = entry_id.decode()
            self._mark(fields)
        for tell in self.listeners if changes else ():
            tell()
        if any(b"alert" in fields for _, fields in changes):
            self._hurry_alerts()
        if any(b"board" in fields for _, fields in changes):
            await self.take_boards()
        await self._tick()
        await self._flush()
        if changes and self._is_waiting_for_first():
            await self.look()

    async def look(self) -> None:
        """See how far the workers are and who was heard; show it if it is news."""
        now_ms = self._clock.now_ms()
        self.backlog = await health_queries.backlog(self._reader, self._keys)
        heard = await health_queries.heard(self._reader, self._keys, self._kpis, self.board.sources, now_ms)
        workers = await health_queries.workers(self._reader, self._keys)
        alive = {name: (note.seen_ms, note.trouble) for name, note in workers.items()}
        health = judge(self.backlog, alive, heard, now_ms)
        self._is_well = health.state == "ok"
        self._note_behind(health.waiting > 0 and health.behind_ms > BEHIND_MS)
        counted_ms = max((note.arrived_ms for note in workers.values()), default=0) or None
        LAG.set(self.backlog.unread)
        PENDING.set(self.backlog.pending)
        DEAD.set(await self._reader.length(self._keys.dead))
        await self._show_health(health, heard, counted_ms, now_ms)
        self._down_since_ms = 0  # it answers: the next outage begins when it begins

    def latency_ms(self) -> tuple[int, int] | None:
        """Median and 99th percentile from an event's arrival to the push, of the last five minutes."""
        recent_ms = running_ms() - _RECENT_MS
        ordered = sorted(latency for measured_ms, latency in self._latencies if measured_ms >= recent_ms)
        if not ordered:
            return None
        return ordered[len(ordered) // 2], ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]

    async def _show_health(self, health: Health, heard: tuple[Heard, ...], counted_ms: int | None,
                           now_ms: int) -> None:
        wording, latency = self.board.wording, self.latency_ms()
        words = wording.say("order to screen %(length)s", length=wording.milliseconds(latency[0])) if latency else ""
        # The instant matters only while something waits; else it would be news with every order.
        counted = counted_ms if health.state != "ok" else None
        view = health_view(health, heard, counted, words, wording, now_ms)
        progress = await read_progress(self._reader, self._keys)
        setup = setup_view(
            await self._is_new(), self.board.webhook_url, self.board.has_secret,
            (progress.text, progress.fraction) if progress else None, wording,
        )
        self._show([("health", view), ("setup", setup)])

    def _is_waiting_for_first(self) -> bool:
        setup = self.hub.slots.get("setup")
        return setup is not None and isinstance(setup.view, SetupView) and setup.view.needed

    def _note_behind(self, is_behind: bool) -> None:
        """Tiles say so too: a number that lags must not look like the present."""
        for planned in self._plans:
            if is_behind != self._is_behind:
                planned.hurry()
        self._is_behind = is_behind

    async def _is_new(self) -> bool:
        return b"since_ms" not in await self._reader.hash(self._keys.meta)

    async def _changes(self, block_ms: int) -> list[Any]:
        # BLOCK 0 would wait for ever.
        return await self._reader.after(self._keys.changes, self._last_id, max(block_ms, 1))

    def _mark(self, fields: dict[bytes, bytes]) -> None:
        moved = set(fields[b"kpis"].decode().split(","))
        for planned in self._plans:
            planned.dirty = planned.dirty or planned.kpi.id in moved
        is_news = not {b"tick", b"board"} & fields.keys()
        self._news = self._news or is_news
        if is_news:
            self._mark_parts()
        arrived = fields.get(b"arrived", b"")
        # Of what moves none of these, no push tells when it was on a screen: the next order's would.
        if arrived and any(planned.slot_id in self._home and planned.cadence_ms == LIVE_MS and planned.kpi.id in moved
                           for planned in self._plans):
            self._arrived.append(int(arrived))

    def _hurry_alerts(self) -> None:
        """What is wrong is said with the change that tells of it."""
        for planned in self._plans:
            if planned.is_of_alerts:
                planned.hurry()

    def _mark_parts(self) -> None:
        """Clocks move, lists may have: what they read says."""
        for planned in self._plans:
            planned.dirty = planned.dirty or planned.is_part

    async def _tick(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms // MINUTE_MS != self._ticked:
            self._ticked = now_ms // MINUTE_MS
            self._mark_parts()
            if any(slot.options.until for board in self.boards.values() for slot in board.slots):
                await self.take_boards()
            await self._scripts.tick(now_ms, self._kpis.catalogue.moved_by_time)
            if self._epoch != self._epoch_now(now_ms):
                self._epoch = self._epoch_now(now_ms)
                for planned in self._plans:
                    planned.hurry()

    def _epoch_now(self, now_ms: int) -> tuple[int, int]:
        """The business day and the way of counting: a new one changes everything, also what waits for its hour."""
        return self._kpis.calendar.day_of(now_ms).toordinal(), self._kpis.generation

    def _watched(self) -> list[SlotPlan]:
        """What is kept up to date: what open screens show, what was opened just now, and the first board."""
        now_ms = running_ms()
        self._leases = {slots: until_ms for slots, until_ms in self._leases.items() if until_ms > now_ms}
        shown = self._home.union(*{screen.slots for screen in self.hub.screens if screen.slots}, *self._leases)
        return [planned for planned in self._plans if planned.slot_id in shown]

    @property
    def _plans(self) -> list[SlotPlan]:
        return list(self._plan_by_id.values())

    def _plan_boards(self) -> frozenset[str]:
        """Plan what boards show; what the first board shows is at hand at all times."""
        for board in self.boards.values():
            self._plan(board)
        self._plan_by_id = {one.slot_id: one for one in fixed_plans()} | self._plan_by_id
        self._on_boards = {placed.id for board in self.boards.values() for placed in board.placed("board")}
        self._on_boards |= {BAND_SLOT, COUNT_SLOT, *OPEN_SLOTS}
        return slots_of(self.boards[HOME], "board")

    def _plan(self, board: ShownBoard) -> None:
        for placed in board.placed("board"):
            if placed.id not in self._plan_by_id:
                self._plan_by_id[placed.id] = plan_of(placed, self._kpis.catalogue)

    def _forget_unwatched(self) -> None:
        watched = {planned.slot_id for planned in self._watched()}
        self._drop_plans(watched)
        left = [p for p in self._plans if p.slot_id in self.hub.slots and p.slot_id not in watched]
        self.hub.forget(planned.slot_id for planned in left)
        for planned in left:
            planned.hurry()

    def _drop_plans(self, watched: set[str]) -> None:
        """Let go what no board shows any more, and no screen: a former version, or what an address asked for."""
        gone = self._plan_by_id.keys() - self._on_boards - watched
        self.hub.forget(gone)
        self._failures.forget(gone)
        for slot_id in gone:
            del self._plan_by_id[slot_id]

    def _is_older(self, planned: SlotPlan, age_ms: int) -> bool:
        return running_ms() - planned.read_ms > age_ms

    async def _flush(self) -> None:
        async with self._reading:
            now_ms = running_ms()
            due = [planned for planned in self._watched() if planned.wait_ms(now_ms) == 0]
            if due:
                await self._show_now(due)
                self._news = False
            if any(planned.cadence_ms == LIVE_MS for planned in due):
                self._note_latency()

    async def _show_now(self, due: list[SlotPlan]) -> None:
        """Read these and show them. What cannot be read stays due."""
        now_ms = running_ms()
        for planned in due:
            planned.dirty = False
            # The tick of a minute must not make the next order wait.
            if self._news or planned.cadence_ms >= NEAR_MS:
                planned.read_ms = now_ms
        try:
            self._show(await self._failures.views(due, self._views, self.hub.slots, self._clock.now_ms()))
        except BaseException:
            for planned in due:
                planned.hurry()
            raise

    async def _views(self, due: list[SlotPlan]) -> list[tuple[str, object]]:
        now_ms = self._clock.now_ms()
        parts = [AskedPart(planned.slot_id, planned.kpi.id, planned.options) for planned in due if planned.is_part]
        found = await self._parts.views(parts, self.backlog, now_ms) if parts else []
        counted = [planned for planned in due if not planned.is_part]
        return [*found, *(await self._slots.views(counted, self.backlog, now_ms, is_behind=self._is_behind)
                          if counted else [])]

    def _show(self, views: list[tuple[str, object]]) -> None:
        for slot_id in self.hub.update(views, revision_of(self._last_id)):
            RENDERS.labels(slot_id).inc()
        self.hub.publish()

    def _note_latency(self) -> None:
        now_ms = self._clock.now_ms()
        for arrived_ms in self._arrived:
            SCREEN_SECONDS.observe(max(now_ms - arrived_ms, 0) / 1000)
            self._latencies.append((running_ms(), max(now_ms - arrived_ms, 0)))
        self._arrived.clear()

    def _note_down(self, error: Exception) -> None:
        is_ours = not isinstance(error, STORE_ERRORS)
        if not self._down_since_ms:
            self._down_since_ms = self._clock.now_ms()
            log.error("%s: %s: %s", "numbers stand still" if is_ours else "the store cannot be reached",
                      type(error).__name__, error)
        self._is_well = False
        shown = self.hub.slots.get("health")
        last = shown.view if shown and isinstance(shown.view, HealthView) else None
        self._show([("health", standing_view(last, self.board.wording, self._down_since_ms, is_ours=is_ours))])


def revision_of(entry_id: str) -> int:
    """A change entry's id as one integer below 2^53: ms * 1000 + sequence."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds) * 1000 + int(sequence)


def slots_of(board: ShownBoard, layout: str) -> frozenset[str]:
    """Every slot of a board's page: its health line, set-up and the band among them, and where there is a navigation
    the count in it."""
    fixed = {"health", "setup", BAND_SLOT} | (set() if layout == "wall" else {COUNT_SLOT})
    return frozenset(fixed.union(placed.id for placed in board.placed(layout)))
