"""A worker as a real process: how it ends, what it is called, what it survives."""

import signal
from collections.abc import Iterator

import pytest
from redis import Redis

from opsmon.store.event_stream import GROUP
from opsmon.store.scripts import SEEN_KEPT_MS, Taken, append_args, source
from tests.waiting import wait_until
from tests.workers.fleet import Fleet, counted, make_work, open_fleet


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """A store of its own."""
    with open_fleet() as opened:
        yield opened


def append(fleet: Fleet, deliveries: list[Taken]) -> None:
    """Append as ingest does."""
    script = fleet.client.register_script(source("append_events"))
    for start in range(0, len(deliveries), 250):
        chunk = deliveries[start : start + 250]
        keys = [fleet.keys.events, fleet.keys.dead, fleet.keys.counts, *(fleet.keys.seen(t.seen) for t in chunk)]
        script(keys=keys, args=append_args(chunk, SEEN_KEPT_MS, 1))


def group(client: Redis, key: str) -> dict[str, int]:
    return next(g for g in client.xinfo_groups(key) if g["name"] == GROUP.encode())


def test_sigterm_ends_a_worker_after_the_batch_in_hand(fleet: Fleet) -> None:
    """It finishes what it has read, reads no more, and says goodbye with 0: nothing is left in hands."""
    append(fleet, make_work(20_000).deliveries)
    worker = fleet.start("worker-1")
    fleet.wait_until_in_hand("worker-1")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(3) == 0
    about = group(fleet.client, fleet.keys.events)
    assert (about["pending"], counted(fleet)[0]) == (0, about["entries-read"])
    assert about["entries-read"] < 20_000


def test_an_idle_worker_ends_within_three_seconds(fleet: Fleet) -> None:
    """Waiting for events is no work in hand."""
    worker = fleet.start("worker-1")
    wait_until(lambda: fleet.client.exists(fleet.keys.note("workers")), "the worker's sign of life")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(3) == 0


def test_a_worker_ends_while_the_store_is_away(fleet: Fleet) -> None:
    """It is trying to reach the store, and still hears that it shall end."""
    worker = fleet.start("worker-1")
    wait_until(lambda: fleet.client.exists(fleet.keys.note("workers")), "the worker's sign of life")
    fleet.store.stop()
    wait_until(lambda: "cannot work" in fleet.log("worker-1"), "the worker's complaint")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0


def test_a_worker_started_again_has_the_same_name(fleet: Fleet) -> None:
    """One consumer in the group, not one for each start: nothing is stranded under a forgotten name."""
    for _ in range(2):
        worker = fleet.start("worker-1")
        append(fleet, make_work(2).deliveries)
        wait_until(fleet.is_drained, "the stream drained")
        worker.send_signal(signal.SIGTERM)
        worker.wait(3)
    assert [c["name"] for c in fleet.client.xinfo_consumers(fleet.keys.events, GROUP)] == [b"worker-1"]


def test_a_worker_takes_up_again_what_it_had_in_hand(fleet: Fleet) -> None:
    """Killed in mid-batch and started under its name, it needs nobody else and no waiting for claims."""
    work = make_work(2_000)
    append(fleet, work.deliveries)
    fleet.start("worker-1")
    fleet.stop_in_mid_batch("worker-1")
    fleet.kill("worker-1")
    assert fleet.in_hand("worker-1") > 0
    fleet.start("worker-1")
    fleet.wait_until_drained()
    assert counted(fleet) == work.counts()


def test_another_worker_claims_what_one_left(fleet: Fleet) -> None:
    """The first never comes back: after two seconds its entries are another's."""
    work = make_work(2_000)
    append(fleet, work.deliveries)
    fleet.start("worker-1")
    fleet.stop_in_mid_batch("worker-1")
    fleet.kill("worker-1")
    fleet.start("worker-2")
    fleet.wait_until_drained()
    assert counted(fleet) == work.counts()


def test_a_worker_waits_for_a_store_that_is_not_there_yet(fleet: Fleet) -> None:
    """Processes may start in any order."""
    fleet.store.stop()
    fleet.start("worker-1")
    wait_until(lambda: "cannot work" in fleet.log("worker-1"), "the worker's complaint")
    fleet.store.start()
    work = make_work(10)
    append(fleet, work.deliveries)
    fleet.wait_until_drained()
    assert counted(fleet) == work.counts()
