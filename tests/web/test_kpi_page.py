"""The page of one number: its history over a day, week, month or year, and the number explained."""

import pytest

from opsmon.core.kpis import KPIS
from opsmon.core.spans import SPANS
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000


@pytest.fixture
async def shop(line: Line) -> Line:
    """Three orders: two from Germany an hour apart, one from France yesterday."""
    for at, (total, ago, country) in enumerate([("10.00", 0, "DE"), ("20.00", 1, "DE"), ("40.00", 24, "FR")]):
        await line.post("orders/create", order(at + 1, total, placed_ms=NOW_MS - ago * HOUR_MS, updated_ms=NOW_MS,
                                               shipping_address={"country_code": country}))
    await line.work()
    return line


@pytest.mark.parametrize("span", SPANS)
async def test_every_number_has_a_page_and_a_file_before_anything_came(line: Line, span: str) -> None:
    """A new site has nothing to show, and says so."""
    paths = [f"/kpi/{kpi.id}{ending}?span={span}" for kpi in KPIS for ending in ("", ".csv")]
    assert {path: status for path in paths if (status := (await line.get(path)).status) != 200} == {}


@pytest.mark.parametrize("span", SPANS)
async def test_every_number_has_a_page_and_a_file_of_what_came(shop: Line, span: str) -> None:
    """No number and no span is left out."""
    paths = [f"/kpi/{kpi.id}{ending}?span={span}" for kpi in KPIS for ending in ("", ".csv")]
    found = {}
    for path in paths:
        answer = await shop.get(path)
        if answer.status != 200:
            found[path] = (answer.status, answer.text[-300:])
    assert found == {}
