"""Orders of a fake shop: what happens to each, drawn from a seed, and how REST and GraphQL show the same order.

Both views are written from one model, as Shopify does, and neither knows of the other.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from tests.fakes.graphql import Connection

Body = dict[str, Any]
ZONE = timezone(timedelta(hours=1))
CURRENCY = "EUR"
_GOODS = (("MUG", "Mug", 1290), ("TENT-2", "Tent", 24900), ("ROPE", "Rope", 990), ("LAMP", "Lamp", 3995),
          ("", "Sock", 500))
_PLACES = (("DE", "BE"), ("DE", "BY"), ("AT", "9"), ("FR", ""), ("US", "CA"))


@dataclass
class Line:
    """One line: money in cents."""

    id: int
    sku: str
    title: str
    quantity: int
    price: int
    gift_card: bool = False


@dataclass
class Refund:
    """Money given back: (net, tax) of each line, shipping, and what was adjusted (below zero lowers it)."""

    id: int
    at_ms: int
    lines: list[tuple[int, int]]
    shipping: int = 0

    @property
    def value(self) -> int:
        return sum(net + tax for net, tax in self.lines) + self.shipping


@dataclass
class Order:
    """An order as it now stands."""

    id: int
    placed_ms: int
    lines: list[Line]
    shipping: int
    place: tuple[str, str] | None
    customer: int | None
    channel: str
    checkout: str | None
    test: bool = False
    paid: str = "pending"
    updated_ms: int = 0
    parcels: list[tuple[int, int]] = field(default_factory=list)
    fulfilled: str | None = None
    cancelled_ms: int | None = None
    closed_ms: int | None = None
    refunds: list[Refund] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(line.quantity * line.price for line in self.lines) + self.shipping

    @property
    def refunded(self) -> int:
        return sum(refund.value for refund in self.refunds)


@dataclass(frozen=True)
class Step:
    """Something that happens to an order at an instant of the shop's."""

    at_ms: int
    order: int
    what: str


