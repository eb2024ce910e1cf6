"""How somebody is turned away: to the sign-in page, or with a sentence, in the form that whoever asks can read."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from opsmon.core.access import MEANINGS, Audience, Who
from opsmon.core.said import Said
from opsmon.web.doors import Refuse
from opsmon.web.identity import SCREEN_COOKIE, UNSURE, cookie
from opsmon.web.languages import N_
from opsmon.web.pages import Pages

SIGN_IN = "/login"
PAIR = "/pair"
_UNSURE = N_("The store cannot be reached, so it cannot be looked up who you are. This page tries again by itself.")
_SIGN_IN = N_("Sign in first: this is for %(whom)s.")
_NOT_YOU = N_("This is for %(whom)s; you are %(name)s. Ask an admin of this opsmon, or sign in as somebody else.")
_ROLES = {"viewer": N_("viewer"), "operator": N_("operator"), "manager": N_("manager"), "admin": N_("admin"),
          "wall": N_("screen")}


class Refusal:
    """Answers those whom a guard does not let in.

    Threat: an answer that tells a stranger what there is (CWE-204).
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def of(self, audience: Audience) -> Refuse:
        """The answer of the doors of one audience."""

        async def refuse(scope: Scope, receive: Receive, send: Send, who: Who | None) -> None:
            answer = await self._answer(Request(scope, receive), audience, who)
            await answer(scope, receive, send)

        return refuse

    async def _answer(self, request: Request, audience: Audience, who: Who | None) -> Response:
        if request.scope.get(UNSURE):
            return await self._pages.error(request, 503, _UNSURE)
        if who is not None:
            return await self._pages.error(request, 403, Said(_NOT_YOU, whom=MEANINGS[audience], name=named(who)))
        return await self._sign_in(request, audience)

    async def _sign_in(self, request: Request, audience: Audience) -> Response:
        path, first = request.url.path, Said(_SIGN_IN, whom=MEANINGS[audience])
        if path == "/live":
            # Never a redirect: hx-sse would follow it in a loop (LIVE 2.2, T2).
            return Response(status_code=401)
        if path.startswith(("/api/", "/metrics")) or path.endswith(".json"):
            return JSONResponse({"error": first}, 401, {"www-authenticate": "Bearer"})
        if (path == "/wall" or path.startswith("/wall/")) and cookie(request.scope, SCREEN_COOKIE):
            # A screen that was removed, or was never let in: nobody stands before it who could sign in.
            return RedirectResponse(PAIR, 303)
        if request.method in ("GET", "HEAD"):
            asked = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(asked, safe='')}", 303)
        return await self._pages.error(request, 401, first)


def named(who: Who) -> Said:
    """'Ana (viewer)': who somebody is to opsmon. Scopes of programs have no other names; one may have none that this
    opsmon knows."""
    if not who.roles:
        return Said(who.name)
    (role, *others) = sorted(who.roles)
    told = Said(_ROLES[role]) if role in _ROLES and not others else ", ".join((role, *others))
    return Said("%(name)s (%(role)s)", name=who.name, role=told)
