"""Tiles without a number on the real line: read once for all screens, pushed as numbers are, over when they are."""

import re
from html import unescape
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import MINUTE_MS
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order, refund
from tests.store.dead import keep, letter
from tests.waiting import wait_until_async
from tests.web.test_board_editor import press, tiles, upload
from tests.web.wire import partials

pytestmark = pytest.mark.anyio


async def take(line: Line, *rows: dict[str, Any], board: str = "hall") -> None:
    """Save a board, as from a file."""
    answer = await upload(line, orjson.dumps({"board": board, "title": "Hall", "rows": rows}))
    assert answer.status == 303


def live(*told: dict[str, Any]) -> dict[str, Any]:
    """A row of what changes as it happens."""
    return {"cadence": "live", "tiles": list(told)}


async def words(line: Line, part: str, path: str = "/b/hall") -> str:
    """A tile as it is read, without what is folded away."""
    html = (await line.get(path)).text.partition(f'id="kpi-_{part}')[2].partition(">")[2].partition("</article>")[0]
    html = re.sub(r"<(details|caption|noscript).*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


async def trade(line: Line) -> None:
    """An order is placed, another one cancelled, and something is given back."""
    await line.post("orders/create", order(1, "49.90", placed_ms=NOW_MS - 120_000))
    await line.post("orders/create", order(2, "12.34", placed_ms=NOW_MS - 60_000))
    await line.post("refunds/create", refund(given_ms=NOW_MS, order_id=1))
    await line.work()


async def test_what_happened_is_told_newest_first_without_amounts(line: Line, store: Redis) -> None:
    """Orders by their names, and what could not be counted; no sum of money anywhere in the tile."""
    await trade(line)
    await keep(store, letter(9))
    await take(line, live({"tile": "activity", "size": "wide"}))
    told = await words(line, "activity")
    # What could not be counted is of when the store says, whose clock is the real one.
    assert told.startswith("What happened An event could not be counted")
    assert told.endswith("Shopify Order #1 refunded Fri 14:03 Shopify Order #2 placed Fri 14:02 Shopify "
                         "Order #1 placed Fri 14:01 Shopify")


async def test_a_wall_without_money_still_shows_what_happened(line: Line) -> None:
    """It has no amounts; the numbers that do are left out."""
    await trade(line)
    await take(line, live({"tile": "activity", "wall": 1}, {"kpi": "revenue-today", "wall": 2}))
    assert await tiles(line, "hall?money=off", "wall") == ["kpi-_activity_live"]


async def test_how_sources_are_is_told_with_a_word(line: Line) -> None:
    """Shopify is well, and was heard now; what waits is said."""
    await line.post("orders/create", order(1))
    await line.work()
    await take(line, live({"tile": "sources"}))
    assert (await words(line, "sources")).startswith("Sources Shopify Well Fri 14:03")


async def test_a_text_is_shown_as_it_was_written(line: Line) -> None:
    """Line breaks are kept, and nothing in it is a tag."""
    await take(line, live({"tile": "text", "text": "<script>alert(1)</script>\n& so on", "level": "important"}))
    html = (await line.get("/b/hall")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\n&amp; so on</p>" in html
    assert "<script>alert" not in html
    assert (await words(line, "text")).startswith("Text Important <script>")


async def test_a_text_is_gone_when_its_time_is_over_and_the_editor_says_so(line: Line, clock: ManualClock) -> None:
    """From desk and wall, with the next minute and without a hand; the board itself keeps it."""
    await take(line, live({"tile": "text", "text": "Until four", "until": "2026-11-20T14:05", "wall": 1},
                          {"kpi": "orders-today", "wall": 2}))
    assert len(await tiles(line, "hall")) == 2
    stream = await line.open(board="hall")
    assert set(partials((await stream.next_frame()).data)) >= {"health"}
    clock.advance(3 * MINUTE_MS)

    async def is_gone() -> bool:
        return await tiles(line, "hall") == ["kpi-orders-today"]

    await wait_until_async(is_gone, "the text to go")
    assert await tiles(line, "hall", "wall") == ["kpi-orders-today"]
    assert "Not shown any more since 14:05" in (await line.get("/b/hall/edit")).text


async def test_a_clock_without_a_script_says_of_when_it_is(line: Line, clock: ManualClock) -> None:
    """The time at which the page was made, within a minute; in another zone with how far it is."""
    await take(line, live({"tile": "clock"}), board="hall")
    await take(line, live({"tile": "clock", "zone": "America/New_York"}), board="there")
    assert await words(line, "clock") == "Berlin 14:03 Fri, Nov 20"
    assert await words(line, "clock", "/b/there") == "New York 08:03 Fri, Nov 20 −6 h"
    assert "(as of when this page was made)</noscript>" in (await line.get("/b/hall")).text
    clock.advance(5 * MINUTE_MS)

    async def has_moved() -> bool:
        return await words(line, "clock") == "Berlin 14:08 Fri, Nov 20"

    await wait_until_async(has_moved, "the clock to be drawn anew")


async def test_a_happening_is_pushed_as_every_slot_is(line: Line) -> None:
    """To whoever shows it, in the same frame as numbers."""
    await take(line, live({"tile": "activity"}))
    stream = await line.open(view="board", board="hall")
    await stream.next_frame()
    await line.post("orders/create", order(7))
    await line.work()
    found: dict[str, str] = {}
    while "#7" not in found.get("kpi-_activity_live", ""):
        found |= partials((await stream.next_frame()).data)
    assert "Order #7 placed" in found["kpi-_activity_live"]


async def test_many_orders_are_read_once_a_cadence(line: Line, store: Redis) -> None:
    """A live list is read at most every five seconds, for ten screens as for one, and nothing when nobody looks."""
    await take(line, live({"tile": "activity"}, {"tile": "sources"}))
    for _ in range(10):
        await (await line.open(view="board", board="hall")).next_frame()

    async def reads() -> int:
        told = await store.info("commandstats")
        return int(told.get("cmdstat_xrevrange", {}).get("calls", 0))

    await line.work()
    before = await reads()
    for number in range(20):
        await line.post("orders/create", order(100 + number))
    await line.work()
    stream = await line.open(view="board", board="hall")
    await stream.next_frame()
    assert await reads() - before <= 10


async def test_a_sheet_of_a_tile_is_loaded_only_where_it_stands(line: Line) -> None:
    """A board of numbers pays nothing for clocks and texts."""
    await take(line, live({"tile": "clock"}, {"kpi": "orders-today"}))
    pages = [(await line.get(path)).text for path in ("/b/hall", "/b/sales", "/wall/hall")]
    sheets = [re.findall(r'rel="stylesheet" href="[^"]*css/([\w,-]+)\.css"', page)[0].split(",") for page in pages]
    assert ["tile-clock" in asked for asked in sheets] == [True, False, False]


async def test_a_form_that_says_too_much_is_told_what_to_do(line: Line) -> None:
    """The board stays as it was."""
    await press(line, "/boards", act="new", title="Mine")
    await press(line, "/b/mine/edit", act="add", kpi="_text", version=1)
    form = {"tile": "_text", "row": "live", "size": "wide", "wall": "0", "version": 2}
    answer = await press(line, "/b/mine/edit", act="tile", text="x" * 281, **form)
    assert (answer.status, "at most 280 can be read from afar" in answer.text) == (422, True)
    said = {"text": "Hello\r\nall", "level": "note", "until": "2026-01-01T10:00:00"}
    await press(line, "/b/mine/edit", act="tile", **said, **form)
    told = orjson.loads((await line.get("/b/mine.json")).body)["rows"][0]["tiles"]
    assert told == [{"tile": "text", "size": "wide", "text": "Hello\nall", "level": "note",
                     "until": "2026-01-01T10:00"}]


async def test_a_page_that_is_narrowed_says_so_of_lists_and_not_of_clocks(line: Line) -> None:
    """A list counts the whole; a clock counts nothing."""
    await take(line, live({"tile": "clock"}, {"tile": "activity"}))
    cells = (await line.get("/b/hall?channel=pos")).text.split('class="cell"')[1:]
    assert ["Not narrowed" in cell for cell in cells] == [False, True]
