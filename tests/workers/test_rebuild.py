"""Counting anew, beside what counts: whole, once, with live traffic going on, and undone when interrupted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Catalogue, Rollup
from opsmon.core.events import Event, EventId
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN, KPIS, ROLLUPS
from opsmon.core.panes import Hash
from opsmon.settings import Settings
from opsmon.store.connection import worker_client
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.workers.aggregator import GenerationMoved
from opsmon.workers.rebuild import OtherRules, RebuildRefused, rebuild, settle
from opsmon.workers.shadow import Shadow
from opsmon.workers.verify import verify
from opsmon.workers.worker import Worker
from tests.conftest import NOW_MS
from tests.memory import event, fold_all
from tests.orders import iso, order, refund
from tests.store.dump import dump
from tests.waiting import wait_until_async
from tests.workers.desk import BERLIN, Desk, in_names, work

pytestmark = pytest.mark.anyio

TOKYO = SiteCalendar(ZoneInfo("Asia/Tokyo"))
RULES, IN_TOKYO = Rules(BUILT_IN, BERLIN), Rules(BUILT_IN, TOKYO)
# Every five hours of two months back, some with a refund: 300 entities and more than one step of a rebuild.
SALES = [event("orders/updated", order(n, f"{n}.00", placed_ms=NOW_MS - 5 * n * HOUR_MS, updated_ms=NOW_MS,
                                       refunds=[refund(9000 + n, 5.0)] if n % 3 == 0 else []))
         for n in range(1, 226)]


def request(number: int, minutes_ago: int = 0) -> Event:
    """A request to some endpoint: an event that nothing remembers."""
    time_ms = NOW_MS - minutes_ago * MINUTE_MS
    data = {"endpoint": f"/e{number % 3}", "status": 500 if number % 5 == 0 else 200, "ms": number + 1}
    return Event(EventId(f"api:{number}"), "api.request", time_ms, time_ms, "api", "main", "", None, data)


REQUESTS = [request(n, 300 - n) for n in range(300)]


@pytest.fixture
async def desk(store: Redis, keys: Keys, clock: ManualClock) -> Desk:
    """A desk where all sales and requests were counted by Berlin's days."""
    made = Desk(store, keys, clock)
    await settle(store, keys, RULES, NOW_MS, NOW_MS)
    await made.append(*REQUESTS, *SALES)
    await work(await made.worker())
    return made


def fresh(calendar: SiteCalendar, sales: list[Event] = SALES) -> dict[str, int]:
    """The panes of a count that never knew another calendar."""
    return in_names(fold_all(sales, calendar).about_orders())


async def settled(desk: Desk, rules: Rules) -> int:
    """What a worker that starts now makes of the site."""
    return await settle(desk.store, desk.keys, rules, NOW_MS, NOW_MS)


async def generation(desk: Desk) -> str:
    return (await desk.store.hget(desk.keys.meta, "generation") or b"0").decode()


async def counted(desk: Desk, number: int) -> dict[bytes, Any]:
    """All that a generation holds, by keys that do not name it; estimates by what they estimate."""
    found = {}
    for key, value in (await dump(desk.store)).items():
        site, kind, *rest = key.split(b":", 3)
        if kind in (b"pane", b"top", b"open", b"rows") and rest[0] == b"%d" % number:
            found[site + kind + rest[1]] = value
    return found


async def test_the_first_worker_gives_the_site_its_rules(store: Redis, keys: Keys) -> None:
    """Nothing is counted yet, so there is nothing to count anew: generation 0."""
    assert await settle(store, keys, RULES, NOW_MS, NOW_MS) == 0
    assert await store.hget(keys.meta, "rules") == RULES.name.encode()


async def test_the_same_calendar_counts_nothing_anew(desk: Desk) -> None:
    """Starting a worker again changes no pane."""
    before = await desk.panes()
    assert await settled(desk, RULES) == 0
    assert await desk.panes() == before


