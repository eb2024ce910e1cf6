"""A fake shop with some orders, and what asks it, on the real store."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from opsmon.pollers.shopify import ShopifyOrders
from opsmon.pollers.shopify_admin import ShopifyAdmin
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts
from tests.conftest import NOW_MS
from tests.fakes import orders as shop
from tests.fakes.shopify import TOKEN, FakeShopify, open_shopify


@pytest.fixture
async def fake() -> AsyncIterator[FakeShopify]:
    """A shop without orders, whose points come back a hundred times as fast as usual."""
    async with open_shopify(b"its-secret", now_ms=lambda: NOW_MS, speed=100) as opened:
        yield opened


@pytest.fixture
def admin(fake: FakeShopify) -> ShopifyAdmin:
    """Its Admin API, with its token."""
    return ShopifyAdmin(fake.url, TOKEN)


@pytest.fixture
def asking(admin: ShopifyAdmin, store: Redis, keys: Keys) -> ShopifyOrders:
    """What asks it for orders."""
    return ShopifyOrders(admin, store, keys, Scripts(store, keys), "main", 300_000)


def fill(fake: FakeShopify, count: int, *, until_ms: int = NOW_MS - 120_000, span_ms: int = 20 * 3_600_000,
         seed: int = 5) -> None:
    """Let the shop have orders, of which nobody was told."""
    for step in shop.plan(seed, count, until_ms - span_ms, until_ms):
        fake.do(step)
