"""Orders as the Admin API shows them, written as the bodies that webhooks bring, so that one reader reads both.

Facts: shopify.dev, GraphQL objects Order, LineItem, Refund, OrderAdjustment, RefundShippingLine beside the REST
resources. Refunds are asked for on their own: a bulk operation takes no connection within a list.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opsmon.pollers.shopify_admin import Data

# Lines that come with their order; the rest is asked for.
LINES = 5
MOST_LINES, MOST_REFUNDS = 150, 6

_MONEY = "{ shopMoney { amount currencyCode } }"
_REFUND_LINES = f"nodes {{ subtotalSet {_MONEY} totalTaxSet {_MONEY} }} pageInfo {{ hasNextPage endCursor }}"
# What the display says of an order whose goods have not all gone, besides that some have.
_FULFILLED = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}


class OrderQueries:
    """The queries, with those fields only that the token may see: a bulk operation fails whole for one other."""

    def __init__(self, scopes: set[str]) -> None:
        self.fields = _order_fields("read_customers" in scopes)
        lines = f"nodes {{ {_line_fields('read_products' in scopes)} }} pageInfo {{ hasNextPage endCursor }}"
        self.page = f"""query($search: String!, $first: Int!, $after: String) {{
  orders(first: $first, after: $after, query: $search, sortKey: UPDATED_AT) {{
    nodes {{ {self.fields} lineItems(first: {LINES}) {{ {lines} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
        self.lines = f"""query($id: ID!, $after: String) {{
  order(id: $id) {{ lineItems(first: {MOST_LINES}, after: $after) {{ {lines} }} }} }}"""
        self.bulk_fields = _line_fields("read_products" in scopes)

    def bulk(self, search: str) -> str:
        """The query of a bulk operation: of connections it takes edges only, and pages by itself."""
        return f"""{{ orders(query: "{search}", sortKey: UPDATED_AT) {{ edges {{ node {{ {self.fields}
  lineItems {{ edges {{ node {{ id {self.bulk_fields} }} }} }} }} }} }} }}"""


REFUNDS = f"""query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Refund {{ id createdAt processedAt
  refundLineItems(first: 15) {{ {_REFUND_LINES} }}
  refundShippingLines(first: 5) {{ nodes {{ subtotalAmountSet {_MONEY} taxAmountSet {_MONEY} }} }}
  orderAdjustments(first: 5) {{ nodes {{ amountSet {_MONEY} taxAmountSet {_MONEY} }} }} }} }} }}"""
REFUND_LINES = f"""query($id: ID!, $after: String) {{ refund(id: $id) {{
  refundLineItems(first: {MOST_LINES}, after: $after) {{ {_REFUND_LINES} }} }} }}"""
COUNT = "query($search: String!) { ordersCount(query: $search, limit: 10000) { count } }"


def _order_fields(customers: bool) -> str:
    customer = "customer { id } " if customers else ""
    return (f"id name createdAt processedAt updatedAt cancelledAt closedAt test currencyCode taxesIncluded sourceName "
            f"displayFinancialStatus displayFulfillmentStatus {customer}"
            f"totalPriceSet {_MONEY} shippingAddress {{ countryCodeV2 provinceCode }} "
            f"billingAddress {{ countryCodeV2 provinceCode }} fulfillments(first: 50) {{ createdAt status }} "
            f"refunds(first: 50) {{ id }}")


def _line_fields(products: bool) -> str:
    product = " product { id }" if products else ""
    return f"sku title quantity isGiftCard originalUnitPriceSet {_MONEY}{product}"


def rest_order(node: Data, lines: Sequence[Data], refunds: Sequence[Data], known: Mapping[str, Any]) -> Data:
    """An order as orders/updated has it. `known` are the fields of `order.placed` that we remember: what this API
    does not show of an order (its checkout) or does not show this app (customer, address) is taken from there."""
    address = node.get("shippingAddress") or node.get("billingAddress")
    return {
        "id": gid_number(node["id"]), "name": node.get("name"), "test": node.get("test"),
        "created_at": node.get("createdAt"), "processed_at": node.get("processedAt"),
        "updated_at": node.get("updatedAt"), "cancelled_at": node.get("cancelledAt"), "closed_at": node.get("closedAt"),
        "currency": node.get("currencyCode"), "taxes_included": node.get("taxesIncluded"),
        "total_price": _amount(node.get("totalPriceSet")), "total_price_set": _rest_money(node.get("totalPriceSet")),
        "financial_status": _lower(node.get("displayFinancialStatus")), "fulfillment_status": _fulfilment(node),
        "source_name": node.get("sourceName"), "checkout_token": known.get("checkout"),
        "customer": _customer(node, known), "shipping_address": _rest_address(address) or _known_address(known),
        "line_items": [_rest_line(line) for line in lines],
        "fulfillments": [{"created_at": parcel.get("createdAt"), "status": _lower(parcel.get("status"))}
                         for parcel in node.get("fulfillments") or []],
        "refunds": [rest_refund(refund) for refund in refunds],
    }


def rest_refund(node: Data) -> Data:
    """A refund as it lies in an order: REST knows refunded shipping as one more adjustment, below zero."""
    shipping = [{"kind": "shipping_refund", **_negative("amount", line.get("subtotalAmountSet")),
                 **_negative("tax_amount", line.get("taxAmountSet"))} for line in _nodes(node, "refundShippingLines")]
    others = [{"kind": "refund_discrepancy", **_priced("amount", item.get("amountSet")),
               **_priced("tax_amount", item.get("taxAmountSet"))} for item in _nodes(node, "orderAdjustments")]
    return {
        "id": gid_number(node["id"]), "created_at": node.get("createdAt"), "processed_at": node.get("processedAt"),
        "refund_line_items": [{**_priced("subtotal", line.get("subtotalSet")),
                               **_priced("total_tax", line.get("totalTaxSet"))}
                              for line in _nodes(node, "refundLineItems")],
        "order_adjustments": shipping + others,
    }


def gid_number(gid: object) -> str:
    """The number in `gid://shopify/Order/450789469`: the id that REST and webhooks know."""
    return str(gid).rpartition("/")[2].partition("?")[0]


def _fulfilment(node: Data) -> str | None:
    shown = str(node.get("displayFulfillmentStatus"))
    if shown in _FULFILLED:
        return _FULFILLED[shown]
    # On hold, scheduled, in progress: said of what has not gone yet, whether or not something has.
    gone = any(parcel.get("status") == "SUCCESS" for parcel in node.get("fulfillments") or [])
    return "partial" if gone else None


def _customer(node: Data, known: Mapping[str, Any]) -> Data | None:
    if node.get("customer"):
        return {"id": gid_number(node["customer"]["id"])}
    remembered = str(known.get("customer") or "").rpartition(":")[2]
    return {"id": remembered} if remembered else None


def _rest_address(address: Data | None) -> Data | None:
    if not address:
        return None
    return {"country_code": address.get("countryCodeV2"), "province_code": address.get("provinceCode")}


def _known_address(known: Mapping[str, Any]) -> Data | None:
    if not known.get("country"):
        return None
    return {"country_code": known["country"], "province_code": str(known.get("region") or "").partition("-")[2]}


def _rest_line(line: Data) -> Data:
    product = line.get("product")
    return {"sku": line.get("sku"), "title": line.get("title"), "quantity": line.get("quantity"),
            "gift_card": line.get("isGiftCard"), "product_id": gid_number(product["id"]) if product else None,
            **_priced("price", line.get("originalUnitPriceSet"))}


def _priced(name: str, money: Data | None) -> Data:
    return {name: _amount(money), f"{name}_set": _rest_money(money)}


def _negative(name: str, money: Data | None) -> Data:
    shop = (money or {}).get("shopMoney") or {}
    amount = str(shop.get("amount") or "0")
    turned = amount[1:] if amount.startswith("-") else f"-{amount}"
    return _priced(name, {"shopMoney": {**shop, "amount": turned}})


def _amount(money: Data | None) -> Any:
    return ((money or {}).get("shopMoney") or {}).get("amount")


def _rest_money(money: Data | None) -> Data | None:
    shop = (money or {}).get("shopMoney")
    return {"shop_money": {"amount": shop.get("amount"), "currency_code": shop.get("currencyCode")}} if shop else None


def _lower(value: object) -> str | None:
    return value.lower() if isinstance(value, str) else None


def _nodes(node: Data, name: str) -> list[Data]:
    return list((node.get(name) or {}).get("nodes") or [])
