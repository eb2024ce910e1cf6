"""A real Chromium, and a real opsmon to look at: what the browser tests are driven with."""

import asyncio
import os
import shutil
import struct
import subprocess
import tempfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright
from redis.asyncio import Redis

from opsmon.app.web import Web, open_web
from opsmon.clock import SystemClock
from opsmon.listening import listen
from opsmon.settings import Settings
from opsmon.web.server import serve
from opsmon.workers.worker import Worker
from tests.conftest import SECRET
from tests.http import request
from tests.line import SHOP, sign
from tests.orders import order
from tests.waiting import wait_until, wait_until_async

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS = ("--headless", "--remote-debugging-port=0", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars")


def find_chromium() -> str:
    """Its path. Without one the test is skipped; on CI it fails, for there the browser must be."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        said = f"no browser: none of {', '.join(_NAMES)} is on the PATH"
        pytest.fail(said) if os.environ.get("CI") else pytest.skip(said)
    return found


@asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    """Start it and connect.

    We start it ourselves, since Playwright makes every page it starts believe that it has the focus, and such a
    page is never hidden. With `no_defaults` the tabs of the default context hide and show as for a person.
    """
    with tempfile.TemporaryDirectory(prefix="opsmon-chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen([find_chromium(), *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            told = Path(profile) / "DevToolsActivePort"
            port = wait_until(lambda: told.exists() and told.read_text().partition("\n")[0], "the browser", 30)
            async with async_playwright() as play:
                browser = await play.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
                yield browser
                await browser.close()
        finally:
            process.terminate()
            process.wait(10)


@dataclass(slots=True)
class Site:
    """opsmon at one port, whose web process can be stopped and started again; heartbeats come every second."""

    settings: Settings
    store: Redis
    context: BrowserContext
    port: int = 0
    web: Web | None = None
    pages: list[Page] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _ending: "asyncio.Event | None" = None
    _running: "asyncio.Task[None] | None" = None

    async def start(self) -> None:
        """Start the web process, at the same port as before."""
        started, self._ending = asyncio.Event(), asyncio.Event()
        self._running = asyncio.create_task(self._serve(started, self._ending))
        running = self._running
        await wait_until_async(lambda: started.is_set() or running.done(), "the web process")
        if running.done():
            await running

    async def stop(self) -> None:
        """Stop it, as SIGTERM does."""
        if self._ending is not None and self._running is not None:
            self._ending.set()
            await self._running

    async def _serve(self, started: asyncio.Event, ending: asyncio.Event) -> None:
        sockets = listen("127.0.0.1", self.port, boards=True)
        self.port = sockets[0].getsockname()[1]
        async with open_web(self.settings, boards=True, ingest=True, clock=SystemClock()) as self.web:
            server = serve(self.web.app, sockets, self.web.drain)
            serving = asyncio.create_task(server.serve(sockets))
            assert self.web.feed is not None
            await self.web.feed.ready.wait()
            started.set()
            await ending.wait()
            server.should_exit = True
            await serving

    @property
    def screens(self) -> int:
        """Open streams."""
        assert self.web is not None and self.web.hub is not None
        return len(self.web.hub.screens)

    async def order(self, number: int, total: str = "49.90") -> None:
        """An order comes in and is counted."""
        raw = orjson.dumps(order(number, total, placed_ms=SystemClock().now_ms()))
        answer = await request(self.port, "POST", "/webhooks/shopify", raw, {
            "x-shopify-topic": "orders/create", "x-shopify-shop-domain": SHOP,
            "x-shopify-webhook-id": f"webhook-{number}-{self.port}",
            "x-shopify-hmac-sha256": sign(raw, SECRET.encode()),
        })
        assert answer.status == 200
        await self.work()

    async def work(self) -> None:
        """Count everything that waits."""
        worker = Worker(self.store, self.settings, SystemClock())
        aggregator = await worker.start()
        while await worker.step(aggregator, 1):
            pass

    async def open(self, path: str, width: int = 1280, height: int = 720, *, live: bool = True) -> Page:
        """Open a page; what goes wrong in it is noted in `problems`, what it asks for in `asked`."""
        page = await self.context.new_page()
        await page.set_viewport_size({"width": width, "height": height})
        return await self.visit(page, path, live=live)

    async def visit(self, page: Page, path: str, *, live: bool = True) -> Page:
        """Go there, and wait until the screen is live, with all that comes then."""
        self.pages.append(page)
        page.on("console", lambda said: said.type in ("error", "warning") and self.problems.append(said.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda asked: self.asked.append(asked.url.partition(str(self.port))[2]))
        await page.add_init_script(
            "document.addEventListener('load', (e) => { window.isWhole ||= e.target.id === 'rest'; }, true);"
            " window.violations = []; document.addEventListener('securitypolicyviolation',"
            " (e) => violations.push(`${e.effectiveDirective} ${e.blockedURI}`));")
        await page.goto(f"http://127.0.0.1:{self.port}{path}")
        if live:
            await until(page, "document.documentElement.dataset.fresh === 'live' && window.isWhole", "a live screen")
        return page


@asynccontextmanager
async def open_site(settings: Settings, store: Redis, context: BrowserContext, port: int = 0) -> AsyncIterator[Site]:
    """A running opsmon and what is seen of it; closes pages and processes. Port 0: any."""
    site = Site(settings, store, context, port)
    await site.work()
    await site.start()
    try:
        yield site
    finally:
        for page in site.pages:
            await page.close()
        await site.stop()


async def until(page: Page, expression: str, never_came: str, timeout_s: float = 30.0) -> Any:
    """Wait until something is true in the page, also while it is loading another one."""
    async def ask() -> Any:
        try:
            return await page.evaluate(f"() => document.documentElement && ({expression})")
        except Error as error:
            if "context was destroyed" not in str(error):
                raise
            return None

    return await wait_until_async(ask, never_came, timeout_s)


def value_of(kpi_id: str) -> str:
    """An expression: the number of a tile, as written."""
    return f"document.querySelector('#kpi-{kpi_id} .tile__value').textContent"


def pixel(png: bytes, x: int, y: int) -> tuple[int, int, int]:
    """One pixel of a PNG of 8-bit RGB or RGBA, without a library."""
    width, _, depth, kind = struct.unpack(">IIBB", png[16:26])
    size = {2: 3, 6: 4}[kind]
    assert depth == 8
    packed, at = b"", 8
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        packed += png[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    raw, stride = zlib.decompress(packed), width * size
    above = bytearray(stride)
    for number in range(y + 1):
        start = number * (stride + 1)
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], above, size)
    red, green, blue = above[x * size : x * size + 3]
    return red, green, blue


def _unfiltered(kind: int, line: bytes, above: bytearray, size: int) -> bytearray:
    done = bytearray(len(line))
    for i, byte in enumerate(line):
        left, corner = (done[i - size], above[i - size]) if i >= size else (0, 0)
        up = above[i]
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        done[i] = (byte + guess) & 255
    return done


def _paeth(left: int, up: int, corner: int) -> int:
    base = left + up - corner
    return min((abs(base - left), 0, left), (abs(base - up), 1, up), (abs(base - corner), 2, corner))[2]
