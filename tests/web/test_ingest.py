"""POST /ingest/events over real HTTP: 200 means every event is durable or named, and no body breaks anything."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from redis.asyncio import Redis

from opsmon.app.web import Web, open_web
from opsmon.clock import ManualClock
from opsmon.core.events import Event
from opsmon.listening import listen
from opsmon.settings import Settings
from opsmon.sources.base import Secret
from opsmon.store.connection import worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.event_stream import checksum, decode
from opsmon.store.keys import Keys
from opsmon.store.refusals import flush_once
from opsmon.telemetry import REGISTRY
from opsmon.web import ingest
from opsmon.web.ingest import BATCH, BATCH_BYTES, MAX_BODY
from opsmon.web.server import serve
from tests.conftest import NOW_MS, SECRET
from tests.http import Answer, request, spoken
from tests.line import SHOP, sign
from tests.orders import order
from tests.waiting import wait_until_async
from tests.web.own_store import own_store

pytestmark = pytest.mark.anyio

TOKEN, OTHER_TOKEN = "token-of-the-till", "token-of-the-gate"


@dataclass(slots=True)
class Door:
    """A running web process without boards: `post` as a till does, look into the store."""

    port: int
    web: Web
    store: Redis
    keys: Keys

    async def post(self, body: Any, token: str | None = TOKEN, **headers: str) -> Answer:
        """Send bytes as they are, and anything else as JSON."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        said = {} if token is None else {"authorization": f"Bearer {token}"}
        return await request(self.port, "POST", "/ingest/events", raw,
                             said | {name.replace("_", "-"): value for name, value in headers.items()})

    async def events(self) -> list[Event]:
        """What is in the stream, each entry's checksum looked at."""
        entries = await self.store.xrange(self.keys.events)
        assert [fields[b"c"] for _, fields in entries] == [checksum(fields[b"e"]).encode() for _, fields in entries]
        return [decode(fields[b"e"]) for _, fields in entries]

    async def totals(self) -> dict[str, int]:
        """The running totals of this door, refusals brought in."""
        assert self.web.webhooks is not None
        await flush_once(self.store, self.keys, self.web.webhooks.refused)
        found = await self.store.hgetall(self.keys.counts)
        return {name.decode().removeprefix("events:"): int(count) for name, count in found.items()
                if name.startswith(b"events:") and not name.endswith(b"last_ms")}


@asynccontextmanager
async def opened(settings: Settings, clock: ManualClock, store: Redis, keys: Keys) -> AsyncIterator[Door]:
    """Start a door and close it."""
    sockets = listen("127.0.0.1", 0, boards=False)
    async with open_web(settings, boards=False, ingest=True, clock=clock) as web:
        server = serve(web.app, sockets, web.drain)
        serving = asyncio.create_task(server.serve(sockets))
        try:
            yield Door(sockets[0].getsockname()[1], web, store, keys)
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
def with_tokens(settings: Settings) -> Settings:
    """Settings with two tokens."""
    return replace(settings, ingest_tokens=(Secret(TOKEN.encode()), Secret(OTHER_TOKEN.encode())))


@pytest.fixture
async def door(with_tokens: Settings, clock: ManualClock, store: Redis, keys: Keys) -> AsyncIterator[Door]:
    """A door on the test store."""
    async with opened(with_tokens, clock, store, keys) as opened_door:
        yield opened_door


def event(number: int = 1, **said: Any) -> dict[str, Any]:
    """An event that is taken."""
    return {"id": f"a{number}", "type": "page.viewed", "key": f"visitor-{number}", "data": {"n": number}} | said


def lines(*events: Any) -> bytes:
    """Events as JSON lines."""
    return b"".join(orjson.dumps(one) + b"\n" for one in events)


def answered(accepted: int = 0, duplicates: Sequence[int] = (), refused: Sequence[int] = ()) -> dict[str, Any]:
    """An answer, of what was refused the places only."""
    return {"accepted": accepted, "duplicates": list(duplicates), "refused": list(refused)}


