"""Reading KPIs: which panes a window takes, what is complete, and what a week ago is compared with."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Days, Kpi
from opsmon.core.events import Event
from opsmon.core.kpis import BUILT_IN, KPIS, ROLLUPS
from opsmon.core.panes import Hash
from opsmon.core.readings import Reading, Site, is_complete, plan, read, usual_gap_ms
from opsmon.core.requests import Answers, Parsed, Request, parse
from tests.conftest import NOW_MS
from tests.memory import Memory, event, fold_all
from tests.orders import order, refund

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
WEEK_MS = 7 * DAY_MS
GRACE_MS = 2 * MINUTE_MS


def site(now_ms: int = NOW_MS, **more: Any) -> Site:
    """What is known at `now_ms`: everything is counted, and counting began three weeks ago."""
    usual = Site(now_ms=now_ms, calendar=BERLIN, currency=None, since_ms=NOW_MS - 3 * WEEK_MS,
                 caught_up_ms=now_ms, grace_ms=GRACE_MS)
    return replace(usual, **more)


def reading(kpi: str | Kpi, memory: Memory, at: Site) -> Reading:
    """Read as the store does: only the hashes that the plan names are handed over."""
    planned = plan(BUILT_IN.kpi_by_id[kpi] if isinstance(kpi, str) else kpi, BUILT_IN, at)
    asked = {request.hashes[0] for request in planned.requests(at.calendar)}
    panes: dict[Hash, Parsed] = {
        found: parse({name.encode(): str(amount).encode() for name, amount in memory.panes[found].items() if amount},
                     BUILT_IN.rollup(found.rollup), found.level)
        for found in asked & memory.panes.keys()}
    nothing = {"open": (0, None), "ages": (0,) * 6}
    others = {ask: best(memory, ask) if ask.kind == "top" else nothing.get(ask.kind, 0)
              for ask in planned.requests(at.calendar) if ask.kind != "hash"}
    return read(planned, Answers(panes, others), at)


def best(memory: Memory, asked: Request) -> list[tuple[str, int]]:
    """The head of a ranking, as the store gives it."""
    found: Counter[str] = Counter()
    for one in asked.hashes:
        found.update(memory.scores.get(one, {}))
    return sorted(((name, pieces) for name, pieces in found.items() if pieces),
                  key=lambda one: (-one[1], one[0]))[:asked.most]


def placed(order_id: int, placed_ms: int, total: str = "10.00", **more: Any) -> Event:
    return event("orders/create", order(order_id, total, placed_ms=placed_ms, **more), arrived_ms=NOW_MS + WEEK_MS)


def sold(*placed_ms: int) -> Memory:
    """Orders of 10.00 placed at these instants."""
    return fold_all((placed(n, at_ms) for n, at_ms in enumerate(placed_ms, 1)), BERLIN)


def ms(wall: str) -> int:
    return BERLIN.instant(datetime.fromisoformat(wall))


# --- today -------------------------------------------------------------------------------------------------


def test_today_is_from_the_start_of_the_business_day() -> None:
    """The last order of yesterday is out, the first of today is in."""
    memory = sold(ms("2026-11-19T23:59:59"), ms("2026-11-20T00:00"), NOW_MS)
    assert reading("orders-today", memory, site()).value == 2


def test_today_ends_at_midnight_although_nothing_arrives() -> None:
    """Time alone makes it nought: nobody has to send anything."""
    assert reading("orders-today", sold(NOW_MS), site(ms("2026-11-21T00:00"))).value == 0


def test_revenue_of_today_is_sales_less_refunds_of_today() -> None:
    """A refund of last week's order lowers today."""
    old = order(1, "80.00", placed_ms=NOW_MS - WEEK_MS, updated_ms=NOW_MS, refunds=[refund(amount=30.0)])
    memory = fold_all([event("orders/updated", old), placed(2, NOW_MS, "49.90")], BERLIN)
    assert reading("revenue-today", memory, site()).value == 1990


def test_today_is_compared_with_the_same_weekday_to_the_same_minute() -> None:
    """Friday 14:03 with last Friday until 14:03: what was sold there later does not count yet."""
    then = NOW_MS - WEEK_MS
    memory = sold(NOW_MS, then - 5 * HOUR_MS, then - MINUTE_MS, then + MINUTE_MS, then + HOUR_MS, then - DAY_MS)
    assert reading("orders-today", memory, site()).before == 2


