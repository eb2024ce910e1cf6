"""What a simulated shop tells beside its orders: the same for a seed, taken whole, and such that every board has
something to show."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import orjson
import pytest

from opsmon.sources.json_events import JsonEvents, Refused
from opsmon.sources.shopify import Headers, read_event
from opsmon.sources.simulated_day import across_days
from opsmon.sources.simulated_house import Said, body_of, simulate_house, stock_now
from opsmon.sources.simulated_parcels import simulate_parcels
from opsmon.sources.simulated_sales import Life, Shop
from opsmon.sources.simulator import Delivery, lives, simulate_day

BERLIN = ZoneInfo("Europe/Berlin")
SHOP = Shop(BERLIN, orders_per_day=60)
NOON_MS = round(datetime(2026, 1, 7, 12, tzinfo=BERLIN).timestamp() * 1000)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def told(start_ms: int = NOON_MS - HOUR_MS, end_ms: int = NOON_MS, shop: Shop = SHOP) -> list[Said]:
    return list(simulate_house(shop, start_ms, end_ms))


def parcels(start_ms: int, end_ms: int) -> list[Delivery]:
    return list(simulate_parcels(SHOP, start_ms, end_ms))


def test_a_seed_tells_the_same_again() -> None:
    """A demo that went wrong can be looked at twice."""
    assert told() == told()
    assert body_of(told()) == body_of(told())


def test_another_seed_tells_something_else() -> None:
    """Two demos are not alike."""
    assert body_of(told()) != body_of(told(shop=replace(SHOP, seed=2)))


def test_windows_that_touch_lose_and_repeat_nothing() -> None:
    """Hour by hour, newest first or oldest: it is the same day."""
    start_ms = NOON_MS - 6 * HOUR_MS
    parts = [one for hour in range(6) for one in told(start_ms + hour * HOUR_MS, start_ms + (hour + 1) * HOUR_MS)]
    assert parts == told(start_ms, NOON_MS)


@pytest.mark.parametrize("found", [told(), parcels(NOON_MS - DAY_MS, NOON_MS)], ids=["house", "parcels"])
def test_all_of_it_comes_in_order_of_time(found: list[Said] | list[Delivery]) -> None:
    """Whoever sends it in real time never goes back."""
    times = [one.at_ms for one in found]
    assert times == sorted(times)
    assert times


def test_every_event_is_taken() -> None:
    """None is refused at the door, and no two are taken for one."""
    events = JsonEvents("main", ["shopify"])
    said = [*told(), *stock_now(SHOP, NOON_MS)]
    taken = [events.take(orjson.dumps(one.body), NOON_MS) for one in said]
    assert [one for one in taken if isinstance(one, Refused)] == []
    assert len({one.id for one in said}) == len(said)


def test_every_delivery_can_be_read() -> None:
    """Payments, carts, holds, parcels and returns, as Shopify writes them."""
    found = parcels(NOON_MS - 2 * DAY_MS, NOON_MS)
    read = Counter(read_event(Headers(one.topic, one.shop, one.webhook_id, one.triggered_at), one.body, NOON_MS,
                              "main").type for one in found)
    assert set(read) == {"payment.tried", "cart.changed", "fulfillment_order.updated", "fulfillment.updated",
                         "return.updated"}


def test_an_hour_has_something_for_every_board() -> None:
    """Visitors to the payment, every stage, stock, and all that programs tell."""
    found = {one.body["type"] for one in told(NOON_MS - 8 * HOUR_MS)}
    assert found == {"page.viewed", "cart.updated", "checkout.started", "checkout.completed", "stage.moved",
                     "inventory.changed", "api.request", "function.called", "queue.depth", "user.active", "gauge.set",
                     "count.add"}
    stages = {one.body["data"]["stage"] for one in told(NOON_MS - 8 * HOUR_MS) if one.body["type"] == "stage.moved"}
    assert stages == {"picking", "packing", "packed", "shipped"}


def test_a_checkout_and_its_order_name_the_same_token() -> None:
    """So that it is known which checkouts were left behind."""
    begun = {one.body["key"] for one in told(NOON_MS - 8 * HOUR_MS) if one.body["type"] == "checkout.started"}
    day = datetime.fromtimestamp(NOON_MS / 1000, BERLIN).date()
    ordered = {orjson.loads(one.body)["checkout_token"] for one in simulate_day(SHOP, day)
               if one.topic == "orders/create"}
    assert len(begun & ordered) > 3


def test_no_event_names_a_customer() -> None:
    """A demo shows as little of people as opsmon keeps."""
    assert b"@" not in body_of(told())


def test_what_belongs_to_nobody_is_told_once() -> None:
    """The orders that only the demo's hurry brings do not bring the programs again."""
    hurry = {one.body["type"] for one in told(shop=replace(SHOP, series=1, quietest_per_hour=60))}
    assert "api.request" not in hurry
    assert "stage.moved" in hurry


def test_orders_before_a_moment_are_left_out() -> None:
    """The past of the hurry was never sent."""
    noon = list(across_days(SHOP, NOON_MS, NOON_MS + HOUR_MS, _placed, NOON_MS))
    day = datetime.fromtimestamp(NOON_MS / 1000, BERLIN).date()
    assert len(noon) == len([life for life in lives(SHOP, day) if NOON_MS <= life.placed_ms < NOON_MS + HOUR_MS])


def _placed(life: Life) -> list[Said]:
    return [Said(life.placed_ms, str(life.placed_ms), {})]


def test_programs_are_told_where_they_are_asked_for() -> None:
    """Boards look back a quarter of an hour: a day of requests is not worth its bytes."""
    quiet = simulate_house(SHOP, NOON_MS - HOUR_MS, NOON_MS, with_programs=False)
    assert {one.body["type"] for one in quiet} & {"api.request", "queue.depth"} == set()
