"""POST /webhooks/shopify over real HTTP: 200 means durable, and nothing a sender does breaks anything."""

import asyncio
import logging
import os
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from opsmon.sources.shopify_bodies import READERS
from opsmon.store.connection import worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.store.refusals import flush_once
from opsmon.store.server_binary import find_server
from opsmon.web import webhooks
from opsmon.web.webhooks import MAX_BODY
from tests.conftest import SECRET
from tests.http import request, spoken
from tests.line import SHOP, Line, open_line, sign
from tests.orders import order
from tests.waiting import wait_until_async

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parents[3] / "shared" / "fixtures" / "shopify"
RECORDED_NAMES = sorted(path.name for path in RECORDED.glob("*.json"))

Totals = Callable[[], Any]


@pytest.fixture
def totals(line: Line, keys: Keys) -> Totals:
    """Ask for the site's running totals, refusals brought in, as `outcome: count`."""
    async def ask() -> dict[str, int]:
        assert line.web.webhooks is not None
        await flush_once(line.store, keys, line.web.webhooks.refused)
        found = (await line.get("/status.json")).json["sources"]["shopify"]["totals"]
        return {name: count for name, count in found.items() if count}

    return ask


async def dead(line: Line, keys: Keys) -> list[tuple[str, bytes]]:
    """The dead letters: reason and payload."""
    return [(fields[b"reason"].decode(), fields[b"payload"]) for _, fields in await line.store.xrange(keys.dead)]


def head(*headers: str) -> bytes:
    """The head of a webhook, without a body."""
    return "\r\n".join(["POST /webhooks/shopify HTTP/1.1", "host: 127.0.0.1", *headers, "", ""]).encode()


# --- what is answered -------------------------------------------------------------------------------------------


async def test_a_good_delivery_is_answered_with_an_empty_200(line: Line) -> None:
    """Shopify reads the number and nothing else."""
    answer = await line.post("orders/create", order())
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


async def test_a_good_delivery_is_in_the_stream_before_the_answer(line: Line, keys: Keys) -> None:
    """200 means: it is written down."""
    await line.post("orders/create", order())
    assert await line.store.xlen(keys.events) == 1


async def test_a_wrong_signature_is_a_401_with_the_likely_cause(line: Line, totals: Totals) -> None:
    """Shopify's own log shows our sentence to whoever set it up."""
    answer = await line.post("orders/create", order(), x_shopify_hmac_sha256=sign(b"other", b"other"))
    assert (answer.status, answer.text.partition(":")[0]) == (401, "The signature matches no secret")
    assert await totals() == {"bad_signature": 1}


async def test_a_missing_signature_is_a_401_that_names_the_header(line: Line, totals: Totals) -> None:
    """A proxy that drops headers is found by this sentence."""
    answer = await line.post("orders/create", order(), x_shopify_hmac_sha256="")
    assert (answer.status, answer.text) == (401, "X-Shopify-Hmac-Sha256 is missing.\n")
    assert await totals() == {"unsigned": 1}


@pytest.mark.parametrize("header", ["x_shopify_topic", "x_shopify_shop_domain", "x_shopify_webhook_id"])
async def test_a_signed_delivery_without_its_label_is_a_400(line: Line, totals: Totals, header: str) -> None:
    """Nobody can say what it is, so nothing is stored of it but a count."""
    answer = await line.post("orders/create", order(), **{header: ""})
    assert (answer.status, await totals()) == (400, {"bad_headers": 1})


async def test_nothing_is_stored_of_what_is_refused(line: Line, keys: Keys) -> None:
    """Whoever has no secret cannot fill the disk."""
    await line.post("orders/create", order(), x_shopify_hmac_sha256="")
    assert await line.store.exists(keys.events, keys.dead) == 1  # the stream itself is there, for the group
    assert (await line.store.xlen(keys.events), await line.store.xlen(keys.dead)) == (0, 0)


