"""What a first visit costs, in bytes as they travel: counted, not timed (UX C3)."""

import gzip
import random
import re
from dataclasses import replace
from urllib.parse import urljoin

import pytest

from opsmon.core.boards import BOARDS, HOME
from opsmon.web import rendering
from opsmon.web.feed import slots_of
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.web import large
from tests.web.accounts.accounts import signed_in

pytestmark = pytest.mark.anyio

# Page, style, scripts, icon and manifest; htmx and its hx-sse are 15.3 KB of them.
FIRST_BYTES = 30 * 1024
HTML_BYTES = 8 * 1024
# Besides, of whoever is signed in: a name, the menu behind it, and the token of its form.
MENU_BYTES = 350
LATER_BYTES = 6.5 * 1024
EACH = pytest.mark.parametrize("board", [board.id for board in BOARDS if board.id != HOME])
ASKED = re.compile(r'(?:src|href)="(/(?:static|manifest)[^"]+)"')
# The map is counted by test_map.py; the picture of an installed app and what stands in for scripts are not asked for.
NOT_ASKED = re.compile(r'<noscript>.*?</noscript>|<link [^>]*(?:touch\.png|css/map\.css)[^>]*>'
                       r'|href="[^"]*world\.svg[^"]*"')
# Which country is filled how, and what each fill means: the map's as well.
MAP = re.compile(r'<svg class="map__plot".*?</svg>|<ul class="map__legend">.*?</ul>', re.DOTALL)
LATER = re.compile(r'data-(?:rest|sheet)="([^"]+)"')


async def weight(line: Line, path: str) -> int:
    """Bytes of a body, compressed as a browser asks for it."""
    answer = await line.get(path, accept_encoding="gzip")
    assert answer.status == 200
    return len(answer.body)


async def first_load(line: Line, path: str, cookie: str = "") -> dict[str, int]:
    """Everything a first visit fetches until it is live, but the map: path -> bytes."""
    html = MAP.sub("", (await line.get(path, cookie=cookie)).text)
    asked = [urljoin(path, found) for found in ASKED.findall(NOT_ASKED.sub("", html))]
    return {path: len(gzip.compress(html.encode()))} | {one: await weight(line, one) for one in dict.fromkeys(asked)}


@pytest.fixture
async def full(line: Line, monkeypatch: pytest.MonkeyPatch) -> Line:
    """After the first order, with all that each tile can show: numbers of nine digits, none like the other."""
    chance, series = random.Random(1), large._series
    monkeypatch.setattr(large, "_series", lambda kpi, value: tuple(
        replace(point, value=round(value * chance.uniform(0.1, 1))) for point in series(kpi, value)))
    await line.post("orders/create", order(1))
    await line.work()
    feed = line.web.feed
    assert feed is not None
    await feed.look()
    for board in feed.boards.values():
        await feed.open(slots_of(board, "board"))
    views = large.large_views(feed.catalogue, feed.board.wording, feed.board.zone)
    feed.hub.update([(f"kpi-{view.id}", view) for view in views if f"kpi-{view.id}" in feed.hub.slots], 0)
    return line


@EACH
async def test_a_board_is_small(full: Line, board: str) -> None:
    """Its HTML with every tile full is at most 8 KB gzipped."""
    assert await weight(full, f"/b/{board}") <= HTML_BYTES


@EACH
async def test_a_first_visit_is_light(full: Line, board: str) -> None:
    """Page, style, scripts, icon and manifest of a full board are at most 30 KB gzipped; the map comes on top."""
    found = await first_load(full, f"/b/{board}")
    assert sum(found.values()) <= FIRST_BYTES, found


@EACH
async def test_a_first_visit_of_an_admin_is_light(full: Line, board: str) -> None:
    """The same 30 KB, and a third of one for the menu of who is signed in; its style waits until the board is live."""
    cookie = await signed_in(full.store, "admin", NOW_MS)
    found = await first_load(full, f"/b/{board}", cookie)
    assert sum(found.values()) <= FIRST_BYTES + MENU_BYTES, found


@EACH
async def test_a_first_visit_before_the_first_order_is_light(line: Line, board: str) -> None:
    """With the steps that set it up, and their style."""
    assert sum((await first_load(line, f"/b/{board}")).values()) <= FIRST_BYTES


async def test_what_can_wait_until_a_page_is_live_costs_little(line: Line) -> None:
    """Pause and cadence, what counts, what was missed, being good without a connection, the menu, what is
    wrong: 6.5 KB."""
    html = (await line.get("/b/sales")).text
    assert sum([await weight(line, path) for path in (*LATER.findall(html), "/sw.js", "/offline")]) <= LATER_BYTES


async def test_a_page_asks_for_one_sheet_and_two_scripts(line: Line) -> None:
    """One of them before the first paint: on a phone each request waits for the way there and back."""
    html = NOT_ASKED.sub("", (await line.get("/")).text)
    assert (html.count("<link rel=\"stylesheet\""), html.count("<script")) == (1, 2)


async def test_a_board_asks_for_the_style_of_its_own_tiles_only(line: Line) -> None:
    """Technology has percentiles and no funnel."""
    (sheet,) = re.findall(r'rel="stylesheet" href="[^"]*css/(ops[^"]*)"', (await line.get("/b/technology")).text)
    assert ("strip" in sheet.split(","), "funnel" in sheet.split(",")) == (True, False)


async def test_the_scripts_of_a_page_are_one_script_that_can_be_read(line: Line) -> None:
    """What each of them calls by the same name stays its own; what it exports is seen by the others, also by those
    that come when the page is live."""
    written = (await line.get(rendering.asset("js/clock,guard,pause.js"))).text
    assert (written.count("const root"), written.count("\nimport "), written.count("\nexport ")) == (2, 0, 0)
    assert re.findall(r"^const \{([\w,]+)\}=\(\(\)=>", written, re.MULTILINE)[-1] == "held"


async def test_what_is_said_in_a_script_keeps_its_blanks(line: Line) -> None:
    """Blanks go where they say nothing."""
    written = (await line.get(rendering.asset("js/guard,away.js"))).text
    assert ('/ data-rev="(\\d+)"/' in written, "held=new Map();" in written, "{ " in written) == (True, True, False)
