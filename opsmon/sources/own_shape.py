"""Events of any sender's shape, brought into opsmon's own: by the rules of json_events.py, and no others.

What opsmon cannot count is left out or shortened, as a sender who does not know opsmon cannot be asked to
change: nested members go, texts are cut, whole numbers too large to be counted with become texts.
"""

import re
from collections.abc import Mapping
from typing import Any

from opsmon.core.events import Event
from opsmon.sources.json_events import MAX_NUMBER, MAX_TEXT, JsonEvents, Refused
from opsmon.sources.reading import BadBody

_NO_WORD = re.compile(r"[^a-z0-9_.]")


def flat(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are no object and no list; texts cut to 200 characters, and whole numbers beyond 2^53 as
    text, with every digit."""
    return {name: _fitted(value) for name, value in members.items() if type(value) not in (dict, list)}


def type_name(said: object, source: str) -> object:
    """A sender's word for what happened, as a type: `Order-Shipped` of the source till is `till.order_shipped`.

    Small letters; what is no letter, digit or point becomes _; a word without a point gets the source's name before.
    """
    if type(said) is not str or not said:
        return said
    word = _NO_WORD.sub("_", said[:200].lower())
    return word if "." in word else f"{source.replace('-', '_')}.{word}"


def read_event(source: str, site: str, said: Mapping[str, Any], arrived_ms: int) -> Event:
    """The event of a source that says `id`, `type`, `data`, and perhaps `time` and `key`. Raises BadBody."""
    event = JsonEvents(site).take({**said, "source": source}, arrived_ms)
    if isinstance(event, Refused):
        raise BadBody(event.reason)
    return event


def _fitted(value: object) -> object:
    if type(value) is str:
        return value[:MAX_TEXT]
    return str(value) if type(value) is int and abs(value) > MAX_NUMBER else value
