"""The contract of every Lua script, on the real store and, where it tells the truth, on fakeredis.

fakeredis knows no memory bound, so what a full store does is tried on the real one only. Everything
else here runs on both.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from opsmon.core.panes import OTHER
from opsmon.store.keys import SEEN_KEPT_MS, Keys
from opsmon.store.scripts import Commit, Refusal, Scripts, Taken
from tests.conftest import NOW_MS
from tests.store.dump import dump, without_idle

pytestmark = pytest.mark.anyio

GROUP = "rollups"
STATE, OTHER_STATE = "{main}:entity:a", "{main}:entity:b"
PANES, MORE_PANES = "{main}:pane:0:x:m:1", "{main}:pane:0:x:d:2"
JOINS, SEEN, TOP = "{main}:pane:0:y:m:1", "{main}:unique:0:z:d:1", "{main}:top:0:t:h:1"
OPEN, ROWS = "{main}:open:0:o", "{main}:rows:0:x:202611"
EVENT = Taken("event", "shopify", "shopify:shop:1", b"bytes", "c0ffee")


@pytest.fixture(params=["real", "fake"])
async def client(request: pytest.FixtureRequest, store: Redis) -> AsyncIterator[Redis]:
    """The real store, then fakeredis."""
    if request.param == "real":
        yield store
        return
    async with FakeAsyncRedis() as fake:
        yield fake


@pytest.fixture
def scripts(client: Redis, keys: Keys) -> Scripts:
    """The scripts on that store."""
    return Scripts(client, keys)


async def pending(client: Redis, keys: Keys, count: int = 2) -> list[str]:
    """Append entries and read them as a worker does; their ids."""
    for _ in range(count):
        await client.xadd(keys.events, {"e": "x"})
    await client.xgroup_create(keys.events, GROUP, id="0")
    reply: Any = await client.xreadgroup(GROUP, "worker-1", {keys.events: ">"})
    return [entry_id.decode() for entry_id, _ in reply[0][1]]


def commit_of(ids: list[str], keys: Keys) -> Commit:
    """A commit that writes to every place a commit can write to."""
    return Commit(
        group=GROUP, now_ms=NOW_MS, generation=0, kpis=["orders-today", "revenue-today"], arrived_ms=NOW_MS - 5,
        since_ms=NOW_MS - 9, entry_ids=ids,
        states=[(STATE, b"", b"state a", 1000_000), (OTHER_STATE, b"", b"state b", 1000_000)],
        sums=[(PANES, (NOW_MS * 2, ["0.n", "1.n"], [2, -1])), (MORE_PANES, (0, ["20.n"], [1])),
              (keys.counts, (0, ["late"], [3]))],
        joins=[(JOINS, (NOW_MS * 2, ["0.max", "0.min"], ["max", "min"], [7, 7], [0, 0]))],
        unique=[(SEEN, (NOW_MS * 2, ["Ann", "Bob"]))],
        scores=[(TOP, (NOW_MS * 2, ["BOAT", "KITE"], [5, 3], 2, OTHER))],
        open=[(OPEN, (["order 1", "order 2"], [NOW_MS, ""]))],
        rows=[(ROWS, (["DE", "AT"], 3))],
        dead=[("stream", b"payload", "reason", 6)],
    )


# --- append_events -----------------------------------------------------------------------------------------


async def test_an_event_is_appended_with_its_checksum(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """What was accepted is one entry of the event stream."""
    assert await scripts.append_events([EVENT], NOW_MS) == [b"event"]
    assert [fields for _, fields in await client.xrange(keys.events)] == [{b"e": b"bytes", b"c": b"c0ffee"}]


async def test_an_unusable_delivery_is_a_dead_letter(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """It is kept with its reason and what it needs to be read again, and not among the events."""
    letter = Taken("dead", "shopify", "shopify:shop:2", b"{", 'not\nJSON\n{"x-shopify-topic":"orders/create"}')
    assert await scripts.append_events([letter], NOW_MS) == [b"dead"]
    assert [fields for _, fields in await client.xrange(keys.dead)] == [
        {b"source": b"shopify", b"payload": b"{", b"reason": b"not\nJSON", b"tries": b"0",
         b"headers": b'{"x-shopify-topic":"orders/create"}', b"seen": keys.seen("shopify:shop:2").encode()}]
    assert await client.exists(keys.events) == 0


async def test_a_delivery_that_is_not_used_leaves_only_its_mark_and_count(
    client: Redis, keys: Keys, scripts: Scripts
) -> None:
    """Topics no number is made of take no room in the streams."""
    assert await scripts.append_events([Taken("not_used", "shopify", "s3")], NOW_MS) == [b"not_used"]
    assert set(await dump(client)) == {keys.counts.encode(), keys.seen("s3").encode()}


async def test_a_delivery_seen_before_is_a_duplicate(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """The second time it is answered and counted as such, and appended no more."""
    await scripts.append_events([EVENT], NOW_MS)
    assert await scripts.append_events([EVENT], NOW_MS) == [b"duplicate"]
    assert await client.xlen(keys.events) == 1


async def test_twice_in_one_call_is_once_and_a_duplicate(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Deliveries that share an append may be the same one."""
    assert await scripts.append_events([EVENT, EVENT], NOW_MS) == [b"event", b"duplicate"]
    assert await client.xlen(keys.events) == 1


