"""A number explained: what it counts, in words made from its rollup, and which facts went into it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from opsmon.core.catalogue import Condition, Days, Kpi, Month, Now, Rollup, Sliding, Today, Tumbling, Window
from opsmon.core.events import Event
from opsmon.core.facts import (
    CHECKOUT,
    CUSTOMER,
    STAGES,
    Fact,
    Member,
    Told,
    Version,
    is_remembered_whole,
    order_members,
    plain_fact,
    tell,
)
from opsmon.core.measures import STORAGE, identity, matcher, number
from opsmon.core.percentiles import ERROR as PERCENTILE_ERROR

# A HyperLogLog of 16,384 registers: 1.04 / sqrt(16384). Source: Flajolet et al. 2007.
UNIQUE_ERROR = 0.0081
# One fact that an event adds, as plain values.
Added = dict[str, Any]
# What the members of a group make together.
_MADE_BY = {
    CUSTOMER: ("customer.ordered", "customer.known"), CHECKOUT: ("checkout.followed",),
    STAGES: ("stage.entered", "stage.left", "stage.holds"),
}
_UNUSABLE = (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError)
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


def contributions(events: Sequence[Event], rollup: Rollup) -> Iterator[tuple[Event, list[Added]]]:
    """Which of these events a rollup counts, given oldest first, told newest first; with the facts that count.

    Of an entity only the newest version counts: what it replaced is left out, and so is a duplicate.
    """
    told = [_told(event) for event in events]
    newest: dict[str, tuple[Version, int]] = {}
    for at, (tellings, _) in enumerate(told):
        for one in tellings:
            if one.key not in newest or newest[one.key][0] < one.version:
                newest[one.key] = one.version, at
    for at in range(len(events) - 1, -1, -1):
        tellings, members = told[at]
        standing = [one for one in tellings if newest[one.key][1] == at]
        added = [*_facts(events[at], standing, rollup), *_memberships(standing, members, rollup)]
        if added:
            yield events[at], added


def error_of(rollup: Rollup) -> float:
    """How far a value may be off, as a share of it; 0 for what is exact."""
    return {"unique": UNIQUE_ERROR, "percentile": PERCENTILE_ERROR}.get(rollup.measure, 0)


def kpi_words(kpi: Kpi, rollup: Rollup) -> dict[str, Any]:
    """All that can be said of a number without looking at the store."""
    return {"id": kpi.id, "label": kpi.label, "definition": kpi.definition, "unit": kpi.unit, "better": kpi.better,
            "counts": what_it_counts(rollup), "exactness": exactness(rollup),
            "error": error_of(rollup),
            "rows": f"At most {rollup.cap} rows; the rest is in other." if rollup.by else ""}


def _shown(rollup: Rollup) -> list[str]:
    conditions = (*rollup.where, *rollup.hits)
    names = [rollup.value, rollup.of, *rollup.by, *(condition.field for condition in conditions)]
    return list(dict.fromkeys(name for name in names if name))


def _told(event: Event) -> tuple[list[Told], list[Member]]:
    """What an event says of entities and groups; nothing of one that cannot be used."""
    try:
        tellings, members = tell(event)
        return list(tellings), list(members)
    except _UNUSABLE:
        return [], []


def _plain(event: Event) -> list[Fact]:
    try:
        return [plain_fact(event)]
    except _UNUSABLE:
        return []


def _facts(event: Event, standing: Iterable[Told], rollup: Rollup) -> Iterator[Added]:
    """The facts by themselves: of entities unless nothing may be taken back, of the event, of its arrival."""
    facts = [Fact("delivery.arrived", event.arrived_ms, {"source": event.source})]
    if rollup.measure != "sessions" and STORAGE[rollup.measure] not in ("joins", "unique"):
        facts += [fact for told in standing for fact in told.facts]
    if not is_remembered_whole(event):
        facts += _plain(event)
    matches = matcher(rollup.where)
    for fact in facts:
        if fact.type in rollup.on and (matches is None or matches(fact.fields)) and _is_measured(rollup, fact):
            shown = {name: fact.fields[name] for name in _shown(rollup) if name in fact.fields}
            yield {"fact": fact.type, "time_ms": fact.time_ms, **shown}


def _memberships(standing: Iterable[Told], members: Iterable[Member], rollup: Rollup) -> Iterator[Added]:
    """The facts that an event makes together with others: what they say depends on those others."""
    joined = [*members, *(member for told in standing for member in order_members(told.key, told.facts))]
    for member in joined:
        if member.data is not None:
            yield from ({"fact": fact, "time_ms": member.data[0], "together_with": member.group.removeprefix("~")}
                        for fact in rollup.on if fact in _MADE_BY[member.group.partition(":")[0] + ":"])


def _is_measured(rollup: Rollup, fact: Fact) -> bool:
    """Whether a fact has what is measured: a value, or someone."""
    if rollup.of:
        return bool(identity(fact.fields.get(rollup.of)))
    try:
        return not rollup.value or number(rollup, fact.fields) is not None
    except ValueError:
        return False


def _conditions(conditions: tuple[Condition, ...]) -> str:
    return " and ".join(f"{one.field} {one.operator} {_value(one.value)}" for one in conditions)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
