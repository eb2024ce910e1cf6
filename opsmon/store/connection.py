"""Clients for the store: one patient, one that must answer within a second, one that can only read.

`redis+cluster://host:port,host:port` (or rediss+cluster) names one or more nodes of a Cluster, which tell of
the others; its client is used like that of one server.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import RedisClusterException, RedisError, ResponseError

from opsmon.core.errors import NewerStore
from opsmon.store.cluster import SiteCluster

# What may go wrong on the way to the store; asyncio's TimeoutError is a builtin since 3.11. When no node of a
# Cluster is there, redis-py says so with what is no RedisError. A store of a newer opsmon is as good as away.
STORE_ERRORS = (RedisError, RedisClusterException, OSError, TimeoutError, NewerStore)


def worker_client(url: str) -> Redis:
    """For workers and boards: reconnects by itself; reads may block for a few seconds."""
    return _client(
        url,
        socket_connect_timeout=2,
        socket_timeout=10,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        health_check_interval=0,
    )


def ingest_client(url: str) -> Redis:
    """For the webhook path: no retry of its own.

    redis-py's default retry repeats a write whose reply was lost and waits up to 26 s for a server that
    hangs, while Shopify waits 5 s and Odoo 1 s. The sender is the one who retries. (A Cluster's node that has
    handed a site over says so instead of writing: that is followed.)
    """
    return _client(
        url,
        deadline_s=0.8,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        max_connections=4,
    )


def _client(url: str, deadline_s: float | None = None, **options: Any) -> Redis:
    """`deadline_s` is for a Cluster: looking for the node may take several of the other time-outs."""
    if "+cluster://" not in url:
        return Redis.from_url(url, **options)
    # No Redis by its class, but with all the methods that opsmon calls.
    return cast(Redis, SiteCluster.named(url, deadline_s=deadline_s, **options))


def is_of_one_key(error: Exception) -> bool:
    """Whether the store is well, and only a key that was read is not what it should be."""
    return isinstance(error, ResponseError) and "WRONGTYPE" in str(error)


class Read(NamedTuple):
    """One read, to go with others in one round trip."""

    method: Literal["hgetall", "hlen", "hkeys", "pfcount", "zrevrange", "zcount", "zrangebyscore", "smembers", "get",
                    "zscore", "xinfo_groups", "xlen"]
    args: tuple[Any, ...]
    options: Mapping[str, Any] = {}


class Reader:
    """What queries get: the reads opsmon needs and nothing that writes."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def many(self, reads: Sequence[Read]) -> list[Any]:
        """Several reads of one site in one round trip: method of the client, arguments."""
        pipe = self._client.pipeline(transaction=False)
        for read in reads:
            getattr(pipe, read.method)(*read.args, **read.options)
        found = [[] if _is_absent(read, answer) else answer
                 for read, answer in zip(reads, await pipe.execute(raise_on_error=False), strict=True)]
        for answer in found:
            if isinstance(answer, Exception):
                raise answer
        return found

    async def hash(self, key: str) -> dict[bytes, bytes]:
        """One whole hash; {} when it is not there."""
        return _bytes_hash(await self._client.hgetall(key))

    async def length(self, stream: str) -> int:
        """How many entries a stream holds."""
        return int(await self._client.xlen(stream))

    async def newest(self, stream: str, count: int = 1) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """The newest entries of a stream, newest first."""
        found: Any = await self._client.xrevrange(stream, count=count)
        return list(found)

    async def entries(self, stream: str, start: str, end: str, count: int, *, newest_first: bool = False
                      ) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """At most `count` entries of a stream between two ids ('(' before one leaves it out), from `start` on."""
        read = self._client.xrevrange if newest_first else self._client.xrange
        found: Any = await read(stream, start, end, count)
        return list(found)

    async def groups(self, stream: str) -> list[dict[str, Any]]:
        """What the server says of a stream's consumer groups; [] when there is no stream."""
        if not await self._client.exists(stream):
            return []
        found: list[dict[str, Any]] = await self._client.xinfo_groups(stream)
        return found

    async def oldest_pending(self, stream: str, group: str) -> bytes | None:
        """Id of the oldest entry that was read but not acknowledged."""
        found: Any = await self._client.xpending(stream, group)
        oldest: bytes | None = found["min"]
        return oldest

    async def after(self, stream: str, entry_id: bytes | str, block_ms: int) -> list[Any]:
        """Entries of a stream after an id; waits up to `block_ms` for the first."""
        reply: Any = await self._client.xread({stream: entry_id}, block=block_ms, count=500)
        return list(reply[0][1]) if reply else []

    async def info(self, section: str) -> dict[str, Any]:
        """A section of the server's INFO."""
        found: dict[str, Any] = await self._client.info(section)
        return found

    async def setting(self, name: str) -> str:
        """A configuration value of the server, '' when it may not be asked."""
        try:
            found: Any = await self._client.config_get(name)
        except RedisError:
            return ""
        return str(found.get(name, ""))


def _bytes_hash(found: Any) -> dict[bytes, bytes]:
    return dict(found)


def _is_absent(read: Read, answer: Any) -> bool:
    """Of a stream that is not there the server cannot tell the groups: it has none."""
    return read.method == "xinfo_groups" and isinstance(answer, ResponseError) and "no such key" in str(answer)
