"""/login, /logout, /welcome/{secret} and /invite/{secret}: how somebody becomes known. All work without scripts.

Threats: guessing and stuffing (bounded tries, one sentence for every failure, equal time), fixation (a new session
with each sign-in), open redirects (only paths of this opsmon), links that leak (never cached, no referrer elsewhere).
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from opsmon.clock import Clock
from opsmon.core.access import LOCAL, Who
from opsmon.core.access import person as known
from opsmon.core.people import check_password, email_of, name_of
from opsmon.core.said import Said
from opsmon.store.accounts.changing import Changing
from opsmon.store.accounts.people import People
from opsmon.store.accounts.records import Person
from opsmon.store.accounts.secrets import hashed
from opsmon.store.accounts.sessions import Sessions
from opsmon.web import rendering
from opsmon.web.accounts.forms import FormView, InputView, marked
from opsmon.web.accounts.noting import address_of
from opsmon.web.accounts.passwords import Busy, Passwords
from opsmon.web.doors import WHO
from opsmon.web.forms import read_form
from opsmon.web.identity import FIRST_RUN, SESSION_COOKIE, cookie, cookie_header
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.wording import Wording

# Of one account: five at once, then one every four minutes: at most 20 an hour. Of one address: 30, then one in 20 s.
PER_ACCOUNT = (5, 240_000)
_PER_ADDRESS = (30, 20_000)
# A path of this opsmon, nothing that a browser takes for another host.
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,300}")
PAIR = "/pair"
_PRIVATE = {"cache-control": "no-store"}
_NOT_THIS = N_("This e-mail address and this password do not belong together.")
_TOO_OFTEN = N_("Too many tries. Try again in %(minutes)s min, or ask an admin for a link to choose a new password.")
_BUSY = N_("Too many are signing in right now. Try again in a few seconds.")
_IS_A_SCREEN = N_("This is a screen on the wall")
_GONE = N_("This link was used already, or is too old. Ask whoever sent it for another one; if you have chosen a "
           "password, sign in.")
_WELCOMED = N_("opsmon has an admin already: this link was for the first one. Sign in, or ask to be invited.")

# Their texts are said by `_spoken`.
_EMAIL = InputView("email", N_("E-mail address"), "email", autocomplete="username")
_PASSWORD = InputView("password", N_("Password"), "password", autocomplete="current-password")
_NEW_PASSWORD = InputView("password", N_("Choose a password"), "password", autocomplete="new-password",
                          hint=N_("At least 10 characters. Three words that do not belong together are good."))
_NAME = InputView("name", N_("Your name"), autocomplete="name")


@dataclass(frozen=True, slots=True)
class Signing:
    """What signing in is done with."""

    people: People
    sessions: Sessions
    changing: Changing
    passwords: Passwords
    # The secret of the link that makes the first admin; only this machine's files have it.
    first_secret: Callable[[], str]
    use_first_secret: Callable[[], None]
    # Remembers that somebody could not sign in.
    note_refused: Callable[[int], Awaitable[None]]


class SignIn:
    """The pages before one is known."""

    def __init__(self, pages: Pages, signing: Signing, clock: Clock, wording: Wording) -> None:
        self._pages, self._signing, self._clock, self._wording = pages, signing, clock, wording

    async def login(self, request: Request) -> Response:
        """GET gives the form, POST signs in and goes on to where one wanted to be.

        Threat: guessing (CWE-307), a session from before (fixation, CWE-384).
        """
        if request.method != "POST":
            return self._form(request, _login_form(self._wording, _next(request.query_params.get("next", ""))))
        said = await read_form(request)
        goes_on = _next(said.get("next", ""))
        email, password = said.get("email", "").strip().lower()[:254], said.get("password", "")[:1000]
        wait_ms = await self._signing.changing.take_try(
            self._clock.now_ms(), (f"login:{hashed(email)}", *PER_ACCOUNT), (f"from:{address_of(request)}",
                                                                             *_PER_ADDRESS))
        if wait_ms:
            await self._signing.note_refused(self._clock.now_ms())
            sentence = Said(_TOO_OFTEN, minutes=-(-wait_ms // 60_000))
            return self._again(request, goes_on, said, sentence, 429, {"retry-after": f"{wait_ms // 1000}"})
        person = await self._signing.people.by_email(email)
        kept = person.password if person and not person.is_off else ""
        try:
            is_right = await self._signing.passwords.verify(kept, password)
        except Busy:
            return self._again(request, goes_on, said, _BUSY, 503, {"retry-after": "5"})
        if not is_right or person is None:
            await self._signing.note_refused(self._clock.now_ms())
            return self._again(request, goes_on, said, _NOT_THIS, 403)
        return await self._let_in(request, await self._renewed(person, password), goes_on)

    async def logout(self, request: Request) -> Response:
        """End the session in hand."""
        who: Who | None = request.scope.get(WHO)
        if who is not None and who.kind == "person":
            await self._signing.sessions.end(who.id, [who.session])
        # What the service worker keeps of boards goes too (threat: the next one who holds this phone).
        answer = RedirectResponse("/login", 303, {**_PRIVATE, "clear-site-data": '"cache", "storage"'})
        answer.headers.append(*cookie_header(SESSION_COOKIE, "", request.scope, 0))
        return answer

    async def welcome(self, request: Request) -> Response:
        """Make the first admin, by the link that opsmon printed.

        Threat: a stranger who is first (CWE-306).
        """
        if not request.scope.get(FIRST_RUN):
            return self._trouble(request, 410, _WELCOMED)
        secret = self._signing.first_secret()
        if not secret or not compare_digest(request.path_params["secret"].encode(), secret.encode()):
            return self._trouble(request, 410, _GONE)
        if request.method != "POST":
            return self._form(request, _welcome_form(self._wording, {}, {}))
        said = await read_form(request)
        email, name, wrong = _checked(said, self._wording)
        if wrong:
            return self._form(request, _welcome_form(self._wording, said, wrong), 422)
        kept = await self._signing.passwords.hash(said["password"])
        made = Person("first", email, name, "admin", kept, made_ms=self._clock.now_ms())
        outcome = await self._signing.people.change(LOCAL, address_of(request), None, made, "person.first")
        if outcome != "done":
            return self._trouble(request, 410, _WELCOMED)
        self._signing.use_first_secret()
        return await self._let_in(request, made, "/")

    async def accept(self, request: Request) -> Response:
        """Choose a password, by a link that is good once: of an invitation, or for a new one.

        Threat: a link that is used twice (CWE-294).
        """
        secret = request.path_params["secret"]
        found = await self._signing.people.linked(secret)
        if found is None:
            return self._trouble(request, 410, _GONE)
        link, person = found
        if request.method != "POST":
            return self._form(request, _accept_form(self._wording, person, link.kind, {}))
        said = await read_form(request)
        try:
            check_password(said.get("password", ""), person.email, person.name)
        except ValueError as error:
            wrong = {"password": self._wording.say(str(error))}
            return self._form(request, _accept_form(self._wording, person, link.kind, wrong), 422)
        kept = await self._signing.passwords.hash(said["password"])
        if not await self._signing.people.use_link(secret):
            return self._trouble(request, 410, _GONE)
        return await self._chosen(request, person, replace(person, password=kept), link.kind)

    async def _chosen(self, request: Request, before: Person, after: Person, kind: str) -> Response:
        what = "person.accepted" if kind == "invite" else "person.reset"
        who = known(before.id, before.name, before.role)
        if await self._signing.people.change(who, address_of(request), before, after, what) != "done":
            return self._trouble(request, 410, _GONE)
        # A new password ends what was begun with the old one.
        await self._signing.sessions.end_all(before.id)
        return await self._let_in(request, after, "/")

    async def _renewed(self, person: Person, password: str) -> Person:
        """Somebody whose password is hashed as today; a hash of yesterday is made anew while it is at hand."""
        if self._signing.passwords.is_old(person.password):
            again = replace(person, password=await self._signing.passwords.hash(password))
            await self._signing.people.change(known(person.id, person.name, person.role), "", person, again,
                                              "person.rehashed")
        return person

    async def _let_in(self, request: Request, person: Person, goes_on: str) -> Response:
        """Begin a session; the one that came along, if any, ends."""
        sessions = self._signing.sessions
        before = cookie(request.scope, SESSION_COOKIE)
        if before:
            await sessions.end(person.id, [hashed(before)])
        agent = request.headers.get("user-agent", "")
        secret = await sessions.begin(person.id, self._clock.now_ms(), address_of(request), agent)
        answer = RedirectResponse(goes_on, 303, _PRIVATE)
        answer.headers.append(*cookie_header(SESSION_COOKIE, secret, request.scope, sessions.life_ms // 1000))
        return answer

    def _form(self, request: Request, form: FormView, status: int = 200, more: Mapping[str, str] | None = None
              ) -> Response:
        page = self._pages.view(form.title, "board", request)
        return HTMLResponse(rendering.page("form", page=page, form=form), status, {**_PRIVATE, **(more or {})})

    def _trouble(self, request: Request, status: int, sentence: str) -> Response:
        return self._again(request, "/", {}, sentence, status)

    def _again(self, request: Request, goes_on: str, said: Mapping[str, str], sentence: str, status: int,
               more: Mapping[str, str] | None = None) -> Response:
        form = _login_form(self._wording, goes_on, said, self._wording.say(sentence))
        return self._form(request, form, status, more)


def _next(path: str) -> str:
    """Where to go after signing in: a path here, or the board (threat: open redirect, CWE-601)."""
    return path if _PATH.fullmatch(path) and not path.startswith(("/login", "/logout")) else "/"


def _spoken(wording: Wording, fields: Sequence[InputView]) -> tuple[InputView, ...]:
    """Fields with their texts in the site's language."""
    return tuple(replace(one, label=wording.say(one.label), hint=wording.say(one.hint)) for one in fields)


