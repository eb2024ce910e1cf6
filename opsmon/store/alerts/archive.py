"""The history of alerts on this disk: a file for each month under <data>/alerts/<site>, see month_file.py.

The files hold all that was copied of the log so far, also what the store still has. Months are those of the lines' ids
in UTC. What blocks is done in threads, one at a time.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, takewhile
from pathlib import Path
from threading import Lock
from typing import TypeVar

from opsmon.store.alerts.alert_queries import SoughtLines
from opsmon.store.alerts.month_file import START, Entry, Moment, MonthFile, Place, place_of
from opsmon.threads import in_thread

log = logging.getLogger("opsmon.history")

T = TypeVar("T")
# A file that is not ours, or not whole, or that another process keeps longer than we wait; a disk that is full.
ARCHIVE_ERRORS = (sqlite3.Error, OSError)
_NAME = "[0-9][0-9][0-9][0-9]-[0-9][0-9].sqlite"
_NOBODY_ELSE = 0o700
# The end of the year 9999, after which there are no dates.
_LAST_S = 253_402_300_799


@dataclass(slots=True)
class Found:
    """Lines, newest first, and the months whose file could not be read."""

    entries: list[Entry] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class Archive:
    """The files of one site."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before there is something to keep."""
        self.folder = folder
        self._lock = Lock()
        self._opened: dict[Path, tuple[int, MonthFile]] = {}
        self._unread: set[Path] = set()

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Take lines in; they are on the disk when it returns. May be repeated. Raises ARCHIVE_ERRORS."""
        await self._alone(lambda: self._keep(entries))

    async def count_kept(self, entries: Sequence[Entry]) -> int:
        """How many of these lines, from the first on, are read back from the files exactly as they are."""
        return await self._alone(lambda: self._count_kept(entries))

    async def newest(self) -> Place:
        """The id of the newest line, START where there is none; a damaged file has none. Raises ARCHIVE_ERRORS."""
        return await self._alone(self._newest)

    async def before(self, sought: SoughtLines, place: Place, count: int) -> Found:
        """At most `count` lines before a place, newest first."""
        return await self._alone(lambda: self._before(sought, place, count))

    async def months(self) -> list[str]:
        """Which months there are, oldest first: '2026-11'."""
        return await self._alone(lambda: [path.stem for path in reversed(self._paths())])

    async def between(self, month: str, sought: SoughtLines, after: Moment, until_ms: int, count: int
                      ) -> list[tuple[Moment, Entry]]:
        """At most `count` lines of a month, see MonthFile. Raises ARCHIVE_ERRORS."""
        path = self.folder / f"{month}.sqlite"
        return await self._alone(lambda: self._open(path).between(sought, after, until_ms, count))

    async def clear(self) -> None:
        """Forget all lines. May be repeated. Raises ARCHIVE_ERRORS."""
        await self._alone(self._clear)

    async def close(self) -> None:
        """Give the files back."""
        await self._alone(self._close)

    async def _alone(self, act: Callable[[], T]) -> T:
        def alone() -> T:
            with self._lock:
                return act()

        return await in_thread(alone)

    def _keep(self, entries: Sequence[Entry]) -> None:
        self.folder.mkdir(mode=_NOBODY_ELSE, parents=True, exist_ok=True)
        for path, found in groupby(entries, self._path_of):
            lines = list(found)
            self._write(path, lambda file, lines=lines: file.keep(lines))  # type: ignore[misc]
            _sync(self.folder)

    def _write(self, path: Path, act: Callable[[MonthFile], None]) -> None:
        try:
            act(self._open(path))
        except sqlite3.OperationalError:
            raise  # locked, or the disk is full: it is whole
        except sqlite3.DatabaseError as error:
            self._put_aside(path, error)
            act(self._open(path))

    def _put_aside(self, path: Path, error: Exception) -> None:
        """Make room for a new file where there is none that can be written; what the store still has is copied anew."""
        aside = path.with_name(f"{path.name}.damaged-{path.stat().st_ino}")
        log.error("the history of alerts in %s cannot be read (%s): it is kept as %s", path, error, aside.name)
        path.rename(aside)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)

    def _count_kept(self, entries: Sequence[Entry]) -> int:
        kept: list[Entry | None] = []
        for path, found in groupby(entries, self._path_of):
            ids = [place_of(entry_id) for entry_id, _ in found]
            kept += self._ask(path, lambda file, ids=ids: file.read_back(ids)) or [None] * len(ids)  # type: ignore[misc]
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(kept, entries, strict=True)))

    def _newest(self) -> Place:
        for path in self._paths():
            newest = self._ask(path, MonthFile.newest, but=sqlite3.OperationalError) or START
            if newest != START:
                return newest
        return START

    def _before(self, sought: SoughtLines, place: Place, count: int) -> Found:
        found = Found()
        for path in self._paths():
            lacking = count - len(found.entries)
            if lacking == 0:
                break
            if _start_ms(path.stem) > place[0]:
                continue
            read = self._ask(path, lambda file, n=lacking: file.before(sought, place, n))  # type: ignore[misc]
            found.entries += read or []
            found.unread += [path.stem] if read is None else []
        return found

    def _ask(self, path: Path, ask: Callable[[MonthFile], T], but: type[Exception] | tuple[()] = ()) -> T | None:
        """What a file answers; None where it cannot be read, which the log says once. Raises `but`."""
        if not path.exists():
            return None
        try:
            answer = ask(self._open(path))
        except but:
            raise
        except ARCHIVE_ERRORS as error:
            if path not in self._unread:
                log.error("the history of alerts in %s cannot be read: %s", path, error)
            self._unread.add(path)
            return None
        self._unread.discard(path)
        return answer

    def _open(self, path: Path) -> MonthFile:
        """A file, as it lies there now: it may be another one than that which was opened."""
        number = path.stat().st_ino if path.exists() else -1
        known, file = self._opened.get(path, (-1, None))
        if file is not None and known == number:
            return file
        if file is not None:
            file.close()
        file = MonthFile(path)
        self._opened[path] = path.stat().st_ino, file
        return file

    def _clear(self) -> None:
        for path in self._paths():
            self._write(path, MonthFile.clear)

    def _close(self) -> None:
        for _, file in self._opened.values():
            file.close()
        self._opened.clear()

    def _path_of(self, entry: Entry) -> Path:
        return self.folder / f"{month_of(place_of(entry[0]))}.sqlite"

    def _paths(self) -> list[Path]:
        """Newest first."""
        return sorted(self.folder.glob(_NAME), reverse=True)


def month_of(place: Place) -> str:
    """The month of an id, in UTC: '2026-11'."""
    return datetime.fromtimestamp(min(place[0] // 1000, _LAST_S), UTC).strftime("%Y-%m")


def _start_ms(month: str) -> int:
    return int(datetime.strptime(f"{month} +0000", "%Y-%m %z").timestamp() * 1000)


def _sync(folder: Path) -> None:
    """The folder's entry of a new file is on the disk too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
