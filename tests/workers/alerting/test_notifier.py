"""Outbox -> people, on the real store: what is sent, when, once; and what is not sent any more."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.alerting.hours import Hours
from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.notify.ports import DeliveryFailed
from opsmon.settings import Settings
from opsmon.store.alerts.outbox import Postbox
from opsmon.store.alerts.telling_queries import dead_notices, standings
from opsmon.store.connection import Reader
from opsmon.workers.notifier import Notifier
from tests.conftest import NOW_MS
from tests.fakes.sinks import Channel
from tests.workers.alerting.outbox import ANA, BEN, KEYS, LATE, fires, goes, keep, outcomes, put, say, telling

pytestmark = pytest.mark.anyio
OPEN_AT_NINE = Hours("Europe/Berlin", dict.fromkeys(range(7), (9 * 60, 18 * 60)))


@pytest.fixture
def channel() -> Channel:
    """How people are told."""
    return Channel()


@pytest.fixture
async def worker(settings: Settings, store: Redis, clock: ManualClock, channel: Channel) -> Notifier:
    """What tells Ana, and knows a rule."""
    await keep(store, ANA, LATE)
    return await telling(settings, store, clock, channel)


def away(receiver: Receiver, message: Message) -> DeliveryFailed:
    """Nobody answers."""
    return DeliveryFailed("nobody is there")


async def test_somebody_is_told(worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """What, how far, since when, what to do, and where to answer."""
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    await goes(worker, clock)
    ((receiver, message),) = channel.got
    *lines, link = message.text.splitlines()
    assert (receiver, message.subject, lines) == (
        "ana", "High: Orders are late: DHL", ["Orders are late: DHL. 34, limit 2", "Since 14:03.", "To do: Pack them."])
    assert link.startswith("See it and answer: http://127.0.0.1:8000/a/")


async def test_what_was_sent_is_gone_from_the_outbox(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """And is not sent again, whoever looks."""
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    await goes(worker, clock)
    await goes(worker, clock)
    assert (len(channel.got), await store.xlen(KEYS.notices), await store.exists(KEYS.bundles)) == (1, 0, 0)


async def test_the_same_notice_twice_is_sent_once(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Its key tells."""
    alert = await fires(store, NOW_MS)
    await say(store, alert, "ana", NOW_MS)
    await goes(worker, clock)
    await say(store, alert, "ana", NOW_MS)
    await goes(worker, clock, HOUR_MS)
    assert (len(channel.got), (await outcomes(store))[-1]) == (1, ("ana", "fired", "not sent", "twice"))


