"""Alerts -> notices: who is told when, by the routes that are kept, from the rule to the message."""

from dataclasses import replace
from datetime import datetime
from threading import get_ident
from typing import ClassVar
from zoneinfo import ZoneInfo

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.app.worker import evaluator
from opsmon.clock import ManualClock
from opsmon.core.alerting.hours import Hours
from opsmon.core.alerting.life import acknowledge
from opsmon.core.alerting.receivers import Digests, dump_digests
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.core.alerting.telling import Route, Step
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.settings import Settings
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader
from opsmon.workers.evaluator import Evaluator
from tests.conftest import NOW_MS
from tests.fakes.sinks import Channel
from tests.line import Line
from tests.web.alerts.past_month import NOISY, log, noisy
from tests.workers.alerting.outbox import ANA, BEN, KEYS, goes, keep, telling
from tests.workers.alerting.test_evaluator import MANY, orders
from tests.workers.alerting.test_evaluator import keep as keep_rules

pytestmark = pytest.mark.anyio
HIGH = replace(MANY, severity="high", for_ms=0)


@pytest.fixture
def looking(settings: Settings, store: Redis, clock: ManualClock) -> Evaluator:
    """What looks at the rules."""
    return evaluator(settings, store, clock)


async def queued(store: Redis) -> list[tuple[str, str]]:
    """What waits to be delivered: receiver and word."""
    return [(entry[b"receiver"].decode(), entry[b"word"].decode()) for _, entry in await store.xrange(KEYS.notices)]


