"""What Shopify's bodies say: an allow-list of fields, money in minor units of the shop's currency.

Shapes: REST Admin resources of orders, refunds and fulfillments. Old and reduced bodies lack the
`*_set` prices; then the plain price counts, in the order's `currency`.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from opsmon.core.events import EventType, entity_id
from opsmon.core.money import MAX_MINOR, is_currency, to_minor
from opsmon.sources.base import MAX_MEMBERS
from opsmon.sources.reading import BadBody, instant_ms, short_text

Body = dict[str, Any]
# An event stays small: a title longer than this is cut.
_TITLE = 40


class Read(NamedTuple):
    """One body, read: what it is, whose, which version, when, and the fields that are kept."""

    type: EventType
    key: str
    version: tuple[int, int, str] | None
    time_ms: int | None
    data: dict[str, Any]


def read_order(body: Body, prefix: str, topic: str) -> Read:
    """orders/create, updated, paid, cancelled, fulfilled: the order as it now stands."""
    _require(body, topic, "id", "created_at", "updated_at", "currency", "total_price")
    currency = _order_currency(body)
    total = _price(body, "total_price", currency)
    updated_ms = instant_ms(body["updated_at"], "updated_at")
    cancelled = body.get("cancelled_at")
    test = body.get("test") is True
    lines = [_line(line, currency) for line in _items(body, "line_items")]
    data = {
        "name": short_text(body.get("name")),
        "test": test,
        "placed_ms": instant_ms(body.get("processed_at") or body["created_at"], "processed_at"),
        "cancelled_ms": None if cancelled is None else instant_ms(cancelled, "cancelled_at"),
        "total_minor": total,
        "goods_minor": _without_gift_cards(total, lines),
        "currency": currency,
        "paid": short_text(body.get("financial_status"), 32),
        "fulfilled": short_text(body.get("fulfillment_status"), 32),
        "fulfilled_ms": _fulfilled_ms(body, updated_ms),
        "channel": short_text(body.get("source_name"), 32),
        "country": _place(body, "country_code"),
        "region": _place(body, "province_code"),
        "customer": _customer(body, prefix),
        "checkout": short_text(body.get("checkout_token"), 64),
        "lines": [line[:4] for line in lines],
        "refunds": [_refund(refund, prefix, currency, test, 1) for refund in _items(body, "refunds")],
    }
    version = (updated_ms, progress(body), _digest(data))
    return Read("order.updated", f"{prefix}:order:{_id(body, 'id')}", version, updated_ms, data)


def read_deletion(body: Body, prefix: str, topic: str) -> Read:
    """orders/delete: nothing but an id; the order never happened."""
    _require(body, topic, "id")
    return Read("order.deleted", f"{prefix}:order:{_id(body, 'id')}", None, None, {})


def read_refund(body: Body, prefix: str, topic: str) -> Read:
    """refunds/create: money given back, dated by itself, whatever day the order was placed."""
    _require(body, topic, "id", "order_id", "created_at", "refund_line_items")
    transactions = _items(body, "transactions")
    test = bool(transactions) and all(transaction.get("test") is True for transaction in transactions)
    refund = _refund(body, prefix, _refund_currency(body, transactions), test, 0)
    order_key = f"{prefix}:order:{_id(body, 'order_id')}"
    return Read("refund.created", order_key, None, refund["time_ms"], {"refunds": [refund]})


def read_fulfillment(body: Body, prefix: str, topic: str) -> Read:
    """fulfillments/create and update: a parcel of an order."""
    _require(body, topic, "id", "order_id", "status", "created_at", "line_items")
    updated_ms = instant_ms(body.get("updated_at") or body["created_at"], "updated_at")
    data = {
        "order": f"{prefix}:order:{_id(body, 'order_id')}",
        "status": short_text(body["status"], 32),
        "shipment": short_text(body.get("shipment_status"), 32),
        "carrier": short_text(body.get("tracking_company")),
        "created_ms": instant_ms(body["created_at"], "created_at"),
    }
    version = (updated_ms, 0, _digest(data))
    return Read("fulfillment.updated", f"{prefix}:fulfillment:{_id(body, 'id')}", version, updated_ms, data)


READERS: dict[str, Callable[[Body, str, str], Read]] = {
    "orders/create": read_order,
    "orders/updated": read_order,
    "orders/paid": read_order,
    "orders/cancelled": read_order,
    "orders/fulfilled": read_order,
    "orders/delete": read_deletion,
    "refunds/create": read_refund,
    "fulfillments/create": read_fulfillment,
    "fulfillments/update": read_fulfillment,
}


def _refund(refund: Body, prefix: str, currency: str, test: bool, rank: int) -> dict[str, Any]:
    """One refund, alike from both ways; the one inside its order ranks higher, it knows currency and test."""
    amount = _refunded(refund, currency)
    time_ms = instant_ms(refund.get("processed_at") or refund.get("created_at"), "refund date")
    fields = [time_ms, amount, currency, test]
    return {
        "key": f"{prefix}:refund:{_id(refund, 'id')}",
        "version": [time_ms, rank, _digest(fields)],
        "time_ms": time_ms,
        "amount_minor": amount,
        "currency": currency,
        "test": test,
    }


def _refunded(refund: Body, currency: str) -> int:
    """Value given back: lines with tax, less adjustments (a refunded shipping cost is a negative one).

    Source: shopify.dev, Refund resource. Bodies before 2016 have no subtotals: there the money moved counts.
    """
    lines = _items(refund, "refund_line_items")
    if any("subtotal" not in line for line in lines):
        moved = (t for t in _items(refund, "transactions")
                 if t.get("kind") == "refund" and t.get("status") == "success")
        return _bounded(sum(_amount(t.get("amount"), currency, "transaction amount") for t in moved), "refund")
    value = sum(_price(line, "subtotal", currency) + _price(line, "total_tax", currency) for line in lines)
    adjusted = sum(_price(item, "amount", currency) + _price(item, "tax_amount", currency)
                   for item in _items(refund, "order_adjustments"))
    return _bounded(value - adjusted, "refund")


def _refund_currency(refund: Body, transactions: list[Body]) -> str:
    for line in _items(refund, "refund_line_items") + _items(refund, "order_adjustments"):
        money = _shop_money(line, "subtotal") or _shop_money(line, "amount")
        if money:
            return _currency(money.get("currency_code"))
    for transaction in transactions:
        return _currency(transaction.get("currency"))
    raise BadBody("the refund names no currency")


def _order_currency(order: Body) -> str:
    money = _shop_money(order, "total_price")
    return _currency(money.get("currency_code") if money else order["currency"])


def _currency(code: object) -> str:
    if not is_currency(code):
        raise BadBody(f"not a currency: {code!r:.40}")
    return str(code)


def _fulfilled_ms(order: Body, updated_ms: int) -> int | None:
    """When the last parcel of a fulfilled order was made; bodies without parcels tell of their update."""
    if order.get("fulfillment_status") != "fulfilled":
        return None
    made = [instant_ms(parcel["created_at"], "fulfillment date") for parcel in _items(order, "fulfillments")
            if parcel.get("created_at") and parcel.get("status") in (None, "success")]
    return max(made, default=updated_ms)


def _customer(order: Body, prefix: str) -> str:
    customer = order.get("customer")
    return f"{prefix}:customer:{_id(customer, 'id')}" if type(customer) is dict and customer.get("id") else ""


def _line(line: Body, currency: str) -> tuple[str, int, int, str, bool]:
    quantity = line.get("quantity")
    if type(quantity) is not int or not 0 <= quantity <= 1_000_000:
        raise BadBody(f"line quantity is no count: {quantity!r:.40}")
    sku = short_text(line.get("sku")) or str(line.get("product_id") or "")[:64]
    value = _bounded(quantity * _price(line, "price", currency), "line value")
    return sku, quantity, value, short_text(line.get("title"), _TITLE), line.get("gift_card") is True


def _without_gift_cards(total: int, lines: list[tuple[str, int, int, str, bool]]) -> int | None:
    """The total without gift cards; None for an order of nothing else, which is no order to average."""
    if not any(line[4] for line in lines):
        return total
    if all(line[4] for line in lines):
        return None
    return _bounded(total - sum(line[2] for line in lines if line[4]), "value without gift cards")


def progress(order: Body) -> int:
    """How far an order's life has come, to break ties of `updated_at`, which has whole seconds only."""
    paid = order.get("financial_status") not in (None, "pending", "authorized")
    marks = paid + 2 * bool(order.get("fulfillment_status")) + 4 * bool(order.get("closed_at"))
    return len(_items(order, "refunds")) * 16 + marks + 8 * bool(order.get("cancelled_at"))


