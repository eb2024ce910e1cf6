"""Boards and doors: everything that answers over HTTP."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from secrets import token_hex

from redis.asyncio import Redis
from starlette.types import ASGIApp

from opsmon.app.loops import run_beside
from opsmon.app.site import (
    board_store,
    boards_url,
    dead_letters,
    history,
    ingest_tokens,
    kpi_queries,
    named_url,
    names,
    refuse_newer_store,
    sources,
    store_url,
    webhook_url,
)
from opsmon.app.sources import doors_of, kinds_left, source_infos
from opsmon.app.wording import notice_words, wording_of
from opsmon.clock import Clock, SystemClock
from opsmon.core.calendar import SiteCalendar
from opsmon.listening import listen
from opsmon.settings import Settings
from opsmon.sources.base import Source
from opsmon.sources.json_events import JsonEvents
from opsmon.sources.manual_entries import ManualEntries
from opsmon.sources.pixel import Pixel
from opsmon.store.accounts.audit import note_deed
from opsmon.store.accounts.changing import Changing
from opsmon.store.accounts.people import People
from opsmon.store.accounts.recognising import Recogniser
from opsmon.store.accounts.refused_logins import note_refused
from opsmon.store.accounts.screens import Screens
from opsmon.store.accounts.sessions import Sessions
from opsmon.store.accounts.tokens import Tokens
from opsmon.store.accounts.uses import Uses
from opsmon.store.alerts.alert_store import AlertStore
from opsmon.store.alerts.links import link_secret
from opsmon.store.alerts.outbox import Postbox
from opsmon.store.appender import Appender
from opsmon.store.connection import Reader, ingest_client, worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from opsmon.store.notes import note_spool
from opsmon.store.refusals import flush_once, flush_refusals
from opsmon.store.scripts import Scripts
from opsmon.store.source_notes import note_trial
from opsmon.store.spool import Spool
from opsmon.store.visits import Visits
from opsmon.web import rendering
from opsmon.web.accounts.audit_page import AuditPage
from opsmon.web.accounts.mailing import Post
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
from opsmon.web.alerts.alerts_api import AlertsApi
from opsmon.web.alerts.alerts_page import AlertRoom, AlertsPage
from opsmon.web.alerts.calendar_page import CalendarPage
from opsmon.web.alerts.quality_page import QualityPage
from opsmon.web.alerts.rules_api import RulesApi
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
from opsmon.web.source_feed import SourceFeed
from opsmon.web.sources_page import VIEW, SourcesPage
from opsmon.web.telling.link_page import LinkPage
from opsmon.web.telling.notice_words import NoticeWords
from opsmon.web.telling.receivers_page import ReceiversPage
from opsmon.web.trials import Trials
from opsmon.web.wall_page import WallPage
from opsmon.web.walls import Screen
from opsmon.web.webhooks import Webhooks


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
        trials = Trials(doors_of(settings, heard), Reader(client), keys, clock, partial(note_trial, client, keys),
                        feed.board.wording)
        recogniser = Recogniser(Reader(client), keys, clock)
        await run_beside(stack, feed.run(), feed.beat(), feed.watch(), told.run(), told.beat(), recogniser.learn())
        noting, signing = Noting(partial(note_deed, client, keys)), _signing(settings, client, keys, stack)
        touch = Touching(Uses(client, keys, signing.sessions).note, clock)
        stack.push_async_callback(touch.finish)
        office = Office(pages, signing, Reader(client), keys, feed.board.wording, clock, boards_url(settings),
                        _post(settings, clock))
        dead = DeadPage(pages, Reader(client), keys, dead_letters(client, keys, heard, clock), feed.board.wording,
                        noting)
        entry = _entry_form(settings, client, keys, pages, clock, noting, stack)
        live = Live(feed, clock, rendering.build(), {VIEW: told.hub})
        screens = Screens(client, Reader(client), keys)
        await run_beside(stack, live.watch(touch.watching(recogniser.gone), screens.attend))
        kpi = KpiPage(pages, Reader(client), keys, kpi_queries(client, settings), feed.board.wording, clock,
                      settings.special_days)
        editor = BoardEditor(pages, feed, Reader(client), keys, kpi_queries(client, settings),
                             board_store(client, settings, clock), clock)
        scripts, changing = Scripts(client, keys), Changing(client, keys)
        room = AlertRoom(pages, feed, Reader(client), keys, kpi_queries(client, settings),
                         AlertStore(Reader(client), scripts, keys), signing.people, noting, clock,
                         history(settings, client), settings.rules, settings.special_days)
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
                      AlertsPage(room), RulesPage(room, changing, scripts), QualityPage(room, changing, scripts),
                      SilencesPage(room, changing, scripts), CalendarPage(room, changing, scripts),
                      _link_page(settings, client, keys, pages, clock),
                      ReceiversPage(office, changing, Postbox(client, keys), settings.timezone.key), AlertsApi(room),
                      RulesApi(room, changing, scripts))
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
    await run_beside(stack, flush_refusals(client, keys, webhooks.refused, clock), spool.run())
    return webhooks, events, await _open_collect(settings, keys, clock, webhooks.refused, stack)


async def _open_collect(settings: Settings, keys: Keys, clock: Clock, refused: "Counter[str]",
                        stack: AsyncExitStack) -> Collect:
    """The door for pages, on a client of its own: however much comes here, webhooks have theirs."""
    client = ingest_client(store_url(settings))
    stack.push_async_callback(client.aclose)
    visits = Visits(client, keys, clock, settings.visits_memory_bytes, refused)
    stack.push_async_callback(visits.drain)
    await run_beside(stack, visits.run())
    pixel = Pixel(settings.site, settings.visits_memory_bytes, keeps_terms=settings.pixel_search_terms)
    return Collect(pixel, visits, Rates(settings.pixel_rate, settings.pixel_rate_each), settings.pixel_origins, clock,
                   refused=refused)


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
                    clock, settings.rules)


def _post(settings: Settings, clock: Clock) -> Post | None:
    """What mails links to people; None without a mail server."""
    if not (settings.smtp_url and settings.mail_from):
        return None
    from opsmon.app.mailing import post_of  # a process that mails nothing does not hold what mails

    return post_of(settings, clock)


def _signing(settings: Settings, client: Redis, keys: Keys, stack: AsyncExitStack) -> Signing:
    passwords, data = Passwords(), DataDir(settings.data)
    stack.callback(passwords.close)

    async def note(now_ms: int) -> None:
        await note_refused(client, keys, now_ms, token_hex(8))

    return Signing(People(client, Reader(client), keys),
                   Sessions(client, keys, settings.session_idle_ms, settings.session_life_ms),
                   Changing(client, keys), passwords, data.first_secret, data.use_first_secret, note)
