"""The stream of a tab, on real sockets: what is on the wire, who is sent away, and what outlives what."""

import asyncio
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock, SystemClock
from opsmon.core.kpis import BOARD, BUILT_IN
from opsmon.core.panes import Retention
from opsmon.settings import Settings
from opsmon.store.connection import Reader, worker_client
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.scripts import Scripts
from opsmon.web import rendering
from opsmon.web.feed import Feed
from opsmon.web.hub import Hub, event
from opsmon.web.views import HealthView
from opsmon.workers.worker import Worker
from tests.conftest import NOW_MS, SECRET
from tests.http import Stream, open_stream, request
from tests.line import Line, open_line
from tests.orders import order
from tests.waiting import wait_until, wait_until_async
from tests.web.own_store import own_store
from tests.web.test_floor_events import told
from tests.web.wire import Elements, dispatched, partials

pytestmark = pytest.mark.anyio

SLOTS = {"setup", "health", "band", *(f"kpi-{kpi.id}" for kpi in BOARD)}
MINUTE_MS = 60_000
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


async def count(line: Line, *numbers: int) -> None:
    """Orders come in and are counted."""
    for number in numbers:
        await line.post("orders/create", order(number))
    await line.work()


def shown(line: Line) -> dict[str, str]:
    """What a wall made now shows: slot -> HTML."""
    hub = line.web.hub
    assert hub is not None
    return {slot_id: str(rendering.slot(slot.view, slot.revision)).strip() for slot_id, slot in hub.slots.items()
            if slot_id in SLOTS}


async def on_board(line: Line, revenue: str) -> None:
    """Wait until today's revenue is this, and nothing is left to be said of a first order."""
    def is_there() -> bool:
        now = shown(line)
        return revenue in now["kpi-revenue-today"] and " hidden>" in now["setup"]

    await wait_until_async(is_there, f"{revenue} on the board")


async def drawn(stream: Stream, line: Line) -> dict[str, str]:
    """Read a stream until it has all that a page shows; what it has then."""
    have: dict[str, str] = {}
    while {slot_id: have.get(slot_id) for slot_id in SLOTS} != shown(line):
        have |= partials((await stream.next_frame()).data)
    return have


def hub_of(line: Line) -> Hub:
    """The hub of its web process."""
    assert line.web.hub is not None
    return line.web.hub


def numbers(line: Line) -> dict[str, str]:
    """All slots but health (which tells how long this process took) as they would be at one revision."""
    return {slot_id: rendering.partial(slot_id, slot.view, 1) for slot_id, slot in hub_of(line).slots.items()
            if slot_id != "health"}


# What is on the wire


async def test_the_first_bytes_are_a_heartbeat(line: Line) -> None:
    """A screen knows at once that it is connected, and by the server's clock; no proxy holds back."""
    stream = await line.open(since=line.since)
    await stream.next()
    assert bytes(stream.raw) == b"event: hb\nretry: 500\ndata: %d\n\n" % NOW_MS


async def test_the_stream_is_not_stored_and_not_held_back(line: Line) -> None:
    """Neither a browser nor a proxy keeps it."""
    headers = (await line.open()).headers
    assert {name: headers.get(name) for name in ("content-type", "cache-control", "x-accel-buffering")} == {
        "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no"}


async def test_a_resuming_screen_gets_only_what_changed(line: Line) -> None:
    """By Last-Event-ID: the tiles that an order moves, and not the rest."""
    await count(line, 1001)
    await on_board(line, "€49.90")
    seen = line.since
    await count(line, 1002)
    await on_board(line, "€99.80")
    frame = await (await line.open(last_event_id=seen)).next_frame()
    assert set(partials(frame.data)) <= {f"kpi-{kpi.id}" for kpi in BOARD}


async def test_the_last_event_id_counts_more_than_the_page(line: Line) -> None:
    """A tab that reconnects still asks with the address of its page: what it has seen since is newer."""
    page = line.since
    await count(line, 1001)
    await on_board(line, "€49.90")
    stream = await line.open(since=page, last_event_id=line.since)
    await count(line, 1002)
    news = await stream.next_frame()
    assert "setup" not in partials(news.data)


