"""How long the disk takes to make a write durable: the price of every answer under `appendfsync always`."""

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

_WRITES = 32
_BLOCK = bytes(4096)
_BUDGET_S = 0.4
# macOS has no fdatasync.
_sync = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True)
class FsyncTimes:
    """Measured times of `count` synced writes, microseconds."""

    median_us: int
    p99_us: int
    count: int


def measure_fsync_us(folder: Path) -> FsyncTimes:
    """Append 4 KiB and sync, up to 32 times or 0.4 s, in a file of its own. Raises OSError."""
    path = folder / f".fsync-{os.getpid()}"
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        times = _synced_writes(file)
    finally:
        os.close(file)
        path.unlink()
    return FsyncTimes(round(statistics.median(times)), times[(len(times) * 99 - 1) // 100], len(times))


def _synced_writes(file: int) -> list[int]:
    times: list[int] = []
    end_s = time.perf_counter() + _BUDGET_S
    while len(times) < _WRITES and (not times or time.perf_counter() < end_s):
        start_ns = time.perf_counter_ns()
        os.write(file, _BLOCK)
        _sync(file)
        times.append((time.perf_counter_ns() - start_ns) // 1_000)
    return sorted(times)
