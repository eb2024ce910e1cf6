"""The event stream: what was appended is what is read, and whatever was flipped on the way is seen."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from opsmon.core.events import Event, EventId, Problem
from opsmon.store.event_stream import GROUP, EventStream, checksum, decode, encode
from opsmon.store.keys import Keys
from tests.conftest import NOW_MS
from tests.memory import event
from tests.orders import order

pytestmark = pytest.mark.anyio

PLAIN = st.none() | st.booleans() | st.integers(-2**53, 2**53) | st.text(max_size=20)
EVENTS = st.builds(
    Event, id=st.builds(EventId, st.text(max_size=40)), type=st.just("order.updated"),
    time_ms=st.integers(0, 2**43), arrived_ms=st.integers(0, 2**43),
    source=st.text(max_size=10), site=st.just("main"), key=st.text(max_size=40),
    version=st.none() | st.tuples(st.integers(0, 2**43), st.integers(0, 100), st.text(max_size=16)),
    data=st.dictionaries(st.text(max_size=10), PLAIN, max_size=5))


@pytest.fixture
async def stream(store: Redis, keys: Keys) -> EventStream:
    """The stream as worker-1 sees it, with its group."""
    made = EventStream(store, keys, "worker-1")
    await made.ensure_group()
    return made


async def append(store: Redis, keys: Keys, *payloads: bytes) -> list[str]:
    return [(await store.xadd(keys.events, {"e": p, "c": checksum(p)})).decode() for p in payloads]


@given(EVENTS)
def test_an_event_survives_the_stream(one: Event) -> None:
    """Every field, in every script of the world, comes out as it went in."""
    assert decode(encode(one)) == one


def test_an_order_of_ten_lines_takes_less_than_a_kilobyte() -> None:
    """Small events keep two days of a busy shop in little memory."""
    lines = [{"sku": f"TENT-{n}", "quantity": 1, "price": "49.90"} for n in range(10)]
    assert len(encode(event("orders/create", order(total="499.00", line_items=lines)))) < 1024


def test_any_flipped_bit_changes_the_checksum() -> None:
    """The append-only file has no checksum of its own."""
    payload = encode(event("orders/create", order()))
    flipped = [payload[:at] + bytes([payload[at] ^ 1 << bit]) + payload[at + 1 :]
               for at in range(len(payload)) for bit in range(8)]
    assert checksum(payload) not in {checksum(one) for one in flipped}


async def test_what_was_appended_is_read(store: Redis, keys: Keys, stream: EventStream) -> None:
    """With its entry id, its bytes and the event they encode."""
    one = event("orders/create", order())
    (entry_id,) = await append(store, keys, encode(one))
    (entry,) = await stream.read_new(10, 1)
    assert (entry.id, entry.payload, entry.event) == (entry_id, encode(one), decode(encode(one)))


async def test_reading_without_waiting_comes_back_at_once(stream: EventStream) -> None:
    """0 is no wait; the server would take it for ever."""
    assert await stream.read_new(10, 0) == []


async def test_a_wrong_checksum_is_a_problem_with_its_bytes(store: Redis, keys: Keys, stream: EventStream) -> None:
    """The worker gets the bytes to put them aside, and the reason."""
    await store.xadd(keys.events, {"e": b"flipped", "c": "00000000"})
    (entry,) = await stream.read_new(10, 1)
    assert (entry.payload, entry.event) == (b"flipped", Problem("the stored bytes do not match their checksum"))


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b"null", b"\xff", orjson.dumps(list(range(8)))])
async def test_bytes_that_are_no_event_are_a_problem(
    store: Redis, keys: Keys, stream: EventStream, payload: bytes
) -> None:
    """Nothing in the stream can stop the reader."""
    await append(store, keys, payload)
    (entry,) = await stream.read_new(10, 1)
    assert isinstance(entry.event, Problem)


async def test_an_entry_without_our_fields_is_a_problem(store: Redis, keys: Keys, stream: EventStream) -> None:
    """Somebody else wrote into the stream."""
    await store.xadd(keys.events, {"hello": "world"})
    (entry,) = await stream.read_new(10, 1)
    assert isinstance(entry.event, Problem)


async def test_the_group_is_made_once(stream: EventStream) -> None:
    """Starting again finds it there, and what was read stays read."""
    await append(stream._client, Keys("main"), b"1")
    await stream.read_new(10, 1)
    assert (await stream.ensure_group(), await stream.read_new(10, 1)) == (True, [])


async def test_a_new_group_begins_with_the_oldest_event(store: Redis, keys: Keys) -> None:
    """What was accepted before the first worker started is counted too."""
    ids = await append(store, keys, b"1", b"2")
    stream = EventStream(store, keys, "worker-1")
    assert await stream.ensure_group() is True
    assert [entry.id for entry in await stream.read_new(10, 1)] == ids


async def test_own_entries_are_told_by_how_often_they_were_delivered(
    store: Redis, keys: Keys, stream: EventStream
) -> None:
    """What was in hand once may go together; what was more often is suspect and goes alone."""
    first, second = await append(store, keys, b"1", b"2")
    await stream.read_new(10, 1)
    await stream.claim([first], 0)
    assert await stream.own() == ([second], [first])


async def test_anothers_entries_are_not_own(store: Redis, keys: Keys, stream: EventStream) -> None:
    """A worker that starts takes up what it left, and only that."""
    await append(store, keys, b"1")
    await EventStream(store, keys, "worker-2").read_new(10, 1)
    assert await stream.own() == ([], [])
    assert len((await stream.abandoned(0))[0]) == 1


async def test_what_another_works_on_is_not_abandoned(store: Redis, keys: Keys, stream: EventStream) -> None:
    """Only what has been in hand for some time."""
    await append(store, keys, b"1")
    await EventStream(store, keys, "worker-2").read_new(10, 1)
    assert await stream.abandoned(60_000) == ([], [])


async def test_an_acknowledged_entry_has_no_tries(store: Redis, keys: Keys, stream: EventStream) -> None:
    """It is in nobody's hands."""
    (entry_id,) = await append(store, keys, b"1")
    await stream.read_new(10, 1)
    await store.xack(keys.events, GROUP, entry_id)
    assert await stream.tries(entry_id) == 0


