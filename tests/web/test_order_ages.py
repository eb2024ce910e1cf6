"""Open orders by age: counted from the store as it is, drawn youngest first, what is late marked in words."""

import pytest

from opsmon.core.calendar import HOUR_MS
from opsmon.core.readings import AGE_HOURS
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.web.test_tiles import tile

AGES = tuple(zip((*map(str, AGE_HOURS), ""), (12, 31, 44, 101, 9, 2), strict=True))


@pytest.mark.anyio
async def test_open_orders_are_counted_by_how_long_ago_they_were_placed(line: Line) -> None:
    """One of this hour, two of yesterday, one of last week: each in its stretch, and none twice."""
    for number, hours in enumerate((0.5, 30, 47.9, 170), 1):
        await line.post("orders/create", order(number, placed_ms=NOW_MS - int(hours * HOUR_MS)))
    await line.work()
    found = (await line.kpis())["order-ages"]
    assert (found["value"], [row["value"] for row in found["rows"]]) == (4, [1, 0, 0, 0, 2, 1])


def test_ages_stand_side_by_side_youngest_first() -> None:
    """Every age has its place, also while nothing is of it."""
    view = tile("order-ages", *AGES)
    assert [one.name for one in view.columns] == [
        "under 1 h", "1 – 4 h", "4 – 8 h", "8 – 24 h", "24 – 48 h", "over 48 h"]


def test_what_is_late_is_marked_in_words() -> None:
    """Older than a day is past its time; a mark on nothing would be a false alarm."""
    view = tile("order-ages", *AGES[:4], ("48", 9), ("", 0))
    assert [one.warning for one in view.columns] == ["", "", "", "", "over 24 h", ""]
    assert view.note == "197 in all, 9 of them older than 24 h"


def test_nothing_open_is_nothing_to_draw() -> None:
    """Six empty places would look like a chart that failed."""
    view = tile("order-ages", *((name, 0) for name, _ in AGES))
    assert (view.state, view.columns) == ("empty", ())
