"""Keeps the streams bounded: old events that every group has, dead letters beyond age and size."""

from collections.abc import Iterable, Mapping
from typing import Any

from redis.asyncio import Redis

from opsmon.core.calendar import DAY_MS
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

_DEAD_KEPT_MS = 30 * DAY_MS
_DEAD_MAX_BYTES = 32 * 1024 * 1024


# A visit that has ended is looked at no more; an hour is for clocks that differ.
_ENDED_MS = 3_600_000


async def forget_visits(client: Redis, keys: Keys, generation: int, rollups: Iterable[str], now_ms: int) -> None:
    """Take visits that have ended off the list of those under way. May be repeated."""
    for rollup in rollups:
        await client.zremrangebyscore(keys.open(generation, rollup), 0, now_ms - _ENDED_MS)


async def tidy(client: Redis, keys: Keys, scripts: Scripts, now_ms: int, retention_ms: int,
               memory_bytes: Mapping[str, int]) -> None:
    """Trim what may go; `memory_bytes` is each stream's share. May be repeated, and by several workers at once."""
    for stream, share_bytes in memory_bytes.items():
        affordable_ms = await _affordable_ms(client, stream, share_bytes)
        await scripts.trim_events(max(now_ms - retention_ms, affordable_ms), stream)
    if await client.exists(keys.erased):
        await client.xtrim(keys.erased, minid=f"{now_ms - retention_ms}-0", approximate=False)
    size_bytes = await client.memory_usage(keys.dead) or 0
    stay = int(await client.xlen(keys.dead)) * 3 // 4 if size_bytes > _DEAD_MAX_BYTES else -1
    while await scripts.trim_dead(now_ms - _DEAD_KEPT_MS, stay):
        pass


async def _affordable_ms(client: Redis, stream: str, max_bytes: int) -> int:
    """From when on a stream's events fit into its share of memory; 0 when all do."""
    size_bytes = await client.memory_usage(stream) or 0
    if size_bytes <= max_bytes:
        return 0
    oldest: Any = await client.xrange(stream, count=1)
    newest: Any = await client.xrevrange(stream, count=1)
    first_ms, last_ms = (int(ends[0][0].partition(b"-")[0]) for ends in (oldest, newest))
    return last_ms - (last_ms - first_ms) * max_bytes // size_bytes
