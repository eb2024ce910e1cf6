"""A real Chromium before a real opsmon: what a person sees when all is well, and when it is not."""

import asyncio
import re
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from redis.asyncio import Redis

from opsmon.settings import Settings
from opsmon.web import rendering
from opsmon.web.hub import event
from opsmon.web.views import KpiView
from tests.waiting import wait_until_async
from tests.web.browser import Site, open_site, pixel, until, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.usefixtures("heartbeat_a_second")]

SIZES = [(1366, 768), (1920, 1080), (3840, 2160), (1080, 1920)]
FRESH = "document.documentElement.dataset.fresh"


@pytest.fixture
def site(bare_site: Site) -> Site:
    """Without an order."""
    return bare_site


async def same_as_fresh(site: Site, page: Page) -> tuple[dict[str, str], dict[str, str]]:
    """What each slot of a page says, and what it says on a page that was loaded now."""
    said = ("() => Object.fromEntries([...document.querySelectorAll('[data-rev]')].map((slot) =>"
            " [slot.id, slot.outerHTML.replace(/<time[^>]*>[^<]*/g, '<time>')]))")
    fresh = await site.open(page.url.partition(str(site.port))[2])
    await until(fresh, "document.querySelectorAll('[data-rev]').length", "slots")
    return await page.evaluate(said), await fresh.evaluate(said)


# When all is well


@pytest.mark.parametrize("path", ["/", "/wall"])
async def test_an_order_appears_without_a_reload(site: Site, path: str) -> None:
    """The number changes on a page that stays the same page."""
    await site.order(1001, "49.90")
    page = await site.open(path)
    await page.evaluate("() => { window.mark = 'the same page'; }")
    await site.order(1002, "50.10")
    await until(page, f"{value_of('revenue-today')} === '€100.00'", "the order on the screen")
    assert await page.evaluate("() => window.mark") == "the same page"


async def test_the_first_order_takes_the_instructions_away(site: Site) -> None:
    """An empty board says what to do; with the first order it is a board."""
    page = await site.open("/")
    before = await page.is_visible("text=No orders yet")
    await site.order(1001)
    await until(page, "document.querySelector('#setup').hidden", "the board")
    assert (before, await page.is_visible("text=No orders yet"), await page.is_visible("#kpi-orders-today")) == (
        True, False, True)


async def test_an_idle_page_asks_for_nothing(site: Site) -> None:
    """One stream and no polling: for three heartbeats not a single request."""
    await site.order(1001)
    page = await site.open("/")
    await until(page, "document.querySelector('header input[name=q]')", "the keys")
    await page.evaluate("() => { window.beats = 0; document.addEventListener('hb', () => window.beats++); }")
    site.asked.clear()
    await until(page, "window.beats > 2", "three heartbeats")
    assert site.asked == []


async def test_a_page_opens_one_stream(site: Site) -> None:
    """Two would use up the browser's six connections with three tabs."""
    await site.open("/wall")
    assert ([url.partition("?")[0] for url in site.asked].count("/live"), site.screens) == (1, 1)


@pytest.mark.parametrize("path", ["/", "/wall", "/status", "/components", "/nothing-here"])
async def test_nothing_violates_the_policy(site: Site, path: str) -> None:
    """The CSP is enforced, and no script or style of ours stumbles over it."""
    await site.order(1001)
    page = await site.open(path, live=path in ("/", "/wall"))
    await site.order(1002)
    problems = [said for said in site.problems if "404" not in said]
    assert (await page.evaluate("() => window.violations"), problems) == ([], [])


