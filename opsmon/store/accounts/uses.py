"""When people, sessions and tokens were last used: kept at most once a minute, by whoever notices."""

from collections.abc import Sequence

from redis.asyncio import Redis

from opsmon.core.access import Who
from opsmon.store.accounts.sessions import Sessions
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys

# What was not used for so long counts as never used.
KEPT_MS = 400 * 86_400_000


class Uses:
    """Writes down uses, and keeps sessions alive by them."""

    def __init__(self, client: Redis, keys: Keys, sessions: Sessions) -> None:
        self._client, self._keys, self._sessions = client, keys, sessions

    async def note(self, who: Who, now_ms: int) -> None:
        """They were here. May be repeated; an earlier time never replaces a later one (threat: a session that nobody
        ends; OWASP ASVS 5, 7.3.1: idle means that nobody uses it, not that no page was opened)."""
        if not who.session:
            return
        used = {f"{who.kind} {who.id}": now_ms, f"session {who.session}": now_ms}
        pipe = self._client.pipeline(transaction=False)
        pipe.zadd(self._keys.used, used, gt=True)
        pipe.zremrangebyscore(self._keys.used, 0, now_ms - KEPT_MS)
        await pipe.execute()
        if who.kind == "person":
            await self._sessions.touch(who.session, now_ms)


async def last_used(reader: Reader, keys: Keys, names: Sequence[str]) -> dict[str, int]:
    """When each was last used, epoch ms; those never used are left out. `names` are 'person <id>', 'session <hash>'."""
    found = await reader.many([Read("zscore", (keys.used, name)) for name in names]) if names else []
    return {name: int(at) for name, at in zip(names, found, strict=True) if at is not None}
