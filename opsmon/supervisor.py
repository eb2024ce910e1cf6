"""Keep named children alive, and end them in good order. At rest it sleeps until a signal comes.

The children run in sessions of their own: a Ctrl-C reaches only us, so that the store, which the others
need, can be ended last. Linux ends them for us when we are killed.
"""

import contextlib
import logging
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from opsmon.core.errors import OpsmonError
from opsmon.spawning import spawn

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
HEALTHY_AFTER_S = 10.0
# Wrappers such as `uv run` pass on the Ctrl-C that the terminal has sent us already: one press, two signals.
_ECHO_S = 0.3


class Process(Protocol):
    """What we need of a child; subprocess.Popen has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive. `start` returns when it can be used, and raises OpsmonError or OSError.

    `grace_s` is what it gets between SIGTERM and SIGKILL. What is `needed` by the others is ended after them.
    """

    name: str
    start: Callable[[], Process]
    grace_s: float = 3.0
    needed: bool = False


def python_child(args: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Run `python -m opsmon` with `args`; `env` is its whole environment, None: ours. Raises OSError."""
    return spawn([sys.executable, "-m", "opsmon", *args], env=env)


@dataclass(slots=True)
class _Watched:
    child: Child
    process: Process | None = None
    started_s: float = 0.0
    due_s: float = 0.0
    delay_s: float = 0.0

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self.process = self.child.start()
        self.started_s = time.monotonic()
        log.info("%s started (pid %d)", self.child.name, self.process.pid)

    def postpone(self) -> None:
        """Set when to start again: later each time, from the beginning after a healthy run."""
        now_s = time.monotonic()
        healthy = self.process is not None and now_s - self.started_s >= HEALTHY_AFTER_S
        doubled_s = FIRST_DELAY_S if healthy else max(FIRST_DELAY_S, 2 * self.delay_s)
        self.delay_s = min(doubled_s, LONGEST_DELAY_S)
        self.process, self.due_s = None, now_s + self.delay_s
        log.warning("%s: restart in %.1f s", self.child.name, self.delay_s)


class Supervisor:
    """Starts children in order, restarts what ends, and on SIGTERM, SIGINT or SIGHUP ends them all."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []
        self._told_to_stop_s: float | None = None
        self._killed = False

    def is_stopping(self) -> bool:
        """Say whether we were told to end; a start that waits long should ask."""
        return self._told_to_stop_s is not None

    def run(self, children: Sequence[Child]) -> int:
        """Run until told to stop; 0, or 1 when something had to be killed. Call it from the main thread.

        Raises what a child's very first start raises, after the others have been ended. Once told to stop,
        further stop signals are ignored for good: the caller is expected to exit.
        """
        with _signals(self._on_signal, self.is_stopping) as wake:
            try:
                self._start_all(children)
                while not self.is_stopping():
                    wake.wait(self._until_due_s())
                    self._tend()
                log.info("stopping")
            finally:
                self._end_all(wake)
        return int(self._killed)

    def _start_all(self, children: Sequence[Child]) -> None:
        for child in children:
            if self.is_stopping():
                return
            watched = _Watched(child)
            self._watched.append(watched)
            try:
                watched.start()
            except OpsmonError:
                if not self.is_stopping():
                    raise

    def _until_due_s(self) -> float | None:
        due_s = [watched.due_s for watched in self._watched if watched.process is None]
        return max(0.0, min(due_s) - time.monotonic()) if due_s else None

    def _tend(self) -> None:
        for watched in self._watched:
            if self.is_stopping():
                return
            if watched.process is None and watched.due_s <= time.monotonic():
                self._restart(watched)
            elif watched.process is not None and (code := watched.process.poll()) is not None:
                log.warning("%s ended (%s)", watched.child.name, _in_words(code))
                watched.postpone()

    def _restart(self, watched: _Watched) -> None:
        try:
            watched.start()
        except (OpsmonError, OSError) as error:
            if not self.is_stopping():
                log.error("%s could not be started: %s", watched.child.name, error)
                watched.postpone()

    def _end_all(self, wake: "_Wake") -> None:
        backwards = self._watched[::-1]
        self._end([watched for watched in backwards if not watched.child.needed], wake)
        for watched in backwards:
            if watched.child.needed:
                self._end([watched], wake)

    def _end(self, group: Sequence[_Watched], wake: "_Wake") -> None:
        running = [(one.child, one.process) for one in group if one.process and one.runs()]
        for _, process in running:
            process.terminate()
        start_s = time.monotonic()
        while running:
            overdue = [process for child, process in running if time.monotonic() - start_s >= child.grace_s]
            for process in overdue:
                self._killed = True
                process.kill()
            next_s = min(child.grace_s for child, _ in running) - (time.monotonic() - start_s)
            wake.wait(max(0.05, next_s))
            running = [pair for pair in running if not _told_ended(*pair)]

    def _on_signal(self) -> None:
        now_s = time.monotonic()
        if self._told_to_stop_s is None:
            self._told_to_stop_s = now_s
        elif now_s - self._told_to_stop_s >= _ECHO_S:
            self._kill_all()

    def _kill_all(self) -> None:
        for watched in self._watched:
            if watched.process is not None and watched.runs():
                self._killed = True
                watched.process.kill()


class _Wake:
    """Waits for a signal: Python writes a byte into the socket for each, a child's end (SIGCHLD) included."""

    def __init__(self, receiver: socket.socket) -> None:
        self._receiver = receiver
        self._selector = selectors.DefaultSelector()
        self._selector.register(receiver, selectors.EVENT_READ)

    def wait(self, timeout_s: float | None) -> None:
        if self._selector.select(timeout_s):
            with contextlib.suppress(BlockingIOError):
                self._receiver.recv(4096)

    def close(self) -> None:
        self._selector.close()


@contextlib.contextmanager
def _signals(on_stop: Callable[[], None], is_stopping: Callable[[], bool]) -> Iterator[_Wake]:
    def stop(number: int, frame: FrameType | None) -> None:
        on_stop()

    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGCHLD: lambda number, frame: None}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means it
        handlers[signal.SIGHUP] = stop
    receiver, sender = socket.socketpair()
    receiver.setblocking(False)
    sender.setblocking(False)
    wake = _Wake(receiver)
    fd_before = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield wake
    finally:
        for number, handler in before.items():
            # A late echo of the Ctrl-C should not print a traceback while the interpreter ends.
            echo = is_stopping() and number is not signal.SIGCHLD
            signal.signal(number, signal.SIG_IGN if echo else handler)
        signal.set_wakeup_fd(fd_before)
        wake.close()
        receiver.close()
        sender.close()


def _told_ended(child: Child, process: Process) -> bool:
    code = process.poll()
    if code is not None:
        log.info("%s ended (%s)", child.name, _in_words(code))
    return code is not None


def _in_words(code: int) -> str:
    with contextlib.suppress(ValueError):
        return f"code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    return f"code {code}"
