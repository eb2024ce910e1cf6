"""What a browser or a program reads besides the stream: pages, numbers, files, and how the process is."""

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families

from opsmon.app.web import open_web
from opsmon.clock import ManualClock
from opsmon.core.boards import boards_of
from opsmon.core.calendar import SiteCalendar
from opsmon.core.folding import Rules
from opsmon.core.kpis import BOARD, BUILT_IN, KPIS
from opsmon.listening import listen
from opsmon.settings import Settings
from opsmon.store.connection import worker_client
from opsmon.store.keys import Keys
from opsmon.store.notes import note_spool
from opsmon.store.spool import SpoolState
from opsmon.web import rendering
from opsmon.web.feed import revision_of
from opsmon.web.server import serve
from opsmon.workers.measuring import measure
from tests.conftest import NOW_MS, SECRET
from tests.http import Answer, request
from tests.line import Line, open_line
from tests.orders import order
from tests.waiting import wait_until_async
from tests.web.own_store import own_store
from tests.web.wire import Elements, partials

pytestmark = pytest.mark.anyio

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
       "worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
RULES = Rules(BUILT_IN, SiteCalendar(ZoneInfo("Europe/Berlin")))
PAGES = ("/", "/b/sales", "/wall", "/wall/operations", "/status", "/components", "/enter")
VALUE = re.compile(r'<article id="kpi-([\w-]+)".*?<data class="tile__value" value="(.*?)">(.*?)</data>', re.DOTALL)


def values(html: str) -> dict[str, str]:
    """KPI id -> the number as it is written."""
    return {kpi_id: text for kpi_id, _, text in VALUE.findall(html)}


async def counted(line: Line) -> None:
    """Two orders are counted and on the board."""
    await line.post("orders/create", order(1001, "49.90"))
    await line.post("orders/create", order(1002, "50.10"))
    await line.work()
    assert line.web.hub is not None
    slots = line.web.hub.slots
    await wait_until_async(lambda: "€100.00" in str(rendering.slot(slots["kpi-revenue-today"].view, 1))
                           and not getattr(slots["setup"].view, "needed", True), "two orders on the board")


# The board


@pytest.mark.parametrize("path", ["/", "/wall"])
async def test_the_first_paint_has_the_numbers(line: Line, path: str) -> None:
    """No spinner and no second request: the page itself says how many orders there are."""
    await counted(line)
    found = values((await line.get(path)).text)
    assert {kpi.id: found[kpi.id] for kpi in BOARD} == {
        "orders-today": "2", "revenue-today": "€100.00", "orders-per-minute": "2", "orders-per-hour": "2",
        "aov-1h": "€50.00"}


@pytest.mark.parametrize("path", ["/", "/wall"])
async def test_a_page_and_a_push_are_the_same_html(line: Line, path: str) -> None:
    """What a screen has after a push is what a fresh page has, byte for byte."""
    stream = await line.open()
    await counted(line)
    frame = await (await line.open()).next_frame()
    await stream.next()
    html = (await line.get(path)).text
    assert [target for target, partial in partials(frame.data).items() if partial not in html] == []


def shape_of(board: str) -> str:
    """What tells this version of a built-in board from an edited one."""
    return boards_of(BUILT_IN)[board].shape


async def test_the_etag_of_a_page_is_its_revision(line: Line) -> None:
    """The number that the stream resumes from tells a browser whether its copy still holds."""
    answer = await line.get("/wall")
    assert (answer.headers["etag"], answer.headers["cache-control"]) == (
        f'"{line.since}.{rendering.build()}.{shape_of("today")}.money-names"', "private, no-cache")


async def test_a_page_that_did_not_change_is_not_sent_again(line: Line) -> None:
    """304 and no body, as long as nothing moved."""
    answer = await line.get("/wall", if_none_match=(await line.get("/wall")).headers["etag"])
    assert (answer.status, answer.body) == (304, b"")


async def test_a_page_that_changed_is_sent_whole(line: Line) -> None:
    """An order makes the old copy worthless."""
    etag = (await line.get("/wall")).headers["etag"]
    await counted(line)
    answer = await line.get("/wall", if_none_match=etag)
    assert (answer.status, values(answer.text)["orders-today"]) == (200, "2")


