"""/receivers: who is told, tested, masked; routes that reach nobody are refused."""

from dataclasses import replace
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.said import Said
from opsmon.notify.ports import DeliveryFailed
from opsmon.settings import Settings
from opsmon.store.alerts.telling_queries import Standing, telling_of
from opsmon.store.alerts.whys import keep_why, read_why
from opsmon.store.connection import Reader
from tests.conftest import NOW_MS
from tests.fakes.sinks import Channel
from tests.http import Answer, request
from tests.line import Line, open_line
from tests.web.naughty import NAUGHTY
from tests.workers.alerting.outbox import ANA, BEN, KEYS, LATE, fires, goes, keep, say, telling

pytestmark = pytest.mark.anyio


async def send(line: Line, **fields: str) -> Answer:
    """Send a form of the page."""
    body = urlencode({name.replace("_", "-"): value for name, value in fields.items()}).encode()
    return await request(line.port, "POST", "/receivers", body, {
        "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"})


async def tested(store: Redis, *names: str) -> None:
    """A test came through to these."""
    for name in names:
        await store.hset(KEYS.standing, name, orjson.dumps({"ok_ms": NOW_MS, "tested_ms": NOW_MS}))


async def test_an_address_is_enough_to_be_told(line: Line, store: Redis) -> None:
    """Everybody who is there hears of what is critical, high or medium until a route says otherwise."""
    answer = await send(line, act="add", name="Ana", kind="email", to="ana@shop.example", days="all")
    found = await telling_of(Reader(store), KEYS)
    (one,) = found.receivers.values()
    assert (answer.status, one.name, one.to, found.route("high").steps[0].receivers, found.route("low").steps) == (
        303, "Ana", "ana@shop.example", (one.id,), ())


async def test_the_secret_of_a_webhook_is_shown_once(line: Line, store: Redis) -> None:
    """And its address never again whole."""
    made = await send(line, act="add", name="Desk", kind="webhook", to="https://hook.example/very-secret", days="all")
    (one,) = (await telling_of(Reader(store), KEYS)).receivers.values()
    page = (await line.get("/receivers")).text
    assert (one.secret in made.text, one.secret in page, "very-secret" in page, "https://hook.example/•••" in page
            ) == (True, False, False, True)


async def test_no_secret_is_in_the_audit(line: Line, store: Redis) -> None:
    """That it changed is."""
    await send(line, act="add", name="Desk", kind="webhook", to="https://hook.example/very-secret", days="all")
    (one,) = (await telling_of(Reader(store), KEYS)).receivers.values()
    audit = str(await store.xrange(KEYS.audit))
    assert ("receiver.added" in audit, "very-secret" in audit, one.secret in audit) == (True, False, False)


@pytest.mark.parametrize("kind, to", [
    ("email", "no address"), ("email", "a@b\r\nBcc: c@d"), ("webhook", "http://hook.example/"),
    ("webhook", "https://user@hook.example/"), ("apprise", "json://127.0.0.1/"), ("apprise", "syslog://"),
    ("apprise", "slack"), ("fax", "123"), ("email", "")])
async def test_an_address_that_cannot_be_is_refused(kind: str, to: str, line: Line, store: Redis) -> None:
    """With a sentence at its field, and nothing kept."""
    answer = await send(line, act="add", name="Ana", kind=kind, to=to, days="all")
    assert (answer.status, "field__error" in answer.text, await store.exists(KEYS.receivers)) == (422, True, 0)


async def test_a_change_that_names_no_address_keeps_it(line: Line, store: Redis) -> None:
    """It is not read back, so it need not be typed again."""
    await keep(store, BEN)
    await send(line, act="change", id="ben", name="Benno", to="", days="week", opens="08:00", closes="18:00",
               zone="Europe/Berlin")
    one = (await telling_of(Reader(store), KEYS)).receivers["ben"]
    assert (one.name, one.to, one.secret, one.hours.week[4], 5 in one.hours.week) == (
        "Benno", BEN.to, BEN.secret, (480, 1080), False)


async def test_send_test_sends_a_test(line: Line, store: Redis, settings: Settings, clock: ManualClock) -> None:
    """By the way every alert goes; afterwards the page says when it came through."""
    await keep(store, ANA)
    channel = Channel()
    before = (await line.get("/receivers")).text
    await send(line, act="test", id="ana")
    await goes(await telling(settings, store, clock, channel), clock)
    after = (await line.get("/receivers")).text
    assert (channel.subjects, "Never tested" in before, "Last test came through" in after) == (
        ["Test from opsmon"], True, True)


async def test_a_test_that_fails_says_why(line: Line, store: Redis, settings: Settings, clock: ManualClock) -> None:
    """Where the receiver stands."""
    await keep(store, ANA)
    await store.hset(KEYS.standing, "ana", orjson.dumps({"failing_ms": NOW_MS, "why": "the mail server says no"}))
    assert "the mail server says no" in (await line.get("/receivers")).text


