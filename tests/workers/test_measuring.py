"""What the memory is spent on: level by level, and which dimensions are full."""

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.catalogue import Catalogue, Rollup
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.notes import MemoryNote, read_memory
from opsmon.workers.measuring import kind_of, measure
from tests.conftest import NOW_MS
from tests.memory import event
from tests.orders import order
from tests.workers.desk import BERLIN, Desk, work

pytestmark = pytest.mark.anyio


async def measured(store: Redis, keys: Keys, clock: ManualClock, catalogue: Catalogue = BUILT_IN) -> MemoryNote:
    """What is noted after three orders to three countries."""
    desk = Desk(store, keys, clock, catalogue)
    await desk.append(*(event("orders/create", order(n, shipping_address={"country_code": code}))
                        for n, code in enumerate(("DE", "FR", "AT"), 1)))
    await work(await desk.worker())
    await measure(store, keys, Rules(catalogue, BERLIN), 0, NOW_MS)
    found = await read_memory(Reader(store), keys)
    assert found is not None
    return found


async def test_each_level_says_what_it_costs(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Minutes, hours, days, what is remembered, raw events: each with its keys and bytes."""
    note = await measured(store, keys, clock)
    found = {one.kind: one for one in note.footprints}
    # Three orders and their customer.
    assert found["entity"].keys == len([key async for key in store.scan_iter(match=f"{keys.tag}:entity:*")])
    assert {"minutes", "hours", "days", "events", "open", "rows"} <= set(found)
    assert all(one.size_bytes > 40 * one.keys for one in note.footprints)


async def test_the_sizes_are_those_the_server_tells(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Of few keys every one is measured: nothing is estimated."""
    note = await measured(store, keys, clock)
    told = sum([await store.memory_usage(key, samples=0) or 0
                async for key in store.scan_iter(match=f"{keys.tag}:open:*")])
    assert {one.kind: one.size_bytes for one in note.footprints}["open"] == told


async def test_the_dearest_comes_first(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Whoever is short of memory looks at the top."""
    sizes = [one.size_bytes for one in (await measured(store, keys, clock)).footprints]
    assert sizes == sorted(sizes, reverse=True)


async def test_a_dimension_at_its_cap_is_named(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Two countries are told apart, a third is not."""
    few = Catalogue((Rollup("x-country", on=("order.placed",), measure="count", by=("country",), cap=2),
                     Rollup("x-channel", on=("order.placed",), measure="count", by=("channel",), cap=2)), ())
    assert (await measured(store, keys, clock, few)).full == ["x-country"]


async def test_the_rows_that_hold_now_are_those_of_all_times(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """This month there is one, and room for another; but not among what holds now."""
    now = Catalogue((Rollup("x-waits", on=("order.open",), measure="count", by=("waits_for",), cap=2,
                            levels="nh"),), ())
    await store.sadd(keys.rows(0, "x-waits", ""), "packing", "payment")
    assert (await measured(store, keys, clock, now)).full == ["x-waits"]


async def test_a_ranking_with_a_rest_is_named(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Two countries are ranked, the third counts among the rest."""
    few = Catalogue((Rollup("x-top", on=("order.placed",), measure="top", value="amount", by=("country",), cap=2,
                            levels="d"),), ())
    assert (await measured(store, keys, clock, few)).full == ["x-top"]


@pytest.mark.parametrize(("name", "kind"), [
    ("pane:0:orders:m:1795179600", "minutes"), ("top:3:products:d:20261120:EUR", "days"),
    ("unique:0:visitors:h:1795179600", "hours"), ("pane:0:stock:n:", "now"), ("entity:shopify:shop:order:1", "entity"),
    ("events", "events"), ("rows:0:stock:202611", "rows"),
])
def test_a_key_is_counted_under_its_level(name: str, kind: str) -> None:
    """Panes by their level, all else by its first word."""
    assert kind_of(name) == kind
