"""What became of alerts in 30 days, and rules that are bettered with one press."""

import re
from dataclasses import replace
from html import unescape

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.alerting.records import dump_rule
from opsmon.core.alerting.rules import Rule
from opsmon.core.calendar import DAY_MS, MINUTE_MS
from opsmon.settings import Settings
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader
from tests.core.alerting.past import lived
from tests.http import Answer
from tests.line import Line, open_line
from tests.web.accounts.people import Someone, deeds, said, someone
from tests.web.alerts.past_month import LATE, NOISY, log, mended, noisy
from tests.web.alerts.site import KEYS

pytestmark = pytest.mark.anyio


async def keep(store: Redis, *rules: Rule) -> None:
    """Have these rules beside those that come with opsmon."""
    for one in rules:
        await store.hset(KEYS.rules, one.id, orjson.dumps(dump_rule(one)))


async def a_month(line: Line) -> Someone:
    """Forty alerts that were nothing, and three that somebody saw to; and a manager who looks."""
    await keep(line.store, NOISY, LATE)
    await log(line.store, [*noisy(), *mended(3), *mended(6), *mended(6, row="UPS")])
    return await someone(line, "manager")


def card(answer: Answer, rule: str) -> str:
    """What is said of a rule, as it is read."""
    found = re.search(rf'<article class="rule" id="rule-{rule}".*?</article>', answer.text, re.DOTALL)
    assert found is not None
    return " ".join(unescape(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", found[0], flags=re.DOTALL)).split())


async def pressed(who: Someone, rule: str, act: str, **more: str) -> Answer:
    """The button of a rule, as the page has it; what is named otherwise instead."""
    html = (await who.get("/alerts/quality")).text
    form = next(one for one in re.findall(r"<form.*?</form>", html, re.DOTALL)
                if f'value="{rule}"' in one and f'value="{act}"' in one)
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', form)}
    return await who.send("/alerts/quality", **{**fields, "act": act, **more})


async def kept(line: Line) -> dict[str, Rule]:
    """The rules as they are."""
    return await all_rules(Reader(line.store), KEYS)


async def test_each_rule_has_its_figures(line: Line) -> None:
    """Two lanes that were late together are one incident, on a Saturday; after three minutes somebody saw to each."""
    found = card(await (await a_month(line)).get("/alerts/quality"), "late")
    assert [one in found for one in (
        "Fired 3 2 incidents", "Acknowledged 100% usually after 3 min", "Acted on 100% of 3 that ended",
        "Over after 40 min usually", "Over in 2 min 0% by itself", "Outside hours 67%", "Escalated 0",
        "Feedback 3 It led to action 3")] == [True] * 8, found


async def test_what_is_wrong_with_a_rule_is_said(line: Line) -> None:
    """The one that cries wolf stands first, and the others have nothing said of them."""
    page = await (await a_month(line)).get("/alerts/quality")
    found = card(page, "noisy")
    assert [one in found for one in (
        "It never led to action in 30 days.", "More than half ended by themselves within 2 minutes.",
        "It fires more than 3 times a day.", "Fired 40", "Over in 2 min 100%")] == [True] * 5, found
    assert re.findall(r'id="rule-(\w+)"', page.text) == ["noisy", "late"]
    assert "rule__flag" not in page.text.partition('id="rule-late"')[2]
    assert "43 alerts fired in the last 30 days. 1 rule wants a look." in page.text


async def test_each_button_says_what_it_would_have_changed(line: Line) -> None:
    """A minute's wait is enough for what lasts half of one."""
    found = card(await (await a_month(line)).get("/alerts/quality"), "noisy")
    assert [one in found for one in (
        "Fire only after 1 min It would have fired 0 instead of 40 times.",
        "Lower to High It would have fired as often: 40 times.",
        "Retire it It would have fired 0 instead of 40 times.")] == [True] * 3, found


async def test_one_press_makes_a_rule_wait_longer(line: Line) -> None:
    """It is said, and stands in the audit."""
    ana = await a_month(line)
    answer = await pressed(ana, "noisy", "later")
    done = await ana.get(answer.headers["location"])
    assert (answer.status, (await kept(line))["noisy"].for_ms, said(done)) == (
        303, MINUTE_MS, "The shop answers slowly: fires after 1 min from now on.")
    deed = (await deeds(line))[0]
    assert (deed.what, deed.about) == ("rule.later", "noisy")


async def test_one_press_lowers_it(line: Line) -> None:
    """From critical to high."""
    ana = await a_month(line)
    done = await ana.get((await pressed(ana, "noisy", "lower")).headers["location"])
    assert ((await kept(line))["noisy"].severity, said(done)) == ("high", "The shop answers slowly: High from now on.")


async def test_one_press_retires_it_with_a_reason(line: Line) -> None:
    """What is wrong with it is reason enough; whoever has a better one writes it there."""
    ana = await a_month(line)
    await pressed(ana, "noisy", "retire")
    assert (await kept(line))["noisy"].off_reason == "It never led to action in 30 days."
    found = card(await ana.get("/alerts/quality"), "noisy")
    assert ("Off : It never led to action in 30 days." in found, "Retire it" in found) == (True, False)


async def test_without_a_reason_nothing_is_retired(line: Line) -> None:
    """Whoever wonders later would not know why."""
    ana = await a_month(line)
    answer = await pressed(ana, "late", "retire", reason=" ")
    assert (answer.status, (await kept(line))["late"].is_on) == (422, True)


@pytest.mark.parametrize("fields", [
    {"act": "later", "value": "0"}, {"act": "later", "value": "61000"}, {"act": "lower", "value": "low"},
    {"act": "louder"}, {}])
async def test_what_no_button_asks_for_is_refused(line: Line, fields: dict[str, str]) -> None:
    """Nothing is written."""
    ana = await a_month(line)
    answer = await ana.send("/alerts/quality", rule="noisy", believed="", **fields)
    assert (answer.status, (await kept(line))["noisy"]) == (400, NOISY)


async def test_a_rule_that_somebody_changed_meanwhile_is_left(line: Line) -> None:
    """Who presses sees how it is now."""
    ana = await a_month(line)
    page = await ana.get("/alerts/quality")
    believed = re.findall(r'name="believed" value="(\w+)"', page.text.partition('id="rule-noisy"')[2])[0]
    changed = replace(NOISY, owner="Ben")
    await keep(line.store, changed)
    answer = await ana.send("/alerts/quality", rule="noisy", act="retire", reason="loud", believed=believed)
    assert (answer.status, "Somebody else changed this rule meanwhile." in said(answer), (await kept(line))["noisy"]
            ) == (409, True, changed)


async def test_what_comes_with_opsmon_can_be_bettered_too(line: Line) -> None:
    """It is kept as changed, and can be as it was again."""
    rule = (await kept(line))["past-sla"]
    await log(line.store, lived([(-at * DAY_MS, -at * DAY_MS + 2 * MINUTE_MS) for at in (9, 6, 3)], rule)[0])
    await pressed(await someone(line, "manager"), "past-sla", "later")
    after = (await kept(line))["past-sla"]
    assert (after.for_ms, after.is_built_in) == (5 * MINUTE_MS, True)


async def test_a_rule_of_the_file_is_changed_there(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Its figures are shown, and no button."""
    async with open_line(replace(settings, rules=(NOISY,)), clock, store, b"a-secret-of-the-shop") as line:
        ana = await a_month(line)
        found = card(await ana.get("/alerts/quality"), "noisy")
        answer = await ana.send("/alerts/quality", rule="noisy", act="retire", reason="loud", believed="")
    assert ("This rule stands in opsmon.toml" in found, "Retire it" in found, answer.status) == (True, False, 409)


async def test_the_budget_of_a_shift_is_shown_with_when_it_was_exceeded(line: Line) -> None:
    """Three in one afternoon: one too many, and by what."""
    await keep(line.store, NOISY)
    at_ms = -2 * DAY_MS
    await log(line.store, lived([(at_ms + at * 10 * MINUTE_MS, at_ms + (at * 10 + 1) * MINUTE_MS) for at in range(3)],
                                NOISY)[0])
    text = (await (await someone(line, "manager")).get("/alerts/quality")).text
    assert re.search(r"In 1 of 9[01] shifts people were interrupted too often\.", text)
    assert re.search(r"<dt>Nov 18, 2026, 14:00–22:00</dt><dd>3 times: The shop answers slowly 3</dd>", text), text


async def test_a_quiet_month_is_one_sentence(line: Line) -> None:
    """With the rules that did not fire, and no figures of nothing."""
    text = (await (await someone(line, "manager")).get("/alerts/quality")).text
    assert "No rule fired in the last 30 days." in text
    assert "In no shift people were interrupted too often." in text
    assert "Not fired in 30 days: A source is silent, A thousand orders more, " in text


@pytest.mark.parametrize("path", ["/alerts", "/rules"])
async def test_it_is_found_from_alerts_and_rules(line: Line, path: str) -> None:
    """By those who may change rules."""
    assert 'href="/alerts/quality"' in (await (await someone(line, "manager")).get(path)).text


async def test_who_may_not_change_rules_has_no_link_to_it(line: Line) -> None:
    """A link that leads nowhere helps nobody."""
    assert "/alerts/quality" not in (await (await someone(line, "viewer")).get("/alerts")).text