async def test_the_page_connects_from_where_it_stands(line: Line) -> None:
    """Its stream begins at the page's own revision and build."""
    html = (await line.get("/")).text
    connect = next(e for e in Elements(html).found if "hx-sse:connect" in e.attributes)
    assert connect.attributes["hx-sse:connect"] == (
        f"/live?v={rendering.build()}&view=board&board=overview&since={line.since}&shape={shape_of('overview')}")


@pytest.mark.parametrize(("path", "config"), [
    ("/", None), ("/wall", "sse.pauseOnBackground:false sse.reconnectMaxDelay:5s")])
async def test_only_a_wall_streams_while_nobody_sees_it(line: Line, path: str, config: str | None) -> None:
    """A covered wall counts as hidden; a phone in a pocket should rest."""
    html = (await line.get(path)).text
    connect = next(e for e in Elements(html).found if "hx-sse:connect" in e.attributes)
    assert connect.attributes.get("hx-config") == config


@pytest.mark.parametrize("path", ["/", "/wall"])
async def test_an_empty_board_says_what_to_do(line: Line, path: str) -> None:
    """No orders yet: where Shopify should send its webhooks, and the command that tries it."""
    html = (await line.get(path)).text
    section = re.search(r'<section id="setup".*?</section>', html, re.DOTALL)
    assert section is not None
    codes = re.findall(r'<code class="setup__code">(.*?)</code>', section[0])
    assert ("No orders yet" in section[0], codes) == (
        True, ["http://127.0.0.1:8000/webhooks/shopify", "opsmon send-test shopify"])


async def test_the_first_order_takes_the_instructions_away_without_a_reload(line: Line) -> None:
    """A screen that waits for its first order is pushed the board."""
    stream = await line.open(since=line.since)
    await line.post("orders/create", order(1001))
    await line.work()
    while "setup" not in (news := partials((await stream.next_frame()).data)):
        pass
    assert ("No orders yet" in news["setup"], " hidden>" in news["setup"]) == (False, True)


@pytest.mark.parametrize("path", ["/", "/wall"])
async def test_no_slot_is_larger_than_16_kb(line: Line, path: str) -> None:
    """A board of all its slots stays small enough for a slow phone."""
    await counted(line)
    frame = await (await line.open()).next_frame()
    assert max(len(html.encode()) for html in partials(frame.data).values()) <= 16 * 1024


# Bytes


def assets(html: str) -> list[str]:
    """Every file that a page asks for; what only an installed app needs is left out."""
    found = [e.attributes.get("src") or e.attributes.get("href", "") for e in Elements(html).found
             if e.tag in ("script", "link", "img")
             and e.attributes.get("rel") not in ("manifest", "apple-touch-icon")]
    return [url for url in found if url]


async def with_imports(line: Line, urls: list[str]) -> dict[str, Answer]:
    """Those files, and what they import in turn, as they come over the wire."""
    answers: dict[str, Answer] = {}
    while urls:
        url = urls.pop()
        if url in answers:
            continue
        answers[url] = await line.get(url, accept_encoding="gzip")
        text = text_of(answers[url])
        folder = url.rpartition("/")[0]
        urls += [f"{folder}/{name}" for name in re.findall(r'@import url\("(.+?)"\)', text)]
        urls += [f"{folder}/{name}" for name in re.findall(r'from "\./(.+?)"', text)]
    return answers


def text_of(answer: Answer) -> str:
    raw = gzip.decompress(answer.body) if answer.headers.get("content-encoding") == "gzip" else answer.body
    return raw.decode()


@pytest.mark.parametrize("path", PAGES)
async def test_every_file_of_a_page_is_there_and_kept_for_good(line: Line, path: str) -> None:
    """Its URL changes with it, so a browser never has to ask again."""
    files = await with_imports(line, assets((await line.get(path)).text))
    assert {(answer.status, answer.headers["cache-control"]) for answer in files.values()} == {
        (200, "public, max-age=31536000, immutable")}


