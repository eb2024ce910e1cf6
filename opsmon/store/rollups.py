"""Panes and entity states: what a worker reads before it folds, and the commit of what it folded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from opsmon.core.folding import STATE_KEPT_MS, Fold, State, from_plain, plain
from opsmon.core.kpis import kpis_of
from opsmon.store.event_stream import GROUP, Entry
from opsmon.store.keys import Keys
from opsmon.store.scripts import Commit, Refusal, Scripts

# An update may arrive this much after its order's event time is out of date by the worker's clock.
_STATE_LIFE_MS = STATE_KEPT_MS + 86_400_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry given up: why, and after how many tries."""

    entry: Entry
    reason: str
    tries: int


class Rollups:
    """One site's panes and states, in one generation of its calendar; negative while it is recounted."""

    def __init__(self, client: Redis, keys: Keys, scripts: Scripts, generation: int) -> None:
        self._client = client
        self._keys = keys
        self._scripts = scripts
        self.generation = generation

    async def states(self, entities: Iterable[str]) -> dict[str, bytes]:
        """The stored bytes of entities' states; entities nobody has heard of are left out."""
        names = list(dict.fromkeys(entities))
        if not names:
            return {}
        found = await self._client.mget([self._keys.state(name) for name in names])
        return {name: value for name, value in zip(names, found, strict=True) if isinstance(value, bytes)}

    async def commit(
        self, fold: Fold, believed: dict[str, bytes], entries: Sequence[Entry], now_ms: int, arrived_ms: int
    ) -> Refusal:
        """Count a fold and acknowledge its entries in one step, or do nothing and say why."""
        return await self._scripts.commit(Commit(
            group=GROUP,
            now_ms=now_ms,
            generation=self.generation,
            kpis=kpis_of(fold.rollups),
            arrived_ms=arrived_ms,
            since_ms=fold.since_ms,
            entry_ids=[entry.id for entry in entries],
            states=[(self._keys.state(name), believed.get(name, b""), encode_state(state), _STATE_LIFE_MS)
                    for name, state in fold.states.items()],
            hashes=self._hashes(fold),
        ))

    async def give_up(self, letter: DeadLetter, counter: str, now_ms: int) -> Refusal:
        """Move an entry to the dead letters and acknowledge it, in one step."""
        return await self._scripts.commit(Commit(
            group=GROUP, now_ms=now_ms, generation=self.generation, kpis=(), arrived_ms=now_ms, since_ms=None,
            entry_ids=[letter.entry.id],
            hashes=[(self._keys.counts, 0, {counter: 1})],
            dead=[("stream", letter.entry.payload, letter.reason, letter.tries)],
        ))

    async def note_currency(self, fold: Fold) -> bool:
        """Remember the currency of the first money counted; True once one is known."""
        names = (name for panes, fields in fold.increments.items() if panes.rollup == "revenue" for name in fields)
        currency = next((name.rpartition("s:")[2] for name in names if "s:" in name), None)
        if currency is None:
            return False
        try:
            await self._client.hsetnx(self._keys.meta, "currency", currency)
        except OutOfMemoryError:
            return False
        return True

    def _hashes(self, fold: Fold) -> list[tuple[str, int, dict[str, int]]]:
        hashes = [(self._keys.panes(abs(self.generation), pane_hash), fold.expires_ms[pane_hash] or 0, fields)
                  for pane_hash, fields in fold.increments.items()]
        return [*hashes, (self._keys.counts, 0, fold.counters)] if fold.counters else hashes


def encode_state(state: State) -> bytes:
    """A state as stored. Equal states encode to equal bytes: the commit compares them."""
    return orjson.dumps(plain(state))


def decode_state(stored: bytes) -> State:
    """The state these bytes encode. Raises ValueError or TypeError for others."""
    return from_plain(orjson.loads(stored))
