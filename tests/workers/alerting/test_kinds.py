"""The kinds that look at stock, paces, single orders and bursts, through the real evaluator on the real store."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import pytest
from redis.asyncio import Redis

from opsmon.app.site import kpi_queries
from opsmon.app.worker import evaluator
from opsmon.clock import ManualClock
from opsmon.core.alerting.built_in import LOGINS
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import Burst, Late, Outlier, Pace, Rule, RunsOut
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import Kpi
from opsmon.core.ranges import WindowReading
from opsmon.core.readings import Site
from opsmon.core.windows import Bounds
from opsmon.settings import Settings
from opsmon.store.alerts.orders import LEARNED_DAYS, amounts_by_hour
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.workers.evaluator import Evaluator
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import iso, order
from tests.web.accounts.people import someone
from tests.web.test_floor_events import told
from tests.web.test_goods import level, sell, tell
from tests.workers.alerting.test_evaluator import keep

pytestmark = pytest.mark.anyio

# Friday, 14:03 in Berlin; people pack from eight to four.
HOURS = "mon-fri 08:00-16:00"


@pytest.fixture
def looking(settings: Settings, store: Redis, clock: ManualClock) -> Evaluator:
    """What looks at the rules."""
    return evaluator(settings, store, clock)


async def found(looking: Evaluator) -> list[Alert]:
    """The alerts that are not quiet, by what they are about."""
    alerts = [one.alert for one in (await looking.store.all()).values()]
    return sorted((one for one in alerts if one.state not in ("ok", "resolved")), key=lambda one: one.labels)


async def about(looking: Evaluator) -> list[tuple[str, str]]:
    """(what, state) of each."""
    return [("".join(value for _, value in one.labels), one.state) for one in await found(looking)]


async def placed(line: Line, *ages_h: float, **more: Any) -> None:
    """Orders #1, #2 … placed so many hours ago."""
    for number, hours in enumerate(ages_h, 1):
        await line.post("orders/create", order(number, placed_ms=NOW_MS - int(hours * HOUR_MS), **more))
    await line.work()


async def test_goods_that_run_out_are_told_each_by_itself(line: Line, store: Redis, looking: Evaluator) -> None:
    """Tents sell two a day and last four days, boats one a day and last forty: five are needed to get more."""
    await keep(store, Rule("out", "Runs out", "stock", RunsOut(5), for_ms=0))
    for days_ago in range(1, 8):
        await sell(line, 1000 + days_ago, "Tent", "TENT-2", 2, days_ago)
        await sell(line, 2000 + days_ago, "Boat", "BOAT", 1, days_ago)
    for at, (name, sku, pieces) in enumerate((("Tent", "TENT-2", 8), ("Boat", "BOAT", 40), ("Kite", "KITE", 0)), 1):
        await tell(line, at, name, 9_007_199_254_741_001 + at, sku, "")
        await level(line, 9_007_199_254_741_001 + at, pieces)
    await line.work()
    await looking.round()
    (alert,) = await found(looking)
    assert (alert.labels, alert.state, alert.value, alert.limit) == ((("row", "TENT-2"),), "firing", 4, 5)


