"""The phone before a real Chromium: no connection, a pocket, a pause, a thumb."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from opsmon.web import rendering
from tests.web.browser import Site, until, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

FRESH = "document.documentElement.dataset.fresh"
KEPT = "document.documentElement.dataset.kept"
BANNER = ("() => { const banner = document.getElementById('stale');"
          " return [getComputedStyle(banner).opacity, banner.innerText.trim()]; }")
HELD = "caches.open(document.documentElement.dataset.build).then((c) => c.match(location.href)).then((r) => !!r)"


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A phone of its own: nothing is kept on it yet."""
    opened = await chromium.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True,
                                         service_workers="allow")
    yield opened
    await opened.close()


@pytest.fixture
async def site(site: Site) -> Site:
    """opsmon with two orders."""
    await site.order(1002, "50.10")
    return site


async def kept(site: Site, path: str = "/") -> Page:
    """A board that was opened and is kept on the phone."""
    page = await site.open(path, 390, 844)
    await until(page, HELD, "the kept board")
    return page


# Without a connection


async def test_a_board_opens_without_a_connection_with_its_last_numbers(site: Site) -> None:
    """A cold start in the lift: the numbers that were seen last, grey, and from when they are."""
    page = await kept(site)
    await site.order(1003, "10.00")
    await until(page, f"{value_of('orders-today')} === '3'", "the third order")
    await page.goto(f"http://127.0.0.1:{site.port}/status")
    await site.stop()
    await site.context.set_offline(True)
    again = await site.open("/", 390, 844, live=False)
    await until(again, f"{value_of('orders-today')} === '3'", "the numbers of before")
    opacity, said = await again.evaluate(BANNER)
    grey, quiet = await again.evaluate(
        "() => [getComputedStyle(document.querySelector('#kpi-orders-today .tile__value')).color,"
        " getComputedStyle(document.querySelector('.connection')).color]")
    assert (opacity, said.startswith("OFFLINE as of "), grey == quiet) == ("1", True, True), said
    assert await again.evaluate("() => window.violations") == []
    await site.start()


async def test_a_board_that_opened_without_a_connection_becomes_live_by_itself(site: Site) -> None:
    """With the connection back it catches up: no reload, no hand."""
    page = await kept(site)
    await page.close()
    site.pages.remove(page)
    await site.stop()
    again = await site.open("/", 390, 844, live=False)
    await again.evaluate("() => { window.mark = 'the same page'; }")
    await site.start()
    await site.order(1003)
    await until(again, f"{FRESH} === 'live' && {value_of('orders-today')} === '3'", "live again", 20)
    assert await again.evaluate(f"() => [window.mark, {KEPT} ?? null]") == ["the same page", None]


async def test_bad_reception_shows_what_is_kept_after_three_seconds(site: Site) -> None:
    """Nobody waits before a white screen for numbers that are at hand."""
    page = await kept(site)
    cdp = await site.context.new_cdp_session(page)
    await page.goto("about:blank")
    feed = site.web.feed if site.web else None
    assert feed is not None
    feed.ready.clear()  # a page now waits for the server
    took = await page.evaluate("() => performance.timeOrigin") and await _timed(page, site)
    feed.ready.set()
    await cdp.detach()
    assert (await page.evaluate(f"() => {value_of('orders-today')}"), 2.5 < took < 8) == ("2", True), took


async def _timed(page: Page, site: Site) -> float:
    await page.goto(f"http://127.0.0.1:{site.port}/")
    return float(await page.evaluate("() => performance.getEntriesByType('navigation')[0].responseEnd / 1000"))


async def test_a_board_that_was_never_opened_says_that_it_is_not_kept(site: Site) -> None:
    """Not another board's numbers, and not the browser's own riddle."""
    await kept(site)
    await site.stop()
    page = await site.open("/b/sales", 390, 844, live=False)
    assert await page.inner_text("h2") == "No connection"
    await site.start()


async def test_the_worker_leaves_the_stream_and_numbers_alone(site: Site) -> None:
    """It answers for boards and for files of its build; everything else goes its own way."""
    page = await kept(site)
    await page.evaluate("() => fetch('/api/kpis').then((answer) => answer.text())")
    stored = await page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys())))"
        ".flat().map((request) => new URL(request.url).pathname)")
    assert {path for path in stored if not path.startswith("/static/")} == {"/", "/offline"}


