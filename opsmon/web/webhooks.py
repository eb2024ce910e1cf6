"""POST /webhooks/{source}: verify, append, answer. Nothing else happens on this path.

Raw ASGI: no client call but the append, no render, no second round trip. 200 means durable.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from opsmon.clock import Clock
from opsmon.core.errors import StoreUnavailable
from opsmon.sources.base import Accepted, NotUsed, Rejected, Source, Unusable
from opsmon.store.appender import Appender
from opsmon.store.event_stream import checksum, encode
from opsmon.store.scripts import Taken
from opsmon.telemetry import WEBHOOK_SECONDS, WEBHOOKS
from opsmon.web.driving import Waiting, start

MAX_BODY = 1024 * 1024
BODY_DEADLINE_S = 5.0
_OK = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_NOTHING = {"type": "http.response.body", "body": b""}
OUTCOMES = ("event", "duplicate", "not_used", "dead", "unavailable", "refused")


class ClientGone(Exception):
    """The sender hung up before its body was whole."""


class Webhooks:
    """The endpoint. `refused` counts by `source:reason` what was not taken, until it goes to the store."""

    def __init__(self, sources: Mapping[str, Source], appender: Appender, clock: Clock) -> None:
        self._sources, self._appender, self._clock = sources, appender, clock
        self.refused: Counter[str] = Counter()
        self._answered = {
            (name, outcome): WEBHOOKS.labels(name, outcome) for name in sources for outcome in OUTCOMES
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        source = self._sources.get(scope["path"].removeprefix("/webhooks/"))
        if source is None:
            await _answer(send, 404, f"No such source; known are {', '.join(sorted(self._sources))}.\n")
        elif scope["method"] != "POST":
            await _answer(send, 405, "Webhooks are POSTed.\n", ((b"allow", b"POST"),))
        else:
            await self._take(source, scope, receive, send)
            WEBHOOK_SECONDS.observe(perf_counter() - started)

    async def _take(self, source: Source, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            body = await _body(headers, receive)
        except ClientGone:
            self.refused[f"{source.name}:client_gone"] += 1
            return
        except TimeoutError:
            await self._refuse(source, Rejected(408, "The body did not arrive in 5 s.\n", "slow_body"), send)
            return
        outcome = (
            Rejected(413, f"The body is over the limit of {MAX_BODY} bytes.\n", "too_large") if body is None
            else source.take(headers, body, self._clock.now_ms())
        )
        if isinstance(outcome, Rejected):
            await self._refuse(source, outcome, send)
            return
        try:
            result = await self._appender.append(taken(outcome, source.name))
        except StoreUnavailable:
            self._answered[source.name, "unavailable"].inc()
            await _answer(send, 503, "The store did not confirm in time: please send it again.\n",
                          ((b"retry-after", b"5"),))
            return
        self._answered[source.name, result].inc()
        await send(_OK)
        await send(_NOTHING)

    async def _refuse(self, source: Source, rejected: Rejected, send: Send) -> None:
        self.refused[f"{source.name}:{rejected.counter}"] += 1
        self._answered[source.name, "refused"].inc()
        await _answer(send, rejected.status, rejected.reason)


def taken(outcome: Accepted | Unusable | NotUsed, source: str) -> Taken:
    """What an outcome stores."""
    if isinstance(outcome, Accepted):
        payload = encode(outcome.event)
        return Taken("event", source, outcome.seen, payload, checksum(payload))
    if isinstance(outcome, Unusable):
        return Taken("dead", source, outcome.seen, outcome.body, f"{outcome.about}: {outcome.reason}")
    return Taken("not_used", source, outcome.seen)


async def _body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes | None:
    """The raw body; None when it is too large. Raises ClientGone or TimeoutError."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MAX_BODY:
        return None
    first = start(receive())
    if not isinstance(first, Waiting) and first["type"] == "http.request" and not first.get("more_body", False):
        body: bytes = first.get("body", b"")
        return body if len(body) <= MAX_BODY else None
    async with asyncio.timeout(BODY_DEADLINE_S):
        return await _gather(await first.rest() if isinstance(first, Waiting) else first, receive)


async def _gather(message: Message, receive: Receive) -> bytes | None:
    """A body that comes in pieces."""
    chunks: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()
    raise ClientGone


async def _answer(send: Send, status: int, text: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    body = text.encode()
    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-length", b"%d" % len(body)), *headers],
    }
    if body:
        start["headers"].append((b"content-type", b"text/plain; charset=utf-8"))
    if status in (408, 413):
        # The rest of the body is not read: the connection cannot be used again.
        start["headers"].append((b"connection", b"close"))
    await send(start)
    await send({"type": "http.response.body", "body": body})
