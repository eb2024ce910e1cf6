"""Rules -> alerts, on the real store: what is counted, read, judged, moved and logged."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.app.worker import evaluator
from opsmon.clock import ManualClock
from opsmon.core.alerting.life import Alert, acknowledge, close
from opsmon.core.alerting.records import dump_rule
from opsmon.core.alerting.rules import Limit, Milestone, Rule, Unusual
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.settings import Settings
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.workers.evaluator import Evaluator
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order

pytestmark = pytest.mark.anyio

KEYS = Keys("main")
MANY = Rule("many", "Many orders", "orders-today", Limit(2), "critical", for_ms=0, keep_ms=60_000)


async def keep(store: Redis, *rules: Rule) -> None:
    """Have these rules, and none of those that come with opsmon."""
    await store.delete(KEYS.rules)
    off = [replace(rule, off_reason="not here") for rule in (await all_rules(Reader(store), KEYS)).values()]
    for rule in (*off, *rules):
        await store.hset(KEYS.rules, rule.id, orjson.dumps(dump_rule(rule)))


async def orders(line: Line, *numbers: int) -> None:
    """Orders come and are counted."""
    for number in numbers:
        await line.post("orders/create", order(number))
    await line.work()


async def log(store: Redis) -> list[tuple[str, str]]:
    """What became of alerts, oldest first: (state, reason)."""
    found: Any = await store.xrange(KEYS.alert_log)
    return [(fields[b"state"].decode(), fields[b"reason"].decode()) for _, fields in found]


async def the_alert(looking: Evaluator) -> Alert:
    """The one alert there is."""
    (stored,) = (await looking.store.all()).values()
    return stored.alert


@pytest.fixture
def looking(settings: Settings, store: Redis, clock: ManualClock) -> Evaluator:
    """What looks at the rules."""
    return evaluator(settings, store, clock)


async def test_what_goes_beyond_its_limit_fires(line: Line, store: Redis, looking: Evaluator) -> None:
    """With the round after it was counted."""
    await keep(store, MANY)
    await orders(line, 1, 2)
    await looking.round()
    before = await log(store)
    await orders(line, 3)
    await looking.round()
    assert (before, await log(store)) == ([], [("firing", "beyond")])


async def test_a_look_more_says_nothing_more(line: Line, store: Redis, looking: Evaluator) -> None:
    """However often, and whoever looks."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    for _ in range(3):
        await looking.round()
    assert await log(store) == [("firing", "beyond")]


async def test_two_that_look_at_once_make_one_alert(
        line: Line, store: Redis, settings: Settings, clock: ManualClock) -> None:
    """Each believes that it is its turn; the store takes one of the moves."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    await asyncio.gather(*(evaluator(settings, store, clock).round() for _ in range(8)))
    assert await log(store) == [("firing", "beyond")]


async def test_the_line_in_the_log_tells_all(line: Line, store: Redis, looking: Evaluator) -> None:
    """Rules change; what happened does not."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    ((_, fields),) = await store.xrange(KEYS.alert_log)
    told = {name.decode(): value.decode() for name, value in fields.items()}
    assert (told["rule"], told["title"], told["severity"], told["value"], told["limit"], told["at"]) == (
        "many", "Many orders", "critical", "3", "2.0", str(NOW_MS))


async def test_screens_hear_of_an_alert_as_of_numbers(line: Line, store: Redis, looking: Evaluator) -> None:
    """By the same stream of changes, so that both arrive together."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    newest = await Reader(store).newest(KEYS.changes)
    assert newest[0][1][b"alert"].decode() == (await the_alert(looking)).fingerprint


async def test_an_alert_recovers_and_ends(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """The next day nothing was sold yet: back within, and a minute later over."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    clock.advance(11 * HOUR_MS)
    await looking.round()
    clock.advance(60_000)
    await looking.round()
    assert await log(store) == [("firing", "beyond"), ("recovering", "back-within"), ("resolved", "stayed-within")]