async def test_goods_that_came_in_end_their_alert(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Stock is looked at once a minute."""
    await keep(store, Rule("out", "Runs out", "stock", RunsOut(5), for_ms=0, keep_ms=0))
    for days_ago in range(1, 8):
        await sell(line, 1000 + days_ago, "Tent", "TENT-2", 2, days_ago)
    await tell(line, 1, "Tent", 9_007_199_254_741_001, "TENT-2", "")
    await level(line, 9_007_199_254_741_001, 8)
    await line.work()
    await looking.round()
    before = await about(looking)
    await line.post("inventory_levels/update", {"inventory_item_id": 9_007_199_254_741_001, "location_id": 61001,
                                                "available": 80, "updated_at": iso(NOW_MS + 1_000)})
    await line.work()
    for _ in range(2):
        clock.advance(MINUTE_MS)
        await looking.round()
    assert (before, await about(looking)) == ([("TENT-2", "firing")], [])


async def test_stock_of_a_shop_without_a_pace_is_learned_first(line: Line, store: Redis, looking: Evaluator) -> None:
    """Nobody knows how long two pieces last on the first day."""
    await keep(store, Rule("out", "Runs out", "stock", RunsOut(5), for_ms=0))
    await sell(line, 1001, "Tent", "TENT-2", 2)
    await level(line, 9_007_199_254_741_001, 2)
    await line.work()
    await looking.round()
    assert await about(looking) == [("", "learning")]


@pytest.mark.parametrize(("hours", "count", "names"), [
    ("", 3, ["#3", "#2", "#1"]), (HOURS, 2, ["#3", "#2"])])
async def test_late_orders_are_one_alert_that_names_the_oldest(
        line: Line, store: Redis, looking: Evaluator, hours: str, count: int, names: Sequence[str]) -> None:
    """Of ten, thirty and sixty hours ago all wait for more than seven; of hours in which people work the first one does
    not. What is fulfilled does not wait."""
    await keep(store, Rule("late", "Late", "active-orders", Late(7 * HOUR_MS, hours), for_ms=0))
    await placed(line, 10, 30, 60, 1)
    await line.post("orders/create", order(9, placed_ms=NOW_MS - 90 * HOUR_MS, fulfillment_status="fulfilled",
                                           fulfillments=[{"created_at": iso(NOW_MS)}]))
    await line.work()
    await looking.round()
    (alert,) = await found(looking)
    assert (alert.value, [name for name, _ in alert.things]) == (count, names)
    assert alert.things[0][1] == NOW_MS - 60 * HOUR_MS


async def test_late_orders_that_are_sent_end_the_alert(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """The last of them."""
    await keep(store, Rule("late", "Late", "active-orders", Late(5 * HOUR_MS), for_ms=0, keep_ms=0))
    await placed(line, 10)
    await looking.round()
    before = await about(looking)
    await line.post("orders/updated", order(1, placed_ms=NOW_MS - 10 * HOUR_MS, updated_ms=NOW_MS,
                                            fulfillment_status="fulfilled", fulfillments=[{"created_at": iso(NOW_MS)}]))
    await line.work()
    for _ in range(2):
        clock.advance(10_000)
        await looking.round()
    assert (before, await about(looking)) == ([("", "firing")], [])


async def test_orders_stuck_in_a_stage_are_told_by_stage(
        line: Line, settings: Settings, store: Redis, looking: Evaluator) -> None:
    """Not those that were moved on, and not those at the last one."""
    await keep(store, Rule("stuck", "Stuck", "stage-waits", Late(5 * HOUR_MS), by_row=True, for_ms=0))
    moves = [("a", "packing", 9), ("b", "packing", 8), ("c", "packing", 7), ("c", "checking", 1), ("d", "picking", 6),
             ("e", "shipped", 50), ("f", "Done", 50)]
    await told(line, settings, *(
        {"id": f"m{at}", "type": "stage.moved", "key": key, "data": {"stage": stage},
         "time": iso(NOW_MS - ago * HOUR_MS)}
        for at, (key, stage, ago) in enumerate(moves)))
    await looking.round()
    alerts = [("".join(value for _, value in one.labels), one.value, [name for name, _ in one.things])
              for one in await found(looking)]
    assert alerts == [("packing", 2, ["a", "b"]), ("picking", 1, ["d"])]


async def test_a_rule_looks_at_one_stage(
        line: Line, settings: Settings, store: Redis, looking: Evaluator) -> None:
    """The one it names."""
    await keep(store, Rule("stuck", "Stuck", "stage-waits", Late(5 * HOUR_MS), only=(("stage", "picking"),), for_ms=0))
    await told(line, settings, *({"id": stage, "type": "stage.moved", "key": stage, "data": {"stage": stage},
                                  "time": iso(NOW_MS - 9 * HOUR_MS)} for stage in ("packing", "picking")))
    await looking.round()
    (alert,) = await found(looking)
    assert (alert.value, [name for name, _ in alert.things]) == (1, ["picking"])


@pytest.mark.parametrize(("placed_by", "state", "needed"), [("", "pending", 3.4), ("12:00", "pending", 2.1)])
async def test_a_pace_is_held_against_what_is_left_until_the_cutoff(
        line: Line, store: Redis, looking: Evaluator, placed_by: str, state: str, needed: float) -> None:
    """At 14:03 five are left until four, with half an hour to spare; two of them were ordered after noon."""
    rule = Rule("pace", "Too slow", "completed-1h", Pace(HOURS, placed_by=placed_by))
    await keep(store, rule)
    await placed(line, 5, 4, 3, 1, 0.5)
    await looking.round()
    (alert,) = await found(looking)
    assert (alert.state, alert.value, alert.limit) == (state, 0, pytest.approx(needed, abs=0.1))


async def test_a_pace_fires_after_ten_minutes_and_ends_with_the_day(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Nobody can catch up after the cutoff."""
    await keep(store, Rule("pace", "Too slow", "completed-1h", Pace(HOURS), keep_ms=0))
    await placed(line, 5)
    states = []
    for minutes in (0, 10, 120, 1):
        clock.advance(minutes * MINUTE_MS)
        await looking.round()
        states.append([one.alert.state for one in (await looking.store.all()).values()])
    assert states == [["pending"], ["firing"], ["recovering"], ["resolved"]]


async def test_a_pace_that_will_do_is_quiet(line: Line, store: Redis, looking: Evaluator) -> None:
    """Four were packed within the hour, one is left."""
    await keep(store, Rule("pace", "Too slow", "completed-1h", Pace(HOURS)))
    await placed(line, 5, 5, 5, 5, fulfillment_status="fulfilled",
                 fulfillments=[{"created_at": iso(NOW_MS - MINUTE_MS)}])
    await line.post("orders/create", order(9, placed_ms=NOW_MS - HOUR_MS))
    await line.work()
    await looking.round()
    assert await about(looking) == []


async def test_an_order_far_larger_than_usual_is_told_by_name(line: Line, store: Redis, looking: Evaluator) -> None:
    """Beside a hundred and twenty of 40 to 60 one of 5,000; one of 90 is nothing."""
    await keep(store, Rule("large", "Large", "largest-orders", Outlier(), for_ms=0))
    for number in range(120):
        at_ms = NOW_MS - DAY_MS - number * HOUR_MS
        await line.post("orders/create", order(100 + number, f"{40 + number % 21}.00", placed_ms=at_ms))
    await line.post("orders/create", order(1, "90.00"))
    await line.post("orders/create", order(2, "5000.00"))
    await line.work()
    await looking.round()
    (alert,) = await found(looking)
    assert (alert.labels, alert.state, alert.value) == ((("row", "#2"),), "firing", 500_000)
    assert alert.limit is not None and 9_000 < alert.limit < 20_000


class Counted(KpiQueries):
    """Reads as ever, and remembers how many hours it was asked for at once."""

    asked: ClassVar[list[int]] = []

    async def windows(self, kpi: Kpi, bounds: Iterable[Bounds], now_ms: int, caught_up_ms: int
                      ) -> tuple[list[WindowReading], Site]:
        """As ever."""
        hours = list(bounds)
        self.asked.append(len(hours))
        return await super().windows(kpi, hours, now_ms, caught_up_ms)


async def test_the_orders_of_two_weeks_are_read_in_pieces(line: Line, store: Redis, settings: Settings) -> None:
    """Of 28,000 the reckoning would hold up what counts beside it."""
    await placed(line, *range(0, 300, 10))
    plain = kpi_queries(store, settings)
    counted = Counted(Reader(store), Keys("main"), plain.catalogue, plain.calendar, plain.currency, settings.grace_ms,
                      settings.kept)
    since_ms = NOW_MS - LEARNED_DAYS * DAY_MS
    Counted.asked.clear()
    found = await amounts_by_hour(counted, plain.catalogue.kpi_by_id["largest-orders"], since_ms, NOW_MS)
    assert [end_ms for end_ms, _ in found] == [one.end_ms for one in plain.calendar.hours(since_ms, NOW_MS + 1)]
    assert (sum(len(rows) for _, rows in found), max(Counted.asked)) == (30, 6)


async def test_an_order_beyond_a_limit_is_told_from_the_first_day_on_and_is_no_news_later(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """For two hours."""
    await keep(store, Rule("large", "Large", "largest-orders", Outlier(200_000), for_ms=0, keep_ms=0))
    for number, total in ((1, "2000.00"), (2, "2000.01")):
        await line.post("orders/create", order(number, total))
    await line.work()
    await looking.round()
    before = await about(looking)
    for _ in range(2):
        clock.advance(2 * HOUR_MS)
        await looking.round()
    assert (before, await about(looking)) == ([("#2", "firing")], [])


async def test_what_is_usual_is_learned_of_orders_first(line: Line, store: Redis, looking: Evaluator) -> None:
    """Of the first order nobody knows whether it is large."""
    await keep(store, Rule("large", "Large", "largest-orders", Outlier(), for_ms=0))
    await placed(line, 0)
    await looking.round()
    assert await about(looking) == [("", "learning")]


async def payment(line: Line, number: int, status: str) -> None:
    """A customer tries to pay."""
    await line.post("order_transactions/create", {
        "id": number, "order_id": number, "kind": "sale", "gateway": "bogus", "status": status, "test": False,
        "created_at": iso(NOW_MS - MINUTE_MS), "processed_at": iso(NOW_MS - MINUTE_MS), "amount": "1.00",
        "currency": "EUR"})


async def test_failed_payments_come_in_bursts(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Three within five minutes, however many came through; six minutes later it is over."""
    await keep(store, Rule("burst", "Burst", "payment-failures", Burst(3, 5 * MINUTE_MS), for_ms=0, keep_ms=0))
    for number in range(1, 12):
        await payment(line, number, "failure" if number <= 2 else "success")
    await line.work()
    await looking.round()
    before = await about(looking)
    await payment(line, 12, "failure")
    await line.work()
    await looking.round()
    (alert,) = await found(looking)
    clock.advance(6 * MINUTE_MS)
    for _ in range(2):
        await looking.round()
    assert (before, alert.state, alert.value, await about(looking)) == ([], "firing", 3, [])


async def test_what_a_program_counts_comes_in_bursts_by_its_name(
        line: Line, settings: Settings, store: Redis, looking: Evaluator) -> None:
    """The failed logins of the shop, not its parcels."""
    await keep(store, Rule("burst", "Burst", "counters", Burst(5, 5 * MINUTE_MS), only=(("name", "failed-logins"),),
                           for_ms=0))
    await told(line, settings, {"type": "count.add", "data": {"name": "parcels", "value": 50}},
               {"type": "count.add", "data": {"name": "failed-logins", "value": 4}})
    await looking.round()
    before = await about(looking)
    await told(line, settings, {"id": "more", "type": "count.add", "data": {"name": "failed-logins", "value": 1}})
    await looking.round()
    (alert,) = await found(looking)
    assert (before, alert.state, alert.value) == ([], "firing", 5)


async def test_who_cannot_sign_in_again_and_again_is_told_of(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Three wrong passwords within ten minutes; eleven minutes later it is over."""
    await keep(store, Rule("logins", "Logins", LOGINS, Burst(3, 10 * MINUTE_MS), for_ms=0, keep_ms=0))
    ana = await someone(line, "manager")
    email = (await ana.person()).email
    for at in range(3):
        await looking.round()
        assert await about(looking) == [], at
        await ana.send("/login", email=email, password="wrong one")
    await looking.round()
    (alert,) = await found(looking)
    clock.advance(11 * MINUTE_MS)
    for _ in range(2):
        await looking.round()
    assert (alert.state, alert.value, await about(looking)) == ("firing", 3, [])
