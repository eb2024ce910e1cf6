"""Bodies of a simulated shop: an order is a function of its life and an instant, so nothing is remembered.

Shape: Shopify REST resources of API version 2026-01.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from opsmon.sources.simulated_sales import TILL, Amounts, Body, Life, Sale, Shop, checkout_of, make_sale

API_VERSION = "2026-01"
WAREHOUSE = 61_250_000_000
# An order of so many lines has a body of about 16 KB.
LINES_16_KB = 18



def make_order(shop: Shop, life: Life, as_of_ms: int, lines: int | None = None) -> Body:
    """The order resource as it was at an instant. `lines` overrides how many it has."""
    sale = make_sale(shop, life, lines)
    return order_body(shop, life, sale, as_of_ms)


def order_body(shop: Shop, life: Life, sale: Sale, as_of_ms: int) -> Body:
    """Write an order as of an instant: what came later is not in it yet."""
    amounts, cents = sale.amounts, _totals(shop, sale)
    happened = _happened(life, as_of_ms)
    refunds = [make_refund(shop, life, sale)] if "refunded" in happened else []
    total = cents["total_price"]
    left = 0 if "cancelled" in happened else total - (sale.returned if refunds else 0)
    placed = iso(life.placed_ms, shop.zone)
    body: Body = {
        "id": life.id,
        "name": life.name,
        "order_number": life.number,
        "created_at": placed,
        "processed_at": placed,
        "updated_at": iso(life.updated_ms(as_of_ms), shop.zone),
        "closed_at": _when(life.fulfilled_ms, as_of_ms, shop),
        "cancelled_at": _when(life.cancelled_ms, as_of_ms, shop),
        "cancel_reason": "customer" if "cancelled" in happened else None,
        "test": life.is_test,
        "currency": amounts.currency,
        "presentment_currency": amounts.presentment,
        "taxes_included": shop.taxes_included,
        "financial_status": _financial_status(happened, left),
        "fulfillment_status": "fulfilled" if "fulfilled" in happened else None,
        "source_name": life.channel,
        "location_id": WAREHOUSE if life.channel == TILL else None,
        "checkout_token": None if life.channel == TILL else checkout_of(life),
        "tags": "checked" if as_of_ms >= life.edited_ms else "",
        "current_total_price": amounts.text(left),
        "discount_codes": [{"code": "OUTSIDE10", "amount": amounts.text(sale.discount), "type": "percentage"}]
        if sale.discount else [],
        "line_items": sale.lines,
        "shipping_lines": _shipping_lines(life, sale),
        "fulfillments": [make_fulfillment(shop, life, sale)] if "fulfilled" in happened else [],
        "refunds": refunds,
        **_people(life, sale),
    }
    for name, minor in cents.items():
        body[name] = amounts.text(minor)
        body[f"{name}_set"] = amounts.both(minor)
    return body


def _totals(shop: Shop, sale: Sale) -> dict[str, int]:
    subtotal = sale.gross - sale.discount
    return {
        "total_line_items_price": sale.gross,
        "total_discounts": sale.discount,
        "subtotal_price": subtotal,
        "total_tax": sale.tax,
        "total_shipping_price": sale.shipping,
        "total_price": subtotal + sale.shipping + (0 if shop.taxes_included else sale.tax),
    }


def _happened(life: Life, as_of_ms: int) -> set[str]:
    moments = (("paid", life.paid_ms), ("fulfilled", life.fulfilled_ms), ("cancelled", life.cancelled_ms),
               ("refunded", life.refunded_ms))
    return {name for name, ms in moments if ms is not None and ms <= as_of_ms}


def _financial_status(happened: set[str], left: int) -> str:
    if "refunded" in happened:
        return "partially_refunded" if left else "refunded"
    if "paid" in happened:
        return "paid"
    return "voided" if "cancelled" in happened else "pending"


def _shipping_lines(life: Life, sale: Sale) -> list[Body]:
    if life.channel == TILL:
        return []
    price = sale.amounts.both(sale.shipping)
    return [{"id": life.id + 7, "title": "Parcel", "code": "parcel", "price": price["shop_money"]["amount"],
             "price_set": price, "tax_lines": []}]


def _people(life: Life, sale: Sale) -> Body:
    """Buyer and address: counted names and reserved domains, nobody's data. A till knows neither."""
    if life.channel == TILL:
        return {"customer": None, "email": "", "shipping_address": None}
    code, province = sale.province
    email = f"buyer-{sale.buyer}@example.com"
    named = {"first_name": "Buyer", "last_name": f"No. {sale.buyer}"}
    return {
        "email": email,
        "customer": {"id": 6_900_000_000_000 + sale.buyer, "email": email, **named},
        "shipping_address": {**named, "address1": "1 Example Street", "city": province, "zip": "00000",
                             "province": province, "province_code": code,
                             "country": sale.country.name, "country_code": sale.country.code},
    }


