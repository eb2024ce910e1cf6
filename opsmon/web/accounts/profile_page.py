"""/profile: what one is called and likes, one's password, and where one is signed in.

Threats: a password that is changed at a browser somebody left (the old one is asked), a session that goes on
elsewhere (they are listed, each can be ended; a new password ends all others. OWASP ASVS 5, 7.4.3, 7.5.2).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsmon.core.access import Who
from opsmon.core.people import NEWS, check_password, choice_of, name_of, quiet_of
from opsmon.store.accounts.records import Person
from opsmon.store.accounts.uses import last_used
from opsmon.web.accounts.forms import checked
from opsmon.web.accounts.noting import Noting, address_of, who_of
from opsmon.web.accounts.office import Office
from opsmon.web.accounts.passwords import Busy
from opsmon.web.accounts.profile_views import (
    CLOCKS,
    THEMES,
    ProfileView,
    languages_of,
    own_fields,
    password_fields,
    session_view,
)
from opsmon.web.forms import read_form
from opsmon.web.languages import N_

Form = dict[str, str]
_NO_ACCOUNT = N_("This machine needs no account yet, and so has no profile. Open the link that opsmon printed when it "
                 "started to make the first.")
_DONE = {
    "saved": N_("Saved."), "password": N_("Your password is changed. Elsewhere you are signed out."),
    "ended": N_("That session is over."), "others": N_("You are signed out everywhere else."),
}
_BUSY = N_("Too many are signing in right now. Try again in a few seconds.")


class ProfilePage:
    """The page and its forms, for whoever looks at it."""

    def __init__(self, office: Office, noting: Noting) -> None:
        self._office, self._noting = office, noting
        self._say = office.wording.say
        self._acts: dict[str, Callable[[Request, Person, Form], Awaitable[Response]]] = {
            "profile": self._save, "password": self._password, "end": self._end, "others": self._others}

    async def show(self, request: Request) -> Response:
        """One's own profile."""
        person = await self._person(request)
        return await self._page(request, person, done=self._say(_DONE.get(request.query_params.get("did", ""), "")))

    async def act(self, request: Request) -> Response:
        """Save something of it, or end sessions."""
        form = await read_form(request)
        person = await self._person(request)
        act = self._acts.get(form.get("act", ""))
        if act is None:
            raise HTTPException(400, N_("A profile can be saved, its password changed, its sessions ended."))
        return await act(request, person, form)

    async def _save(self, request: Request, person: Person, form: Form) -> Response:
        values, wrong = checked(form, {
            "name": name_of, "locale": lambda text: choice_of(text, languages_of(self._office.wording)),
            "theme": lambda text: choice_of(text, THEMES), "clock": lambda text: choice_of(text, CLOCKS),
            "quiet_from": lambda text: quiet_of(text, form.get("quiet_until", "")),
        }, self._say)
        if wrong:
            return await self._page(request, person, 422, own=(form, wrong))
        begins, ends = values.pop("quiet_from")
        after = replace(person, **values, quiet_from=begins, quiet_until=ends,
                        notify=tuple(one for one in NEWS if form.get(f"notify-{one}") == "on"))
        if form.get("version", "") != str(person.version):
            return await self._page(request, person, 409, own=(form, {}), trouble=self._office.why("changed"))
        if after == person:
            return _back("saved")
        return await self._changed(request, person, after, "person.profile", "saved")

    async def _password(self, request: Request, person: Person, form: Form) -> Response:
        new = form.get("password", "")
        trouble = await self._office.check_password(who_of(request), form.get("old", ""))
        if trouble:
            return await self._page(request, person, 403, wrong={"old": trouble})
        try:
            check_password(new, person.email, person.name)
            kept = await self._office.signing.passwords.hash(new)
        except (ValueError, Busy) as error:
            return await self._page(request, person, 422, wrong={"password": self._say(str(error) or _BUSY)})
        answer = await self._changed(request, person, replace(person, password=kept), "person.password", "password")
        if answer.status_code == 303:
            await self._office.sessions.end_all(person.id, but=who_of(request).session)
            await self._office.sessions.prove(who_of(request).session, self._office.clock.now_ms())
        return answer

    async def _end(self, request: Request, person: Person, form: Form) -> Response:
        """End one of one's own; another's are not found."""
        held = {one.id for one in await self._office.sessions.of(self._office.reader, person.id)}
        ended = form.get("session", "")
        if ended not in held:
            return _back("ended")
        await self._office.sessions.end(person.id, [ended])
        await self._noting.note(request, "person.session_ended", person.id, person.name)
        return _back("ended")

    async def _others(self, request: Request, person: Person, form: Form) -> Response:
        if await self._office.sessions.end_all(person.id, but=who_of(request).session):
            await self._noting.note(request, "person.sessions_ended", person.id, person.name)
        return _back("others")

    async def _changed(self, request: Request, before: Person, after: Person, what: str, did: str) -> Response:
        outcome = await self._office.people.change(who_of(request), address_of(request), before, after, what)
        if outcome != "done":
            return await self._page(request, before, 409, trouble=self._office.why(outcome))
        return _back(did)

    async def _person(self, request: Request) -> Person:
        """Whoever looks. Raises HTTPException where nobody has an account."""
        who: Who = who_of(request)
        found = await self._office.people.one(who.id) if who.kind == "person" else None
        if found is None:
            raise HTTPException(404, _NO_ACCOUNT)
        return found

    async def _page(self, request: Request, person: Person, status: int = 200, *, trouble: str = "", done: str = "",
                    own: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
                    wrong: Mapping[str, str] | None = None) -> Response:
        office, now_ms, here = self._office, self._office.clock.now_ms(), who_of(request).session
        held = await office.sessions.of(office.reader, person.id)
        used = await last_used(office.reader, office.keys, [f"session {one.id}" for one in held])
        sessions = tuple(
            session_view(one, used.get(f"session {one.id}"), office.wording, now_ms, is_here=one.id == here)
            for one in held)
        view = ProfileView(person.email, person.version, own_fields(person, office.wording, *own),
                           password_fields(office.wording, wrong or {}), sessions, len(held) > 1, trouble, done)
        return office.html(request, "profile", N_("Profile"), status, profile=view)


def _back(did: str) -> Response:
    return RedirectResponse(f"/profile?did={did}", 303)
