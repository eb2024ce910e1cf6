"""Pages and the read side: / and /b/{board}, /status, /api/kpis, /metrics, /livez, /readyz."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal
from urllib.parse import unquote_plus, urlencode

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from opsmon.clock import Clock
from opsmon.core.access import AUDIENCES, Who, may
from opsmon.core.boards import HOME, OVERVIEW, Board, linked
from opsmon.core.narrowing import Only
from opsmon.core.parts import ALERTS, PARTS
from opsmon.core.slots import Cadence, Size, Slot
from opsmon.store import health_queries
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.fsync import FsyncTimes
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.telemetry import COUNTS, REGISTRY
from opsmon.web import edit_samples, hub, rendering
from opsmon.web.doors import WHO
from opsmon.web.feed import HEARTBEAT_S, Feed, slots_of
from opsmon.web.filters import filter_words, filters_of
from opsmon.web.languages import ENGLISH, N_
from opsmon.web.planning import BAND_SLOT, COUNT_SLOT
from opsmon.web.samples import GALLERY
from opsmon.web.seeing import is_seen, marks, seen_board, sees
from opsmon.web.status import gather, status_view
from opsmon.web.views import CellView, ErrorView, LinkView, PageView, RowView
from opsmon.web.wording import Wording

Layout = Literal["board", "wall"]
CellSize = Literal["small", "normal", "hero", "wide"]
SIZES: dict[Size, CellSize] = {"S": "small", "M": "normal", "L": "hero", "wide": "wide"}
EVERY: dict[Cadence, tuple[str, str]] = {"live": ("", ""), "near": (N_("every 30 s"), N_("30 s")),
                                         "batch": (N_("hourly"), N_("1 h"))}
READY_WITHIN_S = 3.0
_AGAIN_S = "5"
_WALL_AGAIN_S = "30"
_TITLES = {404: N_("Not found"), 405: N_("Not this way"), 503: N_("Not now")}
_THEMES: dict[str, Literal["dark", "light"]] = {"dark": "dark", "light": "light"}


class Pages:
    """Everything a browser or a program reads. Queries only: nothing here writes."""

    def __init__(self, feed: Feed, reader: Reader, keys: Keys, kpis: KpiQueries, clock: Clock,
                 fsync: FsyncTimes | None) -> None:
        self._feed, self._reader, self._keys, self._kpis, self._clock = feed, reader, keys, kpis, clock
        self._fsync, self._wording = fsync, feed.board.wording

    @property
    def wording(self) -> Wording:
        """What speaks for the site."""
        return self._wording

    async def board(self, request: Request) -> Response:
        """A board for phone and desk; the overview when none is named."""
        board = self._feed.boards.get(request.path_params.get("board", OVERVIEW))
        if board is None:
            raise HTTPException(404)
        only = filters_of(request.query_params, self._feed.catalogue)
        catalogue = self._feed.catalogue
        narrow = seen_board(self._feed.narrow(board, only), is_seen(sees(request.scope), catalogue))
        page = await self.opened(slots_of(narrow, "board"), lambda: self._shell(board, only, request))
        return self.answer(request, page, rows=rows_of(narrow, only, self._feed.hub.slots, self._wording),
                           is_of_orders=board.is_of_orders, only=self.narrowed_to(only),
                           has_marks=has_marks(narrow, only), parts=part_sheets(narrow.slots),
                           count=self._feed.hub.slots[COUNT_SLOT].view)

    async def status(self, request: Request) -> Response:
        """What came in, what waits, how the store does."""
        facts = await self._status()
        return HTMLResponse(rendering.page("status", page=self.view(N_("Status"), "board", request),
                                           status=status_view(facts, self._wording)))

    async def status_json(self, request: Request) -> Response:
        """The same for programs."""
        return JSONResponse(await self._status())

    async def components(self, request: Request) -> Response:
        """Every component in every state."""
        # For those who work on opsmon, whose language it is written in; so are its samples.
        page = replace(self.view("Components", "board", request), language=ENGLISH, spoken=ENGLISH, direction="ltr")
        return HTMLResponse(rendering.page("components", page=page, samples=GALLERY, edits=edit_samples))

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
        if code == 404 and request.url.path.startswith("/wall"):
            again = {"refresh": _WALL_AGAIN_S}  # a board that was deleted by mistake comes back without a hand
        if request.url.path.startswith("/api/") or request.url.path.endswith(".json"):
            return JSONResponse({"error": sentence}, code, again)
        title, say = _TITLES.get(code, N_("Something went wrong")), self._wording.say
        error, view = ErrorView(str(code), say(title), say(sentence)), self.view(title, "board", request)
        return HTMLResponse(rendering.page("error", page=view, error=error), code, again)

    def view(self, title: str, layout: Layout, request: Request) -> PageView:
        """The shell of a page. `title` is English, or what people call something."""
        hub, wording, now_ms = self._feed.hub, self._wording, self._clock.now_ms()
        build = rendering.build()
        who: Who | None = request.scope.get(WHO)
        liked = who.theme if who is not None and layout == "board" else ""
        return PageView(
            title=wording.say(title), board=layout,
            theme=_THEMES.get(request.query_params.get("theme", "") or liked, "dark" if layout == "wall" else "auto"),
            locale=wording.tag, zone=self._feed.board.zone, heartbeat_s=HEARTBEAT_S, revision=hub.id,
            language=wording.language, spoken=wording.spoken, direction=wording.direction,
            build=build, live_url=f"/live?v={build}&view={layout}&since={hub.id}", now_ms=now_ms,
            who=who.name if who is not None and who.kind == "person" else "",
            clock=who.clock if who is not None else "", may=frozenset[str](one for one in AUDIENCES if may(who, one)),
            paper=f"{wording.date(now_ms)}, {wording.time(now_ms)}, {self._feed.board.zone}. {_address(request)}",
        )

    async def opened(self, slots: frozenset[str], shell: Callable[[], PageView]) -> PageView:
        """A page's shell, made when its slots are at hand. Raises STORE_ERRORS."""
        async with asyncio.timeout(READY_WITHIN_S):  # its TimeoutError is told as a store that is away
            await self._feed.open(slots)
        return shell()

    def answer(self, request: Request, page: PageView, **context: Any) -> Response:
        """A page with slots; nothing but its revision when that is what the browser has."""
        etag = f'"{page.revision}.{page.build}.{page.shape}.{marks(request.scope)}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        slots = self._feed.hub.slots
        html = rendering.page(
            page.board, page=page, health=slots["health"].view, setup=slots["setup"].view,
            band=slots[BAND_SLOT].view,
            revs={slot_id: slot.revision for slot_id, slot in slots.items()}, **context,
        )
        return HTMLResponse(html, headers={"etag": etag, "cache-control": "private, no-cache", "vary": "cookie"})

    def narrowed_to(self, only: Only) -> tuple[str, ...]:
        """What a page is narrowed to, in words."""
        return tuple(filter_words(field, value, self._feed.board.wording) for field, value in only)

    def _shell(self, board: Board, only: Only, request: Request) -> PageView:
        page = self.view(board.title, "board", request)
        shown = linked(self._feed.boards, board.id)
        links = [LinkView("/" if one.id == OVERVIEW else f"/b/{one.id}", self._wording.say(one.title),
                          one.id == board.id) for one in shown]
        if not self._feed.boards.keys() - {HOME} <= {one.id for one in shown}:
            way = "/boards" if "managers" in page.may else "/search"
            links.append(LinkView(way, self._wording.say("More"), is_here=False))
        asked = urlencode({"v": page.build, "view": "board", "board": board.id,
                           "since": page.revision, "shape": board.shape, **dict(only)})
        return replace(page, name=board.id, shape=board.shape, live_url=f"/live?{asked}", links=tuple(links))

    async def _status(self) -> dict[str, Any]:
        board = self._feed.board
        return await gather(self._reader, self._keys, self._kpis, board.sources, self._feed.latency_ms(),
                            self._fsync, self._clock.now_ms())


