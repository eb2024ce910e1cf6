"""Copy a site as of one instant, while it is live.

Panes, states and what else only commits write stand still behind a fence and are read in parts. All the rest
(streams with their groups, marks of deliveries, accounts, boards) is read in one transaction before the fence is
taken down: so what the panes have counted is exactly what the streams' groups call counted. The same on one server
and on a Cluster, where a site lies in one slot. Ingest waits as long as the transaction takes.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from redis.asyncio import Redis

from opsmon.core.errors import OpsmonError
from opsmon.store.backup_file import Record
from opsmon.store.fence import Fence, fenced
from opsmon.store.keys import Keys
from opsmon.store.scripts import source

# Written by commits only, which the fence holds.
HELD = ("pane", "unique", "top", "open", "rows", "entity", "corrected")
# What a copy has no use for, and what lets somebody in: a session that was revoked must not come back.
LEFT = ("session", "sessions", "invite", "pairing", "tries", "note", "turn", "changes", "restored")
_AT_ONCE = 500


async def copy_site(client: Redis, keys: Keys) -> AsyncGenerator[Record, None]:
    """Every key of the site as of one instant. Close it: it holds the workers. Raises OpsmonError while it cannot
    be had."""
    async with fenced(client, keys) as fence:
        async for names in _held(client, keys):
            for record in await _dumped(client, names):
                yield record
            await fence.keep()
        rest = await _rest(client, keys, fence)
    for record in rest:
        yield record


async def _held(client: Redis, keys: Keys) -> AsyncIterator[Sequence[bytes]]:
    for kind in HELD:
        # SCAN may tell a name twice.
        found = sorted({name async for name in client.scan_iter(match=f"{keys.tag}:{kind}:*", count=1000)})
        for start in range(0, len(found), _AT_ONCE):
            yield found[start : start + _AT_ONCE]


async def _dumped(client: Redis, names: Sequence[bytes]) -> list[Record]:
    pipe = client.pipeline(transaction=True)
    _ask_time(pipe, names[0])
    for name in names:
        pipe.dump(name)
        pipe.pttl(name)
    found: list[Any] = await pipe.execute()
    return [Record(name, found[0] + left if left > 0 else 0, dump)
            for name, dump, left in zip(names, found[1::2], found[2::2], strict=True) if dump is not None]


def _ask_time(pipe: Any, name: bytes) -> None:
    """TIME has no key by which a Cluster could know where to ask."""
    pipe.eval("local now = redis.call('TIME') return now[1] * 1000 + math.floor(now[2] / 1000)", 1, name)


async def _rest(client: Redis, keys: Keys, fence: Fence) -> list[Record]:
    streams = (keys.events, keys.visits, keys.dead, keys.erased)
    left_out = [*(f"{keys.tag}:{kind}" for kind in (*HELD, *LEFT)), *streams]
    pipe = client.pipeline(transaction=True)
    # All of it in one: what is told of the fence holds for the streams too.
    pipe.eval(source("copy_rest"), 1, keys.meta, f"{keys.tag}:*", fence.generation, *left_out)
    for stream in streams:
        pipe.dump(stream)
    told, *dumps = await pipe.execute()
    if not told:
        raise OpsmonError("The copy took too long and workers counted on: it was thrown away. Try again.")
    found = [Record(stream.encode(), 0, dump) for stream, dump in zip(streams, dumps, strict=True) if dump is not None]
    return found + [Record(told[at], int(told[at + 1]), told[at + 2]) for at in range(1, len(told), 3)]

