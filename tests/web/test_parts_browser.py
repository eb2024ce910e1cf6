"""Tiles without a number in a real Chromium: a text typed on one screen is read on others, and nothing is cut."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page
from redis.asyncio import Redis

from opsmon.core.boards import Board, Row
from opsmon.core.calendar import SiteCalendar
from opsmon.core.parts import ACTIVITY, CLOCK, SOURCES, TEXT
from opsmon.core.slots import Options, Slot
from opsmon.settings import Settings
from opsmon.store.board_store import write_record
from opsmon.store.keys import Keys
from opsmon.web.part_views import text_view
from opsmon.web.wording import Wording
from tests.web.browser import Site, open_chromium, open_site, until
from tests.web.test_every_size import LOW, OVER

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SAID = "Stocktaking today:\nthe line stops at 16:00 <b>sharp</b>."
LONG = ("From Monday on orders with fragile goods are packed at station 7 only: the new boxes are there, and so is "
        "Bo, who shows how they fold. Whatever is on hold for a box waits on the green shelf, not on the belt. "
        "Questions: extension 214, or the board beside the coffee machine. Thanks.")[:280]
BOARD = Board("hall", "Hall", (
    Row("live", (Slot(TEXT, "wide", Options("Stocktaking", text=SAID, level="important")), Slot(CLOCK),
                 Slot(CLOCK, "M", Options(zone="America/New_York")), Slot("orders-today"), Slot("orders-per-minute"))),
    Row("near", (Slot(TEXT, "M", Options(text=LONG, level="note")), Slot(SOURCES, "wide"), Slot(ACTIVITY, "wide"))),
), ())
ALL = Board("hall", "Hall", BOARD.rows, tuple(one for one in BOARD.slots if one.kpi != "orders-per-minute"), False)
DATES = """() => [...document.querySelectorAll('.clock__date')].filter((one) => one.checkVisibility() &&
  one.getBoundingClientRect().bottom > one.closest('.tile').getBoundingClientRect().bottom + 1)
  .map((one) => one.textContent)"""
# Letters that are cut off by the box around them, above, below or beside it; and those that are too small for 5 m.
CUT = """() => [...document.querySelectorAll('.text__body')].filter((one) => one.checkVisibility()).flatMap((one) => {
  const range = document.createRange();
  range.selectNodeContents(one);
  const text = range.getBoundingClientRect(), box = one.closest('.tile').getBoundingClientRect();
  const room = one.parentElement.getBoundingClientRect();
  const isCut = text.bottom > room.bottom + 1 || text.right > room.right + 1 || room.bottom > box.bottom + 1;
  return isCut ? [`${one.textContent.slice(0, 30)}: ${text.height} in ${room.height}`] : [];
})"""
LETTERS = """() => Math.min(100, ...[...document.querySelectorAll('.text__body')].filter((one) => one.checkVisibility())
  .map((one) => 100 * parseFloat(getComputedStyle(one).fontSize) / Math.min(innerHeight, innerWidth)))"""
TURN = "(shown) => document.querySelectorAll('main > .tiles').forEach((one, at) => { one.hidden = at !== shown; })"
WALLS = [(1366, 768), (1920, 1080), (3840, 2160), (1080, 1920)]


@pytest.fixture(scope="module")
async def chromium(anyio_backend: str) -> AsyncIterator[Browser]:
    """The browser, started once."""
    async with open_chromium() as browser:
        yield browser


@pytest.fixture
async def site(chromium: Browser, settings: Settings, store: Redis) -> AsyncIterator[Site]:
    """opsmon with an order, so that boards are boards."""
    context = await chromium.new_context()
    async with open_site(settings, store, context) as opened:
        await opened.order(1001, "49.90")
        yield opened
    await context.close()


async def take(site: Site, board: Board) -> None:
    """Save a board as the editor does: from a file."""
    page = await site.open("/boards", live=False)
    await page.locator("#file").set_input_files(
        {"name": "hall.json", "mimeType": "application/json", "buffer": write_record(board)})
    await page.get_by_role("button", name="Take it").click()
    await page.wait_for_url("**/edit")
    await page.close()


async def pictured(page: Page, name: str) -> None:
    """A picture, where somebody asked for it."""
    folder = os.environ.get("OPSMON_TEST_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_a_text_typed_in_the_editor_is_read_on_a_wall_at_once(site: Site) -> None:
    """Added from the gallery, written, saved: a second screen shows it as it was typed, tags and all."""
    page = await site.open("/boards", live=False)
    await page.get_by_label("Name of a new board").fill("Mine")
    await page.get_by_role("button", name="Make it").click()
    await page.get_by_role("link", name="Add a tile").first.click()
    await page.get_by_role("button", name="Add Text", exact=True).click()
    await page.wait_for_url("**/edit?at=**")
    wall = await site.open("/wall/mine")
    phone = await site.open("/b/mine", 390, 844)
    await page.locator("textarea").fill(SAID)
    await page.get_by_label("How loud").select_option("important")
    await page.get_by_role("button", name="Save this tile").click()
    for screen in (wall, phone):
        await until(screen, "document.querySelector('.text__body')?.innerText.includes('16:00 <b>sharp')", "the text")
    assert await wall.evaluate("document.querySelector('.text__body').innerText") == SAID
    assert await wall.evaluate("document.querySelector('.text__level').textContent.trim()") == "Important"
    assert site.problems == []


@pytest.mark.parametrize(("query", "least"), [("", 2.8), ("?inches=55&metres=5", 4.6)], ids=["unasked", "from 5 m"])
async def test_nothing_is_cut_on_a_wall(site: Site, query: str, least: float) -> None:
    """At every size, with a text as long as may be; its letters are as large as the least of that wall, in % of the
    shorter side."""
    await take(site, ALL)
    found: dict[str, object] = {}
    for width, height in WALLS:
        page = await site.open(f"/wall/hall{query}", width, height)
        await page.evaluate("() => document.fonts.ready")
        for at in range(await page.locator("main > .tiles").count()):
            await page.evaluate(TURN, at)
            await pictured(page, f"wall-{width}x{height}{'-5m' if query else ''}-{at}")
            faults = [*await page.evaluate(CUT), *await page.evaluate(OVER), *await page.evaluate(LOW),
                      *await page.evaluate(DATES)]
            if await page.evaluate(LETTERS) < least:
                faults.append(f"letters of {await page.evaluate(LETTERS)} %")
            if faults:
                found[f"{width}x{height}, page {at}"] = faults
    assert found == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_nothing_is_cut_on_desk_and_phone(site: Site, theme: str) -> None:
    """Nor scrolled sideways."""
    await take(site, ALL)
    found: dict[str, object] = {}
    for width, height in [(1366, 768), (1920, 1080), (390, 844), (320, 640)]:
        page = await site.open(f"/b/hall?theme={theme}", width, height)
        await pictured(page, f"board-{width}-{theme}")
        faults = [*await page.evaluate(CUT), *await page.evaluate(OVER)]
        if faults or await page.evaluate("document.documentElement.scrollWidth") != width:
            found[f"{width}x{height}"] = faults
    assert found == {}


async def test_a_clock_ticks_by_the_clock_of_the_server(site: Site) -> None:
    """Whatever the screen's own clock says; in its own zone too."""
    await take(site, ALL)
    page = await site.open("/wall/hall")
    assert await page.evaluate("""() => {
      const shown = [...document.querySelectorAll('main [data-clock]')].map((one) => one.textContent);
      return ['Europe/Berlin', 'America/New_York'].map((timeZone, at) => shown[at] === new Intl.DateTimeFormat(
        'en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(Date.now()));
    }""") == [True, True]
    await page.evaluate("() => { const real = Date.now; Date.now = () => real() + 3600e3; }")
    await until(page, """document.querySelector('main [data-clock]').textContent === new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' }).format(Date.now() - 3600e3)""",
                "the time of the server, not of the screen")

