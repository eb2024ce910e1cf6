"""The two streams of a site: what pages send is counted like everything else, and never before an order."""

import itertools
from typing import Any

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.events import Event, EventId
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN
from opsmon.settings import Settings
from opsmon.store import health_queries
from opsmon.store.connection import Reader
from opsmon.store.event_stream import checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Taken
from opsmon.workers.aggregator import MAX_DEAD_IN_A_ROW
from opsmon.workers.janitor import tidy
from opsmon.workers.lanes import VISITS_AT_ONCE, Lanes
from opsmon.workers.rebuild import rebuild
from opsmon.workers.shadow import oldest_ms
from opsmon.workers.verify import verify
from opsmon.workers.worker import Worker
from tests.conftest import NOW_MS
from tests.memory import event
from tests.orders import order
from tests.workers.desk import BERLIN, Desk

pytestmark = pytest.mark.anyio

RULES = Rules(BUILT_IN, BERLIN)
_numbers = itertools.count(1)


def view(visitor: str = "v1", time_ms: int = NOW_MS, **data: Any) -> Event:
    """A page seen by a visitor."""
    return Event(EventId(f"pixel:{next(_numbers)}"), "page.viewed", time_ms, time_ms, "pixel", "main", "", None,
                 {"visitor": visitor, **data})


def taken(seen: Event) -> Taken:
    payload = encode(seen)
    return Taken("event", seen.source, seen.id, payload, checksum(payload))


class Floor:
    """Both streams of a site, and one worker of them."""

    def __init__(self, store: Redis, settings: Settings, clock: ManualClock) -> None:
        self.store, self.keys = store, Keys(settings.site)
        self.scripts = Scripts(store, self.keys)
        self.desk = Desk(store, self.keys, clock)
        self.worker = Worker(store, settings, clock)
        self.lanes: Lanes

    async def visits(self, *seen: Event) -> None:
        await self.scripts.append_visits([taken(one) for one in seen], NOW_MS)

    async def orders(self, *numbers: int) -> None:
        await self.scripts.append_events([taken(event("orders/create", order(n))) for n in numbers], NOW_MS)

    async def work(self) -> None:
        while await self.lanes.run_once(1):
            pass

    async def counted(self, generation: int = 0) -> tuple[int, int]:
        """Orders, and pages within visits."""
        panes = await self.desk.panes(("orders", "visits"), generation)
        days = {name: amount for name, amount in panes.items() if ":d:" in name}
        return (sum(amount for name, amount in days.items() if name.startswith("orders:") and name.endswith("n")),
                sum(amount for name, amount in days.items() if name.startswith("visits:") and name.endswith(".e")))


@pytest.fixture
async def floor(store: Redis, settings: Settings, clock: ManualClock) -> Floor:
    """A site whose worker has started."""
    made = Floor(store, settings, clock)
    made.lanes = await made.worker.start()
    return made


async def test_both_streams_are_counted(floor: Floor) -> None:
    """Two orders from Shopify and three pages from the shop's visitors."""
    await floor.orders(1, 2)
    await floor.visits(view(), view(), view("v2"))
    await floor.work()
    assert await floor.counted() == (2, 3)


async def test_orders_are_worked_before_any_visit(floor: Floor) -> None:
    """A hundred visits came first; after one round the order is counted and none of them."""
    await floor.visits(*(view(f"v{n}") for n in range(100)))
    await floor.orders(1)
    await floor.lanes.run_once()
    assert await floor.counted() == (1, 0)


async def test_a_flood_of_visits_is_worked_in_small_batches(floor: Floor) -> None:
    """An order that arrives meanwhile waits for one of them, not for all."""
    await floor.visits(*(view(f"v{n}") for n in range(600)))
    first = await floor.lanes.run_once()
    await floor.orders(1)
    await floor.lanes.run_once()
    assert (first, await floor.counted()) == (VISITS_AT_ONCE, (1, VISITS_AT_ONCE))


async def test_a_worker_waits_for_either_stream_at_once(floor: Floor) -> None:
    """What comes while nothing waits is read in one question of both."""
    await floor.work()
    orders = await floor.lanes._orders.read_first([floor.lanes._visits], 10, 1)
    await floor.visits(view())
    visits = await floor.lanes._orders.read_first([floor.lanes._visits], 10, 1)
    assert (orders, [len(entries) for entries in visits]) == ([[], []], [0, 1])


async def test_each_visit_is_acknowledged_where_it_was_read(floor: Floor) -> None:
    """Afterwards nothing is in hand in either stream."""
    await floor.orders(1)
    await floor.visits(view())
    await floor.work()
    pending = [(await floor.store.xpending(stream, "rollups"))["pending"] for stream in floor.keys.streams]
    assert pending == [0, 0]


