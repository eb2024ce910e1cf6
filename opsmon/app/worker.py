"""A worker: what counts, and beside it what looks at the rules and what archives."""

import asyncio
import os
from itertools import count

from redis.asyncio import Redis

from opsmon.app.loops import end
from opsmon.app.site import archive, kpi_queries, refuse_newer_store, sources, store_url
from opsmon.clock import Clock, SystemClock
from opsmon.settings import Settings
from opsmon.store.connection import worker_client
from opsmon.store.keys import Keys
from opsmon.workers.archiving import Archivist
from opsmon.workers.evaluator import Evaluator
from opsmon.workers.worker import Worker

_evaluators = count(1)


async def run_worker(settings: Settings, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Work until `stop` is set and the batch in hand is done; beside it look at the rules, if no other worker does,
    and archive what became of alerts. Raises NewerStore."""
    await refuse_newer_store(settings)
    client, clock = worker_client(store_url(settings)), clock or SystemClock()
    archivist = Archivist(client, Keys(settings.site), archive(settings), clock)
    beside = [asyncio.create_task(loop) for loop in (evaluator(settings, client, clock).run(stop), archivist.run(stop))]
    try:
        await Worker(client, settings, clock).run(stop)
        await asyncio.gather(*beside)
    finally:
        for one in beside:
            await end(one)
        await client.aclose()


def evaluator(settings: Settings, client: Redis, clock: Clock) -> Evaluator:
    """What looks at the rules of a site. Its number tells it from others of this machine."""
    who = f"{settings.worker_name}:{os.getpid()}:{next(_evaluators)}"
    return Evaluator(client, Keys(settings.site), kpi_queries(client, settings), tuple(sources(settings)), who, clock,
                     settings.rules, settings.special_days)
