"""Whoever archives may die at any step: no line is lost, none is there twice, and all that left the store is whole."""

import subprocess
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.store.alerts.archive import Archive
from opsmon.store.embedded import EmbeddedStore
from opsmon.workers.archiving import Archivist
from tests.store.alert_lines import KEYS, in_files, in_store
from tests.workers.alerting.killed_archivist import ALL

pytestmark = [pytest.mark.anyio, pytest.mark.kill]


@pytest.mark.parametrize("first", [1, 4, 7])
async def test_killed_at_any_of_250_steps_no_line_is_lost_or_doubled(
        first: int, store: Redis, server: EmbeddedStore, tmp_path: Path) -> None:
    """Killed by the system, in a transaction and between the file and the store; more lines come all the time."""
    folder = tmp_path / "alerts"
    ran = subprocess.run([sys.executable, "-m", "tests.workers.alerting.killed_archivist", server.url, str(folder),
                          str(first), "250", "9"], capture_output=True, text=True, check=True)
    killed, come = map(int, ran.stdout.split())
    between, archive = await in_store(store), Archive(folder)
    copied = [entry_id for entry_id, _ in await in_files(archive)]
    ids = [entry_id for entry_id, _ in ALL[:come]]
    assert (sorted({*copied, *between}), copied == ids[:len(copied)]) == (sorted(ids), True)
    await Archivist(store, KEYS, archive, ManualClock(0), most_lines=60).run_once()
    assert (await in_files(archive), await in_store(store), killed > 20) == (ALL[:come], ids[-60:], True)
    await archive.close()