def test_the_present_minute_is_no_part_of_the_comparison() -> None:
    """At 14:03:22 the comparison ends at 14:03:00: a minute that has just begun would flatter today."""
    start = ms("2026-11-13T14:03")
    assert reading("orders-today", sold(start - 1, start), site()).before == 1


def test_the_first_minute_of_a_day_has_no_comparison() -> None:
    """A second after midnight there is nothing of last week to compare with, least of all a whole day."""
    memory = sold(*(ms("2026-11-12T00:30") + n * HOUR_MS for n in range(24)))
    assert reading("orders-today", memory, site(ms("2026-11-20T00:00") + 1000)).before is None


def test_the_second_minute_of_a_day_is_compared_with_the_first_of_last_week() -> None:
    """From the first whole minute on the comparison is there."""
    memory = sold(ms("2026-11-12T23:59"), ms("2026-11-13T00:00"), ms("2026-11-13T00:01"))
    assert reading("orders-today", memory, site(ms("2026-11-20T00:01") + 1000)).before == 1


def test_the_comparison_goes_over_the_clock_change() -> None:
    """Friday after the autumn change is compared with Friday before it, by the clock on the wall."""
    memory = sold(ms("2026-10-23T13:59"), ms("2026-10-23T14:01"))
    now = site(ms("2026-10-30T14:00"), since_ms=ms("2026-10-01T00:00"))
    assert reading("orders-today", memory, now).before == 1


@pytest.mark.parametrize("kpi", ["orders-today", "revenue-today", "orders-per-hour"])
def test_there_is_no_comparison_in_the_first_week(kpi: str) -> None:
    """Counting began six days ago: last week was not counted, and is not nought."""
    found = reading(kpi, sold(NOW_MS), site(since_ms=NOW_MS - 6 * DAY_MS))
    assert (found.before, found.before_series, found.expected) == (None, (), None)


def test_a_day_that_was_half_counted_is_no_comparison() -> None:
    """Installed last Friday at noon: that Friday is not compared with."""
    since = ms("2026-11-13T12:00")
    assert reading("orders-today", sold(NOW_MS, since + 1), site(since_ms=since)).before is None


def test_an_update_of_an_old_order_makes_no_first_week() -> None:
    """On the first day news of a month-old order arrive: still there is nothing to compare with."""
    old = order(1, placed_ms=NOW_MS - 30 * DAY_MS, updated_ms=NOW_MS)
    memory = fold_all([event("orders/updated", old)], BERLIN)
    assert reading("orders-today", memory, site(since_ms=memory.since_ms)).before is None


def test_nothing_sold_a_week_ago_is_nought_once_it_was_counted() -> None:
    """Nought and unknown are two things."""
    assert reading("orders-today", sold(NOW_MS), site()).before == 0


# --- minutes and hours -------------------------------------------------------------------------------------


def test_orders_per_minute_are_those_of_the_present_minute() -> None:
    """From 14:03:00 to 14:03:59, and sixty minutes for the line."""
    start = ms("2026-11-20T14:03")
    found = reading("orders-per-minute", sold(start - 1, start, start + 59_999, start + 60_000), site())
    assert (found.value, len(found.series), found.series[-1].value) == (2, 60, 2)
    assert (found.series[-2].value, found.start_ms, found.end_ms) == (1, start, start + MINUTE_MS)


def test_orders_per_hour_are_those_of_the_local_hour() -> None:
    """In Kolkata the hour begins on the half hour of UTC."""
    kolkata = SiteCalendar(ZoneInfo("Asia/Kolkata"))
    start = kolkata.instant(datetime.fromisoformat("2026-11-20T14:00"))
    memory = fold_all([placed(1, start - 1), placed(2, start), placed(3, start + MINUTE_MS)], kolkata)
    found = reading("orders-per-hour", memory, site(start + 10 * MINUTE_MS, calendar=kolkata))
    assert (found.value, found.start_ms, found.end_ms) == (2, start, start + HOUR_MS)


def test_the_bars_are_the_last_24_hours_and_their_marks_a_week_ago() -> None:
    """Each bar has the mark of the same hour last week."""
    hour = ms("2026-11-20T11:30")
    found = reading("orders-per-hour", sold(hour, hour + 1, hour - WEEK_MS), site())
    assert [point.value for point in found.series] == [0] * 20 + [2, 0, 0, 0]
    assert [point.value for point in found.before_series] == [0] * 20 + [1, 0, 0, 0]


