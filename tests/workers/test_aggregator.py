"""The worker's loop on the real store: what it works first, what it gives up, and that nothing counts twice."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import MINUTE_MS, Place, SiteCalendar
from opsmon.core.events import Event, EventId
from opsmon.core.folding import Rules
from opsmon.settings import Settings
from opsmon.store.event_stream import GROUP, encode
from opsmon.store.keys import Keys
from opsmon.store.rollups import Rollups
from opsmon.workers.aggregator import MAX_DEAD_IN_A_ROW, MAX_TRIES, TooManyDead
from opsmon.workers.worker import Worker
from tests.conftest import NOW_MS
from tests.line import Line
from tests.memory import event, fold_all
from tests.orders import order
from tests.waiting import wait_until_async
from tests.workers.desk import BERLIN, Desk, in_names, work

pytestmark = pytest.mark.anyio

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "shopify"
MINUTE_PANES = f"{{main}}:pane:0:orders:m:{NOW_MS // 3_600_000 * 3600}"


@pytest.fixture
async def desk(store: Redis, keys: Keys, clock: ManualClock) -> Desk:
    """A desk with the group made."""
    made = Desk(store, keys, clock)
    await made.worker()
    return made


def created(order_id: int, *, arrived_ms: int = NOW_MS, **more: Any) -> Event:
    return event("orders/create", order(order_id, **more), arrived_ms=arrived_ms)


def unusable(order_id: int) -> Event:
    """Well signed and well stored, and yet nothing to fold: its data are missing."""
    return Event(EventId(f"e{order_id}"), "order.updated", NOW_MS, NOW_MS, "shopify", "main", "k", (1, 0, "a"), {})


async def test_a_batch_is_counted_in_one_step(desk: Desk) -> None:
    """Three orders that wait together are one commit: one entry on the change stream."""
    await desk.append(*(created(n) for n in (1, 2, 3)))
    await work(await desk.worker())
    assert await desk.panes() == in_names(fold_all(map(created, (1, 2, 3)), BERLIN).about_orders())
    assert await desk.changes() == [NOW_MS]
    assert await desk.pending() == []


async def test_own_entries_come_first_then_claims_then_new_ones(desk: Desk) -> None:
    """What this worker had in hand, then what another left, then what nobody has read."""
    await desk.append(created(1, arrived_ms=NOW_MS + 1))
    await desk.leave_in_hand("worker-2", idle_ms=60_000)
    await desk.append(created(2, arrived_ms=NOW_MS + 2))
    await desk.leave_in_hand("worker-1")
    await desk.append(created(3, arrived_ms=NOW_MS + 3))
    await (await desk.worker("worker-1")).run_once()
    assert await desk.changes() == [NOW_MS + 2, NOW_MS + 1, NOW_MS + 3]


async def test_what_another_has_just_read_is_not_claimed(desk: Desk) -> None:
    """A worker that is only slow keeps its entries for two seconds."""
    ids = await desk.append(created(1))
    await desk.leave_in_hand("worker-2", idle_ms=1_000)
    await work(await desk.worker("worker-1"))
    assert await desk.pending() == ids


async def test_claims_reach_beyond_what_is_in_other_hands(desk: Desk) -> None:
    """Thirty fresh entries before an abandoned one do not hide it, though the server looks at ten at a time."""
    await desk.append(*(created(n) for n in range(1, 31)))
    await desk.leave_in_hand("worker-2")
    await desk.append(created(99))
    await desk.leave_in_hand("worker-3", idle_ms=60_000)
    await (await desk.worker("worker-1")).run_once()
    assert await desk.panes() == in_names(fold_all([created(99)], BERLIN).about_orders())


async def test_a_flipped_bit_becomes_a_dead_letter(desk: Desk) -> None:
    """Bytes that do not match their checksum are kept aside with their payload, and nothing else is lost."""
    await desk.append(created(1))
    await desk.append_bytes(b"spoilt", check="00000000")
    await desk.append(created(2))
    await work(await desk.worker())
    assert await desk.dead() == [("spoilt", "the stored bytes do not match their checksum", "1")]
    assert await desk.arrivals() == 2


async def test_too_many_dead_letters_in_a_row_stop_the_worker(desk: Desk) -> None:
    """A hundred events in a row that cannot be read are our fault, not theirs: the rest stays where it is."""
    for _ in range(MAX_DEAD_IN_A_ROW + 3):
        await desk.append_bytes(b"spoilt", check="00000000")
    with pytest.raises(TooManyDead, match="Stopped: 100 events in a row could not be counted"):
        await work(await desk.worker())
    assert (len(await desk.dead()), len(await desk.pending())) == (MAX_DEAD_IN_A_ROW, 3)


async def test_a_stopped_worker_says_so_on_the_board(line: Line, settings: Settings, clock: ManualClock,
                                                     store: Redis, keys: Keys) -> None:
    """The team reads why nothing moves, until somebody starts the worker again."""
    for _ in range(MAX_DEAD_IN_A_ROW + 1):
        await store.xadd(keys.events, {"e": b"spoilt", "c": b"00000000"})
    stop = asyncio.Event()
    standing = asyncio.create_task(Worker(store, settings, clock).run(stop))

    async def told() -> bool:
        trouble = (await line.get("/status.json")).json["trouble"]
        return bool(trouble.startswith("Stopped: 100 events in a row"))

    await wait_until_async(told, "word of the stop")
    stop.set()
    await standing
    assert await store.xlen(keys.dead) == MAX_DEAD_IN_A_ROW


async def test_bytes_that_are_no_event_become_a_dead_letter(desk: Desk) -> None:
    """Whatever was appended with a right checksum, the worker outlives it."""
    await desk.append_bytes(b'{"not": "ours"}')
    await desk.append(created(2))
    await work(await desk.worker())
    ((payload, reason, _),) = await desk.dead()
    assert (payload, reason.partition(":")[0]) == ('{"not": "ours"}', "the stored bytes are no event")
    assert await desk.arrivals() == 1


async def test_data_that_cannot_be_folded_are_given_up_and_their_neighbours_counted(desk: Desk) -> None:
    """One unusable event among four: it is a dead letter, the others count once each."""
    await desk.append(created(1), created(2), unusable(3), created(4))
    await work(await desk.worker())
    ((payload, reason, tries),) = await desk.dead()
    assert payload == encode(unusable(3)).decode()
    assert (reason, tries) == ("the event cannot be counted: KeyError 'test'", "1")
    assert await desk.arrivals() == 3


async def test_a_dead_letter_is_counted_by_its_source(desk: Desk) -> None:
    """Received is counted plus dead: the totals say where everything went."""
    await desk.append(unusable(3))
    await work(await desk.worker())
    assert await desk.store.hget(desk.keys.counts, "shopify:dead") == b"1"


class Killed(BaseException):
    """What a worker does not live to catch."""


class Deadly(SiteCalendar):
    """A calendar that ends the process when it is asked about one instant."""

    def place(self, time_ms: int) -> Place:
        if time_ms // MINUTE_MS == NOW_MS // MINUTE_MS - 1:
            raise Killed
        return super().place(time_ms)


async def lives_of_a_worker(desk: Desk) -> int:
    """Start a worker again and again until it lives; how often it died."""
    for deaths in itertools.count():
        try:
            await work(await desk.worker("worker-1", Deadly(BERLIN.zone)))
            return deaths
        except Killed:
            continue
    raise AssertionError


async def test_an_entry_that_kills_the_worker_is_given_up_after_five_tries(desk: Desk) -> None:
    """It takes its worker down five times; the sixth puts it among the dead letters, unread."""
    killer = created(13, placed_ms=NOW_MS - MINUTE_MS)
    await desk.append(created(1), killer, created(2))
    assert await lives_of_a_worker(desk) == MAX_TRIES
    assert await desk.dead() == [
        (encode(killer).decode(), "the worker ended while it was working on it", str(MAX_TRIES + 1))]


async def test_neighbours_of_an_entry_that_kills_are_counted_once(desk: Desk) -> None:
    """They were in hand at every death, before it and behind it, and suffer nothing."""
    await desk.append(*(created(n) for n in range(1, 6)), created(13, placed_ms=NOW_MS - MINUTE_MS),
                      *(created(n) for n in range(20, 25)))
    await lives_of_a_worker(desk)
    assert await desk.arrivals() == 10
    assert await desk.pending() == []


async def test_a_pane_of_another_type_holds_up_only_its_own_entries(desk: Desk) -> None:
    """Somebody wrote into our keys: orders of that hour wait, all others are counted."""
    await desk.store.set(MINUTE_PANES, "not mine", px=60_000)
    (stuck, _) = await desk.append(created(1), created(2, placed_ms=NOW_MS - 120 * MINUTE_MS))
    aggregator = await desk.worker()
    await work(aggregator)
    assert await desk.pending() == [stuck]
    assert await desk.arrivals() == 1
    assert aggregator.tally.trouble.startswith(MINUTE_PANES)


async def test_what_cannot_be_counted_into_is_a_dead_letter_in_the_end(desk: Desk) -> None:
    """After five tries the entry is set aside with the key that stood in the way, and the worker is well."""
    await desk.store.set(MINUTE_PANES, "not mine", px=60_000)
    await desk.append(created(1))
    aggregator = await desk.worker()
    for _ in range(MAX_TRIES + 2):
        await aggregator.run_once()
        await desk.age(60_000)
        desk.clock.advance(1_000)
    ((_, reason, tries),) = await desk.dead()
    assert reason == f"{MINUTE_PANES} cannot be counted into: of another type, no whole numbers, or out of range"
    assert (tries, aggregator.tally.trouble) == (str(MAX_TRIES + 1), "")


async def test_a_trouble_that_ends_is_told_no_longer(desk: Desk) -> None:
    """Once the key is put right the entry is counted and the board's warning goes."""
    await desk.store.set(MINUTE_PANES, "not mine", px=60_000)
    await desk.append(created(1))
    aggregator = await desk.worker()
    await work(aggregator)
    await desk.store.delete(MINUTE_PANES)
    await desk.age(60_000)
    desk.clock.advance(1_000)
    await work(aggregator)
    assert (await desk.arrivals(), aggregator.tally.trouble) == (1, "")