async def test_large_files_travel_gzipped(line: Line) -> None:
    """The largest script takes a third of its size."""
    answer = await line.get(rendering.asset("vendor/htmx.min.js"), accept_encoding="gzip")
    plain = (rendering.folder("static") / "vendor/htmx.min.js").read_bytes()
    assert (answer.headers["content-encoding"], gzip.decompress(answer.body)) == ("gzip", plain)


async def test_files_of_another_build_are_not_there(line: Line) -> None:
    """An old page asks for old files: it gets none, rather than new ones under the old name."""
    answer = await line.get("/static/0123456789ab/css/ops.css")
    assert (answer.status, answer.headers.get("cache-control")) == (404, "no-store")


async def test_the_folder_above_the_files_is_out_of_reach(line: Line) -> None:
    """Nothing but static files can be asked for."""
    paths = ("../templates/pages/wall.jinja", "%2e%2e/pyproject.toml", "..%2fpyproject.toml", "js", "")
    assert [(await line.get(f"/static/{rendering.build()}/{path}")).status for path in paths] == [404] * 5


# Safety


SECURED = {
    "content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"}


async def test_every_answer_carries_the_security_headers(line: Line) -> None:
    """Pages, errors, numbers and files alike."""
    paths = (*PAGES, "/no-such-page", "/status.json", "/api/kpis", "/metrics", "/static/x",
             rendering.asset("css/ops.css"))
    found = {path: (await line.get(path)).headers for path in paths}
    assert {path: {name: headers.get(name) for name in SECURED} for path, headers in found.items()} == (
        dict.fromkeys(paths, SECURED))


async def test_a_refusal_carries_the_security_headers_too(line: Line) -> None:
    """Also who asks by a foreign name is told what his browser may do with the answer."""
    headers = (await asked_as(line, "evil.example")).headers
    assert {name: headers.get(name) for name in SECURED} == SECURED


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_needs_nothing_that_the_policy_forbids(line: Line, path: str) -> None:
    """No inline script or style, no event attribute, nothing from elsewhere."""
    html = (await line.get(path)).text
    elements = Elements(html).found
    inline = [e.tag for e in elements if e.tag == "style" or (e.tag == "script" and "src" not in e.attributes)]
    odd = [name for e in elements for name in e.attributes if name.startswith("on") or name == "style"]
    assert (inline, odd, [url for url in assets(html) if not url.startswith("/static/")]) == ([], [], [])


