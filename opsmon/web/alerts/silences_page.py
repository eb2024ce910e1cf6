"""/silences: what is not to be said for a while: by whom, why, until when; everybody reads it on walls as well.

Threats: an alert that nobody hears because somebody left it silent (each ends within a day, has an author and a reason,
and is shown), a change nobody can account for (each is written with its line in the audit).
"""

from dataclasses import asdict
from secrets import token_hex

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsmon.core.alerting.silences import MUTE_MS, Silence
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.store.accounts.audit import Deed
from opsmon.store.accounts.changing import Changing
from opsmon.store.alerts.alert_queries import AlertBook
from opsmon.store.alerts.rule_queries import dump_silence, silences
from opsmon.store.scripts import Scripts
from opsmon.web.accounts.forms import InputView, marked
from opsmon.web.accounts.noting import address_of, who_of
from opsmon.web.alerts.alerts_page import AlertRoom
from opsmon.web.alerts.shapes import SilenceView
from opsmon.web.alerts.words import AlertWords
from opsmon.web.forms import read_form
from opsmon.web.languages import N_

LENGTHS = {"30": 30 * MINUTE_MS, "60": HOUR_MS, "240": 4 * HOUR_MS, "720": 12 * HOUR_MS, "1440": 24 * HOUR_MS}
MOST_REASON = 200
MOST_KEPT = 200
EVERYTHING = ""
DONE = {"silenced": N_("It is silent now. Walls show until when."), "ended": N_("It speaks again.")}
_NO_REASON = N_("Say why, in a few words: it is shown on walls.")
_NO_LENGTH = N_("A silence lasts from 30 minutes to 24 hours.")
_NO_RULE = N_("Choose what is to be silent.")
_FULL = N_("There are as many silences as there may be. End some first.")
_MUTED = N_("Muted for 30 minutes")
_ACTS = N_("Something can be silenced, or a silence ended.")


class SilencesPage:
    """The list and its forms."""

    def __init__(self, room: AlertRoom, changing: Changing, scripts: Scripts) -> None:
        self._room, self._changing, self._scripts = room, changing, scripts
        self._say = room.wording.say

    async def show(self, request: Request) -> Response:
        """GET /silences?rule=&alert=: what is silent, and the form for more."""
        query = request.query_params
        chosen = query.get("alert", "") or query.get("rule", "")
        return await self._shown(request, {"what": chosen},
                                 done=self._say(DONE.get(query.get("did", ""), "")))

    async def act(self, request: Request) -> Response:
        """POST /silences: silence something, mute everything for 30 minutes, or end one."""
        form = await read_form(request)
        match form.get("act"):
            case "mute":
                return await self._keep(request, EVERYTHING, (), MUTE_MS, self._say(_MUTED))
            case "silence":
                return await self._silence(request, form)
            case "end":
                return await self._end(request, form.get("id", ""))
        raise HTTPException(400, _ACTS)

    async def _silence(self, request: Request, form: dict[str, str]) -> Response:
        book, wrong = await self._room.book(), dict[str, str]()
        found = _what(book, form.get("what", ""))
        reason = " ".join(form.get("reason", "").split())
        length_ms = LENGTHS.get(form.get("length", ""))
        if found is None:
            wrong["what"] = self._say(_NO_RULE)
        if not 0 < len(reason) <= MOST_REASON:
            wrong["reason"] = self._say(_NO_REASON)
        if length_ms is None:
            wrong["length"] = self._say(_NO_LENGTH)
        if found is None or length_ms is None or wrong:
            return await self._shown(request, form, wrong, 422)
        return await self._keep(request, *found, length_ms, reason)

    async def _keep(self, request: Request, rule: str, labels: tuple[tuple[str, str], ...], length_ms: int, reason: str
                    ) -> Response:
        room, who = self._room, who_of(request)
        now_ms = room.clock.now_ms()
        kept = await silences(room.reader, room.keys)
        if len(kept) >= MOST_KEPT and not await self._forget_over(request, now_ms):
            raise HTTPException(409, _FULL)
        made = Silence(f"{now_ms:x}-{token_hex(4)}", rule, labels, now_ms + length_ms, who.name, reason, now_ms)
        await self._write(request, made, b"", dump_silence(made), "silence.begun")
        return RedirectResponse("/silences?did=silenced", 303)

    async def _end(self, request: Request, name: str) -> Response:
        found = (await silences(self._room.reader, self._room.keys)).get(name)
        if found is not None:
            await self._write(request, *found, b"", "silence.ended")
        return RedirectResponse("/silences?did=ended", 303)

    async def _write(self, request: Request, silence: Silence, before: bytes, after: bytes, what: str) -> None:
        told = {name: value for name, value in asdict(silence).items() if value}
        deed = Deed(who_of(request), what, silence.id, silence.rule, told if before else {}, told if after else {},
                    address_of(request))
        done = await self._changing.change(self._room.keys.silences, silence.id, before, after, deed)
        if done == "done":
            await self._scripts.tell_alerts(f"silence:{silence.id}", self._room.clock.now_ms())

    async def _forget_over(self, request: Request, now_ms: int) -> int:
        """Take away those that are over; how many."""
        kept = await silences(self._room.reader, self._room.keys)
        over = [(one, raw) for one, raw in kept.values() if one.until_ms <= now_ms]
        for one, raw in over:
            await self._write(request, one, raw, b"", "silence.forgotten")
        return len(over)

    async def _shown(self, request: Request, typed: dict[str, str], wrong: dict[str, str] | None = None,
                     status: int = 200, done: str = "") -> Response:
        room, now_ms = self._room, self._room.clock.now_ms()
        book, words = await room.book(), room.words(request)
        views = [_view(one, book, words, now_ms) for one in book.running(now_ms)]
        return room.html(request, "silences", N_("Silences"), status, silences=views, done=done,
                         fields=marked(self._fields(book, words), {"length": "60", **typed}, wrong or {}))

    def _fields(self, book: AlertBook, words: AlertWords) -> tuple[InputView, ...]:
        opens = [(one.alert.fingerprint, words.title(book.rules[one.alert.rule], one.alert)) for one in book.open
                 if one.alert.labels]
        rules = [(rule.id, self._say(rule.title) if rule.is_built_in else rule.title) for rule in book.rules.values()]
        lengths = tuple((name, words.wording.duration(ms)) for name, ms in LENGTHS.items())
        return (InputView("what", self._say("What is to be silent"), "select",
                          choices=((EVERYTHING, self._say("Everything")), *opens, *rules)),
                InputView("length", self._say("For"), "select", choices=lengths, width="half"),
                InputView("reason", self._say("Why"), hint=self._say("It is shown on walls, with your name.")))


def _what(book: AlertBook, chosen: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """The rule and labels that were chosen: everything, a rule, or one alert of a rule with several."""
    if chosen == EVERYTHING or chosen in book.rules:
        return chosen, ()
    alert = next((one.alert for one in book.alerts if one.alert.fingerprint == chosen), None)
    return (alert.rule, alert.labels) if alert is not None else None


def _view(silence: Silence, book: AlertBook, words: AlertWords, now_ms: int) -> SilenceView:
    left = words.wording.age(max(silence.until_ms - now_ms, 0))
    until = words.wording.say("until %(time)s, %(left)s more", time=words.at(silence.until_ms, now_ms), left=left)
    return SilenceView(silence.id, words.silenced(book, silence), until, silence.reason, silence.author)
