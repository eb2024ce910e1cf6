"""The quality of alerts in a real browser: on every screen, for everybody, and one press that does what it says."""

from dataclasses import replace

import pytest
from playwright.async_api import Page

from opsmon.clock import SystemClock
from opsmon.core.alerting.life import new_alert
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader
from tests.conftest import NOW_MS
from tests.web.alerts.past_month import log, month
from tests.web.alerts.site import KEYS
from tests.web.browser import Site
from tests.web.test_axe import DESK, PHONE, violations
from tests.workers.alerting.outbox import put

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SIZES = [(1920, 1080), (1366, 768), (820, 1180), (390, 844), (320, 640)]
OVER = replace(new_alert("past-sla"), state="resolved", id="r1", verdict="other")


async def a_month(site: Site) -> None:
    """The last thirty days had alerts, one of which is over."""
    past_ms = SystemClock().now_ms() - NOW_MS
    entries = month(await all_rules(Reader(site.store), KEYS))
    await log(site.store, [replace(one, at_ms=one.at_ms + past_ms) for one in entries])
    now_ms = SystemClock().now_ms()
    await put(site.store, replace(OVER, began_ms=now_ms - 60_000, ended_ms=now_ms))


async def at(site: Site, path: str, size: tuple[int, int]) -> Page:
    """A page in a window of this size."""
    page = await site.context.new_page()
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.goto(f"http://127.0.0.1:{site.port}{path}")
    return page


@pytest.mark.parametrize("size", [PHONE, DESK, (1920, 1080)], ids=["phone", "desk", "large"])
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_axe_finds_nothing(site: Site, theme: str, size: tuple[int, int]) -> None:
    """On the page of quality, and where one is asked what an alert was worth."""
    await a_month(site)
    found = {path: await violations(await at(site, f"{path}?theme={theme}", size))
             for path in ("/alerts/quality", f"/alerts/{OVER.fingerprint}")}
    assert found == {path: [] for path in found}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_fits_every_screen(site: Site, size: tuple[int, int]) -> None:
    """Nothing is pushed off to the side; what is pressed has room for a thumb."""
    await a_month(site)
    for path in ("/alerts/quality", f"/alerts/{OVER.fingerprint}"):
        page = await at(site, path, size)
        await page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        low = await page.evaluate("[...document.querySelectorAll('main button, main input.field__input')]"
                                  ".filter((one) => one.getBoundingClientRect().height < 44)"
                                  ".map((one) => one.textContent)")
        assert low == [], path


async def test_one_press_betters_a_rule(site: Site) -> None:
    """The one that cries wolf waits for a minute, and would then not have fired at all."""
    await a_month(site)
    page = await at(site, "/alerts/quality", PHONE)
    card = page.locator("#rule-payment-failures")
    assert await card.locator(".rule__flag").count() == 3
    await card.get_by_role("button", name="Fire only after 1 min").click()
    await page.wait_for_selector("text=Payments fail: fires after 1 min from now on.")
    assert (await all_rules(Reader(site.store), KEYS))["payment-failures"].for_ms == 60_000


async def test_one_tap_says_what_an_alert_was_worth(site: Site) -> None:
    """And the tap is seen."""
    await a_month(site)
    page = await at(site, f"/alerts/{OVER.fingerprint}", PHONE)
    await page.get_by_role("button", name="Not actionable").click()
    await page.wait_for_selector("text=Thank you.")
    assert await page.locator(".judge [aria-pressed=true]").inner_text() == "Not actionable"