async def test_the_policy_is_enforced(site: Site) -> None:
    """A script that got into the page does not run."""
    page = await site.open("/")
    await page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.intruder = true';
        document.body.append(script);
    }""")
    await until(page, "window.violations.length", "the violation")
    assert await page.evaluate("() => [window.intruder ?? null, window.violations]") == [
        None, ["script-src-elem inline"]]


async def test_a_push_keeps_what_the_reader_has_opened_and_focused(site: Site) -> None:
    """What counts is being read while orders come in: it stays open, and the focus stays where it was."""
    await site.order(1001)
    page = await site.open("/")
    summary = page.locator("#kpi-orders-today summary")
    await summary.click()
    await summary.focus()
    await site.order(1002)
    await until(page, f"{value_of('orders-today')} === '2'", "the order on the screen")
    assert await page.evaluate("() => [document.querySelector('#kpi-orders-today details').open,"
                               " document.activeElement.closest('article')?.id]") == [True, "kpi-orders-today"]


async def test_a_paused_page_waits_and_then_shows_the_newest(site: Site) -> None:
    """Pause updates: numbers stand still, the button says how many changes wait, pressed again they are there."""
    await site.order(1001)
    page = await site.open("/")
    await page.click("[data-act=pause]")
    await site.order(1002)
    await until(page, "Number(document.querySelector('[data-held]').textContent)", "held changes")
    still = await page.evaluate(f"() => {value_of('orders-today')}")
    await page.click("[data-act=pause]")
    await until(page, f"{value_of('orders-today')} === '2'", "the newest")
    assert still == "1"


async def test_a_number_that_goes_back_is_not_painted(site: Site) -> None:
    """An old frame that arrives late is left out: revisions only rise."""
    await site.order(1001)
    page = await site.open("/wall")
    hub = site.web.hub if site.web else None
    assert hub is not None
    old = hub.frame(0)
    await site.order(1002)
    await until(page, f"{value_of('orders-today')} === '2'", "the order on the screen")
    await page.evaluate("() => document.addEventListener('mark', () => { window.marked = true; })")
    hub.broadcast(old)
    hub.broadcast(event("mark", "what came before this has been read"))
    await until(page, "window.marked", "the end of the old frame")
    assert await page.evaluate(f"() => {value_of('orders-today')}") == "2"


async def test_hx_sse_is_as_we_rely_on_it(site: Site) -> None:
    """On a new htmx this tells whether the parts that our scripts hold on to are still there."""
    page = await site.open("/")
    await page.evaluate("""() => {
        const seen = window.contract = {};
        document.addEventListener('htmx:sse:before:message', ({ detail }) => {
            seen.waitUntil = typeof detail.waitUntil;
            seen.message = Object.keys(detail.message).sort().join();
            seen.reader = typeof detail.connection.reader?.cancel;
        });
        document.addEventListener('htmx:before:swap', ({ detail }) => {
            const [task] = detail.tasks;
            seen.tasks = Array.isArray(detail.tasks) && 'target' in task && 'fragment' in task;
        });
        document.addEventListener('htmx:sse:before:connection', ({ detail }) => {
            setTimeout(() => { seen.delayCanceller = typeof detail.connection.delayCanceller; }, 20);
        });
    }""")
    await site.order(1001)
    await until(page, "window.contract.tasks !== undefined", "a frame")
    await page.evaluate("() => document.getElementById('live')._htmx.sse.reader.cancel()")
    await until(page, "window.contract.delayCanceller", "a reconnect")
    assert await page.evaluate("() => window.contract") == {
        "waitUntil": "function", "message": "data,event,id", "reader": "function", "tasks": True,
        "delayCanceller": "function"}


# When something is wrong


async def test_a_hidden_phone_rests_and_then_catches_up(
        chromium: Browser, settings: Settings, store: Redis) -> None:
    """A tab in the background closes its stream; shown again it has what it missed, and is the same page."""
    async with open_site(settings, store, chromium.contexts[0]) as site:
        await site.order(1001)
        page = await site.open("/")
        await page.evaluate("() => { window.mark = 'the same page'; }")
        other = await chromium.contexts[0].new_page()
        await other.bring_to_front()
        await wait_until_async(lambda: site.screens == 0, "the stream closed")
        await site.order(1002)
        asleep = await page.evaluate(f"() => [document.hidden, {value_of('orders-today')}]")
        await other.close()
        await page.bring_to_front()
        await until(page, f"{value_of('orders-today')} === '2'", "what was missed")
        assert (asleep, await page.evaluate("() => window.mark")) == ([True, "1"], "the same page")


async def test_a_covered_wall_goes_on(chromium: Browser, settings: Settings, store: Redis) -> None:
    """A wall behind another window counts as hidden for the browser; it streams all the same."""
    async with open_site(settings, store, chromium.contexts[0]) as site:
        await site.order(1001)
        page = await site.open("/wall")
        other = await chromium.contexts[0].new_page()
        await other.bring_to_front()
        await until(page, "document.hidden", "a hidden wall")
        await site.order(1002)
        await until(page, f"{value_of('orders-today')} === '2'", "the order on the hidden wall")
        await other.close()
        assert site.screens == 1


async def test_a_screen_whose_scripts_hang_says_that_it_is_not_live(site: Site) -> None:
    """The banner comes from the compositor, 2.4 heartbeats after the last, though no script can run.

    Seen in the frames that Chromium's screencast sends: they do not pass through the page's main thread.
    """
    await site.order(1001)
    page = await site.open("/wall")
    colour = await page.evaluate("() => getComputedStyle(document.getElementById('stale')).backgroundColor")
    middle = await page.evaluate("() => { const b = document.getElementById('stale').getBoundingClientRect();"
                                 " return [5, Math.round(b.top + b.height / 2)]; }")
    red = await painted(page, colour)
    cdp = await site.context.new_cdp_session(page)
    frames: list[bytes] = []
    acknowledged: set[asyncio.Task[Any]] = set()

    def take(frame: dict[str, Any]) -> None:
        frames.append(b64decode(frame["data"]))
        acknowledged.add(asyncio.create_task(
            cdp.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})))

    cdp.on("Page.screencastFrame", take)
    await cdp.send("Page.startScreencast", {"format": "png"})
    await wait_until_async(lambda: frames, "a frame")
    before = pixel(frames[-1], *middle)
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    hung = asyncio.create_task(page.evaluate("() => { const end = Date.now() + 30000; while (Date.now() < end); }"))
    await wait_until_async(lambda: pixel(frames[-1], *middle) == red, "the banner", 20)
    still = not hung.done()
    await cdp.send("Runtime.terminateExecution")
    await asyncio.wait([hung])
    hung.exception()
    await cdp.send("Page.stopScreencast")
    await asyncio.gather(*acknowledged)
    assert (still, before == red) == (True, False)


async def painted(page: Page, colour: str) -> tuple[int, int, int]:
    """A CSS colour as the three bytes it is painted with."""
    red, green, blue = await page.evaluate("""(colour) => {
        const context = new OffscreenCanvas(1, 1).getContext('2d');
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    }""", colour)
    return red, green, blue


async def test_a_silent_connection_is_noticed_and_replaced(site: Site) -> None:
    """Half-open: nothing arrives and nothing fails. The screen says so after 2.4 heartbeats and connects anew."""
    await site.order(1001)
    page = await site.open("/wall")
    hub = site.web.hub if site.web else None
    assert hub is not None
    hub.screens.clear()  # forgotten, but not closed
    await until(page, f"{FRESH} === 'stale'", "the banner", 4)
    await site.order(1002)
    await until(page, f"{FRESH} === 'live' && {value_of('orders-today')} === '2'", "a new connection", 4)
    assert site.screens == 1


@pytest.mark.parametrize("way", ["refused", "full"])
async def test_a_first_connection_that_fails_is_tried_again(site: Site, way: str, monkeypatch: pytest.MonkeyPatch
                                                           ) -> None:
    """htmx never does: our script does, until it is live, without a reload."""
    await site.order(1001)
    page = await site.context.new_page()
    if way == "refused":
        await page.route(re.compile(r"/live\?"), lambda route: route.abort("connectionrefused"))
    else:
        monkeypatch.setattr("opsmon.web.live.MAX_SCREENS", 0)
    await site.visit(page, "/wall", live=False)
    await wait_until_async(lambda: len([url for url in site.asked if url.startswith("/live")]) > 1, "a second try")
    before = await page.evaluate(f"() => {FRESH}")
    await page.unroute_all()
    monkeypatch.setattr("opsmon.web.live.MAX_SCREENS", 10)
    await until(page, f"{FRESH} === 'live'", "a live screen")
    assert (before, site.asked.count("/wall")) == ("stale", 1)


async def test_a_server_that_restarts_is_told_and_then_caught_up_with(site: Site) -> None:
    """NOT LIVE while it is away, with the numbers of before; then live, and equal to a fresh page."""
    await site.order(1001)
    page = await site.open("/wall")
    await site.stop()
    await until(page, f"{FRESH} === 'stale'", "the banner")
    away = await page.evaluate(f"() => [{value_of('orders-today')},"
                               " getComputedStyle(document.getElementById('stale')).opacity]")
    await site.start()
    await site.order(1002)
    await until(page, f"{FRESH} === 'live' && {value_of('orders-today')} === '2'", "live again")
    shown, fresh = await same_as_fresh(site, page)
    assert (away, shown) == (["1", "1"], fresh)


async def test_a_new_build_makes_the_page_load_itself_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update of opsmon old scripts do not stay with new HTML."""
    page = await site.context.new_page()
    await page.add_init_script("Math.random = () => 0.01")
    await site.visit(page, "/wall")
    await page.evaluate("() => { window.mark = 'old'; }")
    await site.stop()
    monkeypatch.setattr(rendering, "build", lambda: "abcdef012345")
    await site.start()
    is_new = "document.documentElement.dataset.build === 'abcdef012345'"
    await until(page, f"{is_new} && {FRESH} === 'live'", "the new build")
    assert await page.evaluate("() => window.mark ?? null") is None


