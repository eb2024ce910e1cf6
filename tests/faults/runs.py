"""The runs: each does harm, lets things settle, and returns what was counted beside what should have been."""

import asyncio
import os
import random
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import redis

from opsmon.core.calendar import SiteCalendar
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN
from opsmon.store.connection import worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.event_stream import GROUP
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Taken
from opsmon.store.server_binary import find_server
from opsmon.workers.verify import Difference, verify
from tests.faults.trade import Numbers, Trade
from tests.waiting import wait_until
from tests.workers.fleet import OPSMON, Fleet

RULES = Rules(BUILT_IN, SiteCalendar(ZoneInfo("Europe/Berlin")))
CHUNK = 250


@dataclass
class Outcome:
    """What a run came to: numbers, what verify says, how much harm was done."""

    counted: Numbers
    differences: list[Difference]
    kills: int = 0
    stops: int = 0
    seconds: float = 0.0


def run_workers(fleet: Fleet, trade: Trade, workers: int, seed: int, program: Sequence[str] = OPSMON) -> Outcome:
    """Workers killed and stopped at random while events pour in and until all are counted: of three one every 50
    to 300 ms, of more less often each, because a start takes half a second of a processor."""
    chance, began_s = random.Random(seed), time.monotonic()
    outcome, names = Outcome({}, []), [f"worker-{n}" for n in range(workers)]
    for name in names:
        fleet.start(name, program)
    sending = threading.Thread(target=append, args=(fleet, trade.deliveries))
    sending.start()
    while sending.is_alive() or not fleet.is_drained():
        time.sleep(chance.uniform(0.05, 0.3) * max(1, workers / 3))
        name = chance.choice(names)
        if chance.random() < 0.6:
            fleet.kill(name)
            fleet.start(name, program)
            outcome.kills += 1
        else:
            os.kill(fleet.workers[name].pid, signal.SIGSTOP)
            time.sleep(chance.uniform(0.05, 2.5))
            fleet.resume(name)
            outcome.stops += 1
        assert time.monotonic() < began_s + 900, "the stream never drained"
    sending.join()
    fleet.wait_until_drained()
    outcome.seconds = time.monotonic() - began_s
    outcome.counted, outcome.differences = numbers(fleet.client, fleet.keys), verified(fleet.store.url)
    return outcome


def append(fleet: Fleet, deliveries: Sequence[Taken]) -> None:
    """Append as ingest does, some at a time, in a thread of its own; what pages sent to the stream of theirs."""
    async def send() -> None:
        async with redis.asyncio.Redis.from_url(fleet.store.url) as client:
            scripts = Scripts(client, fleet.keys)
            for start in range(0, len(deliveries), CHUNK):
                chunk = deliveries[start : start + CHUNK]
                await scripts.append_events([taken for taken in chunk if taken.source != "web"], 1)
                await scripts.append_visits([taken for taken in chunk if taken.source == "web"], 1)

    asyncio.run(send())


def hand_over_s(fleet: Fleet, trade: Trade, how: signal.Signals) -> float:
    """From a worker's end in mid-batch until another has counted everything it held."""
    for name in ("worker-1", "worker-2"):
        fleet.start(name)
    wait_until(lambda: fleet.client.exists(fleet.keys.note("workers")), "a worker that lives")
    append(fleet, trade.deliveries)
    fleet.wait_until_in_hand("worker-1")
    fleet.workers["worker-1"].send_signal(how)
    began_s = time.monotonic()
    fleet.workers["worker-1"].wait()
    wait_until(lambda: not fleet.in_hand("worker-1"), "everything it held, in other hands", timeout_s=30)
    return time.monotonic() - began_s


def cut_files(fleet: Fleet, cuts: int, seed: int) -> list[Outcome]:
    """The store's append-only file cut, and what a store that starts on each piece holds.

    Half of the cuts fall anywhere, half just before an acknowledgement: where two steps would show.
    """
    chance, outcomes = random.Random(seed), []
    assert fleet.store.pid is not None
    os.kill(fleet.store.pid, signal.SIGKILL)
    wait_until(lambda: fleet.store.poll() is not None, "the end of the store")
    (whole,) = fleet.store.folder.rglob("*.incr.aof")
    text = whole.read_bytes()
    acknowledged = [found.start() for found in re.finditer(rb"\$4\r\nXACK", text)]
    places = [chance.randrange(len(text) // 4, len(text)) for _ in range(cuts // 2)]
    for place in [*places, *chance.choices(acknowledged, k=cuts - len(places))]:
        with tempfile.TemporaryDirectory(prefix="ops-") as folder:
            data = DataDir(Path(folder) / "data")
            shutil.copytree(fleet.store.folder, data.store_path, ignore=shutil.ignore_patterns("*.sock", "*.pid"))
            (piece,) = data.store_path.rglob("*.incr.aof")
            with piece.open("r+b") as file:
                file.truncate(place)
            store = EmbeddedStore(data, find_server(), 256 * 1024**2)
            store.start()
            try:
                with redis.Redis.from_url(store.url) as client:
                    outcomes.append(Outcome(numbers(client, fleet.keys), verified(store.url)))
            finally:
                store.stop()
    return outcomes


def verified(url: str) -> list[Difference]:
    """What a recount finds: the counters beside the acknowledged entries and what is remembered."""
    async def run() -> list[Difference]:
        client = worker_client(url)
        try:
            if not await client.hexists("{main}:meta", "rules"):
                return []  # cut before the first worker
            return (await verify(client, Keys("main"), RULES, time.time_ns() // 1_000_000)).differences
        finally:
            await client.aclose()

    return asyncio.run(run())


def numbers(client: redis.Redis, keys: Keys) -> Numbers:
    """What is stored, in the oracle's words."""
    found = dict.fromkeys(("events", "orders", "revenue", "open", "requests", "failed", "visits", "views"), 0)
    generation = int(client.hget(keys.meta, "generation") or 0)
    for key in client.scan_iter(match=f"{keys.tag}:pane:{generation}:*:d:*", count=1000):
        rollup = key.decode().split(":")[3]
        for name, amount in client.hgetall(key).items():
            aggregate = name.decode().rpartition(".")[2]
            word = {("deliveries", "n"): "events", ("orders", "n"): "orders", ("revenue", "s:EUR"): "revenue",
                    ("api-errors", "b"): "requests", ("api-errors", "a"): "failed", ("visits", "n"): "visits",
                    ("visits", "e"): "views"}.get((rollup, aggregate))
            if word:
                found[word] += int(amount)
    with suppress(redis.ResponseError):
        found["open"] = client.zcard(keys.open(generation, "open-orders"))
    return found


def pending(fleet: Fleet) -> int:
    """How many entries nobody has counted."""
    return sum(int(fleet.client.xpending(stream, GROUP)["pending"]) for stream in fleet.keys.streams)