async def test_a_screen_from_another_server_gets_the_whole_board_once(line: Line) -> None:
    """Revisions of two servers do not compare, so everything comes, and after that only news."""
    stream = await line.open(last_event_id=f"deadbeef.{NOW_MS * 1000 + 999}")
    whole = await stream.next_frame()
    changes(line, 1)
    news = await stream.next_frame()
    assert (set(partials(whole.data)), set(partials(news.data))) == (SLOTS, {"health"})


async def test_a_page_of_another_build_is_told_to_reload(line: Line) -> None:
    """Old scripts do not meet new HTML; and the stream ends, without hurry to come back."""
    stream = await open_stream(line.port, "/live?v=another&view=wall&since=", {})
    line.streams.append(stream)
    told = await stream.next()
    assert told is not None
    assert (told.event, told.data, told.retry, await stream.next()) == ("reload", rendering.build(), "10000", None)


async def test_every_byte_of_a_busy_stream_keeps_the_rules(line: Line) -> None:
    """No carriage return; every frame has an id; nothing named that is not a signal."""
    stream = await line.open()
    await count(line, 1001, 1002)
    await drawn(stream, line)
    messages = dispatched(bytes(stream.raw))
    assert (b"\r" in stream.raw, {m.event for m in messages}) == (False, {"", "hb"})
    assert all(m.last_id.startswith(f"{hub_of(line).boot}.") for m in messages if not m.event)


@pytest.mark.parametrize("path", ["/", "/wall"])
async def test_every_partial_has_its_place_in_the_page(line: Line, path: str) -> None:
    """A partial for a place that is not there would be dropped without a word."""
    ids = Elements((await line.get(path)).text).ids()
    frame = await (await line.open()).next_frame()
    assert {target: ids.count(target) for target in partials(frame.data)} == dict.fromkeys(SLOTS, 1)


async def test_a_partial_is_the_slot_itself_and_nothing_beside_it(line: Line) -> None:
    """One element with the target's id and revision; the frame is partials from end to end."""
    frame = await (await line.open()).next_frame()
    whole = "\n".join(f'<hx-partial hx-target="#{target}" hx-swap="outerMorph">{html}</hx-partial>'
                      for target, html in partials(frame.data).items())
    firsts = {target: Elements(html).found[0].attributes["id"] for target, html in partials(frame.data).items()}
    assert (frame.data, firsts) == (whole, {target: target for target in SLOTS})


async def test_partials_carry_no_behaviour(line: Line) -> None:
    """No hx-*, no on*, no style=, no script: a board is text, and the CSP stays strict."""
    await count(line, 1001)
    html = "".join(shown(line).values())
    odd = [(element.tag, name) for element in Elements(html).found for name in element.attributes
           if name.startswith(("hx-", "on")) or name == "style"]
    assert (odd, re.findall(r"<(script|style|iframe|link)\b", html)) == ([], [])


async def test_no_partial_is_larger_than_16_kb(line: Line) -> None:
    """Also on a busy day: a slow phone must be able to take it."""
    for number in range(1, 60):
        await line.post("orders/create", order(number, "123456.78", placed_ms=NOW_MS - number * MINUTE_MS))
    await line.work()
    frame = await (await line.open()).next_frame()
    sizes = {target: len(html.encode()) for target, html in partials(frame.data).items()}
    assert {target: size for target, size in sizes.items() if size > 16 * 1024} == {}


# Fan-out and pace


async def test_fifty_screens_see_the_same_bytes(line: Line) -> None:
    """Each slot is drawn once, whoever looks."""
    since = line.since
    streams = await asyncio.gather(*(line.open(since=since) for _ in range(50)))
    await count(line, 1001)
    frames = await asyncio.gather(*(stream.next_frame() for stream in streams))
    assert len({(frame.id, frame.data) for frame in frames}) == 1


