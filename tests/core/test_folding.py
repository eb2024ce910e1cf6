"""Folding: what one order adds to the numbers, version by version and day by day."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.events import Event, EventId
from opsmon.core.states import EntityState, from_plain, plain
from tests.conftest import NOW_MS
from tests.memory import Memory, event, fold_all
from tests.orders import order, refund

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
TODAY, YESTERDAY = "20261120", "20261119"
DEAREST = "90071992547409.91"
FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "shopify"


def take(*events: Event) -> Memory:
    return fold_all(events, BERLIN)


def created(*args: Any, **more: Any) -> Event:
    return event("orders/create", order(*args, **more))


def lags(memory: Memory) -> list[dict[str, int]]:
    """How long deliveries were on their way, hour by hour."""
    return [fields for where, fields in memory.panes.items() if (where.rollup, where.level) == ("lags", "h")]


def test_an_order_counts_on_the_day_it_was_placed() -> None:
    """An order of last night counts for yesterday, although it is heard of today."""
    memory = take(created(total="49.90", placed_ms=NOW_MS - DAY_MS, updated_ms=NOW_MS))
    assert memory.days("orders") == {YESTERDAY: {"n": 1}}
    assert memory.days("revenue") == {YESTERDAY: {"s:EUR": 4990}}


def test_a_newer_version_replaces_the_older_one() -> None:
    """An edited order counts with its new total, not with both."""
    memory = take(created(total="10.00"), created(total="12.00", updated_ms=NOW_MS + 1000))
    assert memory.days("revenue") == {TODAY: {"s:EUR": 1200}}


def test_an_older_version_that_comes_late_is_left_aside() -> None:
    """News that was overtaken on the way changes nothing."""
    memory = take(created(total="12.00", updated_ms=NOW_MS + 1000), created(total="10.00"))
    assert memory.days("revenue") == {TODAY: {"s:EUR": 1200}}


def test_what_was_overtaken_is_told_by_its_source() -> None:
    """The page of the sources says how often a source told old news; the same again is none."""
    memory = take(created(updated_ms=NOW_MS + 1000))
    overtaken = memory.fold(created()).counters
    again = memory.fold(event("orders/paid", order(updated_ms=NOW_MS + 1000))).counters
    assert (overtaken, again) == ({"shopify:out-of-order": 1}, {})


def test_how_long_deliveries_were_on_their_way_is_kept_by_source() -> None:
    """From when it happened to when it arrived, added up beside how many they were."""
    memory = take(event("orders/create", order(1001), arrived_ms=NOW_MS + 1_500),
                  event("orders/create", order(1002), arrived_ms=NOW_MS + 500))
    assert lags(memory) == [{"shopify.n": 2, "shopify.s": 2_000}]


@pytest.mark.parametrize("arrived_ms, lag", [(NOW_MS - 60_000, {}), (NOW_MS + 3 * DAY_MS, {"shopify.s": DAY_MS})])
def test_a_lag_is_between_nothing_and_a_day(arrived_ms: int, lag: dict[str, int]) -> None:
    """A clock that runs ahead takes nothing off the mean, and an import of old orders does not move it for ever."""
    memory = take(event("orders/create", order(), arrived_ms=arrived_ms))
    assert lags(memory) == [{"shopify.n": 1} | lag]


@pytest.mark.parametrize("minutes, late", [(60, {}), (61, {"shopify:late": 1})])
def test_what_took_over_an_hour_is_late(minutes: int, late: dict[str, int]) -> None:
    """Shopify tries for four hours: what comes so late had been refused before, or nobody was there."""
    assert Memory(BERLIN).fold(event("orders/create", order(), arrived_ms=NOW_MS + minutes * 60_000)).counters == late


def test_an_update_before_the_create_is_the_order() -> None:
    """Shopify may tell of the payment before it tells of the order: it counts once, at once."""
    paid = event("orders/paid", order(updated_ms=NOW_MS + 1000))
    assert take(paid, created()).days("orders") == {TODAY: {"n": 1}}


def test_of_two_versions_in_one_second_the_one_further_on_wins() -> None:
    """Shopify's times have whole seconds: paid comes after unpaid whichever arrives first."""
    unpaid, paid = created(total="10.00", financial_status="pending"), created(total="12.00")
    assert take(paid, unpaid).days("revenue") == {TODAY: {"s:EUR": 1200}}
    assert take(unpaid, paid).days("revenue") == {TODAY: {"s:EUR": 1200}}


def test_of_two_versions_equally_far_on_the_same_wins_in_any_order() -> None:
    """Where nothing else tells them apart, the fingerprint of the body does: no two workers disagree."""
    one, other = created(total="10.00"), created(total="12.00")
    assert take(one, other).panes == take(other, one).panes


def test_an_equal_version_is_no_news() -> None:
    """The same version under another topic leaves the state as it is and books nothing."""
    memory = take(created())
    folded = memory.fold(event("orders/paid", order()))
    assert folded.states == {}
    assert {pane_hash.rollup for pane_hash in folded.increments} == {"deliveries", "lags"}


