"""Rules: which number, when it is wrong, how bad that is, and what to do. Data; ALERTING D1 names the kinds.

A rule watches a KPI of the catalogue, whole or each of its rows, or a source, or opsmon itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from opsmon.core.alerting.baselines import Sensitivity
from opsmon.core.alerting.life import Timing
from opsmon.core.calendar import MINUTE_MS

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
Direction = Literal["low", "high", "both"]

# ALERTING D3.
TIMING: Mapping[Severity, Timing] = {
    "critical": Timing(0, 2 * MINUTE_MS), "high": Timing(MINUTE_MS, 5 * MINUTE_MS),
    "medium": Timing(5 * MINUTE_MS, 10 * MINUTE_MS), "low": Timing(15 * MINUTE_MS, 30 * MINUTE_MS),
}
# From firing at T to being over at T - 10 %: what stands at its limit would ring all day.
HYSTERESIS = 0.1
# ALERTING D1: rate against need.
_PACE_FOR_MS = 10 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Limit:
    """A number above (or below) `limit`, as a person writes it; over at `clear`. Of fewer than `least` a share or a
    mean says nothing. Ratios, ages, days of stock, needed rates and opsmon's own health are all of this kind."""

    limit: float
    is_lowest: bool = False
    clear: float | None = None
    least: int = 1
    kind: Literal["limit"] = "limit"

    @property
    def clears_at(self) -> float:
        """Where it is over: a tenth on the good side of the limit unless it is said."""
        if self.clear is not None:
            return self.clear
        return self.limit + HYSTERESIS * abs(self.limit) * (1 if self.is_lowest else -1)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A source of which nothing was heard for longer than it ever is: after `after_ms`, or for 0 after the gap that
    999 of 1000 stay below at this hour."""

    after_ms: int = 0
    kind: Literal["quiet"] = "quiet"


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing came though so much was expected that chance would do it less than `false_per_week` times."""

    false_per_week: float = 0.1
    kind: Literal["missing"] = "missing"


@dataclass(frozen=True, slots=True)
class Unusual:
    """The last 60 minutes against the same hour of the week. `sigmas` above 0: the plain mean and deviation instead."""

    direction: Direction = "low"
    sensitivity: Sensitivity = "normal"
    sigmas: float = 0.0
    kind: Literal["unusual"] = "unusual"


@dataclass(frozen=True, slots=True)
class Milestone:
    """Each multiple of `every` that a number reaches: said once, on walls alone."""

    every: float
    kind: Literal["milestone"] = "milestone"


@dataclass(frozen=True, slots=True)
class RunsOut:
    """Goods whose stock, at the pace they sell, lasts for fewer days than it takes to get more: an alert for each."""

    lead_days: float
    kind: Literal["runs-out"] = "runs-out"


@dataclass(frozen=True, slots=True)
class Pace:
    """What is done in an hour against what has to be, so that all of `need` (the KPI of what is left) is done by the
    end of a day's `hours` (worktime.py) with `slack_ms` to spare. What was placed after `placed_by` ('14:00') may wait
    until the next day; '' lets nothing wait."""

    hours: str
    need: str = "active-orders"
    slack_ms: int = 30 * MINUTE_MS
    placed_by: str = ""
    kind: Literal["pace"] = "pace"


@dataclass(frozen=True, slots=True)
class Late:
    """Orders that are open, or in one stage, for longer than `older_ms` of the `hours` in which people work ('' counts
    every hour): one alert, or one for each stage, that says how many and names the oldest."""

    older_ms: int
    hours: str = ""
    kind: Literal["late"] = "late"


@dataclass(frozen=True, slots=True)
class Outlier:
    """An order of an amount beyond `limit`, in minor units; None: so far beyond what is usual that chance would bring
    it seldom. An alert for each."""

    limit: float | None = None
    sensitivity: Sensitivity = "normal"
    kind: Literal["outlier"] = "outlier"


@dataclass(frozen=True, slots=True)
class Burst:
    """So many of something in so short a time: failed payments, failed logins."""

    count: int
    within_ms: int
    kind: Literal["burst"] = "burst"


Condition = Limit | Quiet | Missing | Unusual | Milestone | RunsOut | Pace | Late | Outlier | Burst


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `about` is the id of a KPI, or of a source for quiet ones; `by_row`: an alert for each row. `only`
    narrows the KPI. for_ms and keep_ms are those of its severity where None. `per_hour_minor` is the money at risk per
    hour. `off_reason` is why it is off, '' while it is on."""

    id: str
    title: str
    about: str
    condition: Condition
    severity: Severity = "medium"
    by_row: bool = False
    only: tuple[tuple[str, str], ...] = ()
    for_ms: int | None = None
    keep_ms: int | None = None
    owner: str = ""
    action: str = ""
    per_hour_minor: int | None = None
    off_reason: str = ""
    is_built_in: bool = False

    @property
    def is_on(self) -> bool:
        """Whether it is looked at."""
        return not self.off_reason

    @property
    def has_rows(self) -> bool:
        """Whether it has an alert for each of several things, which may be gone at the next look."""
        return self.by_row or isinstance(self.condition, RunsOut | Outlier)

    @property
    def timing(self) -> Timing:
        """How long a breach has to last, and a recovery to hold. A pace wavers: it lasts ten minutes."""
        usual = TIMING[self.severity]
        if isinstance(self.condition, Pace):
            usual = Timing(_PACE_FOR_MS, usual.keep_ms)
        return Timing(usual.for_ms if self.for_ms is None else self.for_ms,
                      usual.keep_ms if self.keep_ms is None else self.keep_ms)
