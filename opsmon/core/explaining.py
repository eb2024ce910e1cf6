"""A number explained: what it counts, in words made from its rollup, and which facts went into it."""

from typing import Any

from opsmon.core.catalogue import Condition, Days, Kpi, Month, Now, Rollup, Sliding, Today, Tumbling, Window
from opsmon.core.events import Event
from opsmon.core.facts import Fact, is_remembered_whole, plain_fact, tell
from opsmon.core.measures import STORAGE, matcher

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


def contribution(event: Event, rollup: Rollup) -> list[dict[str, Any]]:
    """The facts of an event that a rollup counts; none for an event that cannot be used."""
    try:
        facts: list[Fact] = [fact for told in tell(event)[0] for fact in told.facts]
        if not is_remembered_whole(event):
            facts.append(plain_fact(event))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError):
        return []
    matches = matcher(rollup.where)
    return [{"fact": fact.type, "time_ms": fact.time_ms,
             **{name: fact.fields.get(name) for name in _shown(rollup) if name in fact.fields}}
            for fact in facts if fact.type in rollup.on and (matches is None or matches(fact.fields))]


def kpi_words(kpi: Kpi, rollup: Rollup) -> dict[str, Any]:
    """All that can be said of a number without looking at the store."""
    return {"id": kpi.id, "label": kpi.label, "definition": kpi.definition, "unit": kpi.unit, "better": kpi.better,
            "counts": what_it_counts(rollup), "exactness": exactness(rollup),
            "rows": f"At most {rollup.cap} rows; the rest is in other." if rollup.by else ""}


def _shown(rollup: Rollup) -> list[str]:
    conditions = (*rollup.where, *rollup.hits)
    names = [rollup.value, rollup.of, *rollup.by, *(condition.field for condition in conditions)]
    return list(dict.fromkeys(name for name in names if name))


def _conditions(conditions: tuple[Condition, ...]) -> str:
    return " and ".join(f"{one.field} {one.operator} {one.value}" for one in conditions)
