"""What Odoo's records say: sale, purchase and manufacturing orders, transfers and stock, from a webhook or a poll.

A webhook's body and a record that was asked for say the same in two ways: many2one as a bare id, or as
[id, name]; `false` for empty; times in UTC without a zone, to the second or, from some versions, beyond. Both
become the same event, of the same version: write_date in whole seconds, then how far the record's life has
come. What was not ticked in the webhook action is not there: a sentence says what is needed.

States: odoo/addons/{sale,stock,mrp,purchase}/models. Those that a module adds are shown as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from opsmon.core.events import Event, EventId, entity_id
from opsmon.core.money import is_currency, to_minor
from opsmon.core.showing import shown
from opsmon.sources.reading import BadBody, instant_ms, short_text

Body = Mapping[str, Any]

MINUTE_MS = 60_000
# Odoo's word for a state → ours. Their order is the order of a record's life.
STATES: dict[str, dict[str, str]] = {
    "sale.order": {"draft": "quotation", "sent": "quotation sent", "sale": "sale", "done": "locked",
                   "cancel": "cancelled"},
    "stock.picking": {"draft": "draft", "waiting": "waits for another", "confirmed": "waits for stock",
                      "partially_available": "partly ready", "assigned": "ready", "done": "done",
                      "cancel": "cancelled"},
    "mrp.production": {"draft": "draft", "confirmed": "confirmed", "planned": "planned", "progress": "in progress",
                       "to_close": "to close", "done": "done", "cancel": "cancelled"},
    "purchase.order": {"draft": "request", "sent": "request sent", "to approve": "to approve",
                       "purchase": "ordered", "done": "locked", "cancel": "cancelled"},
}
_SOLD = ("sale", "done")
_FULFILLED = {"full": "fulfilled", "partial": "partial", "started": "partial", "pending": ""}


@dataclass(frozen=True, slots=True)
class Database:
    """One Odoo database, as a site declares it: what keys begin with, and which currency each currency_id is;
    under '' the one of all others."""

    name: str
    site: str
    currencies: Mapping[str, str] = field(default_factory=dict)


class Read(NamedTuple):
    """One record, read: what it is, whose key, how far its life has come, and the fields that are kept."""

    type: str
    entity: str
    progress: int
    data: dict[str, Any]


class _Record:
    """A record's fields, read one by one. Each raises BadBody with what to do."""

    def __init__(self, model: str, fields: Body, database: Database) -> None:
        self.model, self.fields, self.database = model, fields, database

    def need(self, *names: str) -> None:
        missing = [name for name in names if name not in self.fields]
        if missing:
            raise BadBody(f"{self.model} came without {', '.join(missing)}: tick it among the webhook action's fields")

    def state(self) -> tuple[str, str, int]:
        """Odoo's word, ours, and how far that is: an unknown one is shown as it is, and is no step ahead."""
        self.need("state")
        raw = short_text(self.fields["state"], 32)
        if not raw:
            raise BadBody(f"state is no text: {shown(self.fields['state'])}")
        known = STATES[self.model]
        return raw, known.get(raw, raw), list(known).index(raw) + 1 if raw in known else 0

    def time_ms(self, name: str) -> int | None:
        """An instant in whole seconds, as ms; None when it is empty or was not told."""
        value = self.fields.get(name) or None
        return None if value is None else instant_ms(value, name) // 1000 * 1000

    def link(self, name: str) -> tuple[str, str]:
        """Id and name of the record a many2one names: ('', '') for none, no name where a bare id came."""
        value = self.fields.get(name)
        if value is None or value is False:
            return "", ""
        bare, called = (value[0], value[1]) if type(value) is list and len(value) == 2 else (value, "")
        return _id(bare, name), short_text(called, 64)

    def number(self, name: str) -> float | int:
        """An amount of goods; 0 where none was told."""
        value = self.fields.get(name) or 0
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 10**12:
            raise BadBody(f"{name} is no number: {shown(value)}")
        return int(value) if value == int(value) else value

    def currency(self) -> str:
        """The currency of amounts: by its name where that was told, else by what the source says of its id."""
        bare, called = self.link("currency_id")
        known = self.database.currencies
        code = called if is_currency(called) else known.get(bare) or known.get("")
        if code is None:
            raise BadBody(f"currency_id is {bare or 'not told'}, and nobody said which currency that is: put "
                          f"currency = \"EUR\", or \"{bare or '1'}=EUR\", below [[source]] in opsmon.toml")
        return code

    def key(self, entity: str, bare: str) -> str:
        return f"odoo:{self.database.name}:{entity}:{bare}" if bare else ""


def _sale(record: _Record) -> Read:
    """sale.order: an order once it is confirmed; before that a quotation, which is no sale."""
    raw, state, progress = record.state()
    record.need("amount_total", "date_order")
    placed_ms = record.time_ms("date_order")
    if placed_ms is None:
        raise BadBody("date_order is empty")
    currency = record.currency()
    total = _minor(record.fields["amount_total"], currency)
    fulfilled, fulfilled_ms = _delivered(record)
    was_sold = raw in _SOLD or (raw == "cancel" and _was_confirmed(record, placed_ms))
    return Read("order.updated", "order", progress, {
        "name": short_text(record.fields.get("name")),
        "test": False,
        "quotation": "" if was_sold else state,
        "placed_ms": placed_ms,
        "cancelled_ms": (record.time_ms("write_date") or placed_ms) if raw == "cancel" else None,
        "total_minor": total,
        "goods_minor": total,
        "currency": currency,
        "paid": short_text(record.fields.get("invoice_status"), 32) or "unknown",
        "fulfilled": fulfilled,
        "fulfilled_ms": fulfilled_ms,
        "channel": "web" if record.fields.get("website_id") else "",
        "country": "",
        "region": "",
        "customer": record.key("customer", record.link("partner_id")[0]),
        "checkout": "",
        "lines": [],
        "refunds": [],
    })


