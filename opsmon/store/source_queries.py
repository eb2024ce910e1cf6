"""Query: what is known of each source, in two round trips: counts and notes, then rates, lags and past hours."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import Kpi, Sliding
from opsmon.core.health import Heard
from opsmon.core.readings import Row as Part
from opsmon.core.source_health import SourceFacts
from opsmon.store.connection import Read, Reader
from opsmon.store.health_queries import usual_gap
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.source_notes import read_poll, read_row, read_trial

# Doors without a vendor: shown once anything came by them. Events may name a source of their own.
EVENTS, IMPORT, PIXEL, FLOOR, RECON = "events", "import", "pixel", "floor", "recon"
DOORS = (EVENTS, IMPORT, PIXEL, FLOOR, RECON)
# What comes in by these is nobody's steady flow: their silence means nothing.
_NOW_AND_THEN = (IMPORT, FLOOR, RECON)
_NOTES = ("row", "poll", "trial")
_ROWS = 200


def _lag(size_ms: int) -> Kpi:
    return Kpi("lags", "Lag", "lags", Sliding(size_ms), "ms", "Lag.", show="mean", rows=_ROWS)


_IN_5_MINUTES, _IN_AN_HOUR = _lag(5 * MINUTE_MS), _lag(HOUR_MS)


async def read_sources(reader: Reader, keys: Keys, kpis: KpiQueries, sources: Sequence[str], now_ms: int
                       ) -> list[SourceFacts]:
    """What is known of `sources`, in their order, and then of the doors that were ever heard."""
    names = list(dict.fromkeys((*sources, *DOORS)))
    asked = [Read("hgetall", (keys.note(f"{note}:{name}"),)) for name in names for note in _NOTES]
    counts, spools, *notes = await reader.many(
        [Read("hgetall", (keys.counts,)), Read("hgetall", (keys.note("spool"),)), *asked])
    totals = {counter.decode(): int(count) for counter, count in (counts or {}).items()}
    last, recent = await kpis.read((_IN_5_MINUTES, _IN_AN_HOUR), now_ms, now_ms)
    hours = await kpis.rows_by_hour("deliveries", (now_ms - HOUR_MS, now_ms - DAY_MS, now_ms - 7 * DAY_MS))
    found = []
    for at, name in enumerate(names):
        mine = _of(name, totals)
        if name not in sources and not mine:
            continue
        others = [other for other in names if other != EVENTS] if name == EVENTS else None
        gap = None if name in _NOW_AND_THEN else usual_gap([_gathered(rows, others) for rows in hours], name)
        row, poll, trial = (note or {} for note in notes[at * len(_NOTES):(at + 1) * len(_NOTES)])
        in_5_minutes, _ = _count(last.rows, name, others)
        in_an_hour, lag_ms = _count(recent.rows, name, others)
        found.append(SourceFacts(
            heard=Heard(name, totals.get(f"{name}:last_ms"), gap), totals=mine,
            in_5_minutes=in_5_minutes, in_an_hour=in_an_hour, lag_ms=lag_ms,
            row=read_row(row), poll=read_poll(poll), trial=read_trial(trial),
            spooled=_spooled(spools or {}),
        ))
    return found


def _of(source: str, totals: Mapping[str, int]) -> dict[str, int]:
    """What was counted of one source, by outcome."""
    prefix = f"{source}:"
    return {name.removeprefix(prefix): count for name, count in sorted(totals.items())
            if name.startswith(prefix) and name != f"{prefix}last_ms"}


def _gathered(rows: Mapping[str, int], others: Sequence[str] | None) -> Mapping[str, int]:
    """Counts by source; what no other source is called came in by the door of events."""
    if others is None:
        return rows
    return {EVENTS: sum(count for name, count in rows.items() if name not in others)}


def _count(rows: Sequence[Part], name: str, others: Sequence[str] | None) -> tuple[int, int | None]:
    """How many came in, and their mean lag in ms."""
    mine = [row for row in rows if (row.name == name if others is None else row.name not in others)]
    count = sum(row.sample or 0 for row in mine)
    lag_ms = sum((row.sample or 0) * (row.value or 0) for row in mine)
    return count, round(lag_ms / count) if count else None


def _spooled(spools: Mapping[bytes, bytes]) -> int | None:
    """How many wait on the disks of all processes; None when none ever did."""
    told: list[dict[str, Any]] = [orjson.loads(one) for one in spools.values()]
    return sum(int(one.get("waiting", 0)) for one in told) if told else None
