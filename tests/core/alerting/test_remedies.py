"""What may be done about a rule, and what it would have changed."""

from dataclasses import replace

import pytest

from opsmon.core.alerting.built_in import BEHIND
from opsmon.core.alerting.past_runs import marks_of
from opsmon.core.alerting.remedies import remedies
from opsmon.core.alerting.rules import Milestone, Rule
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from tests.conftest import NOW_MS
from tests.core.alerting.past import LATE, lived

# Six of 40 seconds and two of 20 minutes, an hour apart.
MARKS = marks_of(lived([(at * HOUR_MS, at * HOUR_MS + (40_000 if at < 6 else 20 * MINUTE_MS)) for at in range(8)])[0])
LATER_MS = NOW_MS + 24 * HOUR_MS


def told(rule: Rule) -> list[tuple[str, int, int]]:
    """Each remedy, and how often it would have fired instead of how often."""
    return [(one.kind, one.times, one.instead_of) for one in remedies(rule, MARKS, LATER_MS)]


def test_each_remedy_says_what_it_would_have_changed() -> None:
    """A minute's wait leaves two of eight; medium waits as long as high, for this rule says how long; off is off."""
    assert told(LATE) == [("later", 2, 8), ("lower", 8, 8), ("retire", 0, 8)]


def test_the_wait_is_the_first_that_halves_it() -> None:
    """Not an hour where a minute does."""
    assert next(one.rule.for_ms for one in remedies(LATE, MARKS, LATER_MS)) == MINUTE_MS


def test_where_none_halves_it_the_next_longer_one_is_offered() -> None:
    """All of them last for twenty minutes."""
    long = marks_of(lived([(at * HOUR_MS, at * HOUR_MS + 55 * MINUTE_MS) for at in range(2)],
                           replace(LATE, keep_ms=1_000))[0])
    rule = replace(LATE, for_ms=2 * MINUTE_MS)
    found = remedies(rule, long, LATER_MS)[0]
    assert (found.kind, found.rule.for_ms, found.times, found.instead_of) == ("later", HOUR_MS, 0, 2)


def test_a_lower_severity_waits_as_is_usual_for_it() -> None:
    """High for a minute, medium for five: where the rule does not say itself."""
    usual = replace(LATE, for_ms=None, keep_ms=None)
    lowered = remedies(usual, MARKS, LATER_MS)[1]
    assert (lowered.rule.severity, lowered.rule.timing.for_ms, lowered.times) == ("medium", 5 * MINUTE_MS, 2)


@pytest.mark.parametrize(("rule", "kinds"), [
    (replace(LATE, severity="low"), ["later", "retire"]), (replace(LATE, for_ms=HOUR_MS), ["lower", "retire"]),
    (replace(LATE, about=BEHIND), ["later", "lower"]), (replace(LATE, condition=Milestone(1_000)), ["retire"]),
    (replace(LATE, off_reason="too loud"), [])])
def test_only_what_can_be_done_is_offered(rule: Rule, kinds: list[str]) -> None:
    """Nothing is below low, nothing above an hour, and opsmon always looks at itself."""
    assert [kind for kind, _, _ in told(rule)] == kinds
