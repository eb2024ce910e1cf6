"""Table of contents: every URL in one place."""

from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from opsmon.store.connection import STORE_ERRORS
from opsmon.web import rendering
from opsmon.web.assets import HashedFiles
from opsmon.web.board_editor import BoardEditor
from opsmon.web.bodies import answer
from opsmon.web.collect import Collect
from opsmon.web.dead_page import DeadPage
from opsmon.web.desk import Desk
from opsmon.web.entry_form import EntryForm
from opsmon.web.ingest import Ingest
from opsmon.web.kpi_api import KpiApi
from opsmon.web.kpi_page import KpiPage
from opsmon.web.languages import N_
from opsmon.web.live import Live
from opsmon.web.pages import Pages
from opsmon.web.phone import Phone
from opsmon.web.security import LoopbackOnly, SameOrigin, SecurityHeaders
from opsmon.web.sources_page import SourcesPage
from opsmon.web.wall_page import WallPage
from opsmon.web.webhooks import Webhooks

_ZIP = [Middleware(GZipMiddleware, minimum_size=500)]
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


def board_routes(rooms: Rooms) -> list[BaseRoute]:
    """What a browser asks for."""
    return [
        Route("/", rooms.pages.board, middleware=_ZIP),
        Route("/boards", rooms.boards.list, middleware=_ZIP),
        Route("/boards", rooms.boards.act, methods=["POST"]),
        Route("/boards/import", rooms.boards.take, methods=["POST"]),
        Route("/b/{board}.json", rooms.boards.give),
        Route("/b/{board}/edit", rooms.boards.show, middleware=_ZIP),
        Route("/b/{board}/edit", rooms.boards.edit, methods=["POST"]),
        Route("/b/{board}/add", rooms.boards.gallery, middleware=_ZIP),
        Route("/b/{board}", rooms.pages.board, middleware=_ZIP),
        Route("/wall", rooms.wall.show, middleware=_ZIP),
        Route("/wall/{board}", rooms.wall.show, middleware=_ZIP),
        Route("/live", rooms.live),
        Route("/sources", rooms.sources.show, middleware=_ZIP),
        Route("/sources/{name}/test", rooms.sources.test, methods=["POST"]),
        Route("/status", rooms.pages.status, middleware=_ZIP),
        Route("/status.json", rooms.pages.status_json),
        Route("/dead-letters", rooms.dead.list, middleware=_ZIP),
        Route("/dead-letters", rooms.dead.act, methods=["POST"]),
        Route("/dead-letters/{id}", rooms.dead.one, middleware=_ZIP),
        Route("/dead-letters/{id}", rooms.dead.act_on_one, methods=["POST"]),
        Route("/enter", rooms.entry.answer, methods=["GET", "POST"], middleware=_ZIP),
        Route("/search", rooms.desk.search, middleware=_ZIP),
        Route("/keys", rooms.desk.keys, middleware=_ZIP),
        Route("/components", rooms.pages.components, middleware=_ZIP),
        Route("/kpi/{id}.csv", rooms.kpi.csv, middleware=_ZIP),
        Route("/kpi/{id}", rooms.kpi.show, middleware=_ZIP),
        Route("/api/kpis", rooms.api.all),
        Route("/api/kpis/{id}", rooms.api.one),
        Route("/api/kpis/{id}/explain", rooms.api.explain),
        Route("/manifest.webmanifest", rooms.phone.manifest, middleware=_ZIP),
        Route("/sw.js", rooms.phone.worker, middleware=_ZIP),
        Route("/offline", rooms.phone.offline, middleware=_ZIP),
        Route("/metrics", rooms.pages.metrics),
        Mount(f"/static/{rendering.build()}", HashedFiles(), middleware=_ZIP),
    ]


def board_app(rooms: Rooms) -> ASGIApp:
    """The boards: local until there are accounts, and changed by their own pages only."""

    async def explain(request: Request, error: Exception) -> Response:
        code = 503 if isinstance(error, STORE_ERRORS) else getattr(error, "status_code", 500)
        response = await rooms.pages.error(request, code, _sentence(code, error))
        response.headers.update(getattr(error, "headers", None) or {})  # 405: Allow
        return response

    explained: tuple[int | type[Exception], ...] = (404, 405, 500, HTTPException, *STORE_ERRORS)
    app = Starlette(routes=board_routes(rooms), exception_handlers=dict.fromkeys(explained, explain))
    return SecurityHeaders(LoopbackOnly(SameOrigin(PastRouting(rooms.live, app))))


class PastRouting:
    """Leads to the stream directly. Each layer that waits while a screen is open costs half a kilobyte of it, and
    Starlette has nine."""

    def __init__(self, live: ASGIApp, app: ASGIApp) -> None:
        self._live, self._app = live, app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        is_live = scope["type"] == "http" and scope["path"] == "/live"
        return (self._live if is_live else self._app)(scope, receive, send)


def _sentence(code: int, error: Exception) -> str:
    """What a page says that could not be shown: ours, or that of whoever refused it."""
    return _SENTENCES.get(code) or str(getattr(error, "detail", N_("This could not be shown. See the log.")))


class Front:
    """One listener for all: webhooks first and with nothing between, then events, what pages say, the boards."""

    def __init__(self, webhooks: Webhooks | None, ingest: Ingest | None, collect: Collect | None,
                 boards: ASGIApp | None, health: Starlette) -> None:
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


def health_app(pages: Pages | None) -> Starlette:
    """/livez and /readyz, for whoever supervises the process."""

    async def livez(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    readyz = pages.readyz if pages is not None else livez
    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz)])
