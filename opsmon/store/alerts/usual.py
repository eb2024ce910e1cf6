"""Query: the hours of earlier weeks, by the hour of the week: what a number is held against."""

from opsmon.core.alerting.baselines import HOURS_OF_WEEK, MOST_WEEKS, without_alerted
from opsmon.core.alerting.special_days import ORDINARY, OddTimes
from opsmon.core.calendar import DAY_MS, SiteCalendar
from opsmon.core.catalogue import Kpi
from opsmon.store.kpi_queries import KpiQueries

_WEEK_MS = 7 * DAY_MS


async def weeks_of(kpis: KpiQueries, kpi: Kpi, until_ms: int, odd: OddTimes = ORDINARY) -> list[list[float]]:
    """The hours of the last eight weeks, by the hour of the week; left out are those before counting began, those of
    special days and those in which something was wrong."""
    facts, calendar = kpis.catalogue.rollup(kpi.rollup).on, kpis.calendar
    hours = [one for one in calendar.hours(until_ms - MOST_WEEKS * _WEEK_MS, until_ms)
             if not (odd.days and odd.is_special(calendar.day_of(one.start_ms)))]
    windows, site = await kpis.windows(kpi, [(one.start_ms, one.end_ms) for one in hours], until_ms, until_ms)
    weeks: list[list[tuple[float, bool]]] = [[] for _ in range(HOURS_OF_WEEK)]
    for one in windows:
        if site.since_ms is not None and one.start_ms >= site.since_ms:
            weeks[hour_of_week(calendar, one.start_ms)[0]].append(
                (float(one.value or 0), odd.is_alerted(facts, one.start_ms)))
    return [without_alerted(one) for one in weeks]


def hour_of_week(calendar: SiteCalendar, time_ms: int) -> tuple[int, float]:
    """Which hour of the week it is on the wall clock, from Monday 00:00, and how far into it (0 to 1)."""
    wall = calendar.wall(time_ms)
    return wall.weekday() * 24 + wall.hour, (wall.minute * 60 + wall.second) / 3_600
