"""Composition root: the only file that imports every folder. Read it and you know how a process is made."""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TypeVar
from urllib.parse import urlsplit

from redis.asyncio import Redis
from starlette.types import ASGIApp

from opsmon.clock import Clock, SystemClock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import NewerStore, OpsmonError
from opsmon.listening import listen
from opsmon.notify.apprise import AppriseNotifier
from opsmon.notify.egress import Egress
from opsmon.notify.email import EmailNotifier, server_of
from opsmon.notify.ports import Notifier as Channel
from opsmon.notify.webhook import WebhookNotifier
from opsmon.pollers import odoo
from opsmon.pollers.base import Poller
from opsmon.pollers.polling import Polling
from opsmon.pollers.shopify import ShopifyOrders
from opsmon.pollers.shopify_admin import ShopifyAdmin
from opsmon.pollers.shopify_webhooks import WebhookCheck
from opsmon.setting_texts import without_password
from opsmon.settings import Settings
from opsmon.sources.base import Secret, Source, SourceSettings
from opsmon.sources.json_events import JsonEvents
from opsmon.sources.kinds import KINDS
from opsmon.sources.manual_entries import ManualEntries
from opsmon.sources.pixel import Pixel
from opsmon.sources.probing import event_probe, has_probe, probe
from opsmon.sources.rereading import read_again
from opsmon.sources.signing import TEST_SHOP
from opsmon.store.accounts.audit import note_deed
from opsmon.store.accounts.changing import Changing
from opsmon.store.accounts.people import People
from opsmon.store.accounts.recognising import Recogniser
from opsmon.store.accounts.screens import Screens
from opsmon.store.accounts.sessions import Sessions
from opsmon.store.accounts.tokens import Tokens
from opsmon.store.accounts.uses import Uses
from opsmon.store.alerts.alert_store import AlertStore
from opsmon.store.alerts.links import link_secret
from opsmon.store.appender import Appender
from opsmon.store.board_store import BoardStore
from opsmon.store.connection import STORE_ERRORS, Reader, ingest_client, worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.dead_letters import DeadLetters
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.meta import read_meta
from opsmon.store.notes import note_spool
from opsmon.store.refusals import flush_once, flush_refusals
from opsmon.store.scripts import Scripts
from opsmon.store.source_notes import note_trial
from opsmon.store.spool import Spool
from opsmon.store.visits import Visits
from opsmon.web import rendering
from opsmon.web.accounts.audit_page import AuditPage
from opsmon.web.accounts.noting import Noting
from opsmon.web.accounts.office import Office
from opsmon.web.accounts.pair_page import PairPage
from opsmon.web.accounts.passwords import Passwords
from opsmon.web.accounts.people_page import PeoplePage
from opsmon.web.accounts.profile_page import ProfilePage
from opsmon.web.accounts.screens import ScreensPage
from opsmon.web.accounts.signing_in import SignIn, Signing
from opsmon.web.accounts.tokens_page import TokensPage
from opsmon.web.accounts.touching import Touching
from opsmon.web.addresses import LOOPBACK, Networks, read_networks
from opsmon.web.alerts.alerts_page import AlertRoom, AlertsPage
from opsmon.web.alerts.rules_page import RulesPage
from opsmon.web.alerts.silences_page import SilencesPage
from opsmon.web.board_editor import BoardEditor
from opsmon.web.changing import check_of
from opsmon.web.collect import Collect
from opsmon.web.dead_page import DeadPage
from opsmon.web.desk import Desk
from opsmon.web.doors import Door as BoardDoor
from opsmon.web.edge import Edge
from opsmon.web.entry_form import EntryForm
from opsmon.web.feed import Board, Feed
from opsmon.web.holding import Bounds
from opsmon.web.hub import Hub
from opsmon.web.ingest import Ingest
from opsmon.web.kpi_api import KpiApi
from opsmon.web.kpi_page import KpiPage
from opsmon.web.languages import language_of
from opsmon.web.live import Live, drain
from opsmon.web.pages import Pages
from opsmon.web.phone import Phone
from opsmon.web.rates import Rates
from opsmon.web.routes import PUBLIC_PATHS, Front, Rooms, board_app, board_doors, health_app
from opsmon.web.server import serve
from opsmon.web.source_cards import SourceInfo
from opsmon.web.source_feed import SourceFeed
from opsmon.web.source_words import (
    EVENT_STEPS,
    FLOOR_STEPS,
    IMPORT_STEPS,
    NOT_PUBLIC,
    PIXEL_STEPS,
    UNKNOWN_STEPS,
    steps_of,
    title,
)
from opsmon.web.sources_page import VIEW, SourcesPage
from opsmon.web.telling.link_page import LinkPage
from opsmon.web.telling.notice_words import NoticeWords
from opsmon.web.telling.receivers_page import ReceiversPage
from opsmon.web.trials import Door, Trials
from opsmon.web.views import KindView
from opsmon.web.wall_page import WallPage
from opsmon.web.walls import Screen
from opsmon.web.webhooks import Webhooks
from opsmon.web.wording import Wording
from opsmon.workers.evaluator import Evaluator
from opsmon.workers.notifier import Notifier
from opsmon.workers.worker import Worker