async def test_lanes_that_are_late_together_are_one_message(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Three mails at once are read by nobody."""
    for row in ("DHL", "UPS", "GLS"):
        await say(store, await fires(store, NOW_MS, row), "ana", NOW_MS)
    await goes(worker, clock)
    assert channel.subjects == ["High: Orders are late (3 alerts)"]


async def test_more_of_the_same_rule_waits_a_little(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Two minutes for what is high; then all that came goes at once."""
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    await goes(worker, clock)
    for row in ("UPS", "GLS"):
        await say(store, await fires(store, NOW_MS, row), "ana", clock.now_ms())
    await goes(worker, clock, MINUTE_MS)
    before = len(channel.got)
    await goes(worker, clock, MINUTE_MS)
    assert (before, channel.subjects[1:]) == (1, ["High: Orders are late (2 alerts)"])


@pytest.mark.parametrize("change, why", [
    ({"acknowledged_by": "Ben", "acknowledged_ms": NOW_MS + 5}, "acknowledged"),
    ({"state": "resolved", "ended_ms": NOW_MS + 5}, "over"),
    ({"snoozed_until_ms": NOW_MS + HOUR_MS}, "muted"),
    ({"id": "f-late-DHL-1"}, "fired-again"),
])
async def test_what_was_answered_meanwhile_is_not_sent(
        change: dict[str, object], why: str, worker: Notifier, store: Redis, clock: ManualClock, channel: Channel
        ) -> None:
    """It is asked again right before it is sent, and counted."""
    alert = await fires(store, NOW_MS)
    await say(store, alert, "ana", NOW_MS)
    await put(store, replace(alert, **change))  # type: ignore[arg-type]
    await goes(worker, clock)
    assert (channel.got, await outcomes(store)) == ([], [("ana", "fired", "not sent", why)])


async def test_a_nudge_after_hours_is_sent(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Somebody saw to it, and it is still so: the notice is younger than the answer."""
    alert = await fires(store, NOW_MS, acknowledged_by="Ben", acknowledged_ms=NOW_MS)
    clock.advance(4 * HOUR_MS)
    await say(store, alert, "ana", clock.now_ms(), "repeat", 2)
    await goes(worker, clock)
    assert channel.subjects == ["Still High: Orders are late: DHL"]


async def test_that_it_is_over_is_told_to_who_heard_of_it(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """With how long it was, and its worst."""
    alert = await fires(store, NOW_MS)
    await say(store, alert, "ana", NOW_MS)
    await goes(worker, clock)
    over = replace(alert, state="resolved", ended_ms=NOW_MS + 25 * MINUTE_MS)
    await put(store, over)
    await say(store, over, "ana", clock.now_ms(), "resolved", 1)
    await goes(worker, clock)
    assert (channel.subjects[-1], channel.got[-1][1].text.splitlines()[1:-1]) == (
        "Over: Orders are late: DHL", ["It lasted 25 min.", "At its worst: 40."])
    assert channel.got[-1][1].text.splitlines()[-1].startswith("Was it worth it? Say so: http")


async def test_a_rule_of_the_file_is_told(
        settings: Settings, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """It is in no record of the store."""
    own = replace(LATE, id="own", title="From the file")
    await keep(store, ANA)
    await say(store, await fires(store, NOW_MS, rule=own), "ana", NOW_MS)
    await goes(await telling(replace(settings, rules=(own,)), store, clock, channel), clock)
    assert channel.subjects == ["High: From the file: DHL"]


async def test_that_it_is_over_is_not_told_to_who_never_heard(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Nor is what began it told afterwards."""
    alert = replace(await fires(store, NOW_MS), state="resolved", ended_ms=NOW_MS + 1)
    await put(store, alert)
    await say(store, alert, "ana", NOW_MS)
    await say(store, alert, "ana", NOW_MS, "resolved", 1)
    await goes(worker, clock)
    assert (channel.got, {why for *_, why in await outcomes(store)}) == ([], {"superseded", "never-told"})


async def test_a_channel_that_is_down_an_hour_says_each_thing_once(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """What it repeats meanwhile is one message when it is back: no storm."""
    alert = await fires(store, NOW_MS)
    await say(store, alert, "ana", NOW_MS)
    channel.trouble = away
    for number in range(1, 13):
        await goes(worker, clock, 5 * MINUTE_MS)
        await say(store, alert, "ana", clock.now_ms(), "repeat", number)
    channel.trouble = lambda receiver, message: None
    for _ in range(12):
        await goes(worker, clock, MINUTE_MS)
    assert channel.subjects == ["Still High: Orders are late: DHL"]


async def test_tries_are_further_and_further_apart(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Two seconds, four, eight ... five minutes: an hour that is down is no flood."""
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    channel.trouble = away
    for _ in range(3600):
        await goes(worker, clock)
    assert 14 <= len(await outcomes(store)) <= 40


async def test_who_says_when_to_come_again_is_believed(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """429 with Retry-After: 600."""
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    channel.trouble = lambda receiver, message: DeliveryFailed("too much", after_s=600)
    await goes(worker, clock)
    for _ in range(9):
        await goes(worker, clock, MINUTE_MS)
    before = len(await outcomes(store))
    await goes(worker, clock, MINUTE_MS)
    assert (before, len(await outcomes(store))) == (1, 2)


async def test_the_next_one_is_told_at_once(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Ana's mail fails: Ben, whom she named, is told in the same round, and then instead of her while it does."""
    await keep(store, replace(ANA, otherwise="ben"), BEN)
    channel.trouble = lambda receiver, message: DeliveryFailed("no") if receiver.id == "ana" else None
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    await goes(worker, clock)
    assert ([name for name, _ in channel.got], [one[:3] for one in await outcomes(store)]) == (
        ["ben"], [("ana", "fired", "failed"), ("ben", "fired", "accepted, in the place of ana")])


async def test_a_channel_that_fails_is_known_to_fail(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Since when and why, until something comes through: that is what opsmon's own rule looks at."""
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    channel.trouble = away
    await goes(worker, clock)
    failing = (await standings(Reader(store), KEYS))["ana"]
    channel.trouble = lambda receiver, message: None
    await goes(worker, clock, MINUTE_MS)
    mended = (await standings(Reader(store), KEYS))["ana"]
    assert (failing.failing_ms, failing.why, mended.failing_ms, mended.ok_ms) == (
        NOW_MS + 1_000, "nobody is there", 0, clock.now_ms())


async def test_what_fails_for_good_stays_to_be_seen(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """It is not tried again by itself; somebody who mended the cause sends it again."""
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    channel.trouble = lambda receiver, message: DeliveryFailed("no such address", is_permanent=True)
    await goes(worker, clock)
    await goes(worker, clock, HOUR_MS)
    (dead,) = await dead_notices(Reader(store), KEYS, 10)
    channel.trouble = lambda receiver, message: None
    await Postbox(store, KEYS).replay(dead.id, dead.told, clock.now_ms())
    await goes(worker, clock)
    assert (dead.why, len(channel.got), await dead_notices(Reader(store), KEYS, 10)) == ("no such address", 1, [])


async def test_a_message_that_nobody_can_send_holds_up_no_other(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Whatever a channel, or the words, make of it: it is given up, to be seen, and the next one goes."""
    other = replace(LATE, id="other", title="Payments fail")
    await keep(store, other)
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    await say(store, await fires(store, NOW_MS, rule=other), "ana", NOW_MS)
    channel.trouble = broken_for("Orders are late")
    await goes(worker, clock)
    (dead,) = await dead_notices(Reader(store), KEYS, 10)
    assert (dead.why, channel.subjects) == (
        "this message cannot be sent (ValueError)", ["High: Payments fail: DHL"])


def broken_for(what: str) -> Callable[[Receiver, Message], DeliveryFailed | None]:
    """A channel with a fault of its own, that some message brings out."""
    def trouble(receiver: Receiver, message: Message) -> DeliveryFailed | None:
        if what in message.subject:
            raise ValueError("no such letter")
        return None
    return trouble


async def test_a_slow_one_keeps_nobody_waiting(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """A message for Ana that is refused does not hold up Ben's."""
    await keep(store, BEN)
    alert = await fires(store, NOW_MS)
    channel.trouble = lambda receiver, message: DeliveryFailed("no") if receiver.id == "ana" else None
    for name in ("ana", "ben"):
        await say(store, alert, name, NOW_MS)
    await goes(worker, clock)
    assert [name for name, _ in channel.got] == ["ben"]


async def test_who_does_not_work_now_is_told_at_opening(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """If it is still so then."""
    await keep(store, replace(ANA, hours=OPEN_AT_NINE))
    clock.advance(5 * HOUR_MS)
    await say(store, await fires(store, NOW_MS), "ana", clock.now_ms())
    await goes(worker, clock)
    before = len(channel.got)
    await goes(worker, clock, 14 * HOUR_MS)
    assert (before, len(channel.got)) == (0, 1)


async def test_what_is_critical_ignores_hours(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """At night too."""
    bad = replace(LATE, id="bad", severity="critical")
    await keep(store, replace(ANA, hours=OPEN_AT_NINE), bad)
    clock.advance(5 * HOUR_MS)
    await say(store, await fires(store, NOW_MS, rule=bad), "ana", clock.now_ms())
    await goes(worker, clock)
    assert len(channel.got) == 1


async def test_a_test_is_sent_and_remembered(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """When a test came through last."""
    await Postbox(store, KEYS).queue({"key": "test-1", "word": "test", "receiver": "ana", "at": str(NOW_MS)})
    await goes(worker, clock)
    assert (channel.subjects, (await standings(Reader(store), KEYS))["ana"].tested_ms) == (
        ["Test from opsmon"], clock.now_ms())


async def test_who_takes_over_sends_what_was_begun(
        worker: Notifier, settings: Settings, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """The one before took it and ended."""
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    channel.trouble = away
    await goes(worker, clock)
    channel.trouble = lambda receiver, message: None
    await goes(await telling(settings, store, clock, channel), clock)
    assert len(channel.got) == 1


async def test_an_entry_that_is_no_notice_holds_up_nothing(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """It is taken away."""
    await store.xadd(KEYS.notices, {"what": "is this"})
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    await goes(worker, clock)
    assert (len(channel.got), await store.xlen(KEYS.notices)) == (1, 0)


async def test_who_is_no_receiver_any_more_is_not_waited_for(
        worker: Notifier, store: Redis, clock: ManualClock, channel: Channel) -> None:
    """Their notices go."""
    await say(store, await fires(store, NOW_MS), "cem", NOW_MS)
    await goes(worker, clock)
    assert (channel.got, await outcomes(store)) == ([], [("cem", "fired", "not sent", "nobody")])
