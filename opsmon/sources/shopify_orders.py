"""What Shopify's orders say: an allow-list of fields, money in minor units of the shop's currency.

Shape: REST Admin resource of orders. Old and reduced bodies lack the `*_set` prices; then the plain price
counts, in the order's `currency`.
"""


from opsmon.sources.reading import instant_ms, short_text
from opsmon.sources.shopify_reading import (
    Body,
    Read,
    bounded,
    currency_of,
    dated,
    digest,
    id_of,
    items,
    object_of,
    pieces,
    price,
    require,
    shop_money,
    time_of,
    undated,
)
from opsmon.sources.shopify_refunds import refund_of

# An event stays small: a title longer than this is cut.
_TITLE = 40


def read_order(body: Body, prefix: str, topic: str) -> Read:
    """orders/create, updated, paid, cancelled, fulfilled, partially_fulfilled: the order as it now stands."""
    require(body, topic, "id", "created_at", "updated_at", "currency", "total_price")
    currency = _order_currency(body)
    total = price(body, "total_price", currency)
    updated_ms = instant_ms(body["updated_at"], "updated_at")
    cancelled = body.get("cancelled_at")
    test = body.get("test") is True
    lines = [_line(line, currency) for line in items(body, "line_items")]
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
        "refunds": [refund_of(refund, prefix, currency, test, 1) for refund in items(body, "refunds")],
    }
    version = (updated_ms, progress(body), digest(data))
    return Read("order.updated", f"{prefix}:order:{id_of(body)}", version, updated_ms, data)


def read_deletion(body: Body, prefix: str, topic: str) -> Read:
    """orders/delete: nothing but an id; the order never happened."""
    require(body, topic, "id")
    return Read("order.deleted", f"{prefix}:order:{id_of(body)}", None, None, {})


def read_edit(body: Body, prefix: str, topic: str) -> Read:
    """orders/edited: how many pieces were put in and taken out, and nothing of money.

    What the order is worth afterwards comes with orders/updated, which every edit causes. One API version
    sends the edit without its wrapping.
    """
    edit = object_of(body, "order_edit") or body
    require(edit, topic, "id", "order_id", "line_items")
    lines = object_of(edit, "line_items")
    data = {
        "order": f"{prefix}:order:{id_of(edit, 'order_id')}",
        "added": sum(pieces(line, "delta", "delta") for line in items(lines, "additions")),
        "removed": sum(pieces(line, "delta", "delta") for line in items(lines, "removals")),
    }
    key = f"{prefix}:edit:{id_of(edit)}"
    if edit.get("committed_at") or edit.get("created_at"):
        return dated("order.edited", key, data, time_of(edit, "committed_at", "created_at"))
    return undated("order.edited", key, data)


def _order_currency(order: Body) -> str:
    money = shop_money(order, "total_price")
    return currency_of(money.get("currency_code") if money else order["currency"])


def _fulfilled_ms(order: Body, updated_ms: int) -> int | None:
    """When the last parcel of a fulfilled order was made; bodies without parcels tell of their update."""
    if order.get("fulfillment_status") != "fulfilled":
        return None
    made = [instant_ms(parcel["created_at"], "fulfillment date") for parcel in items(order, "fulfillments")
            if parcel.get("created_at") and parcel.get("status") in (None, "success")]
    return max(made, default=updated_ms)


def _customer(order: Body, prefix: str) -> str:
    customer = object_of(order, "customer")
    return f"{prefix}:customer:{id_of(customer)}" if customer.get("id") else ""


def _line(line: Body, currency: str) -> tuple[str, int, int, str, bool]:
    quantity = pieces(line, "quantity", "line quantity")
    sku = short_text(line.get("sku")) or str(line.get("product_id") or "")[:64]
    value = bounded(quantity * price(line, "price", currency), "line value")
    return sku, quantity, value, short_text(line.get("title"), _TITLE), line.get("gift_card") is True


def _without_gift_cards(total: int, lines: list[tuple[str, int, int, str, bool]]) -> int | None:
    """The total without gift cards; None for an order of nothing else, which is no order to average."""
    if not any(line[4] for line in lines):
        return total
    if all(line[4] for line in lines):
        return None
    return bounded(total - sum(line[2] for line in lines if line[4]), "value without gift cards")


def progress(order: Body) -> int:
    """How far an order's life has come, to break ties of `updated_at`, which has whole seconds only."""
    paid = order.get("financial_status") not in (None, "pending", "authorized")
    marks = paid + 2 * bool(order.get("fulfillment_status")) + 4 * bool(order.get("closed_at"))
    return len(items(order, "refunds")) * 16 + marks + 8 * bool(order.get("cancelled_at"))


def _place(order: Body, field: str) -> str:
    address = order.get("shipping_address") or order.get("billing_address")
    return short_text(address.get(field), 8) if type(address) is dict else ""