T = TypeVar("T")
_evaluators = count(1)


@dataclass(slots=True)
class Web:
    """A web process, made and running: its app, and its hub where it serves boards."""

    app: ASGIApp
    hub: Hub | None
    feed: Feed | None
    webhooks: Webhooks | None
    sources_hub: Hub | None = None
    doors: Sequence[BoardDoor] = ()

    def drain(self) -> None:
        """Send the screens away before the server closes."""
        for hub in (self.hub, self.sources_hub):
            if hub is not None:
                drain(hub)


def store_url(settings: Settings) -> str:
    """Where the store is: the one that was named, or opsmon's own."""
    return settings.store_url or DataDir(settings.data).store_url


def sources(settings: Settings) -> dict[str, Source]:
    """Every source that can be heard."""
    return {name: KINDS[source.kind](_in_currency(source, settings), settings.site)
            for name, source in declared_sources(settings).items()}


def declared_sources(settings: Settings) -> dict[str, SourceSettings]:
    """What the site says of each source. The local test secret is good for the test shop only."""
    test_secret = Secret(DataDir(settings.data).test_secret().encode(), TEST_SHOP)
    shopify = SourceSettings("shopify", "shopify", (*settings.shopify_secrets, test_secret))
    # Declared by name, Shopify has these secrets and its own.
    declared = {source.name: source for source in (shopify, *settings.sources)}
    if declared["shopify"] is not shopify:
        own = declared["shopify"]
        declared["shopify"] = replace(own, secrets=(*own.secrets, *shopify.secrets))
    return declared


