"""Rules for programs: /api/rules and /api/rules/{rule}, as plain data, of the shape that opsmon.toml has.

Threats: a lost update (CWE-362; If-Match and If-None-Match, RFC 9110, 13.1), a change nobody can account for (CWE-778:
each is written with its line in the audit), a body without end (CWE-770).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opsmon.core.alerting.own_rules import wrong_about
from opsmon.core.alerting.records import MOST_RULES, dump_rule, parse_rule
from opsmon.core.alerting.rules import Rule
from opsmon.store.accounts.changing import Changing
from opsmon.store.alerts.rule_queries import SavedRule, saved_rules
from opsmon.store.scripts import Scripts
from opsmon.web.alerts.alerts_page import AlertRoom
from opsmon.web.alerts.rule_forms import NEW
from opsmon.web.alerts.rule_writing import RuleWriting, mark
from opsmon.web.alerts.rules_page import FIXED, FULL, NONE
from opsmon.web.bodies import ClientGone, read_body
from opsmon.web.doors import MOST_BYTES
from opsmon.web.forms import DEADLINE_S, type_of

JSON = b"application/json"
# What an answer says of a rule beside the rule: who sends back what was read need not take it out.
TOLD = frozenset({"is_built_in", "is_fixed", "version"})
_MET = ("Somebody else changed this rule meanwhile, and nothing was saved. GET it again, and send yours with the ETag "
        "that it has now.")
_THERE = "There is a rule of this id already, and nothing was saved. Leave If-None-Match out to put yours in its place."
_NEW = "new is where the form of a new rule is: choose another id"
_CONDITIONS = {"if-match", "if-none-match"}
_CLOSE = {"connection": "close"}


class RulesApi:
    """Answers programs, and does what they say."""

    def __init__(self, room: AlertRoom, changing: Changing, scripts: Scripts) -> None:
        self._room, self._writing = room, RuleWriting(room, changing, scripts)

    async def all(self, request: Request) -> Response:
        """GET /api/rules: every rule as a [[rule]] of opsmon.toml has it, where it comes from, and its version."""
        return JSONResponse({"rules": [rule_json(one) for one in (await self._saved()).values()]})

    async def one(self, request: Request) -> Response:
        """GET /api/rules/{rule}: one of them; its ETag is what If-Match says when it is changed."""
        saved = (await self._saved()).get(request.path_params["rule"])
        if saved is None:
            raise HTTPException(404, NONE)
        if {etag(saved), "*"} & _tags(request, "if-none-match"):
            return Response(status_code=304, headers={"etag": etag(saved)})
        return _told(saved)

    async def put(self, request: Request) -> Response:
        """PUT /api/rules/{rule}: make it, or put what is sent in its place, whole. It is looked at from then on."""
        name, told = request.path_params["rule"], await _table(request)
        kept = await self._saved()
        saved = _changeable(kept.get(name))
        rule, faults = self._read(name, told)
        if rule is None:
            return _wrong(faults)
        _check(request, saved)
        if saved is None and len(kept) >= MOST_RULES:
            raise HTTPException(409, FULL)
        rule = replace(rule, is_built_in=saved is not None and saved.rule.is_built_in)
        if saved is not None and saved.rule == rule:
            return _told(saved)
        await self._write(request, saved, rule, "rule.saved")
        return _told(SavedRule(rule), 200 if saved else 201)

    async def delete(self, request: Request) -> Response:
        """DELETE /api/rules/{rule}: take it away; one that comes with opsmon is as it came again."""
        saved = _changeable((await self._saved()).get(request.path_params["rule"]))
        if saved is None:
            raise HTTPException(404, NONE)
        _check(request, saved)
        if saved.raw:
            await self._write(request, saved, None, "rule.remove")
        return Response(status_code=204)

    async def _saved(self) -> dict[str, SavedRule]:
        return await saved_rules(self._room.reader, self._room.keys, self._room.own)

    def _read(self, name: str, told: object) -> tuple[Rule | None, dict[str, str]]:
        """The rule that was sent, or by field what is wrong with it."""
        if isinstance(told, Mapping):
            if told.get("id", name) != name:
                return None, {"id": f"the address says {name[:40]}: leave the id out, or send the same"}
            told = {**{field: value for field, value in told.items() if field not in TOLD}, "id": name}
        rule, found = parse_rule(told)
        faults: dict[str, str] = {}
        for one in found:
            faults.setdefault(one.field, str(one.sentence))
        if rule is not None:
            room = self._room
            faults |= {field: str(text) for field, text in
                       wrong_about(rule, room.kpis.catalogue, room.feed.board.sources)}
        if name == NEW:
            faults["id"] = _NEW
        return (None, faults) if faults else (rule, {})

    async def _write(self, request: Request, saved: SavedRule | None, after: Rule | None, what: str) -> None:
        """Write it if it is still what was looked at, or raise 412, or 409 where nothing was said of how it has to be.
        """
        if not await self._writing.change(request, saved, after, what, mark(saved.raw if saved else b"")):
            raise HTTPException(412 if _CONDITIONS & set(request.headers) else 409, _MET)


def rule_json(saved: SavedRule) -> dict[str, Any]:
    """A rule for programs."""
    return {**_plain(saved), "version": version(saved)}


def version(saved: SavedRule) -> str:
    """What tells a rule from what it was before, and from what it will be."""
    return mark(orjson.dumps(_plain(saved)))


def etag(saved: SavedRule) -> str:
    """The same as a header has it (RFC 9110, 8.8.3)."""
    return f'"{version(saved)}"'


def _plain(saved: SavedRule) -> dict[str, Any]:
    return {**dump_rule(saved.rule), "is_built_in": saved.rule.is_built_in, "is_fixed": saved.is_fixed}


def _told(saved: SavedRule, status: int = 200) -> Response:
    headers = {"etag": etag(saved), "cache-control": "private, no-cache"}
    if status == 201:
        headers["location"] = f"/api/rules/{saved.rule.id}"
    return JSONResponse(rule_json(saved), status, headers)


def _wrong(faults: Mapping[str, str]) -> Response:
    field, sentence = next(iter(faults.items()))
    first = (f"{field}: {sentence}" if field else sentence).rstrip(".")
    return JSONResponse({"error": f"This rule was not saved. {first}.", "faults": dict(faults)}, 422)


def _changeable(saved: SavedRule | None) -> SavedRule | None:
    if saved is not None and saved.is_fixed:
        raise HTTPException(409, FIXED)
    return saved


def _check(request: Request, saved: SavedRule | None) -> None:
    """Raise 412 where what was asked for under a condition does not hold (RFC 9110, 13.2.2)."""
    known = {etag(saved), "*"} if saved is not None else set[str]()
    if "if-match" in request.headers and not known & _tags(request, "if-match"):
        raise HTTPException(412, _MET)
    if known & _tags(request, "if-none-match"):
        raise HTTPException(412, _THERE)


def _tags(request: Request, name: str) -> set[str]:
    """The ETags of a header; W/ is what whoever packs answers on the way makes of ours."""
    return {one.strip().removeprefix("W/") for one in request.headers.get(name, "").split(",")}


async def _table(request: Request) -> object:
    """What JSON a program sent, of at most as many bytes as its door takes."""
    if type_of(request.scope) != JSON:
        raise HTTPException(415, "A rule is sent as JSON: content-type application/json.")
    limit: int = request.scope[MOST_BYTES]
    try:
        body = await read_body(dict(request.scope["headers"]), request.receive, limit, DEADLINE_S)
    except (ClientGone, TimeoutError):
        raise HTTPException(408, "The rule did not arrive in 5 s.", _CLOSE) from None
    if body is None:
        raise HTTPException(413, f"The rule is over the limit of {limit} bytes.", _CLOSE)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HTTPException(400, "This is no JSON.") from None
