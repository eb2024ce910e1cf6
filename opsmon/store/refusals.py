"""Command: bring the counts of refused deliveries to the store now and then, and how many there were in a row.

Refusals cost no write each: whoever can send rubbish must not be able to make the disk work.
"""

import asyncio
from collections import Counter

from redis.asyncio import Redis

from opsmon.clock import Clock, SystemClock
from opsmon.core.source_health import Row, is_refusal
from opsmon.store.connection import STORE_ERRORS
from opsmon.store.keys import Keys
from opsmon.store.source_notes import note_row, row_since

_EVERY_S = 5.0


async def flush_refusals(client: Redis, keys: Keys, refused: "Counter[str]", clock: Clock | None = None) -> None:
    """Add `refused` to the site's totals every few seconds, for ever, and empty it."""
    while True:
        await asyncio.sleep(_EVERY_S)
        await flush_once(client, keys, refused, clock)


async def flush_once(client: Redis, keys: Keys, refused: "Counter[str]", clock: Clock | None = None) -> None:
    """Add and empty once; what could not be brought is kept for the next time."""
    counted = dict(refused)
    if not counted:
        return
    pipe = client.pipeline(transaction=True)
    for counter, count in counted.items():
        pipe.hincrby(keys.counts, counter, count)
    try:
        await pipe.execute()
        await _note_rows(client, keys, counted, (clock or SystemClock()).now_ms())
    except STORE_ERRORS:
        return
    refused.subtract(counted)
    for counter in [counter for counter, left in refused.items() if not left]:
        del refused[counter]


async def _note_rows(client: Redis, keys: Keys, counted: dict[str, int], now_ms: int) -> None:
    """How many of each source were refused since anything of it was taken. Two processes may miss a few."""
    rows: dict[str, tuple[int, str]] = {}
    for counter, count in counted.items():
        source, _, reason = counter.partition(":")
        if is_refusal(reason):
            rows[source] = rows.get(source, (0, ""))[0] + count, reason
    for source, (count, reason) in rows.items():
        taken = await client.hget(keys.counts, f"{source}:last_ms")
        taken_ms = int(taken) if taken else 0
        before = await row_since(client, keys, source, taken_ms)
        await note_row(client, keys, source, Row(before + count, now_ms, reason), taken_ms)
