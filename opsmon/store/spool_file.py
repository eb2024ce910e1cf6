"""A file of records that are on the disk when `append` returns, and that outlive the process that wrote them.

A record is its length, its CRC-32 and its bytes. Each process writes a file of its own and holds it by an
flock for as long as it lives: a file that can be locked is nobody's any more. A file is unlinked only by who
holds it, so whoever locks one that is still linked has it for sure. All of this blocks: see spool.py.
"""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from struct import Struct
from zlib import crc32

log = logging.getLogger("opsmon.spool")

_HEAD = Struct(">II")
_SUFFIX = ".spool"
# macOS has no fdatasync.
_sync = getattr(os, "fdatasync", os.fsync)


class SpoolFile:
    """One file, held by this process. `size_bytes` is what is durable, `count` the records not yet forgotten."""

    def __init__(self, path: Path, file: int) -> None:
        self.path, self._file = path, file
        self.size_bytes, self.count = 0, 0
        self._forgotten = 0

    def append(self, records: Sequence[bytes]) -> None:
        """Write records, none of them empty, and wait for the disk. Raises OSError; then none of them is there."""
        data = b"".join(_HEAD.pack(len(record), crc32(record)) + record for record in records)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self.size_bytes + written)
            _sync(self._file)
        except OSError:
            # Half a record, or one that may not be durable, would hide those behind it.
            with suppress(OSError):
                os.ftruncate(self._file, self.size_bytes)
            raise
        self.size_bytes += len(data)
        self.count += len(records)

    def oldest(self, most: int, most_bytes: int) -> list[bytes]:
        """The oldest records not yet forgotten: at most so many, and not much beyond so many bytes."""
        found: list[bytes] = []
        for record in self._records(self._forgotten):
            found.append(record)
            most_bytes -= len(record)
            if len(found) == most or most_bytes <= 0:
                break
        return found

    def forget(self, records: Sequence[bytes]) -> None:
        """Forget the oldest, as they were read. Once all are, the file is empty. Raises OSError."""
        self._forgotten += sum(_HEAD.size + len(record) for record in records)
        self.count -= len(records)
        if self._forgotten == self.size_bytes:
            os.ftruncate(self._file, 0)
            self._forgotten = self.size_bytes = 0

    def is_unreadable(self) -> bool:
        """Whether records are left of which the next cannot be read: the disk does not give back what it took."""
        return self.count > 0 and next(self._records(self._forgotten), None) is None

    def set_aside(self) -> None:
        """Keep the file for a person to look at, under a name that nobody reads; let go of it. Raises OSError."""
        try:
            self.path.rename(self.path.with_suffix(".unreadable"))
        finally:
            os.close(self._file)

    def remove(self) -> None:
        """Delete the file if nothing is left in it, and let go of it. Raises OSError."""
        try:
            if self._forgotten == self.size_bytes:
                self.path.unlink(missing_ok=True)
        finally:
            os.close(self._file)

    def measure(self) -> None:
        """Count what another process left, and cut off a record that it did not finish. Raises OSError."""
        found_bytes = self.size_bytes = os.fstat(self._file).st_size
        good_bytes = 0
        for record in self._records(0):
            good_bytes += _HEAD.size + len(record)
            self.count += 1
        if good_bytes < found_bytes:
            log.warning("%s: the last %d bytes are no whole record: cut off", self.path, found_bytes - good_bytes)
            os.ftruncate(self._file, good_bytes)
        self.size_bytes = good_bytes

    def _records(self, at: int) -> Iterator[bytes]:
        while True:
            head = os.pread(self._file, _HEAD.size, at)
            length, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
            # After a crash a file may end in zeros: an empty record is none.
            if not 0 < length <= self.size_bytes - at - _HEAD.size:
                return
            record = os.pread(self._file, length, at + _HEAD.size)
            if crc32(record) != checksum:
                return
            yield record
            at += _HEAD.size + length


def make(folder: Path) -> SpoolFile:
    """A new file, held by this process. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = None
    # Between making and locking it, another process may have found and removed it.
    while held is None:
        held = _hold(folder / f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}", os.O_CREAT | os.O_EXCL)
    listing = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(listing)
    finally:
        os.close(listing)
    return held


def abandoned(folder: Path) -> list[SpoolFile]:
    """What processes that are gone left behind, oldest first: held by this one from now on. Raises OSError."""
    found: list[SpoolFile] = []
    paths = [path for path in folder.iterdir() if path.suffix == _SUFFIX] if folder.is_dir() else []
    for path in sorted(paths, key=_changed_ns):
        held = _hold(path)
        if held is not None:
            held.measure()
            found.append(held)
    return found


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _hold(path: Path, flags: int = 0) -> SpoolFile | None:
    """Open a file and hold it; None when another process does, or it is gone. Raises OSError."""
    try:
        file = os.open(path, os.O_RDWR | flags, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file).st_nlink:
            return SpoolFile(path, file)
    except BlockingIOError:
        pass
    except OSError:
        os.close(file)
        raise
    os.close(file)
    return None
