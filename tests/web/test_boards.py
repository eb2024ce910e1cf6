"""Many boards on one feed: each shows its own, what several show is the same, what nobody sees costs nothing."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.boards import BOARDS, HOME, Board, boards_of
from opsmon.core.definitions import read_definitions
from opsmon.core.kpis import BUILT_IN
from opsmon.settings import Settings
from opsmon.store.connection import worker_client
from opsmon.web import feed as feeds
from opsmon.web import rendering
from opsmon.web.feed import Feed, slots_of
from tests.conftest import SECRET
from tests.http import Stream, open_stream
from tests.line import Line, open_line
from tests.orders import order
from tests.waiting import wait_until_async
from tests.web.own_store import own_store
from tests.web.wire import Elements, partials

pytestmark = pytest.mark.anyio

LINKED = [board for board in BOARDS if board.id != HOME]
EACH = pytest.mark.parametrize("board", LINKED, ids=lambda board: board.id)
LAYOUTS = pytest.mark.parametrize("layout", ["board", "wall"])


def path_of(board: Board, layout: str) -> str:
    """Where a board is."""
    return f"/wall/{board.id}" if layout == "wall" else f"/b/{board.id}"


async def stream_of(line: Line, board: str, since: str = "", view: str = "board") -> Stream:
    """The stream of a board's page."""
    path = f"/live?v={rendering.build()}&view={view}&board={board}&since={since}"
    stream = await open_stream(line.port, path, {})
    line.streams.append(stream)
    return stream


def feed_of(line: Line) -> Feed:
    """The feed of its web process."""
    assert line.web.feed is not None
    return line.web.feed


def at_hand(line: Line) -> set[str]:
    """The slots that are kept up to date."""
    return set(feed_of(line).hub.slots)


async def count(line: Line, *numbers: int) -> None:
    """Orders come in and are counted."""
    for number in numbers:
        await line.post("orders/create", order(number))
    await line.work()


# What is shown where


@EACH
@LAYOUTS
async def test_a_page_has_each_slot_of_its_board_once_and_no_other(line: Line, board: Board, layout: str) -> None:
    """A partial for a place that is not there would be dropped without a word."""
    ids = [found for found in Elements((await line.get(path_of(board, layout))).text).ids()
           if found.startswith("kpi-") or found in ("health", "setup", "band", "alerts")]
    assert sorted(ids) == sorted(slots_of(board, layout))


@EACH
@LAYOUTS
async def test_a_stream_sends_the_slots_of_its_board_and_no_other(line: Line, board: Board, layout: str) -> None:
    """All of them at once to whoever has none."""
    frame = await (await stream_of(line, board.id, view=layout)).next_frame()
    assert set(partials(frame.data)) == slots_of(board, layout)


async def test_the_first_page_is_the_overview(line: Line) -> None:
    """/ is what a phone opens."""
    html = (await line.get("/")).text
    assert (re.findall(r"<h1[^>]*>(.*?)</h1>", html), f"&amp;board={LINKED[0].id}&amp;" in html) == (["Overview"], True)


async def test_a_reader_goes_from_board_to_board(line: Line) -> None:
    """Links to all of them, the present one marked."""
    nav = re.search(r'<nav class="boards".*?</nav>', (await line.get("/b/sales")).text, re.DOTALL)
    assert nav is not None
    found = [(link.attributes["href"], "aria-current" in link.attributes) for link in Elements(nav[0]).found[1:]]
    assert found == [("/", False), ("/b/sales", True), ("/b/operations", False), ("/b/technology", False)]


async def test_a_wall_has_no_way_to_other_boards(line: Line) -> None:
    """No bar of boards: nobody stands before a wall with a mouse. What its slots share with boards is not shown
    there (test_boards_browser)."""
    found = Elements((await line.get("/wall/sales")).text).found
    asked = [element.attributes.get("data-act") for element in found if element.tag in ("button", "nav")]
    assert asked == ["sound"]


