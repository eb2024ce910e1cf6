"""A number explained in words, made from its rollup."""

import pytest

from opsmon.core.catalogue import Condition, Rollup, Sliding, Today
from opsmon.core.explaining import error_of, exactness, what_it_counts, window_in_words
from opsmon.core.kpis import ROLLUPS
from opsmon.core.measures import STORAGE


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.id)
def test_each_rollup_is_told_in_a_sentence(rollup: Rollup) -> None:
    """From a capital to a full stop, with every fact it counts."""
    said = what_it_counts(rollup)
    assert (said[0].isupper(), said[-1], [fact for fact in rollup.on if fact not in said]) == (True, ".", [])


def test_conditions_are_told_as_they_are_written() -> None:
    """A list by its values, a truth as a site writes it."""
    conditions = (Condition("country", "in", ("DE", "AT")), Condition("gift", "=", True))
    rollup = Rollup("x", on=("order.placed",), measure="sum", value="amount", by=("channel",), where=conditions)
    assert what_it_counts(rollup) == (
        "The sum of amount of order.placed where country in DE, AT and gift = true by channel.")


def test_what_is_estimated_says_by_how_much_it_may_be_off() -> None:
    """Visitors by less than 1 %, percentiles by 2 %; all else is exact."""
    assert {rollup.id: error_of(rollup) for rollup in ROLLUPS if error_of(rollup)} == {
        "visitors": 0.0081, "api": 0.02, "functions": 0.02}


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.id)
def test_what_takes_nothing_back_says_so(rollup: Rollup) -> None:
    """Of all others corrections are subtracted."""
    keeps = STORAGE[rollup.measure] in ("joins", "unique")
    assert ("ubtracted" in exactness(rollup)) == (not keeps)


def test_a_window_is_told_with_its_delay() -> None:
    """As one would say it."""
    assert (window_in_words(Today()), window_in_words(Sliding(3600_000, delay_ms=3600_000))) == (
        "the business day so far", "the last 60 minutes, ended 60 minutes ago")
