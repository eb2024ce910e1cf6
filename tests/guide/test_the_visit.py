"""Read after the_line: a visitor's way through the shop, from its pages to visits, funnel and abandonment.

What pages say is joined with the order that Shopify sends by the token of the checkout. Money comes from the
order alone.
"""

import itertools
from typing import Any

import pytest

from opsmon.clock import ManualClock
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN
from opsmon.store.keys import Keys
from opsmon.workers.verify import verify
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.workers.desk import BERLIN

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000
_numbers = itertools.count(1)


def says(name: str, visitor: str = "ada", **data: Any) -> dict[str, Any]:
    """One thing that a page says of a visitor."""
    return {"id": f"page-{next(_numbers)}", "name": name, "visitor": visitor, "ago": 0, "data": data}


async def walk(line: Line, visitor: str, *names: str, **data: Any) -> None:
    """A visitor takes some steps, all within a moment."""
    await line.collect(*(says(name, visitor, **data) for name in names))


async def begin_checkouts(line: Line) -> None:
    """Twenty visitors begin to pay; each checkout has its token."""
    for first in (0, 10):
        await line.collect(*(says("checkout.started", f"visitor-{at}", checkout=f"token-{at}")
                             for at in range(first, first + 10)))


async def number(line: Line, kpi: str) -> Any:
    """What a board shows of a KPI."""
    return (await line.kpis())[kpi]["value"]


async def test_pages_make_visits_and_visitors(line: Line) -> None:
    """Ada sees two pages, Grace one: two visitors, two visits, both still there."""
    await walk(line, "ada", "page.viewed", "page.viewed")
    await walk(line, "grace", "page.viewed")
    await line.work()
    assert [await number(line, kpi) for kpi in ("visitors-today", "visits-today", "visitors-now")] == [2, 2, 2]


async def test_a_visitor_who_comes_back_in_the_evening_makes_another_visit(line: Line, clock: ManualClock) -> None:
    """One visitor, two visits: in between was more than half an hour."""
    await walk(line, "ada", "page.viewed")
    clock.advance(45 * MINUTE_MS)
    await walk(line, "ada", "page.viewed")
    await line.work()
    assert [await number(line, kpi) for kpi in ("visitors-today", "visits-today", "visitors-now")] == [1, 2, 1]


async def test_the_funnel_shows_how_far_visits_got(line: Line) -> None:
    """Four saw a page, three filled a cart, two began to pay, one did."""
    steps = ("page_viewed", "product_added_to_cart", "checkout_started", "checkout_completed")
    for at, visitor in enumerate(("ada", "grace", "mary", "joan"), 1):
        await walk(line, visitor, *steps[:at])
    await line.work()
    rows = (await line.kpis())["funnel-today"]["rows"]
    assert [row["value"] for row in rows] == [4, 3, 2, 1]


async def test_conversion_is_the_share_of_visits_that_paid(line: Line) -> None:
    """Five of twenty visits of the last half hour."""
    for at in range(20):
        await walk(line, f"visitor-{at}", "page.viewed", *(["checkout.completed"] if at < 5 else []))
    await line.work()
    assert await number(line, "conversion-30m") == 0.25


async def test_a_checkout_without_an_order_is_abandoned(line: Line, clock: ManualClock) -> None:
    """Twenty were begun, of five Shopify sends the order: the others are abandoned, told an hour and a half later."""
    await begin_checkouts(line)
    for at in range(5):
        await line.post("orders/create", order(at + 1, checkout_token=f"token-{at}"))
    clock.advance(90 * MINUTE_MS)
    await line.work()
    assert await number(line, "abandonment") == 0.75


@pytest.mark.parametrize("order_first", [True, False])
async def test_order_and_checkout_meet_in_any_order(line: Line, clock: ManualClock, order_first: bool) -> None:
    """The webhook may be faster than the beacon: of twenty checkouts the one with an order is not abandoned."""
    sent = [lambda: line.post("orders/create", order(1, checkout_token="token-1")), lambda: begin_checkouts(line)]
    for send in sent if order_first else sent[::-1]:
        await send()
        await line.work()
    clock.advance(90 * MINUTE_MS)
    await line.work()
    assert await number(line, "abandonment") == 0.95


async def test_money_that_a_page_claims_is_no_revenue(line: Line) -> None:
    """Anybody can say that he paid a thousand: it shows in what a visit brings, and in no sale."""
    await walk(line, "ada", "page.viewed")
    await walk(line, "ada", "checkout.completed", amount=1_000, currency="EUR")
    await line.post("orders/create", order(1, "49.90"))
    await line.work()
    kpis = await line.kpis()
    assert (kpis["revenue-today"]["value"], kpis["orders-today"]["value"], kpis["revenue-per-visit"]["value"]) == (
        4_990, 1, 100_000)


async def test_money_that_a_page_claims_does_not_choose_the_currency(line: Line) -> None:
    """The currency of a site is that of its first order."""
    await walk(line, "ada", "checkout.completed", amount=5, currency="XAU")
    await line.work()
    await line.post("orders/create", order(1, "49.90"))
    await line.work()
    assert (await line.kpis())["revenue-today"]["currency"] == "EUR"


async def test_the_numbers_say_which_events_they_were_made_of(line: Line) -> None:
    """Explained, a KPI of visits shows what pages said, and one of orders what Shopify sent."""
    await walk(line, "ada", "page.viewed")
    await line.post("orders/create", order(1))
    await line.work()
    found = {kpi: [one["source"] for one in (await line.get(f"/api/kpis/{kpi}/explain")).json["last_events"]]
             for kpi in ("visitors-today", "orders-today")}
    assert found == {"visitors-today": ["pixel"], "orders-today": ["shopify"]}


async def test_all_of_it_is_what_a_recount_finds(line: Line) -> None:
    """Visits, checkouts and orders, counted again by another way."""
    await walk(line, "ada", "page.viewed", "cart.updated", "checkout.started", checkout="token-1")
    await line.post("orders/create", order(1, checkout_token="token-1"))
    await line.work()
    found = await verify(line.store, Keys("main"), Rules(BUILT_IN, BERLIN), NOW_MS)
    assert (found.differences, found.numbers > 20) == ([], True)
