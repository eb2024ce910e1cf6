"""Requests to be shown or forgotten: kept until they are done, whoever stops meanwhile."""

from dataclasses import asdict, replace

import orjson
from redis.asyncio import Redis

from opsmon.core.privacy import Request, Stage
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys


def encode_request(request: Request) -> bytes:
    """A request as stored."""
    return orjson.dumps(asdict(request))


def decode_request(stored: bytes) -> Request:
    """The request these bytes encode. Raises ValueError or TypeError for others."""
    told = orjson.loads(stored)
    return Request(**{**told, "orders": tuple(told["orders"])})


async def read_requests(reader: Reader, keys: Keys) -> list[Request]:
    """All requests, those that are done as well, oldest first."""
    found = await reader.hash(keys.erasing)
    return sorted((decode_request(stored) for stored in found.values()), key=lambda one: (one.asked_ms, one.id))


async def keep_request(client: Redis, keys: Keys, request: Request) -> None:
    """Keep a request, or where it has come. May be repeated."""
    await client.hset(keys.erasing, request.id, encode_request(request).decode())


async def forget_request(client: Redis, keys: Keys, request: Request) -> None:
    """Let a request go. May be repeated."""
    await client.hdel(keys.erasing, request.id)


def nameless(request: Request, stage: Stage, note: str = "") -> Request:
    """The same without a trace of whom it was about."""
    return replace(request, about="", orders=(), salt="", stage=stage, note=note)