@pytest.mark.parametrize("calendar", [TOKYO, SiteCalendar(ZoneInfo("Asia/Kathmandu")),
                                      SiteCalendar(BERLIN.zone, 4 * HOUR_MS)], ids=lambda c: c.name)
async def test_after_a_change_the_panes_are_those_of_a_fresh_count(desk: Desk, calendar: SiteCalendar) -> None:
    """Another zone, a half-hour one, or days from four in the morning: all as if ever so."""
    found = await settled(desk, Rules(BUILT_IN, calendar))
    assert await desk.panes(generation=found) == fresh(calendar)


async def test_panes_of_the_old_calendar_are_forgotten(desk: Desk) -> None:
    """They would lie about for ever: day panes do not expire."""
    await settled(desk, IN_TOKYO)
    assert await desk.panes(generation=0) == {}


async def test_a_rebuild_leaves_no_lock_behind(desk: Desk) -> None:
    """The next change need not wait."""
    await settled(desk, IN_TOKYO)
    assert await desk.store.exists(desk.keys.note("recount")) == 0


async def test_what_comes_after_is_counted_by_the_new_calendar(desk: Desk) -> None:
    """An edit after the change takes the old total out of the new panes, too."""
    found = await settled(desk, IN_TOKYO)
    edited = event("orders/updated", order(1, "99.00", placed_ms=NOW_MS - 5 * HOUR_MS, updated_ms=NOW_MS + 1000))
    await desk.append(edited)
    await work(await desk.worker("worker-1", TOKYO, found))
    assert await desk.panes(generation=found) == fresh(TOKYO, [*SALES, edited])


class Interrupted(Exception):
    """Whoever counted anew is gone."""


async def gone(*args: Any) -> None:
    raise Interrupted


@pytest.mark.parametrize("step", ["begin", "keep_up"])
async def test_an_interrupted_rebuild_leaves_what_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before the swap or in it: the old generation counts on, workers go on, and the next attempt is whole."""
    before = await counted(desk, 0)
    with monkeypatch.context() as patched:
        patched.setattr(Shadow, step, gone)
        with pytest.raises(Interrupted):
            await settled(desk, IN_TOKYO)
    assert (await generation(desk), await counted(desk, 0)) == ("0", before)
    later = event("orders/create", order(5000))
    await desk.append(later)
    await work(await desk.worker())
    found = await settled(desk, IN_TOKYO)
    assert await desk.panes(generation=found) == fresh(TOKYO, [*SALES, later])
    assert await desk.panes(generation=found - 1) == {}


async def test_a_fence_that_was_left_standing_is_taken_down(desk: Desk) -> None:
    """A process was killed in the swap: the next worker that starts finds nobody at it, and counts on."""
    await desk.scripts.rebuild("fence", await desk.scripts.rebuild("begin"))
    assert await settled(desk, RULES) == 0
    await desk.append(event("orders/create", order(5000)))
    await work(await desk.worker())
    assert await desk.pending() == []


async def test_of_two_rebuilds_one_is_refused(desk: Desk) -> None:
    """Two people press at once: one counts anew, the other hears that it is being done."""
    done = await asyncio.gather(*(rebuild(desk.store, desk.keys, RULES, NOW_MS) for _ in range(2)),
                                return_exceptions=True)
    assert [one for one in done if isinstance(one, int)] == [1]
    assert [type(one) for one in done if not isinstance(one, int)] == [RebuildRefused]


async def test_a_rebuild_that_stalls_is_fenced_by_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lock expired and another began: the first may not add to the second's panes, nor end it."""
    begin, found = Shadow.begin, []

    async def overtaken(shadow: Shadow, progress: Any) -> None:
        await begin(shadow, progress)
        monkeypatch.setattr(Shadow, "begin", begin)
        await desk.store.delete(desk.keys.note("recount"))
        found.append(await settled(desk, IN_TOKYO))

    monkeypatch.setattr(Shadow, "begin", overtaken)
    with pytest.raises(RebuildRefused):
        await rebuild(desk.store, desk.keys, RULES, NOW_MS)
    assert await generation(desk) == str(found[0])
    assert await desk.panes(generation=found[0]) == fresh(TOKYO)


