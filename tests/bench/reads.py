"""Reading: a day's chart and a board of twelve tiles, from a store that has counted a week of events."""

import asyncio
import importlib.util
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

from opsmon.core.calendar import MINUTE_MS, SiteCalendar
from opsmon.core.kpis import BUILT_IN
from opsmon.core.panes import Retention
from opsmon.core.windows import CalendarUnit, Every, windows
from opsmon.store.connection import Reader, worker_client
from opsmon.store.event_stream import GROUP
from opsmon.store.kpi_queries import KpiQueries
from tests.bench.engine import HOUR_MS, KEYS, VERSIONS, _drain_s, a_store, fill

READS = 1_000
BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
TILES = BUILT_IN.kpis[:5] + tuple(BUILT_IN.kpi_by_id[name] for name in (
    "top-products", "revenue-by-country", "orders-by-channel", "customers-today", "active-orders", "past-sla",
    "fulfilment-time"))


def main() -> None:
    """Print p50 and p99 of each read; the same two of DuckDB where it is installed."""
    with a_store() as (store, client):
        fill(client, "orders", VERSIONS, 0)
        client.xgroup_create(KEYS.events, GROUP, id="0")
        worker = subprocess.Popen([sys.executable, "-m", "tests.bench.hot_worker", store.url, "w0", "orders"])
        _drain_s(client)
        worker.terminate()
        worker.wait()
        asyncio.run(_read(store.url))
    if importlib.util.find_spec("duckdb"):
        _duckdb()


async def _read(url: str) -> None:
    client, now_ms = worker_client(url), time.time_ns() // 1_000_000
    queries = KpiQueries(Reader(client), KEYS, BUILT_IN, BERLIN, "EUR", 0, Retention())
    revenue, day = BUILT_IN.kpi_by_id["revenue-today"], (now_ms - 24 * HOUR_MS, now_ms)
    await _timed("board of 12 tiles", lambda: queries.read(TILES, now_ms, now_ms))
    await _timed("24 hours by the hour", lambda: queries.windows(
        revenue, windows(CalendarUnit("hour"), *day, BERLIN), now_ms, now_ms))
    await _timed("24 hours by the minute", lambda: queries.windows(
        revenue, windows(Every(MINUTE_MS), *day, BERLIN), now_ms, now_ms), READS // 10)
    await client.aclose()


async def _timed(name: str, read: Callable[[], Awaitable[Any]], count: int = READS) -> None:
    times = []
    for _ in range(count):
        began_s = time.perf_counter()
        await read()
        times.append((time.perf_counter() - began_s) * 1000)
    _print(name, times)


def _print(name: str, times: list[float]) -> None:
    times = sorted(times)
    print(f"{name}: p50 {times[len(times) // 2]:.2f} ms, p99 {times[len(times) * 99 // 100]:.2f} ms (n = {len(times)})",
          flush=True)


def _duckdb() -> None:
    """One million raw rows in memory, a day of them grouped by the hour."""
    import duckdb

    chance, now_ms = random.Random(1), time.time_ns() // 1_000_000
    with duckdb.connect() as database:
        database.execute("create table rows as select (? - (random() * 86400000)::bigint) as time_ms, "
                         "(random() * 10000)::bigint as minor from range(1000000)", [now_ms])
        times = []
        for _ in range(READS // 10):
            began_s = time.perf_counter()
            database.execute("select time_ms // 3600000, sum(minor) from rows where time_ms >= ? group by 1",
                             [now_ms - 24 * HOUR_MS - chance.randrange(1000)]).fetchall()
            times.append((time.perf_counter() - began_s) * 1000)
        _print("DuckDB, 24 hours by the hour of 1,000,000 rows in memory", times)
