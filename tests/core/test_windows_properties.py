"""Windows and covers against an oracle that reads the wall clock minute by minute."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from opsmon.core.calendar import Level, SiteCalendar
from opsmon.core.windows import CalendarUnit, Every, Unit, aligned_windows, cover, last_bounds, window_of, windows
from tests.core import window_oracle as oracle
from tests.core.window_oracle import DAY_MS, HOUR_MS, MINUTE_MS, STARTS, Bounds, moments

UTC = SiteCalendar(ZoneInfo("UTC"))
SMALL = st.integers(-500, 500)
SIZES = st.integers(1, 60)
DATED: list[Unit] = ["day", "week", "month", "year"]
# Their letters sort from coarse to fine.
LEVELS: st.SearchStrategy[list[Level]] = st.lists(st.sampled_from(["d", "h", "m"]), min_size=1, unique=True)


def calendar(zone: str, day_start_ms: int) -> SiteCalendar:
    return SiteCalendar(ZoneInfo(zone), day_start_ms)


@st.composite
def everies(draw: st.DrawFn) -> Every:
    """Any windows of a fixed size: tumbling, sliding or with gaps, from an origin or not."""
    origin = draw(st.none() | SMALL)
    return Every(draw(SIZES), draw(st.integers(0, 60)), draw(SMALL), origin)


@st.composite
def stretches(draw: st.DrawFn) -> tuple[str, Bounds]:
    """A zone and up to three days there, about a change of its clocks more often than not."""
    zone, start = draw(moments())
    return zone, (start, start + draw(st.integers(1, 3 * DAY_MS)))


@st.composite
def units(draw: st.DrawFn) -> CalendarUnit:
    """Any calendar windows that are counted in days or longer."""
    start = draw(st.none() | st.dates(date(1950, 1, 1), date(2030, 12, 31)))
    return CalendarUnit(draw(st.sampled_from(DATED)), draw(st.integers(1, 40)), start)


# --- windows of a fixed size -------------------------------------------------------------------------------


@given(SIZES, SMALL, SMALL, st.integers(1, 200))
def test_every_instant_lies_in_exactly_one_tumbling_window(size: int, offset: int, start: int, length: int) -> None:
    """Whatever the offset, and before 1970 too."""
    kind = Every(size, offset_ms=offset)
    found = list(windows(kind, start, start + length, UTC))
    held = [[bounds for bounds in found if bounds[0] <= time < bounds[1]] for time in range(start, start + length)]
    assert held == [[window_of(kind, time, UTC)] for time in range(start, start + length)]


@given(everies(), SMALL, st.integers(0, 200))
def test_windows_are_all_that_overlap_the_stretch_and_no_others(kind: Every, start: int, length: int) -> None:
    """Each ms from far before is tried as a start: those on a hop, not before the origin, that overlap."""
    tried = range(start - 120, start + length)
    right = [(at, at + kind.size_ms) for at in tried if (at - kind.offset_ms) % kind.hop_ms == 0
             and (kind.origin_ms is None or at >= kind.origin_ms) and at + kind.size_ms > start and length]
    assert list(windows(kind, start, start + length, UTC)) == right


@given(SIZES, SIZES, SMALL, SMALL)
def test_an_instant_lies_in_as_many_sliding_windows_as_fit(size: int, hop: int, offset: int, time: int) -> None:
    """Size by hop, to one side or the other: a whole number of windows when it divides."""
    found = list(windows(Every(size, hop, offset), time, time + 1, UTC))
    assert len(found) in {size // hop, -(-size // hop)}
    assert [start <= time < end for start, end in found] == [True] * len(found)


@given(everies(), SMALL)
def test_the_latest_window_has_begun_and_the_next_has_not(kind: Every, now: int) -> None:
    """The last of the windows that start up to now, from the origin on."""
    begun = [(at, at + kind.size_ms) for at in range(now - 60, now + 1) if (at - kind.offset_ms) % kind.hop_ms == 0
             and (kind.origin_ms is None or at >= kind.origin_ms)]
    assert last_bounds(kind, now, UTC) == (begun[-1] if begun else None)


@given(everies() | units(), SMALL, st.integers(0, 100), st.integers(0, 100))
def test_two_stretches_give_the_windows_of_both(kind: Every | CalendarUnit, start: int, one: int, two: int) -> None:
    """Where a stretch is cut makes no difference."""
    first = list(windows(kind, start, start + one, UTC))
    second = list(windows(kind, start + one, start + one + two, UTC))
    assert list(windows(kind, start, start + one + two, UTC)) == sorted({*first, *second})


@given(st.lists(st.integers(-50, 50)), st.integers(1, 8), st.integers(1, 5))
def test_windows_aligned_to_events_are_those_that_end_or_start_at_one(
    instants: list[int], steps: int, step: int
) -> None:
    """Every start is tried: an event in the last step, or one just before the first and any within."""
    size, at = steps * step, {instant // step * step for instant in instants}
    tried = range(-60 // step * step - size, 60 + size, step)
    right = [(start, start + size + step) for start in tried if start + size in at
             or (start - step in at and at & set(range(start, start + size + step, step)))]
    assert aligned_windows(instants, size, step) == right


# --- windows of the calendar -------------------------------------------------------------------------------


@given(moments(), STARTS, units(), st.integers(1, 5))
def test_calendar_windows_follow_each_other_without_gap_or_overlap(
    moment: tuple[str, int], day_start_ms: int, kind: CalendarUnit, count: int
) -> None:
    """Where one ends the next begins, from before the stretch to after it."""
    zone, start = moment
    end = start + count * 30 * DAY_MS
    found = list(windows(kind, start, end, calendar(zone, day_start_ms)))
    assert [one[1] == next_[0] and one[0] < one[1] for one, next_ in pairwise(found)] == [True] * (len(found) - 1)
    assert (found[0][0] <= start < found[0][1], found[-1][0] < end <= found[-1][1]) == (True, True)


@given(moments(), STARTS, units())
def test_a_calendar_window_is_the_one_walked_to_from_its_start(
    moment: tuple[str, int], day_start_ms: int, kind: CalendarUnit
) -> None:
    """Window by window from the first, forwards or back, to the one that holds the business day."""
    zone, time_ms = moment
    start = kind.start or (date(1969, 12, 29) if kind.unit == "week" else date(1970, 1, 1))
    day = oracle.business_day(zone, time_ms, day_start_ms)
    begins, ends = oracle.calendar_window(day, kind.unit, kind.count, start)
    assume(begins.year >= 1930)  # the oracle knows whole minutes only
    right = oracle.opens(zone, begins, day_start_ms), oracle.opens(zone, ends, day_start_ms)
    assert window_of(kind, time_ms, calendar(zone, day_start_ms)) == right


@given(moments(), st.sampled_from([0, 4 * HOUR_MS, 150 * MINUTE_MS]), st.integers(2, 24))
def test_hours_together_are_a_stretch_of_the_wall_clock(
    moment: tuple[str, int], day_start_ms: int, count: int
) -> None:
    """A day is walked minute by minute: a new block begins when the clock first reads its first minute."""
    zone, time_ms = moment
    day = oracle.business_day(zone, time_ms, day_start_ms)
    blocks: list[tuple[int, int]] = []
    for when, _, reads in oracle.minutes_of(zone, day, day + timedelta(days=1), day_start_ms):
        since = reads.replace(tzinfo=None) - datetime(day.year, day.month, day.day)
        block = (since // timedelta(milliseconds=1) - day_start_ms) // (count * HOUR_MS)
        blocks.append((when, max([block, *(number for _, number in blocks[-1:])])))
    found = windows(CalendarUnit("hour", count), blocks[0][0], blocks[-1][0], calendar(zone, day_start_ms))
    assert list(found) == oracle.runs(blocks)


@given(stretches(), STARTS)
def test_single_hours_are_the_hour_panes_that_overlap(stretch: tuple[str, Bounds], day_start_ms: int) -> None:
    """The repeated hour in autumn is two windows, as it is two bars."""
    zone, bounds = stretch
    panes = oracle.kept_about(zone, bounds, day_start_ms, {"h": None})["h"]
    right = [pane for pane in panes if pane[0] < bounds[1] and bounds[0] < pane[1]]
    assert list(windows(CalendarUnit("hour"), *bounds, calendar(zone, day_start_ms))) == right


# --- covers ------------------------------------------------------------------------------------------------


@given(stretches(), STARTS)
def test_a_cover_is_the_stretch_in_whole_minutes_without_gap_or_overlap(
    stretch: tuple[str, Bounds], day_start_ms: int
) -> None:
    """From the minute that holds the start to the minute that holds the last ms."""
    zone, (start, end) = stretch
    panes = cover(start, end, calendar(zone, day_start_ms))
    assert [one.end_ms for one in panes[:-1]] == [following.start_ms for following in panes[1:]]
    assert (panes[0].start_ms, panes[-1].end_ms) == (start // MINUTE_MS * MINUTE_MS, -(-end // MINUTE_MS) * MINUTE_MS)


@given(stretches(), STARTS, LEVELS)
def test_a_cover_takes_only_panes_there_are(
    stretch: tuple[str, Bounds], day_start_ms: int, levels: list[Level]
) -> None:
    """Each is a day, an hour or a minute of the wall clock, of a level that was allowed."""
    zone, bounds = stretch
    there = oracle.kept_about(zone, bounds, day_start_ms, dict.fromkeys(sorted(levels)))
    found = cover(*bounds, calendar(zone, day_start_ms), levels)
    assert [(pane.start_ms, pane.end_ms) in there[pane.level] for pane in found] == [True] * len(found)


@given(stretches(), STARTS)
def test_no_fewer_panes_make_the_stretch(stretch: tuple[str, Bounds], day_start_ms: int) -> None:
    """Among all ways to lay panes from start to end, none is shorter."""
    zone, bounds = stretch
    there = oracle.kept_about(zone, bounds, day_start_ms, {"d": None, "h": None, "m": None})
    fewest = oracle.fewest(oracle.widened(bounds, there), there)
    assert len(cover(*bounds, calendar(zone, day_start_ms))) == fewest


@given(stretches(), STARTS, LEVELS, st.data())
def test_a_cover_reaches_no_further_than_the_panes_that_are_left_make_it(
    stretch: tuple[str, Bounds], day_start_ms: int, levels: list[Level], data: st.DataObject
) -> None:
    """Expired or missing levels widen it, to the least that is possible, of the fewest panes."""
    zone, bounds = stretch
    near = st.none() | st.integers(bounds[0] - DAY_MS, bounds[1] + DAY_MS)
    minutes, hours = data.draw(near), data.draw(near)
    coarsest, *finer = sorted(levels)
    there = oracle.kept_about(zone, bounds, day_start_ms, {
        coarsest: None, **{level: {"h": hours, "m": minutes}[level] for level in finer}})
    right = oracle.widened(bounds, there)
    panes = cover(*bounds, calendar(zone, day_start_ms), levels, minutes_from_ms=minutes, hours_from_ms=hours)
    assert (panes[0].start_ms, panes[-1].end_ms, len(panes)) == (*right, oracle.fewest(right, there))
    assert [(pane.start_ms, pane.end_ms) in there[pane.level] for pane in panes] == [True] * len(panes)


@given(stretches(), STARTS)
def test_the_last_instant_of_a_pane_decides_what_is_covered(stretch: tuple[str, Bounds], day_start_ms: int) -> None:
    """An end on a boundary takes nothing of what follows: covers of neighbours meet and never share a pane."""
    zone, (start, end) = stretch
    site, middle = calendar(zone, day_start_ms), (start + end) // 2 // MINUTE_MS * MINUTE_MS
    before, after = cover(start, middle, site), cover(middle, end, site)
    assert [pane for pane in before if pane in after] == []
    assert [pane.end_ms for pane in before[-1:]] in ([], [middle])
