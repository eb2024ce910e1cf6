"""A small HTTP client that shows what is on the wire, and an SSE reader that follows the standard."""

import asyncio
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from opsmon.web.sealing import token_of

PATIENCE_S = 10.0


@dataclass(slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(slots=True)
class Message:
    """One server-sent event: its name ('' for frames), id and data."""

    event: str = ""
    id: str = ""
    data: str = ""
    retry: str = ""


async def request(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Ask once, on a connection of its own. What says that a page of ours sends it (Sec-Fetch-Site: same-origin) is
    sealed as such a page does, unless it says itself how (x-csrf)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        named = {"host": f"127.0.0.1:{port}", "content-length": str(len(body)), "connection": "close",
                 **(sealed(headers) if _is_of_a_page(method, headers) else headers)}
        if "transfer-encoding" in named:
            del named["content-length"]
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        raw = await asyncio.wait_for(reader.read(), PATIENCE_S)
    finally:
        writer.close()
    return _answer(raw)


def sealed(headers: dict[str, str]) -> dict[str, str]:
    """Headers with the token that belongs to their cookies, and with a cookie where they have none."""
    cookies = headers.get("cookie", "")
    found = re.search(r"opsmon-session=([^;]{32,})", cookies)
    secret = found[1] if found else "of-a-form-of-somebody-without-a-session"
    own = {} if found else {"cookie": f"{cookies}; opsmon-form={secret}".removeprefix("; ")}
    return {**headers, **own, "x-csrf": token_of(secret)}


def _is_of_a_page(method: str, headers: dict[str, str]) -> bool:
    return method not in ("GET", "HEAD") and headers.get("sec-fetch-site") == "same-origin" and "x-csrf" not in headers


def _answer(raw: bytes) -> Answer:
    head, _, rest = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        rest = b"".join(_chunks(rest))
    return Answer(int(first.split()[1]), headers, rest)


def _chunks(raw: bytes) -> list[bytes]:
    found = []
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        found.append(raw[:length])
        raw = raw[length + 2 :]
    return found


@dataclass(slots=True)
class Stream:
    """An open /live stream: `raw` is every byte of the body so far, `messages` what was read of it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int
    headers: dict[str, str]
    raw: bytearray = field(default_factory=bytearray)
    messages: list[Message] = field(default_factory=list)
    _text: str = ""

    async def next(self, patience_s: float = PATIENCE_S) -> Message | None:
        """The next message; None when the stream has ended. Raises TimeoutError."""
        async with asyncio.timeout(patience_s):
            while "\n\n" not in self._text:
                chunk = await self._chunk()
                if not chunk:
                    return None
                self.raw += chunk
                self._text += chunk.decode()
        block, _, self._text = self._text.partition("\n\n")
        self.messages.append(_message(block))
        return self.messages[-1]

    async def next_frame(self, patience_s: float = PATIENCE_S) -> Message:
        """The next frame, passing heartbeats over. Raises TimeoutError, or EOFError at the end."""
        async with asyncio.timeout(patience_s):
            while message := await self.next(patience_s):
                if not message.event:
                    return message
        raise EOFError

    async def close(self) -> None:
        """Leave, as a tab does."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            pass

    async def _chunk(self) -> bytes:
        size = await self.reader.readline()
        length = int(size, 16) if size.strip() else 0
        chunk = await self.reader.readexactly(length) if length else b""
        if length:
            await self.reader.readexactly(2)
        return chunk


async def open_stream(port: int, path: str, headers: dict[str, str]) -> Stream:
    """Open a stream and read its headers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {path} HTTP/1.1", f"host: 127.0.0.1:{port}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
    first = _answer(head.replace(b"chunked", b"as-is"))
    return Stream(reader, writer, first.status, first.headers)


def _message(block: str) -> Message:
    found = Message()
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            found.data += ("\n" if found.data else "") + value
        elif name in ("event", "id", "retry"):
            setattr(found, name, value)
    return found


def spoken(port: int, said: bytes) -> bytes:
    """Say this on a connection, whether it is wanted or not, and return all that is answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
        with suppress(ConnectionError):
            line.sendall(said)
        answer = b""
        with suppress(ConnectionError):
            while piece := line.recv(65536):
                answer += piece
        return answer
