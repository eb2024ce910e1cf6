"""A worker of the engine's benchmark: the real loop, with a catalogue of ten KPIs on one hot event type."""

import asyncio
import sys
from dataclasses import replace

import uvloop

from opsmon.clock import SystemClock
from opsmon.core.catalogue import Catalogue, Condition, Rollup
from opsmon.core.kpis import ROLLUPS
from opsmon.settings import Settings, load
from opsmon.store.connection import worker_client
from opsmon.workers.worker import Worker

HOT = "hot.event"
DIMENSIONS = ("a", "b", "c")


def hot_catalogue() -> Catalogue:
    """Count, sum, mean and ratio; count and sum by three dimensions: ten, beside the count of deliveries."""
    plain = [Rollup("k-count", (HOT,), "count"), Rollup("k-sum", (HOT,), "sum", "v"),
             Rollup("k-mean", (HOT,), "mean", "v"),
             Rollup("k-ratio", (HOT,), "ratio", hits=(Condition("ok", "=", True),))]
    rows = [Rollup(f"k-{measure}-{name}", (HOT,), measure, "v" if measure == "sum" else "", (name,))  # type: ignore[arg-type]
            for name in DIMENSIONS for measure in ("count", "sum")]
    deliveries = next(rollup for rollup in ROLLUPS if rollup.id == "deliveries")
    return Catalogue((deliveries, *plain, *rows), ())


def settings(url: str, name: str, lane: str) -> Settings:
    """What the worker goes by: the hot catalogue, or the built-in one for orders."""
    loaded = load({}, overrides={"store_url": url, "worker_name": name, "timezone": "Europe/Berlin"})
    return replace(loaded, catalogue=hot_catalogue()) if lane == "append" else loaded


async def run(url: str, name: str, lane: str) -> None:
    """Work until ended."""
    client = worker_client(url)
    await Worker(client, settings(url, name, lane), SystemClock()).run(asyncio.Event())


if __name__ == "__main__":
    uvloop.run(run(*sys.argv[1:]))
