"""A KPI's data as CSV: RFC 4180, UTF-8 with a header line, decimal numbers in units, times with their offset.

Cells of text that a spreadsheet would take for a formula get an apostrophe before them. Source: OWASP, CSV
Injection. Numbers stay numbers, also negative ones.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from io import StringIO

from opsmon.core.calendar import SiteCalendar
from opsmon.core.catalogue import Kpi
from opsmon.core.history import History, Spot, state_of
from opsmon.core.money import exponent
from opsmon.core.panes import OTHER
from opsmon.core.ranges import WindowReading
from opsmon.core.readings import Reading, Site
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
            yield (start, end, text_cell(row), _number(value, kpi, told.currency), kpi.unit,
                   _currency(kpi, told.currency), "" if sample is None else str(sample), spot.state)


def present_lines(readings: Sequence[Reading], calendar: SiteCalendar) -> Iterator[Cells]:
    """What a tile shows now: each row, or the one number; of several numbers each by its name."""
    for reading in readings:
        kpi, start, end = reading.kpi, calendar.wall(reading.start_ms), calendar.wall(reading.end_ms)
        name = "" if len(readings) == 1 else kpi.show if kpi.show.startswith("p") else kpi.label
        rows = [(_row(row.name), row.value, row.sample) for row in reading.rows] or [
            (name, reading.value, reading.count)]
        for row, value, sample in rows:
            yield (start.isoformat(), end.isoformat(), text_cell(row), _number(value, kpi, reading.currency), kpi.unit,
                   _currency(kpi, reading.currency), "" if sample is None else str(sample),
                   "whole" if reading.complete else "moving")


def series_lines(reading: Reading, windows: Sequence[WindowReading], site: Site) -> Iterator[Cells]:
    """The windows of a tile's chart, oldest first; one that was over before counting began has no value."""
    kpi = reading.kpi
    for one in windows:
        start, end = (site.calendar.wall(time_ms).isoformat() for time_ms in (one.start_ms, one.end_ms))
        state = state_of(one, one.value, site)
        value, sample = (None, None) if state == "uncounted" else (one.value, one.sample)
        yield (start, end, "", _number(value, kpi, reading.currency), kpi.unit, _currency(kpi, reading.currency),
               "" if sample is None else str(sample), state)


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


def text_cell(text: str) -> str:
    """A cell of text that no spreadsheet runs.

    Threat: a cell that a spreadsheet runs (CWE-1236; OWASP, CSV injection).
    """
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