async def test_a_new_build_leaves_nothing_of_the_old_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update the page is the new one at once, and the caches are those of the new worker alone."""
    page = await kept(site)
    await site.stop()
    monkeypatch.setattr(rendering, "build", lambda: "abcdef012345")
    await site.start()
    await page.reload()
    first = await page.evaluate("() => document.documentElement.dataset.build")
    await until(page, "caches.keys().then((names) => String(names) === 'abcdef012345')", "the new cache alone")
    await until(page, HELD, "the board, kept anew")
    assert first == "abcdef012345"


# On a phone


async def test_the_board_can_be_installed(site: Site) -> None:
    """Chromium finds nothing that stands against it."""
    page = await kept(site)
    cdp = await site.context.new_cdp_session(page)
    found = await cdp.send("Page.getInstallabilityErrors")
    manifest = await cdp.send("Page.getAppManifest")
    errors = [error["errorId"] for error in found["installabilityErrors"] if error["errorId"] != "in-incognito"]
    assert (errors, manifest["errors"], site.problems) == ([], [], [])


@pytest.mark.parametrize("path", ["/", "/b/operations", "/sources"])
async def test_whatever_is_tapped_is_large_enough(site: Site, path: str) -> None:
    """At least 48 pixels high; links in a sentence excepted."""
    page = await site.open(path, 390, 844)
    small = await page.evaluate("""() => [...document.querySelectorAll('a, button, select, summary')].filter((e) =>
        e.getClientRects().length && !e.closest('p, li') && e.getBoundingClientRect().height < 47.5)
        .map((e) => `${e.textContent.trim()}: ${e.getBoundingClientRect().height}`)""")
    assert small == []


@pytest.mark.parametrize("path", ["/", "/b/sales", "/b/operations", "/b/technology"])
async def test_nothing_on_a_phone_is_too_small_to_read(site: Site, path: str) -> None:
    """Captions have at least 14 pixels."""
    page = await site.open(path, 390, 844)
    small = await page.evaluate("""() => [...document.querySelectorAll('body *')].filter((e) =>
        e.getClientRects().length && !e.closest('.visually-hidden')
        && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
        && parseFloat(getComputedStyle(e).fontSize) < 14).map((e) => e.className.baseVal ?? e.className)""")
    assert sorted(set(small)) == []


async def test_the_most_important_number_comes_first(site: Site) -> None:
    """The hero is on the first screen, above everything else."""
    page = await site.open("/", 390, 844)
    first = await page.evaluate("() => { const cell = document.querySelector('.tiles > .cell');"
                                " return [cell.dataset.size, cell.getBoundingClientRect().bottom < 844]; }")
    assert first == ["hero", True]


# While nobody looked


LONG_AGO = """() => { const seen = JSON.parse(localStorage.seen);
    seen.at -= 3600000; localStorage.seen = JSON.stringify(seen); }"""


async def left(site: Site) -> Page:
    """A phone that showed the board an hour ago, and was put away."""
    page = await site.open("/", 390, 844)
    await page.goto(f"http://127.0.0.1:{site.port}/status")
    await page.evaluate(LONG_AGO)
    return page


async def test_a_reader_who_comes_back_is_told_what_happened(site: Site) -> None:
    """What the day's totals have gained since then."""
    page = await left(site)
    await site.order(1003, "20.00")
    await site.order(1004, "20.00")
    await page.goto(f"http://127.0.0.1:{site.port}/")
    await until(page, "!document.getElementById('away').hidden", "the summary")
    said = await page.inner_text("#away span")
    await page.click("#away button")
    assert (said, await page.is_visible("#away")) == ("Revenue today +€40.00\nOrders today +2", False)


async def test_across_midnight_only_the_new_day_is_counted(site: Site) -> None:
    """Yesterday's total is no starting point: what there is so far is said, and that the day is new."""
    page = await left(site)
    await page.evaluate("() => { const seen = JSON.parse(localStorage.seen);"
                        " for (const total of Object.values(seen.totals)) { total.from -= 864e5; total.number = 900; }"
                        " localStorage.seen = JSON.stringify(seen); }")
    await page.goto(f"http://127.0.0.1:{site.port}/")
    await until(page, "!document.getElementById('away').hidden", "the summary")
    said = await page.inner_text("#away p")
    assert said.startswith("A new day since ") and said.endswith("Revenue today €100.00\nOrders today 2")


async def test_a_short_glance_away_is_not_remarked_on(site: Site) -> None:
    """From board to board nothing is summed up."""
    page = await site.open("/", 390, 844)
    await site.order(1003)
    await page.goto(f"http://127.0.0.1:{site.port}/b/sales")
    await until(page, f"{FRESH} === 'live' && performance.now() > 2500", "a while")
    assert await page.is_visible("#away") is False


# Slower, on request


async def test_a_pause_says_how_long_and_how_much(site: Site) -> None:
    """In a line that stays in sight; going on shows the newest."""
    page = await site.open("/", 390, 844)
    await page.click(".bar [data-act=pause]")
    await site.order(1003)
    await until(page, "parseInt(document.querySelector('[data-held]').textContent)", "held changes")
    said = await page.inner_text("#paused")
    asleep = await page.evaluate(f"() => {value_of('orders-today')}")
    await page.click("#paused button")
    await until(page, f"{value_of('orders-today')} === '3'", "the newest")
    assert (asleep, said.startswith("Paused 0 min, "), await page.is_visible("#paused")) == ("2", True, False)


async def test_a_chosen_cadence_holds_changes_and_is_remembered(site: Site) -> None:
    """What is seen changes at most every ten seconds, each time to the newest; also after a reload."""
    page = await site.open("/", 390, 844)
    await page.select_option("[data-act=cadence]", "10")
    await page.reload()
    await until(page, f"{FRESH} === 'live'", "a live screen")
    chosen = await page.input_value("[data-act=cadence]")
    await page.evaluate("() => { window.shown = []; document.addEventListener('htmx:after:settle',"
                        " () => window.shown.push(performance.now())); }")
    for number in (1003, 1004, 1005):
        await site.order(number)
    await until(page, f"{value_of('orders-today')} === '5'", "the newest", 25)
    gaps = await page.evaluate("() => shown.map((ms, at) => ms - (shown[at - 1] ?? ms)).filter((ms) => ms > 500)")
    assert (chosen, [ms for ms in gaps if ms < 9_500]) == ("10", [])
