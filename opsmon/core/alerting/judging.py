"""Whether a rule holds, of what was read at one instant. Pure; every verdict is a Finding with its value and limit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist, median

from opsmon.core.alerting.baselines import LIMIT, Band, Baseline, band, least_missing, missing, sigma_band
from opsmon.core.alerting.life import Finding, Found, Things
from opsmon.core.alerting.rules import HYSTERESIS, Burst, Limit, Milestone, Missing, Outlier, Pace, RunsOut, Unusual
from opsmon.core.calendar import HOUR_MS, MINUTE_MS

# It is over well within the limit: a z that wavers around it would fire at each turn.
_WELL_WITHIN = 0.75

# Of a shorter stretch a pace says nothing.
LEAST_PACE_MS = 15 * MINUTE_MS
# How many of what is late are named.
MOST_THINGS = 5
# Of fewer orders nobody knows what is usual.
LEAST_ORDERS = 100
# How often a week an order of a usual shop may be taken for an outlier.
_FALSE_PER_WEEK = {"low": 0.02, "normal": 0.1, "high": 0.5}
_MAD = 1.4826
# Shops with one price have no spread; twice the price is no outlier there either.
_LEAST_SPREAD = 0.25

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


@dataclass(frozen=True, slots=True)
class Work:
    """`done` within `over_ms`, `left` to do, and for how long it can be done, `remaining_ms`."""

    done: float
    over_ms: int
    left: float
    remaining_ms: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """What orders usually come to: the logarithm of their median, how far they spread around it, how many a week."""

    middle: float
    spread: float
    per_week: float


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


def judge_stock(rule: RunsOut, available: int, sold: int | None, days: int) -> Finding:
    """For how many days a stock lasts at the pace of `days` days, against how long it takes to get more; unknown where
    nothing was sold, or nobody knows how much."""
    if not days or not sold or sold < 0:
        return UNKNOWN
    return judge_limit(Limit(rule.lead_days, is_lowest=True), max(available, 0) * days / sold, None)


def judge_pace(rule: Pace, work: Work) -> Finding:
    """What is done in an hour, against what has to be from now on to be ready in time."""
    if work.over_ms < LEAST_PACE_MS:
        return UNKNOWN
    pace = work.done * HOUR_MS / work.over_ms
    needed = max(work.left, 0.0) * HOUR_MS / max(work.remaining_ms - rule.slack_ms, MINUTE_MS)
    if pace < needed:
        return Finding("breach", pace, needed)
    return Finding("clear" if pace >= needed * (1 + HYSTERESIS) else "between", pace, needed)


def judge_late(count: int, oldest: Things) -> Finding:
    """How many are late, with the oldest of them by name."""
    return Finding("breach" if count else "clear", count, 0, oldest[:MOST_THINGS])


def judge_burst(rule: Burst, count: float | None) -> Finding:
    """How many there were, against how many are no chance any more."""
    if count is None:
        return UNKNOWN
    return Finding("breach" if count >= rule.count else "clear", count, rule.count)


def learn_amounts(amounts: Collection[float], days: float) -> Amounts | None:
    """What is usual of the amounts of all orders of some days: median and middle deviation of their logarithms, which
    one order of a million moves by nothing. None of too few."""
    logs = [log(amount) for amount in amounts if amount > 0]
    if len(logs) < LEAST_ORDERS or days <= 0:
        return None
    middle = median(logs)
    spread = _MAD * median(abs(one - middle) for one in logs)
    return Amounts(middle, max(spread, _LEAST_SPREAD), len(logs) * 7 / days)


def most_amount(rule: Outlier, usual: Amounts | None) -> float | None:
    """The amount beyond which an order is an outlier, in minor units; None while nobody knows what is usual. If amounts
    were log-normal, so many a week would lie beyond it by chance; real ones have a longer tail."""
    if rule.limit is not None:
        return rule.limit
    if usual is None:
        return None
    chance = min(_FALSE_PER_WEEK[rule.sensitivity] / usual.per_week, 0.01)
    return exp(usual.middle + NormalDist().inv_cdf(1 - chance) * usual.spread)


def judge_amount(rule: Outlier, amount: float, usual: Amounts | None) -> Finding:
    """The amount of one order against the most that is usual."""
    most = most_amount(rule, usual)
    if most is None:
        return LEARNING
    return Finding("breach" if amount > most else "clear", amount, most)


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
