"""/alerts: what is open, live, and what was; /alerts/{fingerprint}: one of them with its time line, and what people do;
/alerts.csv and /alerts.ndjson: what was, as a file.

Threats: acts beyond a role (A01; each act has its audience), a change nobody can account for (each is a line of the log
and of the audit), amounts for those who may not see them (words.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from opsmon.clock import Clock
from opsmon.core.access import Who, may
from opsmon.core.alerting.life import OPEN, Alert
from opsmon.core.alerting.rules import Rule
from opsmon.core.alerting.special_days import SpecialDays
from opsmon.store.accounts.people import People
from opsmon.store.alerts.alert_queries import AlertBook, SoughtLines, alert_book
from opsmon.store.alerts.alert_store import AlertStore, Stored
from opsmon.store.alerts.history import History
from opsmon.store.connection import Reader
from opsmon.store.dead_queries import is_id
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.web import rendering
from opsmon.web.accounts.audit_page import written
from opsmon.web.accounts.forms import InputView
from opsmon.web.accounts.noting import Noting, who_of
from opsmon.web.accounts.office import NO_STORE
from opsmon.web.alerts.acting import ACTS, DONE, Asked, first_words, is_said, verb_of
from opsmon.web.alerts.drawing import MOST_OPEN, choices_of, open_view
from opsmon.web.alerts.history_file import HEAD, Telling, day_of, pieces, span_of
from opsmon.web.alerts.shapes import LineView, OneAlertView
from opsmon.web.alerts.sparks import alert_sparks, seen_sparks
from opsmon.web.alerts.words import SEVERITY_WORDS, STATES, AlertWords, verdicts
from opsmon.web.doors import WHO
from opsmon.web.feed import Feed
from opsmon.web.forms import read_form
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.planning import open_slot
from opsmon.web.seeing import sees
from opsmon.web.views import PageView
from opsmon.web.walls import ALERTS_VIEW
from opsmon.web.wording import Wording

A_PAGE = 30
# Of one alert: more than anybody prints.
MOST_LINES = 200
_GONE = N_("There is no such alert. It may have been one of a site that was restored since.")
_NOT_YOURS = N_("Managers and admins may do that. You may see to it, and write down what you saw or did.")


@dataclass(frozen=True, slots=True)
class AlertRoom:
    """What the pages of alerts, rules, silences and special days are made with. `own` and `special` are the rules and
    days of the site's file."""

    pages: Pages
    feed: Feed
    reader: Reader
    keys: Keys
    kpis: KpiQueries
    store: AlertStore
    people: People
    noting: Noting
    clock: Clock
    history: History
    own: tuple[Rule, ...] = ()
    special: tuple[SpecialDays, ...] = ()

    async def book(self) -> AlertBook:
        """All of it as it is now."""
        await self.kpis.learn_currency()
        return await alert_book(self.reader, self.keys, self.own)

    def words(self, request: Request) -> AlertWords:
        """What there is to say to whoever asks."""
        return AlertWords(self.wording, self.kpis.catalogue, self.kpis.currency, sees(request.scope))

    @property
    def wording(self) -> Wording:
        """The site's."""
        return self.feed.board.wording

    def html(self, request: Request, template: str, title: str, status: int = 200, **context: object) -> Response:
        """A page that no browser keeps. `title` is English, or what people call something."""
        page = self.pages.view(title, "board", request)
        who: Who | None = request.scope.get(WHO)
        return HTMLResponse(rendering.page(template, page=page, can_act=may(who, "managers"),
                                           can_answer=may(who, "floor"), **context), status, NO_STORE)


