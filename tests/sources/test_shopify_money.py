"""Money as Shopify's bodies mean it: one test for each rule that a sum of theirs has to follow."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opsmon.core.calendar import SiteCalendar
from opsmon.core.events import Event
from tests.memory import fold_all
from tests.orders import order, refund
from tests.sources.shopify_door import event, ms, reason, written

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))


def money(shop: str, buyer: str, currency: str = "EUR") -> dict[str, Any]:
    """A price as the shop books it and as the buyer saw it, in dollars."""
    return {"shop_money": {"amount": shop, "currency_code": currency},
            "presentment_money": {"amount": buyer, "currency_code": "USD"}}


def revenue(*events: Event, zone: str = "Europe/Berlin") -> dict[str, dict[str, int]]:
    """Revenue day by day."""
    return fold_all(events, SiteCalendar(ZoneInfo(zone))).days("revenue")


def given_back(**more: Any) -> int:
    """What a refund of one line of 10.00 and 2.00 of tax is worth, with `more` in its body."""
    body = refund() | {"refund_line_items": [{"subtotal": 10.0, "total_tax": 2.0}]} | more
    found: int = event("refunds/create", body).data["refunds"][0]["amount_minor"]
    return found


def test_the_shops_money_counts_not_what_the_buyer_saw() -> None:
    """A buyer in dollars pays a shop in euros."""
    body = order(total="44.00", currency="EUR", total_price_set=money("40.00", "44.00"), line_items=[
        {"sku": "A", "quantity": 2, "price": "22.00", "price_set": money("20.00", "22.00")}])
    made = event("orders/create", body)
    assert (made.data["total_minor"], made.data["currency"], made.data["lines"]) == (4000, "EUR", [("A", 2, 4000, "")])


def test_a_body_without_the_shops_money_counts_its_plain_prices() -> None:
    """Old and reduced bodies have one price and one currency."""
    body = order(total="44.00", currency="USD")
    del body["total_price_set"]
    assert (event("orders/create", body).data["total_minor"], event("orders/create", body).data["currency"]) == (
        4400, "USD")


def test_a_sale_is_what_was_ordered_and_not_what_is_left_of_it() -> None:
    """`current_total_price` is after returns, which count by themselves: to take both is to count them twice."""
    body = order(total="598.94", current_total_price="199.65", refunds=[refund(amount=399.29)])
    assert revenue(event("orders/updated", body)) == {"20261120": {"s:EUR": 19965}}


@pytest.mark.parametrize("taxes_included", [True, False])
def test_tax_is_in_the_total_and_is_never_added_to_it(taxes_included: bool) -> None:
    """Whether or not the prices of the lines contain it."""
    body = order(total="119.00", taxes_included=taxes_included, total_tax="19.00",
                 total_tax_set=money("19.00", "20.90"))
    assert revenue(event("orders/create", body)) == {"20261120": {"s:EUR": 11900}}


@pytest.mark.parametrize("amount", [10.0, 10, "10.00", "10"])
def test_a_refund_names_its_lines_worth_as_number_or_text(amount: Any) -> None:
    """These two fields are JSON numbers, unlike all other money."""
    assert given_back(refund_line_items=[{"subtotal": amount, "total_tax": 2.0}]) == 1200


def test_the_numbers_of_a_refund_are_exact() -> None:
    """0.1 + 0.2 is thirty cents."""
    lines = [{"subtotal": 0.1, "total_tax": 0}, {"subtotal": 0.2, "total_tax": 0}]
    assert given_back(refund_line_items=lines) == 30


def test_a_refund_in_two_currencies_counts_the_shops() -> None:
    """The plain numbers are not always in the shop's currency."""
    line = {"subtotal": 11.0, "total_tax": 2.2, "subtotal_set": money("10.00", "11.00"),
            "total_tax_set": money("2.00", "2.20")}
    made = event("refunds/create", refund(currency="USD") | {"refund_line_items": [line]})
    (back,) = made.data["refunds"]
    assert (back["amount_minor"], back["currency"]) == (1200, "EUR")


