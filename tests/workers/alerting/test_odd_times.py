"""What is usual is learned of ordinary hours: without marked days and without hours in which something was wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from redis.asyncio import Redis

from opsmon.app.worker import evaluator
from opsmon.clock import ManualClock
from opsmon.core.alerting.life import Alert, Move, close, judge
from opsmon.core.alerting.rules import Late, Quiet, Rule, Unusual
from opsmon.core.alerting.special_days import Kind, OddTimes, SpecialDays
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.settings import Settings
from opsmon.store.alerts.odd_times import dump_marked, note_alerted, odd_times
from opsmon.store.alerts.past import past_of
from opsmon.store.connection import Reader
from opsmon.workers.evaluator import Evaluator
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.workers.alerting.test_evaluator import KEYS, keep, log, orders

pytestmark = pytest.mark.anyio

LOW = Rule("low", "Few orders", "orders-per-hour", Unusual(), "high", for_ms=0)
HIGH = Rule("high", "Many orders", "orders-per-hour", Unusual("high"), "high", for_ms=0)
TODAY = date(2026, 11, 20)


@pytest.fixture
def looking(settings: Settings, store: Redis, clock: ManualClock) -> Evaluator:
    """What looks at the rules."""
    return evaluator(settings, store, clock)


async def mark(store: Redis, kind: Kind, first: date, last: date | None = None) -> None:
    """Somebody marks days."""
    one = SpecialDays(f"{kind}-{first}", "A name", kind, first, last or first, "Ana")
    await store.hset(KEYS.special_days, one.id, dump_marked(one))


async def counted(line: Line, store: Redis, looking: Evaluator, usual: int, odd: int, weeks: int) -> None:
    """Seven weeks of hours with so many orders, in the newest of them odd ones; today three orders came."""
    await orders(line, 1, 2, 3)
    await store.hset(KEYS.meta, "since_ms", NOW_MS - 50 * DAY_MS)
    pipe = store.pipeline(transaction=False)
    for hour in looking._kpis.calendar.hours(NOW_MS - 50 * DAY_MS, NOW_MS - HOUR_MS - MINUTE_MS):
        key = f"{{main}}:pane:0:orders:h:{hour.span}"
        pipe.hset(key, f"{hour.field}.n", odd if hour.start_ms > NOW_MS - weeks * 7 * DAY_MS - DAY_MS else usual)
        pipe.expire(key, 600)
    await pipe.execute()


async def test_marked_days_are_not_learned_from(line: Line, store: Redis, looking: Evaluator, settings: Settings,
                                                clock: ManualClock) -> None:
    """Four weeks of a campaign with sixty orders an hour do not make the three of any other week too few."""
    await keep(store, LOW)
    await counted(line, store, looking, 3, 60, 4)
    await looking.round()
    before = await log(store)
    await mark(store, "campaign", TODAY - timedelta(days=29), TODAY - timedelta(days=1))
    await store.delete(KEYS.alerts, KEYS.alert_log)
    await evaluator(settings, store, clock).round()
    assert (before, await log(store)) == ([("firing", "beyond")], [])


async def test_a_mark_counts_at_once(line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """What was learned before it is learned anew."""
    await keep(store, LOW)
    await counted(line, store, looking, 3, 60, 4)
    await looking.round()
    await mark(store, "campaign", TODAY - timedelta(days=29), TODAY - timedelta(days=1))
    clock.advance(10_000)
    await looking.round()
    assert await log(store) == [("firing", "beyond"), ("recovering", "back-within")]


async def test_days_of_the_sites_file_count_as_well(
        line: Line, store: Redis, looking: Evaluator, settings: Settings, clock: ManualClock) -> None:
    """They need nobody to mark them."""
    days = SpecialDays("sale", "Sale", "campaign", TODAY - timedelta(days=29), TODAY - timedelta(days=1))
    await keep(store, LOW)
    await counted(line, store, looking, 3, 60, 4)
    await evaluator(replace(settings, special_days=(days,)), store, clock).round()
    assert await log(store) == []


@pytest.mark.parametrize(("kind", "usual", "states"), [
    ("holiday", 60, {"low": "learning"}), ("campaign", 60, {"low": "firing", "high": "learning"}),
    ("holiday", 0, {"low": "learning", "high": "firing"}), ("campaign", 0, {"high": "learning"})])
async def test_on_such_a_day_a_rule_rests_that_has_nothing_to_go_by(
        line: Line, store: Redis, looking: Evaluator, kind: Kind, usual: int, states: dict[str, str]) -> None:
    """Little comes on a holiday, and much would be news; in a campaign much comes, and little is news."""
    await keep(store, LOW, HIGH)
    for number in range(10, 30):
        await line.post("orders/create", order(number))
    await counted(line, store, looking, usual, usual, 0)
    await mark(store, kind, TODAY)
    await looking.round()
    assert {one.alert.rule: one.alert.state for one in (await looking.store.all()).values()} == states


async def test_hours_of_alerts_are_not_learned_from(line: Line, store: Redis, looking: Evaluator) -> None:
    """For four weeks orders were few at this hour and somebody was told so each time: three more weeks say what is
    usual."""
    await keep(store, LOW)
    await counted(line, store, looking, 60, 3, 4)
    await note_alerted(store, KEYS, [("order.placed", "run", hour.start_ms) for hour in looking._kpis.calendar.hours(
        NOW_MS - 29 * DAY_MS, NOW_MS)], NOW_MS)
    await looking.round()
    assert await log(store) == [("firing", "beyond")]


async def test_an_alert_about_what_is_usual_marks_its_hours(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """From an hour before it began: sixty minutes were looked at. Of other kinds nothing is marked."""
    await keep(store, LOW, Rule("late", "Late", "active-orders", Late(HOUR_MS), for_ms=0))
    await line.post("orders/create", order(9, placed_ms=NOW_MS - 5 * HOUR_MS))
    await counted(line, store, looking, 60, 60, 0)
    await looking.round()
    clock.advance(HOUR_MS)
    await looking.round()
    hour_ms = NOW_MS - NOW_MS % HOUR_MS
    odd = await odd_times(Reader(store), KEYS)
    assert odd.alerted == {("order.placed", hour_ms + at * HOUR_MS) for at in (-1, 0, 1)}


def closed(alert: Alert) -> Move | None:
    """Somebody closes it, and says that nothing is wrong."""
    return close(alert, "false", "", "Ana", NOW_MS + HOUR_MS)


def judged(alert: Alert) -> Move | None:
    """Somebody says so when it is over."""
    over = close(alert, "fixed", "", "Ana", NOW_MS + HOUR_MS)
    return judge(over.alert, "false-positive", "Ana") if over else None


def fixed(alert: Alert) -> Move | None:
    """Somebody mends what was wrong."""
    return close(alert, "fixed", "", "Ana", NOW_MS + HOUR_MS)


def fixed_after_all(alert: Alert) -> Move | None:
    """It was closed as nothing, and yet led to something."""
    over = closed(alert)
    return judge(over.alert, "acted", "Ana") if over else None


@pytest.mark.parametrize(("verb", "left"), [(closed, 0), (judged, 0), (fixed, 3), (fixed_after_all, 3)])
async def test_hours_in_which_nothing_was_wrong_after_all_are_learned_from(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock, verb: Callable[[Alert], Move | None],
        left: int) -> None:
    """They were ordinary ones. What was wrong in an hour by another alert, or by an older opsmon, stays."""
    await keep(store, LOW)
    await counted(line, store, looking, 60, 60, 0)
    await looking.round()
    clock.advance(HOUR_MS)
    await looking.round()
    hour_ms = NOW_MS - NOW_MS % HOUR_MS
    await note_alerted(store, KEYS, [("order.placed", "other", hour_ms - 5 * HOUR_MS)], NOW_MS)
    await store.zadd(KEYS.alerted, {f"order.placed|{hour_ms - 6 * HOUR_MS}": hour_ms - 6 * HOUR_MS})
    (stored,) = (await looking.store.all()).values()
    await looking.store.act(stored.alert.fingerprint, verb, {"low": LOW}.get, NOW_MS + HOUR_MS)
    for one in (looking, looking):
        await one.round()
    hours = sorted((at_ms - hour_ms) // HOUR_MS for _, at_ms in (await odd_times(Reader(store), KEYS)).alerted)
    assert hours == [-6, -5, -1, 0, 1][:2 + left]


async def test_hours_of_a_silent_source_are_missing_from_everything(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Whatever it would have told."""
    await keep(store, Rule("silent", "Silent", "sources", Quiet(30 * MINUTE_MS), by_row=True, for_ms=0))
    await orders(line, 1)
    clock.advance(HOUR_MS)
    await looking.round()
    odd = await odd_times(Reader(store), KEYS)
    assert {fact for fact, _ in odd.alerted} == {""}


