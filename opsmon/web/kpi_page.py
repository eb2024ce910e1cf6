"""/kpi/{id}: a number's history, and the number explained; /kpi/{id}.csv: the same data for a spreadsheet.

Plain pages, made when they are asked for; every view has an address. Queries only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from opsmon.clock import Clock
from opsmon.core.access import may
from opsmon.core.alerting.special_days import SpecialDays
from opsmon.core.asked import BadQuestion
from opsmon.core.calendar import MINUTE_MS
from opsmon.core.catalogue import Kpi
from opsmon.core.history import History, has_history
from opsmon.core.ranges import TooMuch
from opsmon.core.spans import Span, read_span
from opsmon.store import health_queries
from opsmon.store.alerts.odd_times import all_days
from opsmon.store.connection import Reader
from opsmon.store.explain_queries import explain
from opsmon.store.history_queries import history
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.web import rendering
from opsmon.web.alerts.calendar_page import marks_within
from opsmon.web.doors import WHO
from opsmon.web.history_csv import Cells, history_lines, present_lines, series_lines, written
from opsmon.web.kpi_api import newest_change
from opsmon.web.kpi_links import Here
from opsmon.web.kpi_words import NO_HISTORY, label_of, page_view
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.seeing import check_seen
from opsmon.web.span_words import SpanWords
from opsmon.web.tile_views import kpis_beside
from opsmon.web.views import ErrorView
from opsmon.web.wording import Wording

NOW = "now"
_SIMILAR = 5
_TOO_MUCH = N_("This number is kept by the hour only, and so long a span has too many of them: choose a shorter one.")


class KpiPage:
    """The pages of KPIs."""

    def __init__(self, pages: Pages, reader: Reader, keys: Keys, kpis: KpiQueries, wording: Wording, clock: Clock,
                 special: tuple[SpecialDays, ...] = ()) -> None:
        self._special = special
        self._pages, self._reader, self._keys, self._kpis, self._clock = pages, reader, keys, kpis, clock
        self._words = SpanWords(wording, kpis.calendar)

    async def show(self, request: Request) -> Response:
        """GET /kpi/{id}?span=&at=&step=&by=&row=."""
        kpi = self._kpi(request)
        if kpi is None:
            return self._unknown(request)
        # Time alone moves windows too, but not within a minute.
        minute = self._clock.now_ms() // MINUTE_MS
        etag = f'"{await newest_change(self._reader, self._keys)}.{minute}.{rendering.build()}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        html = await self._html(request, kpi)
        return HTMLResponse(html, headers={"etag": etag, "cache-control": "private, no-cache"})

    async def csv(self, request: Request) -> Response:
        """GET /kpi/{id}.csv, of the same stretch; `by` gives the rows apart; span=now gives what a tile shows."""
        kpi = self._kpi(request)
        if kpi is None:
            return PlainTextResponse(self._sentence(request.path_params["id"]) + "\n", 404)
        now_ms, query = self._clock.now_ms(), request.query_params
        if query.get("span") == NOW:
            stamp = self._kpis.calendar.wall(now_ms).strftime("%Y-%m-%dT%H%M")
            return _file(f"{kpi.id}-{stamp}.csv", await self._shown(kpi, now_ms))
        span = self._span(query, now_ms)
        found = await self._history(kpi, span, query, now_ms)
        if isinstance(found, History):
            by_rows = "by" in query and found.row is None
            lines: Iterable[Cells] = history_lines(found, kpi, self._kpis.calendar, by_rows=by_rows)
        elif has_history(kpi, self._kpis.catalogue.rollup(kpi.rollup)):
            raise HTTPException(400, found)
        else:
            lines = await self._shown(kpi, now_ms)
        return _file(f"{kpi.id}-{span.name}-{span.first.isoformat()}.csv", lines)

    async def _shown(self, kpi: Kpi, now_ms: int) -> Iterable[Cells]:
        """What the tile of a KPI shows: its rows, the windows of its chart, its percentiles, or its one number."""
        caught_up_ms = await self._caught_up_ms(now_ms)
        asked = [kpi, *kpis_beside(kpi, self._kpis.catalogue.kpis)]
        readings = await self._kpis.read(asked, now_ms, caught_up_ms)
        if readings[0].rows or not readings[0].series:
            return present_lines(readings, self._kpis.calendar)
        bounds = [(point.start_ms, point.end_ms) for point in readings[0].series]
        windows, site = await self._kpis.windows(kpi, bounds, now_ms, caught_up_ms)
        return series_lines(readings[0], windows, site)

    async def _html(self, request: Request, kpi: Kpi) -> str:
        now_ms, query = self._clock.now_ms(), request.query_params
        span, rollup = self._span(query, now_ms), self._kpis.catalogue.rollup(kpi.rollup)
        found = await self._history(kpi, span, query, now_ms)
        told = await explain(self._reader, self._keys, self._kpis, kpi, now_ms)
        (reading,) = await self._kpis.read([kpi], now_ms, told["fresh"]["caught_up_ms"])
        shown = found if isinstance(found, History) else None
        row = shown.row if shown else None
        label = label_of(kpi, rollup, row, self._words.wording)
        here = Here(kpi.id, label, span.name, query.get("at", ""), query.get("step", ""), row)
        view = page_view(reading, told, shown, rollup, self._words, here, now_ms, "" if shown else str(found))
        if shown is not None and view.history is not None:
            view = replace(view, history=replace(view.history, notes=(*view.history.notes, *await self._marks(shown))))
        return rendering.page("kpi", page=self._pages.view(here.label, "board", request), kpi=view,
                              kpi_id=kpi.id, can_rule=may(request.scope.get(WHO), "managers"))

    async def _marks(self, shown: History) -> tuple[str, ...]:
        """The campaigns and holidays of a span."""
        days = await all_days(self._reader, self._keys, self._special)
        starts, ends = min(one.start_ms for one in shown.spots), max(one.end_ms for one in shown.spots)
        return marks_within(days, starts, ends - 1, self._kpis.calendar, self._words.wording)

    async def _history(self, kpi: Kpi, span: Span, query: Mapping[str, str], now_ms: int) -> History | str:
        """The history, or why there is none."""
        if not has_history(kpi, self._kpis.catalogue.rollup(kpi.rollup)):
            return NO_HISTORY
        try:
            return await history(self._kpis, kpi, span, query, now_ms, await self._caught_up_ms(now_ms))
        except TooMuch:
            return _TOO_MUCH
        except BadQuestion as error:
            raise HTTPException(400, f"{error}.") from None

    def _span(self, query: Mapping[str, str], now_ms: int) -> Span:
        try:
            return read_span(query.get("span"), query.get("at"), self._kpis.calendar, now_ms)
        except BadQuestion as error:
            raise HTTPException(400, f"{error}.") from None

    def _kpi(self, request: Request) -> Kpi | None:
        found = self._kpis.catalogue.kpi_by_id.get(request.path_params["id"])
        if found is not None:
            check_seen(request.scope, found, self._kpis.catalogue)
        return found

    def _unknown(self, request: Request) -> Response:
        asked = request.path_params["id"]
        links = tuple((known, f"/kpi/{known}") for known in self._similar(asked))
        error = ErrorView("404", self._words.wording.say("No such number"), self._sentence(asked), links)
        return HTMLResponse(rendering.page("error", page=self._pages.view(error.title, "board", request), error=error),
                            404)

    def _sentence(self, asked: str) -> str:
        similar, say = self._similar(asked), self._words.wording.say
        said = say("There is no number %(name)s.", name=asked[:40])
        more = say("Similar: %(names)s.", names=", ".join(similar)) if similar else say("GET /api/kpis lists them all.")
        return f"{said} {more}"

    def _similar(self, asked: str) -> list[str]:
        """Ids that are spelt alike, then those that share a word."""
        known = list(self._kpis.catalogue.kpi_by_id)
        close = get_close_matches(asked[:60].lower(), known, n=_SIMILAR)
        parts = set(asked[:60].lower().split("-"))
        return list(dict.fromkeys([*close, *(one for one in known if parts & set(one.split("-")))]))[:_SIMILAR]

    async def _caught_up_ms(self, now_ms: int) -> int:
        return (await health_queries.backlog(self._reader, self._keys)).caught_up_ms(now_ms)


def _file(name: str, lines: Iterable[Cells]) -> Response:
    return Response(written(lines), media_type="text/csv; charset=utf-8; header=present", headers={
        "content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-cache"})
