"""Workers and stores killed over and over: every acknowledged event is counted exactly once.

Each scenario has its control: with the protection switched off (unfenced_worker.py) the same run
counts wrong, so the scenario does hit what it aims at.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import redis.asyncio

from opsmon.store.connection import STORE_ERRORS, ingest_client
from opsmon.store.scripts import Scripts, Taken
from tests.waiting import wait_until, wait_until_async
from tests.workers.fleet import OPSMON, Fleet, Work, counted, make_work, open_fleet

pytestmark = [pytest.mark.anyio, pytest.mark.kill]

SPOILT = str(Path(__file__).with_name("unfenced_worker.py"))
CHUNK = 250


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """A store of its own: these tests end it."""
    with open_fleet() as opened:
        yield opened


async def append(fleet: Fleet, deliveries: Sequence[Taken]) -> None:
    """Append as ingest does, some at a time."""
    async with redis.asyncio.Redis.from_url(fleet.store.url) as client:
        scripts = Scripts(client, fleet.keys)
        for start in range(0, len(deliveries), CHUNK):
            await scripts.append_events(deliveries[start : start + CHUNK], 1)


def some_time_in_the_batch(fleet: Fleet, name: str, number: int) -> None:
    """Not always the same moment: up to a thousand questions of 0.1 ms after it was read."""
    fleet.wait_until_in_hand(name)
    for _ in range(90 * number % 1000):
        fleet.in_hand(name)


def after_counting(fleet: Fleet, name: str, number: int) -> None:
    """Counted and not acknowledged: the moment that the commit script does not have."""
    wait_until(lambda: fleet.client.exists(fleet.keys.note(f"counted:{name}")), f"{name} never counted a batch")


async def kill_workers(fleet: Fleet, work: Work, kills: int, program: Sequence[str] = OPSMON,
                       moment: Callable[[Fleet, str, int], None] = some_time_in_the_batch) -> int:
    """Two workers, one killed in mid-batch and started again, by turns; how many entries died in hands."""
    names, share, in_hands = itertools.cycle(["worker-1", "worker-2"]), len(work.deliveries) // kills, 0
    for name in ("worker-1", "worker-2"):
        fleet.start(name, program)
    for kill in range(kills):
        await append(fleet, work.deliveries[kill * share : (kill + 1) * share])
        name = next(names)
        moment(fleet, name, kill)
        fleet.kill(name)
        in_hands += fleet.in_hand(name)
        fleet.start(name, program)
    await append(fleet, work.deliveries[kills * share :])
    fleet.wait_until_drained()
    return in_hands


async def stall_a_worker(fleet: Fleet, work: Work, program: Sequence[str] = OPSMON) -> int:
    """One worker is stopped in mid-batch until another has claimed its entries, then it goes on."""
    await append(fleet, work.deliveries)
    fleet.start("worker-1", program)
    held = fleet.stop_in_mid_batch("worker-1")
    fleet.start("worker-2", program)
    fleet.wait_until_drained()
    fleet.resume("worker-1")
    # It has committed, or tried to, once it takes new work.
    fleet.kill("worker-2")
    await append(fleet, make_work(2, first=1_000_000).deliveries)
    fleet.wait_until_drained()
    return held


async def test_workers_killed_in_mid_batch_count_everything_once(fleet: Fleet) -> None:
    """Twenty kills over twenty thousand events: nothing is lost and nothing counted twice."""
    work = make_work(20_000)
    in_hands = await kill_workers(fleet, work, kills=20)
    assert counted(fleet) == work.counts()
    assert in_hands > 500


async def test_without_one_step_for_counting_and_acknowledging_kills_count_twice(fleet: Fleet) -> None:
    """The control: counting first and acknowledging after it is wrong by what was between them."""
    work = make_work(8_000)
    await kill_workers(fleet, work, 4, (SPOILT, "ack-later"), after_counting)
    deliveries, _, _ = counted(fleet)
    assert deliveries > len(work.deliveries)


async def test_a_stalled_worker_that_resumes_counts_nothing_twice(fleet: Fleet) -> None:
    """Its entries were claimed and counted by another meanwhile: its late commit is refused."""
    work, later = make_work(3_000), make_work(2, first=1_000_000)
    await stall_a_worker(fleet, work)
    assert counted(fleet) == tuple(map(sum, zip(work.counts(), later.counts(), strict=True)))


async def test_without_the_fence_a_stalled_worker_counts_twice(fleet: Fleet) -> None:
    """The control: a commit that does not ask what is pending counts the whole batch again."""
    work = make_work(3_000)
    held = await stall_a_worker(fleet, work, (SPOILT, "unfenced"))
    deliveries, _, _ = counted(fleet)
    assert deliveries == len(work.deliveries) + 2 + held


async def test_a_store_killed_under_load_loses_nothing_it_acknowledged(fleet: Fleet) -> None:
    """Ten kills while deliveries pour in: who hears no answer sends again, and each counts once."""
    work, acknowledged = make_work(6_000), 0
    fleet.start("worker-1")
    client = ingest_client(fleet.store.url)
    scripts = Scripts(client, fleet.keys)
    for number, start in enumerate(range(0, len(work.deliveries), 20)):
        if number % 30 == 29:
            await kill_the_store_under(fleet, scripts, work.deliveries[start : start + 20])
        acknowledged += len(await send_until_answered(scripts, work.deliveries[start : start + 20]))
    await client.aclose()
    fleet.wait_until_drained()
    assert acknowledged == len(work.deliveries)
    assert counted(fleet) == work.counts()


async def kill_the_store_under(fleet: Fleet, scripts: Scripts, chunk: Sequence[Taken]) -> None:
    """SIGKILL the store while an append is under way, and start it again."""
    sending = asyncio.create_task(scripts.append_events(chunk, 1))
    await asyncio.sleep(0)
    assert fleet.store.pid is not None
    os.kill(fleet.store.pid, signal.SIGKILL)
    await asyncio.gather(sending, return_exceptions=True)
    wait_until(lambda: fleet.store.poll() is not None, "the end of the store")
    fleet.store.start()


async def send_until_answered(scripts: Scripts, chunk: Sequence[Taken]) -> list[bytes]:
    """As a vendor does: the same deliveries again until they are answered."""
    async def send() -> list[bytes]:
        try:
            return await scripts.append_events(chunk, 1)
        except STORE_ERRORS:
            return []

    return await wait_until_async(send, "an answer from the store")
