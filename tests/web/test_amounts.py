"""Money as shops keep it: yen without decimals, dinars with three, in every language opsmon speaks, at its size."""

from zoneinfo import ZoneInfo

import pytest

from opsmon.core.calendar import SiteCalendar
from opsmon.core.kpis import BUILT_IN
from opsmon.core.readings import Reading
from opsmon.web.axis import axis
from opsmon.web.history_words import Values
from opsmon.web.span_words import SpanWords
from opsmon.web.tile_views import tile_view
from opsmon.web.wording import LONGEST, Wording, room_of
from tests.conftest import NOW_MS

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
SPACE = "\u00a0"
WRITTEN = pytest.mark.parametrize(("locale", "currency", "minor", "text"), [
    ("en", "EUR", 123_456_789_00, "€123,456,789.00"), ("en", "JPY", 123_456_789, "¥123,456,789"),
    ("en", "KWD", 123_456_789_000, f"KWD{SPACE}123,456,789.000"), ("en", "KWD", 1_005, f"KWD{SPACE}1.005"),
    ("de", "EUR", 123_456_789_00, f"123.456.789,00{SPACE}€"), ("de", "JPY", 123_456_789, f"123.456.789{SPACE}¥"),
    ("de", "KWD", -123_456_789_000, f"−123.456.789,000{SPACE}KWD"),
    ("ja", "EUR", 123_456_789_00, "€123,456,789.00"), ("ja", "JPY", 123_456_789, "￥123,456,789"),
    ("ja", "KWD", 123_456_789_000, f"KWD{SPACE}123,456,789.000"),
])


def read(minor: int, currency: str) -> Reading:
    """Today's revenue."""
    return Reading(BUILT_IN.kpi_by_id["revenue-today"], minor, currency, NOW_MS, NOW_MS, False)


@WRITTEN
def test_a_tile_says_an_amount_as_its_country_does(locale: str, currency: str, minor: int, text: str) -> None:
    """With as many decimals as the currency has, and room for all of it."""
    view = tile_view(read(minor, currency), Wording(locale, BERLIN), "Europe/Berlin", is_behind=False)
    assert (getattr(view, "text", ""), getattr(view, "chars", 0)) == (text, room_of(text))


@WRITTEN
def test_the_longest_amounts_have_a_size(locale: str, currency: str, minor: int, text: str) -> None:
    """Nine digits before the point in every language: none is longer than the sizes there are."""
    plain = sum({"Ｗ": 2}.get(sign, 1) for sign in text.replace("￥", "Ｗ"))
    assert room_of(text) == plain <= LONGEST


@pytest.mark.parametrize(("text", "room"), [
    ("", 1), ("7", 1), ("5.1 秒", 6), ("2 時間 14 分", 12), ("\u200f1,234 €", 7), ("x" * 40, LONGEST)])
def test_room_is_counted_as_it_is_seen(text: str, room: int) -> None:
    """Japanese takes twice that of a digit, a mark of direction none."""
    assert room_of(text) == room


@pytest.mark.parametrize(("currency", "most", "lines"), [
    ("EUR", 412_00, ["€600", "€400", "€200"]), ("JPY", 412, ["¥600", "¥400", "¥200"]),
    ("KWD", 9_500, [f"KWD{SPACE}{whole}" for whole in ("10", "7.500", "5", "2.500")]),
])
def test_an_axis_has_whole_amounts_where_it_can(currency: str, most: int, lines: list[str]) -> None:
    """Steps are round in the currency's own unit, and written without decimals that say nothing."""
    values = Values(read(most, currency), SpanWords(Wording("en", BERLIN), BERLIN))
    written = [values.on_axis(value) for value in axis([most], "money").lines]
    assert written == lines