async def test_a_visit_sent_twice_counts_once(floor: Floor) -> None:
    """A page that sends again has its id, and the mark of it goes after ten minutes, not after a week."""
    seen = view()
    await floor.visits(seen)
    outcomes = await floor.scripts.append_visits([taken(seen)], NOW_MS)
    left_ms = await floor.store.pttl(floor.keys.seen(seen.id))
    assert (outcomes, 0 < left_ms <= 600_000) == ([b"duplicate"], True)


async def test_what_waits_is_what_waits_in_both(floor: Floor) -> None:
    """The backlog that the board shows: three orders and two visits."""
    await floor.orders(1, 2, 3)
    await floor.visits(view(), view())
    backlog = await health_queries.backlog(Reader(floor.store), floor.keys)
    assert (backlog.unread, backlog.pending) == (5, 0)


async def test_verify_recounts_both(floor: Floor) -> None:
    """Nothing differs while all is right."""
    await floor.orders(1, 2)
    await floor.visits(view(), view("v2"))
    await floor.work()
    assert (await verify(floor.store, floor.keys, RULES, NOW_MS)).differences == []


async def test_verify_finds_a_delivery_of_a_page_that_was_not_counted(floor: Floor) -> None:
    """The control: one delivery taken from the count of what pages sent is found."""
    await floor.visits(view())
    await floor.work()
    (key,) = await floor.store.keys("{main}:pane:0:deliveries:d:*")
    await floor.store.hincrby(key, "pixel.n", -1)
    found = (await verify(floor.store, floor.keys, RULES, NOW_MS)).differences
    assert [(one.rollup, one.counted, one.recounted) for one in found] == [("deliveries", "0", "1")]


async def test_replay_counts_both_anew(floor: Floor) -> None:
    """Counted beside the live numbers and swapped, they are the same numbers."""
    await floor.orders(1, 2)
    await floor.visits(view(), view("v2"), view("v2", NOW_MS + 60_000))
    await floor.work()
    before = await floor.desk.panes(("orders", "visits", "deliveries"))
    generation = await rebuild(floor.store, floor.keys, RULES, NOW_MS)
    assert before and await floor.desk.panes(("orders", "visits", "deliveries"), generation) == before


async def test_what_was_forgotten_of_either_stream_is_not_recounted(floor: Floor) -> None:
    """All events are known from when the younger of the two streams begins: panes before are kept as they are."""
    await floor.orders(1)
    await floor.visits(view(time_ms=NOW_MS), view(time_ms=NOW_MS + 1_000), view(time_ms=NOW_MS + 2_000))
    await floor.work()
    never = await oldest_ms(floor.store, floor.keys)
    *_, (last, _) = await floor.store.xrange(floor.keys.visits)
    await floor.store.xtrim(floor.keys.visits, minid=last, approximate=False)
    assert (never, await oldest_ms(floor.store, floor.keys)) == (None, NOW_MS + 2_000)


async def test_each_stream_is_trimmed_to_its_own_share(floor: Floor) -> None:
    """Visits beyond their memory go, orders stay: neither pushes the other out."""
    for number in range(1_000):
        await floor.store.xadd(floor.keys.visits, {"e": b"x" * 500, "c": b"y"}, id=f"{NOW_MS + number}-0")
    await floor.orders(*range(1, 11))
    await floor.store.xgroup_setid(floor.keys.visits, "rollups", f"{NOW_MS + 999}-0")
    size_bytes = await floor.store.memory_usage(floor.keys.visits)
    await tidy(floor.store, floor.keys, floor.scripts, NOW_MS + 1_000, 3_600_000,
               {floor.keys.events: 2**30, floor.keys.visits: size_bytes // 2})
    assert await floor.store.xlen(floor.keys.events) == 10
    assert 490 <= await floor.store.xlen(floor.keys.visits) <= 510


async def test_visits_that_cannot_be_counted_do_not_stop_the_orders(floor: Floor) -> None:
    """A hundred spoilt ones in a row and the visits stand still, with a word on the board; orders go on."""
    for _ in range(MAX_DEAD_IN_A_ROW + 1):
        await floor.store.xadd(floor.keys.visits, {"e": b"spoilt", "c": b"00000000"})
    await floor.work()
    await floor.orders(1)
    await floor.work()
    assert (await floor.counted(), floor.lanes.trouble.partition(".")[0]) == (
        (1, 0), "What pages send is not counted any more")
