"""/tokens: what programs show to read numbers and to change rules; made here, shown once, revoked here.

Threats: a token that is found in a file or a log (only its hash is kept, it ends, it is revoked at once), and one that
may more than its program needs (scopes. OWASP ASVS 5, 10.4; RFC 6750, 5.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsmon.core.people import choice_of, name_of
from opsmon.store.accounts.records import Token
from opsmon.store.accounts.tokens import Tokens
from opsmon.store.accounts.uses import last_used
from opsmon.web.accounts.forms import InputView, checked, marked
from opsmon.web.accounts.noting import address_of, who_of
from opsmon.web.accounts.office import Office
from opsmon.web.accounts.people_views import OnceView
from opsmon.web.forms import read_form
from opsmon.web.languages import N_
from opsmon.web.views import shown
from opsmon.web.wording import Wording

MOST = 100
DAY_MS = 86_400_000
SCOPES = {"numbers": N_("Read numbers: /api/kpis"), "money": N_("Money among them"),
          "metrics": N_("Read how opsmon does: /metrics"), "rules": N_("Read and change rules: /api/rules")}
LIVES = {"30": N_("30 days"), "90": N_("90 days"), "365": N_("A year")}
_ONCE = N_("The token of %(name)s. It is shown only now: put it where the program reads it.")
_THERE = N_("There is a token of this name already. Revoke it first, or choose another name.")
_OVER, _UNTIL = N_("Over since %(date)s"), N_("Until %(date)s")
_FULL = N_("There are as many tokens as there may be. Revoke some first.")


# `shown` is a field() call, which is what dataclass defaults are for.
@dataclass(frozen=True, slots=True)
class TokenView:
    """A token in the list."""

    id: str = shown("the beginning of its hash, which the form sends that revokes it")
    name: str = shown("what it is called")
    scopes: str = shown("'numbers, money'")
    used: str = shown("when it was last used, in words")
    ends: str = shown("'until Dec 20, 2026', or that it is over")
    is_over: bool = shown("whether its time is over")


class TokensPage:
    """The page and its forms."""

    def __init__(self, office: Office, tokens: Tokens) -> None:
        self._office, self._tokens, self._say = office, tokens, office.wording.say

    async def show(self, request: Request) -> Response:
        """Every token."""
        did = request.query_params.get("did") == "revoked"
        return await self._listed(request, done=self._say("Revoked.") if did else "")

    async def act(self, request: Request) -> Response:
        """Make one, or revoke one."""
        form = await read_form(request)
        if form.get("act") == "make":
            return await self._make(request, form)
        if form.get("act") == "revoke":
            return await self._revoke(request, form)
        raise HTTPException(400, N_("A token can be made or revoked."))

    async def _make(self, request: Request, form: dict[str, str]) -> Response:
        values, wrong = checked(form, {"name": name_of, "life": lambda text: choice_of(text, LIVES)}, self._say)
        scopes = tuple(one for one in SCOPES if form.get(f"scope-{one}") == "on")
        if not set(scopes) & {"numbers", "metrics", "rules"}:
            wrong["scope"] = self._say("Choose what it may: numbers, metrics or rules.")
        tokens = await self._tokens.all()
        if any(one.name == values.get("name") for one in tokens):
            wrong["name"] = self._say(_THERE)
        if wrong:
            return await self._listed(request, 422, said=(form, wrong))
        if len(tokens) >= MOST:
            return await self._listed(request, 422, said=(form, {}), trouble=self._say(_FULL))
        if asks := await self._office.unproven(request, form):
            return asks
        now_ms, name = self._office.clock.now_ms(), values["name"]
        secret = await self._tokens.make(who_of(request), address_of(request), name, scopes, now_ms,
                                         now_ms + int(values["life"]) * DAY_MS)
        return await self._listed(request, once=OnceView(self._say(_ONCE, name=name), secret))

    async def _revoke(self, request: Request, form: dict[str, str]) -> Response:
        found = next((one for one in await self._tokens.all() if one.id[:12] == form.get("id", "")), None)
        if found is not None:
            if asks := await self._office.unproven(request, form):
                return asks
            await self._tokens.revoke(who_of(request), address_of(request), found)
        return RedirectResponse("/tokens?did=revoked", 303)

    async def _listed(self, request: Request, status: int = 200, *, trouble: str = "", done: str = "",
                      once: OnceView | None = None,
                      said: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})) -> Response:
        office, now_ms = self._office, self._office.clock.now_ms()
        tokens = await self._tokens.all()
        used = await last_used(office.reader, office.keys, [f"program {one.id[:12]}" for one in tokens])
        views = tuple(token_view(one, used.get(f"program {one.id[:12]}"), office.wording, now_ms) for one in tokens)
        return office.html(request, "tokens", N_("Tokens"), status, tokens=views, fields=_fields(office.wording, *said),
                           trouble=trouble, done=done, once=once)


def token_view(token: Token, used_ms: int | None, wording: Wording, now_ms: int) -> TokenView:
    """A token as a row."""
    is_over = now_ms >= token.ends_ms
    ends = wording.say(_OVER if is_over else _UNTIL, date=wording.date(token.ends_ms))
    age_ms = now_ms - used_ms if used_ms is not None else None
    used = wording.say("Never used") if age_ms is None else wording.say("Used just now") if age_ms < 120_000 else (
        wording.say("Last used %(age)s ago", age=wording.age(age_ms)))
    return TokenView(token.id[:12], token.name, ", ".join(token.scopes), used, ends, is_over)


def _fields(wording: Wording, said: Mapping[str, str], wrong: Mapping[str, str]) -> tuple[InputView, ...]:
    say = wording.say
    scopes = [one for one in SCOPES if said.get(f"scope-{one}") == "on"] if said else ["numbers"]
    fields = (
        InputView("name", say("Which program"), hint=say("So that you know later what stops when you revoke it."),
                  width="half"),
        InputView("life", say("How long"), "select", choices=tuple((one, say(text)) for one, text in LIVES.items()),
                  width="half"),
        InputView("scope", say("What it may"), "checks",
                  choices=tuple((one, say(text)) for one, text in SCOPES.items())),
    )
    found = marked(fields, {"life": "90", **said, "scope": " ".join(scopes)}, wrong)
    return found if wrong else tuple(replace(one, focused=False) for one in found)
