"""CSV as spreadsheets open it: texts that would be formulas, numbers that must stay numbers."""

import csv
from io import StringIO
from zoneinfo import ZoneInfo

import pytest

from opsmon.core.calendar import SiteCalendar
from opsmon.core.kpis import BUILT_IN
from opsmon.core.panes import OTHER
from opsmon.core.readings import Reading, Row
from opsmon.core.values import Value
from opsmon.web.history_csv import HEAD, present_lines, written
from tests.conftest import NOW_MS

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))


def reading(kpi_id: str, *rows: Row, value: Value = None, currency: str | None = None) -> Reading:
    return Reading(BUILT_IN.kpi_by_id[kpi_id], value, currency, NOW_MS, NOW_MS, False, rows=rows)


def told(found: Reading) -> list[list[str]]:
    """What a reader of CSV gets: row, value, unit, currency."""
    lines = list(csv.reader(StringIO(written(present_lines([found], BERLIN)), newline="")))
    assert tuple(lines[0]) == HEAD
    return [line[2:6] for line in lines[1:]]


@pytest.mark.parametrize(("name", "cell"), [
    ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-sale-", "'-sale-"), ("@home", "'@home"), ("\t=1", "'\t=1"),
    ("a=b", "a=b"), ('say "hi", twice', 'say "hi", twice'), ("two\r\nlines", "two\r\nlines"), (OTHER, "other"),
])
def test_a_text_is_never_run_and_arrives_as_it_is(name: str, cell: str) -> None:
    """An apostrophe before what a spreadsheet would run; quotes, commas and line ends survive."""
    assert told(reading("pipeline", Row(name, 3))) == [[cell, "3", "orders", ""]]


@pytest.mark.parametrize(("value", "currency", "cell"), [
    (-1234, "EUR", "-12.34"), (1234, "JPY", "1234"), (1234, "KWD", "1.234"), (0, "EUR", "0.00"), (None, "EUR", ""),
    (10**15, "EUR", "10000000000000.00"),
])
def test_money_is_a_decimal_number_in_its_unit(value: Value, currency: str, cell: str) -> None:
    """Also below nought: a number is no formula and gets no apostrophe."""
    assert told(reading("revenue-today", value=value, currency=currency)) == [["", cell, "money", currency]]


@pytest.mark.parametrize(("value", "cell"), [(0.031250, "0.03125"), (0.0000004, "0.0"), (1, "1"), (1e-05, "0.00001")])
def test_a_share_is_a_decimal_number(value: Value, cell: str) -> None:
    """Never 1e-05."""
    assert told(reading("conversion-30m", value=value)) == [["", cell, "share", ""]]
