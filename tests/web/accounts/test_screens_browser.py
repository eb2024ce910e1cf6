"""A television and a phone, two real browsers: the code is read from one, let in on the other, and the wall is up."""

import os
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from opsmon.clock import SystemClock
from tests.web.accounts.accounts import signed_in
from tests.web.browser import Site, until
from tests.web.test_axe import violations

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.usefixtures("heartbeat_a_second")]

CODE = "document.querySelector('.pair__code')?.textContent ?? ''"
IDENTIFIED = "document.documentElement && getComputedStyle(document.documentElement, '::after').content"


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """The television."""
    opened = await chromium.new_context(service_workers="block", viewport={"width": 1920, "height": 1080})
    yield opened
    await opened.close()


@pytest.fixture
async def site(bare_site: Site) -> Site:
    """opsmon with two orders."""
    await bare_site.order(1001, "49.90")
    await bare_site.order(1002, "120.00")
    return bare_site


@pytest.fixture
async def phone(chromium: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    """Another browser, where a manager is signed in."""
    context = await chromium.new_context(service_workers="block", viewport={"width": 390, "height": 844})
    name, _, value = (await signed_in(site.store, "manager", SystemClock().now_ms())).partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{site.port}"}])
    yield context
    await context.close()


async def picture(page: Page, name: str) -> None:
    """Keep what is seen, where somebody wants to look at it."""
    folder = os.environ.get("OPSMON_PICTURES")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png")


async def let_in(site: Site, phone: BrowserContext, tv: Page) -> Page:
    """Read the code from the television, as a person does, and let it in; the page of all screens, on the phone."""
    code = str(await until(tv, CODE, "a code"))
    page = await phone.new_page()
    await site.visit(page, f"/screens/pair?code={code}", live=False)
    assert await page.input_value("#code") == code
    await page.fill("input[name=name]", "Packing hall")
    await picture(page, "approve")
    await page.get_by_role("button", name="Let it in").click()
    await until(page, "location.pathname === '/screens' && document.querySelector('.done') !== null", "that it is in")
    return page


async def test_a_screen_is_let_in_looked_after_and_removed(site: Site, phone: BrowserContext) -> None:
    """Nobody touches the television: the code, its wall, its name, another board, and the code again."""
    tv = await site.open("/pair", 1920, 1080, live=False)
    await picture(tv, "pair")
    page = await let_in(site, phone, tv)
    title = "document.querySelector('.bar__title')?.textContent"
    await until(tv, "document.documentElement?.dataset.fresh === 'live' && location.pathname === '/wall'", "its wall")
    assert await tv.evaluate(title) == "Sales"

    await page.get_by_role("button", name="Which one is it?").click()
    await until(tv, f"{IDENTIFIED} === '\"Packing hall\"'", "its name")
    await picture(tv, "identify")
    await picture(page, "screens")

    await page.get_by_text("Change or remove").click()
    await page.get_by_label("Technology").check()
    await page.get_by_label("Sales").uncheck()
    await picture(page, "change")
    await page.get_by_role("button", name="Save").click()
    await until(tv, f"{title} === 'Technology'", "the other board")

    await page.get_by_text("Change or remove").click()
    await page.get_by_role("button", name=re.compile("Remove")).click()
    assert len(str(await until(tv, CODE, "a code again"))) == 9
    assert await tv.evaluate("location.pathname") == "/pair"


async def test_axe_finds_nothing_on_the_pages_of_screens(site: Site, phone: BrowserContext) -> None:
    """They can be used with a screen reader, without colours, by keyboard."""
    tv = await site.open("/pair", 1920, 1080, live=False)
    found = await violations(tv)
    page = await let_in(site, phone, tv)
    found += await violations(page)
    await page.goto(f"http://127.0.0.1:{site.port}/screens/pair")
    await page.fill("input[name=name]", "Hall")
    await page.fill("#code", "nothing")
    await page.get_by_role("button", name="Let it in").click()
    await until(page, "document.querySelector('#wrong-code') !== null", "what is wrong")
    await picture(page, "wrong")
    assert found + await violations(page) == []


async def test_a_code_can_be_read_from_across_a_room(site: Site, phone: BrowserContext) -> None:
    """Letters a tenth as high as the screen, nothing to scroll, at the sizes of televisions and of a tablet."""
    await phone.clear_cookies()
    found = []
    for width, height in ((1366, 768), (1920, 1080), (3840, 2160), (1080, 1920), (390, 844)):
        tv = await site.open("/pair", width, height, live=False)
        found.append(await tv.evaluate(
            "[document.documentElement.scrollWidth <= innerWidth, document.documentElement.scrollHeight <= innerHeight,"
            " parseFloat(getComputedStyle(document.querySelector('.pair__code')).fontSize) * 11 >="
            " Math.min(innerHeight, innerWidth), violations]"))
        await picture(tv, f"pair-{width}")
    assert found == [[True, True, True, []]] * 5
