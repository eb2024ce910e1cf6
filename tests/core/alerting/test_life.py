"""An alert's life, told step by step, and held against an oracle that knows only a few lines of it."""

from typing import get_args

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from opsmon.core.alerting.life import (
    NO_DATA_AFTER_MS,
    Alert,
    Code,
    Finding,
    Found,
    Move,
    Timing,
    Verdict,
    acknowledge,
    assign,
    close,
    due_ms,
    fingerprint,
    judge,
    new_alert,
    retire,
    seen,
    snooze,
    step,
    take_back,
)

FOUR_OF_TEN = Timing(for_ms=60_000, keep_ms=120_000)
AT_ONCE = Timing(for_ms=0, keep_ms=0)
BREACH, CLEAR, BETWEEN = Finding("breach", 12, 10), Finding("clear", 8, 10), Finding("between", 9.5, 10)
UNKNOWN = Finding("unknown")
LEGAL = {
    "ok": {"pending", "firing", "no-data", "learning", "ok"},
    "pending": {"ok", "firing", "no-data", "learning", "pending"},
    "firing": {"recovering", "resolved", "firing"}, "recovering": {"firing", "resolved", "recovering"},
    "resolved": {"pending", "firing", "no-data", "learning", "ok", "resolved"},
    "no-data": {"ok", "pending", "firing", "learning", "no-data"},
    "learning": {"ok", "pending", "firing", "no-data", "learning"},
}


def told(alert: Alert, *findings: tuple[int, Finding], timing: Timing = FOUR_OF_TEN) -> list[tuple[str, str]]:
    """The moves that findings at instants make: (state, reason) of each."""
    moves = list[tuple[str, str]]()
    for now_ms, finding in findings:
        move = step(alert, finding, timing, now_ms)
        alert = move.alert if move else seen(alert, finding)
        moves += [(move.alert.state, move.reason)] if move else []
    return moves


def fired(now_ms: int = 1_000) -> Alert:
    """An alert that fires since an instant."""
    move = step(new_alert("late-orders"), BREACH, AT_ONCE, now_ms)
    assert move is not None
    return move.alert


def test_a_breach_has_to_last() -> None:
    """One number beyond the limit is pending; a minute of them fires."""
    assert told(new_alert("r"), (0, BREACH), (59_999, BREACH), (60_000, BREACH)) == [
        ("pending", "beyond"), ("firing", "held")]


def test_what_is_over_before_it_lasted_was_nothing() -> None:
    """Nobody hears of it."""
    assert [told(new_alert("r"), (0, BREACH), (30_000, back), (90_000, back)) for back in (CLEAR, BETWEEN)] == 2 * [
        [("pending", "beyond"), ("ok", "over-before-it-lasted")]]


def test_around_its_limit_an_alert_stays_as_it_is() -> None:
    """Between the limit and where it is over neither begins nor ends anything."""
    assert told(fired(), (2_000, BETWEEN), (3_000, BREACH), (4_000, BETWEEN)) == []


def test_a_recovery_has_to_last_as_well() -> None:
    """Two minutes on the good side, and it is over."""
    assert told(fired(), (2_000, CLEAR), (121_999, CLEAR), (122_000, CLEAR)) == [
        ("recovering", "back-within"), ("resolved", "stayed-within")]


def test_who_falls_back_goes_on_with_the_same_alert() -> None:
    """A second breach within the recovery is no second alert."""
    back = step(fired(), CLEAR, FOUR_OF_TEN, 2_000)
    again = back and step(back.alert, BREACH, FOUR_OF_TEN, 3_000)
    assert again and (again.alert.id, again.alert.began_ms, again.reason) == (fired().id, 1_000, "beyond-again")


def test_the_furthest_value_is_kept() -> None:
    """So that the end can tell how bad it was."""
    alert = seen(seen(fired(), Finding("breach", 31, 10)), Finding("breach", 15, 10))
    assert (alert.value, alert.peak, alert.at_first) == (15, 31, 12)


def test_without_a_number_what_is_open_stays_open() -> None:
    """A store that is away ends no alert."""
    assert told(fired(), (2_000, UNKNOWN), (9_000_000, UNKNOWN)) == []


def test_without_a_number_for_five_minutes_that_is_said() -> None:
    """What cannot be known is not well."""
    assert told(new_alert("r"), (0, UNKNOWN), (1, UNKNOWN), (NO_DATA_AFTER_MS, UNKNOWN), (NO_DATA_AFTER_MS + 1, CLEAR)
                ) == [("ok", "no-number"), ("no-data", "no-number"), ("ok", "number-again")]


