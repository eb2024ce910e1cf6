"""Keeps the streams bounded: old events that every group has, dead letters beyond age and size."""

from redis.asyncio import Redis

from opsmon.core.calendar import DAY_MS
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

_DEAD_KEPT_MS = 30 * DAY_MS
_DEAD_MAX_BYTES = 32 * 1024 * 1024


async def tidy(client: Redis, keys: Keys, scripts: Scripts, now_ms: int, retention_ms: int) -> None:
    """Trim what may go. May be repeated, and by several workers at once."""
    await scripts.trim_events(now_ms - retention_ms)
    await client.xtrim(keys.dead, minid=f"{now_ms - _DEAD_KEPT_MS}-0")
    size_bytes = await client.memory_usage(keys.dead) or 0
    if size_bytes > _DEAD_MAX_BYTES:
        held = int(await client.xlen(keys.dead))
        await client.xtrim(keys.dead, maxlen=held * 3 // 4)
