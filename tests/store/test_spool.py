"""What a sender who never sends again told us while the store was away waits on the disk, and is not lost."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opsmon.clock import ManualClock
from opsmon.core.errors import StoreUnavailable
from opsmon.store.appender import Appender
from opsmon.store.connection import Reader, ingest_client, worker_client
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.event_stream import checksum
from opsmon.store.keys import MOST_HELD, Keys
from opsmon.store.notes import note_spool, read_spools
from opsmon.store.scripts import Scripts, Taken
from opsmon.store.spool import Spool, SpoolState, pack, unpack
from opsmon.store.spool_file import SpoolFile, abandoned, make
from tests.conftest import NOW_MS
from tests.waiting import wait_until, wait_until_async
from tests.web.own_store import own_store

pytestmark = pytest.mark.anyio


def delivery(number: int, source: str = "odoo") -> Taken:
    """A delivery whose bytes tell its number."""
    payload = b"[%d]" % number
    return Taken("event", source, f"{source}:{number}", payload, checksum(payload))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A store of this test's own, started."""
    with own_store(tmp_path) as started:
        yield started


@asynccontextmanager
async def opened(store: EmbeddedStore, folder: Path, **more: int) -> AsyncIterator[Spool]:
    """A spool on a store; nothing brings what it keeps but the test."""
    client = ingest_client(store.url)
    clock = ManualClock(NOW_MS)
    spool = Spool(folder, Appender(Scripts(client, Keys("main")), clock), clock, **more)
    try:
        yield spool
    finally:
        await spool.close()
        await client.aclose()


async def stream(store: EmbeddedStore) -> list[bytes]:
    """The payloads in the stream, oldest first."""
    client = worker_client(store.url)
    try:
        return [fields[b"e"] for _, fields in await client.xrange(Keys("main").events)]
    finally:
        await client.aclose()


def payloads(*numbers: int) -> list[bytes]:
    """What deliveries of these numbers leave in the stream."""
    return [b"[%d]" % number for number in numbers]


# --- the store is away ------------------------------------------------------------------------------------------


async def test_while_the_store_is_there_nothing_is_kept_on_the_disk(store: EmbeddedStore, tmp_path: Path) -> None:
    """Not even a folder is made."""
    async with opened(store, tmp_path / "spool") as spool:
        assert await spool.take([delivery(1)]) == ["event"]
        assert (await stream(store), (tmp_path / "spool").exists()) == (payloads(1), False)


async def test_what_comes_while_the_store_is_gone_is_brought_in_order(store: EmbeddedStore, tmp_path: Path) -> None:
    """First come, first counted."""
    async with opened(store, tmp_path / "spool") as spool:
        store.stop()
        kept = [await spool.take([delivery(number)]) for number in range(5)]
        store.start()
        assert (kept, await spool.bring(), await stream(store)) == ([["spooled"]] * 5, 5, payloads(0, 1, 2, 3, 4))


