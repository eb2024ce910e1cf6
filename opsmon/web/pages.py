"""Pages and the read side: / and /wall, /status, /api/kpis, /metrics, /livez, /readyz."""

import asyncio
from contextlib import suppress
from typing import Any, Literal

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from opsmon.clock import Clock
from opsmon.core.kpis import BOARD
from opsmon.store import health_queries
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.fsync import FsyncTimes
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.telemetry import COUNTS, REGISTRY
from opsmon.web import rendering
from opsmon.web.feed import HEARTBEAT_S, Feed
from opsmon.web.samples import GALLERY
from opsmon.web.status import gather, status_view
from opsmon.web.views import ErrorView, PageView

BoardName = Literal["board", "wall"]
READY_WITHIN_S = 3.0
_AGAIN_S = "5"
_TITLES = {404: "Not found", 405: "Not this way", 503: "Not now"}
_THEMES: dict[str, Literal["dark", "light"]] = {"dark": "dark", "light": "light"}


class Pages:
    """Everything a browser or a program reads. Queries only: nothing here writes."""

    def __init__(self, feed: Feed, reader: Reader, keys: Keys, kpis: KpiQueries, clock: Clock,
                 fsync: FsyncTimes | None) -> None:
        self._feed, self._reader, self._keys, self._kpis, self._clock = feed, reader, keys, kpis, clock
        self._fsync = fsync

    async def board(self, request: Request) -> Response:
        """The board for phone and desk."""
        return await self._board(request, "board")

    async def wall(self, request: Request) -> Response:
        """The board for the wall."""
        return await self._board(request, "wall")

    async def status(self, request: Request) -> Response:
        """What came in, what waits, how the store does."""
        facts = await self._status()
        return HTMLResponse(rendering.page("status", page=self.view("Status", "board", request),
                                           status=status_view(facts, self._feed.board.wording)))

    async def status_json(self, request: Request) -> Response:
        """The same for programs."""
        return JSONResponse(await self._status())

    async def components(self, request: Request) -> Response:
        """Every component in every state."""
        return HTMLResponse(rendering.page("components", page=self.view("Components", "board", request),
                                           samples=GALLERY))

    async def metrics(self, request: Request) -> Response:
        """Prometheus text: this process's own, and the site's totals from the store."""
        with suppress(*STORE_ERRORS):  # what this process knows is worth most while the store is away
            for name, count in (await health_queries.totals(self._reader, self._keys)).items():
                source, _, outcome = name.partition(":")
                COUNTS.labels(source, outcome).set(count)
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    async def readyz(self, request: Request) -> Response:
        """The store answers and the board has been read; 503 while not, and while draining."""
        if self._feed.hub.draining or not self._feed.ready.is_set():
            return PlainTextResponse("not ready\n", 503)
        try:
            await self._reader.length(self._keys.changes)
        except STORE_ERRORS:
            return PlainTextResponse("the store cannot be reached\n", 503)
        return PlainTextResponse("ok\n")

    async def error(self, request: Request, code: int, sentence: str) -> Response:
        """A page for what cannot be shown, without insides; one that comes back by itself when that helps."""
        again = {"retry-after": _AGAIN_S, "refresh": _AGAIN_S} if code == 503 else {}
        if request.url.path.startswith("/api/") or request.url.path.endswith(".json"):
            return JSONResponse({"error": sentence}, code, again)
        error = ErrorView(str(code), _TITLES.get(code, "Something went wrong"), sentence)
        view = self.view(error.title, "board", request)
        return HTMLResponse(rendering.page("error", page=view, error=error), code, again)

    def view(self, title: str, board: BoardName, request: Request) -> PageView:
        """The shell of a page."""
        hub, wording = self._feed.hub, self._feed.board.wording
        build = rendering.build()
        return PageView(
            title=title, board=board,
            theme=_THEMES.get(request.query_params.get("theme", ""), "dark" if board == "wall" else "auto"),
            locale=wording.tag, zone=self._feed.board.zone, heartbeat_s=HEARTBEAT_S, revision=hub.id,
            build=build, live_url=f"/live?v={build}&view={board}&since={hub.id}", now_ms=self._clock.now_ms(),
        )

    async def _board(self, request: Request, board: BoardName) -> Response:
        async with asyncio.timeout(READY_WITHIN_S):  # its TimeoutError is told as a store that is away
            await self._feed.ready.wait()
        page = self.view("opsmon", board, request)
        etag = f'"{page.revision}.{page.build}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        slots = self._feed.hub.slots
        html = rendering.page(
            board, page=page, health=slots["health"].view, setup=slots["setup"].view,
            kpis=[slots[f"kpi-{kpi.id}"].view for kpi in BOARD],
            revs={slot_id: slot.revision for slot_id, slot in slots.items()},
        )
        return HTMLResponse(html, headers={"etag": etag, "cache-control": "no-cache"})

    async def _status(self) -> dict[str, Any]:
        board = self._feed.board
        return await gather(self._reader, self._keys, self._kpis, board.sources, self._feed.latency_ms(),
                            self._fsync, self._clock.now_ms())

