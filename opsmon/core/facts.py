"""What an event tells: facts, entity by entity.

Three lanes. Without a version an event has no memory: its facts are counted, that is all. An *entity* keeps
its newest version: facts are a pure function of one version, so that a newer one replaces an older one
whole and any order of arrival ends the same. A *group* (a customer, a checkout, the stages of an order)
keeps members that come from several events; its facts are a pure function of all its members.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from opsmon.core.events import Event
from opsmon.core.money import is_currency, to_minor

Version = tuple[int, int, str]

# A deletion carries no version; nothing that was known before it may undo it.
DELETED: Version = (2**53 - 1, 0, "deleted")

_UNVERSIONED: Version = (0, 0, "")

# The keys of groups begin so; no source can be called that.
CUSTOMER, CHECKOUT, STAGES = "~customer:", "~checkout:", "~stages:"

# A clock that runs ahead by more than this is not believed: the event is counted when it arrived.
FUTURE_MS = 5 * 60_000


class Fact(NamedTuple):
    """One thing that happened at `time_ms` (epoch ms); money is [minor units, currency]."""

    type: str
    time_ms: int
    fields: Mapping[str, Any]


class Told(NamedTuple):
    """All that one version tells of one entity."""

    key: str
    version: Version
    facts: tuple[Fact, ...]


class Member(NamedTuple):
    """What one event adds to a group: a member's data under its name (None: it is no member any more)."""

    group: str
    name: str
    data: tuple[Any, ...] | None


def tell(event: Event) -> tuple[Iterable[Told], Sequence[Member]]:
    """What an event says of entities and groups. Raises KeyError, TypeError or ValueError for unusable data."""
    reader = _READERS.get(event.type)
    if reader is not None:
        return list(reader(event)), ()
    version = event.version
    if version is not None:
        return [Told(event.key, version, (Fact(event.type, event.time_ms, with_money(event.data)),))], ()
    member = _MEMBERS.get(event.type)
    return (), (member(event),) if member and event.key else ()


def is_remembered_whole(event: Event) -> bool:
    """Whether all an event says is about entities: then it is no fact by itself."""
    return event.version is not None or event.type in _READERS


def plain_fact(event: Event) -> Fact:
    """An event as the fact it is, which nothing remembers; in believable time."""
    return Fact(event.type, believable_ms(event), with_money(event.data))


def believable_ms(event: Event) -> int:
    """Event time, or arrival time where the event claims to come from the future."""
    return event.time_ms if event.time_ms <= event.arrived_ms + FUTURE_MS else event.arrived_ms


def order_members(key: str, facts: tuple[Fact, ...]) -> Iterator[Member]:
    """The groups an order's version belongs to: its customer and its checkout."""
    for fact in facts:
        fields = fact.fields
        if fact.type == "order.placed" and fields.get("customer"):
            yield Member(CUSTOMER + fields["customer"], key, (fact.time_ms, *fields["amount"]))
        if fact.type == "order.placed" and fields.get("checkout"):
            yield Member(CHECKOUT + fields["checkout"], "paid", (fact.time_ms,))


def _checkout(event: Event) -> Member:
    """A checkout's token as orders name it, without the source that told of it."""
    return Member(CHECKOUT + event.key.removeprefix(f"{event.source}:"), "started", (believable_ms(event),))


def _move(event: Event) -> Member:
    labels = [str(event.data.get(name) or "")[:48] for name in ("stage", "station", "person", "line")]
    return Member(STAGES + event.key, event.id, (believable_ms(event), *labels))


def with_money(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event's fields, its amount as money where they name a currency. Raises ValueError for no amount."""
    if "currency" not in data or "amount" not in data or not is_currency(data["currency"]):
        return data
    currency = data["currency"]
    return {**data, "amount": [to_minor(data["amount"], str(currency)), currency]}


def _order(event: Event) -> Iterator[Told]:
    yield Told(event.key, event.version or _UNVERSIONED, tuple(_order_facts(event)))
    yield from _refunds(event)


def _deletion(event: Event) -> Iterator[Told]:
    yield Told(event.key, DELETED, ())
    yield from _refunds(event)


def _refunds(event: Event) -> Iterator[Told]:
    for refund in event.data.get("refunds", ()):
        given = [-refund["amount_minor"], refund["currency"]]
        facts = () if refund["test"] else (Fact("refund.given", refund["time_ms"], {"amount": given}),)
        yield Told(refund["key"], tuple(refund["version"]), facts)


def _order_facts(event: Event) -> Iterator[Fact]:
    order = event.data
    if order["test"]:
        return
    if order.get("quotation"):
        yield Fact("order.quoted", order["placed_ms"], {
            "state": order["quotation"], "amount": [order["total_minor"], order["currency"]]})
        return
    currency, placed_ms, cancelled_ms = order["currency"], order["placed_ms"], order["cancelled_ms"]
    country, region = order["country"], order["region"]
    about = {"country": country, "region": f"{country}-{region}" if region else country, "channel": order["channel"]}
    placed = {"amount": [order["total_minor"], currency], **about,
              "customer": order.get("customer", ""), "checkout": order.get("checkout", "")}
    if order["goods_minor"] is not None:
        placed["goods"] = [order["goods_minor"], currency]
    yield Fact("order.placed", placed_ms, placed)
    if cancelled_ms is not None:
        yield Fact("order.cancelled", cancelled_ms, {"amount": [-_unreturned(order), currency], **about})
        return
    for line in order["lines"]:
        sku, pieces, minor = line[:3]
        title = line[3] if len(line) > 3 else ""
        yield Fact("order.line", placed_ms,
                   {"product": title or sku, "sku": sku, "pieces": pieces, "amount": [minor, currency]})
    fulfilled_ms = order.get("fulfilled_ms")
    if order["fulfilled"] == "unknown":
        return
    if fulfilled_ms is None:
        yield Fact("order.open", placed_ms, {"entity": event.key, "waits_for": _waits_for(order), **about})
    else:
        yield Fact("order.completed", fulfilled_ms, {"took_ms": max(fulfilled_ms - placed_ms, 0), **about})


def _waits_for(order: Mapping[str, Any]) -> str:
    """What an open order waits for, in words."""
    if order["fulfilled"] == "partial":
        return "the rest"
    return "payment" if order["paid"] in ("pending", "authorized", "") else "packing"


def _unreturned(order: Mapping[str, Any]) -> int:
    """What a cancellation still takes back: the total less the refunds, which are booked on their own."""
    refunded = sum(r["amount_minor"] for r in order["refunds"] if r["currency"] == order["currency"])
    return int(order["total_minor"] - refunded)


def _nothing(event: Event) -> Iterator[Told]:
    return iter(())


_READERS = {
    "order.updated": _order,
    "order.deleted": _deletion,
    "refund.created": _refunds,
    "fulfillment.updated": _nothing,
}
_MEMBERS = {"checkout.started": _checkout, "stage.moved": _move}
# What vendors' own events become; everything else is a fact under its own name.
VENDOR_TYPES = frozenset(_READERS)
# What is remembered, whether or not it has a version.
REMEMBERING = VENDOR_TYPES | frozenset(_MEMBERS)
