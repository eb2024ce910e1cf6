"""What is heard of a wall in a real Chromium: what breaks, what is critical, what is high, that all is well."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from opsmon.app.worker import evaluator
from opsmon.clock import SystemClock
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.settings import Settings
from opsmon.store.alerts.alert_store import read_stored
from opsmon.web.hub import event
from opsmon.web.views import HealthView
from tests.http import request
from tests.web.alerts.site import KEYS, keep
from tests.web.browser import Site, until, value_of
from tests.web.test_walls_browser import seconds, show

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.usefixtures("heartbeat_a_second")]

# Every voice that begins, by its pitch.
VOICES = """window.heard = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  heard.push(Math.round(this.frequency.value));
  start.call(this, at);
};"""
HOUR_MS = 3_600_000
WELL, HIGH, BROKEN, CRITICAL = [523, 784], [659, 494], [880, 587], [880, 587, 880, 587]
HEARD = "() => window.heard"
LATE = Rule("late", "Orders are late", "orders-today", Limit(0), "high", for_ms=0)
WORSE = Rule("worse", "Orders are very late", "orders-today", Limit(1), "critical", for_ms=0)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """It is never night, whenever this runs; but for one test, for which it is until an hour from now."""
    now, hour = datetime.now(settings.timezone), timedelta(hours=1)
    is_night = getattr(request, "param", "") == "night"
    return replace(settings, wall_night=f"{now - hour:%H:%M}-{now + hour:%H:%M}" if is_night else "")


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser without service workers: one would answer past page.route."""
    opened = await chromium.new_context(service_workers="block")
    yield opened
    await opened.close()


@pytest.fixture
async def site(site: Site) -> Site:
    """opsmon with two orders."""
    await site.order(1002, "49.90")
    return site


async def listening(site: Site, monkeypatch: pytest.MonkeyPatch) -> Page:
    """A wall whose sound is on, and whose clock is ours."""
    page = await site.context.new_page()
    await page.clock.install()
    await page.add_init_script(VOICES)
    await site.visit(page, "/wall/sales")
    await page.evaluate("() => { window.beats = 0; document.addEventListener('hb', () => window.beats++); }")
    monkeypatch.setattr("opsmon.web.feed.HEARTBEAT_S", 1000)  # from here on the heartbeats are ours, at the page's time
    await until(page, "window.beats > 1", "the last of its own")
    await page.click("[data-act=sound]")
    await until(page, "window.heard.length === 2", "its answer")
    return page


async def test_a_wall_is_mute_until_its_button_is_pressed(site: Site) -> None:
    """And says so; the press is answered by two rising tones."""
    page = await site.context.new_page()
    await page.add_init_script(VOICES)
    await site.visit(page, "/wall/sales")
    before = await page.get_attribute("[data-act=sound]", "aria-pressed")
    await page.click("[data-act=sound]")
    await until(page, "document.querySelector('[data-act=sound]').ariaPressed === 'true'", "sound")
    await until(page, "window.heard.length === 2", "its answer")
    assert (before, await page.evaluate(HEARD)) == ("false", WELL)


async def test_only_what_breaks_and_is_mended_is_heard(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders are silent; a store that is away falls, its return rises, and what lasts is not repeated."""
    page = await listening(site, monkeypatch)
    await beating(site, page, 12)
    await site.order(1003)
    await until(page, f"{value_of('orders-today')} === '3'", "the order")
    await beating(site, page, 12)
    show_health(site, "store-down")
    await until(page, "document.getElementById('health').dataset.state === 'store-down'", "the words")
    await beating(site, page, 24)
    show_health(site, "ok")
    await until(page, "document.getElementById('health').dataset.state === 'ok'", "the end of it")
    await beating(site, page, 12)
    assert await page.evaluate(HEARD) == WELL + BROKEN + WELL


async def beating(site: Site, page: Page, count: int, later_ms: int = 0) -> None:
    """So many seconds of the page, each with a heartbeat of its time, or of so much later."""
    hub = site.web.hub if site.web else None
    assert hub is not None
    for _ in range(count):
        beats = await page.evaluate("() => window.beats")
        hub.broadcast(event("hb", str(later_ms + await page.evaluate("() => Date.now()"))))
        await until(page, f"window.beats > {beats}", "a heartbeat")
        await seconds(page, 1)


def show_health(site: Site, state: str) -> None:
    """What the line below says."""
    hub = site.web.hub if site.web else None
    assert hub is not None and isinstance(hub.slots["health"].view, HealthView)
    show(site, "health", state=state, text="The store cannot be reached" if state != "ok" else "")


async def fire(site: Site, page: Page, *rules: Rule) -> None:
    """These rules fire, and the wall has heard of it a second ago."""
    await keep(site.store, *rules)
    await evaluator(site.settings, site.store, SystemClock()).round()
    says = f"#band[data-loud][data-level={rules[-1].severity}]"
    await until(page, f"document.querySelector('{says}') !== null", "the band")
    await beating(site, page, 1)


async def see_to(site: Site, rule: Rule) -> None:
    """Somebody at this machine sees to it."""
    found = map(read_stored, (await site.store.hgetall(KEYS.alerts)).values())
    name = next(one.alert.fingerprint for one in found if one.alert.rule == rule.id)
    answer = await request(site.port, "POST", f"/alerts/{name}", b"act=acknowledge", {
        "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"})
    assert answer.status == 303


async def test_each_severity_has_a_sound_of_its_own(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """High falls once and low; critical, which does not wait, twice; what somebody sees to rises."""
    page = await listening(site, monkeypatch)
    await beating(site, page, 12)
    await fire(site, page, LATE)
    high = await page.evaluate(HEARD)
    await fire(site, page, LATE, WORSE)
    critical = await page.evaluate(HEARD)
    await see_to(site, LATE)
    await see_to(site, WORSE)
    await until(page, "document.querySelector('#band:not([data-loud])') !== null", "that somebody sees to both")
    await beating(site, page, 12)
    assert (high, critical, await page.evaluate(HEARD)) == (
        WELL + HIGH, WELL + HIGH + CRITICAL, WELL + HIGH + CRITICAL + WELL)


async def test_what_is_less_bad_than_before_is_not_heard(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two alerts the critical one is seen to: the other was there before."""
    page = await listening(site, monkeypatch)
    await beating(site, page, 12)
    await fire(site, page, LATE, WORSE)
    await see_to(site, WORSE)
    await until(page, "document.querySelector('#band[data-level=high]') !== null", "the other")
    await beating(site, page, 12)
    assert await page.evaluate(HEARD) == WELL + CRITICAL


@pytest.mark.parametrize("settings", ["night"], indirect=True)
async def test_at_night_a_wall_is_silent_and_in_the_morning_it_is_not(site: Site, monkeypatch: pytest.MonkeyPatch
                                                                      ) -> None:
    """What came at night and nobody saw to is heard when the wall is bright again."""
    page = await listening(site, monkeypatch)
    await beating(site, page, 12)
    await fire(site, page, WORSE)
    await beating(site, page, 12)
    at_night = await page.evaluate(HEARD)
    await beating(site, page, 3, later_ms=6 * HOUR_MS)
    assert (at_night, await page.evaluate(HEARD)) == (WELL, WELL + CRITICAL)
