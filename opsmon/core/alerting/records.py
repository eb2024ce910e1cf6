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
    Burst,
    Condition,
    Direction,
    Late,
    Limit,
    Milestone,
    Missing,
    Outlier,
    Pace,
    Quiet,
    Rule,
    RunsOut,
    Severity,
    Unusual,
)
from opsmon.core.alerting.telling import Told
from opsmon.core.alerting.worktime import NO_TIME, NO_WEEK, read_time, read_week
from opsmon.core.calendar import DAY_MS
from opsmon.core.said import Fault, Said

MOST_TITLE = 60
MOST_TEXT = 280
MOST_RULES = 500
CONDITIONS: Mapping[str, type[Condition]] = {
    "limit": Limit, "quiet": Quiet, "missing": Missing, "unusual": Unusual, "milestone": Milestone,
    "runs-out": RunsOut, "pace": Pace, "late": Late, "outlier": Outlier, "burst": Burst}
# Where what is wrong with a condition is looked up in a file.
_WITHIN = "condition"
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_NAMES = {field.name for field in fields(Rule)} - {"is_built_in"}


def dump_rule(rule: Rule) -> dict[str, Any]:
    """A rule as plain data; `parse_rule` of it gives the same rule."""
    told = asdict(rule)
    told.pop("is_built_in")
    return {**told, "only": dict(rule.only)}


