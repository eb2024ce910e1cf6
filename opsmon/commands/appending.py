"""What an import does with its events: append them as fast as they are counted, and go on where it was broken off.

How far an import got is noted in the store, beside what it stored: whatever happens to the one happens to the other.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b

from opsmon.app.site import store_url
from opsmon.clock import Clock
from opsmon.core.errors import OpsmonError
from opsmon.core.events import Event
from opsmon.core.health import WORKER_GONE_MS
from opsmon.setting_texts import without_password
from opsmon.settings import Settings
from opsmon.sources.csv_orders import SOURCE
from opsmon.store.connection import STORE_ERRORS, Reader, worker_client
from opsmon.store.event_stream import checksum, encode
from opsmon.store.health_queries import backlog, workers
from opsmon.store.keys import Keys
from opsmon.store.notes import forget_import, note_import, read_import
from opsmon.store.scripts import Scripts, Taken

# One script call, during which the store answers nobody else: at most this many events and bytes.
CHUNK, CHUNK_BYTES = 500, 256 * 1024
BREATH_S = 0.02
# A webhook's event stands in line behind what is imported: workers count so many in less than a second.
MOST_WAITING = 1_000
# The janitor comes once a minute; until then the stream may be a quarter above its bound.
PATIENCE_S = 90.0
# Beside the store's own outcomes: stored by an earlier try at the same import.
EARLIER = b"earlier"


async def append(events: Sequence[Event], settings: Settings, clock: Clock, tell: Callable[[int, str], None]
                 ) -> "Counter[bytes]":
    """Append events, as fast as they are counted; how often each outcome. May be repeated.

    Raises OpsmonError when the store or the workers do not keep up; what is stored by then stays, and the same
    events again go on behind it within a day.
    """
    client, keys = worker_client(store_url(settings)), Keys(settings.site)
    scripts, room = Scripts(client, keys), _Room(Reader(client), keys, settings, clock)
    outcomes: Counter[bytes] = Counter()
    try:
        name = name_of(events)
        earlier = min(await read_import(Reader(client), keys, name), len(events))
        if earlier:
            outcomes[EARLIER] = earlier
            tell(earlier, "stored before")
        for chunk in _chunks(events[earlier:], clock):
            while why := await room.lacks(int(await client.memory_usage(keys.events) or 0)):
                tell(outcomes.total(), why)
                await asyncio.sleep(0.1)
            outcomes.update(await scripts.append_events(chunk, clock.now_ms()))
            await note_import(client, keys, name, outcomes.total())
            tell(outcomes.total(), "")
            await asyncio.sleep(BREATH_S)
        await forget_import(client, keys, name)
    except (OpsmonError, *STORE_ERRORS) as error:
        why = str(error) if isinstance(error, OpsmonError) else (
            f"the store at {without_password(store_url(settings))} did not confirm: {error}. Is opsmon running with "
            "this --data or --store, and is there room in the store?")
        raise OpsmonError(f"{why} {how_far(outcomes.total(), len(events))}") from None
    finally:
        await client.aclose()
    return outcomes


def how_far(done: int, total: int) -> str:
    """What to say of an import that ended early."""
    return (f"{done:,} of {total:,} events are stored; the same command again goes on from there, and counts nothing "
            "twice")


def name_of(events: Sequence[Event]) -> str:
    """What an import is known by: the same for the same files, whenever they are read."""
    digest = blake2b(digest_size=16)
    for event in events:
        # The ids of some hold when they were read; what tells their versions apart does not.
        told = f"{event.key}:{event.version[2]}" if event.version is not None else event.id
        digest.update(f"{told}\n".encode())
    return digest.hexdigest()


class _Room:
    """Whether the stream has room for more, asked again and again until it has."""

    def __init__(self, reader: Reader, keys: Keys, settings: Settings, clock: Clock) -> None:
        self._reader, self._keys, self._clock = reader, keys, clock
        self._most_bytes = settings.stream_memory_bytes + settings.stream_memory_bytes // 4
        self._since_s, self._least = 0.0, (0, 0)

    async def lacks(self, stream_bytes: int) -> str:
        """What there is too much of; '' when there is room. Raises OpsmonError when it gets no better."""
        found = await backlog(self._reader, self._keys)
        waiting = found.unread + found.pending
        if waiting <= MOST_WAITING and stream_bytes <= self._most_bytes:
            self._since_s = 0.0
            return ""
        if not await self._is_worked():
            raise OpsmonError(f"{waiting:,} events wait in the stream and no worker counts them: start `opsmon up` or "
                              "`opsmon worker`.")
        if not self._since_s or waiting < self._least[0] or stream_bytes < self._least[1]:
            self._since_s, self._least = time.monotonic(), (waiting, stream_bytes)
        elif time.monotonic() - self._since_s > PATIENCE_S:
            raise OpsmonError(f"{waiting:,} events wait in the stream ({stream_bytes // 1024**2} MB), and it gets no "
                              "less: `opsmon status` says why.")
        return f"{waiting:,} wait to be counted"

    async def _is_worked(self) -> bool:
        notes = await workers(self._reader, self._keys)
        return any(self._clock.now_ms() - note.seen_ms < WORKER_GONE_MS for note in notes.values())


def _chunks(events: Iterable[Event], clock: Clock) -> Iterator[list[Taken]]:
    chunk: list[Taken] = []
    size = 0
    for event in events:
        payload = encode(event._replace(arrived_ms=clock.now_ms()))
        if chunk and (len(chunk) == CHUNK or size + len(payload) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(Taken("event", SOURCE, event.id, payload, checksum(payload)))
        size += len(payload)
    if chunk:
        yield chunk
