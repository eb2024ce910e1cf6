"""How a source is doing, judged: what needs a hand first is said first."""

from dataclasses import replace

import pytest

from opsmon.core.health import Heard
from opsmon.core.source_health import ROW, ROW_KEPT_MS, Row, SourceFacts, is_refusal, judge_source
from tests.conftest import NOW_MS

MINUTE_MS = 60_000
NEW = SourceFacts(Heard("woo", None, None))
BUSY = SourceFacts(Heard("woo", NOW_MS - MINUTE_MS, 6 * MINUTE_MS))


def refused(facts: SourceFacts, times: int, *, ago_ms: int = 0) -> SourceFacts:
    """The same after refusals in a row, the last of them `ago_ms` ago."""
    return replace(facts, row=Row(times, NOW_MS - ago_ms, "bad_signature"))


def test_a_source_nothing_came_from_was_never_heard() -> None:
    """It is not silent: nobody knows it otherwise."""
    assert judge_source(NEW, NOW_MS) == "never"


def test_a_source_heard_within_its_usual_gap_is_well() -> None:
    """A minute of quiet is nothing where six are usual."""
    assert judge_source(BUSY, NOW_MS) == "well"


def test_a_source_quiet_for_longer_than_usual_is_silent() -> None:
    """What usually comes within six minutes has not come for seven."""
    assert judge_source(BUSY, NOW_MS + 6 * MINUTE_MS) == "silent"


def test_a_source_whose_gap_is_not_known_is_never_silent() -> None:
    """In its first hours nobody can tell."""
    unknown = replace(BUSY, heard=replace(BUSY.heard, usual_gap_ms=None))
    assert judge_source(unknown, NOW_MS + 10**9) == "well"


@pytest.mark.parametrize("times, state", [(ROW - 1, "well"), (ROW, "refusing"), (45, "refusing")])
def test_a_row_of_refusals_is_told_and_a_stray_one_is_not(times: int, state: str) -> None:
    """Scanners knock everywhere; five refused and none taken between is the sender itself."""
    assert judge_source(refused(BUSY, times), NOW_MS) == state


def test_of_a_source_never_heard_one_refusal_is_all_there_is() -> None:
    """Who connects a shop wants to know it with the first delivery."""
    assert judge_source(refused(NEW, 1), NOW_MS) == "refusing"


def test_what_was_taken_after_the_refusals_ends_them() -> None:
    """The secret was set right: what was refused before is history."""
    assert judge_source(refused(BUSY, 45, ago_ms=2 * MINUTE_MS), NOW_MS) == "well"


def test_refusals_of_yesterday_say_nothing_of_today() -> None:
    """They stay counted, and are no state any more."""
    assert judge_source(refused(NEW, 45, ago_ms=ROW_KEPT_MS + 1), NOW_MS) == "never"


def test_refusals_go_before_silence() -> None:
    """A source that is refused is not silent: it talks, and nobody listens."""
    assert judge_source(refused(BUSY, 45, ago_ms=-7 * MINUTE_MS), NOW_MS + 7 * MINUTE_MS) == "refusing"


def test_a_source_that_was_stopped_is_stopped_whatever_else() -> None:
    """So many dead letters that nobody looks at them: no more are kept."""
    assert judge_source(replace(refused(BUSY, 45), totals={"held": 10_000}), NOW_MS) == "stopped"


def test_reasons_of_refusals_are_told_most_frequent_first() -> None:
    """Other counters of a source are none; a reason nobody knows is one."""
    facts = replace(BUSY, totals={"accepted": 9, "late": 3, "unsigned": 2, "bad_signature": 41, "new_reason": 2,
                                  "slow_body": 0})
    assert list(facts.refusals.items()) == [("bad_signature", 41), ("new_reason", 2), ("unsigned", 2)]


@pytest.mark.parametrize("counter", ["accepted", "duplicate", "not_used", "dead", "late", "out-of-order", "too-old",
                                     "future", "crowded", "reconciled", "ping", "handshake", "last_ms", "held",
                                     "held_bytes"])
def test_what_is_no_refusal_is_not_taken_for_one(counter: str) -> None:
    """Everything else that is counted by source."""
    assert not is_refusal(counter)
