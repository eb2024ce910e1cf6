"""The desk in a real Chromium: keys, copying a tile, and walls that have neither."""

import re
from base64 import b64decode
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page
from redis.asyncio import Redis

from opsmon.settings import Settings
from opsmon.web.views import HealthView, SourceView
from tests.web.browser import Site, open_site, pixel, until, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

KEYS = "document.querySelector('header input[name=q]')"
FOCUS = "document.activeElement.name ?? ''"


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser whose pages may use the clipboard."""
    opened = await chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield opened
    await opened.close()


async def at(page: Page, path: str) -> None:
    """Wait until the page is there, and its keys work."""
    await until(page, f"location.pathname === '{path}' && document.readyState === 'complete'", path)


async def board(site: Site, path: str = "/") -> Page:
    """A board on a desk, with its keys at hand."""
    page = await site.open(path, 1440, 900)
    await until(page, KEYS, "the keys")
    return page


async def test_the_slash_goes_to_the_search_and_enter_finds(site: Site) -> None:
    """From a board to a number, with nothing but keys."""
    page = await board(site)
    await page.keyboard.press("/")
    assert (await page.evaluate(FOCUS), await page.input_value("header input[name=q]")) == ("q", "")
    await page.keyboard.type("reven tod")
    await page.keyboard.press("Enter")
    await at(page, "/search")
    assert await page.inner_text(".search__found li:first-child a") == "Revenue today"
    assert site.problems == []


async def test_where_there_is_no_field_the_slash_opens_the_page_of_the_search(site: Site) -> None:
    """Its field has the focus."""
    page = await site.open("/status", 1440, 900, live=False)
    await until(page, "performance.getEntriesByType('resource').some((e) => e.name.endsWith('/desk.js'))", "the keys")
    await page.keyboard.press("/")
    await at(page, "/search")
    assert await page.evaluate(FOCUS) == "q"


async def test_the_question_mark_lists_the_keys_and_digits_go_to_boards(site: Site) -> None:
    """In the order in which they stand below the title."""
    page = await board(site)
    await page.keyboard.press("2")
    await at(page, "/b/sales")
    await until(page, KEYS, "the keys there too")
    await page.keyboard.press("?")
    await at(page, "/keys")


async def test_one_letter_pauses_and_goes_on(site: Site) -> None:
    """As the button does."""
    page = await board(site)
    states = []
    for _ in range(2):
        await page.keyboard.press("p")
        states.append(await page.get_attribute("[data-act=pause]", "aria-pressed"))
    assert states == ["true", "false"]


async def test_no_key_acts_while_somebody_types(site: Site) -> None:
    """Nor with Ctrl: that is the browser's."""
    page = await board(site)
    await page.keyboard.press("/")
    await page.keyboard.type("p?/2t")
    await page.keyboard.press("Control+p")
    assert (await page.input_value("header input[name=q]"), await page.evaluate("location.pathname"),
            await page.get_attribute("[data-act=pause]", "aria-pressed")) == ("p?/2t", "/", "false")


async def test_the_keys_can_be_turned_off_and_on_again(site: Site) -> None:
    """WCAG 2.1.4. The switch is kept in this browser."""
    page = await site.open("/keys", 1440, 900, live=False)
    await page.uncheck("[data-act=keys]")
    other = await board(site)
    await other.keyboard.press("2")
    await other.keyboard.press("p")
    assert (await other.evaluate("location.pathname"), await other.get_attribute("[data-act=pause]", "aria-pressed")
            ) == ("/", "false")
    await page.check("[data-act=keys]")
    await other.keyboard.press("2")
    await at(other, "/b/sales")


async def test_what_counts_is_said_where_it_is_opened_and_stays(site: Site) -> None:
    """In the words of the page of the number, with the ways on; the next order does not fold it away."""
    page = await board(site)
    tile = page.locator("#kpi-orders-today")
    way = await tile.locator(".definition a").get_attribute("href")
    await tile.locator("summary").click()
    await until(page, "document.querySelector('#kpi-orders-today .definition__text')", "what counts")
    said, ways = tile.locator(".definition__text"), tile.locator(".definition a")
    before = await said.inner_text()
    await site.order(1002)
    await until(page, f"{value_of('orders-today')} === '2'", "the next order")
    assert (way, before.startswith("Orders placed since"), await said.inner_text() == before) == (
        "/kpi/orders-today#explained", True, True)
    assert [await one.get_attribute("href") for one in await ways.all()] == [
        "/kpi/orders-today#explained", "/kpi/orders-today#copied", "/kpi/orders-today.csv?span=now"]
    assert site.problems == []


