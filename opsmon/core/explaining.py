"""A number explained: what it counts, how exactly and over which window, in words made from its rollup."""

from typing import Any

from opsmon.core.catalogue import Condition, Days, Kpi, Month, Now, Rollup, Sliding, Today, Tumbling, Window
from opsmon.core.measures import STORAGE
from opsmon.core.percentiles import ERROR as PERCENTILE_ERROR

# A HyperLogLog of 16,384 registers: 1.04 / sqrt(16384). Source: Flajolet et al. 2007.
UNIQUE_ERROR = 0.0081
_MEASURES = {
    "count": "the number of", "sum": "the sum of {value} of", "mean": "the mean {value} of",
    "ratio": "the share of", "stddev": "the standard deviation of {value} of",
    "percentile": "percentiles of {value} of",
    "min": "the smallest {value} of", "max": "the largest {value} of", "last": "the last {value} of",
    "unique": "the number of different {of} of", "distinct": "the number of different {of} of",
    "top": "{value} summed over", "open": "what is open after", "sessions": "sessions of each {of} made of",
    "own": "what opsmon knows of itself",
}
_EXACTNESS = {
    "unique": "Estimated: off by 0.8 % as a rule. Who was seen once stays seen.",
    "percentile": "Told to within 2 %. Corrections are subtracted.",
    "joins": "Exact. What a better value hid is not kept, so nothing is ever taken back; events with a version are "
             "left out.",
    "sums": "Exact. Corrections are subtracted where they were added.",
}


def what_it_counts(rollup: Rollup) -> str:
    """One sentence: the measure, the facts, the conditions, the rows."""
    words = [_MEASURES[rollup.measure].format(value=rollup.value, of=rollup.of), " or ".join(rollup.on)]
    if rollup.hits:
        words.append(f"with {_conditions(rollup.hits)}")
    if rollup.where:
        words.append(f"where {_conditions(rollup.where)}")
    if rollup.by:
        words.append(f"by {' and '.join(rollup.by)}")
    if rollup.measure == "sessions":
        words.append(f"no more than {rollup.gap_ms // 60_000} minutes apart")
    text = " ".join(word for word in words if word)
    return text[0].upper() + text[1:] + "."


def window_in_words(window: Window) -> str:
    """The window as a person would say it."""
    match window:
        case Today():
            return "the business day so far"
        case Tumbling():
            return "the present hour" if window.size_ms >= 3_600_000 else "the present minute"
        case Sliding():
            delay = f", ended {window.delay_ms // 60_000} minutes ago" if window.delay_ms else ""
            return f"the last {window.size_ms // 60_000} minutes{delay}"
        case Days():
            return f"the last {window.count} business days, today among them"
        case Month():
            return "the month so far"
        case Now():
            return "now"


def exactness(rollup: Rollup) -> str:
    """How exact it is, and what becomes of corrections."""
    kind = rollup.measure if rollup.measure in _EXACTNESS else STORAGE[rollup.measure]
    return _EXACTNESS.get(kind, _EXACTNESS["sums"])


def error_of(rollup: Rollup) -> float:
    """How far a value may be off, as a share of it; 0 for what is exact."""
    return {"unique": UNIQUE_ERROR, "percentile": PERCENTILE_ERROR}.get(rollup.measure, 0)


def kpi_words(kpi: Kpi, rollup: Rollup) -> dict[str, Any]:
    """All that can be said of a number without looking at the store."""
    return {"id": kpi.id, "label": kpi.label, "definition": kpi.definition, "unit": kpi.unit, "better": kpi.better,
            "counts": what_it_counts(rollup), "exactness": exactness(rollup), "error": error_of(rollup),
            "rows": f"At most {rollup.cap} rows; the rest is in other." if rollup.by else ""}


def _conditions(conditions: tuple[Condition, ...]) -> str:
    return " and ".join(f"{one.field} {one.operator} {_value(one.value)}" for one in conditions)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