def rows_of(board: Board, only: Only, slots: Mapping[str, hub.Slot], wording: Wording) -> tuple[RowView, ...]:
    """What stands where on phone and desk."""
    placed = [(one.cadence, CellView(SIZES[one.slot.size], slots[one.id].view, slot_id=one.id,
                                     is_whole=is_whole(one.slot, only), is_still=is_still(one.slot)))
              for one in board.placed("board")]
    return tuple(RowView(kind, *every(kind, wording), tuple(cell for _, cell in cells))
                 for kind, cells in groupby(placed, key=itemgetter(0)))


def is_whole(slot: Slot, only: Only) -> bool:
    """Whether a page that is narrowed has to say that this tile is not."""
    return not is_still(slot) and not set(only) <= set(slot.options.only)


def is_still(slot: Slot) -> bool:
    """Whether nothing is read for a tile: then it has no age, and nothing to be narrowed."""
    return slot.kpi in PARTS and PARTS[slot.kpi].is_still


def part_sheets(slots: Iterable[Slot]) -> list[str]:
    """The sheets of the tiles without a number: each is loaded only where such a tile stands. That of alerts comes with
    what can wait (rest.css): any board may need the band's."""
    return sorted({f"tile-{PARTS[slot.kpi].name}" for slot in slots if slot.kpi in PARTS and slot.kpi != ALERTS})


def has_marks(board: Board, only: Only) -> bool:
    """Whether a page needs the sheet of filters and limits."""
    return bool(only) or not board.slots or any(slot.options.has_limits for slot in board.slots)


def _address(request: Request) -> str:
    """The page with its filters, as it can be typed again; '' where the address is a secret (threat: a link that is
    good once lies about on paper; HARDENING T25)."""
    if "secret" in request.path_params:
        return ""
    query = unquote_plus(request.url.query)
    return f"{request.url.path}?{query}" if query else request.url.path


def every(cadence: Cadence, wording: Wording) -> tuple[str, str]:
    """How often that is, and the same where there is little room; '' for what is live."""
    long, short = EVERY[cadence]
    return wording.say(long), wording.say(short)
