"""What a shop's deliveries beside orders add up to: holds, parcels, payments, returns, disputes, carts, stock."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import SiteCalendar
from opsmon.core.events import Event, EventId
from opsmon.core.panes import Hash
from tests.conftest import NOW_MS
from tests.memory import Memory, fold_all
from tests.orders import iso, order
from tests.sources.shopify_door import event, written

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
MINUTE, DAY = 60_000, 86_400_000


def told(topic: str, body: dict[str, Any], at_ms: int = NOW_MS) -> Event:
    """The event of a delivery that was triggered, and came in, at an instant."""
    made = event(topic, body, triggered_at=iso(at_ms).encode())
    return made._replace(arrived_ms=max(at_ms, NOW_MS))


def now(memory: Memory, rollup: str) -> dict[str, int]:
    """What holds now: rows and what they add up to, zeros left out."""
    found = memory.panes.get(Hash(rollup, "n", ""), {})
    return {name.rpartition(".")[0]: amount for name, amount in found.items() if amount}


def by_day(memory: Memory, rollup: str) -> dict[str, int]:
    """One rollup day by day, zeros left out."""
    return {f"{pane_hash.span}{name}": amount for pane_hash, fields in memory.panes.items()
            for name, amount in fields.items() if amount and (pane_hash.rollup, pane_hash.level) == (rollup, "d")}


def part(number: int, status: str, reason: str = "other") -> dict[str, Any]:
    """A fulfillment order as deliveries tell of it."""
    holds = [{"reason": reason}] if status == "on_hold" else []
    return {"fulfillment_order": {"id": f"gid://shopify/FulfillmentOrder/{number}", "status": status,
                                  "fulfillment_holds": holds}}


# --- holds ------------------------------------------------------------------------------------------------------

HELD = told("fulfillment_orders/placed_on_hold", part(1, "on_hold", "incorrect_address"), NOW_MS - 9 * MINUTE)
RELEASED = told("fulfillment_orders/hold_released", part(1, "open"), NOW_MS - 5 * MINUTE)
OTHER_HELD = told("fulfillment_orders/placed_on_hold", part(2, "on_hold"), NOW_MS - 4 * MINUTE)


def test_what_is_held_is_counted_by_reason_as_long_as_it_is() -> None:
    """A red card on the shelf, until somebody takes it away."""
    assert now(fold_all([HELD, OTHER_HELD], BERLIN), "holds") == {"incorrect_address": 1, "other": 1}
    assert now(fold_all([HELD, OTHER_HELD, RELEASED], BERLIN), "holds") == {"other": 1}


def test_news_of_a_release_may_overtake_the_hold() -> None:
    """The card that comes too late is not put up."""
    assert now(fold_all([RELEASED, HELD], BERLIN), "holds") == {}


def test_what_was_moved_or_merged_away_is_not_held_any_more() -> None:
    """Its goods are in another box now."""
    held = told("fulfillment_orders/placed_on_hold", written("fulfillment_orders_placed_on_hold"), NOW_MS - 5 * MINUTE)
    merged = told("fulfillment_orders/merged", written("fulfillment_orders_merged"), NOW_MS - MINUTE)
    moved = told("fulfillment_orders/moved", written("fulfillment_orders_moved"), NOW_MS - MINUTE)
    assert [now(fold_all(events, BERLIN), "holds") for events in ([held], [held, merged], [held, moved])] == [
        {"inventory_out_of_stock": 1}, {}, {}]


# --- parcels ----------------------------------------------------------------------------------------------------


def tracked(status: str, at_ms: int, parcel: int = 255858046001) -> Event:
    """What a carrier says of a parcel."""
    return told("fulfillment_events/create", {"id": at_ms, "fulfillment_id": parcel, "status": status,
                                              "happened_at": iso(at_ms)}, at_ms)


def parcel(shipment: str | None, at_ms: int, status: str = "success") -> Event:
    """What the shop says of the same parcel."""
    return told("fulfillments/update", written("fulfillments_create") | {
        "shipment_status": shipment, "status": status, "updated_at": iso(at_ms)}, at_ms)


def test_a_parcel_is_where_it_was_last_seen() -> None:
    """Not in all the places it came through; at the door it is none of ours any more."""
    way = [tracked("label_printed", NOW_MS - 9_000), tracked("in_transit", NOW_MS - 8_000)]
    assert now(fold_all(way, BERLIN), "parcels") == {"in_transit": 1}
    assert now(fold_all([tracked("delivered", NOW_MS - 1_000), *way], BERLIN), "parcels") == {}


def test_shop_and_carrier_speak_of_one_parcel() -> None:
    """The later word holds, whoever says it."""
    assert now(fold_all([tracked("in_transit", NOW_MS - 9_000), parcel("out_for_delivery", NOW_MS - 5_000)], BERLIN),
               "parcels") == {"out_for_delivery": 1}


def test_a_shop_that_does_not_know_where_a_parcel_is_says_nothing() -> None:
    """A corrected label does not lose a parcel."""
    assert now(fold_all([tracked("in_transit", NOW_MS - 9_000), parcel(None, NOW_MS - 5_000)], BERLIN),
               "parcels") == {"in_transit": 1}


def test_a_cancelled_parcel_is_none() -> None:
    """It was unpacked again."""
    assert now(fold_all([tracked("confirmed", NOW_MS - 9_000), parcel(None, NOW_MS - 5_000, "cancelled")], BERLIN),
               "parcels") == {}


# --- payments ---------------------------------------------------------------------------------------------------


def tried(number: int, status: str, kind: str = "sale", **more: Any) -> Event:
    """A payment that was tried."""
    return told("order_transactions/create", written("order_transactions_create") | {
        "id": number, "status": status, "kind": kind, **more})


def test_of_the_payments_that_customers_tried_some_failed() -> None:
    """What the shop captures and pays back is no try, a test is none, and what is not decided counts later."""
    memory = fold_all([tried(1, "success"), tried(2, "failure"), tried(3, "error", "authorization"),
                       tried(4, "failure", "refund"), tried(5, "success", "capture"),
                       tried(6, "failure", test=True), tried(7, "pending")], BERLIN)
    assert by_day(memory, "payments") == {"20261120.a": 2, "20261120.b": 3}


def test_a_payment_that_was_waited_for_counts_when_it_is_decided() -> None:
    """Once, however often it is told."""
    memory = fold_all([tried(1, "success"), tried(1, "pending"), tried(1, "success")], BERLIN)
    assert by_day(memory, "payments") == {"20261120.b": 1}


def test_money_counts_on_the_day_it_moved() -> None:
    """Also back: and two currencies never add up."""
    body = written("tender_transactions_create")
    memory = fold_all([
        told("tender_transactions/create", body),
        told("tender_transactions/create", body | {"id": 2, "amount": "-42.30"}),
        told("tender_transactions/create", body | {"id": 3, "currency": "USD", "amount": "10.00"}),
        told("tender_transactions/create", body | {"id": 4, "processed_at": "2026-11-19T23:59:59+01:00"}),
        told("tender_transactions/create", body | {"id": 5, "test": True}),
    ], BERLIN)
    assert by_day(memory, "paid") == {"20261120.s:EUR": 10000, "20261120.s:USD": 1000, "20261119.s:EUR": 14230}


def disputed(status: str, at_ms: int) -> Event:
    """How a dispute stands."""
    return told("disputes/update", written("disputes_create") | {
        "status": status, "initiated_at": iso(NOW_MS - DAY)}, at_ms)


def test_a_dispute_is_open_until_it_is_decided() -> None:
    """By what has to be done: an answer is due, or the bank thinks."""
    first, second, last = (disputed(status, NOW_MS - at) for status, at in (
        ("needs_response", 9_000), ("under_review", 8_000), ("lost", 7_000)))
    assert [now(fold_all(events, BERLIN), "disputes") for events in ([first], [second, first], [last, first])] == [
        {"needs_response": 1}, {"under_review": 1}, {}]


# --- returns ----------------------------------------------------------------------------------------------------


def returned(verb: str, at_ms: int, name: str = "returns_request") -> Event:
    """What is said of a return."""
    status = {"request": "requested", "approve": "open", "close": "closed"}.get(verb)
    body = written(name) | ({"status": status} if status else {})
    return told(f"returns/{verb}", body, at_ms)


def test_a_return_counts_on_the_day_it_was_first_heard_of() -> None:
    """However long it takes, and in whatever order the news comes."""
    events = [returned("request", NOW_MS - 2 * DAY), returned("approve", NOW_MS - DAY), returned("close", NOW_MS)]
    for arrival in (events, events[::-1], [events[1], events[0], events[2], events[0]]):
        memory = fold_all(arrival, BERLIN)
        assert (by_day(memory, "returns"), now(memory, "returns-open")) == ({"20261118.n": 1}, {})


def test_a_return_is_under_way_until_it_is_closed() -> None:
    """News that says nothing of how it stands leaves it as it is."""
    asked, agreed = returned("request", NOW_MS - 9_000), returned("approve", NOW_MS - 8_000)
    changed = returned("update", NOW_MS - 7_000, "returns_update")
    assert [now(fold_all(events, BERLIN), "returns-open") for events in ([asked], [agreed, changed, asked])] == [
        {"requested": 1}, {"open": 1}]


# --- carts and checkouts ----------------------------------------------------------------------------------------


def checkout(verb: str = "create", token: str = "c0ffee", at_ms: int = NOW_MS - 90 * MINUTE) -> Event:
    """What the shop says of a checkout that was begun at an instant."""
    return told(f"checkouts/{verb}", written("checkouts_create") | {
        "token": token, "created_at": iso(at_ms), "updated_at": iso(NOW_MS)})


def followed(*events: Event) -> dict[str, int]:
    """Checkouts by day: .b all of them, .a those without an order."""
    return by_day(fold_all(events, BERLIN), "checkouts")


def test_a_checkout_is_abandoned_until_an_order_names_its_token() -> None:
    """Whichever of the two comes first, and however often the checkout is told of."""
    paid = told("orders/create", order(checkout_token="c0ffee"))
    assert [followed(*events) for events in (
        [checkout()], [checkout(), checkout("update")], [checkout(), paid], [paid, checkout("update")],
        [paid, checkout(token="other")])] == [
        {"20261120.a": 1, "20261120.b": 1}, {"20261120.a": 1, "20261120.b": 1}, {"20261120.b": 1},
        {"20261120.b": 1}, {"20261120.a": 1, "20261120.b": 1}]


def test_a_checkout_that_the_shop_and_its_pages_tell_of_is_one() -> None:
    """The pixel names the same token."""
    seen = Event(EventId("pixel:1"), "checkout.started", NOW_MS - 80 * MINUTE, NOW_MS, "pixel", "main", "pixel:c0ffee")
    assert followed(seen, checkout()) == followed(checkout(), seen) == {"20261120.a": 1, "20261120.b": 1}


def test_a_checkout_that_the_shop_keeps_no_longer_was_begun_all_the_same() -> None:
    """Deleting tidies up; it changes no history."""
    assert followed(checkout(), told("checkouts/delete", written("checkouts_delete"))) == followed(checkout())


def test_a_cart_counts_once_however_often_it_is_filled() -> None:
    """On the day it was begun; empty again it is none."""
    body = written("carts_update")
    emptied = body | {"line_items": [], "updated_at": "2026-11-20T13:40:00Z"}
    first, again, empty = (told("carts/update", one) for one in (
        body, body | {"updated_at": "2026-11-20T13:37:00Z"}, emptied))
    assert [by_day(fold_all(events, BERLIN), "carts") for events in (
        [first], [again, first], [empty, first])] == [{"20261120.n": 1}, {"20261120.n": 1}, {}]


# --- stock ------------------------------------------------------------------------------------------------------


def level(available: int | None, at: str, verb: str = "update") -> Event:
    """A stock level as of an instant."""
    return told(f"inventory_levels/{verb}", written("inventory_levels_update") | {
        "available": available, "updated_at": at})


def shelf(*events: Event) -> dict[str, int]:
    """How many levels are told now, and the pieces they come to."""
    found = fold_all(events, BERLIN).panes.get(Hash("stock", "n", ""), {})
    return {name.removeprefix("9007199254741001|61001."): amount for name, amount in found.items() if amount}


def test_stock_is_what_was_told_last_by_item_and_location() -> None:
    """An old number that comes late is not put back on the shelf."""
    assert shelf(level(7, "2026-11-20T12:59:00Z"), level(9, "2026-11-20T12:58:00Z")) == {"n": 1, "s": 7}


def test_an_empty_shelf_is_still_a_shelf() -> None:
    """What is out of stock is not forgotten."""
    assert shelf(level(7, "2026-11-20T12:58:00Z"), level(0, "2026-11-20T12:59:00Z")) == {"n": 1}


def test_a_level_that_is_disconnected_has_no_number_any_more() -> None:
    """Until it is connected again; late news from before does not count."""
    gone = told("inventory_levels/disconnect", written("inventory_levels_disconnect"), NOW_MS - MINUTE)
    before, after = level(7, iso(NOW_MS - 2 * MINUTE)), level(3, iso(NOW_MS), "connect")
    assert [shelf(*events) for events in ([before, gone], [gone, before], [after, gone])] == [{}, {}, {"n": 1, "s": 3}]


# --- all of it --------------------------------------------------------------------------------------------------

ABOUT = ("holds", "parcels", "payments", "paid", "disputes", "returns", "returns-open", "checkouts", "carts", "stock")
LIFE = [
    HELD, RELEASED, OTHER_HELD, tracked("confirmed", NOW_MS - 9_000), tracked("in_transit", NOW_MS - 8_000),
    tracked("in_transit", NOW_MS - 7_000, 2), tracked("delivered", NOW_MS - 6_000, 2), parcel(None, NOW_MS - 5_000),
    parcel("delayed", NOW_MS - 4_000), tried(1, "pending"), tried(1, "success"), tried(2, "failure"),
    disputed("needs_response", NOW_MS - 9_000), disputed("under_review", NOW_MS - 8_000),
    returned("request", NOW_MS - 2 * DAY), returned("approve", NOW_MS - DAY), returned("close", NOW_MS),
    checkout(), checkout("update"), told("orders/create", order(checkout_token="c0ffee")), checkout(token="other"),
    level(7, iso(NOW_MS - 9_000)), level(6, iso(NOW_MS - 8_000)),
    told("inventory_levels/disconnect", written("inventory_levels_disconnect"), NOW_MS - 7_000),
    told("carts/create", written("carts_update") | {"updated_at": iso(NOW_MS - DAY)}),
    told("tender_transactions/create", written("tender_transactions_create")),
]


def counted(memory: Memory) -> dict[tuple[Hash, str], int]:
    """Every pane of these that is not zero."""
    return {(found, name): amount for found, fields in memory.panes.items() if found.rollup in ABOUT
            for name, amount in fields.items() if amount}


IN_ORDER = counted(fold_all(LIFE, BERLIN))


@given(data=st.data())
def test_disorder_and_repetition_end_in_the_same_numbers(data: st.DataObject) -> None:
    """News of everything may overtake each other and come twice: the numbers do not mind."""
    again = data.draw(st.lists(st.sampled_from(LIFE), max_size=12))
    arrival = data.draw(st.permutations([*LIFE, *again]))
    cut = data.draw(st.integers(0, len(arrival)))
    assert counted(Memory(BERLIN).take(*arrival[:cut]).take(*arrival[cut:])) == IN_ORDER


@pytest.mark.parametrize("topic, name", [
    ("draft_orders/create", "draft_orders_create"),
    ("locations/update", "locations_update"), ("inventory_items/update", "inventory_items_update"),
    ("shop/update", "shop_update"), ("app/uninstalled", "app_uninstalled"), ("customers/redact", "customers_redact"),
    ("customers/data_request", "customers_data_request"), ("shop/redact", "shop_redact"),
    ("bulk_operations/finish", "bulk_operations_finish"), ("inventory_items/delete", "removed"),
])
def test_what_is_only_told_moves_no_number(topic: str, name: str) -> None:
    """It came in, and that is counted; a draft is no sale, and a product no order."""
    memory = fold_all([told(topic, written(name))], BERLIN)
    assert {found.rollup for found in memory.panes} == {"deliveries", "lags"}
    assert memory.states == {}
