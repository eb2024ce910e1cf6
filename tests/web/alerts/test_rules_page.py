"""Rules are made, tried, changed by two and switched off, from plain forms."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.alerting.built_in import BUILT_IN
from opsmon.core.alerting.rules import (
    Burst,
    Late,
    Limit,
    Milestone,
    Missing,
    Outlier,
    Pace,
    Quiet,
    Rule,
    RunsOut,
    Unusual,
)
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.settings import Settings, check
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader
from tests.http import Answer
from tests.line import Line, open_line
from tests.orders import order
from tests.web.accounts.people import Someone, errors, someone
from tests.web.alerts.site import KEYS, orders

pytestmark = pytest.mark.anyio

TYPED = {"kind": "limit", "title": "Many orders", "about": "orders-today", "side": "above", "limit": "2",
         "severity": "critical", "act": "save"}


async def rules(line: Line) -> dict[str, Rule]:
    """As they are kept."""
    return await all_rules(Reader(line.store), KEYS)


def believed(html: str) -> str:
    """What a form says it was made of."""
    return (re.findall(r'name="believed" value="(\w+)"', html) or [""])[0]


async def sent(who: Someone, **fields: str) -> Answer:
    """A new rule, typed and sent."""
    page = (await who.get(f"/rules/{fields['id']}" if fields.get("id") else "/rules/new")).text
    return await who.send("/rules", **{"believed": believed(page), **fields})


@pytest.mark.parametrize(("fields", "condition"), [
    ({}, Limit(2)), ({"side": "below", "clear": "5", "least": "10"}, Limit(2, is_lowest=True, clear=5, least=10)),
    ({"about": "payment-failures", "limit": "20 %"}, Limit(0.2)),
    ({"about": "revenue-today", "limit": "49.90"}, Limit(4_990)),
    ({"about": "oldest-order", "limit": "24 h"}, Limit(24 * HOUR_MS)),
    ({"about": "own:behind", "limit": "10 s"}, Limit(10_000)), ({"about": "own:telling", "limit": "2"}, Limit(2)),
    ({"kind": "unusual", "direction": "both", "sensitivity": "high"}, Unusual("both", "high")),
    ({"kind": "missing", "false_per_week": "0.5"}, Missing(0.5)), ({"kind": "missing"}, Missing(0.1)),
    ({"kind": "quiet", "about": "source:shopify", "after": "30 min"}, Quiet(30 * MINUTE_MS)),
    ({"kind": "milestone", "every": "1000"}, Milestone(1_000)),
    ({"kind": "late", "about": "active-orders", "older": "24 h"}, Late(24 * HOUR_MS)),
    ({"kind": "late", "about": "stage-waits", "older": "90 min", "hours": "Mon-Fri  08:00-16:30",
      "only": "stage=packing", "rows-each": "on"}, Late(90 * MINUTE_MS, "mon-fri 08:00-16:30")),
    ({"kind": "pace", "about": "completed-1h", "hours": "mon-fri 08:00-16:00"}, Pace("mon-fri 08:00-16:00")),
    ({"kind": "pace", "about": "completed-1h", "hours": "mon-fri 08:00-16:00", "need": "waiting", "slack": "0 min",
      "placed_by": "14:00"}, Pace("mon-fri 08:00-16:00", "waiting", 0, "14:00")),
    ({"kind": "runs-out", "about": "stock", "lead_days": "4.5"}, RunsOut(4.5)),
    ({"kind": "outlier", "about": "largest-orders", "limit": ""}, Outlier()),
    ({"kind": "outlier", "about": "largest-orders", "limit": "2000", "sensitivity": "low"}, Outlier(200_000, "low")),
    ({"kind": "burst", "about": "payment-failures", "count": "10", "within": "5 min"}, Burst(10, 5 * MINUTE_MS)),
    ({"kind": "burst", "about": "counters", "count": "5", "within": "1 h", "only": "name=failed-logins"},
     Burst(5, HOUR_MS)),
    ({"kind": "burst", "about": "own:logins", "count": "3", "within": "90 s"}, Burst(3, 90_000))])
async def test_each_kind_can_be_made(line: Line, fields: dict[str, str], condition: object) -> None:
    """From what is typed, in the unit of the number; and typed again it is the same."""
    await orders(line, 1)
    ana = await someone(line, "manager")
    answer = await sent(ana, **{**TYPED, **fields})
    assert (answer.status, answer.headers.get("location")) == (303, "/rules/many-orders?did=saved")
    assert (await rules(line))["many-orders"].condition == condition
    html = (await ana.get("/rules/many-orders")).text
    typed = dict(re.findall(r'<input class="field__input"[^>]* name="(\w+)"[^>]* value="([^"]*)"', html))
    assert (await sent(ana, **{**TYPED, **fields, **typed, "id": "many-orders"})).status == 303
    assert (await rules(line))["many-orders"].condition == condition


@pytest.mark.parametrize(("fields", "said"), [
    ({"limit": "many"}, "This is not a number, like 40."), ({"limit": ""}, "This is not a number, like 40."),
    ({"about": "payment-failures", "limit": "2"}, "This is not a share, like 5 %."),
    ({"about": "nothing"}, "there is no number called nothing"), ({"title": ""}, "give the rule a name"),
    ({"for": "soon"}, "A length of time with its unit is needed, like 90 s, 15 min or 2 h."),
    ({"only": "web"}, "Write it like channel=web, several with commas between."),
    ({"only": "moon=full"}, "this number is not counted by that"), ({"rows-each": "on"}, "this number has no rows"),
    ({"kind": "quiet", "about": "source:moon"}, "name a source"),
    ({"kind": "milestone", "every": "0"}, "above 0"),
    ({"kind": "late", "about": "active-orders", "older": "long"}, "A length of time with its unit is needed"),
    ({"kind": "late", "about": "active-orders", "older": "5 h", "hours": "always"},
     "Write hours like mon-fri 08:00-16:30, sat 09:00-12:00."),
    ({"kind": "late", "about": "orders-today", "older": "5 h"}, "only of open orders it is known since when they wait"),
    ({"kind": "late", "about": "active-orders", "older": "5 h", "only": "stage=packing"}, "not counted by that"),
    ({"kind": "pace", "about": "completed-1h", "hours": ""}, "Write hours like"),
    ({"kind": "pace", "about": "completed-1h", "hours": "mon 08:00-16:00", "placed_by": "2 pm"},
     "Write a time like 14:00."),
    ({"kind": "pace", "about": "stock", "hours": "mon 08:00-16:00"}, "only what is counted minute by minute"),
    ({"kind": "pace", "about": "completed-1h", "hours": "mon 08:00-16:00", "need": "moon"},
     "there is no number called moon"),
    ({"kind": "runs-out", "about": "stock", "lead_days": "0"}, "above 0"),
    ({"kind": "runs-out", "about": "orders-today", "lead_days": "3"}, "only of stock it is known how long it lasts"),
    ({"kind": "outlier", "about": "revenue-today"}, "only of the largest orders each amount is known"),
    ({"kind": "burst", "about": "payment-failures", "count": "0", "within": "5 min"}, "above 0"),
    ({"kind": "burst", "about": "payment-failures", "count": "1.5", "within": "5 min"}, "whole number"),
    ({"kind": "burst", "about": "payment-failures", "count": "10", "within": "soon"}, "A length of time"),
    ({"kind": "limit", "about": "own:logins", "limit": "3"}, "failed logins come in bursts")])
async def test_what_is_wrong_is_said_beside_its_field(line: Line, fields: dict[str, str], said: str) -> None:
    """Nothing is saved, nothing typed is lost."""
    answer = await sent(await someone(line, "manager"), **{**TYPED, **fields})
    assert (answer.status, said in answer.text) == (422, True), answer.text
    assert set(await rules(line)) == {rule.id for rule in BUILT_IN}


async def test_what_is_wrong_is_said_in_the_sites_language(
        settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Beside each field."""
    async with open_line(replace(settings, locale="de"), clock, store, b"a-secret-of-the-shop") as line:
        answer = await sent(await someone(line, "manager"), **{**TYPED, "kind": "milestone", "every": "0", "title": ""})
    assert errors(answer) == ["geben Sie der Regel einen Namen", "every muss größer als 0 sein"]


