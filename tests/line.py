"""The whole line in one process, for tests that walk it: real HTTP, real store, real worker."""

import asyncio
import hmac
import itertools
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.app.web import Web, open_web
from opsmon.clock import ManualClock
from opsmon.listening import listen
from opsmon.settings import Settings
from opsmon.store.keys import Keys
from opsmon.web.server import serve
from opsmon.workers.lanes import Lanes
from opsmon.workers.worker import Worker
from tests.http import Answer, Stream, open_stream, request
from tests.waiting import wait_until_async

SHOP = "paper-boat.myshopify.com"
_numbers = itertools.count(1)


@dataclass(slots=True)
class Line:
    """A running opsmon: `post` as Shopify does, `work` as a worker does, look as a browser does."""

    port: int
    web: Web
    worker: Worker
    lanes: Lanes
    store: Redis
    secret: bytes
    streams: list[Stream] = field(default_factory=list)

    @property
    def since(self) -> str:
        """Where the board is now: a stream from here on hears only news."""
        assert self.web.hub is not None
        return self.web.hub.id

    async def post(self, topic: str, body: Mapping[str, Any] | bytes, **headers: str) -> Answer:
        """Deliver a webhook, signed; `headers` replace or, when empty, remove the usual ones."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        usual = {
            "x-shopify-topic": topic,
            "x-shopify-shop-domain": SHOP,
            "x-shopify-webhook-id": f"webhook-{next(_numbers)}",
            "x-shopify-hmac-sha256": sign(raw, self.secret),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return await request(self.port, "POST", "/webhooks/shopify", raw,
                             {name: value for name, value in usual.items() if value})

    async def collect(self, *events: Mapping[str, Any]) -> Answer:
        """Say what pages say, and wait until it is in the stream; the events are new ones."""
        keys = Keys("main")
        before = int(await self.store.xlen(keys.visits))
        answer = await request(self.port, "POST", "/collect", orjson.dumps(events), {"content-type": "text/plain"})

        async def came() -> bool:
            return int(await self.store.xlen(keys.visits)) >= before + len(events)

        await wait_until_async(came, f"{len(events)} visits")
        return answer

    async def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page or a number."""
        return await request(self.port, "GET", path, b"", {n.replace("_", "-"): v for n, v in headers.items()})

    async def kpis(self) -> dict[str, Any]:
        """The numbers as a program reads them."""
        found: dict[str, Any] = orjson.loads((await self.get("/api/kpis")).body)["kpis"]
        return found

    async def work(self) -> int:
        """Count everything that waits."""
        worked = 0
        while done := await self.worker.step(self.lanes, 1):
            worked += done
        return worked

    async def open(self, since: str = "", view: str = "wall", board: str = "today", **headers: str) -> Stream:
        """Open a stream as a tab of a board does."""
        build = (await self.get("/offline")).text.partition('data-build="')[2].partition('"')[0]
        stream = await open_stream(self.port, f"/live?v={build}&view={view}&board={board}&since={since}", headers)
        self.streams.append(stream)
        return stream


def sign(body: bytes, secret: bytes) -> str:
    """The signature Shopify would give these bytes."""
    return b64encode(hmac.digest(secret, body, "sha256")).decode()


@asynccontextmanager
async def open_line(settings: Settings, clock: ManualClock, store: Redis, secret: bytes) -> AsyncIterator[Line]:
    """Start all of it and end all of it."""
    sockets = listen("127.0.0.1", 0, boards=True)
    port = sockets[0].getsockname()[1]
    worker = Worker(store, settings, clock)
    lanes = await worker.start()
    await worker.step(lanes, 1)
    async with open_web(settings, boards=True, ingest=True, clock=clock) as web:
        server = serve(web.app, sockets, web.drain)
        serving = asyncio.create_task(server.serve(sockets))
        assert web.feed is not None
        await web.feed.ready.wait()
        line = Line(port, web, worker, lanes, store, secret)
        try:
            yield line
        finally:
            for stream in line.streams:
                await stream.close()
            server.should_exit = True
            await serving