async def test_the_same_delivery_a_hundred_times_at_once_is_taken_once(line: Line, totals: Totals) -> None:
    """Every one hears 200; one counts."""
    answers = await asyncio.gather(*(
        line.post("orders/create", order(), x_shopify_webhook_id="b1e2") for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert await totals() == {"accepted": 1, "duplicate": 99}


async def test_a_topic_of_no_number_is_answered_well_and_counted(line: Line, totals: Totals) -> None:
    """A shop may send everything it has."""
    answer = await line.post("themes/update", {"id": 7})
    assert (answer.status, await totals()) == (200, {"not_used": 1})


@pytest.mark.parametrize("body, said", [
    (b"", "the body is empty"), (b"[]", "the body is a JSON list, expected an object"),
    (b'{"id":17}', "the topic is orders/create, but the body has no created_at"),
    (b'{"x":' + b"[" * 65 + b"]" * 65 + b"}", "the body is nested deeper than 64"),
], ids=["empty", "a list", "another topic", "66 levels"])
async def test_signed_rubbish_is_answered_well_and_kept(line: Line, keys: Keys, body: bytes, said: str) -> None:
    """A 4xx would cost the shop its subscription: it is set aside, with what it was and why."""
    answer = await line.post("orders/create", body)
    assert answer.status == 200
    assert await dead(line, keys) == [(f"orders/create from {SHOP}: {said}", body)]


@pytest.mark.parametrize("body", [b"{", b"id=17", b"\xff" * 99, b"[" * 100_000, b'{"a":' * 100_000],
                         ids=["half", "a form", "no text", "100,000 lists", "100,000 objects"])
async def test_a_signed_body_that_is_not_json_is_answered_well_and_kept(
    line: Line, keys: Keys, body: bytes
) -> None:
    """However it is broken, and however deep."""
    answer = await line.post("orders/create", body)
    ((reason, payload),) = await dead(line, keys)
    about, _, said = reason.partition(": ")
    assert (answer.status, about, payload) == (200, f"orders/create from {SHOP}", body)
    assert said.startswith("the body is not JSON: ")


async def test_signed_rubbish_twice_is_kept_once(line: Line, totals: Totals) -> None:
    """The same parcel again is the same parcel."""
    for _ in range(2):
        await line.post("orders/create", b"{", x_shopify_webhook_id="b1e2")
    assert await totals() == {"dead": 1, "duplicate": 1, "held": 1, "held_bytes": 145}


async def test_an_order_of_a_thousand_lines_is_counted(line: Line) -> None:
    """The largest order anyone has sent us word of."""
    lines = [{"sku": f"SKU-{n}", "title": "Peg " * 20, "quantity": 1, "price": "0.05"} for n in range(1000)]
    assert (await line.post("orders/create", order(total="50.00", line_items=lines))).status == 200
    await line.work()
    assert (await line.kpis())["revenue-today"]["value"] == 5000


async def test_an_unknown_source_is_a_404_that_names_the_known(line: Line) -> None:
    """A typo in the address is found by reading the answer."""
    answer = await request(line.port, "POST", "/webhooks/shopfy", b"{}", {})
    assert (answer.status, answer.text) == (404, "No such source; known are shopify.\n")


@pytest.mark.parametrize("path", ["/webhooks/", "/webhooks/a/shopify", "/webhooks/shopify/", "/webhooks//shopify"])
async def test_an_address_that_only_looks_alike_is_a_404(line: Line, path: str) -> None:
    """One door, one address."""
    assert (await request(line.port, "POST", path, b"{}", {})).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_another_method_is_a_405_that_names_the_right_one(line: Line, method: str) -> None:
    """Whoever opens the address in a browser reads what it is for."""
    answer = await request(line.port, method, "/webhooks/shopify", b"", {})
    assert (answer.status, answer.headers["allow"], answer.text) == (405, "POST", "Webhooks are POSTed.\n")


# --- bodies -----------------------------------------------------------------------------------------------------


async def test_a_body_of_one_mebibyte_is_read(line: Line, totals: Totals) -> None:
    """The limit itself is still in."""
    body = order(note="n" * (MAX_BODY - len(orjson.dumps(order(note="")))))
    assert (len(orjson.dumps(body)), (await line.post("orders/create", body)).status) == (MAX_BODY, 200)
    assert await totals() == {"accepted": 1}


async def test_a_body_in_pieces_is_read_whole(line: Line, totals: Totals) -> None:
    """A sender may send as it writes."""
    body = orjson.dumps(order())
    pieces = b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in body) + b"0\r\n\r\n"
    said = head("x-shopify-topic: orders/create", f"x-shopify-shop-domain: {SHOP}", "x-shopify-webhook-id: c1",
                f"x-shopify-hmac-sha256: {sign(body, SECRET.encode())}", "transfer-encoding: chunked",
                "connection: close")
    assert (await asyncio.to_thread(spoken, line.port, said + pieces)).startswith(b"HTTP/1.1 200 ")
    assert await totals() == {"accepted": 1}


async def test_a_body_announced_too_large_is_a_413_before_it_is_sent(line: Line, totals: Totals) -> None:
    """Ten megabytes are not even waited for; the connection ends, for the rest of it cannot be read."""
    answer = await asyncio.to_thread(spoken, line.port, head(f"content-length: {10 * 1024**2}"))
    assert (answer[:12], answer.rpartition(b"\r\n")[2], b"\r\nconnection: close\r\n" in answer) == (
        b"HTTP/1.1 413", b"The body is over the limit of 1048576 bytes.\n", True)
    assert await totals() == {"too_large": 1}


async def test_ten_megabytes_that_are_sent_all_the_same_are_a_413(line: Line, totals: Totals) -> None:
    """A sender that does not listen while it talks."""
    said = head(f"content-length: {10 * 1024**2}") + b"x" * 10 * 1024**2
    assert (await asyncio.to_thread(spoken, line.port, said)).startswith(b"HTTP/1.1 413 ")
    assert await totals() == {"too_large": 1}


async def test_a_body_in_pieces_that_grows_too_large_is_a_413(line: Line, totals: Totals) -> None:
    """Nothing was announced, so it is counted while it comes."""
    pieces = (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 160
    answer = await asyncio.to_thread(spoken, line.port, head("transfer-encoding: chunked") + pieces)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert await totals() == {"too_large": 1}


async def test_a_body_that_does_not_come_is_a_408(
    line: Line, totals: Totals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that falls asleep does not keep the door; the connection ends."""
    monkeypatch.setattr(webhooks, "BODY_DEADLINE_S", 0.05)
    answer = await asyncio.to_thread(spoken, line.port, head("content-length: 10") + b"x")
    assert (answer[:13], b"\r\nconnection: close\r\n" in answer) == (b"HTTP/1.1 408 ", True)
    assert await totals() == {"slow_body": 1}


async def test_a_body_that_drips_is_a_408_too(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is for the whole body: a letter now and then does not buy more."""
    monkeypatch.setattr(webhooks, "BODY_DEADLINE_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(head("content-length: 100000"))
    answer = asyncio.create_task(reader.readline())

    async def drip() -> bool:
        if not answer.done():
            writer.write(b"x")
        return answer.done()

    await wait_until_async(drip, "an answer to a body that drips")
    writer.close()
    assert (await answer)[:13] == b"HTTP/1.1 408 "


@pytest.mark.parametrize("said", [
    head("content-length: 100") + b"half a body", head("transfer-encoding: chunked") + b"5\r\nhel",
    head("content-length: 100"), b"POST /webhooks/sho",
], ids=["in the body", "in a chunk", "before the body", "in the head"])
async def test_a_sender_that_hangs_up_leaves_no_trace_but_a_count(
    line: Line, caplog: pytest.LogCaptureFixture, said: bytes
) -> None:
    """A cut line is everyday: no traceback, no error in the log, and the next one is served."""
    caplog.set_level(logging.DEBUG)
    with socket.create_connection(("127.0.0.1", line.port)) as cut:
        cut.sendall(said)
    answer = await line.post("orders/create", order())
    assert line.web.webhooks is not None
    if said.endswith(b"\r\n\r\n") or b"\r\n\r\n" in said:
        refused = line.web.webhooks.refused
        await wait_until_async(lambda: refused["shopify:client_gone"] == 1, "the count of the cut line")
    assert answer.status == 200
    assert [r for r in caplog.records if r.levelno >= logging.WARNING or r.exc_info] == []


async def test_a_sender_that_hangs_up_before_the_answer_breaks_nothing(
    line: Line, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """It was taken; the sender will ask again, and hear that it was."""
    body = orjson.dumps(order())
    with socket.create_connection(("127.0.0.1", line.port)) as cut:
        cut.sendall(head("x-shopify-topic: orders/create", f"x-shopify-shop-domain: {SHOP}",
                         "x-shopify-webhook-id: h", f"x-shopify-hmac-sha256: {sign(body, SECRET.encode())}",
                         f"content-length: {len(body)}") + body)
        cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # an abrupt end

    async def stored() -> bool:
        return await line.store.xlen(keys.events) == 1

    await wait_until_async(stored, "the event of a sender that did not wait")
    assert [r for r in caplog.records if r.levelno >= logging.WARNING or r.exc_info] == []


@pytest.mark.parametrize("said", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50, b"GARBAGE\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n",
    head("content-length: -1"), head("content-length: 1e3"), head(f"content-length: {'9' * 5000}"),
    head("content-length: 5", "content-length: 6"), head("transfer-encoding: chunked") + b"zz\r\n",
], ids=["a TLS hello", "garbage", "HTTP/9.9", "length -1", "length 1e3", "length 999…", "two lengths", "no chunk"])
async def test_what_is_not_http_is_a_400_or_the_end(
    line: Line, caplog: pytest.LogCaptureFixture, said: bytes
) -> None:
    """Scanners say the strangest things; none is answered with a 5xx, and none leaves a traceback."""
    answer = await asyncio.to_thread(spoken, line.port, said)
    assert answer[:12] in (b"", b"HTTP/1.1 400")
    assert [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info] == []


# --- many at once -----------------------------------------------------------------------------------------------


async def appends(store: Redis) -> int:
    """How many scripts the store has run since the count was put to zero."""
    stats = await store.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])


async def test_deliveries_that_arrive_together_share_appends(line: Line, keys: Keys) -> None:
    """A burst costs few round trips and few writes to the disk."""
    await line.post("orders/create", order(1))  # the script is loaded with the first
    await line.store.config_resetstat()
    answers = await asyncio.gather(*(line.post("orders/create", order(n)) for n in range(2, 66)))
    calls = await appends(line.store)
    assert ([answer.status for answer in answers], await line.store.xlen(keys.events)) == ([200] * 64, 65)
    assert calls <= 32, f"64 deliveries at once took {calls} appends"


async def test_a_lone_delivery_waits_for_nobody(line: Line) -> None:
    """One append of its own, at once: there is no timer that gathers."""
    await line.post("orders/create", order(1))
    await line.store.config_resetstat()
    took_s = []
    for n in range(2, 12):
        start_s = time.perf_counter()
        await line.post("orders/create", order(n))
        took_s.append(time.perf_counter() - start_s)
    assert await appends(line.store) == 10
    assert min(took_s) < 0.025


# --- the store is not there -------------------------------------------------------------------------------------


@pytest.fixture
def own_store() -> Iterator[EmbeddedStore]:
    """A store of this test's own, that may be stopped and killed."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        store = EmbeddedStore(DataDir(Path(folder)), find_server(), 64 * 1024**2)
        store.start()
        yield store
        if store.pid and store.poll() is None:
            os.kill(store.pid, signal.SIGCONT)
        store.stop()


@asynccontextmanager
async def opened(settings: Settings, clock: ManualClock, url: str, seen_at: str) -> AsyncIterator[Line]:
    """A line whose web process reaches its store at `seen_at`; the test and the worker reach it at `url`."""
    client = worker_client(url)
    try:
        async with open_line(replace(settings, store_url=seen_at), clock, client, SECRET.encode()) as line:
            yield line
    finally:
        await client.aclose()


async def timed(line: Line, webhook_id: str) -> tuple[int, str | None, float]:
    """Deliver an order: the status, when to come again, and how long the answer took."""
    start_s = time.perf_counter()
    answer = await line.post("orders/create", order(), x_shopify_webhook_id=webhook_id)
    return answer.status, answer.headers.get("retry-after"), time.perf_counter() - start_s


async def test_while_the_store_hangs_the_answer_is_a_503_within_a_second(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore
) -> None:
    """The sender is told to come again before it gives up; what it brings then counts once."""
    assert own_store.pid
    async with opened(settings, clock, own_store.url, own_store.url) as line:
        await line.post("orders/create", order(2))
        os.kill(own_store.pid, signal.SIGSTOP)
        answers = [await timed(line, "b1e2"), await timed(line, "b1e2")]
        os.kill(own_store.pid, signal.SIGCONT)
        await wait_until_async(lambda: delivered(line, "b1e2"), "a 200 after the store went on")
        await line.work()
        assert [answer[:2] for answer in answers] == [(503, "5"), (503, "5")]
        assert max(answer[2] for answer in answers) < 1.0
        assert (await line.kpis())["orders-today"]["value"] == 2


async def delivered(line: Line, webhook_id: str) -> bool:
    """Whether a delivery is taken now."""
    return (await timed(line, webhook_id))[0] == 200


async def test_many_that_wait_for_a_store_that_hangs_are_all_told_in_time(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore
) -> None:
    """Nobody's turn comes after the deadline."""
    assert own_store.pid
    async with opened(settings, clock, own_store.url, own_store.url) as line:
        await line.post("orders/create", order(2))
        os.kill(own_store.pid, signal.SIGSTOP)
        answers = await asyncio.gather(*(timed(line, f"many-{n}") for n in range(20)))
        os.kill(own_store.pid, signal.SIGCONT)
        assert {answer[0] for answer in answers} == {503}
        assert max(answer[2] for answer in answers) < 1.0


async def test_while_the_store_is_gone_the_answer_is_a_503_and_then_a_200(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore
) -> None:
    """The store may be killed and started again: no webhook process has to be."""
    assert own_store.pid
    async with opened(settings, clock, own_store.url, own_store.url) as line:
        await line.post("orders/create", order(2))
        os.kill(own_store.pid, signal.SIGKILL)
        await wait_until_async(lambda: own_store.poll() is not None, "the end of the store")
        status, retry_after, took_s = await timed(line, "b1e2")
        own_store.start()
        assert (status, retry_after, took_s < 1.0) == (503, "5", True)
        assert await delivered(line, "b1e2")


async def test_what_was_answered_with_a_503_while_the_store_was_gone_is_not_stored(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore, keys: Keys
) -> None:
    """And what had been answered with a 200 is there after the kill."""
    assert own_store.pid
    async with opened(settings, clock, own_store.url, own_store.url) as line:
        await line.post("orders/create", order(2))
        os.kill(own_store.pid, signal.SIGKILL)
        await wait_until_async(lambda: own_store.poll() is not None, "the end of the store")
        await timed(line, "b1e2")
        own_store.start()
        assert await line.store.xlen(keys.events) == 1


class Cutter:
    """Stands between a client and the store. It swallows the answers to appends while `armed`, and passes
    every answer on `slowly_s` later."""

    def __init__(self, store_path: str) -> None:
        self.armed = False
        self.slowly_s = 0.0
        self.cuts = 0
        self._store_path = store_path

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(self._store_path)
        swallow = asyncio.Event()
        there = asyncio.create_task(self._pass_on(reader, to_writer, swallow))
        back = asyncio.create_task(self._answer(to_reader, writer, swallow))
        await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        for task, end in ((there, writer), (back, to_writer)):
            task.cancel()
            end.close()
        await asyncio.gather(there, back, return_exceptions=True)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallow: asyncio.Event
    ) -> None:
        while said := await reader.read(65536):
            if self.armed and b":seen:" in said:
                swallow.set()
            writer.write(said)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallow: asyncio.Event
    ) -> None:
        while said := await reader.read(65536):
            if swallow.is_set():
                self.cuts += 1
                return
            await asyncio.sleep(self.slowly_s)
            writer.write(said)


