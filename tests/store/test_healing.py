"""A crash spoils the end of the store's file: what comes back, what is cut, and what is kept aside."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from opsmon.clock import ManualClock
from opsmon.core.errors import StoreStartError
from opsmon.store import healing
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.healing import heal_aof, is_damage, newest_incr_file
from opsmon.store.server_binary import find_server

ENTRIES = 100


@pytest.fixture
def store() -> Iterator[EmbeddedStore]:
    """A store that has ended, with 100 entries in its file."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        written = EmbeddedStore(DataDir(Path(folder) / "data"), find_server(), 64 * 1024**2)
        written.start()
        with redis.Redis.from_url(written.url) as client:
            for n in range(ENTRIES):
                client.xadd("events", {"n": n})
        written.stop()
        yield written
        written.stop()


def aof(store: EmbeddedStore) -> Path:
    newest = newest_incr_file(store.folder / "appendonlydir")
    assert newest is not None
    return newest


def add(store: EmbeddedStore, rubbish: bytes) -> None:
    with aof(store).open("ab") as file:
        file.write(rubbish)


def backups(store: EmbeddedStore) -> list[Path]:
    return sorted(store.folder.glob("backup-*"))


def numbers(store: EmbeddedStore) -> list[int]:
    with redis.Redis.from_url(store.url, decode_responses=True) as client:
        return [int(fields["n"]) for _, fields in client.xrange("events")]


@pytest.mark.parametrize("cut", [1, 2, 7, 20, 57, 58])
def test_a_torn_end_loses_the_torn_command_only(store: EmbeddedStore, cut: int) -> None:
    """A file that ends within a command starts again, without that command and with all before it."""
    os.truncate(aof(store), aof(store).stat().st_size - cut)
    store.start()
    kept = numbers(store)
    assert kept == list(range(len(kept)))
    assert len(kept) in (ENTRIES - 1, ENTRIES - 2)


@pytest.mark.parametrize("rubbish", [bytes(4096), bytes(1), b"\xff" * 300, b"*2\r\n$3\r\nSET\r\n" + bytes(9)],
                         ids=["a page of zeros", "one zero", "rubbish", "half a command, then zeros"])
def test_a_spoilt_end_heals_with_every_entry(store: EmbeddedStore, rubbish: bytes) -> None:
    """Zeros or rubbish behind the last command do not stop the store, and no entry is lost."""
    add(store, rubbish)
    store.start()
    assert numbers(store) == list(range(ENTRIES))


