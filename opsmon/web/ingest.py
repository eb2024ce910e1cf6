"""POST /ingest/events: events in opsmon's own shape, many to a body, for whoever has a token.

Raw ASGI, as webhooks are. 200 means that every event of the body is durable, or named in the answer. A body
is worked off batch by batch, so that single webhooks, and screens, wait for one batch and not for a body.
"""

import asyncio
import hmac
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from opsmon.clock import Clock
from opsmon.core.errors import StoreUnavailable
from opsmon.sources.base import Rejected, Secret
from opsmon.sources.json_events import JsonEvents, Refused, divide, no_json
from opsmon.store.appender import Appender
from opsmon.store.event_stream import checksum, encode
from opsmon.store.scripts import Taken
from opsmon.telemetry import WEBHOOKS
from opsmon.web.bodies import ClientGone, answer, read_body

PATH = "/ingest/events"
MAX_BODY = 16 * 1024 * 1024
BODY_DEADLINE_S = 15.0
# From a whole body to its answer.
DEADLINE_S = 10.0
BATCH = 250
BATCH_BYTES = 256 * 1024
# While the batch of one body is being stored, that of another is read. See Appender.append_batch.
AT_A_TIME = 2

_HEADERS = {401: ((b"www-authenticate", b"Bearer"),), 503: ((b"retry-after", b"5"),)}

_NO_TOKEN = Rejected(401, "Authorization: Bearer <token> is missing.\n", "no_token")
_BAD_TOKEN = Rejected(401, "The token is not one of OPSMON_INGEST_TOKEN. While none is set, it is what the file "
                           "test-secret in the data folder holds.\n", "bad_token")
_UNAVAILABLE = Rejected(503, "The store did not confirm in time: please send the whole body again. What is stored "
                             "of it by now will be a duplicate then.\n", "unavailable")


@dataclass(slots=True)
class _Report:
    """What became of the events of a body, which are counted from 0."""

    accepted: int = 0
    duplicates: list[int] = field(default_factory=list)
    refused: list[tuple[int, Refused]] = field(default_factory=list)

    def as_json(self) -> bytes:
        return orjson.dumps({"accepted": self.accepted, "duplicates": self.duplicates, "refused": [
            {"index": index, "reason": refused.reason} for index, refused in self.refused]})


class Ingest:
    """The endpoint. `refused` counts by `events:reason` what was not taken, beside what webhooks refuse."""

    def __init__(self, events: JsonEvents, tokens: Sequence[Secret], appender: Appender, clock: Clock, *,
                 refused: "Counter[str]") -> None:
        self._events, self._tokens, self._appender, self._clock = events, tokens, appender, clock
        self._refused = refused
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._answered = {outcome: WEBHOOKS.labels(events.name, outcome)
                          for outcome in ("event", "duplicate", "refused", "unavailable")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != PATH:
            await answer(send, 404, f"No such address; events are POSTed to {PATH}.\n")
        elif scope["method"] != "POST":
            await answer(send, 405, "Events are POSTed.\n", ((b"allow", b"POST"),))
        else:
            await self._take(dict(scope["headers"]), receive, send)

    async def _take(self, headers: Mapping[bytes, bytes], receive: Receive, send: Send) -> None:
        try:
            outcome = self._stranger(headers) or await self._outcome(headers, receive)
        except ClientGone:
            self._refused[f"{self._events.name}:client_gone"] += 1
            return
        if isinstance(outcome, Rejected):
            await answer(send, outcome.status, outcome.reason, _HEADERS.get(outcome.status, ()))
            return
        body = outcome.as_json()
        await send({"type": "http.response.start", "status": 200, "headers": [
            (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    def _stranger(self, headers: Mapping[bytes, bytes]) -> Rejected | None:
        """Why the sender may not; asked before any of the body is read. Constant time per token."""
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return self._rejected(_NO_TOKEN)
        matched = False
        for token in self._tokens:
            matched |= hmac.compare_digest(token.value, given.strip())
        if matched:
            return None
        return self._rejected(_BAD_TOKEN)

    async def _outcome(self, headers: Mapping[bytes, bytes], receive: Receive) -> _Report | Rejected:
        try:
            body = await read_body(headers, receive, MAX_BODY, BODY_DEADLINE_S)
        except TimeoutError:
            return self._rejected(Rejected(408, f"The body did not arrive in {BODY_DEADLINE_S:g} s.\n", "slow_body"))
        if body is None:
            return self._rejected(Rejected(413, f"The body is over the limit of {MAX_BODY} bytes.\n", "too_large"))
        content_type = headers.get(b"content-type", b"").lower()
        pieces = divide(body, is_lines=b"ndjson" in content_type or b"jsonl" in content_type)
        if isinstance(pieces, Rejected):
            return self._rejected(pieces)
        return await self._stored(body, pieces)

    async def _stored(self, body: bytes, pieces: list[Any]) -> _Report | Rejected:
        report = _Report()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._append(pieces, report)
        except (StoreUnavailable, TimeoutError):
            self._answered["unavailable"].inc(len(pieces) - report.accepted - len(report.duplicates))
            return _UNAVAILABLE
        if len(report.refused) == len(pieces) and {why.counter for _, why in report.refused} == {"not_json"}:
            return self._rejected(no_json(body, report.refused[0][1]))
        self._count(report)
        return report

    async def _append(self, pieces: list[Any], report: _Report) -> None:
        batches = self._batches(pieces, report)
        while True:
            async with self._turns:
                batch = next(batches, None)
                if batch is None:
                    return
                outcomes = await self._appender.append_batch([taken for _, taken in batch]) if batch else []
            for (index, _), outcome in zip(batch, outcomes, strict=True):
                if outcome == b"event":
                    report.accepted += 1
                else:
                    report.duplicates.append(index)
            await asyncio.sleep(0)

    def _batches(self, pieces: list[Any], report: _Report) -> Iterator[list[tuple[int, Taken]]]:
        """Read the events, some at a time. A batch may be empty: none of its events could be taken."""
        take, name, arrived_ms = self._events.take, self._events.name, self._clock.now_ms()
        batch: list[tuple[int, Taken]] = []
        size = 0
        for index, piece in enumerate(pieces):
            event = take(piece, arrived_ms)
            if isinstance(event, Refused):
                report.refused.append((index, event))
            else:
                payload = encode(event)
                size += len(payload)
                batch.append((index, Taken("event", name, event.id, payload, checksum(payload))))
            if index % BATCH == BATCH - 1 or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        yield batch

    def _count(self, report: _Report) -> None:
        for _, refused in report.refused:
            self._refused[f"{self._events.name}:{refused.counter}"] += 1
        self._answered["event"].inc(report.accepted)
        self._answered["duplicate"].inc(len(report.duplicates))
        self._answered["refused"].inc(len(report.refused))

    def _rejected(self, rejected: Rejected) -> Rejected:
        self._refused[f"{self._events.name}:{rejected.counter}"] += 1
        self._answered["refused"].inc()
        return rejected
