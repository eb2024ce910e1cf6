"""Twelve days of a real shop (UCI "Online Retail"): the reader against sums that are made here, row by row."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from opsmon.core.calendar import SiteCalendar
from opsmon.core.events import Event
from opsmon.sources.csv_orders import How, Reading, read_orders
from opsmon.sources.csv_tables import decode
from tests.conftest import NOW_MS

DAYS = Path(__file__).parents[3] / "shared" / "datasets" / "online-retail"
FILES = sorted(DAYS.glob("*.csv"))
LONDON = SiteCalendar(ZoneInfo("Europe/London"))

pytestmark = pytest.mark.skipif(not FILES, reason="the tables (../shared/datasets/online-retail) are not here")


def rows(*files: Path) -> Iterator[dict[str, str]]:
    """The rows as they stand."""
    for path in files:
        with path.open(encoding="utf-8", newline="") as table:
            yield from csv.DictReader(table)


def worth(row: dict[str, str]) -> Decimal:
    """What a row is worth, exactly."""
    return int(row["Quantity"]) * Decimal(row["UnitPrice"])


@cache
def reading() -> Reading:
    """What the reader makes of all files."""
    files = [(path.name, decode(path.read_bytes())) for path in FILES]
    return read_orders(files, How(LONDON, "main", currency="GBP"), NOW_MS)


def amount(event: Event) -> int:
    """What an event adds to revenue, in pence."""
    if event.type == "order.updated":
        return int(event.data["total_minor"])
    return -sum(refund["amount_minor"] for refund in event.data["refunds"])


def by_day() -> dict[date, Decimal]:
    """Revenue in pounds by day, as the events say."""
    sums: defaultdict[date, Decimal] = defaultdict(Decimal)
    for event in reading().events:
        sums[LONDON.day_of(event.time_ms)] += Decimal(amount(event)).scaleb(-2)
    return dict(sums)


def test_every_row_is_taken() -> None:
    """Nothing is left out of a table that is whole."""
    found = reading()
    assert (found.rows, found.problems, found.left_out, found.repeated) == (41_062, [], 0, 0)


def test_each_invoice_is_an_order_or_money_given_back() -> None:
    """Those with a C are cancellations."""
    expected = {row["InvoiceNo"] for row in rows(*FILES)}
    orders = {event.key for event in reading().events if event.type == "order.updated"}
    backs = {event.key for event in reading().events if event.type == "refund.created"}
    prefix = "import:shop:order:"
    assert (orders, backs) == ({prefix + number for number in expected if not number.startswith("C")},
                               {prefix + number for number in expected if number.startswith("C")})
    assert (len(orders) + len(backs), len(backs), len(reading().events)) == (1_648, 191, 1_648)


def test_the_sum_is_right_to_the_penny() -> None:
    """Of what was sold, less what was given back."""
    total = Decimal(sum(amount(event) for event in reading().events)).scaleb(-2)
    assert (total, sum(worth(row) for row in rows(*FILES))) == (Decimal("688592.59"), Decimal("688592.59"))


def test_each_order_is_right_to_the_penny() -> None:
    """So no two errors cancel each other out."""
    expected: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows(*FILES):
        expected["import:shop:order:" + row["InvoiceNo"]] += worth(row)
    assert {event.key: Decimal(amount(event)).scaleb(-2) for event in reading().events} == expected


def test_each_day_is_right_to_the_penny() -> None:
    """By the wall clock of the shop; each day has a table of its own."""
    assert by_day() == {date.fromisoformat(path.stem): sum(map(worth, rows(path))) for path in FILES}


def test_the_busiest_day_is_the_one_that_is_known() -> None:
    """174 invoices on 22 November."""
    days = [LONDON.day_of(event.time_ms) for event in reading().events]
    busiest = max(set(days), key=days.count)
    assert (busiest, days.count(busiest)) == (date(2011, 11, 22), 174)


def test_every_line_is_kept_with_its_pieces() -> None:
    """As many lines and pieces as were sold."""
    lines = [line for event in reading().events for line in event.data.get("lines", ())]
    sold = [int(row["Quantity"]) for row in rows(*FILES) if not row["InvoiceNo"].startswith("C")]
    assert (len(lines), sum(line[1] for line in lines)) == (len(sold), sum(sold))


def test_the_same_tables_in_another_order_are_the_same_events() -> None:
    """Read backwards, file by file."""
    files = [(path.name, decode(path.read_bytes())) for path in reversed(FILES)]
    assert read_orders(files, How(LONDON, "main", currency="GBP"), NOW_MS).events == reading().events
