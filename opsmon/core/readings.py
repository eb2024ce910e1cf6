"""Reading KPIs: what a window needs now, and what its fold says. Folding happens here, at read.

A plan names requests; the store answers them; `read` folds the answers. Values that still move are told
apart from complete ones: a window is complete when its end and a grace have passed and nothing that
arrived before is unread or pending.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from opsmon.core.calendar import HOUR_MS, MINUTE_MS, Pane, SiteCalendar
from opsmon.core.catalogue import TAG, Catalogue, Days, Kpi, Month, Now, Rollup, Sliding, Today, Tumbling
from opsmon.core.goods import DAYS_LEFT, EVERY, Stock, asides, is_tagged, stock, tagged, why_untold
from opsmon.core.measures import STORAGE, label
from opsmon.core.outlook import Outlook, Rest, outlook, rests
from opsmon.core.panes import OTHER, Hash
from opsmon.core.requests import (
    Answers,
    Request,
    Totals,
    all_rows,
    fold_now,
    fold_panes,
    hashes_of,
    now_hash,
    top_request,
)
from opsmon.core.values import Aggregates, Value, sample_of, value_of

# Beyond this much of what is open nobody counts: the oldest and the number say it.
_FOR_EVER_MS = 2**53 - 1
# What a KPI shows that is today's number as the day will end.
OUTLOOK = "outlook"
# What a KPI shows that is the ages of what is open, and where one age ends and the next begins, in hours.
AGES = "ages"
AGE_HOURS = (1, 4, 8, 24, 48)
# How many days before lies what a number is compared with.
DAYS_EARLIER = {"week": 7, "yesterday": 1}


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
    """One window of a series: its start and its value (None: nothing to divide by, or not counted yet then)."""

    start_ms: int
    end_ms: int
    value: Value


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a breakdown; `name` OTHER holds what is beyond the cap. `sample` as in Reading.count."""

    name: str
    value: Value
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One KPI as of one instant. Money is in minor units of `currency`; `others` holds other currencies.

    `before` is the same stretch a week ago (None: not counted yet then), `before_series` its series.
    `expected` is what the present window will come to, judging by last week (None: too early to tell).
    `before_until_ms` is where that stretch ends. `count` is how many a mean, share or percentile rests on.
    `rows` is the breakdown, largest first; their values and `other` make up `value` where they add up.
    `compared` is what of `value` stands beside `before`, where that is known by the hour only (None: all of it).
    `outlook` is what the day will come to; then `value` is the likely end.
    `corrected` are the starts of closed hours of the series that late events changed. `stock` is what there is of
    goods beside how fast it sells. `untold`: why nobody knows which products carry a tag (goods.why_untold), or
    'others': of what is counted some is not told apart by product, and is left out.
    """

    kpi: Kpi
    value: Value
    currency: str | None
    start_ms: int
    end_ms: int
    complete: bool
    series: tuple[Point, ...] = ()
    before: Value = None
    before_until_ms: int | None = None
    before_series: tuple[Point, ...] = ()
    expected: int | None = None
    others: tuple[tuple[str, int], ...] = ()
    count: int | None = None
    rows: tuple[Row, ...] = ()
    compared: Value = None
    outlook: Outlook | None = None
    corrected: tuple[int, ...] = ()
    stock: Stock | None = None
    untold: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one reading asks for: the panes of the window itself, of its series, of what it is compared with, and of
    what was left of earlier weekdays; or, for what panes do not hold, one request. `beside`: what is known of goods, as
    `catalogue` counts it; `members`: once that is answered, the products or SKUs that are wanted (None: all)."""

    kpi: Kpi
    rollup: Rollup
    start_ms: int
    end_ms: int
    window: tuple[Pane, ...] = ()
    series: tuple[Pane, ...] = ()
    before: tuple[Pane, ...] = ()
    before_series: tuple[Pane, ...] = ()
    before_by_now: tuple[Pane, ...] = ()
    compared: tuple[Pane, ...] = ()
    rests: tuple[Rest, ...] = ()
    asks: Request | None = None
    beside: tuple[Request, ...] = ()
    catalogue: Catalogue | None = None
    members: frozenset[str] | None = None

    def requests(self, calendar: SiteCalendar) -> list[Request]:
        """Every read this plan needs, each once."""
        return [*self._own_requests(calendar), *self.beside]

    def _own_requests(self, calendar: SiteCalendar) -> list[Request]:
        if self.asks is not None:
            return [self.asks]
        if isinstance(self.kpi.window, Now):
            return [Request("hash", (now_hash(self.rollup),))]
        groups = (self.window, self.series, self.before, self.before_series, self.before_by_now, self.compared,
                  *(rest.panes for rest in self.rests))
        panes = [pane for group in groups for pane in group]
        return [Request("hash", (found,)) for found in hashes_of(self.rollup, panes, calendar)]