async def test_a_delivery_whose_confirmation_was_lost_is_a_503_and_counts_once(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore, keys: Keys
) -> None:
    """It was stored, but nobody knows: the sender comes again, hears 200, and the order counts once."""
    cutter = Cutter(str(own_store.socket_path))
    path = str(own_store.folder / "cut.sock")
    async with await asyncio.start_unix_server(cutter, path), opened(
        settings, clock, own_store.url, f"unix://{path}"
    ) as line:
        await line.post("orders/create", order(2))
        cutter.armed = True
        lost = await timed(line, "b1e2")
        cutter.armed = False
        again = await timed(line, "b1e2")
        await line.work()
        assert (cutter.cuts, lost[0], again[0]) == (1, 503, 200)
        assert (await line.store.xlen(keys.events), (await line.kpis())["orders-today"]["value"]) == (2, 2)


async def test_a_store_that_answers_too_slowly_is_a_503_within_a_second(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore
) -> None:
    """Each answer alone would be in time; all that one delivery needs is not."""
    cutter = Cutter(str(own_store.socket_path))
    path = str(own_store.folder / "slow.sock")
    async with await asyncio.start_unix_server(cutter, path), opened(
        settings, clock, own_store.url, f"unix://{path}"
    ) as line:
        cutter.slowly_s = 0.35
        status, _, took_s = await timed(line, "b1e2")
        cutter.slowly_s = 0.0
        assert (status, took_s < 1.0, await delivered(line, "b1e2")) == (503, True, True)


