"""What processes tell each other of a source: refusals in a row, the outcome of a test, polls, spools, stops."""

from dataclasses import asdict
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.core.source_health import ROW_KEPT_MS, Poll, Row, Trial
from opsmon.store.keys import Keys

_TRIAL_LIVES_MS = 60_000


async def row_since(client: Redis, keys: Keys, source: str, taken_ms: int) -> int:
    """How many of a source were refused since the delivery taken at `taken_ms`; 0: none before."""
    found = await client.hmget(keys.note(f"row:{source}"), ["since", "count"])
    return int(found[1]) if found[0] is not None and int(found[0]) == taken_ms and found[1] else 0


async def note_row(client: Redis, keys: Keys, source: str, row: Row, taken_ms: int) -> None:
    """Note the refusals since `taken_ms`; for a day. May be repeated."""
    fields = {"count": row.count, "last_ms": row.last_ms, "reason": row.reason, "since": taken_ms}
    await _write(client, keys.note(f"row:{source}"), fields, ROW_KEPT_MS)


async def note_trial(client: Redis, keys: Keys, source: str, trial: Trial) -> None:
    """Note what became of a test event; for a minute. May be repeated."""
    await _write(client, keys.note(f"trial:{source}"), {"now": orjson.dumps(asdict(trial)).decode()}, _TRIAL_LIVES_MS)


def read_row(found: dict[bytes, bytes]) -> Row | None:
    """Refusals in a row, from their note."""
    if b"count" not in found:
        return None
    return Row(int(found[b"count"]), int(found[b"last_ms"]), found.get(b"reason", b"").decode())


def read_trial(found: dict[bytes, bytes]) -> Trial | None:
    """What became of a test event, from its note."""
    return Trial(**orjson.loads(found[b"now"])) if found.get(b"now") else None


def read_poll(found: dict[bytes, bytes]) -> Poll | None:
    """What a poller noted; fields that are missing or odd say nothing."""
    if not found:
        return None
    polled_ms = _whole(found, b"polled_ms") or _whole(found, b"last_ms")
    return Poll(polled_ms, _whole(found, b"next_ms"), _whole(found, b"found") or 0, _whole(found, b"new") or 0,
                found.get(b"error", b"").decode("utf-8", "replace"))


def _whole(found: dict[bytes, bytes], name: bytes) -> int | None:
    text = found.get(name, b"")
    return int(text) if text.isdigit() else None


async def _write(client: Redis, key: str, fields: dict[Any, Any], lives_ms: int) -> None:
    pipe = client.pipeline(transaction=False)
    pipe.hset(key, mapping=fields)
    pipe.pexpire(key, lives_ms)
    await pipe.execute()
