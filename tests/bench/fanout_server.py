"""A web process as it is, with the cap raised, whose board of the first hour changes RATE times a second by itself.

Started by fanout.py, with the settings in the environment. Each frame carries when its drawing began.
"""

import asyncio
import os
import time
from dataclasses import replace
from itertools import count

import uvloop

from opsmon.app.web import open_web
from opsmon.core.kpis import BOARD, BUILT_IN
from opsmon.listening import listen
from opsmon.settings import load
from opsmon.web import live
from opsmon.web.hub import Hub
from opsmon.web.server import serve
from opsmon.web.tile_views import TileView
from opsmon.web.wording import Wording
from tests.bench.fanout_clients import RATE, STAMP
from tests.web.large import large_views


async def main() -> None:
    """Serve until SIGTERM."""
    live.MAX_SCREENS = 100_000
    settings = load(os.environ)
    sockets = listen(settings.host, settings.port, boards=True)
    async with open_web(settings, boards=True, ingest=False) as web:
        assert web.hub is not None and web.feed is not None
        await web.feed.ready.wait()
        publishing = asyncio.create_task(publish(web.hub, moving(web.feed.board.wording)))
        await serve(web.app, sockets, web.drain).serve(sockets)
        publishing.cancel()


def moving(wording: Wording) -> list[TileView]:
    """What an order moves on the board of the first hour: all but the hours, which are drawn every 5 s."""
    ids = {kpi.id for kpi in BOARD} - {"orders-per-hour"}
    return [view for view in large_views(BUILT_IN, wording, "Europe/Berlin") if view.id in ids]


async def publish(hub: Hub, views: list[TileView]) -> None:
    """Draw and push, evenly spread."""
    began_s = time.perf_counter()
    for number in count(1):
        await asyncio.sleep(began_s + number / RATE - time.perf_counter())
        stamp = STAMP % time.perf_counter_ns()
        hub.update([(f"kpi-{view.id}", replace(view, label=stamp.decode())) for view in views], 0)
        hub.publish()


if __name__ == "__main__":
    uvloop.run(main())
