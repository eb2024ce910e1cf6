"""Headers every page carries, the rule that only opsmon's own pages may change something, and what is local."""

from collections.abc import Awaitable, MutableMapping
from ipaddress import ip_address
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsmon.core.access import Who
from opsmon.web.doors import HARMLESS, WHO

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
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"),
]
# An answer for one must not be kept for another (CWE-524); what may be kept says so itself.
_NOT_KEPT = (b"cache-control", b"no-store")
# Two years, as browsers' lists ask for; over plain HTTP it would mean nothing (RFC 6797 7.2).
_TLS_ONLY = (b"strict-transport-security", b"max-age=63072000")
# In a request's scope: how a stream sends its messages, thousands of them, once its headers are gone.
PLAIN_SEND = "opsmon.send"
# What programs ask, and change by a token.
PROGRAMS = "/api/"
_NOT_FROM_THERE = (
    b"This changes something, and the request does not come from a page of this opsmon (by its Sec-Fetch-Site and "
    b"Origin). Open the page here and press the button again; for scripts there is the opsmon command.\n"
)
# A name that resolves to 127.0.0.1 must not let a web page elsewhere read the board (DNS rebinding).
_LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
# Some proxies ask for 127.0.0.1 whatever they were asked for: who comes through one is elsewhere.
_FORWARDED = {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}


class SecurityHeaders:
    """Adds the headers to every answer (threats: clickjacking, sniffing, leaks to other sites; OWASP Secure Headers,
    MDN HTTP Observatory). Those an answer has itself stand."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        more = [*HEADERS, _NOT_KEPT, *([_TLS_ONLY] if scope.get("scheme") == "https" else [])]

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name for name, _ in own}
                # What is kept already goes on being kept as it was told then (RFC 9111, 4.3.4).
                names |= {b"cache-control"} if message["status"] == 304 else set()
                message["headers"] = [*own, *(header for header in more if header[0] not in names)]
            await send(message)

        scope[PLAIN_SEND] = send
        await self._app(scope, receive, secured)


class SameOrigin:
    """Lets a request that may change something through only if a page of this opsmon sent it (CSRF).

    A browser says so itself in Sec-Fetch-Site, which no script can set; an older one by an Origin that is the
    Host asked for. One that says neither is refused: such a request has no page behind it, unless a token speaks for
    it.

    Threat: a form that another site sends (CWE-352; Fetch Metadata, W3C).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["method"] not in HARMLESS and not is_same_origin(scope) and (
                not is_by_token(scope)):
            return forbid(send, _NOT_FROM_THERE)
        return self._app(scope, receive, send)


def is_same_origin(scope: MutableMapping[str, Any]) -> bool:
    """Whether a page of the host that was asked sent a request.

    Threat: a form that another site sends (CWE-352; Fetch Metadata, W3C).
    """
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site in (b"same-origin", b"none")
    scheme, _, origin = headers.get(b"origin", b"").lower().partition(b"://")
    return scheme in (b"http", b"https") and bool(origin) and origin == headers.get(b"host", b"").lower()


def is_by_token(scope: MutableMapping[str, Any]) -> bool:
    """Whether a program sent a request, at a door for programs: known by the token in its Authorization header, which
    no browser sends along by itself, and no page behind it. Whoever is known by a cookie, or by sitting here, is none.

    Threat: a form that another site sends (CWE-352; RFC 6750, 5.2: what a browser holds may be sent by any page; OWASP,
    CSRF prevention: custom request headers).
    """
    who: Who | None = scope.get(WHO)
    headers = dict(scope["headers"])
    is_of_a_page = b"sec-fetch-site" in headers or b"origin" in headers
    return who is not None and who.kind == "program" and scope["path"].startswith(PROGRAMS) and not is_of_a_page


async def forbid(send: Send, why: bytes) -> None:
    """Answer 403 with a sentence."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(why))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": why})


def is_local(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request came to a loopback address, asked for it by such a name, and no proxy handed it on.

    Threat: a web page elsewhere, or a proxy, that is taken for whoever sits here (DNS rebinding, CWE-350).
    """
    server, headers = scope.get("server"), dict(scope["headers"])
    if not _FORWARDED.isdisjoint(headers):
        return False
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return server is not None and _is_loopback(server[0]) and name in _LOCAL_NAMES


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