async def test_a_store_that_is_away_is_told_on_the_screen(site: Site) -> None:
    """The connection is fine and the numbers stand still: that is said in words."""
    await site.order(1001)
    page = await site.open("/wall")
    feed = site.web.feed if site.web else None
    assert feed is not None
    feed._note_down(ConnectionError("on purpose"))
    await until(page, "document.getElementById('health').dataset.state === 'store-down'", "the words")
    assert await page.is_visible("text=The store cannot be reached")


# How it is laid out


async def with_large_numbers(site: Site) -> None:
    """Every tile shows what a very good year would show."""
    await site.order(1001, "1234567.89")
    hub = site.web.hub if site.web else None
    assert hub is not None
    await wait_until_async(lambda: getattr(hub.slots["setup"].view, "needed", True) is False, "the board")
    large = {"orders-today": "123,456,789", "revenue-today": "€123,456,789.00", "aov-1h": "€1,234,567.89",
             "orders-per-minute": "123,456,789", "orders-per-hour": "123,456,789"}
    views: list[tuple[str, object]] = []
    for kpi_id, text in large.items():
        view = hub.slots[f"kpi-{kpi_id}"].view
        assert isinstance(view, KpiView)
        views.append((f"kpi-{kpi_id}", replace(view, text=text, chars=len(text))))
    hub.update(views, hub.revision + 1)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_a_wall_is_exactly_one_screen(site: Site, width: int, height: int) -> None:
    """Nothing to scroll, on any wall: what is below the edge nobody ever sees."""
    await with_large_numbers(site)
    page = await site.open("/wall", width, height)
    assert await page.evaluate("() => { const d = document.documentElement;"
                               " return [d.scrollWidth, d.scrollHeight, d.clientWidth, d.clientHeight]; }") == [
        width, height, width, height]


