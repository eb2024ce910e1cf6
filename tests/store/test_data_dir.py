"""The data folder: who may read it, who holds it, and where its socket is."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.connection import parse_url

from opsmon.core.errors import AlreadyRunning, StoreStartError
from opsmon.store.data_dir import DataDir
from opsmon.store.fsync import measure_fsync_us

HOLDER = """
import sys
from pathlib import Path
from opsmon.store.data_dir import DataDir
with DataDir(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short temp folder of the test's own, also for the sockets of long data paths."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_for_our_eyes_only(temp: Path) -> None:
    """A new data folder can be entered by its owner and nobody else, whatever the umask says."""
    DataDir(temp / "shop" / "data").make()
    assert mode(temp / "shop" / "data") == 0o700


def test_a_folder_that_was_there_keeps_its_mode(temp: Path) -> None:
    """Pointing --data at an existing folder does not change who may read it."""
    (temp / "data").mkdir(mode=0o755)
    (temp / "data").chmod(0o755)
    DataDir(temp / "data").make()
    assert mode(temp / "data") == 0o755


def test_a_folder_everyone_may_write_is_refused(temp: Path) -> None:
    """In a folder like /tmp another user could put files in our way: we say so and do not start."""
    (temp / "data").mkdir()
    (temp / "data").chmod(0o777)
    with pytest.raises(StoreStartError, match="may be written by everyone"):
        DataDir(temp / "data").make()


def test_a_file_in_the_place_of_the_folder_is_refused(temp: Path) -> None:
    """A path that is a file gets a sentence, not a traceback."""
    (temp / "data").write_text("not a folder")
    with pytest.raises(StoreStartError, match="is a file, not a folder"):
        DataDir(temp / "data").make()


def test_a_path_below_a_file_is_refused(temp: Path) -> None:
    """A path that cannot be made says why."""
    (temp / "data").write_text("not a folder")
    with pytest.raises(StoreStartError, match="cannot be used: Not a directory"):
        DataDir(temp / "data" / "below").make()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_we_may_not_write_is_refused(temp: Path) -> None:
    """A read-only folder gets a sentence."""
    (temp / "data").mkdir(mode=0o500)
    with pytest.raises(StoreStartError, match="may not be written by us"):
        DataDir(temp / "data").make()


def test_a_second_holder_is_told_who_holds_it(temp: Path) -> None:
    """Starting opsmon twice on one folder names the process that runs already."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(temp / "data")], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning) as told, DataDir(temp / "data").lock():
            pass
        holder.kill()
    assert str(told.value) == (
        f"opsmon is already running on {temp / 'data'} (process {holder.pid}). "
        "Stop it first, or give this one another folder with --data."
    )


def test_a_lock_ends_with_its_holder(temp: Path) -> None:
    """After a kill nothing has to be cleaned up before the next start."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(temp / "data")],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        holder.kill()
    with DataDir(temp / "data").lock():
        assert (temp / "data" / "lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_is_free_after_its_block(temp: Path) -> None:
    """One process can take the folder again after it let it go."""
    for _ in range(2):
        with DataDir(temp / "data").lock(), pytest.raises(AlreadyRunning), DataDir(temp / "data").lock():
            pass


def test_a_short_path_has_its_socket_beside_the_data(temp: Path) -> None:
    """The socket lies in the data folder where the system allows it."""
    assert DataDir(temp / "data").socket_path == temp / "data" / "store.sock"


def test_a_long_path_has_its_socket_in_a_closed_temp_folder(temp: Path) -> None:
    """A socket's path may have about 100 bytes: a longer one gets a short folder, always the same."""
    data = DataDir(temp / ("deep" * 30))
    assert data.socket_path == DataDir(temp / ("deep" * 30)).socket_path
    assert data.socket_path.parent.parent == temp
    assert mode(data.socket_path.parent) == 0o700


def test_two_long_paths_have_two_sockets(temp: Path) -> None:
    """Two shops with long paths do not meet in one socket."""
    assert DataDir(temp / ("a" * 120)).socket_path != DataDir(temp / ("b" * 120)).socket_path


@pytest.mark.parametrize("planted", ["link", "open folder", "file"])
def test_a_planted_temp_folder_is_refused(temp: Path, planted: str) -> None:
    """Somebody who was in the temp folder before us does not get our socket."""
    folder = DataDir(temp / ("deep" * 30)).socket_path.parent
    folder.rmdir()
    if planted == "link":
        folder.symlink_to(temp)
    elif planted == "file":
        folder.write_text("")
    else:
        folder.mkdir()
        folder.chmod(0o755)
    with pytest.raises(StoreStartError, match="is not ours alone"):
        _ = DataDir(temp / ("deep" * 30)).socket_path


@pytest.mark.parametrize("name", ["plain", "with space", "50% off#1?db=3;x", "küche"])
def test_the_address_is_read_by_redis_py_whatever_the_name(temp: Path, name: str) -> None:
    """Spaces, percent signs and letters of any language in the folder's name reach the client unharmed."""
    data = DataDir(temp / name)
    assert parse_url(data.store_url)["path"] == str(data.socket_path)


def test_the_test_secret_is_made_once_and_stays(temp: Path) -> None:
    """The secret for test deliveries is 256 random bits, the same at every reading."""
    first = DataDir(temp / "data").test_secret()
    assert len(bytes.fromhex(first)) == 32
    assert DataDir(temp / "data").test_secret() == first


def test_the_test_secret_is_for_our_eyes_only(temp: Path) -> None:
    """No other user of the machine can sign deliveries, and no trace of its making is left."""
    DataDir(temp / "data").test_secret()
    assert mode(temp / "data" / "test-secret") == 0o600
    assert [path.name for path in (temp / "data").iterdir()] == ["test-secret"]


def test_two_folders_have_two_test_secrets(temp: Path) -> None:
    """A secret of one data folder is worth nothing in another."""
    assert DataDir(temp / "one").test_secret() != DataDir(temp / "two").test_secret()


def test_the_disk_is_measured_and_nothing_is_left(temp: Path) -> None:
    """Measuring how long a durable write takes leaves the folder as it was."""
    times = measure_fsync_us(temp)
    assert 1 <= times.count <= 32
    assert 0 < times.median_us <= times.p99_us
    assert list(temp.iterdir()) == []
