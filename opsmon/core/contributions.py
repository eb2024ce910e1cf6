"""Which events a number is made of, and what each of them adds: looked up anew, from the events themselves."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from opsmon.core.catalogue import Rollup
from opsmon.core.events import Event
from opsmon.core.facts import (
    CHECKOUT,
    CUSTOMER,
    FUTURE_MS,
    STAGES,
    Fact,
    Member,
    Told,
    Version,
    is_remembered_whole,
    lag_ms,
    order_members,
    plain_fact,
    tell,
)
from opsmon.core.measures import STORAGE, identity, matcher, number
from opsmon.core.recounting import REMEMBERED
from opsmon.core.windows import Bounds

# One fact that an event adds, as plain values.
Added = dict[str, Any]

_ARRIVED = "delivery.arrived"
# What the members of a group make together, and whether it happens when the member says.
_MADE_BY = {
    CUSTOMER: {"customer.ordered": True, "customer.known": False}, CHECKOUT: {"checkout.followed": False},
    STAGES: {"stage.entered": True, "stage.left": False, "stage.holds": True},
}
_UNUSABLE = (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError)


def contributions(events: Sequence[Event], rollup: Rollup, bounds: Bounds | None = None
                  ) -> Iterator[tuple[Event, list[Added]]]:
    """Which of these events a rollup counts within `bounds` (None: at any time), with the facts that count.

    Given oldest first, told newest first. Of an entity only the newest version counts: what it replaced is
    left out, and so is a duplicate.
    """
    chosen = [event for event in events if _may_count(event, rollup)]
    told = [_told(event) for event in chosen]
    newest: dict[str, tuple[Version, int]] = {}
    for at, (tellings, _) in enumerate(told):
        for one in tellings:
            if one.key not in newest or newest[one.key][0] < one.version:
                newest[one.key] = one.version, at
    for at in range(len(chosen) - 1, -1, -1):
        tellings, members = told[at]
        standing = [one for one in tellings if newest[one.key][1] == at]
        added = [one for one in _facts(chosen[at], standing, rollup) if _is_within(bounds, one)]
        added += _memberships(standing, members, rollup, bounds)
        if added:
            yield chosen[at], added


def _may_count(event: Event, rollup: Rollup) -> bool:
    """Whether it is worth a look: an event that is no order or the like is one fact, of its own type."""
    return event.type in rollup.on or not REMEMBERED.isdisjoint(rollup.on) or _ARRIVED in rollup.on


def _told(event: Event) -> tuple[list[Told], list[Member]]:
    """What an event says of entities and groups, in believable time; nothing of one that cannot be used."""
    try:
        tellings, members = tell(event)
        return [told._replace(facts=tuple(_believable(fact, event) for fact in told.facts))
                for told in tellings], list(members)
    except _UNUSABLE:
        return [], []


def _believable(fact: Fact, event: Event) -> Fact:
    return fact if fact.time_ms <= event.arrived_ms + FUTURE_MS else fact._replace(time_ms=event.arrived_ms)


def _plain(event: Event) -> list[Fact]:
    try:
        return [plain_fact(event)]
    except _UNUSABLE:
        return []


def _facts(event: Event, standing: Iterable[Told], rollup: Rollup) -> Iterator[Added]:
    """The facts by themselves: of entities unless nothing may be taken back, of the event, of its arrival."""
    facts = [Fact(_ARRIVED, event.arrived_ms, {"source": event.source, "lag_ms": lag_ms(event)})]
    if rollup.measure != "sessions" and STORAGE[rollup.measure] not in ("joins", "unique"):
        facts += [fact for told in standing for fact in told.facts]
    if not is_remembered_whole(event):
        facts += _plain(event)
    matches = matcher(rollup.where)
    for fact in facts:
        if fact.type in rollup.on and (matches is None or matches(fact.fields)) and _is_measured(rollup, fact):
            shown = {name: fact.fields[name] for name in _shown(rollup) if name in fact.fields}
            yield {"fact": fact.type, "time_ms": fact.time_ms, **shown}


def _memberships(standing: Iterable[Told], members: Iterable[Member], rollup: Rollup, bounds: Bounds | None
                 ) -> Iterator[Added]:
    """The facts that an event makes together with others: what they say depends on those others."""
    joined = [*members, *(member for told in standing for member in order_members(told.key, told.facts))]
    for member in joined:
        made = _MADE_BY[member.group.partition(":")[0] + ":"]
        for fact in rollup.on:
            if member.data is not None and fact in made:
                added = {"fact": fact, "time_ms": member.data[0], "together_with": member.group.removeprefix("~")}
                if not made[fact] or _is_within(bounds, added):
                    yield added


def _is_within(bounds: Bounds | None, added: Added) -> bool:
    return bounds is None or bounds[0] <= added["time_ms"] < bounds[1]


def _is_measured(rollup: Rollup, fact: Fact) -> bool:
    """Whether a fact has what is measured: a value, or someone."""
    if rollup.of:
        return bool(identity(fact.fields.get(rollup.of)))
    try:
        return not rollup.value or number(rollup, fact.fields) is not None
    except ValueError:
        return False


def _shown(rollup: Rollup) -> list[str]:
    conditions = (*rollup.where, *rollup.hits)
    names = [rollup.value, rollup.of, *rollup.by, *(condition.field for condition in conditions)]
    return list(dict.fromkeys(name for name in names if name))
