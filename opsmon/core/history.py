"""The history of a KPI over a span: which windows it is told in, what it is compared with, and what each says.

A plan names every window that is to be read; `tell` says what the readings mean: which are whole, which still
move, and of which nothing is known, and why.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from opsmon.core.asked import Asked, BadQuestion, finest_level, read_question
from opsmon.core.calendar import MINUTE_MS, Level, SiteCalendar
from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.folding import kept
from opsmon.core.panes import OTHER, Retention
from opsmon.core.ranges import WindowReading, levels_of
from opsmon.core.readings import Row, Site
from opsmon.core.spans import Span, compared, same_time
from opsmon.core.values import Value, sample_of, value_of
from opsmon.core.windows import Bounds, window_of, windows

# whole: nothing is to be waited for. moving: it may still change. part: it began before counting did, and holds
# what was told of it afterwards.
# empty: nothing to divide by, or too little. uncounted: it was over before counting began. gone: no longer
# kept. ahead: it has not begun.
SpotState = Literal["whole", "moving", "part", "empty", "uncounted", "gone", "ahead"]
KNOWN: tuple[SpotState, ...] = ("whole", "moving", "part")

_STEPS = {"day": ("hour", "day"), "week": ("day",), "month": ("day",), "year": ("month",)}
QUARTERS = "15m"


@dataclass(frozen=True, slots=True)
class Spot:
    """One window of a history; `before` is the same window of the span it is compared with, `rows` its breakdown.
    `corrected_ms` is when late events last changed it after it was over (None: never, or long ago)."""

    start_ms: int
    end_ms: int
    state: SpotState
    value: Value
    sample: int | None
    before: Value
    rows: tuple[Row, ...] = ()
    corrected_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two values of stretches that match, up to `until_ms` of the one and `then_ms` of the other."""

    now: Value
    before: Value
    until_ms: int
    then_ms: int


@dataclass(frozen=True, slots=True)
class History:
    """A KPI over a span: window by window, as one (None: nothing is known), and beside the span before.

    `row` names the one row all of it is about; None: all rows. `has_quarters`: it can be told by 15 minutes.
    `since_ms` is when counting began, `gone_ms` before which nothing is kept any more.
    """

    span: Span
    step: str
    row: str | None
    spots: tuple[Spot, ...]
    whole: Spot | None
    against: Span
    compared: Compared | None
    has_quarters: bool
    currency: str | None
    as_of_ms: int
    since_ms: int | None
    gone_ms: int | None


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """What a history is read from: `bounds` are its windows, `read` those that can be, by their place in it,
    `ghosts` the windows they are compared with, `whole` the span, `pair` the stretches that are compared."""

    span: Span
    asked: Asked
    against: Span
    bounds: tuple[Bounds, ...]
    read: tuple[int, ...]
    ghosts: Mapping[int, Bounds]
    whole: Bounds | None
    pair: tuple[Bounds, Bounds] | None
    has_quarters: bool
    gone_ms: int | None

    def windows(self) -> list[Bounds]:
        """Every window to be read, in the order that `tell` expects."""
        singles = [*([self.whole] if self.whole else []), *(self.pair or ())]
        return [*(self.bounds[at] for at in self.read), *self.ghosts.values(), *singles]


def has_history(kpi: Kpi, rollup: Rollup) -> bool:
    """Whether panes are kept of it; if not, only what holds now is known."""
    return bool(levels_of(rollup)) and kpi.show != "open"


