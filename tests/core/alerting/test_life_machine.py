"""Whatever happens to an alert, in whatever order: it goes its legal ways and no other, and what is said of it holds.

Each step is taken by opsmon and by the oracle beside it.
"""

import os
from dataclasses import replace
from typing import Any, cast

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from opsmon.core.alerting import life
from opsmon.core.alerting.hours import Hours
from opsmon.core.alerting.life import Alert, Finding, Found, Move, Timing, new_alert, retire, seen, step
from opsmon.core.alerting.rules import Severity
from opsmon.core.alerting.telling import Due, Notice, Route, Step, Told, due
from tests.conftest import NOW_MS
from tests.core.alerting.oracle import LEGAL, OPEN, Ought

MINUTE = 60_000
STEPS = st.sampled_from([
    (Step(("ana",)), Step(("ben",), 3 * MINUTE), Step(("cem", "dora"), 5 * MINUTE)), (Step(("ana", "ben")),),
    (Step(("dora",)), Step(("ana",), MINUTE)), ()])
SEVERITIES = st.sampled_from(["critical", "critical", "high", "medium", "low"])
WAITS = {"critical": 0, "high": 15_000, "medium": 30_000}
NUDGES = {"critical": 4 * 60 * MINUTE, "high": 8 * 60 * MINUTE}
PEOPLE = st.sampled_from(["Ana", "Ben"])
# Somebody works in the first hour of a day alone.
NIGHT = Hours("UTC", dict.fromkeys(range(7), (0, 60)))


class Life(RuleBasedStateMachine):
    """One alert, its rule, the people, and what is said."""

    step: Any = staticmethod(step)
    retire: Any = staticmethod(retire)
    due: Any = staticmethod(due)

    def __init__(self) -> None:
        super().__init__()
        self.now, self.timing, self.is_muted = NOW_MS, Timing(0, 0), False
        self.route = Route("critical", ())
        self.alert, self.told, self.ought = new_alert("late"), Told(), Ought()
        self.lines: list[tuple[str, str, str]] = []
        self.keys: list[str] = []
        self.heard: dict[str, set[str]] = {}
        self.over: set[str] = set()
        self.stepped_ms = 0

    @initialize(steps=STEPS)
    def begin(self, steps: tuple[Step, ...]) -> None:
        """Somebody is to be told."""
        self.route = Route("critical", steps)

    @rule(ms=st.sampled_from([0, 1, 1_000, 15_000, MINUTE, 3 * MINUTE, 5 * MINUTE, 60 * MINUTE, 5 * 60 * MINUTE]))
    def time_goes_on(self, ms: int) -> None:
        """A while, and another look at who is to be told."""
        self.now += ms
        self.tell()

    @rule(ms=st.sampled_from([1, 1_000, MINUTE, 60 * MINUTE]))
    def clock_is_put_back(self, ms: int) -> None:
        """By whoever keeps the time of this machine."""
        self.now -= ms
        self.tell()

    @rule(found=st.sampled_from(["breach", "breach", "clear", "clear", "between", "unknown", "learning"]),
          value=st.integers(0, 9), is_kept=st.booleans())
    def look(self, found: str, value: int, is_kept: bool) -> None:
        """The rule is looked at; of what did not move perhaps the value is kept."""
        finding = Finding(cast(Found, found), None if found in ("unknown", "learning") else value, 5)
        move = self.step(self.alert, finding, self.timing, self.now)
        self.ought.look(found, self.now, self.timing.for_ms, self.timing.keep_ms)
        if move is None:
            self.alert = seen(self.alert, finding) if is_kept else self.alert
        else:
            self.take(move)
        self.tell()

    @rule(what=st.sampled_from(["acknowledge", "take-back", "assign", "snooze", "close", "note"]), by=PEOPLE)
    def act(self, what: str, by: str) -> None:
        """Somebody does something about it."""
        until = self.now + 30 * MINUTE
        more = {"assign": by, "snooze": until, "close": "known", "note": "seen"}.get(what)
        verbs: dict[str, Move | None] = {
            "acknowledge": life.acknowledge(self.alert, by, self.now), "take-back": life.take_back(self.alert, by),
            "assign": life.assign(self.alert, by, by), "snooze": life.snooze(self.alert, until, by, self.now),
            "close": life.close(self.alert, "known", "", by, self.now), "note": life.note(self.alert, "seen", by)}
        move = verbs[what]
        assert self.ought.act(what, by, self.now, more) == (move is not None)
        if move is not None:
            self.take(move)
        self.tell()

    @rule(for_ms=st.sampled_from([0, 10_000, MINUTE]), keep_ms=st.sampled_from([0, MINUTE, 5 * MINUTE]),
          severity=SEVERITIES, steps=STEPS, hours=st.sampled_from([Hours(), Hours(), NIGHT]))
    def rule_is_changed(self, for_ms: int, keep_ms: int, severity: Severity, steps: tuple[Step, ...], hours: Hours
                        ) -> None:
        """Other times, another severity, other people."""
        self.timing = Timing(for_ms, keep_ms)
        self.route = Route(severity, () if severity == "low" else steps, hours)
        self.tell()

    @rule(times=st.integers(1, 3))
    def rule_is_switched_off(self, times: int) -> None:
        """And looked at a few times while it is."""
        self.ought.rule_goes(self.now)
        for _ in range(times):
            if (move := self.retire(self.alert, self.now)) is not None:
                self.take(move)

    @rule()
    def silence(self) -> None:
        """Somebody wants to hear no more, or to hear again."""
        self.is_muted = not self.is_muted
        self.tell()

    def take(self, move: Move) -> None:
        """What the store does with a move: one line in the log, unless it is kept in mind alone."""
        assert move.alert.version == self.alert.version + 1
        self.lines.append((move.before, move.alert.state, move.reason))
        if (move.before, move.alert.state, move.reason)[1:] in (("firing", "held"), ("firing", "beyond")):
            assert self.alert.id != move.alert.id and not self.alert.is_open
        self.alert = move.alert

    def tell(self) -> None:
        """What the evaluator does with each alert that ever fired and of which not all was said."""
        if not self.alert.id or (self.told.run == self.alert.id and self.told.is_over):
            return
        is_muted = self.is_muted or self.now < self.ought.quiet_until
        found = self.due(self.alert, self.told, self.route, is_muted, self.now)
        before, self.told = self.told, found.told
        if found.notice is not None:
            self.hear(found.notice, is_muted)
        self.miss(is_muted, before)

    def hear(self, notice: Notice, is_muted: bool) -> None:
        """What is said holds at that moment."""
        run, heard = notice.run, self.heard.setdefault(notice.run, set())
        assert run == self.alert.id and run not in self.over, "said of a run that is over"
        assert not is_muted and self.is_open_now(), "said though nobody was to hear"
        assert notice.key not in self.keys, "the same key twice"
        self.keys.append(notice.key)
        if notice.word == "resolved":
            assert self.ought.state == "resolved" and set(notice.receivers) == heard
            self.over.add(run)
            return
        assert self.ought.state in OPEN
        if self.ought.seen_by:
            # A nudge after hours: to nobody new.
            assert notice.word == "repeat" and set(notice.receivers) <= heard | self.of_route()
            assert self.now - self.alert.acknowledged_ms >= NUDGES[self.route.severity]
        else:
            assert self.ought.state == "firing"
        heard |= set(notice.receivers)

    def miss(self, is_muted: bool, before: Told) -> None:
        """Nothing that ought to be said is left out: the first word, and the next step while nobody answers."""
        is_next = before.run == self.told.run and 0 < before.steps < len(self.route.steps)
        # Though the clock was put back: what is due after three minutes is not due after an hour and three.
        last_ms = min(self.stepped_ms, self.now)
        is_stepped = before.run != self.told.run or self.told.steps > before.steps
        self.stepped_ms = self.now if is_stepped else last_ms
        if (self.ought.state != "firing" or self.ought.seen_by or is_muted or not self.route.steps
                or not self.is_open_now()):
            return
        if self.now >= self.alert.began_ms + WAITS[self.route.severity]:
            assert self.told.steps > 0, "nobody was told"
        if is_next and self.now >= last_ms + self.route.steps[before.steps].after_ms:
            assert is_stepped, "the next one was not told"

    def is_open_now(self) -> bool:
        """Whether anybody may be told, by the clock in UTC."""
        return self.route.severity == "critical" or not self.route.hours.week or self.now % 86_400_000 < 60 * MINUTE

    def of_route(self) -> set[str]:
        """Everybody on it."""
        return {name for one in self.route.steps for name in one.receivers}

    @invariant()
    def is_as_it_ought_to_be(self) -> None:
        """The same to opsmon and to the oracle."""
        is_, ought = self.alert, self.ought
        assert (is_.state, is_.since_ms if ought.path else 0, is_.acknowledged_by, is_.assigned_to,
                is_.snoozed_until_ms, is_.is_held, is_.code, is_.unknown_ms) == (
            ought.state, ought.since, ought.seen_by, ought.given_to, ought.quiet_until, ought.is_held, ought.code,
            ought.no_number_since)

    @invariant()
    def went_legal_ways(self) -> None:
        """Line by line, the same as the oracle's, each of the table."""
        said = [line for line in self.lines if line[2] not in ("no-number", "number-again") or line[0] != line[1]]
        assert said == self.ought.path
        assert set(said) <= LEGAL