def _was_confirmed(record: _Record, placed_ms: int) -> bool:
    """Whether a cancelled order had been one: date_order is the creation's at first, the confirmation's later.

    Where create_date was not told, it counts as placed and taken back.
    """
    created_ms = record.time_ms("create_date")
    return created_ms is None or placed_ms > created_ms + 1000


def _delivered(record: _Record) -> tuple[str, int | None]:
    """How much was delivered, in Shopify's words, and when; 'unknown' for what has nothing to deliver."""
    told = record.fields.get("delivery_status")
    if not told:
        return "unknown", None
    done_ms = record.time_ms("effective_date") or record.time_ms("write_date")
    # A full one without any date is done, but nobody knows when.
    if told == "full" and done_ms is None:
        return "unknown", None
    return _FULFILLED.get(str(told), ""), done_ms if told == "full" else None


def _transfer(record: _Record) -> Read:
    """stock.picking: goods on their way out, in, or within; `order` names the sale it belongs to."""
    raw, state, progress = record.state()
    kind = short_text(record.fields.get("picking_type_code"), 32)
    if raw == "done" and kind == "outgoing":
        state = "shipped"
    return Read("picking.updated", "picking", progress, {
        "state": state, "kind": kind, "order": record.key("order", record.link("sale_id")[0]),
        "origin": short_text(record.fields.get("origin"), 48)})


def _production(record: _Record) -> Read:
    """mrp.production: a manufacturing order."""
    _, state, progress = record.state()
    return Read("production.updated", "production", progress, {
        "state": state, "product": _called(record, "product_id"), "quantity": record.number("product_qty")})


def _purchase(record: _Record) -> Read:
    """purchase.order: what was asked or ordered of a supplier."""
    _, state, progress = record.state()
    data: dict[str, Any] = {"state": state, "supplier": record.link("partner_id")[0]}
    if record.fields.get("amount_total") is not None:
        currency = record.currency()
        _minor(record.fields["amount_total"], currency)
        data |= {"amount": record.fields["amount_total"], "currency": currency}
    return Read("purchase.updated", "purchase", progress, data)


def _stock(record: _Record) -> Read:
    """stock.quant: how much of a product is at a place, less what is reserved."""
    record.need("product_id", "quantity")
    free = record.number("quantity") - record.number("reserved_quantity")
    return Read("inventory.changed", "quant", 0, {
        "sku": _called(record, "product_id"), "location": _called(record, "location_id"), "available": free})


READERS: dict[str, Callable[[_Record], Read]] = {
    "sale.order": _sale,
    "stock.picking": _transfer,
    "mrp.production": _production,
    "stock.quant": _stock,
    "purchase.order": _purchase,
}


def read_record(model: str, fields: Body, bare_id: object, database: Database, arrived_ms: int) -> Event:
    """A record of a model in READERS, as it stands. Raises BadBody with what is wrong and what to do.

    Two tellings are one event when model, id, write_date and all that is kept are the same; where no write_date
    was told, when they arrive in the same minute. write_date alone would not do: of two changes within its
    second the later would be lost.
    """
    record = _Record(model, fields, database)
    own_id = _id(bare_id, "_id")
    read = READERS[model](record)
    written_ms = record.time_ms("write_date")
    digest = blake2b(orjson.dumps(read.data), digest_size=8).hexdigest()
    stamp = f"m{arrived_ms // MINUTE_MS}" if written_ms is None else str(written_ms)
    updated_ms = arrived_ms if written_ms is None else written_ms
    # A record that tells names goes before one with bare ids, where all else is alike.
    rank = read.progress * 2 + any(type(value) is list and len(value) == 2 for value in fields.values())
    return Event(
        id=EventId(f"odoo:{database.name}:{model}:{own_id}:{stamp}:{digest}"), type=read.type, time_ms=updated_ms,
        arrived_ms=arrived_ms, source=database.name, site=database.site, key=record.key(read.entity, own_id),
        version=(updated_ms, rank, digest), data=read.data)


def _called(record: _Record, name: str) -> str:
    """What a linked record is called: its code where its name begins with one, as [TENT-2], else name or id."""
    bare, called = record.link(name)
    code, closed, _ = called.removeprefix("[").partition("]")
    return code if called.startswith("[") and closed and code else called or (f"#{bare}" if bare else "")


def _id(value: object, name: str) -> str:
    try:
        return entity_id(value)
    except ValueError as error:
        raise BadBody(f"{name} is {error}") from None


def _minor(value: object, currency: str) -> int:
    try:
        return to_minor(value, currency)
    except ValueError as error:
        raise BadBody(f"amount_total is {error}") from None
