"""A KPI's data as CSV: RFC 4180, UTF-8 with a header line, decimal numbers in units, times with their offset.

Cells of text that a spreadsheet would take for a formula get an apostrophe before them. Source: OWASP, CSV
Injection. Numbers stay numbers, also negative ones.
"""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO

from opsmon.core.calendar import SiteCalendar
from opsmon.core.catalogue import Kpi
from opsmon.core.history import History, Spot
from opsmon.core.money import exponent
from opsmon.core.panes import OTHER
from opsmon.core.readings import Reading
from opsmon.core.values import Value

HEAD = ("start", "end", "row", "value", "unit", "currency", "sample", "state")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cells = tuple[str, ...]


def history_lines(told: History, kpi: Kpi, calendar: SiteCalendar, *, by_rows: bool) -> Iterator[Cells]:
    """Every window that has begun, oldest first; by rows a line for each row of it."""
    for spot in told.spots:
        if spot.state == "ahead":
            continue
        start, end = (calendar.wall(time_ms).isoformat() for time_ms in (spot.start_ms, spot.end_ms))
        for row, value, sample in _values(spot, told, by_rows=by_rows):
            yield (start, end, _text(row), _number(value, kpi, told.currency), kpi.unit, _currency(kpi, told.currency),
                   "" if sample is None else str(sample), spot.state)


def present_lines(reading: Reading, calendar: SiteCalendar) -> Iterator[Cells]:
    """What holds now: each row, or the one number."""
    now = calendar.wall(reading.end_ms).isoformat()
    rows = [(_row(row.name), row.value, row.sample) for row in reading.rows] or [("", reading.value, reading.count)]
    for name, value, sample in rows:
        yield (now, now, _text(name), _number(value, reading.kpi, reading.currency), reading.kpi.unit,
               _currency(reading.kpi, reading.currency), "" if sample is None else str(sample), "moving")


def written(lines: Iterable[Cells]) -> str:
    """Header and lines, each ended by CR and LF."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows(lines)
    return out.getvalue()


def _values(spot: Spot, told: History, *, by_rows: bool) -> list[tuple[str, Value, int | None]]:
    if by_rows:
        return [(_row(row.name), row.value, row.sample) for row in spot.rows]
    return [(told.row or "", spot.value, spot.sample)]


def _row(name: str) -> str:
    return "other" if name == OTHER else name


def _text(text: str) -> str:
    """A cell of text that no spreadsheet runs."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _number(value: Value, kpi: Kpi, currency: str | None) -> str:
    """Plain decimal digits; '' where nothing is known."""
    if value is None:
        return ""
    if kpi.unit == "money":
        return f"{Decimal(round(value)).scaleb(-exponent(currency or 'EUR')):f}"
    return str(value) if isinstance(value, int) else f"{Decimal(repr(round(value, 6))):f}"


def _currency(kpi: Kpi, currency: str | None) -> str:
    return (currency or "") if kpi.unit == "money" else ""
