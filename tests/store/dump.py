"""Everything a store holds, to be compared before and after."""

from typing import Any

from redis.asyncio import Redis


async def dump(client: Redis) -> dict[bytes, Any]:
    """Every key with its contents, its consumer groups and whether it expires."""
    found = {}
    for key in sorted([name async for name in client.scan_iter(count=1000)]):
        found[key] = (await _contents(client, key), await client.pttl(key) > 0)
    return found


async def _contents(client: Redis, key: bytes) -> Any:
    match await client.type(key):
        case b"string":
            return await client.get(key)
        case b"hash":
            return await client.hgetall(key)
        case b"list":
            return await client.lrange(key, 0, -1)
        case b"set":
            return sorted(await client.smembers(key))
        case b"zset":
            return await client.zrange(key, 0, -1, withscores=True)
        case b"stream":
            return await client.xrange(key), await _groups(client, key)
        case other:
            raise AssertionError(f"nobody told dump about a {other!r}")


async def _groups(client: Redis, key: bytes) -> Any:
    return [(group["name"], group["last-delivered-id"],
             await client.xpending_range(key, group["name"], "-", "+", 999))
            for group in await client.xinfo_groups(key)]


def without_idle(dumped: Any) -> Any:
    """The same without how long entries have been pending, which the clock alone moves."""
    if isinstance(dumped, dict):
        return {name: without_idle(value) for name, value in dumped.items() if name != "time_since_delivered"}
    return [without_idle(value) for value in dumped] if isinstance(dumped, list | tuple) else dumped
