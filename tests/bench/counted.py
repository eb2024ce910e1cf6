"""From `POST /ingest/events` to committed panes: events a second, and what one costs each process.

Events are those of the engine's benchmark, as they come live: ten KPIs on one hot type, three dimensions with 50
values each, all of the last two seconds. (An hour brought in over four connections at once costs the store 1.4
times as much: a commit then holds four parts of the hour, and writes the panes of each.) With no worker it ends at the
durable 200; with two `ingest`, on ports of their own, each is sent half of the bodies.
"""

import asyncio
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

import orjson
import redis
import uvloop

from opsmon.store.data_dir import DataDir
from opsmon.store.event_stream import GROUP
from opsmon.store.keys import Keys
from tests.bench.hot_worker import DIMENSIONS, HOT
from tests.bench.ndjson import heard, posted
from tests.bench.processes import Started, cpu_s, family, running, wait_for

ROUNDS = 3
EVENTS, SIZE, CONNECTIONS = 200_000, 10_000, 4
VALUES = 50
LATE_MS = 2_000
KEYS = Keys("main")


def main() -> None:
    """Print one line for each number of web processes and workers, each on a store of its own."""
    for doors, workers in ((1, 0), (2, 0), (1, 1), (1, 2)):
        with running(["store"], ["ingest"]) as opsmon, several(opsmon, doors, workers) as (ports, pids):
            rates, again, used = zip(*(one_round(opsmon, ports, pids, workers) for _ in range(ROUNDS)), strict=True)
        costs = ", ".join(f"{name} {median(one[name] for one in used):.1f}" for name in pids)
        print(f"{doors} ingest, {workers} workers: {median(rates):7,.0f} events/s POST to "
              f"{'counted' if workers else 'durable'} (of {min(rates):,.0f} to {max(rates):,.0f}); µs of processor "
              f"each: {costs}; {sum(again)} bodies of {ROUNDS * EVENTS // SIZE} sent again; load of the machine "
              f"{os.getloadavg()[0]:.1f}", flush=True)


@contextmanager
def several(opsmon: Started, doors: int, workers: int) -> Iterator[tuple[list[int], dict[str, list[int]]]]:
    """More `ingest` beside the first one, and workers of the hot catalogue: all ports, and pids by what they do."""
    ports = [opsmon.port + number for number in range(doors)]
    url = DataDir(opsmon.folder).store_url
    more = [subprocess.Popen([sys.executable, "-m", "opsmon", "ingest", "--port", str(port)],
                             env=opsmon.environment, stderr=subprocess.DEVNULL) for port in ports[1:]]
    counting = [subprocess.Popen([sys.executable, "-m", "tests.bench.hot_worker", url, f"w{number}", "append"])
                for number in range(workers)]
    try:
        for port in ports:
            wait_for(port)
        yield ports, {"web": [opsmon.processes["ingest"].pid, *(one.pid for one in more)],
                      "store": family(opsmon.processes["store"].pid), "workers": [one.pid for one in counting],
                      "generator": [os.getpid()]}
    finally:
        for process in (*more, *counting):
            process.terminate()
            process.wait()


def one_round(opsmon: Started, ports: Sequence[int], pids: Mapping[str, list[int]], workers: int
              ) -> tuple[float, int, dict[str, float]]:
    """Events a second, bodies sent again, and µs of processor time an event by what the processes do.

    Raises RuntimeError when not every event was counted, once.
    """
    requests = hot_requests()
    with redis.Redis.from_url(DataDir(opsmon.folder).store_url) as store:
        if workers:
            wait_for_group(store)
        before, used = counted(store), {name: cpu_s(some) for name, some in pids.items()}
        started_s = time.perf_counter()
        again = uvloop.run(post(ports, requests))
        if workers:
            drain(store)
        took_s = time.perf_counter() - started_s
        costs = {name: 1e6 * (cpu_s(some) - used[name]) / EVENTS for name, some in pids.items()}
        if workers and counted(store) != before + EVENTS:
            raise RuntimeError(f"{counted(store) - before:,} events were counted, not {EVENTS:,}")
    return EVENTS / took_s, again, costs


async def post(ports: Sequence[int], requests: Sequence[bytes]) -> int:
    """Send all bodies over a few connections, which the web processes share; how often one had to be sent again."""
    return sum(await asyncio.gather(*(send(ports[at % len(ports)], requests[at::CONNECTIONS])
                                      for at in range(CONNECTIONS))))


async def send(port: int, requests: Sequence[bytes]) -> int:
    """Send one body after the other on one connection, and again what a busy machine answered with 503."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    again = 0
    for sent in requests:
        writer.write(sent)
        while (await heard(reader))[0] != 200:
            again += 1
            writer.write(sent)
    writer.close()
    return again


def hot_requests() -> list[bytes]:
    """Whole requests: events of just now that were never sent before."""
    chance, tag, now_ms = random.Random(1), secrets.token_hex(4), time.time_ns() // 1_000_000
    return [posted(orjson.dumps({
        "id": f"{tag}-{number}", "type": HOT, "time": now_ms - chance.randrange(LATE_MS),
        "data": {"v": chance.randrange(1000), "ok": chance.random() < 0.9,
                 **{name: f"{name}{chance.randrange(VALUES)}" for name in DIMENSIONS}},
    }) for number in range(first, first + SIZE)) for first in range(0, EVENTS, SIZE)]


def wait_for_group(store: redis.Redis) -> None:
    """Until a worker has begun to read."""
    while not store.exists(KEYS.events) or not any(group["consumers"] for group in store.xinfo_groups(KEYS.events)):
        time.sleep(0.05)


def drain(store: redis.Redis) -> None:
    """Until nothing is left to count."""
    while any(group["lag"] or group["pending"] for group in store.xinfo_groups(KEYS.events)
              if group["name"] == GROUP.encode()):
        time.sleep(0.005)


def counted(store: redis.Redis) -> int:
    """How many events the first of the ten KPIs has counted, over all days."""
    return sum(int(store.hget(key, name) or 0) for key in store.keys(f"{KEYS.tag}:pane:*:k-count:d:*")
               for name in store.hkeys(key))
