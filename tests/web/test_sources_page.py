"""/sources: what it says of each source, that it is live, and what becomes of a test event."""

import ast
import asyncio
import re
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from http.client import HTTPException, RemoteDisconnected
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.health import Heard
from opsmon.core.source_health import Poll, Row, SourceFacts, is_refusal
from opsmon.listening import listen
from opsmon.settings import Settings
from opsmon.sources.base import Secret, SourceSettings
from opsmon.store.connection import worker_client
from opsmon.store.keys import Keys
from opsmon.store.refusals import flush_once
from opsmon.web.reaching import Reached, Unreached, _first_line, reach, why
from opsmon.web.server import serve
from opsmon.web.source_cards import SourceInfo, card, whole
from opsmon.web.source_words import CAUSES, EVENT_STEPS, steps_of
from opsmon.web.trials import refusal
from opsmon.web.views import SourceCardView
from opsmon.web.wording import Wording
from tests.conftest import NOW_MS
from tests.http import Answer, open_stream, request
from tests.line import Line, open_line
from tests.orders import order
from tests.waiting import wait_until_async
from tests.web.own_store import own_store
from tests.web.wire import Elements, partials

pytestmark = pytest.mark.anyio

ENGLISH = Wording("en", SiteCalendar(ZoneInfo("Europe/Berlin")))
PACKAGE = Path(__file__).parents[2] / "opsmon"
SLOTS = {"sources", "health", "source-shopify", "source-events", "source-import", "source-pixel",
         "source-floor", "source-recon"}
MINE = {"sec-fetch-site": "same-origin"}


def cards(line: Line) -> dict[str, SourceCardView]:
    """The cards as every screen has them."""
    hub = line.web.sources_hub
    assert hub is not None
    return {view.name: view for slot in hub.slots.values() if isinstance(view := slot.view, SourceCardView)}


async def shown(line: Line) -> SourceCardView:
    """Shopify's card on a page that is opened now."""
    assert (await line.get("/sources")).status == 200
    return cards(line)["shopify"]


async def press(line: Line, name: str = "shopify", **headers: str) -> Answer:
    """Press the button of a source while a worker works, as a browser does."""
    pressed = asyncio.create_task(request(line.port, "POST", f"/sources/{name}/test", b"", headers or MINE))
    while not pressed.done():
        await line.work()
        await asyncio.sleep(0)
    return await pressed


async def said(line: Line, name: str = "shopify") -> tuple[bool, str]:
    """What the page says became of a test event, the milliseconds left out."""
    await press(line, name)
    await line.get("/sources")
    trial = cards(line)[name].trial
    assert trial is not None
    return trial.went_well, re.sub(r"\d+ ms", "N ms", trial.text)


# --- what it says -----------------------------------------------------------------------------------------------


async def test_a_new_site_is_told_what_to_do(line: Line) -> None:
    """Where Shopify is to send, and which setting the secret goes into."""
    view = await shown(line)
    text = "".join(part.text for step in view.steps for part in step.parts)
    assert (view.state, view.is_open, "/webhooks/shopify" in text, "OPSMON_SHOPIFY_SECRETS" in text) == (
        "never", True, True, True)


async def test_a_source_that_was_heard_is_well(line: Line) -> None:
    """With what came in, and how long it was on its way."""
    await line.post("orders/create", order(updated_ms=NOW_MS - 2_000))
    await line.work()
    view = await shown(line)
    assert (view.state, view.last_ms, view.in_5_minutes, view.in_an_hour, view.lag, view.counts[0]) == (
        "well", NOW_MS, "1", "1", "2 sec", ("Accepted", "1"))


async def test_a_wrong_secret_is_told_with_its_cause(line: Line, clock: ManualClock) -> None:
    """What most of those who connect a shop run into first."""
    await line.post("orders/create", order(), x_shopify_hmac_sha256="d3Jvbmc=")
    assert line.web.webhooks is not None
    await flush_once(line.store, Keys("main"), line.web.webhooks.refused, clock)
    view = await shown(line)
    html = (await line.get("/sources")).text
    assert (view.state, view.sentence, [one.reason for one in view.refusals]) == (
        "refusing", "The last delivery was refused.", ["bad_signature"])
    assert "The body was changed on its way" in html


