"""Closed hours that late events change: which are marked, and which are not."""

from typing import Any

from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.corrections import KEPT_MS
from opsmon.core.events import Event
from tests.conftest import NOW_MS
from tests.core.test_folding import BERLIN
from tests.memory import Memory, event
from tests.orders import order

HOUR = NOW_MS - NOW_MS % HOUR_MS
GRACE_MS = 2 * MINUTE_MS


def corrected(memory: Memory, *events: Event) -> dict[str, list[int]]:
    """The marks that a batch leaves, of orders and their revenue."""
    marks = memory.fold(*events).corrected
    return {rollup: marks[rollup] for rollup in ("orders", "revenue") if rollup in marks}


def placed(placed_ms: int, arrived_ms: int, **more: Any) -> Event:
    return event("orders/create", order(placed_ms=placed_ms, **more), arrived_ms=arrived_ms)


def test_an_order_that_comes_after_its_hour_was_whole_is_a_correction() -> None:
    """Three minutes after the hour, two of which it waited."""
    late = placed(HOUR - 1, HOUR + 3 * MINUTE_MS)
    assert corrected(Memory(BERLIN), late) == {"orders": [HOUR - HOUR_MS], "revenue": [HOUR - HOUR_MS]}


def test_within_the_grace_it_is_none() -> None:
    """The hour was not shown as whole yet."""
    assert corrected(Memory(BERLIN), placed(HOUR - 1, HOUR + GRACE_MS - MINUTE_MS)) == {}


def test_of_the_present_hour_nothing_is_a_correction() -> None:
    """It still moves."""
    assert corrected(Memory(BERLIN), placed(NOW_MS - MINUTE_MS, NOW_MS)) == {}


def test_a_worker_that_was_late_itself_corrects_nothing() -> None:
    """The event came in time; while it waited, no hour was shown as whole."""
    assert corrected(Memory(BERLIN), placed(HOUR - 1, HOUR - 1 + MINUTE_MS)) == {}


def test_an_event_that_waited_keeps_the_hour_open_for_what_comes_with_it() -> None:
    """In one batch with one that came in time: the hour could not be whole before."""
    batch = (placed(HOUR - 5, HOUR - 1, order_id=1), placed(HOUR - 1, HOUR + 5 * MINUTE_MS, order_id=2))
    assert corrected(Memory(BERLIN), *batch) == {}


def test_what_changes_nothing_marks_nothing() -> None:
    """The same order again, and one whose hour keeps its sum."""
    memory = Memory(BERLIN)
    memory.take(placed(HOUR - 1, HOUR - 1))
    again = event("orders/paid", order(placed_ms=HOUR - 1, updated_ms=NOW_MS, tags="checked"), arrived_ms=NOW_MS)
    assert corrected(memory, again) == {}


def test_an_edit_of_an_old_order_corrects_its_revenue_and_not_its_count() -> None:
    """Only what moved is marked."""
    memory = Memory(BERLIN)
    memory.take(placed(HOUR - 1, HOUR - 1, total="10.00"))
    edited = event("orders/updated", order(total="12.00", placed_ms=HOUR - 1, updated_ms=NOW_MS), arrived_ms=NOW_MS)
    assert corrected(memory, edited) == {"revenue": [HOUR - HOUR_MS]}


def test_hours_of_long_ago_are_not_marked() -> None:
    """A month back marks are forgotten anyway."""
    assert corrected(Memory(BERLIN), placed(NOW_MS - KEPT_MS - 2 * HOUR_MS, NOW_MS)) == {}
