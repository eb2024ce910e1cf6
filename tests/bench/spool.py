"""How long a source that waits a second and never sends again waits for its answer, while the store is away.

As Odoo sends: a connection for each, 20 a second whether or not the ones before were answered. Each state of the
store takes 25 s; what was answered then has to be in the stream once the store is back.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import orjson
import redis
import uvloop

from opsmon.sources.odoo import hashed
from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from tests.bench.ndjson import answer, quantile
from tests.bench.processes import Started, family, running
from tests.odoo import sale

SENT = 500
EVERY_S = 0.05
LONGEST_S = 60.0
TOKEN = "the-token-of-the-benchmark"
DECLARED = f'[[source]]\nname = "odoo"\nkind = "odoo"\nsecrets = ["{hashed(TOKEN)}"]\ncurrency = "EUR"\n'
KEYS = Keys("main")


def main() -> None:
    """Print one line for each state of the store: there, hanging, stopped."""
    with running(["store"], ["ingest"], declared=DECLARED) as opsmon, \
            redis.Redis.from_url(DataDir(opsmon.folder).store_url) as store:
        for turn, state in enumerate(("there", "hanging", "stopped")):
            with away(opsmon, state):
                waits = sorted(uvloop.run(one_round(opsmon.port, turn * SENT)))
            back_s = wait_for_all(store, (turn + 1) * SENT)
            print(f"store {state}: {SENT} answers, p50 {quantile(waits, 50):.1f} ms, p99 {quantile(waits, 99):.1f} ms, "
                  f"worst {waits[-1] * 1000:.0f} ms; all of them in the stream {back_s:.1f} s after it was back; "
                  f"load of the machine {os.getloadavg()[0]:.1f}", flush=True)


@contextmanager
def away(opsmon: Started, state: str) -> Iterator[None]:
    """Bring the store into a state, and back from it."""
    if state == "hanging":
        pids = family(opsmon.processes["store"].pid)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    elif state == "stopped":
        opsmon.processes["store"].terminate()
        opsmon.processes["store"].wait(15)
        yield
        opsmon.processes["store"] = subprocess.Popen([sys.executable, "-m", "opsmon", "store"], cwd=opsmon.folder,
                                                     env=opsmon.environment, stderr=subprocess.DEVNULL)
    else:
        yield


async def one_round(port: int, before: int) -> list[float]:
    """Send what was never sent before; the seconds until each answer. Raises RuntimeError for one that is no 200."""
    sending = []
    for number in range(before, before + SENT):
        sending.append(asyncio.create_task(send(port, orjson.dumps(sale(number + 1)))))
        await asyncio.sleep(EVERY_S)
    return list(await asyncio.gather(*sending))


async def send(port: int, body: bytes) -> float:
    """Tell of one record, on a connection of its own; the seconds until the answer."""
    started_s = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /webhooks/odoo/{TOKEN} HTTP/1.1\r\nHost: opsmon\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await answer(reader)
    took_s = time.perf_counter() - started_s
    writer.close()
    return took_s


def wait_for_all(store: redis.Redis, count: int) -> float:
    """Seconds until the stream holds so many. Raises RuntimeError when it does not within a minute."""
    started_s = time.perf_counter()
    while time.perf_counter() - started_s < LONGEST_S:
        with suppress(redis.RedisError):
            if store.xlen(KEYS.events) >= count:
                return time.perf_counter() - started_s
        time.sleep(0.05)
    raise RuntimeError(f"of {count} answered with 200 only {store.xlen(KEYS.events)} are in the stream")
