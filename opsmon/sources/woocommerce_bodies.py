"""What WooCommerce's order bodies say: an allow-list of fields, money in minor units of the order's currency.

Shape: the order of the REST API v3, the same for every topic but order.deleted, which is `{"id": N}`. Totals
are texts, line prices numbers. Dates without `_gmt` are the site's, whose zone is not told: only `_gmt` ones
are read, which are UTC. What opsmon makes of a status:

    pending, on-hold   placed, waits for payment
    processing         placed and paid, waits for packing
    completed          placed, paid, fulfilled
    refunded           placed, paid and given back; fulfilled if it was completed before, else nobody waits for it
    cancelled, failed  placed and cancelled
    trash              deleted, until it is restored
    drafts             no order yet: not used
    any other          as it is called, open; paid, fulfilled once the order has the date of it
"""

import math
from decimal import Decimal
from typing import Any

from opsmon.core.showing import shown
from opsmon.sources.fields import (
    Body,
    Read,
    amount_minor,
    bounded,
    currency_code,
    digest,
    id_text,
    need,
    objects,
)
from opsmon.sources.reading import BadBody, instant_ms, short_text

DRAFTS = frozenset({"checkout-draft", "auto-draft", "draft"})
_ENDED = {"cancelled", "failed"}
_UNPAID = {"pending": "pending", "on-hold": "pending", "failed": "voided"}
_PAID = {"processing": "paid", "completed": "paid", "refunded": "refunded"}
# How far an order's life has come, to break ties of its modified time, which has whole seconds only.
_RANKS = {"pending": 0, "on-hold": 1, "failed": 2, "processing": 4, "completed": 5, "cancelled": 6, "refunded": 7}
_RANK_OF_OTHERS = 3
_CHANNELS = {"checkout": "web", "store-api": "web", "pos-rest-api": "pos"}
_TITLE = 40
_MOST_PIECES = 1_000_000


def read_order(body: Body, prefix: str, topic: str) -> Read | None:
    """order.created, updated and restored: the order as it now stands; None for a draft. Raises BadBody.

    The body has no date for a cancelling or a refund: they are dated by the order's last change, and move with it.
    A refund that is deleted again in the admin stays booked. There is no mark of test orders.
    """
    need(body, topic, "id", "status", "currency", "total", "date_created_gmt")
    status = short_text(body["status"], 32)
    if status in DRAFTS:
        return None
    created_ms = instant_ms(body["date_created_gmt"], "date_created_gmt")
    modified_ms = _date(body, "date_modified_gmt") or created_ms
    key = f"{prefix}:order:{id_text(body, 'id')}"
    if status == "trash":
        return deletion(key, modified_ms)
    data = _order(body, prefix, status, created_ms, modified_ms)
    rank = 16 * len(data["refunds"]) + _RANKS.get(status, _RANK_OF_OTHERS)
    return Read("order.updated", key, (modified_ms, rank, digest(data)), modified_ms, data)


def deletion(key: str, at_ms: int) -> Read:
    """An order in the trash never happened; unlike Shopify's, it may be restored by a later version."""
    return Read("order.deleted", key, (at_ms, 15, "deleted"), at_ms, {})


def _order(body: Body, prefix: str, status: str, created_ms: int, modified_ms: int) -> dict[str, Any]:
    currency = currency_code(body["currency"])
    total = amount_minor(body["total"], currency, "total")
    country, region = _place(body)
    return {
        "name": _name(body),
        "test": False,
        "placed_ms": created_ms,
        "cancelled_ms": modified_ms if status in _ENDED else None,
        "total_minor": total,
        "goods_minor": total,
        "currency": currency,
        "paid": _paid(body, status),
        **_fulfilment(body, status, modified_ms),
        "channel": _channel(body),
        "country": country,
        "region": region,
        "customer": _customer(body, prefix),
        "checkout": "",
        "lines": [_line(line, currency) for line in objects(body, "line_items")],
        "refunds": [_refund(refund, prefix, currency, modified_ms) for refund in objects(body, "refunds")],
    }