async def test_a_tile_is_copied_as_a_line_for_a_chat(site: Site) -> None:
    """Name, number, what it is beside, and as of when; the rows of a list one a line."""
    page = await board(site, "/b/sales")

    async def copied(kpi: str) -> str:
        await page.click(f"#kpi-{kpi} summary")
        await page.click(f"#kpi-{kpi} a[href$=copied]")
        await until(page, f"document.querySelector('#kpi-{kpi} a[href$=copied]').textContent.endsWith('✓')", "the copy")
        return str(await page.evaluate("navigator.clipboard.readText()"))

    line = await copied("revenue-today")
    assert re.fullmatch(r"Revenue today €49\.90 \(No comparison yet \(first week\)\), as of \d\d:\d\d", line)
    rows = (await copied("top-products")).split("\n")
    assert re.fullmatch(r"Top products today \(.*\), as of \d\d:\d\d \(every 30 s\)", rows[0])
    assert len(rows) == 1 + await page.locator("#kpi-top-products .rows tr").count()


async def test_while_paused_copying_leads_to_the_line_as_it_is_now(site: Site) -> None:
    """What stands still must not be copied as the present."""
    page = await board(site)
    await page.keyboard.press("p")
    await page.click("#kpi-revenue-today summary")
    await page.click("#kpi-revenue-today a[href$=copied]")
    await at(page, "/kpi/revenue-today")
    assert (await page.input_value("#copied")).startswith("Revenue today")


async def test_a_wall_hears_no_key_and_shows_no_way(site: Site) -> None:
    """It is looked at, from far away."""
    page = await site.open("/wall/sales", 1920, 1080)
    await page.keyboard.press("/")
    await page.keyboard.press("?")
    assert (await page.evaluate("location.pathname"), await page.locator(".definition:visible").count()) == (
        "/wall/sales", 0)


async def test_a_phone_is_led_to_the_line(chromium: Browser, settings: Settings, store: Redis) -> None:
    """It has no keys, and counts bytes: nothing of the desk is asked for."""
    context = await chromium.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    async with open_site(settings, store, context) as opened:
        await opened.order(1001, "49.90")
        page = await opened.open("/", 390, 844)
        await page.tap("#kpi-orders-today summary")
        assert ([url for url in opened.asked if "desk" in url],
                await page.evaluate("document.documentElement.scrollWidth")) == ([], 390)
        await page.tap("#kpi-orders-today a[href$=copied]")
        await at(page, "/kpi/orders-today")
        assert (await page.input_value("#copied")).startswith("Orders today: 1 order")
    await context.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_a_board_is_printed_on_a4_as_ink(site: Site, theme: str) -> None:
    """Black on white whatever was chosen; charts stay SVG; the header says of when, where and by which filter."""
    page = await site.open(f"/b/sales?theme={theme}", 794, 1123)
    await until(page, "document.querySelector('header input[name=q]')", "the sheet of the desk")
    await page.emulate_media(media="print")
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    ink = await page.evaluate("getComputedStyle(document.querySelector('#kpi-revenue-today .tile__value')).color")
    assert (ink, pixel(await page.screenshot(), 3, 3)) == ("rgb(0, 0, 0)", (255, 255, 255))
    header = " ".join((await page.inner_text("header.bar")).split())
    assert re.fullmatch(rf"Sales live [\d:]{{8}} [\d/]+, [\d:]+ [AP]M, Europe/Berlin\. /b/sales\?theme={theme}",
                        header)
    assert await page.locator("#kpi-orders-per-hour svg.bars__plot").is_visible()
    hidden = (".definition__open", ".button", ".boards__link", ".foot__links a", "header input")
    assert [one for one in hidden if await page.locator(one).first.is_visible()] == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 794


async def test_a_board_takes_few_sheets(chromium: Browser, site: Site) -> None:
    """A4: a full board on at most three."""
    page = await board(site, "/b/sales")
    session = await page.context.new_cdp_session(page)
    answer = await session.send("Page.printToPDF", {"preferCSSPageSize": True})
    pdf = b64decode(answer["data"])
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 3
    assert b"/MediaBox [0 0 594" in pdf or b"/MediaBox [0 0 595" in pdf


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
async def test_a_silent_source_is_seen_without_scrolling(site: Site, size: tuple[int, int]) -> None:
    """At the foot of the screen, not of the page: what is wrong with the data is not below the fold."""
    page = await site.open("/b/sales", *size)
    assert site.web is not None and site.web.feed is not None
    feed = site.web.feed
    silent = SourceView("Shopify", 0, True, "No Shopify event since 13:45 (usually within 6 min)")
    feed.hub.update([("health", HealthView("ok", "", None, "", (silent,)))], 0)
    feed.hub.publish()
    seen = ("(() => { const found = document.querySelector('.source[data-state=silent]'); if (!found) return false;"
            " const box = found.getBoundingClientRect();"
            " return found.contains(document.elementFromPoint(box.x + 5, box.y + 5)); })()")
    await until(page, seen, "the silent source")