def parse_rule(told: object) -> tuple[Rule | None, list[Fault]]:
    """The rule that plain data tell, or everything that is wrong with them."""
    if not isinstance(told, Mapping):
        return None, [Fault("", "a rule is a table of names and values")]
    wrong = [Fault(name, "a rule has no such field") for name in sorted(set(map(str, told)) - _NAMES)]
    condition = _condition(told.get("condition"), wrong)
    found = {
        "id": _text(told, "id", wrong, 40), "title": _text(told, "title", wrong, MOST_TITLE),
        "about": _text(told, "about", wrong, 80), "severity": _one_of(told, "severity", SEVERITIES, "medium", wrong),
        "owner": _text(told, "owner", wrong, MOST_TITLE), "action": _text(told, "action", wrong, MOST_TEXT),
        "off_reason": _text(told, "off_reason", wrong, MOST_TEXT),
        "by_row": _yes(told.get("by_row", False), "by_row", wrong), "only": _only(told.get("only"), wrong),
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
    alert["things"] = tuple((str(name), int(since_ms)) for name, since_ms in alert.get("things", ()))
    told = _known(Told, stored["told"])
    return Alert(**alert), Told(**{**told, "heard": tuple(map(str, told.get("heard", ())))})


def _known(kind: type, told: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in told.items() if name in names}


def _lacking(found: Mapping[str, Any]) -> list[Fault]:
    wrong = []
    if not _ID.fullmatch(found["id"]):
        wrong.append(Fault("id", "give it an id of a to z, digits and hyphens, beginning with a letter, like "
                                 "%(example)s", example='"late-orders"'))
    if not found["title"]:
        wrong.append(Fault("title", "give the rule a name"))
    if not found["about"]:
        wrong.append(Fault("about", "say which number or source it watches"))
    return wrong


def _condition(told: object, wrong: list[Fault]) -> Condition | None:
    kind = told.get("kind") if isinstance(told, Mapping) else None
    made = CONDITIONS.get(kind) if isinstance(kind, str) else None
    if made is None or not isinstance(told, Mapping):
        wrong.append(Fault("condition", "choose a kind: %(kinds)s", kinds=", ".join(CONDITIONS)))
        return None
    before = len(wrong)
    strange = set(map(str, told)) - {field.name for field in fields(made)}
    wrong += [Fault("condition", "%(kind)s has no %(name)s", kind=kind, name=name) for name in sorted(strange)]
    checks = {**_CHECKS, **({"limit": _maybe} if made is Outlier else {})}
    values = {name: checks[name](value, name, wrong) for name, value in told.items() if name in checks}
    wrong += [Fault(name, "say the %(name)s", _WITHIN, name=name)
              for name in _NEEDED.get(kind or "", ()) if name not in values]
    return made(**values) if len(wrong) == before else None


def _number(value: object, name: str, wrong: list[Fault]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or abs(value) > 1e15:
        wrong.append(Fault(name, "%(name)s is to be a number", _WITHIN, name=name))
        return 0.0
    return float(value)


def _above_nothing(value: object, name: str, wrong: list[Fault]) -> float:
    found = _number(value, name, wrong)
    if found <= 0:
        wrong.append(Fault(name, "%(name)s is to be above 0", _WITHIN, name=name))
    return found


def _count(value: object, name: str, wrong: list[Fault]) -> int:
    found = _number(value, name, wrong)
    if found != int(found) or found < 0:
        wrong.append(Fault(name, "%(name)s is to be a whole number, 0 or more", _WITHIN, name=name))
    return int(found)


def _yes(value: object, name: str, wrong: list[Fault], within: str = "") -> bool:
    if not isinstance(value, bool):
        wrong.append(Fault(name, "%(name)s is to be true or false", within, name=name))
    return value is True


def _lowest(value: object, name: str, wrong: list[Fault]) -> bool:
    return _yes(value, name, wrong, _WITHIN)


def _maybe(value: object, name: str, wrong: list[Fault]) -> float | None:
    return None if value is None else _number(value, name, wrong)


def _at_least_one(value: object, name: str, wrong: list[Fault]) -> int:
    found = _count(value, name, wrong)
    if found < 1:
        wrong.append(Fault(name, "%(name)s is to be above 0", _WITHIN, name=name))
    return found


def _named(value: object, name: str, wrong: list[Fault]) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 80:
        wrong.append(Fault(name, "%(name)s is to be the id of a number", _WITHIN, name=name))
    return str(value)


def _written(read: Callable[[str], object], problem: Said) -> Callable[[object, str, list[Fault]], str]:
    """A text that can be read; '' says nothing."""
    def check(value: object, name: str, wrong: list[Fault]) -> str:
        try:
            if value != "":
                read(str(value)[:200])
        except ValueError:
            wrong.append(Fault(name, problem.text, _WITHIN))
        return str(value)
    return check


def _chosen(known: tuple[str, ...]) -> Callable[[object, str, list[Fault]], str]:
    def check(value: object, name: str, wrong: list[Fault]) -> str:
        if value not in known:
            wrong.append(Fault(name, "%(name)s is to be one of %(known)s", _WITHIN, name=name, known=", ".join(known)))
        return str(value)
    return check


_CHECKS: Mapping[str, Callable[[object, str, list[Fault]], Any]] = {
    "limit": _number, "clear": _maybe, "least": _count, "after_ms": _count, "every": _above_nothing,
    "false_per_week": _above_nothing, "sigmas": _number, "direction": _chosen(get_args(Direction)),
    "sensitivity": _chosen(tuple(LIMIT)), "is_lowest": _lowest,
    "lead_days": _above_nothing, "slack_ms": _count, "older_ms": _at_least_one, "within_ms": _at_least_one,
    "count": _at_least_one, "need": _named, "hours": _written(read_week, NO_WEEK),
    "placed_by": _written(read_time, NO_TIME),
}
_NEEDED = {"limit": ("limit",), "milestone": ("every",), "runs-out": ("lead_days",), "pace": ("hours",),
           "late": ("older_ms",), "burst": ("count", "within_ms")}


def _text(told: Mapping[Any, Any], name: str, wrong: list[Fault], most: int) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        wrong.append(Fault(name, "expected a text of at most %(most)s characters", most=most))
        return ""
    return " ".join(value.split())


def _whole(told: Mapping[Any, Any], name: str, most: int, wrong: list[Fault]) -> int | None:
    value = told.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        wrong.append(Fault(name, "expected a whole number from 0 to %(most)s", most=most))
        return None
    return value


def _one_of(told: Mapping[Any, Any], name: str, known: tuple[Severity, ...], usual: Severity, wrong: list[Fault]
            ) -> Severity:
    value = told.get(name, usual)
    if value not in known:
        wrong.append(Fault(name, "expected one of %(known)s", known=", ".join(known)))
        return usual
    return cast(Severity, value)


def _only(told: object, wrong: list[Fault]) -> tuple[tuple[str, str], ...]:
    if not told:
        return ()
    if not isinstance(told, Mapping) or not all(isinstance(one, str) for pair in told.items() for one in pair):
        wrong.append(Fault("only", "expected a table of texts, e.g. %(example)s", example='{ channel = "web" }'))
        return ()
    return tuple(sorted(told.items()))