async def test_every_outcome_is_counted_by_source(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Received is accepted plus duplicate plus dead plus not used: no delivery goes uncounted."""
    odoo = Taken("event", "odoo", "4", b"e", "c")
    others = [Taken("dead", "shopify", "2"), Taken("not_used", "shopify", "3"), odoo]
    await scripts.append_events([EVENT, *others, EVENT], NOW_MS)
    assert await client.hgetall(keys.counts) == {
        b"shopify:accepted": b"1", b"shopify:dead": b"1", b"shopify:not_used": b"1", b"shopify:duplicate": b"1",
        b"shopify:held": b"1", b"shopify:held_bytes": b"2",
        b"odoo:accepted": b"1", b"shopify:last_ms": b"%d" % NOW_MS, b"odoo:last_ms": b"%d" % NOW_MS}


async def test_a_duplicate_is_a_sign_of_life_too(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """A source that only repeats itself is not silent."""
    await scripts.append_events([EVENT], NOW_MS)
    await scripts.append_events([EVENT], NOW_MS + 7)
    assert await client.hget(keys.counts, "shopify:last_ms") == b"%d" % (NOW_MS + 7)


async def test_a_delivery_is_remembered_for_seven_days(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Longer than any vendor retries (Shopify 4 hours, Svix 28 hours, Stripe 3 days)."""
    await scripts.append_events([EVENT], NOW_MS)
    assert SEEN_KEPT_MS - 60_000 < await client.pttl(keys.seen(EVENT.seen)) <= SEEN_KEPT_MS == 7 * 86_400_000


@pytest.mark.parametrize("spoilt", ["events", "dead", "counts"])
async def test_an_append_to_a_key_of_another_type_leaves_nothing(
    client: Redis, keys: Keys, scripts: Scripts, spoilt: str
) -> None:
    """Refused whole: not even the mark, or the vendor's next try would be taken for a duplicate and lost."""
    await client.set(getattr(keys, spoilt), "not mine")
    before = await dump(client)
    batch = [Taken("not_used", "shopify", "9"), EVENT, Taken("dead", "shopify", "8", b"x", "y")]
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await scripts.append_events(batch, NOW_MS)
    assert await dump(client) == before


@pytest.mark.parametrize("counter", ["shopify:accepted", "shopify:duplicate"])
async def test_an_append_that_cannot_be_counted_leaves_nothing(
    client: Redis, keys: Keys, scripts: Scripts, counter: str
) -> None:
    """A running total that is no number refuses the deliveries before anything is written, the marks too."""
    await client.hset(keys.counts, counter, "many")
    before = await dump(client)
    with pytest.raises(ResponseError, match=f"cannot count {counter}"):
        await scripts.append_events([EVENT, EVENT], NOW_MS)
    assert await dump(client) == before


# --- commit ------------------------------------------------------------------------------------------------


async def test_a_commit_counts_and_acknowledges_in_one_step(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Afterwards nothing is pending and every pane, state, counter, letter and mark is written."""
    ids = await pending(client, keys)
    assert not await scripts.commit(commit_of(ids, keys))
    assert (await client.xpending(keys.events, GROUP))["pending"] == 0
    assert await client.mget(STATE, OTHER_STATE) == [b"state a", b"state b"]
    assert await client.hgetall(PANES) == {b"0.n": b"2", b"1.n": b"-1"}
    assert await client.hgetall(MORE_PANES) == {b"20.n": b"1"}
    assert await client.hgetall(keys.counts) == {b"late": b"3"}
    assert await client.hgetall(JOINS) == {b"0.max": b"7:0", b"0.min": b"7:0"}
    assert await client.pfcount(SEEN) == 2
    assert await client.zrange(TOP, 0, -1, withscores=True) == [(b"KITE", 3), (b"BOAT", 5)]
    assert await client.zrange(OPEN, 0, -1, withscores=True) == [(b"order 1", NOW_MS)]
    assert await client.smembers(ROWS) == {b"DE", b"AT"}
    assert await client.hgetall(keys.meta) == {b"since_ms": b"%d" % (NOW_MS - 9), b"begun_ms": b"%d" % NOW_MS}
    assert [fields for _, fields in await client.xrange(keys.dead)] == [
        {b"source": b"stream", b"payload": b"payload", b"reason": b"reason", b"tries": b"6"}]
    assert await client.xrange(keys.changes) == [
        (b"%d-0" % NOW_MS, {b"kpis": b"orders-today,revenue-today", b"arrived": b"%d" % (NOW_MS - 5)})]


async def test_only_day_panes_live_for_ever(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """States and the panes of minutes and hours expire; an expiry of 0 means never."""
    await scripts.commit(commit_of(await pending(client, keys), keys))
    lives = {name: await client.pttl(name) for name in (STATE, PANES, MORE_PANES)}
    assert 0 < lives[STATE] <= 1000_000
    assert lives[PANES] > 0
    assert lives[MORE_PANES] == -1


async def test_the_same_commit_twice_counts_once(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """A worker that lost the answer may ask again: its entries are no longer pending."""
    ids = await pending(client, keys)
    await scripts.commit(commit_of(ids, keys))
    before = await dump(client)
    assert (await scripts.commit(commit_of(ids, keys))).entries == ids
    assert await dump(client) == before


async def test_an_entry_that_is_not_pending_is_named(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Acknowledged by another worker meanwhile: the commit says which entry, and writes nothing."""
    first, second = await pending(client, keys)
    await client.xack(keys.events, GROUP, first)
    before = without_idle(await dump(client))
    assert await scripts.commit(commit_of([first, second], keys)) == Refusal(entries=[first])
    assert without_idle(await dump(client)) == before


async def test_a_state_that_moved_meanwhile_is_named(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Another worker changed the order: fold again over what is stored now."""
    ids = await pending(client, keys)
    await client.set(OTHER_STATE, "newer", px=1000_000)
    before = without_idle(await dump(client))
    assert await scripts.commit(commit_of(ids, keys)) == Refusal(states=[OTHER_STATE])
    assert without_idle(await dump(client)) == before


async def test_a_state_that_is_as_believed_is_replaced(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Compare and set: the bytes that were folded over are the bytes that are stored."""
    ids = await pending(client, keys)
    await client.set(STATE, "older", px=5)
    commit = replace(commit_of(ids, keys), states=[(STATE, b"older", b"newer", 1000_000)])
    assert not await scripts.commit(commit)
    assert await client.get(STATE) == b"newer"


async def test_a_worker_of_another_generation_is_fenced(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """When the site is counted anew, panes of the old generation get nothing more."""
    ids = await pending(client, keys)
    await client.hset(keys.meta, "generation", "1")
    before = without_idle(await dump(client))
    assert await scripts.commit(commit_of(ids, keys)) == Refusal(generation=1)
    assert without_idle(await dump(client)) == before


async def test_a_sum_that_comes_to_nothing_leaves_no_field(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """An order taken back leaves its panes as if it had never been."""
    ids = await pending(client, keys)
    await client.hset(PANES, mapping={"0.n": "-2", "1.n": "1", "2.n": "4"})
    assert not await scripts.commit(commit_of(ids, keys))
    assert await client.hgetall(PANES) == {b"2.n": b"4"}


@pytest.mark.parametrize(("stored", "kept"), [
    ({"0.max": "9:0", "0.min": "9:0"}, {b"0.max": b"9:0", b"0.min": b"7:0"}),
    ({"0.max": "3:9", "0.min": "3:0"}, {b"0.max": b"7:0", b"0.min": b"3:0"}),
    ({"0.max": "7:1", "0.min": "7:1"}, {b"0.max": b"7:1", b"0.min": b"7:1"}),
])
async def test_of_two_values_the_better_stays(client: Redis, keys: Keys, scripts: Scripts, stored: dict[str, str],
                                              kept: dict[bytes, bytes]) -> None:
    """The larger of maxima, the smaller of minima; of equal firsts the larger second, which is how the last wins."""
    ids = await pending(client, keys)
    await client.hset(JOINS, mapping=stored)
    assert not await scripts.commit(commit_of(ids, keys))
    assert await client.hgetall(JOINS) == kept


async def test_beyond_the_cap_a_member_counts_among_the_rest(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Two products are told apart: the third adds to the rest, and nothing is missing in the sum."""
    ids = await pending(client, keys)
    await client.zadd(TOP, {"LAMP": 4})
    assert not await scripts.commit(commit_of(ids, keys))
    assert dict(await client.zrange(TOP, 0, -1, withscores=True)) == {b"LAMP": 4, b"BOAT": 5, OTHER.encode(): 3}


async def test_a_score_that_comes_to_nothing_leaves_no_member(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """A product whose orders were all cancelled is not on the list."""
    ids = await pending(client, keys)
    await client.zadd(TOP, {"KITE": -3})
    assert not await scripts.commit(commit_of(ids, keys))
    assert await client.zrange(TOP, 0, -1, withscores=True) == [(b"BOAT", 5)]


async def test_rows_are_admitted_while_there_is_room(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """One that is there already takes no room."""
    ids = await pending(client, keys)
    await client.sadd(ROWS, "FR", "DE")
    assert not await scripts.commit(commit_of(ids, keys))
    assert await client.smembers(ROWS) == {b"FR", b"DE", b"AT"}


async def test_rows_beyond_the_cap_are_refused_whole(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Two workers that admit at once cannot overfill a dimension: the second folds again."""
    ids = await pending(client, keys)
    await client.sadd(ROWS, "FR", "IT")
    before = without_idle(await dump(client))
    assert await scripts.commit(commit_of(ids, keys)) == Refusal(rows=[ROWS])
    assert without_idle(await dump(client)) == before


async def test_entries_with_another_workers_between_them_are_found_pending(
    client: Redis, keys: Keys, scripts: Scripts
) -> None:
    """One look sees a batch that lies together; any other batch is looked at entry by entry."""
    ids = [(await client.xadd(keys.events, {"e": str(n)})).decode() for n in range(3)]
    await client.xgroup_create(keys.events, GROUP, id="0")
    await client.xreadgroup(GROUP, "worker-1", {keys.events: ">"})
    assert not await scripts.commit(commit_of([ids[0], ids[2]], keys))
    assert (await client.xpending_range(keys.events, GROUP, "-", "+", 9))[0]["message_id"].decode() == ids[1]


async def test_what_is_built_beside_needs_no_turn_of_the_workers(
    client: Redis, keys: Keys, scripts: Scripts
) -> None:
    """The generation being built takes commits, also while all others are held back."""
    assert await scripts.rebuild("begin") == 1
    assert await scripts.rebuild("fence", 1) == 1
    beside = replace(commit_of([], keys), generation=-1)
    assert not await scripts.commit(beside)
    assert await scripts.commit(replace(beside, generation=0)) == Refusal(generation=0)


async def test_a_commit_without_a_group_says_so(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """A group that was deleted is reported, not taken for acknowledged entries."""
    await client.xadd(keys.events, {"e": "x"})
    refusal = await scripts.commit(commit_of(["1-1"], keys))
    assert refusal.entries == []
    assert "NOGROUP" in str(refusal.stream)


Plant = Callable[[Redis, Keys], Awaitable[object]]
TOO_MUCH = str(2**53 - 1)


def wrong_type(key: str) -> Plant:
    """A list where the commit expects something else."""
    return lambda client, keys: client.rpush(getattr(keys, key, key), "not mine")


def field(key: str, name: str, value: str) -> Plant:
    """One field of a hash that cannot be added to."""
    return lambda client, keys: client.hset(getattr(keys, key, key), name, value)


def last_id(key: str, entry_id: str) -> Plant:
    """A stream that has given an id after which none of ours can come."""
    return lambda client, keys: client.xadd(getattr(keys, key), {"e": "x"}, id=entry_id)


# Every key and every field that commit.lua writes, spoilt in every way that would make the write fail.
PLANTS: dict[str, Plant] = {
    "event stream of another type": lambda client, keys: client.eval(
        "redis.call('DEL', KEYS[1]) return redis.call('RPUSH', KEYS[1], 'x')", 1, keys.events),
    "event stream gone": lambda client, keys: client.delete(keys.events),
    "group gone": lambda client, keys: client.xgroup_destroy(keys.events, GROUP),
    **{f"{key} of another type": wrong_type(key)
       for key in ("changes", "meta", "dead", "counts", STATE, OTHER_STATE, PANES, MORE_PANES, JOINS, SEEN, TOP,
                   OPEN, ROWS)},
    f"{SEEN} a text": lambda client, keys: client.set(SEEN, "not mine"),
    f"{JOINS} 0.max no pair": field(JOINS, "0.max", "7"),
    f"{JOINS} 0.min no number": field(JOINS, "0.min", "many:0"),
    f"{TOP} BOAT near 2^53": lambda client, keys: client.zadd(TOP, {"BOAT": 2**53 - 1}),
    f"{ROWS} full": lambda client, keys: client.sadd(ROWS, "FR", "IT"),
    **{f"{key} {name} {word}": field(key, name, value)
       for key, name in ((PANES, "0.n"), (MORE_PANES, "20.n"), ("counts", "late"))
       for word, value in (("no number", "many"), ("a fraction", "1.5"), ("empty", ""), ("near 2^53", TOO_MUCH),
                           ("beyond 2^64", "99999999999999999999"))},
    f"{PANES} 1.n near -2^53": field(PANES, "1.n", "-" + TOO_MUCH),
    **{f"meta {name} no number": field("meta", name, "many") for name in ("generation", "since_ms")},
    "meta since_ms beyond 2^53": field("meta", "since_ms", "9007199254740993"),
    "changes near 2^53": last_id("changes", "9007199254740993-999"),
    "changes with no revision left": last_id("changes", "9007199254740-999"),
    "dead letters used up": last_id("dead", f"{2**64 - 1}-{2**64 - 1}"),
    "state of another version": lambda client, keys: client.set(STATE, "newer"),
    "other generation": field("meta", "generation", "4"),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
async def test_a_commit_that_cannot_write_one_thing_writes_nothing(
    client: Redis, keys: Keys, scripts: Scripts, plant: Plant, store: Redis
) -> None:
    """An error at every write of the script: nothing is half done, and the commit says what is in the way."""
    ids = await pending(client, keys)
    await plant(client, keys)
    before = without_idle(await dump(client))
    assert await scripts.commit(commit_of(ids, keys))
    assert without_idle(await dump(client)) == before
    await client.flushall()


async def test_nothing_was_planted_that_the_commit_would_not_mind(
    client: Redis, keys: Keys, scripts: Scripts
) -> None:
    """The control of the test above: whole numbers with room below 2^53 are added to."""
    ids = await pending(client, keys)
    await client.hset(PANES, "0.n", str(2**53 - 3))
    assert not await scripts.commit(commit_of(ids, keys))
    assert await client.hget(PANES, "0.n") == str(2**53 - 1).encode()


async def test_the_earliest_instant_only_moves_back(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Counting began once; later commits do not make it later."""
    first, second = await pending(client, keys)
    await scripts.commit(Commit(GROUP, NOW_MS, 0, [], NOW_MS, 1000, [first]))
    await scripts.commit(Commit(GROUP, NOW_MS, 0, [], NOW_MS, 2000, [second]))
    assert await client.hget(keys.meta, "since_ms") == b"1000"


# --- revisions ---------------------------------------------------------------------------------------------


async def revisions(client: Redis, keys: Keys) -> list[str]:
    return [entry_id.decode() for entry_id, _ in await client.xrange(keys.changes)]


async def test_revisions_rise_when_the_clock_steps_back(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """A clock put back an hour cannot make a screen believe that new numbers are old."""
    for now_ms in (NOW_MS, NOW_MS - 3_600_000, NOW_MS + 1):
        await scripts.commit(Commit(GROUP, now_ms, 0, ["orders-today"], now_ms, None, []))
    assert await revisions(client, keys) == [f"{NOW_MS}-0", f"{NOW_MS}-1", f"{NOW_MS + 1}-0"]


async def test_the_thousandth_change_in_a_millisecond_takes_the_next_one(
    client: Redis, keys: Keys, scripts: Scripts
) -> None:
    """A revision is ms * 1000 + number: the number stays below 1000."""
    await client.xadd(keys.changes, {"kpis": ""}, id=f"{NOW_MS}-999")
    await scripts.commit(Commit(GROUP, NOW_MS, 0, ["orders-today"], NOW_MS, None, []))
    assert await revisions(client, keys) == [f"{NOW_MS}-999", f"{NOW_MS + 1}-0"]


async def test_revisions_rise_when_the_newest_change_was_deleted(
    client: Redis, keys: Keys, scripts: Scripts
) -> None:
    """The stream remembers the last id it gave, also without the entry."""
    await client.xadd(keys.changes, {"kpis": ""}, id=f"{NOW_MS}-7")
    await client.xtrim(keys.changes, maxlen=0)
    await scripts.commit(Commit(GROUP, NOW_MS - 1, 0, ["orders-today"], NOW_MS, None, []))
    assert await revisions(client, keys) == [f"{NOW_MS}-8"]


# --- tick --------------------------------------------------------------------------------------------------


async def test_a_minute_is_told_once_by_many_callers(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Ten processes see the minute begin; one change entry says so."""
    told = await asyncio.gather(*(scripts.tick(NOW_MS + n, ["orders-today"]) for n in range(10)))
    assert sorted(told) == [False] * 9 + [True]
    ((_, change),) = await client.xrange(keys.changes)
    assert change == {b"kpis": b"orders-today", b"arrived": b"", b"tick": b"%d" % (NOW_MS - NOW_MS % 60_000)}


async def test_the_next_minute_is_told_again(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Time is an event once a minute."""
    assert [await scripts.tick(NOW_MS + n * 60_000, []) for n in (0, 1, 1, 2)] == [True, True, False, True]


@pytest.mark.parametrize("spoilt", ["changes", "meta"])
async def test_a_tick_that_cannot_be_told_writes_nothing(
    client: Redis, keys: Keys, scripts: Scripts, spoilt: str
) -> None:
    """A minute that could not be told is not marked as told."""
    await client.rpush(getattr(keys, spoilt), "not mine")
    before = await dump(client)
    with pytest.raises(ResponseError):
        await scripts.tick(NOW_MS, [])
    assert await dump(client) == before
    await client.flushall()


# --- rebuild -----------------------------------------------------------------------------------------------


async def test_a_site_is_given_its_rules_once(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Of two workers that start first, one says by what the site counts."""
    assert await scripts.rebuild("claim", 0, "UTC+0 a", "{}", NOW_MS) == 1
    assert await scripts.rebuild("claim", 0, "Asia/Tokyo+0 a", "{}", NOW_MS) == 0
    assert await client.hget(keys.meta, "rules") == b"UTC+0 a"


async def test_of_two_that_build_the_later_one_ends(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """One that stalled can neither hold the others back nor put its panes in place."""
    first, second = await scripts.rebuild("begin"), await scripts.rebuild("begin")
    assert [await scripts.rebuild(step, first) for step in ("fence", "finish", "leave")] == [0, 0, 0]
    assert await scripts.rebuild("finish", second, "UTC+0 b", "{}", NOW_MS) == second
    assert await client.hmget(keys.meta, "generation", "rules", "building") == [b"2", b"UTC+0 b", None]


async def test_leaving_lets_what_counted_count_on(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """A rebuild that fails after the fence takes the fence away."""
    built = await scripts.rebuild("begin")
    await scripts.rebuild("fence", built)
    assert await scripts.rebuild("leave", built) == built
    assert await client.hmget(keys.meta, "fenced", "building", "generation") == [None, None, None]


# --- trim_events -------------------------------------------------------------------------------------------


async def entries(client: Redis, keys: Keys, *ids: str) -> None:
    for entry_id in ids:
        await client.xadd(keys.events, {"e": "x"}, id=entry_id)


async def held(client: Redis, keys: Keys) -> list[str]:
    return [entry_id.decode() for entry_id, _ in await client.xrange(keys.events)]


async def test_trim_keeps_what_a_group_has_not_read(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """However old an event is, it stays until every group has it."""
    await entries(client, keys, "1-0", "2-0", "3-0")
    await client.xgroup_create(keys.events, "rollups", id="3-0")
    await client.xgroup_create(keys.events, "archive", id="1-0")
    assert await scripts.trim_events(100) == 0
    assert await held(client, keys) == ["1-0", "2-0", "3-0"]


async def test_trim_keeps_what_a_group_has_in_hand(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Read but not acknowledged is not done: the oldest pending entry stays, and all after it."""
    await entries(client, keys, "1-0", "2-0", "3-0")
    await client.xgroup_create(keys.events, GROUP, id="0")
    await client.xreadgroup(GROUP, "worker-1", {keys.events: ">"})
    await client.xack(keys.events, GROUP, "1-0", "3-0")
    assert await scripts.trim_events(100) == 1
    assert await held(client, keys) == ["2-0", "3-0"]


async def test_trim_keeps_what_is_young(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """Events stay for the retention time although everyone has them."""
    await entries(client, keys, "1-0", "50-0", "99-0")
    await client.xgroup_create(keys.events, GROUP, id="99-0")
    assert await scripts.trim_events(50) == 1
    assert await held(client, keys) == ["50-0", "99-0"]


async def test_trim_compares_ids_as_numbers(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """9-0 is before 10-0, and 5-9 before 5-10: as texts they would not be."""
    await entries(client, keys, "5-9", "5-10", "9-0", "10-0")
    await client.xgroup_create(keys.events, "a", id="10-0")
    await client.xgroup_create(keys.events, "b", id="5-10")
    assert await scripts.trim_events(100) == 1
    assert await held(client, keys) == ["5-10", "9-0", "10-0"]


@pytest.mark.parametrize("make", ["no stream", "no group"])
async def test_trim_without_a_group_keeps_everything(
    client: Redis, keys: Keys, scripts: Scripts, make: str
) -> None:
    """Before the first worker nobody has read anything."""
    if make == "no group":
        await entries(client, keys, "1-0")
    assert await scripts.trim_events(100) == 0
    assert await client.xlen(keys.events) == (make == "no group")


# --- the server forgets, the memory is full ----------------------------------------------------------------


async def test_a_server_that_forgot_the_scripts_is_told_again(client: Redis, keys: Keys, scripts: Scripts) -> None:
    """SCRIPT FLUSH between two appends loses neither of them."""
    await scripts.append_events([EVENT], NOW_MS)
    await client.script_flush()
    assert await scripts.append_events([replace(EVENT, seen="other")], NOW_MS) == [b"event"]
    assert await client.xlen(keys.events) == 2


@pytest.fixture
async def full(store: Redis, keys: Keys) -> AsyncIterator[list[str]]:
    """The real store with two pending entries and no memory left; the entries' ids."""
    ids = await pending(store, keys)
    await store.config_set("maxmemory", "1mb")
    yield ids
    await store.config_set("maxmemory", "256mb")


async def test_a_full_store_refuses_deliveries_and_keeps_nothing_of_them(
    store: Redis, keys: Keys, full: list[str]
) -> None:
    """The sender hears 503 and tries again; not even a mark is left that would make it a duplicate."""
    before = without_idle(await dump(store))
    batch = [Taken("not_used", "shopify", "9"), EVENT, Taken("dead", "shopify", "8", b"x", "y")]
    with pytest.raises(OutOfMemoryError):
        await Scripts(store, keys).append_events(batch, NOW_MS)
    assert without_idle(await dump(store)) == before


async def test_a_full_store_still_lets_workers_count(store: Redis, keys: Keys, full: list[str]) -> None:
    """Acknowledging is the first write of a commit, so the rest runs to its end and the stream can be trimmed."""
    assert not await Scripts(store, keys).commit(commit_of(full, keys))
    assert (await store.xpending(keys.events, GROUP))["pending"] == 0
    assert await store.hgetall(PANES) == {b"0.n": b"2", b"1.n": b"-1"}


async def test_a_full_store_can_be_trimmed(store: Redis, keys: Keys, full: list[str]) -> None:
    """What makes room is allowed when there is none."""
    await store.xack(keys.events, GROUP, *full)
    assert await Scripts(store, keys).trim_events(2 * NOW_MS) == 1
