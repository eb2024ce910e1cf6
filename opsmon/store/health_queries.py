"""Query: how far the workers are, what waits, who was heard, what the store says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsmon.core.calendar import DAY_MS, HOUR_MS
from opsmon.core.health import Backlog, Heard
from opsmon.core.readings import usual_gap_ms
from opsmon.store.connection import Reader
from opsmon.store.event_stream import GROUP
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.notes import WorkerNote, read_workers


@dataclass(frozen=True, slots=True)
class DeadEntry:
    """A dead letter, without its payload."""

    at_ms: int
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What the store says of itself. Sizes in bytes; `max_bytes` 0: no bound."""

    name: str
    version: str
    used_bytes: int
    max_bytes: int
    appendfsync: str


async def backlog(reader: Reader, keys: Keys) -> Backlog:
    """What waits in the streams."""
    found = [await _backlog_of(reader, stream) for stream in keys.streams]
    waits = [one.oldest_ms for one in found if one.oldest_ms is not None]
    return Backlog(sum(one.unread for one in found), sum(one.pending for one in found), min(waits, default=None))


async def _backlog_of(reader: Reader, stream: str) -> Backlog:
    group = next((g for g in await reader.groups(stream) if g["name"] == GROUP.encode()), None)
    newest = await reader.newest(stream)
    if group is None:
        held = await reader.length(stream)
        return Backlog(held, 0, _ms(newest[0][0]) if newest else None)
    delivered: bytes = group["last-delivered-id"]
    unread = 0 if not newest or newest[0][0] == delivered else int(group["lag"] or 1)
    oldest = [await reader.oldest_pending(stream, GROUP)] if group["pending"] else []
    waits = [_ms(entry_id) for entry_id in (*oldest, *([delivered] if unread else [])) if entry_id]
    return Backlog(unread, int(group["pending"]), min(waits, default=None))


async def heard(reader: Reader, keys: Keys, kpis: KpiQueries, sources: tuple[str, ...],
                now_ms: int) -> tuple[Heard, ...]:
    """When each source was last heard, and the gap that is usual by this hour a day and a week ago."""
    counts = await totals(reader, keys)
    hours = await kpis.rows_by_hour("deliveries", (now_ms - HOUR_MS, now_ms - DAY_MS, now_ms - 7 * DAY_MS))
    return tuple(Heard(source, counts.get(f"{source}:last_ms"), usual_gap(hours, source)) for source in sources)


def usual_gap(hours: Sequence[Mapping[str, int]], source: str) -> int | None:
    """The gap that is usual of a source, judged by the quietest of some hours; None when none tells."""
    past = [count for rows in hours if (count := rows.get(source, 0))]
    return usual_gap_ms(min(past)) if past else None


async def workers(reader: Reader, keys: Keys) -> dict[str, WorkerNote]:
    """Every worker heard within a day."""
    return await read_workers(reader, keys)


async def totals(reader: Reader, keys: Keys) -> dict[str, int]:
    """Running totals by `source:outcome`."""
    return {name.decode(): int(count) for name, count in (await reader.hash(keys.counts)).items()}


async def dead_letters(reader: Reader, keys: Keys, count: int = 5) -> tuple[int, list[DeadEntry]]:
    """How many dead letters are held, and the newest of them."""
    entries = [
        DeadEntry(_ms(entry_id), fields[b"source"].decode(), fields[b"reason"].decode("utf-8", "replace"))
        for entry_id, fields in await reader.newest(keys.dead, count)
    ]
    return await reader.length(keys.dead), entries


async def store_facts(reader: Reader) -> StoreFacts:
    """What the store says of itself."""
    server, memory = await reader.info("server"), await reader.info("memory")
    name = "Valkey" if "valkey_version" in server else "Redis"
    return StoreFacts(
        name=name,
        version=str(server.get("valkey_version") or server.get("redis_version", "")),
        used_bytes=int(memory.get("used_memory", 0)),
        max_bytes=int(memory.get("maxmemory", 0)),
        appendfsync=await reader.setting("appendfsync"),
    )


def _ms(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
