"""The figures of a rule, what is wrong with it, and the budget of a shift."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.alerting.hours import Hours
from opsmon.core.alerting.past_runs import PastRun
from opsmon.core.alerting.quality import BUDGET, Quality, hours_of_work, quality, review, shift_at
from opsmon.core.alerting.receivers import Digests, Receiver, Telling
from opsmon.core.alerting.rules import Milestone, Rule, Severity
from opsmon.core.alerting.telling import Route, Step
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from tests.conftest import NOW_MS
from tests.core.alerting.past import LATE, SECOND_MS

BERLIN = ZoneInfo("Europe/Berlin")
BY_DAY = Hours("Europe/Berlin", dict.fromkeys(range(7), (9 * 60, 18 * 60)))
NOBODY = Telling({}, {}, Digests())
BY_ROUTE = Telling({"ana": Receiver("ana", "Ana", "email", "ana@shop.example")},
                   {"high": Route("high", (Step(("ana",)),), BY_DAY)}, Digests())


def run(began_ms: int, lasts_ms: int | None = HOUR_MS, row: str = "DHL", severity: Severity = "high", **more: object
        ) -> PastRun:
    """A run that began so long before now."""
    at_ms = NOW_MS - began_ms
    over_ms = None if lasts_ms is None else at_ms + lasts_ms
    return replace(PastRun(row, "late", severity, at_ms, over_ms), **more)  # type: ignore[arg-type]


def figures(*runs: PastRun, rule: Rule = LATE, telling: Telling = NOBODY) -> Quality:
    """Of one rule."""
    ordered = sorted(runs, key=lambda one: one.began_ms)
    return quality(ordered, rule, hours_of_work(rule.severity, telling, BERLIN), NOW_MS)


def test_lanes_that_are_late_together_are_one_incident() -> None:
    """Three alerts, and a fourth the day after."""
    found = figures(run(50 * HOUR_MS), run(50 * HOUR_MS - 60_000, row="UPS"), run(50 * HOUR_MS - 120_000, row="GLS"),
                    run(20 * HOUR_MS))
    assert (found.fired, found.incidents) == (4, 2)


def test_what_is_still_open_goes_on() -> None:
    """Whatever else of its rule begins is part of it."""
    assert figures(run(9 * HOUR_MS, None), run(2 * HOUR_MS, 1, row="UPS")).incidents == 1


def test_times_are_medians() -> None:
    """One that was left for a night says little of the others."""
    found = figures(*(run(at * DAY_MS, lasts, acknowledged_ms=NOW_MS - at * DAY_MS + answer) for at, lasts, answer in (
        (1, HOUR_MS, 30_000), (2, 2 * HOUR_MS, 60_000), (3, 9 * HOUR_MS, 7 * HOUR_MS))))
    assert (found.to_acknowledge_ms, found.to_resolve_ms) == (60_000, 2 * HOUR_MS)


def test_without_any_there_is_no_median() -> None:
    """Not one of no time."""
    found = figures(run(HOUR_MS, None))
    assert (found.to_acknowledge_ms, found.to_resolve_ms, found.over) == (None, None, 0)


@pytest.mark.parametrize(("lasts_ms", "is_alone", "brief"), [
    (119 * SECOND_MS, True, 1), (120 * SECOND_MS, True, 0), (30 * SECOND_MS, False, 0)])
def test_what_ends_by_itself_within_two_minutes_is_brief(lasts_ms: int, is_alone: bool, brief: int) -> None:
    """What somebody mended so quickly is not."""
    assert figures(run(HOUR_MS, lasts_ms, is_alone=is_alone)).brief == brief


def test_a_rule_that_never_led_to_action_is_flagged() -> None:
    """Until somebody says that they did something."""
    assert figures(run(DAY_MS), run(2 * DAY_MS)).flags == ("idle",)
    assert figures(run(DAY_MS, code="fixed"), run(2 * DAY_MS)).flags == ()
    assert figures(run(DAY_MS, verdict="acted"), run(2 * DAY_MS)).flags == ()


def test_what_is_still_open_may_yet_be_acted_on() -> None:
    """It is too early to say."""
    assert figures(run(HOUR_MS, None)).flags == ()


@pytest.mark.parametrize(("brief", "others", "is_flagged"), [(2, 1, True), (2, 2, False), (3, 2, True), (2, 0, False)])
def test_a_rule_whose_alerts_are_mostly_brief_is_flagged(brief: int, others: int, is_flagged: bool) -> None:
    """More than half; of fewer than three a share says nothing."""
    runs = [run(at * DAY_MS + HOUR_MS, MINUTE_MS if at < brief else HOUR_MS, is_alone=at < brief, code="fixed")
            for at in range(brief + others)]
    assert ("brief" in figures(*runs).flags) == is_flagged


@pytest.mark.parametrize(("times", "is_flagged"), [(30, False), (31, True)])
def test_a_rule_that_fires_more_than_three_times_a_day_is_flagged(times: int, is_flagged: bool) -> None:
    """Thirty in ten days are not."""
    runs = [run(10 * DAY_MS - at * 7 * HOUR_MS, MINUTE_MS, code="fixed") for at in range(times)]
    assert ("often" in figures(*runs).flags) == is_flagged


def test_milestones_and_what_is_off_are_not_flagged() -> None:
    """Nobody has to do anything about a thousand orders."""
    assert figures(run(DAY_MS), rule=replace(LATE, condition=Milestone(1_000))).flags == ()
    assert figures(run(DAY_MS), rule=replace(LATE, off_reason="too loud")).flags == ()


@pytest.mark.parametrize(("severity", "telling", "hours"), [
    ("high", BY_ROUTE, BY_DAY), ("critical", BY_ROUTE, BY_DAY),
    ("high", NOBODY, Hours("Europe/Berlin", dict.fromkeys(range(5), (480, 1080))))])
def test_hours_are_those_of_the_route(severity: Severity, telling: Telling, hours: Hours) -> None:
    """What is critical ignores them, and is outside them all the same; without any they are the usual ones."""
    assert hours_of_work(severity, telling, BERLIN) == hours


def test_what_began_at_night_is_outside_hours() -> None:
    """NOW is Friday, 14:03 in Berlin: twelve hours before, somebody was woken."""
    assert figures(run(12 * HOUR_MS), run(HOUR_MS), telling=BY_ROUTE).outside == 1


def test_a_shift_has_a_budget() -> None:
    """Two alerts are put up with, the third is one too many; the shift is known by its hours."""
    found = review([run(minutes * MINUTE_MS, MINUTE_MS) for minutes in (50, 40, 30)], {"late": LATE}, NOBODY, BERLIN,
                   NOW_MS)
    (one,) = found.beyond
    begins, ends = (datetime.fromtimestamp(at_ms / 1000, BERLIN) for at_ms in (one.start_ms, one.end_ms))
    assert (one.times, begins.hour, ends.hour, one.rules) == (3, 6, 14, {"late": 3})
    assert len(found.shifts) in (90, 91)


def test_what_waits_for_the_morning_interrupts_nobody() -> None:
    """High at night is held until nine, critical is not."""
    nightly = [run(12 * HOUR_MS - at * 9 * MINUTE_MS, MINUTE_MS) for at in range(3)]
    rules = {"late": LATE}
    assert review(nightly, rules, BY_ROUTE, BERLIN, NOW_MS).beyond == ()
    critical = [replace(one, severity="critical") for one in nightly]
    assert len(review(critical, rules, BY_ROUTE, BERLIN, NOW_MS).beyond) == 1


def test_what_is_medium_or_low_interrupts_nobody() -> None:
    """It waits for a while, or for the digest."""
    runs = [run(at * MINUTE_MS, 1_000, severity="medium") for at in (50, 40, 30)]
    assert review(runs, {"late": LATE}, NOBODY, BERLIN, NOW_MS).beyond == ()


def test_rules_with_something_wrong_come_first() -> None:
    """Then those that fired most."""
    good, loud = replace(LATE, id="good"), replace(LATE, id="loud")
    runs = [*(replace(run(at * 5 * DAY_MS), rule="good", code="fixed") for at in range(1, 6)), run(DAY_MS),
            replace(run(3 * DAY_MS), rule="gone")]
    found = review(runs, {"late": LATE, "good": good, "loud": loud}, NOBODY, BERLIN, NOW_MS)
    assert [one.rule for one in found.rules] == ["late", "good"]


def test_what_is_older_than_thirty_days_is_left_out() -> None:
    """And then there is nothing to review."""
    assert review([run(31 * DAY_MS)], {"late": LATE}, NOBODY, BERLIN, NOW_MS).is_empty


@given(st.integers(-400, 400), st.integers(0, 86_399))
def test_shifts_follow_one_another_without_a_gap(days: int, seconds: int) -> None:
    """Each instant is in one, through the changes of the clocks: a shift is seven to nine hours long."""
    at_ms = NOW_MS + days * DAY_MS + seconds * SECOND_MS
    begins_ms, ends_ms = shift_at(at_ms, BERLIN)
    assert begins_ms <= at_ms < ends_ms
    assert 7 * HOUR_MS <= ends_ms - begins_ms <= 9 * HOUR_MS
    assert shift_at(ends_ms, BERLIN)[0] == ends_ms


@given(st.lists(st.tuples(st.integers(0, 30 * 24 * 60), st.integers(1, 600), st.booleans(), st.booleans()),
                max_size=40))
def test_parts_are_never_more_than_the_whole(found: list[tuple[int, int, bool, bool]]) -> None:
    """Whatever happened: no share is above 100 %, and shifts hold no more than what fired."""
    runs = [run(ago * MINUTE_MS, lasts * MINUTE_MS, is_alone=alone, code="fixed" if acted else None)
            for ago, lasts, alone, acted in found]
    reviewed = review(sorted(runs, key=lambda one: one.began_ms), {"late": LATE}, NOBODY, BERLIN, NOW_MS)
    for one in reviewed.rules:
        assert max(one.acted, one.brief) <= one.over <= one.fired
        assert max(one.incidents, one.outside, one.escalated, one.acknowledged) <= one.fired
        assert sum(shift.times for shift in reviewed.shifts) == one.incidents
    assert BUDGET == 2
