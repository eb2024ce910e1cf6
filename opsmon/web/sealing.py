"""What a form carries to show that a page of this opsmon made it, for whoever sends it.

Threat: another site's page that sends a form with the cookies of somebody signed in here (CSRF, CWE-352; OWASP
Cross-Site Request Forgery Prevention Cheat Sheet). The third line, behind Sec-Fetch-Site and Origin (security.py):
a token made from the session's cookie, or, before one has signed in, from a cookie that the form came with. No other
site reads either, and over TLS none can set them (`__Host-`).
"""

import hmac
import secrets
from collections.abc import Iterator
from contextvars import ContextVar

from markupsafe import Markup
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsmon.web.forms import SEAL
from opsmon.web.identity import SESSION_COOKIE, cookie, cookie_header

FORM_COOKIE = "opsmon-form"
# What a script sends in place of a form's field.
HEADER = b"x-csrf"
_LASTS_S = 30 * 24 * 3600
_SHORTEST = 32


class _Seal:
    """The token of the request in hand; `new` is the secret it is made from where none came along."""

    def __init__(self, scope: Scope) -> None:
        self._scope, self.new = scope, ""

    def token(self) -> str:
        secret = next(_secrets(self._scope), "") or self.new
        if not secret:
            secret = self.new = secrets.token_urlsafe(32)
        return token_of(secret)


_HELD: ContextVar[_Seal | None] = ContextVar("opsmon_seal", default=None)


class Sealed:
    """Lets the pages behind it seal their forms. The stream has none, and no wrapper.

    Threat: a form that another site sends (CWE-352).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/live":
            await self._app(scope, receive, send)
            return
        seal = _Seal(scope)

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and seal.new:
                name, value = cookie_header(FORM_COOKIE, seal.new, scope, _LASTS_S)
                message["headers"] = [*message.get("headers", ()), (name.encode(), value.encode())]
            await send(message)

        held = _HELD.set(seal)
        try:
            await self._app(scope, receive, with_cookie)
        finally:
            _HELD.reset(held)


def csrf() -> Markup:
    """The hidden field that each form which changes something begins with; nothing outside a request, for what is
    drawn there is shown to all."""
    token = csrf_token()
    return Markup('<input type="hidden" autocomplete="off" name="{}" value="{}">').format(SEAL, token) if token else (
        Markup(""))


def csrf_token() -> str:
    """The same for a header that a script sends; '' outside a request."""
    seal = _HELD.get()
    return seal.token() if seal is not None else ""


def token_of(secret: str) -> str:
    """What belongs to the secret of a cookie; who knows it does not know the secret.

    Threat: a page that tells the secret of its reader's cookie (CWE-200).
    """
    return hmac.digest(secret.encode(), b"opsmon form", "sha256").hex()


def is_sealed(scope: Scope, given: str) -> bool:
    """Whether a token belongs to a cookie of the same request. In constant time.

    Threat: a form that another site sends (CWE-352; OWASP, CSRF prevention), and a token guessed by how long a
    comparison takes (CWE-208).
    """
    matched = False
    for secret in _secrets(scope):
        matched |= hmac.compare_digest(token_of(secret).encode(), given.encode())
    return matched


def _secrets(scope: Scope) -> Iterator[str]:
    for name in (SESSION_COOKIE, FORM_COOKIE):
        secret = cookie(scope, name)
        if len(secret) >= _SHORTEST:
            yield secret
