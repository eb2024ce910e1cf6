"""What Shopify says before there is an order: carts, checkouts, drafts. Nothing of who it is is kept."""

from opsmon.core.showing import shown
from opsmon.sources.reading import BadBody, short_text
from opsmon.sources.shopify_reading import (
    Body,
    Read,
    currency_of,
    dated,
    id_of,
    items,
    object_of,
    pieces,
    price,
    require,
    time_of,
)

# As long as an order's `checkout_token` is kept: they have to be equal.
_TOKEN = 64


def read_cart(body: Body, prefix: str, topic: str) -> Read:
    """carts/create and update: what lies in a cart of the online shop. Its id is a text."""
    require(body, topic, "token", "updated_at", "line_items")
    token = short_text(body["token"], 255).partition("?")[0]  # newer ones have a key behind it
    data = {
        "filled_ms": time_of(body, "created_at", "updated_at"),
        "pieces": sum(pieces(line, "quantity", "line quantity") for line in items(body, "line_items")),
    }
    key = f"{prefix}:cart:{id_of({'token': token}, 'token')}"
    return dated("cart.changed", key, data, time_of(body, "updated_at"))


def read_checkout(body: Body, prefix: str, topic: str) -> Read:
    """checkouts/create and update: a checkout, by the token that its order will name."""
    require(body, topic, "id", "token", "created_at")
    token = short_text(body["token"], _TOKEN)
    if not token:
        raise BadBody(f"token is not a text: {shown(body['token'])}")
    data = {"checkout": token, "started_ms": time_of(body, "created_at")}
    updated_ms = time_of(body, "updated_at", "created_at")
    return dated("checkout.updated", f"{prefix}:checkout:{id_of(body)}", data, updated_ms)


def read_checkout_removal(body: Body, prefix: str, topic: str) -> Read:
    """checkouts/delete: the shop keeps it no longer; it was started all the same, so nothing is taken back.

    The body has no token, and a checkout that was paid is removed one day, too.
    """
    require(body, topic, "id")
    return Read("checkout.deleted", f"{prefix}:checkout:{id_of(body)}", None, None, {})


def read_draft(body: Body, prefix: str, topic: str) -> Read:
    """draft_orders/create and update: an offer. It is no sale; the order that comes of it is one of its own."""
    require(body, topic, "id", "status", "currency", "total_price", "updated_at")
    currency = currency_of((object_of(object_of(body, "total_price_set"), "shop_money")).get("currency_code")
                           or body["currency"])
    data = {
        "name": short_text(body.get("name")),
        "status": short_text(body["status"], 32),
        "total_minor": price(body, "total_price", currency),
        "currency": currency,
        "order": f"{prefix}:order:{id_of(body, 'order_id')}" if body.get("order_id") else "",
        "completed_ms": time_of(body, "completed_at") if body.get("completed_at") else None,
    }
    return dated("draft.updated", f"{prefix}:draft:{id_of(body)}", data, time_of(body, "updated_at"))


def read_draft_removal(body: Body, prefix: str, topic: str) -> Read:
    """draft_orders/delete: an id, and no more of it."""
    require(body, topic, "id")
    return Read("draft.deleted", f"{prefix}:draft:{id_of(body)}", None, None, {})
