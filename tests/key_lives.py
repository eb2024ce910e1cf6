"""Which keys may live for ever: those that keys.py calls permanent, and no others."""

import re

from redis.asyncio import Redis

from opsmon.store.keys import KINDS, KeyKind

PREFIX = re.compile(rb"\{[a-z0-9-]+\}:")


def pattern(kind: KeyKind) -> re.Pattern[str]:
    """What keys of a kind look like. A name in <> is any text; only the last may hold colons of its own."""
    shape = re.escape(kind.shape).replace(re.escape("{site}"), r"\{[a-z0-9-]+\}")
    return re.compile(re.sub(r"<[\w\\ ]+>", ".*", shape))


PERMANENT = [pattern(kind) for kind in KINDS if kind.lives.startswith("permanent")]


async def immortal_strangers(client: Redis) -> list[str]:
    """Keys of ours that have no expiry and that keys.py does not list as permanent."""
    names = [name async for name in client.scan_iter(count=1000) if PREFIX.match(name)]
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.pttl(name)
    lives = await pipe.execute() if names else []
    immortal = [name.decode() for name, left_ms in zip(names, lives, strict=True) if left_ms == -1]
    return sorted(name for name in immortal if not any(kind.fullmatch(name) for kind in PERMANENT))
