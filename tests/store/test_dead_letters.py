"""Dead letters: taken back once, corrected, let go, counted; and a source gone wrong is stopped."""

import asyncio
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from opsmon.clock import ManualClock
from opsmon.store import dead_queries
from opsmon.store.connection import Reader
from opsmon.store.dead_letters import MOST_FAILURES, DeadLetters, Done
from opsmon.store.dead_queries import Wanted
from opsmon.store.event_stream import DAMAGED, checksum, decode, encode
from opsmon.store.keys import MOST_HELD, MOST_HELD_BYTES, Keys
from opsmon.store.scripts import Scripts, Taken
from tests.conftest import NOW_MS
from tests.line import SHOP
from tests.memory import event
from tests.orders import order
from tests.store.dead import counts, desk, headers, keep, letter
from tests.store.dump import dump

pytestmark = pytest.mark.anyio

GOOD = Taken("event", "shopify", "shopify:shop:good", b"bytes", "c0ffee")


@pytest.fixture
def dead(store: Redis, clock: ManualClock) -> DeadLetters:
    """What a person works with."""
    return desk(store, clock)


async def events(store: Redis) -> list[Any]:
    """The events of the stream, each with whether its checksum is right."""
    found = await store.xrange("{main}:events")
    return [(decode(fields[b"e"]), fields[b"c"].decode() == checksum(fields[b"e"])) for _, fields in found]


async def given_up(store: Redis, payload: bytes, reason: str = "the event cannot be counted: KeyError 'x'") -> str:
    """A letter as a worker makes one."""
    fields: dict[Any, Any] = {"source": "stream", "payload": payload, "reason": reason, "tries": "6"}
    await store.hincrby("{main}:counts", "stream:held", 1)
    await store.hincrby("{main}:counts", "stream:held_bytes", len(payload))
    return (await store.xadd("{main}:dead", fields)).decode()


async def last(steps: Any) -> Done:
    """What came of an action in the end."""
    done = [step async for step in steps]
    found: Done = done[-1]
    return found


def summary(done: Done) -> tuple[int, int, int]:
    """Settled, duplicates, failed."""
    return done.settled, done.duplicates, len(done.failed)


# Replay


async def test_a_replayed_letter_is_an_event_and_no_letter(store: Redis, dead: DeadLetters) -> None:
    """It goes back in one step, although its delivery was seen before."""
    ids = await keep(store, letter(1))
    assert summary(await dead.replay(ids, "local")) == (1, 0, 0)
    ((one, is_right),) = await events(store)
    assert (one.id, one.key, is_right) == (f"shopify:{SHOP}:webhook-1", f"shopify:{SHOP}:order:1", True)
    assert await store.xlen("{main}:dead") == 0


async def test_a_replayed_event_arrives_now_and_happened_then(store: Redis, clock: ManualClock) -> None:
    """An hour later: its order was placed when it was placed."""
    ids = await keep(store, letter(1))
    clock.advance(3_600_000)
    await desk(store, clock).replay(ids, "local")
    ((one, _),) = await events(store)
    assert (one.arrived_ms, one.time_ms) == (NOW_MS + 3_600_000, event("orders/create", order(1)).time_ms)


async def test_pressing_twice_finds_nothing_the_second_time(store: Redis, dead: DeadLetters) -> None:
    """Harmless, and told."""
    ids = await keep(store, letter(1))
    await dead.replay(ids, "local")
    assert summary(await dead.replay(ids, "local")) == (0, 1, 0)
    assert await store.xlen("{main}:events") == 1


async def test_ten_people_press_at_once(store: Redis, clock: ManualClock) -> None:
    """One of them is first; each letter is one event."""
    ids = await keep(store, *(letter(number) for number in range(1, 21)))
    done = await asyncio.gather(*(desk(store, clock).replay(ids, f"p{n}") for n in range(10)))
    assert (sum(one.settled for one in done), sum(one.duplicates for one in done)) == (20, 180)
    assert await store.xlen("{main}:events") == 20


async def test_the_same_delivery_in_two_letters_counts_once(store: Redis, dead: DeadLetters) -> None:
    """Its mark ran out and the vendor sent it again: one event, one duplicate, no letter left."""
    await keep(store, letter(1))
    await store.delete(Keys("main").seen(letter(1).seen))
    ids = await keep(store, letter(1))
    assert summary(await dead.replay(ids, "local")) == (1, 1, 0)
    assert (await store.xlen("{main}:events"), await store.xlen("{main}:dead")) == (1, 0)


