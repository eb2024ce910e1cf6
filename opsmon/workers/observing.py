"""What the rules of a site look at, read at one instant and judged: by rule, the findings of each thing it watches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from opsmon.core.alerting.baselines import HOURS_OF_WEEK, Baseline, learn
from opsmon.core.alerting.built_in import BEHIND, EVERY_SOURCE, LOGINS, TELLING
from opsmon.core.alerting.judging import (
    LEARNING,
    UNKNOWN,
    Hour,
    Silence,
    judge_burst,
    judge_hour,
    judge_limit,
    judge_milestone,
    judge_missing,
    judge_quiet,
)
from opsmon.core.alerting.life import Finding
from opsmon.core.alerting.narrowing import sample, watched
from opsmon.core.alerting.rules import (
    Burst,
    Late,
    Limit,
    Milestone,
    Missing,
    Outlier,
    Pace,
    Quiet,
    Rule,
    RunsOut,
    Unusual,
)
from opsmon.core.alerting.special_days import ORDINARY, OddTimes, SpecialDays
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Kpi, Sliding, Today
from opsmon.core.health import Backlog, Heard
from opsmon.core.readings import Reading
from opsmon.store.alerts.usual import hour_of_week, weeks_of
from opsmon.store.kpi_queries import KpiQueries
from opsmon.workers.looking import Found, Looking

# A rule of rows makes so many alerts at most: beyond that it is one storm.
MOST_ROWS = 50
NOTHING_REACHED: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is no KPI: how far the workers are behind, when sources were heard, how many receivers cannot be told, when
    somebody could not sign in, and which times are like no others."""

    backlog: Backlog
    heard: tuple[Heard, ...]
    failing: int = 0
    refused_ms: tuple[int, ...] = ()
    odd: OddTimes = ORDINARY


@dataclass(slots=True)
class Learned:
    """A baseline, and the hour it was learned in: with the next one there is more to go by."""

    hour_ms: int
    baseline: Baseline
    weeks: Sequence[Sequence[float]]
    days: tuple[SpecialDays, ...] = ()