def test_a_refunded_shipping_cost_is_below_zero_and_adds_to_the_refund() -> None:
    """Adjustments have the sign of the shop's books."""
    assert given_back(order_adjustments=[{"kind": "shipping_refund", "amount": "-4.00", "tax_amount": "-0.80"}]) == 1680


def test_what_the_shop_keeps_of_a_refund_is_above_zero_and_takes_from_it() -> None:
    """Goods for 12.00 came back, and 3.00 were kept for a scratch."""
    assert given_back(order_adjustments=[{"kind": "refund_discrepancy", "amount": "3.00", "tax_amount": "0.00"}]) == 900


def test_shipping_that_is_told_by_lines_of_its_own_adds_to_the_refund() -> None:
    """Bodies since 2024-10; an adjustment that says the same again is not counted again."""
    shipping = {"subtotal_amount_set": money("4.00", "4.40"), "tax_amount_set": money("0.80", "0.88")}
    again = {"kind": "shipping_refund", "amount": "-4.00", "tax_amount": "-0.80"}
    kept = {"kind": "refund_discrepancy", "amount": "1.00", "tax_amount": "0.00"}
    assert [given_back(refund_shipping_lines=[shipping], order_adjustments=also) for also in (
        [], [again], [again, kept])] == [1680, 1680, 1580]


def test_a_refund_of_shipping_alone_names_its_currency_there() -> None:
    """No goods came back."""
    body = refund() | {"refund_line_items": [], "transactions": [],
                       "refund_shipping_lines": [{"subtotal_amount_set": money("4.00", "4.40")}]}
    (back,) = event("refunds/create", body).data["refunds"]
    assert (back["amount_minor"], back["currency"]) == (400, "EUR")


def test_the_money_that_moved_may_differ_from_what_a_refund_is_worth() -> None:
    """A voucher was part of it: the sale is lowered by the goods, whatever went over the counter."""
    moved = [{"kind": "refund", "status": "success", "amount": "5.00", "currency": "EUR"}]
    assert given_back(transactions=moved) == 1200


def test_partial_refunds_count_each_on_its_own_day() -> None:
    """Two days, two numbers; the day of the sale stays as it was."""
    first, second = refund(501, 10.0, given_ms=ms("2026-11-18T12:00:00Z")), refund(
        502, 5.5, given_ms=ms("2026-11-19T12:00:00Z"))
    body = order(total="60.00", placed_ms=ms("2026-11-17T12:00:00Z"), updated_ms=ms("2026-11-19T12:00:00Z"),
                 refunds=[first, second])
    assert revenue(event("orders/updated", body), event("refunds/create", first)) == {
        "20261117": {"s:EUR": 6000}, "20261118": {"s:EUR": -1000}, "20261119": {"s:EUR": -550}}


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid", "orders/updated"])
def test_a_test_order_is_no_money_and_neither_is_its_refund(topic: str) -> None:
    """Somebody tries the till."""
    assert revenue(event(topic, order(test=True, refunds=[refund()]))) == {}


def test_the_admins_test_notification_counts_nothing() -> None:
    """Order #9999 of nobody."""
    assert fold_all([event("orders/create", written("orders_test_notification"))], BERLIN).about_orders() == {}


def test_a_gift_card_is_a_sale_and_no_order_to_average() -> None:
    """Money came in; what was ordered with it is averaged one day."""
    body = order(total="74.90", line_items=[{"quantity": 1, "price": "49.90"},
                                            {"quantity": 1, "price": "25.00", "gift_card": True}])
    assert (event("orders/create", body).data["total_minor"], event("orders/create", body).data["goods_minor"]) == (
        7490, 4990)


def test_an_order_at_a_till_has_no_place_and_counts_all_the_same() -> None:
    """Nobody's address is asked for over the counter."""
    made = event("orders/create", written("orders_pos"))
    assert (made.data["channel"], made.data["country"], made.data["region"], made.data["customer"]) == (
        "pos", "", "", "")
    assert revenue(made) == {"20261120": {"s:EUR": 2400}}


