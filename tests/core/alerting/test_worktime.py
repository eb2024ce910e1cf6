"""Working hours: written by people, read by the wall clock, and how much of a time lies in them."""

from datetime import UTC, date, datetime

import pytest

from opsmon.core.alerting.worktime import hours_in, instant, read_time, read_week, today, worked_since
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS

WEEK = "mon-fri 08:00-16:00"
# Friday, November 20, 2026, 12:00 in Berlin.
FRIDAY_MS = int(datetime(2026, 11, 20, 11, tzinfo=UTC).timestamp() * 1000)


def at(hour: int, day: int = 20, month: int = 11) -> int:
    """A full hour in Berlin, in winter."""
    return int(datetime(2026, month, day, hour - 1, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(("text", "week"), [
    ("mon-fri 08:00-16:30, sat 9:00-12:00", {**dict.fromkeys(range(5), (480, 990)), 5: (540, 720)}),
    ("Sun 00:00-24:00", {6: (0, 1440)}), ("  mon   08:00-09:00 ", {0: (480, 540)})])
def test_hours_are_written_by_weekdays(text: str, week: dict[int, tuple[int, int]]) -> None:
    """In any case and with any blanks."""
    assert read_week(text) == week


@pytest.mark.parametrize("text", [
    "", "always", "mon 8-16", "fri-mon 08:00-16:00", "mon 16:00-08:00", "mon 08:00-08:00", "mon 08:00-25:00",
    "mon 08:00-16:00, mon-tue 09:00-10:00", "mon 08:61-16:00", "mon-fri 08:00-16:00,"])
def test_hours_that_are_none_are_refused_with_an_example(text: str) -> None:
    """A day twice, an end before its beginning, or what nobody can read."""
    with pytest.raises(ValueError, match="like"):
        read_week(text)


def test_a_time_is_at_most_midnight() -> None:
    """24:00 is the end of a day."""
    assert [read_time("14:00"), read_time("24:00")] == [840, 1440]
    with pytest.raises(ValueError, match="like 14:00"):
        read_time("24:01")


def test_without_hours_every_hour_counts() -> None:
    """Four hours ago is four hours ago."""
    assert worked_since(hours_in("", "Europe/Berlin"), FRIDAY_MS, 4 * HOUR_MS) == FRIDAY_MS - 4 * HOUR_MS


@pytest.mark.parametrize(("now_ms", "hours", "since_ms"), [
    (at(12), 4, at(8)), (at(12), 5, at(15, 19)), (at(20), 8, at(8)), (at(9, 23), 2, at(15)),
    (at(12, 22), 1, at(15)), (at(7), 8, at(8, 19))])
def test_only_hours_that_are_worked_make_an_order_older(now_ms: int, hours: int, since_ms: int) -> None:
    """On Monday at nine an order of Friday at three has waited for two hours."""
    assert worked_since(hours_in(WEEK, "Europe/Berlin"), now_ms, hours * HOUR_MS) == since_ms


def test_holidays_are_not_worked() -> None:
    """Friday is one: on Monday at nine two hours ago was Thursday at three."""
    hours = hours_in(WEEK, "Europe/Berlin", [date(2026, 11, 20)])
    assert (worked_since(hours, at(9, 23), 2 * HOUR_MS), today(hours, FRIDAY_MS)) == (at(15, 19), None)


def test_nothing_is_older_than_what_was_worked_in_a_year() -> None:
    """Nobody works that much."""
    assert worked_since(hours_in("mon 08:00-08:01", "UTC"), FRIDAY_MS, DAY_MS) == 0


def test_a_day_has_its_stretch_or_none() -> None:
    """Saturday has none."""
    hours = hours_in(WEEK, "Europe/Berlin")
    assert [today(hours, FRIDAY_MS), today(hours, at(12, 21))] == [(at(8), at(16)), None]


def test_hours_follow_the_wall_clock_over_the_change_of_time() -> None:
    """Sunday, October 25, has 25 hours; from midnight to noon are thirteen of them."""
    hours, noon_ms = hours_in("sun 00:00-24:00", "Europe/Berlin"), at(12, 25, 10)
    assert worked_since(hours, noon_ms, 13 * HOUR_MS) == noon_ms - 13 * HOUR_MS
    assert today(hours, noon_ms) == (noon_ms - 13 * HOUR_MS, noon_ms + 12 * HOUR_MS)


def test_a_time_of_today_is_an_instant() -> None:
    """A quarter past two."""
    assert instant(FRIDAY_MS, "Europe/Berlin", 855) == at(14) + 15 * MINUTE_MS
