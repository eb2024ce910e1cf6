"""Counting anew when the site's zone or start of day changes: whole, once, and with everyone else held back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import HOUR_MS, SiteCalendar
from opsmon.core.events import Event
from opsmon.settings import Settings
from opsmon.store.connection import worker_client
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.workers.aggregator import GenerationMoved
from opsmon.workers.recount import settle_calendar
from opsmon.workers.worker import Worker
from tests.conftest import NOW_MS
from tests.memory import event, fold_all
from tests.orders import order, refund
from tests.waiting import wait_until_async
from tests.workers.desk import BERLIN, Desk, in_names, work

pytestmark = pytest.mark.anyio

TOKYO = SiteCalendar(ZoneInfo("Asia/Tokyo"))
# Every five hours of two months back, some with a refund: 300 entities and more than one step of a recount.
SALES = [event("orders/updated", order(n, f"{n}.00", placed_ms=NOW_MS - 5 * n * HOUR_MS, updated_ms=NOW_MS,
                                       refunds=[refund(9000 + n, 5.0)] if n % 3 == 0 else []))
         for n in range(1, 226)]


@pytest.fixture
async def desk(store: Redis, keys: Keys, clock: ManualClock) -> Desk:
    """A desk where all sales were counted by Berlin's days."""
    made = Desk(store, keys, clock)
    await settle_calendar(store, keys, BERLIN, NOW_MS)
    await made.append(*SALES)
    await work(await made.worker())
    return made


def fresh(calendar: SiteCalendar, sales: list[Event] = SALES) -> dict[str, int]:
    """The panes of a count that never knew another calendar."""
    return in_names(fold_all(sales, calendar).about_orders())


async def generation(desk: Desk) -> str:
    return (await desk.store.hget(desk.keys.meta, "generation") or b"0").decode()


async def test_the_first_worker_gives_the_site_its_calendar(store: Redis, keys: Keys) -> None:
    """Nothing is counted yet, so there is nothing to count anew: generation 0."""
    assert await settle_calendar(store, keys, BERLIN, NOW_MS) == 0
    assert await store.hgetall(keys.meta) == {b"calendar": b"Europe/Berlin+0"}


async def test_the_same_calendar_counts_nothing_anew(desk: Desk) -> None:
    """Starting a worker again changes no pane."""
    before = await desk.panes()
    assert await settle_calendar(desk.store, desk.keys, BERLIN, NOW_MS) == 0
    assert await desk.panes() == before


@pytest.mark.parametrize("calendar", [TOKYO, SiteCalendar(ZoneInfo("Asia/Kathmandu")),
                                      SiteCalendar(BERLIN.zone, 4 * HOUR_MS)], ids=lambda c: c.name)
async def test_after_a_change_the_panes_are_those_of_a_fresh_count(desk: Desk, calendar: SiteCalendar) -> None:
    """Another zone, a half-hour one, or days from four in the morning: all as if ever so."""
    found = await settle_calendar(desk.store, desk.keys, calendar, NOW_MS)
    assert await desk.panes(generation=found) == fresh(calendar)


async def test_panes_of_the_old_calendar_are_forgotten(desk: Desk) -> None:
    """They would lie about for ever: day panes do not expire."""
    await settle_calendar(desk.store, desk.keys, TOKYO, NOW_MS)
    assert await desk.panes(generation=0) == {}


async def test_a_recount_leaves_no_lock_behind(desk: Desk) -> None:
    """The next change need not wait."""
    await settle_calendar(desk.store, desk.keys, TOKYO, NOW_MS)
    assert await desk.store.exists(desk.keys.note("recount")) == 0


async def test_what_comes_after_is_counted_by_the_new_calendar(desk: Desk) -> None:
    """An edit after the change takes the old total out of the new panes, too."""
    found = await settle_calendar(desk.store, desk.keys, TOKYO, NOW_MS)
    edited = event("orders/updated", order(1, "99.00", placed_ms=NOW_MS - 5 * HOUR_MS, updated_ms=NOW_MS + 1000))
    await desk.append(edited)
    await work(await desk.worker("worker-1", TOKYO, found))
    assert await desk.panes(generation=found) == fresh(TOKYO, [*SALES, edited])


async def begin(desk: Desk, calendar: SiteCalendar) -> "asyncio.Task[int]":
    """Start a recount and return when it has written the first of its panes."""
    task = asyncio.create_task(settle_calendar(desk.store, desk.keys, calendar, NOW_MS))
    first = f"{desk.keys.tag}:pane:1:*"
    await wait_until_async(lambda: desk.store.keys(first), "the first panes of the recount")
    assert (await generation(desk), task.done()) == ("-1", False)
    return task


