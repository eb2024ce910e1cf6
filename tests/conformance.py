"""Run window cases of other engines through opsmon: `python -m tests.conformance FILE.jsonl`.

A line per case says ok, or FAIL and how the answer differs. Cases that engines answer by a rule other than ours
go through an adapter, by name and with the reason. The last line is `N passed, M failed`; 1 is returned
when anything failed.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

if not __package__:  # run as a file: beside it lie modules that are called like some of Python's own
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from redis.asyncio import Redis

from opsmon.store.connection import worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.server_binary import find_server
from tests.conformance_adapters import reason_of
from tests.conformance_cases import Malformed, name_of, read_case
from tests.conformance_runs import Verdict, judge, reasons

MEMORY_BYTES = 512 * 1024 * 1024

Say = Callable[[str], None]


async def run_lines(lines: Iterable[bytes], url: str, say: Say) -> bool:
    """Run the cases of these lines on a store; whether all passed. Blank lines are passed over."""
    adapters: Counter[str] = Counter()
    tally: Counter[bool] = Counter()
    adapted = 0
    client = worker_client(url)
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                said, verdict = await _judged(client, line, number)
                say(said)
                tally[not verdict.wrong] += 1
                adapters.update(verdict.adapters)
                adapted += bool(verdict.adapters)
    finally:
        await client.aclose()
    if adapted:
        say(f"{adapted} of them through adapters:")
    for adapter, times in adapters.most_common():
        say(f"  {adapter} × {times}: {reason_of(adapter)}")
    say(f"{tally[True]} passed, {tally[False]} failed")
    return not tally[False]


async def _judged(client: Redis, line: bytes, number: int) -> tuple[str, Verdict]:
    """What is said of a case. One that cannot be read, or breaks the run, fails with a sentence."""
    name = name_of(line, number)
    try:
        case = read_case(line)
        await client.flushall()
        verdict = await judge(client, case)
    except Malformed as error:
        return f"FAIL {name}: {error}", Verdict("", wrong=(str(error),))
    except Exception as error:
        said = f"the run broke off: {type(error).__name__}: {error}"
        return f"FAIL {name}: {said}", Verdict("", wrong=(said,))
    via = f"via adapter {reasons(verdict)} " if verdict.adapters else ""
    if verdict.wrong:
        return f"FAIL {name} {via}{case.kind}: {'; '.join((*verdict.wrong, *verdict.notes))}", verdict
    return f"ok {name} {via}{case.kind} ({', '.join((verdict.runs, *verdict.notes))})", verdict


def main(arguments: list[str]) -> int:
    """Run a file of cases on a store of its own."""
    if len(arguments) != 1:
        print("usage: python -m tests.conformance FILE.jsonl", file=sys.stderr)
        return 2
    try:
        lines = Path(arguments[0]).read_bytes().splitlines()
    except OSError as error:
        print(f"{arguments[0]} cannot be read: {error.strerror}.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="opsmon-conformance-") as folder:
        data = DataDir(Path(folder))
        data.make()
        store = EmbeddedStore(data, find_server(), MEMORY_BYTES)
        store.start()
        try:
            return 0 if asyncio.run(run_lines(lines, store.url, lambda said: print(said, flush=True))) else 1
        finally:
            store.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
