"""A first visit on a phone: how much it fetches, when it paints, and whether it jumps; then the same without a
connection."""

import asyncio
import gzip
from http.client import HTTPConnection
from statistics import median
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

from tests.bench.processes import running
from tests.waiting import wait_until
from tests.web.browser import open_chromium, until
from tests.web.test_weight import ASKED, LATER, NOT_ASKED

ROUNDS = 5
# Chromium's own presets: latency in ms for each request, bytes per second down and up.
LINES = {"loopback": None, "Fast 4G": (165, 9_000_000 * 0.9 / 8, 1_500_000 * 0.9 / 8),
         "Fast 3G (Slow 4G)": (562.5, 1_600_000 * 0.9 / 8, 750_000 * 0.9 / 8)}
BOARDS = ("/", "/b/sales", "/b/operations", "/b/technology")
PAINTED = """() => new Promise((tell) => {
    let shift = 0, largest = 0;
    new PerformanceObserver((seen) => seen.getEntries().forEach((e) => { shift += e.hadRecentInput ? 0 : e.value; }))
        .observe({ type: 'layout-shift', buffered: true });
    new PerformanceObserver((seen) => seen.getEntries().forEach((e) => { largest = e.startTime; }))
        .observe({ type: 'largest-contentful-paint', buffered: true });
    setTimeout(() => tell([performance.getEntriesByName('first-contentful-paint')[0].startTime, largest, shift]), 1500);
})"""


def main() -> None:
    """Print the bytes of each board, and one line for each kind of connection."""
    with running(["demo"]) as opsmon:
        for is_filling in (True, False):
            wait_until(lambda wanted=is_filling: _is_filling(opsmon.port) == wanted, "the demo's eight weeks", 300)
        for board in BOARDS:
            print(weigh(opsmon.port, board), flush=True)
        asyncio.run(measure(opsmon.port))


def weigh(port: int, board: str) -> str:
    """Gzipped bytes of the HTML of a board, of all a first visit asks for until it is live, and of what follows."""
    html = fetch(port, board)
    written = gzip.decompress(html).decode()
    whole = len(html) + sum(len(fetch(port, path)) for path in dict.fromkeys(ASKED.findall(NOT_ASKED.sub("", written))))
    later = sum(len(fetch(port, path)) for path in (*LATER.findall(written), "/sw.js", "/offline"))
    return f"{board}: HTML {len(html):,} bytes gzipped, first visit without its map {whole:,}, and then {later:,}"


def _is_filling(port: int) -> bool:
    return b"setup__progress" in gzip.decompress(fetch(port, "/"))


def fetch(port: int, path: str) -> bytes:
    """A body as it travels."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"accept-encoding": "gzip"})
    return connection.getresponse().read()


async def measure(port: int) -> None:
    """Visit the first board again and again, each time with nothing in the cache."""
    async with open_chromium() as browser:
        for line, limits in LINES.items():
            seen = [await visit(browser, port, limits) for _ in range(ROUNDS)]
            first, largest, shift = (median(figures) for figures in zip(*seen, strict=True))
            print(f"{line}: first contentful paint {first:.0f} ms, largest {largest:.0f} ms, layout shift {shift:.3f}",
                  flush=True)
        print(f"no connection: first contentful paint {await offline(browser, port):.0f} ms")


async def visit(browser: Browser, port: int, limits: tuple[float, float, float] | None) -> tuple[float, float, float]:
    """First and largest contentful paint in ms, and the layout shift, of a first visit."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = await context.new_page()
    if limits:
        await throttle(await context.new_cdp_session(page), limits)
    await page.goto(f"http://127.0.0.1:{port}/", wait_until="load")
    first, largest, shift = await page.evaluate(PAINTED)
    await context.close()
    return first, largest, shift


async def throttle(cdp: CDPSession, limits: tuple[float, float, float]) -> None:
    """Make a page's connection as slow as that."""
    latency_ms, down, up = limits
    await cdp.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": latency_ms, "downloadThroughput": down, "uploadThroughput": up})


async def offline(browser: Browser, port: int) -> float:
    """First contentful paint in ms of a kept board: median of several visits."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = await context.new_page()
    await page.goto(f"http://127.0.0.1:{port}/")
    await until(page, "caches.open(document.documentElement.dataset.build).then((c) => c.match(location.href))"
                      ".then((r) => !!r)", "the kept board")
    await context.set_offline(True)
    seen = [await reopened(page) for _ in range(ROUNDS)]
    await context.close()
    return median(seen)


async def reopened(page: Page) -> Any:
    """First contentful paint after a reload."""
    await page.reload(wait_until="load")
    return (await page.evaluate(PAINTED))[0]
