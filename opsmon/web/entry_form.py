"""/enter: orders, counts, gauges, moves and scans by hand, from a phone as from a desk. Works without scripts.

What is entered goes the way of every event: into the stream, counted by a worker. A form carries an id, so that
two taps on its button, or the same page sent again, count once.
"""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opsmon.clock import Clock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import StoreUnavailable
from opsmon.core.events import Event
from opsmon.sources.manual_entries import FIELDS, SOURCE, ManualEntries, What, Wrong, cleaned
from opsmon.store.appender import Appender
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.event_stream import checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.meta import read_meta
from opsmon.store.row_queries import rows_of
from opsmon.store.scripts import Taken
from opsmon.web import rendering
from opsmon.web.accounts.noting import Noting
from opsmon.web.entry_views import CHOICES, KEPT, DoneView, entry_view
from opsmon.web.forms import read_form
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.wording import Wording

ENTRY_BYTES = 16 * 1024
# What a form offers is not worth a longer wait.
KNOWN_WITHIN_S = 0.5
_AWAY = N_("The store did not confirm: this may not have been entered. Send it again as it is; it counts once.")
_UNDO_AWAY = N_("The store did not confirm: this may still be entered. Try again; it is taken back once.")
_NO_UNDO = N_("This cannot be taken back here: it was entered more than a day ago.")

_WHERE = {"station": N_("at %(name)s"), "line": N_("on line %(name)s"), "person": N_("by %(name)s")}


