"""Whatever an order goes through, and however news of it arrive, the numbers are those of its last version."""

import itertools
from collections import Counter
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import SiteCalendar
from opsmon.core.events import Event
from tests.core.lives import Life, in_words, lives, oracle
from tests.memory import Memory, fold_all

BERLIN = ZoneInfo("Europe/Berlin")
# Berlin changes its clocks in the month before the tests' present, 2026-11-20; two have broken hours.
ZONES = st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])


def take_in_batches(events: list[Event], cuts: list[int], calendar: SiteCalendar) -> Memory:
    """Fold events in batches whose sizes are `cuts`, over and over."""
    memory, sizes, waiting = Memory(calendar), itertools.cycle(cuts), list(events)
    while waiting:
        size = next(sizes)
        memory.take(*waiting[:size])
        waiting = waiting[size:]
    return memory


@given(life=lives(), data=st.data())
def test_any_order_of_arrival_ends_in_the_same_panes(life: Life, data: st.DataObject) -> None:
    """News of an order may overtake each other on the way: the numbers do not mind."""
    calendar = SiteCalendar(BERLIN)
    shuffled = data.draw(st.permutations(life.events))

    assert fold_all(shuffled, calendar).about_orders() == fold_all(life.events, calendar).about_orders()


@given(life=lives(), data=st.data())
def test_repetitions_and_replays_change_nothing(life: Life, data: st.DataObject) -> None:
    """Shopify may send everything several times, today or in a week: each order counts once."""
    calendar = SiteCalendar(BERLIN)
    again = data.draw(st.lists(st.sampled_from(life.events), max_size=12))

    repeated = fold_all([*life.events, *again, *life.events], calendar)

    assert repeated.about_orders() == fold_all(life.events, calendar).about_orders()


@given(first=lives(1001), second=lives(2002), data=st.data(),
       cuts=st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_any_batching_ends_in_the_same_panes(
    first: Life, second: Life, data: st.DataObject, cuts: list[int]
) -> None:
    """However many events a worker takes in hand at a time, the numbers are the same."""
    calendar = SiteCalendar(BERLIN)
    mixed = data.draw(st.permutations([*first.events, *second.events]))

    assert (take_in_batches(mixed, cuts, calendar).about_orders()
            == fold_all([*first.events, *second.events], calendar).about_orders())


@given(first=lives(1001), second=lives(2002), zone=ZONES, data=st.data())
def test_the_panes_are_those_of_the_last_version(
    first: Life, second: Life, zone: str, data: st.DataObject
) -> None:
    """An independent count of how the orders ended gives the same minutes, hours and days."""
    where = ZoneInfo(zone)
    arrivals = data.draw(st.permutations([*first.events, *second.events]))
    expected = oracle(first, where)
    expected.update(oracle(second, where))

    found = in_words(fold_all(arrivals, SiteCalendar(where)).about_orders(), where)

    assert found == {what: amount for what, amount in expected.items() if amount}


@given(life=lives(), data=st.data())
def test_states_end_alike_in_any_order(life: Life, data: st.DataObject) -> None:
    """What is remembered of an order does not depend on the way it was heard either."""
    calendar = SiteCalendar(BERLIN)
    shuffled = data.draw(st.permutations(life.events))

    assert fold_all(shuffled, calendar).states == fold_all(life.events, calendar).states


@given(life=lives())
def test_hours_and_days_add_up_alike(life: Life) -> None:
    """Every amount stands in one hour and one day: both levels have the same sums."""
    sums: dict[str, Counter[tuple[str, str]]] = {"h": Counter(), "d": Counter()}
    for (pane_hash, name), amount in fold_all(life.events, SiteCalendar(BERLIN)).about_orders().items():
        if pane_hash.level in sums:
            sums[pane_hash.level][pane_hash.rollup, name.partition(".")[2]] += amount

    assert sums["h"] == sums["d"]
