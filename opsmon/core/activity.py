"""What happened, from the newest events: the few things worth a line on a board, without amounts and names of people.

Facts are told as counting tells them: of an entity only its newest version counts, and an order that is told again for
a note that somebody wrote did not happen anew. Pure: the same events give the same list.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from opsmon.core.calendar import HOUR_MS
from opsmon.core.events import Event
from opsmon.core.facts import FUTURE_MS, Told, Version, is_remembered_whole, plain_fact, tell
from opsmon.core.health import Heard, is_silent

MOST_SHOWN = 8

Kind = Literal["placed", "paid", "fulfilled", "cancelled", "refunded", "return", "dispute", "dead", "silent", "back"]

_KINDS: dict[str, Kind] = {
    "order.placed": "placed", "payment.received": "paid", "order.completed": "fulfilled",
    "order.cancelled": "cancelled", "refund.given": "refunded", "return.requested": "return",
    "dispute.opened": "dispute",
}
# A shop's own orders; what a program of one's own calls a name may be a person's.
_ORDER = "order.updated"
_UNUSABLE = (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError)


class Happening(NamedTuple):
    """Something that happened at `time_ms` (epoch ms): of which source, and which order as its shop calls it ('' where
    it is about none, or that is not known)."""

    time_ms: int
    kind: Kind
    source: str
    order: str = ""


def happened(events: Sequence[Event]) -> list[Happening]:
    """What these events tell, given oldest first, told newest first."""
    names = {event.key: str(event.data.get("name") or "") for event in events if event.type == _ORDER}
    newest: dict[str, tuple[Version, list[Happening]]] = {}
    for event in events:
        for told in _told(event):
            if told.key not in newest or newest[told.key][0] <= told.version:
                newest[told.key] = told.version, list(_happenings(event, told, names))
    return sorted((one for _, found in newest.values() for one in found), reverse=True)


def came_and_went(events: Sequence[Event], heard: Iterable[Heard], now_ms: int) -> list[Happening]:
    """Which sources are silent, and which came back within the last hour; before that other gaps were usual."""
    found = []
    for source in heard:
        gap_ms, last_ms = source.usual_gap_ms, source.last_ms
        if gap_ms is None or last_ms is None:
            continue
        if is_silent(source, now_ms):
            found.append(Happening(last_ms + gap_ms, "silent", source.name))
        arrivals = sorted(event.arrived_ms for event in events if event.source == source.name)
        found += [Happening(after_ms, "back", source.name)
                  for before_ms, after_ms in pairwise(arrivals)
                  if after_ms - before_ms > gap_ms and now_ms - after_ms < HOUR_MS]
    return found


def last_of(*lists: Iterable[Happening]) -> list[Happening]:
    """The newest of several lists, newest first; what is told twice once, and of one source's dead letters the last."""
    kept: dict[object, Happening] = {}
    for one in sorted({one for found in lists for one in found}, reverse=True):
        kept.setdefault((one.kind, one.source) if one.kind == "dead" else one, one)
    return list(kept.values())[:MOST_SHOWN]


def _told(event: Event) -> list[Told]:
    """What an event says of entities, or as a fact by itself; nothing of one that cannot be used."""
    try:
        if not is_remembered_whole(event):
            return [Told(event.id, (0, 0, ""), (plain_fact(event),))] if event.type in _KINDS else []
        return list(tell(event)[0])
    except _UNUSABLE:
        return []


def _happenings(event: Event, told: Told, names: Mapping[str, str]) -> Iterator[Happening]:
    order = event.data.get("order") or event.key
    for fact in told.facts:
        kind = _KINDS.get(fact.type)
        if kind:
            time_ms = fact.time_ms if fact.time_ms <= event.arrived_ms + FUTURE_MS else event.arrived_ms
            yield Happening(time_ms, kind, event.source, names.get(order, "") if isinstance(order, str) else "")
