"""GET /live: the stream of one tab. The hub drives `send`: no task wakes per screen and message."""

import asyncio
import logging
import random
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from opsmon.clock import Clock
from opsmon.core.access import Audience, Who, may
from opsmon.store.accounts.records import PairedScreen
from opsmon.store.accounts.screens import is_old
from opsmon.store.connection import STORE_ERRORS
from opsmon.telemetry import DROPPED_SCREENS, PUSHED_BYTES, SCREENS
from opsmon.web.doors import WHO
from opsmon.web.driving import Waiting, start
from opsmon.web.feed import HEARTBEAT_S, Feed
from opsmon.web.hub import MAX_SCREENS, Hub, event
from opsmon.web.protocol import STREAMS, TRANSPORT
from opsmon.web.security import PLAIN_SEND
from opsmon.web.seeing import sees
from opsmon.web.walls import Showing, shape_now, showing

log = logging.getLogger("opsmon.web")

STUCK_S = 10.0
# Pages with slots of their own: the sources.
OTHERS_FOR: Audience = "managers"
PHONE_GAP_S = 1.0
# A screen that was away so long need not say its name any more.
_IDENTIFIED_WITHIN_MS = 15_000
OPEN_WITHIN_S = 3.0
RETRY_MS = 500
_RELOAD_WITHIN_MS = 10_000
_MAX_SHOWINGS = 256
_UNSENT_BYTES = 16 * 1024
_USER_TIMEOUT_MS = 30_000
# What tells which streams ended, and how paired screens are to be now.
Gone = Callable[[Iterable[Who]], Awaitable[set[str]]]
Attend = Callable[[Iterable[Who], int], Awaitable[Mapping[str, PairedScreen]]]
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class BrowserScreen:
    """One open stream. Busy while its last bytes are on their way: then the next frame holds the newest."""

    __slots__ = ("__weakref__", "_busy", "_gap_s", "_hub", "_loop", "_owed", "_resting", "_send", "_task", "ended",
                 "identified_ms", "made", "revision", "shown", "slots", "who")

    def __init__(self, hub: Hub, send: Send, revision: int, gap_s: float, slots: frozenset[str] | None = None,
                 shown: Showing | None = None, who: Who | None = None, made: str = "") -> None:
        self.revision = revision
        self.slots = slots
        # The boards and the version of them that the page was made of.
        self.shown = shown
        self.who = who
        # Of a paired screen: what its page was made of, and when it last showed its name.
        self.made = made
        self.identified_ms = 0
        self.ended = False
        self._hub, self._send, self._gap_s = hub, send, gap_s
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._busy: asyncio.Task[None] | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._owed = b""

    @property
    def ready(self) -> bool:
        return self._busy is None and self._resting is None and not self.ended

    def push(self, data: bytes) -> None:
        """Send now. If the socket takes it at once, and it nearly always does, that is all."""
        self._write(data)
        if self._gap_s and self._busy is None:
            self._resting = self._loop.call_later(self._gap_s, self._rested)

    def beat(self, data: bytes) -> None:
        """Send a heartbeat: now, or when what is on its way is through. The gap is one between frames."""
        if self._busy is not None:
            self._owed = data
        elif not self.ended:
            self._write(data)

    def end(self, data: bytes) -> None:
        """Say a last word and close."""
        if self._busy is None and not self.ended:
            start(self._send({"type": "http.response.body", "body": data, "more_body": False}))
        self.ended = True
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """Forget what is under way."""
        self.ended = True
        for pending in (self._busy, self._resting):
            if pending is not None:
                pending.cancel()

    def _write(self, data: bytes) -> None:
        PUSHED_BYTES.inc(len(data))
        sent = start(self._send({"type": "http.response.body", "body": data, "more_body": True}))
        if isinstance(sent, Waiting):
            self._busy = self._loop.create_task(self._finish(sent))

    def _rested(self) -> None:
        self._resting = None
        self._hub.serve(self)

    async def _finish(self, sending: Waiting) -> None:
        try:
            async with asyncio.timeout(STUCK_S):
                await sending.rest()
        except TimeoutError:
            DROPPED_SCREENS.inc()
            self.ended = True
            if self._task is not None:
                self._task.cancel()
            return
        self._busy = None
        if self._owed:
            owed, self._owed = self._owed, b""
            self._write(owed)
        self._hub.serve(self)


