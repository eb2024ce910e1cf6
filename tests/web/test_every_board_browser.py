"""Every board in a real Chromium, through schedules of drops, replays, reloads, hidden tabs, pauses, slow links and
restarts: in the end it shows what a page loaded now shows. The same proof as test_every_board.py, with the scripts."""

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route

from opsmon.core.boards import BOARDS
from opsmon.web.feed import slots_of
from opsmon.web.hub import Hub, event
from tests.waiting import wait_until_async
from tests.web.browser import Site, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.usefixtures("heartbeat_a_second")]

PATHS = [f"{begins}/{board.id}" for board in BOARDS for begins in ("/b", "/wall")]
ACTIONS = ("order", "order", "lose", "silent", "replay", "reload", "hide", "pause", "slow", "restart")
STEPS = 10
GUARDS = "tasks.splice(i,1)"
LIVE = "document.documentElement.dataset.fresh === 'live'"
# Every slot as HTML; ages are drawn by the page, and in which order attributes were set is no difference.
SHOWN = """() => Object.fromEntries([...document.querySelectorAll('[data-rev]')].map((slot) => {
  const copy = slot.cloneNode(true);
  for (const one of [copy, ...copy.querySelectorAll('*')]) {
    for (const { name, value } of [...one.attributes].sort((a, b) => a.name < b.name ? -1 : 1)) {
      one.removeAttribute(name);
      one.setAttribute(name, value);
    }
    if (one.localName === 'time') one.textContent = '';
  }
  return [slot.id, copy.outerHTML];
}))"""


@pytest.fixture
def context(chromium: Browser) -> BrowserContext:
    """The one whose tabs can be hidden."""
    return chromium.contexts[0]


@dataclass
class Schedule:
    """What happens to one page."""

    site: Site
    page: Page
    path: str
    number: int = 1001
    old: bytes = b""

    @property
    def hub(self) -> Hub:
        """That of the process that runs now."""
        hub = self.site.web.hub if self.site.web else None
        assert hub is not None
        return hub

    async def order(self) -> None:
        """Something is counted; the frame of before is kept, to come once more."""
        board = next(board for board in BOARDS if board.id == self.path.rpartition("/")[2])
        self.old = self.hub.part(0, slots_of(board, "wall" if self.path.startswith("/wall") else "board"))
        self.number += 1
        await self.site.order(self.number)

    async def lose(self) -> None:
        """The connection breaks."""
        await self.page.evaluate("() => document.getElementById('live')._htmx?.sse?.reader?.cancel()")

    async def silent(self) -> None:
        """Half-open: nothing comes and nothing fails."""
        self.hub.screens.clear()

    async def replay(self) -> None:
        """An old frame comes late."""
        self.hub.broadcast(self.old)

    async def reload(self) -> None:
        """F5."""
        await self.page.reload()

    async def hide(self) -> None:
        """Another tab for a while, in which an order comes."""
        other = await self.site.context.new_page()
        await other.bring_to_front()
        await until(self.page, "document.hidden", "a hidden page")
        await self.order()
        await other.close()
        await self.page.bring_to_front()

    async def pause(self) -> None:
        """Pressed, or pressed again; a wall has no such button."""
        await self.page.evaluate("() => document.querySelector('[data-act=pause]')?.click()")

    async def slow(self) -> None:
        """A link of 20 kbit/s for an order."""
        cdp = await self.site.context.new_cdp_session(self.page)
        for speed in (2_500, -1):
            await cdp.send("Network.emulateNetworkConditions", {
                "offline": False, "latency": 100 if speed > 0 else 0, "downloadThroughput": speed,
                "uploadThroughput": -1})
            await self.order()
        await cdp.detach()

    async def restart(self) -> None:
        """The web process is replaced."""
        await self.site.stop()
        await self.site.start()

    async def settle(self) -> None:
        """Seen, not paused, connected."""
        await self.page.evaluate("() => document.querySelector('[data-act=pause][aria-pressed=true]')?.click()")
        await until(self.page, LIVE, "a live screen")


