"""Tiles without a number: what may be said of them, how they are written to a file, when a text is over."""

import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.board_edits import CannotEdit, add, change, remove
from opsmon.core.board_records import current, dump, known, parse, problems
from opsmon.core.boards import USUAL, Board, Placed, Row
from opsmon.core.calendar import DAY_MS, HOUR_MS, SiteCalendar
from opsmon.core.kpis import BUILT_IN
from opsmon.core.narrowing import narrowed_board
from opsmon.core.parts import (
    ACTIVITY,
    ALERTS,
    BY_NAME,
    CLOCK,
    LEVELS,
    MOST_LINES,
    MOST_TEXT,
    PARTS,
    SOURCES,
    TEXT,
    cleaned_lines,
    ends_ms,
    wrong_part,
)
from opsmon.core.slots import Options, Slot
from opsmon.core.walls import wall_of

CALENDAR = SiteCalendar(ZoneInfo("Europe/Berlin"))
NOW_MS = 1_763_730_202_000  # Fri 2025-11-21 14:03:22 in Berlin
OLD = {"board": "mine", "title": "Mine", "rows": [
    {"cadence": "live", "tiles": [{"kpi": "orders-today", "size": "L", "wall": 1},
                                  {"kpi": "revenue-today", "size": "M", "only": {"channel": "pos"}}]}]}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=MOST_TEXT).map(cleaned_lines).filter(
    lambda text: text.count("\n") < MOST_LINES)


def board(*slots: Slot, wall: tuple[Slot, ...] = ()) -> Board:
    """A board of one row."""
    return Board("mine", "Mine", (Row("live", slots),), wall, is_of_orders=False)


def text(said: str = "Stocktaking", until: str = "", **more: str) -> Slot:
    """A text on a board."""
    return Slot(TEXT, "wide", Options(text=said, until=until, **more))


def test_no_kpi_can_have_the_id_of_a_tile_without_a_number() -> None:
    """Ids of KPIs begin with a letter: a site's own KPI may be called clock."""
    assert [part_id for part_id in PARTS if part_id[0] != "_"] == []
    assert set(PARTS).isdisjoint(BUILT_IN.kpi_by_id)


def test_a_board_saved_before_there_were_such_tiles_is_read_as_it_was() -> None:
    """Numbers only, with what was said of them."""
    found, wrong = parse(OLD)
    assert (wrong, dump(found) if found else None) == ([], OLD)


@given(texts, st.sampled_from(LEVELS), st.sampled_from(["", "2025-11-21T16:00"]),
       st.sampled_from(["", "Asia/Kolkata"]), st.sampled_from(["S", "M", "L", "wide"]))
def test_a_file_gives_the_same_board_again(said: str, level: str, until: str, zone: str, size: str) -> None:
    """Whatever is written, in whatever script, through JSON and back."""
    slots = (Slot(TEXT, size, Options("Title", text=said, level=level, until=until)),
             Slot(CLOCK, size, Options(zone=zone)), Slot(SOURCES, "wide"), Slot(ACTIVITY))
    made = board(*slots, wall=slots)
    assert parse(json.loads(json.dumps(dump(made)))) == (made, [])


@given(st.text())
def test_a_text_is_cleaned_once(said: str) -> None:
    """Cleaned again it is the same; no control character is left but line breaks."""
    once = cleaned_lines(said)
    assert cleaned_lines(once) == once
    assert [sign for sign in once if sign != "\n" and (ord(sign) < 32 or ord(sign) == 127)] == []


@pytest.mark.parametrize(("told", "sentence"), [
    ({"tile": "watch"}, "row 1, tile 1: tile is one of text, clock, activity, sources, alerts"),
    ({"tile": "clock", "text": "x"}, "row 1, tile 1: text is not known here"),
    ({"tile": "clock", "zone": "Berlin/Nowhere"},
     "row 1, tile 1, zone: there is no time zone of this name; it is like America/New_York"),
    ({"tile": "clock", "zone": "../../etc/passwd"},
     "row 1, tile 1, zone: there is no time zone of this name; it is like America/New_York"),
    ({"tile": "text", "text": "x" * 281},
     "row 1, tile 1, text: it is 281 characters long, at most 280 can be read from afar"),
    ({"tile": "text", "text": "a\n" * 8 + "b"}, "row 1, tile 1, text: at most 8 lines can be read from afar"),
    ({"tile": "text", "text": 7}, "row 1, tile 1: text is a text, in quotes"),
    ({"tile": "text", "until": "tomorrow"},
     "row 1, tile 1, until: a date and a time are needed, like 2026-11-24T18:00"),
    ({"tile": "text", "until": "2026-02-30T18:00"},
     "row 1, tile 1, until: a date and a time are needed, like 2026-11-24T18:00"),
    ({"tile": "text", "level": "loud"}, "row 1, tile 1: level is one of plain, note, important"),
    ({"tile": "sources", "wall": 12}, "row 1, tile 1: wall is its place there, 1 to 9"),
    ({"kpi": "_clock"}, 'row 1, tile 1: _clock is no KPI; say "tile": "clock" instead'),
], ids=str)
def test_a_mistake_in_a_file_is_told_with_its_place(told: dict[str, object], sentence: str) -> None:
    """In words that say what to write instead."""
    assert parse({"board": "mine", "title": "Mine", "rows": [{"cadence": "live", "tiles": [told]}]}) == (
        None, [sentence])


