"""Query: who asked to be shown or forgotten, and how far that has come."""

import orjson

from opsmon.core.privacy import Request
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys


async def read_requests(reader: Reader, keys: Keys) -> list[Request]:
    """All requests, those that are done as well, oldest first."""
    found = await reader.hash(keys.erasing)
    return sorted((decode_request(stored) for stored in found.values()), key=lambda one: (one.asked_ms, one.id))


async def read_open(reader: Reader, keys: Keys) -> list[Request]:
    """The requests that are not done, oldest first."""
    return [one for one in await read_requests(reader, keys) if one.stage != "done"]


def decode_request(stored: bytes) -> Request:
    """The request these bytes encode. Raises ValueError or TypeError for others."""
    told = orjson.loads(stored)
    return Request(**{**told, "orders": tuple(told["orders"])})
