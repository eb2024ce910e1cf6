"""Goods along the whole line: from the deliveries of a shop to tiles that say how long stock lasts, and to tags."""

from typing import Any

import pytest

from opsmon.core.calendar import DAY_MS
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import iso, order
from tests.web.test_board_editor import mine, press, stored
from tests.web.wire import Elements

pytestmark = pytest.mark.anyio
ITEM = 9007199254741001


async def sell(line: Line, number: int, title: str, sku: str, pieces: int, days_ago: int = 0) -> None:
    """An order of one product."""
    placed_ms = NOW_MS - days_ago * DAY_MS
    await line.post("orders/create", order(number, placed_ms=placed_ms, updated_ms=placed_ms, line_items=[
        {"id": 1, "sku": sku, "title": title, "quantity": pieces, "price": "10.00"}]))


async def tell(line: Line, number: int, title: str, item: int, sku: str, tags: str, **more: Any) -> None:
    """A product."""
    await line.post("products/update", {"id": number, "title": title, "tags": tags, "updated_at": iso(NOW_MS), **more,
                                        "variants": [{"inventory_item_id": item, "sku": sku}]})


async def level(line: Line, item: int, pieces: int) -> None:
    """A shelf."""
    await line.post("inventory_levels/update", {"inventory_item_id": item, "location_id": 61001, "available": pieces,
                                                "updated_at": iso(NOW_MS)})


@pytest.fixture
async def shop(line: Line) -> Line:
    """A tent and a boat, both sold today and on days before; of the boat there is none."""
    for days_ago in range(16):
        await sell(line, 1000 + days_ago, "Tent", "TENT-2", 2, days_ago)
    await sell(line, 2000, "Boat", "BOAT", 14, 2)
    await sell(line, 2001, "Boat", "BOAT", 1)
    await tell(line, 1, "Tent", ITEM, "TENT-2", "camp, rain")
    await tell(line, 2, "Boat", ITEM + 1, "BOAT", "water")
    await level(line, ITEM, 9)
    await level(line, ITEM + 1, 4)
    await line.work()
    await line.post("inventory_levels/update", {"inventory_item_id": ITEM + 1, "location_id": 61001, "available": 0,
                                                "updated_at": iso(NOW_MS + 1_000)})
    await line.work()
    return line


def names(html: str) -> list[str]:
    """What stands in the first column."""
    return [row[0].partition("<small>")[0] for row in cells(html)]


def cells(html: str) -> list[list[str]]:
    """The rows of the tables of a page, cell by cell."""
    found = []
    for row in html.split("<tr>")[1:]:
        parts = [part.partition(">")[2].partition("</t")[0] for part in row.partition("</tr>")[0].split("<t")[1:]]
        found.append([" ".join(part.partition("<svg")[0].split()) for part in parts])
    return found


async def test_stock_says_how_long_it_lasts_by_name_and_sku(shop: Line) -> None:
    """Shopify's level has neither: its product has. What is out stands first."""
    await mine(shop, "stock")
    assert cells((await shop.get("/b/mine")).text) == [
        ["Boat<small>0 pieces, BOAT, 61001</small>", "out"],
        ["Tent<small>9 pieces, TENT-2, 61001</small>", "4 days left"]]


async def test_a_board_is_narrowed_to_products_with_a_tag_by_its_address(shop: Line) -> None:
    """What is counted by product or SKU; what is not says so."""
    await mine(shop, "top-pieces", "stock", "revenue-today")
    html = (await shop.get("/b/mine?tag=camp")).text
    assert names(html) == ["Tent", "Tent"]
    assert (html.count("Not narrowed: counted as a whole"), "Product tag: camp" in html) == (1, True)


async def test_the_editor_offers_the_tags_there_are(shop: Line) -> None:
    """To choose from, and to be saved with the board; revenue has no such field."""
    version = await mine(shop, "top-pieces", "revenue-outlook")
    html = (await shop.get("/b/mine/edit")).text
    offered = {e.attributes.get("value") for e in Elements(html).found if e.tag == "option"}
    assert {"camp", "rain", "water"} <= offered
    assert "This number cannot be narrowed" in html
    await press(shop, "/b/mine/edit", act="tile", tile="top-pieces", version=version, size="wide", row="near", wall="1",
                wall_size="wide", **{"only-tag": "water"})
    assert (await stored(shop, "mine"))["rows"][0]["tiles"][0]["only"] == {"tag": "water"}
    shown = names((await shop.get("/b/mine")).text)
    assert ("Boat" in shown, "Tent" in shown) == (True, False)


async def test_a_tag_that_is_taken_away_changes_the_tile(shop: Line) -> None:
    """Without an order: the board hears of the product."""
    await mine(shop, "top-pieces")
    assert names((await shop.get("/b/mine?tag=camp")).text) == ["Tent"]
    await tell(shop, 1, "Tent", ITEM, "TENT-2", "rain", updated_at=iso(NOW_MS + 1_000))
    await shop.work()
    found = (await shop.store.xrevrange("{main}:changes", count=1))[0][1][b"kpis"].decode().split(",")
    assert {"top-products", "top-pieces", "stock"} <= set(found)


async def test_marks_of_yesterday_are_chosen_like_those_of_last_week(line: Line) -> None:
    """In the editor of a board."""
    version = await mine(line, "orders-per-hour")
    await press(line, "/b/mine/edit", act="tile", tile="orders-per-hour", version=version, size="wide", row="live",
                wall="1", wall_size="wide", compare="yesterday")
    assert (await stored(line, "mine"))["rows"][0]["tiles"][0]["compare"] == "yesterday"
    for number, placed_ms in ((1, NOW_MS - 2 * DAY_MS), (2, NOW_MS - DAY_MS), (3, NOW_MS)):
        await line.post("orders/create", order(number, placed_ms=placed_ms, updated_ms=placed_ms))
    await line.work()
    html = (await line.get("/b/mine")).text
    assert "The marks are the same hours a day ago." in html
