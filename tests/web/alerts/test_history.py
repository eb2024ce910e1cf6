"""What was, on the page and as files, however long ago: each as its reader may see it."""

import csv
from dataclasses import replace
from io import StringIO

import orjson
import pytest

from opsmon.app.site import archive
from opsmon.clock import ManualClock
from opsmon.core.alerting.rules import Limit
from opsmon.settings import Settings
from opsmon.store.alerts.month_file import Entry
from tests.conftest import NOW_MS
from tests.line import Line
from tests.store.alert_lines import lines, put
from tests.web.accounts.people import Someone, someone
from tests.web.alerts.site import MANY, RICH, fired, keep, the_alert

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
# One a day, of 300 days; the newest 20 are in the store alone.
ALL = lines(300, step_ms=2 * DAY_MS)


async def archived(line: Line, settings: Settings, entries: list[Entry] = ALL, in_store: int = 20) -> None:
    """Have this history."""
    files = archive(settings)
    await files.keep(entries[:-in_store])
    await files.close()
    await put(line.store, entries[-in_store:])


async def records(who: Someone, query: str = "") -> list[dict[str, object]]:
    """The file as a program reads it."""
    answer = await who.get(f"/alerts.ndjson{query}")
    assert answer.status == 200
    return [orjson.loads(text) for text in answer.text.splitlines()]


async def test_the_page_shows_what_is_archived(line: Line, settings: Settings) -> None:
    """Up to a day that is asked for, the newest of it first."""
    await archived(line, settings)
    html = (await line.get("/alerts?until=2026-03-01")).text
    assert html.count('class="log__line"') == 30
    times = [part.partition("<")[0] for part in html.split('log__at">')[1:]]
    assert (times[0], times[-1]) == ("Mar 1, 2026, 14:03:22", "Feb 1, 2026, 14:03:22")


async def test_a_line_of_an_older_opsmon_is_a_line(line: Line, settings: Settings) -> None:
    """Of before lines told how bad it was, and by whom."""
    old = {"alert": "5f2a", "rule": "late", "title": "Orders are late", "state": "firing", "value": "34"}
    await archived(line, settings, [(f"1700000000123-{number}", old) for number in range(2)], 1)
    html = (await line.get("/alerts")).text
    assert html.count("Nov 14, 2023, 23:13:20") == 2


async def test_the_csv_tells_all_of_it_oldest_first(line: Line, settings: Settings) -> None:
    """From the files and from the store, each line once; cells of text are no formulas."""
    spoilt = [*ALL[:-1], (ALL[-1][0], {**ALL[-1][1], "note": "=HYPERLINK(1)"})]
    await archived(line, settings, spoilt)
    answer = await (await someone(line, "manager")).get("/alerts.csv")
    head, *told = csv.reader(StringIO(answer.text))
    assert head[:4] == ["time", "alert", "run", "rule"]
    assert [row[head.index("value")] for row in told] == [str(number) for number in range(300)]
    assert told[-1][head.index("note")] == "'=HYPERLINK(1)"
    assert answer.headers["content-disposition"] == 'attachment; filename="alerts.csv"'


async def test_a_file_is_of_what_was_asked_for(line: Line, settings: Settings) -> None:
    """By rule, state and days, of which the last one is within."""
    await archived(line, settings)
    ana = await someone(line, "manager")
    found = await records(ana, "?rule=rule-3&state=firing&since=2026-02-01&until=2026-08-31")
    assert {(one["rule"], one["state"]) for one in found} == {("rule-3", "firing")}
    assert [str(one["time"])[:10] for one in found] == sorted(str(one["time"])[:10] for one in found)
    assert all("2026-02-01" <= str(one["time"])[:10] <= "2026-08-31" for one in found)
    assert len(await records(ana, "?since=2026-11-18&until=2026-11-18")) == 2


async def test_what_is_no_day_is_any(line: Line, settings: Settings) -> None:
    """An address that somebody changed by hand."""
    await archived(line, settings)
    ana = await someone(line, "manager")
    assert [len(await records(ana, f"?since={text}&until={text}")) for text in ("", "soon", "0001-01-01")] == [300] * 3
    assert (await ana.get("/alerts?until=9999-12-31&before=x")).status == 200


async def test_amounts_are_for_those_who_may_see_them(line: Line) -> None:
    """Of a rule about revenue, and of one that is gone: nobody knows any more what it watched."""
    await keep(line.store, RICH)
    told = {"alert": "5f2a", "title": "Much sold", "state": "firing", "before": "ok", "reason": "beyond",
            "value": "123456", "limit": "1000", "at": str(NOW_MS)}
    await put(line.store, [(f"{NOW_MS}-1", {**told, "rule": "rich"}), (f"{NOW_MS}-2", {**told, "rule": "gone"})])
    manager, operator = await someone(line, "manager"), await someone(line, "operator")
    assert [[one["value"] for one in await records(who)] for who in (manager, operator)] == [[123456.0] * 2, [None] * 2]
    pages = [(await who.get("/alerts")).text for who in (manager, operator)]
    assert [html.count("123,456, over 1,000") for html in pages] == [1, 0]
    assert [html.count("1,000 reached") for html in pages] == [1, 0]