async def test_a_kind_that_is_none_is_refused(line: Line) -> None:
    """No form of ours sends it."""
    assert (await sent(await someone(line, "manager"), **{**TYPED, "kind": "nonsense"})).status == 400


async def test_a_rule_says_at_once_what_it_would_have_done(line: Line, clock: ManualClock) -> None:
    """Three orders an hour ago: once, until now, and what it could not know."""
    await orders(line, 1, 2, 3)
    clock.advance(HOUR_MS)
    ana = await someone(line, "manager")
    answer = await sent(ana, **{**TYPED, "act": "try"})
    assert "It would have fired 1 time in the last 14 days." in answer.text
    assert re.search(r"<li>Nov 20, 14:\d\d, until now, at most 3</li>", answer.text)
    assert "every 10 min: what was shorter is not seen." in answer.text
    assert "many-orders" not in await rules(line)
    never = await sent(ana, **{**TYPED, "act": "try", "limit": "30"})
    assert "It would not have fired in the last 14 days." in never.text


@pytest.mark.parametrize("fields", [
    {"kind": "quiet", "about": "sources"}, {"about": "active-orders"}, {"about": "own:behind", "limit": "5 s"},
    {"about": "own:telling", "limit": "0"},
    {"kind": "milestone", "every": "5"}, {"kind": "runs-out", "about": "stock", "lead_days": "3"},
    {"kind": "late", "about": "active-orders", "older": "5 h"},
    {"kind": "pace", "about": "completed-1h", "hours": "mon-fri 08:00-16:00"},
    {"kind": "burst", "about": "own:logins", "count": "3", "within": "5 min"}])
