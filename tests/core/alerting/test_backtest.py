"""What a rule would have said of the past: the same as life itself would have, step by step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.alerting.backtest import Run, back_test
from opsmon.core.alerting.judging import judge_limit
from opsmon.core.alerting.life import Finding, new_alert, step
from opsmon.core.alerting.life import seen as kept_in_mind
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.core.calendar import MINUTE_MS

TOO_MANY = Rule("many", "Too many", "orders-today", Limit(10), for_ms=0, keep_ms=0)
FINDINGS = st.one_of(
    st.floats(0, 20).map(lambda value: judge_limit(Limit(10), value, None)),
    st.just(Finding("unknown")), st.just(Finding("learning")))
SERIES = st.lists(st.tuples(st.integers(1, 30), FINDINGS), max_size=60)
LASTING = st.sampled_from([0, MINUTE_MS, 10 * MINUTE_MS])


def points(*values: float | None) -> list[tuple[int, Finding]]:
    """A value a minute."""
    return [(at * MINUTE_MS, judge_limit(Limit(10), value, None)) for at, value in enumerate(values, 1)]


def test_it_tells_when_it_would_have_fired_for_how_long_and_how_far() -> None:
    """Twice, the first time for three minutes."""
    found = back_test(TOO_MANY, points(5, 11, 14, 12, 8, 8, 5, 20, 21))
    assert found.runs == (Run(2 * MINUTE_MS, 6 * MINUTE_MS, 14), Run(8 * MINUTE_MS, None, 21))


def test_what_never_goes_beyond_never_fires() -> None:
    """At its limit is not beyond."""
    assert back_test(TOO_MANY, points(1, 5, 10, 10)).runs == ()


def test_it_says_what_it_could_not_know() -> None:
    """Two points had no number; what lay between two of them was not looked at."""
    found = back_test(TOO_MANY, points(1, None, None, 4))
    assert (found.points, found.judged, found.from_ms, found.until_ms, found.step_ms) == (
        4, 2, MINUTE_MS, 4 * MINUTE_MS, 3 * MINUTE_MS)


def test_without_a_number_it_says_nothing() -> None:
    """Neither that it fired nor since when."""
    found = back_test(TOO_MANY, points(None, None))
    assert (found.runs, found.judged, found.from_ms) == ((), 0, None)


@pytest.mark.parametrize(("for_ms", "count"), [(0, 1), (2 * MINUTE_MS, 1), (5 * MINUTE_MS, 0)])
def test_what_does_not_last_does_not_fire(for_ms: int, count: int) -> None:
    """As long as the rule asks for."""
    rule = Rule("many", "Too many", "orders-today", Limit(10), for_ms=for_ms, keep_ms=0)
    assert len(back_test(rule, points(5, 12, 12, 12, 5, 5)).runs) == count


@given(SERIES, LASTING, LASTING)
def test_it_is_what_life_would_have_been(series: list[tuple[int, Finding]], for_ms: int, keep_ms: int) -> None:
    """Against the steps themselves: as many runs as moves to firing from rest, ended as often as resolved."""
    rule, at_ms, told = Rule("many", "Too many", "x", Limit(10), for_ms=for_ms, keep_ms=keep_ms), 0, []
    for minutes, finding in series:
        at_ms += minutes * MINUTE_MS
        told.append((at_ms, finding))
    alert, began, ended = new_alert("many"), list[int](), list[int]()
    for when_ms, finding in told:
        move = step(alert, finding, rule.timing, when_ms)
        alert = move.alert if move else kept_in_mind(alert, finding)
        if move and alert.state == "firing" and move.before not in ("firing", "recovering"):
            began.append(when_ms)
        if move and alert.state == "resolved" and move.before != "resolved":
            ended.append(when_ms)
    runs = back_test(rule, told).runs
    assert [run.began_ms for run in runs] == began
    assert [run.ended_ms for run in runs if run.ended_ms is not None] == ended
    assert all(run.peak is not None and run.peak > 9 for run in runs)


def test_the_furthest_is_beyond_the_limit_however_far_it_falls_back() -> None:
    """From 12 to nothing: 12 was the furthest, though nothing is further from ten."""
    assert back_test(TOO_MANY, points(12, 0, 0)).runs == (Run(MINUTE_MS, 3 * MINUTE_MS, 12),)
