"""Whether a rule holds, of what was read at one instant. Pure; every verdict is a Finding with its value and limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsmon.core.alerting.baselines import LIMIT, Band, Baseline, band, least_missing, missing, sigma_band
from opsmon.core.alerting.life import Finding, Found
from opsmon.core.alerting.rules import Limit, Milestone, Missing, Unusual

# It is over well within the limit: a z that wavers around it would fire at each turn.
_WELL_WITHIN = 0.75

UNKNOWN = Finding("unknown")
LEARNING = Finding("learning")


@dataclass(frozen=True, slots=True)
class Hour:
    """The last 60 minutes: what came, where in the week they end (hour 0 to 167, and how far into it, 0 to 1), and the
    same hour of earlier weeks where the plain rule wants them."""

    value: float
    hour: int
    into: float
    weeks: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """How long nothing came, and over which hours of the week: (hour 0 to 167, share of it) pairs."""

    since_ms: int
    hours: Sequence[tuple[int, float]]


def judge_limit(rule: Limit, value: float | None, sample: int | None) -> Finding:
    """A number against a fixed limit. Of too few there is no number."""
    if value is None or (sample is not None and sample < rule.least):
        return UNKNOWN
    sign = -1 if rule.is_lowest else 1
    if sign * (value - rule.limit) > 0:
        return Finding("breach", value, rule.limit)
    return Finding("clear" if sign * (value - rule.clears_at) <= 0 else "between", value, rule.limit)


def judge_hour(rule: Unusual, hour: Hour, baseline: Baseline) -> tuple[Finding, Band | None]:
    """The last hour against the same hours of earlier weeks; it is over three quarters of the way out."""
    limit = rule.sigmas or LIMIT[rule.sensitivity]
    found = _band(rule, hour, baseline, limit)
    if found is None:
        return LEARNING, None
    far, edge = _outside(rule, found)
    kind: Found = "breach" if far > limit else "clear" if far <= limit * _WELL_WITHIN else "between"
    return Finding(kind, hour.value, edge), found


def judge_missing(rule: Missing, silence: Silence, baseline: Baseline) -> Finding:
    """How many should have come since the last one, against how many may be missing by chance."""
    usual = [one for one in baseline.usual if one is not None]
    if len(usual) < len(baseline.usual):
        return LEARNING
    limit = least_missing(sum(usual), rule.false_per_week)
    absent = missing([(baseline.usual[hour] or 0.0, share) for hour, share in silence.hours])
    return Finding("breach" if absent > limit else "clear", absent, limit)


def judge_quiet(silent_ms: int | None, limit_ms: int | None) -> Finding:
    """How long a source said nothing, against the longest that is usual; unknown where either is."""
    if silent_ms is None or limit_ms is None:
        return UNKNOWN
    return Finding("breach" if silent_ms > limit_ms else "clear", silent_ms, limit_ms)


def judge_milestone(rule: Milestone, value: float | None, told: float) -> Finding:
    """The next multiple above the one that was `told`, once it is reached."""
    if value is None:
        return UNKNOWN
    reached = value // rule.every * rule.every
    # A number that begins anew, as today's does each morning, reaches its first one again.
    return Finding("breach" if reached > told and reached > 0 else "clear", value, reached)


def _band(rule: Unusual, hour: Hour, baseline: Baseline, limit: float) -> Band | None:
    expected = baseline.expected(hour.hour, hour.into)
    if expected is None:
        return None
    if rule.sigmas:
        return sigma_band(hour.value, hour.weeks, limit) if hour.weeks else None
    return band(hour.value, expected, baseline.cv, limit)


def _outside(rule: Unusual, found: Band) -> tuple[float, float]:
    """How far out in the direction that counts, and the edge on that side."""
    low, high = (-found.z, found.low), (found.z, found.high)
    if rule.direction == "both":
        return max(low, high)
    return low if rule.direction == "low" else high
