"""A case of window_cases.jsonl, read with care: what its engine was given, and what it answered.

Whatever cannot be understood is said in a sentence. Members nobody has heard of are named beside the verdict.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Measure
from opsmon.core.windows import Aligned, CalendarUnit, Every

Number = int | float
# start, end, key, aggregate
Cell = tuple[int, int, str, str]

AGGREGATES: dict[str, Measure] = {"count": "count", "sum": "sum", "mean": "mean", "avg": "mean", "min": "min",
                                  "max": "max", "last": "last", "stddev": "stddev"}
_MEMBERS = {"id", "source", "kind", "params", "events", "expected", "note", "dropped", "emissions", "batch_sizes",
            "semantics", "emit_empty"}
_PARAMS = {"size_ms", "slide_ms", "offset_ms", "origin_ms", "gap_ms", "gap_edge", "end", "aggs", "late", "mode",
           "calendar", "emit_empty", "early", "start_clamp", "entity", "semantics", "batch_sizes"}
_CALENDAR = {"unit", "tz", "n", "start", "size_ms", "slide_ms", "offset_ms"}
_LATE = {"mode", "marks", "lateness_ms", "grace_ms", "rule"}
_TERM = re.compile(r"([+-]?)(\d+|[A-Za-z]+)")


class Malformed(ValueError):
    """A case that says nothing one could check. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Given:
    """One event of a case. `name` is what opsmon is told for its key; `state` and `version` are an order's."""

    index: int
    time_ms: int
    key: str
    value: Number
    name: str
    entity: str = ""
    version: int | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """When an engine takes nothing more: `instant + lateness + constant` < or <= the watermark.

    `about` says which instant: the end of a window or session, an event's own, or the last of a session.
    """

    about: Literal["end", "ts", "last", "last+gap"]
    lateness_ms: int
    constant_ms: int
    is_strict: bool

    def now_ms(self, watermark_ms: int) -> int:
        """The watermark as our clock: over is over when instant + lateness <= now."""
        return watermark_ms - self.constant_ms - self.is_strict

    def is_over(self, instant_ms: int, watermark_ms: int | None) -> bool:
        """Whether the engine takes nothing more for this instant."""
        return watermark_ms is not None and instant_ms + self.lateness_ms <= self.now_ms(watermark_ms)


@dataclass(frozen=True, slots=True)
class Late:
    """What an engine calls late: its rule, and how far it had seen before and after each event."""

    rule: Rule
    before: tuple[int | None, ...]
    after: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Emission:
    """What an engine told after the event at `index`; None: it took back what it had told."""

    index: int
    cell: Cell
    value: Number | None


@dataclass(frozen=True)
class Case:
    """One case. Times are the case's own, epoch ms; `kind` and `params` stand as they were for the record."""

    id: str
    kind: Literal["tumbling", "sliding", "session"]
    aggregates: tuple[str, ...]
    events: tuple[Given, ...]
    expected: Mapping[Cell, Number]
    window: Every | CalendarUnit | Aligned | None = None
    wall: "Wall | None" = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    is_calendar: bool = False
    day_start_ms: int = 0
    gap_ms: int = 0
    splits_at_gap: bool = False
    ends_with_gap: bool = True
    late: Late | None = None
    early: str = ""
    empty: tuple[int, int] | None = None
    dropped: frozenset[int] | None = None
    emissions: tuple[Emission, ...] = ()
    batch_sizes: tuple[int, ...] = ()
    semantics: str = ""
    strange: tuple[str, ...] = ()

    @cached_property
    def zone_calendar(self) -> SiteCalendar:
        """The site's calendar."""
        return SiteCalendar(self.zone, self.day_start_ms)

    @property
    def keys(self) -> list[str]:
        """Every key, in order of appearance."""
        return list(dict.fromkeys(given.key for given in self.events))


@dataclass(frozen=True, slots=True)
class Wall:
    """Windows over the wall clock: of this size, this far apart, counted from midnight of 1970 and the offset."""

    size_ms: int
    slide_ms: int
    offset_ms: int = 0


def name_of(line: bytes, number: int) -> str:
    """What to call a case, even one that cannot be read."""
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return f"line {number}"
    return str(said["id"]) if type(said) is dict and "id" in said else f"line {number}"


