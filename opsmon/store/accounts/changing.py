"""Commands: change a person, a screen or a token, in one script with its line in the audit."""

from typing import Any, Literal

from redis.asyncio import Redis

from opsmon.store.accounts.audit import MOST_KEPT, Deed, fields_of
from opsmon.store.keys import Keys
from opsmon.store.scripts import source

# done; somebody else was quicker; somebody has this e-mail address; nobody could let others in afterwards.
Outcome = Literal["done", "changed", "taken", "last"]


class Changing:
    """Writes records of accounts on one client."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._keys = keys
        self._change = client.register_script(source("change_record"))
        self._take = client.register_script(source("take_try"))

    async def change(self, hash_key: str, field: str, believed: bytes, new: bytes, deed: Deed) -> Outcome:
        """Write `new` (b'' takes it away) where `believed` (b'' for nothing) stands. May be repeated.

        Threats: a lost update (CWE-362), a change that nobody can account for (CWE-778).
        """
        told = [part for pair in fields_of(deed).items() for part in pair]
        kind = "people" if hash_key == self._keys.people else ""
        found: bytes = await self._change(keys=[hash_key, self._keys.audit, self._keys.meta],
                                          args=[field, believed, new, MOST_KEPT, kind, *told])
        outcome: Any = found.decode()
        return outcome  # type: ignore[no-any-return]

    async def take_try(self, now_ms: int, *buckets: tuple[str, int, int]) -> int:
        """Take a try from each bucket (what, how many it holds, ms until one comes back) or from none; 0, or after
        how many ms there is one again. Each call takes one (threat: guessing; OWASP ASVS 5, 6.3.1)."""
        args: list[int] = [now_ms, *(number for _, most, each_ms in buckets for number in (most, each_ms))]
        return int(await self._take(keys=[self._keys.tries(what) for what, _, _ in buckets], args=args))
