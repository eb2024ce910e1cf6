"""Stock that runs out, a pace that is too low, late and large orders, bursts: where each begins and ends."""

from math import exp
from random import Random

import pytest

from opsmon.core.alerting.judging import (
    LEAST_ORDERS,
    Amounts,
    Work,
    judge_amount,
    judge_burst,
    judge_late,
    judge_pace,
    judge_stock,
    learn_amounts,
    most_amount,
)
from opsmon.core.alerting.rules import Burst, Outlier, Pace, Rule, RunsOut
from opsmon.core.calendar import HOUR_MS, MINUTE_MS

PACE = Pace("mon-fri 08:00-16:00")
# A median of 50.00 that spreads as orders do: two of three lie between 25 and 100.
USUAL = Amounts(8.517, 0.69, 2_800)


@pytest.mark.parametrize(("available", "sold", "days", "found"), [
    (20, 14, 7, "clear"), (11, 14, 7, "clear"), (10, 14, 7, "between"), (9, 14, 7, "breach"), (0, 14, 7, "breach"),
    (-3, 14, 7, "breach"), (9, 0, 7, "unknown"), (9, None, 7, "unknown"), (9, 14, 0, "unknown"), (9, -2, 7, "unknown")])
def test_stock_runs_out_when_it_lasts_for_fewer_days_than_more_takes(
        available: int, sold: int | None, days: int, found: str) -> None:
    """Two a day and five days until there is more: ten are just enough, eleven are well."""
    assert judge_stock(RunsOut(5), available, sold, days).found == found


def test_it_says_for_how_many_days() -> None:
    """Nine at two a day last four and a half."""
    found = judge_stock(RunsOut(5), 9, 14, 7)
    assert (found.value, found.limit) == (4.5, 5)


@pytest.mark.parametrize(("done", "left", "found"), [
    (39, 60, "breach"), (40, 60, "between"), (43, 60, "between"), (44, 60, "clear"), (0, 1, "breach"), (0, 0, "clear"),
    (0, -2, "clear")])
def test_a_pace_is_too_low_when_not_all_is_done_in_time(done: float, left: float, found: str) -> None:
    """Two hours are left, half an hour of them to spare: of sixty forty an hour have to be done."""
    assert judge_pace(PACE, Work(done, HOUR_MS, left, 2 * HOUR_MS)).found == found


def test_a_pace_says_how_many_an_hour_are_needed() -> None:
    """Thirty in half an hour are sixty in one; ninety have to be."""
    found = judge_pace(PACE, Work(30, HOUR_MS // 2, 90, 90 * MINUTE_MS))
    assert (found.value, found.limit, found.found) == (60, 90, "breach")


def test_of_the_first_minutes_a_pace_says_nothing() -> None:
    """A quarter of an hour, and it does."""
    short = [judge_pace(PACE, Work(0, minutes * MINUTE_MS, 90, HOUR_MS)).found for minutes in (14, 15)]
    assert short == ["unknown", "breach"]


def test_past_the_time_to_spare_anything_left_is_too_much() -> None:
    """Twenty minutes before the end, with half an hour to spare."""
    assert judge_pace(PACE, Work(50, HOUR_MS, 1, 20 * MINUTE_MS)).found == "breach"


def test_a_pace_has_to_be_too_low_for_ten_minutes() -> None:
    """Whoever carries a parcel away packs none meanwhile; a rule may say otherwise."""
    rules = [Rule("pace", "Too slow", "completed-1h", PACE, "critical"),
             Rule("pace", "Too slow", "completed-1h", PACE, "critical", for_ms=0)]
    assert [rule.timing.for_ms for rule in rules] == [10 * MINUTE_MS, 0]


def test_late_orders_are_counted_and_the_oldest_named() -> None:
    """Five names are enough."""
    oldest = tuple((f"#{number}", number) for number in range(9))
    found = judge_late(9, oldest)
    assert (found.found, found.value, found.things) == ("breach", 9, oldest[:5])
    assert judge_late(0, ()).found == "clear"


@pytest.mark.parametrize(("count", "found"), [(9, "clear"), (10, "breach"), (11, "breach"), (None, "unknown")])
def test_a_burst_is_so_many_or_more(count: float | None, found: str) -> None:
    """Ten, and not nine."""
    assert judge_burst(Burst(10, 5 * MINUTE_MS), count).found == found


def test_an_amount_is_held_against_a_limit_where_there_is_one() -> None:
    """2,000.00 is allowed, one cent more is not."""
    rule = Outlier(200_000)
    assert [judge_amount(rule, amount, None).found for amount in (200_000, 200_001)] == ["clear", "breach"]


def test_an_amount_is_held_against_what_is_usual() -> None:
    """Of 2,800 orders a week one in ten weeks would lie beyond four spreads."""
    most = most_amount(Outlier(), USUAL)
    assert most is not None and exp(8.517 + 0.69 * 3.9) < most < exp(8.517 + 0.69 * 4.1)
    assert [judge_amount(Outlier(), amount, USUAL).found for amount in (most, most + 1)] == ["clear", "breach"]


def test_who_wants_to_hear_early_hears_of_smaller_ones() -> None:
    """And is wrong more often."""
    seldom, usual, early = (most_amount(Outlier(sensitivity=how), USUAL) for how in ("low", "normal", "high"))
    assert seldom is not None and usual is not None and early is not None and seldom > usual > early


def test_what_is_usual_is_learned_of_a_hundred_orders() -> None:
    """Of fewer nobody knows; then nothing is large."""
    amounts = [5_000.0] * LEAST_ORDERS
    assert learn_amounts(amounts[1:], 14) is None
    assert judge_amount(Outlier(), 10**9, None).found == "learning"
    assert learn_amounts(amounts, 0) is None
    assert learn_amounts([*amounts[1:], 0.0], 14) is None


def test_one_order_of_a_million_moves_what_is_usual_by_nothing() -> None:
    """The median of a hundred and one is that of a hundred."""
    random = Random(7)
    amounts = [exp(random.gauss(8.5, 0.7)) for _ in range(1_000)]
    before, after = (most_amount(Outlier(), learn_amounts(some, 14)) for some in (amounts, [*amounts, 1e8]))
    assert before is not None and after == pytest.approx(before, rel=0.01)


def test_of_orders_as_shops_have_them_hardly_one_is_an_outlier() -> None:
    """20,000 orders of which none is odd: what is told of them is chance."""
    random = Random(11)
    usual = learn_amounts([exp(random.gauss(8.5, 0.7)) for _ in range(5_600)], 14)
    others = [exp(random.gauss(8.5, 0.7)) for _ in range(20_000)]
    assert sum(judge_amount(Outlier(), amount, usual).found == "breach" for amount in others) <= 4


def test_a_shop_with_one_price_does_not_call_twice_of_it_an_outlier() -> None:
    """Two tickets are no news; ten are."""
    usual = learn_amounts([2_500.0] * 1_000, 14)
    assert [judge_amount(Outlier(), amount, usual).found for amount in (5_000, 25_000)] == ["clear", "breach"]