def read_case(line: bytes) -> Case:
    """The case of one line. Raises Malformed."""
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the line is no JSON: {error}") from None
    if type(said) is not dict:
        raise Malformed("the case is no JSON object")
    params = _object(said, "params")
    merged = {name: value for name, value in {**params, **said}.items() if value is not None}
    kind = merged.get("kind")
    if kind not in ("tumbling", "sliding", "session"):
        raise Malformed(f"kind is {kind!r}: expected tumbling, sliding or session")
    semantics = merged.get("semantics", "")
    if semantics not in ("", "append", "upsert", "occupancy"):
        raise Malformed(f"semantics is {semantics!r}: expected append, upsert or occupancy")
    aggregates = tuple(map(str, _list(merged, "aggs")))
    strange = [name for name in aggregates if name not in AGGREGATES and semantics != "occupancy"]
    if strange or not aggregates:
        raise Malformed(f"aggs are {', '.join(aggregates) or 'none'}: expected some of {', '.join(AGGREGATES)}")
    events = tuple(_event(index, event, semantics) for index, event in enumerate(_list(merged, "events")))
    case = Case(id=str(merged.get("id", "")), kind=kind, aggregates=aggregates, events=events,
                expected=_expected(_list(merged, "expected")), semantics=semantics)
    case = _with_windows(case, merged)
    return replace(
        case,
        strange=_strange(said, params),
        late=_late(merged["late"], events) if merged.get("late") else None,
        early=_early(merged),
        empty=_empty(merged.get("emit_empty"), events),
        dropped=frozenset(_index(one, events) for one in _list(merged, "dropped")) if "dropped" in merged else None,
        emissions=tuple(_emission(one, events) for one in _list({"emissions": []} | merged, "emissions")),
        batch_sizes=tuple(_whole(size, "a batch size") for size in _list({"batch_sizes": []} | merged, "batch_sizes")),
    )


def watermarks(late: Mapping[str, Any], events: Sequence[Given]) -> tuple[list[int | None], list[int | None]]:
    """How far an engine had seen before it took each event, and after it."""
    if late["mode"] == "stream_time":
        seen: list[int | None] = [*accumulate([event.time_ms for event in events], max)]
        return seen, seen
    after: list[int | None] = []
    for index in range(-1, len(events)):
        so_far = [watermark for at, watermark in late["marks"] if at <= index]
        after.append(max(so_far) if so_far else None)
    return after[:-1], after[1:]


def read_rule(text: str, lateness_ms: int) -> Rule:
    """A rule such as `end-1+L<=wm`. Without an L the lateness is added. Raises Malformed."""
    left, sign, right = text.replace(" ", "").replace("<=", "≤").replace("<", "≤<").partition("≤")
    sums = _terms(left)
    for name, factor in _terms(right.removeprefix("<")).items():
        sums[name] = sums.get(name, 0) - factor
    constant = sums.pop("1", 0)
    sums.setdefault("L", 1)
    about = "+".join(name for name in sums if name not in ("L", "wm"))
    good = sign and sums.pop("wm", 0) == -1 and set(sums.values()) == {1}
    if not good or about not in ("end", "ts", "last", "last+gap"):
        raise Malformed(f"the rule {text!r} is not understood: expected one such as end-1+L<=wm or ts<wm-L")
    return Rule(about, lateness_ms, constant, right.startswith("<"))  # type: ignore[arg-type]


