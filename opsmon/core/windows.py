"""Windows over event time, and the stored panes that each is folded from.

A kind of window and a stretch of time go in; bounds come out, then the panes to read. Instants are epoch ms,
UTC, before 1970 negative; every stretch is half-open, [start, end).
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from opsmon.core.calendar import MINUTE_MS, Level, Pane, SiteCalendar

Bounds = tuple[int, int]
Unit = Literal["hour", "day", "week", "month", "year"]
# The levels that are stored, and from which instant on; None for ever.
Since = Mapping[Level, int | None]

_DAY = timedelta(days=1)
_EPOCH_DAY, _EPOCH_MONDAY = date(1970, 1, 1), date(1969, 12, 29)


@dataclass(frozen=True, slots=True)
class Every:
    """Windows of `size_ms` that start every `hop_ms` (0: every `size_ms`), at `offset_ms` and hops from there.

    Tumbling when hop and size are equal, else sliding, which others call hopping; a hop beyond the size
    leaves gaps. The offset may be negative or beyond the hop. No window starts before `origin_ms`.
    Raises ValueError for a size below 1 or a negative hop.
    """

    size_ms: int
    hop_ms: int = 0
    offset_ms: int = 0
    origin_ms: int | None = None

    def __post_init__(self) -> None:
        if self.size_ms < 1 or self.hop_ms < 0:
            raise ValueError("a window lasts at least 1 ms and hops forward")
        # Written into the field, so that the two ways to say tumbling are equal.
        object.__setattr__(self, "hop_ms", self.hop_ms or self.size_ms)


@dataclass(frozen=True, slots=True)
class CalendarUnit:
    """Windows of `count` units of the site's calendar, counted from `start` in both directions.

    `start` is 1970-01-01 unless given, for weeks the Monday of that week; days, weeks, months and years begin
    when the business day does. From the 31st a shorter month begins on its last day. One hour is an hour pane:
    the repeated one in autumn gives two. More hours are a stretch of the wall clock, counted anew from the
    start of each business day: in autumn 00:00 to 04:00 lasts five hours.
    Raises ValueError for a count below 1, more hours than a day has, or hours with a start.
    """

    unit: Unit
    count: int = 1
    start: date | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError("a window holds at least one unit")
        if self.unit == "hour" and (self.count > 24 or self.start):
            raise ValueError("hours are counted within each day: 1 to 24, without a start")


@dataclass(frozen=True, slots=True)
class Aligned:
    """Windows aligned to events, `size_ms` from the first to the last step held; see `aligned_windows`.

    Raises ValueError unless the size is a positive number of whole steps.
    """

    size_ms: int
    step_ms: int = MINUTE_MS

    def __post_init__(self) -> None:
        if self.step_ms < 1 or self.size_ms < 1 or self.size_ms % self.step_ms:
            raise ValueError("a window aligned to events lasts a positive number of whole steps")


Kind = Every | CalendarUnit


def windows(kind: Kind, from_ms: int, to_ms: int, calendar: SiteCalendar) -> Iterator[Bounds]:
    """Every window that overlaps [from, to), in order of start.

    Raises ValueError or OverflowError where a calendar window reaches outside the years 1 to 9999.
    """
    if from_ms >= to_ms:
        return
    if isinstance(kind, Every):
        starts = range(_first_start(kind, from_ms), to_ms, kind.hop_ms)
        yield from ((start, start + kind.size_ms) for start in starts)
        return
    while from_ms < to_ms:
        bounds = _calendar_window(kind, from_ms, calendar)
        yield bounds
        from_ms = bounds[1]


def window_of(kind: Kind, time_ms: int, calendar: SiteCalendar) -> Bounds | None:
    """The one window that holds an instant; None before the origin. Raises ValueError for sliding windows."""
    if isinstance(kind, Every) and kind.hop_ms != kind.size_ms:
        raise ValueError("an instant lies in several sliding windows or in none: use windows()")
    return last_bounds(kind, time_ms, calendar)


def last_bounds(kind: Kind, now_ms: int, calendar: SiteCalendar) -> Bounds | None:
    """The latest window that has begun; None before the origin.

    Of overlapping windows this is the newest and emptiest; the oldest still open is the first of
    `windows(kind, now_ms, now_ms + 1, calendar)`. With gaps it may be over already.
    """
    if isinstance(kind, CalendarUnit):
        return _calendar_window(kind, now_ms, calendar)
    start = _start_by(kind, now_ms)
    return None if kind.origin_ms is not None and start < kind.origin_ms else (start, start + kind.size_ms)


def aligned_windows(instants: Iterable[int], size_ms: int, step_ms: int = MINUTE_MS) -> list[Bounds]:
    """The windows aligned to events, each once, in order of start: Kafka Streams calls these sliding.

    For each instant t, taken down to its step, the window that ends with it, and the one that starts a step
    after it if that holds an event. Kafka's ends are inclusive, [t - size, t] and [t + 1, t + 1 + size]:
    the last step is held whole, so ours are [t - size, t + step) and [t + step, t + step + size + step).
    Raises ValueError unless the size is a positive number of whole steps.
    """
    aligned = Aligned(size_ms, step_ms)
    steps = sorted({instant - instant % aligned.step_ms for instant in instants})
    starts = {step - size_ms for step in steps}
    starts |= {step + step_ms for step, following in pairwise(steps) if following <= step + step_ms + size_ms}
    return [(start, start + size_ms + step_ms) for start in sorted(starts)]


def cover(start_ms: int, end_ms: int, calendar: SiteCalendar, levels: Collection[Level] = ("d", "h", "m"), *,
          minutes_from_ms: int | None = None, hours_from_ms: int | None = None) -> list[Pane]:
    """The fewest stored panes that hold [start, end), oldest first, without overlap; none for an empty stretch.

    They reach further only where no finer pane is kept: `levels` says which there are, minutes only those that
    begin at or after `minutes_from_ms`, hours likewise. The coarsest level is taken to be kept for ever.
    Raises ValueError without a level, OverflowError outside the years 1 to 9999.
    """
    if not levels:
        raise ValueError("a window is folded from panes of at least one level")
    if start_ms >= end_ms:
        return []
    first_kept = {"d": None, "h": hours_from_ms, "m": minutes_from_ms}
    since = {level: first_kept[level] for level in levels}
    first_ms = _kept(start_ms, calendar, since)[-1].start_ms
    last_ms = _kept(end_ms - 1, calendar, since)[-1].end_ms
    panes = _tile(first_ms, last_ms, calendar, since)
    # An hour whose first minutes are gone is taken whole and may end later; then a whole day may fit.
    while panes[-1].end_ms > last_ms:
        last_ms = panes[-1].end_ms
        panes = _tile(first_ms, last_ms, calendar, since)
    return panes


def _kept(time_ms: int, calendar: SiteCalendar, since: Since) -> list[Pane]:
    """The stored panes that hold an instant, coarsest first."""
    coarsest, *finer = (pane for pane in reversed(calendar.place(time_ms)) if pane.level in since)
    return [coarsest, *(pane for pane in finer if (first := since[pane.level]) is None or pane.start_ms >= first)]


def _tile(time_ms: int, end_ms: int, calendar: SiteCalendar, since: Since) -> list[Pane]:
    """Panes one after the other, each the coarsest that begins here and ends in time, else the finest."""
    panes: list[Pane] = []
    while time_ms < end_ms:
        kept = _kept(time_ms, calendar, since)
        fitting = (pane for pane in kept if pane.start_ms == time_ms and pane.end_ms <= end_ms)
        panes.append(next(fitting, kept[-1]))
        time_ms = panes[-1].end_ms
    return panes


def _start_by(kind: Every, time_ms: int) -> int:
    """The latest start at or before an instant, were there no origin."""
    return time_ms - (time_ms - kind.offset_ms) % kind.hop_ms


def _first_start(kind: Every, from_ms: int) -> int:
    """The start of the first window that ends after an instant."""
    after = _start_by(kind, from_ms - kind.size_ms) + kind.hop_ms
    return after if kind.origin_ms is None else max(after, _start_by(kind, kind.origin_ms - 1) + kind.hop_ms)


def _calendar_window(kind: CalendarUnit, time_ms: int, calendar: SiteCalendar) -> Bounds:
    if kind.unit == "hour":
        return _hours(kind.count, time_ms, calendar)
    day = calendar.day_of(time_ms)
    begins, ends = _months(kind, day) if kind.unit in ("month", "year") else _days(kind, day)
    return calendar.day_begins(begins), calendar.day_begins(ends)


def _hours(count: int, time_ms: int, calendar: SiteCalendar) -> Bounds:
    if count == 1:
        hour = calendar.place(time_ms).hour
        return hour.start_ms, hour.end_ms
    day = calendar.day_of(time_ms)
    opens = datetime.combine(day, time.min) + timedelta(milliseconds=calendar.day_start_ms)
    begins = [calendar.instant(opens + timedelta(hours=hour)) for hour in range(0, 24, count)]
    begins.append(calendar.day_begins(day + _DAY))
    # Blocks that a clock put forward skips whole begin where the next does: the right side passes them over.
    index = bisect_right(begins, time_ms)
    return begins[index - 1], begins[index]


def _days(kind: CalendarUnit, day: date) -> tuple[date, date]:
    length = _DAY * kind.count * (7 if kind.unit == "week" else 1)
    start = kind.start or (_EPOCH_MONDAY if kind.unit == "week" else _EPOCH_DAY)
    begins = day - (day - start) % length
    return begins, begins + length


def _months(kind: CalendarUnit, day: date) -> tuple[date, date]:
    length = kind.count * (12 if kind.unit == "year" else 1)
    start = kind.start or _EPOCH_DAY
    passed = (day.year - start.year) * 12 + day.month - start.month
    passed -= _months_on(start, passed) > day
    passed -= passed % length
    return _months_on(start, passed), _months_on(start, passed + length)


def _months_on(start: date, months: int) -> date:
    """The same day of the month `months` later (or earlier), or that month's last."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - _DAY
    return min(first + timedelta(days=start.day - 1), last)
