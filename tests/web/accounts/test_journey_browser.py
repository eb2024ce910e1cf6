"""The first afternoon with opsmon, in a real Chromium with three browsers: somebody's desk or phone, a colleague's
phone, and the television in the hall. Nothing is put into the store beforehand."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from opsmon.commands.running import say_hello
from opsmon.settings import Settings
from tests.web.accounts.people import PASSWORD
from tests.web.browser import Site, until, value_of
from tests.web.test_axe import violations

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.usefixtures("heartbeat_a_second")]

DESK, PHONE, WALL = (1920, 1080), (390, 844), (1920, 1080)
CODE = "document.querySelector('.pair__code')?.textContent ?? ''"
LIVE = "document.documentElement?.dataset.fresh === 'live' && window.isWhole === true"
THEMES: tuple[Any, ...] = ("dark", "light")
# What a browser says by itself when somebody is turned away.
AWAY = re.compile(r"status (of )?(401|403)")


@dataclass(slots=True)
class Journey:
    """The site, who travels, and what axe found on the way."""

    site: Site
    admin: Page
    colleague: Page
    tv: Page
    found: dict[str, list[str]]

    async def look(self, page: Page, name: str) -> None:
        """Have axe look at a page in both themes; keep pictures where somebody wants to see them."""
        folder = os.environ.get("OPSMON_PICTURES")
        was_open = await page.evaluate("[...document.querySelectorAll('details')].map((one) => one.open)")
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme)
            if folder:
                width = await page.evaluate("innerWidth")
                await page.screenshot(path=f"{folder}/{name}-{width}-{theme}.png", full_page=True)
            if wrong := await violations(page):
                self.found[f"{name} {theme}"] = wrong
            await page.evaluate("(was) => document.querySelectorAll('details').forEach("
                                "(one, at) => { one.open = was[at]; })", was_open)
        sideways = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if sideways > 0:
            self.found[f"{name} wide"] = [f"{sideways} px wider than the screen"]

    async def visit(self, page: Page, path: str, *, live: bool = False) -> Page:
        """Go to an address as it is typed."""
        return await self.site.visit(page, path, live=live)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a currency, as a shop that has set one."""
    return replace(settings, currency="EUR")


