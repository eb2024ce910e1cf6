"""What happened: told by events as they count, newest first, each thing once, nothing of people or amounts."""

from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.activity import MOST_SHOWN, Happening, came_and_went, happened, last_of
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.events import Event, EventId
from opsmon.core.health import Heard
from tests.conftest import NOW_MS
from tests.memory import event
from tests.orders import iso, order, refund

SENT = [
    ("orders/create", order(1, placed_ms=NOW_MS - 9_000, updated_ms=NOW_MS - 9_000)),
    ("orders/updated", order(1, placed_ms=NOW_MS - 9_000, updated_ms=NOW_MS - 7_000, fulfillment_status="fulfilled")),
    ("orders/create", order(2, placed_ms=NOW_MS - 6_000)),
    ("orders/cancelled", order(2, placed_ms=NOW_MS - 6_000, updated_ms=NOW_MS - 5_000,
                               cancelled_at=iso(NOW_MS - 5_000))),
    ("refunds/create", refund(given_ms=NOW_MS - 4_000, order_id=1)),
    ("orders/create", order(3, placed_ms=NOW_MS - 3_000)),
]
TOLD = [
    Happening(NOW_MS - 3_000, "placed", "shopify", "#3"), Happening(NOW_MS - 4_000, "refunded", "shopify", "#1"),
    Happening(NOW_MS - 5_000, "cancelled", "shopify", "#2"), Happening(NOW_MS - 6_000, "placed", "shopify", "#2"),
    Happening(NOW_MS - 7_000, "fulfilled", "shopify", "#1"), Happening(NOW_MS - 9_000, "placed", "shopify", "#1"),
]


def posted(kind: str, at_ms: int, source: str = "events", **data: Any) -> Event:
    """An event of a program of one's own."""
    return Event(EventId(f"{kind}-{at_ms}"), kind, at_ms, at_ms, source, "main", "", None, data)


def test_orders_are_told_through_their_lives() -> None:
    """Placed, fulfilled, cancelled, refunded: by the name that the shop has for them, at the time they say."""
    assert happened([event(topic, body) for topic, body in SENT]) == TOLD


@given(st.permutations(SENT), st.lists(st.sampled_from(SENT), max_size=4))
def test_whatever_comes_late_or_twice_the_list_is_the_same(sent: list[Any], again: list[Any]) -> None:
    """As counting is: webhooks come in any order, and again."""
    assert happened([event(topic, body) for topic, body in [*sent, *again]]) == TOLD


def test_an_order_that_is_only_touched_did_not_happen_again() -> None:
    """A note that somebody writes makes a delivery, and no news."""
    old = order(1, placed_ms=NOW_MS - 86_400_000, updated_ms=NOW_MS - 86_400_000)
    touched = order(1, placed_ms=NOW_MS - 86_400_000, updated_ms=NOW_MS)
    assert happened([event("orders/create", old), event("orders/updated", touched)]) == [
        Happening(NOW_MS - 86_400_000, "placed", "shopify", "#1")]


def test_test_orders_and_what_programs_say_of_others_is_left_out() -> None:
    """Nothing that no number counts; thousands of requests are no happenings."""
    asked = posted("api.request", NOW_MS, endpoint="/", ms=3)
    assert happened([event("orders/create", order(1, test=True)), asked]) == []


def test_a_program_of_ones_own_may_tell_of_orders() -> None:
    """What it calls a name is left out: it may be a person's."""
    assert happened([posted("order.placed", NOW_MS, name="Ada Lovelace", amount=3)]) == [
        Happening(NOW_MS, "placed", "events")]


def test_a_happening_has_no_place_for_amounts_or_people() -> None:
    """What is not there cannot leave the server."""
    assert Happening._fields == ("time_ms", "kind", "source", "order")
    assert [field.name for field in fields(Heard)] == ["name", "last_ms", "usual_gap_ms"]


def test_a_clock_that_runs_ahead_is_not_believed() -> None:
    """An order of tomorrow would stay on top until then."""
    (found,) = happened([event("orders/create", order(1, placed_ms=NOW_MS + 86_400_000))])
    assert found.time_ms == NOW_MS


def test_a_source_that_went_silent_is_told_from_when_it_was() -> None:
    """By its usual gap; one without a usual gap is never silent."""
    heard = [Heard("shopify", NOW_MS - HOUR_MS, 6 * MINUTE_MS), Heard("odoo", NOW_MS - HOUR_MS, None)]
    assert came_and_went([], heard, NOW_MS) == [Happening(NOW_MS - 54 * MINUTE_MS, "silent", "shopify")]


def test_a_source_that_is_back_is_told_for_an_hour() -> None:
    """By the gap between two of its events; of longer ago other gaps may have been usual."""
    heard = [Heard("shopify", NOW_MS, 6 * MINUTE_MS)]
    times = [NOW_MS - 5 * HOUR_MS, NOW_MS - 2 * HOUR_MS, NOW_MS - 30 * MINUTE_MS, NOW_MS]
    events = [posted("order.placed", at_ms, "shopify") for at_ms in times[:3]]
    assert came_and_went(events, heard, NOW_MS) == [Happening(times[2], "back", "shopify")]


def test_many_dead_letters_of_a_source_are_one_line() -> None:
    """They would push all else off the list."""
    dead = [Happening(NOW_MS - n, "dead", "shopify") for n in range(20)]
    assert last_of(TOLD, dead) == [dead[0], *TOLD]


@given(st.lists(st.builds(Happening, st.integers(0, 50), st.sampled_from(["placed", "dead", "back"]),
                          st.sampled_from(["a", "b"]), st.sampled_from(["", "#1"]))))
def test_the_list_is_short_newest_first_and_says_nothing_twice(found: list[Happening]) -> None:
    """However much happens, and however it is divided."""
    told = last_of(found, found)
    assert (len(told) <= MOST_SHOWN, told == sorted(set(told), reverse=True)) == (True, True)
    assert last_of(found[::2], found[1::2]) == told
