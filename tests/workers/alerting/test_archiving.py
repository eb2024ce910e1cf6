"""The log of alerts goes to files: all of it, soon; from the store what is old, and only what was read back."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from opsmon.app.site import archive as files_of
from opsmon.app.worker import run_worker
from opsmon.clock import ManualClock
from opsmon.core.calendar import DAY_MS, HOUR_MS
from opsmon.settings import Settings
from opsmon.store.alerts.archive import Archive
from opsmon.workers.archiving import KEPT_MS, Archivist
from tests.conftest import NOW_MS
from tests.store.alert_lines import KEYS, in_files, in_store, lines, put
from tests.waiting import wait_until_async

pytestmark = pytest.mark.anyio

# 50 days of them.
ALL = lines(1_200, step_ms=2 * HOUR_MS)
IDS = [entry_id for entry_id, _ in ALL]
YOUNG = [entry_id for entry_id in IDS if int(entry_id[:13]) >= NOW_MS - KEPT_MS]


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    """The files of a site."""
    made = Archive(tmp_path / "alerts")
    yield made
    await made.close()


async def test_all_is_copied_and_what_is_old_leaves_the_store(
        store: Redis, archive: Archive, clock: ManualClock) -> None:
    """After 35 days; the files have every line as it was."""
    await put(store, ALL)
    await Archivist(store, KEYS, archive, clock).run_once()
    assert (await in_files(archive), await in_store(store)) == (ALL, YOUNG)


async def test_the_store_holds_no_more_than_it_is_to(store: Redis, archive: Archive, clock: ManualClock) -> None:
    """A storm of alerts does not fill it."""
    await put(store, ALL)
    await Archivist(store, KEYS, archive, clock, most_lines=100).run_once()
    assert (await in_files(archive), await in_store(store)) == (ALL, IDS[-100:])


async def test_archiving_goes_on_where_it_was(store: Redis, archive: Archive, clock: ManualClock) -> None:
    """Each line once, however often it looks."""
    for start in range(0, len(ALL), 100):
        await put(store, ALL[start : start + 100])
        await Archivist(store, KEYS, archive, clock, most_lines=150).run_once()
    assert (await in_files(archive), await in_store(store)) == (ALL, IDS[-150:])


async def test_two_at_once_keep_each_line_once(store: Redis, tmp_path: Path, clock: ManualClock) -> None:
    """Two workers of one machine have the same files."""
    await put(store, ALL)
    both = [Archive(tmp_path / "alerts") for _ in range(2)]
    await asyncio.gather(*(Archivist(store, KEYS, one, clock, most_lines=10).run_once() for one in both))
    assert (await in_files(both[0]), await in_store(store)) == (ALL, IDS[-10:])
    for one in both:
        await one.close()


async def test_every_machine_has_all_of_it(store: Redis, tmp_path: Path, clock: ManualClock) -> None:
    """Each copies for itself before the store lets go."""
    for start in range(-400, 0, 100):
        await put(store, ALL[start : start + 100 or None])
        for name in ("one", "two"):
            archive = Archive(tmp_path / name)
            await Archivist(store, KEYS, archive, clock, most_lines=100).run_once()
            await archive.close()
    assert [await in_files(Archive(tmp_path / name)) for name in ("one", "two")] == [ALL[-400:], ALL[-400:]]


async def test_a_lost_month_is_written_anew_before_the_store_lets_go(
        store: Redis, archive: Archive, clock: ManualClock) -> None:
    """Somebody deleted a file: what the store still has is there again."""
    await put(store, ALL)
    await Archivist(store, KEYS, archive, clock).run_once()
    (archive.folder / "2026-10.sqlite").unlink()
    clock.advance(40 * DAY_MS)
    await Archivist(store, KEYS, archive, clock).run_once()
    assert [entry_id for entry_id, _ in await in_files(archive) if entry_id in YOUNG] == YOUNG
    assert await in_store(store) == []


async def test_nothing_leaves_the_store_that_cannot_be_kept(
        store: Redis, archive: Archive, clock: ManualClock) -> None:
    """Another process keeps the file: that is said, and all stays."""
    await put(store, ALL[-10:])
    await archive.keep(ALL[-10:-9])
    other = sqlite3.connect(archive.folder / "2026-11.sqlite", isolation_level=None)
    other.execute("begin exclusive")
    archivist = Archivist(store, KEYS, archive, clock, most_lines=1)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await archivist.run_once()
    before = await in_store(store)
    other.close()
    await archivist.run_once()
    assert (before, await in_store(store), await in_files(archive)) == (IDS[-10:], IDS[-1:], ALL[-10:])


async def test_it_runs_beside_the_worker_until_it_is_told_to_stop(
        store: Redis, archive: Archive, clock: ManualClock) -> None:
    """A folder that cannot be written is waited for."""
    await put(store, ALL)
    archive.folder.write_text("in the way")
    stop = asyncio.Event()
    running = asyncio.create_task(Archivist(store, KEYS, archive, clock).run(stop))
    await asyncio.sleep(0)
    archive.folder.unlink()

    async def copied() -> bool:
        return await archive.newest() == (NOW_MS, 1) or await in_files(archive) == ALL

    await wait_until_async(copied, "the files", 30)
    stop.set()
    await running
    shutil.rmtree(archive.folder)


async def test_whoever_runs_a_worker_has_an_archive(store: Redis, settings: Settings, clock: ManualClock) -> None:
    """It needs no process and no setting of its own."""
    await put(store, ALL[-20:])
    stop, files = asyncio.Event(), files_of(settings)
    working = asyncio.create_task(run_worker(settings, stop, clock))

    async def copied() -> bool:
        return await in_files(files) == ALL[-20:]

    await wait_until_async(copied, "the files", 30)
    stop.set()
    await working
    await files.close()
