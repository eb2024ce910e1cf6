"""Which column of a table holds what: as it was said on the command line, or guessed from the header."""

import csv
from collections.abc import Mapping, Sequence

# What a column may hold, and the headers it is guessed by, letter case and signs aside. The first fits best.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "order": ("invoiceno", "invoicenumber", "invoice", "orderid", "orderno", "ordernumber", "order"),
    "time": ("invoicedate", "createdat", "orderdate", "ordertime", "placedat", "date", "time"),
    "quantity": ("lineitemquantity", "quantity", "qty", "pieces"),
    "price": ("lineitemprice", "unitprice", "itemprice", "price"),
    "sku": ("lineitemsku", "stockcode", "sku", "productcode", "articleno"),
    "title": ("lineitemname", "description", "productname", "product", "title", "item"),
    "customer": ("customerid", "customerno", "customer", "email"),
    "country": ("shippingcountry", "country", "billingcountry"),
    "total": ("ordertotal", "grandtotal"),  # `Total` alone may be the row's
    "currency": ("currency", "currencycode"),
    "channel": ("saleschannel", "channel", "source"),
    "cancels": ("cancels", "creditnotefor"),
    "cancelled": ("cancelledat", "canceledat"),
    "refunded": ("refundedamount",),
}
# What a table of each kind may hold, and which of it there must be. Rows of orders have a price or a total besides.
TABLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "orders": FIELDS,
    "stock": {
        "sku": ("sku", "stockcode", "productcode", "articleno", "article", "item"),
        "available": ("available", "instock", "stock", "onhand", "quantity", "qty", "pieces"),
        "location": ("location", "warehouse", "place", "bin"),
    },
    "counts": {
        "time": ("time", "date", "day", "createdat"),
        "name": ("name", "counter", "what"),
        "value": ("value", "count", "quantity", "qty", "number"),
    },
    "gauges": {
        "time": ("time", "date", "day", "createdat"),
        "name": ("name", "gauge", "what"),
        "value": ("value", "reading", "number"),
    },
}
NEEDED: Mapping[str, tuple[str, ...]] = {
    "orders": ("order", "time"), "stock": ("sku", "available"), "counts": ("time", "name", "value"),
    "gauges": ("time", "name", "value"),
}
# In Shopify's order export `Name` is the order's number, and `Total` the order's.
_SHOPIFY_HAS, _SHOPIFY = "lineitemname", {"order": ("name",), "total": ("total",)}
# In the UCI "Online Retail" tables numbers that begin with C are cancellations.
_UCI_HAS, _UCI_PREFIX = {"invoiceno", "stockcode"}, "C"

_EXAMPLES = {"orders": "order=…,time=…,quantity=…,price=…"} | {
    table: ",".join(f"{name}=…" for name in names) for table, names in NEEDED.items() if table != "orders"}


class ColumnsError(ValueError):
    """It is not known which column holds what; the message says what to write."""


def parse_columns(text: str, table: str = "orders") -> dict[str, str]:
    """Read `order=InvoiceNo,time=InvoiceDate`: field -> header, for a kind of table. Raises ColumnsError.

    A pair with a comma in it stands in quotation marks.
    """
    columns: dict[str, str] = {}
    for part in next(csv.reader([text], skipinitialspace=True), []):
        name, _, header = (word.strip() for word in part.partition("="))
        if name not in TABLES[table] or not header or name in columns:
            raise ColumnsError(f"--columns: {part.strip()!r:.60} is no column: expected each field once, as "
                               f"field=header; the fields are {', '.join(TABLES[table])}")
        columns[name] = header
    return columns


def find_columns(header: Sequence[str], given: Mapping[str, str] | None, table: str = "orders") -> dict[str, str]:
    """Which column holds what: field -> header as it stands in the table. Raises ColumnsError."""
    columns = _guessed(header, table) if given is None else _named(header, given)
    missing = [name for name in NEEDED[table] if name not in columns]
    missing += ["price (or total)"] if table == "orders" and not {"price", "total"} & set(columns) else []
    if missing:
        raise ColumnsError(f"no column is known to hold {', '.join(missing)}: say it with --columns "
                           f"{_EXAMPLES[table]}; the file has {_listed(header)}")
    doubtful = [name for name in columns.values() if header.count(name) > 1]
    if doubtful:
        raise ColumnsError(f"two columns are called {doubtful[0]}: expected different names; the file has "
                           f"{_listed(header)}")
    return columns


def usual_prefix(header: Sequence[str]) -> str:
    """What numbers of cancellations begin with in tables with this header; '' when nothing is known."""
    return _UCI_PREFIX if {_plain(name) for name in header} >= _UCI_HAS else ""


def _named(header: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    standing = {name.casefold(): name for name in reversed(header)}
    unknown = [f"{name}={column}" for name, column in given.items() if column.casefold() not in standing]
    if unknown:
        raise ColumnsError(f"--columns {','.join(unknown)}: no such column; the file has {_listed(header)}")
    return {name: standing[column.casefold()] for name, column in given.items()}


def _guessed(header: Sequence[str], table: str) -> dict[str, str]:
    standing = {_plain(name): name for name in reversed(header)}
    is_shopify = table == "orders" and _SHOPIFY_HAS in standing
    names: dict[str, tuple[str, ...]] = {**TABLES[table], **(_SHOPIFY if is_shopify else {})}
    found = {name: next((standing[guess] for guess in guesses if guess in standing), None)
             for name, guesses in names.items()}
    return {name: column for name, column in found.items() if column is not None}


def _plain(header: str) -> str:
    return "".join(filter(str.isalnum, header.casefold()))


def _listed(header: Sequence[str]) -> str:
    return ", ".join(name or "(a column without a name)" for name in header)
