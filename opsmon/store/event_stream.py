"""A stream of events: encode, read, claim. Appending and acknowledging are scripts (scripts.py)."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

import orjson
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from opsmon.core.events import Event, EventId, Problem
from opsmon.store.keys import Keys

GROUP = "rollups"
# Why an entry is given up whose bytes were changed in the store.
DAMAGED = "the stored bytes do not match their checksum"
# How much of what others left is taken over at once.
MOST_CLAIMED = 256


class Entry(NamedTuple):
    """One entry of the stream, read: its id, its bytes, and the event or what is wrong with it."""

    id: str
    payload: bytes
    event: Event | Problem


def encode(event: Event) -> bytes:
    """An event as the bytes that cross the stream."""
    return orjson.dumps([
        event.id, event.type, event.time_ms, event.arrived_ms, event.source, event.site, event.key,
        event.version, event.data,
    ])


def checksum(payload: bytes) -> str:
    """CRC-32 of an entry's bytes: the append-only file has none and loads a flipped bit without complaint."""
    return format(crc32(payload), "08x")


def decode(payload: bytes) -> Event:
    """The event these bytes encode. Raises ValueError or TypeError for others."""
    event_id, kind, time_ms, arrived_ms, source, site, key, version, data = orjson.loads(payload)
    return Event(EventId(event_id), kind, time_ms, arrived_ms, source, site, key,
                 tuple(version) if version else None, data)


class EventStream:
    """One of a site's streams, as one consumer of the group sees it. A consumer's name is stable."""

    def __init__(self, client: Redis, keys: Keys, consumer: str, key: str | None = None) -> None:
        self._client = client
        self.key = key or keys.events
        self._consumer = consumer

    async def ensure_group(self) -> bool:
        """Make the group, from the oldest event on; whether it is there now. May be repeated."""
        try:
            await self._client.xgroup_create(self.key, GROUP, id="0", mkstream=True)
        except OutOfMemoryError:
            # A full store says this before it says that the group is there.
            return await self._has_group()
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        return True

    async def read_new(self, count: int, block_ms: int) -> list[Entry]:
        """Entries nobody has read yet, waiting up to `block_ms` for the first (0: not at all)."""
        (entries,) = await self.read_first((), count, block_ms)
        return entries

    async def read_first(self, others: Sequence["EventStream"], count: int, block_ms: int) -> list[list[Entry]]:
        """The same of several streams at once, up to `count` of each, waiting for the first of any of them."""
        keys = [self.key, *(other.key for other in others)]
        reply: Any = await self._client.xreadgroup(
            # To the server a block of 0 means for ever.
            GROUP, self._consumer, dict.fromkeys(keys, ">"), count=count, block=block_ms or None
        )
        found = {key.decode(): entries for key, entries in reply or ()}
        return [[_entry(entry_id, fields) for entry_id, fields in found.get(key, ())] for key in keys]

    async def abandoned(self, idle_ms: int) -> tuple[list[str], list[str]]:
        """Entries pending for `idle_ms`: those that were delivered once, and those delivered more often."""
        return await self._waiting(idle_ms, None)

    async def own(self) -> tuple[list[str], list[str]]:
        """The same of what this consumer read before and never acknowledged, however long ago."""
        return await self._waiting(0, self._consumer)

    async def claim(self, entry_ids: Sequence[str], idle_ms: int) -> tuple[list[Entry], list[str]]:
        """Take entries over; those that another took meanwhile are left out. Each counts one delivery more.

        Returns also the ids that are gone from the stream: the server takes them off the list by this.
        """
        if not entry_ids:
            return [], []
        found: Any = await self._client.xclaim(
            self.key, GROUP, self._consumer, min_idle_time=idle_ms, message_ids=list(entry_ids)
        )
        entries = [_entry(entry_id, fields) for entry_id, fields in found if fields is not None]
        taken = {entry.id for entry in entries}
        gone = [entry_id for entry_id in entry_ids if entry_id not in taken]
        return entries, [entry_id for entry_id in gone if not await self._is_held(entry_id)]

    async def tries(self, entry_id: str) -> int:
        """How often an entry was delivered; 0 when it is no longer pending."""
        found: Any = await self._client.xpending_range(self.key, GROUP, entry_id, entry_id, 1)
        return int(found[0]["times_delivered"]) if found else 0

    async def _has_group(self) -> bool:
        if not await self._client.exists(self.key):
            return False
        return any(group["name"] == GROUP.encode() for group in await self._client.xinfo_groups(self.key))

    async def _waiting(self, idle_ms: int, consumer: str | None) -> tuple[list[str], list[str]]:
        found: Any = await self._client.xpending_range(
            self.key, GROUP, "-", "+", MOST_CLAIMED, consumername=consumer, idle=idle_ms or None
        )
        first = [one["message_id"].decode() for one in found if one["times_delivered"] == 1]
        return first, [one["message_id"].decode() for one in found if one["times_delivered"] > 1]

    async def _is_held(self, entry_id: str) -> bool:
        return bool(await self._client.xrange(self.key, entry_id, entry_id, count=1))


def decode_entry(fields: dict[bytes, bytes] | None) -> Event | Problem:
    """The event of an entry of the stream, or what is wrong with it."""
    return _event((fields or {}).get(b"e", b""), (fields or {}).get(b"c", b""))


def _entry(entry_id: bytes, fields: dict[bytes, bytes] | None) -> Entry:
    return Entry(entry_id.decode(), (fields or {}).get(b"e", b""), decode_entry(fields))


def _event(payload: bytes, stored_checksum: bytes) -> Event | Problem:
    if b"%08x" % crc32(payload) != stored_checksum:
        return Problem(DAMAGED)
    try:
        return decode(payload)
    except (ValueError, TypeError) as error:
        return Problem(f"the stored bytes are no event: {error}")