async def test_a_letter_still_unusable_stays_and_says_why(store: Redis, dead: DeadLetters) -> None:
    """With the sentence of its source; the good one beside it goes."""
    ids = await keep(store, letter(1, b"{"), letter(2))
    done = await dead.replay(ids, "local")
    assert (summary(done), done.failed[0][0]) == ((1, 0, 1), ids[0])
    assert done.failed[0][1].startswith("the body is not JSON: ")
    assert [entry_id.decode() for entry_id, _ in await store.xrange("{main}:dead")] == [ids[0]]


async def test_a_letter_of_a_source_no_longer_declared_stays(store: Redis, dead: DeadLetters) -> None:
    """Nobody can read it; the sentence says what to do."""
    ids = await keep(store, letter(1, source="gone"))
    assert "no source is called gone any more" in (await dead.replay(ids, "local")).failed[0][1]


async def test_a_letter_no_number_is_made_of_by_now_goes_without_an_event(store: Redis, dead: DeadLetters) -> None:
    """Its topic is not used any more."""
    ids = await keep(store, Taken("dead", "shopify", "s", b"{}", f"x: y\n{headers(1, 'themes/publish')}"))
    assert summary(await dead.replay(ids, "local")) == (1, 0, 0)
    assert (await store.xlen("{main}:events"), await store.xlen("{main}:dead")) == (0, 0)


async def test_what_a_worker_gave_up_goes_back_as_it_was(store: Redis, dead: DeadLetters) -> None:
    """Byte for byte, with its checksum."""
    payload = encode(event("orders/create", order(7)))
    one = await given_up(store, payload)
    assert summary(await dead.replay([one], "local")) == (1, 0, 0)
    assert [fields for _, fields in await store.xrange("{main}:events")] == [
        {b"e": payload, b"c": checksum(payload).encode()}]


async def test_what_a_worker_gives_up_again_goes_back_again(store: Redis, dead: DeadLetters) -> None:
    """The letter's first replay does not stand in the way of its second."""
    payload = encode(event("orders/create", order(7)))
    assert [summary(await dead.replay([await given_up(store, payload)], "local")) for _ in range(2)] == [(1, 0, 0)] * 2


@pytest.mark.parametrize(("payload", "reason", "why"), [
    (encode(event("orders/create", order(7))), DAMAGED, "what it said is not known any more"),
    (b"[1]", "the stored bytes are no event", "this is no event"),
    (b"\xff", "the stored bytes are no event", "this is no event"),
    (b"[1,2,3,4,5,6,7,null,9]", "the event cannot be counted", "this is no event: id, type"),
])
async def test_what_is_no_event_is_not_put_back(
    store: Redis, dead: DeadLetters, payload: bytes, reason: str, why: str
) -> None:
    """Nor what was one, until a bit of it was flipped: it would count something nobody sent."""
    one = await given_up(store, payload, reason)
    done = await dead.replay([one], "local")
    assert (summary(done), why in done.failed[0][1]) == ((0, 0, 1), True)
    assert await store.xlen("{main}:dead") == 1


@pytest.mark.parametrize("text", ["", "x", "1", "1-", "-1", "1-1-1", "٣-1", f"{2**64}-0", "1" * 30 + "-0", "*", "+"])
async def test_what_is_no_id_is_told(dead: DeadLetters, text: str) -> None:
    """A typing error is not a letter that is gone."""
    with pytest.raises(ValueError, match="is no dead letter's id"):
        await dead.replay([text], "local")


# All of a reason


async def test_all_of_a_reason_go_and_the_others_stay(store: Redis, dead: DeadLetters) -> None:
    """In steps; numbers and values in a reason make no other reason of it."""
    await keep(store, *(letter(n, reason=f"line {n} is 'x{n}'") for n in range(1, 451)), letter(900, reason="other"))
    (group, _) = await dead_queries.groups(Reader(store), Keys("main"))
    steps = [summary(step) async for step in dead.replay_all(Wanted("shopify", group.id), "local")]
    assert (group.letters, group.reason) == (450, f"orders/create from {SHOP}: line … is …")
    assert len(steps) == 3
    assert (await store.xlen("{main}:events"), await store.xlen("{main}:dead")) == (450, 1)


