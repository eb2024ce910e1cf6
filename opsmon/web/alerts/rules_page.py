"""/rules: when somebody is to be told: which there are, made and changed here, with what each would have said before.

Threats: a lost update (CWE-362; two who change one rule: the second sees what the first wrote), a change nobody can
account for (CWE-778: each is written with its line in the audit).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsmon.core.alerting.backtest import MOST_TOLD, BackTest, back_test
from opsmon.core.alerting.records import MOST_RULES
from opsmon.core.alerting.rules import Rule
from opsmon.core.ranges import TooMuch
from opsmon.store.accounts.changing import Changing
from opsmon.store.alerts.odd_times import odd_times
from opsmon.store.alerts.past import past_of
from opsmon.store.alerts.rule_queries import SavedRule, saved_rules
from opsmon.store.scripts import Scripts
from opsmon.web.alerts.alerts_page import AlertRoom
from opsmon.web.alerts.rule_forms import KINDS, NEW, RuleForms, new_id
from opsmon.web.alerts.rule_writing import RuleWriting, mark
from opsmon.web.alerts.shapes import PastView, RuleView
from opsmon.web.alerts.words import SEVERITY_WORDS, AlertWords
from opsmon.web.forms import read_form
from opsmon.web.languages import N_

DONE = {"saved": N_("Saved. It is looked at from now on."), "off": N_("Switched off."), "on": N_("Switched on."),
        "gone": N_("Removed."), "reset": N_("It is as it comes with opsmon.")}
NONE = N_("There is no such rule.")
FIXED = N_("This rule stands in opsmon.toml: change it there, and start opsmon again.")
_MET = N_("Somebody else changed this rule meanwhile. Nothing was saved. Below is what you typed, and where it is "
          "otherwise now; saving again writes yours.")
FULL = N_("There are as many rules as there may be. Remove one first.")
NO_REASON = N_("Say why, in a few words: whoever wonders later reads it here.")
_ACTS = N_("A rule can be tried, saved, switched on or off, or removed.")


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form that was sent: what it is about, as it is kept now, and what was typed."""

    id: str
    saved: SavedRule | None
    typed: Mapping[str, str]


