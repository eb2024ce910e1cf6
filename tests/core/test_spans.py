"""Days, weeks, months and years of a site, what comes before and after them, and what they are compared with."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from opsmon.core.asked import BadQuestion
from opsmon.core.calendar import HOUR_MS, SiteCalendar
from opsmon.core.spans import SpanName, after, before, compared, read_span, same_time, span_of
from tests.conftest import NOW_MS

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
FRIDAY = date(2026, 11, 20)


def at(text: str, fold: int = 0) -> int:
    """An instant by the clocks of Berlin."""
    return BERLIN.instant(datetime.fromisoformat(text), fold)


@pytest.mark.parametrize(("name", "first", "following"), [
    ("day", FRIDAY, date(2026, 11, 21)), ("week", date(2026, 11, 16), date(2026, 11, 23)),
    ("month", date(2026, 11, 1), date(2026, 12, 1)), ("year", date(2026, 1, 1), date(2027, 1, 1)),
])
def test_a_span_holds_whole_business_days(name: SpanName, first: date, following: date) -> None:
    """From its first day to the first one after it."""
    span = span_of(name, FRIDAY, BERLIN)
    assert (span.first, span.following) == (first, following)
    assert span.bounds == (BERLIN.day_begins(first), BERLIN.day_begins(following))


def test_a_day_begins_when_the_sites_day_does() -> None:
    """At 04:00, if that is when the shift ends."""
    early = SiteCalendar(ZoneInfo("Europe/Berlin"), 4 * HOUR_MS)
    assert read_span("day", None, early, at("2026-11-20T03:59")).first == date(2026, 11, 19)


def test_spans_follow_each_other_without_a_gap() -> None:
    """Before and after are side by side."""
    for name in ("day", "week", "month", "year"):
        span = read_span(name, None, BERLIN, NOW_MS)
        assert (before(span, BERLIN).end_ms, after(span, BERLIN).start_ms) == span.bounds


def test_a_day_is_compared_with_the_weekday_and_others_with_the_one_before() -> None:
    """A Friday with a Friday; November with October."""
    found = {name: compared(span_of(name, FRIDAY, BERLIN), BERLIN).first for name in ("day", "week", "month", "year")}
    assert found == {"day": date(2026, 11, 13), "week": date(2026, 11, 9), "month": date(2026, 10, 1),
                     "year": date(2025, 1, 1)}


@pytest.mark.parametrize(("name", "now", "then"), [
    ("day", "2026-11-20T14:03", "2026-11-13T14:03"), ("week", "2026-11-20T14:03", "2026-11-13T14:03"),
    ("month", "2026-11-20T14:03", "2026-10-20T14:03"), ("year", "2026-11-20T14:03", "2025-11-20T14:03"),
    ("month", "2026-03-31T09:00", "2026-02-28T09:00"), ("year", "2028-02-29T09:00", "2027-02-28T09:00"),
    ("day", "2026-10-25T14:03", "2026-10-18T14:03"), ("day", "2026-04-05T02:30", "2026-03-29T03:00"),
])
def test_the_same_time_is_told_by_the_clock_on_the_wall(name: SpanName, now: str, then: str) -> None:
    """Across changes of the clocks, and in months that are shorter."""
    span = span_of(name, date.fromisoformat(now[:10]), BERLIN)
    assert same_time(at(now), span, BERLIN) == at(then)


@pytest.mark.parametrize(("name", "day"), [("hour", None), ("day", "20.11.2026"), ("day", "2026-02-30"),
                                           ("day", "0999-01-01"), ("day", "2026-W47-5"), ("day", "٢٠٢٦-١١-٢٠")])
def test_what_is_no_span_is_refused(name: str, day: str | None) -> None:
    """With a sentence that says what would be one."""
    with pytest.raises(BadQuestion, match="expected"):
        read_span(name, day, BERLIN, NOW_MS)
