"""Which tile shows what, and what it says: readings as the engine gives them, made into views."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Kpi, Now, Rollup, Today
from opsmon.core.goods import Stock, Supply
from opsmon.core.kpis import BUILT_IN, KPIS
from opsmon.core.panes import OTHER
from opsmon.core.readings import Point, Reading, Row
from opsmon.web.tile_shapes import ColumnsView, ErrorsView, FunnelView, LastView, RankedView, SharesView, StripView
from opsmon.web.tile_shown import Limit
from opsmon.web.tile_views import TileView, choose, kpis_beside, tile_view
from opsmon.web.tile_words import filled_by
from opsmon.web.views import KpiView
from opsmon.web.wording import Wording

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
ENGLISH = Wording("en_GB", BERLIN)
NOW_MS = 1_763_730_202_000

KINDS = {
    "ranked": {"largest-orders", "revenue-by-country", "revenue-by-region", "orders-by-region", "top-products",
               "top-pieces", "output-by-line", "output-by-station", "output-by-person", "stage-times",
               "scans-by-person", "scans-by-station", "function-p95", "lag-by-source"},
    "shares": {"revenue-by-channel", "orders-by-channel", "orders-by-custom", "customer-tiers", "channels-30d",
               "countries-30d", "custom-30d"},
    "columns": {"order-ages", "pipeline", "waiting", "orders-on-hold", "parcels", "returns-open", "disputes-open",
                "transfers-by-state", "production-by-state", "quotations-by-state"},
    "funnel": {"funnel-today"},
    "errors": {"api-errors"},
    "bullet": {"revenue-outlook", "orders-outlook"},
    "map": {"orders-by-country"},
    "last": {"stock", "queues", "gauges", "counters"},
}


def reading(kpi_id: str, *rows: tuple[str, float | None], samples: tuple[int, ...] = (), **more: Any) -> Reading:
    counts = samples or (None,) * len(rows)
    told = tuple(Row(name, value, count) for (name, value), count in zip(rows, counts, strict=True))
    known = {"value": None, "currency": "EUR", "start_ms": NOW_MS, "end_ms": NOW_MS, "complete": False}
    return Reading(kpi=BUILT_IN.kpi_by_id[kpi_id], rows=told, **(known | more))


def tile(kpi_id: str, *rows: tuple[str, float | None], wording: Wording = ENGLISH, is_behind: bool = False,
         limits: dict[str, Limit] | None = None, samples: tuple[int, ...] = (), **more: Any) -> Any:
    return tile_view(reading(kpi_id, *rows, samples=samples, **more), wording, "Europe/Berlin", is_behind=is_behind,
                     limits=limits)


def names(view: Any) -> list[str]:
    return [row.name for row in view.rows]


# --- the choice --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.id)
def test_every_number_has_its_tile(kpi: Kpi) -> None:
    """What is told by rows is shown by rows; all else is a number."""
    expected = next((kind for kind, ids in KINDS.items() if kpi.id in ids), "number")
    expected = "rate" if kpi.id == "orders-per-minute" else expected
    assert tile(kpi.id, series=(Point(0, 1, None),) * 60).kind == expected


def test_a_number_of_a_sites_own_is_shown_by_its_rollup() -> None:
    """A KPI of opsmon.toml gets the tile of its measure without a line of code."""
    rollup = Rollup("returns-by-shelf", on=("shelf.returned",), measure="count", by=("shelf",), levels="n")
    kpi = Kpi("returns-by-shelf", "Returns by shelf", rollup.id, Now(), "count", "Returns.")
    own = replace(reading("orders-today", ("A1", 3)), kpi=kpi)
    assert isinstance(tile_view(own, ENGLISH, "UTC", is_behind=False, rollup=rollup), ColumnsView)


def test_a_number_of_an_unknown_rollup_is_a_plain_number() -> None:
    """Better a number than nothing."""
    own = replace(reading("orders-today", value=3), kpi=Kpi("x", "X", "not-there", Today(), "count", "X."))
    view = tile_view(own, ENGLISH, "UTC", is_behind=False)
    assert isinstance(view, KpiView) and view.text == "3"


def test_the_choice_is_made_by_kpi_and_rollup_alone() -> None:
    """So that a board knows a tile's kind before there is anything to show."""
    kpi = BUILT_IN.kpi_by_id["orders-today"]
    assert choose(kpi, BUILT_IN.rollup(kpi.rollup)) is None


