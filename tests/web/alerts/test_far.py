"""How far something is from its limit, in words: the same on screens and in messages."""

import pytest

from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import Burst, Condition, Late, Outlier, Pace, Rule, RunsOut
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.kpis import BUILT_IN
from opsmon.web.alerts.words import AlertWords
from opsmon.web.telling.notice_words import NoticeWords
from opsmon.web.wording import Wording
from tests.conftest import NOW_MS
from tests.web.test_tiles import BERLIN

WORDING = Wording("en", BERLIN)
SAID = [
    ("stock", RunsOut(5), 4.53, 5.0, "lasts 4.5 days, 5 are needed"),
    ("completed-1h", Pace("mon 08:00-16:00"), 34.4, 68.6, "34 an hour, 69 are needed"),
    ("active-orders", Late(24 * HOUR_MS), 7.0, 0.0, "7 for longer than 24 hr"),
    ("payment-failures", Burst(10, 5 * MINUTE_MS), 12.0, 10.0, "12 within 5 min"),
    ("largest-orders", Outlier(), 490_000.0, 41_250.4, "€4,900.00, usually at most €412.50"),
    ("largest-orders", Outlier(200_000), 490_000.0, 200_000.0, "€4,900.00, over €2,000.00"),
]


@pytest.mark.parametrize(("about", "condition", "value", "limit", "text"), SAID)
def test_each_kind_says_what_it_found(about: str, condition: Condition, value: float, limit: float, text: str) -> None:
    """In its own unit, with what would be well."""
    rule = Rule("one", "One", about, condition)
    alert = Alert("f", "one", value=value, limit=limit)
    screen = AlertWords(WORDING, BUILT_IN, "EUR").stands(rule, alert)
    message = NoticeWords(WORDING, BUILT_IN, "EUR", "", b"").far(alert, rule)
    assert [one.replace("\u202f", " ").replace("\xa0", " ") for one in (screen, message)] == [text, text]


def test_late_orders_are_named_with_since_when() -> None:
    """The oldest first."""
    rule = Rule("late", "Late", "active-orders", Late(24 * HOUR_MS))
    things = (("#1001", NOW_MS - 30 * HOUR_MS), ("#1004", NOW_MS - 25 * HOUR_MS))
    alert = Alert("f", "late", value=2, limit=0, things=things)
    text = "2 for longer than 24 hr. The oldest: #1001 (Nov 19, 08:03), #1004 (Nov 19, 13:03)"
    assert AlertWords(WORDING, BUILT_IN, "EUR").stands(rule, alert).replace("\xa0", " ") == text
    assert NoticeWords(WORDING, BUILT_IN, "EUR", "", b"").far(alert, rule).replace("\xa0", " ") == text


def test_an_amount_is_not_for_everybody() -> None:
    """Who may not see money reads which order it is, and not how large."""
    rule = Rule("large", "Large", "largest-orders", Outlier())
    words = AlertWords(WORDING, BUILT_IN, "EUR", frozenset())
    alert = Alert("f", "large", (("row", "#7"),), value=490_000, limit=41_250)
    assert (words.stands(rule, alert), words.title(rule, alert)) == ("", "Large: #7")


def test_failed_logins_are_called_so() -> None:
    """They are no number of the catalogue."""
    rule = Rule("logins", "Logins", "own:logins", Burst(10, MINUTE_MS))
    assert AlertWords(WORDING, BUILT_IN, "EUR").watched(rule) == "Failed logins to opsmon"