def test_a_refund_counts_on_its_own_day() -> None:
    """A refund lowers the day it was given, not the day of the sale."""
    sold = order(total="49.90", placed_ms=NOW_MS - DAY_MS, updated_ms=NOW_MS, refunds=[refund(amount=10.0)])
    memory = take(event("orders/updated", sold))
    assert memory.days("revenue") == {YESTERDAY: {"s:EUR": 4990}, TODAY: {"s:EUR": -1000}}


def test_a_refund_that_arrives_both_ways_counts_once() -> None:
    """Shopify sends a refund on its own and inside its order: it is one refund."""
    alone = event("refunds/create", refund(amount=10.0))
    inside = event("orders/updated", order(total="49.90", refunds=[refund(amount=10.0)]))
    assert take(alone, inside).days("revenue") == {TODAY: {"s:EUR": 3990}}
    assert take(inside, alone).days("revenue") == {TODAY: {"s:EUR": 3990}}


def test_a_refund_leaves_the_average_alone() -> None:
    """The average order is what people bought, before returns."""
    memory = take(event("orders/updated", order(total="49.90", refunds=[refund(amount=10.0)])))
    assert memory.days("order-value") == {TODAY: {"s:EUR": 4990, "n:EUR": 1}}


def test_a_cancelled_order_stays_a_sale_and_is_a_return_on_its_own_day() -> None:
    """Sold yesterday and cancelled today: yesterday keeps its sale, today takes it back, together nothing."""
    gone = order(total="49.90", placed_ms=NOW_MS - DAY_MS, updated_ms=NOW_MS,
                 cancelled_at="2026-11-20T14:03:00+01:00")
    memory = take(created(total="49.90", placed_ms=NOW_MS - DAY_MS), event("orders/cancelled", gone))
    assert memory.days("revenue") == {YESTERDAY: {"s:EUR": 4990}, TODAY: {"s:EUR": -4990}}


def test_a_cancelled_order_is_still_an_order_that_was_placed() -> None:
    """Orders are counted as they were placed, cancelled ones included."""
    gone = event("orders/cancelled", order(updated_ms=NOW_MS + 1000, cancelled_at="2026-11-20T14:03:00+01:00"))
    assert take(created(), gone).days("orders") == {TODAY: {"n": 1}}


def test_cancelling_takes_back_only_what_refunds_have_not() -> None:
    """An order of 49.90 with 10.00 refunded and then cancelled comes to nothing, not to minus ten."""
    gone = order(total="49.90", refunds=[refund(amount=10.0)], cancelled_at="2026-11-20T14:03:00+01:00")
    assert take(event("orders/cancelled", gone)).days("revenue") == {}


def test_gift_cards_are_no_part_of_the_average() -> None:
    """A tent for 40 with a gift card for 60 is an order of 40 to the average, and of 100 to the revenue."""
    lines = [{"sku": "TENT-2", "quantity": 1, "price": "40.00"},
             {"sku": "CARD", "quantity": 2, "price": "30.00", "gift_card": True}]
    memory = take(created(total="100.00", line_items=lines))
    assert memory.days("order-value") == {TODAY: {"s:EUR": 4000, "n:EUR": 1}}
    assert memory.days("revenue") == {TODAY: {"s:EUR": 10000}}


def test_an_order_of_gift_cards_alone_is_no_order_to_average() -> None:
    """It would pull the average down to nothing, so it is left out of both sides of the division."""
    lines = [{"sku": "CARD", "quantity": 1, "price": "30.00", "gift_card": True}]
    assert take(created(total="30.00", line_items=lines)).days("order-value") == {}


def test_a_test_order_is_not_counted() -> None:
    """What the shop marks as a test is in no number."""
    assert take(created(test=True, refunds=[refund()])).about_orders() == {}


def test_an_order_that_turns_out_to_be_a_test_is_taken_back() -> None:
    """When a later version says test, the order leaves every number."""
    assert take(created(), created(test=True, updated_ms=NOW_MS + 1000)).about_orders() == {}


def test_a_deleted_order_never_happened() -> None:
    """Deleting takes the order out of the day it was placed on."""
    assert take(created(), event("orders/delete", {"id": 1001})).about_orders() == {}


def test_an_order_deleted_before_it_was_heard_of_stays_away() -> None:
    """Nothing that was known before the deletion undoes it, however late it comes."""
    memory = take(event("orders/delete", {"id": 1001}), created(updated_ms=NOW_MS + HOUR_MS))
    assert memory.about_orders() == {}


def test_two_currencies_are_never_one_sum() -> None:
    """Euros and yen are kept side by side."""
    memory = take(created(1, "10.00"), created(2, "500", currency="JPY"))
    assert memory.days("revenue") == {TODAY: {"s:EUR": 1000, "s:JPY": 500}}


def test_an_edit_of_the_currency_moves_the_order_to_the_other_sum() -> None:
    """No trace is left in the first currency."""
    memory = take(created(1, "10.00"), created(1, "500", currency="JPY", updated_ms=NOW_MS + 1000))
    assert memory.days("revenue") == {TODAY: {"s:JPY": 500}}