async def test_a_claim_takes_over_what_it_names(store: Redis, keys: Keys, stream: EventStream) -> None:
    """And raises the delivery count of nothing else."""
    first, second = await append(store, keys, b"1", b"2")
    await EventStream(store, keys, "worker-2").read_new(10, 1)
    entries, gone = await stream.claim([first], 0)
    assert ([entry.id for entry in entries], gone) == ([first], [])
    assert [await stream.tries(entry_id) for entry_id in (first, second)] == [2, 1]


async def test_what_another_claimed_meanwhile_is_left_to_it(store: Redis, keys: Keys, stream: EventStream) -> None:
    """Two workers that saw the same abandoned entry: it is in one hand, and in no other."""
    (entry_id,) = await append(store, keys, b"1")
    await EventStream(store, keys, "worker-2").read_new(10, 1)
    assert await stream.claim([entry_id], 60_000) == ([], [])


async def test_a_claim_names_what_was_trimmed_away(store: Redis, keys: Keys, stream: EventStream) -> None:
    """Entries in hand that are no longer in the stream are lost, and said to be."""
    ids = await append(store, keys, b"1", b"2")
    await EventStream(store, keys, "worker-2").read_new(10, 1)
    await store.xtrim(keys.events, maxlen=0)
    assert await stream.claim(ids, 0) == ([], ids)


async def test_an_event_carries_its_order_id_to_the_last_digit(
    store: Redis, keys: Keys, stream: EventStream
) -> None:
    """9007199254740993 is beyond what a double can hold."""
    await append(store, keys, encode(event("orders/create", order(2**53 + 1))))
    (entry,) = await stream.read_new(10, 1)
    assert isinstance(entry.event, Event)
    assert entry.event.key == f"shopify:paper-boat.myshopify.com:order:{2**53 + 1}"


def test_arrival_is_told_from_event_time() -> None:
    """Both cross the stream: when it happened and when it reached us."""
    one = decode(encode(event("orders/create", order(placed_ms=NOW_MS - 60_000), arrived_ms=NOW_MS)))
    assert (one.time_ms, one.arrived_ms) == (NOW_MS - 60_000, NOW_MS)