class RulesPage:
    """The list and the form."""

    def __init__(self, room: AlertRoom, changing: Changing, scripts: Scripts) -> None:
        self._room, self._writing = room, RuleWriting(room, changing, scripts)
        self._say = room.wording.say

    async def all(self, request: Request) -> Response:
        """GET /rules."""
        room = self._room
        book, words, saved = await room.book(), room.words(request), await self._saved()
        last = {one.alert.rule: max(one.alert.began_ms, 0) for one in
                sorted(book.alerts, key=lambda one: one.alert.began_ms)}
        open_now = {one.alert.rule for one in book.open}
        views = [self._row(one, words, last.get(name, 0), is_open=name in open_now) for name, one in saved.items()]
        return room.html(request, "rules", N_("Rules"), rules=views, kinds=self._kinds(""),
                         done=self._say(DONE.get(request.query_params.get("did", ""), "")))

    async def one(self, request: Request) -> Response:
        """GET /rules/{rule}; new?about=&kind= for one that is to be made."""
        name, query = request.path_params["rule"], request.query_params
        done = self._say(DONE.get(query.get("did", ""), ""))
        if name == NEW:
            kind = query.get("kind", "limit")
            typed = {"kind": kind if kind in KINDS else "limit", "about": query.get("about", "")}
            return await self._form(request, _Sent("", None, typed))
        saved = (await self._saved()).get(name)
        if saved is None:
            raise HTTPException(404, NONE)
        return await self._form(request, _Sent(name, saved, self._forms.typed(saved.rule)), tried=saved.rule, done=done)

    async def act(self, request: Request) -> Response:
        """POST /rules: try it, save it, switch it on or off, remove it."""
        form, saved = await read_form(request), await self._saved()
        sent = _Sent(form.get("id", ""), saved.get(form.get("id", "")), form)
        if sent.id and sent.saved is None:
            raise HTTPException(404, NONE)
        if sent.saved is not None and sent.saved.is_fixed:
            raise HTTPException(409, FIXED)
        match form.get("act"):
            case "try" | "save" if form.get("kind") in KINDS:
                return await self._save(request, sent, saved, is_trial=form["act"] == "try")
            case "off" | "on" | "remove" if sent.saved is not None:
                return await self._switch(request, sent, sent.saved, form["act"])
        raise HTTPException(400, _ACTS)

    async def _save(self, request: Request, sent: _Sent, saved: Mapping[str, SavedRule], *, is_trial: bool) -> Response:
        rule, wrong = self._forms.read(sent.id or new_id(sent.typed.get("title", ""), saved), sent.typed)
        if rule is None:
            return await self._form(request, sent, 422, wrong=wrong)
        if sent.saved is not None:
            rule = replace(rule, off_reason=sent.saved.rule.off_reason)
        if is_trial:
            return await self._form(request, sent, tried=rule)
        if sent.saved is None and len(saved) >= MOST_RULES:
            return await self._form(request, sent, 409, trouble=self._say(FULL))
        if not await self._change(request, sent, rule, "rule.saved"):
            return await self._met(request, sent)
        return RedirectResponse(f"/rules/{rule.id}?did=saved", 303)

    async def _switch(self, request: Request, sent: _Sent, saved: SavedRule, act: str) -> Response:
        reason = " ".join(sent.typed.get("reason", "").split())[:280]
        if act == "off" and not reason:
            return await self._form(request, replace(sent, typed=self._forms.typed(saved.rule)), 422,
                                    trouble=self._say(NO_REASON))
        after = None if act == "remove" else replace(saved.rule, off_reason=reason if act == "off" else "")
        if not await self._change(request, sent, after, f"rule.{act}"):
            return await self._met(request, replace(sent, typed=self._forms.typed(saved.rule)))
        if after is None:
            return RedirectResponse("/rules?did=reset" if saved.rule.is_built_in else "/rules?did=gone", 303)
        return RedirectResponse(f"/rules/{sent.id}?did={act}", 303)

    async def _change(self, request: Request, sent: _Sent, after: Rule | None, what: str) -> bool:
        """Write it if it is still what the form was made of; whether it was."""
        return await self._writing.change(request, sent.saved, after, what, sent.typed.get("believed", mark(b"")))

    async def _met(self, request: Request, sent: _Sent) -> Response:
        now = (await self._saved()).get(sent.id)
        theirs = self._forms.typed(now.rule) if now else {}
        kind = sent.typed.get("kind", "limit")
        return await self._form(request, replace(sent, saved=now), 409, trouble=self._say(_MET),
                                met=self._forms.differences(sent.typed, theirs, kind))

    async def _form(self, request: Request, sent: _Sent, status: int = 200, *, tried: Rule | None = None,
                    wrong: Mapping[str, str] | None = None, trouble: str = "", done: str = "",
                    met: list[tuple[str, str, str]] | None = None) -> Response:
        kind = sent.typed.get("kind", "limit")
        typed = {**sent.typed, "rows": "each" if sent.typed.get("rows") == "on" or sent.typed.get("rows-each") == "on"
                 else ""}
        past = await self._past(tried, self._room.words(request)) if tried is not None else None
        return self._room.html(
            request, "rule", sent.saved.rule.title if sent.saved else N_("A new rule"), status,
            rule_id=sent.id, saved=sent.saved.rule if sent.saved else None,
            is_fixed=bool(sent.saved and sent.saved.is_fixed), is_changed=bool(sent.saved and sent.saved.raw),
            fields=self._forms.fields(kind, typed, wrong or {}), kind=kind, kinds=self._kinds(kind, typed),
            believed=mark(sent.saved.raw if sent.saved else b""), past=past, trouble=trouble, done=done, met=met or (),
            about=self._say(KINDS[kind][1]) if kind in KINDS else "")

    async def _past(self, rule: Rule, words: AlertWords) -> PastView:
        """What a rule would have said of the last 14 days."""
        now_ms, wording = self._room.clock.now_ms(), words.wording
        try:
            odd = await odd_times(self._room.reader, self._room.keys, self._room.special)
            past = await past_of(self._room.kpis, rule, now_ms, odd)
        except TooMuch:
            return PastView(self._say("This number has too many rows to look so far back."), (), "")
        if past.why:
            return PastView(wording.say(past.why), (), "")
        tests = {row: back_test(rule, points) for row, points in past.points.items()}
        if not any(test.judged for test in tests.values()):
            return PastView(self._say("There is no number of the last 14 days yet to try it on."), (), "")
        runs = sorted(((run, row) for row, test in tests.items() for run in test.runs),
                      key=lambda found: -found[0].began_ms)
        text = wording.many("It would have fired %(num)s time in the last 14 days.",
                            "It would have fired %(num)s times in the last 14 days.", len(runs)) if runs else (
            self._say("It would not have fired in the last 14 days."))
        told = []
        for run, row in runs[:MOST_TOLD]:
            thing = words.thing(rule, (("row", row),)) if row else ""
            lasts = wording.age(run.ended_ms - run.began_ms) if run.ended_ms else self._say("until now")
            said = self._say("%(time)s, %(length)s", time=wording.day_and_time(run.began_ms), length=lasts)
            peak = self._say("at most %(value)s", value=words.number(rule, run.peak)) if run.peak is not None else ""
            told.append(", ".join(filter(None, (thing, said, peak))))
        return PastView(text, tuple(told), self._unknown(list(tests.values()), words))

    def _unknown(self, tests: list[BackTest], words: AlertWords) -> str:
        """What the past could not tell."""
        wording = words.wording
        begins = [one.from_ms for one in tests if one.from_ms is not None]
        found = [self._say("Looked at from %(time)s on, every %(step)s: what was shorter is not seen.",
                           time=wording.day_and_time(min(begins)),
                           step=wording.age(min(one.step_ms for one in tests if one.from_ms is not None)))]
        blank = sum(one.points - one.judged for one in tests)
        if blank:
            found.append(wording.many("At %(num)s moment there was no number, too few, or nothing to compare with.",
                                      "At %(num)s moments there was no number, too few, or nothing to compare with.",
                                      blank))
        return " ".join(found)

    def _row(self, saved: SavedRule, words: AlertWords, last_ms: int, *, is_open: bool) -> RuleView:
        rule, wording = saved.rule, words.wording
        fired = wording.say("Last fired %(time)s", time=wording.moment(last_ms)) if last_ms else (
            wording.say("Never fired"))
        title = wording.say(rule.title) if rule.is_built_in else rule.title
        where = N_("In opsmon.toml") if saved.is_fixed else (
            N_("Comes with opsmon") if rule.is_built_in else N_("Your own"))
        kind = wording.say(KINDS[rule.condition.kind][0])
        return RuleView(rule.id, title, rule.severity, wording.say(SEVERITY_WORDS[rule.severity]),
                        f"{kind}: {words.watched(rule)}", rule.owner, wording.say(where), rule.off_reason,
                        wording.say("It is open now") if is_open else fired)

    def _kinds(self, chosen: str, typed: Mapping[str, str] | None = None) -> list[tuple[str, str, bool]]:
        about = (typed or {}).get("about", "")
        more = f"&about={about}" if about in self._room.kpis.catalogue.kpi_by_id else ""
        return [(f"/rules/new?kind={name}{more}", self._say(words[0]), name == chosen)
                for name, words in KINDS.items()]

    @property
    def _forms(self) -> RuleForms:
        room = self._room
        return RuleForms(room.kpis.catalogue, room.feed.board.sources, room.kpis.currency, room.wording)

    async def _saved(self) -> dict[str, SavedRule]:
        await self._room.kpis.learn_currency()
        return await saved_rules(self._room.reader, self._room.keys, self._room.own)
