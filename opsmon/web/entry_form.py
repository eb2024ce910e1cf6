"""/enter: orders, counts, gauges, moves and scans by hand, from a phone as from a desk. Works without scripts.

What is entered goes the way of every event: into the stream, counted by a worker. A form carries an id, so that
two taps on its button, or the same page sent again, count once.
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from opsmon.clock import Clock
from opsmon.core.errors import StoreUnavailable
from opsmon.core.events import Event
from opsmon.sources.manual_entries import FIELDS, SOURCE, Entry, ManualEntries, What, Wrong, cleaned
from opsmon.store.appender import Appender
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.event_stream import checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.meta import read_meta
from opsmon.store.scripts import Taken
from opsmon.web import rendering
from opsmon.web.bodies import ClientGone, read_body
from opsmon.web.entry_views import KEPT, DoneView, EntryView, entry_view
from opsmon.web.pages import Pages
from opsmon.web.wording import Wording

MAX_BODY = 16 * 1024
MAX_FIELDS = 30
BODY_DEADLINE_S = 5.0
_AWAY = ("The store did not confirm: this may not have been entered. Send it again as it is; it counts once.")
_NO_UNDO = "This cannot be taken back here: it was entered more than a day ago."

_WHERE = {"station": "at", "line": "on line", "person": "by"}


class EntryForm:
    """The page and what is sent from it."""

    def __init__(self, pages: Pages, entries: ManualEntries, appender: Appender, meta: tuple[Reader, Keys],
                 wording: Wording, currency: str | None, clock: Clock) -> None:
        self._pages, self._entries, self._appender, self._clock = pages, entries, appender, clock
        self._meta, self._wording, self._currency = meta, wording, currency

    async def answer(self, request: Request) -> Response:
        """GET gives a form, POST takes one."""
        return await (self._take if request.method == "POST" else self._show)(request)

    async def _show(self, request: Request) -> Response:
        what = _what(request.query_params.get("what", ""))
        return self._page(request, entry_view(what, self._form_id(), await self._usual(what, {}), {}))

    async def _take(self, request: Request) -> Response:
        try:
            body = await read_body(dict(request.scope["headers"]), request.receive, MAX_BODY, BODY_DEADLINE_S)
        except (ClientGone, TimeoutError):
            return PlainTextResponse("The form did not arrive.\n", 408, {"connection": "close"})
        said = _said(body) if body is not None else None
        if said is None:
            return PlainTextResponse("This is no form of opsmon's.\n", 413, {"connection": "close"})
        return await (self._undo if "of" in said else self._enter)(request, said)

    async def _enter(self, request: Request, said: Mapping[str, str]) -> Response:
        what, form_id = _what(said.get("what", "")), said.get("form", "")
        values = {one.name: cleaned(said.get(one.name, "")) for one in FIELDS[what]}
        read = self._entries.read(what, form_id, values, self._clock.now_ms())
        if isinstance(read, Wrong):
            form_id = self._form_id() if "" in read.fields else form_id
            view = entry_view(what, form_id, values, read.fields, trouble=read.fields.get("", ""))
            return self._page(request, view, 422)
        try:
            outcome = await self._append(read.event)
        except StoreUnavailable:
            return self._page(request, entry_view(what, form_id, values, {}, trouble=_AWAY), 503)
        return await self._done(request, what, values, read, is_new=outcome == "event")

    async def _undo(self, request: Request, said: Mapping[str, str]) -> Response:
        what = _what(said.get("of", ""))
        event = self._entries.undo(said, self._clock.now_ms())
        usual = await self._usual(what, {})
        if event is None:
            return self._page(request, entry_view(what, self._form_id(), usual, {}, trouble=_NO_UNDO), 422)
        text = cleaned(said.get("text", ""))[:200]
        try:
            await self._append(event)
        except StoreUnavailable:
            view = entry_view(what, self._form_id(), usual, {}, trouble=_AWAY, done=_again(text, said))
            return self._page(request, view, 503)
        done = DoneView(f"Taken back: {text}" if text else "Taken back.")
        return self._page(request, entry_view(what, self._form_id(), usual, {}, done=done))

    async def _done(self, request: Request, what: What, values: Mapping[str, str], entry: Entry, *, is_new: bool
                    ) -> Response:
        """A new form, with what the next entry is likely to share."""
        text = self._told(what, values, entry.event)
        undo = tuple({**entry.undo, "text": text}.items()) if entry.undo else ()
        kept = {name: value for name, value in values.items() if name in KEPT[what]}
        done = DoneView(f"{'Entered' if is_new else 'Entered once, sent twice'}: {text}", undo)
        return self._page(request, entry_view(what, self._form_id(), await self._usual(what, kept), {}, done=done))

    def _told(self, what: What, values: Mapping[str, str], event: Event) -> str:
        """An entry in words, as it was understood."""
        data, number = event.data, self._wording.number
        if what == "order":
            named = f"order {data['name']}" if data["name"] else "an order"
            when = f", {self._wording.day_and_hour(event.time_ms)}" if values["time"] else ""
            return f"{named}, {self._wording.money(data['total_minor'], data['currency'])}{when}"
        if what == "count":
            return f"{'+' if data['value'] > 0 else ''}{number(data['value'])} {data['name']}"
        if what == "gauge":
            return f"{data['name']} shows {number(data['value'])}"
        where = " ".join(f"{word} {data[name]}" for name, word in _WHERE.items() if name in data)
        moved = f"order {values['order']} to {data['stage']}" if what == "move" else (
            f"{number(data['quantity'])} × {data.get('sku') or 'no SKU'}")
        return f"{moved} {where}".strip()

    async def _append(self, event: Event) -> str:
        payload = encode(event)
        return await self._appender.append(Taken("event", SOURCE, event.id, payload, checksum(payload)))

    async def _usual(self, what: What, kept: Mapping[str, str]) -> dict[str, str]:
        """What stands in a form before anybody types: the site's currency."""
        if what != "order" or kept.get("currency"):
            return dict(kept)
        currency = self._currency
        with suppress(*STORE_ERRORS):  # without its store the form can still be read, and filled in
            currency = currency or (await read_meta(*self._meta)).currency
        return {**kept, "currency": currency or ""}

    def _form_id(self) -> str:
        return f"{self._clock.now_ms():x}-{secrets.token_hex(8)}"

    def _page(self, request: Request, view: EntryView, status: int = 200) -> Response:
        html = rendering.page("entry", page=self._pages.view("Enter by hand", "board", request), entry=view)
        # Coming back to it has to give another form: the id of this one may be used up.
        return HTMLResponse(html, status, {"cache-control": "no-store"})


def _again(text: str, said: Mapping[str, str]) -> DoneView:
    undo = [(name, said[name]) for name in ("of", "entry", "name", "value", "at") if name in said]
    return DoneView(f"Still entered: {text}", (*undo, ("text", text)))


def _what(text: str) -> What:
    return next((what for what in FIELDS if what == text), "order")


def _said(body: bytes) -> dict[str, str] | None:
    """The fields of a form as browsers send it; None for what is none."""
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return None
