"""Who is told of an alert, and when: played through minute by minute."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.alerting.hours import Hours
from opsmon.core.alerting.life import Alert, Finding, Timing, acknowledge, close, new_alert, step
from opsmon.core.alerting.telling import MOST_LOOPS, Due, Notice, Route, Step, Told, due, unreachable
from opsmon.core.calendar import HOUR_MS, MINUTE_MS

# Monday 2026-01-05, 12:00 UTC.
NOON_MS = 1_767_614_400_000
CHAIN = (Step(("shift",)), Step(("manager",), 3 * MINUTE_MS), Step(("everyone",), 5 * MINUTE_MS))
CRITICAL = Route("critical", CHAIN)
HIGH = Route("high", (Step(("shift",)),), Hours("UTC", dict.fromkeys(range(5), (480, 1020))))


def firing(began_ms: int = NOON_MS) -> Alert:
    """An alert that fires since noon."""
    move = step(new_alert("r"), Finding("breach", 12, 10), Timing(0, 0), began_ms)
    assert move is not None
    return move.alert


def ended(alert: Alert, now_ms: int) -> Alert:
    """The same alert, over."""
    move = close(alert, "fixed", "", "Ana", now_ms)
    assert move is not None
    return move.alert


def played(alert: Alert, route: Route, until_ms: int, told: Told | None = None, from_ms: int = NOON_MS
           ) -> tuple[list[tuple[int, Notice]], Told]:
    """Every notice until an instant, looked for at each second: (minutes since noon, notice)."""
    found, told = list[tuple[int, Notice]](), told or Told()
    for now_ms in range(from_ms, until_ms, 1_000):
        next_one = due(alert, told, route, False, now_ms)
        told = next_one.told
        if next_one.notice:
            found.append(((now_ms - NOON_MS) // MINUTE_MS, next_one.notice))
    return found, told


def words(found: list[tuple[int, Notice]]) -> list[tuple[int, str, tuple[str, ...]]]:
    """The minute, the word and whom."""
    return [(minute, notice.word, notice.receivers) for minute, notice in found]


def test_what_is_critical_is_said_at_once_and_then_to_the_next() -> None:
    """Three minutes without an answer, then the manager; five more, then everyone."""
    found = [one for one in words(played(firing(), CRITICAL, NOON_MS + 9 * MINUTE_MS)[0]) if one[1] == "fired"]
    assert found == [(0, "fired", ("shift",)), (3, "fired", ("manager",)), (8, "fired", ("everyone",))]


def test_a_clock_that_was_put_back_holds_up_nobody() -> None:
    """By an hour, after the first was told: three minutes later, not an hour and three, it is the manager's."""
    _, told = played(firing(), CRITICAL, NOON_MS + 1_000)
    found, _ = played(firing(), CRITICAL, NOON_MS - 56 * MINUTE_MS, told, NOON_MS - HOUR_MS)
    assert words(found) == [(-57, "fired", ("manager",))]


def test_after_three_rounds_without_an_answer_screens_say_that_nobody_answered() -> None:
    """Once."""
    found, _ = played(firing(), CRITICAL, NOON_MS + 2 * HOUR_MS)
    assert [notice.receivers for _, notice in found if notice.word == "nobody"] == [()]


def test_whoever_alone_is_told_has_time_to_answer() -> None:
    """Screens do not say that nobody answered while the first message is on its way: not before it is said again."""
    route = Route("critical", (Step(("shift",)),))
    _, before = played(firing(), route, NOON_MS + 5 * MINUTE_MS)
    found, after = played(firing(), route, NOON_MS + 6 * MINUTE_MS, before, NOON_MS + 5 * MINUTE_MS)
    assert (before.is_nobody, after.is_nobody, words(found)) == (False, True, [(5, "repeat", ("shift",))])


def test_an_acknowledgement_takes_back_what_was_to_come() -> None:
    """Nobody further up is called."""
    _, told = played(firing(), CRITICAL, NOON_MS + MINUTE_MS)
    mine = acknowledge(firing(), "Ana", NOON_MS + MINUTE_MS)
    assert mine and played(mine.alert, CRITICAL, NOON_MS + HOUR_MS, told, NOON_MS + MINUTE_MS)[0] == []


def test_the_end_is_told_to_those_who_heard_of_the_beginning() -> None:
    """Once, and to nobody else."""
    _, told = played(firing(), CRITICAL, NOON_MS + 4 * MINUTE_MS)
    over = ended(firing(), NOON_MS + 5 * MINUTE_MS)
    found, _ = played(over, CRITICAL, NOON_MS + 7 * MINUTE_MS, told, NOON_MS + 5 * MINUTE_MS)
    assert words(found) == [(5, "resolved", ("shift", "manager"))]


def test_the_end_is_told_to_those_who_heard_though_the_route_is_another_by_then() -> None:
    """Somebody raised or lowered the rule meanwhile: Ana, who was woken, is told that it is over."""
    _, told = played(firing(), CRITICAL, NOON_MS + MINUTE_MS)
    over = ended(firing(), NOON_MS + MINUTE_MS)
    for route in (Route("low", ()), HIGH, Route("critical", (Step(("manager",)),))):
        found, _ = played(over, route, NOON_MS + 2 * MINUTE_MS, told, NOON_MS + MINUTE_MS)
        assert words(found) == [(1, "resolved", ("shift",))]


