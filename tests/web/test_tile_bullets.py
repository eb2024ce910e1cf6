"""Bullets: how the day will end, and what is done of what must be done, in a sentence that says what it rests on."""

from typing import Any

from opsmon.core.calendar import DAY_MS
from opsmon.core.kpis import BUILT_IN
from opsmon.core.outlook import Outlook
from opsmon.web import rendering
from opsmon.web.presenting import kpi_view
from opsmon.web.tile_samples import NOW_MS
from opsmon.web.tile_views import tile_view
from tests.web.test_tiles import ENGLISH, reading, tile

COMING = Outlook(NOW_MS, 1_240_049, 2_130_050, 2_050_000, 2_230_000, 4)


def needed(done: int, due: int) -> Any:
    """What was done in the last hour beside what is due within the next."""
    return tile_view(reading("completed-1h", value=done), ENGLISH, "Europe/Berlin", is_behind=False,
                     beside=[reading("due-1h", value=due)])


def test_an_outlook_says_what_it_rests_on_and_how_far_it_may_be_off() -> None:
    """So far, what the same weekdays brought in the hours left, and what both come to."""
    view = tile("revenue-outlook", value=COMING.likely, outlook=COMING)
    assert view.sentence == ("€12,400 so far. From 14:03 on the last 4 Fridays brought €8,100 to €9,900 more: "
                             "€20,500 to €22,300 in all.")


def test_an_outlook_has_no_cents() -> None:
    """Digits that nobody can know would look as if somebody did."""
    view = tile("revenue-outlook", value=COMING.likely, outlook=COMING)
    assert view.text == "€21,300"
    assert view.rows == (("So far", "€12,400"), ("Least", "€20,500"), ("Likely", "€21,300"), ("Most", "€22,300"))


def test_one_weekday_gives_no_range() -> None:
    """Last Friday is one answer: it is told as one."""
    view = tile("orders-outlook", value=31, outlook=Outlook(NOW_MS, 12, 31, 31, 31, 1))
    assert view.sentence == "12 so far. From 14:03 on last Friday brought 19 more."


def test_the_range_is_drawn_on_the_scale_of_the_day() -> None:
    """From nothing to a little above the most: bar, band and mark stand on one scale."""
    view = tile("orders-outlook", value=90, outlook=Outlook(NOW_MS, 50, 90, 80, 100, 4))
    assert (view.width, view.band_x, view.band_width, view.mark_x) == ("48.1%", "76.9%", "19.2%", "86.5%")


def test_without_a_week_before_there_is_a_sentence_and_no_number() -> None:
    """The first week is no week of nought."""
    view = tile("revenue-outlook")
    assert (view.state, view.text, view.empty) == (
        "empty", "–", "No outlook yet (first week): it needs the same weekday a week before. "
        "Filled by a shop: Shopify, WooCommerce or Odoo.")


def test_too_few_are_said_and_not_coloured_alone() -> None:
    """12 left in the last hour, 38 must leave in the next."""
    view = needed(12, 38)
    assert (view.verdict, view.sentence) == ("short", "12 done, 38 needed: 26 too few")
    assert 'class="icon"' in str(rendering.slot(view, 1)).partition("bullet__said")[2]


def test_as_many_as_needed_is_enough() -> None:
    """The need itself is met."""
    assert (needed(38, 38).verdict, needed(38, 38).sentence) == ("enough", "38 done, 38 needed: enough")


def test_nothing_done_and_nothing_needed_is_nothing_to_show() -> None:
    """A quiet night is no failure."""
    assert (needed(0, 0).state, needed(0, 0).rows) == ("empty", ())


def test_a_month_stands_beside_the_month_before_to_the_same_hour() -> None:
    """€80 by 14:00 against €100: 20 % less, whatever came since 14:00."""
    told = reading("revenue-month", value=9_000, compared=8_000, before=10_000, before_until_ms=NOW_MS - 31 * DAY_MS)
    view = kpi_view(told, ENGLISH, "Europe/Berlin", is_behind=False)
    assert view.comparison is not None
    assert (view.comparison.change, view.comparison.against, view.comparison.direction) == (
        "20%", "less than last month by 21 Oct, 15:03", "bad")


def test_a_month_that_is_the_first_says_so() -> None:
    """Nothing before it was counted."""
    view = kpi_view(reading("orders-month", value=3), ENGLISH, "Europe/Berlin", is_behind=False)
    assert view.comparison is not None
    assert view.comparison.text == "No comparison yet (first month)"


def test_what_is_needed_is_asked_for_with_what_is_done() -> None:
    """Both belong to one tile."""
    assert BUILT_IN.kpi_by_id["completed-1h"].beside == "due-1h"
