"""The supervisor: children are restarted, ended in good order, and never left behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
import redis

from opsmon.store.data_dir import DataDir
from opsmon.supervisor import FIRST_DELAY_S, LONGEST_DELAY_S, Child, _Watched
from tests.waiting import wait_until

# Runs a supervisor over the children that the expression in argv[1] makes; ends with its code.
PROGRAM = """
import logging, sys
from pathlib import Path
from opsmon.core.errors import StoreStartError
from opsmon.spawning import spawn
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.server_binary import find_server
from opsmon.supervisor import Child, Supervisor

logging.basicConfig(level="INFO", format="%(name)s: %(message)s")

def python(name, code, **more):
    return Child(name, lambda: spawn([sys.executable, "-c", code]), **more)

def store(folder):
    made = EmbeddedStore(DataDir(Path(folder)), find_server(), 64 * 1024**2)
    return Child("store", lambda: made.start(supervisor.is_stopping), grace_s=10, needed=True)

def failing(name):
    def start():
        raise StoreStartError("cannot start on purpose")
    return Child(name, start)

SLEEP = "import signal; signal.pause()"
STUBBORN = "from signal import *; signal(SIGTERM, SIG_IGN); print('deaf', flush=True); pause()"
supervisor = Supervisor()
sys.exit(supervisor.run(eval(sys.argv[1])))
"""


class Run:
    """A supervisor in a process of its own, and what it has logged."""

    def __init__(self, children: str, output: IO[str]) -> None:
        self._output = Path(output.name)
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, children], stdout=output, stderr=output
        )

    def log(self) -> str:
        return self._output.read_text()

    def pids(self, name: str) -> list[int]:
        return [int(pid) for pid in re.findall(rf"{name} started \(pid (\d+)\)", self.log())]

    def pid(self, name: str, start: int = 1) -> int:
        """The process id of a child's n-th start; waits for that."""
        wait_until(lambda: len(self.pids(name)) >= start, f"start {start} of {name}; log:\n{self.log()}")
        return self.pids(name)[start - 1]

    def says(self, text: str) -> None:
        wait_until(lambda: text in self.log(), f"{text!r} in the log:\n{self.log()}")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ops-") as made:
        yield Path(made)


@pytest.fixture
def run(folder: Path) -> Iterator[Callable[[str], Run]]:
    runs: list[Run] = []

    def run_one(children: str) -> Run:
        with (folder / f"log-{len(runs)}").open("w") as output:
            runs.append(Run(children, output))
        return runs[-1]

    yield run_one
    for one in runs:
        one.process.kill()
        one.process.wait()


