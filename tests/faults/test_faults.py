"""Faults, short: a minute of what `python -m tests.faults all` does for long; each with its control."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.backups import back_up
from tests.faults.runs import append, cut_files, hand_over_s, pending, run_workers
from tests.faults.trade import make_trade
from tests.workers import unfenced_worker
from tests.workers.fleet import Fleet, open_fleet

pytestmark = pytest.mark.kill

SPOILT = str(Path(unfenced_worker.__file__))


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """A store of its own: these tests end it."""
    with open_fleet() as opened:
        yield opened


def test_workers_killed_and_stopped_at_random_count_everything_once(fleet: Fleet) -> None:
    """Orders, requests and visits: what is counted is what an oracle adds up, and what a recount finds."""
    trade = make_trade(12_000, seed=7)
    done = run_workers(fleet, trade, workers=3, seed=7)
    assert (done.counted, done.differences, pending(fleet)) == (trade.expected, [], 0)
    assert done.kills + done.stops > 0


def test_without_one_step_for_counting_and_acknowledging_they_do_not(fleet: Fleet) -> None:
    """The control: workers that count first and acknowledge later count some events twice."""
    trade = make_trade(6_000, seed=8)
    done = run_workers(fleet, trade, workers=3, seed=8, program=(SPOILT, "ack-later"))
    assert done.counted["events"] > trade.expected["events"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_worker_held_is_soon_in_other_hands(fleet: Fleet, how: signal.Signals) -> None:
    """Ended in mid-batch, asked or not: another counts it within seconds."""
    assert hand_over_s(fleet, make_trade(6_000, seed=9), how) < 8


def test_a_file_cut_anywhere_holds_counters_and_acknowledgements_that_agree(fleet: Fleet) -> None:
    """A power cut: whatever of the file is left, the counters are those of the entries acknowledged in it."""
    fleet.start("worker-1")
    append(fleet, make_trade(6_000, seed=3).deliveries)
    fleet.wait_until_drained()
    found = cut_files(fleet, cuts=6, seed=3)
    assert [outcome.differences for outcome in found] == [[]] * 6
    assert len({outcome.counted["events"] for outcome in found}) > 1


def test_a_file_cut_between_two_steps_holds_some_that_do_not(fleet: Fleet) -> None:
    """The control: where counting and acknowledging are two writes, a cut falls between them."""
    fleet.start("worker-1", (SPOILT, "ack-later"))
    append(fleet, make_trade(3_000, seed=4).deliveries)
    fleet.wait_until_drained()
    assert [outcome for outcome in cut_files(fleet, cuts=8, seed=4) if outcome.differences] != []


def test_a_backup_taken_while_workers_count_adds_up_elsewhere(fleet: Fleet) -> None:
    """Real processes: two workers, events without a pause, `opsmon backup`, `opsmon restore` to another store."""
    trade = make_trade(12_000, seed=11)
    with open_fleet() as other:
        done = back_up(fleet, other, trade)
    assert (done.differences, done.left_behind) == ([], [])
    assert 0 < done.events < len(trade.deliveries)
