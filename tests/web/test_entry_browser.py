"""/enter in a real Chromium: on a phone, by thumb, with scripts switched off."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.web.browser import Site

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

KINDS = ["order", "count", "gauge", "move", "scan"]
SMALL = """() => [...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
    .map((one) => [one.textContent.trim() || one.name, one.getBoundingClientRect()])
    .filter(([, box]) => box.height > 0 && (box.height < 44 || box.width < 44)).map(([name]) => name)"""


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A phone whose browser runs no scripts."""
    opened = await chromium.new_context(java_script_enabled=False, has_touch=True, is_mobile=True,
                                         viewport={"width": 390, "height": 844})
    yield opened
    await opened.close()


@pytest.fixture
def site(bare_site: Site) -> Site:
    """Without an order."""
    return bare_site


async def open_form(site: Site, what: str) -> Page:
    """A form on a phone."""
    return await site.open(f"/enter?what={what}", 390, 844, live=False)


@pytest.mark.parametrize("what", KINDS)
async def test_a_thumb_finds_everything_and_nothing_is_off_the_screen(site: Site, what: str) -> None:
    """44 px at least; the button is in sight without scrolling."""
    page = await open_form(site, what)
    button = await page.locator(".form__button").bounding_box()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert (await page.evaluate(SMALL), width, button is not None and button["y"] + button["height"] <= 844) == (
        [], 390, True)


async def test_an_order_is_entered_by_thumb_and_taken_back(site: Site) -> None:
    """Without a script."""
    page = await open_form(site, "order")
    await page.fill("[name=amount]", "49,90")
    await page.fill("[name=currency]", "EUR")
    await page.tap(".form__button")
    await page.tap(".done .button:near(:text('Entered: an order, €49.90'))")
    await page.wait_for_selector(".done__text:has-text('Taken back: an order, €49.90')")
    assert await page.locator(".done .button").count() == 0


async def test_enter_sends_the_form(site: Site) -> None:
    """As a scanner does after each code."""
    page = await open_form(site, "scan")
    await page.fill("[name=person]", "Mara")
    for code in ("KITE", "BOAT"):
        await page.fill("[name=sku]", code)
        await page.press("[name=sku]", "Enter")
        await page.wait_for_selector(f".done__text:has-text('{code}')")
    assert await page.input_value("[name=person]") == "Mara"


async def test_what_is_missing_is_said_before_it_is_sent(site: Site) -> None:
    """By the browser itself; a day without a time is not taken for now."""
    page = await open_form(site, "order")
    await page.tap(".form__button")
    assert (await page.locator(".done, .field__error").count(), await page.evaluate(
        "document.activeElement.name")) == (0, "amount")
