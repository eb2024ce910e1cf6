"""Query: the dead letters that are held, by source and reason, and the journal of what was done with them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from opsmon.core.dead_letters import group_id, group_of
from opsmon.store.connection import Reader
from opsmon.store.keys import MOST_HELD, MOST_HELD_BYTES, Keys

# What a worker gave up; the others came by the door of their source.
STREAM = "stream"
_AT_ONCE = 200
_MOST_LINES = 2_000
_LAST = 2**64 - 1

Deed = Literal["replayed", "edited", "discarded"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery or an entry that could not be used. `seen` is the key that marks its delivery as taken."""

    id: str
    source: str
    payload: bytes
    reason: str
    tries: int
    headers: Mapping[str, str]
    seen: str

    @property
    def at_ms(self) -> int:
        """When it was put aside, epoch ms."""
        return int(self.id.partition("-")[0])

    @property
    def group(self) -> str:
        """Its reason without what only this letter has."""
        return group_of(self.reason)


@dataclass(frozen=True, slots=True)
class Group:
    """The letters of a source that are held for one reason: `reason` without details, and `example` with them."""

    source: str
    reason: str
    letters: int
    size_bytes: int
    oldest_ms: int
    newest_ms: int
    example: str

    @property
    def id(self) -> str:
        """The reason's short name."""
        return group_id(self.reason)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the journal: what was done with how many letters, by whom, and what came of it.

    `failed` could not be used after all and stay; `duplicates` were gone, or their event had been taken before.
    Of an edited letter `was_bytes` and `was_hash` (BLAKE2b, 16 bytes, hex) tell what came.
    """

    at_ms: int
    what: str
    by: str
    action: str
    source: str = ""
    reason: str = ""
    because: str = ""
    settled: int = 0
    duplicates: int = 0
    failed: int = 0
    why: str = ""
    was_bytes: int = 0
    was_hash: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant: of a source, for a reason (its short name or its sentence); '' is any."""

    source: str = ""
    reason: str = ""

    def has(self, letter: Letter) -> bool:
        """Whether a letter is one of them."""
        if self.source and letter.source != self.source:
            return False
        return not self.reason or self.reason in (group_id(letter.group), letter.group)


def is_id(text: str) -> bool:
    """Whether a text can be the id of a letter."""
    ms, dash, number = text.partition("-")
    return bool(dash) and all(part.isascii() and part.isdigit() and len(part) <= 20 and int(part) <= _LAST
                              for part in (ms, number))


async def letters(reader: Reader, keys: Keys, *, newest_first: bool = False) -> AsyncIterator[list[Letter]]:
    """Every letter that is held when this begins, page by page."""
    found = await reader.newest(keys.dead)
    start, end = ("+", "-") if newest_first else ("-", found[0][0].decode() if found else "-")
    while page := await reader.entries(keys.dead, start, end, _AT_ONCE, newest_first=newest_first):
        yield [letter_of(entry_id, fields) for entry_id, fields in page]
        start = "(" + page[-1][0].decode()


async def letter(reader: Reader, keys: Keys, letter_id: str) -> Letter | None:
    """One letter; None when there is none of this id, or none any more."""
    found = await reader.entries(keys.dead, letter_id, letter_id, 1) if is_id(letter_id) else []
    return letter_of(*found[0]) if found else None


async def newest(reader: Reader, keys: Keys, wanted: Wanted, count: int) -> list[Letter]:
    """The newest letters of those that are meant, newest first."""
    found: list[Letter] = []
    async for page in letters(reader, keys, newest_first=True):
        found += [one for one in page if wanted.has(one)]
        if len(found) >= count:
            break
    return found[:count]


async def groups(reader: Reader, keys: Keys, wanted: Wanted = Wanted()) -> list[Group]:
    """What is held, by source and reason, the largest groups first. Looks at every letter."""
    found: dict[tuple[str, str], Group] = {}
    async for page in letters(reader, keys):
        for one in page:
            if wanted.has(one):
                place = one.source, one.group
                known = found.get(place) or Group(*place, 0, 0, one.at_ms, one.at_ms, one.reason)
                found[place] = replace(known, letters=known.letters + 1, newest_ms=one.at_ms, example=one.reason,
                                       size_bytes=known.size_bytes + len(one.payload))
    return sorted(found.values(), key=lambda group: (-group.letters, group.source, group.reason))


def stopped(totals: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """The sources whose next unusable delivery is not taken: how many letters of theirs are held, and their bytes."""
    held = {name.removesuffix(":held"): count for name, count in totals.items() if name.endswith(":held")}
    sizes = {source: totals.get(f"{source}:held_bytes", 0) for source in held}
    return {source: (held[source], sizes[source]) for source in sorted(held)
            if source != STREAM and (held[source] >= MOST_HELD or sizes[source] >= MOST_HELD_BYTES)}


async def journal(reader: Reader, keys: Keys) -> list[Line]:
    """What was done, newest first; the steps of one action are one line."""
    found: dict[str, Line] = {}
    for entry_id, fields in await reader.newest(keys.journal, _MOST_LINES):
        line = _line_of(entry_id, fields)
        later = found.get(line.action)
        found[line.action] = line if later is None else replace(
            later, settled=later.settled + line.settled, duplicates=later.duplicates + line.duplicates,
            failed=later.failed + line.failed, why=later.why or line.why)
    return list(found.values())


def letter_of(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Letter:
    """The letter of an entry; what an older opsmon did not keep is empty."""
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode("utf-8", "replace")

    tries = text(b"tries")
    return Letter(entry_id.decode(), text(b"source"), fields.get(b"payload", b""), text(b"reason"),
                  int(tries) if tries.isdigit() else 0, _headers(fields.get(b"headers", b"")), text(b"seen"))


def _headers(stored: bytes) -> dict[str, str]:
    try:
        found = orjson.loads(stored)
    except orjson.JSONDecodeError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _line_of(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Line:
    texts = {name.decode(): value.decode("utf-8", "replace") for name, value in fields.items()}
    numbers = {name: int(texts.get(name, "0")) for name in ("settled", "duplicates", "failed", "was_bytes")}
    words = {name: texts.get(name, "") for name in ("what", "by", "action", "source", "reason", "because", "why",
                                                    "was_hash")}
    return Line(at_ms=int(entry_id.partition(b"-")[0]), **words, **numbers)  # type: ignore[arg-type]  # by name
