"""Panes that no retained event covers: taken over from the generation that counted so far.

A hash whose panes are all older than the retained events is copied by the server, whole. One that has
both is read, and its old panes are added. After a change of the zone an old pane goes where its beginning
now falls.
"""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from opsmon.core.calendar import HOUR_MS, MINUTE_MS, Level, SiteCalendar
from opsmon.core.catalogue import Rollup
from opsmon.core.folding import Fold, kept
from opsmon.core.measures import STORAGE
from opsmon.core.panes import BLOCK_MINUTES, Hash, expires_ms, slot_of
from opsmon.core.recounting import Recount, is_remembered
from opsmon.core.requests import Parsed, parse
from opsmon.store.keys import Keys

_SECOND_MS = 1_000


def old_calendar(rules: str) -> SiteCalendar:
    """The calendar that rules name: `Europe/Berlin+0 1f0a…`."""
    zone, _, day_start = rules.partition(" ")[0].rpartition("+")
    return SiteCalendar(ZoneInfo(zone), int(day_start))


class CarryOver:
    """From one generation to another; `commit` writes a fold into the new one."""

    def __init__(self, client: Redis, keys: Keys, recount: Recount, old: SiteCalendar,
                 generations: tuple[int, int], commit: Callable[[Fold], Awaitable[None]]) -> None:
        self._client, self._keys, self._recount, self._old = client, keys, recount, old
        self._from, self._to = generations
        self._commit = commit
        self._rollups = {rollup.id: rollup for rollup in recount.rules.catalogue.rollups
                         if rollup.id not in recount.fresh}

    async def rows(self) -> dict[tuple[str, str], set[str]]:
        """Let the rows that dimensions tell apart be told apart again; all of them. May be repeated."""
        found = {}
        start = self._keys.rows(self._from, "", "").rpartition(":")[0].rpartition(":")[0]
        for key in await self._names(f"{start}:*"):
            rollup, _, span = key.removeprefix(f"{start}:").partition(":")
            if rollup in self._rollups:
                target = self._keys.rows(self._to, rollup, span)
                await self._client.sunionstore(target, [target, key])
                members: Any = await self._client.smembers(target)
                found[rollup, span] = {row.decode() for row in members}
        return found

    async def panes(self) -> None:
        """Take over every pane that is not counted anew."""
        for kind in ("pane", "unique", "top"):
            start = f"{self._keys.tag}:{kind}:{self._from}:"
            for key in await self._names(start + "*"):
                rollup_id, level, span = key.removeprefix(start).split(":", 2)
                rollup = self._rollups.get(rollup_id)
                if rollup is not None and not is_remembered(rollup):
                    await self._take_over(key, kind, rollup, Hash(rollup_id, level, span))  # type: ignore[arg-type]

    async def _take_over(self, key: str, kind: str, rollup: Rollup, found: Hash) -> None:
        first_ms, last_ms = stretch(found, rollup, self._old)
        if self._recount.wants(rollup, found.level, first_ms):
            return
        is_whole = not self._recount.wants(rollup, found.level, last_ms)
        is_same = self._old.name == self._recount.rules.calendar.name
        if kind != "pane" or found.level == "n" or (is_whole and is_same):
            await self._client.copy(key, self._keys.panes(self._to, found, kind))
        else:
            stored: Any = await self._client.hgetall(key)
            await self._commit(self._old_part(rollup, found, parse(stored, rollup, found.level)))

    def _old_part(self, rollup: Rollup, found: Hash, panes: Parsed) -> Fold:
        fold = Fold()
        for pane, rows in panes.items():
            start_ms = start_of(found, pane, rollup, self._old)
            if not self._recount.wants(rollup, found.level, start_ms):
                self._add(fold, rollup, found.level, start_ms, rows)  # type: ignore[arg-type]
        return fold

    def _add(self, fold: Fold, rollup: Rollup, level: Level, start_ms: int, rows: Any) -> None:
        place = self._recount.rules.calendar.place(start_ms)
        pane = next(pane for pane in place if pane.level == level)
        slot = slot_of(pane, place, is_whole=rollup.is_whole)
        pane_hash = Hash(rollup.id, level, slot.span)
        fold.expires_ms[pane_hash] = expires_ms(pane.end_ms, kept(rollup, level, self._recount.rules.retention))
        into: dict[str, Any] = (fold.joins if STORAGE[rollup.measure] == "joins" else fold.increments).setdefault(
            pane_hash, {})
        for row, aggregates in rows.items():
            for name, amount in aggregates.items():
                field = slot.prefix + (f"{row}.{name}" if row else name)
                into[field] = amount if isinstance(amount, tuple) else into.get(field, 0) + amount

    async def _names(self, pattern: str) -> list[str]:
        return [name.decode() async for name in self._client.scan_iter(match=pattern, count=1000)]


def stretch(found: Hash, rollup: Rollup, calendar: SiteCalendar) -> tuple[int, int]:
    """The first and the last instant that a hash has panes of."""
    if found.level == "n":
        return 0, 0
    span = found.span.partition(":")[0]
    if found.level == "m":
        length_ms = BLOCK_MINUTES * MINUTE_MS if rollup.is_whole else HOUR_MS
        return int(span) * _SECOND_MS, int(span) * _SECOND_MS + length_ms - 1
    if found.level == "h" and rollup.is_whole:
        return int(span) * _SECOND_MS, int(span) * _SECOND_MS + HOUR_MS - 1
    if len(span) == 8:
        day = date(int(span[:4]), int(span[4:6]), int(span[6:]))
        return calendar.day_begins(day), calendar.day_begins(day + timedelta(days=1)) - 1
    month = date(int(span[:4]), int(span[4:]), 1)
    return calendar.day_begins(month), calendar.day_begins((month + timedelta(days=31)).replace(day=1)) - 1


def start_of(found: Hash, pane: str, rollup: Rollup, calendar: SiteCalendar) -> int:
    """The instant a pane of a hash begins at."""
    first_ms, _ = stretch(found, rollup, calendar)
    if found.level == "m" and rollup.is_whole:
        return first_ms + int(pane) % BLOCK_MINUTES * MINUTE_MS
    if found.level in ("m", "h") and pane:
        return first_ms + int(pane) * MINUTE_MS
    if found.level == "d" and pane:
        return calendar.day_begins(date(int(found.span[:4]), int(found.span[4:]), int(pane)))
    return first_ms