def plan(kpi: Kpi, catalogue: Catalogue, site: Site) -> Plan:
    """What a KPI is read from at `site.now_ms`: for the window itself at most six hashes, of rows one for each day."""
    rollup = catalogue.rollup(kpi.rollup)
    beside = asides(kpi, rollup, catalogue, site.calendar, site.now_ms)
    planned = _plan(kpi, rollup, site)
    return replace(planned, beside=beside, catalogue=catalogue) if beside else planned


def _plan(kpi: Kpi, rollup: Rollup, site: Site) -> Plan:
    if rollup.measure == "open" or kpi.show == "open":
        return _plan_open(kpi, rollup, site)
    if rollup.measure == "own":
        return Plan(kpi, rollup, site.now_ms, site.now_ms, asks=Request("own", (Hash(kpi.show, "n", ""),)))
    planned = _plan_panes(kpi, rollup, site)
    storage = STORAGE[rollup.measure]
    if storage == "unique" or rollup.measure == "distinct":
        hashes = tuple(hashes_of(rollup, planned.window, site.calendar))
        return _asking(planned, Request("unique" if storage == "unique" else "distinct", hashes))
    if storage == "scores":
        currency = (site.currency or "") if rollup.value == "amount" else ""
        most = EVERY if is_tagged(kpi, rollup) else kpi.rows
        return _asking(planned, top_request(rollup, planned.window, site.calendar, currency, most))
    return planned


def read(planned: Plan, answers: Answers, site: Site) -> Reading:
    """Fold the answers to a plan's requests."""
    kpi, rollup, catalogue = planned.kpi, planned.rollup, planned.catalogue
    if catalogue is None:
        return _read(planned, answers, site)
    if why := why_untold(kpi, rollup, catalogue, answers):
        return Reading(kpi, None, None, planned.start_ms, planned.end_ms, complete=False, untold=why)
    planned = replace(planned, members=tagged(kpi, rollup, catalogue, answers))
    found = _read(planned, answers, site)
    if kpi.show != DAYS_LEFT:
        return found
    rows = _narrowed(fold_now(rollup, answers), planned)
    beside = stock(kpi, rows, catalogue, answers, site.calendar, site.now_ms, site.since_ms)
    return replace(found, stock=beside)


def _read(planned: Plan, answers: Answers, site: Site) -> Reading:
    kpi = planned.kpi
    if planned.asks is not None:
        return _read_answer(planned, planned.asks, answers, site)
    calendar, rollup = site.calendar, planned.rollup
    is_now = isinstance(kpi.window, Now)
    every = fold_now(rollup, answers) if is_now else fold_panes(rollup, planned.window, answers, calendar)
    totals = _narrowed(every, planned)
    found = all_rows(totals)
    currency = _currency(kpi, found, site)
    known = bool(planned.before) and _was_counted(planned.before, site)
    before = all_rows(fold_panes(rollup, planned.before, answers, calendar)) if known else {}
    value = value_of(rollup, kpi, found, currency)
    coming = _outlook(planned, value, answers, currency, site)
    return Reading(
        kpi=kpi,
        value=None if _is_among_others(every, totals, kpi) else _likely(coming) if kpi.show == OUTLOOK else value,
        currency=currency,
        start_ms=planned.start_ms,
        end_ms=planned.end_ms,
        complete=not is_now and is_complete(planned.end_ms, site),
        series=_points(planned, planned.series, answers, currency, site),
        before=value_of(rollup, kpi, before, currency) if known else None,
        before_until_ms=planned.before[-1].end_ms if planned.before else None,
        before_series=_points(planned, planned.before_series, answers, currency, site) if known else (),
        expected=_expected(planned, answers, currency, site) if known else None,
        others=_others(rollup, found, currency),
        count=sample_of(rollup, found, currency),
        rows=_rows(rollup, kpi, totals, currency),
        compared=_of(planned, planned.compared, answers, currency, site) if known and planned.compared else None,
        outlook=coming,
        untold="others" if planned.members is not None and OTHER in every else "",
    )


