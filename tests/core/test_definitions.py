"""A site's own KPIs: what may be written in opsmon.toml, what becomes of it, and what one reads when it is wrong."""

import re
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import (
    PERCENTILE_MINUTES_MS,
    TOP_CAP,
    UNIQUE_HOURS_MS,
    Condition,
    Days,
    Kpi,
    Month,
    Now,
    Rollup,
    Sliding,
    Today,
    Tumbling,
    Window,
)
from opsmon.core.conditions import MoneyCondition
from opsmon.core.definition_lines import line_of, lines_of
from opsmon.core.definition_words import in_a_line, unheard_of
from opsmon.core.definitions import MOST_KPIS, Problem, read_definitions
from opsmon.core.facts_known import FACTS
from opsmon.core.kpis import BUILT_IN
from opsmon.core.panes import Hash
from opsmon.core.window_texts import read_window, window_words
from tests.memory import Memory, event
from tests.orders import order

README = (Path(__file__).parents[2] / "README.md").read_text()
BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
LEAST = {"id": "own", "label": "Own", "on": "till.opened", "measure": "count", "window": "today"}


def defined(**said: Any) -> tuple[Kpi, Rollup]:
    """The KPI that the shortest definition becomes with this in it, and what it is read from."""
    catalogue, wrong = read_definitions([LEAST | said], BUILT_IN)
    assert wrong == []
    kpi = catalogue.kpis[-1]
    return kpi, catalogue.rollup(kpi.rollup)


def wrong(**said: Any) -> list[str]:
    """What is told of the shortest definition with this in it; None takes a field out."""
    table = {name: value for name, value in (LEAST | said).items() if value is not None}
    catalogue, problems = read_definitions([table], BUILT_IN)
    assert (catalogue.kpis == BUILT_IN.kpis) == bool(problems)
    return [problem.text for problem in problems]


# --- what is right ----------------------------------------------------------------------------------------------


def test_the_example_of_the_readme_is_right() -> None:
    """One can begin by copying it."""
    (block,) = re.findall(r"^```toml\n(\[\[kpi.*?)^```", README, re.MULTILINE | re.DOTALL)
    catalogue, problems = read_definitions(tomllib.loads(block)["kpi"], BUILT_IN)
    kpi = catalogue.kpis[-1]
    assert (problems, kpi.id, in_a_line(kpi, catalogue.rollup(kpi.rollup))) == (
        [], "large-orders", "count of order.placed where amount >= 100 and channel = web by country, today")


def test_the_example_of_the_readme_counts() -> None:
    """Of two orders the one that is large enough, under its country."""
    (block,) = re.findall(r"^```toml\n(\[\[kpi.*?)^```", README, re.MULTILINE | re.DOTALL)
    catalogue, _ = read_definitions(tomllib.loads(block)["kpi"], BUILT_IN)
    memory, berlin = Memory(BERLIN, catalogue=catalogue), {"shipping_address": {"country_code": "DE"}}
    for number, total in ((1, "100.00"), (2, "99.99")):
        memory.take(event("orders/create", order(number, total, **berlin)))
    assert memory.panes[Hash("x-large-orders", "d", "20261120")] == {"DE.n": 1}


def test_a_definition_becomes_a_kpi_and_a_rollup_beside_the_built_in_ones() -> None:
    """Nothing that was there is lost."""
    catalogue, problems = read_definitions([LEAST], BUILT_IN)
    assert problems == []
    assert catalogue.rollups == (*BUILT_IN.rollups, Rollup("x-own", ("till.opened",), "count"))
    assert catalogue.kpis == (*BUILT_IN.kpis, Kpi("own", "Own", "x-own", Today(), "count",
                                                  "Count of till.opened, today.", "neither"))


def test_no_definitions_leave_the_built_in_catalogue_as_it_is() -> None:
    """Most sites have none."""
    assert read_definitions([], BUILT_IN) == (BUILT_IN, [])


def test_words_that_are_given_are_kept() -> None:
    """Label, sentence, direction and area are the site's."""
    kpi, _ = defined(label="Tills", definition="How often a till was opened.", better="down", area="operations")
    assert (kpi.label, kpi.definition, kpi.better, kpi.area) == (
        "Tills", "How often a till was opened.", "down", "operations")


