"""Goods: how long stock lasts, under which SKU and name, and what carries a tag. Looked up when a number is read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import DAY_MS
from opsmon.core.events import Event, EventId
from opsmon.core.goods import PACE_DAYS, Supply
from opsmon.core.kpis import BUILT_IN
from opsmon.core.narrowing import narrowed
from opsmon.core.panes import OTHER, Hash
from opsmon.core.readings import Reading
from tests.conftest import NOW_MS
from tests.core.test_readings import BERLIN, reading, site
from tests.memory import Memory, event, fold_all
from tests.orders import iso, order
from tests.sources.shopify_door import written


def level(sku: str, available: int, place: str = "hall", version: int = 1) -> Event:
    """A stock level as a site's own programs tell it."""
    return Event(EventId(f"stock:{sku}:{place}:{version}"), "inventory.changed", NOW_MS, NOW_MS, "events", "main",
                 f"{sku}:{place}", (version, 0, ""), {"sku": sku, "location": place, "available": available})


def shopify_level(item: int, available: int) -> Event:
    """A stock level as Shopify tells it: by the number of the item."""
    return event("inventory_levels/update", written("inventory_levels_update") | {
        "inventory_item_id": item, "available": available, "updated_at": iso(NOW_MS)})


def product(number: int, title: str, *items: tuple[int, str], tags: str = "", at_ms: int = NOW_MS) -> Event:
    """A product as Shopify tells it."""
    return event("products/update", {
        "id": number, "title": title, "tags": tags, "updated_at": iso(at_ms),
        "variants": [{"inventory_item_id": item, "sku": sku} for item, sku in items]})


def sales(sku: str, pieces: int, days_ago: int, number: int = 0, title: str = "") -> Event:
    """An order of some days ago."""
    placed_ms = NOW_MS - days_ago * DAY_MS
    return event("orders/create", order(1000 * number + days_ago + 1, placed_ms=placed_ms, updated_ms=placed_ms,
                                        line_items=[line(sku, pieces, title)]))


def supplies(*events: Event, since_days: int = 30) -> tuple[Supply, ...]:
    """What stock says after these events."""
    found = reading("stock", fold_all(events, BERLIN), site(since_ms=NOW_MS - since_days * DAY_MS)).stock
    assert found is not None
    return found.supplies


def line(sku: str, pieces: int, title: str = "") -> dict[str, Any]:
    """A line of an order."""
    return {"id": 1, "sku": sku, "title": title or sku, "quantity": pieces, "price": "1.00"}


def tagged(kpi: str, tag: str, *events: Event) -> Reading:
    """A number narrowed to products with a tag."""
    found = narrowed(BUILT_IN.kpi_by_id[kpi], (("tag", tag),), BUILT_IN)
    assert found is not None
    return reading(found, fold_all(events, BERLIN), site())


# --- days left --------------------------------------------------------------------------------------------------


def test_stock_lasts_as_long_as_it_would_at_the_pace_of_two_weeks() -> None:
    """28 pieces in 14 days are two a day: nine pieces last four days, and the fifth not whole."""
    (found,) = supplies(level("MUG", 9), *(sales("MUG", 2, days_ago) for days_ago in range(1, 15)))
    assert (found.sold, found.days_left(PACE_DAYS)) == (28, 4)


def test_today_and_what_was_before_two_weeks_is_no_pace() -> None:
    """A day that is not over would make the pace too slow in the morning."""
    (found,) = supplies(level("MUG", 9), sales("MUG", 50, 0), sales("MUG", 70, 15), sales("MUG", 7, 3))
    assert found.sold == 7


def test_days_before_counting_began_are_no_days_without_sales() -> None:
    """Four whole days were counted: four pieces are one a day, and not four in fourteen."""
    memory = fold_all([level("MUG", 6), *(sales("MUG", 1, days_ago) for days_ago in range(1, 5))], BERLIN)
    found = reading("stock", memory, site(since_ms=NOW_MS - 5 * DAY_MS)).stock
    assert found is not None
    assert (found.days, found.supplies[0].days_left(found.days)) == (4, 6)


@pytest.mark.parametrize("since_ms", [NOW_MS - 3 * DAY_MS, NOW_MS, None])
def test_fewer_than_three_whole_days_are_no_pace(since_ms: int | None) -> None:
    """The day that counting began in is not whole."""
    found = reading("stock", fold_all([level("MUG", 6), sales("MUG", 1, 1)], BERLIN), site(since_ms=since_ms)).stock
    assert found is not None
    assert (found.days, found.supplies[0].days_left(found.days)) == (0, None)