def rows_of(rollup: Rollup, kpi: Kpi, totals: Totals, currency: str | None) -> tuple[Row, ...]:
    """Every row of a breakdown, largest first, `other` last."""
    rows = [Row(name, value_of(rollup, kpi, found, currency), sample_of(rollup, found, currency))
            for name, found in totals.items()]
    return tuple(sorted(rows, key=_by_value))


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


def _plan_panes(kpi: Kpi, rollup: Rollup, site: Site) -> Plan:
    match kpi.window:
        case Today():
            return _plan_today(kpi, rollup, site)
        case Tumbling():
            return _plan_tumbling(kpi, rollup, kpi.window, site)
        case Sliding():
            return _plan_sliding(kpi, rollup, kpi.window, site)
        case Days() | Month():
            return _plan_days(kpi, rollup, kpi.window, site)
        case Now():
            return Plan(kpi, rollup, site.now_ms, site.now_ms)


def _asking(planned: Plan, asks: Request) -> Plan:
    return Plan(planned.kpi, planned.rollup, planned.start_ms, planned.end_ms, asks=asks)


def _plan_open(kpi: Kpi, rollup: Rollup, site: Site) -> Plan:
    """What is open: orders since they were placed, visits until their gap has passed."""
    now_ms = site.now_ms
    if kpi.show == AGES:
        edges = (0, *(now_ms - hours * HOUR_MS for hours in reversed(AGE_HOURS)), _FOR_EVER_MS)
        return Plan(kpi, rollup, now_ms, now_ms, asks=Request("ages", (now_hash(rollup),), edges=edges))
    if rollup.measure == "sessions":
        stretch = (now_ms, _FOR_EVER_MS)
    else:
        stretch = (0, now_ms - kpi.older_ms if kpi.older_ms else _FOR_EVER_MS)
    return Plan(kpi, rollup, now_ms, now_ms, asks=Request("open", (now_hash(rollup),), *stretch))


def _plan_days(kpi: Kpi, rollup: Rollup, window: Days | Month, site: Site) -> Plan:
    calendar, today = site.calendar, site.calendar.day_of(site.now_ms)
    first = today.replace(day=1) if isinstance(window, Month) else today - timedelta(days=window.count - 1)
    count = (today - first).days + 1
    panes = tuple(calendar.place(calendar.day_begins(first + timedelta(days=at))).day for at in range(count))
    planned = Plan(kpi, rollup, panes[0].start_ms, panes[-1].end_ms, window=panes)
    if rollup.has_rows or "h" not in rollup.levels or not isinstance(window, Month):
        return planned
    hour_ms = calendar.place(site.now_ms).hour.start_ms
    then_ms = calendar.month_earlier(hour_ms)
    begins_ms = calendar.day_begins(calendar.day_of(then_ms - 1).replace(day=1)) if hour_ms > panes[0].start_ms else 0
    return replace(planned, compared=_days_until(calendar, panes[0].start_ms, hour_ms),
                   before=_days_until(calendar, begins_ms, then_ms) if begins_ms else ())


def _days_until(calendar: SiteCalendar, begins_ms: int, then_ms: int) -> tuple[Pane, ...]:
    """Business days up to the start of an hour: whole days, then the hours of the broken one."""
    found, time_ms = [], begins_ms
    while (day := calendar.place(time_ms).day).end_ms <= then_ms:
        found.append(day)
        time_ms = day.end_ms
    return (*found, *calendar.hours(time_ms, then_ms))


def _plan_today(kpi: Kpi, rollup: Rollup, site: Site) -> Plan:
    day = site.calendar.place(site.now_ms).day
    if kpi.show == OUTLOOK:
        return Plan(kpi, rollup, day.start_ms, day.end_ms, window=(day,),
                    rests=tuple(rests(site.now_ms, site.calendar)))
    if rollup.has_rows or "m" not in rollup.levels:
        return Plan(kpi, rollup, day.start_ms, day.end_ms, window=(day,))
    if kpi.against == "none":
        return Plan(kpi, rollup, day.start_ms, day.end_ms, window=(day,))
    days = DAYS_EARLIER[kpi.against]
    then_ms = site.calendar.days_earlier(site.now_ms - site.now_ms % MINUTE_MS, days)
    begins_ms = site.calendar.day_begins(site.calendar.day_of(site.now_ms) - timedelta(days=days))
    return Plan(kpi, rollup, day.start_ms, day.end_ms, window=(day,),
                before=_day_until(site.calendar, begins_ms, then_ms))


