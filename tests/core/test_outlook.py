"""What a day will come to, and a month beside the month before: the same stretch each, never a guess from nothing."""

from datetime import datetime

import pytest

from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.outlook import Outlook, outlook
from tests.core.test_readings import BERLIN, WEEK_MS, ms, reading, site, sold
from tests.memory import Memory

NOON_MS = ms("2026-11-20T12:00")  # a Friday
LONG_AGO_MS = NOON_MS - 20 * WEEK_MS


def fridays(*afternoons: int) -> Memory:
    """Three orders this morning; on each Friday before, newest first, two in the morning and so many at 15:00."""
    placed = [NOON_MS - n * HOUR_MS for n in range(1, 4)]
    for weeks, count in enumerate(afternoons, 1):
        then = NOON_MS - weeks * WEEK_MS
        placed += [then - HOUR_MS, then - 2 * HOUR_MS, *(then + 3 * HOUR_MS + n for n in range(count))]
    return sold(*placed)


def test_a_day_ends_as_the_same_weekdays_went_on() -> None:
    """Three so far; the last four Fridays brought 4 to 10 from noon on, 7 in the mean: 10 by tonight, 7 to 13."""
    found = reading("orders-outlook", fridays(4, 10, 6, 8), site(NOON_MS, since_ms=LONG_AGO_MS))
    assert (found.value, found.outlook) == (10, Outlook(NOON_MS, 3, 10, 7, 13, 4))


def test_the_hour_that_runs_counts_by_what_is_left_of_it() -> None:
    """At 12:45 a quarter of last Friday's noon hour is still to come: one of its four orders."""
    then = NOON_MS - WEEK_MS
    memory = sold(*(then + n * MINUTE_MS for n in range(4)))
    found = reading("orders-outlook", memory, site(NOON_MS + 45 * MINUTE_MS, since_ms=then - 2 * WEEK_MS))
    assert found.outlook == Outlook(NOON_MS + 45 * MINUTE_MS, 0, 0, 0, 1, 2)


def test_only_weekdays_that_were_counted_are_gone_by() -> None:
    """Counting began two and a half weeks ago: two Fridays, not four of which two were nought."""
    found = reading("orders-outlook", fridays(4, 10), site(NOON_MS, since_ms=NOON_MS - 5 * WEEK_MS // 2))
    assert found.outlook == Outlook(NOON_MS, 3, 10, 7, 13, 2)


def test_in_the_first_week_there_is_no_outlook() -> None:
    """Nothing to go by is no outlook of nought."""
    found = reading("orders-outlook", fridays(), site(NOON_MS, since_ms=NOON_MS - 3 * HOUR_MS))
    assert (found.value, found.outlook) == (None, None)


def test_at_the_end_of_the_day_it_has_come_to_what_it_is() -> None:
    """Nothing is left of Friday: what is there is all there will be."""
    last = ms("2026-11-20T23:59:59")
    found = reading("orders-outlook", fridays(4, 10, 6, 8), site(last, since_ms=LONG_AGO_MS))
    assert found.outlook == Outlook(last, 3, 3, 3, 3, 4)


def test_after_the_clock_change_the_hours_left_are_those_on_the_wall() -> None:
    """From 14:00 on is from 14:00 on, in summer time a week before."""
    memory = sold(ms("2026-10-23T13:59"), ms("2026-10-23T14:01"))
    found = reading("orders-outlook", memory, site(ms("2026-10-30T14:00"), since_ms=ms("2026-10-20T00:00")))
    assert found.outlook is not None
    assert (found.outlook.high, found.outlook.days) == (1, 1)


def test_more_returns_than_sales_lower_the_end() -> None:
    """Money that will go back is money that will not be there."""
    assert outlook(0, 1_000, [-400, 200]) == Outlook(0, 1_000, 900, 600, 1_200, 2)


def test_a_month_is_compared_with_the_month_before_up_to_the_same_hour() -> None:
    """Up to the 20th at 14:00; what came at 14:01 a month ago does not count yet, nor does it now."""
    memory = sold(ms("2026-11-01T00:00"), ms("2026-11-20T13:59"), ms("2026-11-20T14:02"),
                  ms("2026-10-01T00:00"), ms("2026-10-20T13:59"), ms("2026-10-20T14:01"), ms("2026-09-30T23:59"))
    found = reading("orders-month", memory, site(since_ms=LONG_AGO_MS))
    assert (found.value, found.compared, found.before) == (3, 2, 2)
    assert found.before_until_ms == ms("2026-10-20T14:00")


def test_a_month_that_is_longer_than_the_one_before_is_compared_with_all_of_it() -> None:
    """The 31st of March has no 31st of February: the last day is as far as it went."""
    assert BERLIN.wall(BERLIN.month_earlier(ms("2026-03-31T10:00"))) == datetime(
        2026, 2, 28, 10, tzinfo=BERLIN.zone)


@pytest.mark.parametrize(("now", "since"), [
    ("2026-11-01T00:30", "2026-01-01T00:00"), ("2026-11-20T14:03", "2026-10-01T00:01"),
], ids=["first hour", "half counted"])
def test_a_month_without_a_whole_hour_or_a_whole_month_before_has_no_comparison(now: str, since: str) -> None:
    """Nothing of it is over yet, or the month before was not counted from its beginning."""
    assert reading("orders-month", sold(ms("2026-10-05T00:00")), site(ms(now), since_ms=ms(since))).before is None