class AlertsPage:
    """The pages and what is done by them."""

    def __init__(self, room: AlertRoom) -> None:
        self._room, self._say = room, room.wording.say

    async def all(self, request: Request) -> Response:
        """GET /alerts?rule=&severity=&state=&before=."""
        room, slot_id = self._room, open_slot(sees(request.scope))
        page = await room.pages.opened(frozenset({"health", slot_id}), lambda: self._live(request))
        book, words = await room.book(), room.words(request)
        sought, before = _sought(request), request.query_params.get("before", "")
        asked = {name: request.query_params.get(name, "") for name in ("since", "until")}
        day_end_ms = span_of(asked, room.kpis.calendar)[1]
        told = await room.history.page(
            sought, A_PAGE, before if is_id(before) else f"{day_end_ms}-0" if day_of(asked["until"]) else "")
        slots, who = room.feed.hub.slots, request.scope.get(WHO)
        html = rendering.page(
            "alerts", page=page, slot_id=slot_id, can_act=may(who, "managers"), done=self._done(request, book),
            slots={name: (slots[name].view, slots[name].revision) for name in ("health", slot_id)},
            lines=[words.line(book, line, room.clock.now_ms()) for line in told.lines],
            fields=self._fields(book, words, sought, asked["until"]), more=_older(sought, told.last),
            is_first=not is_id(before), unread=", ".join(told.unread), files=_files(request), most_open=MOST_OPEN)
        return HTMLResponse(html, headers=NO_STORE)

    async def csv(self, request: Request) -> Response:
        """GET /alerts.csv?rule=&severity=&state=&since=&until=."""
        telling, asked = await self._telling(request)
        lines = pieces(self._room.history, asked, telling.csv, written([HEAD]))
        return StreamingResponse(lines, headers=_as_file("alerts.csv"), media_type="text/csv; charset=utf-8")

    async def ndjson(self, request: Request) -> Response:
        """GET /alerts.ndjson, of the same."""
        telling, asked = await self._telling(request)
        lines = pieces(self._room.history, asked, telling.ndjson)
        return StreamingResponse(lines, headers=_as_file("alerts.ndjson"), media_type="application/x-ndjson")

    async def _telling(self, request: Request) -> tuple[Telling, tuple[int, int, SoughtLines]]:
        book, calendar = await self._room.book(), self._room.kpis.calendar
        return (Telling(self._room.words(request), book.rules, calendar),
                (*span_of(request.query_params, calendar), _sought(request)))

    async def one(self, request: Request) -> Response:
        """GET /alerts/{fingerprint}."""
        return await self._one(request)

    async def act(self, request: Request) -> Response:
        """POST /alerts/{fingerprint}: do it, write it down, and show how it stands then."""
        form, room = await read_form(request), self._room
        name, who = request.path_params["fingerprint"], who_of(request)
        if not may(who, ACTS.get(form.get("act", ""), "floor")):
            raise HTTPException(403, _NOT_YOURS)
        book, asked = await room.book(), await self._asked(form, who)
        try:
            verb = verb_of(asked, room.wording)
        except HTTPException as error:
            if error.status_code != 422:
                raise
            return await self._one(request, 422, trouble=str(error.detail))
        stored, is_done = await room.store.act(name, verb, book.rules.get, asked.now_ms)
        if stored is None:
            raise HTTPException(404, _GONE)
        if not is_done and not is_said(asked, stored.alert):
            return await self._one(request, 409, trouble=first_words(stored.alert, room.wording))
        await self._note(request, asked, stored.alert, book)
        back = "/alerts" if request.query_params.get("back") == "list" else f"/alerts/{name}"
        return RedirectResponse(f"{back}?did={asked.act}", 303)

    async def _asked(self, form: Mapping[str, str], who: Who) -> Asked:
        names: frozenset[str] = frozenset(await self._names())
        return Asked(form.get("act", ""), who.name, form, self._room.clock.now_ms(), names | {who.name})

    async def _names(self) -> list[str]:
        return sorted(one.name for one in await self._room.people.all() if not one.is_off)

    async def _note(self, request: Request, asked: Asked, alert: Alert, book: AlertBook) -> None:
        rule = book.rules[alert.rule]
        after = {"state": alert.state, "acknowledged_by": alert.acknowledged_by, "assigned_to": alert.assigned_to,
                 "snoozed_until_ms": alert.snoozed_until_ms or "", "code": alert.code, "note": asked.note,
                 "verdict": alert.verdict}
        await self._room.noting.note(request, f"alert.{asked.act}", alert.fingerprint, rule.title,
                                     {}, {name: value for name, value in after.items() if value})

    async def _one(self, request: Request, status: int = 200, trouble: str = "") -> Response:
        room, name = self._room, request.path_params["fingerprint"]
        book, words, now_ms = await room.book(), room.words(request), room.clock.now_ms()
        stored = next((one for one in book.alerts if one.alert.fingerprint == name), None)
        rule = book.rules.get(stored.alert.rule) if stored else None
        if stored is None or rule is None:
            raise HTTPException(404, _GONE)
        told = await room.history.page(SoughtLines(alert=name), MOST_LINES)
        view = await self._view(book, stored, words, now_ms)
        return room.html(request, "alert", view.title, status, alert=view, trouble=trouble,
                         done="" if trouble else self._done(request, book, stored.alert),
                         runs=_runs([(line.run, words.line(book, line, now_ms)) for line in told.lines]),
                         more=bool(told.last), choices=choices_of(await self._people(request), words))

    async def _people(self, request: Request) -> list[str]:
        return list(dict.fromkeys([who_of(request).name, *await self._names()]))

    async def _view(self, book: AlertBook, stored: Stored, words: AlertWords, now_ms: int) -> OneAlertView:
        alone = replace(book, alerts=(stored,))
        sparks = seen_sparks(await alert_sparks(self._room.kpis, alone, now_ms), words, alone)
        # What explains it may be another one.
        row = words.whole_row(book, stored, now_ms) if stored.alert.is_open else None
        whole = next(iter(open_view(alone, words, sparks, now_ms).rows), None)
        rule = book.rules[stored.alert.rule]
        return OneAlertView(
            stored.alert.fingerprint, words.title(rule, stored.alert), rule.severity,
            self._say(SEVERITY_WORDS[rule.severity]), replace(whole, row=row) if whole and row else None,
            self._say(STATES.get(stored.alert.state, stored.alert.state)), rule.id, words.watched(rule),
            f"/kpi/{rule.about}" if words.kpi(rule) is not None and not words.is_hidden(rule) else "",
            bool(stored.alert.acknowledged_by), stored.alert.assigned_to, stored.alert.id,
            verdicts(stored.alert, words.wording))

    def _live(self, request: Request) -> PageView:
        page = self._room.pages.view(N_("Alerts"), "board", request)
        query = urlencode({"v": page.build, "view": ALERTS_VIEW, "since": page.revision})
        return replace(page, live_url=f"/live?{query}")

    def _done(self, request: Request, book: AlertBook, alert: Alert | None = None) -> str:
        """What was just done, in words."""
        said = DONE.get(request.query_params.get("did", ""), "")
        if "%" in said and alert is None:
            return self._say("Done.")
        time = self._room.wording.time(alert.snoozed_until_ms) if alert else ""
        return self._say(said, who=alert.assigned_to if alert else "", time=time) if said else ""

    def _fields(self, book: AlertBook, words: AlertWords, sought: SoughtLines, until: str) -> list[InputView]:
        """What the history may be narrowed to."""
        any_of = ("", self._say("All"))
        titles = [(rule.id, words.wording.say(rule.title) if rule.is_built_in else rule.title)
                  for rule in book.rules.values()]
        choices = (("rule", N_("Rule"), titles), ("severity", N_("How bad"), list(SEVERITY_WORDS.items())),
                   ("state", N_("What became of it"), [(one, STATES[one]) for one in (*sorted(OPEN), "resolved")]))
        narrowing = [InputView(name, self._say(label), "select", getattr(sought, name), required=False, choices=(
            any_of, *((value, text if name == "rule" else self._say(text)) for value, text in found)))
            for name, label, found in choices]
        until = until if day_of(until) else ""
        return [*narrowing, InputView("until", self._say(N_("Up to the day")), "date", until, required=False)]


