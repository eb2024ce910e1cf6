"""POST /collect over real HTTP: always the same answer, never more than its share, and a word for all that is lost."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
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
from opsmon.store.connection import worker_client
from opsmon.store.event_stream import decode
from opsmon.store.keys import Keys
from opsmon.store.refusals import flush_once
from opsmon.web import collect
from opsmon.web.server import serve
from tests.conftest import SECRET
from tests.http import Answer, request
from tests.line import SHOP, sign
from tests.orders import order
from tests.waiting import wait_until_async
from tests.web.own_store import own_store

pytestmark = pytest.mark.anyio

PATH = "/collect"


def said(number: int = 1, name: str = "page.viewed", **more: Any) -> dict[str, Any]:
    """What pixel.js says of one event."""
    return {"id": f"e{number}", "name": name, "visitor": "v-1", "ago": 0, "data": {"path": "/"}} | more


@dataclass(slots=True)
class Door:
    """A running web process without boards: `post` as a page does, look into the store."""

    port: int
    web: Web
    store: Redis
    keys: Keys

    async def post(self, body: Any, method: str = "POST", **headers: str) -> Answer:
        """Send bytes as they are, and anything else as JSON, as text/plain as beacons are."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        named = {"content-type": "text/plain;charset=UTF-8"} | {n.replace("_", "-"): v for n, v in headers.items()}
        return await request(self.port, method, PATH, raw, named)

    async def events(self, count: int) -> list[Event]:
        """The events of the stream, once there are so many."""
        async def held() -> bool:
            return int(await self.store.xlen(self.keys.visits)) >= count

        await wait_until_async(held, f"{count} visits")
        return [decode(fields[b"e"]) for _, fields in await self.store.xrange(self.keys.visits)]

    async def totals(self) -> dict[str, int]:
        """What was counted, in this process and in the store, without when."""
        assert self.web.webhooks is not None
        await flush_once(self.store, self.keys, self.web.webhooks.refused)
        stored = await self.store.hgetall(self.keys.counts)
        return {name.decode(): int(count) for name, count in stored.items() if not name.endswith(b"last_ms")}


@asynccontextmanager
async def opened(settings: Settings, clock: ManualClock, store: Redis) -> AsyncIterator[Door]:
    sockets = listen("127.0.0.1", 0, boards=False)
    async with open_web(settings, boards=False, ingest=True, clock=clock) as web:
        server = serve(web.app, sockets, web.drain)
        serving = asyncio.create_task(server.serve(sockets))
        yield Door(sockets[0].getsockname()[1], web, store, Keys(settings.site))
        server.should_exit = True
        await serving


@pytest.fixture
async def door(settings: Settings, clock: ManualClock, store: Redis) -> AsyncIterator[Door]:
    """The door as it is by default."""
    async with opened(settings, clock, store) as made:
        yield made


def shape(answer: Answer) -> tuple[int, bytes]:
    return answer.status, answer.body


async def test_a_beacon_is_taken(door: Door) -> None:
    """204, and soon an event of the pixel in the stream of visits; the stream of orders has none."""
    answer = await door.post(said())
    events = await door.events(1)
    assert (shape(answer), events[0].type, events[0].data) == (
        (204, b""), "page.viewed", {"visitor": "v-1", "path": "/"})
    assert await door.store.exists(door.keys.events) == 0


async def test_the_same_event_twice_is_counted_once(door: Door) -> None:
    """A page that is not sure sends again."""
    await door.post(said())
    await door.post([said(), said(2)])
    assert len(await door.events(2)) == 2
    assert await door.totals() == {"pixel:accepted": 2, "pixel:duplicate": 1}


BODIES = {
    "too_large": b"[" + b" " * 2_048 + b"]", "bad_event": b"{", "too_many": orjson.dumps([said(n) for n in range(21)]),
    "unknown_name": orjson.dumps(said(name="order.updated")),
}


