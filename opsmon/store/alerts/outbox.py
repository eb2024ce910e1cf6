"""Commands: the outbox. What is to be delivered waits in a stream until it was, or until it is given up.

A notice leaves the stream in the same transaction that writes what became of it: a process that dies in between sends
it once more, with the same key (HARDENING F32).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from opsmon.core.alerting.messages import Queued
from opsmon.store.alerts.telling_queries import Attempt, Standing, read_queued, texts
from opsmon.store.alerts.whys import keep_why
from opsmon.store.keys import Keys

GROUP, CONSUMER = "notifier", "notifier"
MOST_DELIVERIES, MOST_DEAD, MOST_NOTICES = 10_000, 1_000, 10_000
TOLD_MS = 7 * 86_400_000
_DIGEST_KEPT_MS = 2 * 86_400_000
_AT_ONCE = 500


class Outbox:
    """The outbox of one site, for the one process that has the turn to empty it."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def open(self) -> None:
        """Make the group that reads it. May be repeated."""
        try:
            await self._client.xgroup_create(self._keys.notices, GROUP, "0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def begun(self) -> list[Queued]:
        """What was taken before and not settled: by whoever had the turn last."""
        found: list[Queued] = []
        after = "0"
        while entries := await self._read(after, None):
            after = entries[-1][0].decode()
            found += await self._queued(entries)
        return found

    async def take(self, wait_ms: int) -> list[Queued]:
        """What is new; waits up to `wait_ms` for the first."""
        return await self._queued(await self._read(">", wait_ms))

    async def bundles(self) -> dict[str, str]:
        """Of notices that were begun to be sent the key of their message, by entry."""
        found: Any = await self._client.hgetall(self._keys.bundles)
        return {entry.decode(): key.decode() for entry, key in found.items()}

    async def begin(self, key: str, entries: Sequence[str]) -> None:
        """Note that these go as one message: if this process dies, the next one sends the same again. May be repeated.
        """
        await self._client.hset(self._keys.bundles, mapping=dict.fromkeys(entries, key))

    async def told(self, keys: Sequence[str]) -> set[str]:
        """Which of these keys, of notices or of runs and receivers, were delivered."""
        found: Any = await self._client.mget([self._keys.told(key) for key in keys]) if keys else []
        return {key for key, value in zip(keys, found, strict=True) if value is not None}

    async def settle(self, entries: Sequence[str], marks: Iterable[str], attempts: Iterable[Attempt],
                     standing: Mapping[str, Standing] | None = None, dead: Iterable[Mapping[str, str]] = ()) -> None:
        """Take notices away and write what became of them, all or nothing. `marks` are keys that were delivered."""
        pipe = self._client.pipeline(transaction=True)
        for mark in marks:
            pipe.set(self._keys.told(mark), b"1", nx=True, px=TOLD_MS)
        self._note(pipe, attempts, standing or {})
        for letter in dead:
            entry: Any = {**letter, "why": keep_why(letter.get("why", ""))}
            pipe.xadd(self._keys.notices_dead, entry, maxlen=MOST_DEAD, approximate=True)
        if entries:
            pipe.xack(self._keys.notices, GROUP, *entries)
            pipe.xdel(self._keys.notices, *entries)
            pipe.hdel(self._keys.bundles, *entries)
        await pipe.execute()

    async def note(self, attempts: Iterable[Attempt], standing: Mapping[str, Standing]) -> None:
        """Write down tries that failed; what they were about stays."""
        pipe = self._client.pipeline(transaction=True)
        self._note(pipe, attempts, standing)
        await pipe.execute()

    def _note(self, pipe: Any, attempts: Iterable[Attempt], standing: Mapping[str, Standing]) -> None:
        for one in attempts:
            told = {"at": one.at_ms, "receiver": one.receiver, "word": one.word, "rule": one.rule,
                    "outcome": one.outcome, "why": keep_why(one.why)}
            pipe.xadd(self._keys.deliveries, told, maxlen=MOST_DELIVERIES, approximate=True)
        for receiver, state in standing.items():
            pipe.hset(self._keys.standing, receiver, orjson.dumps({**asdict(state), "why": keep_why(state.why)}))

    async def _read(self, after: str, wait_ms: int | None) -> list[Any]:
        # A block of 0 would wait for ever.
        found: Any = await self._client.xreadgroup(GROUP, CONSUMER, {self._keys.notices: after}, count=_AT_ONCE,
                                                   block=wait_ms or None)
        streams = list(found.values()) if isinstance(found, dict) else [pair[1] for pair in found or []]
        entries = streams[0] if streams else []
        return list(entries[0] if isinstance(found, dict) and entries else entries)

    async def _queued(self, entries: Sequence[Any]) -> list[Queued]:
        """Entries as notices. What is none, or was trimmed, is taken away: nobody could ever send it."""
        found, broken = [], []
        for entry_id, entry in entries:
            try:
                found.append(read_queued(entry_id.decode(), texts(entry or {})))
            except (KeyError, ValueError):
                broken.append(entry_id.decode())
        if broken:
            await self.settle(broken, (), ())
        return found


class Postbox:
    """Where what no alert made is put into the outbox: tests, digests, and what was given up."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def queue(self, told: Mapping[str, str]) -> None:
        """Put a notice in. Of one key only the first is delivered."""
        entry: Any = dict(told)
        await self._client.xadd(self._keys.notices, entry, maxlen=MOST_NOTICES, approximate=True)

    async def queue_digest(self, word: str, day: str, receivers: Iterable[str], now_ms: int) -> None:
        """Put in the digest of a day for each, and note that it is. Twice at once each is delivered once."""
        for receiver in receivers:
            await self.queue({"key": f"{word}-{day}-{receiver}", "word": word, "receiver": receiver, "at": str(now_ms)})
        await self._client.set(self._keys.told(f"{word}-{day}"), b"1", px=_DIGEST_KEPT_MS)

    async def has_digest(self, word: str, day: str) -> bool:
        """Whether the digest of a day was put in."""
        return bool(await self._client.exists(self._keys.told(f"{word}-{day}")))

    async def replay(self, entry_id: str, told: Mapping[str, str], now_ms: int) -> None:
        """Put in again what was given up. Twice at once it is delivered once: its key is the same."""
        pipe = self._client.pipeline(transaction=True)
        entry: Any = {**told, "at": str(now_ms)}
        pipe.xadd(self._keys.notices, entry, maxlen=MOST_NOTICES, approximate=True)
        pipe.xdel(self._keys.notices_dead, entry_id)
        await pipe.execute()

    async def discard(self, entry_id: str) -> None:
        """Forget what was given up. May be repeated."""
        await self._client.xdel(self._keys.notices_dead, entry_id)