async def test_a_dead_letter_that_cannot_be_written_is_said_and_kept(desk: Desk) -> None:
    """With the dead letters' own key spoilt the entry stays in hand, and the board says why."""
    await desk.store.hset(desk.keys.counts, "stream:dead", "many")
    ids = [await desk.append_bytes(b"spoilt", check="00000000")]
    aggregator = await desk.worker()
    await work(aggregator)
    assert await desk.pending() == ids
    assert aggregator.tally.trouble == "no dead letter can be written: {main}:counts"


async def test_a_state_of_another_type_holds_up_only_its_own_order(desk: Desk) -> None:
    """The order whose memory was spoilt waits; its neighbours in the batch are counted."""
    await desk.store.rpush(desk.keys.entity("shopify:paper-boat.myshopify.com:order:1"), "not mine")
    ids = await desk.append(created(1), created(2))
    await work(await desk.worker())
    assert await desk.pending() == ids[:1]
    assert await desk.arrivals() == 1
    await desk.store.flushall()


async def test_a_batch_of_many_writes_is_split(desk: Desk) -> None:
    """256 orders in as many minutes and hours are more than one script may write: several commits, one sum."""
    orders = [created(n, placed_ms=NOW_MS - n * 44 * MINUTE_MS, updated_ms=NOW_MS) for n in range(1, 257)]
    await desk.append(*orders)
    await (await desk.worker()).run_once()
    assert len(await desk.changes()) > 1
    assert await desk.panes() == in_names(fold_all(orders, BERLIN).about_orders())