def test_the_marks_may_be_those_of_yesterday() -> None:
    """Each bar has the mark of the same hour the day before, and the live one its outline by yesterday."""
    hour, day = ms("2026-11-20T13:00"), 24 * HOUR_MS
    memory = sold(*range(hour, hour + 12), *range(hour - day, hour - day + 10), hour - day + 50 * MINUTE_MS,
                  hour - WEEK_MS)
    found = reading(replace(BUILT_IN.kpi_by_id["orders-per-hour"], against="yesterday"), memory,
                    site(hour + 30 * MINUTE_MS))
    assert ([point.value for point in found.before_series], found.before, found.expected) == ([0] * 23 + [11], 11, 13)


def test_hours_before_counting_began_are_unknown_and_not_nought() -> None:
    """Of three hours something is known; before them nobody counted, and their marks are unknown too."""
    found = reading("orders-per-hour", sold(NOW_MS), site(since_ms=NOW_MS - 2 * HOUR_MS))
    assert [point.value for point in found.series] == [None] * 21 + [0, 0, 1]
    marks = reading("orders-per-hour", sold(NOW_MS), site(since_ms=NOW_MS - WEEK_MS - 2 * HOUR_MS)).before_series
    assert [point.value for point in marks] == [None] * 21 + [0, 0, 0]


def test_the_repeated_autumn_hour_is_two_bars_with_one_count_each() -> None:
    """An order in the first half past two and two in the second: bars of 1 and 2."""
    half_past_two = datetime.fromisoformat("2026-10-25T02:30")
    first, second = (BERLIN.instant(half_past_two, fold) for fold in (0, 1))
    now = site(ms("2026-10-25T03:10"), since_ms=ms("2026-10-01T00:00"))
    found = reading("orders-per-hour", sold(first, second, second + 1), now)
    assert [point.value for point in found.series[-3:]] == [1, 2, 0]


def test_the_present_hour_is_expected_to_go_on_as_last_week() -> None:
    """Last week 4 of 10 orders came in the first half hour; today 6 did: 15 are expected."""
    then, now = ms("2026-11-13T14:00"), ms("2026-11-20T14:00")
    memory = sold(*(then + n * 7 * MINUTE_MS for n in range(4)), *(then + 50 * MINUTE_MS + n for n in range(6)),
                  *(now + n * MINUTE_MS for n in range(6)))
    assert reading("orders-per-hour", memory, site(now + 30 * MINUTE_MS)).expected == 15


@pytest.mark.parametrize(("minutes", "orders_then"), [(4, 10), (30, 4)], ids=["too early", "too little"])
def test_where_there_is_too_little_to_go_by_nothing_is_expected(minutes: int, orders_then: int) -> None:
    """Not in the first five minutes of an hour, and not from fewer than five orders."""
    then, now = ms("2026-11-13T14:00"), ms("2026-11-20T14:00")
    memory = sold(now, *(then + n * MINUTE_MS for n in range(orders_then)))
    assert reading("orders-per-hour", memory, site(now + minutes * MINUTE_MS)).expected is None


# --- the sliding average -----------------------------------------------------------------------------------


def test_the_average_is_of_the_last_sixty_minutes() -> None:
    """At 14:03 from 13:04 to the end of the present minute; what was sold before is out."""
    start = ms("2026-11-20T13:04")
    orders = [placed(1, start - 1, "99.00"), placed(2, start, "10.00"), placed(3, NOW_MS, "20.00")]
    memory = fold_all(orders, BERLIN)
    found = reading("aov-1h", memory, site())
    assert (found.value, found.start_ms, found.end_ms) == (1500, start, start + HOUR_MS)


def test_the_average_moves_on_although_nothing_arrives() -> None:
    """An hour later there is nothing left to average: no value, not nought."""
    assert reading("aov-1h", sold(NOW_MS), site(NOW_MS + HOUR_MS)).value is None


def test_the_average_is_rounded_to_the_nearest_cent() -> None:
    """20.00 in three orders is 6.67 each."""
    memory = fold_all([placed(n, NOW_MS, total) for n, total in enumerate(["5.00", "5.00", "10.00"], 1)], BERLIN)
    assert reading("aov-1h", memory, site()).value == 667


def test_the_average_takes_one_currency() -> None:
    """Yen neither raise the sum nor the number of orders in euros."""
    memory = fold_all([placed(1, NOW_MS, "10.00"), placed(2, NOW_MS, "5000", currency="JPY")], BERLIN)
    assert reading("aov-1h", memory, site(currency="EUR")).value == 1000


# --- currencies --------------------------------------------------------------------------------------------


