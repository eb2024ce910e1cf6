"""verify: what is counted beside what is remembered and retained, counted again. Reads only.

The recount is kept up with live traffic, and every comparison reads the panes and the position of the
group in one transaction: a difference is a difference, not a race.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from opsmon.core.catalogue import Rollup
from opsmon.core.errors import OpsmonError
from opsmon.core.folding import Fold, Rules, join_of, kept
from opsmon.core.measures import JOINS, STORAGE
from opsmon.core.panes import OTHER, Hash
from opsmon.core.recounting import Recount
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys
from opsmon.store.meta import read_meta
from opsmon.workers.carry_over import start_of
from opsmon.workers.shadow import Busy, Shadow, oldest_ms

_HASHES_AT_ONCE = 200
# A HyperLogLog is off by 0.81 % as a rule; six times that never.
_UNIQUE_ERROR = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that is not what a recount gives."""

    rollup: str
    level: str
    span: str
    field: str
    counted: str
    recounted: str


@dataclass(slots=True)
class Report:
    """What was compared: how many numbers of how many rollups, from which events on, and what differs."""

    numbers: int = 0
    rollups: int = 0
    covers_ms: int | None = None
    differences: list[Difference] = field(default_factory=list)


class Memory:
    """A recount in memory: the same shapes as the store holds."""

    def __init__(self) -> None:
        self.hashes: dict[Hash, dict[str, Any]] = {}
        self.seen: dict[Hash, set[str]] = {}
        self.scores: dict[Hash, dict[str, Any]] = {}
        self.open: dict[str, dict[str, Any]] = {}

    async def take(self, fold: Fold) -> None:
        """Apply a fold, as the commit script does."""
        for part, into in ((fold.increments, self.hashes), (fold.scores, self.scores)):
            for found, fields in part.items():
                _add(into.setdefault(found, {}), fields)
        for found, joins in fold.joins.items():
            stored = self.hashes.setdefault(found, {})
            for name, new in joins.items():
                stored[name] = JOINS[join_of(name)](stored.get(name, new), new)
        for found, members in fold.seen.items():
            self.seen.setdefault(found, set()).update(members)
        for rollup, marks in fold.open.items():
            held = self.open.setdefault(rollup, {})
            for name, time_ms in marks.items():
                held.pop(name, None)
                if time_ms is not None:
                    held[name] = time_ms


async def verify(client: Redis, keys: Keys, rules: Rules, now_ms: int) -> Report:
    """Count again and compare. Raises Busy, or OpsmonError when the site counts by other rules."""
    meta = await read_meta(Reader(client), keys)
    if meta.rules != rules.name:
        raise OpsmonError(f"This site counts by {meta.rules or 'no rules yet'}, these settings say {rules.name}: "
                          "start a worker with them first.")
    before = await _erased(client, keys)
    recount = Recount(rules, now_ms, await oldest_ms(client, keys), frozenset())
    report = await _Comparing(client, keys, recount, meta.generation).run()
    if before is None or await _erased(client, keys) != before:
        raise Busy("Somebody's data were erased meanwhile: try again in a minute.")
    return report


async def _erased(client: Redis, keys: Keys) -> bytes | None:
    """How often something was erased; None while it is being erased."""
    pipe = client.pipeline(transaction=True)
    pipe.get(keys.note("recount"))
    pipe.hget(keys.meta, "erased")
    turn, times = await pipe.execute()
    return None if turn == b"erasing" else times or b"0"