@pytest.mark.parametrize("said, rollup", [
    ({"measure": "count", "on": ["till.opened", "till.closed"]},
     Rollup("x-own", ("till.closed", "till.opened"), "count")),
    ({"measure": "sum", "value": "litres"}, Rollup("x-own", ("till.opened",), "sum", "litres", scale=1000)),
    ({"measure": "sum", "value": "amount", "unit": "money", "by": ["till", "person"], "cap": 50},
     Rollup("x-own", ("till.opened",), "sum", "amount", ("till", "person"), levels="hd", cap=50)),
    ({"measure": "mean", "value": "took_ms", "unit": "ms"}, Rollup("x-own", ("till.opened",), "mean", "took_ms")),
    ({"measure": "mean", "value": "amount", "on": "order.line"},
     Rollup("x-own", ("order.line",), "mean", "amount")),
    ({"measure": "ratio", "hits": {"forced": True}},
     Rollup("x-own", ("till.opened",), "ratio", hits=(Condition("forced", "=", True),))),
    ({"measure": "stddev", "value": "litres"}, Rollup("x-own", ("till.opened",), "stddev", "litres", scale=1000)),
    ({"measure": "percentile", "value": "ms"}, Rollup("x-own", ("till.opened",), "percentile", "ms", levels="hd")),
    ({"measure": "percentile", "value": "ms", "window": "15m"},
     Rollup("x-own", ("till.opened",), "percentile", "ms", minutes_kept_ms=PERCENTILE_MINUTES_MS)),
    ({"measure": "percentile", "value": "ms", "window": "6h"},
     Rollup("x-own", ("till.opened",), "percentile", "ms", minutes_kept_ms=7 * HOUR_MS)),
    ({"measure": "max", "value": "litres"}, Rollup("x-own", ("till.opened",), "max", "litres", scale=1000)),
    ({"measure": "last", "value": "litres", "window": "now"},
     Rollup("x-own", ("till.opened",), "last", "litres", levels="n", scale=1000)),
    ({"measure": "unique", "of": "person"},
     Rollup("x-own", ("till.opened",), "unique", of="person", levels="hd", hours_kept_ms=UNIQUE_HOURS_MS)),
    ({"measure": "distinct", "of": "person"}, Rollup("x-own", ("till.opened",), "distinct", of="person", levels="hd")),
    ({"measure": "top", "value": "litres", "by": "person"},
     Rollup("x-own", ("till.opened",), "top", "litres", ("person",), levels="hd", cap=TOP_CAP)),
    ({"measure": "sessions", "of": "person", "gap": "10m", "steps": ["till.opened", "till.closed"],
      "on": ["till.opened", "till.closed"]},
     Rollup("x-own", ("till.closed", "till.opened"), "sessions", of="person", gap_ms=10 * MINUTE_MS,
            steps=("till.opened", "till.closed"))),
], ids=lambda value: value.get("measure") if isinstance(value, dict) else "")
def test_each_measure_says_what_is_kept(said: dict[str, Any], rollup: Rollup) -> None:
    """From few words follow levels, caps and scales."""
    assert defined(**said)[1] == rollup


@pytest.mark.parametrize("text, window, words", [
    ("today", Today(), "today"), ("now", Now(), "now"), ("month", Month(), "this month"),
    ("7 days", Days(7), "last 7 days"), ("1 day", Days(1), "today"),
    ("1h", Sliding(HOUR_MS), "last 1h"), ("90m", Sliding(90 * MINUTE_MS), "last 90m"),
    ("1h every 5m", Sliding(HOUR_MS, 5 * MINUTE_MS), "last 1h every 5m"),
    ("24h", Sliding(DAY_MS, HOUR_MS), "last 24h"), ("1d", Sliding(DAY_MS, HOUR_MS), "last 24h"),
    ("7d every 2h", Sliding(7 * DAY_MS, 2 * HOUR_MS), "last 7d every 2h"),
    ("per minute", Tumbling(MINUTE_MS, 60), "per minute"), ("per  hour ", Tumbling(HOUR_MS, 24), "per hour"),
])
def test_a_window_is_written_as_one_says_it(text: str, window: Window, words: str) -> None:
    """And told so again."""
    read = read_window(text, by_hours=False)
    assert (read, window_words(read)) == (window, words)


@pytest.mark.parametrize("window", {kpi.window for kpi in BUILT_IN.kpis}, ids=str)
def test_the_windows_of_the_built_in_kpis_have_words_too(window: Window) -> None:
    """They stand in the same list."""
    assert re.fullmatch(r"[a-z0-9 ]{3,30}", window_words(window))


