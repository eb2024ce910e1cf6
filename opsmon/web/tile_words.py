"""Words of tiles: names of rows, windows, what a sample is made of, and which source would fill an empty tile."""

from babel import Locale

from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import Days, Kpi, Month, Now, Rollup, Sliding, Today, Tumbling
from opsmon.core.panes import OTHER
from opsmon.web.source_words import title
from opsmon.web.wording import Wording

# Fields whose values programs write: 'in_transit' is 'In transit'. What people call something stays as it is.
_WRITTEN_BY_PROGRAMS = frozenset({"status", "state", "reason", "waits_for", "kind", "tier", "channel"})
_CHANNELS = {"pos": "Point of sale", "b2b": "B2B"}
_STEPS = {"page.viewed": "Visit", "product.viewed": "Product", "cart.updated": "Cart",
          "checkout.started": "Checkout", "checkout.completed": "Payment"}
_ONE_AND_MANY = {
    "order.placed": ("order", "orders"), "api.request": ("request", "requests"), "page.viewed": ("visit", "visits"),
    "payment.attempted": ("payment", "payments"), "checkout.followed": ("checkout", "checkouts"),
    "function.called": ("call", "calls"), "order.completed": ("order", "orders"),
    "user.active": ("visit", "visits"),
}
_SHOP = "a shop: Shopify, WooCommerce or Odoo"
_SHOPIFY = "Shopify"
_PIXEL = "the script in the shop's pages"
_FLOOR = "scans and moves on the floor: sent to /ingest/events or entered by hand"
_PROGRAMS = "own programs that post to /ingest/events"
# The longest beginning that fits decides.
_FILLED_BY = {
    "order.": _SHOP, "refund.": _SHOP, "customer.": _SHOP, "order.held": _SHOPIFY, "order.edited": _SHOPIFY,
    "order.quoted": "Odoo", "picking.": "Odoo", "production.": "Odoo", "purchase.": "Odoo",
    "checkout.followed": _SHOPIFY, "payment.": _SHOPIFY, "dispute.": _SHOPIFY, "return.": _SHOPIFY,
    "parcel.": _SHOPIFY, "cart.filled": _SHOPIFY, "page.": _PIXEL, "cart.updated": _PIXEL,
    "checkout.started": _PIXEL, "checkout.completed": _PIXEL, "product.": _PIXEL, "search.": _PIXEL,
    "stage.": _FLOOR, "item.": _FLOOR, "inventory.": "Shopify or Odoo, or an imported list of stock",
    "delivery.": "any source", "": _PROGRAMS,
}


def row_name(rollup: Rollup, name: str, wording: Wording) -> tuple[str, str]:
    """A row's name and, of a row with several fields, the rest of them: ('Mug, blue', 'Berlin')."""
    if name == OTHER:
        return "Other", ""
    first, _, rest = name.partition("|")
    field = rollup.by[0] if rollup.by else ""
    return _spoken(field, first, wording.locale), rest.replace("|", ", ")


def step_name(fact: str) -> str:
    """A step of a funnel by the fact that makes it."""
    return _STEPS.get(fact) or _capital(fact.replace(".", " ").replace("_", " "))


def window_words(kpi: Kpi, wording: Wording) -> str:
    """'today', 'in the last 15 min', 'this hour', 'now'."""
    match kpi.window:
        case Today():
            return "today"
        case Tumbling(size_ms):
            return "this minute" if size_ms == MINUTE_MS else "this hour"
        case Sliding(size_ms, _, delay_ms):
            length = "hour" if size_ms == HOUR_MS else wording.duration(size_ms)
            return f"in the {length} until {wording.duration(delay_ms)} ago" if delay_ms else f"in the last {length}"
        case Days(count):
            return f"in the last {wording.number(count)} days"
        case Month():
            return "this month"
        case Now():
            return "now"


def sample_words(rollup: Rollup, count: int, wording: Wording) -> str:
    """'1,204 requests'."""
    one, many = _ONE_AND_MANY.get(rollup.on[0] if rollup.on else "", ("time", "times"))
    return f"{wording.number(count)} {one if count == 1 else many}"


def too_early(rollup: Rollup, kpi: Kpi, count: int, wording: Wording) -> str:
    """Why there is no number yet: shares and percentiles of a few say nothing."""
    return f"Too early to tell: {sample_words(rollup, count, wording)} of {wording.number(max(kpi.least, 1))} needed"


def give_or_take(error: float, wording: Wording) -> str:
    """'± 1.6%' of what is estimated; '' of what is exact."""
    return f"± {wording.fine_share(error)}" if error else ""


def empty_words(rollup: Rollup, kpi: Kpi, wording: Wording) -> str:
    """That there is nothing, and which source would fill it."""
    return f"Nothing {window_words(kpi, wording)}. {filled_by(rollup)}".strip()


def filled_by(rollup: Rollup) -> str:
    """'Filled by Shopify.'; '' for what opsmon knows of itself."""
    if not rollup.on:
        return ""
    fits = [beginning for beginning in _FILLED_BY if rollup.on[0].startswith(beginning)]
    return f"Filled by {_FILLED_BY[max(fits, key=len)]}."


def _spoken(field: str, name: str, locale: Locale) -> str:
    if not name:
        return "Not told"
    if field == "country":
        return str(locale.territories.get(name, name))
    if field == "channel" and name in _CHANNELS:
        return _CHANNELS[name]
    if field == "source":
        return title(name)
    return _capital(name.replace("_", " ")) if field in _WRITTEN_BY_PROGRAMS else name


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
