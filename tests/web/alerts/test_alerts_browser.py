"""As a new user would: a rule from a tile, its past beside it, made to fire, seen to on a phone, followed on a wall."""

import pytest
from playwright.async_api import Page

from opsmon.app.worker import evaluator
from opsmon.clock import SystemClock
from opsmon.core.alerting.rules import Limit, Rule
from tests.web.alerts.site import keep
from tests.web.browser import Site
from tests.web.test_axe import DESK, PHONE, violations

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

LATE = Rule("late", "Orders past their time with a name that is rather long", "orders-today", Limit(0), "high",
            for_ms=0, action="Pack the oldest orders first, and tell the carrier.", owner="Ana")
SIZES = [(1920, 1080), (1366, 768), (1080, 1920), (820, 1180), (390, 844), (320, 640)]


async def looked(site: Site) -> None:
    """The rules are looked at once."""
    await evaluator(site.settings, site.store, SystemClock()).round()


async def at(site: Site, path: str, size: tuple[int, int]) -> Page:
    """A page in a window of this size."""
    page = await site.context.new_page()
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.goto(f"http://127.0.0.1:{site.port}{path}")
    return page


async def test_from_a_tile_to_an_alert_that_somebody_sees_to(site: Site) -> None:
    """Everything by clicking; wall and panel follow without being touched."""
    await keep(site.store)
    desk = await at(site, "/kpi/orders-today", DESK)
    await desk.click("text=Make a rule")
    await desk.fill("[name=title]", "Orders come")
    await desk.fill("[name=limit]", "0")
    await desk.select_option("[name=severity]", "critical")
    await desk.click("text=Try it")
    tried = await desk.inner_text("#past .told__text")
    await desk.click("button:has-text('Save')")
    assert "in the last 14 days" in tried or "There is no number" in tried
    await desk.wait_for_selector("main >> text=Saved. It is looked at from now on.")
    wall, board = await at(site, "/wall", (1366, 768)), await at(site, "/b/operations", DESK)
    await wall.wait_for_selector("html[data-fresh=live]")
    await board.wait_for_selector("html[data-fresh=live]")
    await looked(site)
    await wall.wait_for_selector("#band[data-loud] >> text=Orders come")
    await board.wait_for_selector("[data-kind=alerts] >> text=Orders come")
    phone = await at(site, "/alerts", PHONE)
    await phone.wait_for_selector("html[data-fresh=live]")
    await phone.click("text=I see to it")
    await wall.wait_for_selector("#band:not([data-loud]) >> text=sees to it")
    await board.wait_for_selector("[data-kind=alerts] >> text=sees to it")
    await phone.wait_for_selector("main >> text=You see to it.")


async def test_an_alert_that_nobody_sees_to_stops_the_pages_of_a_wall(site: Site) -> None:
    """It stands above all of them, and none turns away."""
    await keep(site.store, LATE)
    wall = await at(site, "/wall/sales+operations?turn=20", (1366, 768))
    await wall.wait_for_selector("html[data-fresh=live]")
    await looked(site)
    await wall.wait_for_selector("#band[data-loud]")
    assert await wall.evaluate("document.querySelectorAll('.main > .tiles:not([hidden])').length") == 1


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_what_is_wrong_fits_every_screen(site: Site, size: tuple[int, int]) -> None:
    """Nothing is pushed off to the side; a wall stays one screen; what is pressed has room for a thumb."""
    await keep(site.store, LATE)
    await looked(site)
    wrong: dict[str, object] = {}
    alert = next(iter(await site.store.hkeys("{main}:alerts"))).decode()
    for path in ("/", "/wall/operations", "/alerts", f"/alerts/{alert}", "/rules", "/rules/late", "/silences"):
        page = await at(site, path, size)
        if path.startswith(("/wall", "/alerts")) and path != f"/alerts/{alert}":
            await page.wait_for_selector("html[data-fresh=live]")
        over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        high = await page.evaluate("document.documentElement.scrollHeight - document.documentElement.clientHeight")
        small = await page.evaluate(
            "[...document.querySelectorAll('.open__acts .button, .do button, .do select, .do input')]"
            ".filter((one) => one.offsetParent && one.offsetHeight < 48).length")
        if over > 0 or small or (path.startswith("/wall") and high > 0):
            wrong[path] = (over, high, small)
        await page.close()
    assert wrong == {}


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_axe_finds_nothing_while_something_is_wrong(site: Site, theme: str, size: tuple[int, int]) -> None:
    """On boards, on a wall, and on the pages of alerts, rules and silences."""
    await keep(site.store, LATE, Rule("many", "Many", "orders-today", Limit(0), "critical", for_ms=0))
    await looked(site)
    alert = next(iter(await site.store.hkeys("{main}:alerts"))).decode()
    found = {}
    for path in ("/b/operations", "/wall", "/alerts", f"/alerts/{alert}", "/rules/late", "/silences"):
        page = await at(site, f"{path}?theme={theme}", size)
        if path in ("/b/operations", "/wall", "/alerts"):
            await page.wait_for_selector("html[data-fresh=live]")
        if seen := await violations(page):
            found[path] = seen
        await page.close()
    assert found == {}
