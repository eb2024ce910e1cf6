"""A fake Shopify: a shop whose orders live, the webhooks it sends, and its Admin API, all over real HTTP.

It behaves as SOURCES says: see sending.py for deliveries; the Admin API has a cost bucket, scopes, protected
customer data, pages, subscriptions and bulk operations. The same seed gives the same shop.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson

from opsmon.pollers.shopify_webhooks import SCOPE_OF, enum, wanted
from tests.fakes import orders as shop
from tests.fakes.graphql import BadQuery, Connection, Field, cost, cut, has_connection_in_list, parse
from tests.fakes.sending import Delivery, Sender, Subscription

DOMAIN = "paper-boat.myshopify.com"
TOKEN = "shpat_of-the-fake-shop"
SCOPES = ("read_customers", *dict.fromkeys(SCOPE_OF.values()))
BUCKET, RESTORED_PER_S, MOST_PER_QUERY = 4_000.0, 200.0, 1_000
LISTS = frozenset({"refunds", "fulfillments"})
_SCOPE_OF = {enum(topic): scope for topic in wanted() if (scope := SCOPE_OF.get(topic.partition("/")[0]))}
_PCD = ("This app is not approved to {what}. See https://shopify.dev/docs/apps/launch/protected-customer-data for "
        "more details.")


class FakeShopify:
    """The shop. Set `scopes`, `is_approved`, `status` to have it refuse; `asked` remembers the root fields asked."""

    def __init__(self, secret: bytes, *, seed: int = 1, hour_s: float = 0.25, speed: float = 1.0,
                 now_ms: Callable[[], int] | None = None) -> None:
        self.orders: dict[int, shop.Order] = {}
        self.subscriptions: list[Subscription] = []
        self.scopes, self.is_approved, self.status = set(SCOPES), True, 200
        self.hidden: set[str] = set()  # fields of an order that this app may not see
        self.asked: list[str] = []
        self.looks = 2  # how often a bulk operation is looked at before it is done
        self.throttled = 0
        self.port = 0
        self.sender = Sender(DOMAIN, secret, seed, hour_s)
        self._seed, self._speed = seed, speed
        self._latest_ms = 0
        # Where its clock is not given, it is as late as the newest thing that happened.
        self._now_ms = now_ms or (lambda: self._latest_ms)
        self._points, self._at_s = BUCKET, 0.0
        self._bulk: dict[str, dict[str, Any]] = {}
        self._numbers = 0

    @property
    def url(self) -> str:
        """Where its Admin API is."""
        return f"http://127.0.0.1:{self.port}"

    def do(self, step: shop.Step) -> None:
        """Let something happen to an order, and tell of it."""
        if step.what == "create":
            self.orders[step.order] = shop.make(step.order, step.at_ms, self._seed)
        order, self._latest_ms = self.orders[step.order], step.at_ms
        event_id = self.sender.uuid()
        for topic in shop.happen(order, step.what, step.at_ms):
            self._tell(topic, orjson.dumps(_body(topic, order)), event_id, step.at_ms)

    def _tell(self, topic: str, body: bytes, event_id: str, at_ms: int) -> None:
        triggered_at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        for subscription in self.living():
            if subscription.topic == _enum(topic):
                self.sender.send(subscription, Delivery(topic, body, self.sender.uuid(), event_id, triggered_at))

    def living(self) -> list[Subscription]:
        """The subscriptions that were not deleted."""
        self.subscriptions = [one for one in self.subscriptions if one.id not in self.sender.deleted]
        return self.subscriptions

    def subscribe(self, topic: str, uri: str) -> Subscription:
        """A subscription, as somebody made it."""
        made = Subscription(self._gid("WebhookSubscription"), _enum(topic), uri)
        self.subscriptions.append(made)
        return made

    async def play(self, steps: list[shop.Step], seconds: float) -> None:
        """Let steps happen in order, spread over some real seconds."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for number, step in enumerate(steps):
            wait_s = began_s + seconds * number / max(1, len(steps)) - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self.do(step)

    # --- its Admin API ---

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on one connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = {name.lower(): value.strip() for name, _, value in
                       (line.partition(":") for line in head.split("\r\n")[1:])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            status, answer = self._answer(head.split()[1], headers, body)
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(answer)}\r\nconnection: close\r\n\r\n".encode())
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if path.startswith("/bulk/"):
            return 200, self._bulk[path[6:].partition("?")[0]]["file"]
        if self.status != 200:
            return self.status, b"{}"
        if headers.get("x-shopify-access-token") != TOKEN:
            return 401, b'{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}'
        if not re.fullmatch(r"/admin/api/20\d\d-(01|04|07|10)/graphql\.json", path):
            return 404, b'{"errors":"Not Found"}'
        asked = orjson.loads(body)
        return 200, orjson.dumps(self._run(asked["query"], asked.get("variables") or {}))

    def _run(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            fields = parse(query, variables)
            requested = cost(fields)
            if requested > MOST_PER_QUERY:
                return _error(f"Query cost is {requested}, which exceeds the single query max cost limit (1000).",
                              "MAX_COST_EXCEEDED")
            if not self._spend(requested):
                self.throttled += 1
                return {**_error("Throttled", "THROTTLED"), "extensions": self._cost(requested)}
            self.asked += [one.name for one in fields]
            return {**self._resolved(fields), "extensions": self._cost(requested)}
        except BadQuery as error:
            return _error(str(error), "undefinedField")

    def _spend(self, points: float) -> bool:
        now_s = asyncio.get_running_loop().time()
        self._points = min(BUCKET, self._points + (now_s - self._at_s) * RESTORED_PER_S * self._speed)
        self._at_s = now_s
        if points > self._points:
            return False
        self._points -= points
        return True

    def _cost(self, requested: int) -> dict[str, Any]:
        return {"cost": {"requestedQueryCost": requested, "actualQueryCost": requested, "throttleStatus": {
            "maximumAvailable": BUCKET, "currentlyAvailable": int(self._points),
            "restoreRate": RESTORED_PER_S * self._speed}}}

    def _resolved(self, fields: list[Field]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for one in fields:
            denied = self._denied(one.name)
            if denied:
                return {"data": {one.name: None}, **_error(denied, "ACCESS_DENIED", [one.name])}
            data[one.name] = self._root(one)
        if self.hidden and "orders" in data:
            return {"data": data, "errors": [
                {"message": f"Access denied for {name} field.", "path": ["orders", "nodes", 0, name],
                 "extensions": {"code": "ACCESS_DENIED"}} for name in sorted(self.hidden)]}
        return {"data": data}

    def _denied(self, name: str) -> str:
        if name in ("orders", "ordersCount", "order", "refund") and "read_orders" not in self.scopes:
            return f"Access denied for {name} field. Required access: `read_orders` access scope."
        if name in ("orders", "order") and not self.is_approved:
            return _PCD.format(what="access the Order object")
        return ""

    def _root(self, one: Field) -> Any:
        match one.name:
            case "shop":
                return cut({"myshopifyDomain": DOMAIN, "name": "Paper boat"}, one)
            case "currentAppInstallation":
                return cut({"accessScopes": [{"handle": scope} for scope in sorted(self.scopes)]}, one)
            case "orders":
                return cut(Connection(map(self._shown, self._found(one.args["query"]))), one, "Order")
            case "ordersCount":
                return cut({"count": len(self._found(one.args["query"])), "precision": "EXACT"}, one)
            case "order" | "refund" | "node":
                return self._cut_node(one.args["id"], one)
            case "nodes":
                return [self._cut_node(gid, one) for gid in one.args["ids"]]
            case "webhookSubscriptions":
                return cut(Connection(map(asdict, self.living())), one, "WebhookSubscription")
            case "webhookSubscriptionCreate":
                return cut(self._subscribed(one.args["topic"], one.args["webhookSubscription"]), one)
            case "bulkOperationRunQuery":
                return cut(self._bulk_begun(one.args["query"]), one)
        raise BadQuery(f"Field '{one.name}' doesn't exist on type 'QueryRoot'")

    def _shown(self, order: shop.Order) -> dict[str, Any]:
        return {**shop.graph(order), **dict.fromkeys(self.hidden)}

    def _found(self, search: str) -> list[shop.Order]:
        since, until = re.fullmatch(r"updated_at:>='([^']+)' AND updated_at:<='([^']+)'", search).groups()  # type: ignore[union-attr]
        low, high = (datetime.fromisoformat(text).timestamp() * 1000 for text in (since, until))
        found = [order for order in self.orders.values() if low <= order.updated_ms <= high]
        return sorted(found, key=lambda order: (order.updated_ms, order.id))

    def _cut_node(self, gid: str, one: Field) -> Any:
        node = self._bulk.get(gid) or self._node(gid)
        if node and "left" in node:
            node["left"] -= 1
            node["status"] = "COMPLETED" if node["left"] < 0 else "RUNNING"
        return cut(node, one, node["__typename"]) if node else None

    def _node(self, gid: str) -> Any:
        for order in self.orders.values():
            if gid == f"gid://shopify/Order/{order.id}":
                return shop.graph(order)
            for refund in order.refunds:
                if gid == f"gid://shopify/Refund/{refund.id}":
                    return shop.graph_refund(refund)
        return None

    def _subscribed(self, topic: str, asked: dict[str, Any]) -> dict[str, Any]:
        scope = _SCOPE_OF.get(topic)
        if any((one.topic, one.uri) == (topic, asked["uri"]) for one in self.living()):
            why = "Address for this topic has already been taken"
        elif scope is not None and scope not in self.scopes:
            why = "You cannot create a webhook subscription with the specified topic"
        elif not self.is_approved:
            why = _PCD.format(what="subscribe to webhook topics containing protected customer data")
        else:
            made = Subscription(self._gid("WebhookSubscription"), topic, asked["uri"])
            self.subscriptions.append(made)
            return {"webhookSubscription": {"id": made.id}, "userErrors": []}
        return {"webhookSubscription": None, "userErrors": [{"field": ["topic"], "message": why}]}

    def _bulk_begun(self, query: str) -> dict[str, Any]:
        fields = parse(query, {})
        if has_connection_in_list(fields, LISTS):
            return _refused("Queries that contain a connection field within a list field are not currently supported.")
        if any(one["status"] == "RUNNING" for one in self._bulk.values()):
            return _refused("A bulk query operation for this app and shop is already in progress")
        lines = [line for order in self._found(fields[0].args["query"]) for line in _bulk_lines(order, fields[0])]
        gid = self._gid("BulkOperation")
        name = gid.rpartition("/")[2]
        self._bulk[name] = {"status": "", "file": b"".join(orjson.dumps(line) + b"\n" for line in lines)}
        began = datetime.fromtimestamp(self._now_ms() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._bulk[gid] = {
            "__typename": "BulkOperation", "id": gid, "status": "RUNNING", "errorCode": None, "left": self.looks,
            "createdAt": began, "url": f"{self.url}/bulk/{name}?signature=secret" if lines else None}
        return {"bulkOperation": self._bulk[gid], "userErrors": []}

    def _gid(self, kind: str) -> str:
        self._numbers += 1
        return f"gid://shopify/{kind}/{self._numbers}"


@asynccontextmanager
async def open_shopify(secret: bytes, **more: Any) -> AsyncIterator[FakeShopify]:
    """A shop whose Admin API listens on this machine."""
    fake = FakeShopify(secret, **more)
    server = await asyncio.start_server(fake.handle, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        fake.sender.stop()
        server.close()


def _bulk_lines(order: shop.Order, asked: Field) -> list[dict[str, Any]]:
    """An order's line, and a line for each of its lines below it."""
    node = asked.selection[0].selection[0]
    shown = shop.graph(order)
    plain = Field("node", {}, [one for one in node.selection if not one.is_connection])
    found: list[dict[str, Any]] = [cut(shown, plain, "Order")]
    for connection in (one for one in node.selection if one.is_connection):
        inner = connection.selection[0].selection[0]
        found += [{**cut(item, inner, "LineItem"), "__parentId": shown["id"]} for item in shown[connection.name]]
    return found


def _body(topic: str, order: shop.Order) -> dict[str, Any]:
    if topic == "refunds/create" and order.refunds:
        return shop.rest_refund(order, order.refunds[-1])
    if topic.startswith("fulfillments/"):
        return shop.rest_parcel(order, order.parcels[-1])
    return shop.rest(order)


def _enum(topic: str) -> str:
    return topic.replace("/", "_").upper()


def _error(message: str, code: str, path: list[str] | None = None) -> dict[str, Any]:
    return {"errors": [{"message": message, "path": path or [], "extensions": {"code": code}}]}


def _refused(message: str) -> dict[str, Any]:
    return {"bulkOperation": None, "userErrors": [{"field": ["query"], "message": message}]}