async def test_while_the_store_hangs_an_answer_comes_before_odoo_gives_up(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    """The first waits for the store a little; those behind it not at all."""
    async with opened(store, tmp_path / "spool") as spool:
        await spool.take([delivery(0)])
        assert store.pid
        os.kill(store.pid, signal.SIGSTOP)
        started_s = asyncio.get_running_loop().time()
        outcomes = await asyncio.gather(*(spool.take([delivery(number)]) for number in range(1, 21)))
        took_s = asyncio.get_running_loop().time() - started_s
        os.kill(store.pid, signal.SIGCONT)
        assert (outcomes, took_s < 1.0) == ([["spooled"]] * 20, True)
        assert (await spool.bring(), sorted(await stream(store))) == (20, sorted(payloads(*range(21))))


async def test_what_was_answered_is_kept_even_of_a_source_that_is_stopped(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    """Too many dead letters refuse the next one; not one that was answered 200 already."""
    async with opened(store, tmp_path / "spool") as spool, worker_client(store.url) as client:
        await client.hset(Keys("main").counts, "odoo:held", MOST_HELD)
        store.stop()
        kept = await spool.take([Taken("dead", "odoo", "odoo:1", b"{", "the body is not JSON\n{}")])
        store.start()
        assert (kept, await spool.bring(), await client.xlen(Keys("main").dead)) == (["spooled"], 1, 1)


async def test_what_comes_while_others_wait_goes_behind_them(store: EmbeddedStore, tmp_path: Path) -> None:
    """Though the store is back: order is kept."""
    async with opened(store, tmp_path / "spool") as spool:
        store.stop()
        await spool.take([delivery(1)])
        store.start()
        assert await spool.take([delivery(2)]) == ["spooled"]
        assert (await spool.bring(), await spool.take([delivery(3)])) == (2, ["event"])
        assert await stream(store) == payloads(1, 2, 3)


async def test_what_comes_while_the_rest_is_brought_is_brought_too(store: EmbeddedStore, tmp_path: Path) -> None:
    """Nothing falls between the last look and the emptying of the file."""
    async with opened(store, tmp_path / "spool") as spool:
        store.stop()
        await asyncio.gather(*(spool.take([delivery(number)]) for number in range(400)))
        store.start()

        async def more() -> None:
            for number in range(400, 800):
                await spool.take([delivery(number)])

        await asyncio.gather(spool.bring(), more())
        await spool.bring()
        assert (sorted(await stream(store)), spool.state.waiting) == (sorted(payloads(*range(800))), 0)


async def test_several_of_one_body_are_kept_together(store: EmbeddedStore, tmp_path: Path) -> None:
    """All of them or none."""
    async with opened(store, tmp_path / "spool") as spool:
        store.stop()
        assert await spool.take([delivery(1), delivery(2)]) == ["spooled", "spooled"]
        store.start()
        assert (await spool.bring(), await stream(store)) == (2, payloads(1, 2))


async def test_bringing_twice_counts_once(store: EmbeddedStore, tmp_path: Path) -> None:
    """The marks of deliveries that were taken make duplicates of what came before."""
    async with opened(store, tmp_path / "spool") as spool:
        await spool.take([delivery(1)])
        store.stop()
        await spool.take([delivery(1)])
        store.start()
        assert (await spool.bring(), await stream(store)) == (1, payloads(1))


async def test_nothing_is_forgotten_while_the_store_does_not_confirm(store: EmbeddedStore, tmp_path: Path) -> None:
    """Bringing is tried again and again."""
    async with opened(store, tmp_path / "spool") as spool:
        store.stop()
        await spool.take([delivery(1)])
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await spool.bring()
        store.start()
        assert (await spool.bring(), await stream(store)) == (1, payloads(1))


async def test_it_brings_by_itself_once_the_store_is_back(store: EmbeddedStore, tmp_path: Path) -> None:
    """Nobody has to do anything."""
    async with opened(store, tmp_path / "spool") as spool:
        running = asyncio.create_task(spool.run())
        store.stop()
        await spool.take([delivery(1)])
        store.start()
        await wait_until_async(lambda: spool.state.waiting == 0, "the delivery was brought")
        running.cancel()
        assert await stream(store) == payloads(1)


async def test_every_kind_of_delivery_is_the_same_after_the_disk(store: EmbeddedStore, tmp_path: Path) -> None:
    """Bytes that are no text, too."""
    letters = [Taken("dead", "odoo", "odoo:1", b"\xff\x00{", "sale.order: the body is not JSON ☹"),
               Taken("not_used", "odoo", "odoo:2"), delivery(3)]
    assert [unpack(pack(letter)) for letter in letters] == letters


async def test_a_record_of_another_version_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """It does not stand in the way of the others."""
    assert [unpack(record) for record in (b'{"kind":"event","new":1}', b"[]", b"{", b"17")] == [None] * 4
    assert len(caplog.records) == 4


# --- how much waits ---------------------------------------------------------------------------------------------


async def test_it_says_how_many_wait_and_since_when(store: EmbeddedStore, tmp_path: Path) -> None:
    """For whoever looks at the sources."""
    async with opened(store, tmp_path / "spool") as spool:
        store.stop()
        await asyncio.gather(spool.take([delivery(1)]), spool.take([delivery(2)]))
        waiting = spool.state
        store.start()
        await spool.bring()
        assert (waiting.waiting, waiting.since_ms, waiting.size_bytes > 0) == (2, NOW_MS, True)
        assert spool.state == SpoolState(0, 0, None, 2)


async def test_once_the_store_is_back_it_is_said_there(store: EmbeddedStore, keys: Keys) -> None:
    """Boards that run in another process read it."""
    client = worker_client(store.url)
    await note_spool(client, keys, "front-1", SpoolState(0, 0, None, 7))
    assert await read_spools(Reader(client), keys) == {"front-1": SpoolState(0, 0, None, 7)}
    await client.aclose()


async def test_beyond_its_bound_nothing_is_promised(store: EmbeddedStore, tmp_path: Path) -> None:
    """A sender gone wrong cannot fill the disk."""
    async with opened(store, tmp_path / "spool", most_bytes=1000) as spool:
        store.stop()
        with pytest.raises(StoreUnavailable, match="no more is kept there"):
            for number in range(100):
                await spool.take([delivery(number)])
        store.start()
        waiting = spool.state.waiting
        assert (0 < waiting < 20, await spool.bring(), (await spool.take([delivery(200)]))) == (
            True, waiting, ["event"])


async def test_a_disk_that_refuses_promises_nothing(store: EmbeddedStore, tmp_path: Path) -> None:
    """Neither here nor there: then the answer is no."""
    (tmp_path / "spool").write_text("a file where the folder should be")
    async with opened(store, tmp_path / "spool") as spool:
        store.stop()
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            await spool.take([delivery(1)])
        assert spool.state.waiting == 0


# --- files ------------------------------------------------------------------------------------------------------


def left(folder: Path) -> list[list[bytes]]:
    """What can be read of the files that nobody holds."""
    found = abandoned(folder)
    read = [file.oldest(1000, 10**9) for file in found]
    for file in found:
        os.close(file._file)
    return read


def written(folder: Path, *records: bytes) -> Path:
    """A file with these records, its process gone."""
    file = make(folder)
    file.append(records)
    os.close(file._file)
    return file.path


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_record_that_was_not_finished_is_cut_off(tmp_path: Path, cut: int) -> None:
    """Power fails in the middle of a write: nobody was told that it is kept."""
    path = written(tmp_path, b"one", b"two")
    os.truncate(path, path.stat().st_size - cut)
    assert (left(tmp_path), path.stat().st_size) == ([[b"one"]], 11)


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"\0\0\0\3", b"\0\0\0\3\1\2\3\4two", b"\xff" * 20],
                         ids=["zeros", "half a head", "another checksum", "no length"])
