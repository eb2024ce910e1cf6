"""The numbers for programs: /api/kpis, /api/kpis/{id} and /api/kpis/{id}/explain. Queries only."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opsmon.clock import Clock
from opsmon.core.asked import Asked, BadQuestion, read_question
from opsmon.core.calendar import MINUTE_MS
from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.explaining import UNIQUE_ERROR
from opsmon.core.history import value_in
from opsmon.core.money import exponent
from opsmon.core.panes import OTHER
from opsmon.core.ranges import TooMuch, WindowReading
from opsmon.core.readings import Reading, Row, Site
from opsmon.store import health_queries
from opsmon.store.connection import Reader
from opsmon.store.explain_queries import explain
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.web.feed import revision_of
from opsmon.web.seeing import check_seen, is_seen, sees


class KpiApi:
    """Answers programs. Every answer is as of one instant and names its revision."""

    def __init__(self, reader: Reader, keys: Keys, kpis: KpiQueries, clock: Clock) -> None:
        self._reader, self._keys, self._kpis, self._clock = reader, keys, kpis, clock

    async def all(self, request: Request) -> Response:
        """GET /api/kpis?ids=a,b: these numbers, or all, as of one instant; money in minor units."""
        ids = [one for one in request.query_params.get("ids", "").split(",") if one]
        known = self._kpis.catalogue.kpi_by_id
        unknown = [one for one in ids if one not in known]
        if unknown:
            return _refused(404, f"No such number: {', '.join(unknown)[:200]}. GET /api/kpis lists them all.")
        for one in ids:
            check_seen(request.scope, known[one], self._kpis.catalogue)
        may_see = is_seen(sees(request.scope), self._kpis.catalogue)
        asked = [known[one] for one in ids] or [kpi for kpi in known.values() if may_see(kpi.id)]
        now_ms = self._clock.now_ms()
        readings = await self._kpis.read(asked, now_ms, await self._caught_up_ms(now_ms))
        return JSONResponse({
            "rev": await self._revision(),
            "as_of_ms": now_ms,
            "kpis": {reading.kpi.id: kpi_json(reading, self._kpis.catalogue.rollup(reading.kpi.rollup).measure)
                     for reading in readings},
        })

    async def one(self, request: Request) -> Response:
        """GET /api/kpis/{id}?from=&to=&step=&by=&row=: its history, window by window."""
        kpi = self._kpis.catalogue.kpi_by_id.get(request.path_params["id"])
        if kpi is None:
            return _unknown(request.path_params["id"])
        check_seen(request.scope, kpi, self._kpis.catalogue)
        # Time alone moves windows too, but not within a minute.
        etag = f'"{await self._revision()}.{self._clock.now_ms() // MINUTE_MS}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        try:
            found = await self._history(kpi, request.query_params)
        except (BadQuestion, TooMuch) as error:
            return _refused(400, f"{error}.")
        return JSONResponse(found, headers={"etag": etag, "cache-control": "private, no-cache"})

    async def explain(self, request: Request) -> Response:
        """GET /api/kpis/{id}/explain: what the number means, how fresh it is, and what it was last made of."""
        kpi = self._kpis.catalogue.kpi_by_id.get(request.path_params["id"])
        if kpi is None:
            return _unknown(request.path_params["id"])
        check_seen(request.scope, kpi, self._kpis.catalogue)
        return JSONResponse(await explain(self._reader, self._keys, self._kpis, kpi, self._clock.now_ms()))

    async def _history(self, kpi: Kpi, query: Mapping[str, str]) -> dict[str, Any]:
        now_ms, calendar, rollup = self._clock.now_ms(), self._kpis.calendar, self._kpis.catalogue.rollup(kpi.rollup)
        asked = read_question(kpi, rollup, query, calendar, now_ms, self._kpis.kept)
        if asked.row is not None and rollup.measure == "top":
            # The row may be any of those that are told apart, not only one of the best.
            kpi = replace(kpi, rows=rollup.cap + 1)
        caught_up_ms = await self._caught_up_ms(now_ms)
        readings, site = await self._kpis.windows(kpi, asked.bounds(calendar), now_ms, caught_up_ms)
        return {
            "id": kpi.id, "rev": await self._revision(), "as_of_ms": now_ms, "zone": calendar.zone.key,
            "from_ms": asked.from_ms, "to_ms": asked.to_ms, "step": asked.step, **_unit(kpi, site),
            "points": [_point(reading, asked, kpi, rollup) for reading in readings],
        }

    async def _revision(self) -> int:
        return await newest_change(self._reader, self._keys)

    async def _caught_up_ms(self, now_ms: int) -> int:
        return (await health_queries.backlog(self._reader, self._keys)).caught_up_ms(now_ms)


async def newest_change(reader: Reader, keys: Keys) -> int:
    """The revision of the newest change of any number; 0 before the first."""
    newest = await reader.newest(keys.changes)
    return revision_of(newest[0][0].decode()) if newest else 0


def kpi_json(reading: Reading, measure: str) -> dict[str, Any]:
    """One KPI for programs."""
    window = {"kind": reading.kpi.window.kind, "start_ms": reading.start_ms, "end_ms": reading.end_ms}
    found: dict[str, Any] = {
        "value": reading.value, "unit": reading.kpi.unit, "window": window, "complete": reading.complete,
    }
    if reading.kpi.unit == "money":
        found |= {"currency": reading.currency, "exponent": exponent(reading.currency or "EUR")}
    if reading.series:
        found["series"] = [{"start_ms": point.start_ms, "end_ms": point.end_ms, "value": point.value}
                           for point in reading.series]
    if reading.before is not None:
        found["before"] = {"value": reading.before, "until_ms": reading.before_until_ms}
    if reading.count is not None:
        found["sample"] = reading.count
    if reading.rows:
        found["rows"] = [_row(row) for row in reading.rows]
    if measure == "unique":
        found["error"] = UNIQUE_ERROR
    if reading.others:
        found["other_currencies"] = dict(reading.others)
    return found


def _point(reading: WindowReading, asked: Asked, kpi: Kpi, rollup: Rollup) -> dict[str, Any]:
    found: dict[str, Any] = {"start_ms": reading.start_ms, "end_ms": reading.end_ms, "complete": reading.complete}
    value, sample = value_in(reading, kpi, rollup, asked.row)
    found |= {"value": value, "sample": sample}
    return found | {"rows": [_row(row) for row in reading.rows]} if asked.by_rows else found


def _row(row: Row) -> dict[str, Any]:
    """One row; what is beyond the cap is `other`, whatever a row may be called."""
    found: dict[str, Any] = {"name": row.name, "value": row.value}
    if row.name == OTHER:
        found = {"name": "other", "value": row.value, "other": True}
    return found if row.sample is None else found | {"sample": row.sample}


def _unit(kpi: Kpi, site: Site) -> dict[str, Any]:
    if kpi.unit != "money":
        return {"unit": kpi.unit}
    return {"unit": kpi.unit, "currency": site.currency, "exponent": exponent(site.currency or "EUR")}


def _unknown(kpi_id: str) -> Response:
    return _refused(404, f"No such number: {kpi_id[:40]}. GET /api/kpis lists them all.")


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status)
