"""Reading Shopify's bodies with care: ids, money in the shop's currency, lists. All topics share these.

Every function raises BadBody with a sentence for what cannot be used, and nothing else.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from opsmon.core.events import EventType, entity_id
from opsmon.core.money import MAX_MINOR, is_currency, to_minor
from opsmon.core.showing import shown
from opsmon.sources.base import MAX_MEMBERS
from opsmon.sources.reading import BadBody, instant_ms

Body = dict[str, Any]


class Read(NamedTuple):
    """One body, read: what it is, whose, which version, when, and the fields that are kept.

    `is_undated`: the body says of no time, so that the delivery's own time begins its version.
    """

    type: EventType
    key: str
    version: tuple[int, int, str] | None
    time_ms: int | None
    data: dict[str, Any]
    is_undated: bool = False


# A body, the shop's prefix of keys (`shopify:<shop>`) and the topic. Raises BadBody.
Reader = Callable[[Body, str, str], Read]


def undated(kind: EventType, key: str, data: dict[str, Any], rank: int = 0) -> Read:
    """What a body without a time says: of two, what was triggered later holds."""
    return Read(kind, key, (0, rank, digest(data)), None, data, is_undated=True)


def dated(kind: EventType, key: str, data: dict[str, Any], updated_ms: int, rank: int = 0) -> Read:
    """What a body says that has the time of its last change. `rank` breaks ties of whole seconds."""
    return Read(kind, key, (updated_ms, rank, digest(data)), updated_ms, data)


def require(body: Body, topic: str, *names: str) -> None:
    """Raise BadBody for the first of these fields that the body has not."""
    for name in names:
        if name not in body:
            raise BadBody(f"the topic is {topic}, but the body has no {name}")


def id_of(body: Body, name: str = "id") -> str:
    """An id as text, to the last digit; of `gid://shopify/Order/17` what stands behind the last slash."""
    value = body.get(name)
    if isinstance(value, str) and value.startswith("gid://"):
        value = value.partition("?")[0].rpartition("/")[2]
    try:
        return entity_id(value)
    except ValueError as error:
        raise BadBody(f"{name} is {error}") from None


def object_of(body: Body, name: str) -> Body:
    """An object inside a body; an empty one where there is none."""
    found = body.get(name)
    return found if type(found) is dict else {}


def items(body: Body, name: str) -> list[Body]:
    """A list of objects; an empty one where it is null or missing."""
    found = body.get(name) or []
    if type(found) is not list or any(type(item) is not dict for item in found):
        raise BadBody(f"{name} is not a list of objects")
    if len(found) > MAX_MEMBERS:
        raise BadBody(f"{name} has over {MAX_MEMBERS} entries")
    return found


def ids(body: Body, name: str) -> list[str]:
    """A list of ids as texts; an empty one where it is null or missing."""
    found = body.get(name) or []
    if type(found) is not list or len(found) > MAX_MEMBERS:
        raise BadBody(f"{name} is not a list of up to {MAX_MEMBERS} ids")
    return [id_of({name: one}, name) for one in found]


def pieces(body: Body, name: str, what: str) -> int:
    """How many. Raises BadBody for anything but a whole number from 0 to a million."""
    count = body.get(name)
    if type(count) is not int or not 0 <= count <= 1_000_000:
        raise BadBody(f"{what} is no count: {shown(count)}")
    return count


def time_of(body: Body, *names: str) -> int:
    """The first of these times that the body has, as epoch ms. Raises BadBody that names the last."""
    for name in names[:-1]:
        if body.get(name):
            return instant_ms(body[name], name)
    return instant_ms(body.get(names[-1]), names[-1])


def currency_of(code: object) -> str:
    """An ISO 4217 code."""
    if not is_currency(code):
        raise BadBody(f"not a currency: {shown(code)}")
    return str(code)


def shop_money(body: Body, name: str) -> Body | None:
    """A price in the shop's currency, where the body has it: what the buyer saw is beside it."""
    money = object_of(body, name + "_set").get("shop_money")
    return money if type(money) is dict else None


def price(body: Body, name: str, currency: str) -> int:
    """A price in minor units: shop money where there is any, else the plain one, which old bodies have alone."""
    found = (shop_money(body, name) or {}).get("amount")
    return amount(body.get(name) if found is None else found, currency, name)


def amount(value: object, currency: str, name: str) -> int:
    """A text, a number or nothing as minor units of a currency."""
    try:
        return to_minor(value, currency)
    except ValueError as error:
        raise BadBody(f"{name} is {error}") from None


def bounded(minor: int, name: str) -> int:
    """A sum, unless it is beyond what is counted exactly."""
    if abs(minor) > MAX_MINOR:
        raise BadBody(f"{name} is out of range: {shown(minor)}")
    return minor


def digest(fields: object) -> str:
    """A short name for what is kept of a body: the last tie-break of two versions."""
    return blake2b(orjson.dumps(fields), digest_size=8).hexdigest()
