"""Query: what a rule would have found over the last 14 days, point by point, from what is kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from opsmon.core.alerting.baselines import HOURS_OF_WEEK, learn
from opsmon.core.alerting.built_in import LOGINS
from opsmon.core.alerting.judging import (
    LEARNING,
    Hour,
    Silence,
    judge_amount,
    judge_burst,
    judge_hour,
    judge_limit,
    judge_missing,
)
from opsmon.core.alerting.life import Finding
from opsmon.core.alerting.narrowing import sample, watched
from opsmon.core.alerting.rules import Burst, Late, Limit, Missing, Outlier, Pace, Rule, RunsOut, Unusual
from opsmon.core.alerting.special_days import ORDINARY, OddTimes
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Kpi, Rollup, Sliding, Today, Tumbling
from opsmon.core.folding import kept
from opsmon.core.history import has_history
from opsmon.core.ranges import WindowReading
from opsmon.core.said import Said
from opsmon.core.windows import Bounds
from opsmon.store.alerts.orders import amounts_by_hour, learned_of
from opsmon.store.alerts.usual import hour_of_week, weeks_of
from opsmon.store.kpi_queries import KpiQueries

BACK_MS = 14 * DAY_MS
STEP_MS = 10 * MINUTE_MS
_GONE = Finding("clear")

# By row ('' for the whole): epoch ms and what would have been found.
Points = list[tuple[int, Finding]]


@dataclass(frozen=True, slots=True)
class Past:
    """Points by row; `why` says why there are none."""

    points: Mapping[str, Points] = field(default_factory=dict)
    why: str = ""


async def past_of(kpis: KpiQueries, rule: Rule, now_ms: int, odd: OddTimes = ORDINARY) -> Past:
    """What a rule would have found, learning nothing of `odd` times. Raises STORE_ERRORS, and TooMuch for rows without
    end."""
    kpi = watched(rule, kpis.catalogue)
    if kpi is None or rule.about == LOGINS:
        return Past(why=Said("What this rule watches is not kept over time, so nothing can be said of the past."))
    if isinstance(rule.condition, Late | Pace | RunsOut):
        return Past(why=Said("What waited, and what was in stock, at earlier times is not kept, so nothing can be said "
                             "of the past."))
    rollup = kpis.catalogue.rollup(kpi.rollup)
    if isinstance(rule.condition, Outlier):
        return Past(await _large(kpis, rule.condition, kpi, now_ms))
    if not isinstance(rule.condition, Limit | Unusual | Missing | Burst) or not _is_told(rule, kpi, rollup):
        return Past(why=Said("Of this kind of rule and number nothing can be said of the past."))
    kpi = replace(kpi, window=_window(rule, kpi))
    ends = list(_ends(kpis, rollup, now_ms, is_fine=isinstance(rule.condition, Burst)))
    bounds = [_bounds(kpi, end_ms, kpis.calendar) for end_ms in ends]
    windows, site = await kpis.windows(kpi, bounds, now_ms, now_ms)
    counted = [(end_ms, one) for end_ms, one in zip(ends, windows, strict=True)
               if site.since_ms is not None and end_ms <= now_ms and _is_counted(rule, kpi, one, site.since_ms)]
    return Past(await _found(kpis, rule, kpi, counted, now_ms, odd))


async def _found(kpis: KpiQueries, rule: Rule, kpi: Kpi, counted: Sequence[tuple[int, WindowReading]], now_ms: int,
                 odd: OddTimes) -> dict[str, Points]:
    match rule.condition:
        case Limit() as limit if rule.by_row:
            return _by_row(limit, kpi, counted)
        case Limit() as limit:
            return {"": [(at_ms, judge_limit(limit, one.value, sample(kpi, one.sample))) for at_ms, one in counted]}
        case Burst() as burst:
            return {"": [(at_ms, judge_burst(burst, one.value)) for at_ms, one in counted]}
        case Unusual() as unusual:
            return {"": await _unusual(kpis, unusual, kpi, counted, now_ms, odd)}
        case Missing() as missing:
            return {"": await _missing(kpis, missing, kpi, counted, now_ms, odd)}
        case _:
            return {}


def _by_row(limit: Limit, kpi: Kpi, counted: Sequence[tuple[int, WindowReading]]) -> dict[str, Points]:
    rows = [(at_ms, {row.name: row for row in one.rows}) for at_ms, one in counted]
    names = dict.fromkeys(name for _, found in rows for name in found)
    return {name: [(at_ms, judge_limit(limit, found[name].value, sample(kpi, found[name].sample))
                    if name in found else _GONE) for at_ms, found in rows] for name in names}


async def _large(kpis: KpiQueries, rule: Outlier, kpi: Kpi, now_ms: int) -> dict[str, Points]:
    """Each order that would have been told, in its hour and the next, as it is looked at; '' stands for all others."""
    hours = await amounts_by_hour(kpis, kpi, now_ms - BACK_MS, now_ms)
    usual = learned_of(hours)
    found: dict[str, Points] = {"": [(end_ms, judge_amount(rule, 0, usual)) for end_ms, rows in hours if rows]}
    for end_ms, rows in hours:
        for order, amount in rows:
            finding = judge_amount(rule, amount, usual)
            if finding.found == "breach":
                found[order] = [(end_ms, finding), (end_ms + HOUR_MS, finding),
                                *((end_ms + later * HOUR_MS, replace(finding, found="clear")) for later in (2, 3))]
    return {order: [(at_ms, one) for at_ms, one in points if at_ms <= now_ms + HOUR_MS]
            for order, points in found.items()}


async def _unusual(kpis: KpiQueries, rule: Unusual, kpi: Kpi, counted: Sequence[tuple[int, WindowReading]],
                   now_ms: int, odd: OddTimes) -> Points:
    """Held against what is usual today: the weeks that are looked at are among those it was learned from."""
    weeks = await weeks_of(kpis, kpi, kpis.calendar.place(now_ms).hour.start_ms, odd)
    baseline, found = learn(weeks), Points()
    for at_ms, one in counted:
        if odd.rests(rule.direction, kpis.calendar.day_of(at_ms - 1)):
            found.append((at_ms, LEARNING))
            continue
        hour, into = hour_of_week(kpis.calendar, at_ms)
        last = Hour(float(one.value or 0), hour, into, weeks[(hour - 1) % HOURS_OF_WEEK])
        found.append((at_ms, judge_hour(rule, last, baseline)[0]))
    return found


async def _missing(kpis: KpiQueries, rule: Missing, kpi: Kpi, counted: Sequence[tuple[int, WindowReading]],
                   now_ms: int, odd: OddTimes) -> Points:
    hourly = replace(kpi, window=Sliding(HOUR_MS))
    baseline = learn(await weeks_of(kpis, hourly, kpis.calendar.place(now_ms).hour.start_ms, odd))
    last_ms, found = counted[0][0] if counted else 0, Points()
    for at_ms, one in counted:
        last_ms = at_ms if one.value else last_ms
        silence = Silence(last_ms, list(_shares(kpis.calendar, last_ms, at_ms)))
        rests = odd.rests("low", kpis.calendar.day_of(at_ms - 1))
        found.append((at_ms, LEARNING if rests else judge_missing(rule, silence, baseline)))
    return found


def _shares(calendar: SiteCalendar, from_ms: int, until_ms: int) -> Iterator[tuple[int, float]]:
    for hour in calendar.hours(from_ms, until_ms) if until_ms > from_ms else ():
        share = (min(hour.end_ms, until_ms) - max(hour.start_ms, from_ms)) / (hour.end_ms - hour.start_ms)
        yield hour_of_week(calendar, hour.start_ms)[0], max(share, 0.0)


def _is_counted(rule: Rule, kpi: Kpi, window: WindowReading, since_ms: int) -> bool:
    """Whether all of a window was counted. What grows over a day, or within minutes, may be too much already."""
    is_lowest = isinstance(rule.condition, Limit) and rule.condition.is_lowest
    grows = (isinstance(kpi.window, Today) and not is_lowest) or isinstance(rule.condition, Burst)
    return (window.end_ms if grows else window.start_ms) >= since_ms


def _is_told(rule: Rule, kpi: Kpi, rollup: Rollup) -> bool:
    return (has_history(kpi, rollup) and "h" in rollup.levels
            and (isinstance(kpi.window, Today | Sliding | Tumbling) or not isinstance(rule.condition, Limit)))


def _window(rule: Rule, kpi: Kpi) -> Today | Sliding | Tumbling:
    if isinstance(rule.condition, Unusual):
        return Sliding(HOUR_MS)
    if isinstance(rule.condition, Missing):
        return Sliding(STEP_MS)
    assert isinstance(kpi.window, Today | Sliding | Tumbling)
    return kpi.window


def _ends(kpis: KpiQueries, rollup: Rollup, now_ms: int, *, is_fine: bool) -> Iterator[int]:
    """Each hour's end while only hours are kept (not where it `is_fine`: then minutes alone tell), then every ten
    minutes."""
    life_ms = kept(rollup, "m", kpis.kept) if "m" in rollup.levels else 0
    fine_ms = max(now_ms - min(BACK_MS if life_ms is None else life_ms, BACK_MS // 2), now_ms - BACK_MS)
    fine_ms = kpis.calendar.place(fine_ms).hour.end_ms
    if not is_fine:
        yield from (hour.end_ms for hour in kpis.calendar.hours(now_ms - BACK_MS, min(fine_ms, now_ms))
                    if hour.end_ms <= min(fine_ms, now_ms))
    step_ms = STEP_MS if "m" in rollup.levels else HOUR_MS
    yield from range(fine_ms + step_ms, now_ms + 1, step_ms)


def _bounds(kpi: Kpi, end_ms: int, calendar: SiteCalendar) -> Bounds:
    """The window of a number as it was at an instant."""
    window = kpi.window
    if isinstance(window, Sliding):
        return end_ms - window.delay_ms - window.size_ms, end_ms - window.delay_ms
    place = calendar.place(end_ms - 1)
    if isinstance(window, Today):
        return place.day.start_ms, end_ms
    start_ms = place.hour.start_ms if isinstance(window, Tumbling) and window.size_ms == HOUR_MS else end_ms - MINUTE_MS
    return start_ms, end_ms
