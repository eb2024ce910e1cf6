"""The page of a number in a real Chromium: on a phone and a desk, light and dark, with scripts and without, printed."""

from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, BrowserContext

from opsmon.clock import SystemClock
from tests.web.browser import Site, pixel

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

PATHS = ("/kpi/revenue-today", "/kpi/orders-today?step=15m", "/kpi/revenue-by-country?span=month",
         "/kpi/aov-1h?span=week", "/kpi/revenue-today?span=year", "/kpi/waiting", "/kpi/no-such-number")


@pytest.fixture(params=["light", "dark"])
async def context(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    """A browser without scripts, of who prefers light or dark."""
    opened = await chromium.new_context(java_script_enabled=False, color_scheme=request.param)
    yield opened
    await opened.close()


@pytest.fixture
async def site(bare_site: Site) -> Site:
    """opsmon with an order."""
    await bare_site.order(1, "1234567.89")
    return bare_site


@pytest.mark.parametrize("width", [320, 390, 1920])
async def test_no_page_scrolls_sideways(site: Site, width: int) -> None:
    """Numbers of nine digits too; the table scrolls in its own box."""
    for path in PATHS:
        page = await site.open(path, width, 844, live=False)
        if summary := await page.query_selector(".history__data > summary"):
            await summary.click()
        assert (path, await page.evaluate("document.documentElement.scrollWidth")) == (path, width)
    said = [problem for problem in site.problems if "404" not in problem]
    assert said == []


async def test_words_can_be_read_on_their_ground(site: Site) -> None:
    """Whichever the theme: the page has the ground of its scheme."""
    page = await site.open("/kpi/revenue-today", 390, 844, live=False)
    is_dark = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    red, green, blue = pixel(await page.screenshot(), 3, 3)
    assert (red + green + blue < 120, red + green + blue > 700) == (is_dark, not is_dark)


async def test_time_is_walked_without_scripts(site: Site) -> None:
    """Back a day, on to its week, and back to the present."""
    page = await site.open("/kpi/orders-today", 390, 844, live=False)
    today = await page.inner_text(".history__title")
    await page.click("a[rel=prev]")
    yesterday = await page.inner_text(".history__title")
    await page.click("a[rel=next]")
    assert (await page.inner_text(".history__title"), yesterday == today) == (today, False)
    await page.click(".history__span:has-text('Year')")
    year = datetime.fromtimestamp(SystemClock().now_ms() / 1000, ZoneInfo("Europe/Berlin")).year
    assert await page.inner_text(".history__title") == str(year)


async def test_a_page_is_printed_as_ink_on_paper(site: Site) -> None:
    """Black on white in every theme, also in one that was chosen; without what can only be clicked."""
    page = await site.open("/kpi/revenue-by-country?theme=dark", 794, 1123, live=False)
    await page.emulate_media(media="print")
    style = "getComputedStyle(document.querySelector('.kpi-now__value')).color"
    assert (await page.evaluate(style), pixel(await page.screenshot(), 3, 3)) == ("rgb(0, 0, 0)", (255, 255, 255))
    for unseen in (".history__spans", ".history__ways", ".copied", ".bar__links", ".history__links"):
        assert await page.locator(unseen).first.is_hidden(), unseen
    assert await page.locator(".history__plot").is_visible()


async def test_targets_can_be_hit_by_a_finger(site: Site) -> None:
    """At least 24 px in both directions (WCAG 2.2, 2.5.8)."""
    page = await site.open("/kpi/revenue-by-country", 390, 844, live=False)
    sizes = await page.evaluate("[...document.querySelectorAll('main a, main summary, main input')]"
                                ".map((e) => e.getBoundingClientRect()).map((b) => [b.width, b.height])")
    assert [size for size in sizes if min(size) < 24] == []