CLIPPED = """() => [...document.querySelectorAll(
        '.tile__value, .tile__label, .comparison, .bar__title, .health > *')]
    .filter((e) => e.getClientRects().length && !e.closest('.visually-hidden')).flatMap((e) => {
        const range = document.createRange();
        range.selectNodeContents(e);
        const text = range.getBoundingClientRect();
        const box = (e.closest('.tile') ?? document.body).getBoundingClientRect();
        const side = parseFloat(getComputedStyle(e).fontSize) * 0.03; // the white at a digit's edge hangs out
        const out = text.right > box.right + side || text.left < box.left - side || text.bottom > box.bottom + 1
            || text.right > innerWidth || text.bottom > innerHeight || text.top < 0;
        return text.width && out ? [`${e.className}: ${e.textContent.trim()}`] : [];
    })"""


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_no_number_of_nine_digits_is_clipped_on_a_wall(site: Site, width: int, height: int) -> None:
    """€123,456,789.00 fits its tile, as do all words around it."""
    await with_large_numbers(site)
    page = await site.open("/wall", width, height)
    assert await page.evaluate(CLIPPED) == []


@pytest.mark.parametrize("path", ["/", "/status"])
async def test_a_narrow_phone_never_scrolls_sideways(site: Site, path: str) -> None:
    """320 pixels are enough, also for nine digits."""
    await with_large_numbers(site)
    page = await site.open(path, 320, 640, live=path == "/")
    assert await page.evaluate("() => document.documentElement.scrollWidth") == 320


async def test_no_number_of_nine_digits_is_clipped_on_a_phone(site: Site) -> None:
    """It gets smaller instead."""
    await with_large_numbers(site)
    page = await site.open("/", 320, 640)
    numbers = "document.querySelectorAll('.tile__number:not(.visually-hidden) > .tile__value')"
    wide = "(e) => e.scrollWidth > e.parentElement.clientWidth + 1"
    assert await page.evaluate(f"() => [...{numbers}].filter({wide}).map((e) => e.textContent)") == []


async def test_a_wall_can_be_read_from_five_metres(site: Site) -> None:
    """Hero numbers at least 10 % of its height, names 3.5 %, everything else 2.8 %."""
    await site.order(1001, "49.90")
    page = await site.open("/wall", 1920, 1080)
    smallest = await page.evaluate("""() => {
        const percent = (e) => parseFloat(getComputedStyle(e).fontSize) / innerHeight * 100;
        const seen = (e) => e.getClientRects().length && !e.closest('.visually-hidden, .banner')
            && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        const least = (css) => Math.min(...[...document.querySelectorAll(css)].filter(seen).map(percent));
        return [least('[data-size=hero] .tile__value'), least('.tile__label'), least('body *')];
    }""")
    assert (smallest[0] >= 10, smallest[1] >= 3.5, smallest[2] >= 2.8) == (True, True, True), smallest


async def test_the_banner_of_a_wall_can_be_read_from_five_metres(site: Site) -> None:
    """NOT LIVE is at least 4.7 % of the height."""
    page = await site.open("/wall", 1920, 1080)
    size = await page.evaluate("() => getComputedStyle(document.querySelector('#stale b')).fontSize")
    assert float(size.removesuffix("px")) / 10.80 >= 4.7


async def test_a_phone_shows_two_tiles_in_a_row(site: Site) -> None:
    """Small numbers stand side by side."""
    await site.order(1001, "49.90")
    page = await site.open("/", 360, 740)
    tiles = "document.querySelectorAll('[data-size=normal]')"
    tops = await page.evaluate(f"() => [...{tiles}].map((e) => e.offsetTop)")
    assert len(set(tops)) < len(tops)