def _login_form(wording: Wording, goes_on: str, said: Mapping[str, str] | None = None, trouble: str = "") -> FormView:
    say = wording.say
    return FormView(say("Sign in"), say("To see the boards of this opsmon."), "/login", say("Sign in"),
                    marked(_spoken(wording, (_EMAIL, _PASSWORD)), said or {}, {}), (("next", goes_on),),
                    ((PAIR, say(_IS_A_SCREEN)),), trouble)


def _welcome_form(wording: Wording, said: Mapping[str, str], wrong: Mapping[str, str]) -> FormView:
    about = wording.say("You are the first. With an account boards can be opened from other machines too, and from now "
                        "on everybody signs in.")
    return FormView(wording.say("Welcome"), about, "", wording.say("Make the first account"),
                    marked(_spoken(wording, (_NAME, _EMAIL, _NEW_PASSWORD)), said, wrong))


def _accept_form(wording: Wording, person: Person, kind: str, wrong: Mapping[str, str]) -> FormView:
    say, is_invited = wording.say, kind == "invite"
    title = say("Welcome, %(name)s", name=person.name) if is_invited else say("A new password")
    about = say("You sign in with %(email)s.", email=person.email)
    return FormView(title, about, "", say("Begin") if is_invited else say("Change it"),
                    marked(_spoken(wording, (_NEW_PASSWORD,)), {}, wrong))


def _checked(said: Mapping[str, str], wording: Wording) -> tuple[str, str, dict[str, str]]:
    """E-mail address, name, and what is wrong with what was typed."""
    wrong, found = {}, {"email": "", "name": ""}
    for field, read in (("email", email_of), ("name", name_of)):
        try:
            found[field] = read(said.get(field, ""))
        except ValueError as error:
            wrong[field] = wording.say(str(error))
    try:
        check_password(said.get("password", ""), found["email"], found["name"])
    except ValueError as error:
        wrong["password"] = wording.say(str(error))
    return found["email"], found["name"], wrong
