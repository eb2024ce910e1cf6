"""/pair: what a screen on a wall shows until somebody lets it in. Needs no script: the page loads itself again.

Threats: a code that somebody guesses (long enough, soon over, few tries), a token that somebody else fetches (it is
this browser's own secret, in a cookie that no script reads), a store filled with codes (bounded by address and in all).
"""

import re
from dataclasses import replace
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from opsmon.clock import Clock
from opsmon.core.access import Who
from opsmon.core.pairing import code_of, written
from opsmon.store.accounts.records import Pairing
from opsmon.store.accounts.screens import TOKEN_MS, Screens
from opsmon.web import rendering
from opsmon.web.accounts.forms import FormView
from opsmon.web.accounts.noting import address_of
from opsmon.web.accounts.qr import qr_view
from opsmon.web.accounts.screen_views import PairView
from opsmon.web.doors import PUBLIC_SIDE, WHO
from opsmon.web.identity import FIRST_RUN, SCREEN_COOKIE, cookie, cookie_header
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.wording import Wording

_AGAIN_S = 4
_LATER_S = 20
_HEADERS = {"cache-control": "no-store"}
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}", re.ASCII)
_NOBODY_YET = N_("Nobody has an account here yet, who could let a screen in. Open the link that opsmon printed when it "
                 "started, or run opsmon people add.")
_TOO_MANY = N_("Too many screens are waiting here. This page tries again by itself; if it stays so, let this browser "
               "keep cookies.")
_ELSEWHERE = N_("This screen is let in, but this port is for the internet and has no boards. Open %(address)s on it.")
_SOMEWHERE = N_("This screen is let in, but this port is for the internet and has no boards. Open /wall on it at the "
                "address where you open the boards.")


class PairPage:
    """The page of a screen that waits. `boards_url` is where phones, and from the port for the internet screens too,
    reach the boards; '': where the screen does, or not known."""

    def __init__(self, pages: Pages, screens: Screens, wording: Wording, clock: Clock, boards_url: str) -> None:
        self._pages, self._screens, self._wording = pages, screens, wording
        self._clock, self._boards_url = clock, boards_url

    async def show(self, request: Request) -> Response:
        """The code and its QR code; once it was let in, on to the wall."""
        who: Who | None = request.scope.get(WHO)
        if request.scope.get(FIRST_RUN):
            raise HTTPException(409, _NOBODY_YET)
        if who is not None and who.kind == "screen":
            return self._let_in(request)
        if who is not None and who.kind == "person":
            return self._sign_out_first(request, who)
        secret = cookie(request.scope, SCREEN_COOKIE)
        waiting = await self._screens.waiting(secret, self._clock.now_ms()) if secret else None
        return self._page(request, secret, waiting) if waiting else await self._begun(request)

    def _let_in(self, request: Request) -> Response:
        """On to the wall. The port for the internet has none: it leads to the other one where the screen's cookie goes
        along, which is kept by host and not by port (RFC 6265, 8.5), else it says where to go."""
        if not request.scope.get(PUBLIC_SIDE):
            return RedirectResponse("/wall", 303, _HEADERS)
        wall = f"{self._boards_url}/wall" if self._boards_url else ""
        if wall and urlsplit(wall).hostname == request.url.hostname:
            return RedirectResponse(wall, 303, _HEADERS)
        said = self._wording.say(_ELSEWHERE, address=wall) if wall else self._wording.say(_SOMEWHERE)
        return self._answer(request, PairView(trouble=said), 200, _LATER_S)

    async def _begun(self, request: Request) -> Response:
        begun = await self._screens.begin(self._clock.now_ms(), address_of(request))
        if isinstance(begun, int):
            trouble = PairView(trouble=self._wording.say(_TOO_MANY))
            return self._answer(request, trouble, 429, _LATER_S)
        answer = self._page(request, *begun)
        answer.headers.append(*cookie_header(SCREEN_COOKIE, begun[0], request.scope, TOKEN_MS // 1000))
        return answer

    def _page(self, request: Request, secret: str, pairing: Pairing) -> Response:
        code = written(code_of(secret))
        here = "" if request.scope.get(PUBLIC_SIDE) else _asked_for(request)
        base, until = self._boards_url or here, self._wording.time(pairing.ends_ms)
        view = PairView(code, f"{base.partition('://')[2]}/screens/pair", until,
                        qr_view(f"{base}/screens/pair?code={code}")) if base else PairView(code, until=until)
        return self._answer(request, view, 200, _AGAIN_S)

    def _answer(self, request: Request, view: PairView, status: int, again_s: int) -> Response:
        page = replace(self._pages.view(N_("A new screen"), "board", request), theme="dark")
        html = rendering.page("pair", page=page, pair=view)
        return HTMLResponse(html, status, {**_HEADERS, "refresh": str(again_s)})

    def _sign_out_first(self, request: Request, who: Who) -> Response:
        say = self._wording.say
        about = say("%(name)s is signed in with this browser. Sign out first: a screen on a wall has rights of its "
                    "own.", name=who.name)
        form = FormView(say("A new screen"), about, "/logout", say("Sign out"), ())
        page = self._pages.view(N_("A new screen"), "board", request)
        return HTMLResponse(rendering.page("form", page=page, form=form), 200, _HEADERS)


def _asked_for(request: Request) -> str:
    """The address that the screen itself was given."""
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"