def test_a_number_that_comes_back_begins_the_five_minutes_anew() -> None:
    """Missing for an instant, twice in an hour, is not missing for an hour."""
    assert told(new_alert("r"), (0, UNKNOWN), (1_000, CLEAR), (3_600_000, UNKNOWN)) == [
        ("ok", "no-number"), ("ok", "number-again"), ("ok", "no-number")]


def test_what_still_learns_says_so_once() -> None:
    """And is well as soon as it knows what is usual."""
    assert told(new_alert("r"), (0, Finding("learning")), (1, Finding("learning")), (2, CLEAR)) == [
        ("learning", "learning"), ("ok", "learned")]


def test_an_acknowledgement_holds_until_it_recovers() -> None:
    """The next run of the alert is nobody's yet."""
    mine = acknowledge(fired(), "Ana", 1_500)
    assert mine is not None and mine.alert.is_acknowledged
    over = step(mine.alert, CLEAR, AT_ONCE, 2_000)
    ended = over and step(over.alert, CLEAR, AT_ONCE, 2_001)
    anew = ended and step(ended.alert, BREACH, AT_ONCE, 3_000)
    assert anew and (anew.alert.acknowledged_by, anew.alert.id) == ("", fired(3_000).id)


def test_the_first_to_acknowledge_stays() -> None:
    """Two people press the button: one of them sees to it, and both read who."""
    mine = acknowledge(fired(), "Ana", 1_500)
    assert mine and acknowledge(mine.alert, "Ben", 1_501) is None


def test_an_acknowledgement_can_be_taken_back() -> None:
    """Then it asks for somebody again."""
    mine = acknowledge(fired(), "Ana", 1_500)
    back = mine and take_back(mine.alert, "Ana")
    assert back and not back.alert.is_acknowledged


def test_what_was_closed_by_hand_has_to_recover_before_it_fires_anew() -> None:
    """The number is still bad: the next tick does not ring again, but a new breach after a recovery does."""
    closed = close(fired(), "known", "stocktaking", "Ana", 2_000)
    assert closed is not None
    assert told(closed.alert, (3_000, BREACH), (4_000, CLEAR), (5_000, BREACH), timing=AT_ONCE) == [
        ("ok", "stayed-within"), ("firing", "beyond")]


@pytest.mark.parametrize("act", [
    lambda quiet: acknowledge(quiet, "Ana", 1), lambda quiet: assign(quiet, "Ana", "Ben"),
    lambda quiet: snooze(quiet, 9_000, "Ana", 1), lambda quiet: close(quiet, "fixed", "", "Ana", 1),
    lambda quiet: take_back(quiet, "Ana"), lambda quiet: retire(quiet, 1)])
def test_of_what_is_quiet_nothing_can_be_said(act: object) -> None:
    """There is nothing to see to."""
    assert act(new_alert("r")) is None  # type: ignore[operator]


def test_whoever_says_later_what_it_was_worth_is_believed() -> None:
    """Of what is over, until it fires anew; the same twice is once."""
    gone = retire(fired(), 5_000)
    assert gone is not None
    first = judge(gone.alert, "other", "Ana")
    assert first is not None
    second = judge(first.alert, "acted", "Ben")
    assert second is not None
    assert (second.alert.verdict, second.reason, second.note, judge(second.alert, "acted", "Ana")) == (
        "acted", "judged", "acted", None)
    assert judge(fired(), "acted", "Ana") is None
    assert judge(new_alert("r"), "acted", "Ana") is None


def test_a_new_run_is_not_judged_by_the_last_one() -> None:
    """It is another alert."""
    gone = retire(fired(), 5_000)
    judged = judge(gone.alert, "false-positive", "Ana") if gone else None
    assert judged is not None
    again = step(judged.alert, Finding("breach", 11.0, 10.0), Timing(0, 0), 6_000)
    assert again and (again.alert.state, again.alert.verdict) == ("firing", None)


def test_a_rule_that_goes_ends_its_alerts() -> None:
    """Nobody waits for a number that is not looked at any more."""
    gone = retire(fired(), 5_000)
    assert gone and (gone.alert.state, gone.reason) == ("resolved", "rule-gone")


def test_a_rule_that_goes_ends_what_was_closed_by_hand_once() -> None:
    """Not with each look: each would be a line in the log."""
    closed = close(fired(), "known", "", "Ana", 2_000)
    assert closed is not None
    gone = retire(closed.alert, 3_000)
    assert gone is not None
    assert retire(gone.alert, 4_000) is None


