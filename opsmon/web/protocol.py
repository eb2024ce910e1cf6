"""HTTP as uvicorn reads it, within bounds: nobody holds a connection open by sending or reading next to nothing.

uvicorn itself waits for ever for headers and bodies, and for whoever does not read its answer.
"""

import asyncio
from functools import partial
from typing import Any, Literal

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from opsmon.web.bodies import answer
from opsmon.web.holding import Bounds, Crowd
from opsmon.web.strict import fault

# In a request's scope: that its answer is a stream, which has bounds of its own (live.py).
STREAMS = "opsmon.streams"
TRANSPORT = "opsmon.transport"
# A body nobody reads any more, behind an answer: so much is let go by, so that the answer arrives.
_DISCARDED_BYTES = 256 * 1024
# What chunks may take around their content: a byte in a chunk of its own takes six.
_AROUND_BYTES, _AROUND_EACH = 64 * 1024, 8
_MOST_HEADERS = 100
# Requests sent without waiting for answers: browsers send none, and each would be worked off in turn.
_MOST_AHEAD = 8
_CROWDED = "More connections are open from your address than opsmon holds for one. Close some.\n"
_TOO_LARGE = "The address and the headers of this request are over the limit of {} KiB or of {} lines.\n"
_LATE = "The request did not arrive in time.\n"
_NO_SENSE = "More was sent around this body than in it.\n"
_PHRASES = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large",
            503: b"Service Unavailable"}

Awaited = Literal["headers", "body", ""]


class Protocol(HttpToolsProtocol):
    """One connection. `look` is called now and then and ends it where it is over its bounds."""

    def __init__(self, *args: Any, bounds: Bounds, crowd: Crowd, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bounds, self._crowd = bounds, crowd
        self._awaited: Awaited = ""
        self._since_s = 0.0
        self._raw_bytes = self._body_bytes = 0
        self._stuck: tuple[float, int] | None = None
        self._address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for("headers")
        self._address = self.client[0] if self.client else ""
        if not self._crowd.enter(self._address):
            self._end(503, _CROWDED)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._awaited and self._is_answered():
            self._wait_for("headers")  # an empty line begins no request, and ends the time to idle
        self._raw_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._awaited == "headers" and self._raw_bytes > self._bounds.header_bytes:
            self._end(431, self._too_large())
        elif self._awaited == "body" and self._raw_bytes > _AROUND_BYTES + _AROUND_EACH * self._body_bytes:
            self._end(400, _NO_SENSE)

    def resume_writing(self) -> None:
        self._stuck = None
        super().resume_writing()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # Lets the stream endpoint reach its socket, to bound what a stalled screen can hoard.
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required]
        if self._awaited != "headers":
            self._wait_for("headers")

    def on_headers_complete(self) -> None:
        wrong = (431, self._too_large()) if self._is_oversized() else (
            fault(self.parser.get_http_version(), self.url, self.headers))
        if wrong:
            self.app = partial(_refuse, *wrong)
        super().on_headers_complete()
        self._wait_for("body")
        if len(self.pipeline) > _MOST_AHEAD:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)
        if self.cycle.response_complete and self._body_bytes > _DISCARDED_BYTES:
            self.transport.close()

    def on_message_complete(self) -> None:
        self._awaited = ""
        super().on_message_complete()

    def look(self, now_s: float) -> None:
        """End the connection if it is over its bounds. May be repeated."""
        if self._is_stuck(now_s):
            self.transport.abort()
        elif not self.transport.is_closing() and self._is_late(now_s):
            # Whoever has sent nothing at all is told nothing.
            self._end(408, _LATE if self._raw_bytes or self._awaited == "body" else "")

    def send_400_response(self, msg: str) -> None:
        """Say that this is no HTTP, unless it would be read as part of another answer."""
        self._end(400, f"{msg}\n")

    def _unsupported_upgrade_warning(self) -> None:
        # What follows is in a protocol that nobody speaks here: the request is answered, the rest unread.
        self.cycle.keep_alive = False
        self.flow.pause_reading()

    def _wait_for(self, what: Awaited) -> None:
        self._awaited, self._since_s, self._raw_bytes, self._body_bytes = what, self.loop.time(), 0, 0

    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _is_late(self, now_s: float) -> bool:
        if self._awaited and self.flow.read_paused:
            self._wait_for(self._awaited)  # it is opsmon that does not read
        waited_s = now_s - self._since_s
        if self._awaited == "headers":
            return waited_s > self._bounds.headers_s
        return (self._awaited == "body" and waited_s > self._bounds.body_s
                and self._body_bytes < waited_s * self._bounds.least_bytes_s)

    def _is_stuck(self, now_s: float) -> bool:
        """Whether an answer is read too slowly. The buffer grows only once some of it was read, and resume_writing
        was called for it, or by as much as is sent at once."""
        left_bytes = self.transport.get_write_buffer_size()
        if not left_bytes or (self.cycle is not None and self.cycle.scope.get(STREAMS)):
            self._stuck = None
        elif self._stuck is None or left_bytes > self._stuck[1]:
            self._stuck = now_s, left_bytes
        elif now_s - self._stuck[0] > self._bounds.answer_s:
            (since_s, before_bytes), self._stuck = self._stuck, (now_s, left_bytes)
            return before_bytes - left_bytes < (now_s - since_s) * self._bounds.least_bytes_s
        return False

    def _is_oversized(self) -> bool:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return size > self._bounds.header_bytes or len(self.headers) > _MOST_HEADERS

    def _too_large(self) -> str:
        return _TOO_LARGE.format(self._bounds.header_bytes // 1024, _MOST_HEADERS)

    def _end(self, status: int, sentence: str) -> None:
        """Close, with an answer where none is under way."""
        under_way = self.cycle is not None and not self.cycle.response_complete and self.cycle.response_started
        if sentence and not under_way and not self.pipeline:
            body = sentence.encode()
            self.transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n"
                b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (status, _PHRASES[status], len(body), body))
        self.transport.close()


async def _refuse(status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Instead of the app: what follows on this connection would be read by a guess."""
    await answer(send, status, sentence, ((b"connection", b"close"),))
