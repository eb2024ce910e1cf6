"""The Lua scripts, loaded once: a typed coroutine each. redis-py's Script reloads one the server forgot."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from opsmon.store.keys import SEEN_KEPT_MS, Keys

_INCLUDE = re.compile(r"^--@include (\w+)$", re.MULTILINE)


@cache
def source(name: str) -> str:
    """The text of a script with its includes put in."""
    folder = files("opsmon.store") / "lua"
    text = (folder / f"{name}.lua").read_text()
    return _INCLUDE.sub(lambda match: (folder / "includes" / f"{match[1]}.lua").read_text(), text)


@dataclass(frozen=True, slots=True)
class Taken:
    """One delivery to be appended: `kind` is event, dead or not_used; see append_events.lua."""

    kind: str
    source: str
    seen: str
    first: bytes = b""
    second: bytes | str = b""


@dataclass(slots=True)
class Commit:
    """One commit, in the terms of commit.lua. Keys are full names; `expires_ms` 0 means never."""

    group: str
    now_ms: int
    generation: int
    kpis: Sequence[str]
    arrived_ms: int
    since_ms: int | None
    entry_ids: Sequence[str]
    states: Sequence[tuple[str, bytes, bytes, int]] = ()
    hashes: Sequence[tuple[str, int, dict[str, int]]] = ()
    dead: Sequence[tuple[str, bytes, str, int]] = ()


@dataclass(slots=True)
class Refusal:
    """What a commit found other than believed; nothing was written. Empty: it is done."""

    entries: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    generation: int | None = None
    stream: str | None = None

    def __bool__(self) -> bool:
        return bool(self.entries or self.states or self.hashes or self.stream) or self.generation is not None


class Scripts:
    """The scripts of one site on one client."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._keys = keys
        self._append = client.register_script(source("append_events"))
        self._commit = client.register_script(source("commit"))
        self._tick = client.register_script(source("tick"))
        self._trim = client.register_script(source("trim_events"))
        self._set_generation = client.register_script(source("set_generation"))

    async def append_events(self, deliveries: Sequence[Taken], now_ms: int) -> list[bytes]:
        """Take deliveries, each once; one of event, dead, not_used, duplicate for each. May be repeated."""
        keys = [self._keys.events, self._keys.dead, self._keys.counts]
        args: list[Any] = [SEEN_KEPT_MS, now_ms]
        for delivery in deliveries:
            keys.append(self._keys.seen(delivery.seen))
            args += (delivery.kind, delivery.source, delivery.first, delivery.second)
        outcomes: list[bytes] = await self._append(keys=keys, args=args)
        return outcomes

    async def commit(self, commit: Commit) -> Refusal:
        """Count and acknowledge a batch, or write nothing and say what was not as believed."""
        keys = [self._keys.events, self._keys.changes, self._keys.meta, self._keys.dead]
        keys += [state[0] for state in commit.states]
        keys += [pane_hash[0] for pane_hash in commit.hashes]
        reply: list[bytes] = await self._commit(keys=keys, args=_commit_args(commit))
        return _refusal(reply, commit)

    async def tick(self, now_ms: int, kpis: Sequence[str]) -> bool:
        """Say that a minute has begun; False when another process had said it."""
        keys = [self._keys.changes, self._keys.meta]
        return bool(await self._tick(keys=keys, args=[now_ms, now_ms - now_ms % 60_000, ",".join(kpis)]))

    async def set_generation(self, believed: int, generation: int, calendar: str) -> bool:
        """Say which panes count from now on; False when others count by now than believed."""
        args: list[Any] = [believed, generation, calendar]
        return bool(await self._set_generation(keys=[self._keys.meta], args=args))

    async def trim_events(self, before_ms: int) -> int:
        """Forget events that arrived earlier and that no group needs; how many went."""
        return int(await self._trim(keys=[self._keys.events], args=[before_ms]))


def _commit_args(commit: Commit) -> list[Any]:
    args: list[Any] = [
        commit.group, commit.now_ms, commit.generation, ",".join(commit.kpis), commit.arrived_ms,
        "" if commit.since_ms is None else commit.since_ms,
        len(commit.entry_ids), len(commit.states), len(commit.hashes), len(commit.dead), *commit.entry_ids,
    ]
    for _, believed, new, life_ms in commit.states:
        args += (believed, new, life_ms)
    for _, expires_ms, fields in commit.hashes:
        args += (expires_ms, len(fields))
        for name, amount in fields.items():
            args += (name, amount)
    for letter in commit.dead:
        args += letter
    return args


def _refusal(reply: list[bytes], commit: Commit) -> Refusal:
    refusal = Refusal()
    words = [word.decode() for word in reply]
    for kind, what in zip(words[::2], words[1::2], strict=True):
        if kind == "entry":
            refusal.entries.append(what)
        elif kind == "state":
            refusal.states.append(commit.states[int(what) - 1][0])
        elif kind == "hash":
            refusal.hashes.append(commit.hashes[int(what) - 1][0])
        elif kind == "generation":
            refusal.generation = int(what)
        else:
            refusal.stream = what
    return refusal
