"""Days that are not like others, as people mark them: campaigns and holidays. Pure.

What was counted on them is not held against other days; on a holiday nobody is told that little comes, during a
campaign nobody that much does, and no hour of a holiday counts as one that is worked.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, Literal, get_args

from opsmon.core.alerting.rules import Direction
from opsmon.core.definitions import Problem

Kind = Literal["campaign", "holiday"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_NAME = 60
MOST_DAYS = 92
MOST_KEPT = 500
NO_NAME = "Give it a name of at most 60 characters, like Black Friday."
NO_KIND = "It is a campaign or a holiday."
NO_DAY = "Write a day like 2026-11-27."
NO_STRETCH = "The last day is the first or a later one, at most 92 days on."
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """Business days from `first` to `last`, both among them. `author` marked them, '' in the site's file."""

    id: str
    name: str
    kind: Kind
    first: date
    last: date
    author: str = ""

    def covers(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class OddTimes:
    """What is not to be learned from: special days, and hours in which something was wrong: (what facts, '' for all;
    start of the hour in epoch ms)."""

    days: tuple[SpecialDays, ...] = ()
    alerted: frozenset[tuple[str, int]] = frozenset()

    def is_special(self, day: date) -> bool:
        """Whether a day is like no other."""
        return any(one.covers(day) for one in self.days)

    def is_alerted(self, facts: Iterable[str], hour_ms: int) -> bool:
        """Whether something was wrong in an hour with what counts these facts."""
        return any((fact, hour_ms) in self.alerted for fact in ("", *facts))

    def rests(self, direction: Direction, day: date) -> bool:
        """Whether a rule against what is usual has nothing to go by on a day: much is expected of a campaign, little of
        a holiday."""
        kinds = {one.kind for one in self.days if one.covers(day)}
        against = {"low": {"holiday"}, "high": {"campaign"}, "both": {"holiday", "campaign"}}[direction]
        return not kinds.isdisjoint(against)

    @property
    def holidays(self) -> frozenset[date]:
        """Every day on which nobody works."""
        return frozenset(one.first + timedelta(days=at) for one in self.days if one.kind == "holiday"
                         for at in range((one.last - one.first).days + 1))


ORDINARY = OddTimes()


def dump_days(one: SpecialDays) -> dict[str, str]:
    """As plain data; `parse_days` of it gives the same."""
    return {"id": one.id, "name": one.name, "kind": one.kind, "first": one.first.isoformat(),
            "last": one.last.isoformat(), "author": one.author}


def parse_days(told: object) -> tuple[SpecialDays | None, dict[str, str]]:
    """The days that plain data tell, or by field what is wrong. Without a last day it is one day."""
    if not isinstance(told, Mapping):
        return None, {"": "expected a table of names and values"}
    wrong = {str(name): "there is no such field" for name in told if name not in _NAMES}
    name, kind = " ".join(str(told.get("name", "")).split()), told.get("kind")
    first = _day(told.get("first"), "first", wrong)
    last = _day(told.get("last") or told.get("first"), "last", wrong)
    if not 0 < len(name) <= MOST_NAME:
        wrong["name"] = NO_NAME
    if kind not in KINDS:
        wrong["kind"] = NO_KIND
    if first and last and not 0 <= (last - first).days < MOST_DAYS:
        wrong["last"] = NO_STRETCH
    made = str(told.get("id") or "") or _id_of(name, first)
    if not _ID.fullmatch(made):
        wrong["id"] = "give it an id of a to z, digits and hyphens"
    if wrong or first is None or last is None:
        return None, wrong
    return SpecialDays(made, name, kind, first, last, str(told.get("author", ""))[:MOST_NAME]), {}  # type: ignore[arg-type]


def read_calendar(tables: Sequence[object]) -> tuple[tuple[SpecialDays, ...], list[Problem]]:
    """The days of a site's file that are right, and what is wrong with the others."""
    found, problems = dict[str, SpecialDays](), list[Problem]()
    for index, table in enumerate(tables[:MOST_KEPT]):
        one, wrong = parse_days(table)
        if one is not None and one.id in found:
            wrong = {"id": f"other days are called {one.id}"}
        elif one is not None:
            found[one.id] = one
        problems += [Problem(index, name, f"{name}: {text}" if name else text) for name, text in wrong.items()]
    return tuple(found.values()), problems


def _day(value: Any, name: str, wrong: dict[str, str]) -> date | None:
    try:
        found = value if type(value) is date else date.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    # Beyond those no calendar of ours goes.
    if found is None or not 2000 <= found.year <= 2100:
        wrong.setdefault(name, NO_DAY)
        return None
    return found


def _id_of(name: str, first: date | None) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:28].strip("-") or "days"
    return f"{plain}-{first.isoformat()}" if first else plain


_NAMES = {field.name for field in fields(SpecialDays)}
