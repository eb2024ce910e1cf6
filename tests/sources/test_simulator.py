"""The simulated shop: believable, adding up, and the same each time."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from opsmon.core.money import to_minor
from opsmon.sources import simulator
from opsmon.sources.simulated_day import day_start_ms, expected_orders
from opsmon.sources.simulator import LINES_16_KB, Delivery, Shop, make_order, simulate_day, simulate_window

BERLIN = ZoneInfo("Europe/Berlin")
SHOP = Shop(BERLIN)
MONDAY = date(2026, 1, 5)
WEEK = [MONDAY + timedelta(days=n) for n in range(7)]


@cache
def sent_on(day: date) -> list[Delivery]:
    return list(simulate_day(SHOP, day))


@cache
def bodies(day: date, topic: str) -> list[dict[str, Any]]:
    """Bodies of one topic, each delivery once."""
    once = {delivery.webhook_id: delivery for delivery in sent_on(day) if delivery.topic == topic}
    return [orjson.loads(delivery.body) for delivery in once.values()]


def minor(text: object) -> int:
    return to_minor(text, "EUR")


def test_a_seed_gives_the_same_day_again() -> None:
    """Two people who run the demo with one seed see one shop."""
    assert list(simulate_day(SHOP, MONDAY)) == sent_on(MONDAY)


def test_another_seed_gives_another_day() -> None:
    """Another seed is another shop: no order is in both."""
    other = {orjson.loads(delivery.body)["id"] for delivery in simulate_day(replace(SHOP, seed=2), MONDAY)}
    assert other.isdisjoint({order["id"] for order in bodies(MONDAY, "orders/create")})


def test_deliveries_come_in_order_of_time() -> None:
    """Nothing is sent before what was sent before it."""
    times = [delivery.at_ms for delivery in sent_on(MONDAY)]
    assert times == sorted(times)


def test_nothing_is_sent_before_it_happened() -> None:
    """Disorder delays what happened; it does not foresee it."""
    early = [
        delivery for delivery in sent_on(MONDAY)
        if datetime.fromisoformat(delivery.triggered_at).timestamp() * 1000 > delivery.at_ms
    ]
    assert early == []


def test_a_day_has_about_as_many_orders_as_asked_for() -> None:
    """A week at 260 a day is 1,820 orders, give or take a tenth."""
    placed = sum(len(bodies(day, "orders/create")) for day in WEEK)
    assert placed == pytest.approx(sum(expected_orders(SHOP, day) for day in WEEK), rel=0.1)
    assert placed == pytest.approx(7 * 260, rel=0.1)


def test_the_shop_grows_slowly() -> None:
    """Half a year on, the same weekday brings a tenth more."""
    later = MONDAY + timedelta(weeks=26)
    assert 1.05 < expected_orders(SHOP, later) / expected_orders(SHOP, MONDAY) < 1.2


def test_a_day_has_two_peaks_and_a_quiet_night() -> None:
    """Late morning and evening are busy, the afternoon less, the night hardly."""
    hours = Counter(datetime.fromisoformat(order["created_at"]).hour
                    for day in WEEK for order in bodies(day, "orders/create"))
    morning, afternoon, evening, night = (
        sum(hours[hour] for hour in span) for span in ((10, 11, 12), (14, 15, 16), (18, 19, 20), (1, 2, 3))
    )
    assert min(morning, evening) > 1.3 * afternoon
    assert night * 8 < afternoon


def test_all_orders_of_a_day_are_placed_on_that_local_day() -> None:
    """Orders belong to the shop's day, also in the night when a clock changes."""
    autumn = date(2026, 10, 25)
    days = {datetime.fromisoformat(orjson.loads(delivery.body)["created_at"]).date()
            for delivery in simulate_day(SHOP, autumn) if delivery.topic == "orders/create"}
    assert days == {autumn}


@pytest.mark.parametrize("taxes_included", [False, True])
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_totals_add_up(currency: str, taxes_included: bool) -> None:
    """A total is its lines less discounts plus shipping, and plus tax where the prices are without."""
    shop = replace(SHOP, currency=currency, taxes_included=taxes_included, orders_per_day=60)
    for delivery in simulate_day(shop, MONDAY):
        if delivery.topic.startswith("orders/"):
            assert_adds_up(orjson.loads(delivery.body), currency)