async def test_an_address_of_this_machine_says_what_it_lacks(line: Line) -> None:
    """Shopify cannot reach 127.0.0.1."""
    assert "OPSMON_PUBLIC_URL" in (await shown(line)).hint


async def test_the_public_address_is_the_one_that_is_shown(settings: Settings, clock: ManualClock, store: Redis
                                                           ) -> None:
    """The one that is given to the shop, for each source its own."""
    public = replace(settings, public_url="https://ops.example.com")
    async with open_line(public, clock, store, b"s") as line:
        view = await shown(line)
    steps = "".join(part.text for step in view.steps for part in step.parts)
    assert (view.hint, "https://ops.example.com/webhooks/shopify" in steps) == ("", True)


async def test_pages_lead_to_it(line: Line) -> None:
    """From the board, its first-run instructions, and the status."""
    found = {path: (await line.get(path)).text.count('href="/sources"') for path in ("/", "/wall", "/status")}
    assert found == {"/": 2, "/wall": 1, "/status": 1}


async def test_the_status_says_the_same_to_programs(line: Line) -> None:
    """All sources, doors of own programs among them, with the facts of the page."""
    await line.post("orders/create", order(updated_ms=NOW_MS - 2_000))
    await line.work()
    told = (await line.get("/status.json")).json["sources"]
    shopify = told["shopify"]
    assert (list(told), shopify["state"], shopify["in_an_hour"], shopify["lag_ms"], shopify["refused"]) == (
        ["shopify", "events"], "well", 1, 2_000, {})


async def test_the_status_page_lists_every_source(line: Line, clock: ManualClock) -> None:
    """With its state in words, and a reason that nobody knows as it is."""
    await flush_once(line.store, Keys("main"), Counter({"shopify:brand_new": 2}), clock)
    html = (await line.get("/status")).text
    rows = re.findall(r'<th scope="row">([^<]+)</th>\n<td>([^<]+)</td>', html)
    assert (rows, "brand_new (2)" in html) == (
        [("Shopify", "Refusing everything"), ("Own programs", "Never heard")], True)


async def test_while_the_store_is_away_the_page_keeps_what_it_knew(settings: Settings, clock: ManualClock,
                                                                   tmp_path: Path) -> None:
    """It says so, as the board does, instead of being an error."""
    with own_store(tmp_path) as embedded:
        client = worker_client(embedded.url)
        async with open_line(replace(settings, store_url=embedded.url), clock, client, b"s") as line:
            before = await line.get("/sources")
            embedded.stop()
            after = await line.get("/sources")
        await client.aclose()
    assert (before.status, after.status, 'id="source-shopify"' in after.text) == (200, 200, True)


# --- that it is live --------------------------------------------------------------------------------------------


async def stream(line: Line, html: str) -> Any:
    """The stream of a page that was loaded."""
    asked = re.search(r'hx-sse:connect="([^"]+)"', html)
    assert asked is not None
    opened = await open_stream(line.port, asked[1].replace("&amp;", "&"), {})
    line.streams.append(opened)
    return opened


async def test_every_partial_has_its_place_in_the_page(line: Line) -> None:
    """Also of doors that nothing came by yet: their places are there, hidden."""
    html = (await line.get("/sources")).text
    ids = Elements(html).ids()
    asked = re.search(r"/live\?v=(\w+)", html)
    assert asked is not None
    opened = await open_stream(line.port, f"/live?v={asked[1]}&view=sources&since=", {})
    line.streams.append(opened)
    frame = await opened.next_frame()
    assert {target: ids.count(target) for target in partials(frame.data)} == dict.fromkeys(SLOTS, 1)


async def test_an_order_that_is_counted_shows_without_a_reload(line: Line) -> None:
    """The card goes from never heard to well before the eyes of whoever connects the shop."""
    opened = await stream(line, (await line.get("/sources")).text)
    await line.post("orders/create", order())
    await line.work()
    changed: dict[str, str] = {}
    while 'data-state="well"' not in changed.get("source-shopify", ""):
        changed |= partials((await opened.next_frame()).data)
    assert "The source that was heard is well" in changed["sources"]


async def test_a_page_that_has_everything_is_sent_nothing(line: Line) -> None:
    """It resumes from what it was made of."""
    opened = await stream(line, (await line.get("/sources")).text)
    first = await opened.next()
    assert first is not None
    assert (first.event, len(opened.messages), line.web.sources_hub is not None) == ("hb", 1, True)