def _in_currency(source: SourceSettings, settings: Settings) -> SourceSettings:
    """A source that asks for a currency has the site's, unless it says which."""
    if settings.currency is None or "currency" not in KINDS[source.kind].options:
        return source
    return replace(source, options={"currency": settings.currency, **source.options})


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
            front = Front(webhooks, events, collect, None, health_app(None))
            yield Web(_edge(front, settings, ()), None, None, webhooks)
            return
        client = worker_client(store_url(settings))
        stack.push_async_callback(client.aclose)
        draw = partial(rendering.partial, language=language_of(settings.locale))
        hub = Hub(draw)
        feed, pages, api = _boards(settings, client, keys, tuple(heard), hub, clock)
        told = SourceFeed(Hub(draw), feed, Reader(client), keys, kpi_queries(client, settings),
                          source_infos(settings), clock)
        trials = Trials(_doors(settings, heard), Reader(client), keys, clock, partial(note_trial, client, keys),
                        feed.board.wording)
        recogniser = Recogniser(Reader(client), keys, clock)
        await _run(stack, feed.run(), feed.beat(), feed.watch(), told.run(), told.beat(), recogniser.learn())
        noting, signing = Noting(partial(note_deed, client, keys)), _signing(settings, client, keys, stack)
        touch = Touching(Uses(client, keys, signing.sessions).note, clock)
        stack.push_async_callback(touch.finish)
        office = Office(pages, signing, Reader(client), keys, feed.board.wording, clock, boards_url(settings))
        dead = DeadPage(pages, Reader(client), keys, dead_letters(client, keys, heard, clock), feed.board.wording,
                        noting)
        entry = _entry_form(settings, client, keys, pages, clock, noting, stack)
        live = Live(feed, clock, rendering.build(), {VIEW: told.hub})
        screens = Screens(client, Reader(client), keys)
        await _run(stack, live.watch(touch.watching(recogniser.gone), screens.attend))
        kpi = KpiPage(pages, Reader(client), keys, kpi_queries(client, settings), feed.board.wording, clock)
        editor = BoardEditor(pages, feed, Reader(client), keys, kpi_queries(client, settings),
                             board_store(client, settings, clock), clock)
        scripts, changing = Scripts(client, keys), Changing(client, keys)
        room = AlertRoom(pages, feed, Reader(client), keys, kpi_queries(client, settings),
                         AlertStore(Reader(client), scripts, keys), signing.people, noting, clock, settings.rules)
        rooms = Rooms(pages, api, kpi, live, dead, entry,
                      SourcesPage(pages, told, trials, kinds_left(settings), noting), Phone(settings.site, pages),
                      WallPage(pages, feed, Screen(settings.wall_inches, settings.wall_metres), settings.wall_night,
                               screens, clock),
                      editor, Desk(pages, feed, settings.catalogue.kpis, told.infos),
                      SignIn(pages, signing, clock, feed.board.wording), PeoplePage(office, noting),
                      ProfilePage(office, noting),
                      TokensPage(office, Tokens(client, Reader(client), keys)),
                      AuditPage(office, SiteCalendar(settings.timezone, settings.day_start_ms)),
                      PairPage(pages, screens, feed.board.wording, clock,
                               boards_url(settings) or named_url(settings)),
                      ScreensPage(office, feed, screens, partial(live.look, recogniser.gone, screens.attend)),
                      AlertsPage(room), RulesPage(room, changing, scripts), SilencesPage(room, changing, scripts),
                      _link_page(settings, client, keys, pages, clock),
                      ReceiversPage(office, client, settings.timezone.key))
        doors = board_doors(rooms)
        app = board_app(doors, pages, recogniser, names(settings), check_of(changing, clock), touch)
        front = Front(webhooks, events, collect, app, health_app(pages))
        yield Web(_edge(front, settings, doors), hub, feed, webhooks, told.hub, doors)


async def run_web(settings: Settings, *, boards: bool, ingest: bool) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises OpsmonError when the port cannot be had."""
    await refuse_newer_store(settings)
    sockets = listen(settings.host, settings.port, boards=boards, public=settings.public_side if ingest else None)
    bounds = Bounds(most_each=settings.connections_each)
    excepted = Networks((*LOOPBACK, *read_networks(settings.trusted_proxies)))
    async with open_web(settings, boards=boards, ingest=ingest) as web:
        await serve(web.app, sockets, web.drain, bounds, excepted.hold).serve(sockets)


def _edge(front: ASGIApp, settings: Settings, doors: Sequence[BoardDoor]) -> Edge:
    """Everything behind what is settled first."""
    port = settings.public_side[1] if settings.public_side else None
    return Edge(front, Networks(read_networks(settings.trusted_proxies)), port, doors, PUBLIC_PATHS)


def names(settings: Settings) -> set[str]:
    """Under which names this machine's boards answer, beside addresses and localhost."""
    machine = socket.gethostname().lower()
    public = urlsplit(settings.public_url).hostname
    return {*settings.hosts, machine, f"{machine.partition('.')[0]}.local", *([public] if public else [])}