@pytest.mark.parametrize("window, by, levels", [
    ("today", None, "mhd"), ("month", None, "mhd"), ("7 days", None, "mhd"), ("1h", None, "mhd"),
    ("per minute", None, "mhd"), ("per hour", None, "mhd"), ("24h", None, "hd"), ("now", None, "n"),
    ("today", "till", "hd"), ("month", "till", "hd"), ("1h", "till", "mhd"), ("per minute", "till", "mhd"),
    ("per hour", "till", "hd"), ("48h", "till", "hd"), ("now", "till", "n"),
])
def test_what_is_kept_follows_from_the_window(window: str, by: str | None, levels: str) -> None:
    """Minutes of rows are large: they are kept only for windows that look at minutes."""
    assert defined(window=window, **({"by": by} if by else {}))[1].levels == levels


def test_levels_that_are_given_are_kept() -> None:
    """A site may want less, or a history by the minute."""
    assert (defined(levels="d")[1].levels, defined(by="till", levels="hmd")[1].levels) == ("d", "mhd")


@pytest.mark.parametrize("said, show, unit", [
    ({"measure": "mean", "value": "litres"}, "mean", "count"),
    ({"measure": "mean", "value": "amount", "on": "order.placed", "show": "count"}, "count", "count"),
    ({"measure": "percentile", "value": "ms", "on": "api.request"}, "p95", "ms"),
    ({"measure": "percentile", "value": "ms", "show": "p99.9"}, "p99.9", "count"),
    ({"measure": "ratio", "hits": {"forced": True}}, "", "share"),
    ({"measure": "sessions", "of": "person"}, "count", "count"),
    ({"measure": "sessions", "of": "person", "window": "now"}, "open", "count"),
    ({"measure": "sessions", "of": "person", "show": "duration"}, "duration", "ms"),
    ({"measure": "sum", "value": "amount", "on": "refund.given"}, "", "money"),
], ids=str)
def test_what_is_shown_and_in_which_unit_need_not_be_said(said: dict[str, Any], show: str, unit: str) -> None:
    """Where it follows from the rest."""
    kpi, _ = defined(**said)
    assert (kpi.show, kpi.unit) == (show, unit)


# --- conditions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said, condition", [
    ("web", Condition("at", "=", "web")), (5, Condition("at", "=", 5)), (True, Condition("at", "=", True)),
    (["DE", "AT"], Condition("at", "in", ("DE", "AT"))), (">= 50", Condition("at", ">=", 50)),
    (">49.90", Condition("at", ">", 49.9)), ("< -1", Condition("at", "<", -1)), ("<=  5 ", Condition("at", "<=", 5)),
    ("!= yes", Condition("at", "!=", "yes")), ("!= true", Condition("at", "!=", True)),
    ("!=404", Condition("at", "!=", 404)), ("= >x", Condition("at", "=", ">x")), ("50", Condition("at", "=", "50")),
])
def test_a_condition_is_a_value_a_list_or_a_comparison(said: object, condition: Condition) -> None:
    """As one would write it on paper."""
    assert defined(where={"at": said})[1].where == (condition,)


def test_conditions_in_another_order_count_the_same() -> None:
    """Tidying the file counts nothing anew."""
    one, other = defined(where={"a": 1, "b": 2})[1], defined(where={"b": 2, "a": 1})[1]
    assert one == other


@pytest.mark.parametrize("said, matches", [
    (">= 50", True), ("> 50", False), (50, True), ("!= 50", False), ("< 50.01", True), ([49, 50], True), (5000, False)])
def test_an_amount_is_compared_in_whole_units_of_its_currency(said: object, matches: bool) -> None:
    """Not in cents: 50 is fifty euros."""
    (condition,) = defined(on="order.placed", where={"amount": said})[1].where
    assert condition.matches({"amount": [5000, "EUR"]}) is matches


@pytest.mark.parametrize("minor, currency", [(4990, "EUR"), (49900, "KWD")])
def test_cents_are_compared_exactly(minor: int, currency: str) -> None:
    """49.90 is 49.90, however many digits a currency has."""
    condition = MoneyCondition("amount", "=", 49.9)
    assert (condition.matches({"amount": [minor, currency]}), condition.matches({"amount": [minor + 1, currency]})) == (
        True, False)


def test_an_amount_without_a_currency_is_a_plain_number() -> None:
    """A site's own events may have one."""
    (condition,) = defined(where={"amount": "> 5"})[1].where
    assert [condition.matches(fields) for fields in ({"amount": 6}, {"amount": 5}, {"amount": "6"}, {})] == [
        True, False, False, False]


# --- rollups that are shared ------------------------------------------------------------------------------------


