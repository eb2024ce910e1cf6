"""From the stream to committed panes: events and order versions a second, writes and bytes per event, memory."""

import importlib.util
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import redis

from opsmon.core.events import Event, EventId
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.event_stream import GROUP, checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.server_binary import find_server
from tests.bench.hot_worker import DIMENSIONS, HOT

ROUNDS = 3
EVENTS = 200_000
VERSIONS = 60_000
KEYS = Keys("main")
HOUR_MS = 3_600_000


def main() -> None:
    """Print a line per lane and number of workers, then what an event costs, then the peers."""
    for lane, count, unit in (("append", EVENTS, "events"), ("orders", VERSIONS, "order versions")):
        for workers in (1, 2):
            rounds = [counted(lane, count, workers) for _ in range(ROUNDS)]
            print(f"{unit} a second, {workers} worker{'s' * (workers > 1)}: {median(r['rate'] for r in rounds):,.0f} "
                  f"(of {ROUNDS} rounds of {count:,}); script {rounds[0]['script_ms']:.1f} ms a commit", flush=True)
    for count, values in ((EVENTS // 2, 50), (EVENTS, 50), (EVENTS, 5)):
        found = counted("append", count, 1, values)
        print(f"{count:,} events of an hour, {values} values a dimension: {found['fields']:.2f} panes written and "
              f"{found['aof']:.0f} bytes appended to the file per event", flush=True)
    memory()
    peers()


def counted(lane: str, count: int, workers: int, values: int = 50) -> dict[str, float]:
    """One round: a filled stream, workers started, and the time from the first read to nothing left."""
    with a_store() as (store, client):
        fill(client, lane, count, values)
        client.xgroup_create(KEYS.events, GROUP, id="0")
        before, size = client.info("commandstats"), client.info("persistence")["aof_current_size"]
        running = [subprocess.Popen([sys.executable, "-m", "tests.bench.hot_worker", store.url, f"w{n}", lane])
                   for n in range(workers)]
        try:
            seconds = _drain_s(client)
        finally:
            for process in running:
                process.terminate()
                process.wait()
        after = client.info("commandstats")
        script = after["cmdstat_evalsha"]
        fields = sum(_fields(client, key) for key in client.scan_iter(match=f"{KEYS.tag}:pane:*", count=1000))
        return {"rate": count / seconds, "script_ms": script["usec"] / script["calls"] / 1000,
                "aof": (client.info("persistence")["aof_current_size"] - size) / count,
                "fields": fields / count, "calls": after["cmdstat_hset"]["calls"] - before.get(
                    "cmdstat_hset", {"calls": 0})["calls"]}


def _drain_s(client: redis.Redis) -> float:
    began_s = None
    while True:
        (group,) = client.xinfo_groups(KEYS.events)
        if began_s is None and group["last-delivered-id"] != b"0-0":
            began_s = time.perf_counter()
        if group["pending"] == 0 and group["lag"] == 0 and began_s is not None:
            return time.perf_counter() - began_s
        time.sleep(0.005)


def _fields(client: redis.Redis, key: bytes) -> int:
    return int(client.hlen(key)) if client.type(key) == b"hash" else 0


def memory() -> None:
    """Bytes per series and minute, of counts and sums, plain and by rows."""
    with a_store() as (store, client):
        fill(client, "append", EVENTS // 2, 50)
        client.xgroup_create(KEYS.events, GROUP, id="0")
        worker = subprocess.Popen([sys.executable, "-m", "tests.bench.hot_worker", store.url, "w0", "append"])
        _drain_s(client)
        worker.terminate()
        worker.wait()
        for rollup, series in (("k-count", 1), ("k-sum", 1), ("k-count-a", 50), ("k-sum-a", 50)):
            keys = list(client.scan_iter(match=f"{KEYS.tag}:pane:*:{rollup}:m:*", count=1000))
            size = sum(client.memory_usage(key, samples=0) for key in keys)
            minutes = sum(len({name.partition(b".")[0] for name in client.hkeys(key)}) for key in keys)
            print(f"{rollup}: {size / (series * minutes):.1f} bytes per series-minute", flush=True)


def fill(client: redis.Redis, lane: str, count: int, values: int) -> None:
    """Append events of the last hour, as ingest would have."""
    chance, now_ms = random.Random(1), time.time_ns() // 1_000_000
    pipe = client.pipeline(transaction=False)
    for number in range(count):
        time_ms = now_ms - HOUR_MS + number * HOUR_MS // count
        event = _hot(number, time_ms, values, chance) if lane == "append" else _order(number, time_ms)
        payload = encode(event)
        pipe.xadd(KEYS.events, {"e": payload, "c": checksum(payload)})
        if number % 2_000 == 1_999:
            pipe.execute()
    pipe.execute()


def _hot(number: int, time_ms: int, values: int, chance: random.Random) -> Event:
    data = {"v": chance.randrange(1000), "ok": chance.random() < 0.9,
            **{name: f"{name}{chance.randrange(values)}" for name in DIMENSIONS}}
    return Event(EventId(f"bench:{number}"), HOT, time_ms, time_ms, "bench", "main", "", None, data)


def _order(number: int, time_ms: int) -> Event:
    order, version = divmod(number, 2)
    data = {"name": f"#{order}", "test": False, "placed_ms": time_ms, "cancelled_ms": None, "currency": "EUR",
            "total_minor": 1000 + number % 777, "goods_minor": 1000 + number % 777, "paid": "paid", "fulfilled": "",
            "fulfilled_ms": None, "channel": "web", "country": "DE", "region": "BE", "refunds": [],
            "customer": f"c{order % 5000}" if order % 2 else "", "checkout": f"t{order}" if order % 2 else "",
            "lines": [["SKU-1", 1, 500, "Mug"], ["SKU-2", 2, 500, "Tent"]]}
    return Event(EventId(f"bench:{number}"), "order.updated", time_ms, time_ms, "bench", "main",
                 f"bench:order:{order}", (time_ms, version, "aaaaaaaaaaaaaaaa"), data)


def peers() -> None:
    """The same events counted and summed by key and minute elsewhere, in memory and with no promise kept."""
    chance, now_ms = random.Random(1), time.time_ns() // 1_000_000
    rows = [(now_ms - HOUR_MS + n * HOUR_MS // EVENTS, f"a{chance.randrange(50)}", chance.randrange(1000))
            for n in range(EVENTS)]
    for name, count in (("bytewax", _bytewax), ("duckdb", _duckdb)):
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed")
            continue
        rates = []
        for _ in range(ROUNDS):
            began_s = time.perf_counter()
            count(rows)
            rates.append(EVENTS / (time.perf_counter() - began_s))
        print(f"{name}, one count and one sum by key and minute, in memory: {median(rates):,.0f} events a second")


def _bytewax(rows: list[tuple[int, str, int]]) -> None:
    import bytewax.operators as op
    from bytewax.dataflow import Dataflow
    from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
    from bytewax.testing import TestingSink, TestingSource, run_main

    out: list[Any] = []
    flow = Dataflow("peer")
    stream = op.input("in", flow, TestingSource(rows, batch_size=1000))
    keyed = op.key_on("key", stream, lambda row: row[1])
    clock = EventClock(lambda row: datetime.fromtimestamp(row[0] / 1000, UTC), timedelta(0))
    windower = TumblingWindower(length=timedelta(minutes=1), align_to=datetime(2020, 1, 1, tzinfo=UTC))
    folded = fold_window("fold", keyed, clock, windower, lambda: (0, 0), lambda one, row: (one[0] + 1, one[1] + row[2]),
                         lambda one, other: (one[0] + other[0], one[1] + other[1]))
    op.output("out", folded.down, TestingSink(out))
    run_main(flow)


def _duckdb(rows: list[tuple[int, str, int]]) -> None:
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        table = Path(folder) / "rows.csv"
        table.write_text("".join(f"{at},{key},{value}\n" for at, key, value in rows))
        database.execute("create table rows (time_ms bigint, key varchar, value bigint)")
        database.execute(f"copy rows from '{table}'")
        database.execute("select key, time_ms // 60000, count(*), sum(value) from rows group by 1, 2").fetchall()


@contextmanager
def a_store() -> Iterator[tuple[EmbeddedStore, redis.Redis]]:
    """An embedded store of its own, as opsmon runs it: every append on disk before it is answered."""
    with tempfile.TemporaryDirectory(prefix="opsmon-bench-") as folder:
        store = EmbeddedStore(DataDir(Path(folder)), find_server(), 1024**3)
        store.start()
        client = redis.Redis.from_url(store.url)
        try:
            yield store, client
        finally:
            client.close()
            store.stop()
