"""Copy a site as of one instant, while it is live.

Panes, states and what else only commits write stand still behind a fence and are read in parts. The rest (streams
with their groups, accounts, boards) is read in one transaction before the fence is taken down: so what the panes
have counted is exactly what the streams' groups call counted. The same on one server and on a Cluster, where a site
lies in one slot. Ingest waits as long as the transaction takes, which is as long as the streams are.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis

from opsmon.core.errors import OpsmonError
from opsmon.store.backup_file import Record, kind_of
from opsmon.store.fence import Fence, fenced
from opsmon.store.keys import SEEN_KEPT_MS, Keys

# Written by commits only, which the fence holds.
HELD = ("pane", "unique", "top", "open", "rows", "entity", "corrected")
# What a copy has no use for, and what lets somebody in: a session that was revoked must not come back.
LEFT = ("session", "sessions", "invite", "pairing", "tries", "note", "turn", "changes", "restored")
_MARKS = "seen"
_APART = frozenset((*HELD, *LEFT, _MARKS))
_AT_ONCE = 500
_TRIES = 5
_TIME = "local now = redis.call('TIME') return now[1] * 1000 + math.floor(now[2] / 1000)"
_FELL = "The copy took too long and workers counted on: it was thrown away. Try again."


class Copied(NamedTuple):
    """Keys as of one instant of the server's clock (epoch ms), and the facts that tell whose fence stood then."""

    at_ms: int
    facts: Sequence[bytes | None]
    records: list[Record]


async def copy_site(client: Redis, keys: Keys) -> AsyncGenerator[Record, None]:
    """Every key of the site as of one instant. Close it: it holds the workers. Raises OpsmonError while it cannot
    be had."""
    async with fenced(client, keys) as fence:
        for kind in HELD:
            async for found in _in_parts(client, keys, await _names(client, f"{keys.tag}:{kind}:*")):
                for record in found.records:
                    yield record
                await fence.keep()
        rest = await _rest(client, keys, fence)
    for record in rest.records:
        yield record
    async for found in _in_parts(client, keys, await _names(client, f"{keys.tag}:{_MARKS}:*")):
        for record in _older(found.records, rest.at_ms):
            yield record


async def _rest(client: Redis, keys: Keys, fence: Fence) -> Copied:
    """All that anybody may write meanwhile. Keys that came between looking and copying are looked for again."""
    names = await _rest_names(client, keys)
    for _ in range(_TRIES):
        found = await _copied(client, keys, names)
        if found.facts != [b"%d" % fence.generation, b"1"]:
            raise OpsmonError(_FELL)
        now = await _rest_names(client, keys)
        if set(now) <= set(names):
            return found
        names = now
    raise OpsmonError("Too much is made new here at the moment. Try again.")


async def _rest_names(client: Redis, keys: Keys) -> list[bytes]:
    return [name for name in await _names(client, f"{keys.tag}:*") if kind_of(name) not in _APART]


async def _names(client: Redis, pattern: str) -> list[bytes]:
    # SCAN may tell a name twice.
    return sorted({name async for name in client.scan_iter(match=pattern, count=1000)})


async def _in_parts(client: Redis, keys: Keys, names: Sequence[bytes]) -> AsyncIterator[Copied]:
    for start in range(0, len(names), _AT_ONCE):
        yield await _copied(client, keys, names[start : start + _AT_ONCE])


async def _copied(client: Redis, keys: Keys, names: Sequence[bytes]) -> Copied:
    pipe = client.pipeline(transaction=True)
    # TIME alone has no key by which a Cluster could know where to ask.
    pipe.eval(_TIME, 1, keys.meta)
    pipe.hmget(keys.meta, ["building", "fenced"])
    for name in names:
        pipe.dump(name)
        pipe.pttl(name)
    at_ms, facts, *found = await pipe.execute()
    return Copied(at_ms, facts, list(_records(at_ms, names, found)))


def _records(at_ms: int, names: Sequence[bytes], found: Sequence[Any]) -> Iterable[Record]:
    for name, dump, left_ms in zip(names, found[::2], found[1::2], strict=True):
        if dump is not None:  # else it has ended since
            yield Record(name, at_ms + left_ms if left_ms >= 0 else 0, dump)


def _older(marks: Iterable[Record], at_ms: int) -> Iterable[Record]:
    """Marks of deliveries that are in the copied streams. One that is left out lets a delivery be sent once more; one
    too many would refuse what the copy does not have. (A page sends again at once or never.)"""
    return (mark for mark in marks if mark.expires_ms - SEEN_KEPT_MS < at_ms)
