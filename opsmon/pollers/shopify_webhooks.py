"""The webhooks that a shop should send us: listed, made where they are missing, and made again where Shopify
deleted them (it does after eight failures in a row: shopify.dev, "Webhooks troubleshooting")."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from opsmon.core.errors import OpsmonError
from opsmon.pollers.base import PollResult
from opsmon.pollers.shopify_admin import Data, ShopifyAdmin, denial
from opsmon.sources.shopify_bodies import READERS

DAY_MS = 86_400_000
# These are set in an app's own settings; no API subscribes to them.
NOT_SUBSCRIBED = frozenset({"customers/data_request", "customers/redact", "shop/redact"})

_LIST = """query($after: String) { webhookSubscriptions(first: 250, after: $after) {
  nodes { id topic uri format } pageInfo { hasNextPage endCursor } } }"""
_CREATE = """mutation($topic: WebhookSubscriptionTopic!, $webhook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhook) {
    webhookSubscription { id } userErrors { field message } } }"""

# The scope that a resource's topics ask for (Admin schema 2026-01); what is not here asks for none.
SCOPE_OF = {
    **dict.fromkeys(("orders", "refunds", "order_transactions", "tender_transactions", "carts", "checkouts"),
                    "read_orders"),
    **dict.fromkeys(("fulfillments", "fulfillment_events"), "read_fulfillments"),
    "products": "read_products",
    "returns": "read_returns",
    "fulfillment_orders": "read_merchant_managed_fulfillment_orders",
    **dict.fromkeys(("inventory_levels", "inventory_items"), "read_inventory"),
    "locations": "read_locations",
    "draft_orders": "read_draft_orders",
    "disputes": "read_shopify_payments_disputes",
}
# Without these something that every board shows is missing: their topics are tried, and it is told why not.
NEEDED = frozenset({"read_orders", "read_products", "read_fulfillments"})


def wanted(scopes: Collection[str] = frozenset(SCOPE_OF.values())) -> tuple[str, ...]:
    """The topics that opsmon makes something of, without those of scopes that it can do without and has not."""
    return tuple(topic for topic in READERS if topic not in NOT_SUBSCRIBED
                 and SCOPE_OF.get(topic.partition("/")[0], "read_orders") in {*NEEDED, *scopes})


@dataclass(slots=True)
class Registered:
    """What came of it, by topic. `failed` says why; `elsewhere` are addresses that the same app sends a topic of
    ours to as well, which are left alone."""

    there: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    elsewhere: list[tuple[str, str]] = field(default_factory=list)


async def register(admin: ShopifyAdmin, url: str, topics: Sequence[str] | None = None) -> Registered:
    """See that the shop sends every topic to `url`. May be repeated: what is there is left as it is.

    Raises what ShopifyAdmin.ask raises when nothing can be listed.
    """
    chosen = wanted(await admin.scopes()) if topics is None else topics
    done, ours = Registered(), {enum(topic): topic for topic in chosen}
    there = set()
    for found in await _listed(admin):
        if found["topic"] not in ours:
            continue
        if _same(found["uri"], url) and found.get("format", "JSON") == "JSON":
            there.add(found["topic"])
        else:
            done.elsewhere.append((ours[found["topic"]], found["uri"]))
    for name, topic in ours.items():
        if name in there:
            done.there.append(topic)
        elif why := await _make(admin, name, url):
            done.failed[topic] = why
        else:
            done.made.append(topic)
    return done


class WebhookCheck:
    """Once a day: is every webhook still there? Found are those that are, new those that had to be made again."""

    every_ms = DAY_MS

    def __init__(self, admin: ShopifyAdmin, url: str, name: str = "shopify-webhooks") -> None:
        self.name, self._admin, self._url = name, admin, url

    async def poll(self, now_ms: int) -> PollResult:
        """List, and make what is missing."""
        try:
            done = await register(self._admin, self._url)
        except OpsmonError as error:
            return PollResult(0, 0, str(error))
        why = "; ".join(f"{', '.join(topics)}: {text}" for text, topics in by_reason(done).items())
        return PollResult(len(done.there) + len(done.made), len(done.made), why)


def by_reason(done: Registered) -> dict[str, list[str]]:
    """The topics that could not be had, by why."""
    found: dict[str, list[str]] = {}
    for topic, why in done.failed.items():
        found.setdefault(why, []).append(topic)
    return found


def enum(topic: str) -> str:
    """A topic as GraphQL names it: `orders/create` is ORDERS_CREATE."""
    return topic.replace("/", "_").upper()


async def _listed(admin: ShopifyAdmin) -> list[Data]:
    found: list[Data] = []
    after: str | None = None
    while True:
        page = (await admin.ask(_LIST, {"after": after}))["webhookSubscriptions"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def _make(admin: ShopifyAdmin, name: str, url: str) -> str:
    """Why it could not be made; '' when it was."""
    try:
        made = await admin.ask(_CREATE, {"topic": name, "webhook": {"uri": url, "format": "JSON"}})
    except OpsmonError as error:
        return str(error)
    errors = made["webhookSubscriptionCreate"]["userErrors"]
    return denial(str(errors[0]["message"])) if errors else ""


def _same(one: str, other: str) -> bool:
    def parts(url: str) -> tuple[str, str, str]:
        split = urlsplit(url)
        return split.scheme.lower(), split.netloc.lower(), split.path.rstrip("/")

    return parts(one) == parts(other)
