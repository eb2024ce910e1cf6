"""Real worker processes on a real store of their own, and events to count, with their sums known beforehand."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from opsmon.core.calendar import HOUR_MS
from opsmon.core.events import Event, EventId
from opsmon.spawning import spawn
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.event_stream import GROUP, checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.scripts import Taken
from opsmon.store.server_binary import find_server
from tests.waiting import wait_until

OPSMON = ("-m", "opsmon", "worker")


@dataclass
class Fleet:
    """A store, workers by name, and eyes on both."""

    store: EmbeddedStore
    client: redis.Redis
    folder: Path
    keys: Keys = field(default_factory=lambda: Keys("main"))
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, program: Sequence[str] = OPSMON, store: str = "") -> subprocess.Popen[bytes]:
        """Start a worker process of this name; it is ours to end. `store`: another way to the store than its own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OPSMON_")}
        environment |= {"OPSMON_TIMEZONE": "Europe/Berlin", "PYTHONPATH": str(Path(__file__).parents[2])}
        with (self.folder / f"{name}.log").open("ab") as output:
            self.workers[name] = spawn(
                [sys.executable, *program, "--name", name, "--store", store or self.store.url,
                 "--data", str(self.folder / "data")], env=environment, output=output)
        return self.workers[name]

    def kill(self, name: str) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        self.workers[name].kill()
        self.workers[name].wait()

    def in_hand(self, name: str) -> int:
        """How many entries a worker has read and not acknowledged."""
        try:
            consumers = self.client.xinfo_consumers(self.keys.events, GROUP)
        except redis.ResponseError:
            return 0
        return next((int(c["pending"]) for c in consumers if c["name"] == name.encode()), 0)

    def wait_until_in_hand(self, name: str) -> None:
        """Wait for the middle of a batch, asking without a pause: a batch takes some ten milliseconds."""
        end_s = time.monotonic() + 20
        while not self.in_hand(name):
            assert time.monotonic() < end_s, f"{name} never took a batch; its log: {self.log(name)}"

    def stop_in_mid_batch(self, name: str) -> int:
        """SIGSTOP a worker between reading and committing; how many entries it holds."""
        for _ in range(100):
            self.wait_until_in_hand(name)
            os.kill(self.workers[name].pid, signal.SIGSTOP)
            if held := self.in_hand(name):
                return held
            os.kill(self.workers[name].pid, signal.SIGCONT)
        raise AssertionError(f"{name} was never met in the middle of a batch")

    def resume(self, name: str) -> None:
        """SIGCONT."""
        os.kill(self.workers[name].pid, signal.SIGCONT)

    def is_drained(self) -> bool:
        """Whether nothing is unread or pending in either stream."""
        try:
            groups = [self.client.xinfo_groups(stream)[0] for stream in self.keys.streams]
        except (redis.RedisError, IndexError):
            return False
        return all(group["pending"] == 0 and group["lag"] == 0 for group in groups)

    def wait_until_drained(self) -> None:
        """Wait until everything is counted."""
        wait_until(self.is_drained, "the stream drained", timeout_s=60)

    def days(self, rollup: str, aggregate: str) -> int:
        """One aggregate summed over all days (of a row: `row.aggregate`)."""
        found = self.client.keys(f"{self.keys.tag}:pane:0:{rollup}:d:*")
        return sum(int(amount) for key in found for name, amount in self.client.hgetall(key).items()
                   if aggregate in (name.decode(), name.decode().partition(".")[2]))

    def log(self, name: str) -> str:
        """What a worker said."""
        return (self.folder / f"{name}.log").read_text()

    def close(self) -> None:
        """End every process of ours."""
        for worker in self.workers.values():
            worker.kill()
            worker.wait()
        self.client.close()
        self.store.stop()


@contextmanager
def open_fleet() -> Iterator[Fleet]:
    """A store of its own in a folder of its own, without workers yet."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        store = EmbeddedStore(DataDir(Path(folder) / "data"), find_server(), 256 * 1024**2)
        store.start()
        fleet = Fleet(store, redis.Redis.from_url(store.url), Path(folder))
        try:
            yield fleet
        finally:
            fleet.close()


@dataclass(frozen=True)
class Work:
    """Deliveries to append, in order of arrival, and what they must add up to."""

    deliveries: list[Taken]
    orders: int
    revenue_minor: int

    def counts(self) -> tuple[int, int, int]:
        """What a fleet must have counted in the end: deliveries, orders, revenue."""
        return len(self.deliveries), self.orders, self.revenue_minor


def counted(fleet: Fleet) -> tuple[int, int, int]:
    """What a fleet has counted: deliveries (which have no memory: twice is twice), orders, revenue."""
    return fleet.days("deliveries", "shopify.n"), fleet.days("orders", "n"), fleet.days("revenue", "s:EUR")


def make_work(events: int, seed: int = 1, first: int = 0) -> Work:
    """Two versions of each of half as many orders, numbered from `first` on and shuffled."""
    now_ms, chance = time.time_ns() // 1_000_000, random.Random(seed)
    totals = [chance.randrange(1, 100_000) for _ in range(events // 2)]
    deliveries = [_delivery(number, version, total, now_ms)
                  for number, total in enumerate(totals, first) for version in (1, 2)]
    chance.shuffle(deliveries)
    # The second version is the first with one cent more.
    return Work(deliveries, len(totals), sum(totals) + len(totals))


def _delivery(number: int, version: int, total: int, now_ms: int) -> Taken:
    placed_ms = now_ms - number % 240 * HOUR_MS // 4
    data = {"test": False, "placed_ms": placed_ms, "cancelled_ms": None, "total_minor": total + version - 1,
            "goods_minor": total, "currency": "EUR", "refunds": [], "lines": [],
            "country": "DE", "region": "", "channel": "web", "paid": "paid", "fulfilled": ""}
    event_id = f"shopify:shop:{number}-{version}"
    payload = encode(Event(EventId(event_id), "order.updated", now_ms, now_ms, "shopify", "main",
                           f"shopify:shop:order:{number}", (placed_ms + version, version, "hash"), data))
    return Taken("event", "shopify", event_id, payload, checksum(payload))
