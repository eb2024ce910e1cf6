"""A site of opsmon that counts one case: its catalogue, its worker, and what is read of it.

Events go the way they go in a shop: JSON lines as POST /ingest/events takes them, the stream, a worker, panes.
Panes are minutes at their finest, so that a case's time is scaled: every edge of a window becomes a whole
minute, and every instant and edge is moved by the same number of whole days.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import gcd, lcm
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import DAY_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Catalogue, Condition, Kpi, Now, Rollup
from opsmon.core.folding import Rules, session_key
from opsmon.core.measures import label
from opsmon.core.panes import Retention
from opsmon.core.ranges import TooMuch, WindowReading
from opsmon.core.sessions import Session
from opsmon.core.states import SessionState
from opsmon.core.windows import Aligned, Bounds, CalendarUnit, Every
from opsmon.sources.base import Rejected
from opsmon.sources.json_events import LEAST_MS, JsonEvents, Refused, divide
from opsmon.store.appender import Appender
from opsmon.store.connection import Reader
from opsmon.store.event_stream import EventStream, checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.rollups import Rollups, decode_state
from opsmon.store.scripts import Scripts, Taken
from opsmon.workers.aggregator import Aggregator
from opsmon.workers.rebuild import settle
from tests.conformance_adapters import Plan
from tests.conformance_cases import AGGREGATES, Case, Given, Number

FACT = "case.happened"
SESSIONS = "sessions"
# Cases that are scaled begin here: 2026-11-01, midnight UTC.
BASE_MS = 1_793_491_200_000
# Nothing of a case may run out by the clock of the server, which is today's.
_KEPT_MS = 1_000 * 365 * DAY_MS
KEPT = Retention(minutes_ms=_KEPT_MS, hours_ms=_KEPT_MS, days_ms=None, entities_ms=_KEPT_MS)
_NOT_COUNTED = ("cancelled", "deleted")
_WINDOWS_AT_ONCE = 400
_EVENTS_AT_ONCE = 250


class Disagreement(Exception):
    """opsmon does not agree with itself, or did not take what it was sent. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A case's time and the site's: `factor` times as long, and moved."""

    factor: int
    shift_ms: int

    def to_site(self, time_ms: int) -> int:
        """An instant of the case at the site."""
        return time_ms * self.factor + self.shift_ms

    def to_case(self, time_ms: int) -> int:
        """An instant of the site in the case. Raises Disagreement for one that is none of the case's."""
        found, rest = divmod(time_ms - self.shift_ms, self.factor)
        if rest:
            raise Disagreement(f"{time_ms} is no instant of the case")
        return found


@dataclass(frozen=True, slots=True)
class Seen:
    """A window as it was read: whether it is complete, and by name what counts in it."""

    bounds: Bounds
    is_complete: bool
    values: Mapping[str, Mapping[str, Number]]