def lives(pid: int) -> bool:
    """Say whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_children_start_in_order_and_end_in_good_order(run: Callable[[str], Run]) -> None:
    """What the others need starts first and ends last; every step is a line of the log."""
    one = run("[python('store', SLEEP, needed=True), python('web', SLEEP), python('worker', SLEEP)]")
    pids = [one.pid(name) for name in ("store", "web", "worker")]
    assert one.end() == 0
    lines = [line.removeprefix("opsmon.supervisor: ") for line in one.log().splitlines()]
    assert lines[:4] == [f"store started (pid {pids[0]})", f"web started (pid {pids[1]})",
                         f"worker started (pid {pids[2]})", "stopping"]
    assert sorted(lines[4:6]) == ["web ended (signal SIGTERM)", "worker ended (signal SIGTERM)"]
    assert lines[6:] == ["store ended (signal SIGTERM)"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_every_way_to_say_stop_ends_it_with_nothing_left(run: Callable[[str], Run], number: int) -> None:
    """A stop, a Ctrl-C and a closed terminal all end the children, fast and with code 0."""
    one = run("[python('web', SLEEP)]")
    pid = one.pid("web")
    start_s = time.monotonic()
    assert one.end(number) == 0
    assert time.monotonic() - start_s < 2
    assert not lives(pid)


def test_a_child_that_ends_is_started_again(run: Callable[[str], Run]) -> None:
    """A killed child is back after a moment, and the log says how it ended and when it comes back."""
    one = run("[python('web', SLEEP)]")
    os.kill(one.pid("web"), signal.SIGKILL)
    assert lives(one.pid("web", start=2))
    assert "web ended (signal SIGKILL)" in one.log()
    assert "web: restart in 0.2 s" in one.log()


def test_a_child_that_keeps_ending_is_started_ever_more_slowly(run: Callable[[str], Run]) -> None:
    """A child that cannot live does not keep the machine busy: each pause is twice the one before."""
    one = run("[python('web', 'raise SystemExit(3)')]")
    one.says("restart in 1.6 s")
    assert re.findall(r"web ended \((.+)\)", one.log()) == ["code 3"] * 4
    assert re.findall(r"restart in (.+) s", one.log()) == ["0.2", "0.4", "0.8", "1.6"]


def test_the_pause_has_a_bound_and_begins_anew_after_health() -> None:
    """However often a child ended, it waits 5 s at most; after ten good seconds its past is forgotten."""
    watched = _Watched(Child("web", lambda: subprocess.Popen(["true"])))
    for _ in range(9):
        watched.postpone()
    assert watched.delay_s == LONGEST_DELAY_S
    with subprocess.Popen(["true"]) as process:
        watched.process, watched.started_s = process, time.monotonic() - 11
    watched.postpone()
    assert watched.delay_s == FIRST_DELAY_S


def test_one_child_that_ends_leaves_the_others_alone(run: Callable[[str], Run]) -> None:
    """A worker that dies does not take the boards with it."""
    one = run("[python('web', SLEEP), python('worker', SLEEP)]")
    web = one.pid("web")
    os.kill(one.pid("worker"), signal.SIGKILL)
    one.pid("worker", start=2)
    assert one.pids("web") == [web]
    assert lives(web)


def test_a_child_that_does_not_listen_is_killed_after_its_grace(run: Callable[[str], Run]) -> None:
    """A child that ignores the request to end is killed, and the exit code says that."""
    one = run("[python('web', STUBBORN, grace_s=0.3)]")
    pid = one.pid("web")
    one.says("deaf")
    assert one.end() == 1
    assert not lives(pid)


def test_a_second_ctrl_c_kills_at_once(run: Callable[[str], Run]) -> None:
    """Whoever presses Ctrl-C again does not want to wait for any grace."""
    one = run("[python('web', STUBBORN, grace_s=60)]")
    one.says("deaf")
    one.process.send_signal(signal.SIGINT)
    one.says("stopping")

    def pressed_again() -> bool:
        one.process.send_signal(signal.SIGINT)
        return one.process.poll() is not None

    wait_until(pressed_again, "the end of the supervisor", timeout_s=3)
    assert one.process.returncode == 1


def test_one_ctrl_c_that_arrives_twice_is_one(run: Callable[[str], Run]) -> None:
    """A wrapper such as `uv run` passes on the Ctrl-C we have already: the child still gets its grace."""
    slow = ("import signal, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.6), print('tidy', "
            "flush=True), exit())); print('ready', flush=True); signal.pause()")
    one = run(f"[python('web', {slow!r})]")
    one.says("ready")
    one.process.send_signal(signal.SIGINT)
    assert one.end(signal.SIGINT) == 0
    assert "tidy" in one.log()


def test_a_ctrl_c_of_the_terminal_does_not_reach_the_children(run: Callable[[str], Run]) -> None:
    """Children have sessions of their own, so that only the supervisor decides who ends when."""
    one = run("[python('web', SLEEP)]")
    assert os.getsid(one.pid("web")) == one.pid("web")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's end")
def test_nothing_is_left_when_the_supervisor_is_killed(run: Callable[[str], Run], folder: Path) -> None:
    """A supervisor killed without warning leaves neither a store nor a child behind."""
    one = run(f"[store({str(folder / 'data')!r}), python('web', SLEEP)]")
    pids = [one.pid("web"), one.pid("store")]
    one.process.kill()
    one.process.wait()
    wait_until(lambda: not any(map(lives, pids)), "the end of the children")


def test_the_next_supervisor_starts_right_after_a_kill(run: Callable[[str], Run], folder: Path) -> None:
    """After a kill the store comes up again at once, though the old one may still be ending."""
    children = f"[store({str(folder / 'data')!r})]"
    killed = run(children)
    killed.pid("store")
    killed.process.kill()
    assert lives(run(children).pid("store"))


def test_a_killed_store_comes_back_with_what_it_confirmed(run: Callable[[str], Run], folder: Path) -> None:
    """The store's server is killed: the supervisor starts it again and every entry is there."""
    one = run(f"[store({str(folder / 'data')!r})]")
    first = one.pid("store")
    with redis.Redis.from_url(DataDir(folder / "data").store_url) as client:
        client.xadd("events", {"n": 1})
        os.kill(first, signal.SIGKILL)
        assert one.pid("store", start=2) != first
        assert client.xlen("events") == 1
    assert one.end() == 0


