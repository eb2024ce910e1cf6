"""The process that asks vendors."""

import asyncio
import os

from redis.asyncio import Redis

from opsmon.app.site import refuse_newer_store, sources, store_url
from opsmon.clock import Clock, SystemClock
from opsmon.pollers import odoo
from opsmon.pollers.base import Poller
from opsmon.pollers.polling import Polling
from opsmon.pollers.shopify import ShopifyOrders
from opsmon.pollers.shopify_admin import ShopifyAdmin
from opsmon.pollers.shopify_webhooks import WebhookCheck
from opsmon.settings import Settings
from opsmon.store.connection import worker_client
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts


async def run_poll(settings: Settings, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Ask what is to be asked until `stop` is set. Raises NewerStore."""
    await refuse_newer_store(settings)
    client, keys = worker_client(store_url(settings)), Keys(settings.site)
    who = f"{settings.worker_name}:{os.getpid()}"
    try:
        await Polling(pollers(settings, client), client, keys, clock or SystemClock(), who).run(stop)
    finally:
        await client.aclose()


def pollers(settings: Settings, client: Redis) -> list[Poller]:
    """Everything that is to be asked."""
    found: list[Poller] = []
    keys = Keys(settings.site)
    if settings.shopify_shop and settings.shopify_token:
        admin = ShopifyAdmin(settings.shopify_shop, settings.shopify_token)
        found.append(ShopifyOrders(admin, client, keys, Scripts(client, keys), settings.site, settings.poll_every_ms))
        if settings.public_url:
            # One client each: they may ask at the same time.
            admin = ShopifyAdmin(settings.shopify_shop, settings.shopify_token)
            found.append(WebhookCheck(admin, f"{settings.public_url}/webhooks/shopify"))
    adapters = sources(settings)
    for source in settings.sources:
        made = (odoo.make_poller(source, adapters[source.name], client, keys, Scripts(client, keys))
                if source.kind == "odoo" else None)
        found += [made] if made else []
    return found