def plan_history(kpi: Kpi, rollup: Rollup, span: Span, query: Mapping[str, str], calendar: SiteCalendar,
                 now_ms: int, retention: Retention) -> HistoryPlan:
    """Plan it; `query` may hold step (15m), by and row. Raises BadQuestion."""
    gone_ms = _gone(rollup, now_ms, retention)
    known_ms = span.start_ms if gone_ms is None else max(span.start_ms, gone_ms)
    asked = _asked(kpi, rollup, span, known_ms, query, calendar, now_ms, retention)
    bounds = tuple(windows(asked.kind, *span.bounds, calendar))
    read = tuple(at for at, (start_ms, _) in enumerate(bounds) if known_ms <= start_ms <= now_ms)
    against, pair = compared(span, calendar), None
    levels = _Levels(rollup, now_ms, retention)
    if gone_ms is None or against.start_ms >= gone_ms:
        pair = _pair(span, against, levels, calendar, now_ms)
    ghosts = dict(_ghosts(asked, span, bounds, levels, calendar)) if pair and span.name != "month" else {}
    whole = (bounds[read[0]][0], bounds[read[-1]][1]) if read else None
    return HistoryPlan(span, asked, against, bounds, read, ghosts, whole, pair,
                       span.name == "day" and levels.at(span.start_ms) == "m", gone_ms)


def tell(planned: HistoryPlan, kpi: Kpi, rollup: Rollup, readings: Sequence[WindowReading], site: Site) -> History:
    """What the readings of a plan's windows, in their order, say."""
    row, found = planned.asked.row, iter(readings)
    spots = dict(zip(planned.read, islice(found, len(planned.read)), strict=True))
    ghosts = dict(zip(planned.ghosts, islice(found, len(planned.ghosts)), strict=True))
    whole = next(found) if planned.whole else None

    def spot(at: int, bounds: Bounds) -> Spot:
        then = ghosts.get(at)
        is_known = then is not None and _counted_before(then.start_ms, site)
        before = value_in(then, kpi, rollup, row)[0] if then is not None and is_known else None
        if at not in spots:
            return Spot(*bounds, "ahead" if bounds[0] > site.now_ms else "gone", None, None, before)
        return _spot(spots[at], kpi, rollup, row, site, before)

    return History(
        span=planned.span, step=planned.asked.step, row=row,
        spots=tuple(spot(at, bounds) for at, bounds in enumerate(planned.bounds)),
        whole=_spot(whole, kpi, rollup, row, site, None) if whole else None,
        against=planned.against, compared=_compared(planned, kpi, rollup, list(found), site),
        has_quarters=planned.has_quarters, currency=site.currency if kpi.unit == "money" else None,
        as_of_ms=site.now_ms, since_ms=site.since_ms, gone_ms=planned.gone_ms,
    )


def annotated(told: History, marks: Mapping[int, int]) -> History:
    """The same with what late events changed: `marks` are starts of hours, and when that was last.

    Of a single row, and of quarters of an hour, nobody knows.
    """
    if not marks or told.row is not None or told.step == QUARTERS:
        return told
    return replace(told, spots=tuple(replace(spot, corrected_ms=_corrected_ms(spot, marks)) for spot in told.spots))


def _corrected_ms(spot: Spot, marks: Mapping[int, int]) -> int | None:
    """An hour that was corrected on the same day is no correction of that day."""
    if spot.state not in ("whole", "part"):
        return None
    return max((at_ms for start_ms, at_ms in marks.items()
                if spot.start_ms <= start_ms < spot.end_ms <= at_ms), default=None)


def value_in(reading: WindowReading, kpi: Kpi, rollup: Rollup, row: str | None) -> tuple[Value, int | None]:
    """Value and sample of a window, or of one row in it; a row that is not there counts as none at all."""
    if row is None:
        return reading.value, reading.sample
    # What is beyond the cap is `other`, unless a row is called so.
    named = {"other" if found.name == OTHER else found.name: found for found in reversed(reading.rows)}
    nothing = Row(row, value_of(rollup, kpi, {}, None), sample_of(rollup, {}, None))
    chosen = named.get(row, nothing)
    return chosen.value, chosen.sample


class _Levels:
    """Which is the finest level that is kept of an instant; None: no longer any."""

    def __init__(self, rollup: Rollup, now_ms: int, retention: Retention) -> None:
        self._rollup, self._now_ms, self._retention = rollup, now_ms, retention

    def at(self, time_ms: int) -> Level | None:
        try:
            return finest_level(self._rollup, time_ms, self._now_ms, self._retention)
        except BadQuestion:
            return None


