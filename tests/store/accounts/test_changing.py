"""Records of accounts change in one step with their line in the audit, or not at all."""

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from opsmon.core.access import LOCAL
from opsmon.store.accounts.audit import Deed, read_audit
from opsmon.store.accounts.changing import Changing, Outcome
from opsmon.store.accounts.records import Person, read, told, written
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

pytestmark = pytest.mark.anyio

KEYS = Keys("main")
ANA = Person("ana", "ana@shop.example", "Ana", "admin", password="$argon2id$…")
BEN = Person("ben", "ben@shop.example", "Ben", "viewer", password="$argon2id$…")


async def put(store: Redis, before: Person | None, after: Person | None, what: str = "person.changed") -> Outcome:
    one = after or before
    assert one is not None
    deed = Deed(LOCAL, what, one.id, one.name, told(before), told(after), "127.0.0.1")
    return await Changing(store, KEYS).change(KEYS.people, one.id, written(before) if before else b"",
                                              written(after) if after else b"", deed)


async def kept(store: Redis) -> dict[str, Person]:
    return {name.decode(): read(Person, text) for name, text in (await store.hgetall(KEYS.people)).items()}


async def test_a_change_is_written_with_its_line(store: Redis) -> None:
    """Who, what, from where, before and after."""
    assert [await put(store, None, ANA), await put(store, None, BEN),
            await put(store, BEN, replace(BEN, role="operator", version=2))] == ["done"] * 3
    line = (await read_audit(Reader(store), KEYS, 1))[0]
    assert (line.who, line.what, line.about, line.name, line.address, line.changes) == (
        "this machine", "person.changed", "ben", "Ben", "127.0.0.1", (("role", "viewer", "operator"),))


async def test_a_change_of_what_another_has_changed_is_none(store: Redis) -> None:
    """Nobody's change is lost: the second is told."""
    await put(store, None, ANA)
    await put(store, None, BEN)
    both = await asyncio.gather(put(store, BEN, replace(BEN, name="Benno")), put(store, BEN, replace(BEN, name="B.")))
    assert sorted(both) == ["changed", "done"]
    assert len(await read_audit(Reader(store), KEYS, 10)) == 3


async def test_nobody_has_two_accounts(store: Redis) -> None:
    """One address is one person."""
    await put(store, None, ANA)
    assert await put(store, None, replace(BEN, email=ANA.email)) == "taken"
    assert list(await kept(store)) == ["ana"]


@pytest.mark.parametrize("after", [None, replace(ANA, role="manager"), replace(ANA, is_off=True),
                                   replace(ANA, password="")], ids=["gone", "demoted", "off", "without a password"])
async def test_the_last_who_can_let_others_in_stays(store: Redis, after: Person | None) -> None:
    """Otherwise nobody could."""
    await put(store, None, ANA)
    await put(store, None, BEN)
    assert await put(store, ANA, after) == "last"
    assert (await kept(store))["ana"] == ANA


async def test_two_admins_who_take_each_other_out_leave_one(store: Redis) -> None:
    """However close together."""
    other = replace(BEN, role="admin")
    await put(store, None, ANA)
    await put(store, None, other)
    both = await asyncio.gather(put(store, ANA, None), put(store, other, None))
    assert sorted(both) == ["done", "last"]


async def test_an_account_without_a_password_lets_nobody_in_yet(store: Redis) -> None:
    """The machine stays open until somebody has accepted."""
    await put(store, None, replace(ANA, password=""))
    assert await store.hget(KEYS.meta, "has_admin") is None
    await put(store, replace(ANA, password=""), ANA)
    assert await store.hget(KEYS.meta, "has_admin") == b"1"


async def test_the_audit_says_that_a_password_changed_and_not_to_what(store: Redis) -> None:
    """Not even its hash."""
    await put(store, None, ANA)
    await put(store, ANA, replace(ANA, password="$argon2id$other"))
    lines = await read_audit(Reader(store), KEYS, 10)
    assert lines[0].changes == (("password", "•••", "•••"),)
    assert [entry for entry in await store.xrange(KEYS.audit) if b"argon2id" in str(entry).encode()] == []


# Tries


async def take(store: Redis, now_ms: int, who: str = "ana") -> int:
    """Three tries for each, one an hour comes back; ten for all, one a minute."""
    return await Changing(store, KEYS).take_try(now_ms, (who, 3, 3_600_000), ("all", 10, 60_000))


async def test_tries_are_bounded_and_come_back_one_by_one(store: Redis) -> None:
    """And it is told when."""
    assert [await take(store, at) for at in (0, 0, 0, 0, 1_000)] == [0, 0, 0, 3_600_000, 3_599_000]
    assert [await take(store, 3_600_000), await take(store, 3_600_000)] == [0, 3_600_000]


async def test_who_has_none_left_takes_none_from_all(store: Redis) -> None:
    """Guessing at one account locks no other out."""
    for _ in range(50):
        await take(store, 0)
    assert [await take(store, 0, "ben") for _ in range(3)] == [0, 0, 0]


async def test_all_together_are_bounded_too(store: Redis) -> None:
    """From one address, however many names it tries."""
    assert [await take(store, 0, f"name-{number}") for number in range(12)] == [0] * 10 + [60_000] * 2


async def test_a_clock_set_back_gives_no_tries(store: Redis) -> None:
    """And takes none."""
    assert [await take(store, at) for at in (1_000_000, 0, 0, 0)] == [0, 0, 0, 3_600_000]
