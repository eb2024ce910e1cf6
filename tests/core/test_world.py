"""The world as cells: every country has one, and a part of the world is found that holds nearly all orders."""

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.world import CELLS, GRID, LEAST, SHARE, WORLD, Box, box_of, steps_of

# Where nobody lives who could order: Antarctica, and islands with weather stations at most; and what is no country.
LEFT_OUT = {"AQ", "BV", "CC", "CX", "GS", "HM", "IO", "NF", "PN", "SJ", "TF", "UM"}


def test_every_country_has_a_cell() -> None:
    """Singapore, Malta, Hong Kong, Bahrain, Andorra and Mauritius too."""
    known = {code for code in Locale("en").territories if len(code) == 2 and code.isalpha()}
    no_country = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "ZZ", "XA", "XB"}
    assert known - set(CELLS) - LEFT_OUT == no_country & known
    assert set(CELLS) <= known


def test_a_country_has_one_cell_and_lines_are_of_one_length() -> None:
    """The grid is written by hand: a slip would draw a country twice, or all of them beside their places."""
    lines = GRID.strip("\n").split("\n")
    codes = [code for line in lines for code in line.split() if code != ".."]
    assert len(codes) == len(set(codes)) == len(CELLS)
    assert {len(line) for line in lines} == {3 * WORLD.width - 1}


@pytest.mark.parametrize(("west", "east"), [("PT", "ES"), ("FR", "DE"), ("US", "GB"), ("DE", "PL"), ("IN", "CN"),
                                            ("CN", "JP"), ("MX", "CU"), ("ZA", "AU"), ("IE", "GB"), ("BR", "AO")])
def test_who_lives_farther_east_stands_farther_right(west: str, east: str) -> None:
    """Nobody should have to search for a neighbour."""
    assert CELLS[west].x < CELLS[east].x


@pytest.mark.parametrize(("north", "south"), [("SE", "DE"), ("DE", "IT"), ("IT", "TN"), ("CA", "US"), ("US", "MX"),
                                              ("CO", "BR"), ("BR", "AR"), ("EG", "KE"), ("KE", "ZA"), ("JP", "AU")])
def test_who_lives_farther_north_stands_farther_up(north: str, south: str) -> None:
    """The same downwards."""
    assert CELLS[north].y < CELLS[south].y


def test_a_shop_of_one_country_sees_its_neighbours_and_not_the_world() -> None:
    """99 orders at home and one in Japan: the map is of home."""
    box = box_of({"DE": 99, "JP": 1})
    assert (box.width, box.height) == (LEAST, 6)
    assert (box.holds(CELLS["DE"]), box.holds(CELLS["FR"]), box.holds(CELLS["JP"])) == (True, True, False)


def test_orders_all_over_the_world_show_the_world() -> None:
    """None of three thirds may be cut off."""
    box = box_of({"US": 1, "JP": 1, "AU": 1})
    assert all(box.holds(CELLS[code]) for code in ("US", "JP", "AU"))


@pytest.mark.parametrize("amounts", [{}, {"": 4, "ZZ": 2}, {"DE": 0}], ids=["none", "unknown", "nought"])
def test_nothing_to_place_shows_the_world(amounts: dict[str, float]) -> None:
    """There is no part that would hold it."""
    assert box_of(amounts) == WORLD


@given(st.dictionaries(st.sampled_from(sorted(CELLS)), st.integers(1, 10**9), min_size=1, max_size=30))
def test_a_box_holds_nearly_all_and_stays_in_the_world(amounts: dict[str, int]) -> None:
    """95 % of the orders lie in it, whatever they are."""
    box = box_of(amounts)
    inside = sum(amount for code, amount in amounts.items() if box.holds(CELLS[code]))
    assert inside >= SHARE * sum(amounts.values())
    assert (box.x >= 0, box.x + box.width <= WORLD.width, box.y >= 0) == (True, True, True)
    assert box == WORLD or box.width * 2 == box.height * 3


def test_a_box_that_holds_a_cell_holds_it_whole() -> None:
    """Half a country is none."""
    assert not Box(0, 0, 5, 5)._replace(x=0.5).holds(CELLS["CA"]._replace(x=0, y=2))


def test_steps_hold_about_as_many_amounts_each() -> None:
    """Ten amounts, five steps of two; the one that sells most does not take the colours of the others."""
    steps = steps_of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10_000])
    assert [steps[amount] for amount in (1, 2, 3, 4, 9, 10_000)] == [1, 1, 2, 2, 5, 5]


@pytest.mark.parametrize(("amounts", "expected"), [
    ([7], [5]), ([7, 7, 7], [5]), ([1, 2, 9], [2, 4, 5]), ([1, 1, 1, 1, 2, 9], [2, 4, 5]), ([], []),
])
def test_equal_amounts_have_one_step_and_the_largest_the_last(amounts: list[float], expected: list[int]) -> None:
    """One country alone is the strongest there is."""
    assert list(steps_of(amounts).values()) == expected

