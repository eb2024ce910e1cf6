"""What processes tell each other: which workers live, how far a fill-in has come."""

from contextlib import suppress
from dataclasses import asdict, dataclass

import orjson
from redis.asyncio import Redis

from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.keys import Keys
from opsmon.store.spool import SpoolState

_LIVES_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class WorkerNote:
    """A worker was alive at `seen_ms`, had counted what arrived by `arrived_ms`, and has this trouble."""

    seen_ms: int
    arrived_ms: int
    trouble: str


@dataclass(frozen=True, slots=True)
class ProgressNote:
    """Something that fills in: what it is, and how much is done, 0 to 1."""

    text: str
    fraction: float


@dataclass(frozen=True, slots=True)
class Footprint:
    """What keys of one kind cost: how many there are, and their size in bytes, estimated from some of them."""

    kind: str
    keys: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryNote:
    """What the store's memory was spent on at an instant, largest first, and which dimensions are full."""

    measured_ms: int
    footprints: list[Footprint]
    full: list[str]


async def note_memory(client: Redis, keys: Keys, note: MemoryNote) -> None:
    """Say what the memory is spent on. May be repeated."""
    await _write(client, keys.note("memory"), "now", orjson.dumps(asdict(note)))


async def read_memory(reader: Reader, keys: Keys) -> MemoryNote | None:
    """What the memory was spent on when it was last measured; None when it never was."""
    found = (await reader.hash(keys.note("memory"))).get(b"now")
    if not found:
        return None
    told = orjson.loads(found)
    return MemoryNote(told["measured_ms"], [Footprint(**one) for one in told["footprints"]], told["full"])


async def note_worker(client: Redis, keys: Keys, name: str, note: WorkerNote) -> None:
    """Say that a worker lives. May be repeated."""
    await _write(client, keys.note("workers"), name, orjson.dumps(asdict(note)))


async def note_progress(client: Redis, keys: Keys, note: ProgressNote) -> None:
    """Say how far a fill-in has come. May be repeated; a fraction of 1 ends it."""
    await _write(client, keys.note("progress"), "now", orjson.dumps(asdict(note)))


async def read_workers(reader: Reader, keys: Keys) -> dict[str, WorkerNote]:
    """Every worker that was heard within a day."""
    found = await reader.hash(keys.note("workers"))
    return {name.decode(): WorkerNote(**orjson.loads(note)) for name, note in found.items()}


async def read_progress(reader: Reader, keys: Keys) -> ProgressNote | None:
    """How far a fill-in has come; None when there is none or it is done."""
    found = (await reader.hash(keys.note("progress"))).get(b"now")
    note = ProgressNote(**orjson.loads(found)) if found else None
    return note if note and note.fraction < 1 else None


async def note_spool(client: Redis, keys: Keys, process: str, state: SpoolState) -> None:
    """Say what waited on a process's disk and was brought. May be repeated. Raises nothing: it is only word."""
    with suppress(*STORE_ERRORS):
        await _write(client, keys.note("spool"), process, orjson.dumps(asdict(state)))


async def read_spools(reader: Reader, keys: Keys) -> dict[str, SpoolState]:
    """What each process last said of its disk, of those that had anything to say within a day."""
    found = await reader.hash(keys.note("spool"))
    return {name.decode(): SpoolState(**orjson.loads(note)) for name, note in found.items()}


async def _write(client: Redis, key: str, field: str, value: bytes) -> None:
    pipe = client.pipeline(transaction=False)
    pipe.hset(key, field, value.decode())
    pipe.pexpire(key, _LIVES_MS)
    await pipe.execute()
