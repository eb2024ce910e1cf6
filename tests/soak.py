"""`python -m tests.soak [--minutes 30] [--per-second 5]`: a wall in Chromium under updates, and whether anything grows.

Measured after the browser has collected its garbage: the JavaScript heap, the nodes and listeners of the page, and the
timers that were made since the page stood. What counts is the second half, when all has been loaded and warmed up.
Prints the figures; exit status 1 when something grows.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from statistics import linear_regression
from time import perf_counter

from playwright.async_api import CDPSession, Page
from redis.asyncio import Redis

from opsmon.settings import Settings, load
from opsmon.store.connection import worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.server_binary import find_server
from opsmon.web.views import KpiView
from tests.conftest import SECRET
from tests.web.browser import Site, open_chromium, open_site

PATH = "/wall/sales+operations"
MOST_NODES = 3_000
# Of a line through the second half; a leak of one small object an update is ten times that in half an hour.
MOST_GROWTH_BYTES = 256 * 1024
MOST_TIMERS_PER_UPDATE = 0.05
SAMPLES = 24
COUNTING = """window.timers = 0;
for (const name of ['setTimeout', 'setInterval', 'requestAnimationFrame', 'requestIdleCallback']) {
  const made = window[name];
  window[name] = (...all) => { window.timers += 1; return made(...all); };
}
document.addEventListener('htmx:after:swap', () => { window.swaps = (window.swaps ?? 0) + 1; });"""


@dataclass(frozen=True, slots=True)
class Sample:
    """The page at one time: seconds since the beginning, bytes of the heap, and what is in it."""

    at_s: float
    heap_bytes: float
    nodes: float
    listeners: float
    timers: int
    updates: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a soak has found."""

    samples: list[Sample]

    @property
    def settled(self) -> list[Sample]:
        """The second half."""
        return self.samples[len(self.samples) // 2:]

    @property
    def slope_bytes_s(self) -> float:
        """Of the heap."""
        return linear_regression([one.at_s for one in self.settled], [one.heap_bytes for one in self.settled]).slope

    @property
    def growth_bytes(self) -> float:
        """Of a line through the heap, over the second half."""
        return self.slope_bytes_s * (self.settled[-1].at_s - self.settled[0].at_s)

    @property
    def timers_per_update(self) -> float:
        """Timers made in the second half, by updates that came in it."""
        first, last = self.settled[0], self.settled[-1]
        return (last.timers - first.timers) / max(last.updates - first.updates, 1)

    def problems(self) -> list[str]:
        """What grows, in sentences."""
        first, last = self.settled[0], self.settled[-1]
        return [said for said, is_so in (
            (f"the heap grew by {self.growth_bytes / 1024:.0f} KB", self.growth_bytes > MOST_GROWTH_BYTES),
            (f"{last.nodes:.0f} nodes", last.nodes > MOST_NODES),
            (f"{first.listeners:.0f} listeners became {last.listeners:.0f}", last.listeners > first.listeners + 2),
            (f"{self.timers_per_update:.2f} timers an update", self.timers_per_update > MOST_TIMERS_PER_UPDATE),
            ("no update came", last.updates == first.updates),
        ) if is_so]

    def lines(self) -> list[str]:
        """The figures."""
        first, last = self.settled[0], self.settled[-1]
        minutes, rate = last.at_s / 60, (last.updates - first.updates) / (last.at_s - first.at_s)
        return [f"{minutes:.1f} min, {last.updates} updates, {rate:.1f}/s",
                f"heap {last.heap_bytes / 2**20:.2f} MB, {self.slope_bytes_s * 3600 / 1024:+.1f} KB an hour",
                f"{last.nodes:.0f} nodes, {last.listeners:.0f} listeners, "
                f"{self.timers_per_update:.3f} timers an update"]


async def soak(site: Site, seconds: float, per_second: float) -> Report:
    """Show a wall for so long under so many updates a second, each of them another number in every tile."""
    page = await site.context.new_page()
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.add_init_script(COUNTING)
    await site.visit(page, PATH)
    cdp = await site.context.new_cdp_session(page)
    await cdp.send("Performance.enable")
    feeding = asyncio.create_task(feed(site, per_second))
    try:
        return Report([sample async for sample in watch(page, cdp, seconds)])
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])


async def watch(page: Page, cdp: CDPSession, seconds: float) -> AsyncIterator[Sample]:
    """Look at the page a number of times, evenly over so long."""
    started = perf_counter()
    for number in range(SAMPLES):
        due = started + seconds * (number + 1) / SAMPLES
        await asyncio.sleep(max(due - perf_counter(), 0))
        timers, swaps = await page.evaluate("() => [window.timers, window.swaps ?? 0]")
        # An update that comes in between leaves what the browser has not collected yet: the least of a few counts.
        looks = [await look(cdp) for _ in range(3)]
        heap, nodes, listeners = map(min, zip(*looks, strict=True))
        yield Sample(perf_counter() - started, heap, nodes, listeners, timers, swaps)


async def look(cdp: CDPSession) -> tuple[float, float, float]:
    """Bytes of the heap, nodes and listeners, when garbage was collected."""
    await cdp.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in (await cdp.send("Performance.getMetrics"))["metrics"]}
    return found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"]


async def feed(site: Site, per_second: float) -> None:
    """Push another number in every tile with a number, for ever."""
    assert site.web is not None and site.web.hub is not None
    hub = site.web.hub
    for number in count(1):
        views = [(slot_id, slot.view) for slot_id, slot in hub.slots.items()]
        hub.update([(slot_id, replace(view, text=f"{number:,}", value=str(number), chars=len(f"{number:,}"),
                                      state="live"))
                    for slot_id, view in views if isinstance(view, KpiView)], 0)
        hub.publish()
        await asyncio.sleep(1 / per_second)


@asynccontextmanager
async def own_store(folder: Path) -> AsyncIterator[tuple[Settings, Redis]]:
    """An empty store in a folder, and settings of a shop on it."""
    data = DataDir(folder)
    data.make()
    store = EmbeddedStore(data, find_server(), 256 * 1024 * 1024)
    store.start()
    try:
        client = worker_client(store.url)
        settings = load({}, overrides={"store_url": store.url, "data": str(folder), "timezone": "Europe/Berlin",
                                       "shopify_secrets": SECRET, "worker_name": "soak"})
        yield settings, client
        await client.aclose()
    finally:
        store.stop()


async def run(minutes: float, per_second: float) -> Report:
    """A soak on a store, a server and a browser of its own."""
    with tempfile.TemporaryDirectory(prefix="opsmon-soak-") as folder:
        async with (own_store(Path(folder)) as (settings, client), open_chromium() as browser,
                    open_site(settings, client, await browser.new_context()) as site):
            await site.order(1001)
            return await soak(site, minutes * 60, per_second)


def main() -> int:
    """Soak, print, and say whether anything grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="A wall under updates: does it grow?")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--per-second", type=float, default=5)
    asked = parser.parse_args()
    report = asyncio.run(run(asked.minutes, asked.per_second))
    print("\n".join([*report.lines(), *(report.problems() or ["nothing grows"])]))
    return 1 if report.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