WRITTEN = [
    "WALL", "Achtung", "Inventur: Samstag 16 Uhr", SAID, LONG, LONG.upper(), "W" * 280, "i" * 280, "1234567890 " * 25,
    "Lagerverwaltungsumstellungsvorbereitungsbesprechung um 9 Uhr, Schichtleiterbesprechungszimmer.",
    "本日の棚卸しは16時に始まります。" * 4, "棚" * 280, "a\nb\nc\nd\ne\nf\ng\nh",
    "\n".join(["A rather long line of words"] * 8), "one\n\ntwo and a half\n\nthree",
    "Packen an Station 7. " * 13,
]
PUT = """([text, room, lines]) => document.querySelectorAll('.text__body').forEach((one) => {
  one.textContent = text; one.dataset.room = room; one.dataset.lines = lines; })"""


@pytest.mark.parametrize("query", ["", "?inches=55&metres=5", "?inches=40&metres=8"])
async def test_whatever_is_written_is_whole_on_a_wall(site: Site, query: str) -> None:
    """Capitals, digits, Japanese, words without end, eight lines: larger or smaller, never cut."""
    await take(site, ALL)
    calendar = SiteCalendar(ZoneInfo("Europe/Berlin"))
    views = [text_view(Options(text=text.strip()[:280]), calendar, Wording("en", calendar), 0) for text in WRITTEN]
    found: list[str] = []
    for width, height in WALLS:
        page = await site.open(f"/wall/hall{query}", width, height)
        for at in range(await page.locator("main > .tiles").count()):
            await page.evaluate(TURN, at)
            for view in views:
                await page.evaluate(PUT, [view.text, view.room, view.lines])
                found += [f"{width}x{height}: {one}" for one in await page.evaluate(CUT)]
    assert found == []


async def test_a_text_lives_in_the_record_of_its_board(site: Site, store: Redis) -> None:
    """And nowhere else: no event, no note."""
    await take(site, ALL)
    assert b"Stocktaking" in (await store.hgetall(Keys("main").boards))[b"hall"]
