"""Starting what is measured, and reading what it used."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

SECRET = "a-secret-for-the-benchmark"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Started:
    """A running opsmon: its port, its data folder, its processes by name, and what they go by."""

    port: int
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]]
    environment: Mapping[str, str]


@contextmanager
def running(*verbs: list[str], settings: Mapping[str, str] | None = None, declared: str = "") -> Iterator[Started]:
    """Run these verbs of opsmon in one temporary folder, with more settings and an opsmon.toml; ends them."""
    port = 20_000 + secrets.randbelow(20_000)
    with tempfile.TemporaryDirectory(prefix="opsmon-bench-") as folder:
        Path(folder, "opsmon.toml").write_text(declared)
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OPSMON_DATA": folder,
                       "OPSMON_SHOPIFY_SECRETS": SECRET, "OPSMON_INGEST_TOKEN": SECRET, "OPSMON_PORT": str(port),
                       "OPSMON_TIMEZONE": "Europe/Berlin", **(settings or {})}
        processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for verb in verbs:
                processes[verb[0]] = subprocess.Popen([sys.executable, "-m", "opsmon", *verb], env=environment,
                                                      cwd=folder, stderr=subprocess.DEVNULL)
                time.sleep(1)
            wait_for(port)
            yield Started(port, Path(folder), processes, environment)
        finally:
            for process in reversed(processes.values()):
                process.send_signal(signal.SIGTERM)
                process.wait(15)


def wait_for(port: int) -> None:
    """Until the process answers /readyz."""
    for _ in range(200):
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise RuntimeError("opsmon did not become ready")


def family(pid: int) -> list[int]:
    """A process and all that came from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], [])
    return found


def cpu_s(pids: list[int]) -> float:
    """Processor time these processes used so far, user and system."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def pss_mb(pids: list[int]) -> float:
    """Memory of these processes, shared pages divided among those who share them."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024
