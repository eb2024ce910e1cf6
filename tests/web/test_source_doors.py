"""The doors of WooCommerce, Standard Webhooks, CloudEvents and plain JSON, over real HTTP, to the numbers."""

import hmac
import itertools
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from opsmon.sources.base import Secret, SourceSettings
from opsmon.store.connection import worker_client
from opsmon.store.keys import Keys
from opsmon.store.refusals import flush_once
from tests.conftest import NOW_MS, SECRET
from tests.http import Answer, request
from tests.line import Line, open_line, sign

pytestmark = pytest.mark.anyio

KEY = b"a key of the billing office"
TOKEN = "a-token-of-the-doors"
BEARER = {"authorization": f"Bearer {TOKEN}"}
_numbers = itertools.count(1)

SOURCES = (
    SourceSettings("woo", "woocommerce", (Secret(SECRET.encode()),)),
    SourceSettings("billing", "standard-webhooks", (Secret(b"whsec_" + b64encode(KEY)),)),
    SourceSettings("bus", "cloudevents", (Secret(TOKEN.encode()),)),
    SourceSettings("door", "json", (Secret(TOKEN.encode()),)),
)


@dataclass(slots=True)
class Doors:
    """The whole line with one source of each kind: `knock` sends what its vendor sends."""

    line: Line
    keys: Keys

    async def knock(self, name: str, body: bytes, *, forged: bool = False, **headers: str) -> Answer:
        """Send a body as this source's vendor does; or as somebody does who does not know the secret."""
        usual = SIGNED[name](body + b"forged" if forged else body)
        if forged and "authorization" in usual:
            usual["authorization"] += "x"
        return await self.send(f"/ingest/{name}", body, usual | {
            header.replace("_", "-"): value for header, value in headers.items()})

    async def send(self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Answer:
        """Send these bytes."""
        return await request(self.line.port, method, path, body, dict(headers))

    async def totals(self, name: str) -> dict[str, int]:
        """What became of all that came to a source, as it stands on the status page."""
        assert self.line.web.webhooks is not None
        await flush_once(self.line.store, self.keys, self.line.web.webhooks.refused)
        found = (await self.line.get("/status.json")).json["sources"][name]["totals"]
        return {counter: count for counter, count in found.items() if count}


def of_woocommerce(body: bytes) -> dict[str, str]:
    """The headers of an order's update."""
    return {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-source": "https://shop.example/",
            "x-wc-webhook-delivery-id": "5b7c", "x-wc-webhook-signature": sign(body, SECRET.encode())}


def of_billing(body: bytes, at_s: int = NOW_MS // 1000) -> dict[str, str]:
    """The headers of a new message."""
    webhook_id = f"msg_{next(_numbers)}"
    signed = hmac.digest(KEY, f"{webhook_id}.{at_s}.".encode() + body, "sha256")
    return {"webhook-id": webhook_id, "webhook-timestamp": str(at_s),
            "webhook-signature": f"v1,{b64encode(signed).decode()}"}


SIGNED: dict[str, Callable[[bytes], dict[str, str]]] = {
    "woo": of_woocommerce,
    "billing": of_billing,
    "bus": lambda body: BEARER | {"content-type": "application/cloudevents+json"},
    "door": lambda body: dict(BEARER),
}


def order(**more: Any) -> bytes:
    """An order of WooCommerce."""
    return orjson.dumps({
        "id": 2**53 + 1, "status": "processing", "currency": "EUR", "total": "20.00", "number": "42",
        "date_created_gmt": "2026-11-20T12:00:00", "date_modified_gmt": "2026-11-20T12:30:00",
        "line_items": [{"sku": "A", "quantity": 2, "total": "20.00", "price": 10, "name": "Apple"}]} | more)


GOOD = {
    "woo": order(),
    "billing": b'{"type":"invoice.paid","data":{"number":"I-7"}}',
    "bus": b'{"specversion":"1.0","id":"1","source":"/lines/3","type":"line.stopped","data":{"s":4}}',
    "door": b'{"open":true}',
}
NAMES = list(GOOD)


@pytest.fixture
async def doors(settings: Settings, clock: ManualClock, store: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
                ) -> AsyncIterator[Doors]:
    """The whole line, with one source of each kind, and with patience: how fast a disk is, is asked elsewhere."""
    monkeypatch.setattr("opsmon.store.appender.DEADLINE_S", 10.0)
    monkeypatch.setattr("opsmon.app.web.ingest_client", worker_client)
    async with open_line(replace(settings, sources=SOURCES), clock, store, SECRET.encode()) as line:
        yield Doors(line, keys)


# --- taken, refused, known --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
async def test_a_good_delivery_is_answered_with_an_empty_200_and_is_in_the_stream(doors: Doors, name: str) -> None:
    """200 means: it is written down."""
    answer = await doors.knock(name, GOOD[name])
    assert (answer.status, answer.body) == (200, b"")
    assert await doors.line.store.xlen(doors.keys.events) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_a_forged_delivery_is_a_401_and_nothing_is_stored(doors: Doors, name: str) -> None:
    """And is counted under its reason."""
    answer = await doors.knock(name, GOOD[name], forged=True)
    assert (answer.status, await doors.line.store.xlen(doors.keys.events)) == (401, 0)
    assert await doors.totals(name) == {"bad_token" if name in ("bus", "door") else "bad_signature": 1}


@pytest.mark.parametrize("name", NAMES)
async def test_the_same_delivery_three_times_counts_once(doors: Doors, name: str) -> None:
    """Each vendor says in its own way what the same is."""
    headers = SIGNED[name](GOOD[name])
    answers = [await doors.send(f"/ingest/{name}", GOOD[name], headers) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert await doors.totals(name) == {"accepted": 1, "duplicate": 2}


@pytest.mark.parametrize("path", [
    f"/webhooks/door/{TOKEN}", f"/ingest/door/{TOKEN}", f"/ingest/door?access_token={TOKEN}", f"/ingest/bus/{TOKEN}",
    f"/webhooks/bus?access_token={TOKEN}",
])
async def test_a_token_may_be_in_the_address(doors: Doors, path: str) -> None:
    """For senders that cannot set a header."""
    name = path.split("/")[2].partition("?")[0]
    answer = await doors.send(path, GOOD[name], {"content-type": "application/cloudevents+json"})
    assert answer.status == 200


# --- what is theirs alone ---------------------------------------------------------------------------------------


async def test_a_new_webhook_of_woocommerce_sends_a_form_and_is_told_yes(doors: Doors) -> None:
    """It is counted as what it is."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await doors.send("/webhooks/woo", b"webhook_id=17", form)
    assert (answer.status, answer.body, await doors.totals("woo")) == (200, b"", {"ping": 1})


async def test_an_order_of_woocommerce_is_in_the_numbers(doors: Doors) -> None:
    """Like any other order."""
    await doors.knock("woo", order())
    await doors.line.work()
    kpis = await doors.line.kpis()
    assert (kpis["orders-today"]["value"], kpis["revenue-today"]["value"]) == (1, 2000)


async def test_an_order_in_the_trash_is_in_no_number_until_it_is_restored(doors: Doors) -> None:
    """Then it is there again."""
    counts = []
    for topic, body in (("order.created", order()), ("order.deleted", b'{"id":9007199254740993}'),
                        ("order.updated", order()),
                        ("order.restored", order(date_modified_gmt="2026-11-20T13:03:23"))):
        await doors.knock("woo", body, x_wc_webhook_topic=topic)
        await doors.line.work()
        counts.append((await doors.line.kpis())["orders-today"]["value"])
    assert counts == [1, 0, 0, 1]


async def test_two_deliveries_of_one_second_are_both_taken(doors: Doors) -> None:
    """Their ids are alike; what they say is not."""
    await doors.knock("woo", order(total="20.00"))
    await doors.knock("woo", order(total="30.00", date_modified_gmt="2026-11-20T12:30:01"))
    await doors.line.work()
    assert ((await doors.totals("woo"))["accepted"], (await doors.line.kpis())["revenue-today"]["value"]) == (2, 3000)


async def test_a_number_beyond_what_javascript_can_count_to_is_whole_in_the_api(doors: Doors) -> None:
    """As a text, with its last digit."""
    await doors.knock("woo", order())
    await doors.line.work()
    assert "woo:shop.example:order:9007199254740993" in (await doors.line.get("/api/kpis/orders-today/explain")).text


async def test_a_message_that_is_played_again_later_is_refused(doors: Doors, clock: ManualClock) -> None:
    """However rightly it was signed then."""
    answer = await doors.send("/ingest/billing", GOOD["billing"], of_billing(GOOD["billing"], NOW_MS // 1000 - 301))
    assert (answer.status, await doors.totals("billing")) == (401, {"stale": 1})


async def test_a_sender_of_cloudevents_may_ask_before_it_sends(doors: Doors) -> None:
    """It is told which methods, who and how often."""
    asked = {"webhook-request-origin": "bus.example.org", "webhook-request-rate": "120"}
    answer = await doors.send("/ingest/bus", b"", asked, "OPTIONS")
    told = {name: answer.headers[name] for name in ("allow", "webhook-allowed-origin", "webhook-allowed-rate")}
    assert (answer.status, told) == (200, {
        "allow": "POST", "webhook-allowed-origin": "bus.example.org", "webhook-allowed-rate": "120"})


@pytest.mark.parametrize("name", ["woo", "billing", "door"])
async def test_whoever_asks_at_another_door_is_told_how_it_is_done(doors: Doors, name: str) -> None:
    """Only CloudEvents have such a custom."""
    answer = await doors.send(f"/ingest/{name}", b"", {}, "OPTIONS")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_one_bad_event_of_a_batch_becomes_a_dead_letter_and_the_others_events(doors: Doors) -> None:
    """And one that came before is a duplicate, in the same batch."""
    batch = b"[" + GOOD["bus"] + b', {"id": 18446744073709551616},' + GOOD["bus"] + b"]"
    answer = await doors.knock("bus", batch, content_type="application/cloudevents-batch+json")
    assert (answer.status, await doors.totals("bus")) == (
        200, {"accepted": 1, "dead": 1, "duplicate": 1, "held": 1, "held_bytes": 75})
    ((_, letter),) = await doors.line.store.xrange(doors.keys.dead)
    assert letter[b"payload"] == b'{"id": 18446744073709551616}'


async def test_a_body_whose_mode_nobody_knows_is_a_415(doors: Doors) -> None:
    """With a sentence that names those that are known."""
    answer = await doors.knock("bus", b"<a/>", content_type="application/xml")
    assert (answer.status, await doors.totals("bus")) == (415, {"content_type": 1})


# --- whatever is sent -------------------------------------------------------------------------------------------

DEEP = b"[" * 1_000 + b"1,2" + b"]" * 1_000
# After the kinds of JSONTestSuite and of the lists of naughty strings; written by hand.
NAUGHTY = (
    b"", b" ", b"\x00", b"\xff", b"\xef\xbb\xbf{}", b"{", b"}", b"[", b"]", b"[,]", b"{,}", b'{"a"}', b'{"a":}',
    b"{'a':1}", b'{"a":1,}', b'{"a":1 "b":2}', b"[1,]", b"[1 true]", b"nul", b"NaN", b"[Infinity]", b"-", b"01", b"+1",
    b"1.", b".1", b"1e", b"0x10", b"1e999", b"-1e999", b"[18446744073709551616]", b"1" * 5_000, b'"', b'"\\',
    b'"\\u12"', b'"\\ud800"', b'"\t"', b'"\xe9"', b'{"a":1}{"b":2}', b"{}//", b"<x/>", b"a=b&c=d", b"webhook_id=",
    b"null", b"true", b"17", b'""', b"{}", b"[]", b"[{}]", b'{"":0}', b'{"a":"\\u0000"}', b'{"a":1,"a":2}',
    b'{"__proto__":1}', b'{"type":{}}', b'{"type":[]}', b'{"type":"a.b","data":' + DEEP + b"}",
    b'{"type":' + DEEP + b',"x":[{},1]}', b'{"id":' + DEEP + b',"x":[{},1]}', b"[" * 100_000,
    b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 10_000, b"[" + b"[]," * 300_000 + b"[]]",
    b'{"a":"' + b"x" * 900_000 + b'"}', b"{" + b",".join(b'"%d":1' % n for n in range(60_000)) + b"}",
    '{"type":"a.b","data":{"x":"🧵\u202e﷽ Ω≈ç <script>alert(1)</script> ; DROP TABLE"}}'.encode(),
    b'{"id":9007199254740993,"status":"' + b"s" * 1_000 + b'","currency":"EUR","total":"1e9","date_created_gmt":"x"}',
    b'{"specversion":"1.0","id":"\\u0000","source":"\\n","type":"a.b","subject":"\\ufeff"}',
    b'{"timestamp":1e300,"type":"a.b"}', b'{"timestamp":-1,"type":"a.b"}',
    b'{"timestamp":"9999-12-31T23:59:59+00:00","type":"a.b"}',
)


@pytest.mark.parametrize("kind", ["", "application/json", "application/cloudevents-batch+json", "text/plain; \xe9"])
@pytest.mark.parametrize("name", NAMES)
async def test_whatever_is_signed_is_answered_and_counted(doors: Doors, name: str, kind: str) -> None:
    """No 5xx; what came in is what was taken, known, unused, laid aside or refused."""
    statuses = {(await doors.knock(name, body, **{"content_type": kind} if kind else {})).status for body in NAUGHTY}
    assert statuses <= {200, 401, 415}
    assert await received(doors, name) >= len(NAUGHTY)


@pytest.mark.parametrize("name", NAMES)
async def test_each_delivery_is_counted_once_under_what_became_of_it(doors: Doors, name: str) -> None:
    """Received = accepted + duplicates + unused + dead letters + refused by reason."""
    bodies = (*NAUGHTY, GOOD[name], GOOD[name])
    for body in bodies:
        await doors.knock(name, body)
        await doors.knock(name, body, forged=True)
    assert await received(doors, name) == 2 * len(bodies)


@pytest.mark.parametrize("name", NAMES)
async def test_whatever_is_in_a_header_is_answered(doors: Doors, name: str) -> None:
    """No 5xx."""
    headers = ("x-wc-webhook-topic", "x-wc-webhook-source", "x-wc-webhook-delivery-id", "x-wc-webhook-signature",
               "webhook-id", "webhook-timestamp", "webhook-signature", "authorization", "content-type", "ce-id",
               "ce-type", "ce-specversion", "ce-time", "content-encoding")
    values = ("\xe9\xff", "%ff", '"\\"', ",", "v1,", "v1,\t", "9" * 5_000, "a" * 5_000, "Bearer  ", "")
    answers = [await doors.send(f"/ingest/{name}", GOOD[name], SIGNED[name](GOOD[name]) | {header: value})
               for header in headers for value in values]
    assert {answer.status for answer in answers} <= {200, 400, 401, 415}


async def test_whatever_is_in_the_address_is_answered(doors: Doors) -> None:
    """No 5xx."""
    paths = ("/ingest/door/%ff", "/ingest/door/%00", "/ingest/door/a/b", "/ingest/door/", "/ingest/", "/webhooks/%ff",
             "/ingest/door?access_token=%ff%00", "/ingest/door?token=" + "a" * 5_000, "/ingest/bus?" + "&" * 5_000)
    answers = [await doors.send(path, GOOD["door"], {}) for path in paths]
    assert [answer.status for answer in answers] == [401, 400, 404, 404, 404, 404, 400, 401, 401]


async def received(doors: Doors, name: str) -> int:
    """All that was counted of a source, and nothing of it twice: dead letters are as many as were laid aside."""
    totals = await doors.totals(name)
    assert await doors.line.store.xlen(doors.keys.dead) == totals.get("dead", 0)
    assert await doors.line.store.xlen(doors.keys.events) == totals.get("accepted", 0)
    return sum(count for name, count in totals.items() if not name.startswith("held"))
