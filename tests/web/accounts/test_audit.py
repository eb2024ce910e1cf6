"""/audit: who did what on any page, found again, and taken along as a file."""

import csv
import re
from io import StringIO

import pytest

from opsmon.core.access import person
from opsmon.store.accounts.audit import Deed, note_deed
from tests.line import Line
from tests.store.dead import keep, letter
from tests.web.accounts.accounts import KEYS
from tests.web.accounts.people import deeds, someone

pytestmark = pytest.mark.anyio


async def filled(line: Line, count: int) -> None:
    """So many deeds, of two people in turn."""
    for number in range(count):
        name = "Eve" if number % 2 else "Ben"
        await note_deed(line.store, KEYS, Deed(person(name.lower(), name, "admin"), "thing.done", f"thing-{number}"))


def things(html: str) -> list[int]:
    return [int(one) for one in re.findall(r"<p>thing-(\d+)</p>", html)]


async def test_lines_come_newest_first_and_page_by_page(line: Line) -> None:
    """None twice, none left out, also while new ones come."""
    ana = await someone(line)
    await filled(line, 120)
    found, path = list[int](), "/audit"
    while path:
        html = (await ana.get(path)).text
        found += things(html)
        await note_deed(line.store, KEYS, Deed(person("x", "X", "admin"), "other.done", "late"))
        more = re.search(r'href="(/audit\?before=[\d-]+)"', html)
        path = more[1] if more else ""
    assert found == list(range(119, -1, -1))


@pytest.mark.parametrize(("asked", "found"), [
    ("who=eve", [3, 1]), ("who=BEN", [2, 0]), ("what=thing", [3, 2, 1, 0]), ("about=thing-2", [2]),
    ("who=eve&about=thing-2", []), ("what=person", [])])
async def test_lines_are_found_by_who_what_and_about(line: Line, asked: str, found: list[int]) -> None:
    """Parts are enough, and all that is asked has to fit."""
    ana = await someone(line)
    await filled(line, 4)
    assert things((await ana.get(f"/audit?{asked}")).text) == found


@pytest.mark.parametrize("before", ["x", "(", "-", "9" * 50, "1-1-1"])
async def test_a_page_that_is_none_is_the_first(line: Line, before: str) -> None:
    """Whatever the address says."""
    ana = await someone(line)
    await filled(line, 2)
    assert things((await ana.get(f"/audit?before={before}")).text) == [1, 0]


async def test_the_file_has_every_line_and_no_formula(line: Line) -> None:
    """A name that a spreadsheet would run is text."""
    ana = await someone(line)
    await filled(line, 3)
    await note_deed(line.store, KEYS, Deed(person("e", '=HYPERLINK("http://x")', "admin"), "thing.done", "@x", "+1",
                                           {"a": "-1"}, {"a": "=2"}))
    answer = await ana.get("/audit.csv?what=thing")
    lines = list(csv.DictReader(StringIO(answer.text)))
    assert [one["about"] for one in lines] == ["'@x", "thing-2", "thing-1", "thing-0"]
    assert (lines[0]["who"], lines[0]["name"], lines[0]["changes"]) == (
        "'=HYPERLINK(\"http://x\")", "'+1", "a: -1 → =2")


async def test_text_of_others_is_only_text(line: Line) -> None:
    """Whatever a thing was called."""
    ana = await someone(line)
    await note_deed(line.store, KEYS, Deed(person("e", "<script>1</script>", "admin"), "<b>", "<i>", "<u>"))
    html = (await ana.get("/audit")).text
    assert [one for one in ("<script>1", "<b>", "<i>", "<u>") if one in html] == []


# What writes a line


async def test_every_change_of_a_board_is_one_line(line: Line) -> None:
    """Made, changed, deleted, brought back; what changed nothing is none."""
    ana = await someone(line, "manager")
    await ana.send("/boards", act="new", title="Mine")
    await ana.send("/b/mine/edit", act="title", title="Ours", version="1")
    stale = await ana.send("/b/mine/edit", act="title", title="Theirs", version="1")
    await ana.send("/boards", act="delete", board="mine", version="2")
    await ana.send("/boards", act="undo", board="mine", version="3")
    lines = await deeds(line)
    assert ([one.what for one in reversed(lines)], stale.status) == (
        ["board.saved", "board.saved", "board.deleted", "board.saved"], 409)
    assert {(one.who, one.about) for one in lines} == {("Ana manager", "mine")}
    assert ("title", "Mine", "Ours") in lines[2].changes
    assert len(lines) == int(await line.store.hget(KEYS.board("mine"), "version") or 0)


async def test_what_is_done_with_dead_letters_is_one_line_and_names_who(line: Line) -> None:
    """In the journal of the letters too."""
    ana = await someone(line)
    first, second = await keep(line.store, letter(1, b"{"), letter(2, b"{"))
    await ana.send(f"/dead-letters/{first}", act="discard", because="a test")
    await ana.send(f"/dead-letters/{first}", act="discard", because="again")
    lines = await deeds(line)
    assert [(one.who, one.what, one.about) for one in lines] == [("Ana admin", "letters.discarded", first)]
    assert ("Ana admin" in (await ana.get("/dead-letters")).text, bool(second)) == (True, True)


async def test_an_entry_by_hand_and_its_taking_back_are_lines(line: Line) -> None:
    """Sent twice it is one."""
    ana = await someone(line, "operator")
    found = re.search(r'name="form" value="(.*?)"', (await ana.get("/enter?what=count")).text)
    fields = {"what": "count", "form": found[1] if found else "", "name": "parcels", "value": "3"}
    for _ in range(2):
        answer = await ana.send("/enter", **fields)
    assert ([(one.who, one.what, one.name) for one in await deeds(line)], answer.status) == (
        [("Ana operator", "entry.count", "+3 parcels")], 200)
