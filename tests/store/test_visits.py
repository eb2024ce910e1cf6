"""The queue before the stream of visits: what is lost is counted, and nobody waits."""

import asyncio
from collections import Counter

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.store.connection import ingest_client
from opsmon.store.event_stream import GROUP, EventStream, checksum
from opsmon.store.keys import Keys
from opsmon.store.scripts import Taken
from opsmon.store.visits import MOST_TOGETHER, MOST_WAITING, Visits

pytestmark = pytest.mark.anyio

MB = 1024**2


def some(count: int, first: int = 0, size: int = 10) -> list[Taken]:
    """Deliveries of pages, numbered."""
    payload = b"x" * size
    return [Taken("event", "pixel", f"pixel:{n}", payload, checksum(payload)) for n in range(first, first + count)]


def queue(store: Redis, keys: Keys, clock: ManualClock, max_bytes: int = 64 * MB) -> tuple[Visits, Counter[str]]:
    lost: Counter[str] = Counter()
    return Visits(store, keys, clock, max_bytes, lost), lost


async def test_what_is_put_there_is_in_the_stream_soon(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Two hundred and fifty in three appends, each counted as accepted."""
    visits, lost = queue(store, keys, clock)
    visits.put(some(250))
    await visits.drain()
    assert (await store.xlen(keys.visits), await store.hget(keys.counts, "pixel:accepted"), lost) == (250, b"250", {})


async def test_they_go_together_and_no_more_than_a_hundred_at_once(
    store: Redis, keys: Keys, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append holds the store for a millisecond at the most: a webhook fits in between."""
    visits, _ = queue(store, keys, clock)
    sizes = []
    append = visits._scripts.append_visits

    async def noted(batch: list[Taken], now_ms: int) -> list[bytes]:
        sizes.append(len(batch))
        return await append(batch, now_ms)

    monkeypatch.setattr(visits._scripts, "append_visits", noted)
    visits.put(some(150))
    visits.put(some(20, first=150))
    await visits.drain()
    assert sizes == [MOST_TOGETHER, 70]


async def test_more_than_the_queue_holds_is_counted_as_lost(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Memory of the web process is bounded too."""
    visits, lost = queue(store, keys, clock)
    visits.put(some(MOST_WAITING))
    visits.put(some(1, first=MOST_WAITING))
    assert lost == {"pixel:busy": 1}
    await visits.drain()
    assert await store.xlen(keys.visits) == MOST_WAITING


async def test_without_a_store_it_is_lost_and_counted(keys: Keys, clock: ManualClock) -> None:
    """Visits are not promised; orders never go this way."""
    client = ingest_client("unix:///nowhere.sock")
    visits, lost = queue(client, keys, clock)
    visits.put(some(3))
    await visits.drain()
    await client.aclose()
    assert lost == {"pixel:unavailable": 3}


async def test_while_no_worker_counts_the_stream_takes_no_more_than_its_share(
    store: Redis, keys: Keys, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it, what comes is counted as lost: it cannot push out what other streams hold."""
    monkeypatch.setattr("opsmon.store.visits.LOOK_EVERY_S", 0)
    visits, lost = queue(store, keys, clock, max_bytes=MB)
    for first in range(0, 5_000, 500):
        visits.put(some(500, first, size=500))
        await visits.drain()
    held = await store.xlen(keys.visits)
    assert (held + lost["pixel:full"], lost["pixel:full"] > 0) == (5_000, True)
    assert await store.memory_usage(keys.visits) < 2 * MB


async def test_once_workers_have_counted_it_takes_again(
    store: Redis, keys: Keys, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was counted is kept for a recount, and trimmed by the minute: it is no reason to refuse."""
    monkeypatch.setattr("opsmon.store.visits.LOOK_EVERY_S", 0)
    visits, lost = queue(store, keys, clock, max_bytes=MB // 4)
    visits.put(some(2_000, size=500))
    await visits.drain()
    await visits.drain()
    visits.put(some(1, first=5_000))
    stream = EventStream(store, keys, "worker-1", keys.visits)
    await stream.ensure_group()
    entries = await stream.read_new(2_000, 1)
    await store.xack(keys.visits, GROUP, *[entry.id for entry in entries])
    await visits.drain()
    visits.put(some(1, first=5_001))
    await visits.drain()
    assert (lost, await store.xlen(keys.visits)) == ({"pixel:full": 1}, 2_001)


async def test_what_was_under_way_when_the_process_ends_is_brought_again(
    store: Redis, keys: Keys, clock: ManualClock
) -> None:
    """Ended in the middle of an append, the last drain sends it once more: a duplicate, or the first time."""
    visits, lost = queue(store, keys, clock)
    visits.put(some(50))
    bringing = asyncio.create_task(visits.drain())
    await asyncio.sleep(0)
    bringing.cancel()
    await asyncio.wait([bringing])
    await visits.drain()
    assert (await store.xlen(keys.visits), lost) == (50, {})
