"""Orders from tables: the rows of a spreadsheet or of an old shop become the events that webhooks become.

Pure: files' texts in, events and problems out. Rows of one number are one order, wherever they stand in the
files given. An order with a bad row is left out whole: half an order is a wrong number that nobody sees.

    rows ── by number ──▶ drafts ──┬─▶ order.updated     an order, on the day it was placed
                                   └─▶ refund.created    a cancellation or a negative total, on its own day
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import cache, partial
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from opsmon.core.calendar import SiteCalendar
from opsmon.core.events import Event, EventId
from opsmon.core.money import to_minor
from opsmon.sources.base import MAX_MEMBERS
from opsmon.sources.csv_cells import (
    BadCell,
    amount,
    cell_text,
    check_formula,
    country_code,
    currency_code,
    customer_id,
    instant,
    number_of,
    quantity,
    shown,
)
from opsmon.sources.csv_columns import ColumnsError, find_columns, usual_prefix
from opsmon.sources.csv_tables import Broken, Row, RowProblem, Table, read_table

SOURCE = "import"
_TITLE, _SKU, _CHANNEL = 40, 64, 32
# 7 digits of pieces times 30 of a price, two thousand times over, before anything is rounded.
_EXACT = Context(prec=60)
# These are said once for the whole order, or alike in each of its rows. (Its time is the earliest.)
_OF_ORDERS = ("total", "currency", "customer", "country", "channel", "cancels", "cancelled", "refunded")
_OF_LINES = ("quantity", "price", "sku", "title")


@dataclass(frozen=True, slots=True)
class How:
    """How files are to be read.

    `name` tells imports apart: the same content under the same name makes the same events. `columns` are field
    -> header (None: guessed); `cancel_prefix` None is what is usual under the header. `currency` is that of
    orders which name none. Times without an offset are those of the calendar's zone.
    """

    calendar: SiteCalendar
    site: str
    name: str = "shop"
    currency: str | None = None
    columns: Mapping[str, str] | None = None
    time_format: str = ""
    cancel_prefix: str | None = None


@dataclass(slots=True)
class Reading:
    """What files say: events, oldest first, and what is wrong. `columns` are those of the files, by name.

    `left_out` is how many orders had a problem; `repeated` how many stood alike in several files, and count once.
    """

    events: list[Event] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    columns: dict[str, Mapping[str, str]] = field(default_factory=dict)
    rows: int = 0
    left_out: int = 0
    repeated: int = 0


def read_orders(files: Iterable[tuple[str, str]], how: How, now_ms: int) -> Reading:
    """Read files, (name, text) each. Raises ColumnsError; whatever else is wrong is a problem of a row."""
    orders = _Orders(how, now_ms)
    for index, (name, text) in enumerate(files):
        try:
            orders.take(index, name, text)
        except ColumnsError as error:
            raise ColumnsError(f"{name}: {error}") from None
    return orders.finish()


class _Wrong(ValueError):
    """A row, or a column in it, is not as it should be."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


class _Line(NamedTuple):
    sku: str
    quantity: int
    value: Decimal
    title: str


@dataclass(slots=True)
class _Draft:
    """An order while its rows are gathered; `file` and `line` are where it was met first."""

    number: str
    file: str
    line: int
    time_ms: int | None = None
    is_bad: bool = False
    lines: dict[int, list[_Line]] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)