def test_zeros_really_stop_the_server(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without healing the server refuses such a file: the tests above prove something."""
    monkeypatch.setattr("opsmon.store.embedded.heal_aof", lambda folder, binary: None)
    add(store, bytes(4096))
    with pytest.raises(StoreStartError, match="Bad file format reading the append only file"):
        store.start()


def test_healing_keeps_a_copy_of_everything_first(store: EmbeddedStore) -> None:
    """The files as they were found lie in a folder named after the time, byte for byte."""
    add(store, bytes(4096))
    found = {path.name: path.read_bytes() for path in (store.folder / "appendonlydir").iterdir()}
    report = heal_aof(store.folder, store.binary, ManualClock(1_770_000_000_123))
    assert report is not None
    assert report.backup == store.folder / "backup-20260202T024000.123000Z"
    assert {path.name: path.read_bytes() for path in (report.backup / "appendonlydir").iterdir()} == found


def test_healing_says_loudly_what_it_did(store: EmbeddedStore, caplog: pytest.LogCaptureFixture) -> None:
    """An error line tells how many bytes were cut and where the copy is."""
    add(store, bytes(4096))
    store.start()
    (backup,) = backups(store)
    (told,) = [record for record in caplog.records if record.name == "opsmon.store.healing"]
    assert told.levelname == "ERROR"
    assert "Cut 4096 bytes" in told.getMessage()
    assert str(backup) in told.getMessage()


def test_a_whole_file_is_left_alone(store: EmbeddedStore) -> None:
    """Healing what is not ill neither cuts nor copies."""
    before = aof(store).read_bytes()
    assert heal_aof(store.folder, store.binary) is None
    assert aof(store).read_bytes() == before
    assert backups(store) == []


def test_an_empty_or_missing_file_is_left_alone(tmp_path: Path) -> None:
    """Before the first write there is nothing to heal."""
    assert heal_aof(tmp_path, find_server()) is None


def test_writing_goes_on_after_healing(store: EmbeddedStore) -> None:
    """What is written after the repair is there after the next start, too."""
    add(store, bytes(4096))
    store.start()
    with redis.Redis.from_url(store.url) as client:
        client.xadd("events", {"n": ENTRIES})
    store.stop()
    store.start()
    assert numbers(store) == list(range(ENTRIES + 1))
    assert len(backups(store)) == 1


def spoil_the_middle(store: EmbeddedStore) -> None:
    with aof(store).open("r+b") as file:
        file.seek(aof(store).stat().st_size // 2)
        file.write(b"\xff" * 64)


def test_damage_in_the_middle_is_left_to_a_person(store: EmbeddedStore) -> None:
    """Where a cut would take events that were promised, nothing is cut: the message says where."""
    spoil_the_middle(store)
    before = aof(store).read_bytes()
    with pytest.raises(StoreStartError, match="may be events that were promised"):
        store.start()
    assert (aof(store).read_bytes(), backups(store)) == (before, [])


def test_many_zeros_are_cut_however_many(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros hold no events, so any number of them may go."""
    monkeypatch.setattr(healing, "LONGEST_CUT_BYTES", 1024)
    add(store, bytes(200_000))
    store.start()
    assert numbers(store) == list(range(ENTRIES))


def test_without_room_for_a_copy_nothing_is_cut(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the copy cannot be made, the file stays as it is and no half copy is left."""
    def full(source: Path, target: Path) -> None:
        target.mkdir(parents=True)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(healing.shutil, "copytree", full)
    add(store, bytes(4096))
    before = aof(store).read_bytes()
    with pytest.raises(StoreStartError, match=r"cannot be copied first: .*No space left"):
        store.start()
    assert aof(store).read_bytes() == before
    assert backups(store) == []


def test_when_healing_does_not_help_the_copy_is_named(store: EmbeddedStore) -> None:
    """A file with a second fault behind the first one fails with the log and the copy in the message."""
    command = b"*1\r\n$7\r\nNOTHING\r\n"
    add(store, command + bytes(4096))
    with pytest.raises(StoreStartError) as told:
        store.start()
    (backup,) = backups(store)
    assert str(backup) in str(told.value)
    assert str(store.log_path) in str(told.value)


def test_trying_again_in_vain_makes_no_second_copy(store: EmbeddedStore) -> None:
    """A store that cannot be started does not fill the disk with copies at each attempt."""
    add(store, b"*1\r\n$7\r\nNOTHING\r\n" + bytes(4096))
    for _ in range(3):
        with pytest.raises(StoreStartError):
            store.start()
    assert len(backups(store)) == 1


def test_the_newest_file_of_the_manifest_is_healed(tmp_path: Path) -> None:
    """While the server rewrites its file there are two: the one with the higher number is the last."""
    (tmp_path / "appendonly.aof.manifest").write_text(
        "file appendonly.aof.9.base.rdb seq 9 type b\n"
        "file appendonly.aof.9.incr.aof seq 9 type i\n"
        "file appendonly.aof.10.incr.aof seq 10 type i\n"
    )
    assert newest_incr_file(tmp_path) == tmp_path / "appendonly.aof.10.incr.aof"


@pytest.mark.parametrize(("words", "damaged"), [
    (b"# Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup", True),
    (b"# Unexpected end of file reading the append only file appendonly.aof.1.incr.aof.", True),
    (b"# Can't open the append-only file: Permission denied", False),
    (b"# Short read or OOM loading DB. Unrecoverable error, aborting now.", False),
])
def test_only_a_complaint_about_the_file_starts_healing(words: bytes, damaged: bool) -> None:
    """A server that fails for another reason is not operated on."""
    assert is_damage(words) is damaged


