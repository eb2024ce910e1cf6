"""Beside its orders a simulated Shopify shop tells of payments, parcels, holds, returns and carts: more deliveries."""

from collections.abc import Iterator
from random import Random

from opsmon.sources.simulated_day import HOUR, MINUTE, SECOND, across_days
from opsmon.sources.simulated_orders import iso, make_fulfillment
from opsmon.sources.simulated_sales import TILL, Body, Life, Shop, make_sale
from opsmon.sources.simulator import Delivery, delivery

# (after how many hours, what the carrier says), the last word being that it was brought.
_WAY = ((0.2, "label_printed"), (3.0, "in_transit"), (20.0, "out_for_delivery"), (24.0, "delivered"))


def simulate_parcels(shop: Shop, start_ms: int, end_ms: int, *, placed_from_ms: int = 0) -> Iterator[Delivery]:
    """All of it in [start, end), by time sent. Orders placed before `placed_from_ms` are left out."""
    return across_days(shop, start_ms, end_ms, lambda life: _of(shop, life), placed_from_ms)


def _of(shop: Shop, life: Life) -> Iterator[Delivery]:
    if life.is_test or life.channel == TILL:
        return
    rng = Random(life.seed + 4)  # noqa: S311 - a simulated shop, not a secret
    yield from _payments(shop, life, rng)
    yield _cart(shop, life)
    if rng.random() < 0.04:
        yield from _hold(shop, life, rng)
    if life.fulfilled_ms is not None:
        yield from _way(shop, life, rng)
        if life.refunded_ms is not None:
            yield from _return(shop, life)


def _payments(shop: Shop, life: Life, rng: Random) -> Iterator[Delivery]:
    """Each paid order was tried; one in twelve had failed before."""
    if life.paid_ms is None:
        return
    tries = ["success"] if rng.random() > 0.08 else ["failure", "success"]
    for at, status in enumerate(reversed(tries)):
        tried_ms = life.paid_ms - at * 40 * SECOND
        yield delivery(shop, "order_transactions/create", tried_ms, life.seed + at, {
            "id": life.id + 30 + at, "order_id": life.id, "kind": "sale", "status": status, "gateway": "card",
            "error_code": "card_declined" if status == "failure" else None, "test": False,
            "created_at": iso(tried_ms, shop.zone)})


def _cart(shop: Shop, life: Life) -> Delivery:
    begun_ms = life.placed_ms - 4 * MINUTE
    at = iso(begun_ms, shop.zone)
    return delivery(shop, "carts/create", begun_ms, life.seed, {
        "id": f"cart{life.id}", "token": f"cart{life.id}", "created_at": at, "updated_at": at,
        "line_items": [{"id": line["id"], "quantity": line["quantity"]} for line in make_sale(shop, life).lines]})


def _hold(shop: Shop, life: Life, rng: Random) -> Iterator[Delivery]:
    """A part that waits: for an address that is asked for, or for goods."""
    part: Body = {"id": life.id + 40, "order_id": life.id, "status": "on_hold", "fulfillment_holds": [
        {"reason": rng.choice(("incorrect_address", "inventory_out_of_stock"))}]}
    held_ms = life.placed_ms + 2 * MINUTE
    yield delivery(shop, "fulfillment_orders/placed_on_hold", held_ms, life.seed, {"fulfillment_order": part})
    freed: Body = {"id": life.id + 40, "order_id": life.id, "status": "open"}
    yield delivery(shop, "fulfillment_orders/hold_released", held_ms + int(rng.random() * 20 * HOUR), life.seed,
                   {"fulfillment_order": freed})


def _way(shop: Shop, life: Life, rng: Random) -> Iterator[Delivery]:
    sale, packed_ms = make_sale(shop, life), life.fulfilled_ms or life.placed_ms
    slowness = 0.7 + rng.random() * 1.5
    for hours, status in _WAY:
        at_ms = packed_ms + int(hours * slowness * HOUR)
        body = make_fulfillment(shop, life, sale) | {"shipment_status": status, "updated_at": iso(at_ms, shop.zone)}
        yield delivery(shop, "fulfillments/update", at_ms, life.seed, body)


def _return(shop: Shop, life: Life) -> Iterator[Delivery]:
    asked_ms = (life.refunded_ms or life.placed_ms) - HOUR
    for topic, status, at_ms in (("returns/request", "requested", asked_ms),
                                 ("returns/close", "closed", asked_ms + HOUR)):
        yield delivery(shop, topic, at_ms, life.seed, {
            "id": life.id + 45, "status": status, "order": {"id": life.id}, "name": f"{life.name}-R1"})


