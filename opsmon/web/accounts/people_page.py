"""/people: who has an account; invite somebody, change what they may, shut them out and let them in.

Where a mail server is set its links go by mail, and are shown on no page.

Threats: rights that grow unseen (each change is a line of the audit and asks for a recent password), two admins who
overwrite each other (forms carry the version they were made of), a site that nobody can let others into any more.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsmon.core.people import email_of, name_of, role_of, teams_of
from opsmon.store.accounts.changing import Outcome
from opsmon.store.accounts.people import LinkKind
from opsmon.store.accounts.records import Person
from opsmon.store.accounts.secrets import hashed
from opsmon.store.accounts.uses import last_used
from opsmon.web.accounts.forms import checked
from opsmon.web.accounts.mailing import NOT_SENT, SENT, letter_of
from opsmon.web.accounts.noting import Noting, address_of, who_of
from opsmon.web.accounts.office import Office
from opsmon.web.accounts.people_views import OnceView, PeopleView, invite_fields, person_view, told
from opsmon.web.forms import read_form
from opsmon.web.languages import N_

Form = dict[str, str]
_DONE = {
    "changed": N_("Saved: %(name)s."), "off": N_("%(name)s is shut out, everywhere and at once."),
    "on": N_("%(name)s may sign in again."), "ended": N_("%(name)s is signed out everywhere."),
}
_LINKS: dict[LinkKind, str] = {
    "invite": N_("Give this link to %(name)s: a password can be chosen with it once, within 7 days. It is shown only "
                 "now."),
    "reset": N_("Give this link to %(name)s: a new password can be chosen with it once, within the hour. It is shown "
                "only now."),
}


class PeoplePage:
    """The page and its forms."""

    def __init__(self, office: Office, noting: Noting) -> None:
        self._office, self._noting = office, noting
        self._say = office.wording.say
        self._acts: dict[str, Callable[[Request, Person, Form], Awaitable[Response]]] = {
            "change": self._change, "off": self._off, "on": self._on, "link": self._link, "end": self._end}

    async def show(self, request: Request) -> Response:
        """Everybody."""
        asked = request.query_params
        person = await self._office.people.one(asked.get("who", ""))
        words = _DONE.get(asked.get("did", ""), "")
        return await self._listed(request, done=self._say(words, name=person.name) if person and words else "")

    async def invite(self, request: Request) -> Response:
        """Make an account; the page shows the link that opens it."""
        form = await read_form(request)
        values, wrong = checked(form, {"name": name_of, "email": email_of, "role": role_of, "teams": teams_of},
                                self._say)
        if wrong:
            return await self._listed(request, 422, invited=(form, wrong))
        if asks := await self._office.unproven(request, form):
            return asks
        who, now_ms = who_of(request), self._office.clock.now_ms()
        outcome, made, secret = await self._office.people.add(
            who, address_of(request), values["email"], values["name"], values["role"], now_ms, values["teams"])
        if outcome != "done":
            return await self._listed(request, 409, invited=(form, {"email": self._office.why(outcome)}))
        return await self._given(request, made, "invite", secret)

    async def act(self, request: Request) -> Response:
        """One deed on somebody, as they were when the page was made."""
        form = await read_form(request)
        person = await self._office.people.one(request.path_params["id"])
        act = self._acts.get(form.get("act", ""))
        if person is None:
            raise HTTPException(404, N_("Nobody has this account any more. Everybody is at /people."))
        if act is None:
            raise HTTPException(400, N_("Somebody can be changed, shut out, let in, given a link or signed out."))
        if form.get("version", "") != str(person.version):
            return await self._conflict(request, person, form)
        return await self._office.unproven(request, form) or await act(request, person, form)

    async def _change(self, request: Request, person: Person, form: Form) -> Response:
        values, wrong = checked(form, {"role": role_of, "teams": teams_of}, self._say)
        if wrong:
            return await self._listed(request, 422, changed=(person.id, form, wrong))
        after = replace(person, role=values["role"], teams=values["teams"])
        if after == person:
            return _back(person, "changed")
        return await self._saved(request, person, after, form, "person.changed", "changed")

    async def _off(self, request: Request, person: Person, form: Form) -> Response:
        answer = await self._saved(request, person, replace(person, is_off=True), form, "person.off", "off")
        if answer.status_code == 303:
            await self._office.sessions.end_all(person.id)
        return answer

    async def _on(self, request: Request, person: Person, form: Form) -> Response:
        return await self._saved(request, person, replace(person, is_off=False), form, "person.on", "on")

    async def _link(self, request: Request, person: Person, form: Form) -> Response:
        if person.is_off:
            return await self._listed(request, 409, trouble=self._say(
                "%(name)s is shut out: let them in first, then make a link.", name=person.name))
        kind: LinkKind = "reset" if person.password else "invite"
        secret = await self._office.people.link(person, kind)
        await self._noting.note(request, f"person.{kind}_link", person.id, person.name)
        return await self._given(request, person, kind, secret)

    async def _end(self, request: Request, person: Person, form: Form) -> Response:
        await self._office.sessions.end_all(person.id)
        await self._noting.note(request, "person.sessions_ended", person.id, person.name)
        return _back(person, "ended")

    async def _saved(self, request: Request, before: Person, after: Person, form: Form, what: str, did: str
                     ) -> Response:
        outcome: Outcome = await self._office.people.change(who_of(request), address_of(request), before, after, what)
        if outcome == "done":
            return _back(after, did)
        if outcome == "changed":
            return await self._conflict(request, before, form)
        return await self._listed(request, 409, trouble=self._office.why(outcome))

    async def _conflict(self, request: Request, person: Person, form: Form) -> Response:
        """What somebody is now, and that nothing was saved; the form has what was wanted."""
        now = await self._office.people.one(person.id) or person
        trouble = self._say("%(name)s was changed meanwhile and is now: %(now)s. Nothing was saved: look at it, then "
                            "press again.", name=now.name, now=told(now, self._office.wording))
        typed: Form = form if form.get("act") == "change" else {}
        return await self._listed(request, 409, trouble=trouble, changed=(now.id, typed, {}))

    async def _given(self, request: Request, person: Person, kind: LinkKind, secret: str) -> Response:
        """Mail a link, and show it on the page only where that cannot be done."""
        base = self._office.base_url or str(request.base_url).rstrip("/")
        link = f"{base}/invite/{secret}"
        once = OnceView(self._say(_LINKS[kind], name=person.name), link)
        if self._office.post is None:
            return await self._listed(request, once=once)
        who = who_of(request)
        why = await self._office.post(letter_of(person, kind, link, who.name, hashed(secret), self._office.wording))
        told = {"to": person.email, **({"why": why} if why else {})}
        await self._noting.note(request, f"person.{kind}_{'not_mailed' if why else 'mailed'}", person.id, person.name,
                                {}, told)
        if why:
            return await self._listed(request, trouble=self._say(NOT_SENT, email=person.email, why=why), once=once)
        return await self._listed(request, done=self._say(SENT[kind], email=person.email))

    async def _listed(self, request: Request, status: int = 200, *, trouble: str = "", done: str = "",
                      once: OnceView | None = None, invited: tuple[Form, Mapping[str, str]] | None = None,
                      changed: tuple[str, Form, Mapping[str, str]] | None = None) -> Response:
        office, now_ms, mine = self._office, self._office.clock.now_ms(), who_of(request).id
        people = await office.people.all()
        seen = await last_used(office.reader, office.keys, [f"person {one.id}" for one in people])
        nobody: tuple[str, Form, Mapping[str, str]] = ("", {}, {})
        of, said, wrong = changed or nobody
        rows = tuple(person_view(one, seen.get(f"person {one.id}"), office.wording, now_ms, is_self=one.id == mine,
                                 said=said if one.id == of else None, wrong=wrong if one.id == of else None)
                     for one in people)
        view = PeopleView(rows, invite_fields(office.wording, *(invited or ({}, {}))), trouble, done, once,
                          invited is not None or not people, office.post is not None)
        return office.html(request, "people", N_("People"), status, people=view)


def _back(person: Person, did: str) -> Response:
    return RedirectResponse(f"/people?did={did}&who={person.id}#person-{person.id}", 303)
