"""A request's body, bounded in size and time, and an answer in one sentence: for the doors that machines use."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.types import Message, Receive, Send

from opsmon.web.driving import Waiting, start


class ClientGone(Exception):
    """The sender hung up before its body was whole."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, limit: int, deadline_s: float) -> bytes | None:
    """The raw body; None when it is over `limit` bytes. Raises ClientGone or TimeoutError.

    Threat: a body without end (CWE-770; RFC 9110, 15.5.14).
    """
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        return None
    first = start(receive())
    if not isinstance(first, Waiting) and first["type"] == "http.request" and not first.get("more_body", False):
        body: bytes = first.get("body", b"")
        return body if len(body) <= limit else None
    async with asyncio.timeout(deadline_s):
        return await _gather(await first.rest() if isinstance(first, Waiting) else first, receive, limit)


async def _gather(message: Message, receive: Receive, limit: int) -> bytes | None:
    """A body that comes in pieces."""
    chunks: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()
    raise ClientGone


async def answer(send: Send, status: int, text: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer with a text, which may be empty."""
    body = text.encode()
    begun: dict[str, Any] = {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-length", b"%d" % len(body)), *headers],
    }
    if body:
        begun["headers"] += [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    if status in (408, 413):
        # The rest of the body is not read: the connection cannot be used again.
        begun["headers"].append((b"connection", b"close"))
    await send(begun)
    await send({"type": "http.response.body", "body": body})
