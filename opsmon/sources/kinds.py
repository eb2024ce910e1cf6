"""Every kind of source, in one dict: a new one is a file, a line here, deliveries and a test."""

from opsmon.sources.base import SourceKind
from opsmon.sources.cloudevents import CloudEvents
from opsmon.sources.odoo import Odoo
from opsmon.sources.plain_json import PlainJson
from opsmon.sources.shopify import Shopify
from opsmon.sources.standard_webhooks import StandardWebhooks
from opsmon.sources.woocommerce import WooCommerce

KINDS: dict[str, SourceKind] = {
    "cloudevents": CloudEvents,
    "json": PlainJson,
    "odoo": Odoo,
    "shopify": Shopify,
    "standard-webhooks": StandardWebhooks,
    "woocommerce": WooCommerce,
}
