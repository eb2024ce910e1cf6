"""Find and end a server that an earlier opsmon left behind on our socket."""

import contextlib
import logging
import os
import signal
import subprocess
import time
from pathlib import Path

log = logging.getLogger(__name__)

_GRACE_S = 10.0


def end_orphan(pid_file: Path, socket_path: Path) -> None:
    """End the process named in `pid_file` if it is a server on `socket_path`; wait until it is gone.

    The command line is looked at, because the number may belong to another process by now.
    """
    pid = _read_pid(pid_file)
    if pid is None or str(socket_path) not in _command_line(pid):
        return
    log.warning("A store of an earlier run still works on %s (pid %d); ending it", socket_path, pid)
    for name in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, name)
        if _gone(pid, socket_path):
            return


def _gone(pid: int, socket_path: Path) -> bool:
    end_s = time.monotonic() + _GRACE_S
    while time.monotonic() < end_s:
        # A zombie has an empty command line: gone for us, whoever has to bury it.
        if str(socket_path) not in _command_line(pid):
            return True
        time.sleep(0.02)  # Not our child, so there is nothing to wait for.
    return False


def _read_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text())
    except (OSError, ValueError):
        return None


def _command_line(pid: int) -> str:
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            return os.fsdecode(proc.read_bytes().replace(b"\0", b" "))
        except OSError:
            return ""
    # macOS has no /proc.
    asked = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True).stdout  # noqa: S603 - only a number varies