async def test_a_route_is_kept(line: Line, store: Redis) -> None:
    """First Ana, after five minutes Ben."""
    await keep(store, ANA, BEN)
    await tested(store, "ana", "ben")
    answer = await send(line, act="route", severity="high", to_1_ana="on", to_2_ben="on", after_2="5", days="all")
    route = (await telling_of(Reader(store), KEYS)).route("high")
    assert (answer.status, [(step.receivers, step.after_ms) for step in route.steps]) == (
        303, [(("ana",), 0), (("ben",), 300_000)])


@pytest.mark.parametrize("fields, sentence", [
    ({"to_2_ben": "on", "to_1_ana": "on"}, "Step 2 is never reached"),
    ({"after_2": "5", "to_1_ana": "on"}, "Step 2 is never reached"),
    ({"to_1_cem": "on", "to_1_dora": "on", "to_1_eve": "on"}, "Eve was never tested"),
    ({"to_1_ana": "on", "opens": "08:00", "closes": "08:00"}, "Hours begin before they end"),
    ({"to_1_ana": "on", "opens": "08:00", "closes": "18:00", "zone": "Mars"}, "Choose a zone"),
    ({"to_1_ana": "on", "after_2": "soon"}, "whole minutes"),
])
async def test_a_route_that_would_tell_nobody_is_refused(
        fields: dict[str, str], sentence: str, line: Line, store: Redis) -> None:
    """And says what to do."""
    await keep(store, ANA, BEN, replace(ANA, id="eve", name="Eve"))
    await tested(store, "ana", "ben")
    answer = await send(line, act="route", severity="high", **{"days": "all", **fields})
    assert (answer.status, sentence in answer.text, await store.exists(KEYS.routes)) == (422, True, 0)


async def test_digests_are_chosen(line: Line, store: Redis) -> None:
    """Who, which, when."""
    await keep(store, ANA)
    await send(line, act="digests", digest_ana="on", kinds_weekly="on", at="07:30")
    plan = (await telling_of(Reader(store), KEYS)).digests
    assert (plan.receivers, plan.is_daily, plan.is_weekly, plan.at_minute) == (("ana",), False, True, 450)


async def test_who_was_changed_meanwhile_is_not_written_over(line: Line, store: Redis) -> None:
    """Somebody removed them while the page was open."""
    await keep(store, ANA)
    await store.delete(KEYS.receivers)
    assert (await send(line, act="change", id="ana", name="Ana", days="all")).status == 404


async def test_what_was_given_up_is_sent_again_by_hand(line: Line, store: Redis) -> None:
    """Or discarded."""
    for _ in range(2):
        await store.xadd(KEYS.notices_dead, {"key": "k", "word": "fired", "receiver": "ana", "at": "1", "alert": "f",
                                             "run": "r", "rule": "late", "why": "no such address"})
    first, second = [entry.decode() for entry, _ in await store.xrange(KEYS.notices_dead)]
    await send(line, act="replay", id=first)
    await send(line, act="discard", id=second)
    assert (await store.xlen(KEYS.notices), await store.xlen(KEYS.notices_dead)) == (1, 0)


@pytest.mark.parametrize("text", NAUGHTY.values(), ids=NAUGHTY.keys())
async def test_a_name_of_any_kind_is_text(text: str, line: Line, store: Redis) -> None:
    """In the list, in forms, in sentences."""
    await send(line, act="add", name=text[:60], kind="email", to="ana@shop.example", days="all")
    page = (await line.get("/receivers")).text
    assert "<script>alert" not in page and "<img src=x" not in page and "<svg/onload" not in page


def test_a_standing_begins_as_untested() -> None:
    """Nobody has heard anything yet."""
    assert Standing() == Standing(0, 0, 0, "")


async def test_why_somebody_cannot_be_told_is_said_in_the_sites_language(
        settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Beside the receiver, in the list of tries, and of what was given up: as it was when it failed, said anew."""
    german = replace(settings, locale="de")
    refused = DeliveryFailed(Said("the mail server refuses this address (%(code)s)", code=550), is_permanent=True)
    await keep(store, ANA, LATE)
    await say(store, await fires(store, NOW_MS), "ana", NOW_MS)
    await goes(await telling(german, store, clock, Channel(trouble=lambda receiver, message: refused)), clock)
    async with open_line(german, clock, store, b"a-secret-of-the-shop") as line:
        text = (await line.get("/receivers")).text
    assert (text.count("der Mailserver lehnt diese Adresse ab (550)"), "refuses" in text) == (3, False)


@given(st.dictionaries(st.text("abc", min_size=1), st.text() | st.integers(-2**53, 2**53), max_size=3), st.text())
def test_a_sentence_is_read_as_it_was_kept(values: dict[str, object], plain: str) -> None:
    """With its values, whatever they are; and whatever an older opsmon wrote stays as it is."""
    made = Said(" ".join(f"%({name})s" for name in values) or "no", **values)
    again = read_why(keep_why(made))
    assert (again, getattr(again, "values", {})) == (made, values)
    assert read_why(keep_why(plain)) == plain