def places(answer: Answer) -> dict[str, Any]:
    """The answer to a body that was taken, of what was refused the places only."""
    assert answer.status == 200, answer.text
    return answer.json | {"refused": [refused["index"] for refused in answer.json["refused"]]}


def head(*headers: str) -> bytes:
    """The head of a POST with a token, without a body."""
    return "\r\n".join(["POST /ingest/events HTTP/1.1", "host: 127.0.0.1", f"authorization: Bearer {TOKEN}", *headers,
                        "", ""]).encode()


# --- bodies of every kind ---------------------------------------------------------------------------------------


async def test_lines_are_taken(door: Door) -> None:
    """One event to a line."""
    assert (await door.post(lines(event(1), event(2)))).json == answered(2)
    assert [said.id for said in await door.events()] == ["events:a1", "events:a2"]


async def test_an_array_is_taken(door: Door) -> None:
    """In the order of the array."""
    assert (await door.post([event(1), event(2)])).json == answered(2)
    assert [said.id for said in await door.events()] == ["events:a1", "events:a2"]


@pytest.mark.parametrize("body", [orjson.dumps(event()), orjson.dumps(event(), option=orjson.OPT_INDENT_2)],
                         ids=["one line", "indented"])
async def test_a_single_object_is_taken(door: Door, body: bytes) -> None:
    """However it is written."""
    assert (await door.post(body)).json == answered(1)
    assert len(await door.events()) == 1


async def test_an_event_is_stored_as_it_was_read(door: Door) -> None:
    """What a worker finds is what was sent, and when it came."""
    said = event(7, source="till-2", time="2026-11-20T14:03:20+01:00", version=3, data={"wörd": "🧵", "n": None})
    await door.post([said])
    (stored,) = await door.events()
    assert stored == Event("till-2:a7", "page.viewed", NOW_MS - 2000, NOW_MS, "till-2", "main", "till-2:visitor-7",
                           (3, 0, stored.version[2] if stored.version else ""), {"wörd": "🧵", "n": None})


async def test_the_answer_says_that_it_is_json(door: Door) -> None:
    """And how long it is."""
    answer = await door.post([])
    assert (answer.headers["content-type"], answer.headers["content-length"]) == (
        "application/json", str(len(answer.body)))


async def test_an_empty_array_is_nothing_well_done(door: Door) -> None:
    """A sender with no news."""
    assert (await door.post([])).json == answered(0)


