"""What the page of the people shows."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from opsmon.core.access import PEOPLE, Role
from opsmon.store.accounts.records import Person
from opsmon.web.accounts.forms import InputView, marked
from opsmon.web.languages import N_
from opsmon.web.views import shown
from opsmon.web.wording import Wording

State = Literal["active", "invited", "out"]
ROLES: dict[Role, str] = {
    "viewer": N_("Viewer: sees boards, without money and names"),
    "operator": N_("Operator: sees names, moves and notes on the floor"),
    "manager": N_("Manager: sees money, makes boards"),
    "admin": N_("Admin: people, sources, secrets"),
}
NAMES: dict[Role, str] = {"viewer": N_("Viewer"), "operator": N_("Operator"), "manager": N_("Manager"),
                          "admin": N_("Admin")}
_OUT = N_("Shut out")
_STATES: dict[State, str] = {"active": N_("Active"), "invited": N_("Invited"), "out": _OUT}


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody in the list, with the form that changes them."""

    id: str = shown("their id, as in the address of the form")
    name: str = shown("what they are called")
    email: str = shown("what they sign in with")
    role: str = shown("'Manager'")
    state: State = shown("whether they may come in")
    state_text: str = shown("the same in words")
    seen: str = shown("when they were last here, in words")
    teams: str = shown("'Packing, Returns'")
    version: int = shown("which version of them the page shows")
    fields: tuple[InputView, ...] = shown("what can be changed")
    is_self: bool = shown("whether it is whoever looks")
    is_open: bool = shown("whether its form is unfolded", default=False)


@dataclass(frozen=True, slots=True)
class OnceView:
    """A secret that is shown this once."""

    about: str = shown("for whom or what, and for how long")
    text: str = shown("the secret, or the link that holds it")


@dataclass(frozen=True, slots=True)
class PeopleView:
    """Everybody, and the form that invites."""

    people: tuple[PersonView, ...] = shown("by name")
    invite: tuple[InputView, ...] = shown("the fields of an invitation")
    trouble: str = shown("why nothing was done, '' when it was", default="")
    done: str = shown("what was done", default="")
    once: OnceView | None = shown("the link that was just made", default=None)
    is_inviting: bool = shown("whether the form that invites is unfolded", default=False)
    is_mailed: bool = shown("whether links go by mail", default=False)


def person_view(person: Person, seen_ms: int | None, wording: Wording, now_ms: int, *, is_self: bool,
                said: Mapping[str, str] | None = None, wrong: Mapping[str, str] | None = None) -> PersonView:
    """Somebody as a row. `said` is what was typed into their form, `wrong` what of it cannot be."""
    state: State = "out" if person.is_off else "active" if person.password else "invited"
    fields = marked(_fields(wording, person.id), {"role": person.role, "teams": ", ".join(person.teams),
                                                  **(said or {})}, wrong or {})
    return PersonView(
        person.id, person.name, person.email, wording.say(NAMES[person.role]), state, wording.say(_STATES[state]),
        ago(seen_ms, wording, now_ms), ", ".join(person.teams), person.version,
        tuple(one if wrong else _unfocused(one) for one in fields), is_self, bool(said))


def ago(at_ms: int | None, wording: Wording, now_ms: int) -> str:
    """'6 min ago', 'just now', or that it never was."""
    if at_ms is None:
        return wording.say("Never here")
    if now_ms - at_ms < 2 * 60_000:
        return wording.say("Here just now")
    return wording.say("Last here %(age)s ago", age=wording.age(now_ms - at_ms))


def invite_fields(wording: Wording, said: Mapping[str, str], wrong: Mapping[str, str]) -> tuple[InputView, ...]:
    """The fields of an invitation, with what was typed."""
    say = wording.say
    fields = (InputView("name", say("Name"), id="new-name", width="half"),
              InputView("email", say("E-mail address"), "email", id="new-email", width="half"),
              *_fields(wording, "new"))
    found = marked(fields, {"role": "viewer", **said}, wrong)
    return found if wrong else tuple(map(_unfocused, found))


def told(person: Person, wording: Wording) -> str:
    """Somebody in words, for a conflict: 'Manager, Packing, shut out'."""
    parts = [wording.say(NAMES[person.role]), *person.teams,
             *([wording.say(_OUT)] if person.is_off else [])]
    return ", ".join(parts)


def _fields(wording: Wording, id: str) -> tuple[InputView, ...]:
    say = wording.say
    roles = tuple((role, say(ROLES[role])) for role in PEOPLE)
    return (InputView("role", say("Role"), "select", choices=roles, id=f"{id}-role", width="half"),
            InputView("teams", say("Teams"), id=f"{id}-teams", required=False, width="half",
                      hint=say("With commas between: Packing, Returns.")))


def _unfocused(one: InputView) -> InputView:
    return replace(one, focused=False)