async def test_replaying_all_stops_at_the_first_hundred_failures(store: Redis, dead: DeadLetters) -> None:
    """The fault is still there: the rest is left alone."""
    await keep(store, *(letter(n, b"{") for n in range(1, 351)), letter(900))
    done = await last(dead.replay_all(Wanted("shopify"), "local"))
    assert (summary(done), done.is_stopped) == ((0, 0, MOST_FAILURES), True)
    assert await store.xlen("{main}:dead") == 351


async def test_letters_that_come_meanwhile_wait_for_the_next_time(store: Redis, dead: DeadLetters) -> None:
    """What is replayed and given up again at once cannot keep the loop going for ever."""
    await keep(store, *(letter(n) for n in range(1, 301)))
    seen = 0
    async for _ in dead.replay_all(Wanted("shopify"), "local"):
        seen += 1
        await keep(store, letter(1000 + seen))
    assert (seen, await store.xlen("{main}:dead")) == (2, 2)


# Correct


async def test_a_corrected_letter_counts_as_what_it_says_now(store: Redis, dead: DeadLetters) -> None:
    """Under its own id; the journal tells what came only by length and hash."""
    (one,) = await keep(store, letter(1, b'{"id": 1'))
    text = orjson.dumps(order(1, "12.50")).decode()
    assert summary(await dead.correct(one, text, "local")) == (1, 0, 0)
    ((found, _),) = await events(store)
    assert (found.id, found.data["total_minor"]) == (f"shopify:{SHOP}:webhook-1", 1250)
    (line,) = await dead_queries.journal(Reader(store), Keys("main"))
    assert (line.what, line.was_bytes, line.was_hash) == ("edited", 8, blake2b(b'{"id": 1', digest_size=16).hexdigest())


@pytest.mark.parametrize(("text", "why"), [
    ('{"id": 1,\n  "x" 2}', "this is not JSON, line 2, column 7: "),
    ('{"id": 1}', "created_at"), ("[]", "expected an object"), ("", "not JSON"), ("\ud800", "not JSON"),
])
async def test_a_correction_that_cannot_be_used_changes_nothing(
    store: Redis, dead: DeadLetters, text: str, why: str
) -> None:
    """It says where and why, and the letter is as it was."""
    (one,) = await keep(store, letter(1, b"{"))
    before = await dump(store)
    done = await dead.correct(one, text, "local")
    assert (summary(done), why in done.failed[0][1]) == ((0, 0, 1), True)
    assert await dump(store) == before


async def test_a_worker_s_letter_can_be_corrected(store: Redis, dead: DeadLetters) -> None:
    """It is an event as the stream holds it; the text may be spread over lines."""
    one = await given_up(store, b"spoilt", DAMAGED)
    good = encode(event("orders/create", order(7)))
    assert summary(await dead.correct(one, orjson.dumps(orjson.loads(good), option=orjson.OPT_INDENT_2).decode(),
                                      "local")) == (1, 0, 0)
    ((found, is_right),) = await events(store)
    assert (encode(found), is_right) == (good, True)


async def test_correcting_what_is_gone_is_a_duplicate(store: Redis, dead: DeadLetters) -> None:
    """Two people correct the same letter: the second hears that it was done."""
    (one,) = await keep(store, letter(1, b"{"))
    text = orjson.dumps(order(1)).decode()
    assert [summary(await dead.correct(one, text, "local")) for _ in range(2)] == [(1, 0, 0), (0, 1, 0)]


# Discard


async def test_a_discarded_letter_is_gone_and_the_journal_says_why(store: Redis, dead: DeadLetters) -> None:
    """Who, how many, and because of what."""
    ids = await keep(store, letter(1), letter(2))
    assert summary(await dead.discard(ids[:1], "a test of the vendor's", "local")) == (1, 0, 0)
    (line,) = await dead_queries.journal(Reader(store), Keys("main"))
    assert (line.what, line.by, line.because, line.settled, line.source) == (
        "discarded", "local", "a test of the vendor's", 1, "shopify")
    assert (await store.xlen("{main}:events"), await store.xlen("{main}:dead")) == (0, 1)