class _File:
    """How the cells of one file are read."""

    def __init__(self, index: int, name: str, table: Table, how: How, now_ms: int) -> None:
        self.index, self.name, self.width = index, name, len(table.header)
        self.columns = find_columns(table.header, how.columns)
        self._places = {name: table.header.index(column) for name, column in self.columns.items()}
        numeric: Callable[[str], Decimal] = partial(amount, has_commas=table.delimiter == ";")
        # Rows of an order repeat its time, and reading one takes longer than all the rest.
        timely = cache(partial(instant, calendar=how.calendar, time_format=how.time_format, now_ms=now_ms))
        self._parsers: Mapping[str, Callable[[str], Any]] = {
            "order": number_of, "time": timely, "quantity": partial(quantity, has_commas=table.delimiter == ";"),
            "price": numeric, "total": numeric, "currency": currency_code, "customer": customer_id,
            "country": cache(country_code), "cancels": number_of, "cancelled": timely, "refunded": numeric,
        }
        self._of_orders = tuple(name for name in _OF_ORDERS if name in self.columns)

    def found(self, row: Row) -> dict[str, str]:
        """The cells that are of use. Some programs leave out those at the end of a row that are empty."""
        cells = row.cells
        width = len(cells)
        return {name: cell_text(cells[place]) if place < width else "" for name, place in self._places.items()}

    def read(self, name: str, found: Mapping[str, str]) -> Any:
        """What one cell says. Raises _Wrong."""
        try:
            check_formula(found[name])
            return self._parsers[name](found[name]) if name in self._parsers else found[name]
        except BadCell as error:
            raise _Wrong(self.columns[name], str(error)) from None

    def add(self, row: Row, found: Mapping[str, str], draft: _Draft) -> None:
        """Take a row into its order. Raises _Wrong."""
        if any(cell.strip() for cell in row.cells[self.width:]):
            raise _Wrong("", f"has {len(row.cells)} cells where the header has {self.width}: expected as many; a text "
                             "with the delimiter in it stands in quotation marks")
        if found["time"]:
            time_ms = self.read("time", found)
            draft.time_ms = time_ms if draft.time_ms is None else min(draft.time_ms, time_ms)
        for name in self._of_orders:
            if found[name]:
                value = self.read(name, found)
                if draft.said.setdefault(name, value) != value:
                    raise _Wrong(self.columns[name], f"is {shown(found[name])}: expected the same in all rows of order "
                                                     f"{draft.number}")
        if self._has_line(found):
            draft.lines.setdefault(self.index, []).append(self._line(found))

    def _has_line(self, found: Mapping[str, str]) -> bool:
        """Where the total is known, a row without any goods only says something of the order."""
        return "price" in found and ("total" not in found or any(found.get(name) for name in _OF_LINES))

    def _line(self, found: Mapping[str, str]) -> _Line:
        pieces = self.read("quantity", found) if "quantity" in found else 1
        value = _EXACT.multiply(self.read("price", found), pieces)
        return _Line(found.get("sku", "")[:_SKU], pieces, value, found.get("title", "")[:_TITLE])