def test_rubbish_at_the_end_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    """As a file system may leave it behind after a crash."""
    path = written(tmp_path, b"one")
    with path.open("ab") as file:
        file.write(tail)
    assert (left(tmp_path), path.stat().st_size) == ([[b"one"]], 11)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk in the middle of a record."""
    file = make(tmp_path)
    file.append([b"one"])
    really = os.pwrite

    def full(handle: int, data: bytes, at: int) -> int:
        if len(data) < 5:
            raise OSError(28, "No space left on device")
        return really(handle, data[:-4], at)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        file.append([b"two"])
    monkeypatch.undo()
    file.append([b"three"])
    assert (file.oldest(9, 999), file.path.stat().st_size) == ([b"one", b"three"], 24)
    os.close(file._file)


def test_once_all_is_forgotten_the_file_is_empty(tmp_path: Path) -> None:
    """And it is used again."""
    file = make(tmp_path)
    file.append([b"one", b"two"])
    file.forget(file.oldest(1, 999))
    half = file.path.stat().st_size, file.oldest(9, 999)
    file.forget([b"two"])
    assert (half, file.path.stat().st_size, file.count) == ((22, [b"two"]), 0, 0)
    file.append([b"three"])
    assert file.oldest(9, 999) == [b"three"]
    file.forget([b"three"])
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_something_in_it_is_never_removed(tmp_path: Path) -> None:
    """Whoever lets go of it leaves it to the next."""
    file = make(tmp_path)
    file.append([b"one"])
    file.remove()
    assert left(tmp_path) == [[b"one"]]


def test_a_file_that_is_held_is_nobody_elses(tmp_path: Path) -> None:
    """Two processes write two files, and read their own."""
    files: list[SpoolFile] = [make(tmp_path), make(tmp_path)]
    for number, file in enumerate(files):
        file.append([b"%d" % number])
    assert left(tmp_path) == []
    for file in files:
        os.close(file._file)
    assert sorted(left(tmp_path)) == [[b"0"], [b"1"]]


async def test_what_a_process_that_is_gone_left_is_brought_by_another(store: EmbeddedStore, tmp_path: Path) -> None:
    """Before what came to it."""
    written(tmp_path / "spool", pack(delivery(1)), pack(delivery(2)))
    async with opened(store, tmp_path / "spool") as spool:
        assert (await spool.bring(), await stream(store), list((tmp_path / "spool").iterdir())) == (
            2, payloads(1, 2), [])


async def test_what_cannot_be_read_back_is_set_aside_and_said(
    store: EmbeddedStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that loses what it took does not stop what comes after."""
    async with opened(store, tmp_path / "spool") as spool:
        store.stop()
        await spool.take([delivery(1)])
        (path,) = (tmp_path / "spool").iterdir()
        path.write_bytes(b"\xff" * path.stat().st_size)
        store.start()
        assert (await spool.bring(), spool.state.waiting, await spool.take([delivery(2)])) == (0, 0, ["event"])
        assert [file.suffix for file in (tmp_path / "spool").iterdir()] == [".unreadable"]
    assert "1 deliveries cannot be read back" in caplog.text


