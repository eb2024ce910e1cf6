"""What a worker does about privacy, every few seconds: exports for who asks, forgetting whom the vendor says."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from redis.asyncio import Redis

from opsmon.core.calendar import DAY_MS
from opsmon.core.errors import OpsmonError
from opsmon.core.folding import Rules
from opsmon.core.privacy import Request, Stage, mentions
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from opsmon.store.meta import read_meta
from opsmon.store.privacy import forget_request, keep_request, nameless
from opsmon.store.privacy_queries import read_requests
from opsmon.store.rewriting import REFUSED, begin_rewrite, is_rewritten
from opsmon.store.scripts import Scripts
from opsmon.workers.erasure import LOCK_MS, Erasure, Interrupted
from opsmon.workers.exporting import export

log = logging.getLogger("opsmon.privacy")

DONE_KEPT_MS = 90 * DAY_MS


class Erasing:
    """One site's requests for privacy. Several workers may run this: one of them does it."""

    def __init__(self, client: Redis, keys: Keys, rules: Rules, data: DataDir) -> None:
        self._client, self._keys, self._rules, self._data = client, keys, rules, data
        self._scripts = Scripts(client, keys)

    async def run(self, now_ms: int) -> None:
        """`run_once`, whatever a request or a folder is like: counting goes on. Raises what the store does."""
        try:
            await self.run_once(now_ms)
        except (OpsmonError, ValueError, TypeError, KeyError) as error:
            log.error("requests for privacy cannot be worked: %s: %s", type(error).__name__, error)

    async def run_once(self, now_ms: int) -> None:
        """Take every request that is open one step further. May be repeated, and broken off at any point."""
        requests = [one for one in await read_requests(Reader(self._client), self._keys) if _is_due(one, now_ms)]
        # Not while the site is counted anew, and nobody counts it anew meanwhile.
        turn = self._keys.note("recount")
        if not requests or not await self._client.set(turn, "erasing", nx=True, px=LOCK_MS):
            return
        try:
            await self._all(requests, now_ms)
        except Interrupted:
            log.info("the site is counted anew: erasing goes on afterwards")
        finally:
            await self._client.delete(turn)

    async def _all(self, requests: Sequence[Request], now_ms: int) -> None:
        meta = await read_meta(Reader(self._client), self._keys)
        if meta.building:
            # Its turn has passed: whoever built is gone, or will find that it may not go on.
            await self._scripts.rebuild("leave", meta.building)
        for request in requests:
            match request.kind, request.stage:
                case _, "done":
                    await forget_request(self._client, self._keys, request)
                case "export", _:
                    await self._export(request)
                case _, "asked":
                    await self._erase(request, meta.generation, now_ms)
                case _:
                    await self._rewrite(request, now_ms)

    async def _export(self, request: Request) -> None:
        text = await export(self._client, self._keys, request)
        try:
            path = self._data.write_export(request.id, text)
        except OpsmonError as error:
            log.error("%s", error)
            await keep_request(self._client, self._keys, replace(request, note=f"opsmon privacy export {request.id}"))
            return
        await keep_request(self._client, self._keys, replace(request, note=str(path)))
        log.warning("a customer asks what is kept of them: %s has it. Send it, then: opsmon privacy done %s",
                    path, request.id)

    async def _erase(self, request: Request, generation: int, now_ms: int) -> None:
        """A pass; when it finds nothing more, what is left is on the store's disk only."""
        await self._client.hincrby(self._keys.meta, "erased", 1)
        found = await Erasure(self._client, self._keys, self._rules, request, generation, now_ms).run()
        found += await self._files(request)
        log.info("request %s: %d traces found", request.id, found)
        if not found:
            await keep_request(self._client, self._keys, nameless(request, "rewrite"))

    async def _files(self, request: Request) -> int:
        """Exports of those who are forgotten, their requests for them, and what a spool had set aside."""
        found = self._data.forget_files(lambda text: _names(text, request))
        for other in await read_requests(Reader(self._client), self._keys):
            if other.kind == "export" and other.about and _is_same(other, request):
                await forget_request(self._client, self._keys, other)
                found += 1
        return found

    async def _rewrite(self, request: Request, now_ms: int) -> None:
        by = request.note if request.stage == "rewriting" else ""
        done = await is_rewritten(self._client, by) if by else None
        here: tuple[Stage, str]
        if done is None:
            by = await begin_rewrite(self._client)
            done = by == REFUSED
        if done:
            self._data.forget_backups()
            log.warning("request %s: erased", request.id)
        if by == REFUSED:
            log.error("the store may not be told to write its files anew: have it done there (BGREWRITEAOF), "
                      "until then they hold what was erased")
        here = ("done", str(now_ms)) if done else ("rewriting", by) if by else ("rewrite", "")
        await keep_request(self._client, self._keys, nameless(request, *here))


def _is_due(request: Request, now_ms: int) -> bool:
    """Whether a worker has something to do about it."""
    if request.stage == "done":
        return now_ms - int(request.note or 0) > DONE_KEPT_MS
    return request.kind != "export" or not request.note


def _is_same(other: Request, request: Request) -> bool:
    return other.about == request.about or (request.kind == "shop" and other.about.startswith(f"{request.about}:"))


def _names(text: str, request: Request) -> bool:
    if request.kind == "shop":
        return request.about.rpartition(":")[2] in text
    return mentions(text, (request.about, *request.orders))