class EntryForm:
    """The page and what is sent from it."""

    def __init__(self, pages: Pages, entries: ManualEntries, appender: Appender, meta: tuple[Reader, Keys],
                 calendar: SiteCalendar, wording: Wording, currency: str | None, clock: Clock,
                 noting: Noting) -> None:
        self._noting = noting
        self._pages, self._entries, self._appender, self._clock = pages, entries, appender, clock
        self._meta, self._calendar, self._wording, self._currency = meta, calendar, wording, currency

    async def answer(self, request: Request) -> Response:
        """GET gives a form, POST takes one."""
        return await (self._take if request.method == "POST" else self._show)(request)

    async def _show(self, request: Request) -> Response:
        return await self._page(request, _what(request.query_params.get("what", "")))

    async def _take(self, request: Request) -> Response:
        said = await read_form(request)
        return await (self._undo if "of" in said else self._enter)(request, said)

    async def _enter(self, request: Request, said: Mapping[str, str]) -> Response:
        what, form_id = _what(said.get("what", "")), said.get("form", "")
        values = {one.name: cleaned(said.get(one.name, "")) for one in FIELDS[what]}
        read = self._entries.read(what, form_id, values, self._clock.now_ms())
        if isinstance(read, Wrong):
            trouble = read.fields.get("", "")
            return await self._page(request, what, values, read.fields, form_id="" if trouble else form_id,
                                    trouble=trouble, status=422)
        try:
            is_new = await self._append(read.event) == "event"
        except StoreUnavailable:
            return await self._page(request, what, values, form_id=form_id, trouble=_AWAY, status=503)
        text = self._told(what, values, read.event)
        if is_new:
            await self._note(request, f"entry.{what}", read.event, text)
        undo = tuple({**read.undo, "text": text}.items()) if read.undo else ()
        kept = {name: value for name, value in values.items() if name in KEPT[what]}
        said_now = N_("Entered: %(entry)s") if is_new else N_("Entered once, sent twice: %(entry)s")
        done = DoneView(self._wording.say(said_now, entry=text), undo)
        return await self._page(request, what, kept, done=done)

    async def _undo(self, request: Request, said: Mapping[str, str]) -> Response:
        what, text = _what(said.get("of", "")), cleaned(said.get("text", ""))[:200]
        event = self._entries.undo(said, self._clock.now_ms())
        if event is None:
            return await self._page(request, what, trouble=_NO_UNDO, status=422)
        try:
            is_new = await self._append(event) == "event"
        except StoreUnavailable:
            return await self._page(request, what, trouble=_UNDO_AWAY, done=self._again(text, said), status=503)
        if is_new:
            await self._note(request, "entry.taken_back", event, text)
        return await self._page(request, what, done=DoneView(
            self._wording.say("Taken back: %(entry)s", entry=text) if text else self._wording.say("Taken back.")))

    def _told(self, what: What, values: Mapping[str, str], event: Event) -> str:
        """An entry in words, as it was understood."""
        data, number, say = event.data, self._wording.number, self._wording.say
        if what == "order":
            named = say("order %(name)s", name=data["name"]) if data["name"] else say("an order")
            when = f", {self._wording.day_and_hour(event.time_ms)}" if values["time"] else ""
            return f"{named}, {self._wording.money(data['total_minor'], data['currency'])}{when}"
        if what == "count":
            return f"{'+' if data['value'] > 0 else ''}{number(data['value'])} {data['name']}"
        if what == "gauge":
            return say("%(name)s shows %(value)s", name=data["name"], value=number(data["value"]))
        where = " ".join(say(words, name=data[name]) for name, words in _WHERE.items() if name in data)
        moved = say("order %(name)s to %(stage)s", name=values["order"], stage=data["stage"]) if what == "move" else (
            f"{number(data['quantity'])} × {data.get('sku') or say('no SKU')}")
        return f"{moved} {where}".strip()

    def _again(self, text: str, said: Mapping[str, str]) -> DoneView:
        undo = [(name, said[name]) for name in ("of", "entry", "name", "value", "at") if name in said]
        return DoneView(self._wording.say("Still entered: %(entry)s", entry=text), (*undo, ("text", text)))

    async def _note(self, request: Request, what: str, event: Event, text: str) -> None:
        """One line of the audit, behind the entry and not in its script: that is the one of every webhook, and is to
        stay as quick as it is. A store that goes away in between costs the line; the event says when and what."""
        with suppress(*STORE_ERRORS):
            await self._noting.note(request, what, event.id, text)

    async def _append(self, event: Event) -> str:
        payload = encode(event)
        return await self._appender.append(Taken("event", SOURCE, event.id, payload, checksum(payload)))

    async def _page(self, request: Request, what: What, values: Mapping[str, str] | None = None,
                    wrong: Mapping[str, str] | None = None, *, form_id: str = "", trouble: str = "",
                    done: DoneView | None = None, status: int = 200) -> Response:
        """A form, with these values; without an id a new one."""
        form_id = form_id or f"{self._clock.now_ms():x}-{secrets.token_hex(8)}"
        currency, choices = await self._known(what)
        values = values or {}
        if not wrong and not values.get("currency"):
            values = {**values, "currency": currency}
        wording, wrong = self._wording, {name: self._wording.say(why) for name, why in (wrong or {}).items()}
        view = entry_view(what, form_id, values, wrong, wording, trouble=wording.say(trouble), done=done,
                          choices=choices)
        html = rendering.page("entry", page=self._pages.view(N_("Enter by hand"), "board", request), entry=view)
        # Coming back to it has to give another form: the id of this one may be used up.
        return HTMLResponse(html, status, {"cache-control": "no-store"})

    async def _known(self, what: What) -> tuple[str, dict[str, list[str]]]:
        """The site's currency, and what was told before. Without its store a form can still be filled in."""
        reader, keys = self._meta
        try:
            async with asyncio.timeout(KNOWN_WITHIN_S):
                meta = await read_meta(reader, keys)
                month = self._calendar.place(self._clock.now_ms()).day.span
                return self._currency or meta.currency or "", await rows_of(reader, keys, meta, CHOICES[what], month)
        except STORE_ERRORS:
            return self._currency or "", {}


def _what(text: str) -> What:
    return next((what for what in FIELDS if what == text), "order")
