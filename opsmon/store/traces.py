"""Where a customer is named in a site's store: states, events, dead letters, counts. Looks only."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.core.privacy import Request, mentions
from opsmon.store import dead_queries
from opsmon.store.connection import Reader
from opsmon.store.dead_queries import Letter
from opsmon.store.event_stream import Entry, decode_entry
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

_AT_ONCE = 500
# What holds names of counted fields, members or rows, and how those are read.
_NAMES: Mapping[str, Callable[[Any, str], Any]] = {
    "pane": lambda pipe, key: pipe.hkeys(key),
    "top": lambda pipe, key: pipe.zrange(key, 0, -1),
    "open": lambda pipe, key: pipe.zrange(key, 0, -1),
    "rows": lambda pipe, key: pipe.smembers(key),
}


class Traces:
    """One site's store, to be looked through."""

    def __init__(self, client: Redis, keys: Keys, scripts: Scripts) -> None:
        self._client, self._keys, self._scripts = client, keys, scripts

    async def states(self, needles: Sequence[str]) -> dict[str, bytes]:
        """What is remembered, by its name, in which one of these texts stands."""
        start, found = self._keys.entity(""), dict[str, bytes]()
        names = [name.decode() async for name in self._client.scan_iter(match=f"{start}*", count=1000)]
        for some in _parts(names):
            found |= await self._scripts.find_states(some, needles)
        return {name.removeprefix(start): value for name, value in found.items()}

    async def entries(self, stream: str, needles: Sequence[str]) -> AsyncIterator[list[Entry]]:
        """The entries of a stream in which one of these texts stands, some at a time."""
        start = "-"
        while start:
            start, found = await self._scripts.find_entries(stream, start, needles)
            yield [Entry(entry_id, payload, decode_entry({b"e": payload, b"c": check}))
                   for entry_id, payload, check in found]

    async def letters(self, request: Request) -> list[Letter]:
        """The dead letters that name a customer or one of the orders, or that came from a shop."""
        found: list[Letter] = []
        async for page in dead_queries.letters(Reader(self._client), self._keys):
            found += [letter for letter in page if _is_of(letter, request)]
        return found

    async def names(self, generation: int, kind: str, rollups: Iterable[str]) -> AsyncIterator[tuple[str, list[str]]]:
        """Every key of a kind (pane, top, open, rows) of these rollups, with the names of what it holds."""
        start, wanted = f"{self._keys.tag}:{kind}:{generation}:", set(rollups)
        found = [name.decode() async for name in self._client.scan_iter(match=f"{start}*", count=1000)]
        for some in _parts([key for key in found if key.removeprefix(start).partition(":")[0] in wanted]):
            pipe = self._client.pipeline(transaction=False)
            for key in some:
                _NAMES[kind](pipe, key)
            for key, held in zip(some, await pipe.execute(), strict=True):
                yield key, [name.decode() for name in held]


def _is_of(letter: Letter, request: Request) -> bool:
    text = letter.payload.decode("utf-8", "replace")
    if request.kind == "shop":
        shop = request.about.rpartition(":")[2]
        return shop in text or shop in letter.headers.values() or shop in letter.reason
    return mentions(f"{text}\n{orjson.dumps(dict(letter.headers)).decode()}", (request.about, *request.orders))


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE))