def test_two_runs_never_have_one_name() -> None:
    """Though the clock was put back to the instant of the first: what was said of that is not said of the second."""
    first = fired(1_000)
    ends = close(first, "fixed", "", "Ana", 2_000)
    assert ends is not None
    clears = step(ends.alert, CLEAR, AT_ONCE, 900)
    assert clears is not None
    again = step(clears.alert, BREACH, AT_ONCE, 1_000)
    assert again is not None
    assert again.alert.id != first.id


def test_an_alert_is_told_by_its_rule_and_what_it_is_about() -> None:
    """In any order, and never by its value."""
    assert fingerprint("r", (("lane", "DHL"), ("hall", "2"))) == fingerprint("r", (("hall", "2"), ("lane", "DHL")))
    assert fingerprint("r", (("lane", "DHL"),)) != fingerprint("r", (("lane", "UPS"),))


class Life(RuleBasedStateMachine):
    """Findings, people and clocks in any order. The oracle: when it last went beyond, when back within."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms, self.alert, self.ids = 1_000, new_alert("r"), list[str]()
        self.beyond_ms: int | None = None
        self.within_ms: int | None = None

    def moved(self, move: Move | None, finding: Finding | None = None) -> None:
        """Take a move, which has to be a legal one."""
        if move is None:
            self.alert = seen(self.alert, finding) if finding else self.alert
            return
        assert (move.before, move.alert.version) == (self.alert.state, self.alert.version + 1)
        assert move.alert.state in LEGAL[move.before]
        if move.alert.state == "firing" and move.before != "firing" and move.before != "recovering":
            assert self.beyond_ms is not None and self.now_ms - self.beyond_ms >= FOUR_OF_TEN.for_ms
            assert move.alert.id not in self.ids
            self.ids.append(move.alert.id)
        if move.reason == "stayed-within" and move.before == "recovering":
            assert self.within_ms is not None and self.now_ms - self.within_ms >= FOUR_OF_TEN.keep_ms
        self.alert = move.alert

    @rule(passed_ms=st.sampled_from([1, 1_000, 30_000, 60_000, 120_000, 400_000]),
          kind=st.sampled_from(["breach", "clear", "between", "unknown", "learning"]), value=st.floats(0, 100))
    def found(self, passed_ms: int, kind: Found, value: float) -> None:
        """Time passes and the rule is looked at."""
        self.now_ms += passed_ms
        finding = Finding(kind, value, 10.0) if kind in ("breach", "clear", "between") else Finding(kind)
        if kind == "clear":
            self.beyond_ms, self.within_ms = None, self.within_ms or self.now_ms
        if kind == "breach":
            self.beyond_ms, self.within_ms = self.beyond_ms or self.now_ms, None
        if kind in ("learning", "between"):
            self.beyond_ms = None
        self.moved(step(self.alert, finding, FOUR_OF_TEN, self.now_ms), finding)
        if self.alert.state in ("no-data", "learning"):
            self.beyond_ms = None

    @rule(by=st.sampled_from(["Ana", "Ben"]))
    def somebody_acknowledges(self, by: str) -> None:
        """Possible while it is open and nobody's."""
        move = acknowledge(self.alert, by, self.now_ms)
        assert (move is not None) == (self.alert.is_open and not self.alert.acknowledged_by)
        self.moved(move)

    @precondition(lambda self: self.alert.is_open)
    @rule(code=st.sampled_from(["fixed", "false", "no-action", "known"]))
    def somebody_closes(self, code: Code) -> None:
        """What is closed is not open, whatever its number says."""
        self.moved(close(self.alert, code, "", "Ana", self.now_ms))
        assert not self.alert.is_open
        self.beyond_ms = self.within_ms = None

    @rule(verdict=st.sampled_from(get_args(Verdict)))
    def somebody_judges(self, verdict: Verdict) -> None:
        """Possible once it was, and is over."""
        move = judge(self.alert, verdict, "Ana")
        assert move is None or (self.alert.id and not self.alert.is_open)
        self.moved(move)

    @invariant()
    def what_is_open_has_begun(self) -> None:
        """With an id of its own; and what is not open needs nobody."""
        assert not self.alert.is_open or (self.alert.id and self.alert.began_ms <= self.now_ms)
        assert self.alert.is_open or not self.alert.is_acknowledged

    @invariant()
    def time_alone_moves_it_later(self) -> None:
        """What waits for a time knows which."""
        due = due_ms(self.alert, FOUR_OF_TEN)
        assert (due is not None) == (self.alert.state in ("pending", "recovering"))


TestLife = Life.TestCase
