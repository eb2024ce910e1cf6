"""Slots that are due -> their views: KPIs that several of them show are read once."""

from collections.abc import Iterable
from itertools import chain

from opsmon.core.filling import witnesses
from opsmon.core.health import Backlog
from opsmon.core.readings import Reading
from opsmon.store.kpi_queries import KpiQueries
from opsmon.web.planning import SlotPlan
from opsmon.web.slot_views import slot_view
from opsmon.web.tile_views import kpis_beside, unfilled_view
from opsmon.web.tile_words import filled_words
from opsmon.web.wording import Wording


class SlotReader:
    """Reads what slots show. It remembers which events were ever told of: that does not end."""

    def __init__(self, kpis: KpiQueries, wording: Wording, zone: str) -> None:
        self._kpis, self._wording, self._zone = kpis, wording, zone
        self._told: set[str] = set()

    async def views(self, due: list[SlotPlan], backlog: Backlog, now_ms: int, *, is_behind: bool
                    ) -> list[tuple[str, object]]:
        """A view for each; `is_behind`: events wait that these do not hold yet. Raises STORE_ERRORS."""
        catalogue = self._kpis.catalogue
        beside = {planned.slot_id: kpis_beside(planned.kpi, catalogue.kpis) for planned in due}
        asked = dict.fromkeys(chain((planned.kpi for planned in due), *beside.values()))
        readings = {reading.kpi: reading for reading in
                    await self._kpis.read(asked, now_ms, backlog.caught_up_ms(now_ms))}
        unfilled = await self._unfilled(readings.values(), now_ms)
        return [(planned.slot_id, self._view(
            planned, readings[planned.kpi], [readings[one] for one in beside[planned.slot_id]], is_behind=is_behind,
            # While events wait nobody knows.
            is_unfilled=planned.kpi.rollup in unfilled and not is_behind)) for planned in due]

    def _view(self, planned: SlotPlan, reading: Reading, beside: list[Reading], *, is_behind: bool,
              is_unfilled: bool) -> object:
        rollup = self._kpis.catalogue.rollup(reading.kpi.rollup)
        view = slot_view(reading, planned.options, self._wording, self._zone, is_behind=is_behind,
                         rollup=rollup, beside=beside)
        return unfilled_view(view, filled_words(rollup, self._wording)) if is_unfilled else view

    async def _unfilled(self, readings: Iterable[Reading], now_ms: int) -> set[str]:
        """The rollups of empty readings that never had anything to count: a zero there would look measured."""
        catalogue = self._kpis.catalogue
        empty = {reading.kpi.rollup for reading in readings if not reading.value}
        seen_by = {rollup: {one.id for one in witnesses(catalogue.rollup(rollup), catalogue)} for rollup in empty}
        asked = {rollup: ids for rollup, ids in seen_by.items() if ids and self._told.isdisjoint(ids)}
        if asked:
            ids = set[str]().union(*asked.values())
            self._told |= await self._kpis.told([catalogue.rollup(one) for one in ids], now_ms)
        return {rollup for rollup, ids in asked.items() if self._told.isdisjoint(ids)}
