"""Links that let somebody in, by mail: where a mail server is set they are in the mail alone, and on no page.

Threats: a link that others read from the screen of whoever made it (CWE-640), one that goes to an address nobody
checked (the mail tells who made it and what to do with one that nobody expected).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from opsmon.store.accounts.people import LinkKind
from opsmon.store.accounts.records import Person
from opsmon.web.languages import N_
from opsmon.web.wording import Wording


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to somebody. `key` is the same for the same letter, and tells nothing of what is in it."""

    to: str
    name: str
    subject: str
    text: str
    key: str


# Hands a letter to the site's mail server, beside the loop: '' when that took it, else why not, without secrets.
Post = Callable[[Letter], Awaitable[str]]

_SUBJECTS: dict[LinkKind, str] = {"invite": N_("Your invitation to opsmon"),
                                  "reset": N_("A new password for opsmon")}
_ABOUT: dict[LinkKind, str] = {
    "invite": N_("%(who)s invites you to opsmon. Choose your password with this link, once, within 7 days:"),
    "reset": N_("%(who)s made this link for you. A new password can be chosen with it, once, within the hour:"),
}
_UNEXPECTED: dict[LinkKind, str] = {
    "invite": N_("If you did not expect this, leave it: without a password nothing happens."),
    "reset": N_("If you asked nobody for it, leave it and tell them: your password stays as it is."),
}
SENT: dict[LinkKind, str] = {
    "invite": N_("The invitation is on its way to %(email)s: good once, within 7 days."),
    "reset": N_("The link for a new password is on its way to %(email)s: good once, within the hour."),
}
NOT_SENT = N_("The mail to %(email)s was not taken: %(why)s. Give them the link below instead.")


def letter_of(person: Person, kind: LinkKind, link: str, who: str, key: str, wording: Wording) -> Letter:
    """What is written to somebody who is let in by `who`, in the site's language."""
    say = wording.say
    text = "\n\n".join((say("Hello %(name)s,", name=person.name), say(_ABOUT[kind], who=who), link,
                        say(_UNEXPECTED[kind])))
    return Letter(person.email, person.name, say(_SUBJECTS[kind]), text, key)
