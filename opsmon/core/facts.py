"""What an event tells: facts, entity by entity.

Three lanes. Without a version an event has no memory: its facts are counted, that is all. An *entity* keeps
its newest version: facts are a pure function of one version, so that a newer one replaces an older one
whole and any order of arrival ends the same. A *group* (a customer, a checkout, the stages of an order)
keeps members that come from several events; its facts are a pure function of all its members.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from opsmon.core.events import Event
from opsmon.core.money import is_currency, to_minor

Version = tuple[int, int, str]

# A deletion without a version: nothing that was known before it may undo it.
DELETED: Version = (2**53 - 1, 0, "deleted")

_UNVERSIONED: Version = (0, 0, "")

# The keys of groups begin so; no source can be called that.
CUSTOMER, CHECKOUT, STAGES = "~customer:", "~checkout:", "~stages:"

# A clock that runs ahead by more than this is not believed: the event is counted when it arrived.
FUTURE_MS = 5 * 60_000

# What is said of goods is no history: how something is called now does not mean that it was counted since then.
LOOKED_UP = frozenset({"product.known", "product.tagged"})

# What took longer was not on its way but brought in later, as an import is: a mean shall survive it.
MAX_LAG_MS = 86_400_000


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
    reader, version = _READERS.get(event.type), event.version
    if reader is None and version is not None:
        return [Told(event.key, version, (Fact(event.type, event.time_ms, with_money(event.data)),))], ()
    member = _MEMBERS.get(event.type)
    return list(reader(event)) if reader else (), (member(event),) if member and event.key else ()


def is_remembered_whole(event: Event) -> bool:
    """Whether all an event says is about entities: then it is no fact by itself."""
    return event.version is not None or event.type in _READERS


def plain_fact(event: Event) -> Fact:
    """An event as the fact it is, which nothing remembers; in believable time."""
    return Fact(event.type, believable_ms(event), with_money(event.data))


def believable_ms(event: Event) -> int:
    """Event time, or arrival time where the event claims to come from the future."""
    return event.time_ms if event.time_ms <= event.arrived_ms + FUTURE_MS else event.arrived_ms


def lag_ms(event: Event) -> int:
    """How long an event was on its way, 0 to MAX_LAG_MS; 0 for one that claims to come from the future."""
    return min(max(event.arrived_ms - event.time_ms, 0), MAX_LAG_MS)


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


def _opened(event: Event) -> Member:
    """A checkout that its shop tells of: each delivery says again when it was started."""
    started_ms = event.data["started_ms"]
    believed_ms = started_ms if started_ms <= event.arrived_ms + FUTURE_MS else event.arrived_ms
    return Member(CHECKOUT + event.data["checkout"], "started", (believed_ms,))


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
    yield Told(event.key, event.version or DELETED, ())
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
              "customer": order.get("customer", ""), "checkout": order.get("checkout", ""),
              "order": order.get("name") or event.key.rpartition(":")[2]}
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


def _edit(event: Event) -> Iterator[Told]:
    """Pieces only: what the order is worth now is told by the order."""
    version = event.version or _UNVERSIONED
    fields = {"added": event.data["added"], "removed": event.data["removed"]}
    yield Told(event.key, version, (Fact("order.edited", version[0], fields),))


def _tried(event: Event) -> Iterator[Told]:
    """A payment that was tried, unless it is not decided yet."""
    tried = event.data
    fields = {name: tried[name] for name in ("ok", "kind", "gateway", "error")}
    facts = (Fact("payment.attempted", tried["tried_ms"], fields),) if tried["ok"] and not tried["test"] else ()
    yield Told(event.key, event.version or _UNVERSIONED, facts)


def _moved(event: Event) -> Iterator[Told]:
    moved = event.data
    fields = {"amount": [moved["amount_minor"], moved["currency"]], "method": moved["method"]}
    facts = () if moved["test"] else (Fact("payment.received", moved["moved_ms"], fields),)
    yield Told(event.key, event.version or _UNVERSIONED, facts)


def _dispute(event: Event) -> Iterator[Told]:
    dispute = event.data
    fields = {"status": dispute["status"], "kind": dispute["kind"], "reason": dispute["reason"],
              "amount": [dispute["amount_minor"], dispute["currency"]]}
    yield Told(event.key, event.version or _UNVERSIONED, (Fact("dispute.opened", dispute["opened_ms"], fields),))


def _return(event: Event) -> Iterator[Told]:
    """Two things to remember: how the return stands, of which the newest word holds, and when it was first
    heard of, of which the earliest does. Its deliveries have no time of its own."""
    version = event.version or _UNVERSIONED
    told_ms, status = version[0], event.data["status"]
    first = (DELETED[0] - max(told_ms, 0), 0, "")
    yield Told(f"{event.key}:first", first, (Fact("return.requested", told_ms, {"entity": event.key}),))
    if status:
        is_open = status in ("requested", "open")
        fields = {"status": status, "entity": event.key}
        yield Told(event.key, version, (Fact("return.open", told_ms, fields),) if is_open else ())


def _parcel(event: Event) -> Iterator[Told]:
    """Where a parcel is: said by its fulfillment and by its carrier, of whom the later word holds.

    A fulfillment that says nothing of it is no word; a cancelled one has no parcel.
    """
    version, status = event.version or _UNVERSIONED, event.data["shipment"]
    if event.data.get("status") in ("cancelled", "error", "failure"):
        yield Told(event.key, version, ())
    elif status:
        yield Told(event.key, version, (Fact("parcel.moved", version[0], {"status": status, "entity": event.key}),))


def _holds(event: Event) -> Iterator[Told]:
    """The parts of an order, each by itself: held, or not any more."""
    version = event.version or _UNVERSIONED
    for part in event.data["parts"]:
        held = Fact("order.held", version[0], {"reason": part["reason"], "entity": part["key"]})
        yield Told(part["key"], version, (held,) if part["status"] == "on_hold" else ())


def _cart(event: Event) -> Iterator[Told]:
    count = event.data["pieces"]
    facts = (Fact("cart.filled", event.data["filled_ms"], {"pieces": count}),) if count else ()
    yield Told(event.key, event.version or _UNVERSIONED, facts)


def _product(event: Event) -> Iterator[Told]:
    """What a product is called, the SKUs of its items and its tags, as its newest version says."""
    version, product = event.version or _UNVERSIONED, event.data["title"]
    items = (Fact("product.known", version[0], {"item": item, "sku": sku, "product": product})
             for item, sku in event.data["items"])
    tags = (Fact("product.tagged", version[0], {"product": product, "tag": tag})
            for tag in event.data.get("tags", ()))
    yield Told(event.key, version, (*items, *tags))


def _product_gone(event: Event) -> Iterator[Told]:
    yield Told(event.key, event.version or DELETED, ())


def _nothing(event: Event) -> Iterator[Told]:
    return iter(())


_READERS: dict[str, Callable[[Event], Iterator[Told]]] = {
    "order.updated": _order,
    "order.deleted": _deletion,
    "order.edited": _edit,
    "refund.created": _refunds,
    "return.updated": _return,
    "payment.tried": _tried,
    "payment.moved": _moved,
    "dispute.updated": _dispute,
    "fulfillment.updated": _parcel,
    "parcel.tracked": _parcel,
    "fulfillment_order.updated": _holds,
    "cart.changed": _cart,
    "product.updated": _product,
    "product.deleted": _product_gone,
    # Told to other parts of opsmon, or for reading only: no number is made of these. Nobody but a vendor may
    # say them, least of all that someone is to be forgotten.
    **dict.fromkeys((
        "checkout.updated", "checkout.deleted", "draft.updated", "draft.deleted", "inventory_item.updated",
        "inventory_item.deleted", "location.updated", "location.deleted",
        "shop.updated", "app.uninstalled", "app.scopes_updated", "bulk.finished", "privacy.requested",
        "privacy.customer_redacted", "privacy.shop_redacted"), _nothing),
}
_MEMBERS = {"checkout.started": _checkout, "checkout.updated": _opened, "stage.moved": _move}
# What vendors' own events become; everything else is a fact under its own name.
VENDOR_TYPES = frozenset(_READERS)
# What is remembered, whether or not it has a version.
REMEMBERING = VENDOR_TYPES | frozenset(_MEMBERS)
