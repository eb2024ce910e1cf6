"""Stock, counts and gauges from tables: each row becomes an event, or a problem with its line.

Pure: files' texts in, events and problems out. A stock level, and a count of one name and time, replaces what
the same import told of it before; a gauge is told again, which changes nothing. So any file may be read twice.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from typing import Any, Literal

from opsmon.core.events import Event, EventId
from opsmon.sources.csv_cells import BadCell, amount, cell_text, check_formula, instant, quantity, shown
from opsmon.sources.csv_columns import ColumnsError, find_columns
from opsmon.sources.csv_orders import SOURCE, How, Reading
from opsmon.sources.csv_tables import Broken, Row, RowProblem, Table, read_table
from opsmon.sources.needed_fields import MAX_VALUE

FactTable = Literal["stock", "counts", "gauges"]
# Rows of KPIs are named by so many characters: two names that begin alike would be one.
MAX_NAME = 48
_TYPES: Mapping[FactTable, str] = {"stock": "inventory.changed", "counts": "count.add", "gauges": "gauge.set"}
Cells = dict[str, Any]
# What tells a row from others: its item and place, or its name and time.
Identity = tuple[str, str]


def read_facts(table: FactTable, files: Iterable[tuple[str, str]], how: How, now_ms: int) -> Reading:
    """Read files, (name, text) each. Raises ColumnsError; whatever else is wrong is a problem of a row."""
    facts = _Facts(table, how, now_ms)
    for name, text in files:
        try:
            facts.take(name, text)
        except ColumnsError as error:
            raise ColumnsError(f"{name}: {error}") from None
    return facts.finish()


class _Facts:
    def __init__(self, table: FactTable, how: How, now_ms: int) -> None:
        self._table, self._how, self._now_ms = table, how, now_ms
        self._reading = Reading()
        self._met: dict[Identity, tuple[str, Cells]] = {}

    def take(self, name: str, text: str) -> None:
        """Read one file; one that is broken is left out whole."""
        found: dict[Identity, Cells] = {}
        problems: list[RowProblem] = []
        try:
            table = read_table(text)
            self._reading.columns[name] = columns = find_columns(table.header, self._how.columns, self._table)
            places = {field: table.header.index(column) for field, column in columns.items()}
            for row in table.rows:
                self._reading.rows += 1
                self._take_row(name, table, places, row, found, problems)
        except Broken as broken:
            found, problems = {}, [RowProblem(name, broken.line, "", broken.reason)]
            self._reading.left_out += 1
        self._reading.problems += problems
        self._merge(name, found)

    def finish(self) -> Reading:
        """Make the events, oldest first."""
        self._reading.events = sorted((self._event(identity, cells) for identity, (_, cells) in self._met.items()),
                                      key=lambda event: (event.time_ms, event.id))
        return self._reading

    def _take_row(self, file: str, table: Table, places: Mapping[str, int], row: Row, found: dict[Identity, Cells],
                  problems: list[RowProblem]) -> None:
        cells: Cells = {}
        for field, place in places.items():
            text = cell_text(row.cells[place]) if place < len(row.cells) else ""
            try:
                check_formula(text)
                cells[field] = self._parser(field, table.delimiter == ";")(text)
            except BadCell as error:
                problems.append(RowProblem(file, row.line, table.header[place], str(error)))
                self._reading.left_out += 1
                return
        try:
            self._join(found, cells)
        except BadCell as error:
            problems.append(RowProblem(file, row.line, "", str(error)))
            self._reading.left_out += 1

    def _join(self, found: dict[Identity, Cells], cells: Cells) -> None:
        """Rows of one count add up, as tills do; of a stock level or a gauge there is one at a time."""
        identity = self._identity(cells)
        before = found.setdefault(identity, cells)
        if before is cells:
            return
        if self._table == "counts":
            before["value"] += cells["value"]
        elif before != cells:
            raise BadCell(f"says something else of {self._called(cells)} than a row above it: expected one row of each")

    def _merge(self, file: str, found: Mapping[Identity, Cells]) -> None:
        for identity, cells in found.items():
            first, before = self._met.setdefault(identity, (file, cells))
            if before is cells:
                continue
            self._reading.repeated += before == cells
            if before != cells:
                self._reading.left_out += 1
                self._reading.problems.append(RowProblem(file, 1, "", (
                    f"the file says something else of {self._called(cells)} than {first}, which holds")))

    def _identity(self, cells: Cells) -> Identity:
        if self._table == "stock":
            return cells["sku"], cells.get("location", "")
        return cells["name"], str(cells["time"])

    def _called(self, cells: Cells) -> str:
        if self._table == "stock":
            return " at ".join(filter(None, (cells["sku"], cells.get("location", ""))))
        return f"{cells['name']} at {self._how.calendar.wall(cells['time']):%Y-%m-%d %H:%M}"

    def _parser(self, field: str, has_commas: bool) -> Callable[[str], Any]:
        if field == "time":
            return partial(instant, calendar=self._how.calendar, time_format=self._how.time_format,
                           now_ms=self._now_ms)
        if field == "location":
            return _place
        if field in ("sku", "name"):
            return _name
        return partial(_number if self._table == "gauges" else quantity, has_commas=has_commas)

    def _event(self, identity: Identity, cells: Cells) -> Event:
        data = {name: value for name, value in cells.items() if name != "time" and value != ""}
        time_ms = cells.get("time", self._now_ms)
        key = f"{SOURCE}:{self._how.name}:{self._table}:{_digest(*identity)}"
        if self._table == "gauges":
            return Event(EventId(f"{key}:{data['value']}"), _TYPES[self._table], time_ms, self._now_ms, SOURCE,
                         self._how.site, "", None, data)
        # Told again within a week it is no duplicate: 5, then 3, then 5 is 5. A version replaces the one before.
        return Event(EventId(f"{key}:{self._now_ms}"), _TYPES[self._table], time_ms, self._now_ms, SOURCE,
                     self._how.site, key, (self._now_ms, 0, _digest(repr(sorted(data.items())))), data)


def _name(text: str) -> str:
    if not 0 < len(text) <= MAX_NAME or not text.isprintable():
        raise BadCell(f"is {shown(text)}: expected 1 to {MAX_NAME} printable characters")
    return text


def _place(text: str) -> str:
    return _name(text) if text else ""


def _number(text: str, *, has_commas: bool) -> int | float:
    found: Decimal = amount(text, has_commas=has_commas)
    if abs(found) > MAX_VALUE:
        raise BadCell(f"is {shown(text)}: expected a number within a million million")
    return int(found) if found == int(found) else float(found)


def _digest(*texts: str) -> str:
    return blake2b("\n".join(texts).encode(), digest_size=12).hexdigest()
