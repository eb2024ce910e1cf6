"""Nobody holds a connection by sending or reading next to nothing (HARDENING D11, T21); real sockets, short bounds."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace

import pytest
from starlette.types import Message, Receive, Scope, Send

from opsmon.listening import listen
from opsmon.web.addresses import LOOPBACK, Networks, place_of
from opsmon.web.holding import Bounds, Crowd
from opsmon.web.protocol import STREAMS
from opsmon.web.server import Server, serve
from tests.waiting import wait_until_async

pytestmark = pytest.mark.anyio

SHORT = Bounds(headers_s=0.3, body_s=0.3, answer_s=0.3, idle_s=0.3, look_every_s=0.05)
FOR_EVER = Bounds(headers_s=600, body_s=600, answer_s=600, idle_s=600, look_every_s=0.05)
# Long beside the bounds, short beside patience: who is still held by then is held.
HELD_S = 1.5
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"
BIG = 32 * 1024 * 1024


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a whole body, then answers; /big with more than any kernel keeps, /stream without end."""
    message: Message = await receive()
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.disconnect":
        return
    path, body = scope["path"], b"a" * BIG if scope["path"] == "/big" else b"ok"
    scope[STREAMS] = path == "/stream"
    length = [] if path == "/stream" else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body, "more_body": path == "/stream"})
    if path == "/stream":
        await receive()


@asynccontextmanager
async def opened(bounds: Bounds, excepted: bool = True) -> AsyncIterator[tuple[Server, int]]:
    """A server and its port."""
    sockets = listen("127.0.0.1", 0, boards=False)
    server = serve(app, sockets, lambda: None, bounds, Networks(LOOPBACK if excepted else ()).hold)
    serving = asyncio.create_task(server.serve(sockets))
    await wait_until_async(lambda: server.started, "the server")
    try:
        yield server, sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def dripped(port: int, first: bytes, drip: bytes, every_s: float = 0.1) -> bytes:
    """Send a piece, then drip until the other side closes; what it said. Raises TimeoutError when it never does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def drops() -> None:
        while drip:
            writer.write(drip)
            await asyncio.sleep(every_s)

    dripping = asyncio.create_task(drops())
    try:
        writer.write(first)
        return await asyncio.wait_for(_all(reader), HELD_S)
    finally:
        dripping.cancel()
        writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    said = b""
    try:
        while piece := await reader.read(65536):
            said += piece
    except ConnectionError:
        pass  # it closed while we sent
    return said


# What is sent first, what is dripped, and the status that is told, '' for none.
SLOW = {
    "says nothing": (b"", b"", b""),
    "sends half a header": (b"GET / HTTP/1.1\r\nhost: x\r\nx-a", b"", b"408"),
    "drips headers": (b"GET / HTTP/1.1\r\nhost: x\r\n", b"x-a: b\r\n", b"408"),
    "drips empty lines": (b"", b"\r\n", b"408"),
    "sends no body": (POST, b"", b"408"),
    "drips a body": (POST, b"a", b"408"),
    "drips chunks": (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n", b"408"),
    "drips a size": (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"0", b"408"),
    "idles after an answer": (GET, b"", b"200"),
    "drips empty lines after an answer": (GET, b"\r\n", b"200"),
    "drips a second request": (GET + b"GET / HTTP/1.1\r\n", b"a: b\r\n", b"200"),
    "speaks otherwise": (b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", b"a", b"200"),
}


@pytest.mark.parametrize("name", SLOW)
async def test_who_sends_next_to_nothing_is_let_go(name: str) -> None:
    """Within the bounds, whatever part of a request is held back."""
    first, drip, status = SLOW[name]
    async with opened(SHORT) as (_, port):
        said = await dripped(port, first, drip)
    assert said.partition(b"\r\n")[0].partition(b" ")[2].partition(b" ")[0] == status


@pytest.mark.parametrize("name", ["says nothing", "drips headers", "sends no body", "idles after an answer"])
async def test_without_bounds_they_would_hold_on(name: str) -> None:
    """The control: nothing else lets them go."""
    async with opened(FOR_EVER) as (_, port):
        with pytest.raises(TimeoutError):
            await dripped(port, *SLOW[name][:2])


async def held(port: int, path: bytes, server: Server, for_s: float) -> bool:
    """Ask for something, read nothing of it, and tell whether the connection is still there after so long."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asking.connect(("127.0.0.1", port))
    asking.send(b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % path)

    def is_gone() -> bool:
        return server.server_state.total_requests > 0 and not server.server_state.connections

    try:
        async with asyncio.timeout(for_s):
            await wait_until_async(is_gone, "the connection to go")
    except TimeoutError:
        return True
    finally:
        asking.close()
    return False


async def test_who_does_not_read_an_answer_is_let_go() -> None:
    """And what was kept for them is free again."""
    async with opened(SHORT) as (server, port):
        assert not await held(port, b"/big", server, 5)


