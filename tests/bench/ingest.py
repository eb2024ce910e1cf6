"""Signed webhooks a second of one process: `always`, duplicate check, 1, 32 and 128 connections."""

import asyncio
import itertools
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import uvloop

from opsmon.sources import simulator
from opsmon.sources.signing import headers_for
from tests.bench.processes import SECRET, cpu_s, running

ROUNDS = 3
SECONDS = 5.0
WARM_UP_S = 1.0
_MARK = "{WEBHOOK-ID}"
LINES_16_KB = 23


@dataclass(slots=True)
class Load:
    """What one round sends and what it hears."""

    requests: list[tuple[bytes, bytes]]
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    tag: bytes = field(default_factory=lambda: secrets.token_hex(4).encode())
    answered: int = 0
    refused: int = 0
    stopped: bool = False
    seconds: list[float] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """Sends the next webhook as soon as the last one is answered, as Shopify's pool would at full speed."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._sent_s = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        load = self._load
        load.answered += 1
        load.refused += not data.startswith(b"HTTP/1.1 200")
        load.seconds.append(time.perf_counter() - self._sent_s)
        if load.stopped:
            self._transport.close()
        else:
            self._send()

    def _send(self) -> None:
        number = next(self._load.numbers)
        before, after = self._load.requests[number % len(self._load.requests)]
        self._sent_s = time.perf_counter()
        self._transport.write(b"%b%b-%d%b" % (before, self._load.tag, number, after))


def main() -> None:
    """Print one line for each body size and number of connections."""
    with running(["store"], ["ingest"]) as opsmon:
        ingest_pid = [opsmon.processes["ingest"].pid]
        for lines in (1, LINES_16_KB):
            requests = signed_requests(lines)
            size = sum(len(after) for _, after in requests) / len(requests)
            for connections in (1, 32, 128):
                rounds = [uvloop.run(one_round(opsmon.port, requests, connections, ingest_pid))
                          for _ in range(ROUNDS)]
                rates, p50s, p99s, costs = zip(*rounds, strict=True)
                print(f"{size / 1000:5.1f} KB, {connections:3} connections: {median(rates):7,.0f}/s "
                      f"(of {min(rates):,.0f} to {max(rates):,.0f}), p50 {median(p50s):5.1f} ms, "
                      f"p99 {median(p99s):5.1f} ms, {median(costs):4.0f} µs processor each", flush=True)


async def one_round(port: int, requests: list[tuple[bytes, bytes]], connections: int,
                    pids: list[int]) -> tuple[float, float, float, float]:
    """Rate a second, median and p99 in ms, and the server's processor time per webhook in µs."""
    load, loop = Load(requests), asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
    await asyncio.sleep(WARM_UP_S)
    load.answered, used_s, started_s = 0, cpu_s(pids), time.perf_counter()
    load.seconds.clear()
    await asyncio.sleep(SECONDS)
    took_s, used_s, answered = time.perf_counter() - started_s, cpu_s(pids) - used_s, load.answered
    load.stopped = True
    await asyncio.sleep(0.3)
    if load.refused:
        raise RuntimeError(f"{load.refused} webhooks were not answered 200")
    ordered = sorted(load.seconds)
    return (answered / took_s, 1000 * ordered[len(ordered) // 2], 1000 * ordered[len(ordered) * 99 // 100],
            1e6 * used_s / answered)


def signed_requests(lines: int, count: int = 200) -> list[tuple[bytes, bytes]]:
    """Whole requests, cut where the webhook id goes: the signature does not cover it."""
    shop = simulator.Shop(zone=ZoneInfo("Europe/Berlin"))
    now = datetime.now(UTC)
    made = []
    for life in itertools.islice(simulator.lives(shop, now.date()), count):
        body = orjson.dumps(slim(simulator.make_order(shop, life, int(now.timestamp() * 1000), lines), lines))
        delivery = simulator.Delivery(0, "orders/create", shop.domain, _MARK, _MARK, now.isoformat(), body)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers_for(delivery, SECRET.encode()).items()
                       if name != "X-Shopify-Event-Id")
        request = f"POST /webhooks/shopify HTTP/1.1\r\nHost: opsmon\r\nContent-Length: {len(body)}\r\n{head}\r\n"
        before, _, after = request.encode().partition(_MARK.encode())
        made.append((before, after + body))
    return made


def slim(order: dict[str, object], lines: int) -> dict[str, object]:
    """For the small size: about 2.5 KB, by leaving out addresses no board reads."""
    if lines == 1:
        for name in ("billing_address", "client_details", "tax_lines", "customer"):
            order.pop(name, None)
    return order
