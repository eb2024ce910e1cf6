"""The events that a number is made of: which they are, and what each of them adds."""

from dataclasses import replace
from typing import Any

from opsmon.core.catalogue import Condition, Rollup
from opsmon.core.contributions import contributions
from opsmon.core.events import Event, EventId
from opsmon.core.kpis import BUILT_IN, ROLLUPS
from tests.conftest import NOW_MS
from tests.memory import event
from tests.orders import order, refund


def posted(name: str, kind: str, key: str = "", /, **data: Any) -> Event:
    """An event in opsmon's own shape, without a version."""
    return Event(EventId(name), kind, NOW_MS, NOW_MS, "events", "main", key, None, data)


def added(rollup: str, *events: Event) -> list[list[dict[str, Any]]]:
    """What each event that counts adds to a built-in rollup, the newest first."""
    return [facts for _, facts in contributions(events, BUILT_IN.rollup(rollup))]


def names(rollup: Rollup, *events: Event) -> list[str]:
    """The events that count."""
    return [one.id for one, _ in contributions(events, rollup)]


def test_an_event_says_what_it_adds() -> None:
    """The facts that count, with the fields that are measured."""
    assert added("revenue", event("orders/create", order(1, "49.90"))) == [
        [{"fact": "order.placed", "time_ms": NOW_MS, "amount": [4990, "EUR"]}]]


def test_the_newest_event_is_told_first() -> None:
    """What moved the number last stands on top."""
    first, second = (event("orders/create", order(n)) for n in (1, 2))
    assert names(BUILT_IN.rollup("orders"), first, second) == [second.id, first.id]


def test_an_order_that_was_edited_is_told_once() -> None:
    """Its older version was taken back; also when it arrives after the newer one."""
    old, new = event("orders/create", order(1, "10.00")), event(
        "orders/updated", order(1, "12.00", updated_ms=NOW_MS + 1))
    assert [names(BUILT_IN.rollup("orders"), *events) for events in ((old, new), (new, old))] == [[new.id]] * 2


def test_a_delivery_that_came_twice_is_told_once() -> None:
    """By the one that came first: the other one changed nothing."""
    first, again = (event("orders/create", order(1), arrived_ms=NOW_MS + n) for n in (0, 5))
    assert names(BUILT_IN.rollup("orders"), first, again._replace(id=EventId("again"))) == [first.id]


def test_an_order_that_was_deleted_adds_nothing() -> None:
    """Neither does its deletion."""
    assert added("orders", event("orders/create", order(1)), event("orders/delete", {"id": 1})) == []


def test_a_refund_is_told_by_the_event_that_brought_it() -> None:
    """It lowers revenue by itself."""
    assert added("revenue", event("refunds/create", refund(501, 10.0))) == [
        [{"fact": "refund.given", "time_ms": NOW_MS, "amount": [-1000, "EUR"]}]]


def test_what_the_conditions_leave_out_adds_nothing() -> None:
    """An order from France is none of an Austrian number's."""
    austria = replace(BUILT_IN.rollup("orders"), where=(Condition("country", "=", "AT"),))
    orders = [event("orders/create", order(n, shipping_address={"country_code": code}))
              for n, code in ((1, "AT"), (2, "FR"))]
    assert names(austria, *orders) == [orders[0].id]


def test_an_event_without_what_is_measured_adds_nothing() -> None:
    """A request that does not say how long it took, a page that nobody viewed."""
    assert added("api", posted("a", "api.request", status=200), posted("b", "api.request", ms=12)) == [
        [{"fact": "api.request", "time_ms": NOW_MS, "ms": 12}]]
    assert added("visitors", posted("a", "page.viewed"), posted("b", "page.viewed", visitor="v7")) == [
        [{"fact": "page.viewed", "time_ms": NOW_MS, "visitor": "v7"}]]


def test_what_is_never_taken_back_leaves_out_events_with_a_version() -> None:
    """A gauge that could be corrected is no gauge."""
    gauge = posted("a", "gauge.set", "events:g", name="heat", value=3)
    assert [len(added("gauges", one)) for one in (gauge, gauge._replace(version=(1, 0, "")))] == [1, 0]


def test_what_several_events_make_together_is_told_by_each() -> None:
    """A customer's orders make one customer; which kind of order each is depends on the others."""
    placed = event("orders/create", order(1, customer={"id": 7}))
    ((fact,),) = added("customers", placed)
    assert (fact["fact"], fact["time_ms"], fact["together_with"].startswith("customer:")) == (
        "customer.ordered", NOW_MS, True)
    move = posted("m1", "stage.moved", "events:order-1", stage="packing")
    assert [len(added(rollup, move)) for rollup in ("stages", "stage-times", "output-by-line")] == [1, 1, 1]


def test_an_event_that_cannot_be_used_adds_nothing() -> None:
    """It is a dead letter; the number goes on without it."""
    broken = [Event(EventId("x"), "order.updated", NOW_MS, NOW_MS, "shopify", "main", "k", (1, 0, ""), {}),
              posted("y", "count.add", value=2**60, name="a"), posted("z", "page.viewed", amount="x", currency="EUR")]
    others = [rollup.id for rollup in ROLLUPS if "delivery.arrived" not in rollup.on]
    assert [added(rollup, *broken) for rollup in others] == [[]] * len(others)


def test_every_event_is_a_delivery() -> None:
    """What came in is counted by its source, whatever it was."""
    assert added("deliveries", posted("a", "what.ever")) == [
        [{"fact": "delivery.arrived", "time_ms": NOW_MS, "source": "events"}]]
    assert added("lags", posted("a", "what.ever")) == [
        [{"fact": "delivery.arrived", "time_ms": NOW_MS, "lag_ms": 0, "source": "events"}]]


def test_what_happened_outside_of_the_window_is_left_out() -> None:
    """An old order that arrives today adds nothing to today; its customer is nobody's of today either."""
    today = (NOW_MS - 3600_000, NOW_MS + 1)
    orders = [event("orders/create", order(n, placed_ms=NOW_MS - ago_ms, customer={"id": n}))
              for n, ago_ms in ((1, 86_400_000), (2, 0))]
    for rollup in ("orders", "customers"):
        found = [one.id for one, _ in contributions(orders, BUILT_IN.rollup(rollup), today)]
        assert found == [orders[1].id]


def test_a_time_from_the_future_is_not_believed() -> None:
    """It counts when it arrived."""
    ahead = event("orders/create", order(1, placed_ms=NOW_MS + 3600_000))
    ((fact,),) = added("orders", ahead)
    assert fact["time_ms"] == NOW_MS
