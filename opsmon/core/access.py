"""Who may see and do what: one table of audiences and roles, and what of a number each may see. Pure.

Deny by default: a request without a role may do what is for anyone, and a role that an audience does not name may
not. (OWASP ASVS 5, V8: authorization is decided by trusted code from one documented table.)
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.said import Said

# People, from the least to the most; a wall is a screen that hangs somewhere; the last three are programs.
Role = Literal["wall", "viewer", "operator", "manager", "admin", "numbers", "metrics", "rules"]
Audience = Literal["anyone", "screens", "readers", "floor", "managers", "admins", "numbers", "metrics", "rules"]
# What not everybody may see of what is counted.
Sight = Literal["money", "names"]
# What stands behind a request: a person, a screen, a program, or whoever sits at a machine without accounts.
Kind = Literal["local", "person", "screen", "program"]

PEOPLE: tuple[Role, ...] = ("viewer", "operator", "manager", "admin")
_PEOPLE = frozenset[Role](PEOPLE)

AUDIENCES: dict[Audience, frozenset[Role]] = {
    "screens": _PEOPLE | {"wall"},
    "readers": _PEOPLE,
    "floor": frozenset({"operator", "manager", "admin"}),
    "managers": frozenset({"manager", "admin"}),
    "admins": frozenset({"admin"}),
    "numbers": _PEOPLE | {"numbers"},
    "metrics": frozenset({"manager", "admin", "metrics"}),
    "rules": frozenset({"manager", "admin", "rules"}),
}
MEANINGS: dict[Audience, Said] = {
    "anyone": Said("anyone who reaches it"), "screens": Said("paired walls and everybody who signed in"),
    "readers": Said("everybody who signed in"), "floor": Said("operators, managers and admins"),
    "managers": Said("managers and admins"), "admins": Said("admins"),
    "numbers": Said("everybody who signed in, and programs with the scope numbers"),
    "metrics": Said("managers, admins, and programs with the scope metrics"),
    "rules": Said("managers, admins, and programs with the scope rules"),
}
EVERYTHING = frozenset[Sight](("money", "names"))
_SIGHTS: dict[Role, frozenset[Sight]] = {
    "operator": frozenset({"names"}), "manager": EVERYTHING, "admin": EVERYTHING,
}
_PERSONAL = frozenset({"person", "customer"})


@dataclass(frozen=True, slots=True)
class Who:
    """Who sent a request. `id` is that of the person, screen or program; `session` is what ends when it is revoked,
    '' for what no session holds; `theme` and `clock` are what they like, '' for the usual: no other rights."""

    kind: Kind
    id: str
    name: str
    roles: frozenset[Role]
    sees: frozenset[Sight]
    session: str = ""
    theme: str = field(default="", compare=False)
    clock: str = field(default="", compare=False)

    @property
    def marks(self) -> str:
        """What of the slots depends on who asks: two with equal marks are shown the same."""
        return "-".join(sorted(self.sees)) or "plain"

    @property
    def tag(self) -> str:
        """What of a whole page does: its slots, and of a person also the menu, the seal of its form and the theme."""
        own = repr((self.id, sorted(self.roles), self.session, self.name, self.theme, self.clock)).encode()
        return f"{self.marks}-{blake2b(own, digest_size=6).hexdigest()}" if self.kind == "person" else self.marks


# While nobody has an account, whoever sits at the machine may do everything.
LOCAL = Who("local", "local", "this machine", frozenset({"admin"}), EVERYTHING)

# While nothing can be looked up, this machine may still read how its own process does.
METER = Who("local", "local", "this machine", frozenset({"metrics"}), frozenset())


def person(person_id: str, name: str, role: Role, session: str = "", theme: str = "", clock: str = "") -> Who:
    """A person who signed in."""
    return Who("person", person_id, name, frozenset({role}), sights(role), session, theme, clock)


def screen(screen_id: str, name: str, *, sees: frozenset[Sight], session: str = "") -> Who:
    """A paired screen: it reads walls, and of the numbers what whoever paired it let it see. Never names."""
    return Who("screen", screen_id, name, frozenset({"wall"}), sees - {"names"}, session)


def program(token_id: str, name: str, scopes: frozenset[str], session: str = "") -> Who:
    """A program with a token. Scopes are numbers, metrics, rules, and money with numbers."""
    roles = frozenset[Role](role for role in ("numbers", "metrics", "rules") if role in scopes)
    sees = frozenset[Sight](("money",)) if "money" in scopes else frozenset[Sight]()
    return Who("program", token_id, name, roles, sees, session)


def sights(role: Role) -> frozenset[Sight]:
    """What a role may see beyond plain numbers."""
    return _SIGHTS.get(role, frozenset())


def may(who: Who | None, audience: Audience) -> bool:
    """Whether this one belongs to an audience; None is somebody unknown.

    Threat: broken access control (OWASP Top 10 2021, A01; CWE-862): what is not allowed is denied.
    """
    return audience == "anyone" or (who is not None and bool(who.roles & AUDIENCES[audience]))


def needs(kpi: Kpi, rollup: Rollup) -> frozenset[Sight]:
    """What one has to be allowed to see for this number: its unit is money, or its rows are people.

    Threat: money or names shown to a role without them (CWE-863).
    """
    money = frozenset[Sight](("money",) if kpi.unit == "money" else ())
    return money | frozenset[Sight](("names",) if _PERSONAL & set(rollup.by) else ())
