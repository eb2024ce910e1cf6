"""Query: what became of alerts, from the beginning: the files of the archive, and behind them what only the store has.

Lines come to the files within seconds (workers/archiving.py), so that what is read of the store is short. Where there
is no worker beside this process the files are few or none, and the store answers for what it still has.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from opsmon.store.alerts.alert_queries import LogLine, SoughtLines, line_of, log_page
from opsmon.store.alerts.archive import ARCHIVE_ERRORS, Archive
from opsmon.store.alerts.month_file import END, START, Entry, Moment, Place, place_of
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

log = logging.getLogger("opsmon.history")

_AT_A_TIME = 500
ANY = SoughtLines()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Lines, newest first; the id to go on from, '' at the end; months whose file could not be read."""

    lines: tuple[LogLine, ...]
    last: str = ""
    unread: tuple[str, ...] = ()


class History:
    """Reads the history of one site. Raises STORE_ERRORS."""

    def __init__(self, reader: Reader, keys: Keys, archive: Archive) -> None:
        self._reader, self._keys, self._archive = reader, keys, archive

    async def page(self, sought: SoughtLines, count: int, before: str = "") -> HistoryPage:
        """At most `count` lines before an id, newest first."""
        copied = await self._copied()
        place = place_of(before) if before else END
        lines, last = ([], "") if place <= copied else await log_page(
            self._reader, self._keys, sought, count, before or "+", after=_id(copied))
        if len(lines) == count or last:
            return HistoryPage(tuple(lines), last)
        # One more than is asked for tells whether there is more.
        lacking = count - len(lines)
        found = await self._archive.before(sought, min(place, (copied[0], copied[1] + 1)), lacking + 1)
        lines += [line_of(*entry) for entry in found.entries[:lacking]]
        is_more = len(found.entries) > lacking
        return HistoryPage(tuple(lines), lines[-1].id if is_more and lines else "", tuple(found.unread))

    async def between(self, since_ms: int, until_ms: int, sought: SoughtLines = ANY) -> AsyncIterator[LogLine]:
        """Every line from an instant on and before another one, oldest first: it may be millions, so take them as they
        come. A month that cannot be read is left out, and the log says so."""
        copied = await self._copied()
        for month in await self._archive.months():
            after = (since_ms, -1, 0)
            while found := await self._some(month, sought, after, until_ms):
                after = found[-1][0]
                # What was copied since comes below.
                for entry in (entry for _, entry in found if place_of(entry[0]) <= copied):
                    yield line_of(*entry)
        async for line in self._uncopied(copied):
            if since_ms <= line.at_ms < until_ms and sought.has(line):
                yield line

    async def _some(self, month: str, sought: SoughtLines, after: Moment, until_ms: int
                    ) -> list[tuple[Moment, Entry]]:
        try:
            return await self._archive.between(month, sought, after, until_ms, _AT_A_TIME)
        except ARCHIVE_ERRORS as error:
            log.error("the history of alerts of %s cannot be read: %s", month, error)
            return []

    async def _copied(self) -> Place:
        """Up to where the files go; while they cannot be read the store answers for what it has."""
        try:
            return await self._archive.newest()
        except ARCHIVE_ERRORS:
            return START

    async def _uncopied(self, copied: Place) -> AsyncIterator[LogLine]:
        start = _id(copied)
        while entries := await self._reader.entries(self._keys.alert_log, f"({start}", "+", _AT_A_TIME):
            for entry_id, fields in entries:
                start = entry_id.decode()
                yield line_of(start, texts(fields))


def texts(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    """An entry of the stream as texts."""
    return {name.decode(): value.decode("utf-8", "replace") for name, value in fields.items()}


def entry_of(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    """An entry of the stream as the files keep it."""
    return entry_id.decode(), texts(fields)


def _id(place: Place) -> str:
    return f"{place[0]}-{place[1]}" if place != START else "0-0"
