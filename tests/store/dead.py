"""Dead letters for tests: made as the door makes them, and read again as Shopify's source does."""

import orjson
from redis.asyncio import Redis

from opsmon.clock import Clock
from opsmon.sources.base import Secret, SourceSettings
from opsmon.sources.rereading import read_again
from opsmon.sources.shopify import Shopify
from opsmon.store.dead_letters import DeadLetters
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Taken
from tests.conftest import NOW_MS
from tests.line import SHOP
from tests.orders import order

SOURCES = {"shopify": Shopify(SourceSettings("shopify", "shopify", (Secret(b"a-secret"),)), "main")}


def headers(number: object, topic: str = "orders/create") -> str:
    """What is kept of a delivery's headers, as JSON."""
    return orjson.dumps({"x-shopify-topic": topic, "x-shopify-shop-domain": SHOP,
                         "x-shopify-webhook-id": f"webhook-{number}", "x-shopify-triggered-at": ""}).decode()


def letter(number: int, body: bytes | None = None, reason: str = "not JSON", source: str = "shopify") -> Taken:
    """An unusable delivery. Without a body of its own it is one that can be used by now."""
    about = f"orders/create from {SHOP}: {reason}\n{headers(number)}"
    return Taken("dead", source, f"shopify:{SHOP}:webhook-{number}",
                 orjson.dumps(order(number)) if body is None else body, about)


async def keep(store: Redis, *letters: Taken) -> list[str]:
    """Put them among the dead letters; the ids of all that are there."""
    await Scripts(store, Keys("main")).append_events(letters, NOW_MS)
    return [entry_id.decode() for entry_id, _ in await store.xrange("{main}:dead")]


def desk(store: Redis, clock: Clock) -> DeadLetters:
    """What a person works with."""
    return DeadLetters(store, Keys("main"), lambda *given: read_again(SOURCES, *given), clock)


async def counts(store: Redis) -> dict[str, int]:
    """Shopify's running totals, by their name."""
    found = await store.hgetall("{main}:counts")
    return {name.decode().removeprefix("shopify:"): int(count) for name, count in found.items()
            if b"last_ms" not in name}
