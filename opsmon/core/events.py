"""The Event: the one canonical shape that crosses the stream, whatever vendor it came from."""

from dataclasses import dataclass
from typing import Any, NamedTuple, NewType

from opsmon.core.showing import shown

EventId = NewType("EventId", str)

# Open: whoever sends events of their own names them (`page.viewed`); vendors' own are in core/facts.py.
EventType = str

# Vendors' ids pass 2^53 and sometimes 2^63; beyond that a JSON reader has already made a float of them.
_MAX_ID = 2**63
_MAX_ID_LENGTH = 64


class Event(NamedTuple):
    """Something that happened to one entity, normalized.

    `time_ms` is event time and `arrived_ms` arrival time, both epoch ms UTC. `key` names the entity
    (`shopify:shop:order:17`; '' for an event about none), `version` is `[updated_ms, progress rank, body
    hash]` where the vendor versions its entities. Of a vendor's body `data` holds allow-listed fields only:
    no names, no addresses, no card data. An event in opsmon's own shape holds what its sender put there.
    """

    id: EventId
    type: EventType
    time_ms: int
    arrived_ms: int
    source: str
    site: str
    key: str
    version: tuple[int, int, str] | None = None
    data: dict[str, Any] = {}  # noqa: RUF012 - nobody writes to it


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a delivery cannot become an Event, in the user's words."""

    reason: str


def entity_id(value: object) -> str:
    """A vendor's id as a string. Raises ValueError for a float, a bool, an empty or an over-long one."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_ID:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= _MAX_ID_LENGTH:
        if value.isascii() and value.isprintable():
            return value
    raise ValueError(f"not an id: {shown(value)}")
