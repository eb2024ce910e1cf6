"""A wall before a real Chromium: it fits, takes turns, sleeps lightly, is never lost."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from opsmon.web import rendering
from opsmon.web.hub import event
from tests.waiting import wait_until_async
from tests.web.browser import Site, until, value_of
from tests.web.test_boards_browser import size_of, with_large_numbers
from tests.web.test_browser import CLIPPED, FRESH, SIZES, same_as_fresh

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.usefixtures("heartbeat_a_second")]

SHOWN = "document.querySelector('.main > .tiles:not([hidden])').dataset.title"
# Which page of several is shown, counted from 1.
PAGE = "document.querySelector('[data-page]').textContent"


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser without service workers: one would answer past page.route."""
    opened = await chromium.new_context(service_workers="block")
    yield opened
    await opened.close()


@pytest.fixture
async def site(site: Site) -> Site:
    """opsmon with two orders."""
    await site.order(1002, "1234567.89")
    return site


async def seconds(page: Page, count: int) -> None:
    """Let the page's own timer run so often; the page's clock was installed before."""
    await page.clock.run_for(count * 1000)


async def clocked(site: Site, path: str, at: datetime | None = None) -> Page:
    """A page whose clock is ours, its server's time too when `at` is given."""
    page = await site.context.new_page()
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.clock.install(time=at or datetime.now(UTC))
    await site.visit(page, path, live=False)
    return page


def show(site: Site, slot: str, **changes: Any) -> None:
    """Push a slot as it would be with these changes."""
    hub = site.web.hub if site.web else None
    assert hub is not None
    hub.update([(slot, replace(hub.slots[slot].view, **changes))], 0)  # type: ignore[type-var]
    hub.publish()


# It fits


@pytest.mark.parametrize("query", ["inches=55&metres=5", "inches=32&metres=6", "inches=43&metres=3", "money=off"])
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("board", ["sales", "operations", "technology"])
async def test_a_wall_is_one_screen_at_every_size_of_letters(site: Site, board: str, width: int, height: int, query: str
                                                             ) -> None:
    """On each of its pages, with nine digits in every number: nothing to scroll, nothing cut."""
    await with_large_numbers(site, board, "wall")
    page = await site.open(f"/wall/{board}?{query}", width, height)
    for number in range(await page.locator(".main > .tiles").count()):
        await page.evaluate("(n) => document.querySelectorAll('.main > .tiles').forEach((e, i) => e.hidden = i !== n)",
                            number)
        over = await page.evaluate("""() => [...document.querySelectorAll('.cell > .tile')].filter((tile) =>
            tile.getClientRects().length && (tile.scrollHeight > tile.clientHeight + 2
            || tile.getBoundingClientRect().bottom > innerHeight)).map((tile) => tile.id)""")
        assert (await size_of(page), await page.evaluate(CLIPPED), over) == ([width, height, width, height], [], [])


@pytest.mark.parametrize(("query", "least"), [("", 2.8), ("?inches=55&metres=5", 4.72), ("?inches=43&metres=5", 6.03)])
async def test_the_letters_of_a_wall_are_those_its_distance_asks_for(site: Site, query: str, least: float) -> None:
    """The smallest on it, measured; what it says to who sets it up is left out."""
    page = await site.open(f"/wall/sales{query}", 1920, 1080)
    smallest = await page.evaluate("""() => Math.min(...[...document.querySelectorAll('body *')].filter((e) =>
        e.getClientRects().length && !e.closest('.visually-hidden, .banner, .foot__note, .comparison__mark')
        && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
        .map((e) => parseFloat(getComputedStyle(e).fontSize) / innerHeight * 100))""")
    assert smallest >= least - 0.005


async def test_a_large_number_stays_large_beside_large_letters(site: Site) -> None:
    """At least 10 % of the height, also where letters leave room for two tiles only."""
    page = await site.open("/wall/operations?inches=32&metres=6", 1366, 768)
    size = await page.evaluate("() => parseFloat(getComputedStyle(document.querySelector('[data-size=hero]"
                               " .tile__value')).fontSize) / innerHeight * 100")
    assert size >= 10


async def test_the_shift_against_burning_in_moves_everything_and_nothing_off(site: Site) -> None:
    """Eight places within two pixels, one each ten minutes; still exactly one screen."""
    page = await site.open("/wall/sales", 1920, 1080)
    places = await page.evaluate("""() => [0, 1, 2, 3, 4, 5, 6, 7].map((step) => {
        document.documentElement.dataset.shift = step;
        const d = document.documentElement, box = document.querySelector('.bar__title').getBoundingClientRect();
        return [Math.round(box.x), Math.round(box.y), d.scrollWidth, d.scrollHeight];
    })""")
    (x, y, *_), *_ = places
    assert [(one[0] - x, one[1] - y) for one in places] == [
        (0, 0), (1, 0), (2, 1), (1, 2), (0, 2), (-1, 2), (-2, 1), (-1, 0)]
    assert {(width, height) for _, _, width, height in places} == {(1920, 1080)}


# It takes turns


async def test_pages_take_turns_and_none_is_shorter_than_20_seconds(site: Site) -> None:
    """Each says its name and which of how many it is."""
    page = await clocked(site, "/wall/sales+operations")
    await page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))  # from here on nothing ticks but by our hand
    for _ in range(20):
        if await page.evaluate(f"() => {PAGE}") == "1 / 2":
            await seconds(page, 1)
    seen = []
    for stay in (0, 19, 1, 19, 1):
        await seconds(page, stay)
        seen.append(await page.evaluate(f"() => [{SHOWN}, document.querySelector('.bar__title').textContent, {PAGE}]"))
    sales, operations = ["Sales", "Sales", "1 / 2"], ["Operations", "Operations", "2 / 2"]
    assert seen == [operations, operations, sales, sales, operations]


