"""The log of alerts -> files by month on this disk; what is long in the files leaves the store.

Copying goes on behind the newest line of the files, so that whoever is killed anywhere and starts again copies what is
lacking, once: a line has its id. Each machine copies for itself. From the store goes what is old, or beyond what the
store is to hold, and only after it was read back from the files of this machine, line by line.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis

from opsmon.clock import Clock
from opsmon.core.calendar import DAY_MS
from opsmon.store.alerts.archive import ARCHIVE_ERRORS, Archive
from opsmon.store.alerts.history import entry_of
from opsmon.store.alerts.month_file import Entry, place_of
from opsmon.store.connection import STORE_ERRORS
from opsmon.store.keys import Keys

log = logging.getLogger("opsmon.archivist")

# What digests and other machines look at.
KEPT_MS = 35 * DAY_MS
# About 10 MB of the store.
MOST_LINES = 20_000
_AT_ONCE = 500
_EVERY_S = 2.0


class Archivist:
    """Copies and trims the log of one site until it is told to stop."""

    def __init__(self, client: Redis, keys: Keys, archive: Archive, clock: Clock, most_lines: int = MOST_LINES) -> None:
        self._client, self._key, self._archive, self._clock = client, keys.alert_log, archive, clock
        self._most_lines = most_lines
        self._trouble = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Archive until `stop` is set. A store that is away and a disk that is full are waited for."""
        while not stop.is_set():
            try:
                await self.run_once()
                self._trouble = ""
            except (*STORE_ERRORS, *ARCHIVE_ERRORS) as error:
                if str(error) != self._trouble:
                    log.error("the history of alerts cannot be archived: %s: %s", type(error).__name__, error)
                self._trouble = str(error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _EVERY_S)
        await self._archive.close()

    async def run_once(self) -> None:
        """Copy what is new, then let go what may. May be repeated, and by several at once. Raises STORE_ERRORS and
        ARCHIVE_ERRORS; then nothing left the store that is not in a file."""
        while entries := await self._entries(f"({_text(await self._archive.newest())}", "+", _AT_ONCE):
            await self._archive.keep(entries)
        while await self._trim():
            pass

    async def _trim(self) -> bool:
        """Let some old lines go; whether there may be more."""
        old_id = f"{max(self._clock.now_ms() - KEPT_MS, 1)}-0"
        too_many = int(await self._client.xlen(self._key)) - self._most_lines
        entries = await self._entries("-", "+" if too_many > 0 else f"({old_id}", _AT_ONCE)
        if too_many > 0:
            old = sum(1 for entry_id, _ in entries if place_of(entry_id) < place_of(old_id))
            entries = entries[:max(too_many, old)]
        if not entries:
            return False
        if await self._archive.count_kept(entries) < len(entries):
            await self._archive.keep(entries)
        kept = await self._archive.count_kept(entries)
        if kept < len(entries):
            raise OSError(f"the line {entries[kept][0]} is not in its file as it was written")
        ms, number = place_of(entries[-1][0])
        await self._client.xtrim(self._key, minid=f"{ms}-{number + 1}", approximate=False)
        return True

    async def _entries(self, start: str, end: str, count: int) -> list[Entry]:
        found: Any = await self._client.xrange(self._key, start, end, count)
        return [entry_of(entry_id, fields) for entry_id, fields in found]


def _text(place: tuple[int, int]) -> str:
    return f"{place[0]}-{place[1]}"