async def test_a_phone_gets_at_most_one_frame_a_second(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow link is not flooded: what changes within the gap comes as one frame."""
    monkeypatch.setattr("opsmon.web.live.PHONE_GAP_S", 0.6)
    stream = await line.open(view="board", user_agent=PHONE)
    await stream.next_frame()
    began_s = time.monotonic()
    changes(line, 5)
    frame = await stream.next_frame()
    assert (time.monotonic() - began_s > 0.4, "5 waiting" in frame.data) == (True, True)


async def test_a_desk_gets_a_frame_at_once(line: Line) -> None:
    """No gap where the link is good."""
    stream = await line.open(view="board", user_agent="Mozilla/5.0 (X11; Linux x86_64)")
    await stream.next_frame()
    began_s = time.monotonic()
    changes(line, 1)
    await stream.next_frame()
    assert time.monotonic() - began_s < 0.3


async def test_a_phone_hears_the_heartbeat_also_between_two_frames(line: Line) -> None:
    """In a busy shop a phone always waits for its next frame; it must not think it is cut off."""
    stream = await line.open(view="board", user_agent=PHONE)
    await stream.next_frame()
    hub_of(line).broadcast(event("hb", "123"))
    heard = await stream.next(0.5)
    assert heard is not None
    assert (heard.event, heard.data) == ("hb", "123")


async def test_a_slow_screen_hears_the_heartbeat_when_it_reads_again(line: Line) -> None:
    """A heartbeat that found the line busy comes later, with its own time: so the screen knows how late it is."""
    stream = await line.open()
    await stream.next_frame()
    for _ in range(20):
        changes(line, 10, size=60_000)
        await asyncio.sleep(0)
    hub_of(line).broadcast(event("hb", "123"))
    async with asyncio.timeout(4):
        while (heard := await stream.next()) and (heard.event, heard.data) != ("hb", "123"):
            pass
    assert heard is not None


def changes(line: Line, number: int, size: int = 0) -> None:
    """The health line says this many things one after the other, with `size` bytes of them."""
    hub = hub_of(line)
    view = hub.slots["health"].view
    assert isinstance(view, HealthView)
    for each in range(1, number + 1):
        hub.update([("health", replace(view, text=f"{each} waiting {'x' * size}"))], hub.revision + 1)
        hub.publish()


async def test_a_screen_that_was_slow_gets_the_newest_and_not_the_backlog(line: Line) -> None:
    """It stops reading, 200 changes pass by, it reads again: a handful of frames, the last of them true."""
    stream = await line.open(view="wall")
    await stream.next_frame()
    for _ in range(20):
        changes(line, 10, size=60_000)
        await asyncio.sleep(0)
    changes(line, 1)
    frames = 0
    while "1 waiting <" not in (await stream.next_frame()).data.replace(" \n", " <"):
        frames += 1
    assert frames < 190


@asynccontextmanager
async def stalled(port: int, last: str = "") -> AsyncIterator[socket.socket]:
    """A screen that asks for the stream and then never reads."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        await asyncio.get_running_loop().sock_connect(deaf, ("127.0.0.1", port))
        ask = f"GET /live?v={rendering.build()}&since={last} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n"
        await asyncio.get_running_loop().sock_sendall(deaf, ask.encode())
        yield deaf


def held() -> tuple[int, int]:
    """Tasks and open files of this process."""
    return len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir()))


