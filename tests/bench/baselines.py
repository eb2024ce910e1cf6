"""How often rules on the usual cry wolf, and how soon they see a fault: the simulation of ALERTING D2, seeds fixed.

Orders come at random around a day of two peaks; days differ by 15 %; the history holds one day of three times the
orders and one of a tenth. Each rule looks once an hour at a week without a fault (false alerts: times it begins to be
on), then at the first hour of a fault in which 70 % of the orders are missing, between 9 and 17.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from statistics import fmean, median

from opsmon.core.alerting.baselines import (
    HOURS_OF_WEEK,
    LIMIT,
    Baseline,
    band,
    learn,
    least_missing,
    missing,
    sigma_band,
)

RUNS = 300
DAY = (.2, .1, .1, .1, .1, .2, .5, 1, 1.6, 2.2, 2.6, 2.6, 2.2, 1.8, 1.6, 1.5, 1.6, 1.9, 2.4, 2.8, 2.6, 1.8, 1, .5)
DAYS_DIFFER = 0.15
LEFT = 0.3
Week = list[float]


@dataclass(frozen=True, slots=True)
class Shop:
    """One simulated shop: the hours of its earlier weeks, what is usual of them, and a week that is looked at."""

    history: list[list[float]]
    baseline: Baseline
    week: list[float]
    faulty: tuple[int, float]


Rule = Callable[[Shop, int, float], bool]


def robust(limit: float) -> Rule:
    """The rule that is on by default, at one of its sensitivities."""
    return lambda shop, hour, value: band(value, shop.baseline.usual[hour] or 0, shop.baseline.cv, limit).z < -limit


def sigmas(limit: float) -> Rule:
    """Mean and standard deviation of the same hour."""
    return lambda shop, hour, value: sigma_band(value, shop.history[hour], limit).z < -limit


def mad(shop: Shop, hour: int, value: float) -> bool:
    """Median and three median deviations."""
    middle = median(shop.history[hour])
    apart = 1.4826 * median(abs(one - middle) for one in shop.history[hour])
    return value < middle - 3 * max(apart, 0.5)


RULES: dict[str, Rule] = {
    "mean - 2 sigma": sigmas(2), "mean - 3 sigma": sigmas(3), "median - 3 MAD": mad,
    **{f"robust, {name} (z < -{limit})": robust(limit) for name, limit in LIMIT.items()},
}


def main() -> None:
    """Print false alerts a week and the share of faults found in their first hour, for each rule."""
    for a_day in (100, 400, 2_000):
        for weeks in (8, 4):
            shops = list(simulated(a_day, weeks))
            print(f"{a_day:,} orders a day, {weeks} weeks of history, {RUNS} runs:")
            for name, rule in RULES.items():
                print(f"  {name:32} {fmean(false_alerts(rule, shop) for shop in shops):6.2f} false alerts a week, "
                      f"{100 * fmean(rule(shop, *shop.faulty) for shop in shops):5.1f} % found in the first hour")
        _gaps(a_day)


def simulated(a_day: int, weeks: int) -> Iterator[Shop]:
    """Shops, the same ones each time."""
    for seed in range(RUNS):
        chance = Random(seed)
        means = [_week(chance, a_day) for _ in range(weeks)]
        promotion, outage = chance.sample(range(weeks * 7), 2)
        for day, times in ((promotion, 3.0), (outage, 0.1)):
            hours = slice(day % 7 * 24, day % 7 * 24 + 24)
            means[day // 7][hours] = [times * mean for mean in means[day // 7][hours]]
        counts = [[float(_came(chance, mean)) for mean in week] for week in means]
        history = [[week[hour] for week in counts] for hour in range(HOURS_OF_WEEK)]
        now = _week(chance, a_day)
        hour = chance.randrange(7) * 24 + chance.randrange(9, 17)
        yield Shop(history, learn(history), [float(_came(chance, mean)) for mean in now],
                   (hour, float(_came(chance, now[hour] * LEFT))))


def false_alerts(rule: Rule, shop: Shop) -> int:
    """How often a rule begins to be on in a week without a fault."""
    on = [rule(shop, hour, value) for hour, value in enumerate(shop.week)]
    return sum(now and not before for before, now in zip([False, *on], on, strict=False))


def _gaps(a_day: int) -> None:
    """The rule on missing events: how long a whole outage lasts until it is seen, in minutes."""
    shop = next(simulated(a_day, 8))
    usual = [one or 0.0 for one in shop.baseline.usual]
    limit = least_missing(sum(usual))
    waits = sorted(_minutes_until(limit, usual, hour) for hour in range(HOURS_OF_WEEK) if 9 <= hour % 24 < 17)
    print(f"  {'nothing came, k = ' + format(limit, '.1f'):32} an outage is seen after {waits[len(waits) // 2]} min "
          f"({waits[0]} to {waits[-1]})")


def _minutes_until(limit: float, usual: list[float], hour: int) -> int:
    minutes, absent = 0, 0.0
    while absent <= limit:
        absent += missing([(usual[(hour + minutes // 60) % HOURS_OF_WEEK], 1 / 60)])
        minutes += 1
    return minutes


def _week(chance: Random, a_day: int) -> Week:
    levels = [max(chance.gauss(1, DAYS_DIFFER), 0.2) for _ in range(7)]
    return [a_day * share / sum(DAY) * level for level in levels for share in DAY]


def _came(chance: Random, mean: float) -> int:
    """A Poisson number (Knuth's way for small means, the normal one for large)."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    floor, product, count = math.exp(-mean), chance.random(), 0
    while product > floor:
        product *= chance.random()
        count += 1
    return count
