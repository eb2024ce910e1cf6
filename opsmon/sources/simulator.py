"""A simulated Shopify shop as a stream of deliveries: pure, lazy, and the same for the same seed."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

import orjson

from opsmon.core.money import exponent
from opsmon.sources.simulated_day import (
    LONGEST_LIFE_DAYS,
    Step,
    day_start_ms,
    lives,
    local_day,
    plan_day,
)
from opsmon.sources.simulated_orders import (
    LINES_16_KB,
    make_fulfillment,
    make_order,
    make_refund,
    order_body,
)
from opsmon.sources.simulated_sales import DEMO_DOMAIN, Amounts, Body, Life, Shop, make_sale

__all__ = [
    "LINES_16_KB",
    "Delivery",
    "Life",
    "Shop",
    "delivery",
    "lives",
    "local_day",
    "make_order",
    "simulate_day",
    "simulate_window",
    "test_order",
    "test_order_id",
    "undo_test_order",
]

_TEST_ORDERS = 83 * 10**16


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook: sent at `at_ms` (epoch ms) about what happened at `triggered_at` (ISO 8601, UTC).

    `event_id` is shared by all deliveries of one action, `webhook_id` only by repetitions of one delivery.
    """

    at_ms: int
    topic: str
    shop: str
    webhook_id: str
    event_id: str
    triggered_at: str
    body: bytes


def simulate_day(shop: Shop, day: date) -> Iterator[Delivery]:
    """Everything sent about the orders placed on a local day, by time sent; some falls on later days."""
    for step in plan_day(shop, day):
        yield _deliver(shop, step)


def simulate_window(
    shop: Shop, start_ms: int, end_ms: int, *, placed_from_ms: int = 0
) -> Iterator[Delivery]:
    """Everything sent in [start, end), across day borders, by time sent; a far end costs nothing.

    Orders placed before `placed_from_ms` are left out.
    """
    waiting: list[Step] = []
    day = local_day(shop, start_ms) - timedelta(days=LONGEST_LIFE_DAYS)
    while (begins_ms := day_start_ms(shop, day)) < end_ms:
        yield from (_deliver(shop, step) for step in _until(waiting, begins_ms))
        for step in plan_day(shop, day):
            if start_ms <= step.at_ms < end_ms and step.life.placed_ms >= placed_from_ms:
                heapq.heappush(waiting, step)
        day += timedelta(days=1)
    yield from (_deliver(shop, step) for step in _until(waiting, end_ms))


def _until(waiting: list[Step], end_ms: int) -> Iterator[Step]:
    while waiting and waiting[0].at_ms < end_ms:
        yield heapq.heappop(waiting)


def _deliver(shop: Shop, step: Step) -> Delivery:
    life = step.life
    # What happens within a minute of the order being placed is one checkout to the shop.
    action_ms = life.placed_ms if step.triggered_ms < life.placed_ms + 60_000 else step.triggered_ms
    return Delivery(
        step.at_ms, step.topic, shop.domain,
        _uuid(f"{shop.domain}:{life.seed}:{step.topic}:{step.triggered_ms}"),
        _uuid(f"{shop.domain}:{life.seed}:{action_ms}"),
        _utc(step.triggered_ms),
        orjson.dumps(_body(shop, step)),
    )


def delivery(shop: Shop, topic: str, at_ms: int, seed: int, body: Body) -> Delivery:
    """What a shop tells of one thing at an instant, once; `seed` tells things of one instant apart."""
    webhook_id = _uuid(f"{shop.domain}:{seed}:{topic}:{at_ms}")
    return Delivery(at_ms, topic, shop.domain, webhook_id, webhook_id, _utc(at_ms), orjson.dumps(body))


def _body(shop: Shop, step: Step) -> Body:
    sale = make_sale(shop, step.life)
    if step.topic == "refunds/create":
        return make_refund(shop, step.life, sale)
    if step.topic == "fulfillments/create":
        return make_fulfillment(shop, step.life, sale)
    return order_body(shop, step.life, sale, step.triggered_ms)


def test_order_id(now_ms: int) -> int:
    """The id of the test order made at an instant."""
    return _TEST_ORDERS + now_ms


def test_order(currency: str, now_ms: int, *, domain: str = DEMO_DOMAIN) -> Delivery:
    """An orders/create over one unit of a currency (1.00 EUR, 1 JPY), untaxed and not marked as a test.

    It shall be counted, so that someone sees it arrive; `undo_test_order` takes it out again.
    """
    amounts = Amounts(currency, exponent(currency), currency, 100)
    one, none, at = amounts.both(10**amounts.digits), amounts.both(0), _utc(now_ms // 1000 * 1000)
    order_id, number = test_order_id(now_ms), now_ms // 1000 % 100_000
    body: Body = {
        "id": order_id, "name": f"#TEST-{number}", "order_number": number, "test": False,
        "created_at": at, "processed_at": at, "updated_at": at, "closed_at": None, "cancelled_at": None,
        "currency": currency, "presentment_currency": currency, "taxes_included": False,
        "financial_status": "paid", "fulfillment_status": None, "source_name": "web", "location_id": None,
        "email": "", "customer": None, "shipping_address": None, "tags": "opsmon-test",
        "line_items": [{"id": order_id + 1, "product_id": None, "variant_id": None, "sku": "OPSMON-TEST",
                        "title": "Test order from opsmon", "name": "Test order from opsmon", "quantity": 1,
                        "price": one["shop_money"]["amount"], "price_set": one, "gift_card": False,
                        "discount_allocations": [], "tax_lines": []}],
        "shipping_lines": [], "discount_codes": [], "fulfillments": [], "refunds": [],
    }
    for name in ("total_line_items_price", "subtotal_price", "total_price", "current_total_price"):
        body |= {name: one["shop_money"]["amount"], f"{name}_set": one}
    for name in ("total_discounts", "total_tax", "total_shipping_price"):
        body |= {name: none["shop_money"]["amount"], f"{name}_set": none}
    return _hand_made("orders/create", domain, now_ms, body)


def left_out_order(now_ms: int, *, domain: str = DEMO_DOMAIN) -> Delivery:
    """An orders/create that is marked as a test, always of the same order: taken, read, and counted nowhere."""
    body: Body = orjson.loads(test_order("EUR", now_ms, domain=domain).body)
    return _hand_made("orders/create", domain, now_ms, body | {"id": _TEST_ORDERS, "test": True})


def undo_test_order(order_id: int, now_ms: int, *, domain: str = DEMO_DOMAIN) -> Delivery:
    """The orders/delete that takes a test order out of every number again."""
    return _hand_made("orders/delete", domain, now_ms, {"id": order_id})


def _hand_made(topic: str, domain: str, now_ms: int, body: Body) -> Delivery:
    webhook_id = _uuid(f"{domain}:{topic}:{body['id']}:{now_ms}")
    return Delivery(now_ms, topic, domain, webhook_id, webhook_id, _utc(now_ms), orjson.dumps(body))


def _uuid(text: str) -> str:
    digest = blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
