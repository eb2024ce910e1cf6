"""Words of tiles: names of rows, windows, what a sample is made of, and which source would fill an empty tile."""

from collections.abc import Iterable

from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import Days, Kpi, Month, Now, Rollup, Sliding, Today, Tumbling
from opsmon.core.filling import filling
from opsmon.core.goods import is_tagged
from opsmon.core.panes import OTHER
from opsmon.web.languages import N_, NN_
from opsmon.web.source_words import title
from opsmon.web.wording import Wording

# Fields whose values programs write: 'in_transit' is 'In transit'. What people call something stays as it is.
_WRITTEN_BY_PROGRAMS = frozenset({"status", "state", "reason", "waits_for", "kind", "tier", "channel"})
_CHANNELS = {"pos": N_("Point of sale"), "b2b": "B2B"}
_FIELDS = {
    "sku": "SKU", "waits_for": N_("what it waits for"), "name": N_("name"), "country": N_("country"),
    "region": N_("region"), "channel": N_("channel"), "product": N_("product"), "kind": N_("kind"), "tier": N_("tier"),
    "reason": N_("reason"), "status": N_("status"), "stage": N_("stage"), "line": N_("line"), "station": N_("station"),
    "person": N_("person"), "location": N_("location"), "endpoint": N_("endpoint"), "queue": N_("queue"),
    "tag": N_("product tag"), "order": N_("order"), "class": N_("class"), "state": N_("state"), "source": N_("source"),
}
# What such fields hold as a rule; what is not among it is shown as it was written.
_WRITTEN = {
    "new": N_("New"), "returning": N_("Returning"), "loyal": N_("Loyal"), "vip": "VIP", "web": N_("Web"),
    "manual": N_("By hand"), "payment": N_("Payment"), "pick": N_("Picking"), "pack": N_("Packing"),
    "picking": N_("Picking"), "packing": N_("Packing"), "picked": N_("Picked"), "packed": N_("Packed"),
    "check": N_("Check"), "ship": N_("Shipping"), "shipping": N_("Shipping"), "shipped": N_("Shipped"),
    "draft": N_("Draft"), "waiting": N_("Waiting"), "confirmed": N_("Confirmed"), "ready": N_("Ready"),
    "open": N_("Open"), "done": N_("Done"), "queued": N_("Queued"), "requested": N_("Requested"),
    "in_progress": N_("In progress"), "in progress": N_("In progress"), "quotation": N_("Quotation"),
    "in_transit": N_("In transit"), "out_for_delivery": N_("Out for delivery"), "delivered": N_("Delivered"),
    "label_printed": N_("Label printed"), "label_purchased": N_("Label bought"), "delayed": N_("Delayed"),
    "confirmed_by_carrier": N_("Taken by the carrier"), "handed_over": N_("Handed over"),
    "ready_for_pickup": N_("Ready for pickup"), "attempted_delivery": N_("Delivery attempted"),
    "not_delivered": N_("Not delivered"), "failure": N_("Failed"), "needs_response": N_("Needs a response"),
    "under_review": N_("Under review"), "awaiting_payment": N_("Awaiting payment"), "the rest": N_("The rest"),
    "high_risk_of_fraud": N_("High risk of fraud"), "incorrect_address": N_("Incorrect address"),
    "inventory_out_of_stock": N_("Out of stock"), "unknown_delivery_date": N_("Unknown delivery date"),
    "other": N_("Other"),
}
_STEPS = {"page.viewed": N_("Visit"), "product.viewed": N_("Product"), "cart.updated": N_("Cart"),
          "checkout.started": N_("Checkout"), "checkout.completed": N_("Payment")}
ORDERS = NN_("%(num)s order", "%(num)s orders")
_VISITS = NN_("%(num)s visit", "%(num)s visits")
_ONE_AND_MANY = {
    "order.placed": ORDERS, "order.completed": ORDERS, "page.viewed": _VISITS, "user.active": _VISITS,
    "api.request": NN_("%(num)s request", "%(num)s requests"), "function.called": NN_("%(num)s call", "%(num)s calls"),
    "payment.attempted": NN_("%(num)s payment", "%(num)s payments"),
    "checkout.followed": NN_("%(num)s checkout", "%(num)s checkouts"),
}
_TIMES = NN_("%(num)s time", "%(num)s times")
_SHOP = N_("Filled by a shop: Shopify, WooCommerce or Odoo.")
_SHOPIFY = N_("Filled by Shopify.")
_ODOO = N_("Filled by Odoo.")
_PIXEL = N_("Filled by the script in the shop's pages.")
_FLOOR = N_("Filled by scans and moves on the floor: sent to /ingest/events or entered by hand.")
_STOCK = N_("Filled by Shopify or Odoo, or an imported list of stock.")
_ANY = N_("Filled by any source.")
_PROGRAMS = N_("Filled by own programs that post to /ingest/events.")
# The longest beginning that fits decides.
_FILLED_BY = {
    "order.": _SHOP, "refund.": _SHOP, "customer.": _SHOP, "order.held": _SHOPIFY, "order.edited": _SHOPIFY,
    "order.quoted": _ODOO, "picking.": _ODOO, "production.": _ODOO, "purchase.": _ODOO,
    "checkout.followed": _SHOPIFY, "payment.": _SHOPIFY, "dispute.": _SHOPIFY, "return.": _SHOPIFY,
    "parcel.": _SHOPIFY, "cart.filled": _SHOPIFY, "page.": _PIXEL, "cart.updated": _PIXEL,
    "checkout.started": _PIXEL, "checkout.completed": _PIXEL, "product.": _PIXEL, "search.": _PIXEL,
    "stage.": _FLOOR, "item.": _FLOOR, "inventory.": _STOCK,
    "delivery.": _ANY, "": _PROGRAMS,
}


