"""verify: a second count beside the first, of orders and of events that nothing remembers."""

import asyncio
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import HOUR_MS, SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.core.events import Event, EventId
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN
from opsmon.core.panes import Hash
from opsmon.store.keys import Keys
from opsmon.workers.rebuild import settle
from opsmon.workers.verify import Difference, Report, verify
from tests.conftest import NOW_MS
from tests.memory import event
from tests.orders import iso, order, refund
from tests.workers.desk import BERLIN, Desk, work

pytestmark = pytest.mark.anyio

RULES = Rules(BUILT_IN, BERLIN)


def request(number: int, time_ms: int = NOW_MS) -> Event:
    """A request to some endpoint: an event that nothing remembers."""
    data = {"endpoint": f"/e{number % 3}", "status": 500 if number % 5 == 0 else 200, "ms": number + 1}
    return Event(EventId(f"api:{number}"), "api.request", time_ms, time_ms, "api", "main", "", None, data)


def view(number: int, time_ms: int = NOW_MS) -> Event:
    """A page that a visitor looked at."""
    return Event(EventId(f"web:{number}"), "page.viewed", time_ms, time_ms, "web", "main", "", None,
                 {"visitor": f"v{number % 7}"})


SALES = [event("orders/updated", order(n, f"{n}.50", placed_ms=NOW_MS - n * HOUR_MS, updated_ms=NOW_MS,
                                       refunds=[refund(9000 + n, 5.0)] if n % 3 == 0 else []))
         for n in range(1, 40)]

# Products that were renamed and tagged anew, one that is gone, and shelves, one of which is empty.
GOODS = [*(event("products/update", {"id": n, "title": f"Boat {version}-{n}", "tags": f"sea, v{version}",
                                     "updated_at": iso(NOW_MS - 90_000 + version * 1_000),
                                     "variants": [{"inventory_item_id": 70 + n, "sku": f"BOAT-{n}"}]})
           for version in (1, 2) for n in range(1, 9)), event("products/delete", {"id": 8}),
         *(event("inventory_levels/update", {"inventory_item_id": 70 + n, "location_id": 1, "available": pieces,
                                             "updated_at": iso(NOW_MS - 9_000 - pieces)})
           for pieces in (5, 0) for n in range(1, 9))]


@pytest.fixture
async def desk(store: Redis, keys: Keys, clock: ManualClock) -> Desk:
    """A desk where orders, requests and visits of some hours were counted."""
    await settle(store, keys, RULES, NOW_MS, NOW_MS)
    made = Desk(store, keys, clock)
    await made.append(*(request(n, NOW_MS - n * 60_000) for n in reversed(range(200))),
                      *(view(n, NOW_MS - n * 1_000) for n in reversed(range(200))), *SALES, *GOODS)
    await work(await made.worker())
    return made


async def check(desk: Desk) -> Report:
    return await verify(desk.store, desk.keys, RULES, NOW_MS)


async def test_what_was_counted_is_what_a_recount_gives(desk: Desk) -> None:
    """Orders, requests, visits: every number of every rollup is compared, and equal."""
    report = await check(desk)
    assert report.differences == []
    assert (report.numbers > 1_000, report.rollups) == (True, len(BUILT_IN.rollups))


async def test_goods_are_among_what_was_counted(desk: Desk) -> None:
    """The newest names and tags, empty shelves, and what was sold of each SKU: all of that was compared."""
    names = {rollup: await desk.panes((rollup,)) for rollup in ("goods", "tags", "stock")}
    assert [len(names[rollup]) for rollup in names] == [7, 14, 8]
    assert names["goods"]["goods:n:.71|BOAT-1|Boat 2-1.n"] == 1
    assert await desk.store.zcard(desk.keys.panes(0, Hash("sold", "d", "20261120"), "top")) > 0


async def test_verify_writes_nothing(desk: Desk) -> None:
    """Looking does not touch: no key appears, none changes."""
    before = sorted([key async for key in desk.store.scan_iter()])
    await check(desk)
    assert sorted([key async for key in desk.store.scan_iter()]) == before


