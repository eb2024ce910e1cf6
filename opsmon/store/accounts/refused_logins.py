"""When somebody could not sign in, for the rule that tells of it; neither who nor from where."""

from redis.asyncio import Redis

from opsmon.core.calendar import DAY_MS
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys

# Somebody who tries more often is told of all the same.
MOST_KEPT = 1_000


async def note_refused(client: Redis, keys: Keys, now_ms: int, one: str) -> None:
    """Remember that a login failed; `one` tells it from others of the same instant. May be repeated.

    Threat: guessing that nobody notices (CWE-778; OWASP ASVS 5, 16.3.1).
    """
    pipe = client.pipeline(transaction=False)
    pipe.zadd(keys.refused_logins, {one: now_ms})
    pipe.zremrangebyrank(keys.refused_logins, 0, -MOST_KEPT - 1)
    pipe.pexpire(keys.refused_logins, DAY_MS)
    await pipe.execute()


async def refused_logins(reader: Reader, keys: Keys) -> tuple[int, ...]:
    """When logins failed, in epoch ms, oldest first: the newest 1,000 of the last day and more."""
    (found,) = await reader.many([Read("zrangebyscore", (keys.refused_logins, "-inf", "+inf"), {"withscores": True})])
    return tuple(int(at_ms) for _, at_ms in found)
