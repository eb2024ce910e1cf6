"""Who did what, when, from where, and what it was before and after: written with the change itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.core.access import Who
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

MOST_KEPT = 100_000
# Of a board or another long thing so many characters tell what it was; its own versions tell the rest.
MOST_TEXT = 2_000
# Never written down, before or after: that they changed is.
SECRETS = frozenset({"password", "secret", "before"})
_HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did: `what` in one word of opsmon's ('person.invited'), `about` the thing's id, `name` as people
    call it; `before` and `after` are its records, {} where there was or is none. `address`: from where."""

    who: Who
    what: str
    about: str
    name: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit, as it is read."""

    id: str
    at_ms: int
    kind: str
    who_id: str
    who: str
    what: str
    about: str
    name: str
    address: str
    changes: tuple[tuple[str, str, str], ...]


def fields_of(deed: Deed) -> dict[str, str]:
    """A deed as the fields of a stream entry. Only what differs is written, and of secrets only that they do."""
    return {
        "kind": deed.who.kind, "who_id": deed.who.id, "who": deed.who.name, "what": deed.what, "about": deed.about,
        "name": deed.name, "address": deed.address, "changes": orjson.dumps(changes(deed)).decode(),
    }


def changes(deed: Deed) -> list[tuple[str, str, str]]:
    """(field, before, after) of what differs, in the order of the fields."""
    before, after = dict(deed.before or {}), dict(deed.after or {})
    names = [*before, *(name for name in after if name not in before)]
    return [(name, _shown(name, before.get(name)), _shown(name, after.get(name)))
            for name in names if before.get(name) != after.get(name) and name != "version"
            and (name in before or after[name])]


async def note_deed(client: Redis, keys: Keys, deed: Deed) -> None:
    """Write down a deed that changed no record of its own. Each call is one line."""
    await client.xadd(keys.audit, fields_of(deed), maxlen=MOST_KEPT, approximate=True)  # type: ignore[arg-type]


async def read_audit(reader: Reader, keys: Keys, count: int, before: str = "+") -> list[AuditLine]:
    """At most `count` lines, newest first; `before` is the id of a line that was read already."""
    start = before if before == "+" else f"({before}"
    return [line_of(entry_id.decode(), {k.decode(): v.decode() for k, v in fields.items()})
            for entry_id, fields in await reader.entries(keys.audit, start, "-", count, newest_first=True)]


def line_of(entry_id: str, told: Mapping[str, str]) -> AuditLine:
    """An entry of the stream as a line."""
    found = orjson.loads(told.get("changes") or "[]")
    return AuditLine(
        entry_id, int(entry_id.partition("-")[0]), told.get("kind", ""), told.get("who_id", ""), told.get("who", ""),
        told.get("what", ""), told.get("about", ""), told.get("name", ""), told.get("address", ""),
        tuple((name, before, after) for name, before, after in found))


def _shown(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if name in SECRETS:
        return _HIDDEN
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "…"
