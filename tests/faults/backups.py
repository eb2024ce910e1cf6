"""A backup in the middle of everything, by the real commands, and what it comes to on another store."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from opsmon.workers.verify import Difference
from tests.faults.runs import CHUNK, append, verified
from tests.faults.trade import Trade
from tests.waiting import wait_until
from tests.workers.fleet import Fleet

_PAUSE_S = 0.3


@dataclass
class BackedUp:
    """How many events came with the backup, what `verify` finds there and here, and how long the backup took."""

    events: int
    differences: list[Difference]
    left_behind: list[Difference]
    seconds: float


def back_up(fleet: Fleet, other: Fleet, trade: Trade) -> BackedUp:
    """Back up while events are appended and counted; restore on the other; let workers finish on both."""
    for name in ("worker-1", "worker-2"):
        fleet.start(name)
    is_made = threading.Event()
    sending = threading.Thread(target=_send, args=(fleet, trade, is_made))
    sending.start()
    wait_until(lambda: fleet.in_hand("worker-1") or fleet.in_hand("worker-2"), "a batch in hand")
    path, began_s = fleet.folder / "backup.tar.gz", time.monotonic()
    _opsmon("backup", path, fleet)
    seconds = time.monotonic() - began_s
    is_made.set()
    _opsmon("restore", path, other)
    events = sum(int(other.client.xlen(key)) for key in other.keys.streams)
    other.start("worker-1")
    sending.join()
    for one in (fleet, other):
        one.wait_until_drained()
    return BackedUp(events, verified(other.store.url), verified(fleet.store.url), seconds)


def _send(fleet: Fleet, trade: Trade, is_made: threading.Event) -> None:
    """Some at a time, so that there are enough for as long as it takes; then the rest at once."""
    for start in range(0, len(trade.deliveries), CHUNK):
        append(fleet, trade.deliveries[start : start + CHUNK])
        is_made.wait(_PAUSE_S)


def _opsmon(verb: str, path: Path, fleet: Fleet) -> None:
    ended = subprocess.run([sys.executable, "-m", "opsmon", verb, str(path), "--store", fleet.store.url, "--data",
                            str(fleet.folder / "data")], capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
