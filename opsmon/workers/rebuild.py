"""Counting a site anew, beside what counts, then swapping: when the zone, the start of the day or the
catalogue changed, and for `opsmon replay`.

First, while live traffic goes on, everything that is remembered and retained is counted into panes of
another generation. Then nobody may commit for a moment (ingest goes on): what changed meanwhile is
counted, panes older than the retained events are taken over, and the new generation counts. Interrupted
at any point, the old one counts on.
"""

import asyncio
import logging

import orjson
from redis.asyncio import Redis

from opsmon.core.errors import OpsmonError
from opsmon.core.folding import Fold, Rules
from opsmon.core.recounting import Recount
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.meta import Meta, read_meta
from opsmon.store.notes import ProgressNote, note_progress
from opsmon.store.rollups import Rollups
from opsmon.store.scripts import Scripts
from opsmon.workers.carry_over import CarryOver, old_calendar
from opsmon.workers.shadow import AT_ONCE, Shadow, oldest_ms

log = logging.getLogger("opsmon.worker")

_LOCK_MS = 30_000


class OtherRules(Exception):
    """Another process counts this site by other rules than this one was started with."""


class RebuildRefused(OpsmonError):
    """A rebuild found the store other than it left it, or another rebuild took its turn. Nothing of it counts."""


async def settle(client: Redis, keys: Keys, rules: Rules, started_ms: int, now_ms: int) -> int:
    """Make the site count by `rules`, anew if it does not; return the generation that counts.

    Of several workers one counts and the others wait for it. Raises OtherRules when a process that started
    later than this one (`started_ms`) counts by other rules. May be repeated.
    """
    scripts = Scripts(client, keys)
    while True:
        meta = await read_meta(Reader(client), keys)
        if not meta.rules:
            await scripts.rebuild("claim", 0, rules.name, _digests(rules), now_ms)
        elif meta.rules == rules.name and not meta.fenced:
            return meta.generation
        elif meta.rules != rules.name and meta.made_ms > started_ms:
            raise OtherRules(f"this worker was started to count by {rules.name}, the site counts by {meta.rules}")
        elif await client.set(keys.note("recount"), "1", nx=True, px=_LOCK_MS):
            return await _settle_alone(client, keys, rules, meta, now_ms)
        else:
            await asyncio.sleep(0.05)


async def rebuild(client: Redis, keys: Keys, rules: Rules, now_ms: int) -> int:
    """Count anew by the same rules; the new generation. Raises RebuildRefused when another rebuild runs."""
    if not await client.set(keys.note("recount"), "1", nx=True, px=_LOCK_MS):
        raise RebuildRefused("This site is being counted anew already. Wait until that is done.")
    return await _run(client, keys, rules, now_ms)


async def _settle_alone(client: Redis, keys: Keys, rules: Rules, meta: Meta, now_ms: int) -> int:
    if meta.rules == rules.name:
        # Whoever fenced the others is gone: what counted counts on.
        await Scripts(client, keys).rebuild("leave", meta.building)
        await client.delete(keys.note("recount"))
        return meta.generation
    log.warning("the site counted by %s, from now on by %s: counting anew", meta.rules, rules.name)
    return await _run(client, keys, rules, now_ms)


async def _run(client: Redis, keys: Keys, rules: Rules, now_ms: int) -> int:
    try:
        return await Rebuild(client, keys, rules, now_ms).run()
    finally:
        await client.delete(keys.note("recount"))
        await note_progress(client, keys, ProgressNote("Counting anew", 1))


class Rebuild:
    """One rebuild. `run` it once."""

    def __init__(self, client: Redis, keys: Keys, rules: Rules, now_ms: int) -> None:
        self._client, self._keys, self._rules, self._now_ms = client, keys, rules, now_ms
        self._scripts = Scripts(client, keys)

    async def run(self) -> int:
        """Count anew and swap; the generation that counts now."""
        client, keys = self._client, self._keys
        meta = await read_meta(Reader(client), keys)
        self._target = await self._scripts.rebuild("begin")
        self._rollups = Rollups(client, keys, self._scripts, -self._target, self._rules)
        recount = Recount(self._rules, self._now_ms, await oldest_ms(client, keys), frozenset(fresh(self._rules, meta)))
        carry = CarryOver(client, keys, recount, old_calendar(meta.rules or self._rules.name),
                          (meta.generation, self._target), self._commit)
        shadow = Shadow(client, keys, recount, await carry.rows(), self._commit)
        await shadow.begin(self._note_progress)
        self._check(await self._scripts.rebuild("fence", self._target))
        try:
            shadow.rows = await carry.rows()
            await shadow.keep_up()
            await carry.panes()
        except BaseException:
            await self._scripts.rebuild("leave", self._target)
            raise
        self._check(await self._scripts.rebuild("finish", self._target, self._rules.name, _digests(self._rules),
                                                self._now_ms))
        await forget_other_panes(client, keys, self._target)
        return self._target

    def _check(self, generation: int) -> None:
        if not generation:
            raise RebuildRefused("Another rebuild took over.")

    async def _commit(self, fold: Fold) -> None:
        """Write a fold into the panes being built. Raises RebuildRefused."""
        commit = self._rollups.described(fold, {}, [], self._now_ms, self._now_ms)
        commit.kpis = ()
        refusal = await self._scripts.commit(commit)
        if refusal:
            raise RebuildRefused(f"The rebuild was refused: {refusal}")

    async def _note_progress(self, share: float) -> None:
        await self._client.pexpire(self._keys.note("recount"), _LOCK_MS)
        await note_progress(self._client, self._keys, ProgressNote("Counting anew", share))


async def forget_other_panes(client: Redis, keys: Keys, generation: int) -> None:
    """Delete the panes of every other generation."""
    for kind in ("pane", "unique", "top", "open", "rows"):
        kept = f"{keys.tag}:{kind}:{generation}:".encode()
        found = [name async for name in client.scan_iter(match=f"{keys.tag}:{kind}:*", count=1000)]
        names = [name for name in found if not name.startswith(kept)]
        for start in range(0, len(names), AT_ONCE):
            await client.unlink(*names[start : start + AT_ONCE])


def fresh(rules: Rules, meta: Meta) -> list[str]:
    """The rollups that were not counted so far, or otherwise."""
    return [rollup for rollup, described in rules.catalogue.digests.items() if meta.rollups.get(rollup) != described]


def _digests(rules: Rules) -> str:
    return orjson.dumps(rules.catalogue.digests).decode()
