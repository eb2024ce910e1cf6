"""Panes and states: what a worker reads before it folds, and the commit of what it folded."""

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from opsmon.core.calendar import DAY_MS
from opsmon.core.corrections import KEPT_MS, MOST
from opsmon.core.events import Event
from opsmon.core.folding import Fold, Rules, join_of
from opsmon.core.panes import OTHER, Hash
from opsmon.core.privacy import KINDS, request_of
from opsmon.core.shops import Shop, shop_of
from opsmon.core.states import SessionState, State, from_plain, plain
from opsmon.store.event_stream import GROUP, Entry
from opsmon.store.keys import Keys
from opsmon.store.meta import SHOP
from opsmon.store.privacy import encode_request
from opsmon.store.scripts import Commit, Refusal, Scripts, Section


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry given up: why, and after how many tries."""

    entry: Entry
    reason: str
    tries: int


class Rollups:
    """One site's panes and states, in one generation; negative while it is counted anew.

    What is committed came from `stream`, or from the site's events.
    """

    def __init__(self, client: Redis, keys: Keys, scripts: Scripts, generation: int, rules: Rules,
                 stream: str | None = None) -> None:
        self._client, self._keys, self._scripts, self._rules = client, keys, scripts, rules
        self._stream = stream
        self.generation = generation

    async def states(self, entities: Iterable[str]) -> dict[str, bytes]:
        """The stored bytes of entities' states; entities nobody has heard of are left out."""
        names = list(dict.fromkeys(entities))
        if not names:
            return {}
        found = await self._client.mget([self._keys.entity(name) for name in names])
        return {name: value for name, value in zip(names, found, strict=True) if isinstance(value, bytes)}

    async def rows(self, rollup: str, span: str) -> set[str]:
        """The rows that a dimension tells apart."""
        found: Any = await self._client.smembers(self._keys.rows(abs(self.generation), rollup, span))
        return {row.decode() for row in found}

    async def commit(
        self, fold: Fold, believed: dict[str, bytes], entries: Sequence[Entry], now_ms: int, arrived_ms: int
    ) -> Refusal:
        """Count a fold and acknowledge its entries in one step, or do nothing and say why."""
        await self.note_shops(entries)
        return await self._scripts.commit(self.described(fold, believed, entries, now_ms, arrived_ms))

    def described(self, fold: Fold, believed: dict[str, bytes], entries: Sequence[Entry], now_ms: int,
                  arrived_ms: int) -> Commit:
        """A fold in the terms of the commit script."""
        return Commit(
            group=GROUP,
            now_ms=now_ms,
            generation=self.generation,
            kpis=self._rules.catalogue.kpis_of(fold.rollups),
            arrived_ms=arrived_ms,
            since_ms=fold.since_ms,
            entry_ids=[entry.id for entry in entries],
            states=self._states(fold, believed),
            sums=self._sums(fold),
            joins=[(self._key(found), _joins(fields, fold.expires_ms[found] or 0))
                   for found, fields in fold.joins.items()],
            unique=[(self._key(found, "unique"), (fold.expires_ms[found] or 0, list(members)))
                    for found, members in fold.seen.items()],
            scores=[(self._key(found, "top"), (fold.expires_ms[found] or 0, list(members), list(members.values()),
                                               self._cap(found.rollup), OTHER))
                    for found, members in fold.scores.items()],
            open=[(self._keys.open(abs(self.generation), rollup),
                   (list(marks), ["" if time_ms is None else time_ms for time_ms in marks.values()]))
                  for rollup, marks in fold.open.items()],
            rows=[(self._keys.rows(abs(self.generation), *place), (list(rows), self._cap(place[0])))
                  for place, rows in fold.admitted.items()],
            corrected=[(self._keys.corrected(rollup), (now_ms, KEPT_MS, MOST, starts))
                       for rollup, starts in fold.corrected.items()],
            stream=self._stream,
            asked=_asked(entries),
        )

    async def give_up(self, letter: DeadLetter, counter: str, now_ms: int) -> Refusal:
        """Move an entry to the dead letters and acknowledge it, in one step."""
        return await self._scripts.commit(Commit(
            group=GROUP, now_ms=now_ms, generation=self.generation, kpis=(), arrived_ms=now_ms, since_ms=None,
            entry_ids=[letter.entry.id],
            sums=[(self._keys.counts, (0, [counter, "stream:held", "stream:held_bytes"],
                                       [1, 1, len(letter.entry.payload)]))],
            dead=[("stream", letter.entry.payload, letter.reason, letter.tries)], stream=self._stream,
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

    async def note_shops(self, entries: Sequence[Entry]) -> None:
        """Remember what shops say of themselves, if it is news. May be repeated, and comes before the commit."""
        said = [entry.event for entry in entries
                if isinstance(entry.event, Event) and entry.event.type == "shop.updated"]
        for shop in map(shop_of, said):
            field = f"{SHOP}{shop.name}"
            stored = await self._client.hget(self._keys.meta, field)
            if stored is None or Shop(*orjson.loads(stored)) < shop:
                with suppress(OutOfMemoryError):  # counting, which makes room, goes on
                    await self._client.hset(self._keys.meta, field, orjson.dumps([*shop]).decode())

    def place_of_rows(self, key: str) -> tuple[str, str]:
        """The dimension that a key of rows belongs to: rollup and span."""
        rollup, _, span = key.rpartition(":")
        return rollup.rpartition(":")[2], span

    def _key(self, found: Hash, kind: str = "pane") -> str:
        return self._keys.panes(abs(self.generation), found, kind)

    def _cap(self, rollup: str) -> int:
        return self._rules.catalogue.rollup(rollup).cap

    def _states(self, fold: Fold, believed: dict[str, bytes]) -> list[tuple[str, bytes, bytes, int]]:
        # An update may arrive when its order's event time is out of date by the worker's clock.
        retention = self._rules.retention
        return [(self._keys.entity(name), believed.get(name, b""), encode_state(state),
                 DAY_MS + (retention.minutes_ms if isinstance(state, SessionState) else retention.entities_ms))
                for name, state in fold.states.items()]

    def _sums(self, fold: Fold) -> list[Section]:
        sums: list[Section] = [
            (self._key(found), (fold.expires_ms[found] or 0, list(fields), list(fields.values())))
            for found, fields in fold.increments.items()
        ]
        if fold.counters:
            sums.append((self._keys.counts, (0, list(fold.counters), list(fold.counters.values()))))
        return sums


def _asked(entries: Sequence[Entry]) -> list[tuple[str, bytes]]:
    """The requests for privacy among entries: kept in the step that counts them, so that none is lost."""
    found = [request_of(entry.event, secrets.token_hex(16)) for entry in entries
             if isinstance(entry.event, Event) and entry.event.type in KINDS]
    return [(request.id, encode_request(request)) for request in found if request]


def encode_state(state: State) -> bytes:
    """A state as stored. Equal states encode to equal bytes: the commit compares them."""
    return orjson.dumps(plain(state))


def decode_state(stored: bytes) -> State:
    """The state these bytes encode. Raises ValueError or TypeError for others."""
    return from_plain(orjson.loads(stored))


def _joins(fields: dict[str, tuple[int, int]], expires_ms: int) -> Sequence[Any]:
    operators = ["min" if join_of(name) == "min" else "max" for name in fields]
    return (expires_ms, list(fields), operators, [first for first, _ in fields.values()],
            [second for _, second in fields.values()])