class Hasty(Life):
    """Planted: what is neither beyond its limit nor back within it is taken for over."""

    @staticmethod
    def step(alert: Alert, finding: Finding, *more: Any) -> Move | None:
        """As if it were clear."""
        return step(alert, replace(finding, found="clear") if finding.found == "between" else finding, *more)


class Stubborn(Life):
    """Planted: whoever acknowledged is told of the next step all the same."""

    @staticmethod
    def due(alert: Alert, *more: Any) -> Due:
        """As if nobody had answered."""
        return due(replace(alert, acknowledged_by=""), *more)


class Endless(Life):
    """Planted: an alert whose rule is gone is ended again with each look."""

    @staticmethod
    def retire(alert: Alert, now_ms: int) -> Move | None:
        """Whatever it was."""
        return retire(replace(alert, is_held=bool(alert.id)), now_ms)


class Talkative(Life):
    """Planted: that it is over is said twice."""

    @staticmethod
    def due(*told: Any) -> Due:
        """And not remembered."""
        found = due(*told)
        return replace(found, told=replace(found.told, is_over=False))


@pytest.mark.parametrize("planted", [Hasty, Stubborn, Endless, Talkative])
def test_a_planted_fault_is_found(planted: type[Life]) -> None:
    """The control: each would be, within as many histories as are tried here."""
    tried = hypothesis.settings(max_examples=300, stateful_step_count=40, deadline=None, database=None,
                                derandomize=True, phases=[hypothesis.Phase.generate])
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(planted, settings=tried)


EXAMPLES = 400 if "CI" in os.environ else 60
TestLife: Any = Life.TestCase
TestLife.settings = hypothesis.settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None)
