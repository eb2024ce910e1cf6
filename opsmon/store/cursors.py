"""How far pollers have come, and what they say of their last round."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from redis.asyncio import Redis

from opsmon.core.states import EntityState
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys
from opsmon.store.rollups import decode_state

_LIVES_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class PollNote:
    """A poller's last round, at `polled_ms`: what it found, how much of it was new, what went wrong ('': nothing);
    and when it asks again. Epoch ms."""

    polled_ms: int
    next_ms: int
    found: int
    new: int
    error: str


async def read_cursor(client: Redis, keys: Keys, name: str) -> str:
    """Where a poller goes on; '' when it never finished a round."""
    found: Any = await client.hget(keys.cursors, name)
    return found.decode() if found else ""


async def write_cursor(client: Redis, keys: Keys, name: str, cursor: str) -> None:
    """Remember where a poller goes on. May be repeated."""
    await client.hset(keys.cursors, name, cursor)


async def known_entities(reader: Reader, keys: Keys, names: Sequence[str]) -> dict[str, EntityState]:
    """What is remembered of entities, of those of which anything is."""
    found = await reader.many([Read("get", (keys.entity(name),)) for name in names]) if names else []
    states = {name: decode_state(stored) for name, stored in zip(names, found, strict=True) if stored}
    return {name: state for name, state in states.items() if isinstance(state, EntityState)}


async def count_new(client: Redis, keys: Keys, counter: str, count: int) -> None:
    """Add to a running total of the site. Not to be repeated."""
    if count:
        await client.hincrby(keys.counts, counter, count)


async def note_poll(client: Redis, keys: Keys, name: str, note: PollNote) -> None:
    """Say what a round came to. May be repeated."""
    pipe = client.pipeline(transaction=False)
    pipe.hset(keys.note(f"poll:{name}"), mapping={field: str(value) for field, value in asdict(note).items()})
    pipe.pexpire(keys.note(f"poll:{name}"), _LIVES_MS)
    await pipe.execute()


async def read_poll(reader: Reader, keys: Keys, name: str) -> PollNote | None:
    """What a poller's last round came to; None when it has not polled within 30 days."""
    found = await reader.hash(keys.note(f"poll:{name}"))
    if not found:
        return None
    told = {field.decode(): value.decode() for field, value in found.items()}
    return PollNote(int(told["polled_ms"]), int(told["next_ms"]), int(told["found"]), int(told["new"]), told["error"])
