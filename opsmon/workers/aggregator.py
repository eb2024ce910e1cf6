"""events -> rollups: read a batch, fold it in memory, count it and acknowledge it in one script.

Own pending entries come first (what this worker had in hand when it ended), then claims on a timer
(what others left), then new entries. What was delivered once before is worked together again; what was
delivered more often one by one, so that an entry that breaks the fold, or the worker, is found and put
among the dead letters, alone.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from opsmon.clock import Clock
from opsmon.core.events import Event, Problem
from opsmon.core.folding import Fold, Heard, Rules, fold, hear
from opsmon.core.states import Believed
from opsmon.store.event_stream import Entry, EventStream
from opsmon.store.rollups import DeadLetter, Rollups, decode_state
from opsmon.store.scripts import Refusal

log = logging.getLogger("opsmon.worker")

# How much is read at once: grows while the batches write little, so that a burst costs few commits.
FIRST_BATCH = 256
MOST_AT_ONCE = 2_048
MAX_WRITES = 2_000
MAX_TRIES = 5
MAX_DEAD_IN_A_ROW = 100
MAX_REFOLDS = 20
MAX_DIMENSIONS = 5_000
CLAIM_IDLE_MS = 2_000
CLAIM_EVERY_MS = 500
# What folding raises for data it cannot use.
BAD_DATA = (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError)


class TooManyDead(Exception):
    """So many entries in a row cannot be counted that the fault is not theirs: better stop than give all up."""


class GenerationMoved(Exception):
    """The site is counted by another calendar now: this worker has to start again."""


@dataclass(slots=True)
class Tally:
    """What a worker did since it started."""

    counted: int = 0
    fenced: int = 0
    dead: int = 0
    dead_in_a_row: int = 0
    lost: int = 0
    refolds: int = 0
    last_arrived_ms: int = 0
    trouble: str = ""
    reasons: dict[str, str] = field(default_factory=dict)


class Aggregator:
    """One consumer of the group. Any number may run; the commit script keeps them from counting twice."""

    def __init__(self, stream: EventStream, rollups: Rollups, rules: Rules, clock: Clock, *,
                 most_at_once: int = MOST_AT_ONCE) -> None:
        self._stream, self._rollups, self._rules, self._clock = stream, rollups, rules, clock
        self.tally = Tally()
        self._own_done = False
        self._next_claim_ms = 0
        self._currency_known = False
        self._most, self._batch = most_at_once, min(FIRST_BATCH, most_at_once)
        self._ahead: asyncio.Task[list[Entry]] | None = None
        self._rows: dict[tuple[str, str], set[str]] = {}

    async def run_once(self, block_ms: int = 0) -> int:
        """Work what is there, waiting up to `block_ms` for something new; how many entries were read."""
        worked = await self.work_again()
        entries = await self._read(block_ms if not worked else 1)
        await self.work(entries)
        return worked + len(entries)

    async def work_again(self) -> int:
        """Work what was read before and not counted, by this worker or by one that is gone; how many entries."""
        return await self._work_own() + await self._work_claims()

    async def finish(self) -> None:
        """Work what was read ahead, and no more."""
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            await self.work(await ahead)

    async def leave(self) -> None:
        """Work nothing more: what was read ahead stays pending, for whoever comes next."""
        if self._ahead is not None:
            await asyncio.wait([self._ahead])
            self._ahead.exception()

    async def _read(self, block_ms: int) -> list[Entry]:
        """New entries. While there are as many as asked for, the store reads the next ones as we fold these."""
        ahead, self._ahead = self._ahead, None
        entries = await (ahead or self._stream.read_new(self._batch, block_ms))
        if len(entries) >= self._batch:
            self._ahead = asyncio.create_task(self._stream.read_new(self._batch, 0))
            await asyncio.sleep(0)  # lets the task send its question before we are busy
        return entries

    async def _work_own(self) -> int:
        worked = 0
        while not self._own_done:
            once, again = await self._stream.own()
            worked += await self._take_over(once, again, 0)
            self._own_done = not once
        return worked

    async def _work_claims(self) -> int:
        if self._clock.now_ms() < self._next_claim_ms:
            return 0
        once, again = await self._stream.abandoned(CLAIM_IDLE_MS)
        worked = await self._take_over(once, again, CLAIM_IDLE_MS)
        await self._forget_settled()
        self._next_claim_ms = self._clock.now_ms() + (0 if once else CLAIM_EVERY_MS)
        return worked

    async def _take_over(self, once: Sequence[str], again: Sequence[str], idle_ms: int) -> int:
        """Work what was delivered before. Only what is worked next is claimed, so that an entry that kills
        its worker raises the delivery count of few others, and of none after the first time."""
        entries, gone = await self._stream.claim(once, idle_ms)
        self._note_gone(gone)
        await self.work(entries)
        worked = len(entries)
        for entry_id in again:
            entries, gone = await self._stream.claim([entry_id], idle_ms)
            self._note_gone(gone)
            for entry in entries:
                await self._work_redelivered(entry)
            worked += len(entries)
        return worked

    async def _forget_settled(self) -> None:
        """What another worker counted or gave up is no trouble of ours any more."""
        for entry_id in list(self.tally.reasons):
            if not await self._stream.tries(entry_id):
                del self.tally.reasons[entry_id]
        self.tally.trouble = next(iter(self.tally.reasons.values()), "")

    def _note_gone(self, gone: list[str]) -> None:
        if gone:
            self.tally.lost += len(gone)
            log.error("%d entries were trimmed before they were counted, first %s", len(gone), gone[0])

    async def _work_redelivered(self, entry: Entry) -> None:
        tries = await self._stream.tries(entry.id)
        if tries > MAX_TRIES:
            reason = self.tally.reasons.get(entry.id, "the worker ended while it was working on it")
            await self._give_up(DeadLetter(entry, reason, tries))
        else:
            await self.work([entry])

    async def work(self, entries: Sequence[Entry]) -> None:
        """Count these, which this worker has read; what cannot be counted goes to the dead letters."""
        good: list[Entry] = []
        for entry in entries:
            if isinstance(entry.event, Problem):
                await self._give_up(DeadLetter(entry, entry.event.reason, 1))
            else:
                good.append(entry)
        if good:
            await self._count(good)

    async def _count(self, entries: Sequence[Entry]) -> None:
        """Fold and commit; again without what was refused; in halves when it is too much for one script."""
        for _ in range(MAX_REFOLDS):
            if not entries:
                return
            try:
                heard = hear([entry.event for entry in entries if isinstance(entry.event, Event)], self._rules)
                folded, stored = await self._fold(heard)
            except BAD_DATA as error:
                await self._apart(entries, f"the event cannot be counted: {type(error).__name__} {error}")
                return
            if folded.writes > MAX_WRITES and len(entries) > 1:
                self._batch = max(min(FIRST_BATCH, self._most), self._batch // 2)
                await self._halves(entries)
                return
            arrived_ms = heard.arrived_ms
            refusal = await self._rollups.commit(folded, stored, entries, self._clock.now_ms(), arrived_ms)
            if not refusal:
                await self._note_counted(entries, folded, arrived_ms)
                return
            entries = await self._after(refusal, entries)
        await self._leave_pending(refusal.states, entries)

    async def _fold(self, heard: Heard) -> tuple[Fold, dict[str, bytes]]:
        """Fold over the states that are needed; which those are may show only while folding."""
        stored: dict[str, bytes] = {}
        believed = Believed({}, self._rows)
        missing: Iterable[str] = heard.keys
        while True:
            found = await self._rollups.states(missing)
            stored |= found
            believed.states.update({key: decode_state(found[key]) if key in found else None for key in missing})
            folded = fold(heard, believed, self._rules, self._clock.now_ms())
            if not folded.missing:
                return folded, stored
            missing = folded.missing

    async def _halves(self, entries: Sequence[Entry]) -> None:
        middle = len(entries) // 2
        await self._count(entries[:middle])
        await self._count(entries[middle:])

    async def _apart(self, entries: Sequence[Entry], reason: str) -> None:
        """One of these cannot be used: find out which, and give only that one up."""
        if len(entries) == 1:
            await self._give_up(DeadLetter(entries[0], reason, 1))
            return
        for entry in entries:
            await self._count([entry])

    async def _after(self, refusal: Refusal, entries: Sequence[Entry]) -> Sequence[Entry]:
        """What is left to count after a refusal. Raises GenerationMoved or RuntimeError if nothing can be."""
        if refusal.generation is not None:
            raise GenerationMoved
        if refusal.stream:
            raise RuntimeError(f"the store is not as opsmon left it: {refusal.stream}")
        if refusal.keys:
            await self._leave_pending(refusal.keys, entries)
            return []
        for key in refusal.rows:
            place = self._rollups.place_of_rows(key)
            self._rows[place] = await self._rollups.rows(*place)
        self.tally.fenced += len(refusal.entries)
        self.tally.refolds += 1
        return [entry for entry in entries if entry.id not in set(refusal.entries)]

    async def _leave_pending(self, keys: list[str], entries: Sequence[Entry]) -> None:
        """A key cannot be counted into: isolate the entries that need it; they will be tried again."""
        if len(entries) > 1:
            for entry in entries:
                await self._count([entry])
            return
        key = keys[0] if keys else "a state"
        self._note_trouble(
            entries[0], f"{key} cannot be counted into: of another type, no whole numbers, or out of range")

    def _note_trouble(self, entry: Entry, reason: str) -> None:
        self.tally.reasons[entry.id] = self.tally.trouble = reason
        log.error("%s (entry %s)", reason, entry.id)

    async def _give_up(self, letter: DeadLetter) -> None:
        if self.tally.dead_in_a_row >= MAX_DEAD_IN_A_ROW:
            raise TooManyDead(f"Stopped: {MAX_DEAD_IN_A_ROW} events in a row could not be counted ({letter.reason})")
        event = letter.entry.event
        source = event.source if isinstance(event, Event) else "stream"
        refusal = await self._rollups.give_up(letter, f"{source}:dead", self._clock.now_ms())
        if refusal.generation is not None:
            raise GenerationMoved
        if refusal.stream or refusal.keys:
            reason = refusal.stream or refusal.keys[0]
            self._note_trouble(letter.entry, f"no dead letter can be written: {reason}")
        if not refusal:
            self.tally.dead += 1
            self.tally.dead_in_a_row += 1
            log.warning("entry %s is a dead letter now: %s", letter.entry.id, letter.reason)

    async def _note_counted(self, entries: Sequence[Entry], folded: Fold, arrived_ms: int) -> None:
        self.tally.counted += len(entries)
        self.tally.dead_in_a_row = 0
        self.tally.last_arrived_ms = max(self.tally.last_arrived_ms, arrived_ms)
        self._learn(folded)
        if len(entries) >= self._batch and folded.writes < MAX_WRITES // 2:
            self._batch = min(self._batch * 2, self._most)
        if not self._currency_known:
            self._currency_known = await self._rollups.note_currency(folded)

    def _learn(self, folded: Fold) -> None:
        """Rows that are admitted stay so: next time nobody has to ask."""
        if len(self._rows) > MAX_DIMENSIONS:
            self._rows.clear()
        for place, rows in folded.admitted.items():
            self._rows.setdefault(place, set()).update(rows)
