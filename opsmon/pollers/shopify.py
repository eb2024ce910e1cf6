"""The reconciler: asks which orders changed, and lets those in that no webhook told of.

They go the way of webhooks, into the same entities by the same versions: of what both tell one counts. A round
asks again for what was updated up to ten minutes before the newest order it has seen: Shopify's index lags, and
its instants have whole seconds. Orders that a webhook has told of are known by (updated_at, progress) and cost
nothing more. What cannot be seen here: an order that was deleted while nobody listened.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from redis.asyncio import Redis

from opsmon.core.errors import OpsmonError
from opsmon.core.events import Event, EventId
from opsmon.core.states import EntityState
from opsmon.pollers import shopify_bulk
from opsmon.pollers.base import PollResult
from opsmon.pollers.shopify_admin import Data, ShopifyAdmin, TooCostly
from opsmon.pollers.shopify_orders import (
    COUNT,
    MOST_REFUNDS,
    REFUND_LINES,
    REFUNDS,
    OrderQueries,
    gid_number,
    rest_order,
)
from opsmon.sources.reading import BadBody, instant_ms
from opsmon.sources.shopify_orders import progress, read_order
from opsmon.store.connection import Reader
from opsmon.store.cursors import count_new, known_entities, read_cursor, write_cursor
from opsmon.store.event_stream import checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Taken

SOURCE = "recon"
COUNTER = "shopify:reconciled"
OVERLAP_MS = 600_000
# Of what changed just now the webhook is still under way.
SETTLE_MS = 30_000
# Older orders need the scope read_all_orders.
FARTHEST_MS = 60 * 86_400_000
PAGE = 250
BULK_GAP_MS = 2 * 86_400_000
BULK_ORDERS = 5_000
_COUNT_GAP_MS = 3_600_000


class Found(NamedTuple):
    """An order as found: the node, the lines that came with it, its key, and what we remember of it."""

    node: Data
    lines: list[Data]
    key: str
    known: EntityState | None

    @property
    def is_new(self) -> bool:
        """Whether it is a later state than the one we know."""
        return self.known is None or self.known.version[:2] < version_of(self.node)


class ShopifyOrders:
    """Polls one shop's orders. `settle_ms`: how long a webhook is given before its order is asked for."""

    def __init__(self, admin: ShopifyAdmin, client: Redis, keys: Keys, scripts: Scripts, site: str, every_ms: int, *,
                 name: str = "shopify", settle_ms: int = SETTLE_MS, bulk_gap_ms: int = BULK_GAP_MS) -> None:
        self.name, self.every_ms = name, every_ms
        self._admin, self._client, self._keys, self._scripts, self._site = admin, client, keys, scripts, site
        self._settle_ms, self._bulk_gap_ms = settle_ms, bulk_gap_ms
        self._page, self._refunds_at_once = PAGE, MOST_REFUNDS
        self._queries: OrderQueries | None = None
        self._found = self._new = 0
        self._trouble = ""
        self._is_first = False

    async def poll(self, now_ms: int) -> PollResult:
        """One round. May be repeated: what was taken before is a duplicate."""
        self._found, self._new, self._trouble = 0, 0, ""
        try:
            await self._round(now_ms)
        except OpsmonError as error:
            self._trouble = str(error)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._trouble = f"Shopify answered what is not understood ({type(error).__name__}: {error!s:.100})"
        return PollResult(self._found, self._new, self._trouble)

    async def _round(self, now_ms: int) -> None:
        if self._queries is None:
            self._queries = OrderQueries(await self._admin.scopes())
        began = await read_cursor(self._client, self._keys, self.name)
        since_ms = int(began) - OVERLAP_MS if began else now_ms - FARTHEST_MS
        search = f"updated_at:>='{_iso(since_ms)}' AND updated_at:<='{_iso(now_ms - self._settle_ms)}'"
        self._is_first = not began
        if await self._is_long(search, now_ms - since_ms - OVERLAP_MS):
            await self._in_bulk(self._queries, search, now_ms)
        else:
            await self._by_pages(self._queries, search, now_ms)

    async def _is_long(self, search: str, gap_ms: int) -> bool:
        """Whether there is more to fetch than should be paged through: a quiet shop's gap is long, but empty."""
        if gap_ms <= _COUNT_GAP_MS:
            return False
        count = int((await self._admin.ask(COUNT, {"search": search}))["ordersCount"]["count"])
        return count > BULK_ORDERS or (gap_ms > self._bulk_gap_ms and count > PAGE)

    async def _by_pages(self, queries: OrderQueries, search: str, now_ms: int) -> None:
        after: str | None = None
        while True:
            page = await self._one_page(queries, search, after)
            nodes = page["nodes"]
            await self._take(queries, [(node, list(node["lineItems"]["nodes"])) for node in nodes], now_ms)
            if nodes:
                newest_ms = instant_ms(nodes[-1]["updatedAt"], "updatedAt")
                await write_cursor(self._client, self._keys, self.name, str(newest_ms))
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    async def _one_page(self, queries: OrderQueries, search: str, after: str | None) -> Data:
        while True:
            try:
                asked = {"search": search, "first": self._page, "after": after}
                page: Data = (await self._admin.ask(queries.page, asked))["orders"]
                return page
            except TooCostly:
                if self._page == 1:
                    raise
                self._page = max(1, self._page // 2)

    async def _in_bulk(self, queries: OrderQueries, search: str, now_ms: int) -> None:
        place = f"{self.name}:bulk"
        remembered = await read_cursor(self._client, self._keys, place)
        url: str | None = None
        if remembered:  # begun before this process was
            began_ms, _, operation = remembered.partition(" ")
            url = await self._finished(operation, place)
        if url is None:
            started = await shopify_bulk.start(self._admin, queries.bulk(search))
            began_ms = str(started.began_ms)
            await write_cursor(self._client, self._keys, place, f"{began_ms} {started.id}")
            url = await self._finished(started.id, place)
        if url:
            async for found in shopify_bulk.orders(url):
                await self._take(queries, found, now_ms)
        await write_cursor(self._client, self._keys, self.name, began_ms)
        await write_cursor(self._client, self._keys, place, "")

    async def _finished(self, operation: str, place: str) -> str | None:
        try:
            return await shopify_bulk.finished(self._admin, operation)
        except OpsmonError:
            await write_cursor(self._client, self._keys, place, "")
            raise

    async def _take(self, queries: OrderQueries, orders: Sequence[tuple[Data, list[Data]]], now_ms: int) -> None:
        prefix = f"shopify:{await self._admin.domain()}"
        names = [f"{prefix}:order:{gid_number(node['id'])}" for node, _ in orders]
        known = await known_entities(Reader(self._client), self._keys, names)
        found = [Found(node, lines, name, known.get(name)) for (node, lines), name in zip(orders, names, strict=True)]
        new = [one for one in found if one.is_new]
        refunds = await self._refunds([refund["id"] for one in new for refund in one.node.get("refunds") or []])
        batch = []
        for one in new:
            own = [refunds[refund["id"]] for refund in one.node.get("refunds") or []]
            batch.append(self._taken(one, await self._lines(queries, one), own, prefix, now_ms))
        self._found += len(found)
        if batch:
            outcomes = await self._scripts.append_events(batch, now_ms)
            taken = outcomes.count(b"event")
            self._new += taken
            if not self._is_first:  # what the first round brings is history, not a gap
                await count_new(self._client, self._keys, COUNTER, taken)

    async def _lines(self, queries: OrderQueries, found: Found) -> list[Data]:
        """All lines of an order: those that came with it, and the rest."""
        lines, connection = list(found.lines), found.node.get("lineItems")
        while connection and connection["pageInfo"]["hasNextPage"]:
            asked = {"id": found.node["id"], "after": connection["pageInfo"]["endCursor"]}
            connection = (await self._admin.ask(queries.lines, asked))["order"]["lineItems"]
            lines += connection["nodes"]
        return lines

    async def _refunds(self, ids: Sequence[str]) -> dict[str, Data]:
        """Refunds whole, by id."""
        found: dict[str, Data] = {}
        while left := ids[len(found) :]:
            asked = left[: self._refunds_at_once]
            try:
                refunds = (await self._admin.ask(REFUNDS, {"ids": asked}))["nodes"]
            except TooCostly:
                if self._refunds_at_once == 1:
                    raise
                self._refunds_at_once //= 2
                continue
            for refund in refunds:
                await self._rest_of(refund)
            found |= zip(asked, refunds, strict=True)
        return found

    async def _rest_of(self, refund: Data) -> None:
        connection = refund["refundLineItems"]
        while connection["pageInfo"]["hasNextPage"]:
            asked = {"id": refund["id"], "after": connection["pageInfo"]["endCursor"]}
            connection = (await self._admin.ask(REFUND_LINES, asked))["refund"]["refundLineItems"]
            refund["refundLineItems"]["nodes"] += connection["nodes"]

    def _taken(self, found: Found, lines: Sequence[Data], refunds: Sequence[Data], prefix: str, now_ms: int) -> Taken:
        body = rest_order(found.node, lines, refunds, _placed(found.known))
        # The progress too: what changed twice within a second is two states.
        seen = f"{SOURCE}:{found.node['id']}:{body['updated_at']}:{progress(body)}"
        try:
            read = read_order(body, prefix, "orders/updated")
        except BadBody as error:
            self._trouble = f"order {body['name']} cannot be used: {error}"
            return Taken("dead", SOURCE, seen, orjson.dumps(body), f"orders/updated from {prefix}: {error}")
        version = read.version
        if version is not None and found.known is None:
            # A webhook of the same instant knows more, the checkout: it wins over an empty digest.
            version = (*version[:2], "")
        event = Event(EventId(seen), read.type, read.time_ms or now_ms, now_ms, SOURCE, self._site, read.key, version,
                      read.data)
        payload = encode(event)
        return Taken("event", SOURCE, seen, payload, checksum(payload))


def version_of(node: Data) -> tuple[int, int]:
    """The version of an order as it would be read, without its digest: when it was updated, how far it has come."""
    body = rest_order(node, (), (), {})
    body["refunds"] = node.get("refunds") or []
    return instant_ms(node["updatedAt"], "updatedAt"), progress(body)


def _placed(known: EntityState | None) -> Mapping[str, Any]:
    """The fields that we remember of an order's placing."""
    facts = known.facts if known else ()
    return next((fact.fields for fact in facts if fact.type == "order.placed"), {})


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