def _day_until(calendar: SiteCalendar, begins: int, then_ms: int) -> tuple[Pane, ...]:
    """The business day up to an instant: its whole hours, then the minutes of the broken one."""
    hour_start = calendar.place(then_ms).hour.start_ms
    hours = tuple(calendar.hours(begins, hour_start)) if hour_start > begins else ()
    return hours + tuple(calendar.minutes(max(hour_start, begins), then_ms))


def _plan_tumbling(kpi: Kpi, rollup: Rollup, window: Tumbling, site: Site) -> Plan:
    calendar, now_ms = site.calendar, site.now_ms
    if window.size_ms == MINUTE_MS:
        last = calendar.place(now_ms).minute
        start_ms = last.start_ms - (window.history - 1) * MINUTE_MS
        return Plan(kpi, rollup, last.start_ms, last.end_ms, window=(last,),
                    series=tuple(calendar.minutes(start_ms, last.end_ms)))
    hours = calendar.last_hours(now_ms, window.history)
    if rollup.has_rows or "m" not in rollup.levels or kpi.against == "none":
        return Plan(kpi, rollup, hours[-1].start_ms, hours[-1].end_ms, window=(hours[-1],), series=tuple(hours))
    days = DAYS_EARLIER[kpi.against]
    ghosts = tuple(calendar.place(calendar.days_earlier(hour.start_ms, days)).hour for hour in hours)
    then_ms = calendar.days_earlier(now_ms - now_ms % MINUTE_MS, days)
    return Plan(
        kpi, rollup, hours[-1].start_ms, hours[-1].end_ms, window=(hours[-1],), series=tuple(hours),
        before=(ghosts[-1],), before_series=ghosts,
        before_by_now=tuple(calendar.minutes(ghosts[-1].start_ms, then_ms)),
    )


def _plan_sliding(kpi: Kpi, rollup: Rollup, window: Sliding, site: Site) -> Plan:
    end_ms = site.now_ms - site.now_ms % window.hop_ms + window.hop_ms - window.delay_ms
    start_ms = end_ms - window.size_ms
    panes = site.calendar.minutes if "m" in rollup.levels else site.calendar.hours
    return Plan(kpi, rollup, start_ms, end_ms, window=tuple(panes(start_ms, end_ms)))


def _read_answer(planned: Plan, asks: Request, answers: Answers, site: Site) -> Reading:
    """A reading of what is told whole: an estimate, members ranked, a number of open things."""
    kpi, found = planned.kpi, answers.others[asks]
    currency = site.currency if kpi.unit == "money" else None
    rows: tuple[Row, ...] = ()
    value: Value = found
    untold = ""
    if asks.kind == "top":
        wanted = planned.members
        untold = "others" if wanted is not None and any(name == OTHER for name, _ in found) else ""
        told = found if wanted is None else [pair for pair in found if pair[0] in wanted][:kpi.rows]
        rows = tuple(Row(name, amount) for name, amount in told)
        value = sum(amount for _, amount in told)
    elif asks.kind == "ages":
        ends = (*map(str, AGE_HOURS), "")
        rows = tuple(Row(name, count) for name, count in zip(ends, reversed(found), strict=True))
        value = sum(found)
    elif asks.kind == "open":
        value = found[0]
        if kpi.show == "oldest":
            value = None if found[1] is None else max(site.now_ms - found[1], 0)
    complete = asks.kind not in ("open", "ages", "own") and is_complete(planned.end_ms, site)
    return Reading(kpi, value, currency, planned.start_ms, planned.end_ms, complete, rows=rows, untold=untold)


