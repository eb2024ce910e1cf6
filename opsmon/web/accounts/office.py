"""What the pages for people, tokens and the audit are made with."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opsmon.clock import Clock
from opsmon.core.access import Who
from opsmon.store.accounts.changing import Outcome
from opsmon.store.accounts.people import People
from opsmon.store.accounts.secrets import hashed
from opsmon.store.accounts.sessions import Sessions
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.web import rendering
from opsmon.web.accounts.forms import FormView, InputView
from opsmon.web.accounts.mailing import Post
from opsmon.web.accounts.noting import who_of
from opsmon.web.accounts.passwords import Busy
from opsmon.web.accounts.signing_in import PER_ACCOUNT, Signing
from opsmon.web.forms import SEAL
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.wording import Wording

NO_STORE = {"cache-control": "no-store"}
PROOF = "proof"
_WHY: dict[Outcome, str] = {
    "taken": N_("Somebody has this e-mail address already."),
    "last": N_("Nobody could let others in afterwards: make another admin first."),
    "changed": N_("Somebody else changed this just now. Nothing was saved: look at what it is now, then try again."),
}
_ABOUT = N_("What you are about to do lets people in or shuts them out. Type your password once more; for half an "
            "hour you are not asked again.")
_NOT_RIGHT = N_("This is not your password.")
_TOO_OFTEN = N_("Too many tries. Try again in %(minutes)s min.")
_BUSY = N_("Too many are signing in right now. Try again in a few seconds.")


@dataclass(frozen=True, slots=True)
class Office:
    """Everything at hand. `base_url` is where links lead that are given out; `post` mails them, None: no mail server
    is set."""

    pages: Pages
    signing: Signing
    reader: Reader
    keys: Keys
    wording: Wording
    clock: Clock
    base_url: str
    post: Post | None = None

    @property
    def people(self) -> People:
        """Those who have an account."""
        return self.signing.people

    @property
    def sessions(self) -> Sessions:
        """Where they are signed in."""
        return self.signing.sessions

    def why(self, outcome: Outcome) -> str:
        """Why nothing was saved, '' when it was."""
        return self.wording.say(_WHY.get(outcome, ""))

    def html(self, request: Request, template: str, title: str, status: int = 200, **context: object) -> Response:
        """A page that no browser keeps. `title` is English, or what people call something."""
        page = self.pages.view(title, "board", request)
        return HTMLResponse(rendering.page(template, page=page, **context), status, NO_STORE)

    async def unproven(self, request: Request, form: dict[str, str]) -> Response | None:
        """The page that asks for the password again, and then does what was asked; None when that may be done now.

        Threat: somebody else at a browser that was left signed in (OWASP ASVS 5, 7.5.3). Tries are those of the
        account, shared with signing in. Whoever sits at a machine without accounts has no password.
        """
        who, now_ms = who_of(request), self.clock.now_ms()
        if who.kind == "local" or await self.sessions.is_proven(who.session, now_ms):
            return None
        trouble = await self.check_password(who, form[PROOF]) if PROOF in form else ""
        if PROOF in form and not trouble:
            await self.sessions.prove(who.session, now_ms)
            return None
        return self.html(request, "form", N_("Your password again"), 403, form=self._proof_form(request, form, trouble))

    async def check_password(self, who: Who, password: str) -> str:
        """'' when it is theirs, else the sentence. Takes a try of the account's.

        Threat: guessing (CWE-307; OWASP ASVS 5, 6.3.1).
        """
        person = await self.people.one(who.id)
        if person is None:
            return self.wording.say(_NOT_RIGHT)
        bucket = (f"login:{hashed(person.email)}", *PER_ACCOUNT)
        wait_ms = await self.signing.changing.take_try(self.clock.now_ms(), bucket)
        if wait_ms:
            return self.wording.say(_TOO_OFTEN, minutes=-(-wait_ms // 60_000))
        try:
            is_right = await self.signing.passwords.verify(person.password, password[:1000])
        except Busy:
            return self.wording.say(_BUSY)
        return "" if is_right else self.wording.say(_NOT_RIGHT)

    def _proof_form(self, request: Request, form: dict[str, str], trouble: str) -> FormView:
        say = self.wording.say
        field = InputView(PROOF, say("Password"), "password", error=trouble, autocomplete="current-password",
                          focused=True)
        kept = tuple((name, value) for name, value in form.items() if name not in (PROOF, SEAL))
        return FormView(say("Your password again"), say(_ABOUT), request.url.path, say("Go on"), (field,), kept)