def _terms(text: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for sign, term in _TERM.findall(text):
        name, times = ("1", int(term)) if term.isdigit() else (term, 1)
        sums[name] = sums.get(name, 0) + (-times if sign == "-" else times)
    return sums


def _late(late: Any, events: Sequence[Given]) -> Late:
    if type(late) is not dict or late.get("mode") not in ("marks", "stream_time"):
        raise Malformed("late needs a mode: marks or stream_time")
    if late["mode"] == "marks":
        for mark in _list(late, "marks"):
            if type(mark) is not list or len(mark) != 2:
                raise Malformed(f"a mark is {mark!r}: expected [event index, watermark]")
            _whole(mark[0], "a mark's index")
            _whole(mark[1], "a watermark")
    rule = read_rule(str(late.get("rule")), _whole(late.get("lateness_ms", late.get("grace_ms", 0)), "the lateness"))
    before, after = watermarks(late, events)
    return Late(rule, tuple(before), tuple(after))


def _with_windows(case: Case, said: Mapping[str, Any]) -> Case:
    if case.kind == "session":
        edge, end = said.get("gap_edge", "same"), said.get("end", "last_plus_gap")
        if edge not in ("same", "split") or end not in ("last_event", "last_plus_gap"):
            raise Malformed("gap_edge is same or split, end is last_event or last_plus_gap")
        gap_ms = _whole(said.get("gap_ms"), "gap_ms")
        if gap_ms < 1:
            raise Malformed("gap_ms is below 1")
        return replace(case, gap_ms=gap_ms, splits_at_gap=edge == "split", ends_with_gap=end == "last_plus_gap")
    if "calendar" in said:
        return _with_calendar(case, _object(said, "calendar"), said)
    size_ms, mode = _whole(said.get("size_ms"), "size_ms"), said.get("mode", "")
    if mode not in ("", "per_event"):
        raise Malformed(f"mode is {mode!r}: expected per_event")
    origin_ms = said.get("origin_ms")
    if "start_clamp" in said:
        if said["start_clamp"] != "drop_negative":
            raise Malformed(f"start_clamp is {said['start_clamp']!r}: expected drop_negative")
        origin_ms = max(0, origin_ms or 0)
    slide_ms = _whole(said.get("slide_ms", size_ms), "slide_ms")
    if case.kind == "tumbling" and slide_ms != size_ms:
        raise Malformed("tumbling windows slide by their size")
    try:
        if mode:
            return replace(case, window=Aligned(size_ms, 1))
        return replace(case, window=Every(size_ms, slide_ms, _whole(said.get("offset_ms", 0), "offset_ms"),
                                          None if origin_ms is None else _whole(origin_ms, "origin_ms")))
    except ValueError as error:
        raise Malformed(str(error)) from None


def _with_calendar(case: Case, said: Mapping[str, Any], params: Mapping[str, Any]) -> Case:
    try:
        zone = ZoneInfo(str(said.get("tz")))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Malformed(f"the zone {said.get('tz')!r} is not known") from None
    unit, count, start = said.get("unit"), _whole(said.get("n", 1), "n"), said.get("start")
    case = replace(case, zone=zone, is_calendar=True)
    if isinstance(start, str) and re.fullmatch(r"\d\d:\d\d", start):
        case, start = replace(case, day_start_ms=int(start[:2]) * HOUR_MS + int(start[3:]) * MINUTE_MS), None
    if unit == "wall":
        size_ms = _whole(said.get("size_ms", params.get("size_ms")), "size_ms")
        wall = Wall(size_ms, _whole(said.get("slide_ms", params.get("slide_ms", size_ms)), "slide_ms"),
                    _whole(said.get("offset_ms", params.get("offset_ms", 0)), "offset_ms"))
        if wall.size_ms < 1 or wall.slide_ms < 1:
            raise Malformed("a wall window lasts at least 1 ms and slides forward")
        return replace(case, wall=wall, window=_hours_of(wall))
    if unit not in ("hour", "day", "week", "month", "year"):
        raise Malformed(f"the calendar unit {unit!r} is not known: expected wall, hour, day, week, month or year")
    if any(name in where for name in ("size_ms", "slide_ms", "offset_ms") for where in (said, params)):
        raise Malformed(f"windows of {count} {unit} have no size, slide or offset in ms")
    try:
        first = None if start is None else date(*start) if isinstance(start, list) else date.fromisoformat(start)
        return replace(case, window=CalendarUnit(unit, count, first))
    except (ValueError, TypeError) as error:
        raise Malformed(f"the calendar window cannot be: {error}") from None


def _hours_of(wall: Wall) -> CalendarUnit | None:
    """The same as hours of our calendar, where it can be said so."""
    if wall.slide_ms != wall.size_ms or wall.offset_ms or DAY_MS % wall.size_ms or wall.size_ms % HOUR_MS:
        return None
    return CalendarUnit("day") if wall.size_ms == DAY_MS else CalendarUnit("hour", wall.size_ms // HOUR_MS)


def _event(index: int, event: Any, semantics: str) -> Given:
    if type(event) is not list or len(event) != 3:
        raise Malformed(f"event {index} is {event!r}: expected [ts_ms, key, value]")
    time_ms, key, value = _whole(event[0], f"the time of event {index}"), str(event[1]), event[2]
    if semantics in ("upsert", "occupancy") and type(value) is not dict:
        raise Malformed(f"event {index} carries {value!r}: expected an object")
    if type(value) is not dict:
        return Given(index, time_ms, key, _number(value, f"the value of event {index}"), key)
    total = _number(value.get("total", value.get("value", value.get("amount", 0))), f"the total of event {index}")
    total -= _number(value.get("refunded", 0), f"the refund of event {index}")
    if semantics not in ("upsert", "occupancy"):
        return Given(index, _whole(value.get("created", time_ms), "created"), key, total, key)
    state = str(value.get("state") or "")
    if semantics == "occupancy":
        # Without a version the later word holds; who is at no stage is nowhere.
        row = str(value.get("stage") or value.get("to") or state)
        version = _whole(value.get("v", max(time_ms, 0) * 1000 + index), f"the version of event {index}")
        return Given(index, time_ms, row, total, row, key, version, state if row else "deleted")
    created_ms = _whole(value.get("created", time_ms), f"the creation of event {index}")
    return Given(index, created_ms, "all", total, "all", key, _whole(value.get("v"), f"the version of event {index}"),
                 state)


def _expected(rows: Sequence[Any]) -> dict[Cell, Number]:
    found: dict[Cell, Number] = {}
    for row in rows:
        if type(row) is not list or len(row) != 5:
            raise Malformed(f"an expected value is {row!r}: expected [start_ms, end_ms, key, aggregate, value]")
        cell = _cell(row)
        if cell in found:
            raise Malformed(f"the expected value {row!r} is said twice")
        found[cell] = _number(row[4], f"the expected value {row!r}")
    return found


def _emission(row: Any, events: Sequence[Given]) -> Emission:
    if type(row) is not list or len(row) != 6:
        raise Malformed(f"an emission is {row!r}: expected [index, start_ms, end_ms, key, aggregate, value]")
    value = None if row[5] is None else _number(row[5], f"the emission {row!r}")
    cell = _cell(row[1:])
    if cell[3].removeprefix("delta_") not in AGGREGATES:
        raise Malformed(f"the emission {row!r} is of an aggregate that is not known")
    return Emission(_index(row[0], events), cell, value)


def _cell(row: Sequence[Any]) -> Cell:
    return _whole(row[0], "a start"), _whole(row[1], "an end"), str(row[2]), str(row[3])


def _early(said: Mapping[str, Any]) -> str:
    early = said.get("early", "")
    if early not in ("", "0..size", "0..ts"):
        raise Malformed(f"early is {early!r}: expected 0..size or 0..ts")
    return str(early)


def _empty(said: Any, events: Sequence[Given]) -> tuple[int, int] | None:
    if said in (None, False):
        return None
    if said is True and events:
        times = [event.time_ms for event in events]
        return min(times), max(times) + 1
    if type(said) is not list or len(said) != 2:
        raise Malformed(f"emit_empty is {said!r}: expected [from_ms, to_ms]")
    return _whole(said[0], "emit_empty"), _whole(said[1], "emit_empty")


def _index(value: Any, events: Sequence[Given]) -> int:
    index = _whole(value, "an event's index")
    if not 0 <= index < len(events):
        raise Malformed(f"there is no event {index}")
    return index


def _strange(said: Mapping[str, Any], params: Mapping[str, Any]) -> tuple[str, ...]:
    """Members of a case that are not known here."""
    parts = ((said, _MEMBERS), (params, _PARAMS), (params.get("calendar") or {}, _CALENDAR),
             (params.get("late") or {}, _LATE))
    return tuple(sorted({name for part, known in parts for name in part if name not in known}))


def _object(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    if type(found) is not dict:
        raise Malformed(f"{name} is missing or no object")
    return found


def _list(said: Mapping[str, Any], name: str) -> list[Any]:
    found = said.get(name)
    if type(found) is not list:
        raise Malformed(f"{name} is missing or no list")
    return found


def _whole(value: Any, what: str) -> int:
    if type(value) is not int:
        raise Malformed(f"{what} is {value!r}: expected a whole number")
    return value


def _number(value: Any, what: str) -> Number:
    if type(value) not in (int, float):
        raise Malformed(f"{what} is {value!r}: expected a number")
    found: Number = value
    return found
