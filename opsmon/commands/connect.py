"""connect: a source is told where to send its webhooks, and a person what came of it."""

import argparse
import asyncio

from opsmon.commands import connect_odoo
from opsmon.commands.arguments import settings_of
from opsmon.core.errors import OpsmonError
from opsmon.pollers.shopify_admin import ShopifyAdmin
from opsmon.pollers.shopify_webhooks import Registered, by_reason, register
from opsmon.settings import Settings

# What a token should have, and what is missing without it.
SCOPES = {
    "read_orders": "orders, refunds and payments",
    "read_customers": "whose order it is: returning customers",
    "read_products": "products of lines that have no SKU",
    "read_fulfillments": "parcels",
    "read_returns": "returns",
    "read_merchant_managed_fulfillment_orders": "orders on hold",
    "read_inventory": "stock",
    "read_locations": "where stock is, by name",
    "read_draft_orders": "drafts",
    "read_shopify_payments_disputes": "disputes",
}


def connect(args: argparse.Namespace) -> int:
    """Check the token, make the webhooks that are missing, say what is there; 1 when something could not be made."""
    if args.source == "odoo":
        return connect_odoo.connect(args)
    given = {"shopify_shop": args.shop, "public_url": args.url}
    settings = settings_of(args, **{name: text for name, text in given.items() if text})
    for name, text, where in (("shop", settings.shopify_shop, "--shop shop.myshopify.com"),
                              ("Admin API token", settings.shopify_token, "OPSMON_SHOPIFY_TOKEN"),
                              ("public address", settings.public_url, "--url https://ops.example.com")):
        if not text:
            raise OpsmonError(f"the {name} is not known: give {where}")
    return asyncio.run(_connect(settings))


async def _connect(settings: Settings) -> int:
    admin = ShopifyAdmin(settings.shopify_shop, settings.shopify_token)
    url = f"{settings.public_url}/webhooks/shopify"
    print(f"Shop       {await admin.domain()}: the token is good.")
    missing = {scope: what for scope, what in SCOPES.items() if scope not in await admin.scopes()}
    for scope, what in missing.items():
        print(f"Scope      {scope} is missing: {what}")
    done = await register(admin, url)
    _say(done, url)
    if not settings.shopify_secrets:
        print("Secret     OPSMON_SHOPIFY_SECRETS is not set: give it the app's client secret, or all that comes is "
              "refused.")
    print("Reconciler runs with `opsmon up` or `opsmon poll`, while OPSMON_SHOPIFY_SHOP and OPSMON_SHOPIFY_TOKEN are "
          "set.")
    return 1 if done.failed or "read_orders" in missing else 0


def _say(done: Registered, url: str) -> None:
    print(f"Webhooks   to {url}")
    for what, topics in (("there", done.there), ("made", done.made)):
        if topics:
            print(f"  {what:<8} {', '.join(topics)}")
    for why, topics in by_reason(done).items():
        print(f"  not made {', '.join(topics)}\n           {why}")
    for topic, elsewhere in done.elsewhere:
        print(f"  twice?   {topic} also goes to {elsewhere}. It is left alone: if that is this opsmon too, delete it, "
              "or each delivery comes twice (and counts once).")
