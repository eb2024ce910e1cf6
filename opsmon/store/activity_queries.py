"""Query: what happened last, from the newest events and dead letters. Counting pays nothing for it."""

from collections.abc import Sequence

from opsmon.core.activity import MOST_SHOWN, Happening, came_and_went, happened, last_of
from opsmon.core.events import Event
from opsmon.core.health import Heard
from opsmon.store.connection import Reader
from opsmon.store.event_stream import decode_entry
from opsmon.store.health_queries import dead_letters
from opsmon.store.keys import Keys

# A few are enough as a rule. Of programs that send thousands a minute an order may be far down.
LOOKED_AT = (100, 1_000)
_DEAD = 20


async def happenings(reader: Reader, keys: Keys, heard: Sequence[Heard], now_ms: int) -> list[Happening]:
    """The last happenings, newest first. Looks at 1,000 events at most: a few hundredths of a second."""
    _, dead = await dead_letters(reader, keys, _DEAD)
    given_up = [Happening(one.at_ms, "dead", one.source) for one in dead]
    found: list[Happening] = []
    for most in LOOKED_AT:
        entries = await reader.newest(keys.events, most)
        read = [decode_entry(fields) for _, fields in reversed(entries)]
        events = [event for event in read if isinstance(event, Event)]
        told = happened(events)
        found = last_of(told, came_and_went(events, heard, now_ms), given_up)
        if len(told) >= MOST_SHOWN or len(entries) < most:
            break
    return found