def plan(seed: int, count: int, from_ms: int, until_ms: int) -> list[Step]:
    """The lives of `count` orders between two instants, in order of time; no two steps of one within a second."""
    chance, steps = Random(seed), []
    for number in range(1, count + 1):
        at_ms = chance.randrange(from_ms, until_ms) // 1000 * 1000
        for what in _life(chance):
            steps.append(Step(at_ms, number, what))
            at_ms += chance.randrange(1, max(2, (until_ms - from_ms) // 4000)) * 1000
    return sorted((step for step in steps if step.at_ms < until_ms), key=lambda step: (step.at_ms, step.order))


def _life(chance: Random) -> list[str]:
    life = ["create", *(["pay"] if chance.random() < 0.8 else []), *(["edit"] if chance.random() < 0.3 else [])]
    luck = chance.random()
    if luck < 0.08:
        return [*life, "cancel", *(["refund"] if "pay" in life and chance.random() < 0.6 else [])]
    if luck < 0.75:
        life += ["pack", *(["fulfil"] if chance.random() < 0.9 else [])]
    return life + ["refund"] * chance.choice((0, 0, 0, 1, 1, 2))


def make(number: int, at_ms: int, seed: int) -> Order:
    """A new order; its id is over 2**53."""
    chance = Random(seed * 1_000_003 + number)
    order_id = 9_100_000_000_000_000 + number * 1_000
    kinds = [chance.choice(_GOODS) for _ in range(chance.choice((1, 1, 2, 3, 7)))]
    lines = [Line(order_id + 100 + at, sku, title, chance.choice((1, 1, 2)), price)
             for at, (sku, title, price) in enumerate(kinds)]
    pos = chance.random() < 0.1
    return Order(order_id, at_ms, lines, 0 if pos else 490, None if pos else chance.choice(_PLACES),
                 None if pos else 7_000 + chance.randrange(40), "pos" if pos else "web",
                 None if pos else f"checkout-{number}", test=chance.random() < 0.02, updated_ms=at_ms)


def happen(order: Order, what: str, at_ms: int) -> list[str]:
    """Let it happen; the topics that tell of it."""
    order.updated_ms = at_ms
    if what == "create":
        return ["orders/create"]
    if what == "pay":
        order.paid = "paid"
    elif what == "edit":
        order.lines[0].quantity += 1
    elif what == "pack":
        order.parcels.append((order.id + 300 + len(order.parcels), at_ms))
        order.fulfilled = "partial"
        return ["fulfillments/create", "orders/updated"]
    elif what == "fulfil":
        order.parcels.append((order.id + 300 + len(order.parcels), at_ms))
        order.fulfilled, order.closed_ms = "fulfilled", at_ms
        return ["fulfillments/create", "orders/fulfilled", "orders/updated"]
    elif what == "cancel":
        order.cancelled_ms = at_ms
        return ["orders/cancelled", "orders/updated"]
    elif what == "refund":
        return ["refunds/create", "orders/updated"] if _refund(order, at_ms) else ["orders/updated"]
    return ["orders/paid", "orders/updated"] if what == "pay" else ["orders/updated"]


def _refund(order: Order, at_ms: int) -> bool:
    left = order.total - order.refunded
    back = left if order.cancelled_ms else min(left, order.lines[0].price)
    if back <= 0:
        return False
    shipping = order.shipping if order.cancelled_ms and not order.refunds else 0
    tax = (back - shipping) * 19 // 119
    refund_id = order.id + 200 + len(order.refunds)
    order.refunds.append(Refund(refund_id, at_ms, [(back - shipping - tax, tax)], shipping))
    if order.paid == "paid":
        order.paid = "refunded" if order.refunded >= order.total else "partially_refunded"
    return True


def rest(order: Order) -> Body:
    """As webhooks have it."""
    return {
        "id": order.id, "name": f"#{order.id % 10**9 // 1_000}", "test": order.test, "currency": CURRENCY,
        "created_at": _local(order.placed_ms), "processed_at": _local(order.placed_ms),
        "updated_at": _local(order.updated_ms), "cancelled_at": _local(order.cancelled_ms),
        "closed_at": _local(order.closed_ms), "total_price": _text(order.total),
        "total_price_set": _rest_money(order.total), "taxes_included": True, "financial_status": order.paid,
        "fulfillment_status": order.fulfilled, "source_name": order.channel, "checkout_token": order.checkout,
        "customer": {"id": order.customer} if order.customer else None,
        "shipping_address": {"country_code": order.place[0], "province_code": order.place[1] or None}
        if order.place else None, "billing_address": None,
        "line_items": [{"id": line.id, "sku": line.sku, "title": line.title, "quantity": line.quantity,
                        "product_id": line.id % 1000 + 70, "gift_card": line.gift_card, "price": _text(line.price),
                        "price_set": _rest_money(line.price)} for line in order.lines],
        "fulfillments": [rest_parcel(order, parcel) for parcel in order.parcels],
        "refunds": [rest_refund(order, refund) for refund in order.refunds],
    }


def rest_parcel(order: Order, parcel: tuple[int, int]) -> Body:
    """A fulfillment, as webhooks have it."""
    return {"id": parcel[0], "order_id": order.id, "status": "success", "created_at": _local(parcel[1]),
            "updated_at": _local(parcel[1]), "shipment_status": None, "line_items": []}


def rest_refund(order: Order, refund: Refund) -> Body:
    """A refund, as webhooks have it: some amounts are numbers, shipping is an adjustment below zero."""
    shipping = {"kind": "shipping_refund", "amount": _text(-refund.shipping), "tax_amount": "0.00",
                "amount_set": _rest_money(-refund.shipping)}
    return {
        "id": refund.id, "order_id": order.id, "created_at": _local(refund.at_ms), "processed_at": _local(refund.at_ms),
        "refund_line_items": [{"subtotal": net / 100, "subtotal_set": _rest_money(net), "total_tax": tax / 100,
                               "total_tax_set": _rest_money(tax)} for net, tax in refund.lines],
        "order_adjustments": [shipping] if refund.shipping else [], "transactions": [
            {"kind": "refund", "status": "success", "amount": _text(refund.value), "currency": CURRENCY,
             "test": order.test}],
    }


def graph(order: Order) -> Body:
    """As the Admin API has it, with all that is ever asked for."""
    address = {"countryCodeV2": order.place[0], "provinceCode": order.place[1] or None} if order.place else None
    shown = {"fulfilled": "FULFILLED", "partial": "PARTIALLY_FULFILLED", None: "UNFULFILLED"}[order.fulfilled]
    return {
        "__typename": "Order", "id": f"gid://shopify/Order/{order.id}", "name": f"#{order.id % 10**9 // 1_000}",
        "createdAt": _utc(order.placed_ms), "processedAt": _utc(order.placed_ms), "updatedAt": _utc(order.updated_ms),
        "cancelledAt": _utc(order.cancelled_ms), "closedAt": _utc(order.closed_ms), "test": order.test,
        "currencyCode": CURRENCY, "taxesIncluded": True, "sourceName": order.channel,
        "displayFinancialStatus": order.paid.upper(), "displayFulfillmentStatus": shown,
        "totalPriceSet": _graph_money(order.total), "shippingAddress": address, "billingAddress": None,
        "customer": {"id": f"gid://shopify/Customer/{order.customer}"} if order.customer else None,
        "fulfillments": [{"createdAt": _utc(at_ms), "status": "SUCCESS"} for _, at_ms in order.parcels],
        "refunds": [graph_refund(refund) for refund in order.refunds],
        "lineItems": Connection({
            "id": f"gid://shopify/LineItem/{line.id}", "sku": line.sku or None, "title": line.title,
            "quantity": line.quantity, "isGiftCard": line.gift_card,
            "product": {"id": f"gid://shopify/Product/{line.id % 1000 + 70}"},
            "originalUnitPriceSet": _graph_money(line.price)} for line in order.lines),
    }


def graph_refund(refund: Refund) -> Body:
    """A refund, as the Admin API has it: shipping is a list of its own, above zero."""
    shipping = [{"subtotalAmountSet": _graph_money(refund.shipping), "taxAmountSet": _graph_money(0)}]
    return {
        "__typename": "Refund", "id": f"gid://shopify/Refund/{refund.id}", "createdAt": _utc(refund.at_ms),
        "processedAt": _utc(refund.at_ms), "orderAdjustments": Connection(),
        "refundLineItems": Connection({"subtotalSet": _graph_money(net), "totalTaxSet": _graph_money(tax)}
                                      for net, tax in refund.lines),
        "refundShippingLines": Connection(shipping if refund.shipping else []),
    }


def _text(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _rest_money(cents: int) -> Body:
    return {"shop_money": {"amount": _text(cents), "currency_code": CURRENCY}}


def _graph_money(cents: int) -> Body:
    """Without the zero at the end, as the Admin API writes it."""
    text = _text(cents)
    return {"shopMoney": {"amount": text[:-1] if text.endswith("0") else text, "currencyCode": CURRENCY}}


def _local(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, ZONE).isoformat()


def _utc(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def oracle(orders: list[Order]) -> dict[str, Any]:
    """What the shop's orders come to, added up by hand: test orders are left out, a cancellation takes back what no
    refund has."""
    real = [order for order in orders if not order.test]
    countries: dict[str, list[int]] = {}
    for order in real:
        row = countries.setdefault(order.place[0] if order.place else "", [0, 0])
        row[0], row[1] = row[0] + 1, row[1] + order.total
    return {
        "orders": len(real), "refunds": -sum(order.refunded for order in real),
        "revenue": sum(0 if order.cancelled_ms else order.total - order.refunded for order in real),
        "open": sum(order.fulfilled != "fulfilled" and not order.cancelled_ms for order in real),
        "countries": {country: tuple(row) for country, row in countries.items()},
        "states": {str(order.id): (order.total, order.cancelled_ms, order.closed_ms, order.updated_ms)
                   for order in real},
    }