@pytest.mark.parametrize("path", ["/b/nothing", "/wall/nothing", "/b/own"])
async def test_a_board_that_is_not_there_is_no_page(line: Line, path: str) -> None:
    """404, with the way to those that are."""
    assert (await line.get(path)).status == 404


async def test_the_stream_of_a_board_that_is_gone_makes_its_page_load_again(line: Line) -> None:
    """The board of own numbers goes with the last of them; its page then says so."""
    stream = await stream_of(line, "own")
    told = await stream.next()
    assert told is not None
    assert (told.event, told.retry, await stream.next()) == ("reload", "10000", None)


async def test_a_tile_says_how_often_it_changes(line: Line) -> None:
    """Quietly, where it is not at once."""
    html = (await line.get("/b/sales")).text
    told = re.compile(r'id="kpi-([\w-]+)".*cell__long">(.*?)<', re.DOTALL)
    cells = [told.search(cell) for cell in html.split('class="cell"')]
    said = {found[1]: found[2] for found in cells if found}
    cadence = {slot.kpi: row.cadence for row in feed_of(line).boards["sales"].rows for slot in row.slots}
    words = {"near": "every 30 s", "batch": "hourly"}
    assert {kpi: said.get(kpi) for kpi in cadence if cadence[kpi] != "live"} == {
        kpi: words[name] for kpi, name in cadence.items() if name != "live"}
    assert html.count('class="cell__every"') == len([name for name in cadence.values() if name != "live"])


@EACH
async def test_a_full_board_takes_at_most_8_kb(line: Line, board: Board) -> None:
    """Gzipped, with numbers in it: a phone on a poor line shows it within a second."""
    for number in range(40):
        await line.post("orders/create", order(number))
    await line.work()
    answer = await line.get(path_of(board, "board"), accept_encoding="gzip")
    assert (answer.headers["content-encoding"], len(answer.body) <= 8 * 1024) == ("gzip", True)
    assert gzip.decompress(answer.body).startswith(b"<!doctype html>")


@pytest.fixture
async def own_line(settings: Settings, clock: ManualClock, store: Redis) -> AsyncIterator[Line]:
    """A site with a KPI of its own."""
    catalogue, problems = read_definitions(
        [{"id": "doors", "label": "Doors opened", "on": "door.opened", "measure": "count", "window": "today"}],
        BUILT_IN)
    assert problems == []
    async with open_line(replace(settings, catalogue=catalogue), clock, store, SECRET.encode()) as opened:
        yield opened


async def test_an_own_number_is_on_the_board_of_own_numbers(own_line: Line) -> None:
    """It appears by itself, and says what would fill it."""
    html = (await own_line.get("/b/own")).text
    assert ("Doors opened" in html, "Send door.opened to /ingest/events." in html) == (True, True)


async def test_before_the_first_order_a_board_of_programs_shows_its_numbers(line: Line) -> None:
    """Only what is made of orders gives way to the steps that connect a shop."""
    asked = {path: re.findall(r'class="tiles" data-orders="(\w+)"', (await line.get(path)).text)[0]
             for path in ("/", "/b/technology", "/wall/technology")}
    assert asked == {"/": "yes", "/b/technology": "no", "/wall/technology": "no"}


# Once for all


async def test_two_boards_show_the_same_bytes_of_a_number(line: Line) -> None:
    """Read once and drawn once: numbers can never differ between two screens."""
    sales, overview = await stream_of(line, "sales"), await stream_of(line, "overview")
    for stream in (sales, overview):
        await stream.next_frame()
    await count(line, 1001)
    shared = slots_of(feed_of(line).boards["sales"], "board") & slots_of(feed_of(line).boards["overview"], "board")
    found = []
    for stream in (sales, overview):
        have: dict[str, str] = {}
        while "€49.90" not in have.get("kpi-revenue-today", "") or "kpi-orders-today" not in have:
            have |= partials((await stream.next_frame()).data)
        found.append({slot: have[slot] for slot in shared & have.keys() if "kpi-" in slot})
    both = found[0].keys() & found[1].keys()
    assert {slot: found[0][slot] for slot in both} == {slot: found[1][slot] for slot in both}
    assert {"kpi-revenue-today", "kpi-orders-today"} <= both


