"""Silences end, have an author and a reason, and stand on every wall."""

import re

import pytest

from opsmon.clock import ManualClock
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.settings import Settings
from opsmon.store.accounts.audit import read_audit
from opsmon.store.alerts.rule_queries import silences
from opsmon.store.connection import Reader
from tests.line import Line
from tests.web.accounts.people import someone
from tests.web.alerts.site import KEYS, fired
from tests.web.alerts.test_alerts_page import frame_with, slot_of, words

pytestmark = pytest.mark.anyio


async def kept(line: Line) -> list[tuple[str, int, str, str]]:
    """(what, how long, by whom, why) of each silence."""
    return [(one.rule, one.until_ms - one.began_ms, one.author, one.reason)
            for one, _ in (await silences(Reader(line.store), KEYS)).values()]


async def test_one_press_mutes_everything_for_half_an_hour(
        line: Line, settings: Settings, clock: ManualClock) -> None:
    """And every wall says so at once, with when it ends and who did it."""
    await fired(line, settings, clock)
    ana = await someone(line, "manager")
    stream = await line.open(since=line.since, view="wall", cookie=ana.cookie)
    await ana.send("/silences", act="mute")
    data = await frame_with(stream, "Everything: muted until 14:33")
    name = (await ana.person()).name
    assert await kept(line) == [("", 30 * MINUTE_MS, name, "Muted for 30 minutes")]
    assert f"Muted for 30 minutes ({name})" in data
    assert "data-loud" not in data


async def test_a_rule_is_silenced_and_speaks_again(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Ended early; both are in the audit."""
    await fired(line, settings, clock)
    ana = await someone(line, "manager")
    await ana.send("/silences", act="silence", what="many", length="60", reason="Stocktaking")
    html = (await ana.get("/silences")).text
    assert "until 15:03, 60 min more" in words(html) or "until 15:03, 1 hr more" in words(html)
    await slot_of(ana.get, "/wall", "band", lambda said: "muted until 15:03" in said)
    (name,) = re.findall(r'name="id" value="([^"]+)"', html)
    await ana.send("/silences", act="end", id=name)
    assert await kept(line) == []
    assert [one.what for one in await read_audit(Reader(line.store), KEYS, 2)] == ["silence.ended", "silence.begun"]


@pytest.mark.parametrize("fields", [{"reason": " "}, {"length": "9999"}, {"what": "nothing"}, {"reason": "x" * 201}])
async def test_without_an_end_or_a_reason_nothing_is_silent(line: Line, fields: dict[str, str]) -> None:
    """A day at the most."""
    ana = await someone(line, "manager")
    answer = await ana.send("/silences", **{"act": "silence", "what": "past-sla", "length": "60", "reason": "Why",
                                            **fields})
    assert (answer.status, await kept(line)) == (422, [])


async def test_it_ends_by_itself(line: Line, settings: Settings, clock: ManualClock) -> None:
    """On the list and on walls."""
    await fired(line, settings, clock)
    ana = await someone(line, "manager")
    await ana.send("/silences", act="silence", what="", length="240", reason="Stocktaking")
    clock.advance(4 * HOUR_MS)
    assert "Nothing is silent." in (await ana.get("/silences")).text


async def test_an_alert_of_several_is_silenced_alone(line: Line) -> None:
    """From its own page; it is chosen already."""
    ana = await someone(line, "manager")
    assert '<option value="past-sla" selected>' in (await ana.get("/silences?rule=past-sla")).text


