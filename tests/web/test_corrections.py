"""Late events that change an hour which was over: marked on the board and in the history."""

import re
from html import unescape

import pytest

from opsmon.clock import ManualClock
from opsmon.core.corrections import KEPT_MS
from tests.line import Line
from tests.orders import order

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ROW = re.compile(r'<tr data-state="\w+"><th scope="row">(.*?)</th>.*?<td>([^<]*)</td></tr>')


async def sold(line: Line, clock: ManualClock, number: int, ago_ms: int = 0) -> None:
    """An order placed so long ago comes in now, and is counted."""
    await line.post("orders/create", order(number, "10.00", placed_ms=clock.now_ms() - ago_ms))
    await line.work()


async def open_for_a_day(line: Line, clock: ManualClock) -> None:
    """opsmon has counted since yesterday: what was over before that is no correction, but history filled in."""
    clock.advance(-DAY_MS)
    await sold(line, clock, 1)
    clock.advance(DAY_MS)


async def notes(line: Line, path: str) -> dict[str, str]:
    """What the table of a history notes of each window, where it notes anything."""
    found = ROW.findall((await line.get(f"/kpi/{path}")).text)
    return {unescape(name): unescape(note) for name, note in found if note}


async def test_a_closed_hour_that_changed_is_marked_on_the_board(line: Line, clock: ManualClock) -> None:
    """Over its bar, and in the sentence."""
    await open_for_a_day(line, clock)
    await sold(line, clock, 2, 2 * HOUR_MS)
    html = (await line.get("/")).text
    assert (html.count('class="bars__delta"'), "Δ 12:00 corrected late" in html) == (1, True)


async def test_the_history_says_when_it_was_corrected(line: Line, clock: ManualClock) -> None:
    """In the table, in a note, and over the bar."""
    await open_for_a_day(line, clock)
    await sold(line, clock, 2, 2 * HOUR_MS)
    html = (await line.get("/kpi/orders-today")).text
    assert await notes(line, "orders-today") == {"12:00": "Δ corrected Nov 20, 14:03:22", "14:00": "so far"}
    assert (html.count('class="history__delta"'), "Δ 1 hour changed after it was over: something came late." in html
            ) == (1, True)


async def test_an_hour_corrected_on_its_day_is_no_correction_of_the_day(line: Line, clock: ManualClock) -> None:
    """The day still moved. One that comes on the day after is one, for the day, and for the month not yet."""
    await open_for_a_day(line, clock)
    await sold(line, clock, 2, 2 * HOUR_MS)
    week = await notes(line, "orders-today?span=week")
    await sold(line, clock, 3, DAY_MS - 2 * HOUR_MS)
    later = await notes(line, "orders-today?span=week")
    assert ("Δ" in "".join(week.values()), later["Thu, Nov 19"]) == (False, "Δ corrected Nov 20, 14:03:22")
    assert "Δ" not in "".join((await notes(line, "orders-today?span=year")).values())


async def test_history_that_is_filled_in_is_no_correction(line: Line, clock: ManualClock) -> None:
    """Nobody had seen those hours as whole: opsmon was not there."""
    await sold(line, clock, 1)
    await sold(line, clock, 2, 3 * HOUR_MS)
    assert "Δ" not in "".join((await notes(line, "orders-today")).values())


async def test_what_comes_in_time_is_no_correction(line: Line, clock: ManualClock) -> None:
    """However late the worker is."""
    await open_for_a_day(line, clock)
    await line.post("orders/create", order(2, placed_ms=clock.now_ms()))
    clock.advance(3 * HOUR_MS)
    await line.work()
    assert "Δ" not in "".join((await notes(line, "orders-today")).values())


async def test_marks_go_after_a_month_and_are_bounded(line: Line, clock: ManualClock) -> None:
    """One key for each rollup, which expires."""
    await open_for_a_day(line, clock)
    await sold(line, clock, 2, 2 * HOUR_MS)
    key = "{main}:corrected:orders"
    assert (await line.store.zcard(key), await line.store.pexpiretime(key)) == (1, clock.now_ms() + KEPT_MS)


async def test_marks_that_cannot_be_written_stop_no_counting(line: Line, clock: ManualClock) -> None:
    """A number is worth more than its annotation."""
    await open_for_a_day(line, clock)
    await line.store.set("{main}:corrected:orders", "another type", px=100_000)
    await sold(line, clock, 2, 2 * HOUR_MS)
    assert (await line.kpis())["orders-today"]["value"] == 1