async def test_a_store_that_is_full_is_a_503_until_it_has_room(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore
) -> None:
    """Nothing is promised that cannot be kept."""
    async with opened(settings, clock, own_store.url, own_store.url) as line:
        await line.post("orders/create", order(2))
        await line.store.config_set("maxmemory", "1mb")
        full = await timed(line, "b1e2")
        await line.store.config_set("maxmemory", "64mb")
        assert (full[0], await delivered(line, "b1e2")) == (503, True)


# --- everything that was ever seen ------------------------------------------------------------------------------


@pytest.mark.skipif(not RECORDED_NAMES, reason="the recorded payloads (../shared/fixtures/shopify) are not here")
async def test_every_recorded_payload_at_every_topic_is_answered_well(line: Line, totals: Totals) -> None:
    """Real bodies of every kind at every door: 200 each, counted or set aside."""
    bodies = [(RECORDED / name).read_bytes() for name in RECORDED_NAMES]
    for topic in READERS:
        answers = await asyncio.gather(*(line.post(topic, body) for body in bodies))
        assert {answer.status for answer in answers} == {200}
    found = await totals()
    assert found["accepted"] + found["dead"] == len(bodies) * len(READERS)


@pytest.mark.skipif(not RECORDED_NAMES, reason="the recorded payloads (../shared/fixtures/shopify) are not here")
async def test_every_recorded_payload_that_is_taken_can_be_counted(line: Line, keys: Keys) -> None:
    """What came in at the door does not die behind it."""
    for topic in READERS:
        for name in RECORDED_NAMES:
            await line.post(topic, (RECORDED / name).read_bytes(), x_shopify_webhook_id=f"{topic} {name}")
    set_aside = await line.store.xlen(keys.dead)
    await line.work()
    assert await line.store.xlen(keys.dead) == set_aside


