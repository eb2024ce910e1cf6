"""What a simulated order holds and what becomes of it: drawn from a seed, counted in minor units.

With `taxes_included` false (the default) total = lines - discounts + tax + shipping; with true the line
prices already hold the tax and total = lines - discounts + shipping. Shipping is never taxed.
"""

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from opsmon.core.money import exponent
from opsmon.sources.simulated_goods import ABROAD, COUNTRIES, POPULARITY, PRODUCTS, Country, Product

Body = dict[str, Any]
TAX_PERCENT = 19
FREE_SHIPPING_FROM = 6000
SHIPPING = (490, 1290)  # at home, abroad
TILL = "pos"
DEMO_DOMAIN = "opsmon-demo.myshopify.com"


@dataclass(frozen=True, slots=True)
class Shop:
    """A simulated shop. The same seed gives the same deliveries, byte for byte.

    `orders_per_day` is the mean on the day it `opened`; `quietest_per_hour` lifts every quieter hour to that
    many orders; two `series` of one shop never share an id, but another rate gives an id another order. `abroad` is
    the share of orders that leave the country.
    """

    zone: ZoneInfo
    domain: str = DEMO_DOMAIN
    currency: str = "EUR"
    country: str = "DE"
    orders_per_day: float = 260.0
    seed: int = 1
    taxes_included: bool = False
    opened: date = date(2026, 1, 5)
    quietest_per_hour: float = 0.0
    series: int = 0
    abroad: float = 0.12


@dataclass(frozen=True, slots=True)
class Life:
    """What happens to one order and when, epoch ms; None: it never does."""

    id: int
    name: str
    number: int
    seed: int
    placed_ms: int
    paid_ms: int | None
    edited_ms: int
    fulfilled_ms: int | None = None
    cancelled_ms: int | None = None
    refunded_ms: int | None = None
    channel: str = "web"
    is_test: bool = False

    def updated_ms(self, as_of_ms: int) -> int:
        """The newest change of the order at or before an instant."""
        later = (self.paid_ms, self.edited_ms, self.fulfilled_ms, self.cancelled_ms, self.refunded_ms)
        return max([self.placed_ms, *(ms for ms in later if ms is not None and ms <= as_of_ms)])


@dataclass(frozen=True, slots=True)
class Amounts:
    """Writes minor units as Shopify does, in the shop's money and in what the buyer saw."""

    currency: str
    digits: int
    presentment: str
    rate: int

    def text(self, minor: int) -> str:
        if self.digits == 2 and minor >= 0:
            return f"{minor // 100}.{minor % 100:02d}"
        sign, minor, unit = "-" if minor < 0 else "", abs(minor), 10**self.digits
        return f"{sign}{minor // unit}.{minor % unit:0{self.digits}d}" if self.digits else f"{sign}{minor}"

    def number(self, minor: int) -> float:
        """A JSON number: Shopify writes a refunded line's subtotal and tax so, where all else is a string."""
        return minor / float(10**self.digits)

    def both(self, minor: int) -> Body:
        shop = {"amount": self.text(minor), "currency_code": self.currency}
        if self.rate == 100:
            return {"shop_money": shop, "presentment_money": shop}
        seen = {"amount": self.text(minor * self.rate // 100), "currency_code": self.presentment}
        return {"shop_money": shop, "presentment_money": seen}


@dataclass(slots=True)
class Sale:
    """What was bought: line bodies beside their money in minor units (net of discount and tax; tax)."""

    amounts: Amounts
    country: Country
    province: tuple[str, str]
    buyer: int
    lines: list[Body] = field(default_factory=list)
    money: list[tuple[int, int]] = field(default_factory=list)
    gross: int = 0
    discount: int = 0
    shipping: int = 0
    returned_lines: int = 1
    returns_shipping: bool = False

    @property
    def tax(self) -> int:
        return sum(tax for _, tax in self.money)

    @property
    def returned(self) -> int:
        """What the refund of this order gives back, minor units."""
        back = sum(net + tax for net, tax in self.money[: self.returned_lines])
        return back + (self.shipping if self.returns_shipping else 0)


def checkout_of(life: Life) -> str:
    """The token of the checkout that an order came of."""
    return f"c{life.id}"


def make_sale(shop: Shop, life: Life, lines: int | None = None) -> Sale:
    """Draw what an order holds from its seed: who, where, what, and what would come back."""
    rng = Random(life.seed)  # noqa: S311 - a simulated shop, not a secret
    draw = rng.random
    country = COUNTRIES[rng.choice(ABROAD) if life.channel != TILL and draw() < shop.abroad else shop.country]
    foreign = country.currency if country.code != shop.country and country.currency != shop.currency else None
    amounts = Amounts(shop.currency, exponent(shop.currency), foreign or shop.currency,
                      country.rate if foreign else 100)
    percent_off = 10 if draw() < 0.12 else 0
    count = lines or (1, 1, 1, 2, 2, 3, 4)[int(draw() * 7)]
    sale = Sale(amounts, country, rng.choice(country.provinces), buyer=int(draw() ** 2 * 6000))
    undone = life.cancelled_ms is not None
    sale.returned_lines = 1 if draw() < 0.6 and not undone else count
    sale.returns_shipping = draw() < 0.25 or undone
    for at, product in enumerate(rng.choices(PRODUCTS, POPULARITY, k=count)):
        quantity = 1 if draw() < 0.8 else 1 + int(draw() * 3)
        _add_line(shop, sale, life.id + 20 + at, product, quantity, percent_off)
    if life.channel != TILL and sale.gross - sale.discount < FREE_SHIPPING_FROM:
        sale.shipping = SHIPPING[country.code != shop.country]
    return sale


def _add_line(
    shop: Shop, sale: Sale, line_id: int, product: Product, quantity: int, percent_off: int
) -> None:
    gross = product.price * quantity
    off = gross * percent_off // 100
    due = gross - off
    base = 100 + TAX_PERCENT if shop.taxes_included else 100
    tax = (due * TAX_PERCENT + base // 2) // base
    sale.gross += gross
    sale.discount += off
    sale.money.append((due - tax if shop.taxes_included else due, tax))
    sale.lines.append(_line_body(line_id, sale.amounts, product, quantity, off, tax))


def _line_body(line_id: int, amounts: Amounts, product: Product, quantity: int, off: int, tax: int) -> Body:
    price = amounts.both(product.price)
    return {
        "id": line_id,
        "product_id": product.id,
        "variant_id": product.variant_id,
        "sku": product.sku,
        "title": product.title,
        "variant_title": product.variant,
        "name": f"{product.title} - {product.variant}" if product.variant else product.title,
        "quantity": quantity,
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "fulfillment_status": None,
        "grams": product.grams,
        "price": price["shop_money"]["amount"],
        "price_set": price,
        "total_discount": amounts.text(0),
        "discount_allocations": [
            {"amount": amounts.text(off), "amount_set": amounts.both(off), "discount_application_index": 0}
        ] if off else [],
        "tax_lines": [{"title": "VAT", "rate": TAX_PERCENT / 100, "price": amounts.text(tax)}],
        "gift_card": False,
        "taxable": True,
        "requires_shipping": True,
    }
