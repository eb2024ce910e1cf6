"""How much more or less: one sentence, as a person would say it, in every language."""

import re
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opsmon.core.calendar import HOUR_MS, SiteCalendar
from opsmon.core.kpis import BUILT_IN
from opsmon.core.readings import Point, Reading
from opsmon.web import rendering
from opsmon.web.presenting import comparison, kpi_view
from opsmon.web.views import BarsView, ComparisonView
from opsmon.web.wording import Wording

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
NOW_MS = 1_795_179_802_000  # Fri 2026-11-20 14:03:22 in Berlin
LOCALES = ("en_GB", "de", "ja")


def reading(kpi: str, value: float, before: float | None, against: Any = "week", **more: Any) -> Reading:
    """A number and what it is compared with."""
    found = replace(BUILT_IN.kpi_by_id[kpi], against=against)
    return Reading(found, value, "EUR", NOW_MS, NOW_MS, complete=False, before=before, before_until_ms=NOW_MS, **more)


def said(view: ComparisonView) -> str:
    """What a tile says, as it is read aloud."""
    return f"{view.change} {view.against}" if view.change else view.text


@pytest.mark.parametrize("value, before, against, sentences", [
    (109, 100, "week", ["9% more than last Friday by 14:03", "9\u00a0% mehr als letzten Freitag bis 14:03",
                        "9% 増（先週金曜日 14:03比）"]),
    (91, 100, "week", ["9% less than last Friday by 14:03", "9\u00a0% weniger als letzten Freitag bis 14:03",
                       "9% 減（先週金曜日 14:03比）"]),
    (100, 100, "week", ["Same as last Friday by 14:03", "Genauso viel wie letzten Freitag bis 14:03",
                        "同じ （先週金曜日 14:03比）"]),
    (1_000, 1_004, "week", ["About the same as last Friday by 14:03", "Etwa so viel wie letzten Freitag bis 14:03",
                            "ほぼ同じ （先週金曜日 14:03比）"]),
    (3, 1, "yesterday", ["200% more than yesterday by 14:03", "200\u00a0% mehr als gestern bis 14:03",
                         "200% 増（昨日14:03比）"]),
    (1, 2, "yesterday", ["50% less than yesterday by 14:03", "50\u00a0% weniger als gestern bis 14:03",
                         "50% 減（昨日14:03比）"]),
    (7, None, "yesterday", ["No comparison yet (first day)", "Noch kein Vergleich (erster Tag)", "比較なし（初日）"]),
])
def test_a_comparison_is_one_sentence(value: int, before: int | None, against: str, sentences: list[str]) -> None:
    """No sign, no 'plus', and nothing is 'minus nought percent' more."""
    found = reading("orders-today", value, before, against)
    assert [said(comparison(found, Wording(locale, BERLIN))) for locale in LOCALES] == sentences


@pytest.mark.parametrize("kpi, value, trend, direction", [
    ("orders-today", 120, "up", "good"), ("orders-today", 80, "down", "bad"), ("orders-today", 100.2, "same", "same"),
    ("return-requests", 120, "up", "bad"), ("return-requests", 80, "down", "good")])
def test_the_arrow_says_which_way_and_the_colour_whether_that_is_good(kpi: str, value: float, trend: str,
                                                                      direction: str) -> None:
    """More returns are no good news."""
    view = comparison(reading(kpi, value, 100), Wording("en_GB", BERLIN))
    assert (view.trend, view.direction) == (trend, direction)


def hours(*values: int | None, **more: Any) -> BarsView:
    """A chart of these hours."""
    series = tuple(Point(NOW_MS + (at - 24) * HOUR_MS, NOW_MS + (at - 23) * HOUR_MS, value)
                   for at, value in enumerate(values))
    view = kpi_view(reading("orders-per-hour", 3, None, series=series, **more), Wording("en_GB", BERLIN), "UTC",
                    is_behind=False)
    assert view.bars is not None
    return view.bars


def test_an_hour_before_counting_began_has_no_bar() -> None:
    """Nought is a bar without height on the base line; what was not counted is neither."""
    view = hours(*[None] * 21, 0, 2, 3)
    assert [bar.state for bar in view.bars[20:]] == ["absent", "complete", "complete", "live"]
    assert [text for _, text in view.rows[20:]] == ["not counted yet", "0", "2", "3"]
    assert (view.begins_x, view.sentence, view.more) == ("420", "3 so far this hour", "Counted since Fri 11:03")


def test_a_chart_that_was_counted_whole_says_nothing_of_it() -> None:
    """The base line is whole."""
    view = hours(*[0] * 23, 3)
    assert (view.begins_x, view.sentence) == ("0", "3 so far this hour")


def test_the_first_hour_of_all_has_one_bar() -> None:
    """The one that runs."""
    view = hours(*[None] * 23, 3)
    assert ([bar.state for bar in view.bars].count("absent"), view.begins_x) == (23, "460")


def test_absent_bars_are_not_drawn() -> None:
    """The page has a bar for each hour that was counted, and a dashed line before them."""
    html = str(rendering.environment().from_string(
        '{% from "components/bars.jinja" import bars %}{{ bars(view) }}').render(view=hours(*[None] * 21, 0, 2, 3)))
    bars = len(re.findall(r"V[\d.]+h", html))
    assert (bars, html.count('d="M0 100H420"'), html.count('d="M420 100H480"')) == (3, 1, 1)


@pytest.mark.parametrize("against, said_of_marks", [
    ("week", "The marks are the same hours a week ago."), ("yesterday", "The marks are the same hours a day ago.")])
def test_a_chart_says_what_its_marks_are(against: str, said_of_marks: str) -> None:
    """A week ago or a day ago, as its place on the board asks."""
    found = reading("orders-per-hour", 3, 2, against, series=(Point(0, 1, 3),), before_series=(Point(0, 1, 2),))
    assert said_of_marks in kpi_view(found, Wording("en_GB", BERLIN), "UTC", is_behind=False).definition