async def test_what_was_wrong_long_ago_is_forgotten(store: Redis) -> None:
    """Nobody learns of what is nine weeks old."""
    hours = [("order.placed", "run", at_ms) for at_ms in (NOW_MS - 64 * DAY_MS, NOW_MS)]
    await note_alerted(store, KEYS, hours, NOW_MS)
    assert (await odd_times(Reader(store), KEYS)).alerted == {("order.placed", NOW_MS)}


async def test_a_holiday_is_no_hour_that_is_worked(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Of a day that was none an order is not late."""
    await keep(store, Rule("late", "Late", "active-orders", Late(7 * HOUR_MS, "mon-fri 08:00-16:00"), for_ms=0))
    await line.post("orders/create", order(1, placed_ms=NOW_MS - 29 * HOUR_MS))
    await line.work()
    await mark(store, "holiday", TODAY - timedelta(days=1))
    await looking.round()
    assert await log(store) == []
    await store.delete(KEYS.special_days)
    clock.advance(10_000)
    await looking.round()
    assert await log(store) == [("firing", "beyond")]


async def test_what_a_rule_would_have_said_is_learned_without_odd_times_as_well(
        line: Line, store: Redis, looking: Evaluator) -> None:
    """Of four weeks with few orders nothing is wrong with few; without them there is. On a holiday nothing is said."""
    await counted(line, store, looking, 60, 3, 4)
    days = SpecialDays("sale", "Sale", "campaign", TODAY - timedelta(days=29), TODAY - timedelta(days=1))
    feast = SpecialDays("feast", "Feast", "holiday", TODAY, TODAY)
    odd = [OddTimes(), OddTimes((days,)), OddTimes((days, feast))]
    found = [(await past_of(looking._kpis, LOW, NOW_MS, one)).points[""][-1][1].found for one in odd]
    assert found == ["clear", "breach", "learning"]