def _rows(rollup: Rollup, kpi: Kpi, totals: Totals, currency: str | None) -> tuple[Row, ...]:
    if rollup.measure == "sessions" and kpi.show == "funnel":
        found = all_rows(totals)
        return tuple(Row(step, int(found.get(f"f{at}", 0))) for at, step in enumerate(rollup.steps, 1))
    return rows_of(rollup, kpi, totals, currency) if rollup.has_rows else ()


def _narrowed(totals: Totals, planned: Plan) -> Totals:
    return narrowed_rows(totals, planned.rollup, planned.kpi, planned.members)


def narrowed_rows(totals: Totals, rollup: Rollup, kpi: Kpi, members: frozenset[str] | None = None) -> Totals:
    """The rows a KPI is narrowed to, else all of them. `members`: those that carry the tag it is narrowed to."""
    if not kpi.only:
        return totals
    wanted = [(rollup.by.index(field), label(value).replace("|", "/")) for field, value in kpi.only
              if field != TAG or TAG in rollup.by]
    return {name: found for name, found in totals.items()
            if name != OTHER and all(name.split("|")[place] == value for place, value in wanted)
            and (members is None or name.partition("|")[0] in members)}


def _is_among_others(every: Totals, totals: Totals, kpi: Kpi) -> bool:
    """Whether the rows that are wanted may be among those that are not told apart."""
    return bool(kpi.only) and not totals and OTHER in every


def _by_value(row: Row) -> tuple[bool, bool, float, str]:
    return row.name == OTHER, row.value is None, -(row.value or 0), row.name


def _currency(kpi: Kpi, totals: Aggregates, site: Site) -> str | None:
    if kpi.unit != "money":
        return None
    seen = sorted(name[2:] for name in totals if name.startswith("s:"))
    return site.currency or (seen[0] if seen else None)


def _others(rollup: Rollup, totals: Aggregates, currency: str | None) -> tuple[tuple[str, int], ...]:
    if rollup.measure != "sum":
        return ()
    return tuple((name[2:], amount) for name, amount in sorted(totals.items())
                 if name.startswith("s:") and name[2:] != currency and amount)


def _points(planned: Plan, panes: Sequence[Pane], answers: Answers, currency: str | None, site: Site
            ) -> tuple[Point, ...]:
    return tuple(Point(pane.start_ms, pane.end_ms, None if _is_before_counting(pane, site) else
                       _of(planned, (pane,), answers, currency, site)) for pane in panes)


def _is_before_counting(pane: Pane, site: Site) -> bool:
    """Whether nobody counted yet: nothing is known of then, and that is no nought."""
    return site.since_ms is not None and pane.end_ms <= site.since_ms


def _of(planned: Plan, panes: Iterable[Pane], answers: Answers, currency: str | None, site: Site) -> Value:
    totals = _narrowed(fold_panes(planned.rollup, panes, answers, site.calendar), planned)
    return value_of(planned.rollup, planned.kpi, all_rows(totals), currency)


def _was_counted(panes: Sequence[Pane], site: Site) -> bool:
    """Whether counting had begun before these panes: half a day is nothing to compare with."""
    return site.since_ms is not None and site.since_ms < panes[0].start_ms


def _likely(coming: Outlook | None) -> int | None:
    return coming.likely if coming else None


def _outlook(planned: Plan, so_far: Value, answers: Answers, currency: str | None, site: Site) -> Outlook | None:
    """What the day will come to, of the weekdays that were counted by when it was asked."""
    remaining = [
        (_of(planned, (rest.hour,), answers, currency, site) or 0) * rest.left
        + (_of(planned, rest.hours, answers, currency, site) or 0)
        for rest in planned.rests if site.since_ms is not None and site.since_ms < rest.begins_ms]
    return outlook(site.now_ms, so_far or 0, remaining)


def _expected(planned: Plan, answers: Answers, currency: str | None, site: Site) -> int | None:
    """The present hour's count at its end: so far ÷ the share that last week had by this minute.

    None in the first five minutes, and where last week had too little to go by.
    """
    if not planned.before_by_now or site.now_ms - planned.start_ms < 5 * MINUTE_MS:
        return None
    by_now = _of(planned, planned.before_by_now, answers, currency, site)
    whole = _of(planned, planned.before, answers, currency, site)
    so_far = _of(planned, planned.window, answers, currency, site)
    if not by_now or not whole or whole < 5 or so_far is None:
        return None
    return max(round(so_far), round(so_far * whole / by_now))