class _Orders:
    """Gathers rows by order, then makes events of the orders."""

    def __init__(self, how: How, now_ms: int) -> None:
        self._how, self._now_ms = how, now_ms
        self._name = f"{SOURCE}:{how.name}"
        self._prefix = how.cancel_prefix or ""
        self._drafts: dict[str, _Draft] = {}
        self._reading = Reading()

    def take(self, index: int, name: str, text: str) -> None:
        """Read one file to its end, or to where it is broken: then no order is taken that it has a row of."""
        met: set[str] = set()
        try:
            table = read_table(text)
            file = _File(index, name, table, self._how, self._now_ms)
            self._reading.columns[name] = file.columns
            if self._how.cancel_prefix is None:
                self._prefix = self._prefix or usual_prefix(table.header)
            for row in table.rows:
                self._reading.rows += 1
                self._take_row(file, row, met)
        except Broken as broken:
            self._problem(name, broken.line, "", broken.reason)
            for number in met:
                self._drafts[number].is_bad = True

    def finish(self) -> Reading:
        """Make the events."""
        for draft in self._drafts.values():
            try:
                if not draft.is_bad:
                    self._reading.events.append(self._event(draft))
            except ValueError as error:  # to_minor's are sentences too
                draft.is_bad = True
                self._problem(draft.file, draft.line, f"order {draft.number}", str(error))
            self._reading.left_out += draft.is_bad
        self._reading.events.sort(key=lambda event: (event.time_ms, event.id))
        return self._reading

    def _take_row(self, file: _File, row: Row, met: set[str]) -> None:
        draft = None
        try:
            found = file.found(row)
            number = file.read("order", found)
            draft = self._drafts.get(number) or self._drafts.setdefault(number, _Draft(number, file.name, row.line))
            met.add(number)
            file.add(row, found, draft)
        except _Wrong as wrong:
            self._problem(file.name, row.line, wrong.column, wrong.reason)
            if draft is not None:
                draft.is_bad = True

    def _problem(self, file: str, line: int, column: str, reason: str) -> None:
        self._reading.problems.append(RowProblem(file, line, column, reason))

    def _event(self, draft: _Draft) -> Event:
        currency = draft.said.get("currency") or self._how.currency
        if currency is None:
            raise BadCell("names no currency: expected a column of it, or --currency")
        if draft.time_ms is None:
            raise BadCell("has no time in any of its rows")
        lines = self._lines(draft)
        if len(lines) > MAX_MEMBERS:
            raise BadCell(f"has {len(lines)} rows: expected at most {MAX_MEMBERS}")
        total_minor = to_minor(str(_total(draft, lines)), currency)
        taken_back = self._prefix and draft.number.startswith(self._prefix)
        if taken_back or total_minor < 0 or "cancels" in draft.said:
            return self._money_back(draft, draft.time_ms, abs(total_minor), currency)
        return self._order(draft, draft.time_ms, total_minor, currency, lines)

    def _lines(self, draft: _Draft) -> list[_Line]:
        """An order's lines. Files may overlap: rows that stand alike in another file are not more goods."""
        different: list[list[_Line]] = []
        for lines in draft.lines.values():
            if not any(Counter(lines) == Counter(others) for others in different):
                different.append(lines)
        self._reading.repeated += len(different) < len(draft.lines)
        return [line for lines in different for line in lines]

    def _order(self, draft: _Draft, placed_ms: int, total_minor: int, currency: str, lines: Sequence[_Line]) -> Event:
        said = draft.said
        cancelled_ms, refunded = said.get("cancelled"), to_minor(str(said.get("refunded", 0)), currency)
        # A table says how much was given back, not when: on the day of the cancelling, else on the order's.
        back_ms = placed_ms if cancelled_ms is None else cancelled_ms
        data = {
            "name": draft.number,
            "test": False,
            "placed_ms": placed_ms,
            "cancelled_ms": cancelled_ms,
            "total_minor": total_minor,
            "goods_minor": total_minor,
            "currency": currency,
            "paid": "paid",
            "fulfilled": "unknown",
            "fulfilled_ms": None,
            "channel": said.get("channel", "")[:_CHANNEL],
            "country": said.get("country", ""),
            "region": "",
            "customer": f"{self._name}:customer:{said['customer']}" if said.get("customer") else "",
            "checkout": "",
            "lines": [[line.sku, line.quantity, to_minor(str(line.value), currency), line.title] for line in lines],
            "refunds": [self._refund(draft, back_ms, abs(refunded), currency)] if refunded else [],
        }
        # Rows in another order are the same order.
        digest = _digest({**data, "lines": sorted(data["lines"])})
        event_id = EventId(f"{self._name}:{draft.number}:{digest}")
        return Event(event_id, "order.updated", placed_ms, self._now_ms, SOURCE, self._how.site,
                     f"{self._name}:order:{draft.number}", (self._now_ms, 0, digest), data)

    def _money_back(self, draft: _Draft, time_ms: int, amount_minor: int, currency: str) -> Event:
        refund = self._refund(draft, time_ms, amount_minor, currency)
        event_id = EventId(f"{self._name}:{draft.number}:{refund['version'][2]}")
        return Event(event_id, "refund.created", time_ms, self._now_ms, SOURCE, self._how.site,
                     f"{self._name}:order:{draft.said.get('cancels', draft.number)}", None, {"refunds": [refund]})

    def _refund(self, draft: _Draft, time_ms: int, amount_minor: int, currency: str) -> dict[str, Any]:
        return {
            "key": f"{self._name}:refund:{draft.number}",
            "version": [self._now_ms, 1, _digest([time_ms, amount_minor, currency, False])],
            "time_ms": time_ms,
            "amount_minor": amount_minor,
            "currency": currency,
            "test": False,
        }


def _total(draft: _Draft, lines: Sequence[_Line]) -> Decimal:
    """What an order comes to: its own total, or all its lines, exactly.

    It is rounded (half to even) once: where prices have three decimals, rounding line by line would add up half a
    penny per line. Where they have two, nothing is rounded at all.
    """
    total = draft.said.get("total")
    if total is None:
        if not lines:
            raise BadCell("has neither a total nor a row with a price")
        total = Decimal(0)
        for line in lines:
            total = _EXACT.add(total, line.value)
    return total


def _digest(fields: object) -> str:
    return blake2b(orjson.dumps(fields), digest_size=8).hexdigest()
