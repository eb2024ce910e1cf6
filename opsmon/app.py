"""Composition root: the only file that imports every folder. Read it and you know how a process is made."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from redis.asyncio import Redis
from starlette.types import ASGIApp

from opsmon.clock import Clock, SystemClock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.listening import listen
from opsmon.settings import Settings, without_password
from opsmon.sources.base import Secret, Source, SourceSettings
from opsmon.sources.json_events import JsonEvents
from opsmon.sources.kinds import KINDS
from opsmon.sources.pixel import Pixel
from opsmon.sources.signing import TEST_SHOP
from opsmon.store.appender import Appender
from opsmon.store.connection import STORE_ERRORS, Reader, ingest_client, worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.refusals import flush_once, flush_refusals
from opsmon.store.scripts import Scripts
from opsmon.store.visits import Visits
from opsmon.web import rendering
from opsmon.web.collect import Collect
from opsmon.web.feed import Board, Feed
from opsmon.web.hub import Hub
from opsmon.web.ingest import Ingest
from opsmon.web.kpi_api import KpiApi
from opsmon.web.live import Live, drain
from opsmon.web.pages import Pages
from opsmon.web.rates import Rates
from opsmon.web.routes import Front, board_app, health_app
from opsmon.web.server import serve
from opsmon.web.webhooks import Webhooks
from opsmon.web.wording import Wording
from opsmon.workers.worker import Worker

T = TypeVar("T")


@dataclass(slots=True)
class Web:
    """A web process, made and running: its app, and its hub where it serves boards."""

    app: ASGIApp
    hub: Hub | None
    feed: Feed | None
    webhooks: Webhooks | None

    def drain(self) -> None:
        """Send the screens away before the server closes."""
        if self.hub is not None:
            drain(self.hub)


def store_url(settings: Settings) -> str:
    """Where the store is: the one that was named, or opsmon's own."""
    return settings.store_url or DataDir(settings.data).store_url


def sources(settings: Settings) -> dict[str, Source]:
    """Every source that can be heard. The local test secret is good for the test shop only."""
    test_secret = Secret(DataDir(settings.data).test_secret().encode(), TEST_SHOP)
    shopify = SourceSettings("shopify", "shopify", (*settings.shopify_secrets, test_secret))
    # Declared by name, Shopify has these secrets and its own.
    declared = {source.name: source for source in (shopify, *settings.sources)}
    if declared["shopify"] is not shopify:
        own = declared["shopify"]
        declared["shopify"] = replace(own, secrets=(*own.secrets, *shopify.secrets))
    return {name: KINDS[source.kind](source, settings.site) for name, source in declared.items()}


def ingest_tokens(settings: Settings) -> tuple[Secret, ...]:
    """Who may send events of opsmon's own shape; before any token is set, whoever can read the test secret."""
    return settings.ingest_tokens or (Secret(DataDir(settings.data).test_secret().encode()),)


@asynccontextmanager
async def open_web(settings: Settings, *, boards: bool, ingest: bool, clock: Clock | None = None
                   ) -> AsyncIterator[Web]:
    """A web app with its loops running; closes in reverse. Nothing connects before the first use."""
    clock = clock or SystemClock()
    keys, heard = Keys(settings.site), sources(settings)
    async with AsyncExitStack() as stack:
        opened = await _open_ingest(settings, keys, heard, clock, stack) if ingest else (None, None, None)
        webhooks, events, collect = opened
        if not boards:
            yield Web(Front(webhooks, events, collect, None, health_app(None)), None, None, webhooks)
            return
        client = worker_client(store_url(settings))
        stack.push_async_callback(client.aclose)
        hub = Hub(rendering.partial)
        feed, pages, api = _boards(settings, client, keys, tuple(heard), hub, clock)
        await _run(stack, feed.run(), feed.beat(), feed.watch())
        app = board_app(pages, api, Live(hub, clock, rendering.build()))
        yield Web(Front(webhooks, events, collect, app, health_app(pages)), hub, feed, webhooks)


