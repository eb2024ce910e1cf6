"""Headers every page carries, the rule that boards are for this machine only until accounts exist, and the one
that only opsmon's own pages may change something. None of them waits itself: an open stream would pay for it."""

from collections.abc import Awaitable, MutableMapping
from ipaddress import ip_address
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No eval, nothing inline, nothing from elsewhere. Nonces would break partials rendered once for all.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
_NOT_HERE = (
    b"Boards are shown on this machine only, at http://127.0.0.1, until there are accounts. From elsewhere, "
    b"tunnel: ssh -L 8000:127.0.0.1:8000 this-machine\n"
)
_NOT_FROM_THERE = (
    b"This changes something, and the request does not come from a page of this opsmon (by its Sec-Fetch-Site and "
    b"Origin). Open the page here and press the button again; for scripts there is the opsmon command.\n"
)
_HARMLESS = {"GET", "HEAD", "OPTIONS"}
# A name that resolves to 127.0.0.1 must not let a web page elsewhere read the board (DNS rebinding).
_LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}


class SecurityHeaders:
    """Adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        # The stream sends thousands of messages on one answer: no wrapper stays between.
        if scope["type"] == "http" and scope["path"] != "/live":
            await self._app(scope, receive, secured)
        else:
            await self._app(scope, receive, send)


class LoopbackOnly:
    """Lets only requests through that came to a loopback address, by a loopback name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and not is_local(scope):
            return _forbid(send, _NOT_HERE)
        return self._app(scope, receive, send)


class SameOrigin:
    """Lets a request that may change something through only if a page of this opsmon sent it (CSRF).

    A browser says so itself in Sec-Fetch-Site, which no script can set; an older one by an Origin that is the
    Host asked for. One that says neither is refused: such a request has no page behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["method"] not in _HARMLESS and not is_same_origin(scope):
            return _forbid(send, _NOT_FROM_THERE)
        return self._app(scope, receive, send)


def is_same_origin(scope: MutableMapping[str, Any]) -> bool:
    """Whether a page of the host that was asked sent a request."""
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site in (b"same-origin", b"none")
    scheme, _, origin = headers.get(b"origin", b"").lower().partition(b"://")
    return scheme in (b"http", b"https") and bool(origin) and origin == headers.get(b"host", b"").lower()


async def _forbid(send: Send, why: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(why))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": why})


def is_local(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request came to a loopback address and asked for it by such a name."""
    server = scope.get("server")
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return server is not None and _is_loopback(server[0]) and name in _LOCAL_NAMES


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
