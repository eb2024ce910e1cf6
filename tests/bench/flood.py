"""From 1,000 webhooks a second to the last of 400 screens: how long until a screen counts an order that was sent."""

import asyncio
import re
import secrets
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import uvloop

from opsmon.sources import simulator
from opsmon.sources.signing import headers_for
from opsmon.web.feed import LIVE_MS
from tests.bench.ingest import slim
from tests.bench.processes import SECRET, cpu_s, family, running
from tests.bench.screens import live_path

ROUNDS = 3
SCREENS = 400
RATE = 1_000
SECONDS = 10
CONNECTIONS = 8
_ORDERS = re.compile(rb'id="kpi-orders-today".{1,400}?tile__value" value="(\d+)"', re.DOTALL)


class Screen(asyncio.BufferedProtocol):
    """One open stream; notes how many orders it showed since when."""

    def __init__(self, path: str, room: bytearray) -> None:
        self._path, self._room, self._view = path, room, memoryview(room)
        self.orders, self.since_s = array("q", [0]), array("d", [0.0])

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        if found := _ORDERS.search(self._view[:nbytes]):
            self.orders.append(int(found[1]))
            self.since_s.append(time.perf_counter())

    def shown_s(self, number: int) -> float:
        """When it first showed this many orders; infinite if never."""
        at = bisect_left(self.orders, number)
        return self.since_s[at] if at < len(self.orders) else float("inf")


class Answers:
    """How many webhooks were answered 200."""

    taken = 0


class Link(asyncio.Protocol):
    """A connection of Shopify's pool, which sends on without waiting for the answer."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def data_received(self, data: bytes) -> None:
        self._answers.taken += data.count(b"HTTP/1.1 200")


def main() -> None:
    """Print one line."""
    rounds = []
    for _ in range(ROUNDS):
        with running(["up"]) as opsmon:
            rounds.append(uvloop.run(one_round(opsmon.port, family(opsmon.processes["up"].pid))))
    p50, p99, used = (median(figures) for figures in zip(*rounds, strict=True))
    print(f"{SCREENS} screens, {RATE:,} webhooks/s, a slot at most every {LIVE_MS} ms: to the last screen "
          f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, {used:.2f} cores in all", flush=True)


async def one_round(port: int, pids: list[int]) -> tuple[float, float, float]:
    """Webhook to the last screen: median and p99 in ms; processor in cores."""
    loop, path, room = asyncio.get_running_loop(), await live_path(port), bytearray(256 * 1024)
    screens = [(await loop.create_connection(lambda: Screen(path, room), "127.0.0.1", port))[1]
               for _ in range(SCREENS)]
    requests = list(new_orders(RATE * SECONDS))
    answers = Answers()
    links = [(await loop.create_connection(lambda: Link(answers), "127.0.0.1", port))[0] for _ in range(CONNECTIONS)]
    await asyncio.sleep(2)
    began_s, used_s, sent_s = time.perf_counter(), cpu_s(pids), []
    for number, request in enumerate(requests):
        if (ahead_s := began_s + number / RATE - time.perf_counter()) > 0:
            await asyncio.sleep(ahead_s)
        sent_s.append(time.perf_counter())
        links[number % CONNECTIONS].write(request)
    used = (cpu_s(pids) - used_s) / (time.perf_counter() - began_s)
    await asyncio.sleep(3)
    if answers.taken < len(requests):
        raise RuntimeError(f"{answers.taken} of {len(requests)} webhooks were answered 200")
    ages_ms = sorted(1000 * (max(screen.shown_s(number) for screen in screens) - sent)
                     for number, sent in enumerate(sent_s, 1))
    for screen in screens:
        screen.transport.close()
    for link in links:
        link.close()
    return ages_ms[len(ages_ms) // 2], ages_ms[len(ages_ms) * 99 // 100], used


def new_orders(count: int) -> Iterator[bytes]:
    """Signed webhooks, each of an order of its own."""
    shop, now, tag = simulator.Shop(zone=ZoneInfo("Europe/Berlin")), datetime.now(UTC), secrets.token_hex(4)
    life = next(iter(simulator.lives(shop, now.date())))
    order = slim(simulator.make_order(shop, life, int(now.timestamp() * 1000), 1), 1)
    for number in range(count):
        order["id"] = 7_000_000_000 + number
        body, name = orjson.dumps(order), f"{tag}-{number}"
        delivery = simulator.Delivery(0, "orders/create", shop.domain, name, name, now.isoformat(), body)
        head = "".join(f"{key}: {value}\r\n" for key, value in headers_for(delivery, SECRET.encode()).items())
        head += f"Content-Length: {len(body)}\r\n"
        yield f"POST /webhooks/shopify HTTP/1.1\r\nHost: opsmon\r\n{head}\r\n".encode() + body
