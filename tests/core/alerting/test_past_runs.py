"""What the log tells of runs, and how often another rule would have fired."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.alerting.life import Timing
from opsmon.core.alerting.past_runs import marks_of, runs_of, times_fired
from opsmon.core.calendar import DAY_MS
from tests.conftest import NOW_MS
from tests.core.alerting.past import LATE, MINUTE_MS, SECOND_MS, lived, said

LATER_MS = NOW_MS + 400 * DAY_MS
# Stretches beyond a limit, one after the other: how long it was well before, and how long each lasted, in seconds.
STRETCHES = st.lists(st.tuples(st.integers(1, 2_000), st.integers(1, 2_000)), min_size=1, max_size=12)
FORS = st.integers(0, 30).map(lambda minutes: minutes * MINUTE_MS)


def placed(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same as (from, until) in ms."""
    at, placed = 0, []
    for well, beyond in found:
        placed.append((at + well * SECOND_MS, at + (well + beyond) * SECOND_MS))
        at += (well + beyond) * SECOND_MS
    return placed


def test_a_run_is_over_when_its_number_came_back() -> None:
    """Forty seconds late, then a minute until that is believed: it lasted forty seconds, and nobody was needed."""
    (run,) = runs_of(lived([(0, 40 * SECOND_MS)])[0])
    assert (run.began_ms, run.over_ms, run.is_alone, run.is_acted_on) == (NOW_MS, NOW_MS + 40 * SECOND_MS, True, False)


def test_beyond_again_is_the_same_run() -> None:
    """Over is what came back for good."""
    (run,) = runs_of(lived([(0, 10_000), (30_000, 300_000)])[0])
    assert run.over_ms == NOW_MS + 300_000


def test_what_somebody_sees_to_does_not_end_by_itself() -> None:
    """They may have mended it; only they know."""
    (run,) = runs_of(said(lived([(0, 40_000)])[0], NOW_MS + 5_000, "acknowledged"))
    assert (run.acknowledged_ms, run.is_alone) == (NOW_MS + 5_000, False)


def test_the_first_answer_counts() -> None:
    """Taken back and given again it was answered at once all the same."""
    lines, _ = lived([(0, 400_000)])
    for at_ms, reason in ((5_000, "acknowledged"), (6_000, "taken-back"), (90_000, "acknowledged")):
        lines = said(lines, NOW_MS + at_ms, reason)
    assert runs_of(lines)[0].acknowledged_ms == NOW_MS + 5_000


@pytest.mark.parametrize(("reason", "note", "is_acted_on"), [
    ("judged", "acted", True), ("judged", "false-positive", False), ("noted", "acted", False)])
def test_what_somebody_says_afterwards_counts(reason: str, note: str, is_acted_on: bool) -> None:
    """What ended by itself has no code."""
    (run,) = runs_of(said(lived([(0, 40_000)])[0], NOW_MS + DAY_MS, reason, note))
    assert run.is_acted_on == is_acted_on


def test_the_last_verdict_counts() -> None:
    """People tap the wrong one."""
    lines = said(lived([(0, 40_000)])[0], NOW_MS + DAY_MS, "judged", "other")
    assert runs_of(said(lines, NOW_MS + 2 * DAY_MS, "judged", "poor-details"))[0].verdict == "poor-details"


@pytest.mark.parametrize("reason", ["escalated", "nobody-answered"])
def test_that_others_had_to_be_told_counts(reason: str) -> None:
    """Once, however many steps it went."""
    assert runs_of(said(lived([(0, 400_000)])[0], NOW_MS + 5_000, reason))[0].is_escalated


def test_a_run_that_fired_before_the_first_line_is_left_out() -> None:
    """Of it neither the beginning nor the answer is known."""
    assert runs_of(lived([(0, 40_000)])[0][1:]) == []


def test_with_a_longer_wait_what_was_short_does_not_fire() -> None:
    """Three of 40 seconds, one of ten minutes: with a wait of a minute one is left."""
    marks = marks_of(lived([(at * 3_600_000, at * 3_600_000 + 40_000) for at in range(3)]
                           + [(14_400_000, 15_000_000)])[0])
    timings = (LATE.timing, Timing(MINUTE_MS, MINUTE_MS), Timing(11 * MINUTE_MS, MINUTE_MS))
    assert [times_fired(marks, timing, LATER_MS) for timing in timings] == [4, 1, 0]


@given(STRETCHES, FORS)
def test_the_same_rule_would_have_fired_as_often_as_it_did(found: list[tuple[int, int]], for_ms: int) -> None:
    """The log is enough to know."""
    rule = replace(LATE, for_ms=for_ms)
    lines, _ = lived(placed(found), rule)
    assert times_fired(marks_of(lines), rule.timing, LATER_MS) == len(runs_of(lines))


@given(STRETCHES, FORS, st.integers(0, 30))
def test_what_another_rule_would_have_fired_is_what_it_fires(
        found: list[tuple[int, int]], for_ms: int, keep: int) -> None:
    """The past of one rule, reckoned for another, against that other one living through it."""
    other = replace(LATE, for_ms=for_ms, keep_ms=keep * MINUTE_MS)
    marks = marks_of(lived(placed(found))[0])
    assert times_fired(marks, other.timing, LATER_MS) == len(runs_of(lived(placed(found), other)[0]))


@given(STRETCHES, FORS, st.integers(1, 60), st.integers(1, 60))
def test_who_waits_longer_never_fires_more(found: list[tuple[int, int]], for_ms: int, more: int, keep: int) -> None:
    """Whether it waits longer to fire, to be over, or both."""
    marks, timing = marks_of(lived(placed(found))[0]), Timing(for_ms, LATE.timing.keep_ms)
    longer = Timing(for_ms + more * MINUTE_MS, timing.keep_ms + keep * MINUTE_MS)
    assert times_fired(marks, longer, LATER_MS) <= times_fired(marks, timing, LATER_MS)


@given(STRETCHES)
def test_no_run_is_over_before_it_began(found: list[tuple[int, int]]) -> None:
    """Nor lasts longer than its number was beyond, from first to last."""
    for run in runs_of(lived(placed(found))[0]):
        assert run.over_ms is not None
        assert run.began_ms <= run.over_ms <= NOW_MS + placed(found)[-1][1]