def make_fulfillment(shop: Shop, life: Life, sale: Sale) -> Body:
    """The fulfillment resource of an order that has one."""
    at = iso(life.fulfilled_ms or life.placed_ms, shop.zone)
    number = f"OM{life.id % 10**10:010d}"
    packed = ("id", "sku", "title", "quantity", "price")
    return {
        "id": life.id + 3, "order_id": life.id, "name": f"{life.name}.1", "status": "success",
        "created_at": at, "updated_at": at, "service": "manual", "location_id": WAREHOUSE,
        "shipment_status": None, "tracking_company": "Parcel", "tracking_number": number,
        "tracking_numbers": [number],
        "line_items": [{name: line[name] for name in packed} for line in sale.lines],
    }


def make_refund(shop: Shop, life: Life, sale: Sale) -> Body:
    """The refund resource; byte for byte the one inside the order's refunds[]. Whole lines come back."""
    amounts, at = sale.amounts, iso(life.refunded_ms or life.placed_ms, shop.zone)
    lines = list(zip(sale.lines, sale.money, strict=True))[: sale.returned_lines]
    return {
        "id": life.id + 5, "order_id": life.id, "created_at": at, "processed_at": at, "note": None,
        "restock": True,
        "order_adjustments": _shipping_returned(life, sale),
        "refund_line_items": [_refund_line(amounts, line, *money) for line, money in lines],
        "transactions": [{"id": life.id + 9, "order_id": life.id, "kind": "refund", "status": "success",
                          "gateway": "card", "test": life.is_test, "created_at": at,
                          "currency": amounts.currency, "amount": amounts.text(sale.returned)}],
    }


def _shipping_returned(life: Life, sale: Sale) -> list[Body]:
    if not sale.returns_shipping or not sale.shipping:
        return []
    back = sale.amounts.both(-sale.shipping)
    return [{"id": life.id + 6, "order_id": life.id, "refund_id": life.id + 5, "kind": "shipping_refund",
             "amount": back["shop_money"]["amount"], "amount_set": back, "tax_amount": sale.amounts.text(0)}]


def _refund_line(amounts: Amounts, line: Body, net: int, tax: int) -> Body:
    return {
        "id": line["id"] + 50, "line_item_id": line["id"], "quantity": line["quantity"],
        "restock_type": "return", "location_id": WAREHOUSE,
        "subtotal": amounts.number(net), "total_tax": amounts.number(tax),
        "subtotal_set": amounts.both(net), "total_tax_set": amounts.both(tax), "line_item": line,
    }


def iso(at_ms: int, zone: ZoneInfo) -> str:
    """Local time with offset and whole seconds, as in the bodies: create and paid can tie."""
    return datetime.fromtimestamp(at_ms // 1000, zone).isoformat()


def _when(at_ms: int | None, as_of_ms: int, shop: Shop) -> str | None:
    return iso(at_ms, shop.zone) if at_ms is not None and at_ms <= as_of_ms else None
