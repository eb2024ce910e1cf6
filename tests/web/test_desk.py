"""The desk without scripts: search, the list of keys, and the ways that lead from every tile."""

import re
from html import unescape
from urllib.parse import quote

import pytest

from opsmon.core.access import Role
from opsmon.core.boards import BOARDS
from opsmon.web.desk_views import KEYS
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.web.accounts.accounts import signed_in
from tests.web.wire import Elements

pytestmark = pytest.mark.anyio

LINK = re.compile(r'<a class="search__link" href="(.*?)">(.*?)</a> <span class="search__kind">(.*?)</span>')


async def found(line: Line, question: str) -> list[tuple[str, str, str]]:
    """What a search finds: (address, title, kind)."""
    html = (await line.get(f"/search?q={quote(question)}")).text
    return [(unescape(url), unescape(title), kind) for url, title, kind in LINK.findall(html)]


@pytest.mark.parametrize(("question", "first"), [
    ("operations", ("/b/operations", "Operations", "Board")),
    ("revenue tod", ("/kpi/revenue-today", "Revenue today", "Number")),
    ("shopify", ("/sources#source-shopify", "Shopify", "Source")),
    ("dead letters", ("/dead-letters", "Dead letters", "Page")),
    ("wall sales", ("/wall/sales", "Sales: wall", "Board")),
    ("alerts", ("/alerts", "Alerts", "Page")), ("rules", ("/rules", "Rules", "Page")),
    ("mute", ("/silences", "Silences", "Page")), ("who is told", ("/receivers", "Receivers", "Page")),
])
async def test_boards_numbers_sources_and_pages_are_found(line: Line, question: str, first: tuple[str, str, str]
                                                          ) -> None:
    """What is called so comes first."""
    assert (await found(line, question))[0] == first


async def test_all_that_is_found_is_there(line: Line) -> None:
    """No result leads to a 404; the pages come before anything is asked."""
    asked = [await found(line, question) for question in ("", "o", "s", "d", "wall")]
    urls = {url.partition("#")[0] for results in asked for url, _, _ in results}
    assert (len(urls) > 30, {(await line.get(url)).status for url in urls}) == (True, {200})


@pytest.mark.parametrize(("role", "pages"), [
    ("viewer", {"/alerts", "/keys", "/components"}), ("operator", {"/alerts", "/keys", "/components", "/enter"}),
    ("manager", {"/alerts", "/keys", "/components", "/enter", "/rules", "/silences", "/sources", "/status"})])
async def test_nobody_finds_a_page_that_turns_them_away(line: Line, role: Role, pages: set[str]) -> None:
    """Neither pages nor sources; what is found lets them in."""
    cookie = await signed_in(line.store, role, NOW_MS)
    found = [LINK.findall((await line.get(f"/search?q={question}", cookie=cookie)).text) for question in ("", "s", "r")]
    urls = {(url.partition("#")[0], kind) for results in found for url, _, kind in results}
    assert {url for url, kind in urls if kind == "Page"} == pages
    assert {(await line.get(url, cookie=cookie)).status for url, _ in urls} == {200}


async def test_what_is_not_there_is_said_with_what_is_spelt_alike(line: Line) -> None:
    """A sentence, and ways on."""
    html = (await line.get("/search?q=revenux")).text
    assert "Nothing is called so. Spelt alike:" in html
    assert ("/kpi/revenue-today", "Revenue today", "Number") in await found(line, "revenux")
    assert "Try one word of its name" in (await line.get("/search?q=qqqqqqq")).text


async def test_a_hostile_question_is_a_text_and_no_more(line: Line) -> None:
    """It stands in the field as it was typed."""
    html = (await line.get("/search?q=" + quote('"><script>alert(1)</script>'))).text
    (field,) = [one.attributes for one in Elements(html).found if one.attributes.get("name") == "q"]
    assert (field["value"], "<script>alert" in html) == ('"><script>alert(1)</script>', False)


