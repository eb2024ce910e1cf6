"""demo: a simulated shop on a board, on data that are thrown away. demo-shop: the one who sends."""

import argparse
import asyncio
import secrets
import signal
import sys
import tempfile
import time
from datetime import date
from functools import partial
from http.client import HTTPConnection, HTTPException
from math import inf
from threading import Event, Thread
from typing import Any

from opsmon.clock import SystemClock
from opsmon.commands.arguments import overrides, settings_of
from opsmon.commands.running import run_all
from opsmon.settings import Settings

ORDERS_PER_DAY = 300.0
# A demo must not sleep at night: two orders a minute at least, so that something moves every few seconds.
QUIETEST_PER_HOUR = 120.0
# A shop whose parcels stay at home has a dull map.
ABROAD = 0.4

# A day is made in one go, which takes seconds on a small machine: whoever ends a demo does not wait for it.
_Thread = partial(Thread, daemon=True)


def demo(args: argparse.Namespace) -> int:
    """Run everything on a temporary folder, with a shop that sends."""
    if not 0 < args.speed < inf:
        print("opsmon: --speed is a number above 0", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="opsmon-demo-", ignore_cleanup_errors=True) as folder:
        # What a demo sends is made up: the empty store_url asks for a store of its own, whatever REDIS_URL says.
        given = {"data": folder, "store_url": "", "shopify_secrets": secrets.token_hex(16), "currency": "EUR",
                 **overrides(args)}
        settings = settings_of(args, **given)
        return run_all(settings, given, [("shop", ["demo-shop", "--speed", str(args.speed)])])


def shop(args: argparse.Namespace) -> int:
    """Fill in the last eight weeks, newest day first, and what the house told today; and keep selling."""
    from opsmon.demo_feed import Sender, fill_in, fill_in_house, fill_in_parcels, run_house, run_live, run_parcels
    from opsmon.sources.simulator import Shop

    settings, stop = settings_of(args), Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _wait_for_board(settings, stop)
    simulated = Shop(zone=settings.timezone, orders_per_day=ORDERS_PER_DAY, abroad=ABROAD)
    sender = Sender(_url(settings), settings.shopify_secrets[0].value, connections=8, stop=stop)
    # The house has a line of its own: weeks of orders are not to hold up what is told of today.
    house = Sender(_url(settings, "/ingest/events"), _token(settings), connections=1, stop=stop)
    now_ms = SystemClock().now_ms()
    live: dict[str, Any] = {"now_ms": SystemClock().now_ms, "since_ms": now_ms, "quietest_per_hour": QUIETEST_PER_HOUR}
    threads = [_Thread(target=run, args=(one, simulated, args.speed, stop), kwargs=live)
               for run, one in ((run_live, sender), (run_parcels, sender), (run_house, house))]
    threads += [_Thread(target=fill, args=(one, simulated, now_ms))
                for fill, one in ((fill_in_house, house), (fill_in_parcels, sender))]
    threads.append(_Thread(target=fill_in, args=(sender, simulated, now_ms),
                           kwargs={"on_progress": _Progress(settings)}))
    for thread in threads:
        thread.start()
    stop.wait()
    return 0


class _Progress:
    """Tells the board, and the terminal, how far the past has been filled in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._told_s = 0.0

    def __call__(self, fraction: float, day: date) -> None:
        if fraction < 1 and time.monotonic() - self._told_s < 1:
            return
        self._told_s = time.monotonic()
        asyncio.run(self._note(fraction))
        print(f"\r  Filling in eight weeks: {fraction:4.0%} (back to {day})  ",
              end="\n" if fraction >= 1 else "", file=sys.stderr, flush=True)

    async def _note(self, fraction: float) -> None:
        from opsmon.app.site import store_url
        from opsmon.store.connection import STORE_ERRORS, worker_client
        from opsmon.store.keys import Keys
        from opsmon.store.notes import ProgressNote, note_progress

        client = worker_client(store_url(self._settings))
        try:
            await note_progress(client, Keys(self._settings.site), ProgressNote("Filling in 8 weeks", fraction))
        except STORE_ERRORS:
            pass  # the next call tells more
        finally:
            await client.aclose()


def _wait_for_board(settings: Settings, stop: Event) -> None:
    while not stop.is_set() and not _is_ready(settings):
        stop.wait(0.1)


def _is_ready(settings: Settings) -> bool:
    connection = HTTPConnection("127.0.0.1", settings.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _url(settings: Settings, path: str = "/webhooks/shopify") -> str:
    return f"http://127.0.0.1:{settings.port}{path}"


def _token(settings: Settings) -> bytes:
    """Who may send events: the first token that is set, else what the data folder holds."""
    from opsmon.app.site import ingest_tokens

    return ingest_tokens(settings)[0].value