async def shown_and_fresh(site: Site, page: Page, path: str) -> tuple[Any, Any]:
    """What each slot of a page says, and what it says on a page that is loaded now."""
    other = await site.context.new_page()
    await other.goto(f"http://127.0.0.1:{site.port}{path}")
    await until(other, LIVE, "a live screen")
    found = await page.evaluate(SHOWN), await other.evaluate(SHOWN)
    await other.close()
    return found


@pytest.mark.parametrize("path", PATHS)
async def test_a_board_ends_with_what_a_fresh_page_shows(site: Site, path: str) -> None:
    """Ten things happen to it, then nothing more: slot by slot and letter by letter it is the page of now."""
    chance = Random(path)
    schedule = Schedule(site, await site.open(path), path)
    await schedule.order()
    happened = [chance.choice(ACTIONS) for _ in range(STEPS)]
    for name in happened:
        await getattr(schedule, name)()
    await schedule.settle()
    found: list[tuple[Any, Any]] = []

    async def is_same() -> bool:
        found.append(await shown_and_fresh(site, schedule.page, path))
        return bool(found[-1][0] == found[-1][1])

    try:
        await wait_until_async(is_same, "the page of now", 12)
    except AssertionError:  # told better below
        pass
    shown, fresh = found[-1]
    assert {slot: (html, fresh.get(slot)) for slot, html in shown.items() if html != fresh.get(slot)} == {}, happened


async def without_guard(route: Route) -> None:
    """The page's scripts, of which guard.js lets everything through."""
    answer = await route.fetch()
    script = await answer.text()
    assert script.count(GUARDS) == 1
    await route.fulfill(response=answer, body=script.replace(GUARDS, ""))


async def test_a_page_without_its_guard_is_caught(site: Site) -> None:
    """The proof can fail: without guard.js an old frame stays on the screen."""
    page = await site.context.new_page()
    await page.route("**/*guard*.js", without_guard)
    await site.visit(page, "/b/overview")
    schedule = Schedule(site, page, "/b/overview")
    await schedule.order()
    await until(page, "document.querySelector('#kpi-orders-today .tile__value').textContent === '2'", "the order")
    await page.evaluate("() => document.addEventListener('mark', () => { window.marked = true; })")
    await schedule.replay()
    schedule.hub.broadcast(event("mark", "what came before this has been read"))
    await until(page, "window.marked", "the end of the old frame")
    shown, fresh = await shown_and_fresh(site, page, "/b/overview")
    assert shown["kpi-orders-today"] != fresh["kpi-orders-today"]


async def test_a_paused_page_keeps_the_newest_whatever_comes_late(site: Site) -> None:
    """Two orders are held back; then the frame of the first comes once more. Resumed, the page shows both."""
    schedule = Schedule(site, await site.open("/b/overview"), "/b/overview")
    await schedule.pause()
    for _ in range(2):
        await schedule.order()
        held = "Number(document.querySelector('[data-held]').textContent)"
        await until(schedule.page, held, "held changes")
    await schedule.page.evaluate("() => document.addEventListener('mark', () => { window.marked = true; })")
    await schedule.replay()
    schedule.hub.broadcast(event("mark", "what came before this has been read"))
    await until(schedule.page, "window.marked", "the end of the old frame")
    await schedule.settle()
    await until(schedule.page, "document.querySelector('#kpi-orders-today .tile__value').textContent === '3'", "both")


async def test_a_screen_that_is_refused_says_that_it_is_signed_out(site: Site) -> None:
    """401: the banner says so, the page asks for itself once, to be led to sign in, and for the stream again in
    case the session comes back."""
    page = await site.context.new_page()
    await page.route("**/live?*", lambda route: route.fulfill(status=401))
    await site.visit(page, "/b/overview", live=False)
    await until(page, "document.documentElement.dataset.auth === 'out'"
                      " && document.getElementById('stale')?.checkVisibility({visibilityProperty: true})", "word of it")
    await page.unroute_all()
    await until(page, f"{LIVE} && !('auth' in document.documentElement.dataset)", "a live screen")
    assert site.asked.count("/b/overview") == 2
