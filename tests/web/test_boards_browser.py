"""Every board before a real Chromium: it fits each screen, and moves by itself."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from playwright.async_api import Page

from opsmon.core.boards import BOARDS, HOME
from opsmon.web.feed import slots_of
from opsmon.web.views import KpiView
from tests.web.browser import Site, until, value_of
from tests.web.test_browser import CLIPPED, SIZES

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

LINKED = [board for board in BOARDS if board.id != HOME]
EACH = pytest.mark.parametrize("board", [board.id for board in LINKED])
LARGE = "123,456,789"
MONEY = "€123,456,789.00"


@pytest.fixture
async def site(site: Site) -> Site:
    """opsmon with two orders."""
    await site.order(1002, "1234567.89")
    return site


async def with_large_numbers(site: Site, board: str, layout: str) -> None:
    """Every number of a board has nine digits, as in a very good year."""
    feed = site.web.feed if site.web else None
    assert feed is not None
    slots = slots_of(feed.boards[board], layout)
    await feed.open(slots)
    found = [(slot, feed.hub.slots[slot].view) for slot in sorted(slots)]
    feed.hub.update([(slot, enlarged(view)) for slot, view in found if slot.startswith("kpi-")], 0)


def enlarged(view: Any) -> Any:
    """A tile with the longest number it may show; other tiles keep what they have."""
    if not isinstance(view, KpiView) or not is_dataclass(view) or "text" not in {f.name for f in fields(view)}:
        return view
    text = MONEY if "€" in view.text else LARGE
    return replace(view, text=text, chars=len(text), value="123456789", state="live")


async def size_of(page: Page) -> list[int]:
    """Width and height of the document, and of the window."""
    found: list[int] = await page.evaluate(
        "() => { const d = document.documentElement;"
        " return [d.scrollWidth, d.scrollHeight, d.clientWidth, d.clientHeight]; }")
    return found


@EACH
@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_a_wall_is_exactly_one_screen_and_clips_nothing(site: Site, board: str, width: int, height: int) -> None:
    """With nine digits in every number: nothing to scroll, nothing cut, every tile on the screen."""
    await with_large_numbers(site, board, "wall")
    page = await site.open(f"/wall/{board}", width, height)
    below = await page.evaluate("() => [...document.querySelectorAll('.cell')].filter((e) => e.getClientRects().length"
                                " && e.getBoundingClientRect().bottom > innerHeight).map((e) => e.textContent)")
    assert (await size_of(page), await page.evaluate(CLIPPED), below) == ([width, height, width, height], [], [])


@EACH
@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_the_tiles_of_a_wall_keep_apart(site: Site, board: str, width: int, height: int) -> None:
    """What stands in a tile stays in it: lists and charts end at its edge, or are cut there on purpose."""
    page = await site.open(f"/wall/{board}", width, height)
    assert await page.evaluate("""() => [...document.querySelectorAll('.cell > .tile')].filter((tile) =>
        tile.getClientRects().length && tile.scrollHeight > tile.clientHeight + 2).map((tile) =>
        `${tile.id}: ${tile.scrollHeight} in ${tile.clientHeight}`)""") == []


@EACH
@pytest.mark.parametrize("width", [320, 390, 768, 1366, 1920])
async def test_a_board_never_scrolls_sideways(site: Site, board: str, width: int) -> None:
    """From the narrowest phone to the desk, also with nine digits."""
    await with_large_numbers(site, board, "board")
    page = await site.open(f"/b/{board}", width, 844)
    assert (await size_of(page))[0] == width


@EACH
async def test_no_number_is_cut_on_a_narrow_phone(site: Site, board: str) -> None:
    """It gets smaller instead."""
    await with_large_numbers(site, board, "board")
    page = await site.open(f"/b/{board}", 320, 640)
    numbers = "document.querySelectorAll('.tile__number:not(.visually-hidden) > .tile__value')"
    wide = "(e) => e.scrollWidth > e.parentElement.clientWidth + 1"
    assert await page.evaluate(f"() => [...{numbers}].filter({wide}).map((e) => e.textContent)") == []


@EACH
async def test_a_board_moves_without_a_reload_and_breaks_no_rule(site: Site, board: str) -> None:
    """An order comes in: the page stays the same page, and nothing in it stumbles over the policy."""
    page = await site.open(f"/b/{board}")
    await page.evaluate("() => { window.mark = 'the same page'; window.frames_seen = 0;"
                        " document.addEventListener('htmx:after:swap', () => window.frames_seen++); }")
    await site.order(1003)
    if board in ("overview", "sales"):
        await until(page, f"{value_of('orders-today')} === '3'", "the order on the screen")
    else:
        await until(page, "window.frames_seen", "a frame")
    found = await page.evaluate("() => [window.mark, window.violations]")
    assert (found, site.problems) == (["the same page", []], [])


@pytest.mark.parametrize("width", [320, 390])
async def test_the_boards_lie_under_the_thumb(site: Site, width: int) -> None:
    """A bar at the lower edge that stays there; each link at least 48 pixels high, none over its neighbour."""
    page = await site.open("/", width, 640)
    boxes = await page.evaluate("() => { scrollTo(0, 300); return [...document.querySelectorAll('.boards__link')]"
                                ".map((e) => e.getBoundingClientRect().toJSON()); }")
    assert all(box["height"] >= 48 and box["bottom"] <= 640 and box["right"] <= width for box in boxes)
    assert all(one["right"] <= other["left"] + 1 for one, other in zip(boxes, boxes[1:], strict=False))


async def test_of_many_boards_the_bar_shows_four_and_a_way_to_all(site: Site) -> None:
    """Each of the five can be hit, by thumb and by keyboard."""
    feed = site.web.feed if site.web else None
    assert feed is not None
    feed.boards |= {f"hall-{number}": replace(feed.boards["sales"], id=f"hall-{number}", title=f"Hall {number}")
                    for number in range(3)}
    page = await site.open("/", 320, 640)
    heights = await page.evaluate("() => [...document.querySelectorAll('.boards__link')]"
                                  ".map((e) => e.getBoundingClientRect().height)")
    await page.locator(".boards__link").nth(3).focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/boards")
    assert (len(heights), min(heights) >= 48) == (5, True)


async def test_the_bar_of_boards_hides_nothing(site: Site) -> None:
    """At the end of the page its last line stands above the bar."""
    page = await site.open("/", 390, 844)
    last, bar = await page.evaluate(
        "() => { scrollTo(0, document.documentElement.scrollHeight);"
        " return ['.foot__links', '.boards'].map((css) => document.querySelector(css).getBoundingClientRect()"
        ".toJSON()); }")
    assert last["bottom"] <= bar["top"]


async def test_a_tap_leads_to_another_board(site: Site) -> None:
    """And its stream is of that board."""
    page = await site.open("/", 390, 844)
    await page.click(".boards__link:has-text('Operations')")
    await until(page, "document.querySelector('#kpi-active-orders')"
                      " && document.documentElement.dataset.fresh === 'live'", "the board of operations")
    assert [url for url in site.asked if url.startswith("/live")][-1].count("board=operations") == 1


@EACH
async def test_a_wall_shows_nothing_to_press_but_its_sound(site: Site, board: str) -> None:
    """Tiles are drawn once for all screens; what can be pressed in them, a wall keeps out of sight and of focus."""
    page = await site.open(f"/wall/{board}", 1920, 1080)
    assert await page.evaluate("""() => [...document.querySelectorAll('a, button, summary, nav, input, select')]
        .filter((one) => one.getClientRects().length).map((one) => one.dataset.act)""") == ["sound"]


@EACH
async def test_a_wall_can_be_read_from_five_metres(site: Site, board: str) -> None:
    """Large numbers at least 10 % of its height, names 3.5 %, everything else 2.8 %."""
    page = await site.open(f"/wall/{board}", 1920, 1080)
    smallest = await page.evaluate("""() => {
        const percent = (e) => parseFloat(getComputedStyle(e).fontSize) / innerHeight * 100;
        const seen = (e) => e.getClientRects().length && !e.closest('.visually-hidden, .banner')
            && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        const least = (css) => Math.min(...[...document.querySelectorAll(css)].filter(seen).map(percent));
        return [least('[data-size=hero] .tile:not([data-state=empty]) .tile__value'), least('.tile__label'),
            least('body *')];
    }""")
    assert ((smallest[0] or 99) >= 10, smallest[1] >= 3.5, smallest[2] >= 2.8) == (True, True, True), smallest