async def test_while_nobody_looks_nothing_is_read(line: Line) -> None:
    """A site with no such page open pays nothing for it."""
    hub = line.web.sources_hub
    assert hub is not None
    await line.post("orders/create", order())
    await line.work()
    await wait_until_async(lambda: 'value="1"' in str(line.web.hub and line.web.hub.slots["kpi-orders-today"].partial),
                           "the order on the board")
    assert hub.slots == {}


# --- a test event -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def reachable(settings: Settings, clock: ManualClock, store: Redis) -> AsyncIterator[Line]:
    """A line whose settings say at which port it is."""
    sockets = listen("127.0.0.1", 0, boards=True)
    port = sockets[0].getsockname()[1]
    for one in sockets:
        one.close()
    async with open_line(replace(settings, public_url=f"http://127.0.0.1:{port}"), clock, store, b"s") as line:
        again = listen("127.0.0.1", port, boards=True)
        server = serve(line.web.app, again, lambda: None)
        serving = asyncio.create_task(server.serve(again))
        try:
            yield line
        finally:
            server.should_exit = True
            await serving


async def test_a_test_event_arrives_and_is_counted(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """The whole line, in milliseconds; the page stands where it was."""
    async with reachable(settings, clock, store) as line:
        answer = await press(line)
        told = await said(line)
    assert (answer.status, answer.headers["location"], told) == (
        303, "/sources#source-shopify", (True, "Arrived and counted in N ms."))


async def test_a_test_event_moves_no_number(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Nor is it the first order of a new site."""
    async with reachable(settings, clock, store) as line:
        before = await line.kpis()
        await press(line)
        after, board = await line.kpis(), (await line.get("/")).text
    moved = {name for name in before if before[name]["value"] != after[name]["value"]}
    assert (moved - {"lag-by-source"}, "No orders yet" in board) == (set(), True)


async def test_own_programs_can_be_tried_too(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """By their token."""
    async with reachable(settings, clock, store) as line:
        assert await said(line, "events") == (True, "Arrived and counted in N ms.")


async def test_a_test_event_that_nobody_counts_says_so(settings: Settings, clock: ManualClock, store: Redis,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """It is safe in the stream; the worker is what is missing."""
    monkeypatch.setattr("opsmon.web.trials.COUNTED_WITHIN_S", 0.05)
    async with reachable(settings, clock, store) as line:
        await request(line.port, "POST", "/sources/shopify/test", b"", MINE)
        trial = (await shown(line)).trial
    assert trial is not None
    assert (trial.went_well, trial.text.partition(", ")[2]) == (True, "but it is not counted yet: is a worker running?")


async def test_a_machine_that_is_another_one_is_found_out(settings: Settings, clock: ManualClock, store: Redis
                                                          ) -> None:
    """A parked domain answers 200 to everything; nothing arrives here."""
    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    parked = await asyncio.start_server(welcome, "127.0.0.1", 0)
    public = f"http://127.0.0.1:{parked.sockets[0].getsockname()[1]}"
    async with parked, open_line(replace(settings, public_url=public), clock, store, b"s") as line:
        told = await said(line)
    assert told == (False, "Something answered 200, but nothing arrived here: the address leads to another machine, or "
                           "to another opsmon.")


async def test_nobody_there_is_told_with_the_reason(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """A tunnel that is not running, for one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        public = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with open_line(replace(settings, public_url=public), clock, store, b"s") as line:
        told = await said(line)
    assert told == (False, "Could not be reached: nothing listens at 127.0.0.1: is the proxy or the tunnel running?")


async def test_a_page_from_elsewhere_cannot_press_the_button(line: Line) -> None:
    """Nobody else makes this machine send anything."""
    answers = [await request(line.port, "POST", "/sources/shopify/test", b"", headers)
               for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"})]
    assert ([answer.status for answer in answers], await line.store.exists(Keys("main").note("trial:shopify"))) == (
        [403, 403], 0)


@pytest.mark.parametrize("path, method, status", [
    ("/sources/nobody/test", "POST", 404), ("/sources/import/test", "POST", 404), ("/sources/shopify/test", "GET", 405),
])
async def test_what_has_no_button_cannot_be_pressed(line: Line, path: str, method: str, status: int) -> None:
    """It is told in a page, as everything that is not there."""
    assert (await request(line.port, method, path, b"", MINE)).status == status


async def test_one_test_event_at_a_time(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Who presses twice sends one."""
    came = 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 503 Later\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(slow, "127.0.0.1", 0)
    public = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    async with proxy, open_line(replace(settings, public_url=public), clock, store, b"s") as line:
        answers = await asyncio.gather(*(
            request(line.port, "POST", "/sources/shopify/test", b"", MINE) for _ in range(5)))
        trial = (await shown(line)).trial
    assert trial is not None
    assert (came, {answer.status for answer in answers}, trial.text) == (
        1, {303}, "The proxy answers 503: it does not reach opsmon.")


@pytest.mark.parametrize("found, text", [
    (Reached(401, "The token is missing.", "", 3), "Refused with 401. The token is missing."),
    (Reached(403, "", "", 3), "Refused with 403."),
    (Reached(404, "", "", 3), "Answered 404: nothing takes deliveries there. Does the proxy let this path through?"),
    (Reached(502, "", "", 3), "The proxy answers 502: it does not reach opsmon."),
    (Reached(503, "The store did not confirm in time.", "", 3),
     "Refused with 503. The store did not confirm in time."),
    (Reached(301, "", "https://www.example.com/", 3),
     "Answered with a redirect (301) to https://www.example.com/: senders follow none. Give them the address it leads "
     "to."),
])
def test_an_answer_is_told_with_what_it_means(found: Reached, text: str) -> None:
    """What a proxy says, and what opsmon says, are told apart."""
    assert refusal(found, ENGLISH) == text


def test_who_never_answers_is_given_up() -> None:
    """A firewall that drops what comes: nobody waits for it for ever."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        found = reach(f"http://127.0.0.1:{deaf.getsockname()[1]}/", {}, b"{}", ENGLISH, timeout_s=0.1)
    assert found == Unreached("no answer within 0.1 s: a firewall or a router may drop it on the way.")


async def test_a_port_without_tls_is_told(line: Line) -> None:
    """https where http is spoken."""
    found = await asyncio.to_thread(reach, f"https://127.0.0.1:{line.port}/", {}, b"{}", ENGLISH)
    assert found == Unreached("127.0.0.1 speaks no TLS there: is https right, and the port?")


def test_a_page_of_html_is_not_read_out() -> None:
    """Of another machine's error page nothing is shown; of a plain sentence one line."""
    assert (_first_line("<h1>502</h1>", "text/html"), _first_line("No such source.\nmore", "text/plain")) == (
        "", "No such source.")


@pytest.mark.parametrize("error, text", [
    (socket.gaierror(-2, "Name or service not known"), "the name ops.example.com is not known (DNS)"),
    (TimeoutError("timed out"), "no answer within 5 s"),
    (ssl.SSLError(1, "wrong version number"), "ops.example.com speaks no TLS there"),
    (ConnectionRefusedError(111, "refused"), "nothing listens at ops.example.com"),
    (RemoteDisconnected("closed"), "ops.example.com hung up before it answered."),
    (HTTPException("bad status line"), "what answers at ops.example.com speaks no HTTP."),
    (OSError(101, "Network is unreachable"), "ops.example.com: Network is unreachable."),
])
def test_what_went_wrong_on_the_way_is_told_in_words(error: Exception, text: str) -> None:
    """DNS, TLS, time, the proxy: each has another remedy."""
    assert why(error, "ops.example.com", ENGLISH).startswith(text)


# --- its words --------------------------------------------------------------------------------------------------


def reasons() -> set[str]:
    """Every reason by which anything is refused, read from the code: the counters of Rejected and the like."""
    found: set[str] = set()
    for path in sorted((PACKAGE).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                at = {"Rejected": 2, "_Bad": 0}.get(node.func.id)
                if at is not None and len(node.args) > at and isinstance(node.args[at], ast.Constant):
                    found.add(str(node.args[at].value))  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("reason", sorted(filter(is_refusal, reasons() | {"client_gone"})))
def test_every_reason_has_a_likely_cause(reason: str) -> None:
    """A number of refusals alone helps nobody."""
    assert re.fullmatch(r"[A-Z].{20,}\.", CAUSES.get(reason, ""))


def test_steps_tell_what_is_to_be_copied() -> None:
    """The address, the settings, the lines of opsmon.toml."""
    url = "https://a.example/webhooks/woo"
    steps = ("Give {url}, to it.", 'Write [[source]], name = "{name}", kind = "woocommerce", secrets = ["the secret"].',
             "Set OPSMON_SHOPIFY_SECRETS=… again.", *EVENT_STEPS[2:])
    copied = [part.text for step in steps_of(steps, "woo", url, ENGLISH) for part in step.parts if part.copied]
    assert copied == [
        url, "[[source]]", 'name = "woo"', 'kind = "woocommerce"',
        'secrets = ["the secret"]', "OPSMON_SHOPIFY_SECRETS=…",
        '{"id": "r-1", "type": "api.request", "data": {"endpoint": "/cart", "ms": 41}}']


def facts(**more: Any) -> SourceFacts:
    """What is known of a source that was heard a minute ago."""
    return SourceFacts(**{"heard": Heard("woo", NOW_MS - 60_000, 360_000), "totals": {"accepted": 1}} | more)


def made(found: SourceFacts, wording: Wording, **info: Any) -> SourceCardView:
    """Its card."""
    return card(SourceInfo("woo", "shopify", "https://a.example/webhooks/woo", **info), found, wording, NOW_MS)


@pytest.fixture
def wording(line: Line) -> Wording:
    """The words of the site."""
    assert line.web.feed is not None
    return line.web.feed.board.wording


async def test_a_reason_nobody_knows_is_shown_as_it_is(wording: Wording) -> None:
    """A newer source, or one of the site's own."""
    view = made(facts(totals={"accepted": 1, "brand_new": 2}), wording)
    assert [(one.reason, one.count, one.cause) for one in view.refusals] == [("brand_new", "2", "")]


async def test_silence_is_told_with_its_beginning_and_what_is_usual(wording: Wording) -> None:
    """14:02 and seven minutes of quiet, where six are usual."""
    view = card(SourceInfo("woo", "shopify"), facts(), wording, NOW_MS + 360_000)
    assert (view.word, view.sentence, view.usual) == (
        "Silent since 14:02", "At this hour something usually comes within 6 min. Is it still connected?", "6 min")


async def test_what_was_asked_for_is_told(wording: Wording) -> None:
    """What the last poll found, and when the next one is."""
    view = made(facts(poll=Poll(NOW_MS, NOW_MS + 300_000, 12, 1, "")), wording)
    assert view.poll is not None
    assert (view.poll.text, view.poll.next_ms) == ("12 found, 1 of them new", NOW_MS + 300_000)


@pytest.mark.parametrize("patient, spooled, text", [(False, 3, "3 wait on this machine's disk for the store"),
                                                    (False, 0, "Empty"), (False, None, ""), (True, 3, "")])
async def test_the_spool_is_told_of_senders_who_never_send_again(wording: Wording, patient: bool, spooled: int | None,
                                                                 text: str) -> None:
    """Nobody else's deliveries wait on the disk."""
    assert made(facts(spooled=spooled), wording, is_patient=patient).spool == text


async def test_what_needs_a_hand_is_named_first(wording: Wording) -> None:
    """One sentence for all, readable from the door."""
    refused = facts(heard=Heard("woo", None, None), row=Row(45, NOW_MS, "bad_signature"))
    ill, well = made(refused, wording), made(facts(), wording)
    new = made(facts(heard=Heard("woo", None, None), totals={}), wording)
    assert [(one.state, one.text) for one in (
            whole(cards, wording) for cards in ([ill, well], [well, well, new], [new], []))] == [
        ("stopped", "woo: refusing everything"), ("ok", "All 2 sources that were heard are well"),
        ("late", "Nothing has come yet"), ("late", "No source is set up")]


async def test_six_sources_fit(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Each with its own card and address, none larger than a frame may be."""
    named = [f"shop-{n}" for n in range(5)]
    six = replace(settings, sources=tuple(SourceSettings(name, "shopify", (Secret(b"12345678"),)) for name in named))
    async with open_line(six, clock, store, b"s") as line:
        html = (await line.get("/sources")).text
        hub = line.web.sources_hub
        assert hub is not None
        sizes = [len(slot.partial) for slot in hub.slots.values()]
    assert ([f"/webhooks/{name}<" in html for name in named], max(sizes) < 16_384, len(html) < 65_536) == (
        [True] * 5, True, True)
