"""Sessions end: when idle, at their end, when revoked; and links are good once."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.access import LOCAL, Who
from opsmon.store.accounts.people import LINK_MS, People
from opsmon.store.accounts.recognising import Recogniser
from opsmon.store.accounts.records import Person
from opsmon.store.accounts.secrets import hashed
from opsmon.store.accounts.sessions import Sessions
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from tests.conftest import NOW_MS

pytestmark = pytest.mark.anyio

KEYS = Keys("main")
HOUR_MS = 3_600_000


@pytest.fixture
def sessions(store: Redis) -> Sessions:
    """Idle for 12 h, alive for 30 d."""
    return Sessions(store, KEYS, 12 * HOUR_MS, 720 * HOUR_MS)


@pytest.fixture
def people(store: Redis) -> People:
    return People(store, Reader(store), KEYS)


async def ana(people: People) -> tuple[Person, str]:
    """Ana, invited as an operator, and her link."""
    outcome, made, secret = await people.add(LOCAL, "127.0.0.1", "ana@shop.example", "Ana", "operator", NOW_MS)
    assert outcome == "done"
    return made, secret


async def known(store: Redis, clock: ManualClock, secret: str) -> Who | None:
    return await Recogniser(Reader(store), KEYS, clock).session(secret)


async def test_who_signed_in_is_known_by_the_secret_alone(
        store: Redis, clock: ManualClock, sessions: Sessions, people: People) -> None:
    """And the store holds no copy of it."""
    person, _ = await ana(people)
    secret = await sessions.begin(person.id, NOW_MS, "10.0.0.7", "Firefox")
    who = await known(store, clock, secret)
    assert who is not None
    assert (who.name, sorted(who.roles), sorted(who.sees)) == ("Ana", ["operator"], ["names"])
    assert [name async for name in store.scan_iter() if secret.encode() in name] == []


async def test_a_session_ends_after_its_whole_life_however_much_it_is_used(
        store: Redis, clock: ManualClock, sessions: Sessions, people: People) -> None:
    """30 days."""
    person, _ = await ana(people)
    secret = await sessions.begin(person.id, NOW_MS, "", "")
    clock.advance(720 * HOUR_MS - 1)
    await sessions.touch(hashed(secret), clock.now_ms())
    assert await store.pttl(KEYS.session(hashed(secret))) <= 1
    clock.advance(1)
    assert await known(store, clock, secret) is None


async def test_an_idle_session_is_forgotten_and_use_keeps_it(store: Redis, sessions: Sessions, people: People) -> None:
    """12 hours without a page."""
    person, _ = await ana(people)
    key = KEYS.session(hashed(await sessions.begin(person.id, NOW_MS, "", "")))
    assert 0 <= 12 * HOUR_MS - await store.pttl(key) < 60_000
    await store.pexpire(key, 1_000)
    await sessions.touch(key.rpartition(":")[2], NOW_MS)
    assert 0 <= 12 * HOUR_MS - await store.pttl(key) < 60_000


async def test_signing_out_everywhere_leaves_the_session_in_hand(
        store: Redis, clock: ManualClock, sessions: Sessions, people: People) -> None:
    """And nobody else's is touched."""
    person, _ = await ana(people)
    here, there = [await sessions.begin(person.id, NOW_MS, "", "") for _ in range(2)]
    other = await sessions.begin("somebody", NOW_MS, "", "")
    assert await sessions.end_all(person.id, but=hashed(here)) == 1
    assert (await known(store, clock, here) is None, await known(store, clock, there) is None) == (False, True)
    assert await store.exists(KEYS.session(hashed(other))) == 1
    assert [one.id for one in await sessions.of(Reader(store), person.id)] == [hashed(here)]


async def test_whose_role_changed_is_known_to_be_another_now(
        store: Redis, clock: ManualClock, sessions: Sessions, people: People) -> None:
    """Open streams are looked through with one question."""
    person, _ = await ana(people)
    recogniser = Recogniser(Reader(store), KEYS, clock)
    secrets = [await sessions.begin(person.id, NOW_MS, "", "") for _ in range(2)]
    open_streams = [who for secret in secrets if (who := await recogniser.session(secret))]
    assert await recogniser.gone(open_streams) == set()
    await sessions.end(person.id, [hashed(secrets[0])])
    assert await recogniser.gone(open_streams) == {hashed(secrets[0])}
    await people.change(LOCAL, "", person, replace(person, role="viewer"), "person.changed")
    assert await recogniser.gone(open_streams) == {hashed(secret) for secret in secrets}


async def test_a_link_is_good_once(people: People) -> None:
    """The second who opens it is told so."""
    person, secret = await ana(people)
    found = await people.linked(secret)
    assert found is not None
    assert (found[0].kind, found[1].id) == ("invite", person.id)
    assert [await people.use_link(secret), await people.use_link(secret)] == [True, False]
    assert await people.linked(secret) is None


async def test_a_link_dies_of_age(store: Redis, people: People) -> None:
    """An invitation after a week, a new password after an hour."""
    person, secret = await ana(people)
    reset = await people.link(person, "reset")
    lives = [await store.pttl(KEYS.invite(hashed(one))) for one in (secret, reset)]
    assert [0 <= LINK_MS[kind] - life < 60_000 for kind, life in zip(("invite", "reset"), lives, strict=True)] == [
        True, True]
