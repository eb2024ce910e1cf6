"""Spans of a site's calendar that a history is looked at in: a business day, a week, a month, a year.

Days, weeks and so on begin when the site's business day does; weeks on Monday. Instants are epoch ms, UTC;
every stretch is half-open, [start, end).
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from opsmon.core.asked import BadQuestion
from opsmon.core.calendar import SiteCalendar, months_earlier
from opsmon.core.windows import Bounds, CalendarUnit, window_of

SpanName = Literal["day", "week", "month", "year"]
SPANS: tuple[SpanName, ...] = get_args(SpanName)
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
# No window of these years reaches out of the calendar.
_YEARS = range(1000, 9000)


@dataclass(frozen=True, slots=True)
class Span:
    """One day, week, month or year: its first business day, the first one after it, and its bounds."""

    name: SpanName
    first: date
    following: date
    start_ms: int
    end_ms: int

    @property
    def bounds(self) -> Bounds:
        """From its first instant to before the first one after it."""
        return self.start_ms, self.end_ms


def read_span(name: str | None, at: str | None, calendar: SiteCalendar, now_ms: int) -> Span:
    """The span that a query names, by default the present day. Raises BadQuestion."""
    found = next((one for one in SPANS if one == (name or "day")), None)
    if found is None:
        raise BadQuestion(f"span={(name or '')[:40]}: expected {', '.join(SPANS)}")
    return span_of(found, _day(at) if at else calendar.day_of(now_ms), calendar)


def span_of(name: SpanName, day: date, calendar: SiteCalendar) -> Span:
    """The span that holds a business day."""
    bounds = window_of(CalendarUnit(name), calendar.day_begins(day), calendar)
    assert bounds is not None  # windows of the calendar have no origin
    return Span(name, calendar.day_of(bounds[0]), calendar.day_of(bounds[1]), *bounds)


def before(span: Span, calendar: SiteCalendar) -> Span:
    """The span that ends where this one begins."""
    return span_of(span.name, span.first - _DAY, calendar)


def after(span: Span, calendar: SiteCalendar) -> Span:
    """The span that begins where this one ends."""
    return span_of(span.name, span.following, calendar)


def compared(span: Span, calendar: SiteCalendar) -> Span:
    """What a span is compared with: the same weekday a week before, the week, month or year before."""
    return span_of(span.name, span.first - (_WEEK if span.name == "day" else _DAY), calendar)


def same_time(time_ms: int, span: Span, calendar: SiteCalendar) -> int:
    """The instant of the compared span at which the wall clock read as it does at `time_ms` of this one.

    On the same weekday (day, week) or day of the month (month, year), from the 29th on perhaps the last of a
    shorter month; kept within that business day.
    """
    day = calendar.day_of(time_ms)
    then = _same_day(day, span)
    wall = calendar.wall(time_ms)
    found = calendar.instant(wall.replace(tzinfo=None, fold=0) + (then - day), wall.fold)
    return min(max(found, calendar.day_begins(then)), calendar.day_begins(then + _DAY))


def _same_day(day: date, span: Span) -> date:
    if span.name in ("day", "week"):
        return day - _WEEK
    return months_earlier(day, 12 if span.name == "year" else 1)


def _day(text: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) or int(text[:4]) not in _YEARS:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise BadQuestion(f"at={text[:40]}: expected a day such as 2026-11-20") from None