def test_an_order_that_is_cancelled_is_no_sale() -> None:
    """What came back to the shelf is not sold."""
    placed = sales("MUG", 7, 3)
    cancelled = event("orders/cancelled", order(4, placed_ms=NOW_MS - 3 * DAY_MS, updated_ms=NOW_MS,
                                                cancelled_at=iso(NOW_MS), line_items=[line("MUG", 7)]))
    assert [one.sold for one in supplies(level("MUG", 9), placed, cancelled)] == [0]


def test_a_sku_is_one_however_many_places_it_lies_in() -> None:
    """Sales do not say from which shelf."""
    (found,) = supplies(level("MUG", 9), level("MUG", 5, "attic"), sales("MUG", 14, 2))
    assert (found.available, found.places, found.days_left(PACE_DAYS)) == (14, ("attic", "hall"), 14)


def test_of_one_place_no_pace_is_known() -> None:
    """What is sold is not told by place."""
    kpi = narrowed(BUILT_IN.kpi_by_id["stock"], (("location", "hall"),), BUILT_IN)
    assert kpi is not None
    memory = fold_all([level("MUG", 9), level("POT", 5, "attic"), sales("MUG", 14, 2)], BERLIN)
    found = reading(kpi, memory, site()).stock
    assert found is not None
    assert (found.days, found.is_whole, [one.sku for one in found.supplies]) == (0, False, ["MUG"])


def test_what_is_out_and_wanted_stands_first_and_what_nobody_buys_last() -> None:
    """Then what lasts shortest."""
    found = supplies(level("SLOW", 40), level("GONE", 0), level("DUST", 3), level("FAST", 4), level("DEAD", 0),
                     sales("SLOW", 14, 1), sales("GONE", 14, 2), sales("FAST", 28, 3))
    assert [one.sku for one in found] == ["GONE", "FAST", "SLOW", "DEAD", "DUST"]


def test_where_sales_are_not_told_apart_nothing_is_said_to_be_unsold() -> None:
    """Beyond 5,000 SKUs a day they are one number: it may be among them."""
    memory = fold_all([level("MUG", 9), level("POT", 9), sales("MUG", 14, 2)], BERLIN)
    (day,) = [found for found in memory.scores if found.rollup == "sold"]
    memory.scores[day][OTHER] = 3
    found = reading("stock", memory, site()).stock
    assert found is not None
    assert ([(one.sku, one.sold) for one in found.supplies], found.untold) == ([("MUG", 14), ("POT", None)], 3)


@given(available=st.integers(-9, 10**6), sold=st.integers(0, 10**6), days=st.integers(0, 14))
def test_so_many_days_can_be_sold_and_one_more_cannot(available: int, sold: int, days: int) -> None:
    """Whole days, never rounded up; nothing is divided by nothing."""
    left = Supply("MUG", "", (), available, sold).days_left(days)
    if not sold or not days:
        assert left is None
    else:
        assert left is not None and left * sold <= max(available, 0) * days < (left + 1) * sold


# --- names ------------------------------------------------------------------------------------------------------


def test_stock_of_shopify_has_the_sku_and_name_that_its_product_says() -> None:
    """The level knows the number of the item alone."""
    (found,) = supplies(shopify_level(9007199254741001, 6), product(1, "Tent", (9007199254741001, "TENT-2")),
                        sales("TENT-2", 14, 1))
    assert (found.sku, found.name, found.available, found.sold) == ("TENT-2", "Tent", 6, 14)


@pytest.mark.parametrize("told", [[], [product(1, "Tent", (9007199254741001, ""))]])
def test_nobody_knows_what_is_sold_of_an_item_without_a_sku(told: list[Event]) -> None:
    """Not 'not sold': sales are told by SKU."""
    (found,) = supplies(shopify_level(9007199254741001, 6), *told)
    assert (found.sku, found.sold) == ("9007199254741001", None)


TOLD = [shopify_level(9007199254741001, 6), product(1, "Tent", (9007199254741001, "TENT-1"), at_ms=NOW_MS - 9_000),
        product(1, "Tent for two", (9007199254741001, "TENT-2"), tags="camp, rain", at_ms=NOW_MS - 5_000),
        product(2, "Stove", (9007199254741003, "FIRE")), shopify_level(9007199254741003, 2), sales("TENT-2", 14, 2),
        product(3, "Boat", (9007199254741004, "BOAT")), event("products/delete", {"id": 3})]


@given(data=st.data())
def test_names_and_days_do_not_depend_on_what_came_first(data: st.DataObject) -> None:
    """The newest version of a product holds, whatever overtook it or came twice."""
    arrival = data.draw(st.permutations([*TOLD, *data.draw(st.lists(st.sampled_from(TOLD), max_size=6))]))
    cut = data.draw(st.integers(0, len(arrival)))
    memory = Memory(BERLIN).take(*arrival[:cut]).take(*arrival[cut:])
    found = reading("stock", memory, site()).stock
    assert found is not None
    assert [(one.sku, one.name, one.available, one.sold) for one in found.supplies] == [
        ("TENT-2", "Tent for two", 6, 14), ("FIRE", "Stove", 2, 0)]
    assert {name: amount for name, amount in memory.panes[Hash("tags", "n", "")].items() if amount} == {
        "Tent for two|camp.n": 1, "Tent for two|rain.n": 1}


