"""What a first visit costs, in bytes as they travel: counted, not timed (UX C3)."""

import re
from urllib.parse import urljoin

import pytest

from opsmon.core.boards import BOARDS, HOME
from opsmon.web import rendering
from tests.line import Line

pytestmark = pytest.mark.anyio

# htmx and its hx-sse are 15.6 KB of them.
ASSETS_BYTES = 28 * 1024
HTML_BYTES = 8 * 1024
LATER_BYTES = 2 * 1024
EACH = pytest.mark.parametrize("board", [board.id for board in BOARDS if board.id != HOME])
ASKED = re.compile(r'(?:src|href)="(/(?:static|manifest)[^"]+)"')


async def weight(line: Line, path: str) -> int:
    """Bytes of a body, compressed as a browser asks for it."""
    answer = await line.get(path, accept_encoding="gzip")
    assert answer.status == 200
    return len(answer.body)


async def first_load(line: Line, path: str) -> dict[str, int]:
    """Everything a first visit fetches, without what only an installed app does: path -> bytes."""
    html = (await line.get(path)).text
    asked = [urljoin(path, found) for found in ASKED.findall(html) if "touch.png" not in found]
    return {one: await weight(line, one) for one in dict.fromkeys([path, *asked])}


@EACH
async def test_a_board_is_small(line: Line, board: str) -> None:
    """Its HTML with every tile in it is at most 8 KB gzipped."""
    assert await weight(line, f"/b/{board}") <= HTML_BYTES


@EACH
async def test_a_first_visit_is_light(line: Line, board: str) -> None:
    """Style, scripts, icon and manifest, beside the page itself, are at most 28 KB gzipped, and then kept for good."""
    path = f"/b/{board}"
    found = await first_load(line, path)
    assert sum(size for one, size in found.items() if one != path) <= ASSETS_BYTES, found


async def test_being_good_without_a_connection_costs_little(line: Line) -> None:
    """What is fetched once the page is live: the worker, and the page for what was never opened."""
    assert sum([await weight(line, path) for path in ("/sw.js", "/offline")]) <= LATER_BYTES


async def test_a_page_asks_for_one_sheet_and_two_scripts(line: Line) -> None:
    """One of them before the first paint: on a phone each request waits for the way there and back."""
    html = (await line.get("/")).text
    assert (html.count("<link rel=\"stylesheet\""), html.count("<script")) == (1, 2)


async def test_the_scripts_of_a_page_are_one_script_that_can_be_read(line: Line) -> None:
    """What each of them calls by the same name stays its own, and only what it exports is seen by the others."""
    written = (await line.get(rendering.asset("js/clock,guard,pause.js"))).text
    assert (written.count("const root"), written.count("\nimport "), written.count("\nexport ")) == (2, 0, 0)
    assert re.findall(r"^const \{([\w,]+)\}=\(\(\)=>", written, re.MULTILINE)[-1] == "held"