def scale_of(case: Case) -> Scale:
    """The smallest factor by which all edges of the case's windows are whole minutes. A calendar stands as it is."""
    if case.is_calendar or not case.events:
        return Scale(1, 0)
    match case.window:
        case Aligned():
            step_ms = 1
        case Every(size_ms, hop_ms, offset_ms, origin_ms):
            step_ms = gcd(size_ms, hop_ms, offset_ms, origin_ms or 0)
        case _:
            step_ms = case.gap_ms
    factor = lcm(step_ms, MINUTE_MS) // step_ms
    first_ms = min(one.time_ms for one in case.events) * factor
    return Scale(factor, BASE_MS - first_ms // DAY_MS * DAY_MS)


class CaseSite:
    """One site that counts one plan. `has_rows`: keys are rows of a rollup, else each key has a rollup of its own."""

    def __init__(self, client: Redis, site: str, plan: Plan, *, batch: int, has_rows: bool) -> None:
        self._client, self._plan, self._batch, self._has_rows = client, plan, batch, has_rows
        self._case = plan.case
        self.names = list(dict.fromkeys(one.name for one in plan.sent))
        self.scale = scale_of(plan.case)
        self._values_scale = _decimals(one.value for one in plan.sent)
        times = [self.scale.to_site(one.time_ms) for one in plan.case.events]
        self._clock = ManualClock(max(times, default=BASE_MS) + MINUTE_MS)
        self._calendar = plan.case.zone_calendar if plan.case.is_calendar else SiteCalendar(plan.case.zone)
        self._rules = Rules(self._catalogue(), self._calendar, KEPT)
        self._keys = Keys(site)
        self._scripts = Scripts(client, self._keys)
        self._appender = Appender(self._scripts, self._clock)
        self._events = JsonEvents(site)
        grace_ms = plan.case.late.rule.lateness_ms * self.scale.factor if plan.case.late else 0
        self._queries = KpiQueries(Reader(client), self._keys, self._rules.catalogue, self._calendar, None, grace_ms,
                                   KEPT)
        self._aggregator: Aggregator | None = None
        self._sent = 0

    async def count(self, events: Sequence[Given]) -> None:
        """Take events as ingest does, and let the worker count them. Raises Disagreement."""
        for start in range(0, len(events), _EVENTS_AT_ONCE):
            await self._append(b"\n".join(self._line(one) for one in events[start : start + _EVENTS_AT_ONCE]))
        aggregator = self._aggregator or await self._start()
        while await aggregator.run_once():
            pass
        await aggregator.finish()
        self._sent += len(events)
        if aggregator.tally.counted != self._sent:
            letters: Any = await self._client.xrange(self._keys.dead)
            why = letters[0][1][b"reason"].decode() if letters else aggregator.tally.trouble
            raise Disagreement(f"{aggregator.tally.counted} of {self._sent} events were counted: {why}")

    async def windows(self, asked: Sequence[Bounds], now_ms: int | None = None) -> list[Seen]:
        """Windows as opsmon reads them, at an instant of the case. Bounds are the case's."""
        bounds = [(self.scale.to_site(start), self.scale.to_site(end)) for start, end in asked]
        # A watermark may be the end of time; panes are to be there still.
        at_ms = self._clock.now_ms() if now_ms is None else min(self.scale.to_site(now_ms), BASE_MS + _KEPT_MS)
        values: list[dict[str, dict[str, Number]]] = [{} for _ in bounds]
        complete: list[bool] = []
        for aggregate in dict.fromkeys(("count", *self._case.aggregates)):
            for name, readings in await self._by_name(aggregate, bounds, at_ms):
                complete = complete or [reading.complete for reading in readings]
                for into, reading in zip(values, readings, strict=True):
                    _put(into, name, aggregate, reading, self._row_names)
        # Panes keep no zeros: a row whose sum is 0 is not there, and counts 0 all the same.
        nothing: dict[str, Number] = {"sum": 0} if "sum" in self._case.aggregates else {}
        return [Seen(one, is_complete, {name: nothing | found for name, found in by_name.items() if found.get("count")})
                for one, is_complete, by_name in zip(asked, complete, values, strict=True)]

    async def sessions(self) -> list[tuple[str, Session]]:
        """Every visitor's sessions as they are remembered, in the site's time."""
        found = []
        for name in self.names:
            key = session_key(SESSIONS, label(name))
            stored = await self._rollups().states([key])
            state = decode_state(stored[key]) if key in stored else None
            if isinstance(state, SessionState):
                found += [(name, session) for session in state.sessions]
        return found

    async def session_totals(self, stretch: Bounds, shows: Iterable[str]) -> dict[str, int | float | None]:
        """What the panes say of all sessions that begin in a stretch of the site's time."""
        found: dict[str, int | float | None] = {}
        for show in shows:
            readings, _ = await self._queries.windows(_kpi(SESSIONS, show), [stretch], self._clock.now_ms(), 0)
            found[show] = readings[0].value
        return found

    async def standing(self) -> dict[str, Number]:
        """How many entities hold each value now."""
        (reading,) = await self._queries.read([_kpi("standing", "")], self._clock.now_ms(), 0)
        return {row.name: row.value for row in reading.rows if row.value}

    def plain(self, minor: int) -> Number:
        """A sum as it was sent: opsmon keeps whole multiples of a part."""
        return minor if self._values_scale == 1 else minor / self._values_scale

    async def _by_name(self, aggregate: str, bounds: Sequence[Bounds], at_ms: int
                       ) -> list[tuple[str | None, list[WindowReading]]]:
        """The readings of an aggregate: of all rows together (None), or of each name."""
        if self._has_rows:
            return [(None, await self._read(_kpi(aggregate, aggregate), bounds, at_ms))]
        return [(name, await self._read(_kpi(f"{aggregate}-{at}", aggregate), bounds, at_ms))
                for at, name in enumerate(self.names)]

    async def _read(self, kpi: Kpi, bounds: Sequence[Bounds], at_ms: int) -> list[WindowReading]:
        if len(bounds) > _WINDOWS_AT_ONCE:
            return [one for start in range(0, len(bounds), _WINDOWS_AT_ONCE)
                    for one in await self._read(kpi, bounds[start : start + _WINDOWS_AT_ONCE], at_ms)]
        try:
            readings, _ = await self._queries.windows(kpi, bounds, at_ms, at_ms)
        except TooMuch:
            if len(bounds) < 2:
                raise
            half = len(bounds) // 2
            return await self._read(kpi, bounds[:half], at_ms) + await self._read(kpi, bounds[half:], at_ms)
        return readings

    async def _append(self, body: bytes) -> None:
        pieces = divide(body, is_lines=True)
        if isinstance(pieces, Rejected):
            raise Disagreement(f"the events were not taken: {pieces.reason}")
        batch = []
        for piece in pieces:
            event = self._events.take(piece, self._clock.now_ms())
            if isinstance(event, Refused):
                raise Disagreement(f"an event was not taken: {event.reason}")
            payload = encode(event)
            batch.append(Taken("event", event.source, event.id, payload, checksum(payload)))
        outcomes = await self._appender.append_batch(batch)
        if set(outcomes) != {b"event"}:
            raise Disagreement(f"an event was not taken: {outcomes!r}")

    def _line(self, one: Given) -> bytes:
        said: dict[str, Any] = {"id": str(one.index), "source": "cases", "type": FACT,
                                "time": _said(self.scale.to_site(one.time_ms)),
                                "data": {"key": one.name, "value": one.value, "state": one.state}}
        if one.version is not None:
            said |= {"key": one.entity, "version": one.version}
        return orjson.dumps(said)

    async def _start(self) -> Aggregator:
        now_ms = self._clock.now_ms()
        await settle(self._client, self._keys, self._rules, now_ms, now_ms)
        stream = EventStream(self._client, self._keys, "worker-1")
        await stream.ensure_group()
        self._aggregator = Aggregator(stream, self._rollups(), self._rules, self._clock, most_at_once=self._batch)
        return self._aggregator

    def _rollups(self) -> Rollups:
        return Rollups(self._client, self._keys, self._scripts, 0, self._rules)

    @property
    def _row_names(self) -> dict[str, str]:
        return {label(name).replace("|", "/"): name for name in self.names}

    def _catalogue(self) -> Catalogue:
        case, rollups = self._case, list[Rollup]()
        where = tuple(Condition("state", "!=", state) for state in _NOT_COUNTED)
        for aggregate in dict.fromkeys(("count", *case.aggregates)):
            measure = AGGREGATES.get(aggregate, "count")
            # A mean of whole numbers is rounded to a whole one: a number with a scale is not.
            parts = max(self._values_scale, 10 if measure in ("mean", "stddev") else 1)
            if self._has_rows:
                rollups.append(Rollup(aggregate, (FACT,), measure, "value", ("key",), where, scale=parts,
                                      cap=max(200, len(self.names))))
            else:
                rollups += [Rollup(f"{aggregate}-{at}", (FACT,), measure, "value", (), scale=parts,
                                   where=(*where, Condition("key", "=", name))) for at, name in enumerate(self.names)]
        if case.kind == "session":
            gap_ms = case.gap_ms * self.scale.factor - case.splits_at_gap
            rollups.append(Rollup(SESSIONS, (FACT,), "sessions", "value", of="key", gap_ms=gap_ms,
                                  scale=self._values_scale))
        if case.semantics == "occupancy":
            rollups.append(Rollup("standing", (FACT,), "count", by=("key",), where=where, levels="n"))
        return Catalogue(tuple(rollups), ())


def wants_rows(case: Case, batch: int) -> bool:
    """Both ways to keep keys apart take turns. Long windows of days: rows keep one hash a day, which are many."""
    is_long = isinstance(case.window, CalendarUnit) and case.window.unit in ("month", "year")
    return batch in (1, 3, 500) and not is_long


def _said(time_ms: int) -> int | str:
    """An instant as a sender writes it: numbers of 1973 and before are taken for seconds."""
    if time_ms >= LEAST_MS:
        return time_ms
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)).isoformat(timespec="milliseconds")


def _put(into: dict[str, dict[str, Number]], name: str | None, aggregate: str, reading: WindowReading,
         names: Mapping[str, str]) -> None:
    if name is not None:
        if reading.value is not None:
            into.setdefault(name, {})[aggregate] = reading.value
        return
    for row in reading.rows:
        if row.value is not None:
            into.setdefault(names.get(row.name, row.name), {})[aggregate] = row.value


def _kpi(rollup: str, show: str) -> Kpi:
    return Kpi(rollup, rollup, rollup, Now(), "count", "A case's.", show="" if show == "stddev" else show)


def _decimals(values: Iterable[Number]) -> int:
    """The power of ten by which all values are whole numbers."""
    exponents = [Decimal(str(value)).normalize().as_tuple().exponent for value in values]
    return int(10 ** max(0, 0, *(-int(exponent) for exponent in exponents)))