@pytest.mark.parametrize("kpi_id", sorted({one for ids in KINDS.values() for one in ids}))
def test_an_empty_tile_says_which_source_would_fill_it(kpi_id: str) -> None:
    """Never a blank, and never a spinner."""
    view = tile(kpi_id)
    assert (view.state, view.note, view.sentence, "Filled by " in view.empty) == ("empty", "", "", True)


@pytest.mark.parametrize("kpi_id", sorted({one for ids in KINDS.values() for one in ids}))
def test_a_tile_says_that_events_wait(kpi_id: str) -> None:
    """A number that lags does not look like the present."""
    assert tile(kpi_id, ("a", 2), is_behind=True, samples=(30,)).state == "catching-up"


def test_what_fills_a_tile_is_named_by_the_longest_name_that_fits() -> None:
    """Orders on hold come from Shopify alone, orders from any shop."""
    assert [filled_by(BUILT_IN.rollup(name), ENGLISH) for name in ("holds", "opsmon")] == ["Filled by Shopify.", ""]


# --- ranked ------------------------------------------------------------------------------------------------


def test_a_ranked_table_has_ten_rows_and_the_rest() -> None:
    """The eleventh and what was `other` already are one row, the last."""
    rows = [(f"p{at:02}", 20 - at) for at in range(12)]
    view: RankedView = tile("orders-by-region", *rows, (OTHER, 5))
    assert (names(view)[-2:], view.rows[-1].text, view.rows[-1].is_other) == (["p09", "Other"], "24", True)


def test_shares_are_of_the_whole_and_bars_beside_the_longest() -> None:
    """60 of 90 is two thirds, and the longest bar."""
    first, second = tile("orders-by-region", ("DE-BE", 60), ("AT-9", 30)).rows
    assert [(one.share, one.width) for one in (first, second)] == [("67%", "100%"), ("33%", "50%")]


def test_the_best_of_many_have_no_share() -> None:
    """Of ten products asked for and ten told nobody knows the whole."""
    view: RankedView = tile("top-products", *((f"p{at}", 10 - at) for at in range(10)))
    assert {row.share for row in view.rows} == {""}


def test_all_products_there_are_have_a_share() -> None:
    """Fewer than were asked for: that is all of them."""
    assert [row.share for row in tile("top-products", ("Mug", 300), ("Pot", 100)).rows] == ["75%", "25%"]


def test_a_rest_in_the_midst_of_a_ranking_stands_last() -> None:
    """A sorted set ranks it as if it were one product."""
    assert names(tile("top-products", ("Mug", 300), (OTHER, 200), ("Pot", 100))) == ["Mug", "Pot", "Other"]


def test_an_amount_below_zero_takes_the_shares_away() -> None:
    """A whole of which something was taken back has no parts."""
    view: RankedView = tile("revenue-by-country", ("DE", 300), ("AT", -100))
    assert [(row.share, row.width) for row in view.rows] == [("", "100%"), ("", "0%")]


def test_an_hour_that_runs_stands_beside_the_one_before() -> None:
    """Three minutes of an hour say little."""
    view: RankedView = tile("output-by-line", ("A", 30), ("B", 11), series=(Point(0, 1, 88), Point(1, 2, 41)))
    assert view.note == "41 this hour, 88 in the hour before"


def test_means_do_not_add_up() -> None:
    """Times by stage have neither a share nor a rest."""
    view: RankedView = tile("stage-times", *((f"s{at}", HOUR_MS * (20 - at)) for at in range(12)))
    assert (len(view.rows), view.rows[0].share, view.note) == (10, "", "10 of 12")


def test_countries_have_their_names() -> None:
    """In the words of the reader's language; what no order told is said too."""
    view: RankedView = tile("revenue-by-country", ("DE", 3), ("", 1), wording=Wording("de", BERLIN))
    assert names(view) == ["Deutschland", "Keine Angabe"]


def test_the_sentence_names_who_is_first() -> None:
    """What a sighted reader sees at a glance."""
    assert tile("orders-by-region", ("DE-BE", 60), ("AT-9", 30)).sentence == "DE-BE comes first with 60"


# --- funnel ------------------------------------------------------------------------------------------------


STEPS = (("page.viewed", 400), ("cart.updated", 80), ("checkout.started", 40), ("checkout.completed", 30))


def test_a_step_is_told_beside_the_one_before() -> None:
    """80 of 400, 40 of 80, 30 of 40."""
    view: FunnelView = tile("funnel-today", *STEPS)
    assert [(step.name, step.text, step.share) for step in view.steps] == [
        ("Visit", "400", ""), ("Cart", "80", "20%"), ("Checkout", "40", "50%"), ("Payment", "30", "75%")]