def test_two_currencies_are_shown_side_by_side() -> None:
    """The site's own is the value, the others are beside it, never added."""
    memory = fold_all([placed(1, NOW_MS, "10.00"), placed(2, NOW_MS, "500", currency="JPY"),
                       placed(3, NOW_MS, "7.00", currency="CHF")], BERLIN)
    found = reading("revenue-today", memory, site(currency="EUR"))
    assert (found.value, found.currency, found.others) == (1000, "EUR", (("CHF", 700), ("JPY", 500)))


def test_without_a_setting_the_currency_is_the_one_that_was_sold_in() -> None:
    """Nobody has to say it."""
    memory = fold_all([placed(1, NOW_MS, "500", currency="JPY")], BERLIN)
    assert reading("revenue-today", memory, site()).currency == "JPY"


def test_a_count_has_no_currency() -> None:
    """Orders are orders."""
    assert reading("orders-today", sold(NOW_MS), site(currency="EUR")).currency is None


# --- live and complete -------------------------------------------------------------------------------------


END_MS = NOW_MS


@pytest.mark.parametrize(("now_ms", "caught_up_ms", "complete"), [
    (END_MS - 1, END_MS - 1, False),
    (END_MS + GRACE_MS - 1, END_MS + GRACE_MS - 1, False),
    (END_MS + GRACE_MS, END_MS + GRACE_MS, True),
    (END_MS + HOUR_MS, END_MS + GRACE_MS - 1, False),
    (END_MS + HOUR_MS, END_MS + GRACE_MS, True),
], ids=["open", "in its grace", "grace over", "something waits", "all counted"])
def test_a_window_is_complete_when_nothing_is_to_be_waited_for(
    now_ms: int, caught_up_ms: int, complete: bool
) -> None:
    """Its end and the grace have passed, and nothing that arrived by then is unread or in hands."""
    assert is_complete(END_MS, site(now_ms, caught_up_ms=caught_up_ms)) is complete


@pytest.mark.parametrize("kpi", [kpi.id for kpi in KPIS if not getattr(kpi.window, "delay_ms", 0)])
def test_the_present_window_is_live(kpi: str) -> None:
    """The value shows at once and says that it still moves."""
    assert reading(kpi, sold(NOW_MS), site()).complete is False


# --- reads are bounded -------------------------------------------------------------------------------------


@given(st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]), st.integers(0, 400 * 1440))
def test_a_present_window_takes_six_hashes_at_most(zone: str, minutes_ago: int) -> None:
    """However late in the day: an answer in one round trip, of bounded size. Rows of days are one a day. Beside stock
    the products are read, and what was sold on each of 14 days."""
    at = site(NOW_MS - minutes_ago * MINUTE_MS, calendar=SiteCalendar(ZoneInfo(zone)))
    for kpi in KPIS:
        planned = plan(kpi, BUILT_IN, at)
        alone = replace(planned, series=(), before=(), before_series=(), before_by_now=(), compared=(), rests=(),
                        beside=())
        assert len(planned.beside) == (15 if kpi.id == "stock" else 0)
        most = kpi.window.count if isinstance(kpi.window, Days) and planned.rollup.is_whole else 6
        assert len([found for request in alone.requests(at.calendar) for found in request.hashes]) <= most


@given(st.lists(st.integers(0, 3 * 1440), min_size=1, max_size=20))
def test_a_sliding_window_is_the_sum_of_its_minutes(minutes_ago: list[int]) -> None:
    """The average's orders and those of the sixty minutes on the line are the same ones."""
    memory = sold(*(NOW_MS - ago * MINUTE_MS for ago in minutes_ago))
    totals = [point.value or 0 for point in reading("orders-per-minute", memory, site()).series]
    average = reading("aov-1h", memory, site()).value
    assert average == (1000 if sum(totals) else None)


def test_every_kpi_reads_a_rollup_that_is_kept() -> None:
    """A number on the wall with nothing behind it would stand at nought for ever."""
    assert [kpi.id for kpi in KPIS if kpi.rollup not in {rollup.id for rollup in ROLLUPS}] == []


# --- silence -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("per_hour", "gap_ms"), [(0.5, None), (69, 360_000), (1, 24_840_000), (10_000, 60_000)])
def test_a_gap_is_usual_that_999_of_1000_stay_below(per_hour: float, gap_ms: int | None) -> None:
    """69 deliveries an hour leave gaps of six minutes now and then; below one an hour any silence is usual."""
    assert usual_gap_ms(per_hour) == gap_ms