def assert_adds_up(order: dict[str, Any], currency: str) -> None:
    def read(body: dict[str, Any], name: str) -> int:
        assert body[name] == body[f"{name}_set"]["shop_money"]["amount"]
        return to_minor(body[name], currency)

    lines = sum(read(line, "price") * line["quantity"] for line in order["line_items"])
    off = sum(read(share, "amount") for line in order["line_items"] for share in line["discount_allocations"])
    tax = sum(to_minor(tax["price"], currency) for line in order["line_items"] for tax in line["tax_lines"])
    shipping = sum(read(line, "price") for line in order["shipping_lines"])
    assert (lines, off, tax, shipping) == (
        read(order, "total_line_items_price"), read(order, "total_discounts"), read(order, "total_tax"),
        read(order, "total_shipping_price"),
    )
    assert read(order, "total_price") == lines - off + shipping + (0 if order["taxes_included"] else tax)


def test_an_order_costs_the_same_however_often_it_is_told() -> None:
    """Paid, packed or updated: the sale itself does not change, so a day's sum can be known in advance."""
    last = {order["id"]: order for topic in ("orders/create", "orders/updated", "orders/fulfilled")
            for order in bodies(MONDAY, topic)}
    placed = bodies(MONDAY, "orders/create")
    assert sum(minor(order["total_price"]) for order in last.values()) == sum(
        minor(order["total_price"]) for order in placed)


def test_a_repeated_delivery_has_the_same_id_and_bytes() -> None:
    """About one in fifty arrives twice; the second is the first again, body and all."""
    by_id = defaultdict(list)
    for delivery in (delivery for day in WEEK for delivery in sent_on(day)):
        by_id[delivery.webhook_id].append(delivery)
    twice = [same for same in by_id.values() if len(same) > 1]
    assert 0.01 < len(twice) / len(by_id) < 0.03
    assert all(len({(delivery.topic, delivery.body) for delivery in same}) == 1 for same in twice)


def test_one_checkout_shares_its_event_id() -> None:
    """Created, paid and updated in one go are one action of the buyer, told in three deliveries."""
    by_event = defaultdict(set)
    for delivery in sent_on(MONDAY):
        by_event[delivery.event_id].add(delivery.topic)
    assert Counter(map(frozenset, by_event.values()))[
        frozenset({"orders/create", "orders/paid", "orders/updated"})] > 100


def test_some_orders_are_updated_before_they_are_created() -> None:
    """One in twenty or so comes the wrong way round."""
    first = {}
    for delivery in sent_on(MONDAY):
        if delivery.topic.startswith("orders/"):
            first.setdefault(orjson.loads(delivery.body)["id"], delivery.topic)
    late = sum(topic != "orders/create" for topic in first.values())
    assert 0.02 < late / len(first) < 0.20


def test_ids_pass_2_to_the_53_and_are_unique() -> None:
    """Some ids are larger than a JavaScript number can hold, and no two orders share one."""
    ids = [order["id"] for day in WEEK for order in bodies(day, "orders/create")]
    assert 0.2 < sum(order_id > 2**53 for order_id in ids) / len(ids) < 0.4
    assert len(set(ids)) == len(ids)


def test_create_and_paid_often_tie_in_updated_at() -> None:
    """Whole seconds cannot tell a quick payment from the order itself."""
    created = {order["id"]: order["updated_at"] for order in bodies(MONDAY, "orders/create")}
    ties = [order for order in bodies(MONDAY, "orders/paid") if order["updated_at"] == created[order["id"]]]
    assert len(ties) > 10


def test_a_refund_is_the_same_from_both_ways() -> None:
    """The refund that comes alone is the one that comes inside its order."""
    alone = {refund["id"]: refund for day in WEEK for refund in bodies(day, "refunds/create")}
    inside = {refund["id"]: refund for day in WEEK for order in bodies(day, "orders/updated")
              for refund in order["refunds"]}
    assert alone == inside
    assert len(alone) > 20


