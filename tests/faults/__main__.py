"""The long forms: python -m tests.faults {workers,aof,hand-over,backup,telling,two-people,notify-kills,leader,all}
[--events N] [--workers N] [--kills N] [--histories N] [--seed N]."""

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
from pathlib import Path
from random import Random
from statistics import median

from opsmon.settings import load
from opsmon.store.connection import worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.server_binary import find_server
from tests.conftest import NOW_MS
from tests.faults.backups import back_up
from tests.faults.leader import WHERE as LEADER_DIES
from tests.faults.leader import run as run_leader
from tests.faults.notify_kills import run as run_notify_kills
from tests.faults.runs import append, cut_files, hand_over_s, run_workers
from tests.faults.telling import Outcome
from tests.faults.telling import run as run_telling
from tests.faults.trade import make_trade
from tests.faults.two_people import run as run_two_people
from tests.workers.fleet import open_fleet


def main() -> int:
    """Run what is named; 0 when everything came out right."""
    runs = {"workers": workers, "aof": aof, "hand-over": hand_over, "backup": backup, "telling": telling,
            "two-people": two_people, "notify-kills": notify_kills, "leader": leader}
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("run", choices=[*runs, "all"])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chosen = runs.values() if args.run == "all" else [runs[args.run]]
    done = [run(args) for run in chosen]
    return 0 if all(done) else 1


def workers(args: argparse.Namespace) -> bool:
    """Many workers, killed and stopped all the time."""
    trade = make_trade(args.events, args.seed)
    with open_fleet() as fleet:
        done = run_workers(fleet, trade, args.workers, args.seed)
    right = done.counted == trade.expected and not done.differences
    print(f"workers: {args.events} events, {args.workers} workers, {done.kills} SIGKILLs, {done.stops} SIGSTOPs, "
          f"{done.seconds:.0f} s: {'exact' if right else f'WRONG {done.counted} instead of {trade.expected}'}")
    return right


def aof(args: argparse.Namespace) -> bool:
    """The append-only file cut anywhere."""
    trade = make_trade(min(args.events, 20_000), args.seed)
    with open_fleet() as fleet:
        fleet.start("worker-1")
        append(fleet, trade.deliveries)
        fleet.wait_until_drained()
        found = cut_files(fleet, args.cuts, args.seed)
    wrong = [outcome for outcome in found if outcome.differences]
    print(f"aof: {len(found)} cuts, {len(wrong)} with counters that are not those of the acknowledged entries")
    return not wrong


def telling(args: argparse.Namespace) -> bool:
    """Who tells people killed at random steps, one to three times in a row."""
    logging.disable()  # who dies is told of thousands of times
    random, kills, done = Random(args.seed), 0, list[Outcome]()
    with tempfile.TemporaryDirectory(prefix="opsmon-telling-") as folder:
        data = DataDir(Path(folder))
        data.make()
        server = EmbeddedStore(data, find_server(), 256 * 1024 * 1024)
        server.start()
        settings = load({}, overrides={"store_url": server.url, "data": folder, "timezone": "UTC"})

        async def one(kills_at: list[int]) -> Outcome:
            client = worker_client(server.url)
            try:
                return await run_telling(client, settings, NOW_MS, kills_at)
            finally:
                await client.aclose()

        while kills < args.kills:
            done.append(asyncio.run(one([random.randint(1, 120) for _ in range(random.randint(1, 3))])))
            kills += done[-1].kills
        server.stop()
    missed, twice, by_key = (sum(getattr(one, name) for one in done) for name in ("missed", "twice", "twice_by_key"))
    right = missed == by_key == sum(one.late for one in done) == 0 and twice <= kills
    print(f"telling: {kills} kills in {len(done)} runs: missed {missed}, once more {twice}, by their keys {by_key}: "
          f"{'right' if right else 'WRONG'}")
    return right


def notify_kills(args: argparse.Namespace) -> bool:
    """`opsmon notify` as a real process, killed with SIGKILL at points of the way from the outbox to the sinks."""
    found = asyncio.run(run_notify_kills(args.kills, args.seed))
    places = ", ".join(f"{count} {where}" for where, count in found.points.most_common())
    print(f"notify: {found.kills} SIGKILLs ({places}), {found.messages} messages: missed {found.missed}, once more "
          f"{found.twice}, by their keys {found.twice_by_key}: {'right' if found.is_right else 'WRONG'}")
    return found.is_right


def leader(args: argparse.Namespace) -> bool:
    """Whoever looks at the rules killed at each of four points while an alert fires, `rounds` times."""
    found = [asyncio.run(run_leader(at)) for at in (*LEADER_DIES,) * args.rounds]
    times, wrong = [one.seconds for one in found], [one for one in found if not one.is_right]
    print(f"leader: {len(found)} SIGKILLs while an alert fires: another's turn after median {median(times):.2f} s, "
          f"worst {max(times):.2f} s (aim 3 s); {f'WRONG {wrong}' if wrong else 'fired and told once each'}")
    return not wrong


def two_people(args: argparse.Namespace) -> bool:
    """Two people act on one alert at once; each history is looked at beside every serial order of it."""
    async def histories(url: str) -> list[str]:
        client = worker_client(url)
        try:
            return [fault for seed in range(args.seed, args.seed + args.histories)
                    for fault in (await run_two_people(client, seed, NOW_MS)).faults(NOW_MS)]
        finally:
            await client.aclose()

    with open_fleet() as fleet:
        found = asyncio.run(histories(fleet.store.url))
    print(f"two people: {args.histories} histories, {len(found)} that are none of one after the other: "
          f"{'right' if not found else f'WRONG, as in {found[0]}'}")
    return not found


def hand_over(args: argparse.Namespace) -> bool:
    """From a worker's end until all it held is counted by another."""
    trade, right = make_trade(20_000, args.seed), True
    for how, most_s in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 3.0)):
        times = []
        for _ in range(3):
            with open_fleet() as fleet:
                times.append(hand_over_s(fleet, trade, how))
        print(f"hand-over after {how.name}: median {median(times):.2f} s, worst {max(times):.2f} s (aim {most_s:g} s)")
        right = right and median(times) <= most_s
    return right


def backup(args: argparse.Namespace) -> bool:
    """A backup taken while events pour in and are counted, restored to another store: a recount finds the same."""
    right = True
    for number in range(args.rounds):
        trade = make_trade(min(args.events, 30_000), args.seed + number)
        with open_fleet() as fleet, open_fleet() as other:
            done = back_up(fleet, other, trade)
        good = not done.differences and not done.left_behind and 0 < done.events < len(trade.deliveries)
        print(f"backup {number + 1}: {done.events} of {len(trade.deliveries)} events in it, {done.seconds:.1f} s, "
              f"{'equal' if good else f'WRONG {done}'}")
        right = right and good
    return right


if __name__ == "__main__":
    sys.exit(main())
