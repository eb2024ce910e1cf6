"""A second count beside the one that counts: of all that is remembered and retained, kept up with live traffic.

What it finds goes, fold by fold, wherever its owner wants: into another generation, or into memory to be
compared. It writes nothing itself.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from opsmon.core.errors import OpsmonError
from opsmon.core.events import Event
from opsmon.core.folding import Fold, hear
from opsmon.core.recounting import Recount, groups_of
from opsmon.core.states import State
from opsmon.store.connection import Read
from opsmon.store.event_stream import GROUP, decode_entry
from opsmon.store.keys import Keys
from opsmon.store.rollups import decode_state

AT_ONCE = 500
MAX_WRITES = 2_000
_NEVER_MS = 2**62
_MOST_PENDING = 1_000_000
_MOST_LOOKS = 1_000
# What folding raises for data it cannot use: such an event was never counted.
BAD_DATA = (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError)

Rows = dict[tuple[str, str], set[str]]


class Busy(OpsmonError):
    """So much is being counted that no two looks saw the same. Nothing is known to be wrong: try again later."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far the group is in a stream: the last entry delivered, and those delivered that nobody has counted."""

    delivered: str
    pending: frozenset[str]


# By stream.
Positions = dict[str, Position]
BEGINNING = Position("0-0", frozenset())


