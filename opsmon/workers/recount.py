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
from opsmon.store.meta import Meta, claim_calendar, read_meta
from opsmon.store.rollups import Rollups, decode_state
from opsmon.store.scripts import Scripts

log = logging.getLogger("opsmon.worker")

_STATES_AT_ONCE = 100
_LOCK_MS = 30_000


async def settle_calendar(client: Redis, keys: Keys, calendar: SiteCalendar, now_ms: int) -> int:
    """Make the site's panes follow `calendar`, counting anew if they do not; return their generation.

    Of several workers one counts and the others wait for it. May be repeated.
    """
    while True:
        meta = await read_meta(Reader(client), keys)
        if not meta.calendar:
            await claim_calendar(client, keys, calendar.name)
            continue
        if meta.calendar == calendar.name and meta.generation >= 0:
            return meta.generation
        if await client.set(keys.note("recount"), "1", nx=True, px=_LOCK_MS):
            return await _recount(client, keys, calendar, meta, now_ms)
        await asyncio.sleep(0.2)


async def _recount(client: Redis, keys: Keys, calendar: SiteCalendar, meta: Meta, now_ms: int) -> int:
    # A number of its own for each attempt: one that stalled and resumes finds itself fenced.
    target = abs(meta.generation) + 1
    scripts = Scripts(client, keys)
    log.warning("the site's days are %s now, they were %s: counting anew", calendar.name, meta.calendar)
    if not await scripts.set_generation(meta.generation, -target, calendar.name):
        raise RuntimeError("another worker is counting anew")
    rollups = Rollups(client, keys, scripts, -target)
    async for folded in _rebooked(client, keys, calendar, now_ms):
        refusal = await rollups.commit(folded, {}, [], now_ms, now_ms)
        if refusal:
            raise RuntimeError(f"the recount was refused: {refusal}")
        await client.pexpire(keys.note("recount"), _LOCK_MS)
    if not await scripts.set_generation(-target, target, calendar.name):
        raise RuntimeError("the recount took too long: another worker is counting anew")
    await _forget_other_panes(client, keys, target)
    await client.delete(keys.note("recount"))
    return target


async def _rebooked(client: Redis, keys: Keys, calendar: SiteCalendar, now_ms: int) -> AsyncIterator[Fold]:
    # SCAN may name a key twice while others are added.
    names = list({name async for name in client.scan_iter(match=f"{keys.tag}:state:*", count=1000)})
    for start in range(0, len(names), _STATES_AT_ONCE):
        stored = await client.mget(names[start : start + _STATES_AT_ONCE])
        states = [decode_state(value) for value in stored if isinstance(value, bytes)]
        yield rebook((booking for state in states for booking in state.bookings), calendar, now_ms)


async def _forget_other_panes(client: Redis, keys: Keys, generation: int) -> None:
    kept = f"{keys.tag}:pane:{generation}:".encode()
    found = [name async for name in client.scan_iter(match=f"{keys.tag}:pane:*", count=1000)]
    names = [name for name in found if not name.startswith(kept)]
    for start in range(0, len(names), 500):
        await client.unlink(*names[start : start + 500])
