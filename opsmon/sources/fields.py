"""Fields of vendors' bodies, read with care: ids, counts, amounts and lists, each with a sentence for what is wrong."""

from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from opsmon.core.events import EventType, entity_id
from opsmon.core.money import MAX_MINOR, is_currency, to_minor
from opsmon.core.showing import shown
from opsmon.sources.base import MAX_MEMBERS
from opsmon.sources.reading import BadBody

Body = dict[str, Any]


class Read(NamedTuple):
    """One body, read: what it is, whose, which version, when, and the fields that are kept."""

    type: EventType
    key: str
    version: tuple[int, int, str] | None
    time_ms: int | None
    data: dict[str, Any]


def need(body: Body, topic: str, *names: str) -> None:
    """Raises BadBody when a body lacks what its topic promises."""
    for name in names:
        if name not in body:
            raise BadBody(f"the topic is {topic}, but the body has no {name}")


def id_text(body: Body, name: str) -> str:
    """A vendor's id, a whole number up to 2^63 or a text, as a string. Raises BadBody."""
    try:
        return entity_id(body.get(name))
    except ValueError as error:
        raise BadBody(f"{name} is {error}") from None


def currency_code(code: object) -> str:
    """An ISO 4217 code. Raises BadBody."""
    if not is_currency(code):
        raise BadBody(f"not a currency: {shown(code)}")
    return str(code)


def amount_minor(value: object, currency: str, name: str) -> int:
    """An amount, as text or number, in minor units of a currency; a missing one is 0. Raises BadBody."""
    try:
        return to_minor(value, currency)
    except ValueError as error:
        raise BadBody(f"{name} is {error}") from None


def bounded(minor: int, name: str) -> int:
    """Minor units that sums can hold. Raises BadBody."""
    if abs(minor) > MAX_MINOR:
        raise BadBody(f"{name} is out of range: {minor!r:.40}")
    return minor


def objects(body: Body, name: str) -> list[Body]:
    """A list of objects, empty where there is none. Raises BadBody."""
    items = body.get(name) or []
    if type(items) is not list or any(type(item) is not dict for item in items):
        raise BadBody(f"{name} is not a list of objects")
    if len(items) > MAX_MEMBERS:
        raise BadBody(f"{name} has over {MAX_MEMBERS} entries")
    return items


def digest(fields: object) -> str:
    """A short hash of what was kept, to break ties of versions alike everywhere."""
    return blake2b(orjson.dumps(fields), digest_size=8).hexdigest()
