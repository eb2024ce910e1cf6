"""What a digest says of a day, and when it is due."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.alerting.digests import LogLine, digest, due_days
from opsmon.core.alerting.hours import Hours
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.receivers import Digests, Receiver, Telling
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.core.alerting.telling import Route, Step
from opsmon.core.calendar import DAY_MS, HOUR_MS
from tests.conftest import NOW_MS

BERLIN = ZoneInfo("Europe/Berlin")
ANA = Receiver("ana", "Ana", "email", "ana@shop.example")
BY_DAY = Hours("Europe/Berlin", dict.fromkeys(range(7), (9 * 60, 18 * 60)))
TELLING = Telling({"ana": ANA}, {"high": Route("high", (Step(("ana",)),), BY_DAY)}, Digests())
RULES = {"late": Rule("late", "Orders are late", "past-sla", Limit(0), "high")}
# Friday, 08:03 in Berlin: six hours before NOW_MS.
MORNING_MS = NOW_MS - 6 * HOUR_MS


def line(hours_ago: float, state: str, run: str = "a", reason: str = "") -> LogLine:
    """A line of the log, so long before the morning."""
    why = reason or {"firing": "beyond", "resolved": "stayed-within"}.get(state, "")
    return LogLine(MORNING_MS - int(hours_ago * HOUR_MS), run, "late", "Orders are late", "high", state, why)


def test_what_came_and_went_at_night_is_one_line() -> None:
    """It woke nobody, and is not forgotten: began at 02:03, over at 03:03."""
    found = digest([line(6, "firing"), line(5, "resolved")], [], RULES, TELLING, MORNING_MS - DAY_MS, MORNING_MS)
    assert (found.held, found.fired, found.resolved) == (("Orders are late",), 1, 1)


@pytest.mark.parametrize("reason", ["noted", "judged"])
def test_what_is_said_of_an_alert_afterwards_does_not_end_it_again(reason: str) -> None:
    """It was over the day before, at night; and is as long over as it was."""
    later = line(2, "resolved", reason=reason)
    alone = digest([later], [], RULES, TELLING, MORNING_MS - DAY_MS, MORNING_MS)
    night = digest([line(8, "firing"), line(7, "resolved"), line(-4, "resolved", reason=reason)], [], RULES, TELLING,
                   MORNING_MS - DAY_MS, MORNING_MS + DAY_MS)
    assert (alone.is_empty, night.held, night.resolved) == (True, ("Orders are late",), 1)


def test_what_was_told_by_day_was_not_held() -> None:
    """Yesterday at noon."""
    found = digest([line(20, "firing"), line(19, "resolved")], [], RULES, TELLING, MORNING_MS - DAY_MS, MORNING_MS)
    assert found.held == ()


def test_what_is_open_stands_in_it() -> None:
    """With what was acknowledged, and what rang most."""
    alert = Alert("f", "late", (), "firing", id="c")
    lines = [line(9, "firing", "a"), line(8, "resolved", "a"), line(7, "firing", "b"), line(3, "firing", "c"),
             line(2, "firing", "c", "acknowledged")]
    found = digest(lines, [alert], RULES, TELLING, MORNING_MS - DAY_MS, MORNING_MS)
    assert (found.is_open, found.acknowledged, found.noisy, found.is_empty) == (
        ("Orders are late",), 1, (("Orders are late", 3),), False)


def test_what_was_before_is_left_out() -> None:
    """A day is a day."""
    found = digest([line(25, "firing"), line(24.5, "resolved")], [], RULES, TELLING, MORNING_MS - DAY_MS, MORNING_MS)
    assert found.is_empty


@pytest.mark.parametrize("at_ms, due", [
    (MORNING_MS, [("daily", "2026-11-20")]), (MORNING_MS - 600_000, []),
    (MORNING_MS + HOUR_MS, []), (MORNING_MS + 3 * DAY_MS, [("daily", "2026-11-23"), ("weekly", "2026-11-23")])])
def test_digests_are_due_at_eight(at_ms: int, due: list[tuple[str, str]]) -> None:
    """In the zone of the site, for an hour; the week's on Monday."""
    assert due_days(TELLING, BERLIN, at_ms) == due


@pytest.mark.parametrize(("day", "is_due"), [
    ("2026-12-01", True), ("2026-12-02", False), ("2026-11-01", False), ("2026-11-02", True), ("2026-11-03", False),
    ("2026-08-01", False), ("2026-08-03", True), ("2026-05-01", True), ("2026-05-04", False)])
def test_a_review_is_due_on_the_first_working_day_of_a_month(day: str, is_due: bool) -> None:
    """On a Tuesday, on the Monday after a Sunday or a Saturday; never twice."""
    morning_ms = int(datetime.fromisoformat(f"{day}T08:00").replace(tzinfo=BERLIN).timestamp() * 1000)
    assert (("monthly", day) in due_days(TELLING, BERLIN, morning_ms)) == is_due


@given(st.dates(date(2020, 1, 1), date(2039, 12, 31)))
def test_each_month_has_one_review(day: date) -> None:
    """Whatever weekdays it begins with, and none where nobody wants it."""
    mornings = [datetime(day.year, day.month, at, 8, tzinfo=BERLIN) for at in range(1, 29)]
    found = [one for at in mornings for one in due_days(TELLING, BERLIN, int(at.timestamp() * 1000))]
    assert len([one for one in found if one[0] == "monthly"]) == 1
    without = replace(TELLING, digests=Digests(is_monthly=False))
    assert not any(one[0] == "monthly" for at in mornings for one in due_days(without, BERLIN,
                                                                              int(at.timestamp() * 1000)))


def test_without_anybody_no_digest_is_due() -> None:
    """Nobody would read it."""
    assert due_days(Telling({}, {}, Digests()), BERLIN, MORNING_MS) == []
