"""Dead letters, read again: by then opsmon may know more, or a person has corrected the body."""

from collections.abc import Mapping

from opsmon.core.events import Event
from opsmon.sources.base import Accepted, Many, Rejected, Source, Unusable


def read_again(sources: Mapping[str, Source], name: str, headers: Mapping[str, str], body: bytes, arrived_ms: int
               ) -> list[tuple[str, Event]] | str:
    """The events that a letter's source reads from it, each with its delivery's identity; [] when no number is made
    of it. A text: why it still cannot be used. Its signature was verified when it came.

    Of a body of several deliveries only those are read that can be; the others have letters of their own.
    """
    source = sources.get(name)
    if source is None:
        return f"no source is called {name} any more: declare it again, or discard its letters"
    given = {header.lower().encode("latin-1", "replace"): value.encode("latin-1", "replace")
             for header, value in headers.items()}
    outcome = source.read(given, body, arrived_ms)
    if isinstance(outcome, Rejected):
        return outcome.reason.strip()
    parts = outcome.outcomes if isinstance(outcome, Many) else (outcome,)
    found = [(part.seen, part.event) for part in parts if isinstance(part, Accepted)]
    unusable = next((part.reason for part in parts if isinstance(part, Unusable)), "")
    return found if found or not unusable else unusable
