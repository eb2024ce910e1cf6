"""What folded aggregates say: a rollup's totals as the one number a KPI shows."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.measures import SQUARE_BITS
from opsmon.core.percentiles import percentile

Value = int | float | None
Aggregates = Mapping[str, Any]
# What a ratio shows that is how many of them there are, not which share.
HITS = "hits"


def value_of(rollup: Rollup, kpi: Kpi, found: Aggregates, currency: str | None) -> Value:
    """One number; None where there is nothing to divide by, or less than the KPI asks for.

    Money in minor units of `currency`, shares from 0 to 1, numbers in their own unit.
    """
    match rollup.measure:
        case "count" | "distinct" | "unique" | "open":
            return int(found.get("n", 0))
        case "sum":
            return _scaled(found.get(_name("s", rollup, found, currency), 0), rollup)
        case "mean":
            return _of_mean(rollup, kpi, found, currency)
        case "ratio" if kpi.show == HITS:
            return int(found.get("a", 0))
        case "ratio":
            return _share(found.get("a", 0), found.get("b", 0), kpi)
        case "stddev":
            return _deviation(rollup, kpi, found)
        case "percentile":
            return _percentile(kpi, found)
        case "min" | "max" | "last":
            return _of_join(rollup, found, currency)
        case "sessions":
            return _of_sessions(rollup, kpi, found, currency)
        case "top" | "own":
            return int(found.get("n", 0))


def divided(amount: int, count: int) -> int:
    """Division to the nearest whole, halves away from zero, in whole numbers throughout."""
    half = (2 * abs(amount) + count) // (2 * count)
    return half if amount >= 0 else -half


def sample_of(rollup: Rollup, found: Aggregates, currency: str | None) -> int | None:
    """How many facts a mean, share or percentile rests on; None for measures that rest on all."""
    match rollup.measure:
        case "mean" | "stddev":
            return int(found.get(_name("n", rollup, found, currency), 0)) if currency else _all_counted(found)
        case "ratio":
            return int(found.get("b", 0))
        case "percentile":
            return sum(found.values())
        case "sessions":
            return int(found.get("n", 0))
        case _:
            return None


def _name(aggregate: str, rollup: Rollup, found: Aggregates, currency: str | None) -> str:
    """The stored name: of money by currency, of numbers plain."""
    return f"{aggregate}:{currency}" if currency and aggregate not in found else aggregate


def _scaled(amount: int, rollup: Rollup) -> int | float:
    return amount if rollup.scale == 1 else amount / rollup.scale


def _of_mean(rollup: Rollup, kpi: Kpi, found: Aggregates, currency: str | None) -> Value:
    amount = found.get(_name("s", rollup, found, currency), 0)
    count = found.get(_name("n", rollup, found, currency), 0)
    if kpi.show == "count":
        return _all_counted(found)
    if kpi.show == "sum":
        return _scaled(amount, rollup)
    if count < max(kpi.least, 1):
        return None
    return divided(amount, count) if rollup.scale == 1 else amount / count / rollup.scale


def _all_counted(found: Aggregates) -> int:
    """How many there are in all currencies."""
    return sum(int(amount) for name, amount in found.items() if name.partition(":")[0] == "n")


def _share(hits: int, count: int, kpi: Kpi) -> Value:
    return hits / count if count >= max(kpi.least, 1) else None


def _deviation(rollup: Rollup, kpi: Kpi, found: Aggregates) -> Value:
    """Of all values there are, not of a sample: sqrt(E[x²] - E[x]²), in whole numbers to the last step."""
    count, total = int(found.get("n", 0)), int(found.get("s", 0))
    if count < max(kpi.least, 1):
        return None
    squares: int = (found.get("q1", 0) << SQUARE_BITS) + found.get("q0", 0)
    return sqrt(max(count * squares - total * total, 0)) / count / rollup.scale


def _percentile(kpi: Kpi, found: Aggregates) -> Value:
    counts: dict[int, int] = {int(name[1:]): count for name, count in found.items()}
    if kpi.show == "count":
        return sum(counts.values())
    if sum(counts.values()) < max(kpi.least, 1):
        return None
    share = float(kpi.show.removeprefix("p") or 50) / 100
    return percentile(counts, share)


def _of_join(rollup: Rollup, found: Aggregates, currency: str | None) -> Value:
    name = next((name for name in found if name in (rollup.measure, f"{rollup.measure}:{currency}")), None)
    if name is None:
        return None
    first, second = found[name]
    value: int = second if rollup.measure == "last" else first
    return _scaled(value, rollup)


def _of_sessions(rollup: Rollup, kpi: Kpi, found: Aggregates, currency: str | None) -> Value:
    count, amount = int(found.get("n", 0)), int(found.get(_name("s", rollup, found, currency), 0))
    match kpi.show:
        case "converted":
            return _share(found.get(f"f{len(rollup.steps)}", 0), count, kpi)
        case "duration":
            return divided(found.get("d", 0), count) if count else None
        case "mean" if rollup.scale != 1:
            return amount / count / rollup.scale if count else None
        case "mean":
            return divided(amount, count) if count else None
        case "sum":
            return _scaled(amount, rollup)
        case "events":
            return int(found.get("e", 0))
        case show if show.startswith("step"):
            return int(found.get(f"f{show.removeprefix('step')}", 0))
        case _:
            return count
