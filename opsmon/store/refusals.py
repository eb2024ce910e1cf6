"""Command: bring the counts of refused deliveries to the store now and then.

Refusals cost no write each: whoever can send rubbish must not be able to make the disk work.
"""

import asyncio
from collections import Counter

from redis.asyncio import Redis

from opsmon.store.connection import STORE_ERRORS
from opsmon.store.keys import Keys

_EVERY_S = 5.0


async def flush_refusals(client: Redis, keys: Keys, refused: "Counter[str]") -> None:
    """Add `refused` to the site's totals every few seconds, for ever, and empty it."""
    while True:
        await asyncio.sleep(_EVERY_S)
        await flush_once(client, keys, refused)


async def flush_once(client: Redis, keys: Keys, refused: "Counter[str]") -> None:
    """Add and empty once; what could not be brought is kept for the next time."""
    counted = dict(refused)
    if not counted:
        return
    pipe = client.pipeline(transaction=True)
    for counter, count in counted.items():
        pipe.hincrby(keys.counts, counter, count)
    try:
        await pipe.execute()
    except STORE_ERRORS:
        return
    refused.subtract(counted)
    for counter in [counter for counter, left in refused.items() if not left]:
        del refused[counter]
