"""A site whose every text says what a test wants: what people typed, what vendors sent, what programs told."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from urllib.parse import quote, urlencode

import orjson
from redis.asyncio import Redis

from opsmon.app.site import board_store
from opsmon.clock import ManualClock
from opsmon.core.access import person
from opsmon.core.board_records import cleaned, parse
from opsmon.core.definitions import read_definitions
from opsmon.core.kpis import BUILT_IN
from opsmon.settings import Settings
from opsmon.store.accounts.audit import Deed, note_deed
from opsmon.store.accounts.records import PairedScreen, Person, Session, Token, written
from opsmon.store.accounts.secrets import hashed, new_secret
from opsmon.store.data_dir import DataDir
from opsmon.web.route_table import Row, route_table
from tests.conftest import NOW_MS, SECRET
from tests.http import Answer, request
from tests.line import Line, open_line
from tests.orders import order
from tests.store.dead import keep, letter
from tests.web.accounts.accounts import HOUR_MS, KEYS, with_admin

FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
# In each address one that is there; and what is asked of any page.
EXAMPLES = {"{board}": ["own", "today"], "{id}": ["own-kpi", "top-products"], "{secret}": ["x"], "{name}": ["shopify"]}
ASKED = ("q", "code", "did", "screen", "who", "what", "about", "next", "source", "reason", "at", "before", "range",
         "from", "to", "by", "only", "theme", "lang", "page")
# What answers no page.
NOT_PAGES = re.compile(r"/(live|static/.*|metrics|readyz|livez|components|api/.*|.*\.(csv|json|ndjson|js|webmanifest))")


@asynccontextmanager
async def naughty_line(settings: Settings, clock: ManualClock, store: Redis, text: str
                       ) -> AsyncIterator[tuple[Line, str]]:
    """A running opsmon that is full of this text, and the cookie of an admin of that name."""
    tables = [{"id": "own-kpi", "label": _short(text, 40), "definition": _short(text, 200), "on": "till.opened",
               "measure": "count", "window": "today"}]
    catalogue, problems = read_definitions(tables, BUILT_IN)
    assert problems == []
    own = replace(settings, catalogue=catalogue)
    cookie = await _people(store, text)
    async with open_line(own, clock, store, SECRET.encode()) as line:
        await _board(line, own, clock, text)
        await _vendors(line, settings, text)
        await _journals(line, text)
    # Started when all is there, so that every page shows it at once.
    async with open_line(own, clock, store, SECRET.encode()) as line:
        yield line, cookie


def _short(text: str, most: int) -> str:
    return cleaned("".join(letter for letter in text if letter.isprintable()), most) or "x"


async def _people(store: Redis, text: str) -> str:
    await with_admin(store)
    secret = new_secret()
    ana = Person("ana", "ana@shop.example", text, "admin", "x", teams=(text,), made_ms=NOW_MS)
    ben = Person("ben", "ben@shop.example", text, "viewer", teams=(text, "Returns"), made_ms=NOW_MS)
    for one in (ana, ben):
        await store.hset(KEYS.people, one.id, written(one))
    session = Session("ana", NOW_MS, NOW_MS + HOUR_MS, NOW_MS, "192.0.2.1", text)
    await store.set(KEYS.session(hashed(secret)), written(session), px=HOUR_MS)
    await store.zadd(KEYS.sessions, {f"ana {hashed(secret)}": session.ends_ms})
    hall = PairedScreen("hall", text, hashed("x"), "own", paired_ms=NOW_MS, paired_by=text)
    await store.hset(KEYS.screens, "hall", written(hall))
    sheet = Token("a-hash", text, ("numbers",), NOW_MS, "ana", NOW_MS + HOUR_MS)
    await store.hset(KEYS.tokens, "a-hash", written(sheet))
    return f"opsmon-session={secret}"


async def _board(line: Line, settings: Settings, clock: ManualClock, text: str) -> None:
    board, wrong = parse({"board": "own", "title": _short(text, 40), "rows": [{"cadence": "near", "tiles": [
        {"kpi": "own-kpi", "size": "M", "title": _short(text, 40), "wall": 1},
        {"kpi": "top-products", "size": "wide", "wall": 2}, {"kpi": "gauges", "size": "wide", "wall": 3}]}]})
    assert board is not None, wrong
    await board_store(line.store, settings, clock).save("own", board, 0)
    assert line.web.feed is not None
    await line.web.feed.take_boards()


async def _vendors(line: Line, settings: Settings, text: str) -> None:
    items = [{"sku": text, "title": text, "name": text, "vendor": text, "quantity": 1, "price": "49.90"}]
    who = {"country_code": text, "province": text, "city": text, "first_name": text}
    told = order(1, name=text, line_items=items, source_name=text, note=text, tags=text, shipping_address=who,
                 customer={"id": 7, "first_name": text}, financial_status=text, gateway=text)
    assert (await line.post("orders/create", told)).status == 200
    assert (await line.post("orders/create", order(2, line_items=items))).status == 200
    events = [{"type": "till.opened", "id": "1", "data": {"name": text}},
              {"type": "gauge.set", "id": "2", "data": {"name": text, "value": 3}},
              {"type": "count.add", "id": "3", "data": {"name": text, "value": 3}},
              {"type": "item.scanned", "id": "4", "data": {"person": text, "station": text, "quantity": 1}},
              {"type": "queue.depth", "id": "5", "data": {"queue": text, "depth": 1}},
              {"type": "api.request", "id": "6", "data": {"endpoint": text, "status": 500, "ms": 1}},
              {"type": text, "id": text, "data": text}]
    token = DataDir(settings.data).test_secret()
    await request(line.port, "POST", "/ingest/events", orjson.dumps(events), {"authorization": f"Bearer {token}"})
    said = {"id": "e1", "name": "page.viewed", "visitor": "v-1", "ago": 0, "data": {"path": text, "referrer": text}}
    await request(line.port, "POST", "/collect", orjson.dumps([said]), {"content-type": "text/plain"})
    await line.work()


async def _journals(line: Line, text: str) -> None:
    await keep(line.store, letter(9_001, text.encode(), text), letter(9_002, orjson.dumps({"id": text}), "not JSON"))
    deed = Deed(person("ana", text, "admin"), text, text, text, {"title": text}, {"title": f"{text}!"}, text)
    await note_deed(line.store, KEYS, deed)


async def letters(line: Line) -> list[str]:
    """The pages of the dead letters there are."""
    return [f"/dead-letters/{entry_id.decode()}" for entry_id, _ in await line.store.xrange(KEYS.dead)]


def addresses(text: str) -> Iterator[tuple[str, str]]:
    """Every page of the table of routes, plain, and asked with the text in every parameter: its name and address."""
    asked = "&".join(f"{name}={quote(text, safe='')}" for name in ASKED)
    for row in route_table():
        if "GET" in row.methods and not NOT_PAGES.fullmatch(row.path):
            for path in _examples(row):
                yield path, path
                yield f"{path}?…", f"{path}?{asked}"
                yield from ((f"{path}?{more}",) * 2 for more in MORE.get(row.path, ()))
    yield from ((f"{path}…", f"{path}{quote(text, safe='')}") for path in ("/", "/kpi/", "/b/", "/wall/"))


MORE = {"/enter": [f"what={what}" for what in ("order", "count", "gauge", "move", "scan")]}


def _examples(row: Row) -> list[str]:
    found = [row.path]
    for name, values in EXAMPLES.items():
        found = [one.replace(name, value) for one in found for value in values]
    return list(dict.fromkeys(found))


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, and what it sends when nothing is typed; `typed` are fields of text."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Forms(HTMLParser):
    """Every form of a page that is posted."""

    path: str
    found: list[Form] = field(default_factory=list)
    _open: Form | None = None

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form" and told.get("method") == "post":
            self._open = Form(told.get("action") or self.path)
            self.found.append(self._open)
        elif self._open is not None and "name" in told and tag in ("input", "textarea", "button", "select"):
            kind = told.get("type", "text" if tag == "input" else tag)
            if kind in ("text", "search", "email", "password", "number", "time", "textarea", "select", "url", "tel"):
                self._open.typed.append(told["name"])
            if kind not in ("checkbox", "radio", "file"):
                self._open.fields.setdefault(told["name"], told.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


async def forms_on(line: Line, cookie: str, path: str) -> list[Form]:
    """The forms of a page, but the one that signs out."""
    found = Forms(path)
    found.feed((await line.get(path, cookie=cookie)).text)
    return [one for one in found.found if one.action != "/logout"]


async def send(line: Line, cookie: str, form: Form, text: str, *, also_hidden: bool) -> Answer:
    """Send a form with the text in every field that can be typed in; or in all but what seals it."""
    names = [name for name in form.fields if name != "csrf"] if also_hidden else form.typed
    said = form.fields | dict.fromkeys(names, text)
    return await request(line.port, "POST", form.action, urlencode(said).encode(), {**FORM, "cookie": cookie})
