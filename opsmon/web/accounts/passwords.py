"""Passwords: hashed with argon2id, beside the event loop, and never more at a time than the machine can bear.

Threat: guessing from a stolen store, and a flood of sign-ins that stops the boards. Sizes: OWASP Password Storage
Cheat Sheet, argon2id with 19 MiB, 2 passes, 1 lane.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_A_TIME = 1
# As many may wait as are done within two seconds or so.
_WAITING = 16


class Busy(Exception):
    """More want to sign in than can be checked now."""


class Passwords:
    """Hashes and verifies; one at a time, in a thread of its own (19 MiB and some 20 ms each)."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._threads = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="password")
        self._under_way = 0
        # Whoever has no account takes as long as whoever has one.
        self._dummy = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """A password as it is kept. Raises Busy."""
        return str(await self._run(self._hasher.hash, password))

    async def verify(self, kept: str, password: str) -> bool:
        """Whether it is this one. With nothing kept it takes as long and is not. Raises Busy."""
        return bool(await self._run(self._verify, kept, password)) and bool(kept)

    def is_old(self, kept: str) -> bool:
        """Whether it was made in a way that is no longer used."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """Let the thread go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept or self._dummy, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: object, *args: str) -> object:
        if self._under_way >= _WAITING:
            raise Busy
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)  # type: ignore[arg-type]
        finally:
            self._under_way -= 1
