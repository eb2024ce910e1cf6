"""A backup that is not as it was written, or that this store cannot read: refused, and the site as it was."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from opsmon.__main__ import main
from opsmon.core.errors import OpsmonError
from opsmon.store.backup_file import Manifest, Origin, Record, read_manifest, read_records, write_backup
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.store.dump import dump, without_idle

pytestmark = pytest.mark.anyio

ORIGIN = Origin("main", 1, 1, "1.0", NOW_MS)
RECORDS = [Record(b"{main}:pane:1:orders:d:%d" % number, number * 1000, bytes(range(number, 99)))
           for number in range(40)]
Change = Callable[[bytes], bytes]


def made(path: Path, records: Iterable[Record]) -> bytes:
    """The bytes of a backup of these."""
    async def each() -> AsyncGenerator[Record, None]:
        for record in records:
            yield record

    asyncio.run(write_backup(path, ORIGIN, each()))
    return path.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all examples of a test write, one after another."""
    return tmp_path_factory.mktemp("damaged")


@pytest.fixture(scope="module")
def whole(folder: Path) -> bytes:
    """A backup that is right."""
    return made(folder / "whole.tar.gz", RECORDS)


def read(folder: Path, raw: bytes) -> tuple[Manifest, list[Record]] | None:
    """What is read of a backup; None when it is refused with a sentence."""
    (folder / "one.tar.gz").write_bytes(raw)
    try:
        return read_manifest(folder / "one.tar.gz"), list(read_records(folder / "one.tar.gz"))
    except OpsmonError as error:
        assert str(error).endswith("Nothing was restored.")
        return None


@given(st.data())
def test_any_bit_that_flipped_is_seen(folder: Path, whole: bytes, data: st.DataObject) -> None:
    """Refused; or it was none of the backup's own, as the time in the head of the packing, and all is read right."""
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    found = read(folder, whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1:])
    assert found in (None, read(folder, whole))


@given(st.data())
def test_what_was_cut_off_is_missed(folder: Path, whole: bytes, data: st.DataObject) -> None:
    """Wherever the copy ended; and a piece that is missing, doubled or from elsewhere in the middle."""
    begin, end = sorted((data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, len(whole)))))
    assert read(folder, whole[:begin]) is None
    if begin != end:
        assert read(folder, whole[:begin] + whole[end:]) is None
        assert read(folder, whole[:begin] + bytes(end - begin) + whole[end:]) in (None, read(folder, whole))


@given(st.binary(max_size=300))
def test_what_is_no_backup_is_none(folder: Path, raw: bytes) -> None:
    """Any file."""
    assert read(folder, raw) is None


def test_a_whole_one_is_read(folder: Path, whole: bytes) -> None:
    """The control."""
    found = read(folder, whole)
    assert found is not None
    assert (found[1], found[0].kinds) == (RECORDS, {"pane": 40})


def of_a_newer_format(dumped: bytes) -> bytes:
    """As a store to come would dump it: its version is two bytes before a checksum of eight, 0 for none."""
    return dumped[:-10] + b"\xff\xff" + bytes(8)


@pytest.mark.parametrize("change", [of_a_newer_format, lambda _: b"x" * 20], ids=["newer", "no dump"])
@pytest.mark.parametrize("which", [slice(0, 2), slice(1, 2)], ids=["all of it", "the last alone"])
async def test_what_this_store_cannot_read_leaves_the_site_as_it_was(
    line: Line, store: Redis, server: EmbeddedStore, keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    change: Change, which: slice
) -> None:
    """Though it was to be replaced: a store of another version, or maker, is told of before anything is cleared."""
    await line.post("orders/create", order(1, "10.00"))
    await line.work()
    known = await store.dump(keys.meta)
    assert known is not None
    records = [Record(keys.meta.encode(), 0, known), Record(keys.events.encode(), 0, known)]
    records[which] = [one._replace(dump=change(known)) for one in records[which]]
    await asyncio.to_thread(made, tmp_path / "a.tar.gz", records)
    before = without_idle(await dump(store))
    code = await asyncio.to_thread(main, ["restore", str(tmp_path / "a.tar.gz"), "--replace", "--store", server.url,
                                          "--data", str(tmp_path)])
    said: Any = capsys.readouterr()
    assert (code, "Restore it to a store of the same make and version." in said.err) == (1, True)
    assert without_idle(await dump(store)) == before
