"""What Shopify says of the shop itself, of the app's place in it, and of privacy.

The three compliance topics are answered like any other; a bad signature is a 401. What they ask for has to
be done within 30 days: their events carry the ids that are needed for it, and no address or number.
"""

from typing import Any

from opsmon.sources.reading import BadBody, short_text
from opsmon.sources.shopify_reading import (
    Body,
    Read,
    currency_of,
    dated,
    id_of,
    ids,
    object_of,
    require,
    time_of,
    undated,
)

_MOST_SCOPES = 200


def read_shop(body: Body, prefix: str, topic: str) -> Read:
    """shop/update: the shop's IANA zone ('' where it names none) and its currency, which days and money follow."""
    require(body, topic, "id", "currency", "iana_timezone")
    data = {"zone": short_text(body["iana_timezone"]), "currency": currency_of(body["currency"])}
    return _by_update("shop.updated", f"{prefix}:shop", data, body)


def read_uninstallation(body: Body, prefix: str, topic: str) -> Read:
    """app/uninstalled: no webhook comes any more."""
    require(body, topic, "id")
    return undated("app.uninstalled", f"{prefix}:app", {})


def read_scopes(body: Body, prefix: str, topic: str) -> Read:
    """app/scopes_update: what the app may do now, and could before."""
    require(body, topic, "current", "previous")
    data = {"now": _words(body, "current"), "before": _words(body, "previous")}
    return _by_update("app.scopes_updated", f"{prefix}:app", data, body)


def read_bulk(body: Body, prefix: str, topic: str) -> Read:
    """bulk_operations/finish: what was asked for is there to be fetched, or why not."""
    require(body, topic, "admin_graphql_api_id", "status")
    operation = short_text(body["admin_graphql_api_id"], 128)
    data = {
        "operation": operation,
        "status": short_text(body["status"], 32).lower(),
        "error": short_text(body.get("error_code"), 32).lower(),
        "kind": short_text(body.get("type"), 32).lower(),
    }
    key = f"{prefix}:bulk:{id_of(body, 'admin_graphql_api_id')}"
    if body.get("completed_at"):
        return dated("bulk.finished", key, data, time_of(body, "completed_at"))
    return undated("bulk.finished", key, data)


def read_data_request(body: Body, prefix: str, topic: str) -> Read:
    """customers/data_request: a customer wants to see what is kept."""
    return _privacy("privacy.requested", body, prefix, topic, "orders_requested")


def read_customer_redaction(body: Body, prefix: str, topic: str) -> Read:
    """customers/redact: a customer is to be forgotten, and these orders with them."""
    return _privacy("privacy.customer_redacted", body, prefix, topic, "orders_to_redact")


def read_shop_redaction(body: Body, prefix: str, topic: str) -> Read:
    """shop/redact: 48 hours after the app has gone, all of the shop is to be forgotten."""
    require(body, topic, "shop_id", "shop_domain")
    return Read("privacy.shop_redacted", f"{prefix}:shop", None, None, {"shop": id_of(body, "shop_id")})


def _privacy(kind: str, body: Body, prefix: str, topic: str, orders: str) -> Read:
    require(body, topic, "customer")
    customer = f"{prefix}:customer:{id_of(object_of(body, 'customer'))}"
    request = object_of(body, "data_request")
    data = {
        "customer": customer,
        "orders": [f"{prefix}:order:{order}" for order in ids(body, orders)],
        "request": id_of(request) if request else "",
    }
    return Read(kind, customer, None, None, data)


def _by_update(kind: str, key: str, data: dict[str, Any], body: Body) -> Read:
    if body.get("updated_at"):
        return dated(kind, key, data, time_of(body, "updated_at"))
    return undated(kind, key, data)


def _words(body: Body, name: str) -> list[str]:
    found = body[name]
    if type(found) is not list or len(found) > _MOST_SCOPES:
        raise BadBody(f"{name} is not a list of up to {_MOST_SCOPES} scopes")
    return [short_text(word) for word in found]