async def test_ten_thousand_events_are_taken(door: Door) -> None:
    """Batch by batch, so that others have their turn between."""
    await door.post([event(0)])  # the script is loaded with the first
    await door.store.config_resetstat()
    answer = await door.post(lines(*(event(n, id=f"b{n}") for n in range(10_000))))
    calls = (await door.store.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert (answer.json, calls, await door.store.xlen(door.keys.events)) == (answered(10_000), 10_000 // BATCH, 10_001)


async def test_large_events_go_in_smaller_batches(door: Door) -> None:
    """No call keeps the store from others for long."""
    await door.post([event(0)])
    await door.store.config_resetstat()
    large = {f"n{n}": "x" * 200 for n in range(50)}
    answer = await door.post([event(n, data=large) for n in range(1, 101)])
    calls = (await door.store.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert (answer.json, calls) == (answered(100), -(-100 // -(-BATCH_BYTES // 10_850)))


async def test_a_body_in_pieces_is_read_whole(door: Door) -> None:
    """A sender may send as it writes."""
    body = lines(event(1), event(2))
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    said = await asyncio.to_thread(spoken, door.port, head("transfer-encoding: chunked", "connection: close") + pieces)
    assert (said[:12], said.rpartition(b"\r\n")[2]) == (b"HTTP/1.1 200", orjson.dumps(answered(2)))


async def test_a_webhook_does_not_wait_for_a_large_body(door: Door) -> None:
    """It comes while ten thousand events are being taken, and is answered before them."""
    body = lines(*(event(n) for n in range(10_000)))
    large = asyncio.create_task(door.post(body))

    async def begun() -> bool:
        return await door.store.xlen(door.keys.events) > 0

    await wait_until_async(begun, "the first batch")
    raw = orjson.dumps(order())
    answer = await request(door.port, "POST", "/webhooks/shopify", raw, {
        "x-shopify-topic": "orders/create", "x-shopify-shop-domain": SHOP, "x-shopify-webhook-id": "b1e2",
        "x-shopify-hmac-sha256": sign(raw, SECRET.encode())})
    assert (answer.status, large.done()) == (200, False)
    assert (await large).json == answered(10_000)


# --- good and bad together --------------------------------------------------------------------------------------


async def test_a_bad_line_does_not_stop_the_good_ones(door: Door) -> None:
    """Each that is refused is named by its place, with the reason."""
    body = lines(event(1)) + b"{rubbish\n\n" + lines(event(2, type="Page"), event(3), event(4, data={"a": []}), 17)
    answer = await door.post(body)
    assert places(answer) == answered(2, refused=[1, 2, 4, 5])
    assert [refused["reason"].partition(":")[0] for refused in answer.json["refused"]] == [
        "not JSON", "type is 'Page'", "data.a is a list", "the event is 17"]
    assert [said.id for said in await door.events()] == ["events:a1", "events:a3"]


async def test_a_bad_element_of_an_array_is_named_by_its_place(door: Door) -> None:
    """Counted from 0, as the array is."""
    assert places(await door.post([17, event(1), None, event(2), {}])) == answered(2, refused=[0, 2, 4])


async def test_the_same_id_twice_in_a_body_is_once_and_a_duplicate(door: Door) -> None:
    """The first is taken."""
    answer = await door.post([event(1, data={"n": 1}), event(2), event(1, data={"n": 2})])
    assert answer.json == answered(2, duplicates=[2])
    assert [said.data for said in await door.events()] == [{"n": 1}, {"n": 2}]


async def test_the_same_id_far_apart_in_a_body_is_once_and_a_duplicate(door: Door) -> None:
    """In another batch of it."""
    body = [event(n) for n in range(BATCH)] + [event(0)]
    assert (await door.post(body)).json == answered(BATCH, duplicates=[BATCH])


async def test_a_body_that_is_sent_again_is_all_duplicates(door: Door) -> None:
    """A sender that did not hear the answer may ask again."""
    body = lines(event(1), event(2), event(3))
    await door.post(body)
    assert (await door.post(body)).json == answered(0, duplicates=[0, 1, 2])
    assert len(await door.events()) == 3


async def test_the_same_body_many_times_at_once_is_taken_once(door: Door) -> None:
    """Whoever comes first."""
    body = lines(*(event(n) for n in range(BATCH + 10)))
    answers = await asyncio.gather(*(door.post(body) for _ in range(8)))
    assert sum(answer.json["accepted"] for answer in answers) == BATCH + 10
    assert sum(len(answer.json["duplicates"]) for answer in answers) == 7 * (BATCH + 10)


async def test_the_same_id_of_two_sources_is_two_events(door: Door) -> None:
    """Each till counts from 1."""
    assert (await door.post([event(1, source="till-1"), event(1, source="till-2")])).json == answered(2)


async def test_nobody_with_a_token_passes_for_a_vendor(door: Door) -> None:
    """Not by the type, nor by the source: both are for signed deliveries."""
    answer = await door.post([event(1, type="order.updated"), event(2, source="shopify")])
    assert [refused["reason"] for refused in answer.json["refused"]] == [
        "type is 'order.updated': reserved for what opsmon tells of vendors' deliveries",
        "source is 'shopify': its events come signed, to /webhooks/shopify"]


async def test_every_event_is_accounted_for(door: Door) -> None:
    """Accepted, duplicate and each reason add up to what was sent."""
    await door.post([event(1), event(1), event(2, id=""), event(3, type="order.deleted"), event(4, data=[]), 17])
    assert await door.totals() == {"accepted": 1, "duplicate": 1, "bad_id": 1, "reserved_type": 1, "bad_data": 1,
                                   "not_object": 1}


async def test_the_process_counts_what_it_answered(door: Door) -> None:
    """For Prometheus, beside the webhooks."""
    def count(outcome: str) -> float:
        return REGISTRY.get_sample_value("opsmon_webhooks_total", {"source": "events", "outcome": outcome}) or 0

    before = [count(outcome) for outcome in ("event", "duplicate", "refused")]
    await door.post([event(1), event(1), event(1), 17])
    await door.post([], token=None)
    assert [count(outcome) for outcome in ("event", "duplicate", "refused")] == [
        before[0] + 1, before[1] + 2, before[2] + 2]


# --- who may ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [
    "Bearer another-token-altogether", "Bearer ", "Bearer token-of-the-til", f"Bearer {TOKEN}x",
    f"Bearer {TOKEN}, {TOKEN}", "Bearer tökens-of-the-till",
])
async def test_a_wrong_token_is_a_401(door: Door, authorization: str) -> None:
    """With the name of the setting; nothing of the body is looked at."""
    answer = await door.post([event()], token=None, authorization=authorization)
    assert (answer.status, answer.text.partition(".")[0], answer.headers["www-authenticate"]) == (
        401, "The token is not one of OPSMON_INGEST_TOKEN", "Bearer")
    assert (await door.totals(), await door.events()) == ({"bad_token": 1}, [])


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "Basic dG9rZW4="},
                                     {"authorization": TOKEN}, {"x_token": TOKEN}], ids=repr)
