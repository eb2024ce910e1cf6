"""An order that the Admin API shows is, once read, the order that a webhook brought: field by field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.pollers.shopify import version_of
from opsmon.pollers.shopify_orders import OrderQueries, gid_number, rest_order
from opsmon.sources.shopify_orders import read_order
from opsmon.sources.shopify_reading import Read
from tests.conftest import NOW_MS
from tests.fakes import orders as shop
from tests.fakes.graphql import cost, has_connection_in_list, parse
from tests.fakes.shopify import LISTS, SCOPES

PREFIX = "shopify:paper-boat.myshopify.com"
LIVES = st.lists(st.sampled_from(["pay", "edit", "pack", "fulfil", "cancel", "refund"]), max_size=8)


def lived(number: int, life: list[str], seed: int = 3) -> shop.Order:
    """An order after a life."""
    order = shop.make(number, NOW_MS - 3_600_000, seed)
    for at, what in enumerate(life):
        shop.happen(order, what, NOW_MS - 3_000_000 + at * 60_000)
    return order


def connections(value: Any) -> Any:
    """What a server would answer if everything were asked for."""
    if isinstance(value, list):
        items = [connections(one) for one in value]
        return {"nodes": items, "pageInfo": {"hasNextPage": False}} if type(value) is not list else items
    return {name: connections(one) for name, one in value.items()} if isinstance(value, dict) else value


def asked(order: shop.Order, **changed: Any) -> dict[str, Any]:
    """An order as the Admin API answers it."""
    return connections({**shop.graph(order), **changed})  # type: ignore[no-any-return]


def translated(node: dict[str, Any], known: dict[str, Any]) -> Read:
    """Read by way of the Admin API."""
    return read_order(rest_order(node, node["lineItems"]["nodes"], node["refunds"], known), PREFIX, "orders/updated")


@given(st.integers(1, 10_000), LIVES)
def test_both_ways_read_the_same_version_and_the_same_data(number: int, life: list[str]) -> None:
    """Whatever has happened to it: nothing is counted twice, and nothing flaps."""
    order = lived(number, life)
    told = read_order(shop.rest(order), PREFIX, "orders/updated")
    assert translated(asked(order), {"checkout": order.checkout or ""}) == told


@given(st.integers(1, 10_000), LIVES)
def test_a_version_is_known_before_lines_and_refunds_are(number: int, life: list[str]) -> None:
    """So that an order that a webhook told of costs no further question."""
    order = lived(number, life)
    told = read_order(shop.rest(order), PREFIX, "orders/updated")
    assert told.version is not None
    assert version_of(asked(order)) == told.version[:2]


@pytest.mark.parametrize(("shown", "parcels", "told"), [
    ("FULFILLED", 1, "fulfilled"), ("PARTIALLY_FULFILLED", 1, "partial"), ("UNFULFILLED", 0, ""), ("ON_HOLD", 0, ""),
    ("ON_HOLD", 1, "partial"), ("IN_PROGRESS", 0, ""), ("SCHEDULED", 1, "partial"), ("RESTOCKED", 0, "restocked")])
def test_what_the_display_says_of_fulfilment(shown: str, parcels: int, told: str) -> None:
    """On hold and in progress are said of what has not gone yet, whether or not something has."""
    node = asked(lived(1, ["pack"] * parcels), displayFulfillmentStatus=shown)
    assert translated(node, {}).data["fulfilled"] == told


def test_a_cancelled_parcel_is_not_one_that_went() -> None:
    """Its goods are still here."""
    node = asked(lived(1, ["pack"]), displayFulfillmentStatus="ON_HOLD")
    node["fulfillments"][0]["status"] = "CANCELLED"
    assert translated(node, {}).data["fulfilled"] == ""


def test_what_the_app_may_not_see_is_taken_from_what_webhooks_told() -> None:
    """An order must not lose its country because the Admin API hides addresses."""
    node = asked(lived(1, []), customer=None, shippingAddress=None)
    known = {"country": "AT", "region": "AT-9", "customer": f"{PREFIX}:customer:77", "checkout": "c"}
    data = translated(node, known).data
    assert (data["country"], data["region"], data["customer"], data["checkout"]) == (
        "AT", "9", f"{PREFIX}:customer:77", "c")


def test_an_order_without_any_address_has_none() -> None:
    """A till knows none, and nothing is made up."""
    assert translated(asked(lived(1, []), customer=None, shippingAddress=None), {}).data["country"] == ""


def test_refunded_shipping_and_adjustments_are_both_in_a_refund() -> None:
    """10.00 of goods, 4.90 of shipping, 1.00 kept back: 13.90 given."""
    order = lived(1, ["pay"])
    order.refunds.append(shop.Refund(order.id + 200, NOW_MS, [(840, 160)], 490))
    node = asked(order)
    money = {"shopMoney": {"amount": "1.0", "currencyCode": "EUR"}}
    nothing = {"shopMoney": {"amount": "0.0", "currencyCode": "EUR"}}
    node["refunds"][0]["orderAdjustments"] = {"nodes": [{"amountSet": money, "taxAmountSet": nothing}]}
    assert [refund["amount_minor"] for refund in translated(node, {}).data["refunds"]] == [1390]


@pytest.mark.parametrize(("gid", "number"), [
    ("gid://shopify/Order/9007199254740993", "9007199254740993"), ("gid://shopify/Order/17?key=ab", "17")])
def test_an_id_stays_a_text(gid: str, number: str) -> None:
    """2**53 + 1 is not 2**53."""
    assert gid_number(gid) == number


@pytest.mark.parametrize("scopes", [set(SCOPES), {"read_orders"}], ids=["all", "orders-only"])
def test_every_query_is_one_that_shopify_runs(scopes: set[str]) -> None:
    """None asks for over 1,000 points, at a page of some size; none in bulk has a connection within a list."""
    queries = OrderQueries(scopes)
    pages = [cost(parse(queries.page, {"first": first, "search": ""})) for first in (250, 25)]
    assert (pages[1] <= 1_000, cost(parse(queries.lines, {})) <= 1_000) == (True, True)
    assert has_connection_in_list(parse(queries.bulk(""), {}), LISTS) is False


def test_without_its_scope_a_field_is_not_asked_for() -> None:
    """A bulk operation fails whole for one field that is denied."""
    fields = OrderQueries({"read_orders"})
    assert ("customer {" in fields.bulk(""), "product {" in fields.bulk("")) == (False, False)
