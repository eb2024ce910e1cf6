"""One pass of forgetting: everything that names those a request is about is renamed, or goes.

What is remembered is renamed state by state, each in one step with the panes that follow from it, as a worker
counts: a worker that counts a new version of the same order meanwhile finds either all of it or nothing. An
order and its place in its customer's group go together, so that no order is a member twice. All steps may be
repeated; a pass that finds nothing is the last one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from redis.asyncio import Redis

from opsmon.core.events import Event
from opsmon.core.facts import CUSTOMER, is_remembered_whole
from opsmon.core.folding import Fold, Folding, Rules
from opsmon.core.measures import identity, label
from opsmon.core.privacy import Renaming, Request, stripped
from opsmon.core.recounting import groups_of
from opsmon.core.sessions import add
from opsmon.core.states import Believed, EntityState, GroupState, SessionState, State, from_plain, plain
from opsmon.store.event_stream import GROUP, Entry, checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.rollups import Rollups, decode_state
from opsmon.store.scripts import Scripts, Settled
from opsmon.store.traces import Traces

BECAUSE = "erased on the vendor's request"
LOCK_MS = 30_000
# So many states go in one step, and so many customers in one pass: counting goes on in between.
_AT_ONCE = 100
_MOST_CUSTOMERS = 300
_MOST_TRIES = 20
_NOBODY = GroupState({})


class Interrupted(Exception):
    """The site is counted anew meanwhile: the rest is done later."""


class Erasure:
    """One request's pass. The caller holds the turn to count anew."""

    def __init__(self, client: Redis, keys: Keys, rules: Rules, request: Request, generation: int, now_ms: int) -> None:
        self._client, self._keys, self._rules, self._now_ms = client, keys, rules, now_ms
        self._scripts = Scripts(client, keys)
        self._traces = Traces(client, keys, self._scripts)
        self._rollups = Rollups(client, keys, self._scripts, generation, rules)
        self._request, self._renaming = request, Renaming(request)
        self._rows: dict[tuple[str, str], set[str]] = {}

    async def run(self) -> int:
        """How many traces were found, whether or not they could be erased now. Raises Interrupted."""
        found = await self._letters()
        await self._admit()
        found += await self._states()
        for stream in self._keys.streams:
            found += await self._entries(stream)
        return found + await self._fields()

    async def _letters(self) -> int:
        letters = await self._traces.letters(self._request)
        if letters:
            line: Mapping[str, str | int] = {
                "what": "discarded", "by": "opsmon", "action": f"erase-{self._request.id}-{self._now_ms}",
                "because": BECAUSE}
            await self._scripts.settle_dead([Settled(letter.id) for letter in letters], line)
        return len(letters)

    async def _admit(self) -> None:
        """Let new names be told apart where the old ones are: a row of their own stays one."""
        start = self._keys.rows(self._rollups.generation, "", "").removesuffix(":").removesuffix(":")
        async for key, rows in self._traces.names(self._rollups.generation, "rows", self._ids()):
            new = {self._renaming.field(row, label) for row in rows} - set(rows)
            if new:
                await self._client.sadd(key, *new)
            rollup, _, span = key.removeprefix(f"{start}:").partition(":")
            self._rows[rollup, span] = {*rows, *new}

    async def _states(self) -> int:
        found = {name: decode_state(value)
                 for name, value in (await self._traces.states(self._renaming.needles)).items()}
        named = {name: state for name, state in found.items()
                 if self._renaming.key(name) != name or self._renamed(state) != state}
        for group, names in list(self._units(named))[:_MOST_CUSTOMERS]:
            for at in range(0, max(len(names), 1), _AT_ONCE):
                await self._rename(group, names[at : at + _AT_ONCE], is_last=at + _AT_ONCE >= len(names))
        return len(named)

    def _units(self, named: Mapping[str, State]) -> Iterator[tuple[str, list[str]]]:
        """A customer's group with all orders that belong to it; everything else by itself."""
        units: dict[str, list[str]] = {name: [] for name in named if name.startswith(CUSTOMER)}
        for name, state in named.items():
            groups = [group for group in sorted(groups_of(name, state)) if self._renaming.key(group) != group]
            if groups:
                units.setdefault(groups[0], []).append(name)
            elif name not in units:
                yield "", [name]
        yield from units.items()

    async def _rename(self, group: str, names: Sequence[str], *, is_last: bool) -> None:
        """Rename some states in one step; again when a worker changed one of them meanwhile."""
        for _ in range(_MOST_TRIES):
            await self._client.pexpire(self._keys.note("recount"), LOCK_MS)
            old = [name for name in (group, *names) if name]
            stored = await self._rollups.states([*old, *map(self._renaming.key, old)])
            states = {name: decode_state(value) for name, value in stored.items()}
            new = self._new(states, group, names, is_last=is_last)
            if not new:
                return
            commit = self._rollups.described(self._fold(states, new), stored, [], self._now_ms, self._now_ms)
            gone = {self._keys.entity(name) for name, state in new.items() if state is None}
            commit = replace(commit, kpis=(), alone=True, states=[
                (key, believed, b"" if key in gone else value, life_ms)
                for key, believed, value, life_ms in commit.states])
            refusal = await self._scripts.commit(commit)
            if not refusal:
                return
            if refusal.generation is not None or refusal.stream:
                raise Interrupted
            for key in refusal.rows:
                place = self._rollups.place_of_rows(key)
                self._rows[place] = await self._rollups.rows(*place)

    def _new(self, states: Mapping[str, State], group: str, names: Sequence[str], *, is_last: bool
             ) -> dict[str, State | None]:
        """What the states are afterwards; None: there is none of this name any more."""
        new: dict[str, State | None] = {}
        for name in names:
            state, target = states.get(name), self._renaming.key(name)
            if state is not None and (target != name or self._renamed(state) != state):
                new |= {name: None, target: _merged(states.get(target) if target != name else None,
                                                    self._renamed(state), self._gap_ms(name))}
        held = states.get(group)
        if isinstance(held, GroupState):
            moved = held.members if is_last else {name: held.members[name] for name in names if name in held.members}
            rest = {name: data for name, data in held.members.items() if name not in moved}
            target = self._renaming.key(group)
            new |= {group: GroupState(rest) if rest else None,
                    target: _merged(states.get(target), self._renamed(GroupState(dict(moved))), 0)}
        return new

    def _fold(self, states: Mapping[str, State], new: Mapping[str, State | None]) -> Fold:
        folding = Folding(Believed({}, self._rows), self._rules, self._now_ms)
        for name, state in new.items():
            folding.book_state(name, states.get(name), -1)
            folding.book_state(name, state, +1)
        fold = folding.finish()
        fold.states = {name: state or _NOBODY for name, state in new.items()}
        return fold

    def _renamed(self, state: State) -> State:
        return from_plain(self._renaming.inside(plain(state)))

    def _gap_ms(self, name: str) -> int:
        rollup = name.removeprefix("~session:").partition(":")[0]
        is_known = name.startswith("~session:") and rollup in self._ids()
        return self._rules.catalogue.rollup(rollup).gap_ms if is_known else 0

    async def _entries(self, stream: str) -> int:
        """Counted events go at once; those that are not counted yet, the next time."""
        found = 0
        async for entries in self._traces.entries(stream, self._renaming.needles):
            named = [entry for entry in entries if self._is_named(entry)]
            if named and await self._scripts.erase_entries(stream, GROUP, [self._left(entry) for entry in named]) < 0:
                raise Interrupted
            found += len(named)
        return found

    def _is_named(self, entry: Entry) -> bool:
        event = entry.event
        return isinstance(event, Event) and (
            self._renaming.key(event.key) != event.key or self._renaming.inside(event.data) != event.data)

    def _left(self, entry: Entry) -> tuple[str, bytes, str]:
        assert isinstance(entry.event, Event)
        left = encode(stripped(entry.event, self._renaming, is_remembered=is_remembered_whole(entry.event)))
        return entry.id, left, checksum(left)

    async def _fields(self) -> int:
        """What was counted of events that nothing remembers any more: the same counts under the new name."""
        found = 0
        for kind in ("pane", "top", "open", "rows"):
            async for key, names in self._traces.names(self._rollups.generation, kind, self._ids()):
                cut = identity if kind == "open" or self._is_distinct(key) else label
                new = {name: self._renaming.field(name, cut) for name in names}
                changed = {name: other for name, other in new.items() if name != other}
                found += await self._scripts.rename_fields(key, changed) if changed else 0
        return found

    def _is_distinct(self, key: str) -> bool:
        rollup = key.split(":", 4)[3]
        return rollup in self._ids() and self._rules.catalogue.rollup(rollup).measure == "distinct"

    def _ids(self) -> set[str]:
        """The rollups in whose counts somebody may be named."""
        return {rollup.id for rollup in self._rules.catalogue.rollups
                if rollup.by or rollup.measure in ("distinct", "top", "open", "sessions")}


def _merged(there: State | None, moved: State, gap_ms: int) -> State:
    """What is moved to a name under which something is remembered already, as after an earlier pass."""
    if isinstance(there, GroupState) and isinstance(moved, GroupState):
        return GroupState(there.members | moved.members)
    if isinstance(there, SessionState) and isinstance(moved, SessionState):
        sessions = there.sessions
        for session in moved.sessions:
            sessions = add(sessions, session, gap_ms)
        return SessionState(sessions)
    if isinstance(there, EntityState) and isinstance(moved, EntityState):
        return max(there, moved, key=lambda state: state.version)
    return moved
