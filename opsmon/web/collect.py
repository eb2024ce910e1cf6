"""POST /collect: what the shop's pages say, from anybody; and the scripts that make them say it.

Whatever comes is answered 204 and nothing else, so that nobody learns anything here; what was not taken is
counted by its reason. Nothing waits for the store, and nothing goes the way that webhooks go.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from time import monotonic

from starlette.types import Receive, Scope, Send

from opsmon.clock import Clock
from opsmon.core.events import Event
from opsmon.sources.pixel import MAX_BODY, SOURCE, Pixel
from opsmon.store.event_stream import checksum, encode
from opsmon.store.scripts import Taken
from opsmon.store.visits import Visits
from opsmon.web.assets import public_script
from opsmon.web.bodies import ClientGone, read_body
from opsmon.web.rates import Rates, network_of

PATH = "/collect"
SCRIPTS = {"/pixel.js": "pixel.js", "/shopify-pixel.js": "shopify-pixel.js"}
BODY_DEADLINE_S = 5.0
_ANY = b"*"
_SCRIPT_HEADERS = (
    (b"content-type", b"text/javascript; charset=utf-8"), (b"cache-control", b"public, max-age=3600"),
    (b"access-control-allow-origin", _ANY), (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
)
_PREFLIGHT = ((b"access-control-allow-methods", b"POST"), (b"access-control-allow-headers", b"content-type"),
              (b"access-control-max-age", b"86400"))
# The rest of such a body is not read: the connection cannot be used again.
_CUT_SHORT = frozenset({"too_large", "slow_body"})


class Collect:
    """The door. `refused` counts by `pixel:reason`; no `origins` are all origins."""

    def __init__(self, pixel: Pixel, visits: Visits, rates: Rates, origins: Collection[str], clock: Clock, *,
                 refused: "Counter[str]") -> None:
        self._pixel, self._visits, self._rates, self._clock = pixel, visits, rates, clock
        self._origins = frozenset(origin.encode() for origin in origins)
        self._refused = refused

    def knows(self, path: str) -> bool:
        """Whether a path is one of this door."""
        return path == PATH or path in SCRIPTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in SCRIPTS:
            await _send(send, 200, _SCRIPT_HEADERS, public_script(SCRIPTS[scope["path"]]), scope["method"])
            return
        headers = dict(scope["headers"])
        reason = await self._take(scope, headers, receive)
        if reason:
            self._refused[f"{SOURCE}:{reason}"] += 1
        more = _PREFLIGHT if scope["method"] == "OPTIONS" else ()
        closing = ((b"connection", b"close"),) if reason in _CUT_SHORT else ()
        await _send(send, 204, (*self._allowed(headers), *more, *closing))

    async def _take(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> str:
        """Take a body; '' or why not."""
        if scope["method"] != "POST":
            return "" if scope["method"] == "OPTIONS" else "method"
        if self._origins and headers.get(b"origin", b"").lower() not in self._origins:
            return "origin"
        network = network_of(scope)
        if reason := self._rates.take(network, 1, monotonic()):
            return reason
        try:
            body = await read_body(headers, receive, MAX_BODY, BODY_DEADLINE_S)
        except (ClientGone, TimeoutError) as error:
            return "slow_body" if isinstance(error, TimeoutError) else "client_gone"
        return "too_large" if body is None else self._read(body, network)

    def _read(self, body: bytes, network: bytes) -> str:
        reading = self._pixel.read(body, self._clock.now_ms())
        self._refused.update({f"{SOURCE}:{reason}": count for reason, count in reading.refused.items()})
        # The first was paid for before it was read.
        reason = self._rates.take(network, len(reading.events) - 1, monotonic()) if len(reading.events) > 1 else ""
        if not reason:
            self._visits.put([_taken(event) for event in reading.events])
        return reason

    def _allowed(self, headers: Mapping[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
        origin = headers.get(b"origin", b"")
        if self._origins and origin.lower() not in self._origins:
            return ()
        return ((b"access-control-allow-origin", origin if self._origins else _ANY), (b"vary", b"Origin"))


def _taken(event: Event) -> Taken:
    payload = encode(event)
    return Taken("event", SOURCE, event.id, payload, checksum(payload))


async def _send(send: Send, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes = b"",
                method: str = "") -> None:
    length = ((b"content-length", b"%d" % len(body)),) if body else ()
    await send({"type": "http.response.start", "status": status, "headers": [*length, *headers]})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
