"""up, store, ingest, web, worker, poll, notify: the processes, alone or all together."""

import argparse
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from opsmon.commands.arguments import overrides, settings_of, where
from opsmon.core.schema import refuse_newer
from opsmon.settings import Settings, child_environment
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.fsync import measure_fsync_us
from opsmon.store.keys import Keys
from opsmon.store.readiness import hash_field
from opsmon.store.server_binary import find_server
from opsmon.supervisor import Child, Process, Supervisor, python_child

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger("opsmon")

_SLOW_FSYNC_US = 10_000


def up(args: argparse.Namespace) -> int:
    """Store, web and worker under one supervisor."""
    settings = settings_of(args)
    return run_all(settings, overrides(args), [])


def run_all(settings: Settings, given: dict[str, str], more: list[tuple[str, list[str]]]) -> int:
    """Run store, web, worker and `more` children (name, arguments) until stopped; the supervisor's code."""
    environment = child_environment(**given)
    supervisor = Supervisor()
    with ExitStack() as stack:
        # The folder first: whoever starts opsmon a second time has the port taken too, but not by a stranger.
        children = [] if settings.store_url else [_store_child(settings, supervisor, stack)]
        _check_port(settings)
        poll = [("poll", ["poll"])] if settings.polls else []
        for name, arguments in [("web", ["web", "--with-ingest"]), ("worker", ["worker"]), ("notify", ["notify"]),
                                *poll, *more]:
            children.append(Child(name, partial(python_child, arguments, environment)))
        say_hello(settings)
        return supervisor.run(children)


def store(args: argparse.Namespace) -> int:
    """The embedded store alone."""
    settings = settings_of(args)
    supervisor = Supervisor()
    with ExitStack() as stack:
        child = _store_child(settings, supervisor, stack)
        log.info("store at %s", DataDir(settings.data).store_url)
        return supervisor.run([child])


def ingest(args: argparse.Namespace) -> int:
    """Webhooks only."""
    return _serve(settings_of(args), boards=False, ingest=True)


def web(args: argparse.Namespace) -> int:
    """Boards, and webhooks too when asked."""
    return _serve(settings_of(args), boards=True, ingest=args.with_ingest)


def worker(args: argparse.Namespace) -> int:
    """Count events until SIGTERM, which lets the batch in hand be finished."""
    from opsmon.app.worker import run_worker

    return _until_told(settings_of(args), run_worker)


def poll(args: argparse.Namespace) -> int:
    """Ask vendors until SIGTERM. With nobody to ask it waits: a process manager ends all when one of them ends."""
    from opsmon.app.polling import run_poll

    settings = settings_of(args)
    if not settings.polls:
        log.warning("there is nothing to poll: set OPSMON_SHOPIFY_SHOP and OPSMON_SHOPIFY_TOKEN, or url, database and "
                    "key_file of a source of kind odoo, and start again")
    return _until_told(settings, run_poll)


def notify(args: argparse.Namespace) -> int:
    """Tell people of alerts until SIGTERM, which lets what is on its way arrive."""
    from opsmon.app.telling import run_notify

    return _until_told(settings_of(args), run_notify)


def _until_told(settings: Settings, run: "Callable[[Settings, asyncio.Event], Awaitable[None]]") -> int:
    import asyncio

    import uvloop

    async def work() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await run(settings, stop)

    uvloop.run(work())
    return 0


def _serve(settings: Settings, *, boards: bool, ingest: bool) -> int:
    import uvloop

    from opsmon.app.web import run_web

    uvloop.run(run_web(settings, boards=boards, ingest=ingest))
    return 0


def _store_child(settings: Settings, supervisor: Supervisor, stack: ExitStack) -> Child:
    data = DataDir(settings.data)
    stack.enter_context(data.lock())
    embedded = EmbeddedStore(data, find_server(), settings.store_memory_bytes)
    times = measure_fsync_us(data.path)
    if times.median_us > _SLOW_FSYNC_US:
        log.warning("this disk takes %.1f ms to make a write durable (median): every webhook waits for it",
                    times.median_us / 1000)
    data.note_fsync(times)

    def start() -> Process:
        process = embedded.start(supervisor.is_stopping)
        refuse_newer(hash_field(embedded.socket_path, Keys(settings.site).meta, "schema"))
        return process

    return Child("store", start, grace_s=10, needed=True)


def _check_port(settings: Settings) -> None:
    """Find out before the children start, who would try for ever. Raises OpsmonError."""
    from opsmon.listening import listen

    for listener in listen(settings.host, settings.port, boards=True, public=settings.public_side):
        listener.close()


def say_hello(settings: Settings) -> None:
    """Where everything is, and the link that makes the first account as long as there is none."""
    base = f"http://127.0.0.1:{settings.port}"
    from opsmon.web.accounts.passwords import is_installed

    first = DataDir(settings.data).first_secret()
    welcome = (f"  People    {base}/welcome/{first}   (makes the first account; from then on everybody signs in)\n"
               if first and is_installed() else "")
    print(
        f"\n  Board     {base}/\n  Wall      {base}/wall\n"
        f"  Sources   {base}/sources   (how each is connected, and whether it works)\n"
        f"{welcome}"
        f"  Shopify   {base}/webhooks/shopify   (expose this path, and only this, to the internet)\n"
        f"  Try it    opsmon send-test shopify{where(settings)}\n\n  Data in {settings.data}. Ctrl-C ends.\n",
        file=sys.stderr, flush=True)