class _Comparing:
    def __init__(self, client: Redis, keys: Keys, recount: Recount, generation: int) -> None:
        self._client, self._keys, self._recount, self._generation = client, keys, recount, generation
        self._memory = Memory()
        self._report = Report(covers_ms=recount.oldest_ms)

    async def run(self) -> Report:
        self._shadow = Shadow(self._client, self._keys, self._recount, await self._rows(), self._memory.take)
        await self._shadow.begin(_quietly)
        rollups = self._recount.rules.catalogue.rollups
        self._report.rollups = len(rollups)
        for kind, storages in (("pane", ("sums", "joins")), ("unique", ("unique",)), ("top", ("scores",))):
            names = {rollup.id for rollup in rollups if STORAGE[rollup.measure] in storages}
            for found in _parts(await self._hashes(kind, names), _HASHES_AT_ONCE):
                await self._compare(kind, found)
        await self._compare_open([rollup for rollup in rollups if rollup.measure in ("open", "sessions")])
        return self._report

    async def _compare(self, kind: str, hashes: Sequence[Hash]) -> None:
        keys = [self._keys.panes(self._generation, found, kind) for found in hashes]
        for found, stored in zip(hashes, await self._shadow.keep_up([_READS[kind](key) for key in keys]), strict=True):
            rollup = self._recount.rules.catalogue.rollup(found.rollup)
            if kind == "unique":
                self._compare_unique(found, int(stored), rollup)
            elif kind == "top":
                self._compare_scores(found, {name.decode(): int(score) for name, score in stored}, rollup)
            else:
                self._compare_fields(found, {name.decode(): value.decode() for name, value in stored.items()}, rollup)

    def _compare_fields(self, found: Hash, stored: dict[str, str], rollup: Rollup) -> None:
        expected = {name: f"{value[0]}:{value[1]}" if isinstance(value, tuple) else str(value)
                    for name, value in self._memory.hashes.get(found, {}).items() if value != 0}
        for name in sorted(stored.keys() | expected.keys()):
            if self._is_recounted(found, name, rollup):
                self._note(found, name, stored.get(name, "0"), expected.get(name, "0"))

    def _compare_unique(self, found: Hash, stored: int, rollup: Rollup) -> None:
        expected = len(self._memory.seen.get(found, ()))
        if self._is_recounted(found, "", rollup):
            is_near = abs(stored - expected) <= max(_UNIQUE_ERROR * expected, 3)
            self._note(found, "estimate", str(expected if is_near else stored), str(expected))

    def _compare_scores(self, found: Hash, stored: dict[str, int], rollup: Rollup) -> None:
        if not self._is_recounted(found, "", rollup):
            return
        expected = {name: amount for name, amount in self._memory.scores.get(found, {}).items() if amount}
        if OTHER in stored or len(expected) > rollup.cap:
            # Which members are told apart depends on who came first; their sum does not.
            self._note(found, "total", str(sum(stored.values())), str(sum(expected.values())))
            return
        for name in sorted(stored.keys() | expected.keys()):
            self._note(found, name, str(stored.get(name, 0)), str(expected.get(name, 0)))

    async def _compare_open(self, rollups: Sequence[Rollup]) -> None:
        found = await self._shadow.keep_up(
            [_READS["top"](self._keys.open(self._generation, rollup.id)) for rollup in rollups])
        for rollup, members in zip(rollups, found, strict=True):
            stored = {name.decode(): int(score) for name, score in members}
            expected = self._memory.open.get(rollup.id, {})
            for name in sorted(stored.keys() | expected.keys()):
                # A visit that has ended is forgotten some time later.
                if rollup.measure == "open" or expected.get(name, 0) > self._recount.now_ms:
                    place = Hash(rollup.id, "n", "")
                    self._note(place, name, str(stored.get(name, 0)), str(expected.get(name, 0)))

    def _is_recounted(self, found: Hash, name: str, rollup: Rollup) -> bool:
        if found.level == "n":
            return self._recount.wants(rollup, "n", 0)
        has_field = found.level == "m" or not rollup.is_whole
        start_ms = start_of(found, name.partition(".")[0] if has_field else "", rollup, self._recount.rules.calendar)
        place = self._recount.rules.calendar.place(start_ms)
        pane = next(pane for pane in place if pane.level == found.level)
        kept_ms = kept(rollup, pane.level, self._recount.rules.retention)
        is_kept = kept_ms is None or pane.end_ms + kept_ms > self._recount.now_ms
        return is_kept and self._recount.wants(rollup, found.level, start_ms)

    def _note(self, found: Hash, name: str, counted: str, recounted: str) -> None:
        self._report.numbers += 1
        if counted != recounted:
            self._report.differences.append(Difference(*found, name, counted, recounted))

    async def _rows(self) -> dict[tuple[str, str], set[str]]:
        start = f"{self._keys.tag}:rows:{self._generation}:"
        rows = {}
        async for key in self._client.scan_iter(match=start + "*", count=1000):
            rollup, _, span = key.decode().removeprefix(start).partition(":")
            members: Any = await self._client.smembers(key)
            rows[rollup, span] = {row.decode() for row in members}
        return rows

    async def _hashes(self, kind: str, rollups: set[str]) -> list[Hash]:
        start = f"{self._keys.tag}:{kind}:{self._generation}:"
        names = [name.decode().removeprefix(start).split(":", 2)
                 async for name in self._client.scan_iter(match=start + "*", count=1000)]
        stored = [Hash(rollup, level, span) for rollup, level, span in names]
        counted: dict[str, Iterable[Hash]] = {
            "pane": self._memory.hashes, "unique": self._memory.seen, "top": self._memory.scores}
        return sorted(found for found in {*stored, *counted[kind]} if found.rollup in rollups)


_READS: dict[str, Callable[[str], Read]] = {
    "pane": lambda key: Read("hgetall", (key,)),
    "unique": lambda key: Read("pfcount", (key,)),
    "top": lambda key: Read("zrevrange", (key, 0, -1), {"withscores": True}),
}


async def _quietly(share: float) -> None:
    """Nobody waits for a bar here."""


def _add(totals: dict[str, Any], fields: dict[str, int]) -> None:
    for name, amount in fields.items():
        totals[name] = totals.get(name, 0) + amount


def _parts(hashes: Sequence[Hash], size: int) -> Iterable[Sequence[Hash]]:
    return (hashes[at : at + size] for at in range(0, len(hashes), size))