class Live:
    """The endpoint. It answers 200, 401, 405 or 503, never a redirect: hx-sse would follow it in a loop.

    `others` are hubs of pages with slots of their own, by the view that asks for them. All other pages are
    boards, and theirs is the feed's hub.
    """

    def __init__(self, feed: Feed, clock: Clock, build: str, others: Mapping[str, Hub] | None = None) -> None:
        self._feed, self._clock, self._build, self._others = feed, clock, build, others or {}
        self._hub = feed.hub
        self._showings: dict[Showing, Showing] = {}
        feed.reshaped.append(self._tell_reshaped)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admitted = await self._admit(scope, send)
        if admitted is not None:
            await self._stream(*admitted, receive, scope)

    async def _admit(self, scope: Scope, send: Send) -> tuple[Hub, BrowserScreen] | None:
        """The screen of a stream that was begun; None when it was answered with something else. What was asked is
        forgotten with it: a screen looks for days."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        asked = {name: values[0] for name, values in query.items()}
        headers = dict(scope["headers"])
        if scope["method"] != "GET":
            await _refuse(send, 405, (b"allow", b"GET"))
            return None
        hub = self._others.get(asked.get("view", ""), self._hub)
        who: Who | None = scope.get(WHO)
        if hub is not self._hub and not may(who, OTHERS_FOR):
            await _refuse(send, 403, (b"cache-control", b"no-store"))
            return None
        if hub.draining or self._screens() >= MAX_SCREENS:
            await _refuse(send, 503, (b"retry-after", b"2"))
            return None
        is_board = hub is self._hub
        shown = self._shared(showing(asked, self._feed, sees(scope))) if is_board else None
        is_former = shown is not None and asked.get("shape", shown.shape) != shown.shape
        if asked.get("v") != self._build or (is_board and shown is None) or is_former:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": self._reload()})
            return None
        slots = shown.slots if shown else None
        if slots and not await self._open(slots):
            await _refuse(send, 503, (b"retry-after", b"2"))
            return None
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        last = headers.get(b"last-event-id", b"").decode("latin-1") or asked.get("since", "")
        scope["headers"].clear()
        gap_s = PHONE_GAP_S if b"Mobi" in headers.get(b"user-agent", b"") else 0.0
        scope[STREAMS] = True
        _bound_socket(scope.get(TRANSPORT))
        straight = scope.get(PLAIN_SEND, send)
        return hub, BrowserScreen(hub, straight, hub.since(last), gap_s, slots, shown, who, asked.get("made", ""))

    def _shared(self, shown: Showing | None) -> Showing | None:
        """One object for all screens that show the same: in memory, and where a frame is looked up by its slots."""
        if shown is None:
            return None
        if len(self._showings) >= _MAX_SHOWINGS:
            self._showings.clear()
        return self._showings.setdefault(shown, shown)

    async def watch(self, gone: Gone, attend: Attend | None = None) -> None:
        """With every heartbeat, end the streams of those who were signed out, shut out or given another role, and
        tell paired screens what is wanted of them.

        Threat: a session that was revoked and still sees (OWASP ASVS 5, 7.4). While the store is away nobody can be
        told so, and nothing new is shown either.
        """
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            with suppress(*STORE_ERRORS):
                await self.look(gone, attend)

    async def look(self, gone: Gone, attend: Attend | None = None) -> None:
        """Once. Raises STORE_ERRORS."""
        screens = [one for hub in (self._hub, *self._others.values()) for one in hub.screens
                   if isinstance(one, BrowserScreen) and one.who is not None and one.who.session]
        ended = await gone(one.who for one in screens if one.who is not None) if screens else set()
        paired = [one for one in screens if one.who is not None and one.who.kind == "screen"]
        if attend is not None and paired:
            now_ms = self._clock.now_ms()
            self._tell_paired(paired, await attend([one.who for one in paired if one.who is not None], now_ms), now_ms)
        for screen in screens:
            if screen.who is not None and screen.who.session in ended and not screen.ended:
                screen.end(event("bye", "who"))

    def _tell_paired(self, screens: Sequence[BrowserScreen], found: Mapping[str, PairedScreen], now_ms: int) -> None:
        """Have paired screens load their page again that is another one now, and show their name where it was asked."""
        for screen in screens:
            record = found.get(screen.who.id) if screen.who is not None else None
            if record is None or screen.ended:
                continue
            if screen.made != str(record.version) or is_old(record, now_ms):
                screen.end(self._reload())
            elif record.identify_ms > max(screen.identified_ms, now_ms - _IDENTIFIED_WITHIN_MS):
                screen.identified_ms = record.identify_ms
                screen.beat(event("identify", record.name))

    def _reload(self) -> bytes:
        """The page reloads within 10 s; until then it need not come back twice a second."""
        return event("reload", self._build, _RELOAD_WITHIN_MS)

    def _tell_reshaped(self) -> None:
        """Have screens load their page again whose board was changed. As a last word: one that is lost on the way is
        said again when the screen comes back."""
        for screen in list(self._hub.screens):
            if isinstance(screen, BrowserScreen) and screen.shown is not None:
                if shape_now(screen.shown.boards, self._feed) != screen.shown.shape:
                    screen.end(self._reload())

    async def _open(self, slots: frozenset[str]) -> bool:
        """Have all of a board at hand: a page takes only the first frame of another hub whole (guard.js)."""
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                await self._feed.open(slots)
        except STORE_ERRORS:
            return False
        return True

    def _screens(self) -> int:
        return sum(len(hub.screens) for hub in (self._hub, *self._others.values()))

    async def _stream(self, hub: Hub, screen: BrowserScreen, receive: Receive, scope: Scope) -> None:
        # hx-sse keeps the last `retry` it was told, a farewell's too: back to the usual.
        beat = event("hb", str(self._clock.now_ms()), RETRY_MS)
        hub.screens.add(screen)
        SCREENS.set(self._screens())
        try:
            frame = hub.lacking(screen)
            screen.revision = hub.revision
            screen.push(beat + frame)
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not screen.ended:
                raise
            await _hang_up(scope)
        finally:
            screen.close()
            hub.screens.discard(screen)
            SCREENS.set(self._screens())


def drain(hub: Hub) -> None:
    """Send every screen away, each to come back at its own moment, so that they do not come all at once."""
    hub.draining = True
    for screen in list(hub.screens):
        if isinstance(screen, BrowserScreen):
            screen.end(event("bye", "restart", retry_ms=random.randint(300, 3000)))  # noqa: S311 - no secret


def _bound_socket(transport: Any) -> None:
    """Keep a stalled screen from hoarding megabytes in the kernel, and notice one that is gone."""
    if transport is None:
        return
    transport.set_write_buffer_limits(0)
    sock = transport.get_extra_info("socket")
    with suppress(AttributeError, OSError):  # Linux has these; elsewhere the 10 s limit does
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)


async def _hang_up(scope: Scope) -> None:
    transport = scope.get(TRANSPORT)
    if transport is not None and transport.get_write_buffer_size():
        transport.abort()
        await asyncio.sleep(0)  # uvicorn learns of it, and does not complain of an unfinished answer


async def _refuse(send: Send, status: int, why: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [why, (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