async def test_amounts_stay_what_they_were_when_a_rule_is_moved(line: Line) -> None:
    """Off revenue, onto it, off a number that is no more: each line says what it is of. Old lines do not: they are of
    what the rule is about now."""
    await keep(line.store, replace(MANY, id="moved"), RICH)
    told = {"alert": "5f2a", "title": "Much", "state": "firing", "before": "ok", "reason": "beyond", "value": "123456",
            "limit": "1000", "labels": '{"row":"Ana"}'}
    of = [("moved", "revenue-today"), ("moved", "orders-today"), ("rich", "orders-today"), ("rich", "revenue-today"),
          ("moved", "my-number"), ("gone", "orders-today"), ("gone", "revenue-today"), ("gone", "own:behind"),
          ("moved", ""), ("rich", ""), ("gone", "")]
    await put(line.store, [(f"{NOW_MS}-{at}", {**told, "rule": rule, "about": about})
                           for at, (rule, about) in enumerate(of, 1)])
    manager, operator = await someone(line, "manager"), await someone(line, "operator")
    assert {one["value"] for one in await records(manager)} == {123456.0}
    shown = [one["value"] is not None for one in await records(operator)]
    assert shown == [False, True, True, False, False, True, False, True, True, False, False]
    pages = [(await who.get("/alerts")).text for who in (manager, operator)]
    texts = [html.count("123,456, over 1,000") + html.count("1,000 reached") + html.count("2 min, over 1 sec")
             for html in pages]
    assert texts == [11, sum(shown)]


async def test_a_move_says_what_its_rule_was_about(line: Line, settings: Settings, clock: ManualClock) -> None:
    """As the evaluator writes it: who moves the rule later moves no amounts with it."""
    await fired(line, settings, clock, RICH)
    await keep(line.store, replace(RICH, about="orders-today"))
    told = [one["value"] for one in await records(await someone(line, "operator"), "?rule=rich")]
    assert told == [None] * len(told) != []


async def test_an_open_alert_takes_no_amounts_along_when_its_rule_is_moved(
        line: Line, settings: Settings, clock: ManualClock) -> None:
    """What somebody does before the next look is of revenue still; after it the alert is of orders alone."""
    looking = await fired(line, settings, clock, RICH)
    await keep(line.store, replace(RICH, about="orders-today", condition=Limit(2)))
    manager, operator = await someone(line, "manager"), await someone(line, "operator")
    address = f"/alerts/{(await the_alert(line, 'rich')).fingerprint}"
    await operator.send(address, act="acknowledge")
    clock.advance(10_000)
    await looking.round()
    await operator.send(address, act="note", note="why?")
    peaks = [[(one["reason"], one["value"], one["peak"]) for one in await records(who)] for who in (manager, operator)]
    assert peaks == [[("beyond", 14_970, 14_970), ("acknowledged", 14_970, 14_970), ("noted", 3, 3)],
                     [("beyond", None, None), ("acknowledged", None, None), ("noted", 3, 3)]]
    assert "at first" not in (await operator.get(address)).text


async def test_a_month_that_cannot_be_read_is_named_on_the_page(line: Line, settings: Settings) -> None:
    """The rest is shown."""
    await archived(line, settings)
    (archive(settings).folder / "2026-03.sqlite").write_bytes(b"not a database" * 400)
    html = (await line.get("/alerts?until=2026-04-02")).text
    assert "What is archived of 2026-03 cannot be read" in html
    assert html.count('class="log__line"') == 30


async def test_what_never_fired_is_marked_as_nothing_bad(line: Line) -> None:
    """A rule that learns, waits or has no number is no alert. Files tell its severity as ever."""
    moves = [("ok", "learning", "learning"), ("learning", "ok", "learned"), ("ok", "no-data", "no-number"),
             ("no-data", "ok", "number-again"), ("ok", "pending", "beyond"), ("pending", "ok", "over-before-it-lasted"),
             ("pending", "firing", "held"), ("firing", "recovering", "back-within"),
             ("recovering", "resolved", "stayed-within")]
    await put(line.store, [(f"{NOW_MS}-{at}", {
        "alert": "5f2a", "rule": "late", "title": "Orders are late", "severity": "high", "before": before,
        "state": state, "reason": reason}) for at, (before, state, reason) in enumerate(moves, 1)])
    ana = await someone(line, "manager")
    _, *told = (await ana.get("/alerts")).text.split('class="log__line" data-state="')
    assert [(one.partition('"')[0], 'data-level="high"' in one) for one in reversed(told)] == [
        ("learning", False), ("ok", False), ("no-data", False), ("ok", False), ("pending", False), ("ok", False),
        ("firing", True), ("recovering", True), ("resolved", True)]
    assert {one["severity"] for one in await records(ana)} == {"high"}
