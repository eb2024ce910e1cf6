"""Start a child process that ends when we do, however we end, and that the terminal's Ctrl-C passes by."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Loaded here, because between fork and exec a child should neither import nor allocate much.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    args: Sequence[str], *, env: Mapping[str, str] | None = None, output: IO[bytes] | None = None,
    unless_set: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `args` in a session of its own. Raises OSError when it cannot be started.

    `env` is the whole environment (None: ours), `unless_set` what is added where it does not say otherwise;
    `output` takes stdout and stderr (None: ours).
    Linux sends the child SIGTERM when the *thread* that called this ends: call it from the main thread.
    """
    whole = {**(unless_set or {}), **(os.environ if env is None else env)}
    return subprocess.Popen(  # noqa: S603 - callers pass our own commands, never what came from outside
        list(args), env=whole, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        start_new_session=True, preexec_fn=_ending_with(os.getpid()),
    )


def _ending_with(parent_pid: int) -> Callable[[], None] | None:
    libc = _LIBC
    if libc is None:
        return None

    def before_exec() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # A parent that died before the line above can no longer send the signal.
        if os.getppid() != parent_pid:
            os._exit(1)

    return before_exec
