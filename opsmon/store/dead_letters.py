"""Command: take dead letters away, by replaying, correcting or discarding them; each is one step of a script.

What a letter is read as is decided by its source, which is no concern of the store: `ReadAgain` is handed in.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import orjson
from redis.asyncio import Redis

from opsmon.clock import Clock
from opsmon.core.dead_letters import group_of
from opsmon.core.events import Event
from opsmon.store import dead_queries
from opsmon.store.connection import Reader
from opsmon.store.dead_queries import STREAM, Deed, Letter, Wanted
from opsmon.store.event_stream import DAMAGED, checksum, decode, encode
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Settled

# Of many letters the rest is left alone after so many that still cannot be used.
MOST_FAILURES = 100
MOST_LONG_TEXT = 300

ReadAgain = Callable[[str, Mapping[str, str], bytes, int], Sequence[tuple[str, Event]] | str]


@dataclass(slots=True)
class Done:
    """What came of an action so far: `settled` letters are gone, `duplicates` were gone before or their event had
    been taken, `failed` stay, each with its id and why."""

    action: str
    settled: int = 0
    duplicates: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_stopped(self) -> bool:
        """Whether so many failed that the rest was left alone."""
        return len(self.failed) >= MOST_FAILURES


class DeadLetters:
    """One site's dead letters, for the one who does something with them: `by` is who that is."""

    def __init__(self, client: Redis, keys: Keys, read_again: ReadAgain, clock: Clock) -> None:
        self._reader, self._keys, self._scripts = Reader(client), keys, Scripts(client, keys)
        self._read_again, self._clock = read_again, clock

    async def replay(self, ids: Sequence[str], by: str) -> Done:
        """Take letters back into the stream. May be repeated: what is gone is a duplicate. Raises ValueError for
        what cannot be an id."""
        done = _begun()
        letters, gone = await self._named(ids)
        await self._replay(letters, gone, done, by)
        return done

    async def replay_all(self, wanted: Wanted, by: str) -> AsyncIterator[Done]:
        """Take all letters of a reason back, oldest first; what was done so far, after each step. Ends early when
        too many still cannot be used. May be left off at any step, and repeated."""
        done = _begun()
        async for page in dead_queries.letters(self._reader, self._keys):
            if letters := [letter for letter in page if wanted.has(letter)]:
                await self._replay(letters, [], done, by)
                yield done
            if done.is_stopped:
                return

    async def correct(self, letter_id: str, text: str, by: str) -> Done:
        """Take a letter back as if it had said `text`. It stays, with a failure, when that cannot be used either.

        Of what came the journal keeps length and hash. May be repeated. Raises ValueError for what cannot be an id.
        """
        done = _begun()
        letters, gone = await self._named([letter_id])
        if gone:
            await self._settle(gone, done, _line("edited", by, letters))
            return done
        (letter,) = letters
        events = self._events(letter, text.encode("utf-8", "replace"))
        if isinstance(events, str):
            done.failed.append((letter_id, _where_not_json(text) or events))
            return done
        line = _line("edited", by, letters)
        line["was_bytes"] = len(letter.payload)
        line["was_hash"] = blake2b(letter.payload, digest_size=16).hexdigest()
        await self._settle([Settled(letter_id, events)], done, line)
        return done

    async def discard(self, ids: Sequence[str], because: str, by: str) -> Done:
        """Let letters go for good. May be repeated. Raises ValueError for what cannot be an id."""
        done = _begun()
        letters, gone = await self._named(ids)
        await self._discard(letters, gone, done, because, by)
        return done

    async def discard_all(self, wanted: Wanted, because: str, by: str) -> AsyncIterator[Done]:
        """Let all letters of a reason go; what was done so far, after each step. May be repeated."""
        done = _begun()
        async for page in dead_queries.letters(self._reader, self._keys):
            if letters := [letter for letter in page if wanted.has(letter)]:
                await self._discard(letters, [], done, because, by)
                yield done

    async def _named(self, ids: Sequence[str]) -> tuple[list[Letter], list[Settled]]:
        """The letters of these ids, and those that are gone."""
        letters, gone = [], []
        for letter_id in dict.fromkeys(ids):
            if not dead_queries.is_id(letter_id):
                raise ValueError(f"{letter_id:.60} is no dead letter's id: those are like 1795179802000-0")
            letter = await dead_queries.letter(self._reader, self._keys, letter_id)
            if letter is None:
                gone.append(Settled(letter_id))
            else:
                letters.append(letter)
        return letters, gone

    async def _replay(self, letters: Sequence[Letter], gone: Sequence[Settled], done: Done, by: str) -> None:
        settled, failed = list(gone), len(done.failed)
        for letter in letters:
            events = self._events(letter, letter.payload)
            if isinstance(events, str):
                done.failed.append((letter.id, events))
            else:
                settled.append(Settled(letter.id, events))
            if done.is_stopped:
                break
        why = group_of(done.failed[failed][1]) if len(done.failed) > failed else ""
        line = _line("replayed", by, letters) | {"failed": len(done.failed) - failed, "why": why}
        await self._settle(settled, done, line)

    async def _discard(self, letters: Sequence[Letter], gone: Sequence[Settled], done: Done, because: str,
                       by: str) -> None:
        line = _line("discarded", by, letters) | {"because": because[:MOST_LONG_TEXT]}
        await self._settle([*gone, *(Settled(letter.id) for letter in letters)], done, line)

    async def _settle(self, letters: Sequence[Settled], done: Done, line: dict[str, str | int]) -> None:
        settled, duplicates = await self._scripts.settle_dead(letters, line | {"action": done.action})
        done.settled += settled
        done.duplicates += duplicates

    def _events(self, letter: Letter, body: bytes) -> list[tuple[str, bytes, str]] | str:
        """Mark, bytes and checksum of the events a letter is, or why it is none."""
        if letter.source == STREAM:
            return self._given_up(letter, body)
        read = self._read_again(letter.source, letter.headers, body, self._clock.now_ms())
        if isinstance(read, str):
            return read
        payloads = [(self._mark(letter, seen, event, len(read)), encode(event)) for seen, event in read]
        return [(mark, payload, checksum(payload)) for mark, payload in payloads]

    def _mark(self, letter: Letter, seen: str, event: Event, count: int) -> str:
        """What keeps an event from being taken twice. That its delivery was seen does not count for the letter's
        own, which never became one; the others of its body may have been taken then."""
        is_own = count == 1 or self._keys.seen(seen) == letter.seen
        return self._keys.replayed(event.id) if is_own else self._keys.seen(seen)

    def _given_up(self, letter: Letter, body: bytes) -> list[tuple[str, bytes, str]] | str:
        """The entry a worker gave up, as it was; its event may come from elsewhere again, only the letter may not."""
        if body == letter.payload and letter.reason == DAMAGED:
            return f"{DAMAGED}: what it said is not known any more"
        try:
            event = decode(body)
            payload = body if body == letter.payload else encode(event)
        except (ValueError, TypeError) as error:
            return f"this is no event: {error}"
        if not all(type(value) is str for value in (event.id, event.type, event.source, event.site, event.key)):
            return "this is no event: id, type, source, site and key are texts"
        return [(self._keys.replayed(letter.id), payload, checksum(payload))]


def _begun() -> Done:
    return Done(secrets.token_hex(6))


def _line(what: Deed, by: str, letters: Sequence[Letter]) -> dict[str, str | int]:
    """What the journal says of letters: source and reason if they share one. No detail that only one of them has."""
    sources, reasons = {letter.source for letter in letters}, {letter.group for letter in letters}
    return {"what": what, "by": by, "source": sources.pop() if len(sources) == 1 else "",
            "reason": reasons.pop() if len(reasons) == 1 else ""}


def _where_not_json(text: str) -> str:
    try:
        orjson.loads(text.encode("utf-8", "replace"))
    except orjson.JSONDecodeError as error:
        return f"this is not JSON, line {error.lineno}, column {error.colno}: {error.msg}"
    return ""
