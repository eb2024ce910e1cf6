"""Reading KPIs: which panes a window needs now, and what their fold says. Folding happens here, at read.

A plan names panes; the store fetches their hashes; `read` sums them. Values that still move are told
apart from complete ones: a window is complete when its end and a grace have passed and nothing that
arrived before is unread or pending.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from opsmon.core.calendar import HOUR_MS, MINUTE_MS, Pane, SiteCalendar
from opsmon.core.folding import Hash
from opsmon.core.kpis import ROLLUP_BY_ID, Kpi, Sliding, Today, Tumbling

# Of every hash: its panes by field, and their aggregates.
Panes = Mapping[Hash, Mapping[str, Mapping[str, int]]]


@dataclass(frozen=True, slots=True)
class Site:
    """What a reading depends on besides the panes: all of it given, none of it asked for."""

    now_ms: int
    calendar: SiteCalendar
    currency: str | None
    since_ms: int | None
    caught_up_ms: int
    grace_ms: int


@dataclass(frozen=True, slots=True)
class Point:
    """One window of a series: its start and its value (None: nothing to divide by)."""

    start_ms: int
    end_ms: int
    value: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One KPI as of one instant. Money is in minor units of `currency`; `others` holds other currencies.

    `before` is the same stretch a week ago (None: not counted yet then), `before_series` its series.
    `expected` is what the present window will come to, judging by last week (None: too early to tell).
    `before_until_ms` is where that stretch ends. `count` is how many a mean divides by.
    """

    kpi: Kpi
    value: int | None
    currency: str | None
    start_ms: int
    end_ms: int
    complete: bool
    series: tuple[Point, ...] = ()
    before: int | None = None
    before_until_ms: int | None = None
    before_series: tuple[Point, ...] = ()
    expected: int | None = None
    others: tuple[tuple[str, int], ...] = ()
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The panes one reading folds: of the window itself, of its series, and of a week ago."""

    kpi: Kpi
    start_ms: int
    end_ms: int
    window: tuple[Pane, ...]
    series: tuple[Pane, ...] = ()
    before: tuple[Pane, ...] = ()
    before_series: tuple[Pane, ...] = ()
    before_by_now: tuple[Pane, ...] = ()

    @property
    def hashes(self) -> set[Hash]:
        """The hashes that hold these panes."""
        panes = (self.window, self.series, self.before, self.before_series, self.before_by_now)
        return {Hash(self.kpi.rollup, "", pane.level, pane.span) for group in panes for pane in group}


def plan(kpi: Kpi, site: Site) -> Plan:
    """Which panes a KPI is read from at `site.now_ms`: at most six hashes for the window itself."""
    match kpi.window:
        case Today():
            return _plan_today(kpi, site)
        case Tumbling():
            return _plan_tumbling(kpi, kpi.window, site)
        case Sliding():
            return _plan_sliding(kpi, kpi.window, site)


def read(planned: Plan, panes: Panes, site: Site) -> Reading:
    """Fold the fetched panes of a plan. Hashes that are missing count as empty."""
    kpi = planned.kpi
    totals = _fold(kpi.rollup, planned.window, panes)
    currency = _currency(kpi, totals, site)
    before = _fold(kpi.rollup, planned.before, panes)
    known = bool(planned.before) and _was_counted(planned.before, site)
    return Reading(
        kpi=kpi,
        value=_value(kpi, totals, currency),
        currency=currency,
        start_ms=planned.start_ms,
        end_ms=planned.end_ms,
        complete=is_complete(planned.end_ms, site),
        series=_points(kpi, planned.series, panes, currency),
        before=_value(kpi, before, currency) if known else None,
        before_until_ms=planned.before[-1].end_ms if planned.before else None,
        before_series=_points(kpi, planned.before_series, panes, currency) if known else (),
        expected=_expected(planned, panes, currency, site) if known else None,
        others=_others(kpi, totals, currency),
        count=totals.get(f"n:{currency}", 0) if ROLLUP_BY_ID[kpi.rollup].measure == "mean" else None,
    )


def is_complete(end_ms: int, site: Site) -> bool:
    """Whether nothing is to be waited for: the grace is over, and all that arrived by then is counted."""
    closes_ms = end_ms + site.grace_ms
    return site.now_ms >= closes_ms and site.caught_up_ms >= closes_ms


def usual_gap_ms(arrivals_per_hour: float) -> int | None:
    """The gap between arrivals that 999 of 1000 stay below, if they come at random at this rate.

    For a Poisson stream P(gap > t) = exp(-rate * t). None below one an hour: any silence is usual then.
    """
    if arrivals_per_hour < 1:
        return None
    return max(round(6.9 * HOUR_MS / arrivals_per_hour), MINUTE_MS)


def _plan_today(kpi: Kpi, site: Site) -> Plan:
    day = site.calendar.place(site.now_ms).day
    then_ms = site.calendar.week_earlier(site.now_ms - site.now_ms % MINUTE_MS)
    begins_ms = site.calendar.day_begins(site.calendar.day_of(site.now_ms) - timedelta(days=7))
    return Plan(kpi, day.start_ms, day.end_ms, window=(day,),
                before=_day_until(site.calendar, begins_ms, then_ms))


def _day_until(calendar: SiteCalendar, begins: int, then_ms: int) -> tuple[Pane, ...]:
    """The business day up to an instant: its whole hours, then the minutes of the broken one."""
    hour_start = calendar.place(then_ms).hour.start_ms
    hours = tuple(calendar.hours(begins, hour_start)) if hour_start > begins else ()
    return hours + tuple(calendar.minutes(max(hour_start, begins), then_ms))


def _plan_tumbling(kpi: Kpi, window: Tumbling, site: Site) -> Plan:
    calendar, now_ms = site.calendar, site.now_ms
    if window.size_ms == MINUTE_MS:
        last = calendar.place(now_ms).minute
        start_ms = last.start_ms - (window.history - 1) * MINUTE_MS
        return Plan(kpi, last.start_ms, last.end_ms, window=(last,),
                    series=tuple(calendar.minutes(start_ms, last.end_ms)))
    hours = calendar.last_hours(now_ms, window.history)
    ghosts = tuple(calendar.place(calendar.week_earlier(hour.start_ms)).hour for hour in hours)
    then_ms = calendar.week_earlier(now_ms - now_ms % MINUTE_MS)
    return Plan(
        kpi, hours[-1].start_ms, hours[-1].end_ms, window=(hours[-1],), series=tuple(hours),
        before=(ghosts[-1],), before_series=ghosts,
        before_by_now=tuple(calendar.minutes(ghosts[-1].start_ms, then_ms)),
    )


def _plan_sliding(kpi: Kpi, window: Sliding, site: Site) -> Plan:
    end_ms = site.now_ms - site.now_ms % window.hop_ms + window.hop_ms
    start_ms = end_ms - window.size_ms
    return Plan(kpi, start_ms, end_ms, window=tuple(site.calendar.minutes(start_ms, end_ms)))


def _fold(rollup: str, panes: Iterable[Pane], fetched: Panes) -> dict[str, int]:
    totals: dict[str, int] = {}
    for pane in panes:
        kept = fetched.get(Hash(rollup, "", pane.level, pane.span), {}).get(pane.field, {})
        for aggregate, amount in kept.items():
            totals[aggregate] = totals.get(aggregate, 0) + amount
    return totals


def _value(kpi: Kpi, totals: Mapping[str, int], currency: str | None) -> int | None:
    measure = ROLLUP_BY_ID[kpi.rollup].measure
    if measure == "count":
        return totals.get("n", 0)
    amount = totals.get(f"s:{currency}", 0)
    if measure == "sum":
        return amount
    count = totals.get(f"n:{currency}", 0)
    return _divided(amount, count) if count else None


def _divided(amount: int, count: int) -> int:
    """Division to the nearest whole, halves away from zero, in whole numbers throughout."""
    half = (2 * abs(amount) + count) // (2 * count)
    return half if amount >= 0 else -half


def _currency(kpi: Kpi, totals: Mapping[str, int], site: Site) -> str | None:
    if kpi.unit != "money":
        return None
    seen = sorted(name[2:] for name in totals if name.startswith("s:"))
    return site.currency or (seen[0] if seen else None)


def _others(kpi: Kpi, totals: Mapping[str, int], currency: str | None) -> tuple[tuple[str, int], ...]:
    if ROLLUP_BY_ID[kpi.rollup].measure != "sum":
        return ()
    return tuple((name[2:], amount) for name, amount in sorted(totals.items())
                 if name.startswith("s:") and name[2:] != currency and amount)


def _points(kpi: Kpi, panes: Sequence[Pane], fetched: Panes, currency: str | None) -> tuple[Point, ...]:
    return tuple(Point(pane.start_ms, pane.end_ms, _value(kpi, _fold(kpi.rollup, (pane,), fetched), currency))
                 for pane in panes)


def _was_counted(panes: Sequence[Pane], site: Site) -> bool:
    """Whether counting had begun before these panes: half a day is nothing to compare with."""
    return site.since_ms is not None and site.since_ms < panes[0].start_ms


def _expected(planned: Plan, panes: Panes, currency: str | None, site: Site) -> int | None:
    """The present hour's count at its end: so far ÷ the share that last week had by this minute.

    None in the first five minutes, and where last week had too little to go by.
    """
    if not planned.before_by_now or site.now_ms - planned.start_ms < 5 * MINUTE_MS:
        return None
    by_now = _value(planned.kpi, _fold(planned.kpi.rollup, planned.before_by_now, panes), currency)
    whole = _value(planned.kpi, _fold(planned.kpi.rollup, planned.before, panes), currency)
    so_far = _value(planned.kpi, _fold(planned.kpi.rollup, planned.window, panes), currency)
    if not by_now or not whole or whole < 5 or so_far is None:
        return None
    return max(so_far, round(so_far * whole / by_now))
