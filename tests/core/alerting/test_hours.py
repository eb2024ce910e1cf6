"""When people may be told: by the clock on their own wall."""

from datetime import UTC, date, datetime

import pytest

from opsmon.core.alerting.hours import ALWAYS, Hours, is_open, opens_ms

BERLIN = Hours("Europe/Berlin", dict.fromkeys(range(5), (8 * 60, 17 * 60)), frozenset({date(2026, 12, 25)}))


def ms(text: str) -> int:
    """An instant in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(("now", "answer"), [
    ("2026-11-20T06:59", False), ("2026-11-20T07:00", True), ("2026-11-20T15:59", True), ("2026-11-20T16:00", False),
    ("2026-11-21T10:00", False), ("2026-12-25T10:00", False), ("2026-07-20T06:00", True)])
def test_who_works_from_eight_to_five(now: str, answer: bool) -> None:
    """In Berlin, in winter and in summer, not at weekends and not on holidays."""
    assert is_open(BERLIN, ms(now)) == answer


def test_after_friday_comes_monday() -> None:
    """What is held on Friday evening is told on Monday at eight."""
    assert opens_ms(BERLIN, ms("2026-11-20T18:00")) == ms("2026-11-23T07:00")


def test_a_holiday_is_passed_over() -> None:
    """Christmas on a Friday: Monday it is."""
    assert opens_ms(BERLIN, ms("2026-12-24T17:00")) == ms("2026-12-28T07:00")


def test_who_never_closes_is_open() -> None:
    """No hours said: always."""
    assert (is_open(ALWAYS, 0), opens_ms(ALWAYS, 5)) == (True, 5)


def test_who_never_opens_is_not_waited_for() -> None:
    """Nobody within two weeks."""
    assert opens_ms(Hours("UTC", {}, frozenset({date(2026, 1, 1)})), 0) is None
