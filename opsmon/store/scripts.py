"""The Lua scripts, loaded once: a typed coroutine each. redis-py's Script reloads one the server forgot."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import orjson
from redis.asyncio import Redis

from opsmon.store.keys import SEEN_KEPT_MS, VISITS_SEEN_KEPT_MS, Keys

_INCLUDE = re.compile(r"^--@include (\w+)$", re.MULTILINE)


@cache
def source(name: str) -> str:
    """The text of a script with its includes put in."""
    folder = files("opsmon.store") / "lua"
    text = (folder / f"{name}.lua").read_text()
    return _INCLUDE.sub(lambda match: (folder / "includes" / f"{match[1]}.lua").read_text(), text)


# The key of what is written, and what goes there as its include in lua/includes reads it.
Section = tuple[str, Sequence[Any]]
Step = Literal["claim", "begin", "fence", "finish", "leave"]
_SECTIONS = ("sums", "joins", "unique", "scores", "open", "rows", "corrected")


@dataclass(slots=True)
class Taken:
    """One delivery to be appended: `kind` is event, dead or not_used; see append_events.lua.

    Of a dead one `second` is the reason and, in a last line of its own, the headers as JSON: accepted events, of
    which there are so many more, then need no field for them.
    """

    kind: str
    source: str
    seen: str
    first: bytes = b""
    second: bytes | str = b""


@dataclass(slots=True)
class Commit:
    """One commit, in the terms of commit.lua. States: key, value believed, new value, life in ms; dead letters:
    source, payload, reason, tries; each other section is a list of (key, entry). The entries are of `stream`,
    or of the site's events; `asked` are requests for privacy among them, by name. `alone`: not beside a rebuild."""

    group: str
    now_ms: int
    generation: int
    kpis: Sequence[str]
    arrived_ms: int
    since_ms: int | None
    entry_ids: Sequence[str]
    states: Sequence[tuple[str, bytes, bytes, int]] = ()
    sums: Sequence[Section] = ()
    joins: Sequence[Section] = ()
    unique: Sequence[Section] = ()
    scores: Sequence[Section] = ()
    open: Sequence[Section] = ()
    rows: Sequence[Section] = ()
    corrected: Sequence[Section] = ()
    dead: Sequence[tuple[str, bytes, str, int]] = ()
    stream: str | None = None
    asked: Sequence[tuple[str, bytes]] = ()
    alone: bool = False

    @property
    def sections(self) -> tuple[Sequence[Section], ...]:
        """The sections after the states, in the order of the script."""
        return self.sums, self.joins, self.unique, self.scores, self.open, self.rows, self.corrected


@dataclass(frozen=True, slots=True)
class Settled:
    """One dead letter to be taken away: its entry id, and the events that it is read as, each with its mark (the
    key), bytes and checksum; none of them when it goes for good."""

    id: str
    events: Sequence[tuple[str, bytes, str]] = ()


@dataclass(slots=True)
class Refusal:
    """What a commit found other than believed; nothing was written. Empty: it is done.

    `keys` cannot be counted into; `rows` are dimensions that have no room for what was to be admitted.
    """

    entries: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    generation: int | None = None
    stream: str | None = None

    def __bool__(self) -> bool:
        found = self.entries or self.states or self.keys or self.rows or self.stream
        return bool(found) or self.generation is not None