async def test_all_of_a_reason_can_be_discarded(store: Redis, dead: DeadLetters) -> None:
    """In steps; one line of the journal for all of them."""
    await keep(store, *(letter(n) for n in range(1, 301)), letter(900, reason="other"))
    wanted = Wanted("shopify", f"orders/create from {SHOP}: not JSON")
    assert summary(await last(dead.discard_all(wanted, "noise", "local"))) == (300, 0, 0)
    (line,) = await dead_queries.journal(Reader(store), Keys("main"))
    assert (line.settled, await store.xlen("{main}:dead")) == (300, 1)


# The journal and the counts


async def test_the_journal_tells_how_many_were_duplicates(store: Redis, dead: DeadLetters) -> None:
    """The newest line first."""
    ids = await keep(store, letter(1), letter(2, b"{"))
    for _ in range(2):
        await dead.replay(ids, "local")
    lines = await dead_queries.journal(Reader(store), Keys("main"))
    assert [(line.what, line.settled, line.duplicates, line.failed) for line in lines] == [
        ("replayed", 0, 1, 1), ("replayed", 1, 0, 1)]


async def test_the_journal_is_bounded(store: Redis, keys: Keys, scripts: Scripts) -> None:
    """About a thousand lines; a stream is trimmed by its nodes."""
    for _ in range(1300):
        await scripts.settle_dead([], {"what": "replayed", "by": "local", "action": "a"})
    assert 1000 <= await store.xlen(keys.journal) <= 1100


@pytest.fixture
def scripts(store: Redis, keys: Keys) -> Scripts:
    """The scripts on the real store."""
    return Scripts(store, keys)


async def test_what_is_held_is_counted_exactly(store: Redis, dead: DeadLetters) -> None:
    """Letters and bytes, through adding, replaying and discarding."""
    ids = await keep(store, *(letter(n, b"x" * n) for n in range(1, 5)), letter(9))
    size = len(headers(1))
    assert (await counts(store))["held_bytes"] == 1 + 2 + 3 + 4 + 5 * size + len(orjson.dumps(order(9)))
    await dead.discard(ids[:2], "noise", "local")
    await dead.replay(ids[4:], "local")
    assert await counts(store) == {"dead": 5, "held": 2, "held_bytes": 7 + 2 * size, "discarded": 2, "replayed": 1}


async def test_trimming_keeps_the_count_right(store: Redis, scripts: Scripts) -> None:
    """By age, and above a number."""
    await keep(store, *(letter(n, b"xx") for n in range(1, 11)))
    assert [await scripts.trim_dead(0, 7), await scripts.trim_dead(0, 7)] == [3, 0]
    assert (await counts(store))["held"] == await store.xlen("{main}:dead") == 7
    assert await scripts.trim_dead(2**53, most=5) == 5
    assert await scripts.trim_dead(2**53) == 2
    assert await counts(store) == {"dead": 10, "held": 0, "held_bytes": 0}


@pytest.mark.parametrize("spoilt", [{"shopify:held": 3, "shopify:held_bytes": 9}, {"shopify:held": "many"}, {},
                                    {"shopify:held": 1, "odoo:held": 5, "odoo:held_bytes": 7}])
async def test_a_count_that_is_wrong_is_counted_anew(
    store: Redis, scripts: Scripts, spoilt: dict[str, int | str]
) -> None:
    """An older opsmon counted nothing, and a person may delete letters by hand."""
    await keep(store, *(letter(n, b"xx") for n in range(1, 251)))
    await store.delete("{main}:counts")
    if spoilt:
        await store.hset("{main}:counts", mapping=spoilt)
    await scripts.trim_dead(0)
    found = await counts(store)
    sizes = sum(2 + len(headers(n)) for n in range(1, 251))
    assert (found["held"], found["held_bytes"], found.get("odoo:held", 0)) == (250, sizes, 0)


# The limit


async def test_the_limit_in_the_script_is_the_one_that_is_told(store: Redis) -> None:
    """One letter below it is kept, the next is not."""
    await store.hset("{main}:counts", "shopify:held", MOST_HELD - 1)
    assert await Scripts(store, Keys("main")).append_events([letter(1), letter(2), GOOD], NOW_MS) == [
        b"dead", b"stopped", b"event"]


async def test_what_was_promised_is_kept_beyond_the_limit(store: Redis) -> None:
    """It was answered 200 while the store was away: it is a dead letter like the others, and counted so."""
    await store.hset("{main}:counts", "shopify:held", MOST_HELD)
    promised = replace(letter(1), kind="promised")
    outcomes = await Scripts(store, Keys("main")).append_events([promised, promised], NOW_MS)
    assert (outcomes, await store.hget("{main}:counts", "shopify:held")) == (
        [b"dead", b"duplicate"], b"%d" % (MOST_HELD + 1))