async def test_no_token_is_a_401_that_says_where_it_goes(door: Door, headers: dict[str, str]) -> None:
    """Whoever reads the answer knows what to do."""
    answer = await door.post([event()], token=None, **headers)
    assert (answer.status, answer.text) == (401, "Authorization: Bearer <token> is missing.\n")
    assert (await door.totals(), await door.events()) == ({"no_token": 1}, [])


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {OTHER_TOKEN}", f"BEARER  {TOKEN} "])
async def test_each_token_opens_the_door(door: Door, authorization: str) -> None:
    """Several, as for a rotation."""
    assert (await door.post([event()], token=None, authorization=authorization)).json == answered(1)


async def test_a_stranger_is_told_before_the_body_is_sent(door: Door) -> None:
    """Sixteen megabytes of nobody are not waited for."""
    said = await asyncio.to_thread(spoken, door.port, (
        b"POST /ingest/events HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 9999999\r\n\r\n"))
    assert said[:12] == b"HTTP/1.1 401"


async def test_while_no_token_is_set_the_test_secret_is_one(
    settings: Settings, clock: ManualClock, store: Redis, keys: Keys
) -> None:
    """Whoever may read the data folder can try it at once."""
    async with opened(settings, clock, store, keys) as door:
        secret = DataDir(settings.data).test_secret()
        assert (await door.post([event()], token=secret)).json == answered(1)


async def test_once_a_token_is_set_the_test_secret_is_none(door: Door, settings: Settings) -> None:
    """What is set is what counts."""
    assert (await door.post([event()], token=DataDir(settings.data).test_secret())).status == 401


# --- addresses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ingest/", "/ingest/event", "/ingest/events/", "/ingest//events", "/ingest/shopfy"])
async def test_an_address_that_only_looks_alike_is_a_404(door: Door, path: str) -> None:
    """It names the right one."""
    answer = await request(door.port, "POST", path, b"[]", {"authorization": f"Bearer {TOKEN}"})
    assert (answer.status, answer.text) == (404, "No such address; events are POSTed to /ingest/events.\n")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_another_method_is_a_405_that_names_the_right_one(door: Door, method: str) -> None:
    """Whoever opens the address in a browser reads what it is for."""
    answer = await request(door.port, method, "/ingest/events", b"", {})
    assert (answer.status, answer.headers["allow"], answer.text) == (405, "POST", "Events are POSTed.\n")