@pytest.mark.parametrize("said, shared", [
    ({"on": "order.placed"}, "orders"),
    ({"on": "order.placed", "window": "7 days"}, "orders"),
    ({"on": ["refund.given", "order.placed", "order.cancelled"], "measure": "sum", "value": "amount"}, "revenue"),
    ({"on": "api.request", "measure": "ratio", "hits": {"status": ">= 500"}, "by": "endpoint"}, "api-errors"),
    ({"on": "api.request", "measure": "percentile", "value": "ms", "window": "1h", "show": "p50"}, "api"),
    ({"on": "order.line", "measure": "top", "value": "pieces", "by": "product", "window": "7 days"}, "pieces"),
    ({"on": "order.open", "by": "waits_for", "window": "now"}, "waiting"),
], ids=str)
def test_what_is_counted_already_is_not_counted_twice(said: dict[str, Any], shared: str) -> None:
    """Another window of the same is another reading, no other count."""
    kpi, rollup = defined(**said)
    assert (kpi.rollup, rollup) == (shared, BUILT_IN.rollup(shared))


def test_two_definitions_of_one_count_share_it() -> None:
    """The first one names it."""
    catalogue, _ = read_definitions([LEAST, LEAST | {"id": "other", "window": "7 days"}], BUILT_IN)
    assert [kpi.rollup for kpi in catalogue.kpis[-2:]] == ["x-own", "x-own"]
    assert len(catalogue.rollups) == len(BUILT_IN.rollups) + 1


@pytest.mark.parametrize("said", [
    {"where": {"channel": "web"}}, {"by": "country"}, {"on": ["order.placed", "order.cancelled"]},
    {"measure": "sum", "value": "amount"}, {"window": "now"},
], ids=str)
def test_what_differs_in_anything_is_counted_apart(said: dict[str, Any]) -> None:
    """Orders by country are not orders."""
    assert defined(**{"on": "order.placed"} | said)[0].rollup == "x-own"


# --- what is wrong ----------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    """Nobody should have to start five times to read five sentences."""
    tables = [{"id": "Own", "measure": "cuont", "on": "order.placed", "window": "2 weeks", "better": "more"},
              LEAST | {"unit": "pounds"}]
    found = read_definitions(tables, BUILT_IN)[1]
    assert [(problem.index, problem.field) for problem in found] == [
        (0, "id"), (0, "measure"), (0, "window"), (0, "better"), (0, "label"), (1, "unit")]


@pytest.mark.parametrize("said, problem", [
    ({"id": "Returns today"}, 'id is "Returns today": expected at most 40 small letters, digits and hyphens, '
                              'e.g. "returns-today"'),
    ({"id": None}, 'id is missing: expected at most 40 small letters, digits and hyphens, e.g. "returns-today"'),
    ({"id": "orders-today"}, "id is that of a built-in KPI: expected another"),
    ({"label": ""}, 'label is "": expected a text of 1 to 40 characters, on one line'),
    ({"label": "x" * 41}, f'label is "{"x" * 40}": expected a text of 1 to 40 characters, on one line'),
    ({"definition": "one\ntwo"}, r"definition is 'one\ntwo': expected a text of 1 to 400 characters, on one line"),
    ({"lable": "x"}, "lable is no field of a KPI (did you mean label?): expected id, label, on, where, measure, "
                     "window, unit, better, area, definition, levels, value, of, by, hits, show, gap, steps, cap or "
                     "least"),
    ({"better": "higher"}, 'better is "higher": expected up, down or neither'),
    ({"area": "sale"}, 'area is "sale": expected sales, operations or technology (did you mean sales?)'),
    ({"unit": "euros"}, 'unit is "euros": expected orders, money, share, ms, visitors, customers, sessions, pieces '
                        "or count"),
    ({"unit": "money"}, 'unit is "money", but count is told in another: expected orders, visitors, customers, '
                        "sessions, pieces or count"),
    ({"measure": "avg"}, 'measure is "avg": expected count, sum, mean, ratio, stddev, percentile, min, max, last, '
                         "unique, distinct, top or sessions"),
    ({"measure": None}, "measure is missing: expected count, sum, mean, ratio, stddev, percentile, min, max, last, "
                        "unique, distinct, top or sessions"),
    ({"measure": "distnct", "of": "x"}, 'measure is "distnct": expected count, sum, mean, ratio, stddev, percentile, '
                                        "min, max, last, unique, distinct, top or sessions (did you mean distinct?)"),
], ids=str)
def test_a_wrong_word_is_told_with_a_right_one(said: dict[str, Any], problem: str) -> None:
    """One sentence: which field, what stood there, what would be right."""
    assert wrong(**said) == [problem]