# Keeps deliveries on a disk for ever, and says the number of each once it is safe there.
KEEPER = """
import asyncio, sys
from pathlib import Path
from opsmon.clock import SystemClock
from opsmon.store.appender import Appender
from opsmon.store.connection import ingest_client
from opsmon.store.keys import MOST_HELD, Keys
from opsmon.store.scripts import Scripts
from opsmon.store.spool import Spool
from tests.store.test_spool import delivery

async def main(folder, url, first):
    spool = Spool(Path(folder), Appender(Scripts(ingest_client(url), Keys("main")), SystemClock()), SystemClock())
    async def keep(lane):
        for number in range(int(first) + lane, int(first) + 100_000, 4):
            assert await spool.take([delivery(number)]) == ["spooled"]
            print(number, flush=True)
    await asyncio.gather(*map(keep, range(4)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_was_promised_by_processes_that_are_killed_is_not_lost(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    """SIGKILL in the middle of writing, two at once: each delivery they said was safe is in the stream, once."""
    store.stop()
    outputs = [tmp_path / f"said-{number}" for number in range(2)]
    keepers = []
    for number, path in enumerate(outputs):
        with path.open("wb") as output:
            keepers.append(subprocess.Popen(
                [sys.executable, "-c", KEEPER, str(tmp_path / "spool"), store.url, str(number * 100_000)],
                stdout=output, cwd=Path(__file__).parents[2]))
    try:
        for path in outputs:
            wait_until(lambda path=path: path.read_bytes().count(b"\n") > 50, "fifty deliveries were kept", 30)
    finally:
        for keeper in keepers:
            keeper.kill()
            keeper.wait()
    store.start()
    said = {line for path in outputs for line in path.read_bytes().split(b"\n")[:-1]}
    async with opened(store, tmp_path / "spool") as spool:
        await spool.bring()
    found = [payload[1:-1] for payload in await stream(store)]
    assert (said - set(found), len(found) - len(set(found))) == (set(), 0)