async def test_workers_of_the_old_calendar_are_fenced(desk: Desk) -> None:
    """A worker that still counts by Berlin's days may not commit; its entry stays for one that may."""
    old = await desk.worker("worker-1")
    found = await settled(desk, IN_TOKYO)
    ids = await desk.append(event("orders/create", order(5000)))
    with pytest.raises(GenerationMoved):
        await old.run_once()
    assert await desk.pending() == ids
    assert await desk.panes(generation=found) == fresh(TOKYO)


async def test_a_worker_started_before_the_rules_changed_stands_still(desk: Desk) -> None:
    """Else two processes with different settings would count the site anew for ever, by turns."""
    await settle(desk.store, desk.keys, IN_TOKYO, NOW_MS + 5, NOW_MS + 5)
    with pytest.raises(OtherRules, match="was started to count by Europe/Berlin"):
        await settled(desk, RULES)


async def test_the_same_rules_give_the_same_panes(desk: Desk) -> None:
    """Replaying changes nothing where nothing was wrong: orders, requests, rankings, what is open."""
    before = await counted(desk, 0)
    found = await rebuild(desk.store, desk.keys, RULES, NOW_MS)
    assert await counted(desk, found) == before
    assert (await verify(desk.store, desk.keys, RULES, NOW_MS)).differences == []