@pytest.mark.parametrize("said, problem", [
    ({"on": None}, 'on is missing: expected a fact, e.g. "order.placed", or a list of up to 20'),
    ({"on": []}, 'on is a list: expected a fact, e.g. "order.placed", or a list of up to 20'),
    ({"on": "order.updated"}, 'on is "order.updated", which a shop sends: expected what it tells, order.placed, '
                              'order.cancelled, order.line, order.open, order.completed, refund.given, order.edited, '
                              'order.held or order.quoted'),
    ({"on": "payment.tried"}, 'on is "payment.tried", which a shop sends: expected what it tells, payment.attempted or '
                              'payment.received'),
    ({"on": "parcel.tracked"}, 'on is "parcel.tracked", which a shop sends: expected what it tells, parcel.moved'),
    ({"on": "refund_given"}, 'on is "refund_given", and no fact is called so (did you mean refund.given?): expected '),
    ({"on": "till opened"}, 'on is "till opened", and no fact is called so: expected '),
], ids=str)
def test_what_cannot_be_a_fact_is_told(said: dict[str, Any], problem: str) -> None:
    """A name of another form is in no event."""
    (told,) = wrong(**said)
    assert told.startswith(problem)


def test_a_fact_nobody_knows_is_told_with_those_that_are_known() -> None:
    """And that a site may name its own."""
    (told,) = wrong(on="till opened")
    assert told == (f'on is "till opened", and no fact is called so: expected {", ".join(FACTS)}, '
                    "or the type of your own events, e.g. till.opened")


def test_facts_of_a_sites_own_are_noted_with_what_may_have_been_meant() -> None:
    """They are allowed, for sites post what they like; only the site knows whether it is a slip of the pen."""
    _, rollup = defined(on=["order.placd", "order.placed", "till.opened"])
    assert unheard_of(rollup) == ["order.placd (did you mean order.placed?)", "till.opened"]


ORDER_FIELDS = "amount, goods, customer, checkout, order, country, region or channel"


@pytest.mark.parametrize("said, problem", [
    ({"on": "refund.given", "by": "country"}, 'by is "country", which refund.given does not have: expected amount'),
    ({"on": "order.placed", "by": "contry"},
     f'by is "contry", which order.placed does not have (did you mean country?): expected {ORDER_FIELDS}'),
    ({"on": ["order.placed", "page.viewed"], "measure": "distinct", "of": "custmer"},
     f'of is "custmer", which order.placed does not have (did you mean customer?): expected {ORDER_FIELDS}'),
    ({"on": "order.placed", "where": {"chanel": "web"}},
     f"where.chanel is asked of order.placed, which does not have it (did you mean channel?): expected {ORDER_FIELDS}"),
    ({"on": "order.placed", "by": "amount"},
     'by is "amount", which is money: expected a text, such as customer, checkout, order, country, region or channel'),
    ({"by": ["a", "b", "c"]}, "by is a list: expected a field or a list of up to 2"),
    ({"measure": "top", "value": "litres", "by": ["a", "b"]}, "by is a list: expected a field"),
    ({"on": "order.placed", "measure": "sum", "value": "country"},
     'value is "country", which is text: expected a number, such as amount or goods'),
    ({"measure": "sum", "value": 5}, "value is 5: expected a field that is a number"),
], ids=str)
def test_a_field_that_a_fact_does_not_have_is_told(said: dict[str, Any], problem: str) -> None:
    """A number that nothing ever moves looks like a quiet day."""
    assert wrong(**said) == [problem]


