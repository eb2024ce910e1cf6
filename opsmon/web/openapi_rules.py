"""What openapi.py tells of rules and alerts: the shapes are those of core/alerting, read from there."""

from dataclasses import MISSING, fields
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from opsmon.core.alerting.records import CONDITIONS, MOST_TEXT, MOST_TITLE
from opsmon.core.alerting.rules import SEVERITIES, Condition

_TEXT, _YES = {"type": "string"}, {"type": "boolean"}
_MS = {"type": "integer", "description": "Epoch milliseconds."}
_NUMBER = {"type": ["number", "null"], "description": "In the unit of what the rule watches; money in minor units."}
_NAMED = {"type": ["string", "null"], "description": "A person's name."}
_TYPES = {float: "number", int: "integer", bool: "boolean", str: "string", NoneType: "null"}


def _schema_of(hint: Any) -> dict[str, Any]:
    """The schema of a field: what a number, a text, or one of a few words is called there."""
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    kinds = [_TYPES[one] for one in get_args(hint) or (hint,)]
    return {"type": kinds[0] if len(kinds) == 1 else kinds}


def _condition(kind: type[Condition]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    needed = [one.name for one in fields(kind) if one.default is MISSING]
    return {"type": "object", "required": ["kind", *needed], "additionalProperties": False,
            "properties": {name: _schema_of(hint) for name, hint in hints.items()}}


def _whole(meaning: str) -> dict[str, Any]:
    return {"type": ["integer", "null"], "minimum": 0, "description": meaning}


def _text(most: int, meaning: str) -> dict[str, Any]:
    return {"type": "string", "maxLength": most, "description": meaning}


_RULE: dict[str, Any] = {
    "title": _text(MOST_TITLE, "As it is called when it fires."),
    "about": _text(80, "Id of a number, source:NAME, sources, own:behind or own:logins."),
    "condition": {"type": "object", "oneOf": [{"$ref": f"#/components/schemas/Condition-{name}"}
                                              for name in CONDITIONS]},
    "severity": {"type": "string", "enum": list(SEVERITIES), "default": "medium"},
    "by_row": {**_YES, "description": "Whether each row has an alert of its own.", "default": False},
    "only": {"type": "object", "additionalProperties": _TEXT, "description": "What the number is narrowed to."},
    "for_ms": _whole("How long it has to last; null: as usual for how bad it is."),
    "keep_ms": _whole("How long it has to be well again; null: as usual."),
    "owner": _text(MOST_TITLE, "Who owns it."), "action": _text(MOST_TEXT, "What to do."),
    "per_hour_minor": _whole("Money at risk per hour, in minor units."),
    "off_reason": _text(MOST_TEXT, "Why it is off; empty while it is on."),
}
SCHEMAS: dict[str, Any] = {
    **{f"Condition-{name}": _condition(kind) for name, kind in CONDITIONS.items()},
    "RuleToPut": {"type": "object", "required": ["title", "about", "condition"], "properties": _RULE,
                  "description": "As a [[rule]] of opsmon.toml, without its id. What GET gave may be sent back."},
    "Rule": {"type": "object", "required": ["id", *_RULE, "is_built_in", "is_fixed", "version"], "properties": {
        "id": _TEXT, **_RULE, "is_built_in": {**_YES, "description": "Whether it comes with opsmon."},
        "is_fixed": {**_YES, "description": "Whether it stands in opsmon.toml, and is changed there alone."},
        "version": {**_TEXT, "description": "Its ETag without quotes."}}},
    "Rules": {"type": "object", "required": ["rules"], "properties": {
        "rules": {"type": "array", "items": {"$ref": "#/components/schemas/Rule"}}}},
    "Faults": {"type": "object", "required": ["error", "faults"], "properties": {
        "error": _TEXT, "faults": {"type": "object", "additionalProperties": _TEXT,
                                   "description": "By field a sentence: what is wrong with it."}}},
    "Alert": {"type": "object", "required": [
        "id", "rule", "title", "severity", "state", "standing", "since_ms", "value", "limit", "text", "labels",
        "acknowledged_by", "assigned_to"], "properties": {
            "id": {**_TEXT, "description": "Its page is /alerts/ and this."}, "rule": _TEXT, "title": _TEXT,
            "severity": {"type": "string", "enum": list(SEVERITIES)},
            "state": {"type": "string", "enum": ["firing", "recovering"]},
            "standing": {"type": "string", "enum": ["open", "acknowledged", "nobody", "quiet", "recovering"]},
            "since_ms": _MS, "value": _NUMBER, "limit": _NUMBER,
            "text": {**_TEXT, "description": "How far it is from its limit, in words."},
            "labels": {"type": "object", "additionalProperties": _TEXT}, "acknowledged_by": _NAMED,
            "assigned_to": _NAMED}},
    "Alerts": {"type": "object", "required": ["as_of_ms", "alerts"], "properties": {
        "as_of_ms": _MS, "alerts": {"type": "array", "items": {"$ref": "#/components/schemas/Alert"}}}},
}


def _header(name: str, meaning: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": _TEXT}


_IF_MATCH = _header("If-Match", "The ETag that it has to have still.")
# As openapi.py has them: parameters, the shape of the answer, statuses; and the shapes of what is sent.
ASKED: dict[str, tuple[list[dict[str, Any]], str, list[int]]] = {
    "/api/alerts": ([], "Alerts", []), "/api/rules": ([], "Rules", []),
    "GET /api/rules/{rule}": ([_header("If-None-Match", "The ETag that is known.")], "Rule", [304, 404]),
    "PUT /api/rules/{rule}": ([_IF_MATCH, _header("If-None-Match", "`*`: only if there is none.")], "Rule", [
        200, 201, 400, 408, 409, 412, 413, 415, 422, 429]),
    "DELETE /api/rules/{rule}": ([_IF_MATCH], "Rule", [204, 404, 409, 412, 429]),
}
BODIES = {"PUT /api/rules/{rule}": "RuleToPut"}
