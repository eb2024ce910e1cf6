"""Every kind of source, in one dict: a new one is a file, a line here, deliveries and a test."""

from opsmon.sources.base import SourceKind
from opsmon.sources.odoo import Odoo
from opsmon.sources.shopify import Shopify

KINDS: dict[str, SourceKind] = {
    "shopify": Shopify,
    "odoo": Odoo,
}