@pytest.mark.parametrize("name", BY_NAME)
def test_each_is_added_as_a_number_is(name: str) -> None:
    """To its usual row and the wall; a second one has another key, and each can be taken away again."""
    part = BY_NAME[name]
    once = add(board(Slot("orders-today")), part.id, BUILT_IN)
    twice = add(once, part.id, BUILT_IN)
    keys = [slot.key for slot in twice.slots if slot.kpi == part.id]
    assert (len(set(keys)), [slot.size for slot in once.wall]) == (2, [part.size])
    assert remove(once, part.id) == board(Slot("orders-today"))


def test_two_texts_that_say_the_same_are_one_too_many() -> None:
    """As with numbers."""
    made = board(text("a"), text("b"))
    with pytest.raises(CannotEdit):
        change(made, text("b").key, text("a"), "live", 0, "M")


def test_a_text_is_over_when_its_time_has_come() -> None:
    """By the site's clock, on desk and wall; a row that is empty then goes too, and all else stays."""
    made = board(text(until="2025-11-21T14:04"), Slot("orders-today"), wall=(text(until="2025-11-21T14:04"),))
    end_ms = ends_ms(made.slots[0].options, CALENDAR)
    assert end_ms == NOW_MS + 38_000
    assert current(made, CALENDAR, NOW_MS) == made
    assert current(made, CALENDAR, end_ms) == board(Slot("orders-today"))
    assert current(board(text(until="2025-11-21T14:04")), CALENDAR, end_ms).rows == ()


@given(st.integers(0, 2 * 366 * DAY_MS))
def test_until_holds_through_both_changes_of_the_clock(after_ms: int) -> None:
    """It ends at the first instant at which the clock on the wall reads that time, or later."""
    then_ms = (NOW_MS + after_ms) // 60_000 * 60_000
    until = CALENDAR.wall(then_ms).strftime("%Y-%m-%dT%H:%M")
    end_ms = ends_ms(Options(text="x", until=until), CALENDAR)
    assert end_ms is not None
    assert end_ms in (then_ms, then_ms - HOUR_MS)


def test_a_site_knows_them_and_cannot_narrow_them() -> None:
    """They stay as they are on a page that is narrowed; nothing of them has to be left out."""
    made = board(text(), Slot(CLOCK), Slot(SOURCES), Slot(ACTIVITY))
    assert (problems(made, BUILT_IN), known(made, BUILT_IN)) == ([], made)
    assert narrowed_board(made, (("channel", "pos"),), BUILT_IN) == made


def test_a_text_has_room_on_a_wall() -> None:
    """Beside one other where letters are small, in a row of its own where they are large, and before other lists."""
    made = board(wall=(Slot("top-products", "wide"), text(), Slot("orders-today"), Slot(CLOCK)))
    columns = {fit: [(place.slot.kpi, place.columns) for page in wall_of([made], fit, lambda _: True).pages
                     for place in page.places] for fit in ("many", "some")}
    assert columns == {
        "many": [("orders-today", 12), (CLOCK, 12), (TEXT, 12), ("top-products", 12)],
        "some": [("orders-today", 12), (CLOCK, 12), (TEXT, 24), ("top-products", 24)]}


def test_slots_of_the_same_kind_are_shared_where_they_say_the_same() -> None:
    """One reading for all boards; a clock of another zone is another slot."""
    assert Placed(Slot(CLOCK), "live").id == "kpi-_clock"
    assert Placed(Slot(CLOCK, "L"), "live").id == "kpi-_clock"
    assert Placed(Slot(CLOCK, "M", Options(zone="Asia/Tokyo")), "live").id != "kpi-_clock"
    assert {part_id: USUAL[part_id] for part_id in PARTS} == {TEXT: "live", CLOCK: "live", ACTIVITY: "near",
                                                               SOURCES: "near", ALERTS: "live"}


def test_what_is_right_is_not_wrong() -> None:
    """All that may be said at once."""
    assert wrong_part(Options("T", text="a\nb", level="note", until="2026-01-01T00:00", zone="Asia/Kolkata")) == []