async def test_a_screen_that_takes_nothing_is_dropped_and_leaves_nothing_behind(
        line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tasks and its socket go; the screen beside it never notices."""
    monkeypatch.setattr("opsmon.web.live.STUCK_S", 0.3)
    hub, beside = hub_of(line), await line.open()
    await beside.next_frame()
    before = held()
    async with stalled(line.port) as deaf:
        await wait_until_async(lambda: len(hub.screens) == 2, "the stalled screen")
        changes(line, 10, size=60_000)
        while "10 waiting" not in (await beside.next_frame()).data:
            pass
        await wait_until_async(lambda: len(hub.screens) == 1, "the end of the stalled screen")
        deaf.close()
    await wait_until_async(lambda: held() == before, f"tasks and sockets back to {before}")


async def test_a_dropped_screen_is_not_an_error(line: Line, monkeypatch: pytest.MonkeyPatch,
                                               caplog: pytest.LogCaptureFixture) -> None:
    """Phones fall asleep all day: nobody is to read of it in the log."""
    monkeypatch.setattr("opsmon.web.live.STUCK_S", 0.2)
    hub, before = hub_of(line), held()
    async with stalled(line.port) as deaf:
        await wait_until_async(lambda: len(hub.screens) == 1, "the stalled screen")
        changes(line, 10, size=60_000)
        await wait_until_async(lambda: not hub.screens, "the end of the stalled screen")
        deaf.close()
    await wait_until_async(lambda: held() == before, f"tasks and sockets back to {before}")
    assert [record.message for record in caplog.records] == []


async def test_fifty_tabs_come_and_go_without_a_trace(line: Line) -> None:
    """Open and closed fifty times: no task, no socket, no screen is left."""
    before = held()
    for stream in await asyncio.gather(*(line.open() for _ in range(50))):
        await stream.close()
    await wait_until_async(lambda: (held(), len(hub_of(line).screens)) == (before, 0), f"back to {before}")


class Flood(Reader):
    """A store whose change stream never pauses: 10,000 entries a second of the loop's time."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self.running_s = self.began_s = asyncio.get_running_loop().time()
        self.marks = 0

    async def after(self, stream: str, entry_id: bytes | str, block_ms: int) -> list[Any]:
        if self.marks:
            self.running_s += 0.001
        first, self.marks = self.marks, self.marks + 10
        fields = {b"kpis": ",".join(kpi.id for kpi in BOARD).encode(), b"arrived": b""}
        return [(b"%d-%d" % (NOW_MS + number // 900, number % 900), fields) for number in range(first, first + 10)]


@pytest.fixture
async def flooded(line: Line, store: Redis, keys: Keys, clock: ManualClock, settings: Settings,
                  monkeypatch: pytest.MonkeyPatch) -> tuple[Feed, Flood, list[float]]:
    """A feed of its own on a flood, started; and when it has read the numbers, in the loop's seconds."""
    flood, reads = Flood(store), []
    board = line.web.feed.board if line.web.feed else None
    assert board is not None
    calendar = board.wording._calendar

    class Counting(KpiQueries):
        async def read(self, *args: object) -> object:  # type: ignore[override]
            reads.append(flood.running_s)
            return await super().read(*args)  # type: ignore[arg-type]

    feed = Feed(Hub(rendering.partial), flood, keys, Counting(flood, keys, BUILT_IN, calendar, None, 0, Retention()),
                Scripts(store, keys), board, clock)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: flood.running_s)
    await feed.start()
    reads.clear()
    return feed, flood, reads


async def test_the_first_of_many_changes_is_shown_in_the_same_turn(
        flooded: tuple[Feed, Flood, list[float]]) -> None:
    """The leading edge waits for nothing."""
    feed, flood, reads = flooded
    await feed.step(1000)
    assert (flood.marks, len(reads)) == (10, 1)


async def test_ten_thousand_changes_a_second_are_a_few_frames(
        flooded: tuple[Feed, Flood, list[float]]) -> None:
    """Two seconds of flood: at most eleven readings, evenly spread."""
    feed, flood, reads = flooded
    while flood.running_s < flood.began_s + 2:
        await feed.step(1000)
    gaps = [round(b - a, 3) for a, b in itertools.pairwise(reads)]
    assert (flood.marks >= 20_000, len(reads) <= 11, set(gaps) <= {0.25, 0.251}) == (True, True, True)


# Time alone


async def test_a_slot_is_the_same_at_any_second_of_a_minute(
        line: Line, settings: Settings, store: Redis, clock: ManualClock) -> None:
    """Ages are drawn in the page: a board read half a minute later is equal, byte for byte."""
    await count(line, 1001)
    await on_board(line, "€49.90")
    clock.advance(30_000)
    async with open_line(settings, clock, store, SECRET.encode()) as later:
        first, second = numbers(line), numbers(later)
    assert first == second


async def test_a_sliding_window_falls_in_a_quiet_hour(line: Line, clock: ManualClock) -> None:
    """No order comes, an hour passes, and the average of the last hour is gone from the screen."""
    await line.post("orders/create", order(1001, placed_ms=NOW_MS))
    await line.work()
    await wait_until_async(lambda: "€49.90" in shown(line)["kpi-aov-1h"], "the average")
    stream = await line.open(since=line.since)
    clock.advance(61 * MINUTE_MS)
    while "kpi-aov-1h" not in (news := partials((await stream.next_frame()).data)):
        pass
    assert 'data-state="empty"' in news["kpi-aov-1h"]


async def test_midnight_begins_a_new_day_on_the_screen(line: Line, clock: ManualClock) -> None:
    """Ten hours on it is tomorrow in Berlin: orders today are none."""
    await count(line, 1001)
    await on_board(line, "€49.90")
    clock.advance(10 * 60 * MINUTE_MS)
    none = re.compile(r'<data class="tile__value" value="0"[^>]*>0</data>')
    await wait_until_async(lambda: bool(none.search(shown(line)["kpi-orders-today"])), "a new day")


async def test_a_clock_that_steps_back_does_not_stop_the_board(line: Line, clock: ManualClock) -> None:
    """The revisions go on, and the next order is shown."""
    await count(line, 1001)
    await on_board(line, "€49.90")
    before = hub_of(line).revision
    clock.advance(-30_000)
    await count(line, 1002)
    await on_board(line, "€99.80")
    assert hub_of(line).revision > before


# Sent away, and back


@pytest.mark.parametrize("why", ["draining", "full"])
async def test_a_stream_that_cannot_be_had_is_refused_for_now(
        line: Line, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 makes hx-sse come back ever slower; a redirect or 204 would make it hammer."""
    if why == "draining":
        hub_of(line).draining = True
    else:
        monkeypatch.setattr("opsmon.web.live.MAX_SCREENS", 0)
    stream = await line.open()
    assert (stream.status, stream.headers["retry-after"]) == (503, "2")


async def test_a_phone_that_rests_is_told_goodbye_too(line: Line) -> None:
    """Between two frames it is sent away like all others, and the stream ends."""
    stream = await line.open(view="board", user_agent=PHONE)
    await stream.next_frame()
    line.web.drain()
    goodbye = await stream.next(0.5)
    assert goodbye is not None
    assert (goodbye.event, 300 <= int(goodbye.retry) <= 3000, await stream.next()) == ("bye", True, None)


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT"])
async def test_the_stream_is_only_got(line: Line, method: str) -> None:
    """Any other method would hold a connection for nothing."""
    same = {"sec-fetch-site": "same-origin"}
    answer = await request(line.port, method, f"/live?v={rendering.build()}", b"", same)
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


async def test_a_screen_moves_to_another_server_and_misses_nothing(
        line: Line, settings: Settings, store: Redis, clock: ManualClock) -> None:
    """Two web processes on one store: the whole board once, then only news, as at home."""
    here = await line.open()
    await here.next_frame()
    async with open_line(settings, clock, store, SECRET.encode()) as other:
        await count(line, 1001)
        await drawn(await line.open(), line)
        await on_board(other, "€49.90")
        there = await other.open(last_event_id=line.since)
        have = await drawn(there, other)
        await count(line, 1002)
        news = await there.next_frame()
    assert set(have) == SLOTS
    assert 0 < len(partials(news.data)) < len(SLOTS)


async def test_two_servers_show_the_same(line: Line, settings: Settings, store: Redis, clock: ManualClock) -> None:
    """Whichever answers, the numbers are the store's."""
    async with open_line(settings, clock, store, SECRET.encode()) as other:
        await count(other, 1001, 1002, 1003)
        for each in (line, other):
            await on_board(each, "€149.70")
        await wait_until_async(lambda: numbers(line) == numbers(other), "the same on both")


async def test_what_moves_no_live_tile_does_not_slow_the_order_after_it(
        line: Line, settings: Settings, clock: ManualClock) -> None:
    """An answer of the API that came eight seconds before an order was not on its way to a screen for so long."""
    await count(line, 1001)
    await on_board(line, "€49.90")
    await told(line, settings, {"type": "api.request", "data": {"endpoint": "/cart", "ms": 40, "status": 200}})
    clock.advance(8_000)
    await count(line, 1002)
    await on_board(line, "€99.80")
    assert line.web.feed is not None
    assert line.web.feed.latency_ms() == (0, 0)


def health(line: Line) -> HealthView:
    """The health line."""
    view = hub_of(line).slots["health"].view
    assert isinstance(view, HealthView)
    return view


async def test_a_store_that_restarts_is_told_and_outlived(settings: Settings, clock: ManualClock, tmp_path: Path
                                                         ) -> None:
    """The numbers stay, the board says since when they stand; then it goes on with the right ones."""
    with own_store(tmp_path) as store:
        client = worker_client(store.url)
        async with open_line(replace(settings, store_url=store.url), clock, client, SECRET.encode()) as line:
            await count(line, 1001)
            await on_board(line, "€49.90")
            screen = await line.open(since=line.since)
            store.stop()
            told = await screen.next_frame()
            while "cannot be reached" not in told.data:
                told = await screen.next_frame()
            stands = "€49.90" in shown(line)["kpi-revenue-today"]
            store.start()
            await wait_until_async(lambda: health(line).state == "ok", "the store back")
            await count(line, 1002)
            while "€99.80" not in told.data:
                told = await screen.next_frame()
        await client.aclose()
    assert stands
    assert "numbers stand still since 14:03" in "".join(m.data for m in screen.messages)


async def test_each_outage_has_its_own_beginning(settings: Settings, clock: ManualClock, tmp_path: Path) -> None:
    """A second outage an hour later is not said to have begun with the first."""
    with own_store(tmp_path) as store:
        client = worker_client(store.url)
        async with open_line(replace(settings, store_url=store.url), clock, client, SECRET.encode()) as line:
            for _ in range(2):
                store.stop()
                await wait_until_async(lambda: health(line).state == "store-down", "the outage on the board")
                said = health(line).text
                store.start()
                await wait_until_async(lambda: health(line).state != "store-down", "the store back")
                clock.advance(60 * MINUTE_MS)
        await client.aclose()
    assert said.endswith("since 15:03")


# The whole process


@pytest.fixture
def web_process(settings: Settings, tmp_path: Path, store: Redis) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`opsmon web --with-ingest` in a process of its own, ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "opsmon", "web", "--with-ingest", "--port", str(port),
         "--store", settings.store_url, "--data", str(tmp_path / "d")],
        env={**os.environ, "OPSMON_SHOPIFY_SECRETS": SECRET}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: answers(port), "the web process")
        yield process, port
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def answers(port: int) -> bool:
    """Whether something is ready there."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as asked:
            asked.sendall(b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            return asked.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


async def test_a_server_told_to_stop_says_goodbye_and_is_gone(
        web_process: tuple[subprocess.Popen[bytes], int], settings: Settings, store: Redis) -> None:
    """Fifty screens and one that hangs: gone in 3 s, each healthy one told to come back at another moment."""
    process, port = web_process
    path = f"/live?v={rendering.build()}&view=wall&since="
    streams = [await open_stream(port, path, {}) for _ in range(50)]
    for stream in streams:
        await stream.next_frame()
    async with stalled(port):
        worker = Worker(store, settings, SystemClock())
        await worker.step(await worker.start(), 1)
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        goodbyes = await asyncio.gather(*(goodbye(stream) for stream in streams))
        await asyncio.to_thread(process.wait, 6)
        took_s = time.monotonic() - began_s
    for stream in streams:
        await stream.close()
    retries = [int(retry) for retry in goodbyes]
    assert (took_s < 3, len(retries), max(retries) - min(retries) > 1500) == (True, 50, True)


async def goodbye(stream: Stream) -> str:
    """Read on to the farewell; its retry."""
    while message := await stream.next():
        if message.event == "bye":
            return message.retry
    raise EOFError("no farewell")


async def test_tiles_say_that_they_lag_until_they_have_caught_up(line: Line, clock: ManualClock) -> None:
    """Nobody has counted for twenty seconds: the numbers stay, and say that they are behind."""
    assert line.web.feed is not None
    await line.post("orders/create", order(1))
    clock.set(SystemClock().now_ms() + 20_000)
    await line.web.feed.look()
    await wait_until_async(lambda: 'data-state="catching-up"' in shown(line)["kpi-orders-today"], "word of the lag")
    await line.work()
    await line.web.feed.look()
    await wait_until_async(lambda: 'data-state="catching-up"' not in shown(line)["kpi-orders-today"], "the present")