# --- what is told about it --------------------------------------------------------------------------------------


async def test_refused_deliveries_reach_the_status(line: Line, keys: Keys) -> None:
    """Whoever looks at the status sees that something knocks, and why it is not let in."""
    for _ in range(3):
        await line.post("orders/create", order(), x_shopify_hmac_sha256="")
    assert line.web.webhooks is not None
    await flush_once(line.store, keys, line.web.webhooks.refused)
    assert (await line.get("/status.json")).json["sources"]["shopify"]["totals"] == {"unsigned": 3}


async def test_refusals_that_were_brought_are_not_brought_again(line: Line, keys: Keys, totals: Totals) -> None:
    """Three are three, however often one looks."""
    for _ in range(3):
        await line.post("orders/create", order(), x_shopify_hmac_sha256="")
    assert [await totals(), await totals()] == [{"unsigned": 3}, {"unsigned": 3}]


async def test_no_secret_and_no_body_is_in_any_log_line(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """Logs travel: what is in them is read by more people than should read it."""
    caplog.set_level(logging.DEBUG)
    said = order(note="PRIVATE-NOTE", email="wendelin@example.org", sku="PRIVATE-SKU")
    await line.post("orders/create", said)
    await line.post("orders/create", said, x_shopify_hmac_sha256="PRIVATE-SIGNATURE")
    await line.post("refunds/create", said)
    await line.post("orders/create", b"PRIVATE-RUBBISH")
    await line.work()
    private = [word for word in ("PRIVATE", "wendelin", SECRET, sign(orjson.dumps(said), SECRET.encode()))
               if word in caplog.text]
    assert private == []


async def test_no_secret_and_no_body_is_in_any_answer(line: Line) -> None:
    """The status tells that something was set aside, not what was in it."""
    said = order(note="PRIVATE-NOTE", email="wendelin@example.org")
    refused = await line.post("orders/create", said, x_shopify_hmac_sha256="PRIVATE-SIGNATURE")
    await line.post("refunds/create", said)
    answers = [refused, await line.get("/status"), await line.get("/status.json"), await line.get("/metrics")]
    texts = "".join(answer.text for answer in answers)
    assert [word for word in ("PRIVATE", "wendelin", SECRET) if word in texts] == []
