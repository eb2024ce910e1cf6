"""What would fill a number that has never had anything to count: a sentence for each family of facts."""

from dataclasses import dataclass

from opsmon.core.catalogue import Catalogue, Rollup


@dataclass(frozen=True, slots=True)
class Family:
    """Facts that come together: where one of them is told, all of them can be."""

    facts: frozenset[str]
    filled_by: str


def _family(filled_by: str, *facts: str) -> Family:
    return Family(frozenset(facts), filled_by)


_SHOP = "Connect it at /sources."
OWN = "Filled by your own programs. Send %(fact)s to /ingest/events."
FAMILIES = (
    _family(f"Filled by your shop's orders. {_SHOP}", "order.placed", "order.cancelled", "order.line", "order.open",
            "order.completed", "refund.given", "customer.ordered", "customer.known"),
    _family("Filled by your shop's pages. Connect them at /sources.", "page.viewed", "cart.updated",
            "checkout.started", "checkout.completed"),
    _family(f"Filled by the checkouts of your shop. {_SHOP}", "checkout.followed"),
    _family(f"Filled by the carts of your shop. {_SHOP}", "cart.filled"),
    _family(f"Filled by the payments of your shop. {_SHOP}", "payment.attempted", "payment.received"),
    _family(f"Filled by your shop's fulfilment orders. {_SHOP}", "order.held"),
    _family(f"Filled by your shop's parcels. {_SHOP}", "parcel.moved"),
    _family(f"Filled by your shop's returns. {_SHOP}", "return.requested", "return.open"),
    _family(f"Filled by your shop's disputes. {_SHOP}", "dispute.opened"),
    _family("Filled by moves between stages. Enter one at /enter, or send stage.moved to /ingest/events.",
            "stage.entered", "stage.left", "stage.holds"),
    _family("Filled by stock levels. Connect your shop at /sources.", "inventory.changed"),
    _family(f"Filled by the products of your shop. {_SHOP}", "product.known", "product.tagged"),
    _family(OWN, "api.request"),
    _family(OWN, "user.active", "feature.used"),
    _family(OWN, "queue.depth"),
    _family("Filled by gauges. Enter one at /enter, or send gauge.set to /ingest/events.", "gauge.set"),
    _family("Filled by counts. Enter one at /enter, or send count.add to /ingest/events.", "count.add"),
    _family(OWN, "function.called"),
    _family("Filled by scans. Enter one at /enter, or send item.scanned to /ingest/events.", "item.scanned"),
    _family("Filled by quotations of Odoo. Connect it at /sources.", "order.quoted"),
    _family("Filled by transfers of Odoo. Connect it at /sources.", "picking.updated"),
    _family("Filled by manufacturing orders of Odoo. Connect it at /sources.", "production.updated"),
    _family("Filled by whatever comes in. Connect a source at /sources.", "delivery.arrived"),
)


def filled_by(rollup: Rollup) -> str:
    """Which source would fill what is read from this rollup; '' for what opsmon knows of itself."""
    return filling(rollup) % {"fact": rollup.on[0]} if rollup.on else ""


def filling(rollup: Rollup) -> str:
    """The same as it stands in catalogues, `%(fact)s` being the first that the rollup is made of."""
    family = _family_of(rollup)
    return "" if not rollup.on else family.filled_by if family else OWN


def witnesses(rollup: Rollup, catalogue: Catalogue) -> list[Rollup]:
    """The rollups that show whether such facts were ever told: all that count any fact of the family. None for what
    opsmon knows of itself."""
    family = _family_of(rollup)
    facts = family.facts if family else frozenset(rollup.on)
    return [one for one in catalogue.rollups if facts & set(one.on)]


def _family_of(rollup: Rollup) -> Family | None:
    return next((family for family in FAMILIES if family.facts & set(rollup.on)), None)