async def asked_as(line: Line, host: str, path: str = "/wall") -> Answer:
    """Ask with this Host header; '' sends none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    named = f"host: {host}\r\n" if host else ""
    writer.write(f"GET {path} HTTP/1.1\r\n{named}connection: close\r\n\r\n".encode())
    raw = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return Answer(int(first.split()[1]), {name: value.strip() for name, _, value in
                                          (line.partition(":") for line in lines)}, body)


@pytest.mark.parametrize("path", ["/wall", "/live", "/api/kpis", "/status.json", "/metrics", "/nothing"])
async def test_a_foreign_name_for_this_machine_is_refused(line: Line, path: str) -> None:
    """A web page elsewhere must not read the board through a name of its own that leads here."""
    hosts = ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example",
             "localhost.:80", "192.168.1.20:8000", "127.0.0.1@evil.example", "", "[::2]", "[::1].evil.example",
             "0.0.0.0:8000")
    no_names = dict.fromkeys(("127.0.0.1@evil.example", "", "[::1].evil.example"), 400)
    found = {host: (await asked_as(line, host, path)).status for host in hosts}
    assert found == dict.fromkeys(hosts, 403) | no_names


async def test_every_name_of_this_machine_is_good(line: Line) -> None:
    """By address or by name, with a port or without."""
    hosts = ("127.0.0.1", "localhost", "LOCALHOST:8000", "[::1]", "[::1]:8000", "127.0.0.1:1")
    assert {host: (await asked_as(line, host)).status for host in hosts} == dict.fromkeys(hosts, 200)


async def test_who_is_refused_is_told_what_to_do(line: Line) -> None:
    """A sentence, and the command for a tunnel."""
    assert (await asked_as(line, "board.example")).body.decode() == (
        "Boards are shown on this machine only, at http://127.0.0.1, until somebody has an account: open the link that "
        "opsmon printed when it started, or run opsmon people add. To look from elsewhere now, tunnel: "
        "ssh -L 8000:127.0.0.1:8000 this-machine\n")


async def test_webhooks_are_taken_by_any_name(line: Line) -> None:
    """Shopify reaches this machine by its public name; only boards are local."""
    answer = await request(line.port, "POST", "/webhooks/shopify", b"{}", {"host": "ops.example.com"})
    assert answer.status == 401


# What cannot be shown


async def test_a_page_that_is_not_there_says_where_the_board_is(line: Line) -> None:
    """404 with the way back, and nothing of the insides."""
    answer = await line.get("/orders")
    assert answer.status == 404
    assert re.findall(r'<p class="error__sentence">(.*?)</p>', answer.text) == [
        "There is no such page. The board is at / and the wall at /wall."]


async def test_a_page_that_is_asked_the_wrong_way_says_which_is_right(line: Line) -> None:
    """405, with the methods that are allowed."""
    answer = await request(line.port, "POST", "/wall", b"", {"sec-fetch-site": "same-origin"})
    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


async def test_a_fault_shows_a_page_without_its_insides(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """500: a sentence for people; what went wrong stands in the log."""
    assert line.web.hub is not None
    del line.web.hub.slots["setup"]
    answer = await line.get("/wall")
    assert (answer.status, "See the log" in answer.text, "KeyError" in answer.text) == (500, True, False)
    assert "KeyError" in caplog.text


# Numbers for programs


async def test_the_numbers_have_exactly_this_shape(line: Line) -> None:
    """Money in minor units with currency and exponent; every number with its window."""
    await counted(line)
    board = ",".join(kpi.id for kpi in BOARD)
    answer = (await line.get(f"/api/kpis?ids={board}")).json
    usual = {"value", "unit", "window", "complete"}
    money = usual | {"currency", "exponent"}
    assert (set(answer), {name: set(kpi) for name, kpi in answer["kpis"].items()}) == (
        {"rev", "as_of_ms", "kpis"},
        {"orders-today": usual, "revenue-today": money, "orders-per-minute": usual | {"series"},
         "orders-per-hour": usual | {"series"}, "aov-1h": money | {"sample"}})


async def test_a_number_says_what_it_is(line: Line) -> None:
    """Revenue today: €100.00, of the day in Berlin, still going on."""
    await counted(line)
    midnight_ms = NOW_MS - (14 * 3600 + 3 * 60 + 22) * 1000
    assert (await line.kpis())["revenue-today"] == {
        "value": 10000, "unit": "money", "currency": "EUR", "exponent": 2, "complete": False,
        "window": {"kind": "today", "start_ms": midnight_ms, "end_ms": midnight_ms + 86_400_000}}


async def test_a_series_ends_with_the_present_window(line: Line) -> None:
    """24 hours side by side, the last of them the one that runs."""
    await counted(line)
    kpi = (await line.kpis())["orders-per-hour"]
    assert (len(kpi["series"]), kpi["series"][-1]) == (24, {
        "start_ms": kpi["window"]["start_ms"], "end_ms": kpi["window"]["end_ms"], "value": kpi["value"]})


async def test_an_average_of_nothing_is_no_number(line: Line) -> None:
    """None, and not 0: nobody ordered for nothing."""
    assert (await line.kpis())["aov-1h"]["value"] is None


async def test_the_numbers_are_as_of_one_instant_and_revision(line: Line) -> None:
    """A program can tell whether it has seen them."""
    answer = (await line.get("/api/kpis")).json
    ((newest, _),) = await line.store.xrevrange("{main}:changes", count=1)
    assert (answer["as_of_ms"], answer["rev"]) == (NOW_MS, revision_of(newest.decode()))


async def test_every_kpi_is_told(line: Line) -> None:
    """The catalogue and the answer are the same list."""
    assert list(await line.kpis()) == [kpi.id for kpi in KPIS]


# How it is


async def test_the_status_page_says_that_all_is_counted(line: Line) -> None:
    """One sentence for the whole, and a row for each source."""
    await counted(line)
    html = (await line.get("/status")).text
    assert ("Everything that arrived is counted" in html, re.findall(r'<th scope="row">(\w+)</th>', html)) == (
        True, ["Shopify"])


async def test_what_waits_on_a_disk_is_not_called_counted(line: Line) -> None:
    """It was answered for; if its process is gone, somebody has to start that one again."""
    await note_spool(line.store, Keys("main"), "front-1", SpoolState(3, 900, NOW_MS - 60_000, 7))
    html = (await line.get("/status")).text
    assert (re.findall(r'</span> ([^<]+) <span class="status__at">', html),
            re.findall(r'<p class="status__warning">.*?</svg>\s*([^<]*)</p>', html, re.DOTALL)) == (
        ["Catching up: 3 events wait"], ["3 deliveries wait on the disk of front-1 since 14:02:22."])


async def test_the_status_for_programs_counts_what_came(line: Line) -> None:
    """Two deliveries taken, nothing waits."""
    await counted(line)
    status = (await line.get("/status.json")).json
    totals = status["sources"]["shopify"]["totals"]
    assert (status["state"], status["lag"], status["pending"], totals["accepted"]) == ("ok", 0, 0, 2)


async def test_the_status_names_who_works_and_on_what(line: Line) -> None:
    """Worker, store and its durability stand there."""
    status = (await line.get("/status.json")).json
    store = status["store"]
    assert (list(status["workers"]), store["name"] in ("Valkey", "Redis"), store["appendfsync"]) == (
        ["worker-1"], True, "always")


async def measured(line: Line, rules: Rules) -> None:
    """Two orders are counted, and a worker has looked what that costs."""
    await counted(line)
    await measure(line.store, Keys("main"), rules, 0, NOW_MS)


async def test_the_status_says_what_the_memory_is_spent_on(line: Line) -> None:
    """Each kind with its keys, its size, and the setting that bounds it; also for programs."""
    await measured(line, RULES)
    html = (await line.get("/status")).text
    rows = {row[0]: row[1:] for row in re.findall(
        r'<tr><th scope="row">([^<]+)</th><td>(.+?)</td><td>(.+?)</td><td>(.+?)</td></tr>', html)}
    assert {name: bound for name, (_, _, bound) in rows.items()}.items() >= {
        "Counts by the minute": "OPSMON_KEEP_MINUTES", "Counts by the hour": "OPSMON_KEEP_HOURS",
        "Counts by the day": "OPSMON_KEEP_DAYS", "Orders, customers, visitors": "OPSMON_KEEP_ORDERS",
        "Raw events": "OPSMON_RETENTION, OPSMON_STREAM_MEMORY"}.items()
    told = {one["kind"]: one for one in (await line.get("/status.json")).json["memory"]["footprints"]}
    assert rows["Raw events"][:2] == ("1", f"{round(told['events']['size_bytes'] / 1024)} kB")


async def test_the_status_warns_of_a_dimension_that_is_full(line: Line) -> None:
    """Its rest is in other, where nobody can tell it apart."""
    countries = replace(BUILT_IN.rollup("sales-by-country"), cap=1)
    await measured(line, replace(RULES, catalogue=replace(BUILT_IN, rollups=(countries,))))
    html = (await line.get("/status")).text
    assert re.findall(r'<p class="status__warning">.*?(sales-[^<]*)</p>', html, re.DOTALL) == [
        "sales-by-country has more rows than it tells apart: the rest is in other."]


async def test_metrics_are_prometheus_text(line: Line) -> None:
    """Prometheus' own parser reads every line, and finds what a site must watch."""
    await counted(line)
    answer = await line.get("/metrics")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    wanted = {"opsmon_webhook_seconds", "opsmon_webhooks", "opsmon_screen_seconds", "opsmon_screens",
              "opsmon_renders", "opsmon_pushed_bytes", "opsmon_dropped_screens", "opsmon_stream_lag_events",
              "opsmon_dead_letters", "opsmon_source_total"}
    assert (answer.headers["content-type"].partition(";")[0], wanted - names) == ("text/plain", set())


