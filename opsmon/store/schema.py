"""Bring a store that an older opsmon wrote up to the schema of this one, in place."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from redis.asyncio import Redis

from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.meta import read_meta
from opsmon.store.scripts import source

log = logging.getLogger("opsmon.store")

# From one schema to the next. Several workers may do it at once, and any of them may be killed: safe to repeat.
Step = Callable[[Redis, Keys], Awaitable[None]]


async def _write_down(client: Redis, keys: Keys) -> None:
    """From 0 to 1: only the schema itself is new."""


STEPS: Sequence[Step] = (_write_down,)


async def bring_up(client: Redis, keys: Keys, steps: Sequence[Step] = STEPS) -> None:
    """Take every step that is missing and write down how far the store is. Raises NewerStore. Safe to repeat."""
    stored = (await read_meta(Reader(client), keys)).schema
    for number, step in enumerate(steps[stored:], stored + 1):
        await step(client, keys)
        counts = await client.register_script(source("raise_schema"))(keys=[keys.meta], args=[number])
        log.info("the store's schema is %d now", counts)
