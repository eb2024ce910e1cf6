"""Counting anew from entity states, when the site's zone or start of day has changed.

Panes belong to a generation of the calendar. While a recount runs the generation is negative, so that
no worker can commit; ingest goes on. Interrupted, it starts over: nothing of it counts before its end.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from opsmon.core.calendar import SiteCalendar
from opsmon.core.folding import Fold, rebook
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.meta import Meta, claim_calendar, read_meta, set_generation
from opsmon.store.rollups import Rollups, decode_state
from opsmon.store.scripts import Scripts

log = logging.getLogger("opsmon.worker")

_STATES_AT_ONCE = 100
_LOCK_MS = 30_000


async def settle_calendar(client: Redis, keys: Keys, calendar: SiteCalendar, now_ms: int) -> int:
    """Make the site's panes follow `calendar`, counting anew if they do not; return their generation.

    Of several workers one counts and the others wait for it. May be repeated.
    """
    await claim_calendar(client, keys, calendar.name)
    while True:
        meta = await read_meta(Reader(client), keys)
        if meta.calendar == calendar.name and meta.generation >= 0:
            return meta.generation
        if await client.set(keys.note("recount"), "1", nx=True, px=_LOCK_MS):
            return await _recount(client, keys, calendar, meta, now_ms)
        await asyncio.sleep(0.2)


async def _recount(client: Redis, keys: Keys, calendar: SiteCalendar, meta: Meta, now_ms: int) -> int:
    target = abs(meta.generation) + (meta.generation >= 0)
    log.warning("the site's days are %s now, they were %s: counting anew", calendar.name, meta.calendar)
    await set_generation(client, keys, -target, calendar.name)
    await _forget(client, f"{keys.tag}:pane:{target}:*")
    rollups = Rollups(client, keys, Scripts(client, keys), -target)
    async for folded in _rebooked(client, keys, calendar, now_ms):
        refusal = await rollups.commit(folded, {}, [], now_ms, now_ms)
        if refusal:
            raise RuntimeError(f"the recount was refused: {refusal}")
        await client.pexpire(keys.note("recount"), _LOCK_MS)
    await set_generation(client, keys, target, calendar.name)
    await _forget(client, f"{keys.tag}:pane:{target - 1}:*")
    await client.delete(keys.note("recount"))
    return target


async def _rebooked(client: Redis, keys: Keys, calendar: SiteCalendar, now_ms: int) -> AsyncIterator[Fold]:
    names = [name async for name in client.scan_iter(match=f"{keys.tag}:state:*", count=1000)]
    for start in range(0, len(names), _STATES_AT_ONCE):
        stored = await client.mget(names[start : start + _STATES_AT_ONCE])
        states = [decode_state(value) for value in stored if isinstance(value, bytes)]
        yield rebook((booking for state in states for booking in state.bookings), calendar, now_ms)


async def _forget(client: Redis, pattern: str) -> None:
    names = [name async for name in client.scan_iter(match=pattern, count=1000)]
    for start in range(0, len(names), 500):
        await client.unlink(*names[start : start + 500])