@asynccontextmanager
async def browser_of(chromium: Browser, size: tuple[int, int]) -> AsyncIterator[BrowserContext]:
    """A browser of this size that knows nothing of the others."""
    opened = await chromium.new_context(viewport={"width": size[0], "height": size[1]})
    yield opened
    await opened.close()


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
async def context(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    """The admin's: a desk, or a phone."""
    async with browser_of(chromium, request.param) as opened:
        yield opened


@pytest.fixture
async def journey(bare_site: Site, chromium: Browser) -> AsyncIterator[Journey]:
    """opsmon just started, with two orders, and three who look at it."""
    await bare_site.order(1001, "49.90")
    await bare_site.order(1002, "120.00")
    async with browser_of(chromium, PHONE) as colleague, browser_of(chromium, WALL) as tv:
        pages = [await one.new_page() for one in (bare_site.context, colleague, tv)]
        yield Journey(bare_site, *pages, {})


def printed_link(site: Site, capsys: pytest.CaptureFixture[str]) -> str:
    """The link for the first account, as `opsmon up` prints it."""
    say_hello(replace(site.settings, port=site.port))
    found = re.search(r"http://\S+(/welcome/\S+)", capsys.readouterr().err)
    assert found is not None
    return found[1]


async def begin(journey: Journey, link: str) -> None:
    """Boards just open; then the printed link, and the first account."""
    admin = journey.admin
    await journey.visit(admin, "/", live=True)
    await journey.visit(admin, link)
    await journey.look(admin, "welcome")
    await admin.get_by_label("Your name").fill("Ana")
    await admin.get_by_label("E-mail address").fill("ana@shop.example")
    await admin.get_by_label("Choose a password").fill(PASSWORD)
    await admin.get_by_role("button", name="Make the first account").click()
    await until(admin, f"location.pathname === '/' && {LIVE}", "the board, signed in")
    await journey.look(admin, "board")


async def invite(journey: Journey) -> None:
    """By the menu to the people, a link for the colleague, who chooses a password on the phone and sees the board."""
    admin, colleague = journey.admin, journey.colleague
    await admin.locator(".me > summary").click()
    await admin.get_by_role("link", name="People").click()
    await admin.get_by_text("Invite somebody").click()
    form = admin.locator(".people__new")
    await form.get_by_label("Name").fill("Ben")
    await form.get_by_label("E-mail address").fill("ben@shop.example")
    await form.get_by_label("Role").select_option("operator")
    await admin.get_by_role("button", name="Make the link that invites them").click()
    link = urlsplit(str(await admin.locator(".people__secret").text_content()))
    await journey.look(admin, "people")
    assert link.port == journey.site.port
    await journey.visit(colleague, link.path)
    await journey.look(colleague, "invited")
    await colleague.get_by_label("Choose a password").fill(PASSWORD)
    await colleague.get_by_role("button", name="Begin").click()
    await until(colleague, f"location.pathname === '/' && {LIVE}", "the colleague's board")
    await journey.look(colleague, "board-operator")


async def hang(journey: Journey) -> None:
    """The television shows a code; whoever scans it lets it in, and its wall comes up and moves by itself."""
    admin, tv = journey.admin, journey.tv
    await journey.visit(tv, "/pair")
    await journey.look(tv, "pair")
    scanned = f"/screens/pair?code={await until(tv, CODE, 'a code')}"
    await journey.visit(journey.colleague, scanned)
    assert "This is for managers and admins" in str(await journey.colleague.text_content("main"))
    await journey.visit(admin, scanned)
    await admin.fill("input[name=name]", "Packing hall")
    await journey.look(admin, "approve")
    await admin.get_by_role("button", name="Let it in").click()
    await until(admin, "location.pathname === '/screens' && document.querySelector('.done') !== null", "that it is in")
    await journey.look(admin, "screens")
    await until(tv, f"location.pathname === '/wall' && {LIVE}", "its wall")
    await journey.look(tv, "wall")
    before = await tv.evaluate(value_of("orders-today"))
    await journey.site.order(1003, "15.00")
    await until(tv, f"{value_of('orders-today')} === '3'", "the new order on the wall")
    assert before == "2"


async def end_all(journey: Journey) -> None:
    """Signed out everywhere by an admin: the colleague's page and its stream are out within a heartbeat or two."""
    admin, colleague, site = journey.admin, journey.colleague, journey.site
    await journey.visit(colleague, "/b/sales", live=True)
    streams = site.screens
    await journey.visit(admin, "/people")
    ben = admin.locator(".people__one", has_text="ben@shop.example")
    await ben.get_by_text("Change").click()
    await ben.get_by_role("button", name="Sign out everywhere").click()
    await until(admin, "document.querySelector('.people__notice') !== null", "that it was done")
    await until(colleague, "location.pathname + location.search === '/login?next=%2Fb%2Fsales'", "the colleague out")
    await journey.look(colleague, "login")
    assert site.screens == streams - 1


async def take_down(journey: Journey) -> None:
    """A screen that is removed goes silent: a code, and no stream."""
    admin, tv, site = journey.admin, journey.tv, journey.site
    await journey.visit(admin, "/screens")
    await admin.get_by_text("Change or remove").click()
    await admin.get_by_role("button", name=re.compile("Remove")).click()
    assert len(str(await until(tv, CODE, "a code again"))) == 9
    assert (await tv.evaluate("location.pathname"), site.screens) == ("/pair", 0)


async def test_from_the_first_start_to_everybody_being_out(journey: Journey, capsys: pytest.CaptureFixture[str]
                                                           ) -> None:
    """First account, a colleague, a wall, out with both: on a desk and with phones, and axe finds nothing."""
    await begin(journey, printed_link(journey.site, capsys))
    await invite(journey)
    await hang(journey)
    for name in ("tokens", "audit", "profile"):
        await journey.visit(journey.admin, f"/{name}")
        await journey.look(journey.admin, name)
    await end_all(journey)
    await take_down(journey)
    assert (journey.found, [said for said in journey.site.problems if not AWAY.search(said)]) == ({}, [])
