"""Every word of every page comes from the catalogue: in a made-up language English that is left over stands out.

Its letters are wide ones (Ｏｒｄｅｒｓ), its numbers and dates those of Greek, so that a word in plain Latin letters is
either a name that is the same in every language or one that nobody can translate.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from babel.messages.catalog import Catalog
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.access import LOCAL
from opsmon.core.alerting.life import new_alert
from opsmon.core.boards import BOARDS
from opsmon.core.kpis import KPIS, ROLLUPS
from opsmon.core.said import Said
from opsmon.settings import Settings
from opsmon.store.accounts.people import People
from opsmon.store.alerts.outbox import Outbox
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.alerts.telling_queries import Attempt, Standing
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from opsmon.web import languages, rendering
from tests.conftest import NOW_MS
from tests.http import request
from tests.line import Line, open_line
from tests.orders import order
from tests.store.dead import keep, letter
from tests.translations import plain, template
from tests.web.accounts.accounts import KEYS, paired, signed_in, with_admin
from tests.web.alerts.past_month import log, month
from tests.workers.alerting.outbox import BEN, put
from tests.workers.alerting.outbox import keep as keep_telling

pytestmark = pytest.mark.anyio

WIDE = {code: code - 0x21 + 0xFF01 for code in (*range(0x41, 0x5B), *range(0x61, 0x7B))}
LATIN = re.compile(r"[A-Za-z][A-Za-z'’]+")
SPOKEN_ATTRIBUTES = ("aria-label", "title", "alt", "placeholder")
# Their text is to be copied, run or drawn, or is what somebody sent. Events are told as programs wrote them.
SILENT = {"script", "style", "code", "pre", "textarea"}
# What is called the same in every language: programs, formats, and what this test sends.
NAMES = {"BLAKE", "BLAKE2b", "Berlin", "CSV", "CloudEvents", "Deutsch", "EUR", "English", "Europe", "Id", "JSON",
         "MB", "Odoo", "SKU", "Shopify", "Standard", "Valkey", "Webhooks", "WooCommerce", "always",
         "appendfsync", "everysec", "fsync", "kB", "ms", "nothing", "opsmon"}
SENT = {"Anna", "DE", "Halle", "Linie", "TENT", "boat", "cart", "cold", "com", "create", "from", "local", "mails",
        "myshopify", "not", "orders", "pack", "paper", "parcels", "pick", "resize", "room", "web"}
# A sentence about facts names their fields, as whoever sends them writes them.
FACT = re.compile(r"\b[a-z]+\.[a-z]+\b")
FIELDS = {word for one in ROLLUPS for word in (one.value, one.of, *one.by)} | {
    word for one in ROLLUPS for said in (*one.where, *one.hits)
    for word in (said.field, said.operator, *re.findall(r"\w+", str(said.value)))}


class Spoken(HTMLParser):
    """The texts of a page that are read, by eye or aloud."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in SPOKEN_ATTRIBUTES and value]
        if tag in SILENT or (tag, "class", "explained__event") in [(tag, *one) for one in attrs]:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open and data.strip():
            self.found.append(" ".join(data.split()))


