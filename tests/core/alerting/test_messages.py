"""Whether a notice still holds when it is sent, and what goes as one message."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.messages import Queued, Told, fate, gathered, superseded
from opsmon.core.alerting.rules import Limit, Rule

RULE = Rule("late", "Late", "orders-today", Limit(2))
ALERT = Alert("f", "late", (), "firing", 100, 1, "f-100", 100)
FIRED = Queued("10-0", "f-100-fired-0-ana", "fired", "ana", 110, "f", "f-100", "late")

alerts = st.builds(
    Alert, st.just("f"), st.just("late"), st.just(()),
    st.sampled_from(["ok", "pending", "firing", "recovering", "resolved", "no-data"]),
    id=st.sampled_from(["f-100", "f-200"]), acknowledged_by=st.sampled_from(["", "Ben"]),
    acknowledged_ms=st.integers(0, 200))
words: st.SearchStrategy[Told] = st.sampled_from(["fired", "repeat", "resolved"])


@given(alerts, words, st.booleans(), st.booleans(), st.integers(0, 200))
def test_nothing_is_said_of_what_does_not_hold(
        alert: Alert, word: Told, is_muted: bool, was_told: bool, at: int) -> None:
    """Of another run, of what is silenced, over, answered, or was never told of: for every alert there can be."""
    if fate(replace(FIRED, word=word, at_ms=at), alert, RULE, is_muted, was_told):
        return
    assert alert.id == "f-100" and not is_muted
    if word == "resolved":
        assert alert.state == "resolved" and was_told
    else:
        assert alert.is_open and (not alert.acknowledged_by or at > alert.acknowledged_ms)


def test_an_alert_that_fires_is_told() -> None:
    """Nothing speaks against it."""
    assert fate(FIRED, ALERT, RULE, False, False) == ""


def test_a_rule_that_is_off_says_nothing() -> None:
    """Nor one that is gone."""
    off = replace(RULE, off_reason="stocktaking")
    assert [fate(FIRED, ALERT, rule, False, False) for rule in (off, None)] == ["rule-gone"] * 2


def test_a_later_word_takes_the_place_of_an_earlier() -> None:
    """To the same receiver, about the same run; by the order in which they were queued."""
    later = replace(FIRED, id="9-10", word="repeat")
    assert (superseded(later, [later, FIRED]), superseded(FIRED, [later, FIRED]),
            superseded(later, [replace(FIRED, receiver="ben"), replace(FIRED, run="f-200")])) == (True, False, False)


def test_one_receiver_rule_and_word_go_together() -> None:
    """Tests go alone."""
    test = Queued("1-0", "t1", "test", "ana", 1)
    groups = gathered([FIRED, replace(FIRED, id="11-0"), replace(FIRED, receiver="ben"), test,
                       replace(test, id="2-0")])
    assert sorted(len(group) for group in groups.values()) == [1, 1, 1, 2]