def test_an_order_from_the_future_counts_when_it_arrived() -> None:
    """A shop's clock an hour ahead is not believed: the order is counted on arrival."""
    evening = NOW_MS + 10 * HOUR_MS
    memory = take(event("orders/create", order(placed_ms=evening), arrived_ms=NOW_MS))
    assert memory.days("orders") == {TODAY: {"n": 1}}


def test_an_order_from_the_future_is_flagged_once() -> None:
    """One order is one remark, however many numbers it is part of."""
    memory = take(event("orders/create", order(placed_ms=NOW_MS + HOUR_MS), arrived_ms=NOW_MS))
    assert memory.counters == {"shopify:future": 1}


def test_a_clock_five_minutes_ahead_is_believed() -> None:
    """Small differences between clocks are nothing to remark on."""
    memory = take(event("orders/create", order(placed_ms=NOW_MS + 5 * MINUTE_MS), arrived_ms=NOW_MS))
    assert memory.counters == {}


def test_an_order_of_401_days_ago_is_too_old_to_book() -> None:
    """What it booked may be forgotten, so booking it again could count twice: it is only remarked."""
    memory = take(created(placed_ms=NOW_MS - 401 * DAY_MS, updated_ms=NOW_MS))
    assert memory.about_orders() == {}
    assert memory.counters == {"shopify:too-old": 1}


def test_an_order_of_399_days_ago_is_booked_on_its_day() -> None:
    """Late is not lost: it lands in its hour and day; the minutes of that day are gone."""
    memory = take(created(placed_ms=NOW_MS - 399 * DAY_MS, updated_ms=NOW_MS))
    assert {pane_hash.level for pane_hash, _ in memory.about_orders()} == {"h", "d"}


def test_an_order_older_than_minutes_are_kept_leaves_no_minutes() -> None:
    """Minutes are kept eight days; an order of the tenth day back writes none."""
    memory = take(created(placed_ms=NOW_MS - 10 * DAY_MS, updated_ms=NOW_MS))
    assert {pane_hash.level for pane_hash, _ in memory.about_orders()} == {"h", "d"}


def test_counting_began_when_the_first_event_happened() -> None:
    """An update today of last month's order makes no history of last month."""
    memory = take(created(placed_ms=NOW_MS - 30 * DAY_MS, updated_ms=NOW_MS))
    assert memory.since_ms == NOW_MS


def test_a_fill_in_moves_the_beginning_back() -> None:
    """Deliveries of the past, sent again, bring their own times: from there on counts are whole."""
    past = event("orders/create", order(placed_ms=NOW_MS - DAY_MS), triggered_at="2026-11-19T13:03:22Z")
    assert take(created(2), past).since_ms == NOW_MS - DAY_MS


@pytest.mark.parametrize("data", [{}, {"test": False}, {"test": False, "total_minor": "x", "currency": "EUR"}])
def test_data_that_cannot_be_used_raise(data: dict[str, Any]) -> None:
    """The worker hears of it and gives that event up; nothing of it is counted."""
    broken = Event(EventId("e"), "order.updated", NOW_MS, NOW_MS, "shopify", "main", "k", (1, 0, "a"), data)
    with pytest.raises((KeyError, TypeError, ValueError)):
        take(broken)


def test_a_batch_whose_sum_leaves_the_exact_numbers_raises() -> None:
    """Beyond 2^53 a sum would be rounded in the store: it is refused instead."""
    with pytest.raises(ValueError, match="out of range"):
        Memory(BERLIN).take(created(1, DEAREST), created(2, DEAREST))


def test_a_state_survives_being_stored() -> None:
    """What is remembered of an order reads back as it was."""
    state = next(state for state in take(created()).states.values() if isinstance(state, EntityState))
    assert from_plain(orjson.loads(orjson.dumps(plain(state)))) == state


def test_writes_are_states_fields_and_counters() -> None:
    """The worker sizes its batches by this number."""
    folded = Memory(BERLIN).fold(created())
    parts = (folded.increments, folded.scores, folded.open, folded.admitted)
    assert folded.writes == len(folded.states) + sum(len(fields) for part in parts for fields in part.values())


def real_order_lives() -> list[Event]:
    """Six successive versions of one real order of 2017; its test flag is cleared so that it counts."""
    versions = []
    for number in range(1, 7):
        body = orjson.loads((FIXTURES / f"orders_rest__{number}.json").read_bytes())
        body["test"] = False
        versions.append(event("orders/updated", body, arrived_ms=ms("2017-10-08T12:00")))
    return versions


def ms(wall: str) -> int:
    return BERLIN.instant(datetime.fromisoformat(wall))


@pytest.mark.skipif(not FIXTURES.exists(), reason="the real deliveries of ../shared/fixtures are not here")
def test_a_real_order_ends_alike_in_all_720_orders_of_arrival() -> None:
    """Sold for 470.00 on 15 June 2017, 150.00 given back on 7 October: however its six versions arrive."""
    ends = [fold_all(arrival, BERLIN, ms("2017-10-08T12:00")).days("revenue")
            for arrival in itertools.permutations(real_order_lives())]
    assert ends == [{"20170615": {"s:EUR": 47000}, "20171007": {"s:EUR": -15000}}] * 720