class Shadow:
    """One recount. `begin` once, then `keep_up` until it is needed no more; `sink` takes the folds."""

    def __init__(self, client: Redis, keys: Keys, recount: Recount, rows: Rows,
                 sink: Callable[[Fold], Awaitable[None]]) -> None:
        self._client, self._keys, self._recount, self._sink = client, keys, recount, sink
        self._seen: dict[str, bytes] = {}
        self.rows = rows
        self.positions: Positions = dict.fromkeys(keys.streams, BEGINNING)

    async def begin(self, progress: Callable[[float], Awaitable[None]]) -> None:
        """Count all that is remembered and retained; `progress` hears the share that is done, 0 to 1."""
        self.positions = await positions(self._client, self._keys)
        # SCAN may name a key twice while others are added.
        start = self._keys.entity("")
        names = list({name.decode().removeprefix(start)
                      async for name in self._client.scan_iter(match=f"{start}*", count=1000)})
        whole = max(len(names) + sum([int(await self._client.xlen(stream)) for stream in self._keys.streams]), 1)
        for at in range(0, len(names), AT_ONCE):
            stored = await self._stored(names[at : at + AT_ONCE])
            self._seen |= stored
            await self._book_states(stored, +1)
            await progress(min(at / whole, 0.99))
        done = len(names)
        for stream, here in self.positions.items():
            async for entries in stretches(self._client, stream, "-", here.delivered):
                await self._book_events([event for entry_id, event in entries if entry_id not in here.pending])
                done += len(entries)
                await progress(min(done / whole, 0.99))
        # What stays of events that were counted and erased. Nothing is erased while a site is counted anew.
        async for entries in stretches(self._client, self._keys.erased, "-", "+"):
            await self._book_events([event for _, event in entries])

    async def keep_up(self, reads: Sequence[Read] = ()) -> list[Any]:
        """Count what was counted since, and read at that very moment. Raises Busy when the moment never comes.

        What was counted shows in the group's position; it is looked at again in one transaction with the
        reads and with the states that changed, and where it moved meanwhile all is looked at again.
        """
        for _ in range(_MOST_LOOKS):
            ahead = await positions(self._client, self._keys)
            late = [event for stream, at in ahead.items()
                    for event in await self._between(stream, self.positions[stream], at)]
            names = sorted(self._touched(late))
            pipe = self._client.pipeline(transaction=True)
            _ask_positions(pipe, self._keys)
            if names:
                pipe.mget([self._keys.entity(name) for name in names])
            for read in reads:
                getattr(pipe, read.method)(*read.args, **read.options)
            answers = await pipe.execute(raise_on_error=False)
            if positions_of(answers, self._keys) == ahead:
                self.positions, found = ahead, answers[2 * len(ahead) :]
                stored = dict(zip(names, found.pop(0), strict=True)) if names else {}
                await self._book_events(late)
                await self._correct({name: value for name, value in stored.items() if value is not None}, names)
                return found
        raise Busy("So much is being counted that no two looks saw the same. Try again when it is quieter.")

    async def _between(self, stream: str, before: Position, after: Position) -> list[Event]:
        """The events counted between two positions in a stream."""
        since = f"({before.delivered}"
        late = [event async for entries in stretches(self._client, stream, since, after.delivered)
                for entry_id, event in entries if entry_id not in after.pending]
        for entry_id in sorted(before.pending - after.pending):
            late += [event async for entries in stretches(self._client, stream, entry_id, entry_id)
                     for _, event in entries]
        return late

    def _touched(self, late: Sequence[Event]) -> set[str]:
        """The states that events may have changed: their own, and the groups they belong to or belonged to."""
        keys: set[str] = set()
        for event in late:
            try:
                keys |= hear([event], self._recount.rules).keys
            except BAD_DATA:
                continue
        for key in list(keys):
            value = self._seen.get(key)
            keys |= groups_of(key, decode_state(value) if value else None)
        return keys

    async def _correct(self, stored: dict[str, bytes], names: Sequence[str]) -> None:
        """Book what states changed by."""
        changed = [name for name in names if self._seen.get(name) != stored.get(name)]
        await self._book_states({name: self._seen[name] for name in changed if name in self._seen}, -1)
        await self._book_states({name: stored[name] for name in changed if name in stored}, +1)
        for name in changed:
            self._seen.pop(name, None)
        self._seen |= {name: stored[name] for name in changed if name in stored}

    async def _stored(self, names: Sequence[str]) -> dict[str, bytes]:
        if not names:
            return {}
        found = await self._client.mget([self._keys.entity(name) for name in names])
        return {name: value for name, value in zip(names, found, strict=True) if isinstance(value, bytes)}

    async def _book_states(self, stored: dict[str, bytes], sign: int) -> None:
        states: list[tuple[str, State]] = [(key, decode_state(value)) for key, value in stored.items()]
        await self._book(states, lambda some: self._recount.of_states(some, sign, self.rows))

    async def _book_events(self, events: Sequence[Event]) -> None:
        await self._book(events, lambda some: self._recount.of_events(some, self.rows))

    async def _book(self, parts: Sequence[Any], count: Callable[[Any], Fold]) -> None:
        """Fold, in halves while that is too much for one script or a part cannot be used."""
        if not parts:
            return
        try:
            fold = count(parts)
        except BAD_DATA:
            fold = None
        if len(parts) > 1 and (fold is None or fold.writes > MAX_WRITES):
            await self._book(parts[: len(parts) // 2], count)
            await self._book(parts[len(parts) // 2 :], count)
        elif fold is not None and fold.writes:
            await self._sink(fold)
            for place, rows in fold.admitted.items():
                self.rows.setdefault(place, set()).update(rows)


async def positions(client: Redis, keys: Keys) -> Positions:
    """How far the group is, all as of one instant."""
    pipe = client.pipeline(transaction=True)
    _ask_positions(pipe, keys)
    return positions_of(await pipe.execute(raise_on_error=False), keys)


def _ask_positions(pipe: Any, keys: Keys) -> None:
    for stream in keys.streams:
        pipe.xinfo_groups(stream)
        pipe.xpending_range(stream, GROUP, "-", "+", _MOST_PENDING)


def positions_of(answers: Sequence[Any], keys: Keys) -> Positions:
    """The positions that the server's first answers tell."""
    return {stream: _position_of(*answers[2 * at : 2 * at + 2]) for at, stream in enumerate(keys.streams)}


def _position_of(groups: Any, held: Any) -> Position:
    """The beginning, where there is no stream or group yet."""
    for answer in (groups, held):
        if isinstance(answer, ResponseError) and ("NOGROUP" in str(answer) or "no such key" in str(answer)):
            return BEGINNING
        if isinstance(answer, Exception):
            raise answer
    delivered = next((group["last-delivered-id"] for group in groups if group["name"] == GROUP.encode()), b"0-0")
    return Position(delivered.decode(), frozenset(one["message_id"].decode() for one in held))


async def oldest_ms(client: Redis, keys: Keys) -> int | None:
    """From when on, by arrival, all events are retained; None when none was ever forgotten."""
    oldest = [await _oldest_of(client, stream) for stream in keys.streams]
    return max((time_ms for time_ms in oldest if time_ms is not None), default=None)


async def _oldest_of(client: Redis, stream: str) -> int | None:
    if not await client.exists(stream):
        return None
    about: Any = await client.xinfo_stream(stream)
    if int(about["entries-added"]) == int(about["length"]):
        return None
    async for entries in stretches(client, stream, "-", "+"):
        return entries[0][1].arrived_ms
    return _NEVER_MS


async def stretches(client: Redis, stream: str, first: str, last: str) -> AsyncIterator[list[tuple[str, Event]]]:
    """A stream from `first` to `last`, some entries at a time; what is no event is left out."""
    while True:
        found: Any = await client.xrange(stream, first, last, count=AT_ONCE)
        entries = [(entry_id.decode(), decode_entry(fields)) for entry_id, fields in found]
        good = [(entry_id, event) for entry_id, event in entries if isinstance(event, Event)]
        if good:
            yield good
        if len(found) < AT_ONCE:
            return
        first = f"({entries[-1][0]}"