_TAGS_NOW = N_("Only products that carry this tag now, whatever they carried when they were sold.")
_UNTOLD = {
    "none": N_("No product has told its tags yet. They come with the products of your shop: connect it at /sources."),
    "many": N_("There are more products and tags than are told apart, so nobody knows what carries this one."),
    "others": N_("some is not told apart by product, and left out"),
}


def row_name(rollup: Rollup, name: str, wording: Wording) -> tuple[str, str]:
    """A row's name and, of a row with several fields, the rest of them: ('Mug, blue', 'Berlin')."""
    if name == OTHER:
        return wording.say("Other"), ""
    first, _, rest = name.partition("|")
    field = rollup.by[0] if rollup.by else ""
    return _spoken(field, first, wording), rest.replace("|", ", ")


def field_name(field: str, wording: Wording) -> str:
    """A field of rows as people call it, within a sentence."""
    return wording.say(_FIELDS[field]) if field in _FIELDS else field.replace("_", " ")


def step_name(fact: str, wording: Wording) -> str:
    """A step of a funnel by the fact that makes it."""
    return wording.say(_STEPS[fact]) if fact in _STEPS else _capital(fact.replace(".", " ").replace("_", " "))


def definition_words(definitions: Iterable[str], zone: str, wording: Wording) -> str:
    """What counts and what does not, with the zone."""
    return " ".join([*map(wording.say, dict.fromkeys(definitions)), wording.say("Local time of %(zone)s.", zone=zone)])


def told_of(kpi: Kpi, rollup: Rollup) -> list[str]:
    """What defines a number: of what is narrowed by tag also whose tags they are."""
    return [kpi.definition, *([_TAGS_NOW] if is_tagged(kpi, rollup) else [])]


def untold_words(why: str, wording: Wording) -> str:
    """Why it is not known, or not of all, what carries a tag (Reading.untold)."""
    return wording.say(_UNTOLD[why])


def window_words(kpi: Kpi, wording: Wording) -> str:
    """'today', 'in the last 15 min', 'this hour', 'now'."""
    match kpi.window:
        case Today():
            return wording.say("today")
        case Tumbling(size_ms):
            return wording.say("this minute") if size_ms == MINUTE_MS else wording.say("this hour")
        case Sliding(size_ms, _, delay_ms):
            return _sliding_words(size_ms, delay_ms, wording)
        case Days(count):
            return wording.many("in the last %(num)s day", "in the last %(num)s days", count)
        case Month():
            return wording.say("this month")
        case Now():
            return wording.say("now")


def _sliding_words(size_ms: int, delay_ms: int, wording: Wording) -> str:
    ago = wording.duration(delay_ms)
    if size_ms == HOUR_MS:
        return wording.say("in the hour until %(ago)s ago", ago=ago) if delay_ms else wording.say("in the last hour")
    length = wording.duration(size_ms)
    return (wording.say("in the %(length)s until %(ago)s ago", length=length, ago=ago) if delay_ms
            else wording.say("in the last %(length)s", length=length))


def sample_words(rollup: Rollup, count: int, wording: Wording) -> str:
    """'1,204 requests'."""
    return wording.many(*_ONE_AND_MANY.get(rollup.on[0] if rollup.on else "", _TIMES), count)


def sample_in(rollup: Rollup, kpi: Kpi, count: int, wording: Wording) -> str:
    """'1,204 requests in the last 15 min'."""
    return within(sample_words(rollup, count, wording), kpi, wording)


def within(what: str, kpi: Kpi, wording: Wording) -> str:
    """'€12,400 this month'."""
    return wording.say("%(what)s %(window)s", what=what, window=window_words(kpi, wording))


def too_early(rollup: Rollup, kpi: Kpi, count: int, wording: Wording) -> str:
    """Why there is no number yet: shares and percentiles of a few say nothing."""
    return wording.say("Too early to tell: %(sample)s of %(least)s needed",
                       sample=sample_words(rollup, count, wording), least=wording.number(max(kpi.least, 1)))


def give_or_take(error: float, wording: Wording) -> str:
    """'± 1.6%' of what is estimated; '' of what is exact."""
    return f"± {wording.fine_share(error)}" if error else ""


def empty_words(rollup: Rollup, kpi: Kpi, wording: Wording) -> str:
    """That there is nothing, and which source would fill it."""
    nothing = wording.say("Nothing %(window)s.", window=window_words(kpi, wording))
    return f"{nothing} {filled_by(rollup, wording)}".strip()


def filled_by(rollup: Rollup, wording: Wording) -> str:
    """'Filled by Shopify.'; '' for what opsmon knows of itself."""
    if not rollup.on:
        return ""
    fits = [beginning for beginning in _FILLED_BY if rollup.on[0].startswith(beginning)]
    return wording.say(_FILLED_BY[max(fits, key=len)])


def filled_words(rollup: Rollup, wording: Wording) -> str:
    """What to do that a tile which never had anything to count gets something."""
    return wording.say(filling(rollup), fact=rollup.on[0]) if rollup.on else ""


def _spoken(field: str, name: str, wording: Wording) -> str:
    if not name:
        return wording.say("Not told")
    if field == "country":
        return str(wording.voice.territories.get(name, name))
    if field == "channel" and name in _CHANNELS:
        return wording.say(_CHANNELS[name])
    if field == "source":
        return title(name, wording)
    if field not in _WRITTEN_BY_PROGRAMS:
        return name
    return wording.say(_WRITTEN[name]) if name in _WRITTEN else _capital(name.replace("_", " "))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
