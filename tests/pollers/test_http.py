"""The client for vendors' APIs, against servers that behave badly."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from opsmon.pollers.http import HttpError, JsonClient, stream_lines

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def answering(*pieces: bytes, pause_s: float = 0.0, heard: list[bytes] | None = None) -> AsyncIterator[str]:
    """A server that says this to everyone, piece by piece; its address."""
    speaking: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            speaking.add(task)
        head = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.append(head)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in speaking:
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)


def said(body: bytes, status: str = "200 OK") -> bytes:
    """An answer, whole."""
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


async def test_it_posts_json_and_reads_json() -> None:
    """With its own headers."""
    heard: list[bytes] = []
    async with answering(said(b'{"a":1}'), heard=heard) as url:
        answer = await JsonClient(url, {"X-Token": "secret"}).post("/api", {"b": 2})
    assert (answer.status, answer.json()) == (200, {"a": 1})
    assert (heard[0].startswith(b"POST /api "), b"X-Token: secret" in heard[0]) == (True, True)


async def test_a_bad_status_is_an_answer() -> None:
    """Whoever asked knows what it means."""
    async with answering(said(b"{}", "403 Forbidden")) as url:
        assert (await JsonClient(url).get("/")).status == 403


@pytest.mark.parametrize(("pieces", "why"), [
    ((said(b"", "302 Found"),), "redirect"), ((b"SSH-2.0-x\r\n",), "does not speak HTTP"),
    ((b"",), "cannot be reached"),
    ((said(b"x" * 2_000),), "more than 1000 bytes"),
    ((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",), "was cut off"), ((said(b"{"),), "not JSON")],
    ids=["redirect", "rubbish", "hung-up", "too-large", "cut", "no-json"])
async def test_each_fault_is_one_kind_of_error_with_a_sentence(pieces: tuple[bytes, ...], why: str) -> None:
    """Which names the host and the path, not what was sent, nor the query."""
    async with answering(*pieces) as url:
        with pytest.raises(HttpError, match=why) as raised:
            (await JsonClient(url, {"X-Token": "secret"}, max_bytes=1_000).get("/api?key=private")).json()
    assert ("secret" in str(raised.value), "private" in str(raised.value)) == (False, False)


async def test_nobody_there_is_said() -> None:
    """No port is open."""
    async with answering() as url:
        pass
    with pytest.raises(HttpError, match="cannot be reached"):
        await JsonClient(url).get("/")


async def test_who_does_not_answer_is_not_waited_for() -> None:
    """A hanging vendor costs its time-out."""
    async with answering(b"", pause_s=5) as url:
        with pytest.raises(HttpError, match=r"did not answer in 0\.1 s"):
            await JsonClient(url, timeout_s=0.1).get("/")


async def test_who_drips_is_not_waited_for_either() -> None:
    """A byte now and then resets each read's time-out, not that of the whole."""
    began_s = time.monotonic()
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", *[b"x"] * 40, pause_s=0.08) as url:
        with pytest.raises(HttpError, match="did not finish"):
            await JsonClient(url, timeout_s=0.1).get("/")
    assert time.monotonic() - began_s < 2


async def test_a_file_is_read_line_by_line() -> None:
    """However long it is."""
    lines = [b"%d\n" % number for number in range(1_234)]
    async with answering(said(b"".join(lines))) as url:
        found = [line async for some in stream_lines(f"{url}/file?signature=s") for line in some]
    assert found == lines


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/file", "file:///etc/passwd", "nothing"])
async def test_a_file_is_fetched_by_http_only(url: str) -> None:
    """A vendor names the address: it is not believed everything."""
    with pytest.raises(HttpError, match="neither https"):
        async for _ in stream_lines(url):
            pass