async def test_metrics_count_open_screens(line: Line) -> None:
    """Two tabs are two screens."""
    for _ in range(2):
        await (await line.open()).next()
    text = (await line.get("/metrics")).text
    assert re.findall(r"^opsmon_screens (\S+)$", text, re.MULTILINE) == ["2.0"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_process_that_is_well_says_so(line: Line, path: str) -> None:
    """For whoever supervises it."""
    answer = await line.get(path)
    assert (answer.status, answer.text) == (200, "ok\n")


async def test_a_process_that_is_leaving_is_alive_but_not_ready(line: Line) -> None:
    """No new screens are sent to it; and it need not be killed."""
    assert line.web.hub is not None
    line.web.hub.draining = True
    assert ((await line.get("/readyz")).status, (await line.get("/livez")).status) == (503, 200)


# Without a store


@pytest.fixture
async def storeless(settings: Settings, clock: ManualClock, tmp_path: Path,
                    monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Awaitable[Answer]]:
    """Ask a web process whose store has never been there."""
    monkeypatch.setattr("opsmon.web.pages.READY_WITHIN_S", 0.2)
    nowhere = replace(settings, store_url=f"unix://{tmp_path}/nobody.sock")

    async def ask(path: str) -> Answer:
        sockets = listen("127.0.0.1", 0, boards=True)
        async with open_web(nowhere, boards=True, ingest=True, clock=clock) as web:
            server = serve(web.app, sockets, web.drain)
            serving = asyncio.create_task(server.serve(sockets))
            try:
                return await request(sockets[0].getsockname()[1], "GET", path, b"", {})
            finally:
                server.should_exit = True
                await serving

    return ask


@pytest.mark.parametrize("path", ["/", "/wall", "/status"])
async def test_a_page_without_its_store_says_so_and_tries_again(
        storeless: Callable[[str], Awaitable[Answer]], path: str) -> None:
    """A wall that is switched on before the store shows a sentence, and then by itself the board."""
    answer = await storeless(path)
    assert (answer.status, answer.headers.get("refresh"), "The store cannot be reached" in answer.text) == (
        503, "5", True)


@pytest.mark.parametrize("path", ["/api/kpis", "/status.json"])
async def test_numbers_without_their_store_are_an_error_and_no_numbers(
        storeless: Callable[[str], Awaitable[Answer]], path: str) -> None:
    """A program gets 503, when to ask again, and a reason it can read."""
    answer = await storeless(path)
    assert (answer.status, answer.headers["retry-after"], list(answer.json)) == (503, "5", ["error"])


async def test_metrics_outlive_the_store(storeless: Callable[[str], Awaitable[Answer]]) -> None:
    """What the process knows of itself can be read when it matters most."""
    answer = await storeless("/metrics")
    assert (answer.status, "opsmon_screens" in answer.text) == (200, True)


async def test_a_process_without_its_store_is_not_ready(storeless: Callable[[str], Awaitable[Answer]]) -> None:
    """It lives, and takes no screens yet."""
    assert (await storeless("/readyz")).status == 503


async def test_a_board_keeps_its_numbers_while_the_store_is_away(
        line: Line, settings: Settings, clock: ManualClock, tmp_path: Path) -> None:
    """A page made during an outage shows the last numbers, and since when they stand."""
    with own_store(tmp_path) as store:
        client = worker_client(store.url)
        async with open_line(replace(settings, store_url=store.url), clock, client, SECRET.encode()) as own:
            await counted(own)
            store.stop()
            hub = own.web.hub
            assert hub is not None
            slots = hub.slots
            await wait_until_async(lambda: "cannot be reached" in str(slots["health"].view), "the outage")
            html = (await own.get("/wall")).text
        await client.aclose()
    assert (values(html)["orders-today"], "numbers stand still since 14:03" in html) == ("2", True)
