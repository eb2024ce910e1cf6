"""What is usual for an hour of the week, and how far from it a number may be by chance.

Orders come at random: around a mean m their number varies by the root of m, and days differ besides by a share of it
(cv). So a number is judged by z = (x + 1/2 - m) / sqrt(m + (cv * m)^2), the variance of a negative binomial count.
m is the median of the same hour in earlier weeks, smoothed with its neighbours, so that one promotion or one outage
moves it little. Measured beside other rules by `python -m tests.bench baselines`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import fmean, median, pstdev
from typing import Literal

HOURS_OF_WEEK = 168
# With fewer weeks one odd day decides.
LEAST_WEEKS = 3
MOST_WEEKS = 8

Sensitivity = Literal["low", "normal", "high"]
LIMIT: Mapping[Sensitivity, float] = {"low": 3.5, "normal": 3.0, "high": 2.6}

# For a normal distribution the median distance from the middle is this share of its standard deviation.
_MAD = 1.4826
# Of hours with less the spread between days cannot be told from chance.
_LEAST_USUAL = 4.0
_LEAST_SIGMA = 1.0
# Of few weeks each lies nearer to their median than it would to that of many.
_NEARER = 2.0

# By hour of the week, 0 to 167 from Monday 00:00 local: one value for each earlier week that was counted.
History = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual, by hour of the week; None where fewer than three weeks were counted. `cv` is how much days differ
    beyond chance, as a share."""

    usual: tuple[float | None, ...]
    cv: float

    def expected(self, hour: int, into: float = 0.0) -> float | None:
        """The usual number in the 60 minutes that end `into` (0 to 1) of an hour of the week; None while learning."""
        before, now = self.usual[(hour - 1) % HOURS_OF_WEEK], self.usual[hour % HOURS_OF_WEEK]
        if into == 0 or before is None or now is None:
            return before if into == 0 else None
        return (1 - into) * before + into * now


@dataclass(frozen=True, slots=True)
class Band:
    """What would be no surprise: from `low` to `high` around `expected`, and how far out the value is (`z`)."""

    expected: float
    low: float
    high: float
    z: float


def learn(history: History) -> Baseline:
    """The baseline of what was counted; weeks that are not to count are left out by who asks."""
    middles = [median(weeks) if len(weeks) >= LEAST_WEEKS else None for weeks in history]
    usual = tuple(_smoothed(middles, hour) for hour in range(HOURS_OF_WEEK))
    return Baseline(usual, _spread(history, middles))


def without_alerted(weeks: Sequence[tuple[float, bool]]) -> list[float]:
    """Of (value, whether something was wrong) the values when nothing was. Where fewer than three are left of more,
    all of them: what is wrong for so many weeks is how it is now."""
    well = [value for value, is_alerted in weeks if not is_alerted]
    return well if len(well) >= LEAST_WEEKS else [value for value, _ in weeks]


def band(value: float, expected: float, cv: float, limit: float) -> Band:
    """How a value of counts stands to what is usual; `limit` is the z beyond which it is no chance."""
    spread = sqrt(max(expected, _LEAST_SIGMA) + (cv * expected) ** 2)
    return Band(expected, max(expected - limit * spread, 0.0), expected + limit * spread,
                (value + 0.5 - expected) / spread)


def sigma_band(value: float, weeks: Sequence[float], limit: float) -> Band:
    """The plain rule, mean and `limit` standard deviations of the same hour: offered, for it is known; it warns some
    five times a week of nothing. Raises ValueError without any week."""
    if not weeks:
        raise ValueError("no week to go by")
    middle, spread = fmean(weeks), max(pstdev(weeks), _LEAST_SIGMA)
    return Band(middle, max(middle - limit * spread, 0.0), middle + limit * spread, (value - middle) / spread)


def least_missing(events_per_week: float, false_per_week: float = 0.1) -> float:
    """How many events have to be missing at a stretch until the silence is worth a word: ln of events a week over false
    alerts a week that are put up with. Each of the gaps between random events exceeds k expected ones with e^-k."""
    return max(log(max(events_per_week, 1.0) / false_per_week), 1.0)


def missing(usual_by_hour: Iterable[tuple[float, float]]) -> float:
    """How many events were to be expected in a stretch: (usual number in an hour, share of that hour) pairs."""
    return sum(usual * share for usual, share in usual_by_hour)


def _smoothed(middles: Sequence[float | None], hour: int) -> float | None:
    around = [middles[(hour + step) % HOURS_OF_WEEK] for step in (-1, 0, 1)]
    here = around[1]
    if here is None:
        return None
    before, after = (here if one is None else one for one in (around[0], around[2]))
    return before / 4 + here / 2 + after / 4


def _spread(history: History, middles: Sequence[float | None]) -> float:
    """How much days differ beyond chance, of all hours together: one hour has too few weeks to tell."""
    pairs = [(value, middle, len(weeks)) for weeks, middle in zip(history, middles, strict=True) for value in weeks
             if middle is not None and middle >= _LEAST_USUAL]
    if not pairs:
        return 0.0
    apart = _MAD * median(abs(value - middle) / middle for value, middle, _ in pairs)
    few = max(1 / median(weeks for *_, weeks in pairs) - 1 / MOST_WEEKS, 0.0)
    return sqrt(max(apart ** 2 * (1 + _NEARER * few) - median(1 / middle for _, middle, _ in pairs), 0.0))
