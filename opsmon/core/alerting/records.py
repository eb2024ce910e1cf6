"""Rules as plain data, as they are stored, sent and written to a file; what is wrong with one, in the user's words."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from math import isfinite
from typing import Any, cast, get_args

from opsmon.core.alerting.baselines import LIMIT
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import (
    SEVERITIES,
    Condition,
    Direction,
    Limit,
    Milestone,
    Missing,
    Quiet,
    Rule,
    Severity,
    Unusual,
)
from opsmon.core.alerting.telling import Told
from opsmon.core.calendar import DAY_MS

MOST_TITLE = 60
MOST_TEXT = 280
MOST_RULES = 500
CONDITIONS: Mapping[str, type[Condition]] = {
    "limit": Limit, "quiet": Quiet, "missing": Missing, "unusual": Unusual, "milestone": Milestone}
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_NAMES = {field.name for field in fields(Rule)} - {"is_built_in"}


def dump_rule(rule: Rule) -> dict[str, Any]:
    """A rule as plain data; `parse_rule` of it gives the same rule."""
    told = asdict(rule)
    told.pop("is_built_in")
    return {**told, "only": dict(rule.only)}


def parse_rule(told: object) -> tuple[Rule | None, list[str]]:
    """The rule that plain data tell, or a sentence for everything that is wrong with them."""
    if not isinstance(told, Mapping):
        return None, ["a rule is a table of names and values"]
    wrong = [f"{name}: a rule has no such field" for name in sorted(set(map(str, told)) - _NAMES)]
    condition = _condition(told.get("condition"), wrong)
    found = {
        "id": _text(told, "id", wrong, 40), "title": _text(told, "title", wrong, MOST_TITLE),
        "about": _text(told, "about", wrong, 80), "severity": _one_of(told, "severity", SEVERITIES, "medium", wrong),
        "owner": _text(told, "owner", wrong, MOST_TITLE), "action": _text(told, "action", wrong, MOST_TEXT),
        "off_reason": _text(told, "off_reason", wrong, MOST_TEXT), "by_row": bool(told.get("by_row", False)),
        "only": _only(told.get("only"), wrong),
        **{name: _whole(told, name, most, wrong)
           for name, most in (("for_ms", DAY_MS), ("keep_ms", DAY_MS), ("per_hour_minor", 2**53))},
    }
    wrong += _lacking(found)
    if wrong or condition is None:
        return None, wrong
    return Rule(condition=condition, **cast(dict[str, Any], found)), []


def dump_alert(alert: Alert, told: Told) -> dict[str, Any]:
    """An alert with what was said of it, as it is stored."""
    return {"alert": asdict(alert), "told": asdict(told)}


def parse_alert(stored: Mapping[str, Any]) -> tuple[Alert, Told]:
    """The same back; what a newer opsmon added is left out."""
    alert = _known(Alert, stored["alert"])
    alert["labels"] = tuple((str(name), str(value)) for name, value in alert.get("labels", ()))
    told = _known(Told, stored["told"])
    return Alert(**alert), Told(**{**told, "heard": tuple(map(str, told.get("heard", ())))})


def _known(kind: type, told: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in told.items() if name in names}


def _lacking(found: Mapping[str, Any]) -> list[str]:
    wrong = []
    if not _ID.fullmatch(found["id"]):
        wrong.append('id: give it an id of a to z, digits and hyphens, beginning with a letter, like "late-orders"')
    if not found["title"]:
        wrong.append("title: give the rule a name")
    if not found["about"]:
        wrong.append("about: say which number or source it watches")
    return wrong


def _condition(told: object, wrong: list[str]) -> Condition | None:
    kind = told.get("kind") if isinstance(told, Mapping) else None
    made = CONDITIONS.get(kind) if isinstance(kind, str) else None
    if made is None or not isinstance(told, Mapping):
        wrong.append(f"condition: choose a kind: {', '.join(CONDITIONS)}")
        return None
    before = len(wrong)
    strange = set(map(str, told)) - {field.name for field in fields(made)}
    wrong += [f"condition: {kind} has no {name}" for name in sorted(strange)]
    values = {name: _CHECKS[name](value, f"condition: {name}", wrong)
              for name, value in told.items() if name in _CHECKS}
    wrong += [f"condition: say the {name}" for name in _NEEDED.get(kind or "", ()) if name not in values]
    return made(**values) if len(wrong) == before else None


def _number(value: object, where: str, wrong: list[str]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or abs(value) > 1e15:
        wrong.append(f"{where} is to be a number")
        return 0.0
    return float(value)


def _above_nothing(value: object, where: str, wrong: list[str]) -> float:
    found = _number(value, where, wrong)
    if found <= 0:
        wrong.append(f"{where} is to be above 0")
    return found


def _count(value: object, where: str, wrong: list[str]) -> int:
    found = _number(value, where, wrong)
    if found != int(found) or found < 0:
        wrong.append(f"{where} is to be a whole number, 0 or more")
    return int(found)


def _maybe(value: object, where: str, wrong: list[str]) -> float | None:
    return None if value is None else _number(value, where, wrong)


def _chosen(known: tuple[str, ...]) -> Callable[[object, str, list[str]], str]:
    def check(value: object, where: str, wrong: list[str]) -> str:
        if value not in known:
            wrong.append(f"{where} is to be one of {', '.join(known)}")
        return str(value)
    return check


_CHECKS: Mapping[str, Callable[[object, str, list[str]], Any]] = {
    "limit": _number, "clear": _maybe, "least": _count, "after_ms": _count, "every": _above_nothing,
    "false_per_week": _above_nothing, "sigmas": _number, "direction": _chosen(get_args(Direction)),
    "sensitivity": _chosen(tuple(LIMIT)), "is_lowest": lambda value, where, wrong: bool(value),
}
_NEEDED = {"limit": ("limit",), "milestone": ("every",)}


def _text(told: Mapping[Any, Any], name: str, wrong: list[str], most: int) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        wrong.append(f"{name}: expected a text of at most {most} characters")
        return ""
    return " ".join(value.split())


def _whole(told: Mapping[Any, Any], name: str, most: int, wrong: list[str]) -> int | None:
    value = told.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        wrong.append(f"{name}: expected a whole number from 0 to {most}")
        return None
    return value


def _one_of(told: Mapping[Any, Any], name: str, known: tuple[Severity, ...], usual: Severity, wrong: list[str]
            ) -> Severity:
    value = told.get(name, usual)
    if value not in known:
        wrong.append(f"{name}: expected one of {', '.join(known)}")
        return usual
    return cast(Severity, value)


def _only(told: object, wrong: list[str]) -> tuple[tuple[str, str], ...]:
    if not told:
        return ()
    if not isinstance(told, Mapping) or not all(isinstance(one, str) for pair in told.items() for one in pair):
        wrong.append('only: expected a table of texts, e.g. { channel = "web" }')
        return ()
    return tuple(sorted(told.items()))