async def test_of_what_is_not_kept_nothing_is_said(line: Line, fields: dict[str, str]) -> None:
    """Rather than that it would never have fired."""
    await orders(line, 1)
    answer = await sent(await someone(line, "manager"), **{**TYPED, **fields, "act": "try"})
    assert "nothing can be said of the past." in " ".join(answer.text.split())


async def test_a_burst_says_when_it_would_have_been(line: Line, clock: ManualClock) -> None:
    """Three orders within ten minutes, an hour ago."""
    await orders(line, 1, 2, 3)
    clock.advance(HOUR_MS)
    ana = await someone(line, "manager")
    typed = {**TYPED, "kind": "burst", "within": "20 min", "act": "try", "for": "0 s"}
    texts = [(await sent(ana, **{**typed, "count": count})).text for count in ("3", "4")]
    assert ["It would have fired 1 time in the last 14 days." in text for text in texts] == [True, False]
    assert "It would not have fired in the last 14 days." in texts[1]


async def test_a_large_order_says_which_it_would_have_been(line: Line) -> None:
    """By its name, with its amount."""
    await line.post("orders/create", order(7, "2500.00"))
    await orders(line, 1)
    answer = await sent(await someone(line, "manager"), **{
        **TYPED, "kind": "outlier", "about": "largest-orders", "limit": "2000", "act": "try", "for": "0 s"})
    assert "It would have fired 1 time in the last 14 days." in answer.text
    assert re.search(r"<li>#7, .*, at most €2,500.00</li>", answer.text)


async def test_what_a_rule_is_narrowed_to_is_all_that_its_past_is_of(line: Line, clock: ManualClock) -> None:
    """Three orders of the web, one of the till."""
    await orders(line, 1, 2, 3)
    await line.post("orders/create", order(4, source_name="pos"))
    await line.work()
    clock.advance(HOUR_MS)
    ana = await someone(line, "manager")
    typed = {**TYPED, "about": "orders-today", "limit": "0", "act": "try", "for": "0 s"}
    texts = [(await sent(ana, **{**typed, "only": only})).text for only in ("channel=pos", "channel=moon")]
    assert re.search(r"until now, at most 1</li>", texts[0])
    assert "It would not have fired in the last 14 days." in texts[1]