def test_what_is_over_before_its_first_word_is_not_told() -> None:
    """Fifteen seconds of wait spare people what passes by itself."""
    _, told = played(firing(), HIGH, NOON_MS + 14_000)
    over = ended(firing(), NOON_MS + 14_000)
    assert played(over, HIGH, NOON_MS + MINUTE_MS, told, NOON_MS + 14_000)[0] == []


def test_repeats_slow_down() -> None:
    """After 15 minutes, then 30, then 60."""
    found, _ = played(firing(), HIGH, NOON_MS + 2 * HOUR_MS)
    assert [minute for minute, _ in found] == [0, 15, 45, 105]


def test_outside_hours_it_waits_for_the_opening() -> None:
    """What still fires at eight is told at eight."""
    night = firing(NOON_MS + 8 * HOUR_MS)
    found, _ = played(night, HIGH, NOON_MS + 20 * HOUR_MS + MINUTE_MS, from_ms=NOON_MS + 19 * HOUR_MS)
    assert words(found) == [(20 * 60, "fired", ("shift",))]


def test_what_is_held_says_until_when() -> None:
    """So that nobody has to look every second."""
    night = due(firing(NOON_MS + 8 * HOUR_MS), Told(), HIGH, False, NOON_MS + 8 * HOUR_MS)
    assert (night.is_held, night.again_ms) == (True, NOON_MS + 20 * HOUR_MS)


def test_what_is_critical_ignores_hours() -> None:
    """Somebody is woken."""
    closed = replace(CRITICAL, hours=Hours("UTC", {}, frozenset()))
    assert due(firing(NOON_MS + 11 * HOUR_MS), Told(), closed, False, NOON_MS + 11 * HOUR_MS).notice is not None


def test_what_is_muted_is_silent_and_goes_on_afterwards() -> None:
    """Still firing after the silence: then it is said."""
    muted = due(firing(), Told(), CRITICAL, True, NOON_MS)
    later = due(firing(), muted.told, CRITICAL, False, NOON_MS + HOUR_MS)
    assert (muted.notice, later.notice is not None) == (None, True)


def test_another_run_of_an_alert_begins_anew() -> None:
    """What was said of the one before is not held against it."""
    _, told = played(firing(), CRITICAL, NOON_MS + 10 * MINUTE_MS)
    anew = due(firing(NOON_MS + HOUR_MS), told, CRITICAL, False, NOON_MS + HOUR_MS)
    assert anew.notice and anew.notice.word == "fired"


def test_steps_that_can_never_be_are_found() -> None:
    """A step for nobody, and one that waits for nothing behind another."""
    assert unreachable(Route("high", (Step(("a",)), Step((), 60_000), Step(("b",), 0)))) == [2, 3]


ACTS = st.sampled_from(["look", "ack", "close", "fire", "mute"])


@given(st.lists(st.tuples(st.integers(1_000, 20 * MINUTE_MS), ACTS), max_size=40))
def test_nothing_is_said_of_what_is_over_or_seen_to(acts: list[tuple[int, str]]) -> None:
    """Whatever people do in between: no step while somebody sees to it, no word but the last after the end, no key
    twice, and never more than three rounds."""
    now_ms, alert, told, muted, keys = NOON_MS, firing(), Told(), False, list[str]()
    for passed_ms, act in acts:
        now_ms += passed_ms
        alert, muted = _acted(alert, act, now_ms), muted ^ (act == "mute")
        found: Due = due(alert, told, CRITICAL, muted, now_ms)
        assert found.notice is None or not muted
        if found.notice:
            assert found.notice.word == "resolved" if alert.state == "resolved" else found.notice.word != "resolved"
            assert not (alert.is_acknowledged and found.notice.word in ("fired", "nobody"))
            keys.append(found.notice.key)
        told = found.told
        assert told.steps <= MOST_LOOPS * len(CHAIN)
    assert len(keys) == len(set(keys))


def _acted(alert: Alert, act: str, now_ms: int) -> Alert:
    made = {"ack": lambda: acknowledge(alert, "Ana", now_ms), "close": lambda: close(alert, "fixed", "", "Ana", now_ms),
            "fire": lambda: step(replace(alert, is_held=False), Finding("breach", 12, 10), Timing(0, 0), now_ms)}
    move = made[act]() if act in made else None
    return move.alert if move else alert


def test_what_begins_within_the_wait_of_another_of_its_rule_is_told_with_it() -> None:
    """The first lane waits fifteen seconds, the second began ten seconds later: both are told at the fifteenth."""
    later = Alert("f", "r", (), "firing", NOON_MS + 10_000, 1, "f-2", NOON_MS + 10_000)
    alone = due(later, Told(), HIGH, False, NOON_MS + 15_000)
    together = due(later, Told(), HIGH, False, NOON_MS + 15_000, began_ms=NOON_MS)
    assert (alone.notice, together.notice and together.notice.word) == (None, "fired")