class Observer:
    """Reads for rules. Remembers what is usual for an hour at a time."""

    def __init__(self, kpis: KpiQueries) -> None:
        self._kpis = kpis
        self._learned: dict[str, Learned] = {}
        self._looking = Looking(kpis)

    async def look(self, rules: Iterable[Rule], around: Surroundings, now_ms: int,
                   reached: Mapping[str, float] = NOTHING_REACHED) -> dict[str, Found]:
        """What each rule finds now: by its id. `reached` is what milestones were told of last. Raises STORE_ERRORS."""
        asked = list(rules)
        kpis = {rule.id: kpi for rule in asked if (kpi := self._kpi(rule)) is not None}
        caught_up_ms = around.backlog.caught_up_ms(now_ms)
        self._looking.holidays = around.odd.holidays
        # Several rules of one number read it once.
        each = list(dict.fromkeys(kpis.values()))
        readings = dict(zip(each, await self._kpis.read(each, now_ms, caught_up_ms), strict=True))
        found = {name: readings[kpi] for name, kpi in kpis.items()}
        return {rule.id: await self._findings(rule, found.get(rule.id), around, now_ms, reached) for rule in asked}

    def _kpi(self, rule: Rule) -> Kpi | None:
        """What a rule reads; None for what is no KPI, and for what it looks up by itself."""
        return None if isinstance(rule.condition, Late | Outlier | Pace) else watched(rule, self._kpis.catalogue)

    async def _findings(self, rule: Rule, reading: Reading | None, around: Surroundings, now_ms: int,
                        reached: Mapping[str, float]) -> Found:
        match rule.condition:
            case Quiet() as quiet:
                return _quiet(rule, quiet, around.heard, now_ms)
            case Limit() as limit if rule.about == BEHIND:
                return [((), judge_limit(limit, now_ms - around.backlog.caught_up_ms(now_ms), None))]
            case Limit() as limit if rule.about == TELLING:
                return [((), judge_limit(limit, around.failing, None))]
            case Burst() as burst if rule.about == LOGINS:
                recent = sum(at_ms > now_ms - burst.within_ms for at_ms in around.refused_ms)
                return [((), judge_burst(burst, recent))]
            case Late() | Outlier() | Pace():
                return await self._looking.findings(rule, now_ms)
            case _ if reading is None:
                return [((), UNKNOWN)]
            case Burst() as burst:
                return [((), judge_burst(burst, reading.value))]
            case RunsOut() as runs_out:
                return self._looking.running_out(runs_out, reading)
            case Limit() as limit:
                return _limited(rule, limit, reading)
            case Milestone() as milestone:
                return [((), judge_milestone(milestone, reading.value, reached.get(rule.id, 0.0)))]
            case Unusual() as unusual:
                return [((), await self._unusual(unusual, reading, around.odd, now_ms))]
            case Missing() as missing:
                return [((), await self._missing(missing, reading, around, now_ms))]

    async def _unusual(self, rule: Unusual, reading: Reading, odd: OddTimes, now_ms: int) -> Finding:
        """Judged when nothing is waited for: a low number of a line that lags is no low number."""
        if odd.rests(rule.direction, self._kpis.calendar.day_of(now_ms)):
            return LEARNING
        learned = await self._usual(reading.kpi, odd, now_ms)
        if reading.value is None:
            return UNKNOWN
        hour, into = hour_of_week(self._kpis.calendar, reading.end_ms)
        found, _ = judge_hour(rule, Hour(reading.value, hour, into, learned.weeks[(hour - 1) % HOURS_OF_WEEK]),
                              learned.baseline)
        return found

    async def _missing(self, rule: Missing, reading: Reading, around: Surroundings, now_ms: int) -> Finding:
        if around.odd.rests("low", self._kpis.calendar.day_of(now_ms)):
            return LEARNING
        learned = await self._usual(replace(reading.kpi, window=Sliding(HOUR_MS)), around.odd, now_ms)
        last_ms = await self._last_ms(reading.kpi, now_ms)
        if last_ms is None:
            return LEARNING
        hours = list(_shares(self._kpis.calendar, last_ms, around.backlog.caught_up_ms(now_ms)))
        return judge_missing(rule, Silence(last_ms, hours), learned.baseline)

    async def _last_ms(self, kpi: Kpi, now_ms: int) -> int | None:
        """The end of the last minute of a day in which anything was counted; None where nothing was."""
        begins_ms = now_ms - now_ms % MINUTE_MS + MINUTE_MS - DAY_MS
        bounds = [(begins_ms + at * MINUTE_MS, begins_ms + (at + 1) * MINUTE_MS) for at in range(DAY_MS // MINUTE_MS)]
        windows, _ = await self._kpis.windows(replace(kpi, window=Today()), bounds, now_ms, now_ms)
        return next((one.end_ms for one in reversed(windows) if one.value), None)

    async def _usual(self, kpi: Kpi, odd: OddTimes, now_ms: int) -> Learned:
        """What is usual of a number by the hour of the week, in local time, learned anew with each hour, and when days
        were marked."""
        hour_ms, key = self._kpis.calendar.place(now_ms).hour.start_ms, f"{kpi.id} {kpi.only}"
        known = self._learned.get(key)
        if known is None or known.hour_ms != hour_ms or known.days != odd.days:
            weeks = await weeks_of(self._kpis, kpi, hour_ms, odd)
            known = self._learned[key] = Learned(hour_ms, learn(weeks), weeks, odd.days)
        return known


def _limited(rule: Rule, limit: Limit, reading: Reading) -> Found:
    """A number against its limit. Of low ones the window has to be over: what still fills is not low yet."""
    if rule.by_row:
        return [((("row", row.name),), judge_limit(limit, row.value, sample(reading.kpi, row.sample)))
                for row in reading.rows[:MOST_ROWS]]
    if limit.is_lowest and not reading.complete and isinstance(reading.kpi.window, Sliding):
        return [((), UNKNOWN)]
    return [((), judge_limit(limit, reading.value, sample(reading.kpi, reading.count)))]


def _quiet(rule: Rule, quiet: Quiet, heard: Sequence[Heard], now_ms: int) -> Found:
    """Each source that was ever heard, or the one that is named."""
    asked = [one for one in heard if rule.about in (EVERY_SOURCE, f"source:{one.name}") and one.last_ms is not None]
    return [((("source", one.name),), judge_quiet(now_ms - (one.last_ms or now_ms), quiet.after_ms or one.usual_gap_ms))
            for one in asked]


def _shares(calendar: SiteCalendar, from_ms: int, until_ms: int) -> Iterable[tuple[int, float]]:
    """Which hours of the week a stretch goes through, and which share of each."""
    for hour in calendar.hours(from_ms, until_ms):
        share = (min(hour.end_ms, until_ms) - max(hour.start_ms, from_ms)) / (hour.end_ms - hour.start_ms)
        yield hour_of_week(calendar, hour.start_ms)[0], max(share, 0.0)
