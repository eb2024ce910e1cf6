"""Query: a number explained, with how fresh it is and the newest events it was made of."""

from typing import Any

from opsmon.core.catalogue import Kpi
from opsmon.core.events import Event
from opsmon.core.explaining import contribution, kpi_words, window_in_words
from opsmon.core.folding import kept
from opsmon.core.ranges import levels_of
from opsmon.store import health_queries
from opsmon.store.connection import Reader
from opsmon.store.event_stream import decode_entry
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries

LOOKED_AT = 2_000
SHOWN = 10


async def explain(reader: Reader, keys: Keys, kpis: KpiQueries, kpi: Kpi, now_ms: int) -> dict[str, Any]:
    """A number explained as plain values: times epoch ms."""
    rollup = kpis.catalogue.rollup(kpi.rollup)
    backlog = await health_queries.backlog(reader, keys)
    caught_up_ms = backlog.caught_up_ms(now_ms)
    (reading,) = await kpis.read([kpi], now_ms, caught_up_ms)
    lives = {level: kept(rollup, level, kpis.kept) for level in levels_of(rollup)}
    return kpi_words(kpi, rollup) | {
        "value": reading.value,
        "window": {"words": window_in_words(kpi.window), "start_ms": reading.start_ms, "end_ms": reading.end_ms,
                   "complete": reading.complete},
        "zone": kpis.calendar.zone.key,
        "day_start_ms": kpis.calendar.day_start_ms,
        "fresh": {"as_of_ms": now_ms, "caught_up_ms": caught_up_ms, "waiting": backlog.unread + backlog.pending},
        "kept_ms": {{"m": "minutes", "h": "hours", "d": "days"}[level]: life for level, life in lives.items()},
        "last_events": await _last_events(reader, keys, kpi, kpis),
    }


async def _last_events(reader: Reader, keys: Keys, kpi: Kpi, kpis: KpiQueries) -> list[dict[str, Any]]:
    rollup, found = kpis.catalogue.rollup(kpi.rollup), []
    for _, fields in await reader.newest(keys.events, LOOKED_AT):
        event = decode_entry(fields)
        added = contribution(event, rollup) if isinstance(event, Event) else []
        if added and isinstance(event, Event):
            found.append({"id": event.id, "type": event.type, "time_ms": event.time_ms, "source": event.source,
                          "key": event.key, "adds": added})
        if len(found) == SHOWN:
            break
    return found