def _paid(body: Body, status: str) -> str:
    by_date = "paid" if body.get("date_paid_gmt") else "voided" if status == "cancelled" else "pending"
    return _UNPAID.get(status) or _PAID.get(status) or by_date


def _fulfilment(body: Body, status: str, modified_ms: int) -> dict[str, Any]:
    """`fulfilled` and `fulfilled_ms`; 'unknown' for what was paid back and perhaps never sent: nobody waits for it."""
    completed_ms = _date(body, "date_completed_gmt")
    if status == "completed":
        return {"fulfilled": "fulfilled", "fulfilled_ms": completed_ms or modified_ms}
    if status == "refunded":
        return {"fulfilled": "fulfilled" if completed_ms else "unknown", "fulfilled_ms": completed_ms}
    if status in _RANKS:
        return {"fulfilled": "", "fulfilled_ms": None}
    return {"fulfilled": status or "unknown", "fulfilled_ms": completed_ms}


def _name(body: Body) -> str:
    """The number a customer knows: usually the id, with a mark before it as on the screen of the shop."""
    number = short_text(body.get("number")) or id_text(body, "id")
    return f"#{number}" if number.isdigit() else number


def _channel(body: Body) -> str:
    via = short_text(body.get("created_via"), 32)
    return _CHANNELS.get(via, via)


def _place(body: Body) -> tuple[str, str]:
    """Country and region it goes to, else those of the bill. Some regions come with their country, as DE-BE."""
    for name in ("shipping", "billing"):
        address = body.get(name)
        if type(address) is dict and short_text(address.get("country")):
            country = short_text(address["country"], 8)
            return country, short_text(address.get("state")).removeprefix(f"{country}-")[:8]
    return "", ""


def _customer(body: Body, prefix: str) -> str:
    return f"{prefix}:customer:{id_text(body, 'customer_id')}" if body.get("customer_id") else ""


def _line(line: Body, currency: str) -> tuple[str, int, int, str]:
    """SKU (else product id), pieces, value before tax and after discounts, title.

    `total` is price times quantity already, and exact; `price` alone is a third of ten in floating point.
    """
    quantity = _quantity(line.get("quantity"))
    value = line.get("total")
    if value is None:
        value = _times(line.get("price"), quantity, currency)
    sku = short_text(line.get("sku")) or (id_text(line, "product_id") if line.get("product_id") else "")
    return sku, quantity, amount_minor(value, currency, "line total"), short_text(line.get("name"), _TITLE)


def _times(price: object, quantity: int, currency: str) -> str:
    amount_minor(price, currency, "line price")
    return str(Decimal(str(price or 0)) * quantity)


def _quantity(quantity: object) -> int:
    """Pieces. What is sold by weight, as a plugin allows, counts rounded up: half a kilo is one piece."""
    if isinstance(quantity, int | float) and type(quantity) is not bool and 0 <= quantity <= _MOST_PIECES:
        return math.ceil(quantity)
    raise BadBody(f"line quantity is no count: {shown(quantity)}")


def _refund(refund: Body, prefix: str, currency: str, modified_ms: int) -> dict[str, Any]:
    """`{id, reason, total: "-10.00"}`: an order names no more of its refunds than that."""
    amount = bounded(-amount_minor(refund.get("total"), currency, "refund total"), "refund total")
    fields = [modified_ms, amount, currency, False]
    return {
        "key": f"{prefix}:refund:{id_text(refund, 'id')}",
        "version": [modified_ms, 1, digest(fields)],
        "time_ms": modified_ms,
        "amount_minor": amount,
        "currency": currency,
        "test": False,
    }


def _date(body: Body, name: str) -> int | None:
    value = body.get(name)
    return instant_ms(value, name) if value else None