async def test_without_bounds_an_answer_would_be_kept() -> None:
    """The control: megabytes for everybody who asks and leaves them."""
    async with opened(FOR_EVER) as (server, port):
        assert await held(port, b"/big", server, HELD_S)


async def test_who_reads_slowly_but_steadily_gets_all_of_it() -> None:
    """A phone far from its mast: it takes longer than any bound, and more than a kilobyte a second."""
    async with opened(SHORT) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=65536)
        writer.write(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        got, begun_s = 0, asyncio.get_running_loop().time()
        while got < BIG and (piece := await reader.read(BIG // 40)):
            got += len(piece)
            await asyncio.sleep(0.02)
        writer.close()
        assert got >= BIG
        assert asyncio.get_running_loop().time() - begun_s > SHORT.answer_s


async def test_a_body_that_comes_steadily_may_take_longer_than_the_bound() -> None:
    """A kilobyte a second is enough; how long altogether is for each door to say."""
    async with opened(replace(SHORT, least_bytes_s=10)) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(10):
            writer.write(b"a" * 100)
            await asyncio.sleep(0.1)
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_stream_stays_open() -> None:
    """It says nothing and is asked nothing for longer than any bound: it has bounds of its own."""
    async with opened(SHORT) as (_, port):
        with pytest.raises(TimeoutError):
            await dripped(port, b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n", b"")


@pytest.mark.parametrize("excepted", [True, False])
async def test_an_address_holds_only_so_many(excepted: bool) -> None:
    """Who is one too many is told so; the others stay, and there is room again when one has left."""
    async with opened(replace(FOR_EVER, most_each=3), excepted) as (server, port):
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        with pytest.raises(TimeoutError) if excepted else nullcontext():
            said = await dripped(port, b"", b"")
            assert said.startswith(b"HTTP/1.1 503")
        pairs[0][1].close()

        await wait_until_async(lambda: len(server.server_state.connections) < 3, "one to leave")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200")
        for _, one in [*pairs, (reader, writer)]:
            one.close()


def test_all_of_an_ipv6_site_is_one_address() -> None:
    """There are more addresses in it than anybody could count connections of."""
    addresses = ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1", "::ffff:10.0.0.1", "fe80::1%eth0", "")
    assert [place_of(one) for one in addresses] == [
        "2001:db8::/64", "2001:db8::/64", "2001:db8:0:1::/64", "10.0.0.1", "fe80::/64", ""]


def test_who_has_left_is_forgotten() -> None:
    """Memory is that of the connections that are there."""
    crowd = Crowd(1, Networks(()).hold)
    assert [crowd.enter("10.0.0.1"), crowd.enter("10.0.0.1"), crowd.enter("10.0.0.2")] == [True, False, True]
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        crowd.leave(address)
    assert not crowd._held


HUGE = {
    "one header without end": b"GET / HTTP/1.1\r\nhost: x\r\nx-a: " + b"a" * 10_000_000,
    "one large header": b"GET / HTTP/1.1\r\nhost: x\r\nx-a: " + b"a" * 40_000 + b"\r\n\r\n",
    "a thousand headers": b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
    "a long address": b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", HUGE)
async def test_headers_are_bounded(name: str) -> None:
    """431 and an end, however they come."""
    async with opened(FOR_EVER) as (_, port):
        assert (await dripped(port, HUGE[name], b""))[:12] in (b"HTTP/1.1 431", b"")


async def test_what_is_sent_around_a_body_is_bounded() -> None:
    """Notes on chunks that hold next to nothing are read by nobody, and cost what a body costs."""
    chunk = b"1;" + b"a" * 60_000 + b"\r\nx\r\n"
    async with opened(FOR_EVER) as (_, port):
        said = await dripped(port, b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + chunk, chunk)
    assert said[:12] in (b"HTTP/1.1 400", b"")


async def test_a_body_that_nobody_reads_is_not_taken_for_ever() -> None:
    """The answer is there; what follows is let go by for a while, then the connection ends."""
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    sockets = listen("127.0.0.1", 0, boards=False)
    server = serve(refusing, sockets, lambda: None, FOR_EVER)
    serving = asyncio.create_task(server.serve(sockets))
    await wait_until_async(lambda: server.started, "the server")
    chunks = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    said = await dripped(sockets[0].getsockname()[1], chunks, b"10000\r\n" + b"a" * 65536 + b"\r\n", 0.02)
    assert said.startswith(b"HTTP/1.1 404") or not said
    server.should_exit = True
    await serving


async def test_only_a_few_requests_are_taken_ahead_of_their_answers() -> None:
    """A thousand in one packet are a thousand pages to make for whoever reads none."""
    async with opened(SHORT) as (server, port):
        await dripped(port, GET.replace(b"/ ", b"/big ") * 1_000, b"")
        assert server.server_state.total_requests < 10