class Scripts:
    """The scripts of one site on one client."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._keys = keys
        self._append = client.register_script(source("append_events"))
        self._commit = client.register_script(source("commit"))
        self._tick = client.register_script(source("tick"))
        self._trim = client.register_script(source("trim_events"))
        self._settle_dead = client.register_script(source("settle_dead"))
        self._trim_dead = client.register_script(source("trim_dead"))
        self._rebuild = client.register_script(source("rebuild"))
        self._turn = client.register_script(source("turn"))
        self._save_board = client.register_script(source("save_board"))
        self._move_alert = client.register_script(source("move_alert"))
        self._tell_alerts = client.register_script(source("tell_alerts"))
        self._find_entries = client.register_script(source("find_entries"))
        self._find_states = client.register_script(source("find_states"))
        self._erase_entries = client.register_script(source("erase_entries"))
        self._rename_fields = client.register_script(source("rename_fields"))

    async def append_events(self, deliveries: Sequence[Taken], now_ms: int) -> list[bytes]:
        """Take deliveries, each once; one of event, dead, not_used, duplicate, stopped for each. May be repeated."""
        return await self._taken(self._keys.events, SEEN_KEPT_MS, deliveries, now_ms)

    async def append_visits(self, deliveries: Sequence[Taken], now_ms: int) -> list[bytes]:
        """The same of what pages sent, into the stream of its own."""
        return await self._taken(self._keys.visits, VISITS_SEEN_KEPT_MS, deliveries, now_ms)

    async def _taken(self, stream: str, seen_kept_ms: int, deliveries: Sequence[Taken], now_ms: int) -> list[bytes]:
        keys = [stream, self._keys.dead, self._keys.counts]
        keys += [self._keys.seen(delivery.seen) for delivery in deliveries]
        outcomes: list[bytes] = await self._append(keys=keys, args=append_args(deliveries, seen_kept_ms, now_ms))
        return outcomes

    async def commit(self, commit: Commit) -> Refusal:
        """Count and acknowledge a batch, or write nothing and say what was not as believed."""
        keys = [commit.stream or self._keys.events, self._keys.changes, self._keys.meta, self._keys.dead]
        keys += [state[0] for state in commit.states]
        keys += [key for section in commit.sections for key, _ in section]
        keys += [self._keys.erasing] if commit.asked else []
        reply: list[bytes] = await self._commit(keys=keys, args=_commit_args(commit))
        return _refusal(reply, commit)

    async def tick(self, now_ms: int, kpis: Sequence[str]) -> bool:
        """Say that a minute has begun; False when another process had said it."""
        keys = [self._keys.changes, self._keys.meta]
        return bool(await self._tick(keys=keys, args=[now_ms, now_ms - now_ms % 60_000, ",".join(kpis)]))

    async def rebuild(self, step: Step, target: int = 0, rules: str = "", rollups: str = "", now_ms: int = 0) -> int:
        """One step of counting anew; the generation, or 0 when it is not the caller's turn. May be repeated."""
        return int(await self._rebuild(keys=[self._keys.meta], args=[step, target, rules, rollups, now_ms]))

    async def take_turn(self, poller: str, who: str, life_ms: int) -> bool:
        """Take the turn to poll, or keep it, for `life_ms`; False when it is another's. May be repeated."""
        return bool(await self._turn(keys=[self._keys.turn(poller)], args=[who, life_ms]))

    async def save_board(self, board_id: str, version: int, record: bytes, now_ms: int, line: Mapping[str, str],
                         lines_kept: int) -> tuple[bool, int]:
        """Save a board as it follows on `version` (0: there was none), and add `line` to the audit; whether it was,
        and which version counts now. May be repeated: then there is one line."""
        keys = [self._keys.boards, self._keys.board(board_id), self._keys.changes, self._keys.audit]
        told = [part for pair in line.items() for part in pair]
        done, counts = await self._save_board(keys=keys, args=[board_id, version, record, now_ms, lines_kept, *told])
        return bool(done), int(counts)

    async def tell_alerts(self, about: str, now_ms: int) -> None:
        """Have screens look at rules and silences again. May be repeated."""
        await self._tell_alerts(keys=[self._keys.changes], args=[now_ms, about])

    async def move_alert(self, fingerprint: str, believed: int, record: bytes, now_ms: int, log: Sequence[str] = (),
                         notices: Sequence[Sequence[str]] = ()) -> bytes | None:
        """Keep the next record of an alert as it follows on version `believed` (0: there was none), with its line in
        the log and what is to be delivered; None when it is kept, else the record that counts. May be repeated."""
        keys = [self._keys.alerts, self._keys.alert_log, self._keys.changes, self._keys.notices]
        told = orjson.dumps({"log": log, "notices": notices})
        args: list[Any] = [fingerprint, believed, believed + 1, record, now_ms, told]
        found: bytes = await self._move_alert(keys=keys, args=args)
        return found or None

    async def trim_events(self, before_ms: int, stream: str | None = None) -> int:
        """Forget what arrived earlier and no group needs, of a stream or of the events; how many went."""
        return int(await self._trim(keys=[stream or self._keys.events], args=[before_ms]))

    async def settle_dead(self, letters: Sequence[Settled], line: Mapping[str, str | int]) -> tuple[int, int]:
        """Take dead letters away, each once, and say in the journal's `line` who did what; how many were settled,
        and how many were duplicates. May be repeated."""
        keys = [self._keys.events, self._keys.dead, self._keys.counts, self._keys.journal]
        args: list[Any] = [orjson.dumps(line), SEEN_KEPT_MS]
        for letter in letters:
            args += (letter.id, len(letter.events))
            for mark, payload, checksum in letter.events:
                keys.append(mark)
                args += (payload, checksum)
        settled, duplicates = await self._settle_dead(keys=keys, args=args)
        return int(settled), int(duplicates)

    async def trim_dead(self, before_ms: int, stay: int = -1, most: int = 500) -> int:
        """Let dead letters go that are older, and the oldest above `stay` (-1: any number may); how many went, at
        the most `most`. May be repeated."""
        return int(await self._trim_dead(keys=[self._keys.dead, self._keys.counts], args=[before_ms, stay, most]))

    async def find_entries(self, stream: str, start: str, needles: Sequence[str]
                           ) -> tuple[str, list[tuple[str, bytes, bytes]]]:
        """Look through a part of a stream, from `start` on: where the next part begins ('' at the end), and id,
        bytes and checksum of the entries in which one of these texts stands."""
        after, *found = await self._find_entries(keys=[stream], args=[start, *needles])
        return after.decode(), [(found[at].decode(), found[at + 1], found[at + 2]) for at in range(0, len(found), 3)]

    async def find_states(self, names: Sequence[str], needles: Sequence[str]) -> dict[str, bytes]:
        """The states, of these keys, in whose key or value one of these texts stands."""
        found = await self._find_states(keys=list(names), args=list(needles))
        return {name.decode(): value for name, value in zip(found[::2], found[1::2], strict=True)}

    async def erase_entries(self, stream: str, group: str, entries: Sequence[tuple[str, bytes, str]]) -> int:
        """Take counted entries out of a stream, leaving of each what is given, with its checksum; how many went.
        May be repeated."""
        args = [group, *(part for entry in entries for part in entry)]
        return int(await self._erase_entries(keys=[stream, self._keys.erased, self._keys.meta], args=args))

    async def rename_fields(self, key: str, names: Mapping[str, str]) -> int:
        """Give fields or members other names, adding to what has those; how many there were. May be repeated."""
        args = [part for pair in names.items() for part in pair]
        return int(await self._rename_fields(keys=[key], args=args))


