"""Passwords: hashed with argon2id, beside the event loop, and never more at a time than the machine can bear.

Threat: guessing from a stolen store, and a flood of sign-ins that stops the boards. Sizes: OWASP Password Storage
Cheat Sheet, argon2id with 19 MiB, 2 passes, 1 lane.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any, TypeVar

from starlette.exceptions import HTTPException

T = TypeVar("T")
NOT_INSTALLED = "Accounts need one package more: pip install 'opsmon[people]', then start opsmon again."
_AT_A_TIME = 1
# As many may wait as are done within two seconds or so.
_WAITING = 16


class Busy(Exception):
    """More want to sign in than can be checked now."""


class Passwords:
    """Hashes and verifies; one at a time, in a thread of its own (19 MiB and some 20 ms each)."""

    def __init__(self) -> None:
        self._hasher = _hasher()
        self._threads = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="password")
        self._under_way = 0
        # Whoever has no account takes as long as whoever has one.
        self._dummy = self._hasher.hash("nobody has this password") if self._hasher else ""

    async def hash(self, password: str) -> str:
        """A password as it is kept. Raises Busy.

        Threat: a stolen copy of the store (CWE-916; OWASP, password storage).
        """
        return str(await self._run(self._there().hash, password))

    async def verify(self, kept: str, password: str) -> bool:
        """Whether it is this one. With nothing kept it takes as long and is not. Raises Busy.

        Threat: guessing, and names that are told by how long an answer takes (CWE-208).
        """
        return bool(await self._run(self._verify, kept, password)) and bool(kept)

    def is_old(self, kept: str) -> bool:
        """Whether it was made in a way that is no longer used."""
        return bool(self._there().check_needs_rehash(kept))

    def close(self) -> None:
        """Let the thread go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _there(self) -> Any:
        if self._hasher is None:
            raise HTTPException(503, NOT_INSTALLED)
        return self._hasher

    def _verify(self, kept: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return bool(self._there().verify(kept or self._dummy, password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *args: str) -> T:
        if self._under_way >= _WAITING:
            raise Busy
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._under_way -= 1


def is_installed() -> bool:
    """Whether passwords can be hashed here: the extra `people` is installed."""
    return find_spec("argon2") is not None


def _hasher() -> Any:
    if not is_installed():
        return None
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
