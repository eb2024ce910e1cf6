"""The event stream: encode, read, claim. Appending and acknowledging are scripts (scripts.py)."""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from opsmon.core.events import Event, EventId, Problem
from opsmon.store.keys import Keys

GROUP = "rollups"


@dataclass(frozen=True, slots=True)
class Entry:
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
    """One site's events, as one consumer of the group sees them. A consumer's name is stable."""

    def __init__(self, client: Redis, keys: Keys, consumer: str) -> None:
        self._client = client
        self._keys = keys
        self._consumer = consumer

    async def ensure_group(self) -> bool:
        """Make the group, from the oldest event on; False when it was there. May be repeated."""
        try:
            await self._client.xgroup_create(self._keys.events, GROUP, id="0", mkstream=True)
        except OutOfMemoryError:
            # A full store says this before it says that the group is there. If it is not, reading will tell.
            return False
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
            return False
        return True

    async def read_new(self, count: int, block_ms: int) -> list[Entry]:
        """Entries nobody has read yet, waiting up to `block_ms` for the first (0: not at all)."""
        # To the server a block of 0 means for ever.
        return await self._read(">", count, block_ms or None)

    async def read_own(self, after_id: str) -> list[Entry]:
        """The next entry that this consumer read before and never acknowledged. One, so that an entry that
        kills its worker raises nobody's delivery count but its own."""
        return await self._read(after_id, 1, None)

    async def claim(self, idle_ms: int, after: str) -> tuple[list[Entry], list[str], str]:
        """Take over one entry that has been pending for `idle_ms`, looking from `after` (at first 0-0) on.

        The server looks at ten entries at most. Returns also the ids that are gone from the stream, and from
        where to look next: 0-0 when all were looked at.
        """
        reply: Any = await self._client.xautoclaim(
            self._keys.events, GROUP, self._consumer, min_idle_time=idle_ms, start_id=after, count=1
        )
        entries = [_entry(entry_id, fields) for entry_id, fields in reply[1] if fields is not None]
        return entries, [gone.decode() for gone in reply[2]], reply[0].decode()

    async def tries(self, entry_id: str) -> int:
        """How often an entry was delivered; 0 when it is no longer pending."""
        found: Any = await self._client.xpending_range(self._keys.events, GROUP, entry_id, entry_id, 1)
        return int(found[0]["times_delivered"]) if found else 0

    async def _read(self, after_id: str, count: int, block_ms: int | None) -> list[Entry]:
        reply: Any = await self._client.xreadgroup(
            GROUP, self._consumer, {self._keys.events: after_id}, count=count, block=block_ms
        )
        return [_entry(entry_id, fields) for entry_id, fields in reply[0][1]] if reply else []


def _entry(entry_id: bytes, fields: dict[bytes, bytes] | None) -> Entry:
    payload = (fields or {}).get(b"e", b"")
    return Entry(entry_id.decode(), payload, _event(payload, (fields or {}).get(b"c", b"")))


def _event(payload: bytes, stored_checksum: bytes) -> Event | Problem:
    if checksum(payload).encode() != stored_checksum:
        return Problem("the stored bytes do not match their checksum")
    try:
        return decode(payload)
    except (ValueError, TypeError) as error:
        return Problem(f"the stored bytes are no event: {error}")
