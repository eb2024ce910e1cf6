"""Screens are let in by a code, keep a token that changes, and are nobody once they were removed."""

import asyncio
from dataclasses import replace
from itertools import islice, product

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.access import Who, person
from opsmon.core.pairing import ALPHABET, code_in, code_of, written
from opsmon.store.accounts.audit import read_audit
from opsmon.store.accounts.recognising import Recogniser
from opsmon.store.accounts.records import PairedScreen
from opsmon.store.accounts.screens import PAIRING_MS, RENEWED_EVERY_MS, Screens
from opsmon.store.accounts.secrets import hashed
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

pytestmark = pytest.mark.anyio

KEYS = Keys("main")
NOW_MS = 1_760_000_000_000
ANA = person("ana", "Ana", "manager")
HALL = PairedScreen("", "Hall", "", "sales")


def screens_of(store: Redis) -> Screens:
    return Screens(store, Reader(store), KEYS)


async def begun(store: Redis) -> str:
    """A wall that waits: its secret."""
    found = await screens_of(store).begin(NOW_MS, "192.0.2.7")
    assert not isinstance(found, int)
    return found[0]


async def let_in(store: Redis) -> tuple[str, PairedScreen]:
    """A paired wall: its secret and its record."""
    secret = await begun(store)
    screen = await screens_of(store).approve(ANA, "192.0.2.1", code_of(secret), HALL, NOW_MS)
    assert screen is not None
    return secret, screen


async def known(store: Redis, secret: str) -> Who | None:
    return await Recogniser(Reader(store), KEYS, ManualClock(NOW_MS)).screen(secret)


async def renewed(store: Redis, secret: str, now_ms: int) -> str:
    """What a page that is asked for with this secret hands out."""
    who = await known(store, secret)
    assert who is not None
    screen = await screens_of(store).one(who.id)
    assert screen is not None
    return await screens_of(store).renew(who, "", screen, now_ms)


# Codes


def test_a_code_is_read_however_it_is_typed() -> None:
    """Small letters, blanks, another dash; and what is none is none."""
    assert [code_in(text) for text in ("K7QM-4RTX", " k7qm 4rtx", "K7QM4RTX", "k7qm–4rtx", "K7QM-4RT", "K7QM-4RT0",
                                       "", "ÄÄÄÄÄÄÄÄ")] == ["K7QM4RTX"] * 4 + [""] * 4


def test_a_code_has_no_letter_that_looks_like_another() -> None:
    """Read from across a room, typed on a phone."""
    assert (set("01ILOSUVZB") & set(ALPHABET), len(code_of("x")), written("K7QM4RTX")) == (set(), 8, "K7QM-4RTX")


# Pairing


async def test_a_wall_that_was_let_in_is_known_by_its_own_secret(store: Redis) -> None:
    """As whoever let it in said; before that it is nobody."""
    secret = await begun(store)
    assert await known(store, secret) is None
    screen = await screens_of(store).approve(ANA, "192.0.2.1", code_of(secret), HALL, NOW_MS)
    who = await known(store, secret)
    assert who is not None and screen is not None
    assert (who.id, who.name, who.roles, who.sees, screen.board, screen.paired_by) == (
        screen.id, "Hall", {"wall"}, frozenset(), "sales", "Ana")


async def test_a_code_is_good_once(store: Redis) -> None:
    """However many approve it at one time, there is one screen."""
    code = code_of(await begun(store))
    found = await asyncio.gather(*(screens_of(store).approve(ANA, "", code, HALL, NOW_MS) for _ in range(5)))
    assert (sum(one is not None for one in found), len(await screens_of(store).all())) == (1, 1)
    assert await screens_of(store).approve(ANA, "", code, HALL, NOW_MS) is None


async def test_a_code_is_over_after_ten_minutes(store: Redis) -> None:
    """For the wall and for whoever types it."""
    secret, screens = await begun(store), screens_of(store)
    assert [await screens.waiting(secret, at) is not None for at in (NOW_MS, NOW_MS + PAIRING_MS)] == [True, False]
    assert await screens.approve(ANA, "", code_of(secret), HALL, NOW_MS + PAIRING_MS) is None
    assert 0 < await store.pttl(KEYS.pairing(code_of(secret))) <= PAIRING_MS


async def test_the_store_has_no_secret_of_a_wall(store: Redis) -> None:
    """A copy of it opens nothing."""
    secret, screen = await let_in(store)
    kept = [key + (await store.dump(key)) for key in await store.keys("*")]
    assert ([one for one in kept if secret.encode() in one], screen.secret) == ([], hashed(secret))


async def test_ten_thousand_guesses_hit_nothing(store: Redis) -> None:
    """Five are looked at, all others are told to wait; and looked at, none of them would be a code that is shown."""
    await begun(store)
    screens, hits, looked_at = screens_of(store), 0, 0
    for guess in islice(product(ALPHABET, repeat=8), 10_000):
        if await screens.take_try(NOW_MS, ANA, "192.0.2.1") == 0:
            looked_at += 1
            hits += await screens.approve(ANA, "", "".join(guess), HALL, NOW_MS) is not None
    assert (hits, looked_at) == (0, 5)


