"""What managers and the floor do about an alert right in the live list, without scripts."""

import re

import pytest

from opsmon.clock import ManualClock
from opsmon.core.access import Role
from opsmon.settings import Settings
from tests.line import Line
from tests.web.accounts.people import someone
from tests.web.alerts.site import MANY, RICH, fired, the_alert
from tests.web.alerts.test_alerts_page import frame_with, part

pytestmark = pytest.mark.anyio
MANAGERS = "open-money-names"


@pytest.mark.parametrize(("fields", "state"), [
    ({"act": "acknowledge"}, "firing"), ({"act": "assign", "to": "Ana ben"}, "firing"),
    ({"act": "snooze", "minutes": "30"}, "firing"),
    ({"act": "close", "code": "false", "note": "A sale"}, "resolved")])
async def test_each_act_leads_back_to_the_list(line: Line, settings: Settings, clock: ManualClock,
                                               fields: dict[str, str], state: str) -> None:
    """The page says that it is done."""
    await fired(line, settings, clock)
    ana, _ = await someone(line, "manager", "ana"), await someone(line, "operator", "ben")
    answer = await ana.send(f"/alerts/{(await the_alert(line)).fingerprint}?back=list", **fields)
    assert (answer.status, answer.headers["location"]) == (303, f"/alerts?did={fields['act']}")
    assert (await the_alert(line)).state == state
    assert 'data-tone="ok"' in (await ana.get(answer.headers["location"])).text


@pytest.mark.parametrize(("role", "acts"), [
    ("viewer", []), ("operator", ["acknowledge"]), ("manager", ["acknowledge", "close", "assign", "snooze"])])
async def test_the_list_offers_what_one_may(line: Line, settings: Settings, clock: ManualClock, role: Role,
                                            acts: list[str]) -> None:
    """Nobody is offered what they would be turned away from."""
    await fired(line, settings, clock)
    html = (await (await someone(line, role)).get("/alerts")).text
    found = re.search(r'<section id="open-[a-z-]+".*?</section>', html, re.DOTALL)
    assert found is not None
    assert re.findall(r'name="act" value="([a-z-]+)"', found[0]) == acts


async def test_every_field_of_an_alert_belongs_to_a_form_of_the_page(line: Line, settings: Settings, clock: ManualClock
                                                                     ) -> None:
    """Of two alerts what is typed to one is not sent with the other, and each form is sealed."""
    await fired(line, settings, clock, MANY, RICH)
    html = (await (await someone(line, "manager")).get("/alerts")).text
    sealed = re.findall(r'<form id="([a-z0-9-]+)" method="post"><input [^>]*name="csrf"', html)
    rows = re.findall(r'<article class="open".*?</article>', html, re.DOTALL)
    owners = [set(re.findall(r'<(?:input|select) [^>]*form="([a-z0-9-]+)"', row)) for row in rows]
    assert owners == [{"end-0"}, {"end-1"}]
    assert {"act", "end-0", "end-1"} <= set(sealed)


async def test_what_is_pushed_holds_no_token(line: Line, settings: Settings, clock: ManualClock) -> None:
    """The same bytes go to every manager."""
    ana = await someone(line, "manager", "ana")
    await ana.get("/alerts")
    stream = await line.open(since=line.since, view="alerts", cookie=ana.cookie)
    await fired(line, settings, clock)
    data = await frame_with(stream, "Many orders")
    assert ("csrf" in data, 'value="close"' in part(data, MANAGERS)) == (False, True)


async def test_whoever_was_shut_out_is_given_nothing(line: Line, settings: Settings, clock: ManualClock) -> None:
    """The list of people is of those who may sign in."""
    await fired(line, settings, clock)
    boss, _ = await someone(line, "admin", "boss"), await someone(line, "operator", "ben")
    await boss.send("/people/ben", act="off", version="1")
    html = (await boss.get("/alerts")).text
    assert re.findall(r"<option>(.*?)</option>", html) == ["Ana boss"]
