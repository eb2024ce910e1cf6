"""Query: a number explained, with how fresh it is and the newest events within its window that it was made of."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from opsmon.core.catalogue import Kpi, Now, Rollup
from opsmon.core.contributions import contributions
from opsmon.core.events import Event
from opsmon.core.explaining import kpi_words, window_in_words
from opsmon.core.folding import kept
from opsmon.core.money import exponent
from opsmon.core.ranges import levels_of
from opsmon.core.readings import Reading
from opsmon.core.windows import Bounds
from opsmon.store import health_queries
from opsmon.store.connection import Reader
from opsmon.store.event_stream import GROUP, decode_entry
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries

# A few are enough as a rule; the many take a tenth of a second.
LOOKED_AT = (200, 2_000)
SHOWN = 10

EntryId = tuple[int, int]


async def explain(reader: Reader, keys: Keys, kpis: KpiQueries, kpi: Kpi, now_ms: int) -> dict[str, Any]:
    """A number explained as plain values: times epoch ms, money in minor units, lengths of time in ms."""
    rollup, calendar = kpis.catalogue.rollup(kpi.rollup), kpis.calendar
    backlog = await health_queries.backlog(reader, keys)
    caught_up_ms = backlog.caught_up_ms(now_ms)
    (reading,) = await kpis.read([kpi], now_ms, caught_up_ms)
    lives = {level: kept(rollup, level, kpis.kept) for level in levels_of(rollup)}
    counted = {stream: await _counted(reader, stream) for stream in keys.streams}
    return kpi_words(kpi, rollup) | _money(reading) | {
        "value": reading.value,
        "window": {"words": window_in_words(kpi.window), "start_ms": reading.start_ms, "end_ms": reading.end_ms,
                   "start": calendar.wall(reading.start_ms).isoformat(),
                   "end": calendar.wall(reading.end_ms).isoformat(), "complete": reading.complete},
        "zone": calendar.zone.key,
        "day_start_ms": calendar.day_start_ms,
        "fresh": {"as_of_ms": now_ms, "caught_up_ms": caught_up_ms, "waiting": backlog.unread + backlog.pending,
                  "last_counted_ms": max((last[0] for last in counted.values() if last), default=None)},
        "kept_ms": {{"m": "minutes", "h": "hours", "d": "days"}[level]: life for level, life in lives.items()},
        "last_events": await _last_events(reader, rollup, _bounds(reading), counted),
    }


def _money(reading: Reading) -> dict[str, Any]:
    if reading.kpi.unit != "money":
        return {}
    return {"currency": reading.currency, "exponent": exponent(reading.currency or "EUR")}


async def _counted(reader: Reader, stream: str) -> EntryId | None:
    """Up to which entry workers have read a stream; None before the first."""
    group = next((group for group in await reader.groups(stream) if group["name"] == GROUP.encode()), None)
    last = _id(group["last-delivered-id"]) if group else (0, 0)
    return last if last > (0, 0) else None


def _bounds(reading: Reading) -> Bounds | None:
    """The window; what holds now was made at any time."""
    return None if isinstance(reading.kpi.window, Now) else (reading.start_ms, reading.end_ms)


async def _last_events(reader: Reader, rollup: Rollup, bounds: Bounds | None,
                       counted: Mapping[str, EntryId | None]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for most in LOOKED_AT:
        newest = [(stream, await reader.newest(stream, most)) for stream in counted]
        # Of each stream as many: whatever pages send, it does not hide what sources sent.
        entries = [entry for stream, held in newest for entry in held if _id(entry[0]) <= (counted[stream] or (0, 0))]
        read = [decode_entry(fields) for _, fields in sorted(entries, key=lambda entry: _id(entry[0]))]
        made = contributions([event for event in read if isinstance(event, Event)], rollup, bounds)
        found = [_shown(event, added) for event, added in islice(made, SHOWN)]
        if len(found) == SHOWN or all(len(held) < most for _, held in newest):
            break
    return found


def _shown(event: Event, added: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": event.id, "type": event.type, "time_ms": event.time_ms, "source": event.source, "key": event.key,
            "adds": added}


def _id(entry_id: bytes) -> EntryId:
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number)