async def test_two_workers_on_the_same_orders_count_as_one(desk: Desk) -> None:
    """Versions of twenty orders, shuffled and shared by two workers that run at once: no lock, one truth."""
    versions = [created(n, total=f"{n}.{step:02}", updated_ms=NOW_MS + step * 1000)
                for n in range(1, 21) for step in range(40)]
    random.Random(5).shuffle(versions)
    await desk.append(*versions)
    one, other = await desk.worker("worker-1"), await desk.worker("worker-2")
    await asyncio.gather(work(one), work(other))
    assert await desk.panes() == in_names(fold_all(versions, BERLIN).about_orders())
    assert await desk.arrivals() == 800


class Meeting(Rollups):
    """Panes and states for two workers that both read an order's state before either writes it."""

    barrier = asyncio.Barrier(2)

    async def states(self, entities: Iterable[str]) -> dict[str, bytes]:
        found = await super().states(entities)
        if not found:
            await self.barrier.wait()
        return found


async def test_of_two_workers_that_fold_one_order_at_once_one_folds_again(desk: Desk) -> None:
    """Both believe the order to be new; the second commit is refused and folds over what the first stored."""
    versions = [created(1, total="10.00"), created(1, total="12.00", updated_ms=NOW_MS + 1000)]
    workers = [await desk.worker(name) for name in ("worker-1", "worker-2")]
    for version, worker in zip(versions, workers, strict=True):
        await desk.append(version)
        worker._rollups = Meeting(desk.store, desk.keys, desk.scripts, 0, worker._rules)
    entries = [await worker._stream.read_new(1, 1) for worker in workers]
    await asyncio.gather(*(worker.work(read) for worker, read in zip(workers, entries, strict=True)))
    assert sum(worker.tally.refolds for worker in workers) == 1
    assert await desk.panes() == in_names(fold_all(versions, BERLIN).about_orders())