@pytest.mark.parametrize("said, problem", [
    ({"measure": "sum"}, 'value is missing: sum needs the number to measure, e.g. value = "amount"'),
    ({"measure": "ratio"},
     'hits is missing: ratio needs which of the facts are above its line, e.g. hits = { status = ">= 500" }'),
    ({"measure": "unique"}, 'of is missing: unique needs the field whose values are told apart, e.g. of = "visitor"'),
    ({"measure": "top", "value": "litres"},
     'by is missing: top needs the field that names its members, e.g. by = "product"'),
    ({"measure": "sessions"}, 'of is missing: sessions needs the field that says whose they are, e.g. of = "visitor"'),
    ({"value": "amount"}, "value is not for count: leave it out, or measure sum, mean, stddev, percentile, min, max, "
                          "last, top or sessions"),
    ({"hits": {"status": 500}}, "hits is not for count: leave it out, or measure ratio"),
    ({"gap": "soon"}, "gap is not for count: leave it out, or measure sessions"),
    ({"measure": "distinct", "of": "person", "by": "till"}, "by is not for distinct: leave it out, or measure count, "
     "sum, mean, ratio, stddev, percentile, min, max, last or top"),
    ({"measure": "ratio", "hits": {}}, 'hits is empty: expected e.g. { status = ">= 500" }'),
    ({"cap": 50}, "cap bounds rows, and there are none: leave it out, or say by which field"),
    ({"by": "till", "cap": 5001}, "cap is 5001: expected a whole number from 1 to 5000"),
    ({"measure": "ratio", "hits": {"a": 1}, "least": True}, "least is true: expected a whole number from 1 to 1000000"),
    ({"measure": "mean", "value": "litres", "show": "median"}, 'show is "median": expected mean, count or sum'),
    ({"measure": "percentile", "value": "ms", "show": "p100"},
     'show is "p100": expected p95, count or any such as p50 or p99.9'),
], ids=str)
def test_what_a_measure_needs_and_what_it_does_not_take_is_told(said: dict[str, Any], problem: str) -> None:
    """A mean of nothing, a share without a line."""
    assert wrong(**said) == [problem]


@pytest.mark.parametrize("measure, fact, instead", [
    ("min", "order.completed", 'use "mean", or "percentile" with show = "p1" or "p99"'),
    ("max", "order.completed", 'use "mean", or "percentile" with show = "p1" or "p99"'),
    ("last", "order.completed", 'use "sum" with window = "now", or "mean"'),
    ("unique", "order.completed", 'use "distinct"'),
])
def test_what_cannot_be_taken_back_is_not_measured_of_facts_that_may_be(measure: str, fact: str, instead: str) -> None:
    """What a smaller value hid was never kept: see measures.py."""
    of = {"of": "country"} if measure == "unique" else {"value": "took_ms"}
    assert wrong(measure=measure, on=["till.opened", fact], **of) == [
        f'measure is "{measure}", but {fact} may be changed or taken back: {instead}']


@pytest.mark.parametrize("fact, of", [("order.placed", "customer"), ("delivery.arrived", "source"),
                                      ("stage.entered", "person"), ("inventory.changed", "sku")])
def test_sessions_are_of_events_only(fact: str, of: str) -> None:
    """An order is no visit, and stock does not come and go."""
    assert wrong(measure="sessions", on=fact, of=of) == [
        f'measure is "sessions", but {fact} is of no visitor: count facts such as page.viewed or user.active']


@pytest.mark.parametrize("said, problem", [
    ({"window": None}, 'window is missing: expected today, now, month, "7 days", "1h", "1h every 5m", "per minute" or '
                       '"per hour"'),
    ({"window": "2 weeks"}, 'window is "2 weeks": expected today, now, month, "7 days", "1h", "1h every 5m", '
                            '"per minute" or "per hour"'),
    ({"window": "30s"}, 'window is "30s": expected today, now, month, "7 days", "1h", "1h every 5m", "per minute" or '
                        '"per hour"'),
    ({"window": "367 days"}, 'window is "367 days": expected at most "366 days"'),
    ({"window": "30d"}, 'window is "30d": expected at most "7d", or business days, "30 days"'),
    ({"window": "25h every 5m"}, 'window is "25h every 5m": expected whole hours, e.g. "24h" or "24h every 2h", as it '
                                 "is kept by the hour"),
    ({"window": "5m every 1h"}, 'window is "5m every 1h": expected steps of at most 5m, as longer ones leave gaps'),
    ({"window": "now", "measure": "mean", "value": "x"},
     'window is "now", which is for count, sum, last and sessions: expected e.g. "today" or "24h" of mean'),
    ({"window": "per minute", "measure": "unique", "of": "x"},
     'window is "per minute", but unique is kept by the hour: expected e.g. "per hour", "24h" or "today"'),
    ({"window": "90m", "measure": "top", "value": "x", "by": "y"},
     'window is "90m": expected whole hours, e.g. "24h" or "24h every 2h", as it is kept by the hour'),
    ({"levels": "xy"}, 'levels is "xy": expected some of n for now, m for minutes, h for hours and d for days, e.g. '
                       '"mhd"'),
    ({"levels": "h"}, 'levels is "h": expected d among them, e.g. "mhd"'),
    ({"levels": "md"}, 'levels is "md": expected h among them, e.g. "mhd"'),
    ({"levels": "hd", "window": "1h"}, 'levels is "hd": expected m among them, e.g. "mhd"'),
    ({"levels": "mhd", "window": "now"}, 'levels is "mhd": expected n among them, e.g. "n"'),
    ({"levels": "mhd", "measure": "unique", "of": "x"},
     'levels is "mhd": expected some of h for hours and d for days, e.g. "hd"'),
], ids=str)
def test_a_window_that_cannot_be_read_is_told(said: dict[str, Any], problem: str) -> None:
    """With one that can."""
    assert wrong(**said) == [problem]


