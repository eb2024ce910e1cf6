"""What is forgotten to keep memory bounded, and what never is."""

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.store.event_stream import GROUP, EventStream
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Taken
from opsmon.workers import janitor
from tests.conftest import NOW_MS

pytestmark = pytest.mark.anyio

# Memory that no stream here comes near to.
ENOUGH = 256 * 1024**2

HOUR_MS = 3_600_000


async def stream_of(store: Redis, keys: Keys, count: int, read: int) -> None:
    """Events a second apart from NOW_MS on, the first `read` of them counted."""
    for number in range(count):
        await store.xadd(keys.events, {"e": b"x" * 1000, "c": b"y"}, id=f"{NOW_MS + number * 1000}-0")
    await EventStream(store, keys, "worker-1").ensure_group()
    if read:
        await store.xreadgroup(GROUP, "worker-1", {keys.events: ">"}, count=read)
        found = await store.xpending_range(keys.events, GROUP, "-", "+", read)
        await store.xack(keys.events, GROUP, *[entry["message_id"] for entry in found])


async def test_old_events_go_when_every_worker_has_them(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """An hour is kept: what is older and counted goes."""
    await stream_of(store, keys, 100, read=100)
    await janitor.tidy(store, keys, Scripts(store, keys), NOW_MS + HOUR_MS + 40_000, HOUR_MS, {keys.events: ENOUGH})
    assert await store.xlen(keys.events) == 60


async def test_what_nobody_has_counted_stays_however_old(store: Redis, keys: Keys) -> None:
    """The worker was away for a week: nothing it needs is gone."""
    await stream_of(store, keys, 100, read=0)
    await janitor.tidy(store, keys, Scripts(store, keys), NOW_MS + 200 * HOUR_MS, HOUR_MS, {keys.events: ENOUGH})
    assert await store.xlen(keys.events) == 100


async def test_a_stream_too_large_loses_its_older_part_early(
    store: Redis, keys: Keys
) -> None:
    """Twice the memory it may have: about half of what was counted goes, though it is young."""
    await stream_of(store, keys, 1000, read=1000)
    size_bytes = await store.memory_usage(keys.events)
    await janitor.tidy(store, keys, Scripts(store, keys), NOW_MS + 1_000_000, HOUR_MS, {keys.events: size_bytes // 2})
    assert 490 <= await store.xlen(keys.events) <= 510


async def test_old_dead_letters_go_and_are_no_longer_counted(store: Redis, keys: Keys) -> None:
    """30 days after they came; a source that was stopped for them is so no more."""
    for number in range(1200):
        fields = {"source": "shopify", "payload": "x" * 10, "reason": "r", "tries": "0"}
        await store.xadd(keys.dead, fields, id=f"{NOW_MS + number}-0")
    await janitor.tidy(store, keys, Scripts(store, keys), NOW_MS + 1, HOUR_MS, {keys.events: ENOUGH})
    assert await store.hget(keys.counts, "shopify:held") == b"1200"
    await janitor.tidy(store, keys, Scripts(store, keys), NOW_MS + 1100 + 30 * 24 * HOUR_MS, HOUR_MS,
                       {keys.events: ENOUGH})
    assert await store.hmget(keys.counts, "shopify:held", "shopify:held_bytes") == [b"100", b"1000"]


async def test_dead_letters_above_their_memory_go_oldest_first(
    store: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of them, and the count with them."""
    monkeypatch.setattr(janitor, "_DEAD_MAX_BYTES", 1000)
    letters = [Taken("dead", "shopify", str(number), b"x" * 10, "r") for number in range(1000)]
    await Scripts(store, keys).append_events(letters, NOW_MS)
    await janitor.tidy(store, keys, Scripts(store, keys), NOW_MS, HOUR_MS, {keys.events: ENOUGH})
    assert await store.xlen(keys.dead) == int(await store.hget(keys.counts, "shopify:held")) == 750


async def test_a_stream_too_large_keeps_what_is_not_counted(
    store: Redis, keys: Keys
) -> None:
    """Memory is short, but the last 900 events were not read yet: they stay."""
    await stream_of(store, keys, 1000, read=100)
    await janitor.tidy(store, keys, Scripts(store, keys), NOW_MS + 1_000_000, HOUR_MS, {keys.events: 1})
    assert await store.xlen(keys.events) in (900, 901)
