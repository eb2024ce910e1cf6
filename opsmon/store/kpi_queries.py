"""Query: the KPIs of a site, all as of one instant, in one round trip."""

from collections.abc import Iterable

from opsmon.core.calendar import SiteCalendar
from opsmon.core.folding import Hash
from opsmon.core.kpis import Kpi
from opsmon.core.readings import Panes, Plan, Reading, Site, plan, read
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.meta import Meta, meta_of


class KpiQueries:
    """Reads KPIs. Remembers which generation of panes counts, and asks again when it moved."""

    def __init__(self, reader: Reader, keys: Keys, calendar: SiteCalendar, currency: str | None,
                 grace_ms: int) -> None:
        self._reader, self._keys, self._calendar = reader, keys, calendar
        self._currency, self._grace_ms = currency, grace_ms
        self._generation = 0

    async def read(self, kpis: Iterable[Kpi], now_ms: int, caught_up_ms: int) -> list[Reading]:
        """Read KPIs as of `now_ms`; all that arrived by `caught_up_ms` is known to be counted."""
        site = self._site(now_ms, caught_up_ms, None)
        plans = [plan(kpi, site) for kpi in kpis]
        panes, meta = await self._fetch(plans)
        site = self._site(now_ms, caught_up_ms, meta)
        return [read(planned, panes, site) for planned in plans]

    async def count_by_hour(self, rollup: str, dimension: str, hours: Iterable[int]) -> list[int]:
        """Counts of a rollup in the local hours that contain these instants."""
        panes = [self._calendar.place(time_ms).hour for time_ms in hours]
        keys = [self._keys.panes(self._generation, Hash(rollup, dimension, pane.level, pane.span))
                for pane in panes]
        found = await self._reader.hashes(keys)
        return [int(fields.get(f"{pane.field}.n".encode(), 0))
                for pane, fields in zip(panes, found, strict=True)]

    async def _fetch(self, plans: list[Plan]) -> tuple[Panes, Meta]:
        hashes = sorted({pane_hash for planned in plans for pane_hash in planned.hashes})
        while True:
            keys = [self._keys.panes(self._generation, pane_hash) for pane_hash in hashes]
            meta_hash, *found = await self._reader.hashes([self._keys.meta, *keys])
            meta = meta_of(meta_hash)
            if abs(meta.generation) == self._generation:
                return {pane_hash: _by_pane(fields)
                        for pane_hash, fields in zip(hashes, found, strict=True)}, meta
            self._generation = abs(meta.generation)

    def _site(self, now_ms: int, caught_up_ms: int, meta: Meta | None) -> Site:
        return Site(
            now_ms=now_ms, calendar=self._calendar, grace_ms=self._grace_ms, caught_up_ms=caught_up_ms,
            currency=self._currency or (meta.currency if meta else None),
            since_ms=meta.since_ms if meta else None,
        )


def _by_pane(fields: dict[bytes, bytes]) -> dict[str, dict[str, int]]:
    panes: dict[str, dict[str, int]] = {}
    for name, amount in fields.items():
        field, _, aggregate = name.decode().partition(".")
        panes.setdefault(field, {})[aggregate] = int(amount)
    return panes