async def test_without_a_receiver_nothing_is_queued(line: Line, store: Redis, looking: Evaluator) -> None:
    """Screens show it."""
    await keep_rules(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    assert await queued(store) == []


async def test_what_is_critical_is_queued_with_the_round_that_finds_it(
        line: Line, store: Redis, looking: Evaluator) -> None:
    """For everybody, while no route says otherwise."""
    await keep(store, ANA, BEN)
    await keep_rules(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    assert await queued(store) == [("ana", "fired"), ("ben", "fired")]


async def test_the_next_step_is_told_when_nobody_answers(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Ana, and after three minutes Ben."""
    await keep(store, ANA, BEN, Route("critical", (Step(("ana",)), Step(("ben",), 3 * MINUTE_MS))))
    await keep_rules(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    clock.advance(3 * MINUTE_MS)
    await looking.round()
    assert await queued(store) == [("ana", "fired"), ("ben", "fired")]


async def test_that_others_had_to_be_told_stands_in_the_log(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """The second step, and that nobody answered in the end; not the first word, nor that it is still so."""
    await keep(store, ANA, BEN, Route("critical", (Step(("ana",)), Step(("ben",), 3 * MINUTE_MS))))
    await keep_rules(store, MANY)
    await orders(line, 1, 2, 3)
    for _ in range(8):
        await looking.round()
        clock.advance(3 * MINUTE_MS)
    reasons = [entry[b"reason"].decode() for _, entry in await store.xrange(KEYS.alert_log)]
    assert reasons == ["beyond", "escalated", "nobody-answered"]


async def test_who_answers_stops_the_steps(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """Ben sleeps on."""
    await keep(store, ANA, BEN, Route("critical", (Step(("ana",)), Step(("ben",), 3 * MINUTE_MS))))
    await keep_rules(store, MANY)
    await orders(line, 1, 2, 3)
    await looking.round()
    (fingerprint,) = await looking.store.all()
    await looking.store.act(fingerprint, lambda alert: acknowledge(alert, "Ana", NOW_MS), lambda _: MANY, NOW_MS)
    clock.advance(30 * MINUTE_MS)
    await looking.round()
    assert await queued(store) == [("ana", "fired")]


async def test_outside_hours_it_is_held_until_opening(
        line: Line, store: Redis, looking: Evaluator, clock: ManualClock) -> None:
    """At 23:03 nobody, at 09:03 Ana, if it is still so."""
    low = replace(HIGH, condition=Limit(5, is_lowest=True))
    by_day = Hours("Europe/Berlin", dict.fromkeys(range(7), (9 * 60, 18 * 60)))
    await keep(store, ANA, Route("high", (Step(("ana",)),), by_day))
    await keep_rules(store, low)
    clock.advance(9 * HOUR_MS)
    await looking.round()
    clock.advance(MINUTE_MS)
    await looking.round()
    before = await queued(store)
    clock.advance(10 * HOUR_MS)
    await looking.round()
    assert (before, await queued(store)) == ([], [("ana", "fired")])


async def test_a_digest_is_queued_once_a_day(
        store: Redis, settings: Settings, looking: Evaluator, clock: ManualClock) -> None:
    """At its hour, whoever looks, and told if there is something to tell or it is asked for."""
    await keep(store, ANA)
    await store.hset(KEYS.routes, "digests", orjson.dumps(dump_digests(Digests(at_minute=840, is_empty_told=True))))
    for one in (looking, looking, evaluator(settings, store, clock)):
        await one.round()
    before, channel = await queued(store), Channel()
    await goes(await telling(settings, store, clock, channel), clock)
    assert (before, channel.subjects[0].startswith("opsmon: the day until")) == ([("ana", "daily")], True)


async def test_an_empty_digest_is_not_sent(
        store: Redis, settings: Settings, looking: Evaluator, clock: ManualClock) -> None:
    """Nothing happened: nobody needs to read that."""
    await keep(store, ANA)
    await store.hset(KEYS.routes, "digests", orjson.dumps(dump_digests(Digests(at_minute=840))))
    await keep_rules(store)
    await looking.round()
    channel = Channel()
    await goes(await telling(settings, store, clock, channel), clock)
    assert (channel.got, await store.xlen(KEYS.notices)) == ([], 0)


FIRST_MS = 11 * DAY_MS - 6 * HOUR_MS  # until Tuesday, 1 December, 08:03: the first working day of its month


async def test_once_a_month_the_rules_are_reviewed(
        store: Redis, settings: Settings, looking: Evaluator, clock: ManualClock) -> None:
    """Which people no longer believe, and where to better them; what the page says."""
    await keep(store, ANA)
    await store.hset(KEYS.routes, "digests", orjson.dumps(dump_digests(Digests(is_daily=False))))
    await keep_rules(store, NOISY)
    await log(store, noisy())
    clock.advance(FIRST_MS)
    for one in (looking, looking, evaluator(settings, store, clock)):
        await one.round()
    before, channel = await queued(store), Channel()
    await goes(await telling(settings, store, clock, channel), clock)
    lines = channel.got[0][1].text.splitlines()
    assert (before, channel.subjects) == (
        [("ana", "monthly")], ["opsmon: are the alerts worth it? A review of 30 days"])
    assert (lines[0], lines[2]) == (
        "40 alerts fired in the last 30 days. 1 rule wants a look.",
        "The shop answers slowly: fired 40 times, acted on 0%. It never led to action in 30 days. "
        "More than half ended by themselves within 2 minutes.")
    assert lines[-1].endswith("/alerts/quality")


class Watched(ZoneInfo):
    """A zone that remembers which threads reckon with it."""

    threads: ClassVar[set[int]] = set()

    def fromutc(self, when: datetime) -> datetime:  # type: ignore[override]
        """As ever."""
        self.threads.add(get_ident())
        return super().fromutc(when)


async def test_a_review_is_reckoned_beside_the_loop(
        store: Redis, settings: Settings, looking: Evaluator, clock: ManualClock) -> None:
    """Who is to be told of something else meanwhile is not told later for it."""
    await keep(store, ANA)
    await store.hset(KEYS.routes, "digests", orjson.dumps(dump_digests(Digests(is_daily=False))))
    await keep_rules(store, NOISY)
    await log(store, noisy())
    clock.advance(FIRST_MS)
    await looking.round()
    channel = Channel()
    Watched.threads.clear()
    await goes(await telling(replace(settings, timezone=Watched("Europe/Berlin")), store, clock, channel), clock)
    assert (len(channel.got), Watched.threads - {get_ident()} != set()) == (1, True)


async def test_after_a_quiet_month_nothing_is_reviewed(
        store: Redis, settings: Settings, looking: Evaluator, clock: ManualClock) -> None:
    """Not even where quiet days are told of."""
    await keep(store, ANA)
    plan = Digests(is_daily=False, is_empty_told=True)
    await store.hset(KEYS.routes, "digests", orjson.dumps(dump_digests(plan)))
    await keep_rules(store)
    clock.advance(FIRST_MS)
    await looking.round()
    before, channel = await queued(store), Channel()
    await goes(await telling(settings, store, clock, channel), clock)
    assert (before, channel.got, await store.xlen(KEYS.notices)) == ([("ana", "monthly")], [], 0)


async def test_a_receiver_that_cannot_be_told_is_an_alert_of_its_own(
        store: Redis, looking: Evaluator) -> None:
    """Shown on screens, told by the others."""
    await keep(store, ANA)
    await store.hset(KEYS.standing, "ana", orjson.dumps({"failing_ms": NOW_MS, "why": "no"}))
    await looking.round()
    rules = {one.alert.rule: one.alert.state for one in (await looking.store.all()).values()}
    assert rules["telling-fails"] == "firing"


async def test_opsmons_own_rule_is_there(store: Redis) -> None:
    """From the first minute."""
    rule: Rule = (await all_rules(Reader(store), KEYS))["telling-fails"]
    assert (rule.is_on, rule.severity) == (True, "high")
