"""The address of a wall: which boards, how large, with or without money; and what is never sent then."""

import re

import pytest

from opsmon.core.boards import BOARDS, HOME
from opsmon.core.kpis import BUILT_IN
from opsmon.web import rendering
from tests.http import open_stream
from tests.line import Line
from tests.orders import order
from tests.web.wire import Elements, partials

pytestmark = pytest.mark.anyio

LINKED = [board.id for board in BOARDS if board.id != HOME]
MONEY = {f"kpi-{kpi.id}" for kpi in BUILT_IN.kpis if kpi.unit == "money"}
WRONG = {
    "inches=9": "from 10 to 200", "inches=wide": "from 10 to 200", "metres=51": "from 0.5 to 50",
    "metres=-5": "from 0.5 to 50", "money=no": "on or off", "turn=19": "20 at least", "turn=soon": "20 at least",
}


def slots_in(html: str) -> set[str]:
    """The slots of a page."""
    return {element.attributes["id"] for element in Elements(html).found if "data-rev" in element.attributes}


async def sent(line: Line, html: str) -> dict[str, str]:
    """All that the stream of a page sends to who has nothing yet."""
    found = re.search(r'hx-sse:connect="([^"]+)"', html)
    assert found is not None
    stream = await open_stream(line.port, re.sub(r"since=.*", "since=", found[1].replace("&amp;", "&")), {})
    line.streams.append(stream)
    return partials((await stream.next_frame()).data)


@pytest.mark.parametrize("path", [*LINKED, HOME, "+".join(LINKED[:3]), "sales?inches=55&metres=5",
                                  "sales?inches=32&metres=6", "operations+sales?money=off"])
async def test_the_stream_of_a_wall_sends_what_stands_on_it_and_nothing_else(line: Line, path: str) -> None:
    """On whichever of its pages."""
    html = (await line.get(f"/wall/{path}")).text
    assert set(await sent(line, html)) == slots_in(html)


@pytest.mark.parametrize("board", [*LINKED, HOME, "sales+overview+operations"])
async def test_a_wall_without_money_is_not_sent_any(line: Line, board: str) -> None:
    """Neither in the page nor in the stream: whoever looks into the browser of the hall finds no amount."""
    await line.post("orders/create", order(1001, "1234567.89"))
    await line.work()
    html = (await line.get(f"/wall/{board}?money=off")).text
    frame = await sent(line, html)
    assert (slots_in(html) & MONEY, set(frame) & MONEY) == (set(), set())
    assert [text for text in (html, *frame.values()) if "€" in text or "1,234,567" in text] == []


async def test_what_is_left_on_a_wall_without_money_is_drawn_once_for_all(line: Line) -> None:
    """Money is left out, not blackened: the other slots are the same bytes as everywhere."""
    with_money = await sent(line, (await line.get("/wall/sales")).text)
    without = await sent(line, (await line.get("/wall/sales?money=off")).text)
    assert without == {slot: html for slot, html in with_money.items() if slot not in MONEY}


@pytest.mark.parametrize("query", WRONG)
async def test_a_wrong_address_is_told_what_would_be_right(line: Line, query: str) -> None:
    """400 and a sentence with an example."""
    answer = await line.get(f"/wall/sales?{query}")
    assert (answer.status, WRONG[query] in answer.text, "/wall/sales?" in answer.text) == (400, True, True)


async def test_a_wall_turns_three_boards_at_most(line: Line) -> None:
    """With four nobody would see the first again."""
    answer = await line.get("/wall/overview+sales+operations+technology")
    assert (answer.status, "at most three boards" in answer.text) == (400, True)


@pytest.mark.parametrize("path", ["/wall/sales+nothing", "/wall/+", "/wall/sales%20"])
async def test_a_board_that_is_not_there_is_no_wall(line: Line, path: str) -> None:
    """404, as elsewhere."""
    assert (await line.get(path)).status == 404


async def test_a_stream_of_a_board_that_is_gone_loads_the_wall_again(line: Line) -> None:
    """Whereupon the page says so."""
    stream = await open_stream(line.port, f"/live?v={rendering.build()}&view=wall&board=sales%2Bnothing", {})
    line.streams.append(stream)
    message = await stream.next()
    assert message is not None and message.event == "reload"


async def test_the_site_says_how_large_its_walls_are_once(line: Line) -> None:
    """Letters for 55 inches at 5 metres: 4.8 % of the height, four tiles a page."""
    root = Elements((await line.get("/wall/sales?inches=55&metres=5")).text).found[0].attributes
    assert (root["data-letters"], root["data-fit"]) == ("48", "some")


async def test_letters_that_cannot_be_had_are_said_so(line: Line) -> None:
    """With how far those that there are can be read; and how many numbers found no room."""
    html = (await line.get("/wall/sales?inches=32&metres=6")).text
    assert re.findall(r'<p class="foot__note">(.*?)</p>', html) == [
        "Letters for 6 m on 32″ would be 10 % of the height: these are read from 4.6 m", "2 numbers have no room"]
