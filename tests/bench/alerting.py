"""From a webhook to an alert on a wall, to a mail and to a webhook: 200 rules, 1,000 events a second beside it. And
what a rule costs.

Rule n says that more than n orders came today: each order makes one more of them fire, so that every webhook is one
more alert, one mail, one webhook. `opsmon up` as it is: web, worker, evaluator, notifier; who is told is this process.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import redis
import uvloop

from opsmon.app.worker import evaluator
from opsmon.clock import SystemClock
from opsmon.core.alerting.receivers import Receiver, dump_receiver
from opsmon.core.alerting.records import dump_rule
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.settings import load
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader, worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from tests.bench.engine import a_store
from tests.bench.ndjson import answer, quantile, request
from tests.bench.processes import SECRET, Started, running
from tests.bench.screens import live_path
from tests.fakes.sinks import Mailbox, Sink, https_sink, mail_server
from tests.http import request as ask
from tests.line import SHOP, sign
from tests.orders import order

RULES, EVENTS_EACH, EVERY_S = 200, 100, 0.1
ROUNDS, SAMPLES = 3, 50
LOOKS, WARM = 60, 5
_FIRST_ORDER = 900_000
_KEYS = Keys("main")
# How often the evaluator looks at most while numbers change all the time: workers/evaluator.py.
_LOOKS_PER_S = 4


class Wall(asyncio.Protocol):
    """An open wall: what it was sent of late."""

    def __init__(self, path: str) -> None:
        self._path, self.sent = path, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self.sent += data


@dataclass
class Told:
    """Whoever hears of alerts."""

    wall: Wall
    box: Mailbox
    sink: Sink

    def forget(self) -> None:
        """What came so far is old."""
        self.wall.sent = b""
        self.box.mails.clear()
        self.sink.asked.clear()

    def looks(self, number: int) -> dict[str, Callable[[], bool]]:
        """By whom, whether they have heard that more than so many orders came. A wall names the first alert, and says
        how many more there are."""
        words = f"More than {number}.".encode()
        more = re.compile(rb"\b%d more\b" % number if number else re.escape(words))
        return {"wall": lambda: more.search(self.wall.sent) is not None,
                "mail": lambda: any(words in mail for mail in self.box.mails),
                "webhook": lambda: any(words in body for _, _, body in self.sink.asked)}


def main() -> None:
    """Print a line for each way of hearing, then what rules cost."""
    for name, rounds in uvloop.run(measured()).items():
        p50, p99 = (median(quantile(sorted(waits), percent) for waits in rounds) for percent in (50, 99))
        print(f"webhook to {name}, {RULES} rules, {EVENTS_EACH / EVERY_S:,.0f} events/s beside it "
              f"(n = {ROUNDS} × {SAMPLES}): p50 {p50:,.0f} ms, p99 {p99:,.0f} ms", flush=True)
    with a_store() as (store, client):
        for count in (1, 50, RULES):
            costs = median(uvloop.run(cost_us(store.url, client, count)) for _ in range(ROUNDS))
            print(f"{count:3} rules: a look costs {costs:,.0f} µs of processor, {costs / count:,.0f} µs each; "
                  f"at 1,000 events/s {costs * _LOOKS_PER_S / 1000:,.1f} µs per event", flush=True)


async def measured() -> dict[str, list[list[float]]]:
    """Seconds of each webhook, by round and by who heard of it."""
    with tempfile.TemporaryDirectory(prefix="opsmon-bench-") as folder:
        async with mail_server() as box, https_sink(Path(folder)) as (sink, _):
            settings = {"OPSMON_SMTP_URL": f"smtp://127.0.0.1:{box.port}", "OPSMON_MAIL_FROM": "opsmon@shop.example",
                        "OPSMON_NOTIFY_NETWORKS": "127.0.0.0/8", "SSL_CERT_FILE": str(Path(folder, "cert.pem"))}
            with running(["up"], settings=settings) as opsmon:
                await ready(opsmon, sink)
                loop, path = asyncio.get_running_loop(), await live_path(opsmon.port)
                _, wall = await loop.create_connection(lambda: Wall(path), "127.0.0.1", opsmon.port)
                async with _beside(events(opsmon.port)):
                    return await rounds(opsmon.port, Told(wall, box, sink))


async def rounds(port: int, told: Told) -> dict[str, list[list[float]]]:
    """The samples, one after the other: each order is one alert more."""
    found: dict[str, list[list[float]]] = {}
    for one in range(ROUNDS):
        samples = [await sample(port, told, one * SAMPLES + number) for number in range(SAMPLES)]
        for name in samples[0]:
            found.setdefault(name, []).append([waits[name] for waits in samples])
    return found


class _beside:
    """Run a loop beside what is measured."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._loop)

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def ready(opsmon: Started, sink: Sink) -> None:
    """Have the rules and those who are told, and nothing else."""
    client = worker_client(DataDir(opsmon.folder).store_url)
    await have(client, [Rule(f"n{number}", f"More than {number}.", "orders-today", Limit(number), "critical", for_ms=0)
                        for number in range(RULES)])
    for one in (Receiver("ana", "Ana", "email", "ana@shop.example"),
                Receiver("ben", "Ben", "webhook", sink.url, "whsec_" + "a" * 32)):
        await client.hset(_KEYS.receivers, one.id, orjson.dumps(dump_receiver(one)))
    await client.aclose()
    await asyncio.sleep(3)


