"""How large the letters of a wall are, and how its tiles are spread over its pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.boards import BOARDS, HOME, Board, Row, Size, Slot
from opsmon.core.walls import (
    LARGEST_VH,
    MOST_PAGES,
    SMALLEST_VH,
    Fit,
    Wall,
    letters_for,
    letters_vh,
    metres_read,
    wall_of,
)

BOARD = {board.id: board for board in BOARDS}
SIZES: list[Size] = ["S", "M", "L", "wide"]
FITS: list[Fit] = ["many", "some", "few"]
# Rows and tiles of one page, at most, and tiles a row.
ROOM = {"many": (3, 4), "some": (2, 2), "few": (2, 1)}


def board_of(name: str, slots: list[Slot]) -> Board:
    """A board whose wall shows all of it."""
    return Board(name, "", (Row("live", tuple(slots)),), tuple(slots))


def everything(kpi_id: str) -> bool:
    """Nothing is left out."""
    return True


def shown(wall: Wall) -> list[list[str]]:
    """The KPIs of each page."""
    return [[place.slot.kpi for place in page.places] for page in wall.pages]


@pytest.mark.parametrize(("inches", "metres", "least", "most"), [
    (43, 3, 3.5, 3.7), (43, 5, 5.9, 6.1), (55, 3, 2.8, 2.9), (55, 5, 4.7, 4.8), (65, 3, 2.3, 2.5), (65, 5, 3.9, 4.1)])
def test_letters_are_as_large_as_eyes_need(inches: float, metres: float, least: float, most: float) -> None:
    """16 minutes of arc for a capital letter, as the table of UX W1 has it, in % of the screen's height."""
    assert least <= letters_vh(inches, metres) <= most


@given(st.floats(10, 200), st.floats(0.5, 50))
def test_how_far_letters_are_read_is_the_same_rule_the_other_way_round(inches: float, metres: float) -> None:
    """So a wall that cannot have what was asked says truly what it has."""
    assert metres_read(inches, letters_vh(inches, metres)) == pytest.approx(metres)


@given(st.floats(10, 200), st.floats(0.5, 50))
def test_letters_are_never_below_those_of_a_wall_unasked(inches: float, metres: float) -> None:
    """And in known steps: each has its line in tokens-letters.css."""
    letters = letters_for(inches, metres)
    assert letters.tenths in range(28, 75, 2)
    assert letters.are_too_small is (letters.asked_vh > LARGEST_VH)
    assert letters.tenths / 10 >= min(letters.asked_vh, LARGEST_VH) - 1e-6


def test_a_wall_nobody_described_has_the_usual_letters() -> None:
    """2.8 % of the height: what 55 inches need at 3 metres."""
    letters = letters_for(None, 5)
    assert (letters.tenths, letters.fit, letters.are_too_small) == (round(SMALLEST_VH * 10), "many", False)


def test_a_board_is_one_page_unasked() -> None:
    """Its tiles in their order, rows filled to the edge."""
    wall = wall_of([BOARD["sales"]], "many", everything)
    assert shown(wall) == [[slot.kpi for slot in BOARD["sales"].wall]]
    assert [place.columns for place in wall.pages[0].places] == [12, 12, 6, 6, 6, 6, 12, 12]


def test_the_first_wall_keeps_its_own_drawing() -> None:
    """Its places are not reckoned."""
    assert wall_of([BOARD[HOME]], "many", everything).pages[0].is_as_made


def test_large_letters_spread_a_board_over_pages() -> None:
    """Two by two, then one above the other; what has no room on three pages is counted."""
    some, few = (wall_of([BOARD["sales"]], fit, everything) for fit in ("some", "few"))  # type: ignore[arg-type]
    assert ([len(page) for page in shown(some)], some.left_out) == ([4, 4], 0)
    assert ([len(page) for page in shown(few)], few.left_out) == ([2, 2, 2], 2)


def test_three_boards_take_turns() -> None:
    """A page each."""
    wall = wall_of([BOARD["sales"], BOARD["operations"], BOARD["technology"]], "many", everything)
    assert [page.board.id for page in wall.pages] == ["sales", "operations", "technology"]


def test_a_number_that_two_boards_show_stands_on_the_first() -> None:
    """A page has each id once."""
    first, second = shown(wall_of([BOARD["overview"], BOARD["sales"]], "many", everything))
    assert set(first) & set(second) == set()
    assert second == ["conversion-30m"]


def test_a_row_that_lost_a_tile_is_filled_by_the_others() -> None:
    """Money left out leaves no holes."""
    wall = wall_of([BOARD["sales"]], "many", lambda kpi_id: kpi_id not in ("revenue-today", "aov-1h"))
    assert [place.columns for place in wall.pages[0].places] == [24, 8, 8, 8, 12, 12]


@given(st.lists(st.lists(st.sampled_from(SIZES), max_size=20), min_size=1, max_size=4), st.sampled_from(FITS))
def test_every_wall_has_room_for_what_it_shows(boards: list[list[Size]], fit: Fit) -> None:
    """Whatever somebody puts on a board: at most three pages, rows of exactly 24 columns, no tile lost or twice."""
    made = [board_of(f"b{number}", [Slot(f"k{number}-{place}", size) for place, size in enumerate(sizes)])
            for number, sizes in enumerate(boards)]
    wall = wall_of(made, fit, everything)
    rows, each = ROOM[fit]
    ids = [kpi for page in shown(wall) for kpi in page]
    assert len(wall.pages) <= MOST_PAGES
    assert len(ids) == len(set(ids)) == sum(map(len, boards[:MOST_PAGES])) - wall.left_out
    for page in wall.pages:
        columns = [place.columns for place in page.places]
        assert sum(columns) % 24 == 0
        assert (sum(columns) // 24 <= rows, min(columns) * each >= 24) == (True, True)
