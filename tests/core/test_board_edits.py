"""Editing a board, deed by deed, and saying what somebody else has changed."""

from dataclasses import replace

import pytest

from opsmon.core.board_edits import CannotEdit, add, change, changes, move, place_of, remove, rename
from opsmon.core.board_records import dump, parse
from opsmon.core.boards import BOARDS, Board, Row
from opsmon.core.kpis import BUILT_IN
from opsmon.core.slots import Options, Slot

ORDERS, REVENUE, QUEUES = Slot("orders-today", "L"), Slot("revenue-today", "L"), Slot("queues", "wide")
MINE = Board("mine", "Mine", (Row("live", (ORDERS, REVENUE)), Row("near", (QUEUES,))), (ORDERS, QUEUES), False)


def kpis(board: Board) -> list[list[str]]:
    """What stands in each row."""
    return [[slot.kpi for slot in row.slots] for row in board.rows]


def on_wall(board: Board) -> list[str]:
    """What the wall shows, in order."""
    return [slot.kpi for slot in board.wall]


def said(old: Board, new: Board) -> list[str]:
    """The changes from one to the other."""
    return changes(old, new, lambda slot: slot.options.title or slot.kpi)


def test_a_new_tile_stands_at_the_end_of_its_usual_row_and_on_the_wall() -> None:
    """Where it would be looked for."""
    board = add(MINE, "visitors-now", BUILT_IN)
    assert (kpis(board), on_wall(board)) == (
        [["orders-today", "revenue-today", "visitors-now"], ["queues"]], ["orders-today", "queues", "visitors-now"])


def test_a_row_is_made_when_its_first_tile_comes() -> None:
    """In the order of the rows."""
    assert kpis(add(MINE, "completed-month", BUILT_IN)) == [
        ["orders-today", "revenue-today"], ["queues"], ["completed-month"]]


def test_the_same_number_again_gets_a_title_of_its_own() -> None:
    """To be narrowed to something else then."""
    board = add(add(MINE, "queues", BUILT_IN), "queues", BUILT_IN)
    assert [slot.options.title for slot in board.rows[1].slots] == ["", "Queue depths (2)", "Queue depths (3)"]


def test_a_full_wall_stays_as_it_is() -> None:
    """Nine tiles can be read from afar, no more."""
    board = MINE
    for kpi in BUILT_IN.kpis[:12]:
        board = add(board, kpi.id, BUILT_IN)
    assert (len(board.slots), len(board.wall)) == (15, 9)


def test_a_tile_is_removed_from_board_and_wall() -> None:
    """And its row, when it was the last."""
    board = remove(MINE, "queues")
    assert (kpis(board), on_wall(board)) == ([["orders-today", "revenue-today"]], ["orders-today"])


@pytest.mark.parametrize("key, step, row", [
    ("revenue-today", -1, ["revenue-today", "orders-today"]), ("orders-today", 1, ["revenue-today", "orders-today"]),
    ("orders-today", -1, ["orders-today", "revenue-today"]), ("revenue-today", 1, ["orders-today", "revenue-today"]),
])
def test_a_tile_moves_within_its_row(key: str, step: int, row: list[str]) -> None:
    """Where it cannot move on it stays."""
    assert kpis(move(MINE, key, step)) == [row, ["queues"]]


def test_a_tile_goes_to_another_row_and_place_of_the_wall() -> None:
    """The wall has an order and sizes of its own."""
    board = change(MINE, "revenue-today", REVENUE, "batch", 1, "wide")
    assert (kpis(board), board.wall) == (
        [["orders-today"], ["queues"], ["revenue-today"]], (replace(REVENUE, size="wide"), ORDERS, QUEUES))


def test_a_tile_is_taken_off_the_wall() -> None:
    """And stays on the board."""
    board = change(MINE, "queues", QUEUES, "near", 0, "wide")
    assert (kpis(board), on_wall(board)) == (kpis(MINE), ["orders-today"])


def test_a_changed_tile_keeps_its_place() -> None:
    """Also when its options make it another slot."""
    slot = replace(ORDERS, options=Options("Orders so far", warn="10"))
    board = change(MINE, "orders-today", slot, "live", 1, "L")
    assert (board.rows[0].slots, place_of(board, slot.key)) == ((slot, REVENUE), 1)


def test_two_tiles_that_are_alike_are_refused() -> None:
    """Each has its one place in the page."""
    twice = add(MINE, "queues", BUILT_IN)
    with pytest.raises(CannotEdit) as error:
        change(twice, twice.rows[1].slots[1].key, QUEUES, "near", 0, "wide")
    assert str(error.value) == "The board has just this tile already: give it another title or filter."


@pytest.mark.parametrize("deed", [lambda b: remove(b, "x"), lambda b: move(b, "x", 1), lambda b: add(b, "x", BUILT_IN),
                                  lambda b: rename(b, ""), lambda b: change(b, "x", QUEUES, "live", 0, "M")])
def test_what_cannot_be_done_is_said(deed) -> None:
    """A tile that is gone, a KPI that is none, a board without a name."""
    with pytest.raises(CannotEdit):
        deed(MINE)


def test_what_somebody_else_changed_is_said_in_words() -> None:
    """Title, tiles, sizes, rows, order, wall."""
    other = replace(ORDERS, size="M")
    new = Board("mine", "Ours", (Row("live", (REVENUE, other)), Row("batch", (Slot("stock"),))), (REVENUE,), False)
    assert said(MINE, new) == [
        "Title: Ours", "Removed: queues", "Added: stock", "Size of orders-today: M",
        "Order: revenue-today, orders-today", "Now on the wall: revenue-today", "No longer on the wall: orders-today"]


def test_nothing_changed_is_nothing_to_say() -> None:
    """Two saves of the same."""
    assert said(MINE, MINE) == []


def test_every_edit_of_a_built_in_board_can_be_stored() -> None:
    """What the editor makes, the file format takes."""
    for board in BOARDS:
        for kpi in BUILT_IN.kpis[: 40 - len(board.slots)]:
            board = add(board, kpi.id, BUILT_IN)
        assert parse(dump(board)) == (board, [])
