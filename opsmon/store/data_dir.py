"""The folder opsmon keeps on this machine: the embedded store, its socket, a lock and the test secret."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from opsmon.core.errors import AlreadyRunning, StoreStartError
from opsmon.store.fsync import FsyncTimes

# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, one of them the closing NUL.
_LONGEST_SOCKET_PATH = 103
_HELP = "Take another folder with --data."


class DataDir:
    """One data folder. Nothing is made before it is needed."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def make(self) -> None:
        """Make the folder, for our eyes only. Raises StoreStartError. Safe to repeat."""
        with _explained(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A folder that was there before keeps its mode: it may be anything, `--data /tmp` for one.
            if self.path.stat().st_mode & stat.S_IWOTH:
                raise StoreStartError(f"{self.path} may be written by everyone. {_HELP}")
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise StoreStartError(f"{self.path} may not be written by us. {_HELP}")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process. Raises AlreadyRunning when another holds it, StoreStartError."""
        self.make()
        with _explained(self.path / "lock"):
            file = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._take(file)
            yield
        finally:
            os.close(file)

    @property
    def store_path(self) -> Path:
        """Where the embedded store keeps its files and its log."""
        return self.path / "store"

    @property
    def socket_path(self) -> Path:
        """The embedded store's socket. Raises StoreStartError when a short folder for it cannot be had."""
        beside = self.path / "store.sock"
        if len(os.fsencode(beside)) <= _LONGEST_SOCKET_PATH:
            return beside
        return _short_folder(self.path) / "store.sock"

    @property
    def store_url(self) -> str:
        """The embedded store's address, as redis-py's `from_url` reads it."""
        return f"unix://{quote(os.fsencode(self.socket_path))}"

    def test_secret(self) -> str:
        """Read the 256-bit secret of `opsmon send-test`, hex; made on first use. Raises StoreStartError."""
        self.make()
        path = self.path / "test-secret"
        with _explained(path):
            if not path.exists():
                _write_once(path, secrets.token_hex(32))
            return path.read_text().strip()

    def first_secret(self) -> str:
        """Read the secret of the link that makes the first admin, '' once it was used; made on first use.

        Raises StoreStartError.
        """
        self.make()
        path = self.path / "first-admin"
        with _explained(path):
            if not path.exists():
                _write_once(path, secrets.token_urlsafe(32))
            return path.read_text().strip()

    def use_first_secret(self) -> None:
        """The first admin is made: the link is good for nothing more, and is not printed again. Safe to repeat."""
        path = self.path / "first-admin"
        with _explained(path):
            path.write_text("")

    def note_fsync(self, times: FsyncTimes) -> None:
        """Leave word of how fast the disk is. Raises StoreStartError. Safe to repeat."""
        path = self.path / "fsync.json"
        with _explained(path):
            path.write_text(json.dumps(asdict(times)))

    def fsync(self) -> FsyncTimes | None:
        """How fast the disk was when the store started; None when no store was started here."""
        try:
            return FsyncTimes(**json.loads((self.path / "fsync.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def exports_path(self) -> Path:
        """Where it is written what is stored about a customer who asked."""
        return self.path / "exports"

    def write_export(self, name: str, text: bytes) -> Path:
        """Write what is stored about a customer, for our eyes only; where. Raises StoreStartError. Safe to repeat."""
        self.make()
        path = self.exports_path / f"{name}.json"
        with _explained(path):
            self.exports_path.mkdir(mode=0o700, exist_ok=True)
            file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(file, "wb") as opened:
                opened.write(text)
        return path

    def forget_files(self, is_meant: Callable[[str], bool]) -> int:
        """Delete the exports, and the files of a spool that could not be read, whose text is meant; how many.
        Raises StoreStartError. Safe to repeat."""
        files = [*self.exports_path.glob("*.json"), *self.path.glob("spool/*/*.unreadable")]
        with _explained(self.path):
            found = [path for path in files if is_meant(path.read_text("utf-8", "replace"))]
            for path in found:
                path.unlink(missing_ok=True)
        return len(found)

    def forget_backups(self) -> None:
        """Delete what was kept of the store's files when they were repaired. Safe to repeat."""
        for folder in self.store_path.glob("backup-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _take(self, file: int) -> None:
        try:
            with _explained(self.path / "lock", but=BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
            raise AlreadyRunning(
                f"opsmon is already running on {self.path} (process {holder}). "
                "Stop it first, or give this one another folder with --data."
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)


def _short_folder(data: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"opsmon-{os.getuid()}-{digest}"
    with _explained(folder):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        # Everyone may write in a temp folder: another user may have been first, with a folder or a link.
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise StoreStartError(f"{folder} is not ours alone. Remove it, or take a shorter --data folder.")
    return folder


def _write_once(path: Path, text: str) -> None:
    # Written aside and linked, so that two first users at once read the same whole text.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".secret-") as aside:
        aside.write(text + "\n")
        aside.flush()
        os.fsync(aside.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside.name, path)


@contextlib.contextmanager
def _explained(path: Path, but: type[OSError] | tuple[()] = ()) -> Iterator[None]:
    try:
        yield
    except but:
        raise
    except FileExistsError:
        raise StoreStartError(f"{path} is a file, not a folder. {_HELP}") from None
    except OSError as error:
        raise StoreStartError(f"{path} cannot be used: {error.strerror}.") from error
