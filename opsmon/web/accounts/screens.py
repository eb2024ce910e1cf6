"""/screens and /screens/pair: let screens in, and look after them. Plain forms that need no script.

Threats: a code guessed by somebody who is signed in (few tries, by person and by address), a screen let in that nobody
sees (the page says to look at it; every deed is in the audit), two people who change one screen (the second is told).
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from opsmon.core.access import Who
from opsmon.core.pairing import code_in
from opsmon.core.people import name_of
from opsmon.core.walls import MOST_PAGES
from opsmon.store.accounts.changing import Outcome
from opsmon.store.accounts.records import PairedScreen
from opsmon.store.accounts.screens import Screens, Seen
from opsmon.store.connection import STORE_ERRORS
from opsmon.web import rendering
from opsmon.web.accounts.noting import address_of
from opsmon.web.accounts.office import Office
from opsmon.web.accounts.screen_views import ApproveView, BoardChoice, ScreenFields, ScreensView, ScreenView
from opsmon.web.doors import WHO
from opsmon.web.feed import Feed
from opsmon.web.forms import read_form
from opsmon.web.languages import N_

# What is ticked before somebody chooses.
_USUAL = "sales"
_NO_STORE = {"cache-control": "no-store"}
_NO_CODE = N_("No screen shows this code. Type it as it stands on the screen now: it changes every ten minutes.")
_TOO_OFTEN = N_("Too many codes were tried. Try again in %(minutes)s min.")
_NO_NAME = N_("Give it a name of 1 to 60 characters, by where it hangs.")
_NO_BOARD = N_("Choose one to three boards: of several each is shown in turn.")
_CHANGED = N_("Somebody else has changed this screen meanwhile. This is how it is now: look again, then decide.")
_DONE = {"paired": N_("Let in: %(name)s. It shows its board in a few seconds."),
         "save": N_("Saved: %(name)s. It shows its board in a few seconds."),
         "reload": N_("%(name)s loads its page again in a few seconds."),
         "identify": N_("%(name)s shows its name for ten seconds."),
         "remove": N_("Removed. The screen shows a new code in a few seconds.")}


class ScreensPage:
    """The pages of those who look after screens. `look` has what was changed reach open streams at once."""

    def __init__(self, office: Office, feed: Feed, screens: Screens, look: Callable[[], Awaitable[None]]) -> None:
        self._pages, self._clock, self._unproven = office.pages, office.clock, office.unproven
        self._feed, self._screens, self._look = feed, screens, look
        self._wording = feed.board.wording

    async def list(self, request: Request) -> Response:
        """Every screen."""
        asked = request.query_params
        did, name = asked.get("did", ""), await self._named(asked.get("screen", ""))
        is_told = did in _DONE and (did == "remove" or name)
        return await self._listed(request, done=self._wording.say(_DONE[did], name=name) if is_told else "")

    async def act(self, request: Request) -> Response:
        """Change a screen, have it load its page again or show its name, or remove it."""
        form = await read_form(request)
        act, screen = form.get("act", ""), await self._screens.one(form.get("screen", ""))
        if screen is None:
            return await self._listed(request, 404, trouble=N_("This screen was removed meanwhile."))
        if str(screen.version) != form.get("version"):
            return await self._listed(request, 409, trouble=_CHANGED)
        fields = self._fields(screen.id, form) if act == "save" else None
        if fields and (fields.wrong_name or fields.wrong_boards):
            return await self._listed(request, 422, wrong=fields)
        if await self._done(request, act, screen, form) != "done":
            return await self._listed(request, 409, trouble=_CHANGED)
        with suppress(*STORE_ERRORS):  # the next heartbeat looks again
            await self._look()
        return RedirectResponse(f"/screens?did={act}&screen={screen.id}", 303, _NO_STORE)

    async def pair(self, request: Request) -> Response:
        """GET gives the form, with the code where a QR code led here; POST lets the screen in.

        Threat: whoever finds a browser signed in hangs a screen for good, and a session ends where a screen does not
        (OWASP ASVS 5, 7.5.3): the password was typed within the last half hour, or is asked for."""
        if request.method != "POST":
            fields = self._fields_of("new", "", (_USUAL,), sees_money=False)
            return self._approve(request, ApproveView(request.query_params.get("code", "")[:20], fields))
        form, who, address = await read_form(request), _who(request), address_of(request)
        fields, code = self._fields("new", form), form.get("code", "")[:20]
        if fields.wrong_name or fields.wrong_boards:
            return self._approve(request, ApproveView(code, fields), 422)
        if asks := await self._unproven(request, form):
            return asks
        now_ms = self._clock.now_ms()
        wait_ms = await self._screens.take_try(now_ms, who, address)
        if wait_ms:
            said = self._wording.say(_TOO_OFTEN, minutes=-(-wait_ms // 60_000))
            return self._approve(request, ApproveView(code, fields, trouble=said), 429)
        screen = await self._screens.approve(who, address, code_in(code), _wanted(form), now_ms)
        if screen is None:
            return self._approve(request, ApproveView(code, fields, self._wording.say(_NO_CODE)), 422)
        return RedirectResponse(f"/screens?did=paired&screen={screen.id}", 303, _NO_STORE)

    async def _done(self, request: Request, act: str, screen: PairedScreen, form: Mapping[str, str]) -> Outcome:
        who, address = _who(request), address_of(request)
        match act:
            case "save":
                wanted = _wanted(form)
                after = replace(screen, name=wanted.name, board=wanted.board, sees_money=wanted.sees_money)
                return await self._screens.change(who, address, screen, after, "screen.changed")
            case "reload":
                return await self._screens.change(who, address, screen, screen, "screen.reloaded")
            case "identify":
                return await self._screens.identify(who, address, screen, self._clock.now_ms())
            case "remove":
                return await self._screens.remove(who, address, screen)
        raise HTTPException(400, N_("A screen can be changed, loaded again, identified or removed."))

    async def _named(self, screen_id: str) -> str:
        screen = await self._screens.one(screen_id) if screen_id else None
        return screen.name if screen else ""

    async def _listed(self, request: Request, status: int = 200, done: str = "", trouble: str = "",
                      wrong: ScreenFields | None = None) -> Response:
        now_ms, say = self._clock.now_ms(), self._wording.say
        found = tuple(self._screen(one, now_ms, wrong) for one in await self._screens.all())
        view = ScreensView(self._wording.clock(now_ms), found, done, say(trouble))
        page = self._pages.view(N_("Screens"), "board", request)
        return HTMLResponse(rendering.page("screens", page=page, screens=view), status, _NO_STORE)

    def _screen(self, one: Seen, now_ms: int, wrong: ScreenFields | None) -> ScreenView:
        screen, state, say = one.screen, one.state(now_ms), self._wording.say
        told = self._wording.moment(one.seen_ms) if one.seen_ms else ""
        age = self._wording.age(max(now_ms - one.seen_ms, 0))
        seen = {"new": say("not seen yet"), "there": say("answers"),
                "lost": say("lost for %(age)s: last seen %(time)s", age=age, time=told)}[state]
        is_wrong = wrong is not None and wrong.id == screen.id
        boards = tuple(screen.board.split("+"))
        fields = wrong if wrong and is_wrong else self._fields_of(screen.id, screen.name, boards, screen.sees_money)
        day = self._wording.date(screen.paired_ms)
        paired = say("let in %(day)s by %(name)s", day=day, name=screen.paired_by or "–")
        return ScreenView(screen.id, screen.name, screen.version, state, seen, self._shows(screen), paired, fields,
                          is_wrong)

    def _shows(self, screen: PairedScreen) -> str:
        known, say = self._feed.boards, self._wording.say
        titles = [say(known[one].title) if one in known else one for one in screen.board.split("+")]
        return ", ".join([*titles, say("with money") if screen.sees_money else say("without money")])

    def _fields(self, screen_id: str, form: Mapping[str, str]) -> ScreenFields:
        """What was typed, and what is wrong with it."""
        chosen, wanted = _chosen(form), _wanted(form)
        is_known = all(one in self._feed.boards for one in chosen)
        told = self._fields_of(screen_id, form.get("name", "")[:200], chosen, wanted.sees_money)
        wrong_boards = "" if is_known and 1 <= len(chosen) <= MOST_PAGES else self._wording.say(_NO_BOARD)
        return replace(told, wrong_name="" if wanted.name else self._wording.say(_NO_NAME), wrong_boards=wrong_boards)

    def _fields_of(self, screen_id: str, name: str, boards: tuple[str, ...], sees_money: bool) -> ScreenFields:
        known = self._feed.boards.values()
        choices = tuple(BoardChoice(one.id, self._wording.say(one.title), one.id in boards) for one in known)
        return ScreenFields(screen_id, name, choices, sees_money)

    def _approve(self, request: Request, view: ApproveView, status: int = 200) -> Response:
        page = self._pages.view(N_("Let a screen in"), "board", request)
        return HTMLResponse(rendering.page("approve", page=page, approve=view), status, _NO_STORE)


def _who(request: Request) -> Who:
    who: Who = request.scope[WHO]
    return who


def _chosen(form: Mapping[str, str]) -> tuple[str, ...]:
    """The boards that were ticked, in the order of the form."""
    return tuple(name.removeprefix("board:") for name in form if name.startswith("board:"))


def _wanted(form: Mapping[str, str]) -> PairedScreen:
    """A screen as a form describes it; its name is '' when it is none."""
    try:
        name = name_of(form.get("name", ""))
    except ValueError:
        name = ""
    return PairedScreen("", name, "", "+".join(_chosen(form)), form.get("money") == "yes")