async def test_a_number_that_was_wrong_is_right_after_a_replay(desk: Desk) -> None:
    """What somebody broke by hand is made again from what is remembered."""
    before = await counted(desk, 0)
    await desk.store.hincrby(desk.keys.panes(0, Hash("orders", "d", "202611")), "20.n", 5)
    await desk.store.delete(desk.keys.panes(0, Hash("api-errors", "h", str(NOW_MS // HOUR_MS * 3600))))
    assert await counted(desk, await rebuild(desk.store, desk.keys, RULES, NOW_MS)) == before


async def test_panes_older_than_the_oldest_event_are_taken_over(desk: Desk) -> None:
    """Events are kept two days, hours four hundred: what no event tells any more is not lost, and the hour
    that is half covered is counted once."""
    before = await counted(desk, 0)
    *_, (kept, _) = await desk.store.xrange(desk.keys.events, count=150)
    await desk.store.xtrim(desk.keys.events, minid=kept, approximate=False)
    assert await counted(desk, await rebuild(desk.store, desk.keys, RULES, NOW_MS)) == before


async def test_live_traffic_goes_on_while_a_site_is_counted_anew(desk: Desk, settings: Settings, clock: ManualClock,
                                                                   server: EmbeddedStore) -> None:
    """Orders and requests that come meanwhile are counted once, in the new panes."""
    stop, client = asyncio.Event(), worker_client(server.url)
    running = asyncio.create_task(Worker(client, settings, clock).run(stop))
    later = [made for n in range(200) for made in (
        request(1_000 + n), event("orders/updated", order(n % 60 + 1, f"{n}.00", updated_ms=NOW_MS + n * 1000)))]

    async def trade() -> None:
        for one in later:
            await desk.append(one)

    trading, rebuilt = asyncio.create_task(trade()), 0
    while not trading.done():
        rebuilt = await rebuild(desk.store, desk.keys, RULES, NOW_MS)
    await trading
    await wait_until_async(lambda: drained(desk), "everything counted")
    stop.set()
    await running
    await client.aclose()
    assert rebuilt > 1
    assert (await verify(desk.store, desk.keys, RULES, NOW_MS)).differences == []
    assert await desk.panes(generation=int(await generation(desk))) == fresh(BERLIN, [*SALES, *later])


async def drained(desk: Desk) -> bool:
    (group,) = await desk.store.xinfo_groups(desk.keys.events)
    return group["pending"] == 0 and group["lag"] == 0


async def test_a_new_rollup_is_filled_from_what_is_remembered_and_retained(desk: Desk) -> None:
    """Someone adds a number: it begins with the orders known and the requests retained, not with nothing."""
    more = (Rollup("x-orders", on=("order.placed",), measure="count"),
            Rollup("x-slow", on=("api.request",), measure="max", value="ms", levels="d"))
    rules = Rules(Catalogue((*ROLLUPS, *more), KPIS), BERLIN)
    found = await settled(desk, rules)
    orders = await desk.panes(("orders",), found)
    assert await desk.panes(("x-orders",), found) == {f"x-{name}": amount for name, amount in orders.items()}
    assert await desk.store.hgetall(desk.keys.panes(found, Hash("x-slow", "d", "202611"))) == {b"20.max": b"300:0"}


async def test_a_site_that_counted_before_knows_what_it_sold_of_each_sku(store: Redis, keys: Keys, clock: ManualClock
                                                                         ) -> None:
    """The orders are remembered, so the pace of stock begins with them; products are known when they are told again."""
    before = Catalogue(tuple(one for one in ROLLUPS if one.id not in ("sold", "goods", "tags")), ())
    desk, product = Desk(store, keys, clock, before), event("products/update", {
        "id": 1, "title": "Boat", "tags": "sea", "updated_at": iso(NOW_MS), "variants": []})
    await settle(store, keys, Rules(before, BERLIN), NOW_MS, NOW_MS)
    await desk.append(product, *SALES)
    await work(await desk.worker())
    found = await settle(store, keys, RULES, NOW_MS + 1, NOW_MS + 1)
    day = Hash("sold", "d", "20261119")
    told = await store.zrange(keys.panes(found, day, "top"), 0, -1, withscores=True)
    assert {name.decode(): pieces for name, pieces in told} == fold_all(SALES, BERLIN).scores[day]
    assert (await verify(store, keys, RULES, NOW_MS)).differences == []


async def test_a_rollup_that_is_gone_leaves_nothing_behind(desk: Desk) -> None:
    """Nobody reads it: its panes go with the old generation."""
    rules = Rules(Catalogue(tuple(one for one in ROLLUPS if one.id != "orders"), ()), BERLIN)
    assert await desk.panes(("orders",), await settled(desk, rules)) == {}


async def test_a_rebuild_says_how_far_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board shows it; at the end there is nothing left to show."""
    told: list[float] = []

    async def note(client: Any, keys: Any, progress: Any) -> None:
        told.append(progress.fraction)

    monkeypatch.setattr("opsmon.workers.rebuild.note_progress", note)
    await rebuild(desk.store, desk.keys, RULES, NOW_MS)
    assert (told == sorted(told), told[-1], len(told) > 2) == (True, 1, True)


async def test_of_two_workers_that_start_one_counts_anew(desk: Desk) -> None:
    """Both come out with the same generation, and every order was counted once."""
    found = await asyncio.gather(*(settled(desk, IN_TOKYO) for _ in range(2)))
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
        found = await settle(repeating, desk.keys, IN_TOKYO, NOW_MS, NOW_MS)
    assert await desk.panes(generation=found) == fresh(TOKYO)


async def test_a_worker_whose_settings_say_another_zone_counts_anew(
    desk: Desk, settings: Settings, clock: ManualClock
) -> None:
    """Change OPSMON_TIMEZONE, start again: that is all a person does."""
    await Worker(desk.store, replace(settings, timezone=TOKYO.zone), clock).start()
    assert (await desk.store.hget(desk.keys.meta, "rules") or b"").startswith(b"Asia/Tokyo+0 ")
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
