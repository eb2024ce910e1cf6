"""Query: who is told: receivers, routes and digests; how deliveries went; what waits and what was given up."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import orjson

from opsmon.core.alerting.digests import LogLine
from opsmon.core.alerting.messages import Queued
from opsmon.core.alerting.receivers import Receiver, Telling, parse_digests, parse_receiver, parse_route
from opsmon.core.alerting.telling import Route
from opsmon.store.alerts.whys import read_why
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys

DIGESTS = "digests"
# The most lines of the log that a digest is made of.
_MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How a receiver does: when something came through last (`ok_ms`), when a test did (`tested_ms`), since when it
    fails (`failing_ms`, 0: it does not) and why. 0: never."""

    ok_ms: int = 0
    tested_ms: int = 0
    failing_ms: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a delivery."""

    at_ms: int
    receiver: str
    word: str
    rule: str
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Dead:
    """What could not be delivered for good: `id` of its entry, why, and the notice."""

    id: str
    why: str
    told: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Saved:
    """Who is told, with the bytes of each record: whoever changes one says what they read."""

    telling: Telling
    receivers: Mapping[str, bytes]
    routes: Mapping[str, bytes]


async def saved_telling(reader: Reader, keys: Keys) -> Saved:
    """Receivers, routes and digests. What this opsmon cannot read is left out."""
    found, ways = await reader.many([Read("hgetall", (keys.receivers,)), Read("hgetall", (keys.routes,))])
    known = {name.decode(): raw for name, raw in sorted(dict(found).items())}
    routes = {name.decode(): raw for name, raw in dict(ways).items()}
    receivers: dict[str, Receiver] = {}
    for name, raw in known.items():
        receiver, _ = parse_receiver(orjson.loads(raw))
        if receiver is not None:
            receivers[name] = receiver
    parsed: dict[str, Route] = {}
    for name, raw in routes.items():
        route = parse_route(orjson.loads(raw))[0] if name != DIGESTS else None
        if route is not None:
            parsed[name] = route
    digests = parse_digests(orjson.loads(routes[DIGESTS]) if DIGESTS in routes else None)
    return Saved(Telling(receivers, parsed, digests), known, routes)


async def telling_of(reader: Reader, keys: Keys) -> Telling:
    """Who is told."""
    return (await saved_telling(reader, keys)).telling


async def standings(reader: Reader, keys: Keys) -> dict[str, Standing]:
    """How each receiver does, by its id."""
    found = await reader.hash(keys.standing)
    names = {field.name for field in fields(Standing)}
    known = {name.decode(): {field: value for field, value in orjson.loads(raw).items() if field in names}
             for name, raw in found.items()}
    return {name: Standing(**{**told, "why": read_why(told.get("why", ""))}) for name, told in known.items()}


async def attempts(reader: Reader, keys: Keys, count: int) -> list[Attempt]:
    """The newest tries at deliveries, newest first."""
    return [Attempt(int(told["at"]), told["receiver"], told["word"], told.get("rule", ""), told["outcome"],
                    read_why(told.get("why", "")))
            for _, entry in await reader.newest(keys.deliveries, count) for told in (texts(entry),)]


async def dead_notices(reader: Reader, keys: Keys, count: int) -> list[Dead]:
    """What was given up, newest first."""
    return [Dead(entry_id.decode(), read_why(told.pop("why", "")), told)
            for entry_id, entry in await reader.newest(keys.notices_dead, count) for told in (texts(entry),)]


async def log_lines(reader: Reader, keys: Keys, since_ms: int) -> list[LogLine]:
    """The lines of the alert log since an instant, oldest first."""
    found = await reader.entries(keys.alert_log, f"{since_ms}-0", "+", _MOST_LINES)
    return [LogLine(int(told.get("at", "0")), told.get("run", ""), told.get("rule", ""), told.get("title", ""),
                    told.get("severity", ""), told.get("state", ""), told.get("reason", ""), told.get("by", ""))
            for _, entry in found for told in (texts(entry),)]


def read_queued(entry_id: str, told: Mapping[str, str]) -> Queued:
    """A notice from its entry. Raises KeyError for what is none."""
    word: Any = told["word"]
    return Queued(entry_id, told["key"], word, told["receiver"], int(told["at"]), told.get("alert", ""),
                  told.get("run", ""), told.get("rule", ""))


def texts(entry: Mapping[bytes, bytes]) -> dict[str, str]:
    """An entry of a stream as texts."""
    return {name.decode(): value.decode("utf-8", "replace") for name, value in entry.items()}