async def run_web(settings: Settings, *, boards: bool, ingest: bool) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises OpsmonError when the port cannot be had."""
    sockets = listen(settings.host, settings.port, boards=boards)
    async with open_web(settings, boards=boards, ingest=ingest) as web:
        await serve(web.app, sockets, web.drain).serve(sockets)


async def run_worker(settings: Settings, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Work until `stop` is set and the batch in hand is done."""
    client = worker_client(store_url(settings))
    try:
        await Worker(client, settings, clock or SystemClock()).run(stop)
    finally:
        await client.aclose()


async def on_store(settings: Settings, act: Callable[[Redis], Awaitable[T]]) -> T:
    """Do something on the site's store. Raises OpsmonError when it cannot be reached."""
    client = worker_client(store_url(settings))
    try:
        return await act(client)
    except STORE_ERRORS as error:
        raise OpsmonError(f"the store at {without_password(store_url(settings))} cannot be reached: {error}. "
                          "Is opsmon running with this --data or --store?") from None
    finally:
        await client.aclose()


async def _open_ingest(settings: Settings, keys: Keys, heard: dict[str, Source], clock: Clock,
                       stack: AsyncExitStack) -> tuple[Webhooks, Ingest, Collect]:
    client = ingest_client(store_url(settings))
    stack.push_async_callback(client.aclose)
    appender = Appender(Scripts(client, keys), clock)
    webhooks = Webhooks(heard, appender, clock)
    events = Ingest(JsonEvents(settings.site, heard), ingest_tokens(settings), appender, clock,
                    refused=webhooks.refused)
    stack.push_async_callback(flush_once, client, keys, webhooks.refused)
    await _run(stack, flush_refusals(client, keys, webhooks.refused))
    return webhooks, events, await _open_collect(settings, keys, clock, webhooks.refused, stack)


async def _open_collect(settings: Settings, keys: Keys, clock: Clock, refused: "Counter[str]",
                        stack: AsyncExitStack) -> Collect:
    """The door for pages, on a client of its own: however much comes here, webhooks have theirs."""
    client = ingest_client(store_url(settings))
    stack.push_async_callback(client.aclose)
    visits = Visits(client, keys, clock, settings.visits_memory_bytes, refused)
    stack.push_async_callback(visits.drain)
    await _run(stack, visits.run())
    pixel = Pixel(settings.site, settings.visits_memory_bytes, keeps_terms=settings.pixel_search_terms)
    return Collect(pixel, visits, Rates(settings.pixel_rate, settings.pixel_rate_each), settings.pixel_origins, clock,
                   refused=refused)


def kpi_queries(client: Redis, settings: Settings) -> KpiQueries:
    """What reads the site's numbers."""
    calendar = SiteCalendar(settings.timezone, settings.day_start_ms)
    return KpiQueries(Reader(client), Keys(settings.site), settings.catalogue, calendar, settings.currency,
                      settings.grace_ms, settings.kept)


def _boards(settings: Settings, client: Redis, keys: Keys, heard: tuple[str, ...], hub: Hub, clock: Clock
            ) -> tuple[Feed, Pages, KpiApi]:
    reader, kpis = Reader(client), kpi_queries(client, settings)
    board = Board(Wording(settings.locale, kpis.calendar), settings.timezone.key, webhook_url(settings),
                  bool(settings.shopify_secrets), heard)
    feed = Feed(hub, reader, keys, kpis, Scripts(client, keys), board, clock)
    return (feed, Pages(feed, reader, keys, kpis, clock, DataDir(settings.data).fsync()),
            KpiApi(reader, keys, kpis, clock))


def webhook_url(settings: Settings) -> str:
    """Where webhooks go, as this machine sees it."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared only
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/webhooks/shopify"


async def _run(stack: AsyncExitStack, *loops: object) -> None:
    for loop in loops:
        task: asyncio.Task[None] = asyncio.create_task(loop)  # type: ignore[arg-type]
        stack.push_async_callback(_ended, task)


async def _ended(task: "asyncio.Task[None]") -> None:
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
