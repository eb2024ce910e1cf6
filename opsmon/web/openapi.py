"""What programs may ask, as an OpenAPI 3.1 document made from the doors: a door that is not there is not in it.

Source: OpenAPI Specification 3.1.1; schemas are JSON Schema 2020-12.
"""

import re
from collections.abc import Sequence
from inspect import getdoc
from typing import Any

import opsmon
from opsmon.core.access import MEANINGS, Audience
from opsmon.web.doors import Door
from opsmon.web.openapi_rules import ASKED, BODIES, SCHEMAS

PREFIX = "/api/"
_PLACE = re.compile(r"\{(\w+)\}")
_SECURED: dict[Audience, list[dict[str, list[str]]]] = {"anyone": []}
_SCHEMES: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
_TEXT, _WHOLE, _YES = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_MS = {"type": "integer", "description": "Epoch milliseconds."}
_VALUE = {"type": ["number", "null"], "description": "Money in minor units; null where there is none."}
_MONEY = {"currency": {"type": ["string", "null"]}, "exponent": _WHOLE}
_ROWS = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties}


def _query(name: str, meaning: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": meaning, "schema": _TEXT}


_SCHEMAS: dict[str, Any] = {
    "Error": _object("error", error={"type": "string", "description": "One sentence: what is wrong, what to do."}),
    "Row": _object("name value", name=_TEXT, value=_VALUE, sample=_WHOLE,
                   other={"type": "boolean", "description": "All rows that are not told apart."}),
    "Kpi": _object(
        "value unit window complete", value=_VALUE, unit=_TEXT, complete=_YES, **_MONEY,
        window=_object("kind start_ms end_ms", kind=_TEXT, start_ms=_MS, end_ms=_MS),
        series={"type": "array", "items": _object("start_ms end_ms value", start_ms=_MS, end_ms=_MS, value=_VALUE)},
        before=_object("value until_ms", value=_VALUE, until_ms=_MS), sample=_WHOLE, rows=_ROWS,
        error={"type": "number", "description": "How far it may be off, as a share of it."},
        other_currencies={"type": "object", "additionalProperties": _WHOLE}),
    "Kpis": _object("rev as_of_ms kpis", rev=_WHOLE, as_of_ms=_MS, kpis={
        "type": "object", "additionalProperties": {"$ref": "#/components/schemas/Kpi"}}),
    "History": _object(
        "id rev as_of_ms zone from_ms to_ms step unit points", id=_TEXT, rev=_WHOLE, as_of_ms=_MS, zone=_TEXT,
        from_ms=_MS, to_ms=_MS, step=_TEXT, unit=_TEXT, **_MONEY, points={"type": "array", "items": _object(
            "start_ms end_ms complete value sample", start_ms=_MS, end_ms=_MS, complete=_YES, value=_VALUE,
            sample={"type": ["integer", "null"]}, rows=_ROWS)}),
    "Explained": _object("id label definition counts exactness window fresh last_events", id=_TEXT, label=_TEXT,
                         definition=_TEXT, counts=_TEXT, exactness=_TEXT, window={"type": "object"},
                         fresh={"type": "object"}, last_events={"type": "array", "items": {"type": "object"}}),
    "Document": {"type": "object"}, **SCHEMAS,
}
# What the table of doors does not tell: what may be asked beside the path, the answer's shape, and what else it may be.
_ASKED: dict[str, tuple[list[dict[str, Any]], str, list[int]]] = {
    "/api/kpis": ([_query("ids", "Which numbers, with commas between; all without.")], "Kpis", [404]),
    "/api/kpis/{id}": ([
        _query("from", "Epoch ms, or ISO 8601 (without an offset the site's clock); a day before `to`."),
        _query("to", "The same; now."), _query("step", "minute, hour, day, week, month, year, or 15m, 4h, 2d."),
        _query("by", "The dimension, for its rows."), _query("row", "One row of it.")], "History", [304, 400, 404]),
    "/api/kpis/{id}/explain": ([], "Explained", [404]),
    "/api/openapi.json": ([], "Document", []), **ASKED,
}
_WITHOUT_BODY = frozenset({204, 304})
_STATUSES = {304: "Nothing has changed since the ETag of If-None-Match.", 400: "What was asked cannot be answered.",
             401: "Who asks is not known.", 403: "Who asks may not.", 404: "There is no such thing.",
             408: "What was sent did not arrive in time.", 409: "As things are, it cannot be done.",
             412: "It is not as If-Match or If-None-Match say: nothing was changed.", 413: "Too much was sent.",
             415: "It has to be sent as JSON.", 422: "What was sent is wrong: field by field in `faults`.",
             429: "Too many changes in a short time; ask again after Retry-After.",
             503: "The store cannot be reached; ask again."}


def document(doors: Sequence[Door]) -> dict[str, Any]:
    """The OpenAPI document of the doors below /api/."""
    paths: dict[str, dict[str, Any]] = {}
    for door in doors:
        if door.path.startswith(PREFIX):
            for method in door.methods:
                paths.setdefault(door.path, {})[method.lower()] = _operation(door, method)
    schemes = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token: what it may are its scopes."},
        "session": {"type": "apiKey", "in": "cookie", "name": "opsmon-session",
                    "description": "Of somebody who signed in; with TLS its name begins with __Host-. What changes "
                                   "something also needs the token of a page, as x-csrf."},
    }
    return {"openapi": "3.1.0", "info": {"title": "opsmon", "version": opsmon.__version__},
            "paths": paths, "components": {"schemas": _SCHEMAS, "securitySchemes": schemes}}


def _operation(door: Door, method: str) -> dict[str, Any]:
    place = f"{method} {door.path}"
    asked, shape, statuses = _ASKED.get(place) or _ASKED.get(door.path, ([], "Document", []))
    places = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in _PLACE.findall(door.path)]
    known = [] if door.audience == "anyone" else [401, 403]
    answers = {str(status): _refused(status) for status in sorted([*statuses, *known, 503]) if status >= 300}
    body = {"requestBody": {"required": True, "content": _json(BODIES[place])}} if place in BODIES else {}
    done = [status for status in statuses if status < 300] or [200]
    return {
        "operationId": _name(door, method), "summary": _summary(door),
        "description": f"For {MEANINGS[door.audience]}.", "security": _SECURED.get(door.audience, _SCHEMES),
        "parameters": [*places, *asked], **body,
        "responses": {**{str(status): _done(status, shape) for status in done}, **answers},
    }


def _done(status: int, shape: str) -> dict[str, Any]:
    if status in _WITHOUT_BODY:
        return {"description": "It is done."}
    return {"description": "It was made." if status == 201 else "The answer.", "content": _json(shape)}


def _json(shape: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}


def _refused(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _STATUSES[status]}
    if status not in _WITHOUT_BODY:
        found["content"] = _json("Faults" if status == 422 else "Error")
    return found


def _name(door: Door, method: str) -> str:
    words = re.findall(r"\w+", door.path.removeprefix(PREFIX))
    return "_".join([method.lower(), *words])


def _summary(door: Door) -> str:
    """What answers it says so in its first line: `GET /api/kpis?ids=a,b: these numbers, or all …`."""
    first = (getdoc(door.answer) or "").partition("\n")[0]
    said = first.partition(": ")[2] if first.startswith(("GET ", "POST ", "PUT ", "DELETE ")) else first
    return said[:1].upper() + said[1:]