def _digest(fields: object) -> str:
    return blake2b(orjson.dumps(fields), digest_size=8).hexdigest()


def _place(order: Body, field: str) -> str:
    address = order.get("shipping_address") or order.get("billing_address")
    return short_text(address.get(field), 8) if type(address) is dict else ""


def _price(body: Body, name: str, currency: str) -> int:
    amount = (_shop_money(body, name) or {}).get("amount")
    return _amount(body.get(name) if amount is None else amount, currency, name)


def _shop_money(body: Body, name: str) -> Body | None:
    priced = body.get(name + "_set")
    money = priced.get("shop_money") if type(priced) is dict else None
    return money if type(money) is dict else None


def _amount(value: object, currency: str, name: str) -> int:
    try:
        return to_minor(value, currency)
    except ValueError as error:
        raise BadBody(f"{name} is {error}") from None


def _bounded(minor: int, name: str) -> int:
    if abs(minor) > MAX_MINOR:
        raise BadBody(f"{name} is out of range: {minor!r:.40}")
    return minor


def _id(body: Body, name: str) -> str:
    try:
        return entity_id(body.get(name))
    except ValueError as error:
        raise BadBody(f"{name} is {error}") from None


def _items(body: Body, name: str) -> list[Body]:
    items = body.get(name) or []
    if type(items) is not list or any(type(item) is not dict for item in items):
        raise BadBody(f"{name} is not a list of objects")
    if len(items) > MAX_MEMBERS:
        raise BadBody(f"{name} has over {MAX_MEMBERS} entries")
    return items


def _require(body: Body, topic: str, *names: str) -> None:
    for name in names:
        if name not in body:
            raise BadBody(f"the topic is {topic}, but the body has no {name}")