async def test_tries_are_bounded_by_address_too(store: Redis) -> None:
    """Several accounts behind one address have five together."""
    screens = screens_of(store)
    waits = [await screens.take_try(NOW_MS, person(f"p{one}", "P", "manager"), "192.0.2.1") for one in range(7)]
    assert waits == [0] * 5 + [60_000] * 2


async def test_walls_that_wait_cannot_fill_the_store(store: Redis) -> None:
    """Sixty at once from one address."""
    found = [await screens_of(store).begin(NOW_MS, "192.0.2.7") for _ in range(62)]
    assert found[60:] == [5_000, 5_000]


# The token


async def test_the_first_page_of_a_screen_brings_another_token(store: Redis) -> None:
    """What the browser had before it was let in is worth nothing soon (fixation)."""
    secret, screen = await let_in(store)
    new = await renewed(store, secret, NOW_MS)
    assert [who is not None and who.id for who in (await known(store, secret), await known(store, new))] == [
        screen.id, screen.id]


async def test_the_former_token_ends_when_the_new_one_is_used(store: Redis) -> None:
    """Not before: an answer may be lost on the way."""
    secret, _ = await let_in(store)
    new = await renewed(store, secret, NOW_MS)
    old_who, new_who = await known(store, secret), await known(store, new)
    assert old_who is not None and new_who is not None
    await screens_of(store).attend([old_who], NOW_MS)
    assert await known(store, secret) == old_who
    await screens_of(store).attend([new_who], NOW_MS)
    assert (await known(store, secret), await known(store, new)) == (None, new_who)
    assert await store.exists(KEYS.screen(hashed(secret))) == 0


async def test_a_token_is_renewed_every_week(store: Redis) -> None:
    """With the first page after it."""
    secret, _ = await let_in(store)
    new = await renewed(store, secret, NOW_MS)
    found = [bool(await renewed(store, new, NOW_MS + at)) for at in (0, RENEWED_EVERY_MS - 1, RENEWED_EVERY_MS)]
    assert found == [False, False, True]


async def test_a_token_that_was_lost_on_the_way_is_handed_out_again(store: Redis) -> None:
    """As another one; the one that was lost is good no more. Not at once: two pages may be asked for together."""
    secret, _ = await let_in(store)
    lost = await renewed(store, secret, NOW_MS)
    assert await renewed(store, secret, NOW_MS + 1_000) == ""
    again = await renewed(store, secret, NOW_MS + 61_000)
    assert [await known(store, one) is not None for one in (secret, lost, again)] == [True, False, True]


async def test_two_pages_at_one_time_get_one_token(store: Redis) -> None:
    """The other keeps what it has."""
    secret, _ = await let_in(store)
    found = await asyncio.gather(*(renewed(store, secret, NOW_MS) for _ in range(4)))
    assert sorted(map(bool, found)) == [False, False, False, True]
    assert await known(store, max(found)) is not None


async def test_a_screen_that_was_removed_is_nobody(store: Redis) -> None:
    """With either of its tokens, and nothing of it is left but the audit."""
    secret, screen = await let_in(store)
    new, screens = await renewed(store, secret, NOW_MS), screens_of(store)
    await screens.note([screen.id], NOW_MS)
    now = await screens.one(screen.id)
    assert now is not None
    assert await screens.remove(ANA, "", now) == "done"
    assert [await known(store, one) for one in (secret, new)] == [None, None]
    assert [key for key in await store.keys("*") if b"screen" in key] == []


# Looking after them


async def test_two_who_change_one_screen_are_told_apart(store: Redis) -> None:
    """The second has to look again."""
    _, screen = await let_in(store)
    screens = screens_of(store)
    both = [await screens.change(ANA, "", screen, replace(screen, board=board), "screen.changed")
            for board in ("operations", "technology")]
    kept = await screens.one(screen.id)
    assert kept is not None
    assert (both, kept.board, kept.version) == (["done", "changed"], "operations", 2)


async def test_the_audit_says_who_let_a_screen_in_and_shows_no_token(store: Redis) -> None:
    """From where, and with what rights: none is none to tell of."""
    await let_in(store)
    (line,) = await read_audit(Reader(store), KEYS, 10)
    changes = {name: after for name, _, after in line.changes}
    assert (line.who, line.what, line.name, line.address) == ("Ana", "screen.paired", "Hall", "192.0.2.1")
    assert (changes["secret"], changes["board"], changes.get("sees_money")) == ("•••", "sales", None)


async def test_that_a_screen_answers_is_noted_once_a_minute(store: Redis) -> None:
    """And after two minutes without a sign it is lost."""
    secret, _ = await let_in(store)
    who, screens = await known(store, secret), screens_of(store)
    assert who is not None
    seen = []
    for at in (0, 59_999, 60_000):
        await screens.attend([who], NOW_MS + at)
        seen += [one.seen_ms - NOW_MS for one in await screens.all()]
    (found,) = await screens.all()
    assert (seen, [found.state(NOW_MS + 60_000 + age) for age in (120_000, 120_001)]) == (
        [0, 0, 60_000], ["there", "lost"])


async def test_a_screen_never_seen_is_not_lost(store: Redis) -> None:
    """It is new."""
    await let_in(store)
    assert [one.state(NOW_MS + 10**9) for one in await screens_of(store).all()] == ["new"]
