"""The facts opsmon knows, with their fields: what a site's own KPIs can count.

Facts made of vendors' deliveries have these fields and no others. Facts that a site posts under a name the
built-in KPIs count have at least the fields that are counted. All other names are a site's own, and so are
their fields. What a fact says is in facts.py and groups.py; a test holds this table to them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Kind = Literal["text", "number", "money", "ms"]


@dataclass(frozen=True, slots=True)
class KnownField:
    """One field: what it holds, in a few words; `is_below_zero`: an amount that lowers revenue."""

    kind: Kind
    meaning: str
    is_below_zero: bool = False


@dataclass(frozen=True, slots=True)
class KnownFact:
    """One fact. `is_closed`: opsmon makes it, with these fields only; `is_revised`: a newer version or a
    cancellation may change it or take it back."""

    meaning: str
    fields: dict[str, KnownField]
    is_closed: bool = False
    is_revised: bool = False


def _text(meaning: str) -> KnownField:
    return KnownField("text", meaning)


def _number(meaning: str) -> KnownField:
    return KnownField("number", meaning)


def _money(meaning: str, *, is_below_zero: bool = False) -> KnownField:
    return KnownField("money", meaning, is_below_zero)


def _ms(meaning: str) -> KnownField:
    return KnownField("ms", meaning)


def _told(meaning: str, **fields: KnownField) -> KnownFact:
    return KnownFact(meaning, fields, is_closed=True, is_revised=True)


def _posted(meaning: str, **fields: KnownField) -> KnownFact:
    return KnownFact(meaning, fields)


_WHERE = {
    "country": _text("country it goes to, e.g. DE"),
    "region": _text("country and region it goes to, e.g. DE-BE"),
    "channel": _text("where it came from, e.g. web or pos"),
}
_VISITOR = {"visitor": _text("who, as the shop's pages tell visitors apart")}
_PAGE = _VISITOR | {"path": _text("the page, without what stands behind ?")}
_USER = {"user": _text("who, as the sender tells users apart")}
_PLACE = {
    "stage": _text("stage it was moved to"),
    "station": _text("station it was moved at"),
    "person": _text("who moved it"),
    "line": _text("line it was moved on"),
}

FACTS: dict[str, KnownFact] = {
    "order.placed": _told(
        "an order, when it was placed", amount=_money("total with tax and shipping, after discounts"),
        goods=_money("the same without gift cards"), customer=_text("who ordered, '' for a guest"),
        checkout=_text("checkout it came from"), order=_text("what its shop calls it, e.g. #1001"), **_WHERE),
    "order.cancelled": _told(
        "an order, when it was cancelled",
        amount=_money("what the cancelling takes back, below zero", is_below_zero=True), **_WHERE),
    "order.line": _told(
        "a line of an order that is not cancelled, when the order was placed", product=_text("title, else SKU"),
        sku=_text("SKU"), pieces=_number("how many"), amount=_money("price times pieces")),
    "order.open": _told(
        "an order that is neither fulfilled nor cancelled, when it was placed", entity=_text("which order"),
        waits_for=_text("what comes next: payment, packing or the rest"), **_WHERE),
    "order.completed": _told(
        "an order, when it was fulfilled", took_ms=_ms("from placing to fulfilment"), **_WHERE),
    "refund.given": _told(
        "a refund, when it was given", amount=_money("value given back, below zero", is_below_zero=True)),
    "customer.ordered": _told(
        "an order of a known customer, when it was placed", kind=_text("new or returning"),
        customer=_text("who ordered"), amount=_money("total of the order")),
    "customer.known": _told(
        "a customer, when the first order was placed", tier=_text("new, returning, loyal or VIP"),
        customer=_text("who it is")),
    "checkout.followed": _told(
        "a checkout, when it was started", paid=_text("yes or no: whether an order came of it")),
    "stage.entered": _told("an order's move to a stage", **_PLACE),
    "stage.left": _told("an order's leaving of a stage", took_ms=_ms("how long it was there"), **_PLACE),
    "stage.holds": _told("the stage an order is at", stage=_text("which stage"), entity=_text("which order")),
    "order.edited": _told(
        "a change of an order's lines, when it was made", added=_number("pieces put in"),
        removed=_number("pieces taken out")),
    "order.held": _told(
        "a part of an order that is on hold, when it was put there", reason=_text("why, e.g. awaiting_payment"),
        entity=_text("which part")),
    "payment.attempted": _told(
        "a payment that was tried, when it was", ok=_text("yes or no"),
        kind=_text("authorization, sale, capture, void or refund"), gateway=_text("who was to move the money"),
        error=_text("what the gateway says went wrong, e.g. card_declined")),
    "payment.received": _told(
        "money that moved, when it did", amount=_money("how much; below zero: back to the customer"),
        method=_text("e.g. credit_card or cash")),
    "dispute.opened": _told(
        "a dispute, when the customer began it", status=_text("how it stands, e.g. needs_response"),
        kind=_text("inquiry or chargeback"), reason=_text("what the customer says, e.g. fraudulent"),
        amount=_money("what it is about")),
    "return.requested": _told("a return, when it was first heard of", entity=_text("which return")),
    "return.open": _told(
        "a return that is not at an end, when that was told", status=_text("requested or open"),
        entity=_text("which return")),
    "parcel.moved": _told(
        "where a parcel is, when it got there", status=_text("e.g. in_transit or delivered"),
        entity=_text("which parcel")),
    "cart.filled": _told("a cart with something in it, when it was begun", pieces=_number("how many")),
    "product.known": _told(
        "an item of a product, as its shop last told it", item=_text("the shop's number of it"), sku=_text("SKU"),
        product=_text("what the product is called")),
    "product.tagged": _told(
        "a tag of a product, as its shop last told it", product=_text("what the product is called"),
        tag=_text("which tag")),
    "delivery.arrived": KnownFact(
        "a delivery or event that came in",
        {"source": _text("who sent it, e.g. shopify"), "lag_ms": _ms("how long it was on its way, at most a day")},
        is_closed=True),
    "page.viewed": _posted("a page seen by a visitor", **_PAGE),
    "product.viewed": _posted(
        "a product looked at by a visitor", product=_text("its title"), sku=_text("SKU"), **_PAGE),
    "cart.updated": _posted("a cart changed by a visitor", **_VISITOR),
    "checkout.started": _posted("a checkout begun by a visitor", **_VISITOR),
    "checkout.completed": _posted("a checkout paid by a visitor", amount=_money("what was paid"), **_VISITOR),
    "search.submitted": _posted("a search by a visitor", term=_text("what for, where that is kept"), **_PAGE),
    "conversion.step": _posted("a step of the shop's own on the way to a sale", step=_text("which step"), **_PAGE),
    "error.occurred": _posted("a script of a page that failed", message=_text("what it said"),
                              where=_text("which script"), **_PAGE),
    "page.timed": _posted("how long something took in a visitor's browser", what=_text("what, e.g. load"),
                          ms=_ms("how long"), **_PAGE),
    "stage.moved": _posted("a move of an order, as it was told", **_PLACE),
    "inventory.changed": KnownFact(
        "a stock level, replaced by the next version",
        {"sku": _text("SKU"), "location": _text("where"), "available": _number("pieces available")},
        is_revised=True),
    "user.active": _posted("a user who did something", **_USER),
    "feature.used": _posted("a feature used by a user", feature=_text("which feature"), **_USER, **_PAGE),
    "api.request": _posted("a request that was answered", endpoint=_text("which endpoint"),
                           status=_number("HTTP status"), ms=_ms("time to the answer")),
    "queue.depth": _posted("a queue's length, when it was told", queue=_text("which queue"),
                           depth=_number("how many wait")),
    "gauge.set": _posted("a gauge, when it was told", name=_text("which gauge"), value=_number("what it shows")),
    "count.add": _posted("something that was counted", name=_text("which counter"), value=_number("how many more")),
    "function.called": _posted("a call of a function", ms=_ms("how long it took"),
                               **{"class": _text("of which class")}),
    "order.quoted": _told(
        "a quotation, which is no sale, when it was made", state=_text("e.g. quotation, quotation sent, cancelled"),
        amount=_money("total with tax and shipping")),
    "picking.updated": KnownFact(
        "a transfer of goods, replaced by the next version",
        {"state": _text("e.g. ready, done, shipped"), "kind": _text("outgoing, incoming, internal"),
         "order": _text("sale it belongs to"), "origin": _text("document it comes from")}, is_revised=True),
    "production.updated": KnownFact(
        "a manufacturing order, replaced by the next version",
        {"state": _text("e.g. confirmed, in progress, done"), "product": _text("what is made"),
         "quantity": _number("how many")}, is_revised=True),
    "purchase.updated": KnownFact(
        "a purchase order, replaced by the next version",
        {"state": _text("e.g. request, ordered"), "supplier": _text("of whom"),
         "amount": _money("total with tax")}, is_revised=True),
    "item.scanned": _posted("a scan, when it was made", station=_text("station it was made at"),
                            person=_text("who made it"), line=_text("line it was made on"), sku=_text("SKU"),
                            quantity=_number("how many pieces")),
}


def kind_of(field: str, facts: Iterable[str]) -> Kind | None:
    """What a field of these facts holds; None where only the site knows."""
    kinds = [FACTS[fact].fields[field].kind for fact in facts if fact in FACTS and field in FACTS[fact].fields]
    return kinds[0] if kinds else None


def is_below_zero(field: str, facts: Iterable[str]) -> bool:
    """Whether a field of each of these facts is an amount below zero."""
    found = [FACTS[fact].fields.get(field) if fact in FACTS else None for fact in facts]
    return bool(found) and all(known is not None and known.is_below_zero for known in found)


def without(field: str, facts: Iterable[str]) -> list[str]:
    """Those of the facts that certainly do not have a field."""
    return [fact for fact in facts if fact in FACTS and FACTS[fact].is_closed and field not in FACTS[fact].fields]


def similar(name: str, known: Iterable[str]) -> str:
    """' (did you mean …?)' where something known is spelt almost so."""
    found = get_close_matches(name[:64].lower(), list(known), n=1, cutoff=0.7)
    return f" (did you mean {found[0]}?)" if found and found[0] != name else ""