@pytest.mark.parametrize(("rollup", "level", "span", "field"), [
    ("orders", "d", "202611", "20.n"), ("api-errors", "d", "20261120", "/e1.b"), ("visits", "h", "20261120", "840.n"),
])
async def test_a_number_that_is_off_by_one_is_found(desk: Desk, rollup: str, level: str, span: str, field: str) -> None:
    """One too many, in a day, a row or a session: named with what it should be."""
    key = desk.keys.panes(0, Hash(rollup, level, span))  # type: ignore[arg-type]
    right = int(await desk.store.hget(key, field) or 0)
    await desk.store.hincrby(key, field, 1)
    assert (await check(desk)).differences == [Difference(rollup, level, span, field, str(right + 1), str(right))]


async def test_a_pane_that_is_gone_is_found(desk: Desk) -> None:
    """A deleted hash is not nothing to compare: its numbers are missing."""
    await desk.store.delete(desk.keys.panes(0, Hash("revenue", "d", "202611")))
    found = (await check(desk)).differences
    assert {(one.rollup, one.counted) for one in found} == {("revenue", "0")}


async def test_a_pane_nobody_counted_is_found(desk: Desk) -> None:
    """A number out of nowhere should be none."""
    await desk.store.hset(desk.keys.panes(0, Hash("orders", "d", "202601")), "5.n", "7")
    assert (await check(desk)).differences == [Difference("orders", "d", "202601", "5.n", "7", "0")]


async def test_a_best_seller_that_is_wrong_is_found(desk: Desk) -> None:
    """What is ranked is compared member by member."""
    key = desk.keys.panes(0, Hash("pieces", "d", "20261120"), "top")
    (member, score), *_ = await desk.store.zrevrange(key, 0, 0, withscores=True)
    await desk.store.zincrby(key, 3, member)
    assert (await check(desk)).differences == [
        Difference("pieces", "d", "20261120", member.decode(), str(int(score) + 3), str(int(score)))]


async def test_an_order_missing_among_the_open_ones_is_found(desk: Desk) -> None:
    """What is open is compared order by order."""
    await desk.store.zpopmin(desk.keys.open(0, "open-orders"))
    assert [(one.rollup, one.counted) for one in (await check(desk)).differences] == [("open-orders", "0")]


async def test_panes_older_than_the_oldest_event_are_not_doubted(desk: Desk) -> None:
    """Of requests whose events are gone the old count is all there is; the hour half covered is not compared."""
    *_, (kept, _) = await desk.store.xrange(desk.keys.events, count=100)
    await desk.store.xtrim(desk.keys.events, minid=kept, approximate=False)
    report = await check(desk)
    assert (report.differences, report.covers_ms) == ([], NOW_MS - 100 * 60_000)


async def test_verify_is_right_while_events_are_counted(desk: Desk) -> None:
    """A shop does not stand still to be checked: what is counted meanwhile is no difference."""
    worker, done = await desk.worker("worker-2"), asyncio.Event()

    async def trade() -> None:
        for n in range(300):
            await desk.append(request(1_000 + n), event("orders/updated", order(n % 50 + 1, f"{n}.00",
                                                                                  updated_ms=NOW_MS + n * 1000)))
            await worker.run_once()
        done.set()

    trading = asyncio.create_task(trade())
    reports = [await check(desk)]
    while not done.is_set():
        reports.append(await check(desk))
    await trading
    assert [report.differences for report in reports] == [[]] * len(reports)


async def test_other_rules_are_refused(desk: Desk) -> None:
    """Settings that say another zone than the site counts by would call everything wrong."""
    utc = SiteCalendar(ZoneInfo("UTC"))
    with pytest.raises(OpsmonError, match="start a worker with them first"):
        await verify(desk.store, desk.keys, Rules(BUILT_IN, utc), NOW_MS)