# --- bodies that are none ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("body, said", [
    (b"", "The body is empty: events are JSON lines, a JSON array or one object.\n"),
    (b"[17,", "The body begins as a JSON array and is none, line 1: unexpected end of data.\n"),
    (b"\n\nid=17\nid=18\n", "No line of the body is JSON. Line 3 is not JSON: unexpected character, expected a JSON "
                            "value: line 1 column 1 (char 0).\n"),
], ids=["empty", "half an array", "forms"])
async def test_a_body_that_is_no_json_at_all_is_a_400_that_names_the_line(door: Door, body: bytes, said: str) -> None:
    """And nothing is stored of it but a count."""
    answer = await door.post(body)
    assert (answer.status, answer.text) == (400, said)
    assert (await door.totals(), await door.events()) == ({"bad_body": 1}, [])


@pytest.mark.parametrize("body", [lines(*[{}] * 10_001), orjson.dumps([{}] * 10_001)], ids=["lines", "an array"])
async def test_more_than_ten_thousand_events_are_a_413(door: Door, body: bytes) -> None:
    """The limit is in the answer; nothing is taken."""
    answer = await door.post(body)
    assert (answer.status, answer.text) == (413, "The body has over the limit of 10000 events.\n")
    assert await door.totals() == {"too_large": 1}


async def test_a_body_of_sixteen_mebibytes_is_read(door: Door) -> None:
    """The limit itself is still in."""
    body = lines(event(1)).ljust(MAX_BODY, b" ")
    assert (await door.post(body)).json == answered(1)


async def test_a_body_announced_too_large_is_a_413_before_it_is_sent(door: Door) -> None:
    """It is not even waited for; the connection ends, for the rest of it cannot be read."""
    said = await asyncio.to_thread(spoken, door.port, head(f"content-length: {MAX_BODY + 1}"))
    assert (said[:12], said.rpartition(b"\r\n")[2], b"\r\nconnection: close\r\n" in said) == (
        b"HTTP/1.1 413", b"The body is over the limit of 16777216 bytes.\n", True)
    assert await door.totals() == {"too_large": 1}


async def test_a_body_in_pieces_that_grows_too_large_is_a_413(door: Door) -> None:
    """Nothing was announced, so it is counted while it comes."""
    pieces = (b"10000\r\n" + b" " * 65536 + b"\r\n") * 257
    said = await asyncio.to_thread(spoken, door.port, head("transfer-encoding: chunked") + pieces)
    assert said[:12] == b"HTTP/1.1 413"