async def refuse_newer_store(settings: Settings) -> None:
    """Raises NewerStore before anything is written; a store that is away does so later, or is none."""
    client = ingest_client(store_url(settings))
    try:
        await read_meta(Reader(client), Keys(settings.site))
    except NewerStore:
        raise
    except STORE_ERRORS:
        pass
    finally:
        await client.aclose()


async def run_worker(settings: Settings, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Work until `stop` is set and the batch in hand is done; beside it look at the rules, if no other worker does."""
    client, clock = worker_client(store_url(settings)), clock or SystemClock()
    looking = asyncio.create_task(evaluator(settings, client, clock).run(stop))
    try:
        await Worker(client, settings, clock).run(stop)
        await looking
    finally:
        await _ended(looking)
        await client.aclose()


def evaluator(settings: Settings, client: Redis, clock: Clock) -> Evaluator:
    """What looks at the rules of a site. Its number tells it from others of this machine."""
    who = f"{settings.worker_name}:{os.getpid()}:{next(_evaluators)}"
    return Evaluator(client, Keys(settings.site), kpi_queries(client, settings), tuple(sources(settings)), who, clock,
                     settings.rules)


async def run_notify(settings: Settings, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Tell people until `stop` is set and what is on its way has arrived. Raises NewerStore."""
    await refuse_newer_store(settings)
    client = worker_client(store_url(settings))
    try:
        await _patiently(lambda: link_secret(client, Keys(settings.site)), stop)
        if not stop.is_set():
            await (await notifier(settings, client, clock or SystemClock())).run(stop)
    finally:
        await client.aclose()


async def _patiently(ask: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Ask each second until the store answers."""
    while not stop.is_set():
        try:
            await ask()
            return
        except STORE_ERRORS:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)


async def notifier(settings: Settings, client: Redis, clock: Clock, channels: Mapping[str, Channel] | None = None
                   ) -> Notifier:
    """What tells people of a site's alerts, by `channels` or by those there are."""
    keys, who = Keys(settings.site), f"{settings.worker_name}:{os.getpid()}:{id(client)}"
    words = notice_words(settings, await link_secret(client, keys))
    return Notifier(client, keys, channels or channels_of(settings), words.message, who, clock)


def channels_of(settings: Settings) -> dict[str, Channel]:
    """The ways of telling people, by the kind of a receiver."""
    server = server_of(settings.smtp_url) if settings.smtp_url else None
    return {"email": EmailNotifier(server, settings.mail_from),
            "webhook": WebhookNotifier(Egress(settings.notify_networks)), "apprise": AppriseNotifier()}


def notice_words(settings: Settings, secret: bytes) -> NoticeWords:
    """What puts notices into words."""
    return NoticeWords(wording_of(settings), settings.catalogue, settings.currency or "",
                       settings.public_url or named_url(settings) or local_url(settings), secret)


async def run_poll(settings: Settings, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Ask what is to be asked until `stop` is set. Raises NewerStore."""
    await refuse_newer_store(settings)
    client, keys = worker_client(store_url(settings)), Keys(settings.site)
    who = f"{settings.worker_name}:{os.getpid()}"
    try:
        await Polling(pollers(settings, client), client, keys, clock or SystemClock(), who).run(stop)
    finally:
        await client.aclose()


def pollers(settings: Settings, client: Redis) -> list[Poller]:
    """Everything that is to be asked."""
    found: list[Poller] = []
    keys = Keys(settings.site)
    if settings.shopify_shop and settings.shopify_token:
        admin = ShopifyAdmin(settings.shopify_shop, settings.shopify_token)
        found.append(ShopifyOrders(admin, client, keys, Scripts(client, keys), settings.site, settings.poll_every_ms))
        if settings.public_url:
            # One client each: they may ask at the same time.
            admin = ShopifyAdmin(settings.shopify_shop, settings.shopify_token)
            found.append(WebhookCheck(admin, f"{settings.public_url}/webhooks/shopify"))
    adapters = sources(settings)
    for source in settings.sources:
        made = (odoo.make_poller(source, adapters[source.name], client, keys, Scripts(client, keys))
                if source.kind == "odoo" else None)
        found += [made] if made else []
    return found


async def on_store(settings: Settings, act: Callable[[Redis], Awaitable[T]]) -> T:
    """Do something on the site's store. Raises OpsmonError when it cannot be reached or is a newer opsmon's."""
    client = worker_client(store_url(settings))
    try:
        await read_meta(Reader(client), Keys(settings.site))
        return await act(client)
    except NewerStore:
        raise
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
    spool = Spool(DataDir(settings.data).path / "spool" / settings.site, appender, clock,
                  partial(note_spool, client, keys, settings.worker_name))
    stack.push_async_callback(spool.close)
    webhooks = Webhooks(heard, appender, clock, spool)
    events = Ingest(JsonEvents(settings.site, heard), ingest_tokens(settings), appender, clock,
                    refused=webhooks.refused)
    stack.push_async_callback(flush_once, client, keys, webhooks.refused, clock)
    await _run(stack, flush_refusals(client, keys, webhooks.refused, clock), spool.run())
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


def board_store(client: Redis, settings: Settings, clock: Clock) -> BoardStore:
    """What saves the site's boards."""
    keys = Keys(settings.site)
    return BoardStore(Reader(client), Scripts(client, keys), keys, clock)


def dead_letters(client: Redis, keys: Keys, heard: Mapping[str, Source], clock: Clock) -> DeadLetters:
    """What takes dead letters back; each is read again by its source."""
    return DeadLetters(client, keys, partial(read_again, heard), clock)


def _boards(settings: Settings, client: Redis, keys: Keys, heard: tuple[str, ...], hub: Hub, clock: Clock
            ) -> tuple[Feed, Pages, KpiApi]:
    reader, kpis = Reader(client), kpi_queries(client, settings)
    board = Board(wording_of(settings), settings.timezone.key, webhook_url(settings),
                  bool(settings.shopify_secrets), heard, settings.rules)
    feed = Feed(hub, reader, keys, kpis, Scripts(client, keys), board, clock)
    return (feed, Pages(feed, reader, keys, kpis, clock, DataDir(settings.data).fsync()),
            KpiApi(reader, keys, kpis, clock))


def _entry_form(settings: Settings, client: Redis, keys: Keys, pages: Pages, clock: Clock, noting: Noting,
                stack: AsyncExitStack) -> EntryForm:
    calendar = SiteCalendar(settings.timezone, settings.day_start_ms)
    writing = ingest_client(store_url(settings))
    stack.push_async_callback(writing.aclose)
    return EntryForm(pages, ManualEntries(settings.site, calendar, settings.kept.entities_ms),
                     Appender(Scripts(writing, keys), clock), (Reader(client), keys),
                     calendar, wording_of(settings), settings.currency, clock, noting)


def _link_page(settings: Settings, client: Redis, keys: Keys, pages: Pages, clock: Clock) -> LinkPage:
    async def words() -> NoticeWords:
        return notice_words(settings, await link_secret(client, keys))

    reader = Reader(client)
    return LinkPage(pages, AlertStore(reader, Scripts(client, keys), keys), reader, keys, Changing(client, keys), words,
                    clock)


def _signing(settings: Settings, client: Redis, keys: Keys, stack: AsyncExitStack) -> Signing:
    passwords, data = Passwords(), DataDir(settings.data)
    stack.callback(passwords.close)
    return Signing(People(client, Reader(client), keys),
                   Sessions(client, keys, settings.session_idle_ms, settings.session_life_ms),
                   Changing(client, keys), passwords, data.first_secret, data.use_first_secret)


def source_infos(settings: Settings) -> list[SourceInfo]:
    """Every place on the page of the sources: those declared, and the doors of opsmon's own."""
    wording = wording_of(settings)
    infos = [_info(settings, source, wording) for source in declared_sources(settings).values()]
    base, hint = _address(settings, wording)
    url = f"{base}/ingest/events"
    events = SourceInfo("events", "", url, hint, steps_of(EVENT_STEPS, "events", url, wording), testable=True)
    doors = (("import", IMPORT_STEPS, ""), ("pixel", PIXEL_STEPS, base), ("floor", FLOOR_STEPS, local_url(settings)),
             ("recon", (), ""))
    return [*infos, events,
            *(SourceInfo(name, steps=steps_of(steps, name, url, wording)) for name, steps, url in doors)]


def kinds_left(settings: Settings) -> list[KindView]:
    """The kinds of which the site has no source, and how one is connected."""
    wording = wording_of(settings)
    base, _ = _address(settings, wording)
    had = {source.kind for source in declared_sources(settings).values()}
    return [KindView(kind, title(kind, wording), steps_of(_steps(kind), kind, f"{base}/webhooks/{kind}", wording))
            for kind in KINDS if kind not in had]


def _info(settings: Settings, source: SourceSettings, wording: Wording) -> SourceInfo:
    base, hint = _address(settings, wording)
    url = f"{base}/webhooks/{source.name}"
    return SourceInfo(source.name, source.kind, url, hint,
                      steps_of(_steps(source.kind), source.name, url, wording),
                      has_probe(source), KINDS[source.kind](source, settings.site).is_patient)


def _steps(kind: str) -> tuple[str, ...]:
    return tuple(getattr(KINDS[kind], "steps", ())) or UNKNOWN_STEPS


def _address(settings: Settings, wording: Wording) -> tuple[str, str]:
    """Where this machine is reached from outside, and what is to be done while that is not known."""
    base = local_url(settings)
    return (settings.public_url, "") if settings.public_url else (base, wording.say(NOT_PUBLIC, base=base))


def _doors(settings: Settings, heard: Mapping[str, Source]) -> dict[str, Door]:
    base = settings.public_url or local_url(settings)
    doors = {name: Door(name, f"{base}/webhooks/{name}", partial(probe, source), heard[name])
             for name, source in declared_sources(settings).items() if has_probe(source)}
    tokens = ingest_tokens(settings)
    return doors | {"events": Door("events", f"{base}/ingest/events", partial(event_probe, tokens))}


def wording_of(settings: Settings) -> Wording:
    """How the site speaks and writes."""
    return Wording(settings.locale, SiteCalendar(settings.timezone, settings.day_start_ms))


def webhook_url(settings: Settings) -> str:
    """Where Shopify's webhooks go, as this machine sees it."""
    return f"{local_url(settings)}/webhooks/shopify"


def boards_url(settings: Settings) -> str:
    """Where people reach the boards, '' when only they know: with a port for the internet the public URL leads to that,
    and it has none."""
    return settings.public_url if settings.public_port is None else ""


def named_url(settings: Settings) -> str:
    """Where the boards are beside a port for the internet, by the first of their names that is not the public one; ''
    without such a name."""
    public = urlsplit(settings.public_url).hostname
    name = next((name for name in sorted(settings.hosts) if name != public), "")
    return f"http://{name}:{settings.port}" if name and settings.public_port is not None else ""


def local_url(settings: Settings) -> str:
    """Where deliveries go, as this machine sees it."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared only
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


async def _run(stack: AsyncExitStack, *loops: object) -> None:
    for loop in loops:
        task: asyncio.Task[None] = asyncio.create_task(loop)  # type: ignore[arg-type]
        stack.push_async_callback(_ended, task)


async def _ended(task: "asyncio.Task[None]") -> None:
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
