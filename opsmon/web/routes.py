"""Table of contents: every URL in one place."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from opsmon.core.access import Who
from opsmon.core.errors import NewerStore
from opsmon.store.connection import STORE_ERRORS
from opsmon.web import rendering
from opsmon.web.accounts.audit_page import AuditPage
from opsmon.web.accounts.pair_page import PairPage
from opsmon.web.accounts.people_page import PeoplePage
from opsmon.web.accounts.profile_page import ProfilePage
from opsmon.web.accounts.screens import ScreensPage
from opsmon.web.accounts.signing_in import SignIn
from opsmon.web.accounts.tokens_page import TokensPage
from opsmon.web.alerts.alerts_api import AlertsApi
from opsmon.web.alerts.alerts_page import AlertsPage
from opsmon.web.alerts.calendar_page import CalendarPage
from opsmon.web.alerts.quality_page import QualityPage
from opsmon.web.alerts.rules_api import RulesApi
from opsmon.web.alerts.rules_page import RulesPage
from opsmon.web.alerts.silences_page import SilencesPage
from opsmon.web.assets import HashedFiles
from opsmon.web.board_editor import BOARD_BYTES, BoardEditor
from opsmon.web.bodies import answer
from opsmon.web.collect import PATH as COLLECT
from opsmon.web.collect import SCRIPTS, Collect
from opsmon.web.dead_page import LETTER_BYTES, DeadPage
from opsmon.web.desk import Desk
from opsmon.web.doors import Check, Door, Guard, route_of
from opsmon.web.entry_form import ENTRY_BYTES, EntryForm
from opsmon.web.hosts import KnownHosts
from opsmon.web.identity import Accounts, Identity
from opsmon.web.ingest import Ingest
from opsmon.web.kpi_api import KpiApi
from opsmon.web.kpi_page import KpiPage
from opsmon.web.languages import N_
from opsmon.web.live import Live
from opsmon.web.openapi import document
from opsmon.web.pages import Pages
from opsmon.web.phone import Phone
from opsmon.web.refusing import Refusal
from opsmon.web.sealing import Sealed
from opsmon.web.security import SameOrigin, SecurityHeaders
from opsmon.web.sources_page import SourcesPage
from opsmon.web.telling.link_page import LINK_BYTES, LinkPage
from opsmon.web.telling.receivers_page import ReceiversPage
from opsmon.web.wall_page import WallPage
from opsmon.web.webhooks import Webhooks

# For anyone: the sign-in page is made of these too, and they hold nothing of the site's.
_ZIP = [Middleware(GZipMiddleware, minimum_size=500)]
# On the port for the internet, beside webhooks, events and doors that say so.
PUBLIC_PATHS = frozenset({COLLECT, *SCRIPTS, "/livez"})
_NEWER = N_("The store was written by a newer opsmon than this one. Whoever runs it can install that version again.")
_UNTOLD = N_("This could not be shown. See the log.")
_SENTENCES = {
    404: N_("There is no such page. The board is at / and the wall at /wall."),
    405: N_("This address is not asked that way."),
    503: N_("The store cannot be reached. This page tries again by itself."),
}


@dataclass(frozen=True, slots=True)
class Rooms:
    """What is behind the URLs of a browser."""

    pages: Pages
    api: KpiApi
    kpi: KpiPage
    live: Live
    dead: DeadPage
    entry: EntryForm
    sources: SourcesPage
    phone: Phone
    wall: WallPage
    boards: BoardEditor
    desk: Desk
    sign_in: SignIn
    people: PeoplePage
    profile: ProfilePage
    tokens: TokensPage
    audit: AuditPage
    pair: PairPage
    screens: ScreensPage
    alerts: AlertsPage
    rules: RulesPage
    quality: QualityPage
    silences: SilencesPage
    calendar: CalendarPage
    alert_link: LinkPage
    receivers: ReceiversPage
    alerts_api: AlertsApi
    rules_api: RulesApi


def board_doors(rooms: Rooms) -> list[Door]:
    """What a browser asks for, and who may: every URL with its audience."""
    pages, dead = rooms.pages, rooms.dead

    async def told(request: Request) -> Response:
        """GET /api/openapi.json: what programs may ask."""
        return JSONResponse(document(doors))

    doors = [
        Door("/", pages.board, "readers", zipped=True),
        Door("/boards", rooms.boards.list, "managers", zipped=True),
        Door("/boards", rooms.boards.act, "managers", ("POST",)),
        Door("/boards/import", rooms.boards.take, "managers", ("POST",), most_bytes=BOARD_BYTES),
        Door("/b/{board}.json", rooms.boards.give, "managers"),
        Door("/b/{board}/edit", rooms.boards.show, "managers", zipped=True),
        Door("/b/{board}/edit", rooms.boards.edit, "managers", ("POST",)),
        Door("/b/{board}/add", rooms.boards.gallery, "managers", zipped=True),
        Door("/b/{board}", pages.board, "readers", zipped=True),
        Door("/wall", rooms.wall.show, "screens", zipped=True),
        Door("/wall/{board}", rooms.wall.show, "screens", zipped=True),
        Door("/live", rooms.live, "screens"),
        Door("/sources", rooms.sources.show, "managers", zipped=True),
        Door("/sources/{name}/test", rooms.sources.test, "admins", ("POST",)),
        Door("/status", pages.status, "managers", zipped=True),
        Door("/status.json", pages.status_json, "managers"),
        Door("/dead-letters", dead.list, "admins", zipped=True),
        Door("/dead-letters", dead.act, "admins", ("POST",)),
        Door("/dead-letters/{id}", dead.one, "admins", zipped=True),
        Door("/dead-letters/{id}", dead.act_on_one, "admins", ("POST",), most_bytes=LETTER_BYTES),
        Door("/enter", rooms.entry.answer, "floor", ("GET", "POST"), zipped=True, most_bytes=ENTRY_BYTES),
        Door("/search", rooms.desk.search, "readers", zipped=True),
        Door("/keys", rooms.desk.keys, "readers", zipped=True),
        Door("/components", pages.components, "readers", zipped=True),
        Door("/kpi/{id}.csv", rooms.kpi.csv, "readers", zipped=True),
        Door("/kpi/{id}", rooms.kpi.show, "readers", zipped=True),
        Door("/api/kpis", rooms.api.all, "numbers"),
        Door("/api/kpis/{id}", rooms.api.one, "numbers"),
        Door("/api/kpis/{id}/explain", rooms.api.explain, "numbers"),
        Door("/api/alerts", rooms.alerts_api.open, "numbers", zipped=True),
        Door("/api/rules", rooms.rules_api.all, "rules", zipped=True),
        Door("/api/rules/{rule}", rooms.rules_api.one, "rules"),
        Door("/api/rules/{rule}", rooms.rules_api.put, "rules", ("PUT",)),
        Door("/api/rules/{rule}", rooms.rules_api.delete, "rules", ("DELETE",)),
        Door("/api/openapi.json", told, "numbers", zipped=True),
        Door("/metrics", pages.metrics, "metrics"),
        Door("/login", rooms.sign_in.login, "anyone", ("GET", "POST"), zipped=True),
        Door("/logout", rooms.sign_in.logout, "anyone", ("POST",)),
        Door("/welcome/{secret}", rooms.sign_in.welcome, "anyone", ("GET", "POST"), zipped=True),
        Door("/invite/{secret}", rooms.sign_in.accept, "anyone", ("GET", "POST"), zipped=True),
        Door("/people", rooms.people.show, "admins", zipped=True),
        Door("/people", rooms.people.invite, "admins", ("POST",)),
        Door("/people/{id}", rooms.people.act, "admins", ("POST",)),
        Door("/profile", rooms.profile.show, "readers", zipped=True),
        Door("/profile", rooms.profile.act, "readers", ("POST",)),
        Door("/tokens", rooms.tokens.show, "admins", zipped=True),
        Door("/tokens", rooms.tokens.act, "admins", ("POST",)),
        Door("/audit", rooms.audit.show, "admins", zipped=True),
        Door("/audit.csv", rooms.audit.csv, "admins", zipped=True),
        Door("/pair", rooms.pair.show, "anyone", zipped=True, is_public=True),
        Door("/a/{token}", rooms.alert_link.answer, "anyone", ("GET", "POST"), zipped=True, is_public=True,
             most_bytes=LINK_BYTES),
        Door("/receivers", rooms.receivers.show, "admins", zipped=True),
        Door("/receivers", rooms.receivers.act, "admins", ("POST",)),
        Door("/screens", rooms.screens.list, "managers", zipped=True),
        Door("/screens", rooms.screens.act, "managers", ("POST",)),
        Door("/screens/pair", rooms.screens.pair, "managers", ("GET", "POST"), zipped=True),
        Door("/alerts", rooms.alerts.all, "readers", zipped=True),
        Door("/alerts.csv", rooms.alerts.csv, "readers", zipped=True),
        Door("/alerts.ndjson", rooms.alerts.ndjson, "readers", zipped=True),
        Door("/alerts/quality", rooms.quality.show, "managers", zipped=True),
        Door("/alerts/quality", rooms.quality.act, "managers", ("POST",)),
        Door("/alerts/{fingerprint}", rooms.alerts.one, "readers", zipped=True),
        Door("/alerts/{fingerprint}", rooms.alerts.act, "floor", ("POST",)),
        Door("/rules", rooms.rules.all, "managers", zipped=True),
        Door("/rules", rooms.rules.act, "managers", ("POST",)),
        Door("/rules/{rule}", rooms.rules.one, "managers", zipped=True),
        Door("/silences", rooms.silences.show, "managers", zipped=True),
        Door("/silences", rooms.silences.act, "managers", ("POST",)),
        Door("/calendar", rooms.calendar.show, "managers", zipped=True),
        Door("/calendar", rooms.calendar.act, "managers", ("POST",)),
        Door("/manifest.webmanifest", rooms.phone.manifest, "anyone", zipped=True),
        Door("/sw.js", rooms.phone.worker, "anyone", zipped=True),
        Door("/offline", rooms.phone.offline, "anyone", zipped=True),
    ]
    return doors


def board_app(doors: Sequence[Door], pages: Pages, accounts: Accounts, names: Collection[str], check: Check,
              touch: Callable[[Who], None]) -> ASGIApp:
    """The boards: known by `names`, each door for its audience, and changed by their own pages only, after `check`."""

    async def explain(request: Request, error: Exception) -> Response:
        code = 503 if isinstance(error, STORE_ERRORS) else getattr(error, "status_code", 500)
        response = await pages.error(request, code, _sentence(code, error))
        response.headers.update(getattr(error, "headers", None) or {})  # 405: Allow
        return response

    explained: tuple[int | type[Exception], ...] = (404, 405, 500, HTTPException, *STORE_ERRORS)
    refusal = Refusal(pages)
    routes: list[BaseRoute] = [route_of(door, refusal.of(door.audience), check) for door in doors]
    routes.append(Mount(f"/static/{rendering.build()}", HashedFiles(), middleware=_ZIP))
    app = Starlette(routes=routes, exception_handlers=dict.fromkeys(explained, explain))
    past = PastRouting({door.path: Guard(door.answer, door, refusal.of(door.audience), check)
                        for door in doors if door.path == "/live"}, app)
    return SecurityHeaders(Identity(KnownHosts(SameOrigin(Sealed(past)), names, pages.wording), accounts, touch))


class PastRouting:
    """Leads to a stream directly. Each layer that waits while a screen is open costs half a kilobyte of it, and
    Starlette has nine."""

    def __init__(self, streams: Mapping[str, ASGIApp], app: ASGIApp) -> None:
        self._streams, self._app = streams, app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        found = self._streams.get(scope["path"]) if scope["type"] == "http" else None
        return (found or self._app)(scope, receive, send)


def _sentence(code: int, error: Exception) -> str:
    """What a page says that could not be shown: ours, or that of whoever refused it."""
    if isinstance(error, NewerStore):
        return _NEWER
    said = getattr(error, "detail", _UNTOLD)
    if code in _SENTENCES and said in ("", HTTPStatus(code).phrase, _UNTOLD):
        return _SENTENCES[code]
    # A Said stays one: its page says it in the site's language.
    return said if isinstance(said, str) else str(said)


class Front:
    """One listener for all: webhooks first and with nothing between, then events, what pages say, the boards."""

    def __init__(self, webhooks: Webhooks | None, ingest: Ingest | None, collect: Collect | None,
                 boards: ASGIApp | None, health: ASGIApp) -> None:
        self._webhooks, self._ingest, self._collect = webhooks, ingest, collect
        self._boards, self._health = boards, health

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # A stream is awaited as it is: no frame of ours between it and the server.
        if scope["type"] == "http" and scope["path"] == "/live" and self._boards is not None:
            return self._boards(scope, receive, send)
        return self._lead(scope, receive, send)

    async def _lead(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path.startswith("/webhooks/") and self._webhooks is not None:
            await self._webhooks(scope, receive, send)
        elif path.startswith("/ingest/") and self._ingest is not None and self._webhooks is not None:
            # Sources by their names; events of opsmon's own shape, and whatever is not known, have a door apart.
            await (self._webhooks if self._webhooks.knows(path) else self._ingest)(scope, receive, send)
        elif self._collect is not None and self._collect.knows(path):
            await self._collect(scope, receive, send)
        elif path in ("/livez", "/readyz") or self._boards is None:
            await self._health(scope, receive, send)
        elif path.startswith(("/webhooks/", "/ingest/")):
            await answer(send, 404, "This process shows boards. Webhooks and events go to `opsmon ingest`.\n")
        else:
            await self._boards(scope, receive, send)


def health_app(pages: Pages | None) -> ASGIApp:
    """/livez and /readyz, for whoever supervises the process."""

    async def livez(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    readyz = pages.readyz if pages is not None else livez
    return SecurityHeaders(Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz)]))