async def test_an_entry_acknowledged_elsewhere_is_fenced(desk: Desk) -> None:
    """This worker folds it, another has counted it meanwhile: the commit is refused and nothing is doubled."""
    await desk.append(created(1), created(2))
    aggregator = await desk.worker("worker-1")
    entries = await desk_read(aggregator)
    await desk.age(60_000)
    await work(await desk.worker("worker-2"))
    await aggregator.work(entries)
    assert (await desk.arrivals(), aggregator.tally.fenced, aggregator.tally.counted) == (2, 2, 0)


async def desk_read(aggregator: Any) -> Any:
    """What a worker reads before it stalls."""
    return await aggregator._stream.read_new(10, 1)


@pytest.fixture
async def running(store: Redis, settings: Settings, clock: ManualClock) -> AsyncIterator[asyncio.Task[None]]:
    """A worker that runs by itself."""
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(store, settings, clock).run(stop))
    await wait_until_async(lambda: store.exists("{main}:note:workers"), "the worker's sign of life")
    yield task
    stop.set()
    await task


@pytest.mark.parametrize("lost", ["group", "stream", "everything"])
async def test_a_running_worker_makes_anew_what_was_deleted(
    desk: Desk, running: asyncio.Task[None], lost: str
) -> None:
    """Group, stream or the whole store emptied under its hands: what comes next is counted."""
    if lost == "group":
        await desk.store.xgroup_destroy(desk.keys.events, GROUP)
    elif lost == "stream":
        await desk.store.delete(desk.keys.events)
    else:
        await desk.store.flushall()
    await desk.append(created(7))
    await wait_until_async(desk.panes, "the order's panes")
    assert await desk.panes() == in_names(fold_all([created(7)], BERLIN).about_orders())


async def test_a_group_made_anew_counts_no_order_twice(desk: Desk, running: asyncio.Task[None]) -> None:
    """All events that are still there are read again; the orders' states know them."""
    await desk.append(created(1), created(2))
    await wait_until_async(desk.panes, "the orders' panes")
    await desk.store.xgroup_destroy(desk.keys.events, GROUP)
    await desk.append(created(3))
    expected = in_names(fold_all(map(created, (1, 2, 3)), BERLIN).about_orders())
    await wait_until_async(lambda: has(desk, expected), "the panes of three orders")


async def has(desk: Desk, expected: dict[str, int]) -> bool:
    return await desk.panes() == expected


async def test_a_worker_works_on_after_the_scripts_were_forgotten(desk: Desk) -> None:
    """SCRIPT FLUSH between two batches costs a round trip and nothing else."""
    aggregator = await desk.worker()
    for number in (1, 2, 3):
        await desk.append(created(number))
        await desk.store.script_flush()
        await work(aggregator)
    assert await desk.arrivals() == 3


async def test_a_full_store_is_drained_by_a_worker_that_starts(
    desk: Desk, settings: Settings, clock: ManualClock
) -> None:
    """Memory is full: a worker still starts, counts what waits, and trims, which is what makes room."""
    await work(await desk.worker())
    await desk.append(*(created(n) for n in range(1, 11)))
    await desk.store.hset(desk.keys.meta, "rules", Rules(settings.catalogue, BERLIN).name)
    await desk.store.config_set("maxmemory", "1mb")
    try:
        worker = Worker(desk.store, settings, clock)
        await worker.step(await worker.start(), 1)
        await worker.step(await worker.start(), 1)
    finally:
        await desk.store.config_set("maxmemory", "256mb")
    assert (await desk.arrivals(), await desk.pending()) == (10, [])


@pytest.mark.skipif(not FIXTURES.exists(), reason="the real deliveries of ../shared/fixtures are not here")
async def test_a_real_order_of_2017_walks_the_line(line: Line, clock: ManualClock) -> None:
    """Its six versions over HTTP, in a muddle: 470.00 on the day sold, 150.00 back on the day given."""
    clock.set(berlin_ms("2017-10-08T12:00"))
    for number in (4, 1, 6, 2, 5, 3):
        body = orjson.loads((FIXTURES / f"orders_rest__{number}.json").read_bytes())
        assert (await line.post("orders/updated", body | {"test": False})).status == 200
    await line.work()
    kept = "{main}:pane:0:revenue:d:2017"
    assert await line.store.hgetall(f"{kept}06") == {b"15.s:EUR": b"47000"}
    assert await line.store.hgetall(f"{kept}10") == {b"7.s:EUR": b"-15000"}


def berlin_ms(wall: str) -> int:
    return BERLIN.instant(datetime.fromisoformat(wall))
