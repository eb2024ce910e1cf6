"""Command: keep requests to be shown or forgotten until they are done, whoever stops meanwhile."""

from dataclasses import asdict, replace

import orjson
from redis.asyncio import Redis

from opsmon.core.privacy import Request, Stage
from opsmon.store.keys import Keys


def encode_request(request: Request) -> bytes:
    """A request as stored."""
    return orjson.dumps(asdict(request))


async def keep_request(client: Redis, keys: Keys, request: Request) -> None:
    """Keep a request, or where it has come. May be repeated."""
    await client.hset(keys.erasing, request.id, encode_request(request).decode())


async def forget_request(client: Redis, keys: Keys, request: Request) -> None:
    """Let a request go. May be repeated."""
    await client.hdel(keys.erasing, request.id)


def nameless(request: Request, stage: Stage, note: str = "") -> Request:
    """The same without a trace of whom it was about."""
    return replace(request, about="", orders=(), salt="", stage=stage, note=note)
