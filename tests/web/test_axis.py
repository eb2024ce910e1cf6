"""The scale of a chart: round steps, at most four grid lines, nothing above or below it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.catalogue import Unit
from opsmon.web.axis import MOST_LINES, axis

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
UNITS = st.sampled_from(["orders", "money", "share", "ms", "count"])


@pytest.mark.parametrize(("values", "unit", "lines"), [
    ([], "orders", [1]), ([0], "orders", [1]), ([3], "orders", [3, 2, 1]), ([7], "orders", [8, 6, 4, 2]),
    ([52], "orders", [60, 40, 20]), ([390_000], "money", [400_000, 300_000, 200_000, 100_000]),
    ([0.031], "share", [0.04, 0.03, 0.02, 0.01]), ([0.97], "share", [1, 0.75, 0.5, 0.25]),
    ([730], "ms", [800, 600, 400, 200]), ([50_000], "ms", [60_000, 45_000, 30_000, 15_000]),
    ([20 * HOUR_MS], "ms", [24 * HOUR_MS, 18 * HOUR_MS, 12 * HOUR_MS, 6 * HOUR_MS]), ([0.3], "count", [0.3, 0.2, 0.1]),
])
def test_grid_lines_are_at_round_values(values: list[float], unit: Unit, lines: list[float]) -> None:
    """In whole orders, whole per cent, minutes and hours as clocks have them."""
    assert axis(values, unit).lines == pytest.approx(lines)


def test_what_is_below_nought_has_its_room() -> None:
    """Little of it has a little, without a line of its own; much has lines."""
    assert (axis([-75, 1_500], "orders").low, axis([-75, 1_500], "orders").lines) == (-100, [1_500, 1_000, 500])
    assert axis([-900, 1_500], "orders").lines == [2_000, 1_000, -1_000]
    assert axis([-5], "orders").lines == [-2, -4, -6]


@given(st.lists(st.one_of(st.integers(-10**15, 10**15), st.floats(-1e15, 1e15)), max_size=8), UNITS)
def test_every_value_is_within_and_lines_are_few(values: list[float], unit: Unit) -> None:
    """Whatever the values."""
    found = axis(values, unit)
    assert all(-0.001 <= found.y(value) <= 100.001 for value in [0, *values])
    assert 1 <= len(found.lines) <= MOST_LINES
