"""Everything that is stored about a customer, for the customer to read."""

from collections import Counter
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.core.events import Event
from opsmon.core.privacy import Renaming, Request
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts
from opsmon.store.traces import Traces


async def export(client: Redis, keys: Keys, request: Request) -> bytes:
    """What is stored, as JSON: what is remembered, events not yet forgotten, deliveries that could not be used."""
    traces, renaming = Traces(client, keys, Scripts(client, keys)), Renaming(request)
    states = {name: orjson.loads(value) for name, value in (await traces.states(renaming.needles)).items()}
    events: list[dict[str, Any]] = []
    for stream in keys.streams:
        async for entries in traces.entries(stream, renaming.needles):
            events += [entry.event._asdict() for entry in entries if isinstance(entry.event, Event)
                       and renaming.inside([entry.event.key, entry.event.data])
                       != [entry.event.key, entry.event.data]]
    letters = [{"at_ms": letter.at_ms, "source": letter.source, "reason": letter.reason,
                "said": letter.payload.decode("utf-8", "replace")} for letter in await traces.letters(request)]
    told = {
        "customer": request.about,
        "remembered": {name: state for name, state in sorted(states.items())
                       if renaming.key(name) != name or renaming.inside(state) != state},
        "events": events,
        "events_by_type": dict(Counter(event["type"] for event in events)),
        "could_not_be_used": letters,
    }
    return orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n"
