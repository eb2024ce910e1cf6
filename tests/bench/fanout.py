"""Bytes to 400, 2,000 and 5,000 screens of one web process at 5 frames a second, and in the same run nginx + nchan.

opsmon's time begins before a frame is drawn, nchan's before the same number of bytes is posted to it.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import nchan
from tests.bench.fanout_clients import RATE, STAMP
from tests.bench.processes import Started, cpu_s, pss_mb, running, wait_for
from tests.bench.screens import live_path

ROUNDS = 3
SECONDS = 10.0
COUNTS = (400, 2_000, 5_000)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a number of screens heard of one server, and what that cost it. A screen that is not through with a frame
    gets the newest next, so not all frames have to come (`share` of those that were made)."""

    p50_ms: float
    p99_ms: float
    cores: float
    kb_each: float
    frame_bytes: float
    share: float

    def __str__(self) -> str:
        return (f"p50 {self.p50_ms:6.1f} ms, p99 {self.p99_ms:6.1f} ms, {self.cores:.2f} of a core, "
                f"{self.kb_each:4.1f} KB a connection, {100 * self.share:.0f} % of frames")


def main() -> None:
    """Print a line for each number of screens and each server."""
    for count in COUNTS:
        rounds = [one_round(count) for _ in range(ROUNDS)]
        ours = middle([ours for ours, _ in rounds])
        print(f"{count:5,} screens, {ours.frame_bytes / 1000:.1f} KB a frame, {RATE}/s: opsmon {ours}", flush=True)
        theirs = [theirs for _, theirs in rounds if theirs is not None]
        if theirs:
            beside = middle(theirs)
            print(f"{'':40} nchan {beside}; opsmon/nchan p50 {ours.p50_ms / beside.p50_ms:.2f}, "
                  f"p99 {ours.p99_ms / beside.p99_ms:.2f}", flush=True)
        else:
            print(f"{'':40} nchan: not installed (nginx, libnginx-mod-nchan)", flush=True)


def middle(rounds: list[Heard]) -> Heard:
    """The median of each figure."""
    return Heard(*(median(getattr(one, name) for one in rounds) for name in Heard.__slots__))


def one_round(count: int) -> tuple[Heard, Heard | None]:
    """opsmon, then nchan with frames of the same size."""
    with running_web() as (port, pid):
        ours = heard(port, pid, count, asyncio.run(live_path(port)))
    if not nchan.is_there():
        return ours, None
    port = some_port()
    with nchan.running(port) as pid, publishing(port, round(ours.frame_bytes)):
        return ours, heard(port, pid, count, "/live")


def some_port() -> int:
    """One that thousands of clients, whose own ports begin at 32768, do not have."""
    return 20_000 + secrets.randbelow(12_000)


@contextmanager
def running_web() -> Iterator[tuple[int, int]]:
    """A store, and a web process that moves by itself: port and process id."""
    with _store() as store:
        port = some_port()
        environment = {**store.environment, "OPSMON_PORT": str(port)}
        process = subprocess.Popen([sys.executable, "-m", "tests.bench.fanout_server"], env=environment,
                                   cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(15)


@contextmanager
def _store() -> Iterator[Started]:
    # `ingest` only because `running` waits for a port.
    with running(["store"], ["ingest"]) as started:
        yield started


def heard(port: int, pid: int, count: int, path: str) -> Heard:
    """Let so many screens listen; what they heard, and what the server used meanwhile."""
    time.sleep(1)
    empty_mb = pss_mb([pid])
    command = [sys.executable, "-m", "tests.bench.fanout_clients", str(port), str(count), str(SECONDS), path]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], env=dict(os.environ), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as clients:
        assert clients.stdout is not None
        assert clients.stdout.readline() == "measuring\n"
        began_s, used_s = time.perf_counter(), cpu_s([pid])
        told: dict[str, Any] = json.loads(clients.stdout.readline())
        cores = (cpu_s([pid]) - used_s) / (time.perf_counter() - began_s)
        each_kb = 1024 * (pss_mb([pid]) - empty_mb) / count
        clients.communicate()
    share = told["frames"] / (count * SECONDS * RATE)
    if told["open"] < count or share < 0.1:
        raise RuntimeError(f"{told['open']} of {count} screens heard {told['frames']} frames")
    return Heard(told["p50_ms"], told["p99_ms"], cores, each_kb, told["bytes"] / told["frames"], share)


@contextmanager
def publishing(port: int, size: int) -> Iterator[None]:
    """Post a frame of this size, RATE times a second, each with the time before it was posted."""
    ended = threading.Event()
    lines = [b"x" * 100] * ((size - 60) // 107)

    def run() -> None:
        connection, began_s, number = HTTPConnection("127.0.0.1", port, timeout=10), time.perf_counter(), 0
        while not ended.wait(max(began_s + number / RATE - time.perf_counter(), 0)):
            number += 1
            connection.request("POST", "/publish", b"\n".join([*lines, STAMP % time.perf_counter_ns()]))
            connection.getresponse().read()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
