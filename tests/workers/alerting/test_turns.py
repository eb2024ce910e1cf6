"""Who looks at the rules: one at a time, and the next one when it goes."""

import asyncio

import pytest
from redis.asyncio import Redis

from opsmon.app.worker import evaluator
from opsmon.clock import ManualClock
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.settings import Settings
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts
from opsmon.workers.evaluator import TURN_MS, Evaluator
from tests.line import Line
from tests.waiting import wait_until_async
from tests.workers.alerting.test_evaluator import keep, log, orders

pytestmark = pytest.mark.anyio

KEYS = Keys("main")
MANY = Rule("many", "Many orders", "orders-today", Limit(2), "critical", for_ms=0)


async def run(looking: Evaluator) -> tuple[asyncio.Task[None], asyncio.Event]:
    """Let one look until it is told to stop."""
    stop = asyncio.Event()
    return asyncio.create_task(looking.run(stop)), stop


async def the_turn(store: Redis) -> str:
    """Whose it is."""
    return (await store.get(KEYS.turn("evaluator")) or b"").decode()


async def test_one_looks_and_the_other_waits(settings: Settings, store: Redis, clock: ManualClock) -> None:
    """The turn stays with whoever had it first."""
    first, second = (evaluator(settings, store, clock) for _ in range(2))
    tasks = [await run(one) for one in (first, second)]
    await wait_until_async(lambda: the_turn(store), "a turn")
    turns = {await the_turn(store) for _ in range(20) if not await asyncio.sleep(0.01)}
    for task, stop in tasks:
        stop.set()
        await task
    assert len(turns) == 1


async def test_who_stops_gives_the_turn_away(settings: Settings, store: Redis, clock: ManualClock) -> None:
    """The next one need not wait until it has run out."""
    task, stop = await run(evaluator(settings, store, clock))
    await wait_until_async(lambda: the_turn(store), "a turn")
    stop.set()
    await task

    async def is_free() -> bool:
        return not await the_turn(store)

    await wait_until_async(is_free, "a free turn")


async def test_who_is_killed_while_it_fires_is_followed(
        line: Line, settings: Settings, store: Redis, clock: ManualClock) -> None:
    """Its turn runs out after a few seconds; the alert goes on, and is none the more."""
    await keep(store, MANY)
    await orders(line, 1, 2, 3)
    task, _ = await run(evaluator(settings, store, clock))
    await wait_until_async(lambda: log(store), "an alert")
    while not task.done():  # in Python 3.11 a cancellation may be swallowed (asyncio.wait_for)
        task.cancel()
        await asyncio.wait([task], timeout=1)
    died = await the_turn(store)
    after, stop = await run(evaluator(settings, store, clock))

    async def is_followed() -> bool:
        return await the_turn(store) not in ("", died)

    await wait_until_async(is_followed, "another turn")
    stop.set()
    await after
    assert await log(store) == [("firing", "beyond")]


async def test_a_turn_lasts_no_longer_than_three_seconds(store: Redis) -> None:
    """So that whoever follows has seen a critical breach in time."""
    await Scripts(store, KEYS).take_turn("evaluator", "somebody", TURN_MS)
    assert 0 < await store.pttl(KEYS.turn("evaluator")) <= 3_000