@pytest.mark.parametrize("reason", BODIES)
async def test_whatever_a_body_is_the_answer_is_the_same(door: Door, reason: str) -> None:
    """Nobody learns what was wrong; the site's counters do."""
    assert shape(await door.post(BODIES[reason])) == (204, b"")
    assert await door.totals() == {f"pixel:{reason}": 1}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_whatever_the_method_is_the_answer_is_the_same(door: Door, method: str) -> None:
    """Only a POST says something."""
    assert shape(await door.post(b"", method)) == (204, b"")
    assert await door.totals() == {"pixel:method": 1}


async def test_a_body_of_two_kibibytes_is_read(door: Door) -> None:
    """Exactly at the bound."""
    body = orjson.dumps(said())
    await door.post(body + b" " * (2_048 - len(body)))
    assert len(await door.events(1)) == 1


async def test_a_body_that_does_not_come_ends(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds a connection for seconds, not for ever."""
    monkeypatch.setattr(collect, "BODY_DEADLINE_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(b"POST /collect HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
    head = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert head.startswith(b"HTTP/1.1 204")
    assert await door.totals() == {"pixel:slow_body": 1}


async def test_a_sender_that_hangs_up_is_counted(door: Door) -> None:
    """In the middle of the body."""
    with socket.create_connection(("127.0.0.1", door.port)) as wire:
        wire.sendall(b"POST /collect HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
    assert door.web.webhooks is not None
    refused = door.web.webhooks.refused
    await wait_until_async(lambda: refused["pixel:client_gone"], "the count")


async def test_pages_of_every_shop_may_say_something(door: Door) -> None:
    """Without a list, any origin is told so."""
    answer = await door.post(said(), origin="https://shop.example")
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_browser_that_asks_first_is_told_what_it_may(door: Door) -> None:
    """A page that sends application/json is preceded by OPTIONS; that is nothing to count."""
    answer = await door.post(b"", "OPTIONS", origin="https://shop.example", access_control_request_method="POST")
    assert (answer.status, answer.headers["access-control-allow-methods"],
            answer.headers["access-control-allow-headers"]) == (204, "POST", "content-type")
    assert await door.totals() == {}


@pytest.mark.parametrize(("origin", "heard"), [
    ("https://shop.example", True), ("HTTPS://SHOP.EXAMPLE", True), ("null", True), ("https://other.example", False),
    ("", False),
])
async def test_a_site_may_name_the_origins_it_hears(
    settings: Settings, clock: ManualClock, store: Redis, origin: str, heard: bool
) -> None:
    """Others get the same 204, and no leave to read it."""
    named = replace(settings, pixel_origins=frozenset({"https://shop.example", "null"}))
    async with opened(named, clock, store) as door:
        answer = await door.post(said(), **({"origin": origin} if origin else {}))
        allowed = answer.headers.get("access-control-allow-origin")
        counted = await door.totals() if not heard else len(await door.events(1))
    assert (answer.status, allowed) == (204, origin if heard else None)
    assert counted == (1 if heard else {"pixel:origin": 1})


async def test_one_network_gets_no_more_than_its_share(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Three seconds' worth at once, and from another network, named by the proxy, it goes on."""
    async with opened(replace(settings, pixel_rate_each=1), clock, store) as door:
        for number in range(10):
            assert (await door.post(said(number), x_forwarded_for="192.0.2.1")).status == 204
        await door.post(said(50), x_forwarded_for="198.51.100.1")
        await door.events(4)
        totals = await door.totals()
    assert 4 <= totals["pixel:accepted"] <= 6
    assert totals["pixel:accepted"] + totals["pixel:rate_each"] == 11


async def test_every_event_of_a_body_costs_a_token(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Twenty in one body are twenty."""
    async with opened(replace(settings, pixel_rate_each=5), clock, store) as door:
        await door.post([said(n) for n in range(20)])
        assert await door.totals() == {"pixel:rate_each": 1}


async def test_all_networks_together_get_no_more_than_the_site_takes(
    settings: Settings, clock: ManualClock, store: Redis
) -> None:
    """Forty networks, a bound of two a second."""
    async with opened(replace(settings, pixel_rate=2), clock, store) as door:
        for number in range(40):
            await door.post(said(number), x_forwarded_for=f"10.0.{number}.1")
        await door.events(6)
        totals = await door.totals()
    assert 6 <= totals["pixel:accepted"] <= 10
    assert totals["pixel:accepted"] + totals["pixel:rate"] == 40


async def test_nothing_of_who_sent_it_is_stored(door: Door) -> None:
    """No address and no agent: not in the event, not in any key."""
    await door.post(said(), x_forwarded_for="203.0.113.77", user_agent="a-very-special-browser", cookie="who=me")
    await door.events(1)
    stored = [await door.store.dump(key) async for key in door.store.scan_iter()]
    assert all(word not in dump for dump in stored for word in (b"203.0.113", b"special-browser", b"who=me"))


async def test_no_cookie_is_set(door: Door) -> None:
    """Not by the door, not by the script."""
    answers = [await door.post(said()), await request(door.port, "GET", "/pixel.js", b"", {})]
    assert ["set-cookie" in answer.headers for answer in answers] == [False, False]


async def test_without_a_store_the_answer_is_the_same_and_the_loss_is_counted(
    settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    """Stopped, it cannot say no: pages are answered at once all the same."""
    with own_store(tmp_path) as embedded:
        client = worker_client(embedded.url)
        async with opened(replace(settings, store_url=embedded.url), clock, client) as door:
            assert embedded.pid is not None
            os.kill(embedded.pid, signal.SIGSTOP)
            try:
                answer = await asyncio.wait_for(door.post(said()), 0.5)
                assert door.web.webhooks is not None
                refused = door.web.webhooks.refused
                await wait_until_async(lambda: refused["pixel:unavailable"], "the count")
            finally:
                os.kill(embedded.pid, signal.SIGCONT)
            assert answer.status == 204
            await door.post(said(2))
            assert len(await door.events(1)) >= 1
        await client.aclose()


async def test_a_flood_of_pages_leaves_webhooks_alone(door: Door) -> None:
    """While two thousand bodies pour in, each order is answered 200 and is in its own stream."""
    async def flood() -> None:
        for number in range(500):
            await door.post(said(number))

    floods = [asyncio.create_task(flood()) for _ in range(4)]
    for number in range(1, 11):
        raw = orjson.dumps(order(number))
        answer = await request(door.port, "POST", "/webhooks/shopify", raw, {
            "x-shopify-topic": "orders/create", "x-shopify-shop-domain": SHOP,
            "x-shopify-webhook-id": f"w{number}", "x-shopify-hmac-sha256": sign(raw, SECRET.encode())})
        assert answer.status == 200
    await asyncio.gather(*floods)
    assert await door.store.xlen(door.keys.events) == 10


@pytest.mark.parametrize(("path", "begins"), [("/pixel.js", b"(() => {"), ("/shopify-pixel.js", b"const ADDRESS")])
async def test_the_scripts_stand_at_one_address(door: Door, path: str, begins: bytes) -> None:
    """For pages of any origin, kept for an hour."""
    answer = await request(door.port, "GET", path, b"", {})
    assert (answer.status, answer.body.startswith(begins), answer.headers["content-type"],
            answer.headers["cache-control"], answer.headers["cross-origin-resource-policy"]) == (
        200, True, "text/javascript; charset=utf-8", "public, max-age=3600", "cross-origin")


async def test_the_pixel_is_two_kibibytes_as_served(door: Door) -> None:
    """At most: it is loaded by every page of the shop."""
    assert len((await request(door.port, "GET", "/pixel.js", b"", {})).body) <= 2_048


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3_000))
async def test_any_bytes_whatever_are_no_fault_of_ours(door: Door, body: bytes) -> None:
    """204, every time."""
    assert (await door.post(body, x_forwarded_for=f"10.{len(body) % 256}.0.1")).status == 204