def test_a_funnel_says_where_most_are_lost() -> None:
    """By share, not by number, and in words."""
    view: FunnelView = tile("funnel-today", *STEPS)
    assert [step.is_steepest for step in view.steps] == [False, True, False, False]
    assert view.sentence == "30 of 400 visits got to the last step; most are lost between Visit and Cart"


def test_a_funnel_of_which_nobody_dropped_out_marks_no_step() -> None:
    """There is nothing to mend."""
    view: FunnelView = tile("funnel-today", *((name, 3) for name, _ in STEPS))
    assert not any(step.is_steepest for step in view.steps)


def test_after_a_step_nobody_took_there_is_no_share() -> None:
    """Nothing divided by nothing is not 0 %."""
    view: FunnelView = tile("funnel-today", *((name, int(not at)) for at, (name, _) in enumerate(STEPS)))
    assert [step.share for step in view.steps] == ["", "0%", "", ""]


# --- columns -----------------------------------------------------------------------------------------------


def test_columns_stand_in_the_order_of_the_work() -> None:
    """However many are in them: none changes its place as counts change."""
    view: ColumnsView = tile("pipeline", ("shipped", 128), ("packing", 34), ("picking", 12), ("Zebra", 300))
    assert [one.name for one in view.columns] == ["picking", "packing", "shipped", "Zebra"]


def test_the_fullest_column_is_the_highest() -> None:
    """Zero-based, the fullest as high as there is room."""
    view: ColumnsView = tile("pipeline", ("packing", 30), ("picking", 12))
    assert [(one.y, one.height) for one in view.columns] == [("60%", "40%"), ("0%", "100%")]


def test_too_many_states_are_eight_columns() -> None:
    """The seven largest and the rest."""
    view: ColumnsView = tile("pipeline", *((f"s{at}", 20 - at) for at in range(10)))
    assert [one.name for one in view.columns] == [*(f"s{at}" for at in range(7)), "Other"]
    assert view.columns[-1].text == "36"


def test_a_state_over_its_limit_is_marked_in_words() -> None:
    """Each state may have its own."""
    view: ColumnsView = tile("pipeline", ("picking", 40), ("packing", 40), limits={"packing": Limit(30)})
    assert {one.name: one.warning for one in view.columns} == {"picking": "", "packing": "over 30"}


def test_states_that_programs_write_are_read_by_people() -> None:
    """in_transit is not a word."""
    assert [one.name for one in tile("parcels", ("in_transit", 2)).columns] == ["In transit"]


# --- shares ------------------------------------------------------------------------------------------------


def test_parts_follow_each_other_without_a_gap() -> None:
    """The second begins where the first ends."""
    view: SharesView = tile("orders-by-custom", ("new", 25), ("returning", 75))
    assert [(one.name, one.x, one.width, one.tone) for one in view.segments] == [
        ("Returning", "0%", "75%", 1), ("New", "75%", "25%", 2)]


def test_a_whole_has_five_parts_at_most() -> None:
    """Four and the rest, which has a fill of its own."""
    view: SharesView = tile("orders-by-channel", *((f"c{at}", 9 - at) for at in range(7)))
    assert [(one.name, one.tone) for one in view.segments][-2:] == [("C3", 4), ("Other", 5)]


# --- errors, last values -----------------------------------------------------------------------------------


def test_an_endpoint_says_how_many_of_how_many() -> None:
    """A share of a few is not like a share of many."""
    row = tile("api-errors", ("/cart", 0.025), samples=(400,)).rows[0]
    assert (row.name, row.text, row.detail) == ("/cart", "2.5%", "10 of 400")


def test_an_endpoint_hardly_used_has_no_share() -> None:
    """And stands behind those that have one."""
    view: ErrorsView = tile("api-errors", ("/new", None), ("/cart", 0.0), samples=(3, 400))
    assert [(row.name, row.text) for row in view.rows] == [("/cart", "0%"), ("/new", "too few")]


def test_stock_begins_with_what_is_lowest() -> None:
    """And says where it lies."""
    view: LastView = tile("stock", ("MUG|Berlin", 41), ("POT|Wien", 3))
    assert [(row.name, row.detail, row.text) for row in view.rows] == [("POT", "Wien", "3"), ("MUG", "Berlin", "41")]


def supply(available: int, sold: int | None, sku: str = "MUG", name: str = "", places: tuple[str, ...] = ("hall",)
           ) -> Supply:
    return Supply(sku, name, places, available, sold)