async def test_two_who_change_one_rule_see_what_the_other_did(line: Line) -> None:
    """The second is told, keeps what they typed, and may save it knowingly."""
    ana, ben = await someone(line, "manager", "ana"), await someone(line, "manager", "ben")
    await sent(ana, **TYPED)
    old = believed((await ben.get("/rules/many-orders")).text)
    await sent(ana, **{**TYPED, "id": "many-orders", "limit": "5"})
    met = await ben.send("/rules", **{**TYPED, "id": "many-orders", "limit": "9", "believed": old})
    assert (met.status, "You typed: 9" in met.text, "It is now: 5" in met.text) == (409, True, True)
    assert (await rules(line))["many-orders"].condition == Limit(5)
    again = await ben.send("/rules", **{**TYPED, "id": "many-orders", "limit": "9", "believed": believed(met.text)})
    assert (again.status, (await rules(line))["many-orders"].condition) == (303, Limit(9))


async def test_what_comes_with_opsmon_can_be_changed_and_be_as_it_was(line: Line) -> None:
    """Without a way to lose it."""
    ana = await someone(line, "manager")
    await sent(ana, **{**TYPED, "id": "past-sla", "about": "past-sla", "limit": "7"})
    changed = (await rules(line))["past-sla"].condition
    await sent(ana, id="past-sla", act="remove")
    assert (changed, (await rules(line))["past-sla"]) == (
        Limit(7), next(rule for rule in BUILT_IN if rule.id == "past-sla"))


async def test_a_rule_is_switched_off_with_a_reason(line: Line) -> None:
    """Everybody reads it in the list."""
    ana = await someone(line, "manager")
    without = await sent(ana, id="no-orders", act="off", reason=" ")
    await sent(ana, id="no-orders", act="off", reason="Closed until May")
    assert (without.status, (await rules(line))["no-orders"].off_reason) == (422, "Closed until May")
    assert "Closed until May" in (await ana.get("/rules")).text
    await sent(ana, id="no-orders", act="on")
    assert (await rules(line))["no-orders"].is_on


async def test_a_tile_leads_to_a_rule_about_it(line: Line) -> None:
    """For managers; others have no such link."""
    manager, viewer = await someone(line, "manager"), await someone(line, "viewer")
    assert 'href="/rules/new?about=orders-today"' in (await manager.get("/kpi/orders-today")).text
    assert "/rules/new" not in (await viewer.get("/kpi/orders-today")).text
    form = (await manager.get("/rules/new?about=orders-today")).text
    assert '<option value="orders-today" selected>' in form


async def test_rules_of_the_file_are_shown_and_not_changed(
        settings: Settings, clock: ManualClock, store: Redis) -> None:
    """They come before those of the same name that were made here."""
    own = Rule("many-orders", "From the file", "orders-today", Limit(4))
    async with open_line(replace(settings, rules=(own,)), clock, store, b"a-secret-of-the-shop") as line:
        ana = await someone(line, "manager")
        html = (await ana.get("/rules/many-orders")).text
        answer = await ana.send("/rules", **{**TYPED, "id": "many-orders", "believed": believed(html)})
    assert "This rule stands in opsmon.toml" in html
    assert answer.status == 409


@pytest.mark.parametrize(("text", "said"), [
    ('id = "Late"', "give it an id"),
    ('id = "late"\ntitle = "Late"\nabout = "moon"\ncondition = { kind = "limit", limit = 1 }',
     "there is no number called moon"),
    ('id = "late"\ntitle = "Late"\nabout = "past-sla"', "choose a kind"), ("id = 5", "expected a text")])
def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """As those of numbers are."""
    config = tmp_path / "opsmon.toml"
    config.write_text(f'[[rule]]\n{text}\n')
    found = check({}, config)[1]
    assert any(f"{config}:" in one and said in one for one in found), found


def test_a_rule_of_the_file_is_read(tmp_path: Path) -> None:
    """With what it watches and when."""
    config = tmp_path / "opsmon.toml"
    config.write_text('[[rule]]\nid = "late"\ntitle = "Late"\nabout = "past-sla"\nseverity = "high"\n'
                      'condition = { kind = "limit", limit = 3 }\n')
    settings, wrong = check({}, config)
    assert (wrong, settings.rules if settings else None) == ([], (Rule("late", "Late", "past-sla", Limit(3), "high"),))