def test_a_refund_gives_back_what_it_says() -> None:
    """Lines with tax plus returned shipping are the money that moved."""
    for refund in (refund for day in WEEK for refund in bodies(day, "refunds/create")):
        parts = [(line["subtotal"], line["total_tax"]) for line in refund["refund_line_items"]]
        lines = sum(minor(net) + minor(tax) for net, tax in parts)
        shipping = -sum(minor(item["amount"]) for item in refund["order_adjustments"])
        assert lines + shipping == minor(refund["transactions"][0]["amount"])


def test_orders_are_cancelled_refunded_and_marked_as_tests_now_and_then() -> None:
    """About 5 % are cancelled, those that nobody pays among them, 4 % come back, and a few are tests."""
    placed = sum(len(bodies(day, "orders/create")) for day in WEEK)
    assert 0.03 < sum(len(bodies(day, "orders/cancelled")) for day in WEEK) / placed < 0.07
    assert 0.03 < sum(len(bodies(day, "refunds/create")) for day in WEEK) / placed < 0.09
    assert 0 < sum(order["test"] for day in WEEK for order in bodies(day, "orders/create")) < 0.02 * placed


def test_a_window_holds_what_its_days_hold() -> None:
    """Two days' window is every delivery in it, also those about orders placed days before."""
    start_ms, end_ms = day_start_ms(SHOP, WEEK[4]), day_start_ms(SHOP, WEEK[6])
    expected = sorted(delivery.at_ms for back in range(-4, 6)
                      for delivery in sent_on(WEEK[4] + timedelta(days=back))
                      if start_ms <= delivery.at_ms < end_ms)
    assert [delivery.at_ms for delivery in simulate_window(SHOP, start_ms, end_ms)] == expected


def test_windows_that_touch_lose_and_repeat_nothing() -> None:
    """A window ends where the next begins: one delivery is in one of them."""
    edges = [day_start_ms(SHOP, WEEK[2]) + hour * 3_600_000 for hour in (0, 7, 13, 30)]
    parts = [delivery for start, end in pairwise(edges) for delivery in simulate_window(SHOP, start, end)]
    assert parts == list(simulate_window(SHOP, edges[0], edges[-1]))


def test_the_quietest_hour_can_be_lifted() -> None:
    """A demo at three in the morning still has something to show."""
    start_ms = day_start_ms(SHOP, MONDAY) + 3 * 3_600_000
    lively = replace(SHOP, quietest_per_hour=60)
    placed = [delivery for delivery in simulate_window(lively, start_ms, start_ms + 3_600_000)
              if delivery.topic == "orders/create"]
    assert 40 < len(placed) < 80


def test_common_bodies_are_small_and_large_ones_can_be_had() -> None:
    """Most orders are 2 to 5 KB; a benchmark asks for 16."""
    sizes = sorted(len(delivery.body) for delivery in sent_on(MONDAY) if delivery.topic == "orders/create")
    life = next(simulator.lives(SHOP, MONDAY))
    assert 2_000 < sizes[len(sizes) // 2] < 4_000
    large = orjson.dumps(make_order(SHOP, life, life.placed_ms, lines=LINES_16_KB))
    assert len(large) == pytest.approx(16_000, rel=0.1)


@pytest.mark.parametrize(("currency", "total"), [("EUR", "1.00"), ("JPY", "1"), ("KWD", "1.000")])
def test_a_test_order_costs_one_and_counts(currency: str, total: str) -> None:
    """One unit of the shop's money, and not marked as a test: someone wants to see it arrive."""
    order = orjson.loads(simulator.test_order(currency, 1_767_600_000_123).body)
    assert (order["total_price"], order["test"], order["name"][:6]) == (total, False, "#TEST-")
    assert order["line_items"][0]["title"] == "Test order from opsmon"


def test_a_test_order_can_be_taken_back() -> None:
    """What was sent to try the line is taken out by its id."""
    order = orjson.loads(simulator.test_order("EUR", 1_767_600_000_123).body)
    undo = simulator.undo_test_order(simulator.test_order_id(1_767_600_000_123), 1_767_600_005_000)
    assert (undo.topic, orjson.loads(undo.body)) == ("orders/delete", {"id": order["id"]})