def test_a_store_with_a_spoilt_file_is_healed_at_its_restart(run: Callable[[str], Run], folder: Path) -> None:
    """A crash that leaves zeros at the end of the store's file needs nobody to get up at night."""
    one = run(f"[store({str(folder / 'data')!r})]")
    first = one.pid("store")
    with redis.Redis.from_url(DataDir(folder / "data").store_url) as client:
        client.xadd("events", {"n": 1})
        with (folder / "data/store/appendonlydir/appendonly.aof.1.incr.aof").open("ab") as file:
            os.kill(first, signal.SIGKILL)
            file.write(bytes(4096))
        one.pid("store", start=2)
        assert client.xlen("events") == 1
    assert "opsmon.store.healing: The store's file" in one.log()


def test_a_first_start_that_fails_ends_the_others_and_says_why(run: Callable[[str], Run]) -> None:
    """What cannot start at all is the caller's to explain; nothing is left running."""
    one = run("[python('web', SLEEP), failing('worker')]")
    pid = one.pid("web")
    assert one.process.wait(10) == 1
    assert "StoreStartError: cannot start on purpose" in one.log()
    assert not lives(pid)


def test_a_restart_that_fails_is_tried_again(run: Callable[[str], Run], folder: Path) -> None:
    """A store that cannot come back yet, say because the disk is full, is tried until it can."""
    one = run(f"[store({str(folder / 'data')!r})]")
    first = one.pid("store")
    manifest = folder / "data/store/appendonlydir/appendonly.aof.manifest"
    good = manifest.read_bytes()
    manifest.write_text("nonsense\n")
    os.kill(first, signal.SIGKILL)
    one.says("store could not be started: The embedded store did not start.")
    manifest.write_bytes(good)
    assert lives(one.pid("store", start=2))


def test_it_can_be_ended_while_it_waits_for_a_restart(run: Callable[[str], Run]) -> None:
    """A stop is heard at once, also in the pause before a restart."""
    one = run("[python('web', 'raise SystemExit(3)')]")
    one.says("restart in 0.8 s")
    start_s = time.monotonic()
    assert one.end() == 0
    assert time.monotonic() - start_s < 0.5


def test_at_rest_it_sleeps(run: Callable[[str], Run]) -> None:
    """With healthy children the supervisor is not woken at all."""
    one = run("[python('web', SLEEP)]")
    one.pid("web")
    stat = Path(f"/proc/{one.process.pid}/status")
    wait_until(lambda: "State:\tS" in stat.read_text(), "sleep")

    def switches() -> str:
        return re.findall(r"^voluntary_ctxt_switches:\t(\d+)", stat.read_text(), re.MULTILINE)[0]

    before, start_s = switches(), time.monotonic()
    wait_until(lambda: time.monotonic() - start_s > 1, "a second")
    assert int(switches()) - int(before) <= 2
