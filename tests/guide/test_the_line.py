"""Read this first: one order's way from Shopify to the screen, on a real store, over real HTTP."""

import pytest

from tests.line import Line
from tests.orders import order

pytestmark = pytest.mark.anyio


async def test_a_signed_order_becomes_a_partial_on_the_wire(line: Line) -> None:
    """A webhook is answered, counted by a worker, and pushed to a screen that is already open."""
    screen = await line.open(since=line.since)

    answer = await line.post("orders/create", order(total="49.90"))
    await line.work()
    frame = await screen.next_frame()

    assert (answer.status, answer.body) == (200, b"")
    assert '<data class="tile__value" value="4990">€49.90</data>' in frame.data
    assert 'hx-target="#kpi-revenue-today"' in frame.data


async def test_the_number_is_on_the_page_before_any_stream(line: Line) -> None:
    """The first paint has the numbers in it: no spinner, no second request."""
    await line.post("orders/create", order(total="49.90"))
    await line.work()
    screen = await line.open()
    await screen.next_frame()

    page = await line.get("/wall")

    assert '<data class="tile__value" value="4990">€49.90</data>' in page.text


async def test_a_program_reads_the_same_number(line: Line) -> None:
    """The JSON has money in minor units."""
    await line.post("orders/create", order(total="49.90"))
    await line.work()

    revenue = (await line.kpis())["revenue-today"]

    assert (revenue["value"], revenue["currency"], revenue["exponent"]) == (4990, "EUR", 2)


async def test_the_same_delivery_twice_counts_once(line: Line) -> None:
    """Shopify repeats itself; both times it hears 200, and the number moves once."""
    first = await line.post("orders/create", order(), x_shopify_webhook_id="b1e2")
    second = await line.post("orders/create", order(), x_shopify_webhook_id="b1e2")
    await line.work()

    assert (first.status, second.status) == (200, 200)
    assert (await line.kpis())["orders-today"]["value"] == 1