@pytest.mark.parametrize("said, problem", [
    ({"where": "web"}, 'where is "web": expected a table, e.g. { channel = "web", amount = ">= 50" }'),
    ({"where": {"amount": ">= fifty"}}, 'where.amount is ">= fifty": expected a number after >=, e.g. ">= 50"'),
    ({"where": {"amount": ">="}}, 'where.amount is ">=": expected a value after >=, e.g. ">= 50"'),
    ({"where": {"amount": "lots"}},
     'where.amount is "lots": expected a number or a comparison, e.g. ">= 50", as amount is a number'),
    ({"where": {"channel": ">= 5"}}, 'where.channel is ">= 5": expected =, != or a list, as channel is text'),
    ({"where": {"channel": 5}}, "where.channel is 5: expected a text in quotes, as channel is text"),
    ({"where": {"channel": []}}, "where.channel is a list: expected a list of 1 to 100 values"),
    ({"where": {"channel": {"is": "web"}}}, "where.channel is a table: expected a text, a number, true or false, a "
                                            'list of them, or a comparison, e.g. ">= 50"'),
    ({"where": {"amount": float("nan")}}, "where.amount is nan: expected a text, a number, true or false, a list of "
                                          'them, or a comparison, e.g. ">= 50"'),
    ({"on": "refund.given", "where": {"amount": "> 50"}},
     'where.amount is never above zero in refund.given: expected e.g. "<= -50"'),
], ids=str)
def test_a_condition_that_no_fact_meets_is_told(said: dict[str, Any], problem: str) -> None:
    """Not discovered on the board a week later."""
    assert wrong(**{"on": "order.placed"} | said) == [problem]


@pytest.mark.parametrize("said, problem", [
    ({"on": "order.placed", "measure": "percentile", "value": "amount"},
     'value is "amount", which is money, and percentile knows no currencies: expected a plain number, or the measure '
     "mean"),
    ({"on": "order.placed", "measure": "top", "value": "goods", "by": "country"},
     'value is "goods", but top adds up amounts only: expected amount'),
    ({"on": "order.placed", "measure": "sum", "value": "amount", "unit": "orders"},
     'unit is "orders", but sum of amount is told in another: expected money'),
    ({"measure": "sum", "value": "litres", "unit": "money"}, 'unit is "money", but sum of litres is told in another: '
     "expected orders, visitors, customers, sessions, pieces, count, ms or share"),
    ({"measure": "top", "value": "amount", "by": "person", "unit": "pieces"},
     'unit is "pieces", but top of amount is told in another: expected money'),
    ({"measure": "mean", "value": "amount", "on": "order.placed", "show": "count", "unit": "money"},
     'unit is "money", but count is told in another: expected orders, visitors, customers, sessions, pieces or count'),
    ({"measure": "sum", "value": "amount"}, "unit is missing: expected money if till.opened name a currency, else "
                                            "orders, visitors, customers, sessions, pieces, count, ms or share"),
    ({"measure": "ratio", "hits": {"a": 1}, "unit": "count"},
     'unit is "count", but ratio is told in another: expected share'),
], ids=str)
def test_money_is_told_as_money_and_nothing_else_is(said: dict[str, Any], problem: str) -> None:
    """Two currencies are never added, and a number without one is no money."""
    assert wrong(**said) == [problem]


VISITS = {"on": ["page.viewed", "checkout.completed"], "measure": "sessions", "of": "visitor"}


