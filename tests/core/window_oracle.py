"""What windows and panes are, found the slow way: the wall clock read minute by minute.

Shares nothing with opsmon.core: zoneinfo, datetime and counting. Right from 1930 on, since when the clocks of
the zones here differ from UTC by whole minutes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
FOUR = 4 * HOUR_MS

# Zones with days on which something happens to their clocks; nothing ever does in UTC, but time had a zero.
ZONES = {
    "America/Havana": ["2026-03-08", "2026-11-01"],
    "Asia/Kathmandu": ["1986-01-01", "2026-02-28"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04", "1981-03-01"],
    "Europe/London": ["2026-03-29", "2026-10-25", "1968-02-18"],
    "Asia/Kolkata": ["1945-10-15", "2026-12-31"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25", "1945-05-24"],
    "UTC": ["1970-01-01", "2024-02-29"],
}
FIRST_MS, LAST_MS = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (1931, 2035))
STARTS = st.sampled_from([0, FOUR])

Bounds = tuple[int, int]
Runs = dict[str, list[Bounds]]


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and an instant there: any, or one about a change of its clocks."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    if draw(st.integers(0, 3)) == 0:
        return zone, draw(st.integers(FIRST_MS, LAST_MS))
    change = datetime.fromisoformat(draw(st.sampled_from(ZONES[zone]))).replace(tzinfo=UTC)
    return zone, in_ms(change) + draw(st.integers(-30 * HOUR_MS, 54 * HOUR_MS))


def in_ms(moment: datetime) -> int:
    """Epoch ms of a moment that knows its zone."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def wall(zone: str, time_ms: int) -> datetime:
    """What the clock on the wall reads, with its zone."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)).astimezone(ZoneInfo(zone))


@cache
def opens(zone: str, day: date, day_start_ms: int) -> int:
    """The first minute at which the clock reads the start of a business day or later: all are looked at."""
    start = datetime(day.year, day.month, day.day) + timedelta(milliseconds=day_start_ms)
    # Clocks are at most 14 hours ahead of UTC.
    time_ms = in_ms(start.replace(tzinfo=UTC)) - 15 * HOUR_MS
    while wall(zone, time_ms).replace(tzinfo=None) < start:
        time_ms += MINUTE_MS
    return time_ms


def business_day(zone: str, time_ms: int, day_start_ms: int) -> date:
    """The last day that has opened."""
    day = wall(zone, time_ms).date() + timedelta(days=1)
    while opens(zone, day, day_start_ms) > time_ms:
        day -= timedelta(days=1)
    return day


def minutes_of(zone: str, first: date, last: date, day_start_ms: int) -> Iterator[tuple[int, date, datetime]]:
    """The minutes of whole business days: when, on which day, what the clock reads (with its zone)."""
    day = first
    for time_ms in range(opens(zone, first, day_start_ms), opens(zone, last, day_start_ms), MINUTE_MS):
        reads = wall(zone, time_ms)
        # A day that has opened goes on when the clock is put back.
        day = max(day, (reads.replace(tzinfo=None) - timedelta(milliseconds=day_start_ms)).date())
        yield time_ms, day, reads


def runs(minutes: Sequence[tuple[int, object]]) -> list[Bounds]:
    """Neighbouring minutes with one label, as stretches."""
    together = [[time_ms for time_ms, _ in group] for _, group in groupby(minutes, key=lambda minute: minute[1])]
    return [(group[0], group[-1] + MINUTE_MS) for group in together]


@cache
def panes_about(zone: str, first: date, last: date, day_start_ms: int) -> Runs:
    """All panes of some business days by level."""
    walked = list(minutes_of(zone, first, last, day_start_ms))
    hours = [(when, (day, reads.replace(minute=0, tzinfo=None), reads.utcoffset())) for when, day, reads in walked]
    return {
        "d": runs([(when, day) for when, day, _ in walked]),
        "h": runs([(when, hour) for when, hour in hours]),
        "m": [(when, when + MINUTE_MS) for when, _, _ in walked],
    }


def kept_about(zone: str, bounds: Bounds, day_start_ms: int, since: Mapping[str, int | None]) -> Runs:
    """The panes about a stretch that are stored: of the levels in `since` (coarsest first), from then on."""
    first, last = (wall(zone, time_ms).date() for time_ms in bounds)
    panes = panes_about(zone, first - timedelta(days=2), last + timedelta(days=3), day_start_ms)
    return {level: [pane for pane in panes[level] if kept is None or pane[0] >= kept]
            for level, kept in since.items()}


def widened(bounds: Bounds, kept: Runs) -> Bounds:
    """The least that whole panes can make of a stretch: for every minute, the finest pane that holds it."""
    finest: dict[int, Bounds] = {}
    for panes in kept.values():
        finest |= {minute: pane for pane in panes for minute in range(*pane, MINUTE_MS)}
    minutes = range(bounds[0] // MINUTE_MS * MINUTE_MS, bounds[1], MINUTE_MS)
    needed = [finest[minute] for minute in minutes]
    return min(start for start, _ in needed), max(end for _, end in needed)


def fewest(bounds: Bounds, kept: Runs) -> int:
    """How many panes it takes at least to fill a stretch exactly: the shortest way from start to end."""
    start, end = bounds
    steps = sorted({pane for panes in kept.values() for pane in panes if start <= pane[0] and pane[1] <= end})
    needed = {start: 0}
    for begins, ends in steps:
        if begins in needed:
            needed[ends] = min(needed.get(ends, len(steps)), needed[begins] + 1)
    return needed[end]


def later(day: date, months: int) -> date:
    """The same day of a later month, or its last: by trying ever earlier days until one exists."""
    month = day.month - 1 + months
    for number in range(day.day, 27, -1):
        try:
            return date(day.year + month // 12, month % 12 + 1, number)
        except ValueError:
            continue
    return date(day.year + month // 12, month % 12 + 1, day.day)


STEP: dict[str, Callable[[date, int], date]] = {
    "day": lambda start, count: start + timedelta(days=count),
    "week": lambda start, count: start + timedelta(weeks=count),
    "month": later,
    "year": lambda start, count: later(start, 12 * count),
}


def calendar_window(day: date, unit: str, count: int, start: date) -> tuple[date, date]:
    """The days between which a day's window lies: walked from `start`, window by window."""
    number, way = 0, 1 if day >= start else -1
    while not STEP[unit](start, number * count) <= day < STEP[unit](start, (number + 1) * count):
        number += way
    return STEP[unit](start, number * count), STEP[unit](start, (number + 1) * count)
