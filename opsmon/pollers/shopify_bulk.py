"""Bulk operations: many orders as one file of JSON lines, for gaps too long to page through.

Facts: shopify.dev "Perform bulk operations with the GraphQL Admin API". One runs at a time for an app and shop;
its file is kept for a week. Lines of an order follow it and name it in `__parentId`, when asked to be grouped.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import orjson

from opsmon.pollers.http import stream_lines
from opsmon.pollers.shopify_admin import AdminError, Data, ShopifyAdmin, Sleep

_START = """mutation($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: true) {
  bulkOperation { id createdAt } userErrors { field message } } }"""
_LOOK = """query($id: ID!) { node(id: $id) { ... on BulkOperation { id status errorCode url createdAt } } }"""
_WORKING = {"CREATED", "RUNNING", "CANCELING"}
_PAUSE_S = (0.5, 1.0, 2.0, 5.0, 10.0)
AT_ONCE = 250


class Started(NamedTuple):
    """A bulk operation: its id, and when it began by Shopify's clock, epoch ms."""

    id: str
    began_ms: int


async def start(admin: ShopifyAdmin, query: str) -> Started:
    """Begin one. Raises AdminError when Shopify will not, such as while another is at work."""
    done = (await admin.ask(_START, {"query": query}))["bulkOperationRunQuery"]
    if done["userErrors"]:
        raise AdminError(f"Shopify begins no bulk operation: {str(done['userErrors'][0]['message'])[:300]}")
    made = done["bulkOperation"]
    return Started(made["id"], int(datetime.fromisoformat(made["createdAt"]).timestamp() * 1000))


async def finished(admin: ShopifyAdmin, operation_id: str, sleep: Sleep = asyncio.sleep) -> str | None:
    """Wait until it is done: the URL of its file, '' when it found nothing, None when it is not known any more.

    Raises AdminError when it failed.
    """
    looks = 0
    while True:
        found = (await admin.ask(_LOOK, {"id": operation_id}))["node"]
        if not found:
            return None
        if found["status"] == "COMPLETED":
            return found.get("url") or ""
        if found["status"] not in _WORKING:
            raise AdminError(f"Shopify's bulk operation ended as {found['status']} ({found.get('errorCode')}): it is "
                             "begun again next time")
        await sleep(_PAUSE_S[min(looks, len(_PAUSE_S) - 1)])
        looks += 1


async def orders(url: str) -> AsyncIterator[list[tuple[Data, list[Data]]]]:
    """The orders of a file with their lines, some at a time. Raises HttpError, AdminError for what is no such file."""
    batch: list[tuple[Data, list[Data]]] = []
    async for lines in stream_lines(url):
        for line in lines:
            _join(batch, line)
        if len(batch) > AT_ONCE:
            # The last one's lines may not all have been read.
            yield batch[:-1]
            batch = batch[-1:]
    if batch:
        yield batch


def _join(batch: list[tuple[Data, list[Data]]], line: bytes) -> None:
    if not line.strip():
        return
    try:
        node = orjson.loads(line)
        parent = node.get("__parentId")
    except (orjson.JSONDecodeError, AttributeError):
        raise AdminError(f"a line of the bulk file is no JSON object: {line[:60]!r}") from None
    if parent is None:
        batch.append((node, []))
    elif batch and batch[-1][0]["id"] == parent:
        batch[-1][1].append(node)
    else:
        raise AdminError("the bulk file is not in order: a line comes without its order before it")
