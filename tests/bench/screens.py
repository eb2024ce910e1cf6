"""From a webhook to the bytes at the last of 1 and of 400 screens; a lone event each time."""

import asyncio
import time
from statistics import median
from typing import Any

import uvloop

from tests.bench.ingest import signed_requests
from tests.bench.processes import cpu_s, family, running

ROUNDS = 3
EVENTS = 60
PAUSE_S = 0.35  # longer than the hub's coalescing: each event is a leading edge


class Screen(asyncio.Protocol):
    """One open stream; notes when a frame arrived."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.frame_s = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if b"kpi-orders-today" in data:
            self.frame_s = time.perf_counter()


def main() -> None:
    """Print one line for 1 and one for 400 screens."""
    for screens in (1, 400):
        rounds = []
        for _ in range(ROUNDS):
            with running(["up"]) as opsmon:
                rounds.append(uvloop.run(one_round(opsmon.port, screens, family(opsmon.processes["up"].pid))))
        first50, last50, last99, used = (median(figures) for figures in zip(*rounds, strict=True))
        print(f"{screens:3} screens, {EVENTS} events: webhook to the last screen p50 {last50:.1f} ms, "
              f"p99 {last99:.1f} ms (to the first p50 {first50:.1f} ms), {used:.0f} % of a core meanwhile",
              flush=True)


async def one_round(port: int, count: int, pids: list[int]) -> tuple[float, float, float, float]:
    """First screen p50, last screen p50 and p99, in ms; and processor used, in per cent of a core."""
    loop = asyncio.get_running_loop()
    path = await live_path(port)
    screens = [(await loop.create_connection(lambda: Screen(path), "127.0.0.1", port))[1] for _ in range(count)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    requests = signed_requests(1)
    await asyncio.sleep(2)
    firsts, lasts = [], []
    started_s, used_s = time.perf_counter(), cpu_s(pids)
    for number in range(EVENTS):
        before, after = requests[number]
        posted_s = time.perf_counter()
        writer.write(before + f"screens-{number}".encode() + after)
        await reader.readuntil(b"\r\n\r\n")
        while not all(screen.frame_s > posted_s for screen in screens):
            await asyncio.sleep(0.001)
            if time.perf_counter() - posted_s > 5:
                raise RuntimeError(f"a screen was not reached within 5 s of event {number}")
        arrivals = [1000 * (screen.frame_s - posted_s) for screen in screens]
        firsts.append(min(arrivals))
        lasts.append(max(arrivals))
        await asyncio.sleep(PAUSE_S)
    used = 100 * (cpu_s(pids) - used_s) / (time.perf_counter() - started_s)
    for screen in screens:
        screen.transport.close()
    writer.close()
    return median(firsts), median(lasts), sorted(lasts)[EVENTS * 99 // 100], used


async def live_path(port: int) -> str:
    """The address of the stream, as the wall's page has it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /wall HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    page = (await reader.read()).decode()
    writer.close()
    return page.partition('hx-sse:connect="')[2].partition('"')[0].replace("&amp;", "&")
