"""What Shopify says of goods: stock levels, the items they are of, products, locations.

A stock level names its item by the item's id only, and so it is counted: the SKU is told by other deliveries, in any
order, and no row may change its name with what happened to come first. Whoever reads looks the SKU up (core/goods.py).
"""

from opsmon.core.money import MAX_MINOR
from opsmon.core.showing import shown
from opsmon.sources.reading import BadBody, short_text
from opsmon.sources.shopify_reading import Body, Read, dated, id_of, items, require, time_of, undated

_TITLE = 40
# Products have up to 2,048 variants, of which a delivery tells 100 in full. Source: shopify.dev, products/update.
_VARIANTS = 100
# A product has up to 250 tags. Source: shopify.dev, Product.tags.
_TAGS = 250


def read_level(body: Body, prefix: str, topic: str) -> Read:
    """inventory_levels/update and connect: how many of an item are at a location; null where nobody counts."""
    require(body, topic, "inventory_item_id", "location_id", "updated_at")
    key, data = _level(body, prefix)
    if body.get("available") is not None:
        data["available"] = _available(body["available"])
    return dated("inventory.changed", key, data, time_of(body, "updated_at"))


def read_disconnection(body: Body, prefix: str, topic: str) -> Read:
    """inventory_levels/disconnect: a location has no more of an item, not even none. The body has no time."""
    require(body, topic, "inventory_item_id", "location_id")
    return undated("inventory.changed", *_level(body, prefix), rank=1)


def read_item(body: Body, prefix: str, topic: str) -> Read:
    """inventory_items/create and update: which SKU an item has."""
    require(body, topic, "id", "updated_at")
    data = {"sku": short_text(body.get("sku")), "tracked": body.get("tracked") is True}
    return dated("inventory_item.updated", f"{prefix}:item:{id_of(body)}", data, time_of(body, "updated_at"))


def read_product(body: Body, prefix: str, topic: str) -> Read:
    """products/create and update: what it is called, the SKUs of its items, and its tags."""
    require(body, topic, "id", "title", "updated_at")
    variants = [variant for variant in items(body, "variants")[:_VARIANTS] if variant.get("inventory_item_id")]
    data = {
        "title": short_text(body["title"], _TITLE),
        "status": short_text(body.get("status"), 32),
        "items": [[id_of(variant, "inventory_item_id"), short_text(variant.get("sku"))] for variant in variants],
        "tags": _tags(body.get("tags")),
    }
    return dated("product.updated", f"{prefix}:product:{id_of(body)}", data, time_of(body, "updated_at"))


def read_location(body: Body, prefix: str, topic: str) -> Read:
    """locations/create, update, activate, deactivate: what the shop calls it, and whether it is in use."""
    require(body, topic, "id", "name", "updated_at")
    data = {
        "name": short_text(body["name"], _TITLE),
        "active": body.get("active") is not False,
        "country": short_text(body.get("country_code"), 8),
    }
    return dated("location.updated", f"{prefix}:location:{id_of(body)}", data, time_of(body, "updated_at"))


def read_removal(body: Body, prefix: str, topic: str) -> Read:
    """inventory_items/delete, products/delete, locations/delete: an id, and no more of it."""
    require(body, topic, "id")
    kind, name = {"inventory_items/delete": ("inventory_item", "item"), "products/delete": ("product", "product"),
                  "locations/delete": ("location", "location")}[topic]
    return Read(f"{kind}.deleted", f"{prefix}:{name}:{id_of(body)}", None, None, {})


def _tags(told: object) -> list[str]:
    """Tags come as one text with commas, or as a list; each once, in an order that does not depend on theirs."""
    words = told.split(",") if isinstance(told, str) else told if isinstance(told, list) else []
    return sorted({tag for word in words[:_TAGS] if (tag := short_text(word).strip())})


def _level(body: Body, prefix: str) -> tuple[str, dict[str, str | int]]:
    """A level has no id of its own: item and location are its key."""
    item, location = id_of(body, "inventory_item_id"), id_of(body, "location_id")
    return f"{prefix}:stock:{item}:{location}", {"sku": item, "location": location}


def _available(count: object) -> int:
    """May be below zero: a shop can sell what it has not."""
    if type(count) is not int or abs(count) > MAX_MINOR:
        raise BadBody(f"available is no count: {shown(count)}")
    return count
