"""Records outlive the opsmon that wrote them: they are changed by another one, and nothing of them is lost."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.core.access import LOCAL
from opsmon.store.accounts.audit import read_audit
from opsmon.store.accounts.people import People
from opsmon.store.accounts.records import PairedScreen, Person, Token, believed, read, told, written
from opsmon.store.accounts.screens import Screens
from opsmon.store.accounts.tokens import Tokens
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

pytestmark = pytest.mark.anyio

KEYS = Keys("main")
ANA = Person("ana", "ana@shop.example", "Ana", "manager", made_ms=1)
HALL = PairedScreen("hall", "Hall", "a-hash")
SHEET = Token("b-hash", "Sheet", ("numbers",), 1, "ana", 2)
# What an opsmon writes that knows less, or more, or spells its JSON otherwise.
OLDER = {"email": "ana@shop.example", "id": "ana", "name": "Ana", "role": "manager"}
NEWER = {**told(ANA), "pronouns": "she", "keys": [{"id": 1}]}
TEXTS = {"as now": written(ANA), "an older one": orjson.dumps(OLDER), "a newer one": orjson.dumps(NEWER),
         "with blanks": orjson.dumps(OLDER, option=orjson.OPT_INDENT_2)}


def people(store: Redis) -> People:
    return People(store, Reader(store), KEYS)


async def kept(store: Redis) -> Any:
    return orjson.loads(await store.hget(KEYS.people, "ana") or b"null")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_what_another_opsmon_wrote_can_be_changed(store: Redis, text: bytes) -> None:
    """What is compared is what was read; the line in the audit tells of the change alone."""
    await store.hset(KEYS.people, "ana", text)
    ana = await people(store).one("ana")
    assert ana is not None
    assert await people(store).change(LOCAL, "", ana, replace(ana, role="viewer"), "person.changed") == "done"
    assert [line.changes for line in await read_audit(Reader(store), KEYS, 9)] == [(("role", "manager", "viewer"),)]


async def test_what_a_newer_opsmon_keeps_is_not_lost(store: Redis) -> None:
    """An older one changes what it knows and leaves the rest as it was."""
    await store.hset(KEYS.people, "ana", orjson.dumps(NEWER))
    ana = await people(store).one("ana")
    assert ana is not None
    await people(store).change(LOCAL, "", ana, replace(ana, name="Anna"), "person.changed")
    assert await kept(store) == orjson.loads(orjson.dumps(NEWER | {"name": "Anna", "version": 2}))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_two_who_read_the_same_are_told_apart(store: Redis, text: bytes) -> None:
    """The second is told and nothing of the first is lost, whoever wrote it before."""
    await store.hset(KEYS.people, "ana", text)
    both = [await people(store).one("ana"), await people(store).one("ana")]
    outcomes = [await people(store).change(LOCAL, "", one, replace(one, name=name), "person.changed")
                for one, name in zip(both, ("Anna", "Anja"), strict=True) if one]
    assert (outcomes, (await kept(store))["name"]) == (["done", "changed"], "Anna")


async def test_so_it_is_with_screens(store: Redis) -> None:
    """One that was paired before an upgrade is renamed, and removed."""
    await store.hset(KEYS.screens, "hall", b'{"id":"hall","name":"Hall","secret":"a-hash"}')
    screens = Screens(store, Reader(store), KEYS)
    hall = await screens.one("hall")
    assert hall is not None
    assert await screens.change(LOCAL, "", hall, replace(hall, name="Packing"), "screen.changed") == "done"
    assert await screens.change(LOCAL, "", hall, replace(hall, name="Yard"), "screen.changed") == "changed"
    (now,) = await screens.all()
    assert (now.screen.name, await screens.remove(LOCAL, "", now.screen)) == ("Packing", "done")
    assert await screens.all() == []


async def test_so_it_is_with_tokens(store: Redis) -> None:
    """One from before an upgrade is revoked; whoever wants to do it again is told that it is gone."""
    await store.hset(KEYS.tokens, "b-hash", orjson.dumps(told(SHEET) | {"address": "any"}))
    tokens = Tokens(store, Reader(store), KEYS)
    (sheet,) = await tokens.all()
    assert [await tokens.revoke(LOCAL, "", sheet) for _ in range(2)] == ["done", "changed"]
    assert await tokens.all() == []


@pytest.mark.parametrize("record", [ANA, HALL, SHEET], ids=lambda one: type(one).__name__)
def test_how_a_record_was_kept_is_no_part_of_it(record: Any) -> None:
    """It is not compared, written, or told."""
    again = read(type(record), written(record))
    assert (again, told(again), written(again), believed(again), repr(again)) == (
        record, told(record), written(record), written(record), repr(record))