async def test_a_body_that_does_not_come_is_a_408(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that falls asleep does not keep the door; the connection ends."""
    monkeypatch.setattr(ingest, "BODY_DEADLINE_S", 0.05)
    said = await asyncio.to_thread(spoken, door.port, head("content-length: 10") + b"x")
    assert (said[:12], b"\r\nconnection: close\r\n" in said) == (b"HTTP/1.1 408", True)
    assert await door.totals() == {"slow_body": 1}


@pytest.mark.parametrize("said", [
    head("content-length: 1000") + lines(event(1)), head("transfer-encoding: chunked") + b"5\r\nhel",
    head("content-length: 100"),
], ids=["after a whole line", "in a chunk", "before the body"])
async def test_a_sender_that_hangs_up_leaves_no_trace_but_a_count(
    door: Door, caplog: pytest.LogCaptureFixture, said: bytes
) -> None:
    """Half a body is no body: not even its whole lines are taken."""
    with socket.create_connection(("127.0.0.1", door.port)) as cut:
        cut.sendall(said)
    assert door.web.webhooks is not None
    refused = door.web.webhooks.refused
    await wait_until_async(lambda: refused["events:client_gone"] == 1, "the count of the cut line")
    assert await door.events() == []
    assert [r for r in caplog.records if r.levelno >= logging.WARNING or r.exc_info] == []


async def test_a_sender_that_hangs_up_before_the_answer_breaks_nothing(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """All of it was taken; the sender will ask again, and hear that it was."""
    body = lines(*(event(n) for n in range(2 * BATCH)))
    with socket.create_connection(("127.0.0.1", door.port)) as cut:
        cut.sendall(head(f"content-length: {len(body)}") + body)
        cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # an abrupt end

    async def stored() -> bool:
        return await door.store.xlen(door.keys.events) == 2 * BATCH

    await wait_until_async(stored, "the events of a sender that did not wait")
    assert [r for r in caplog.records if r.levelno >= logging.WARNING or r.exc_info] == []


@pytest.mark.parametrize("body", [
    b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"[" * 1000 + b"]" * 1000 + b"]", b"\xff" * 99, b"\x00", b"{}" * 9,
    b"\n" * 99_999, b"[" + b"{}," * 999_999 + b"{}]", b'{"id":"' + b"x" * 1_000_000 + b'","type":"a.b"}', b"null",
    b'""', b"\xef\xbb\xbf[]",
    b'{"id":"a","type":"a.b","data":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
], ids=lambda body: f"{body[:12]!r} of {len(body)}")
async def test_whatever_the_body_is_the_next_one_is_served(door: Door, body: bytes) -> None:
    """Never a 5xx because of what was sent."""
    assert (await door.post(body)).status in (200, 400, 413)
    assert (await door.post([event()])).json == answered(1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6)
MEMBERS = {"id": JSON | st.text(max_size=3), "type": JSON | st.sampled_from(["a.b", "order.updated"]), "data": JSON,
           "key": JSON | st.text(max_size=3), "version": JSON | st.integers(0, 9), "time": JSON | st.just(NOW_MS)}
PIECES = st.lists(JSON | st.fixed_dictionaries({}, optional=MEMBERS), max_size=8)


@given(pieces=PIECES, is_array=st.booleans())
@profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_of_any_json_every_event_is_accounted_for(door: Door, pieces: list[Any], is_array: bool) -> None:
    """Each is accepted, a duplicate or refused, and only what was accepted is in the stream."""
    before = await door.store.xlen(door.keys.events)
    kind = "application/json" if is_array else "application/x-ndjson"
    answer = await door.post(pieces if is_array else lines(*pieces), content_type=kind)
    if not pieces and not is_array:
        assert answer.status == 400
        return
    found = places(answer)
    assert found["accepted"] + len(found["duplicates"]) + len(found["refused"]) == len(pieces)
    assert await door.store.xlen(door.keys.events) == before + found["accepted"]


@given(body=st.binary(max_size=60) | st.text(alphabet='[]{},:"1a\n', max_size=60).map(str.encode))
@profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_bytes_whatever_are_no_fault_of_ours(door: Door, body: bytes) -> None:
    """They are events, or a 400."""
    assert (await door.post(body)).status in (200, 400)


async def test_no_token_and_no_body_is_in_any_log_line(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """Logs travel: what is in them is read by more people than should read it."""
    caplog.set_level(logging.DEBUG)
    await door.post([event(data={"a": "PRIVATE"}), "PRIVATE", {"id": ["PRIVATE"]}])
    await door.post(b"PRIVATE")
    await door.post([], token="PRIVATE-TOKEN-0123")
    assert [word for word in ("PRIVATE", TOKEN) if word in caplog.text] == []


# --- the store is not there -------------------------------------------------------------------------------------


@pytest.fixture
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A store of this test's own, that may be stopped and killed."""
    with own_store(tmp_path_factory.mktemp("s")) as store:
        yield store
        if store.pid and store.poll() is None:
            os.kill(store.pid, signal.SIGCONT)


@pytest.fixture
async def mortal_door(
    mortal: EmbeddedStore, with_tokens: Settings, clock: ManualClock, keys: Keys
) -> AsyncIterator[Door]:
    """A door on the mortal store."""
    client = worker_client(mortal.url)
    async with opened(replace(with_tokens, store_url=mortal.url), clock, client, keys) as door:
        yield door
    await client.aclose()


UNAVAILABLE = (503, "5", "The store did not confirm in time: please send the whole body again. What is stored of it by "
                         "now will be a duplicate then.\n")


def told(answer: Answer) -> tuple[int, str | None, str]:
    """The status, when to come again, and the sentence."""
    return answer.status, answer.headers.get("retry-after"), answer.text


async def test_while_the_store_is_gone_the_answer_is_a_503_and_then_a_200(
    mortal: EmbeddedStore, mortal_door: Door
) -> None:
    """The store may be killed and started again: no web process has to be."""
    assert mortal.pid
    os.kill(mortal.pid, signal.SIGKILL)
    await wait_until_async(lambda: mortal.poll() is not None, "the end of the store")
    answer = await mortal_door.post([event(1), event(2)])
    mortal.start()
    assert told(answer) == UNAVAILABLE
    assert (await mortal_door.post([event(1), event(2)])).json == answered(2)


async def test_while_the_store_hangs_the_answer_is_a_503_and_a_retry_is_harmless(
    mortal: EmbeddedStore, mortal_door: Door
) -> None:
    """It may have been stored: then it is a duplicate the next time."""
    assert mortal.pid
    await mortal_door.post([event(0)])
    os.kill(mortal.pid, signal.SIGSTOP)
    answer = await mortal_door.post([event(1), event(2)])
    os.kill(mortal.pid, signal.SIGCONT)
    again = await mortal_door.post([event(1), event(2)])
    assert (told(answer), again.json["accepted"] + len(again.json["duplicates"])) == (UNAVAILABLE, 2)
    assert [said.id for said in await mortal_door.events()] == ["events:a0", "events:a1", "events:a2"]


async def test_a_store_that_is_full_half_way_is_a_503_and_the_retry_brings_the_rest(
    mortal: EmbeddedStore, mortal_door: Door
) -> None:
    """Never half a 200: what was stored before is a duplicate the second time, and each event is there once."""
    body = lines(*(event(n) for n in range(10_000)))
    await mortal_door.post([event(0)])
    used = (await mortal_door.store.info("memory"))["used_memory"]
    await mortal_door.store.config_set("maxmemory", used + 1_500_000)
    first = await mortal_door.post(body)
    stored = await mortal_door.store.xlen(mortal_door.keys.events)
    await mortal_door.store.config_set("maxmemory", 64 * 1024**2)
    again = await mortal_door.post(body)
    assert (told(first), 1 < stored < 10_000) == (UNAVAILABLE, True)
    assert again.json == answered(10_000 - stored, duplicates=list(range(stored)))
    assert len({said.id for said in await mortal_door.events()}) == 10_000 == await mortal_door.store.xlen(
        mortal_door.keys.events)


async def test_what_takes_too_long_is_a_503(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """One deadline for the whole body, however many batches it has."""
    monkeypatch.setattr(ingest, "DEADLINE_S", 0.0)
    assert told(await door.post([event()])) == UNAVAILABLE


async def test_after_a_503_nothing_is_counted_as_refused(mortal: EmbeddedStore, mortal_door: Door) -> None:
    """It will be when the body comes again, and once."""
    assert mortal.pid
    os.kill(mortal.pid, signal.SIGKILL)
    await wait_until_async(lambda: mortal.poll() is not None, "the end of the store")
    await mortal_door.post([event(1), 17])
    mortal.start()
    await mortal_door.post([event(1), 17])
    assert await mortal_door.totals() == {"accepted": 1, "not_object": 1}