def test_what_a_product_is_called_begins_no_history() -> None:
    """A product of two years ago does not mean that sales were counted since then."""
    told = product(1, "Tent", (1, "TENT"), tags="camp", at_ms=NOW_MS - 300 * DAY_MS)
    assert fold_all([told], BERLIN).since_ms is None


# --- tags -------------------------------------------------------------------------------------------------------

SOLD = [sales("TENT-2", 2, 0, 1, "Tent"), sales("FIRE", 3, 0, 2, "Stove"), sales("BOAT", 4, 0, 3, "Boat")]
CAMP = [product(1, "Tent", (11, "TENT-2"), tags="camp"), product(2, "Stove", (12, "FIRE"), tags="camp, hot"),
        product(3, "Boat", (13, "BOAT"), tags="water")]


@pytest.mark.parametrize("tag, rows", [
    ("camp", [("Stove", 3), ("Tent", 2)]), ("water", [("Boat", 4)]), ("hot", [("Stove", 3)]), ("cam", [])])
def test_a_ranking_can_be_narrowed_to_a_tag(tag: str, rows: Sequence[tuple[str, int]]) -> None:
    """Those that carry it, and what they come to."""
    found = tagged("top-pieces", tag, *SOLD, *CAMP)
    assert ([(row.name, row.value) for row in found.rows], found.value, found.untold) == (
        list(rows), sum(pieces for _, pieces in rows), "")


def test_tags_are_those_of_now() -> None:
    """Also for what was sold before the product was tagged so."""
    again = product(3, "Boat", (13, "BOAT"), tags="camp", at_ms=NOW_MS + 1_000)
    assert [row.name for row in tagged("top-pieces", "camp", *SOLD, *CAMP, again).rows] == ["Boat", "Stove", "Tent"]


def test_stock_can_be_narrowed_to_a_tag_by_sku_and_by_the_number_of_an_item() -> None:
    """Through the product that they are of."""
    found = tagged("stock", "camp", *CAMP, level("TENT-2", 5), shopify_level(12, 7), level("BOAT", 9)).stock
    assert found is not None
    assert {one.sku: one.available for one in found.supplies} == {"TENT-2": 5, "FIRE": 7}


def test_before_any_product_was_told_nobody_knows_what_carries_a_tag() -> None:
    """That is said, and is no nought."""
    found = tagged("top-products", "camp", *SOLD)
    assert (found.value, found.rows, found.untold) == (None, (), "none")


def test_more_tags_than_are_told_apart_say_so() -> None:
    """A sum that may lack a product is none."""
    memory = fold_all([*SOLD, *CAMP], BERLIN)
    memory.panes[Hash("tags", "n", "")][f"{OTHER}.n"] = 1
    kpi = narrowed(BUILT_IN.kpi_by_id["top-products"], (("tag", "camp"),), BUILT_IN)
    assert kpi is not None
    assert (reading(kpi, memory, site()).value, reading(kpi, memory, site()).untold) == (None, "many")


def test_what_is_sold_beyond_the_cap_of_a_ranking_is_said_to_be_left_out() -> None:
    """It may carry the tag."""
    memory = fold_all([*SOLD, *CAMP], BERLIN)
    for found, members in memory.scores.items():
        if found.rollup == "pieces":
            members[OTHER] = 9
    kpi = narrowed(BUILT_IN.kpi_by_id["top-pieces"], (("tag", "camp"),), BUILT_IN)
    assert kpi is not None
    assert (reading(kpi, memory, site()).value, reading(kpi, memory, site()).untold) == (5, "others")


def test_a_rollup_of_the_site_with_a_field_called_tag_is_narrowed_by_that_field() -> None:
    """What it counts by says more than what the shop says now."""
    by_tag = replace(BUILT_IN.rollup("orders"), id="orders-by-tag", by=("tag",))
    more = replace(BUILT_IN, rollups=(*BUILT_IN.rollups, by_tag))
    found = narrowed(more.kpi_by_id["orders-today"], (("tag", "camp"),), more)
    assert found is not None
    assert found.rollup == "orders-by-tag"


def test_who_shows_goods_hears_of_products() -> None:
    """A product that is renamed or tagged moves what is looked up."""
    assert BUILT_IN.kpis_of({"tags"}) == ["top-products", "top-pieces", "stock"]
    assert BUILT_IN.kpis_of({"sold"}) == ["stock"]