def shelves(*supplies: Supply, days: int = 14, wording: Wording = ENGLISH, limits: dict[str, Limit] | None = None,
            **more: Any) -> Any:
    return tile("stock", stock=Stock(supplies, days, **more), wording=wording, limits=limits)


@pytest.mark.parametrize("available, sold, english, german, japanese", [
    (9, 28, "4 days left", "noch 4 Tage", "あと4日"), (2, 28, "1 day left", "noch 1 Tag", "あと1日"),
    (1, 28, "under a day left", "unter einem Tag", "1日未満"), (0, 28, "out", "leer", "在庫切れ"),
    (-3, 0, "out", "leer", "在庫切れ"), (9, 0, "not sold lately", "zuletzt nicht verkauft", "最近販売なし"),
    (9, None, "sales not known", "Absatz unbekannt", "販売数不明"),
    (365, 14, "over a year left", "über ein Jahr", "1年以上")])
def test_stock_says_for_how_long_it_lasts(available: int, sold: int | None, english: str, german: str,
                                          japanese: str) -> None:
    """In words, without a gauge."""
    assert [shelves(supply(available, sold), wording=Wording(locale, BERLIN)).rows[0].text
            for locale in ("en_GB", "de", "ja")] == [english, german, japanese]


def test_stock_says_how_much_of_what_lies_where() -> None:
    """The product by its name, then pieces, SKU and places; how it is sorted, and by which days."""
    view: LastView = shelves(supply(1_200, 28, "MUG", "Ceramic mug", ("attic", "hall")),
                             supply(4, 2, "POT", "", ("a", "b", "c")))
    assert [(row.name, row.under) for row in view.rows] == [
        ("Ceramic mug", "1,200 pieces, MUG, attic + hall"), ("POT", "4 pieces, 3 locations")]
    assert view.note == "shortest first, by sales of the last 14 days"


def test_without_a_pace_stock_is_as_it_was_told() -> None:
    """Pieces, the lowest first, and when it will be known how long they last."""
    view: LastView = shelves(supply(9, None), supply(3, None, "POT"), days=0)
    assert ([(row.name, row.text) for row in view.rows], view.note) == (
        [("POT", "3 pieces"), ("MUG", "9 pieces")],
        "lowest first; how long it lasts is known after 3 whole days of sales")


def test_of_one_location_stock_says_why_no_days_are_told() -> None:
    """Sales do not say from which shelf."""
    assert shelves(supply(9, None), days=0, is_whole=False).note == (
        "lowest first; how long it lasts is known of all locations together")


def test_stock_below_its_limit_stands_first() -> None:
    """Whatever lasts shorter."""
    view: LastView = shelves(supply(9, 28), supply(3, 0, "POT"), limits={"": Limit(5, is_lowest=True)})
    assert [(row.name, row.warning) for row in view.rows] == [("POT", "below 5"), ("MUG", "")]


@pytest.mark.parametrize("untold, state, said", [
    ("none", "empty", "No product has told its tags yet. They come with the products of your shop: connect it at "
                      "/sources."),
    ("many", "empty", "There are more products and tags than are told apart, so nobody knows what carries this one."),
])
def test_what_carries_a_tag_is_said_to_be_unknown(untold: str, state: str, said: str) -> None:
    """Instead of rows, and instead of nought."""
    view = tile("top-products", untold=untold)
    assert (view.state, view.empty, view.note) == (state, said, "")


def test_a_tile_that_is_narrowed_by_tag_says_whose_tags_they_are() -> None:
    """Those of now."""
    kpi = replace(BUILT_IN.kpi_by_id["top-products"], only=(("tag", "camp"),))
    view = tile_view(replace(reading("top-products", ("Tent", 900)), kpi=kpi, untold="others"), ENGLISH, "UTC",
                     is_behind=False)
    assert isinstance(view, RankedView)
    assert "Only products that carry this tag now" in view.definition
    assert view.note == "€9.00 today, some is not told apart by product, and left out"


def test_what_is_beyond_its_limit_stands_first() -> None:
    """Ten rows are shown of any number: not one that is marked may be left out before all are shown."""
    limits = {"slow": Limit(10)}
    view: LastView = tile("queues", *((f"q{at}", 100) for at in range(12)), ("slow", 11), limits=limits)
    assert (view.rows[0].name, view.rows[0].warning, len(view.rows)) == ("slow", "over 10", 10)


@pytest.mark.parametrize(("limit", "value", "warning"), [
    (Limit(5), 6, "over 5"), (Limit(5), 5, ""), (Limit(5, is_lowest=True), 4, "below 5"),
    (Limit(5, is_lowest=True), 5, "")])
