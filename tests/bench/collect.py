"""A burst at /collect, as fast as connections can send; beside it lone webhooks: how long they wait, what counts."""

import asyncio
import itertools
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import orjson
import redis
import uvloop

from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from tests.bench.ingest import signed_requests
from tests.bench.ndjson import knock, quantile
from tests.bench.processes import cpu_s, running

SECONDS = 10.0
CONNECTIONS = 32
KEYS = Keys("main")
# As it is by default, and a site that takes all that comes.
RATES = {"200/s, 20/s a network": {}, "no bound": {"OPSMON_PIXEL_RATE": "999999", "OPSMON_PIXEL_RATE_EACH": "999999"}}


@dataclass(slots=True)
class Burst:
    """What is sent, and how much of it was answered."""

    tag: str = field(default_factory=lambda: secrets.token_hex(4))
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    answered: int = 0
    stopped: bool = False


class Page(asyncio.Protocol):
    """Says the next thing as soon as the last one is answered."""

    def __init__(self, burst: Burst) -> None:
        self._burst = burst

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 204"):
            raise RuntimeError(f"not a 204: {data[:200]!r}")
        self._burst.answered += 1
        if self._burst.stopped:
            self._transport.close()
        else:
            self._send()

    def _send(self) -> None:
        number = next(self._burst.numbers)
        body = orjson.dumps({"id": f"{self._burst.tag}-{number}", "name": "page.viewed", "visitor": f"v{number % 5000}",
                             "ago": 0, "data": {"path": f"/products/paper-boat-{number % 100}"}})
        self._transport.write(b"POST /collect HTTP/1.1\r\nHost: opsmon\r\nX-Forwarded-For: 10.%d.%d.1\r\n"
                              b"Content-Length: %d\r\n\r\n%b" % (number % 200, number // 200 % 200, len(body), body))


def main() -> None:
    """Print one line without a burst and one for each bound on what pages may send."""
    for words, settings in {"no burst": None, **RATES}.items():
        with running(["store"], ["ingest"], ["worker"], settings=settings or {}) as opsmon:
            pids = [opsmon.processes["ingest"].pid]
            connections = 0 if settings is None else CONNECTIONS
            rate, used, webhook_s = uvloop.run(one_round(opsmon.port, pids, connections))
            with redis.Redis.from_url(DataDir(opsmon.folder).store_url) as store:
                drained_s = drain(store)
                accepted = int(store.hget(KEYS.counts, "pixel:accepted") or 0)
                memory = store.memory_usage(KEYS.visits) or 0
                orders, pages = counted(store, "shopify"), counted(store, "pixel")
        sent, ordered = len(webhook_s), sorted(webhook_s)
        print(f"{words}: {rate:7,.0f} bodies/s answered 204 ({used:.0f} µs processor each); {accepted:,} taken, "
              f"{pages:,} counted {drained_s:.1f} s after the end, stream {memory / 1024**2:.1f} MB; webhooks p50 "
              f"{quantile(ordered, 50):.1f} ms, p99 {quantile(ordered, 99):.1f} ms, worst {ordered[-1] * 1000:.1f} ms "
              f"(n = {sent}), of which counted {orders}", flush=True)


async def one_round(port: int, pids: list[int], connections: int) -> tuple[float, float, list[float]]:
    """Answers a second, µs of the server's processor time each, and the seconds each webhook took."""
    burst, loop = Burst(), asyncio.get_running_loop()
    lone = asyncio.create_task(knock(port, signed_requests(1), burst.tag))
    for _ in range(connections):
        await loop.create_connection(lambda: Page(burst), "127.0.0.1", port)
    used_s, started_s = cpu_s(pids), time.perf_counter()
    await asyncio.sleep(SECONDS)
    rate = burst.answered / (time.perf_counter() - started_s)
    used = 1e6 * (cpu_s(pids) - used_s) / burst.answered if connections else 0
    burst.stopped = True
    await asyncio.sleep(0.5)
    lone.cancel()
    return rate, used, await lone


def drain(store: redis.Redis) -> float:
    """Seconds until everything is counted."""
    started_s = time.perf_counter()
    while any(group["lag"] or group["pending"] for stream in KEYS.streams if store.exists(stream)
              for group in store.xinfo_groups(stream)):
        time.sleep(0.05)
    return time.perf_counter() - started_s


def counted(store: redis.Redis, source: str) -> int:
    """How many deliveries of a source were counted, over all days."""
    return sum(int(count) for key in store.keys("{main}:pane:*:deliveries:d:*")
               for name, count in store.hgetall(key).items() if name == f"{source}.n".encode())
