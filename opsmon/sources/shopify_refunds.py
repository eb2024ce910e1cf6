"""What Shopify says of what comes back: refunds, which are money, and returns, which are goods."""

from typing import Any

from opsmon.sources.reading import BadBody, instant_ms, short_text
from opsmon.sources.shopify_reading import (
    Body,
    Read,
    amount,
    bounded,
    currency_of,
    digest,
    id_of,
    items,
    object_of,
    price,
    require,
    shop_money,
    undated,
)

# What a topic says of a return whose body names no status; '' where it says nothing.
_STATUS = {"request": "requested", "approve": "open", "reopen": "open", "close": "closed", "cancel": "canceled",
           "decline": "declined", "process": "", "update": ""}
_ORDERED = ("", "requested", "open", "closed", "canceled", "declined")


def read_refund(body: Body, prefix: str, topic: str) -> Read:
    """refunds/create: money given back, dated by itself, whatever day the order was placed."""
    require(body, topic, "id", "order_id", "created_at", "refund_line_items")
    transactions = items(body, "transactions")
    test = bool(transactions) and all(transaction.get("test") is True for transaction in transactions)
    refund = refund_of(body, prefix, _refund_currency(body, transactions), test, 0)
    order_key = f"{prefix}:order:{id_of(body, 'order_id')}"
    return Read("refund.created", order_key, None, refund["time_ms"], {"refunds": [refund]})


def refund_of(refund: Body, prefix: str, currency: str, test: bool, rank: int) -> dict[str, Any]:
    """One refund, alike from both ways; the one inside its order ranks higher, it knows currency and test."""
    minor = _refunded(refund, currency)
    time_ms = instant_ms(refund.get("processed_at") or refund.get("created_at"), "refund date")
    fields = [time_ms, minor, currency, test]
    return {
        "key": f"{prefix}:refund:{id_of(refund)}",
        "version": [time_ms, rank, digest(fields)],
        "time_ms": time_ms,
        "amount_minor": minor,
        "currency": currency,
        "test": test,
    }


def _refunded(refund: Body, currency: str) -> int:
    """Value given back: lines with tax, less adjustments (a refunded shipping cost is a negative one).

    Source: shopify.dev, Refund resource. Bodies before 2016 have no subtotals: there the money moved counts.
    """
    lines = items(refund, "refund_line_items")
    if any("subtotal" not in line for line in lines):
        moved = (t for t in items(refund, "transactions")
                 if t.get("kind") == "refund" and t.get("status") == "success")
        return bounded(sum(amount(t.get("amount"), currency, "transaction amount") for t in moved), "refund")
    value = sum(price(line, "subtotal", currency) + price(line, "total_tax", currency) for line in lines)
    adjusted = sum(price(item, "amount", currency) + price(item, "tax_amount", currency)
                   for item in _adjustments(refund))
    shipping = sum(price(line, "subtotal_amount", currency) + price(line, "tax_amount", currency)
                   for line in items(refund, "refund_shipping_lines"))
    return bounded(value - adjusted + shipping, "refund")


def _adjustments(refund: Body) -> list[Body]:
    """What changes the value of the lines. Newer bodies (2024-10) tell of shipping by lines of its own: an
    adjustment that says the same again is left out."""
    adjustments = items(refund, "order_adjustments")
    if not items(refund, "refund_shipping_lines"):
        return adjustments
    return [item for item in adjustments if item.get("kind") != "shipping_refund"]


def _refund_currency(refund: Body, transactions: list[Body]) -> str:
    priced = (("refund_line_items", "subtotal"), ("order_adjustments", "amount"),
              ("refund_shipping_lines", "subtotal_amount"))
    for money in (shop_money(item, name) for list_name, name in priced for item in items(refund, list_name)):
        if money:
            return currency_of(money.get("currency_code"))
    for transaction in transactions:
        return currency_of(transaction.get("currency"))
    raise BadBody("the refund names no currency")


def read_return(body: Body, prefix: str, topic: str) -> Read:
    """returns/*: goods that a customer wants to send back, and how far that has come.

    The bodies have no time, and those of update and process not even a status.
    """
    key = f"{prefix}:return:{id_of(body, 'id' if 'id' in body else 'admin_graphql_api_id')}"
    order = object_of(body, "order") or {"id": body.get("order_id")}
    status = short_text(body.get("status"), 32).lower() or _STATUS[topic.partition("/")[2]]
    data = {"status": status, "order": f"{prefix}:order:{id_of(order)}" if order.get("id") else ""}
    return undated("return.updated", key, data, _ORDERED.index(status) if status in _ORDERED else 0)
