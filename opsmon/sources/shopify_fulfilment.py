"""What Shopify says of packing and parcels: fulfillments, their tracking, and fulfillment orders with holds."""

from collections.abc import Iterator
from typing import Any

from opsmon.sources.reading import BadBody, instant_ms, short_text
from opsmon.sources.shopify_reading import (
    Body,
    Read,
    dated,
    id_of,
    items,
    object_of,
    require,
    time_of,
    undated,
)

# Where a parcel is, in the order of its way: the later word holds of two of one second.
_WAY = ("label_purchased", "label_printed", "confirmed", "carrier_picked_up", "in_transit", "delayed",
        "out_for_delivery", "attempted_delivery", "ready_for_pickup", "failure", "delivered")
# Under which names a delivery tells of fulfillment orders; which it has depends on the topic.
_PARTS = ("fulfillment_order", "original_fulfillment_order", "moved_fulfillment_order",
          "remaining_fulfillment_order", "replacement_fulfillment_order")


def read_fulfillment(body: Body, prefix: str, topic: str) -> Read:
    """fulfillments/create and update: a parcel of an order."""
    require(body, topic, "id", "order_id", "status", "created_at", "line_items")
    updated_ms = instant_ms(body.get("updated_at") or body["created_at"], "updated_at")
    shipment = short_text(body.get("shipment_status"), 32)
    data = {
        "order": f"{prefix}:order:{id_of(body, 'order_id')}",
        "status": short_text(body["status"], 32),
        "shipment": shipment,
        "carrier": short_text(body.get("tracking_company")),
        "created_ms": instant_ms(body["created_at"], "created_at"),
    }
    return dated("fulfillment.updated", f"{prefix}:fulfillment:{id_of(body)}", data, updated_ms, _how_far(shipment))


def read_tracking(body: Body, prefix: str, topic: str) -> Read:
    """fulfillment_events/create: what a carrier says of a parcel. The key is the parcel's, not the word's."""
    require(body, topic, "fulfillment_id", "status", "happened_at")
    status = short_text(body["status"], 32)
    data = {
        "order": f"{prefix}:order:{id_of(body, 'order_id')}" if body.get("order_id") else "",
        "shipment": status,
    }
    key = f"{prefix}:fulfillment:{id_of(body, 'fulfillment_id')}"
    return dated("parcel.tracked", key, data, time_of(body, "happened_at"), _how_far(status))


def read_parts(body: Body, prefix: str, topic: str) -> Read:
    """fulfillment_orders/*: how the parts of an order stand that are packed together. Bodies have no time.

    Most say an id and a status of each part they are about, a few wrap one part in another object.
    """
    parts: dict[str, dict[str, Any]] = {}
    for part in _parts(body):
        key = f"{prefix}:fulfillment-order:{id_of(part)}"
        parts.setdefault(key, {"key": key, "status": short_text(part.get("status"), 32).lower(),
                               "reason": _reason(part, body)})
    if not parts:
        raise BadBody(f"the topic is {topic}, but the body has no fulfillment_order")
    data = {"what": topic.partition("/")[2][:32], "parts": list(parts.values())}
    return undated("fulfillment_order.updated", next(iter(parts)), data)


def _parts(body: Body) -> Iterator[Body]:
    """All parts that a body tells of. A part that was merged into another has a bare id, and is at an end."""
    merged = object_of(body, "fulfillment_order_merges")
    listed = [merged] if merged else items(body, "fulfillment_order_merges")
    for found in (body, *listed):
        yield from (object_of(found, name) for name in _PARTS if object_of(found, name))
    for intent in items(body, "merge_intents"):
        yield {"id": intent.get("fulfillment_order_id"), "status": "merged"}
    if "id" in body and "status" in body:
        yield body


def _reason(part: Body, body: Body) -> str:
    """Why a part is held: the hold of this delivery, else the first there is; holds may be gone by now."""
    holds = items(part, "fulfillment_holds")
    hold = object_of(body, "created_fulfillment_hold") or (holds[0] if holds else {})
    return short_text(hold.get("reason"), 32).lower()


def _how_far(status: str) -> int:
    return _WAY.index(status) + 1 if status in _WAY else 0