def _runs(lines: list[tuple[str, LineView]]) -> list[tuple[str, list[LineView]]]:
    """Lines by the run they belong to, the newest run first, each told from its beginning."""
    found: dict[str, list[LineView]] = {}
    for run, line in lines:
        found.setdefault(run, []).insert(0, line)
    return [(told[0].at, told) for told in found.values()]


def _sought(request: Request) -> SoughtLines:
    asked = request.query_params
    severity, state = asked.get("severity", ""), asked.get("state", "")
    return SoughtLines(rule=asked.get("rule", "")[:40], severity=severity if severity in SEVERITY_WORDS else "",
                       state=state if state in STATES else "")


def _files(request: Request) -> tuple[tuple[str, str], ...]:
    """The addresses of what was asked for as files: (what it is, address)."""
    asked = {name: value for name, value in request.query_params.items()
             if value and name in ("rule", "severity", "state", "until")}
    return tuple((kind.upper(), f"/alerts.{kind}?{urlencode(asked)}") for kind in ("csv", "ndjson"))


def _as_file(name: str) -> dict[str, str]:
    return {**NO_STORE, "content-disposition": f'attachment; filename="{name}"'}


def _older(sought: SoughtLines, last: str) -> str:
    """The address of what is older, '' at the end."""
    asked = {name: value for name, value in (("rule", sought.rule), ("severity", sought.severity),
                                             ("state", sought.state), ("before", last)) if value}
    return f"/alerts?{urlencode(asked)}#history" if last else ""