async def test_what_is_open_says_where_it_stands(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Its value and the furthest so far, without a line in the log for each."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    await orders(line, 4, 5)
    clock.advance(5_000)
    await looking.round()
    alert = await the_alert(looking)
    assert (alert.at_first, alert.value, alert.peak, await log(store)) == (3, 5, 5, [("firing", "beyond")])


async def test_a_rule_that_is_switched_off_ends_its_alert(line: Line, store: Redis, looking: Evaluator) -> None:
    """Nobody waits for it."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    await keep(store, replace(MANY, off_reason="stocktaking"))
    await looking.round()
    assert (await log(store))[-1] == ("resolved", "rule-gone")


async def test_people_and_rounds_do_not_lose_each_others_moves(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Acknowledged while it is being looked at: whoever was second looks again."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    alert, rules = await the_alert(looking), {MANY.id: MANY}
    done = await asyncio.gather(looking.round(), *(
        looking.store.act(alert.fingerprint, lambda found, by=by: acknowledge(found, by, clock.now_ms()), rules.get,
                          clock.now_ms()) for by in ("Ana", "Ben", "Cy")))
    assert sum(was_done for _, was_done in done[1:]) == 1
    assert (await log(store)).count(("firing", "acknowledged")) == 1


async def test_what_was_closed_by_hand_stays_closed(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Though the number is still beyond its limit."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    alert = await the_alert(looking)
    await looking.store.act(alert.fingerprint, lambda found: close(found, "known", "sale", "Ana", clock.now_ms()),
                            {MANY.id: MANY}.get, clock.now_ms())
    await looking.round()
    assert await log(store) == [("firing", "beyond"), ("resolved", "closed")]


async def test_each_row_has_an_alert_of_its_own(line: Line, store: Redis, looking: Evaluator) -> None:
    """By channel: two of them are beyond, so two people may each see to one."""
    await keep(store, Rule("channels", "A channel sells", "orders-by-channel", Limit(0), "critical", by_row=True))
    await line.post("orders/create", order(1, source_name="web"))
    await line.post("orders/create", order(2, source_name="pos"))
    await line.work()
    await looking.round()
    assert sorted(one.alert.labels for one in (await looking.store.all()).values()) == [
        (("row", "pos"),), (("row", "web"),)]


async def test_a_milestone_is_told_once(line: Line, store: Redis, looking: Evaluator) -> None:
    """Every two orders."""
    await keep(store, Rule("two", "Two more", "orders-today", Milestone(2), "low", for_ms=0, keep_ms=0))
    for number in range(1, 6):
        await orders(line, number)
        await looking.round()
        await looking.round()
    assert [state for state, _ in await log(store)].count("firing") == 2


async def test_what_is_unusual_learns_first(line: Line, store: Redis, looking: Evaluator) -> None:
    """Three weeks of the same hour."""
    await keep(store, Rule("low", "Few orders", "orders-per-hour", Unusual(), "high", for_ms=0))
    await orders(line, 1)
    await looking.round()
    assert await log(store) == [("learning", "learning")]


async def test_far_fewer_than_in_the_weeks_before_fires(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Four weeks of sixty orders an hour, then three."""
    await keep(store, Rule("low", "Few orders", "orders-per-hour", Unusual(), "high", for_ms=0))
    await orders(line, 1)
    await store.hset(KEYS.meta, "since_ms", NOW_MS - 60 * 24 * HOUR_MS)
    await fill(looking, store, lambda hour_ms: 60)
    await looking.round()
    assert await log(store) == [("firing", "beyond")]


async def fill(looking: Evaluator, store: Redis, orders_in: Callable[[int], int]) -> None:
    """Write hours of orders into the panes of eight weeks, as the commits of those weeks would have."""
    kpis = looking._kpis
    for hour in kpis.calendar.hours(NOW_MS - 8 * 7 * 24 * HOUR_MS, NOW_MS - HOUR_MS - MINUTE_MS):
        key = f"{{main}}:pane:0:orders:h:{hour.span}"
        await store.hset(key, f"{hour.field}.n", orders_in(hour.start_ms))
        await store.expire(key, 600)


async def test_the_rules_that_come_with_it_find_nothing_wrong_with_a_quiet_shop(
        line: Line, store: Redis, looking: Evaluator) -> None:
    """From the first minute: nobody is told of what is well."""
    await orders(line, 1, 2)
    await looking.round()
    assert {state for state, _ in await log(store)} <= {"learning"}
