"""The list of alerts while somebody says what becomes of one, in a real Chromium."""

import pytest
from playwright.async_api import Page

from opsmon.app.worker import evaluator
from opsmon.clock import SystemClock
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.store.accounts.records import Person, written
from tests.web.accounts.accounts import KEYS
from tests.web.alerts.site import keep
from tests.web.browser import Site, until
from tests.web.test_axe import DESK, PHONE, violations

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

LATE = Rule("late", "Orders past their time", "orders-today", Limit(0), "high", for_ms=0, action="Pack them first.")
WORSE = Rule("worse", "Far too many orders", "orders-today", Limit(1), "critical", for_ms=0)
SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


async def listed(site: Site, size: tuple[int, int]) -> Page:
    """The live list with one alert, and Ben, whom it can be given to."""
    await site.store.hset(KEYS.people, "ben", written(Person("ben", "ben@shop.example", "Ben", "operator", made_ms=1)))
    await keep(site.store, LATE, WORSE)
    await looked(site)
    return await site.open("/alerts", *size)


async def looked(site: Site) -> None:
    """The rules are looked at."""
    await evaluator(site.settings, site.store, SystemClock()).round()


@SIZES
async def test_what_is_typed_survives_a_live_update(site: Site, size: tuple[int, int]) -> None:
    """A worse one comes in above: fold, words, choice and cursor stay, and what is sent is about the same alert."""
    page = await listed(site, size)
    await page.click("summary:has-text('More: Orders past')")
    await page.get_by_label("It is over: what it was").select_option("false")
    await page.get_by_label("A note on that").fill("It was the stock")
    await page.focus("input[name=note]")
    await site.order(1002)
    await looked(site)
    await until(page, "document.querySelectorAll('article.open').length === 2", "the worse one")
    kept = await until(
        page, "document.activeElement.name && [document.querySelector('article.open a').textContent,"
        " document.activeElement.name, document.querySelector('details:has(:focus)').open,"
        " document.activeElement.value, document.activeElement.form.id]", "the cursor")
    assert kept == ["Far too many orders", "note", True, "It was the stock", "end-1"]
    await page.press("input[name=note]:focus", "Enter")
    await page.wait_for_url("**/alerts?did=close")
    lines = page.locator(".log__line", has_text="closed it")
    assert ("False alarm" in await lines.first.inner_text(), "It was the stock" in await lines.first.inner_text(),
            "Orders past" in await lines.first.inner_text()) == (True, True, True)
    assert site.problems == []


@SIZES
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_what_managers_say_is_within_reach_of_all(site: Site, size: tuple[int, int], theme: str) -> None:
    """Unfolded: axe finds nothing, nothing is pushed off to the side, each control has room for a thumb."""
    page = await listed(site, size)
    await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    await page.click("summary:has-text('More: Orders past')")
    small = await page.evaluate("[...document.querySelectorAll('.open__deeds :is(select, input, button)')]"
                                ".filter((one) => one.offsetHeight < 48).length")
    over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert (small, over <= 0, await violations(page)) == (0, True, [])


async def test_an_alert_is_given_and_snoozed_without_leaving_the_list(site: Site) -> None:
    """Each press leads back to it, and says what was done."""
    page = await listed(site, DESK)
    await page.click("summary:has-text('More: Orders past')")
    await page.get_by_label("Give it to").select_option("Ben")
    await page.get_by_role("button", name="Give", exact=True).click()
    await page.wait_for_url("**/alerts?did=assign")
    await until(page, "document.querySelector('.open__who').textContent.includes('given to Ben')", "whose it is")
    await page.click("summary:has-text('More: Orders past')")
    await page.get_by_role("button", name="Snooze").click()
    await page.wait_for_url("**/alerts?did=snooze")
    await until(page, "document.querySelector('.open').dataset.standing === 'quiet'", "that it is quiet")