async def test_the_limit_in_bytes_too(store: Redis) -> None:
    """Few letters of a megabyte each fill memory as well."""
    await store.hset("{main}:counts", "shopify:held_bytes", MOST_HELD_BYTES)
    assert await Scripts(store, Keys("main")).append_events([letter(1)], NOW_MS) == [b"stopped"]


async def test_what_is_stopped_leaves_no_mark_and_is_counted(store: Redis) -> None:
    """The vendor's next try is no duplicate: once there is room it is kept."""
    await store.hset("{main}:counts", "shopify:held", MOST_HELD)
    await keep(store, letter(1))
    assert (await counts(store), await store.exists(Keys("main").seen(letter(1).seen))) == (
        {"held": MOST_HELD, "stopped": 1}, 0)
    await store.hset("{main}:counts", "shopify:held", 0)
    assert len(await keep(store, letter(1))) == 1


async def test_a_letter_that_is_held_is_a_duplicate_at_the_limit_too(store: Redis) -> None:
    """Its sender hears 200: it has arrived."""
    await keep(store, letter(1))
    await store.hset("{main}:counts", "shopify:held", MOST_HELD)
    assert await Scripts(store, Keys("main")).append_events([letter(1)], NOW_MS) == [b"duplicate"]


async def test_one_source_s_limit_is_not_another_s(store: Redis) -> None:
    """Nor does a worker's letter stop anybody."""
    await store.hset("{main}:counts", mapping={"shopify:held": MOST_HELD, "stream:held": MOST_HELD})
    assert await Scripts(store, Keys("main")).append_events([letter(1, source="odoo")], NOW_MS) == [b"dead"]
    found = {"shopify:held": MOST_HELD, "stream:held": MOST_HELD, "odoo:held": 1, "odoo:held_bytes": MOST_HELD_BYTES}
    assert dead_queries.stopped(found) == {"shopify": (MOST_HELD, 0), "odoo": (1, MOST_HELD_BYTES)}


# What goes wrong


@pytest.mark.parametrize("spoilt", ["events", "dead", "counts", "journal"])
async def test_a_key_of_another_type_refuses_before_anything_is_written(
    store: Redis, keys: Keys, scripts: Scripts, dead: DeadLetters, spoilt: str
) -> None:
    """No mark without an event, or the letter would be lost."""
    await keep(store, letter(1))
    ids = [entry_id.decode() for entry_id, _ in await store.xrange(keys.dead)]
    await store.set(getattr(keys, spoilt), "not mine")
    before = await dump(store)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await dead.replay(ids, "local")
    assert await dump(store) == before


@pytest.mark.parametrize("counter", ["replayed", "held", "held_bytes"])
async def test_a_count_that_is_none_refuses_before_anything_is_written(
    store: Redis, dead: DeadLetters, counter: str
) -> None:
    """It says which."""
    ids = await keep(store, letter(1))
    await store.hset("{main}:counts", f"shopify:{counter}", "many")
    before = await dump(store)
    with pytest.raises(ResponseError, match=f"cannot count shopify:{counter}"):
        await dead.replay(ids, "local")
    assert await dump(store) == before


async def test_a_stream_that_is_used_up_keeps_the_letter(store: Redis, dead: DeadLetters) -> None:
    """What cannot be appended stays a letter, without a mark."""
    ids = await keep(store, letter(1))
    await store.xadd("{main}:events", {"e": "x"}, id=f"{2**64 - 1}-{2**64 - 1}")
    before = await dump(store)
    with pytest.raises(ResponseError, match="is used up"):
        await dead.replay(ids, "local")
    assert await dump(store) == before


async def test_a_full_store_refuses_a_replay_whole_and_lets_discard(store: Redis, dead: DeadLetters) -> None:
    """Discarding makes room."""
    ids = await keep(store, letter(1), letter(2))
    before = await dump(store)
    await store.config_set("maxmemory", 1)
    try:
        with pytest.raises(OutOfMemoryError):
            await dead.replay(ids, "local")
        assert await dump(store) == before
        assert summary(await dead.discard(ids, "full", "local")) == (2, 0, 0)
    finally:
        await store.config_set("maxmemory", 256 * 1024 * 1024)