async def test_a_wall_stops_at_what_is_critical_and_shows_it(site: Site) -> None:
    """At once, and stays there as long as it is so; then the turns go on."""
    page = await clocked(site, "/wall/sales+operations")
    await seconds(page, 2)
    show(site, "kpi-active-orders", state="error")
    await until(page, "document.querySelector('#kpi-active-orders').dataset.state === 'error'", "the error")
    await seconds(page, 1)
    stopped = [await page.evaluate(f"() => {SHOWN}")]
    await seconds(page, 60)
    stopped.append(await page.evaluate(f"() => {SHOWN}"))
    show(site, "kpi-active-orders", state="live")
    await until(page, "document.querySelector('#kpi-active-orders').dataset.state === 'live'", "the end of it")
    await seconds(page, 20)
    assert (stopped, await page.evaluate(f"() => {SHOWN}")) == (["Operations", "Operations"], "Sales")


async def test_the_page_that_is_not_seen_moves_too(site: Site) -> None:
    """What comes into turn is the present."""
    page = await site.open("/wall/operations+sales", 1920, 1080)
    await site.order(1003)
    await until(page, f"{value_of('orders-today')} === '3'", "the order on the hidden page")
    shown, fresh = await same_as_fresh(site, page)
    assert shown == fresh


# It is there all day and night


@pytest.mark.parametrize(("at", "dim"), [("21:59", "no"), ("22:00", "yes"), ("03:00", "yes"), ("05:59", "yes"),
                                         ("06:00", "no"), ("12:00", "no")])
async def test_a_wall_is_dimmed_at_night(site: Site, at: str, dim: str) -> None:
    """From 22 to 6 by the site's time, whatever the screen believes."""
    hour, minute = map(int, at.split(":"))
    now = int(datetime.now(site.settings.timezone).replace(hour=hour, minute=minute).timestamp() * 1000)
    page = await site.context.new_page()
    await page.clock.install(time=now / 1000)
    await page.route("**/live?*", lambda route: route.abort())

    async def at_that_time(route: Any) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=re.sub(r'data-now="\d+"', f'data-now="{now}"', await answer.text()))

    await page.route("**/wall/sales", at_that_time)
    await site.visit(page, "/wall/sales", live=False)
    await until(page, "document.documentElement.dataset.dim", "the screen tended")
    found = await page.evaluate("() => [document.documentElement.dataset.dim,"
                                " getComputedStyle(document.documentElement).filter]")
    assert found == [dim, "brightness(0.65)" if dim == "yes" else "none"]


async def test_a_wall_keeps_its_screen_awake_and_asks_again_when_it_is_seen_again(site: Site) -> None:
    """Browsers end the lock with every tab that is hidden."""
    page = await site.context.new_page()
    await page.add_init_script("window.asked = []; navigator.wakeLock.request = async (kind) => { asked.push(kind); };")
    await site.visit(page, "/wall/sales")
    await page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert await page.evaluate("() => window.asked") == ["screen", "screen"]


async def test_a_day_without_a_server_is_survived_without_a_hand(site: Site) -> None:
    """A night of retries, then it is there again at the same port: live within one wait, and equal to a fresh page."""
    page = await clocked(site, "/wall/sales+operations")
    await until(page, f"{FRESH} === 'live'", "a live screen")
    await page.evaluate("() => { window.mark = 'the same page'; }")
    await site.stop()
    for hours in (1, 11, 12):
        await page.clock.fast_forward(hours * 3_600_000)
        await seconds(page, 30)
    dark = await page.evaluate(f"() => {FRESH}")
    await site.start()
    await site.order(1003)
    await until(page, f"{FRESH} === 'live' && {value_of('orders-today')} === '3'", "live again", 20)
    shown, fresh = await same_as_fresh(site, page)
    assert (dark, await page.evaluate("() => window.mark"), shown) == ("stale", "the same page", fresh)


async def test_a_wall_loads_a_new_build_only_when_it_is_there(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server said `reload` and went away again: a page that followed would be an error page for good."""
    page = await site.context.new_page()
    await page.add_init_script("Math.random = () => 0.01")
    await site.visit(page, "/wall")
    await page.evaluate("() => { window.mark = 'old'; }")
    hub = site.web.hub if site.web else None
    assert hub is not None
    refused: list[str] = []

    async def refuse(route: Any) -> None:
        refused.append(route.request.url)
        await route.abort("connectionrefused")

    await page.route("**/static/abcdef012345/icons/*", refuse)
    hub.broadcast(event("reload", "abcdef012345"))
    await wait_until_async(lambda: refused, "a look for the new build")
    hub.broadcast(event("hb", "0"))
    await until(page, f"{FRESH}", "the page")
    kept = await page.evaluate("() => window.mark")
    await page.unroute_all()
    await site.stop()
    monkeypatch.setattr(rendering, "build", lambda: "abcdef012345")
    await site.start()
    is_new = "document.documentElement?.dataset.build === 'abcdef012345'"
    await until(page, f"{is_new} && {FRESH} === 'live'", "the new build", 20)
    assert (kept, await page.evaluate("() => window.mark ?? null")) == ("old", None)


# What it asks for


async def test_a_wall_asks_for_no_more_than_it_needs(site: Site) -> None:
    """What makes sound is loaded when somebody wants to hear it, what turns pages where there are several."""
    await site.open("/wall/sales", 1920, 1080)
    assert [url for url in site.asked if re.search(r"wall-(sound|pages|letters)", url)] == []
