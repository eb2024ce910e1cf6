"""Who sends a request: a person by a cookie, a screen by another, a program by a bearer token, or, while nobody has
an account, whoever sits at this machine."""

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from opsmon.core.access import LOCAL, METER, Who
from opsmon.store.connection import STORE_ERRORS
from opsmon.web.doors import WHO
from opsmon.web.security import forbid, is_local

# `__Host-`: only over TLS, only this host, only set by it (RFC 6265bis 4.1.3.2). Without TLS the same name bare.
SESSION_COOKIE = "opsmon-session"
SCREEN_COOKIE = "opsmon-screen"
NOT_HERE = (
    b"Boards are shown on this machine only, at http://127.0.0.1, until somebody has an account: open the link that "
    b"opsmon printed when it started, or run opsmon people add. To look from elsewhere now, tunnel: "
    b"ssh -L 8000:127.0.0.1:8000 this-machine\n"
)
# What may be asked from elsewhere before that: the page where its link leads, which has a secret of its own.
_BEFORE = ("/welcome/", "/static/")
_BEARER = "bearer "
_LONGEST_SECRET = 128
# In a request's scope: whether nobody has an account yet; whether the store could not say who it is.
FIRST_RUN = "opsmon.first_run"
UNSURE = "opsmon.unsure"


class Accounts(Protocol):
    """What tells who holds a secret. Each raises STORE_ERRORS when it cannot be told."""

    async def has_admin(self) -> bool: ...

    async def session(self, secret: str) -> Who | None: ...

    async def screen(self, secret: str) -> Who | None: ...

    async def program(self, secret: str) -> Who | None: ...


class Identity:
    """Notes in the scope who sends a request; guards decide what that means (doors.py).

    Threat: somebody unknown who is let in (CWE-306; OWASP ASVS 5, 8.3.1).
    """

    def __init__(self, app: ASGIApp, accounts: Accounts, touch: Callable[[Who], None]) -> None:
        """`touch` is told who came, and makes nobody wait."""
        self._app, self._accounts, self._touch = app, accounts, touch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                scope[FIRST_RUN] = not await self._accounts.has_admin()
                scope[WHO] = await self._who(scope)
            except STORE_ERRORS:
                scope[UNSURE], scope[WHO] = True, METER if is_local(scope) else None
            if scope.get(FIRST_RUN) and scope[WHO] is None and not scope["path"].startswith(_BEFORE):
                # A name that resolves to 127.0.0.1 must not let a web page elsewhere read a board that has no
                # accounts (DNS rebinding), nor an address in the hall show it.
                await forbid(send, NOT_HERE)
                return
            if scope[WHO] is not None and UNSURE not in scope:
                self._touch(scope[WHO])
        await self._app(scope, receive, send)

    async def _who(self, scope: Scope) -> Who | None:
        if scope[FIRST_RUN]:
            return LOCAL if is_local(scope) else None
        token = bearer(scope)
        if token is not None:
            return await self._accounts.program(token)
        secret = cookie(scope, SESSION_COOKIE)
        found = await self._accounts.session(secret) if secret else None
        secret = "" if found else cookie(scope, SCREEN_COOKIE)
        return await self._accounts.screen(secret) if secret else found


def bearer(scope: Scope) -> str | None:
    """The token of an Authorization header (RFC 6750 2.1); None when there is none of the kind.

    Threat: a token in an address or a form, which others keep (RFC 6750, 5.3).
    """
    given: str = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    if given[:len(_BEARER)].lower() != _BEARER:
        return None
    return given[len(_BEARER):].strip()[:_LONGEST_SECRET]


def cookie(scope: Scope, name: str) -> str:
    """A cookie's value, '' without one. Over TLS only the one that a neighbouring host cannot have set counts.

    Threat: a cookie that a neighbouring host has set (RFC 6265bis, 4.1.3.2).
    """
    raw = b"; ".join(value for key, value in scope["headers"] if key == b"cookie").decode("latin-1")
    try:
        jar = SimpleCookie(raw)
    except CookieError:
        return ""
    found = jar.get(cookie_name(name, is_secure(scope)))
    return found.value[:_LONGEST_SECRET] if found else ""


def cookie_name(name: str, secure: bool) -> str:
    """What a cookie is called: with TLS its name binds it to the host."""
    return f"__Host-{name}" if secure else name


def is_secure(scope: Scope) -> bool:
    """Whether the browser speaks TLS; a trusted proxy's word is in the scheme already."""
    return bool(scope.get("scheme") == "https")


def cookie_header(name: str, value: str, scope: Scope, lasts_s: int) -> tuple[str, str]:
    """A Set-Cookie header: never readable by scripts, never sent from other sites' forms (RFC 6265bis).

    `lasts_s` 0 takes the cookie away.

    Threats: a cookie that a script reads (CWE-1004), or that goes along with another site's form (CWE-1275).
    """
    secure = is_secure(scope)
    flags = "; Secure" if secure else ""
    return "set-cookie", (f"{cookie_name(name, secure)}={value}; Path=/; Max-Age={lasts_s}; HttpOnly; "
                          f"SameSite=Lax{flags}")
