"""A tile that cannot be computed: it says so, with its last value and its age, and all the others go on."""

import logging
import re
from collections.abc import Awaitable, Callable
from html import unescape

import pytest

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from opsmon.web.feed import Feed
from tests.line import Line
from tests.web.test_floor_events import told

pytestmark = pytest.mark.anyio

STATE = re.compile(r'<article id="kpi-([\w-]+)" data-rev="\d+" class="tile" data-kind="\w+" data-state="([\w-]+)"')
QUEUES = "{main}:pane:0:queues:n:"
Broken = Callable[[Line], Awaitable[None]]


async def another_type(line: Line) -> None:
    """Another program of the same store wrote where opsmon counts."""
    await line.store.set(QUEUES, "not what opsmon wrote")


async def no_number(line: Line) -> None:
    """A field that opsmon never wrote so."""
    await line.store.hset(QUEUES, "mails.last", "many")


EACH = pytest.mark.parametrize("broken", [another_type, no_number])


def feed_of(line: Line) -> Feed:
    assert line.web.feed is not None
    return line.web.feed


async def tile(line: Line, kpi: str = "queues") -> str:
    """A tile of the board of technology."""
    html = (await line.get("/b/technology")).text
    return html.partition(f'<article id="kpi-{kpi}"')[2].partition("</article>")[0]


def note_of(html: str) -> str:
    found = re.search(r'<p class="(?:tile__note|rows__empty)">(.*?)</p>', html)
    return unescape(found[1]) if found else ""


async def look_again(line: Line) -> None:
    """Have every slot read now."""
    feed = feed_of(line)
    for planned in feed._plans:
        planned.hurry()
    await feed._flush()


async def failed(line: Line, settings: Settings, clock: ManualClock, broken: Broken) -> None:
    """Queues are shown, and cannot be computed two minutes later."""
    await told(line, settings, {"type": "queue.depth", "data": {"queue": "mails", "depth": 7}},
               {"type": "gauge.set", "data": {"name": "hall", "value": 21}})
    assert 'data-state="live"' in await tile(line)
    await broken(line)
    clock.advance(120_000)
    await look_again(line)


@EACH
async def test_one_tile_that_cannot_be_computed_stops_no_other(line: Line, settings: Settings, clock: ManualClock,
                                                               broken: Broken) -> None:
    """The rest of the board goes on counting, and the board itself is well."""
    await failed(line, settings, clock, broken)
    await told(line, settings, {"id": "again", "type": "gauge.set", "data": {"name": "hall", "value": 23}})
    await look_again(line)
    states = dict(STATE.findall((await line.get("/b/technology")).text))
    assert [kpi for kpi, state in states.items() if state == "error"] == ["queues"]
    assert ("23" in await tile(line, "gauges"), 'data-state="ok"' in (await line.get("/b/technology")).text) == (
        True, True)


@EACH
async def test_it_keeps_its_last_value_and_says_of_when(line: Line, settings: Settings, clock: ManualClock,
                                                        broken: Broken) -> None:
    """With what to look for in the log."""
    await failed(line, settings, clock, broken)
    html = await tile(line)
    assert ("not computed" in html, "Mails" in html or "mails" in html, ">7<" in html) == (True, True, True)
    assert re.fullmatch(r"As of 14:03:22\. Could not be computed since 14:05 \([0-9a-f]{6}\)", note_of(html))


async def test_a_tile_that_was_never_well_is_a_dash(line: Line) -> None:
    """Not nought, which would look measured."""
    await another_type(line)
    html = await tile(line)
    values = re.findall(r'<data class="tile__value"[^>]*>(.*?)</data>', html)
    assert (values, "Could not be computed since" in html) == (["–"], True)
    assert "css/ops,tiles,board" in (await line.get("/b/technology")).text  # it may become a table again


async def test_it_says_the_same_until_it_is_well_again(line: Line, settings: Settings, clock: ManualClock,
                                                       caplog: pytest.LogCaptureFixture) -> None:
    """One failure is one line in the log and one change on the screens; a good reading ends it."""
    with caplog.at_level(logging.ERROR, "opsmon.web"):
        await failed(line, settings, clock, another_type)
        revision = feed_of(line).hub.slots["kpi-queues"].revision
        clock.advance(60_000)
        await look_again(line)
    said = [record for record in caplog.records if "queues cannot be computed" in record.getMessage()]
    assert (len(said), feed_of(line).hub.slots["kpi-queues"].revision) == (1, revision)
    await line.store.delete(QUEUES)
    await look_again(line)
    assert 'data-state="error"' not in await tile(line)


async def test_a_fault_of_ours_is_not_told_as_a_store_that_is_away(line: Line, clock: ManualClock) -> None:
    """Whoever reads it looks into the log of opsmon, not after the store."""
    feed = feed_of(line)
    feed._note_down(KeyError("on purpose"))
    clock.advance(60_000)
    feed._note_down(KeyError("on purpose"))
    html = (await line.get("/b/technology")).text
    assert ("A fault in opsmon: numbers stand still since 14:03; its log says why" in html,
            "The store cannot be reached" in html) == (True, False)


async def test_what_is_known_of_a_slot_goes_with_it(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Boards come and go for months."""
    await failed(line, settings, clock, another_type)
    failures = feed_of(line)._failures
    failures.forget(["kpi-queues", "kpi-gauges"])
    assert not {"kpi-queues", "kpi-gauges"} & (failures._well_ms.keys() | failures._failing.keys())


async def test_a_store_that_is_away_is_no_matter_of_a_tile(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Then all numbers stand still, and the board says so."""
    async def away(due: object) -> list[tuple[str, object]]:
        raise ConnectionError("the store is away")

    feed = feed_of(line)
    with pytest.raises(ConnectionError):
        await feed._failures.views(feed._plans, away, feed.hub.slots, clock.now_ms())
