"""The embedded store: one Valkey or Redis of our own, on a unix socket in the data folder.

It answers nobody else, writes every promise to disk before it makes it, and ends with us.
"""

import contextlib
import logging
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from opsmon.core.errors import StoreStartError
from opsmon.spawning import spawn
from opsmon.store.data_dir import DataDir
from opsmon.store.healing import HealReport, heal_aof, is_damage
from opsmon.store.orphans import end_orphan
from opsmon.store.readiness import ping
from opsmon.store.server_binary import ServerBinary

log = logging.getLogger(__name__)

STOP_GRACE_S = 10.0
_SILENCE_S = 30.0  # a server that reads its files answers LOADING, which is not silence

_OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "appendonly": "yes",
    "appendfsync": "always",  # everysec loses promised events at a power cut (DESIGN 3.4)
    "aof-use-rdb-preamble": "yes",
    "aof-load-truncated": "yes",
    "auto-aof-rewrite-percentage": "200",
    "auto-aof-rewrite-min-size": "256mb",
    "save": "",
    "maxmemory-policy": "noeviction",
    "hash-max-listpack-entries": "512",  # a pane hash stays compact up to here (DESIGN 4)
    "hash-max-listpack-value": "64",
}

# glibc keeps seven freed pieces of a size at hand. A batch of events makes and frees hundreds, and without these the
# server spends a third of its time looking for room. Who sets it otherwise is not overruled; other libcs ignore it.
_ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000"}


class EmbeddedStore:
    """Runs the store's server. The caller holds the data folder's lock and calls from the main thread."""

    def __init__(self, data: DataDir, binary: ServerBinary, memory_bytes: int) -> None:
        self.binary = binary
        self._data = data
        self.folder = data.store_path
        self.socket_path = data.socket_path
        self.url = data.store_url
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id; None before the first start."""
        return self._process.pid if self._process else None

    @property
    def log_path(self) -> Path:
        """What the server says since its last start; the start before that is in server.log.1."""
        return self.folder / "server.log"

    def start(self, give_up: Callable[[], bool] = lambda: False) -> subprocess.Popen[bytes]:
        """Start the server, wait until it answers, heal a spoilt file end once. Raises StoreStartError.

        `give_up` is asked while waiting; when it says yes the start is broken off (with StoreStartError).
        """
        self._prepare()
        if self._started(give_up):
            return self._running()
        healed = heal_aof(self.folder, self.binary) if is_damage(self._log_tail()) else None
        if healed and self._started(give_up):
            return self._running()
        raise StoreStartError(self._why_not(healed))

    def poll(self) -> int | None:
        """The server's exit code; None while it runs or before it was started."""
        return self._process.poll() if self._process else None

    def stop(self) -> None:
        """End the server and wait for it. Safe to repeat."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _prepare(self) -> None:
        self._data.make()
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            raise StoreStartError(f"{self.folder} cannot be used: {error.strerror}.") from error
        end_orphan(self.folder / "server.pid", self.socket_path)
        if ping(self.socket_path) != "silent":
            raise StoreStartError(f"A server we did not start answers on {self.socket_path}. Stop it first.")

    def _started(self, give_up: Callable[[], bool]) -> bool:
        ready = False
        try:
            self._spawn()
            ready = self._wait_until_ready(give_up)
        except OSError as error:
            raise StoreStartError(f"{self.binary.path} cannot be started: {error.strerror}.") from error
        finally:
            if not ready:
                self.stop()
        return ready

    def _spawn(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.log_path.replace(self.folder / "server.log.1")
        with self.log_path.open("ab") as output:
            self._process = spawn([str(self.binary.path), *self._options()], output=output, unless_set=_ENVIRONMENT)
        (self.folder / "server.pid").write_text(f"{self._process.pid}\n")

    def _options(self) -> list[str]:
        ours = {
            "unixsocket": str(self.socket_path),
            "dir": str(self.folder),
            "maxmemory": str(self._memory_bytes),
        }
        return [part for name, value in (_OPTIONS | ours).items() for part in (f"--{name}", value)]

    def _wait_until_ready(self, give_up: Callable[[], bool]) -> bool:
        process = self._running()
        silent_since_s = time.monotonic()
        while time.monotonic() - silent_since_s < _SILENCE_S and not give_up():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
                return False
            match ping(self.socket_path):
                case "ready":
                    return True
                case "loading":
                    silent_since_s = time.monotonic()
        return False

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _log_tail(self) -> bytes:
        with self.log_path.open("rb") as opened:
            opened.seek(max(0, self.log_path.stat().st_size - 8192))
            return opened.read()

    def _why_not(self, healed: HealReport | None) -> str:
        lines = self._log_tail().decode(errors="replace").strip().splitlines()
        told = f' Its last words: "{lines[-1].strip()}".' if lines else ""
        backup = f" It was repaired before; the files as they were lie in {healed.backup}." if healed else ""
        return f"The embedded store did not start.{told}{backup} All it said is in {self.log_path}."
