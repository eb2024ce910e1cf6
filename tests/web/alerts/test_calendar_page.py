"""Campaigns and holidays are marked from a plain form, stand beside numbers, and can stand in the site's file."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.alerting.special_days import SpecialDays
from opsmon.settings import Settings, check
from opsmon.store.accounts.audit import read_audit
from opsmon.store.alerts.odd_times import all_days
from opsmon.store.connection import Reader
from tests.line import Line, open_line
from tests.web.accounts.people import someone
from tests.web.alerts.site import KEYS, orders
from tests.web.alerts.test_alerts_page import words

pytestmark = pytest.mark.anyio

TYPED = {"act": "mark", "name": "Black Friday", "kind": "campaign", "first": "2026-11-19", "last": "2026-11-23"}
OWN = SpecialDays("feast", "Feast", "holiday", date(2026, 11, 20), date(2026, 11, 20))


async def test_days_are_marked_and_the_mark_is_removed(line: Line) -> None:
    """By whom is said, and both are in the audit."""
    ana = await someone(line, "manager")
    answer = await ana.send("/calendar", **TYPED)
    name = (await ana.person()).name
    assert (answer.status, answer.headers.get("location")) == (303, "/calendar?did=marked")
    assert await all_days(Reader(line.store), KEYS) == (
        SpecialDays("black-friday-2026-11-19", "Black Friday", "campaign", date(2026, 11, 19), date(2026, 11, 23),
                    name),)
    html = (await ana.get("/calendar")).text
    assert f"Black Friday {name} Campaign, Nov 19, 2026 to Nov 23, 2026" in words(html)
    (kept,) = re.findall(r'name="id" value="([^"]+)"', html)
    await ana.send("/calendar", act="remove", id=kept)
    assert "No days are marked." in (await ana.get("/calendar")).text
    assert [one.what for one in await read_audit(Reader(line.store), KEYS, 2)] == [
        "calendar.removed", "calendar.marked"]


async def test_a_mark_that_is_gone_already_is_no_trouble(line: Line) -> None:
    """Two removed it."""
    answer = await (await someone(line, "manager")).send("/calendar", act="remove", id="gone")
    assert (answer.status, answer.headers.get("location")) == (303, "/calendar?did=gone")


@pytest.mark.parametrize(("fields", "said"), [
    ({"name": ""}, "Give it a name"), ({"first": "tomorrow"}, "Write a day like 2026-11-27."),
    ({"last": "2026-11-18"}, "at most 92 days on"), ({"kind": "party"}, "It is a campaign or a holiday.")])
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(line: Line, fields: dict[str, str], said: str) -> None:
    """Beside its field."""
    answer = await (await someone(line, "manager")).send("/calendar", **{**TYPED, **fields})
    assert (answer.status, said in answer.text, await all_days(Reader(line.store), KEYS)) == (422, True, ())


async def test_the_same_days_are_marked_once(line: Line) -> None:
    """Whoever comes second hears of it."""
    ana = await someone(line, "manager")
    answers = [await ana.send("/calendar", **TYPED) for _ in range(2)]
    assert [one.status for one in answers] == [303, 409]
    assert "These days are marked already." in answers[1].text


async def test_nothing_else_can_be_done_here(line: Line) -> None:
    """No form of ours sends it."""
    assert (await (await someone(line, "manager")).send("/calendar", act="dance")).status == 400


async def test_the_history_of_a_number_says_what_was_special(line: Line) -> None:
    """In the spans that have such days, and in no other."""
    await orders(line, 1)
    ana = await someone(line, "manager")
    await ana.send("/calendar", **TYPED)
    texts = [words((await ana.get(f"/kpi/orders-today?span=day&at=2026-11-{day}")).text) for day in (19, 18)]
    assert ["Black Friday (Campaign, Nov 19, 2026 to Nov 23, 2026)" in text for text in texts] == [True, False]


async def test_days_of_the_file_are_shown_and_not_removed(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """They are changed there."""
    async with open_line(replace(settings, special_days=(OWN,)), clock, store, b"a-secret-of-the-shop") as line:
        ana = await someone(line, "manager")
        html, history = [(await ana.get(path)).text for path in ("/calendar", "/kpi/orders-today")]
    assert "Feast In opsmon.toml Holiday, Nov 20, 2026" in words(html)
    assert 'name="id"' not in html
    assert "Feast (Holiday, Nov 20, 2026)" in words(history)


def test_days_of_the_file_are_read(tmp_path: Path) -> None:
    """With days as TOML writes them, or as texts."""
    config = tmp_path / "opsmon.toml"
    config.write_text('[[calendar]]\nid = "feast"\nname = "Feast"\nkind = "holiday"\nfirst = 2026-11-20\n\n'
                      '[[calendar]]\nname = "Black Friday"\nkind = "campaign"\n'
                      'first = "2026-11-27"\nlast = 2026-11-30\n')
    settings, wrong = check({}, config)
    assert wrong == []
    assert settings is not None
    assert settings.special_days == (OWN, SpecialDays(
        "black-friday-2026-11-27", "Black Friday", "campaign", date(2026, 11, 27), date(2026, 11, 30)))


def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    """As those of rules are."""
    config = tmp_path / "opsmon.toml"
    config.write_text('[[calendar]]\nname = "Feast"\nkind = "party"\nfirst = 2026-11-20\n')
    assert check({}, config)[1] == [f'{config}:3: calendar "Feast": kind: It is a campaign or a holiday.']