async def test_a_number_on_two_boards_is_read_once(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many boards show it."""
    feed, reads = feed_of(line), []
    await line.get("/b/sales")
    await line.get("/")
    read = feed._kpis.read

    async def counting(kpis: Any, *args: Any) -> Any:
        asked = list(kpis)
        reads.append([kpi.id for kpi in asked])
        return await read(asked, *args)

    monkeypatch.setattr(feed._kpis, "read", counting)
    await count(line, 1001)
    await wait_until_async(lambda: any("revenue-today" in ids for ids in reads), "a reading")
    assert next(ids.count("revenue-today") for ids in reads if "revenue-today" in ids) == 1


async def test_a_board_page_and_its_stream_are_the_same_html(line: Line) -> None:
    """What a screen has after a push is what a fresh page has, byte for byte."""
    await count(line, 1001)
    await wait_until_async(lambda: "€49.90" in str(feed_of(line).hub.slots["kpi-revenue-today"].view), "the order")
    html = (await line.get("/b/sales")).text
    frame = await (await stream_of(line, "sales")).next_frame()
    # Set-up goes with the first order; health tells how long this process took: they may have moved between the two.
    assert [target for target, partial in partials(frame.data).items()
            if target.startswith("kpi-") and partial not in html] == []


# What nobody sees


async def test_a_board_nobody_opened_is_not_read(line: Line) -> None:
    """Only the five numbers of the first board are kept at hand."""
    await count(line, 1001)
    assert at_hand(line) == slots_of(boards_of(BUILT_IN)[HOME], "board")


async def test_a_board_that_is_left_is_read_no_more(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A while after the last screen has gone it costs nothing, and nothing old is kept to be shown."""
    monkeypatch.setattr(feeds, "LEASE_MS", 100)
    stream = await stream_of(line, "technology")
    await stream.next_frame()
    kept = slots_of(feed_of(line).boards["technology"], "board")
    was = kept <= at_hand(line)
    await stream.close()
    await wait_until_async(lambda: not kept & {f"kpi-{kpi}" for kpi in ("queues", "gauges")} & at_hand(line), "the end")
    assert (was, at_hand(line)) == (True, slots_of(feed_of(line).boards[HOME], "board"))


async def test_a_board_with_a_screen_stays_at_hand(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long nobody loads its page anew."""
    monkeypatch.setattr(feeds, "LEASE_MS", 1)
    await (await stream_of(line, "operations")).next_frame()
    await count(line, 1001)
    await asyncio.sleep(0.05)
    feed_of(line)._forget_unwatched()
    assert slots_of(feed_of(line).boards["operations"], "board") <= at_hand(line)


async def test_a_screen_that_comes_back_late_gets_what_it_missed(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its board was forgotten meanwhile: it is read again, and all that changed is sent."""
    monkeypatch.setattr(feeds, "LEASE_MS", 50)
    stream = await stream_of(line, "operations")
    seen = (await stream.next_frame()).id
    await stream.close()
    await wait_until_async(lambda: "kpi-active-orders" not in at_hand(line), "the end of its board")
    await count(line, 1001)
    back = await stream_of(line, "operations", since=seen)
    assert '<data class="tile__value" value="1">' in partials((await back.next_frame()).data)["kpi-active-orders"]


# How often


def plan_of(line: Line, kpi: str) -> feeds.SlotPlan:
    """How a number is read."""
    return next(planned for planned in feed_of(line)._plans if planned.kpi.id == kpi)


async def test_near_numbers_change_every_30_s_and_batch_hourly(line: Line) -> None:
    """Live four times a second, bars every 5 s."""
    found = {kpi: plan_of(line, kpi).cadence_ms
             for kpi in ("revenue-today", "orders-per-hour", "top-products", "revenue-30d")}
    assert found == {"revenue-today": 250, "orders-per-hour": 5_000, "top-products": 30_000, "revenue-30d": 3_600_000}


async def test_a_near_number_waits_its_30_s(line: Line) -> None:
    """An order is at once in the live row, and not in the row below."""
    stream = await stream_of(line, "sales")
    await stream.next_frame()
    await count(line, 1001)
    have: dict[str, str] = {}
    while "€49.90" not in have.get("kpi-revenue-today", ""):
        have |= partials((await stream.next_frame()).data)
    near = {f"kpi-{slot.kpi}" for row in feed_of(line).boards["sales"].rows if row.cadence != "live"
            for slot in row.slots}
    assert near & have.keys() == set()


async def test_a_new_day_does_not_wait_for_the_hour(line: Line, clock: ManualClock) -> None:
    """At midnight what is told hourly is told anew."""
    await (await stream_of(line, "sales")).next_frame()
    planned = plan_of(line, "customers-today")
    before_ms = planned.read_ms
    clock.advance(10 * 3_600_000)
    await wait_until_async(lambda: planned.read_ms > before_ms, "a reading on the new day", 5)


async def test_opening_a_board_refreshes_what_is_told_hourly(line: Line) -> None:
    """On load and hourly: who opens a board does not see the last hour's."""
    await (await stream_of(line, "sales")).next_frame()
    planned = plan_of(line, "revenue-30d")
    planned.read_ms -= feeds.NEAR_MS + 1
    await count(line, 1001)
    await wait_until_async(lambda: planned.dirty, "the order")
    await line.get("/b/sales")
    await wait_until_async(lambda: "€49.90" in str(feed_of(line).hub.slots["kpi-revenue-30d"].view), "a new reading", 5)


# What would fill it


async def test_a_number_that_never_had_data_says_what_would_fill_it(line: Line) -> None:
    """No zero that looks measured: a dash, and which source is missing."""
    await count(line, 1001)
    html = (await line.get("/b/sales")).text
    tile = re.search(r'<article id="kpi-carts-today".*?</article>', html, re.DOTALL)
    assert tile is not None
    assert re.findall(r'tile__value" value="([^"]*)"[^>]*>(.*?)<', tile[0]) == [("", "–")]
    assert "Filled by the carts of your shop. Connect it at /sources." in tile[0]


async def test_a_list_that_never_had_data_says_what_would_fill_it(line: Line) -> None:
    """Instead of an empty table."""
    html = (await line.get("/b/technology")).text
    tile = re.search(r'<article id="kpi-queues".*?</article>', html, re.DOTALL)
    assert tile is not None
    assert "Filled by your own programs. Send queue.depth to /ingest/events." in tile[0]


async def test_a_measured_zero_is_a_zero(line: Line, clock: ManualClock) -> None:
    """Once orders have come, none today is a number again."""
    await count(line, 1001)
    clock.advance(10 * 3_600_000)
    await wait_until_async(
        lambda: getattr(feed_of(line).hub.slots["kpi-orders-today"].view, "text", "") == "0", "a new day", 5)


async def test_the_first_of_its_kind_takes_the_sentence_away(line: Line) -> None:
    """The next reading after it has the number."""
    await count(line, 1001)
    stream = await stream_of(line, "operations")
    first = partials((await stream.next_frame()).data)["kpi-active-orders"]
    assert ("Filled by" in first, '<data class="tile__value" value="1">' in first) == (False, True)


# Without a store


async def test_a_board_that_was_not_open_is_no_page_while_the_store_is_away(
        settings: Settings, clock: ManualClock, tmp_path: Any) -> None:
    """Its numbers would be of any age: it says so, and tries again by itself. What was open stays."""
    with own_store(tmp_path) as store:
        client = worker_client(store.url)
        async with open_line(replace(settings, store_url=store.url), clock, client, SECRET.encode()) as line:
            await line.get("/b/technology")
            store.stop()
            await wait_until_async(lambda: "cannot be reached" in str(feed_of(line).hub.slots["health"].view), "it")
            found = [(await line.get(path)).status for path in ("/wall", "/b/technology", "/b/sales")]
            refused = await stream_of(line, "sales")
        await client.aclose()
    assert (found, refused.status) == ([200, 200, 503], 503)
