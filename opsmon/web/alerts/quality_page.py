"""/alerts/quality: what became of the alerts of each rule in 30 days, and what would better it, with one press.

Threats: a lost update (CWE-362; a rule is changed only if it is still the one that was shown), a change nobody can
account for (CWE-778: each is written with its line in the audit).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsmon.core.alerting.past_runs import Entry, Marks, marks_of, runs_of
from opsmon.core.alerting.quality import review
from opsmon.core.alerting.records import MOST_TEXT
from opsmon.core.alerting.remedies import LADDER_MS, lower
from opsmon.core.alerting.rules import Rule
from opsmon.store.accounts.changing import Changing
from opsmon.store.alerts.quality_queries import lately
from opsmon.store.alerts.rule_queries import SavedRule, saved_rules
from opsmon.store.alerts.telling_queries import telling_of
from opsmon.store.scripts import Scripts
from opsmon.web.alerts.alerts_page import AlertRoom
from opsmon.web.alerts.quality_shapes import QualityView
from opsmon.web.alerts.quality_words import QualityWords
from opsmon.web.alerts.rule_writing import RuleWriting
from opsmon.web.alerts.rules_page import FIXED, NO_REASON, NONE
from opsmon.web.alerts.words import SEVERITY_WORDS
from opsmon.web.forms import read_form
from opsmon.web.languages import N_

DONE = {"later": N_("%(title)s: fires after %(time)s from now on."),
        "lower": N_("%(title)s: %(severity)s from now on."),
        "retire": N_("%(title)s: retired. It can be switched on again on its page.")}
_MET = N_("Somebody else changed this rule meanwhile. Nothing was saved. This is how it is now.")
_ACTS = N_("A rule can be made to wait longer, made less severe, or retired.")


class QualityPage:
    """The page and its forms."""

    def __init__(self, room: AlertRoom, changing: Changing, scripts: Scripts) -> None:
        self._room, self._writing = room, RuleWriting(room, changing, scripts)
        self._say = room.wording.say

    async def show(self, request: Request) -> Response:
        """GET /alerts/quality."""
        return await self._shown(request, done=self._done(request, await self._saved()))

    async def act(self, request: Request) -> Response:
        """POST /alerts/quality: better one rule."""
        form = await read_form(request)
        saved = (await self._saved()).get(form.get("rule", ""))
        if saved is None:
            raise HTTPException(404, NONE)
        if saved.is_fixed:
            raise HTTPException(409, FIXED)
        reason = " ".join(form.get("reason", "").split())[:MOST_TEXT]
        if form.get("act") == "retire" and not reason:
            return await self._shown(request, 422, trouble=self._say(NO_REASON))
        act, after = form.get("act", ""), _bettered(saved.rule, form, reason)
        if after is None:
            raise HTTPException(400, _ACTS)
        if not await self._writing.change(request, saved, after, f"rule.{act}", form.get("believed", "")):
            return await self._shown(request, 409, trouble=self._say(_MET))
        return RedirectResponse(f"/alerts/quality?did={act}&rule={after.id}", 303)

    async def _shown(self, request: Request, status: int = 200, trouble: str = "", done: str = "") -> Response:
        room, now_ms = self._room, self._room.clock.now_ms()
        saved = await self._saved()
        past = await lately(room.reader, room.keys, now_ms, history=room.history)
        telling, zone = await telling_of(room.reader, room.keys), room.kpis.calendar.zone
        rules = {name: one.rule for name, one in saved.items()}

        def reckoned() -> QualityView:
            found = review(runs_of(past.entries), rules, telling, zone, now_ms)
            return QualityWords(room.wording, saved).page(found, past, _marks(past.entries))

        # A loud month takes a while, for which no screen is to wait.
        view = await asyncio.to_thread(reckoned)
        return room.html(request, "quality", N_("Quality of alerts"), status, quality=view, trouble=trouble, done=done)

    def _done(self, request: Request, saved: Mapping[str, SavedRule]) -> str:
        """What was just done, in words."""
        did, one = request.query_params.get("did", ""), saved.get(request.query_params.get("rule", ""))
        if one is None or did not in DONE:
            return ""
        words, rule = QualityWords(self._room.wording, saved), one.rule
        return self._say(DONE[did], title=words.title(rule), time=self._room.wording.age(rule.timing.for_ms),
                         severity=self._say(SEVERITY_WORDS[rule.severity]))

    async def _saved(self) -> dict[str, SavedRule]:
        return await saved_rules(self._room.reader, self._room.keys, self._room.own)


def _bettered(rule: Rule, form: Mapping[str, str], reason: str) -> Rule | None:
    """The rule as the form asks for it; None for what no form of ours asks for."""
    value = form.get("value", "")
    match form.get("act"):
        case "later" if value in map(str, LADDER_MS) and int(value) > rule.timing.for_ms:
            return replace(rule, for_ms=int(value))
        case "lower":
            after = lower(rule)
            return after if after is not None and after.severity == value else None
        case "retire":
            return replace(rule, off_reason=reason)
    return None


def _marks(entries: tuple[Entry, ...]) -> dict[str, Marks]:
    """Of each rule the marks of its alerts."""
    by_rule: dict[str, list[Entry]] = {}
    for one in entries:
        by_rule.setdefault(one.rule, []).append(one)
    return {rule: marks_of(own) for rule, own in by_rule.items()}
