"""/calendar: campaigns and holidays, marked by people: what is counted on them is not held against other days.

Threat: a change nobody can account for (CWE-778; each is written with its line in the audit).
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsmon.core.alerting.special_days import (
    MOST_KEPT,
    NO_DAY,
    NO_KIND,
    NO_NAME,
    NO_STRETCH,
    Kind,
    SpecialDays,
    dump_days,
    parse_days,
)
from opsmon.core.calendar import SiteCalendar
from opsmon.store.accounts.audit import Deed
from opsmon.store.accounts.changing import Changing
from opsmon.store.alerts.odd_times import all_days, dump_marked, special_days
from opsmon.store.scripts import Scripts
from opsmon.web.accounts.forms import InputView, marked
from opsmon.web.accounts.noting import address_of, who_of
from opsmon.web.alerts.alerts_page import AlertRoom
from opsmon.web.alerts.shapes import SpecialDaysView
from opsmon.web.forms import read_form
from opsmon.web.languages import N_
from opsmon.web.wording import Wording

KIND_WORDS: dict[Kind, str] = {"campaign": N_("Campaign"), "holiday": N_("Holiday")}
SENTENCES = {NO_NAME: N_("Give it a name of at most 60 characters, like Black Friday."),
             NO_KIND: N_("It is a campaign or a holiday."), NO_DAY: N_("Write a day like 2026-11-27."),
             NO_STRETCH: N_("The last day is the first or a later one, at most 92 days on.")}
DONE = {"marked": N_("Marked. From now on nothing is learned of these days."), "gone": N_("Removed.")}
_FULL = N_("There are as many as there may be. Remove some first.")
_TWICE = N_("These days are marked already.")
_ACTS = N_("Days can be marked, or a mark removed.")


class CalendarPage:
    """The list and its forms."""

    def __init__(self, room: AlertRoom, changing: Changing, scripts: Scripts) -> None:
        self._room, self._changing, self._scripts = room, changing, scripts
        self._say = room.wording.say

    async def show(self, request: Request) -> Response:
        """GET /calendar."""
        done = self._say(DONE.get(request.query_params.get("did", ""), ""))
        return await self._shown(request, {"kind": "campaign"}, done=done)

    async def act(self, request: Request) -> Response:
        """POST /calendar: mark days, or remove a mark."""
        form = await read_form(request)
        match form.get("act"):
            case "mark":
                return await self._mark(request, form)
            case "remove":
                return await self._remove(request, form.get("id", ""))
        raise HTTPException(400, _ACTS)

    async def _mark(self, request: Request, form: dict[str, str]) -> Response:
        told = {name: form.get(name, "").strip() for name in ("name", "kind", "first", "last")}
        one, wrong = parse_days({**told, "author": who_of(request).name})
        if one is None:
            return await self._shown(request, told, {name: self._say(SENTENCES.get(text, text))
                                                     for name, text in wrong.items()}, 422)
        kept = await special_days(self._room.reader, self._room.keys)
        if len(kept) >= MOST_KEPT:
            raise HTTPException(409, _FULL)
        if not await self._write(request, one, b"", dump_marked(one), "calendar.marked"):
            return await self._shown(request, told, {"name": self._say(_TWICE)}, 409)
        return RedirectResponse("/calendar?did=marked", 303)

    async def _remove(self, request: Request, name: str) -> Response:
        found = (await special_days(self._room.reader, self._room.keys)).get(name)
        if found is not None:
            await self._write(request, *found, b"", "calendar.removed")
        return RedirectResponse("/calendar?did=gone", 303)

    async def _write(self, request: Request, one: SpecialDays, before: bytes, after: bytes, what: str) -> bool:
        deed = Deed(who_of(request), what, one.id, one.name, dump_days(one) if before else {},
                    dump_days(one) if after else {}, address_of(request))
        done = await self._changing.change(self._room.keys.special_days, one.id, before, after, deed)
        if done == "done":
            await self._scripts.tell_alerts(f"calendar:{one.id}", self._room.clock.now_ms())
        return done == "done"

    async def _shown(self, request: Request, typed: dict[str, str], wrong: dict[str, str] | None = None,
                     status: int = 200, done: str = "") -> Response:
        room = self._room
        days = await all_days(room.reader, room.keys, room.special)
        views = [SpecialDaysView(one.id, one.name, days_words(one, room.kpis.calendar, room.wording), one.author,
                                 is_fixed=one in room.special) for one in reversed(days)]
        return room.html(request, "calendar", N_("Campaigns and holidays"), status, days=views, done=done,
                         fields=marked(self._fields(), typed, wrong or {}))

    def _fields(self) -> tuple[InputView, ...]:
        say = self._say
        return (InputView("name", say("Name"), hint=say("Like Black Friday.")),
                InputView("kind", say("What it is"), "select",
                          choices=tuple((kind, say(word)) for kind, word in KIND_WORDS.items())),
                InputView("first", say("First day"), "date", width="half", hint=say("Like 2026-11-27.")),
                InputView("last", say("Last day"), "date", required=False, width="half",
                          hint=say("Empty: one day.")))


def days_words(one: SpecialDays, calendar: SiteCalendar, wording: Wording) -> str:
    """'Campaign, Nov 27, 2026', 'Holiday, Dec 24, 2026 to Dec 26, 2026'."""
    first, last = (wording.date(calendar.day_begins(day)) for day in (one.first, one.last))
    kind = wording.say(KIND_WORDS[one.kind])
    if one.first == one.last:
        return wording.say("%(kind)s, %(day)s", kind=kind, day=first)
    return wording.say("%(kind)s, %(first)s to %(last)s", kind=kind, first=first, last=last)


def marks_within(days: tuple[SpecialDays, ...], start_ms: int, end_ms: int, calendar: SiteCalendar, wording: Wording
                 ) -> tuple[str, ...]:
    """What is marked from one instant to another, in the order of time: 'Black Friday (Campaign, Nov 27, 2026)'."""
    first, last = calendar.day_of(start_ms), calendar.day_of(end_ms)
    return tuple(f"{one.name} ({days_words(one, calendar, wording)})" for one in days
                 if one.first <= last and first <= one.last)