def test_a_limit_itself_is_still_well(limit: Limit, value: int, warning: str) -> None:
    """Over and below are what they say."""
    assert tile("stock", ("MUG|Berlin", value), limits={"": limit}).rows[0].warning == warning


# --- percentiles -------------------------------------------------------------------------------------------


def strip(*values: float | None, count: int = 400) -> TileView:
    found = [reading(f"api-p{show}", value=value, count=count)
             for show, value in zip((50, 95, 99), values, strict=True)]
    return tile_view(found[1], ENGLISH, "UTC", is_behind=False, beside=(found[0], found[2]))


def test_percentiles_of_one_thing_are_one_strip() -> None:
    """On one scale, smallest first, with how many they rest on."""
    view = strip(84, 420, 840)
    assert isinstance(view, StripView)
    assert [(mark.name, mark.text, mark.x) for mark in view.marks] == [
        ("median", "84 ms", "10%"), ("95%", "420 ms", "50%"), ("99%", "840 ms", "100%")]
    assert (view.label, view.note) == ("API response", "400 requests in the last 15 mins, ± 2%")


def test_a_percentile_of_too_few_is_a_dash_and_a_reason() -> None:
    """The 99th of 44 says nothing; the median does."""
    view = strip(84, 420, None, count=44)
    assert isinstance(view, StripView)
    assert (view.marks[2].text, view.note) == ("–", "Too early to tell: 44 requests of 100 needed")


def test_the_kpis_beside_one_are_found() -> None:
    """Those of the same rollup over the same window."""
    kpi = BUILT_IN.kpi_by_id["api-p95"]
    assert [one.id for one in kpis_beside(kpi, KPIS)] == ["api-p50", "api-p99"]


# --- numbers -----------------------------------------------------------------------------------------------


def test_a_share_of_too_few_says_that_it_is_too_early() -> None:
    """2 of 12 is not 17 %."""
    view: KpiView = tile("conversion-30m", count=12)
    assert (view.text, view.state, view.note) == ("–", "empty", "Too early to tell: 12 visits of 20 needed")


def test_a_share_says_what_it_is_of() -> None:
    """And a small one has a decimal: 2 or 3 % is half as much again."""
    view: KpiView = tile("conversion-30m", value=0.024, count=1204)
    assert (view.text, view.note) == ("2.4%", "1,204 visits in the last 30 mins")


def test_no_failed_payment_is_a_number() -> None:
    """0 % of 40 is known; nothing of nothing is not."""
    assert [tile("payment-failures", value=value, count=count).state for value, count in ((0.0, 40), (None, 0))] == [
        "live", "empty"]


def test_an_estimate_says_how_far_it_may_be_off() -> None:
    """Different visitors are estimated."""
    assert tile("visitors-today", value=1204).note == "± 0.8%"


@pytest.mark.parametrize(("age_ms", "text"), [
    (40_000, "40 secs"), (6 * MINUTE_MS, "6 mins"), (134 * MINUTE_MS, "2 hrs 14 mins"), (2 * HOUR_MS, "2 hrs"),
    (DAY_MS - 1, "1 day"), (76 * HOUR_MS, "3 days 4 hrs"), (59 * MINUTE_MS + 59_999, "1 hr")])
def test_an_age_has_two_units(age_ms: int, text: str) -> None:
    """2 hours and 2 hours 59 minutes are not alike."""
    assert tile("oldest-order", value=age_ms).text == text


@pytest.mark.parametrize(("ms", "text"), [(8.24, "8.2 ms"), (412, "412 ms"), (1284, "1.3 secs"), (12_000, "12 secs")])
def test_an_answers_time_keeps_what_matters(ms: float, text: str) -> None:
    """From a second on in seconds."""
    assert tile("api-p95", value=ms, count=400).text == text


# --- rates -------------------------------------------------------------------------------------------------

def minutes(*values: int) -> tuple[Point, ...]:
    starts = [NOW_MS + at * MINUTE_MS for at in range(len(values))]
    return tuple(Point(start, start + MINUTE_MS, value) for start, value in zip(starts, values, strict=True))


@pytest.mark.parametrize(("series", "state"), [((0, 2, 0), "live"), ((0, 0, 0), "empty")])
def test_none_in_this_minute_is_a_number_where_there_were_some_in_the_hour(series: tuple[int, ...], state: str) -> None:
    """A wall leaves out the nought of what never came, and shows that of a quiet minute."""
    view = tile("orders-per-minute", value=0, series=minutes(*series))
    assert (view.state, view.text, view.per) == (state, "0", "/ min")
