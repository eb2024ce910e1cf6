"""One channel, one country, one line: only what is counted by it can be shown, and then exactly."""

from dataclasses import replace

import pytest

from opsmon.core.catalogue import Rollup
from opsmon.core.kpis import BUILT_IN
from opsmon.core.limits import Limits, limits_of
from opsmon.core.narrowing import comparisons, fields_of, narrowed
from opsmon.core.slots import Options


@pytest.mark.parametrize("kpi, fields", [
    ("revenue-by-channel", ("channel",)), ("orders-by-country", ("country",)), ("output-by-line", ("line",)),
    ("stock", ("sku", "location", "tag")), ("orders-today", ("country", "region", "channel")),
    ("orders-per-hour", ("country", "region", "channel")), ("orders-per-minute", ()), ("revenue-today", ()),
    ("aov-1h", ()), ("top-products", ("tag",)), ("top-pieces", ("tag",)),
    ("conversion-30m", ()), ("visitors-today", ()), ("active-orders", ()),
])
def test_what_a_number_can_be_narrowed_by(kpi: str, fields: tuple[str, ...]) -> None:
    """What its rollup has rows of, or one that counts the same facts; nothing is estimated."""
    assert fields_of(BUILT_IN.kpi_by_id[kpi], BUILT_IN) == fields


def test_orders_of_a_channel_are_read_from_what_is_counted_by_channel() -> None:
    """The orders of that channel, and nothing of a week ago: of that no minutes are kept."""
    found = narrowed(BUILT_IN.kpi_by_id["orders-today"], (("channel", "pos"),), BUILT_IN)
    assert found is not None
    assert (found.rollup, found.show, found.only, found.against) == (
        "sales-by-channel", "count", (("channel", "pos"),), "none")


def test_a_rollup_of_the_site_lets_a_number_be_narrowed_too() -> None:
    """Whoever needs revenue by tag declares it in opsmon.toml."""
    revenue = BUILT_IN.rollup("revenue")
    by_tag = replace(revenue, id="revenue-by-tag", by=("tag",))
    more = replace(BUILT_IN, rollups=(*BUILT_IN.rollups, by_tag))
    assert fields_of(BUILT_IN.kpi_by_id["revenue-today"], more) == ("tag",)


def test_other_conditions_are_other_numbers() -> None:
    """Paid orders by channel say nothing of all orders by channel."""
    other = Rollup("paid-by-tag", on=("order.placed",), measure="count", by=("tag",),
                   where=BUILT_IN.rollup("payments").where)
    more = replace(BUILT_IN, rollups=(*BUILT_IN.rollups, other))
    assert "tag" not in fields_of(BUILT_IN.kpi_by_id["orders-today"], more)


@pytest.mark.parametrize("kpi, kinds", [
    ("orders-today", ("week", "yesterday", "none")), ("orders-per-hour", ("week", "yesterday", "none")),
    ("visitors-now", ()),
    ("revenue-by-channel", ()), ("revenue-30d", ()), ("customers-today", ()),
])
def test_what_a_number_can_be_compared_with(kpi: str, kinds: tuple[str, ...]) -> None:
    """What is read beside it, no more."""
    assert comparisons(BUILT_IN.kpi_by_id[kpi], BUILT_IN) == kinds


@pytest.mark.parametrize("written, unit, value", [
    ("1000", "money", 100_000), ("49.90", "money", 4_990), ("5 %", "share", 0.05), ("24 h", "ms", 86_400_000),
    ("500ms", "ms", 500), ("15 min", "ms", 900_000), ("40", "orders", 40), ("-3", "count", -3),
])
def test_a_limit_is_read_by_its_unit(written: str, unit, value: float) -> None:
    """As people write it."""
    assert limits_of(Options(warn=written), unit, "EUR") == Limits(value, None, False)


def test_yen_have_no_cents() -> None:
    """An amount is in whole units of the currency that is shown."""
    assert limits_of(Options(warn="1000"), "money", "JPY") == Limits(1_000, None, False)


@pytest.mark.parametrize("value, is_lowest, level", [
    (10, False, None), (11, False, "warn"), (21, False, "crit"), (None, False, None), (9, True, "warn"),
])
def test_beyond_a_limit_a_value_is_marked(value: float | None, is_lowest: bool, level: str | None) -> None:
    """At it, it is not."""
    assert Limits(10, None if is_lowest else 20, is_lowest).level(value) == level