@pytest.mark.parametrize("said, problem", [
    ({"show": "converted"}, 'show is "converted", which needs steps: expected e.g. '
                            'steps = ["page.viewed", "checkout.completed"]'),
    ({"show": "mean"}, 'show is "mean", which needs a value: expected value = "amount"'),
    ({"show": "open"}, 'show is "open", but what is open is asked of now: expected show = "open" together with '
                       'window = "now"'),
    ({"show": "count", "window": "now"}, 'show is "count", but what is open is asked of now: expected show = "open" '
                                         'together with window = "now"'),
    ({"steps": ["page.viewed"]}, "steps is a list: expected a list of 2 to 20 different facts, the first step first"),
    ({"steps": ["page.viewed", "page.viewd"]}, 'steps has "page.viewd", which on does not have (did you mean '
                                               "page.viewed?): expected checkout.completed or page.viewed"),
    ({"gap": "2d"}, 'gap is "2d": expected a duration from "1m" to "24h"'),
    ({"value": "total"}, 'value is "total", but sessions adds up amounts only: expected amount'),
    ({"show": "step3", "steps": ["page.viewed", "checkout.completed"]},
     'show is "step3": expected count, open, events, duration, converted, funnel, mean, sum, step1 or step2'),
], ids=str)
def test_what_sessions_cannot_show_is_told(said: dict[str, Any], problem: str) -> None:
    """Steps, money and what is open have to be there first."""
    assert wrong(**VISITS | said) == [problem]


def test_an_id_may_be_given_once() -> None:
    """One id from end to end."""
    assert read_definitions([LEAST, LEAST], BUILT_IN)[1] == [
        Problem(1, "id", "id is that of an earlier KPI: expected another")]


def test_too_many_kpis_are_told() -> None:
    """Each is counted with every event."""
    tables = [LEAST | {"id": f"own-{number}"} for number in range(MOST_KPIS + 1)]
    catalogue, problems = read_definitions(tables, BUILT_IN)
    assert (len(catalogue.kpis) - len(BUILT_IN.kpis), problems) == (
        MOST_KPIS, [Problem(MOST_KPIS, "", "a site may have 200 KPIs of its own, and this is one more")])


def test_the_good_ones_are_read_beside_the_wrong_ones() -> None:
    """So that what is wrong with the others can be told too."""
    catalogue, problems = read_definitions([5, {}, LEAST], BUILT_IN)
    assert (catalogue.kpis[-1].id, {problem.index for problem in problems}) == ("own", {0, 1})


# --- lines ------------------------------------------------------------------------------------------------------

TOML = '''\
port = 1
text = """
[[kpi]]
id = "in a text"
"""
[[kpi]]  # the first
id = "one"
"where" = { amount = 1 }

[kpi.hits]
status = 500

[other]
id = 1
[[ kpi ]]
  id = "two"
  where.amount = 5
'''


def test_tables_and_fields_are_found_by_line() -> None:
    """tomllib does not tell where anything stood."""
    assert lines_of(TOML) == [{"": 6, "id": 7, "where": 8, "hits": 10, "hits.status": 11},
                              {"": 15, "id": 16, "where.amount": 17, "where": 17}]


@pytest.mark.parametrize("field, line", [("id", 7), ("where.amount", 8), ("hits.status", 11), ("label", 6), ("", 6)])
def test_what_has_no_line_of_its_own_has_that_of_what_it_is_part_of(field: str, line: int) -> None:
    """What is missing is told at the head of the table."""
    assert line_of(field, lines_of(TOML)[0]) == line


# --- anything whatever ------------------------------------------------------------------------------------------

WORDS = st.sampled_from([*LEAST.values(), "order.placed", "refund.given", "page.viewed", "amount", "visitor", "1h",
                         "now", "sum", "mean", "ratio", "percentile", "max", "unique", "top", "sessions", "p95"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=50) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4), max_leaves=8)
NAMES = st.sampled_from(["id", "label", "on", "where", "measure", "window", "unit", "better", "area", "definition",
                         "levels", "value", "of", "by", "hits", "show", "gap", "steps", "cap", "least"])


@given(st.lists(VALUES | st.dictionaries(NAMES | st.text(max_size=10), VALUES | WORDS), max_size=4))
def test_nothing_whatever_breaks_the_reading(tables: list[Any]) -> None:
    """Each table is a KPI, or something is told of it."""
    catalogue, problems = read_definitions(tables, BUILT_IN)
    told = {problem.index for problem in problems}
    assert len(tables) - len(told) == len(catalogue.kpis) - len(BUILT_IN.kpis)
    assert [problem.text for problem in problems if "\n" in problem.text or len(problem.text) > 1_000] == []


@given(st.text(alphabet="[]kpi=\"'#. \n\\a", max_size=200))
def test_no_text_whatever_breaks_the_looking_for_lines(text: str) -> None:
    """Nor does one that is no TOML."""
    assert all(0 < line <= len(text.splitlines()) for lines in lines_of(text) for line in lines.values())