async def test_every_key_is_listed_and_can_be_turned_off(line: Line) -> None:
    """WCAG 2.1.4: keys of one letter have a switch."""
    html = (await line.get("/keys")).text
    switches = [one for one in Elements(html).found if one.attributes.get("data-act") == "keys"]
    assert ([unescape(key) for key in re.findall(r"<kbd>(.*?)</kbd>", html)], len(switches)) == (
        [key.key for key in KEYS], 1)


@pytest.mark.parametrize("board", [board.id for board in BOARDS])
async def test_every_tile_can_be_explained_copied_and_downloaded(line: Line, board: str) -> None:
    """From each the way to its page, in whose place three are put when the fold is opened: its explanation and history,
    its line of text, its data; and each of them is there."""
    await line.post("orders/create", order(1))
    await line.work()
    html = (await line.get(f"/b/{board}")).text
    tiles = re.findall(r'<article id="kpi-([a-z][\w-]*)"', html)
    (opened,) = re.findall(r'<template id="counted">(.*?)</template>', html, re.DOTALL)
    assert re.findall(r'href="/kpi/(.*?)#explained"', html) == tiles
    assert re.findall(r'href="(.*?)"', opened) == ["#explained", "#copied", ".csv?span=now"]
    page = (await line.get(f"/kpi/{tiles[0]}")).text
    assert {"explained", "copied"} <= set(Elements(page).ids())


async def test_the_wall_has_no_keys(line: Line) -> None:
    """Nothing is pressed there."""
    pages = [(await line.get(path)).text for path in ("/wall", "/", "/status")]
    asked = [re.search(r"(?:src|rest)=\"[^\"]*(?:pause|desk)\b", page) for page in pages]
    assert [one is not None for one in asked] == [False, True, True]


# What a tile shows, as CSV


async def lines(line: Line, path: str) -> list[list[str]]:
    """The lines without the header; no cell of these tests has a comma."""
    answer = await line.get(f"/kpi/{path}.csv?span=now")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8; header=present")
    return [row.split(",") for row in answer.text.split("\r\n")[1:-1]]


async def test_the_number_of_a_tile_is_one_line(line: Line) -> None:
    """With its window, its unit, and that it still moves; its file is called after the minute."""
    await line.post("orders/create", order(1, "12.50"))
    await line.work()
    assert await lines(line, "revenue-today") == [
        ["2026-11-20T00:00:00+01:00", "2026-11-21T00:00:00+01:00", "", "12.50", "money", "EUR", "", "moving"]]
    name = (await line.get("/kpi/revenue-today.csv?span=now")).headers["content-disposition"]
    assert name == 'attachment; filename="revenue-today-2026-11-20T1403.csv"'


async def test_the_chart_of_a_tile_is_a_line_for_each_of_its_windows(line: Line) -> None:
    """24 hours; those before counting began are gaps, and the last one still moves."""
    await line.post("orders/create", order(1))
    await line.work()
    rows = await lines(line, "orders-per-hour")
    assert ([row[7] for row in rows], rows[-1][0], rows[-1][3], rows[0][3]) == (
        ["uncounted"] * 23 + ["moving"], "2026-11-20T14:00:00+01:00", "1", "")


async def test_the_rows_of_a_tile_are_a_line_each(line: Line) -> None:
    """And what a spreadsheet would run is a text."""
    await line.post("orders/create", order(1, "9.00", line_items=[
        {"id": 1, "sku": "A", "title": "=1+1", "quantity": 2, "price": "4.50"}]))
    await line.work()
    assert [row[2:6] for row in await lines(line, "top-products")] == [["'=1+1", "9.00", "money", "EUR"]]


async def test_the_percentiles_of_a_tile_are_a_line_each(line: Line) -> None:
    """They stand on one scale."""
    assert [row[2] for row in await lines(line, "api-p95")] == ["p95", "p50", "p99"]


@pytest.mark.parametrize("board", [board.id for board in BOARDS])
async def test_every_tile_has_its_file(line: Line, board: str) -> None:
    """Whatever it is."""
    html = (await line.get(f"/b/{board}")).text
    tiles = re.findall(r'<article id="kpi-([a-z][\w-]*)"', html)
    assert {(await line.get(f"/kpi/{tile}.csv?span=now")).status for tile in tiles} == {200}
