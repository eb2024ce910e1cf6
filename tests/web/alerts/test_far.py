"""How far something is from its limit, in words: the same on screens and in messages."""

import pytest
from redis.asyncio import Redis

from opsmon.app.worker import evaluator
from opsmon.clock import ManualClock
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import Burst, Condition, Late, Outlier, Pace, Rule, RunsOut
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.kpis import BUILT_IN
from opsmon.settings import Settings
from opsmon.web.alerts.words import AlertWords
from opsmon.web.telling.notice_words import NoticeWords
from opsmon.web.wording import Wording
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.web.accounts.people import someone
from tests.web.alerts.site import keep, the_alert
from tests.web.alerts.test_alerts_page import words
from tests.web.test_tiles import BERLIN

pytestmark = pytest.mark.anyio

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
    shown = AlertWords(WORDING, BUILT_IN, "EUR", frozenset())
    alert = Alert("f", "large", (("row", "#7"),), value=490_000, limit=41_250)
    assert (shown.stands(rule, alert), shown.title(rule, alert)) == ("", "Large: #7")


def test_failed_logins_are_called_so() -> None:
    """They are no number of the catalogue."""
    rule = Rule("logins", "Logins", "own:logins", Burst(10, MINUTE_MS))
    assert AlertWords(WORDING, BUILT_IN, "EUR").watched(rule) == "Failed logins to opsmon"


async def test_names_stand_where_there_is_room_for_them(
        line: Line, settings: Settings, clock: ManualClock, store: Redis) -> None:
    """On the list and on the page of the alert; in the panel and on walls stands how many."""
    rule = Rule("late", "Late ones", "active-orders", Late(5 * HOUR_MS), "high", for_ms=0)
    await keep(store, rule)
    await line.post("orders/create", order(7, placed_ms=NOW_MS - 9 * HOUR_MS))
    await line.work()
    await evaluator(settings, store, clock).round()
    ana = await someone(line, "manager")
    alert = await the_alert(line, "late")
    texts = [words((await ana.get(path)).text) for path in ("/alerts", f"/alerts/{alert.fingerprint}", "/wall")]
    assert ["1 for longer than 5 hr. The oldest: #7 (Nov 20, 05:03)" in text for text in texts] == [True, True, False]
    assert ["1 for longer than 5 hr" in text for text in texts] == [True, True, True]
