"""Whether alerts are worth what they cost: figures of each rule over 30 days, what is wrong with it, and the budget of
interruptions of a shift. Pure; ALERTING D5 names the figures.

An alert that nobody acts on is a defect of its rule: people learn not to look.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

from opsmon.core.alerting.hours import Hours, is_open
from opsmon.core.alerting.life import Verdict
from opsmon.core.alerting.past_runs import PastRun
from opsmon.core.alerting.receivers import Telling
from opsmon.core.alerting.rules import Milestone, Rule, Severity
from opsmon.core.calendar import DAY_MS, MINUTE_MS

BACK_MS = 30 * DAY_MS
BRIEF_MS = 2 * MINUTE_MS
# Of fewer a share says nothing.
LEAST_RUNS = 3
MOST_A_DAY = 3.0
# ALERTING D5: so many times a shift people may be called away from what they do.
BUDGET = 2
# The hours of the wall clock at which shifts begin, eight hours each.
SHIFTS_AT = (6, 14, 22)
INTERRUPTING: tuple[Severity, ...] = ("critical", "high")
# Without hours in any route: Monday to Friday, 08:00 to 18:00.
_USUAL_WEEK: Mapping[int, tuple[int, int]] = dict.fromkeys(range(5), (8 * 60, 18 * 60))

# idle: it never led to action. brief: most of its alerts end by themselves within two minutes. often: too many a day.
Flag = Literal["idle", "brief", "often"]


@dataclass(frozen=True, slots=True)
class Quality:
    """What became of a rule's alerts. `fired` counts runs; `incidents` those that were at the same time as one, such as
    three lanes that are late together. `over` are those that ended, of which `acted` were acted on and `brief` ended by
    themselves within two minutes; `outside` began outside hours. Times are medians in ms, None without any."""

    rule: str
    fired: int
    incidents: int
    acknowledged: int
    over: int
    acted: int
    brief: int
    outside: int
    escalated: int
    to_acknowledge_ms: float | None
    to_resolve_ms: float | None
    verdicts: Mapping[Verdict, int]
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift and how often it was interrupted, by the rules that did."""

    start_ms: int
    end_ms: int
    rules: Mapping[str, int]

    @property
    def times(self) -> int:
        """How often people were interrupted."""
        return sum(self.rules.values())

    @property
    def is_beyond(self) -> bool:
        """Whether that was more than the budget."""
        return self.times > BUDGET


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that is looked at once a month: rules that fired, those with something wrong first, and the shifts."""

    since_ms: int
    until_ms: int
    rules: tuple[Quality, ...]
    shifts: tuple[Shift, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.rules

    @property
    def beyond(self) -> tuple[Shift, ...]:
        """The shifts that were interrupted too often, the newest first."""
        return tuple(one for one in reversed(self.shifts) if one.is_beyond)


def review(runs: Sequence[PastRun], rules: Mapping[str, Rule], telling: Telling, zone: ZoneInfo, until_ms: int
           ) -> Review:
    """The 30 days up to an instant. Of a rule that is gone nothing can be bettered: it is left out."""
    since_ms = until_ms - BACK_MS
    lately = [run for run in runs if since_ms <= run.began_ms < until_ms and run.rule in rules]
    by_rule: dict[str, list[PastRun]] = {}
    for run in lately:
        by_rule.setdefault(run.rule, []).append(run)
    found = [quality(own, rules[name], hours_of_work(rules[name].severity, telling, zone), until_ms)
             for name, own in by_rule.items()]
    return Review(since_ms, until_ms, tuple(sorted(found, key=lambda one: (-len(one.flags), -one.fired, one.rule))),
                  tuple(shifts(lately, telling, zone, since_ms, until_ms)))


def quality(runs: Sequence[PastRun], rule: Rule, hours: Hours, now_ms: int) -> Quality:
    """The figures of one rule, of all its runs in the order in which they fired."""
    over = [run for run in runs if run.over_ms is not None]
    acted, brief = sum(run.is_acted_on for run in over), sum(is_brief(run) for run in over)
    answered = [run.acknowledged_ms - run.began_ms for run in runs if run.acknowledged_ms is not None]
    lasted = [run.over_ms - run.began_ms for run in over if run.over_ms is not None]
    return Quality(
        rule.id, len(runs), len(incidents(runs, now_ms)), len(answered), len(over), acted, brief,
        sum(not is_open(hours, run.began_ms) for run in runs), sum(run.is_escalated for run in runs),
        median(answered) if answered else None, median(lasted) if lasted else None,
        Counter(run.verdict for run in runs if run.verdict), _flags(runs, rule, len(over), acted, brief, now_ms))


def is_brief(run: PastRun) -> bool:
    """Whether it ended by itself before anybody could have done anything."""
    return run.is_alone and run.over_ms is not None and run.over_ms - run.began_ms < BRIEF_MS


def incidents(runs: Iterable[PastRun], now_ms: int) -> list[PastRun]:
    """The first run of each incident: what began while another of the same rule was open is part of that one."""
    found, open_until_ms = list[PastRun](), -1
    for run in sorted(runs, key=lambda one: one.began_ms):
        if run.began_ms > open_until_ms:
            found.append(run)
        open_until_ms = max(open_until_ms, now_ms if run.over_ms is None else run.over_ms)
    return found


def hours_of_work(severity: Severity, telling: Telling, zone: ZoneInfo) -> Hours:
    """When somebody works: the hours of its route, which for what is critical are those of the others; where no route
    has any, the usual ones."""
    routes = (telling.routes.get(one) for one in (severity, "high", "medium"))
    return next((route.hours for route in routes if route and not route.hours.is_always),
                Hours(zone.key, _USUAL_WEEK))


def shifts(runs: Iterable[PastRun], telling: Telling, zone: ZoneInfo, since_ms: int, until_ms: int) -> list[Shift]:
    """Every shift of a time, with what interrupted it: incidents that are critical or high, and were not held until
    somebody works."""
    every = list(_all_shifts(zone, since_ms, until_ms))
    begins, found = [start_ms for start_ms, _ in every], [Counter[str]() for _ in every]
    by_rule: dict[str, list[PastRun]] = {}
    for run in runs:
        by_rule.setdefault(run.rule, []).append(run)
    for own in by_rule.values():
        for run in incidents(own, until_ms):
            if run.severity in INTERRUPTING and telling.route(run.severity).is_open(run.began_ms):
                found[bisect_right(begins, run.began_ms) - 1][run.rule] += 1
    return [Shift(*stretch, rules) for stretch, rules in zip(every, found, strict=True)]


def shift_at(time_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """The shift an instant falls into, by the wall clock of a zone: from when until when."""
    day = datetime.fromtimestamp(time_ms / 1000, zone).date()
    begins = [_begins(day + timedelta(days=ahead), hour, zone) for ahead in (-1, 0, 1) for hour in SHIFTS_AT]
    at = max(index for index, begin_ms in enumerate(begins) if begin_ms <= time_ms)
    return begins[at], begins[at + 1]


def _all_shifts(zone: ZoneInfo, since_ms: int, until_ms: int) -> Iterable[tuple[int, int]]:
    found = shift_at(since_ms, zone)
    while found[0] < until_ms:
        yield found
        found = shift_at(found[1], zone)


def _begins(day: date, hour: int, zone: ZoneInfo) -> int:
    local = datetime.combine(day, time(hour), zone)
    return int(local.astimezone(UTC).timestamp() * 1000)


def _flags(runs: Sequence[PastRun], rule: Rule, over: int, acted: int, brief: int, now_ms: int) -> tuple[Flag, ...]:
    # What tells of something good asks for nothing.
    if isinstance(rule.condition, Milestone) or not rule.is_on or not runs:
        return ()
    days = max((now_ms - runs[0].began_ms) / DAY_MS, 1.0)
    found: list[tuple[Flag, bool]] = [
        ("idle", over > 0 and acted == 0), ("brief", over >= LEAST_RUNS and brief * 2 > over),
        ("often", len(runs) / days > MOST_A_DAY)]
    return tuple(flag for flag, is_so in found if is_so)