def widened(text: str) -> str:
    """A text in the made-up language: what is put into it stays."""
    parts = re.split(r"(%\(\w+\)s|\{\w+\}|\w+ = (?:\"[^\"]*\"|\[[^]]*\])|/[\w/]+)", text)
    return "".join(part if at % 2 else part.translate(WIDE) for at, part in enumerate(parts))


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The language, in the place of Greek: one file."""
    made = template()
    made.locale = Catalog(locale="el").locale
    for one in made:
        if one.id:
            one.string = widened(one.id) if isinstance(one.id, str) else tuple(map(widened, one.id))
    (tmp_path / "locales" / "el").mkdir(parents=True)
    (tmp_path / "locales" / "el" / "messages.po").write_bytes(plain(made, "el"))
    monkeypatch.setattr(languages, "LOCALES", tmp_path / "locales")
    yield
    languages.messages.cache_clear()
    rendering.environment.cache_clear()


@pytest.fixture
async def greek(made_up: None, settings: Settings, clock: ManualClock, store: Redis) -> AsyncIterator[Line]:
    """A site that speaks it, and has something of everything."""
    async with open_line(replace(settings, locale="el"), clock, store, b"a-secret-of-the-shop") as line:
        yield line


async def fill(line: Line, settings: Settings) -> None:
    """Orders of today and of last week, what programs tell, what pages tell, a delivery nobody can use."""
    week_ms = 7 * 24 * 3_600_000
    for number, placed_ms in ((1001, NOW_MS - week_ms), (1002, NOW_MS - 90_000), (1003, NOW_MS)):
        await line.post("orders/create", order(number, placed_ms=placed_ms, shipping_address={"country_code": "DE"}))
    data: list[tuple[str, dict[str, Any]]] = [
        ("gauge.set", {"name": "cold room", "value": 4}), ("count.add", {"name": "parcels", "value": 3}),
        ("queue.depth", {"queue": "mails", "depth": 7}), ("user.active", {"user": "u1"}),
        ("stage.moved", {"stage": "pick", "person": "Anna", "station": "Halle", "line": "Linie"}),
        ("item.scanned", {"person": "Anna", "station": "Halle", "sku": "TENT"}),
        ("function.called", {"class": "resize", "ms": 40}),
        *[("api.request", {"endpoint": "/cart", "ms": 40, "status": 500})] * 30,
    ]
    body = b"\n".join(orjson.dumps({"id": f"e{at}", "type": kind, "data": one} | (
        {"key": "o1"} if kind == "stage.moved" else {})) for at, (kind, one) in enumerate(data))
    token = DataDir(settings.data).test_secret()
    answer = await request(line.port, "POST", "/ingest/events", body, {"authorization": f"Bearer {token}"})
    assert answer.json["refused"] == []
    await keep(line.store, letter(1, b"{"))
    await line.work()


def left(html: str) -> set[str]:
    """Texts of a page with words in plain letters that are none of the names."""
    return {text for text in Spoken(html).found
            if set(LATIN.findall(_bare(text))) - (NAMES | SENT | (FIELDS if FACT.search(text) else set()))}


def _bare(text: str) -> str:
    """Without addresses, those of people too, settings and ids of KPIs and facts, which are names too."""
    return re.sub(r"https?://\S+|\S+@\S+|/[\w./?=&-]+|\b\w+(?:[._]\w+)+\b", "", text)


PAGES = ["/", *(f"/{kind}/{board.id}" for kind in ("b", "wall") for board in BOARDS), "/status", "/sources",
         "/dead-letters", "/dead-letters?source=shopify&reason=none", "/offline", "/boards", "/b/sales/edit",
         "/b/sales/add", "/b/sales?channel=web", "/search", "/search?q=zzz", "/search?q=sales", "/keys", "/pair",
         "/screens", "/screens/pair",
         "/wall/sales+operations?inches=32&metres=30", "/wall/sales?money=off", "/wall/sales?turn=1", "/nowhere",
         "/kpi/nothing", "/people", "/tokens", "/audit", "/profile", "/login", "/welcome/none", "/invite/none",
         *(f"/enter?what={what}" for what in ("order", "count", "gauge", "move", "scan")),
         *(f"/kpi/{kpi.id}" for kpi in KPIS), "/kpi/orders-today?span=week", "/kpi/revenue-today?span=year"]


async def test_no_page_of_a_busy_site_says_a_word_in_english(greek: Line, settings: Settings) -> None:
    """All pages there are, with orders, floor, programs and a delivery that cannot be used."""
    await fill(greek, settings)
    assert "\n".join(sorted(set().union(*[left((await greek.get(path)).text) for path in PAGES]))) == ""


async def test_no_page_of_a_new_site_says_a_word_in_english(greek: Line) -> None:
    """Before the first order: what to do, and what would fill each tile."""
    assert "\n".join(sorted(set().union(*[left((await greek.get(path)).text) for path in PAGES]))) == ""


async def test_no_page_of_alerts_that_were_says_a_word_in_english(greek: Line) -> None:
    """Figures, what is wrong with rules and what may be done; the time line of one; who could not be told, and why."""
    rules = await all_rules(Reader(greek.store), KEYS)
    await log(greek.store, month(rules))
    gone = replace(new_alert("past-sla"), state="resolved", id="r1", began_ms=NOW_MS, ended_ms=NOW_MS, verdict="other")
    await put(greek.store, gone)
    await keep_telling(greek.store, BEN)
    why = Said("the address answered %(status)s", status=503)
    await Outbox(greek.store, KEYS).settle((), (), [Attempt(NOW_MS, "ben", "monthly", "", "failed", why)],
                                           {"ben": Standing(0, 0, NOW_MS, why)},
                                           [{"key": "k", "word": "fired", "receiver": "ben", "at": "1", "why": why}])
    paths = ("/alerts/quality", "/alerts/quality?did=later&rule=past-sla", f"/alerts/{gone.fingerprint}", "/receivers")
    found = {path: left((await greek.get(path)).text.replace("Ben", "")) for path in paths}
    assert {path: texts for path, texts in found.items() if texts} == {}


async def told(greek: Line, path: str, cookie: str = "", form: dict[str, str] | None = None, host: str = "") -> str:
    """What a page says to whoever has this cookie; of a form, where it was sent."""
    headers = {"cookie": cookie} if cookie else {}
    headers |= {"host": host} if host else {}
    if form is None:
        return (await request(greek.port, "GET", path, b"", headers)).text
    headers |= {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    return (await request(greek.port, "POST", path, urlencode(form).encode(), headers)).text


async def test_the_way_in_says_no_word_in_english(greek: Line, settings: Settings) -> None:
    """The first account, an invitation, a new password, wrong ones and too many of them."""
    secret = DataDir(settings.data).first_secret()
    people = People(greek.store, Reader(greek.store), KEYS)
    found = {path: await told(greek, path) for path in (f"/welcome/{secret}", "/login")}
    found["typed"] = await told(greek, f"/welcome/{secret}", form={"email": "x", "password": "short"})
    _, made, invitation = await people.add(LOCAL, "", "ana@shop.example", "Anna", "admin", NOW_MS)
    reset = await people.link(made, "reset")
    await with_admin(greek.store)
    found |= {kind: await told(greek, f"/invite/{one}") for kind, one in (("invite", invitation), ("reset", reset))}
    found["weak"] = await told(greek, f"/invite/{invitation}", form={"password": "password123"})
    tries = [await told(greek, "/login", form={"email": "local@shop", "password": "wrong"}) for _ in range(6)]
    found |= {"over": await told(greek, f"/welcome/{secret}"), "used": await told(greek, "/invite/none"),
              "wrong": tries[0], "too often": tries[-1], "host": await told(greek, "/login", host="not.local")}
    assert {path: left(html) for path, html in found.items()} == {path: set() for path in found}


async def test_who_is_turned_away_reads_no_word_in_english(greek: Line) -> None:
    """A profile, a page for others, a form of another page, a screen where people are, nobody at all."""
    viewer = await signed_in(greek.store, "viewer", NOW_MS)
    screen = await paired(greek.store, NOW_MS)
    found = {path: await told(greek, path, viewer) for path in ("/profile", "/people", "/enter", "/screens")}
    found |= {"seal": await told(greek, "/profile", viewer, {"act": "save"}), "screen": await told(
        greek, "/b/sales", screen), "nobody": await told(greek, "/profile", form={"act": "save"})}
    assert all("<h1" in html for html in found.values())
    # What they are called here.
    said = {path: left(html.replace("Ana viewer", "").replace("Hall", "")) for path, html in found.items()}
    assert said == {path: set() for path in found}


async def test_left_over_english_is_found() -> None:
    """The test above would not stay silent."""
    assert left('<p aria-label="Orders">Ｏｒｄｅｒｓ <code>of</code> Berlin</p>') == {"Orders"}
