"""The boards that come with opsmon, as data: every number is known, has one cadence, and a wall is not crowded."""

from dataclasses import replace

import pytest

from opsmon.core.boards import BOARDS, HOME, MOST_ON_A_WALL, Board, Slot, boards_of, cadences, linked
from opsmon.core.catalogue import Catalogue, Now, Today
from opsmon.core.filling import FAMILIES, filled_by, witnesses
from opsmon.core.kpis import BOARD, BUILT_IN
from opsmon.core.parts import PARTS, kpi_of

EACH = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
OWN_ROLLUP = replace(BUILT_IN.rollup("queues"), id="doors", on=("door.opened",), by=())
OWN = replace(BUILT_IN.kpi_by_id["queues"], id="doors-open", rollup="doors", label="Doors", window=Now())


def with_own(count: int = 1) -> Catalogue:
    """The catalogue of a site with KPIs of its own."""
    own = tuple(replace(OWN, id=f"doors-{number}") for number in range(count))
    return replace(BUILT_IN, rollups=(*BUILT_IN.rollups, OWN_ROLLUP), kpis=(*BUILT_IN.kpis, *own))


@EACH
def test_every_number_of_a_board_is_in_the_catalogue(board: Board) -> None:
    """A misspelt one would be an empty place on a wall."""
    assert [slot.kpi for slot in (*board.slots, *board.wall) if kpi_of(slot.kpi, BUILT_IN) is None] == []


@EACH
def test_a_number_stands_on_a_board_once(board: Board) -> None:
    """Its place is found by its id, which is there once in a page."""
    for slots in (board.slots, board.wall):
        ids = [slot.kpi for slot in slots]
        assert sorted(set(ids)) == sorted(ids)


@EACH
def test_a_wall_shows_a_part_of_its_board_and_at_most_nine_tiles(board: Board) -> None:
    """Nobody reads more from afar; the rest belongs to the desk."""
    assert {slot.kpi for slot in board.wall} <= {slot.kpi for slot in board.slots}
    assert len(board.wall) <= MOST_ON_A_WALL


@EACH
def test_rows_go_from_what_moves_often_to_what_moves_seldom(board: Board) -> None:
    """Live above near above batch, each at most once."""
    order = ("live", "near", "batch")
    cadence = [row.cadence for row in board.rows]
    assert cadence == [name for name in order if name in cadence]


def test_a_number_changes_equally_often_on_every_board() -> None:
    """It is read and drawn once for all of them."""
    told = {(slot.kpi, row.cadence) for board in BOARDS for row in board.rows for slot in row.slots}
    assert dict(told) == cadences(boards_of(BUILT_IN))
    assert len(told) == len(dict(told))


def test_the_wall_of_the_first_hour_shows_the_five_numbers_of_orders() -> None:
    """What a shop with orders only sees first."""
    (today,) = [board for board in BOARDS if board.id == HOME]
    assert {slot.kpi for slot in today.wall} == {kpi.id for kpi in BOARD}


def test_the_overview_has_something_of_every_area() -> None:
    """One look in the hand: sales, operations, technology; and all of the first hour's numbers."""
    overview = boards_of(BUILT_IN)["overview"]
    shown = [BUILT_IN.kpi_by_id[slot.kpi] for slot in overview.slots if slot.kpi not in PARTS]
    assert {kpi.area for kpi in shown} == {"sales", "operations", "technology"}
    assert {kpi.id for kpi in BOARD} <= {kpi.id for kpi in shown}


def test_without_own_numbers_there_are_four_boards_to_choose_from() -> None:
    """A phone's bar has room for five."""
    assert [board.id for board in linked(boards_of(BUILT_IN))] == ["overview", "sales", "operations", "technology"]


def test_of_more_than_five_boards_four_are_linked_and_the_one_that_is_shown() -> None:
    """The fifth place is for the way to all of them."""
    boards = boards_of(BUILT_IN)
    boards |= {f"hall-{number}": replace(boards["sales"], id=f"hall-{number}") for number in range(3)}
    assert [board.id for board in linked(boards, "hall-2")] == ["overview", "sales", "operations", "hall-2"]


def test_own_numbers_get_a_board_of_their_own() -> None:
    """What opsmon.toml declares is on a screen without another word."""
    boards = boards_of(with_own())
    assert (boards["own"].slots, boards["own"].is_of_orders) == ((Slot("doors-0"),), False)
    assert [board.id for board in linked(boards)][-1] == "own"


def test_many_own_numbers_do_not_crowd_the_wall() -> None:
    """Twenty on the desk, nine at most on the wall."""
    own = boards_of(with_own(20))["own"]
    assert (len(own.slots), len(own.wall) <= MOST_ON_A_WALL) == (20, True)


def test_every_built_in_number_has_a_sentence_that_says_what_would_fill_it() -> None:
    """But for what opsmon knows of itself, which is never missing."""
    facts = {fact for rollup in BUILT_IN.rollups for fact in rollup.on}
    assert facts - {fact for family in FAMILIES for fact in family.facts} == set()
    assert {rollup.id for rollup in BUILT_IN.rollups if not filled_by(rollup)} == {"opsmon"}


def test_an_own_number_says_which_event_would_fill_it() -> None:
    """By the name it is posted under."""
    assert filled_by(OWN_ROLLUP) == "Filled by your own programs. Send door.opened to /ingest/events."


def test_what_shows_that_pages_are_connected_is_any_count_of_their_facts() -> None:
    """A shop with visits and no checkout yet has connected its pages."""
    found = {rollup.id for rollup in witnesses(BUILT_IN.rollup("visitors"), BUILT_IN)}
    assert found == {"visits", "visitors"}


def test_a_window_of_today_is_no_reason_for_a_board_of_its_own() -> None:
    """A changed built-in KPI is not an own one."""
    changed = replace(BUILT_IN, kpis=tuple(replace(kpi, window=Today()) for kpi in BUILT_IN.kpis))
    assert "own" not in boards_of(changed)