async def end(task: "asyncio.Task[int]") -> None:
    """Cancel a task until it has ended: redis-py with a timeout swallows a cancellation under Python 3.11."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.01)


@pytest.fixture
async def slow_desk(desk: Desk, server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """The same, with recounts in steps of one state, so that there is time to disturb them."""
    monkeypatch.setattr("opsmon.workers.recount._STATES_AT_ONCE", 1)
    yield desk


async def test_an_interrupted_recount_starts_over(slow_desk: Desk) -> None:
    """The worker ended half way: the next one counts from the beginning, and every order once."""
    desk = slow_desk
    task = await begin(desk, TOKYO)
    await end(task)
    assert await generation(desk) == "-1"
    await desk.store.delete(desk.keys.note("recount"))  # its lock expires 30 s after its last step
    found = await settle_calendar(desk.store, desk.keys, TOKYO, NOW_MS)
    assert await desk.panes(generation=found) == fresh(TOKYO)
    assert await desk.panes(generation=1) == {}


async def test_a_recount_that_stalls_is_fenced_by_the_next(slow_desk: Desk) -> None:
    """Its lock expired and another began: the first may not add to the second's panes, nor end it."""
    desk = slow_desk
    stalled = await begin(desk, TOKYO)
    await desk.store.delete(desk.keys.note("recount"))
    found = await settle_calendar(desk.store, desk.keys, TOKYO, NOW_MS)
    with pytest.raises(RuntimeError):
        await stalled
    assert await desk.panes(generation=found) == fresh(TOKYO)
    assert await generation(desk) == str(found)


async def test_workers_of_the_old_calendar_are_fenced(desk: Desk) -> None:
    """A worker that still counts by Berlin's days may not commit; its entry stays for one that may."""
    old = await desk.worker("worker-1")
    found = await settle_calendar(desk.store, desk.keys, TOKYO, NOW_MS)
    ids = await desk.append(event("orders/create", order(5000)))
    with pytest.raises(GenerationMoved):
        await old.run_once()
    assert await desk.pending() == ids
    assert await desk.panes(generation=found) == fresh(TOKYO)


async def test_workers_are_held_back_while_a_recount_runs(slow_desk: Desk) -> None:
    """Neither old nor new panes get anything until the recount is whole."""
    desk = slow_desk
    old = await desk.worker("worker-1")
    task = await begin(desk, TOKYO)
    await desk.append(event("orders/create", order(5000)))
    with pytest.raises(GenerationMoved):
        await old.run_once()
    assert await desk.panes(generation=await task) == fresh(TOKYO)


async def test_of_two_workers_that_start_one_counts_anew(desk: Desk) -> None:
    """Both come out with the same generation, and every order was counted once."""
    found = await asyncio.gather(*(settle_calendar(desk.store, desk.keys, TOKYO, NOW_MS) for _ in range(2)))
    assert found == [1, 1]
    assert await desk.panes(generation=1) == fresh(TOKYO)


class Repeating(Redis):
    """A store whose SCAN names every key twice, as it may while keys are added."""

    async def scan_iter(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        async for name in super().scan_iter(*args, **more):
            yield name
            yield name


async def test_a_key_that_scan_names_twice_is_counted_once(desk: Desk, server: EmbeddedStore) -> None:
    """SCAN promises each key at least once, not at most once."""
    async with Repeating.from_url(server.url) as repeating:
        found = await settle_calendar(repeating, desk.keys, TOKYO, NOW_MS)
    assert await desk.panes(generation=found) == fresh(TOKYO)


async def test_a_worker_whose_settings_say_another_zone_counts_anew(
    desk: Desk, settings: Settings, clock: ManualClock
) -> None:
    """Change OPSMON_TIMEZONE, start again: that is all a person does."""
    await Worker(desk.store, replace(settings, timezone=TOKYO.zone), clock).start()
    assert await desk.store.hget(desk.keys.meta, "calendar") == b"Asia/Tokyo+0"
    assert await desk.panes(generation=1) == fresh(TOKYO)


async def test_a_running_worker_goes_over_to_the_new_calendar(
    desk: Desk, settings: Settings, clock: ManualClock, server: EmbeddedStore
) -> None:
    """Started with the new zone beside an old one, it takes what the old one may no longer count."""
    stop = asyncio.Event()
    client = worker_client(server.url)
    running = asyncio.create_task(Worker(client, replace(settings, timezone=TOKYO.zone), clock).run(stop))
    later = event("orders/create", order(5000))
    await desk.append(later)
    expected = fresh(TOKYO, [*SALES, later])
    await wait_until_async(lambda: holds(desk, expected), "the order in Tokyo's panes")
    stop.set()
    await running
    await client.aclose()


async def holds(desk: Desk, expected: dict[str, int]) -> bool:
    return await desk.panes(generation=1) == expected