def append_args(deliveries: Sequence[Taken], seen_kept_ms: int, now_ms: int) -> list[Any]:
    """What append_events.lua goes by, beside its keys."""
    # One text and one string of bytes: an argument costs the client 0.7 µs, and the server's allocator as much.
    described = [
        [delivery.kind for delivery in deliveries], [delivery.source for delivery in deliveries],
        [len(delivery.first) for delivery in deliveries], [delivery.second for delivery in deliveries],
    ]
    firsts = b"".join([delivery.first for delivery in deliveries])
    return [seen_kept_ms, now_ms, orjson.dumps(described, default=bytes.decode), firsts]


def _commit_args(commit: Commit) -> list[Any]:
    # One JSON text: thousands of arguments of their own cost the client three times as much.
    described = {
        "group": commit.group, "now_ms": commit.now_ms, "generation": str(commit.generation),
        "kpis": ",".join(commit.kpis), "arrived_ms": commit.arrived_ms,
        "since_ms": "" if commit.since_ms is None else commit.since_ms, "ids": commit.entry_ids,
        "states": [state[3] for state in commit.states],
        "dead": [(letter[0], letter[2], letter[3]) for letter in commit.dead],
        "asked": [text for name, request in commit.asked for text in (name, request.decode())],
        "alone": commit.alone,
        **{name: [entry for _, entry in section] for name, section in zip(_SECTIONS, commit.sections, strict=True)},
    }
    args: list[Any] = [orjson.dumps(described)]
    for _, believed, new, _ in commit.states:
        args += (believed, new)
    return args + [letter[1] for letter in commit.dead]


def _refusal(reply: list[bytes], commit: Commit) -> Refusal:
    refusal = Refusal()
    words = [word.decode() for word in reply]
    for kind, what in zip(words[::2], words[1::2], strict=True):
        if kind == "entry":
            refusal.entries.append(what)
        elif kind == "generation":
            refusal.generation = int(what)
        elif kind == "stream":
            refusal.stream = what
        else:
            section: Sequence[Any] = commit.states if kind == "state" else commit.sections[_SECTIONS.index(kind)]
            {"state": refusal.states, "rows": refusal.rows}.get(kind, refusal.keys).append(section[int(what) - 1][0])
    return refusal
