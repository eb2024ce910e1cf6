"""Put a backup in the place of a site's keys, while it is live.

It is like a rebuild whose panes come from a file: they are written under a generation of their own, and the last
script makes it the one that counts. Whatever arrives meanwhile stays, behind the restored events.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from opsmon.core.errors import OpsmonError
from opsmon.store.backup_file import Record, kind_of
from opsmon.store.connection import Read, Reader
from opsmon.store.fence import Fence
from opsmon.store.keys import Keys
from opsmon.store.scripts import source

# Their names tell the generation.
_COUNTED = ("pane", "unique", "top", "open", "rows")
_AT_ONCE = 500
_WAITS_MS = 3_600_000
# Of a dump, where it says in which version of the format it is: before its checksum of 8 bytes.
_VERSION = slice(-10, -8)
_UNREADABLE = ("payload version", "Bad data format")


@contextmanager
def _told() -> Iterator[None]:
    """What a store says of a dump that it cannot read, in words. Raises OpsmonError."""
    try:
        yield
    except ResponseError as error:
        if not any(words in str(error) for words in _UNREADABLE):
            raise
        raise OpsmonError("This store is older than the one the backup was made of, or of another maker, and "
                          "cannot read it. Restore it to a store of the same make and version.") from error


async def holds(client: Redis, keys: Keys) -> str:
    """What a site has that a backup would replace, in words; '' for a site that is new."""
    streams = {"events": keys.events, "page events": keys.visits, "dead letters": keys.dead}
    lengths = {name: int(await client.xlen(key)) for name, key in streams.items()}
    people, boards = await Reader(client).many([Read("hlen", (keys.people,)), Read("hlen", (keys.boards,))])
    counts = lengths | {"people": people, "boards of its own": boards}
    found = [f"{count} {name}" for name, count in counts.items() if count]
    async for _ in client.scan_iter(match=f"{keys.tag}:entity:*", count=1000):
        return ", ".join([*found, "orders that are remembered"])
    return ", ".join(found)


async def check_readable(client: Redis, keys: Keys, records: Iterable[Record]) -> None:
    """Raise OpsmonError when this store cannot read what another has dumped, before anything is touched (threat: a site
    that is cleared for what cannot take its place). Of each version of the format the shortest dump is tried."""
    shortest: dict[bytes, Record] = {}
    for record in records:
        version = record.dump[_VERSION]
        if version not in shortest or len(record.dump) < len(shortest[version].dump):
            shortest[version] = record
    place = keys.restored("probe")
    try:
        with _told():
            for record in shortest.values():
                await client.restore(place, _WAITS_MS, record.dump, replace=True)
    finally:
        await client.unlink(place)


class Restoring:
    """One restoring, behind a fence: `begin`, then `run`, once."""

    def __init__(self, client: Redis, keys: Keys, fence: Fence, generation: int) -> None:
        """`generation` is the one that counted when the backup was made."""
        self._client, self._keys, self._fence, self._generation = client, keys, fence, generation
        self._streams = (keys.events, keys.visits, keys.dead)
        self._staged = {key.encode() for key in (*self._streams, keys.meta, keys.erasing)}

    async def begin(self) -> list[str]:
        """The newest entries of the streams: what comes after them stays."""
        return [await self._newest(stream) for stream in self._streams]

    async def run(self, records: Iterable[Record], newest: Sequence[str]) -> int:
        """Replace what there is; how many entries arrived after the `newest`. Raises OpsmonError: then all of it can
        be done again."""
        await self._clear()
        batch: list[Record] = []
        for record in records:
            batch.append(record)
            if len(batch) >= _AT_ONCE or len(record.dump) > 1_000_000:
                await self._write(batch)
                batch = []
        await self._write(batch)
        return await self._finish(newest)

    async def _newest(self, stream: str) -> str:
        found = await Reader(self._client).newest(stream)
        return found[0][0].decode() if found else "0-0"

    async def _clear(self) -> None:
        """All but what is replaced at the end, and what says that the site is fenced and which revision it shows."""
        keys = self._keys
        stays = self._staged | {keys.note("recount").encode(), keys.changes.encode()}
        found = [name async for name in self._client.scan_iter(match=f"{keys.tag}:*", count=1000)]
        goes = [name for name in found if name not in stays]
        for start in range(0, len(goes), _AT_ONCE):
            await self._client.unlink(*goes[start : start + _AT_ONCE])
            await self._fence.keep()

    async def _write(self, batch: Sequence[Record]) -> None:
        pipe = self._client.pipeline(transaction=False)
        for record in batch:
            self._add(pipe, record)
        with _told():
            if batch:
                await pipe.execute()
        await self._fence.keep()

    def _add(self, pipe: Any, record: Record) -> None:
        name, kind = record.name, kind_of(record.name)
        if name in self._staged:
            staged = self._keys.restored(name.decode())
            pipe.restore(staged, 0, record.dump, replace=True)
            pipe.pexpire(staged, _WAITS_MS)
        elif kind in _COUNTED:
            _, _, rest = name.partition(b":" + kind.encode() + b":")
            generation, _, rest = rest.partition(b":")
            if generation == b"%d" % self._generation:
                place = f"{self._keys.tag}:{kind}:{self._fence.generation}:".encode() + rest
                pipe.restore(place, record.expires_ms, record.dump, replace=True, absttl=True)
        else:
            pipe.restore(name, record.expires_ms, record.dump, replace=True, absttl=True)

    async def _finish(self, newest: Sequence[str]) -> int:
        keys = self._keys
        pairs = [(key, keys.restored(key)) for key in (keys.meta, keys.erasing, *self._streams)]
        script = self._client.register_script(source("finish_restore"))
        arrived = int(await script(keys=[key for pair in pairs for key in pair],
                                   args=[self._fence.generation, *newest]))
        if arrived < 0:
            raise OpsmonError("Restoring took too long and a worker counted on. Stop opsmon's workers and run it again "
                              "with --replace.")
        return arrived
