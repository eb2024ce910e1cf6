"""Hold the workers for a moment: nobody commits, rebuilds or erases while a site is copied or restored.

Ingest goes on. It is the fence of a rebuild: if this process dies, the first worker that notices takes it down.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from opsmon.core.errors import OpsmonError
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

LIFE_MS = 30_000


class Fence:
    """A fence that stands. `generation` is what the next panes would be counted under; `keep` it from falling."""

    def __init__(self, client: Redis, keys: Keys, generation: int) -> None:
        self._client, self._note, self.generation = client, keys.note("recount"), generation

    async def keep(self) -> None:
        """Say that we live. Every few seconds; whether it still stood is told by the script that ends the work."""
        await self._client.pexpire(self._note, LIFE_MS)


@asynccontextmanager
async def fenced(client: Redis, keys: Keys) -> AsyncIterator[Fence]:
    """Put up the fence, and take it down afterwards. Raises OpsmonError while a rebuild or an erasure runs."""
    note, scripts = keys.note("recount"), Scripts(client, keys)
    if not await client.set(note, "fence", nx=True, px=LIFE_MS):
        raise OpsmonError("This site is being counted anew, copied, or somebody is being forgotten. Try again in a "
                          "minute.")
    generation = await scripts.rebuild("begin")
    try:
        await scripts.rebuild("fence", generation)
        yield Fence(client, keys, generation)
    finally:
        await scripts.rebuild("leave", generation)
        await client.delete(note)
