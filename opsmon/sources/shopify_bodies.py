"""Which reader reads the bodies of which topic. A topic that is not here is counted as not used.

Source of the topics and shapes: shopify.dev, Webhooks (2026-01), REST Admin resources.
"""

from opsmon.sources.shopify_checkouts import (
    read_cart,
    read_checkout,
    read_checkout_removal,
    read_draft,
    read_draft_removal,
)
from opsmon.sources.shopify_fulfilment import read_fulfillment, read_parts, read_tracking
from opsmon.sources.shopify_orders import read_deletion, read_edit, read_order
from opsmon.sources.shopify_payments import read_dispute, read_tender, read_transaction
from opsmon.sources.shopify_reading import Reader
from opsmon.sources.shopify_refunds import read_refund, read_return
from opsmon.sources.shopify_shop import (
    read_bulk,
    read_customer_redaction,
    read_data_request,
    read_scopes,
    read_shop,
    read_shop_redaction,
    read_uninstallation,
)
from opsmon.sources.shopify_stock import (
    read_disconnection,
    read_item,
    read_level,
    read_location,
    read_product,
    read_removal,
)


def _each(resource: str, verbs: str, reader: Reader) -> dict[str, Reader]:
    return {f"{resource}/{verb}": reader for verb in verbs.split()}


READERS: dict[str, Reader] = {
    **_each("orders", "create updated paid cancelled fulfilled partially_fulfilled", read_order),
    "orders/edited": read_edit,
    "orders/delete": read_deletion,
    "refunds/create": read_refund,
    **_each("returns", "request approve update process close reopen cancel decline", read_return),
    "order_transactions/create": read_transaction,
    "tender_transactions/create": read_tender,
    **_each("disputes", "create update", read_dispute),
    **_each("fulfillments", "create update", read_fulfillment),
    "fulfillment_events/create": read_tracking,
    **_each("fulfillment_orders", "placed_on_hold hold_released moved split merged cancelled rescheduled "
                                  "line_items_prepared_for_pickup", read_parts),
    **_each("carts", "create update", read_cart),
    **_each("checkouts", "create update", read_checkout),
    "checkouts/delete": read_checkout_removal,
    **_each("draft_orders", "create update", read_draft),
    "draft_orders/delete": read_draft_removal,
    **_each("inventory_levels", "update connect", read_level),
    "inventory_levels/disconnect": read_disconnection,
    **_each("inventory_items", "create update", read_item),
    **_each("products", "create update", read_product),
    **_each("locations", "create update activate deactivate", read_location),
    **dict.fromkeys(("inventory_items/delete", "products/delete", "locations/delete"), read_removal),
    "shop/update": read_shop,
    "app/uninstalled": read_uninstallation,
    "app/scopes_update": read_scopes,
    "bulk_operations/finish": read_bulk,
    "customers/data_request": read_data_request,
    "customers/redact": read_customer_redaction,
    "shop/redact": read_shop_redaction,
}