def test_an_order_that_is_paid_by_its_status_only_still_counts_as_a_sale_once() -> None:
    """`financial_status` is not to be trusted for money: sales are what was ordered, paid is what moved."""
    body = order(total="10.00", financial_status="paid", total_outstanding="10.00", payment_gateway_names=[])
    assert revenue(event("orders/paid", body)) == {"20261120": {"s:EUR": 1000}}


def test_currencies_never_add_up() -> None:
    """A shop that changed its currency has two sums."""
    euros, dollars = order(1, "10.00", currency="EUR"), order(2, "10.00", currency="USD")
    assert revenue(event("orders/create", euros), event("orders/create", dollars)) == {
        "20261120": {"s:EUR": 1000, "s:USD": 1000}}


def test_an_edit_moves_no_money() -> None:
    """It tells of pieces only; the order tells of the money."""
    assert revenue(event("orders/edited", written("orders_edited"))) == {}


# --- the day ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone, day", [("Europe/Berlin", "20261120"), ("America/New_York", "20261119"),
                                       ("Asia/Kolkata", "20261120"), ("Pacific/Auckland", "20261120")])
def test_a_sale_is_of_the_day_in_the_shops_zone(zone: str, day: str) -> None:
    """Half past one in the night in Berlin is yesterday evening in New York."""
    body = order(total="10.00") | {"processed_at": "2026-11-20T01:30:00+01:00"}
    assert revenue(event("orders/create", body), zone=zone) == {day: {"s:EUR": 1000}}


def test_a_sale_is_of_the_day_it_was_processed_not_created() -> None:
    """Orders brought over from another system were created today and made years ago."""
    body = order(total="10.00") | {"processed_at": "2026-11-02T12:00:00Z", "created_at": "2026-11-20T12:00:00Z"}
    assert revenue(event("orders/create", body)) == {"20261102": {"s:EUR": 1000}}


@pytest.mark.parametrize("processed, day", [
    ("2026-11-19T23:30:00-00:00", "20261120"), ("2026-11-19T07:30:00-17:00", "20261120"),
    ("2026-11-20T04:30:00+05:30", "20261120"), ("2026-11-19T18:30:00-05:00", "20261120"),
    ("2026-11-19T23:30:00Z", "20261120"), ("2026-11-19T23:30:00+01:00", "20261119"),
])
def test_a_time_is_an_instant_whatever_its_offset(processed: str, day: str) -> None:
    """To cut the text at the T would book some of these on another day."""
    body = order(total="10.00") | {"processed_at": processed}
    assert revenue(event("orders/create", body)) == {day: {"s:EUR": 1000}}


@pytest.mark.parametrize("processed", ["2026-11-20T13:00:00+25:00", "2026-11-20T13:00:00-24:00",
                                       "2026-11-20T13:00:00 Berlin", "20.11.2026 13:00"])
def test_an_offset_that_there_is_not_is_refused_by_name(processed: str) -> None:
    """Rather a dead letter than a sale on a wrong day."""
    assert reason("orders/create", order() | {"processed_at": processed}) == f"processed_at is no date: {processed!r}"


@pytest.mark.parametrize("cancelled, days", [
    ("2026-11-20T12:00:00Z", {}),
    ("2026-11-21T12:00:00Z", {"20261120": {"s:EUR": 1000}, "20261121": {"s:EUR": -1000}}),
])
def test_a_cancellation_takes_the_sale_back_on_its_own_day(cancelled: str, days: dict[str, Any]) -> None:
    """A sale on the day it was placed, a return on the day it was cancelled: together nothing."""
    body = order(total="10.00", cancelled_at=cancelled, placed_ms=ms("2026-11-20T11:00:00Z"))
    made = event("orders/cancelled", body)._replace(arrived_ms=ms("2026-11-21T12:00:00Z"))
    assert revenue(made) == days