def _gone(rollup: Rollup, now_ms: int, retention: Retention) -> int | None:
    """Before which instant nothing is kept any more; None: all is."""
    life_ms = kept(rollup, levels_of(rollup)[0], retention)
    return None if life_ms is None else now_ms - life_ms


def _asked(kpi: Kpi, rollup: Rollup, span: Span, from_ms: int, query: Mapping[str, str], calendar: SiteCalendar,
           now_ms: int, retention: Retention) -> Asked:
    """The question a program would ask for these windows, in the finest step there is for the span."""
    named = {name: query[name] for name in ("by", "row") if name in query}
    # Of a span that is gone whole nothing is read: any instant is good to ask about.
    stretch = {"from": str(min(from_ms, span.end_ms - 1)), "to": str(span.end_ms)}
    if from_ms >= span.end_ms:
        stretch = {"from": str(now_ms - MINUTE_MS), "to": str(now_ms)}
    steps = _STEPS[span.name]
    if query.get("step") == QUARTERS and span.name == "day":
        steps = (QUARTERS, *steps)
    for step in steps:
        try:
            return read_question(kpi, rollup, {**named, **stretch, "step": step}, calendar, now_ms, retention)
        except BadQuestion as error:
            refused = error
    raise refused


def _pair(span: Span, against: Span, levels: _Levels, calendar: SiteCalendar, now_ms: int
          ) -> tuple[Bounds, Bounds] | None:
    """The stretches to compare: whole spans, or both up to the same minute, else hour, else day."""
    if now_ms >= span.end_ms:
        return span.bounds, against.bounds
    if now_ms < span.start_ms:
        return None
    place = calendar.place(now_ms)
    hour_ms = place.hour.start_ms
    level = levels.at(calendar.place(same_time(hour_ms, span, calendar)).hour.start_ms)
    cuts_ms = {"m": place.minute.start_ms, "h": hour_ms, "d": place.day.start_ms}
    cut_ms = cuts_ms[level] if level else span.start_ms
    if cut_ms <= span.start_ms:
        return None
    return (span.start_ms, cut_ms), (against.start_ms, same_time(cut_ms, span, calendar))


def _ghosts(asked: Asked, span: Span, bounds: Sequence[Bounds], levels: _Levels, calendar: SiteCalendar
            ) -> Iterator[tuple[int, Bounds]]:
    """The same windows of the compared span, where they are still kept as finely; of those to come as well."""
    fine: dict[str, tuple[Level, ...]] = {QUARTERS: ("m",), "hour": ("m", "h")}
    for at, (start_ms, _) in enumerate(bounds):
        then_ms = same_time(start_ms, span, calendar)
        found = window_of(asked.kind, then_ms, calendar)
        if found and levels.at(found[0]) in fine.get(asked.step, ("m", "h", "d")):
            yield at, found


def _spot(reading: WindowReading, kpi: Kpi, rollup: Rollup, row: str | None, site: Site, before: Value) -> Spot:
    value, sample = value_in(reading, kpi, rollup, row)
    state = state_of(reading, value, site)
    if state == "uncounted":
        value, sample = None, None
    rows = () if state == "uncounted" else reading.rows
    return Spot(reading.start_ms, reading.end_ms, state, value, sample, before, rows)


def state_of(reading: WindowReading, value: Value, site: Site) -> SpotState:
    """What a window is that has begun; `value` may be that of one of its rows."""
    if (site.since_ms is None or reading.end_ms <= site.since_ms) and not (value or reading.sample):
        return "uncounted"
    if value is None:
        return "empty"
    if not reading.complete:
        return "moving"
    return "whole" if _counted_before(reading.start_ms, site) else "part"


def _compared(planned: HistoryPlan, kpi: Kpi, rollup: Rollup, pair: Sequence[WindowReading], site: Site
              ) -> Compared | None:
    if not pair or not _counted_before(pair[1].start_ms, site):
        return None
    (now, _), (before, _) = (value_in(one, kpi, rollup, planned.asked.row) for one in pair)
    return Compared(now, before, pair[0].end_ms, pair[1].end_ms)


def _counted_before(time_ms: int, site: Site) -> bool:
    return site.since_ms is not None and site.since_ms <= time_ms