async def have(client: Any, rules: list[Rule]) -> None:
    """Have these rules on, and none of those that come with opsmon."""
    await client.delete(_KEYS.rules)
    for rule in (await all_rules(Reader(client), _KEYS)).values():
        await client.hset(_KEYS.rules, rule.id, orjson.dumps({**dump_rule(rule), "off_reason": "bench"}))
    for rule in rules:
        await client.hset(_KEYS.rules, rule.id, orjson.dumps(dump_rule(rule)))


async def sample(port: int, told: Told, number: int) -> dict[str, float]:
    """Seconds from the POST of an order until each has heard of it."""
    body = orjson.dumps(order(_FIRST_ORDER + number, placed_ms=int(time.time() * 1000)))
    looks, took_s, started_s = told.looks(number), dict[str, float](), time.perf_counter()
    told.forget()
    await ask(port, "POST", "/webhooks/shopify", body, {
        "x-shopify-topic": "orders/create", "x-shopify-shop-domain": SHOP, "x-shopify-webhook-id": f"bench-{number}",
        "x-shopify-hmac-sha256": sign(body, SECRET.encode())})
    while len(took_s) < len(looks):
        for name, has_heard in looks.items():
            if name not in took_s and has_heard():
                took_s[name] = time.perf_counter() - started_s
        await asyncio.sleep(0.002)
        if time.perf_counter() - started_s > 30:
            raise RuntimeError(f"order {number} was never told to: {', '.join(set(looks) - set(took_s))}")
    await asyncio.sleep(0.3)
    return took_s


async def events(port: int) -> None:
    """A thousand events a second, until cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    first, next_s = 0, time.perf_counter()
    try:
        while True:
            writer.write(request("load", first, EVENTS_EACH))
            await answer(reader)
            first, next_s = first + EVENTS_EACH, next_s + EVERY_S
            await asyncio.sleep(max(next_s - time.perf_counter(), 0))
    finally:
        writer.close()


async def cost_us(url: str, client: redis.Redis, count: int) -> float:
    """Microseconds of this process's processor that one look at so many rules takes, over the KPIs by turns; nothing
    fires."""
    client.flushall()
    settings = load({}, overrides={"store_url": url, "timezone": "Europe/Berlin"})
    kpis, store = settings.catalogue.kpis, worker_client(url)
    await have(store, [Rule(f"n{number}", f"Rule {number}", kpis[number % len(kpis)].id, Limit(10**9 + number), "low")
                       for number in range(count)])
    look = evaluator(settings, store, SystemClock()).round
    for _ in range(WARM):
        await look()
    used_s = time.process_time()
    for _ in range(LOOKS):
        await look()
    used_s = time.process_time() - used_s
    await store.aclose()
    return used_s / LOOKS * 1e6
