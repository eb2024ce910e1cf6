"""The history of alerts at 2,000,000 records, over 24 months: any page of it, and a span of 30 days.

200 rules with 5 rows each; the files of the archive on this disk, the newest 300 lines in the store alone. Each round
asks each kind of page from places chosen anew, the first and the deepest among them.
"""

import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from opsmon.core.calendar import DAY_MS
from opsmon.store.alerts.alert_queries import SoughtLines
from opsmon.store.alerts.archive import Archive
from opsmon.store.alerts.history import History
from opsmon.store.alerts.month_file import Entry
from opsmon.store.connection import Reader, worker_client
from tests.bench.engine import KEYS, a_store
from tests.bench.ndjson import quantile

LINES, MONTHS, RULES, ROWS = 2_000_000, 24, 200, 5
IN_STORE, AT_ONCE, A_PAGE = 300, 20_000, 30
ROUNDS, EACH = 3, 200
UNTIL_MS = 1_795_179_802_000
STEP_MS = MONTHS * 30 * DAY_MS // LINES
SEVERITIES = ("critical", "high", "medium", "low")
STATES = (("ok", "firing"), ("firing", "firing"), ("firing", "recovering"), ("recovering", "resolved"))


def main() -> None:
    """Print a line for each kind of page."""
    with a_store() as (store, client), tempfile.TemporaryDirectory(prefix="opsmon-bench-") as folder:
        for entry_id, fields in lines(LINES - IN_STORE, LINES):
            client.xadd(KEYS.alert_log, fields, id=entry_id)  # type: ignore[arg-type]
        uvloop.run(measured(store.url, Path(folder)))


def line(number: int) -> Entry:
    """What happened as the number-th: rules fire in bursts, and one of a thousand lines is of a rule that is rare."""
    at_ms, rule = UNTIL_MS - (LINES - number) * STEP_MS, number * 7_919 // 32 % RULES
    name = "rare" if number % 1_000 == 0 and number < LINES // 2 else f"rule-{rule}"
    before, state = STATES[number % 4]
    row = number * 104_729 % ROWS
    return f"{at_ms}-0", {
        "at": str(at_ms), "alert": f"{rule:012x}{row:04x}", "run": f"{rule:012x}{row:04x}-{at_ms}", "rule": name,
        "title": f"Orders of lane {rule} are late", "severity": SEVERITIES[rule % 4], "before": before, "state": state,
        "reason": "beyond", "by": "Ana" if before == state else "", "note": "", "value": str(number % 97),
        "limit": "20.0", "peak": str(number % 97), "began": str(at_ms), "labels": f'{{"lane":"lane-{row}"}}'}


def lines(first: int, last: int) -> Iterator[Entry]:
    """From the first on, before the last."""
    return (line(number) for number in range(first, last))


async def measured(url: str, folder: Path) -> None:
    """Fill the files, then ask."""
    archive, client, began_s = Archive(folder), worker_client(url), time.perf_counter()
    for first in range(0, LINES - IN_STORE, AT_ONCE):
        await archive.keep(list(lines(first, min(first + AT_ONCE, LINES - IN_STORE))))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{LINES:,} records in {len(await archive.months())} files of {size / 1e6:,.0f} MB in all, written in "
          f"{time.perf_counter() - began_s:,.0f} s", flush=True)
    history, chance = History(Reader(client), KEYS, archive), random.Random(1)
    kinds: dict[str, Callable[[], SoughtLines]] = {
        "all": SoughtLines, "of a rule": lambda: SoughtLines(rule=f"rule-{chance.randrange(RULES)}"),
        "of a rare rule": lambda: SoughtLines(rule="rare"),
        "of a rule that never was": lambda: SoughtLines(rule="never"),
        "of a severity": lambda: SoughtLines(severity=chance.choice(SEVERITIES)),
        "of a state": lambda: SoughtLines(state=chance.choice(STATES)[1]),
        "of a severity and a state": lambda: SoughtLines(severity=chance.choice(SEVERITIES), state="resolved"),
        "of a rule and a severity it never had": lambda: SoughtLines(rule="rule-1", severity="low"),
        "of one alert": lambda: SoughtLines(alert=f"{chance.randrange(RULES):012x}{chance.randrange(ROWS):04x}"),
        "of what people did not do": lambda: SoughtLines(is_of_people=False),
    }
    for name, sought in kinds.items():
        await timed(f"page of {A_PAGE} {name}", lambda sought=sought: history.page(  # type: ignore[misc]
            sought(), A_PAGE, place(chance)), EACH)
    await timed("newest page", lambda: history.page(SoughtLines(), A_PAGE), EACH)
    # What this machine makes of nothing at this moment: a thread and back.
    await timed("nothing, by the same way", archive.months, EACH)
    await timed("30 days of it, whole", lambda: whole(history, chance), 3)
    await archive.close()
    await client.aclose()


def place(chance: random.Random) -> str:
    """Anywhere, to the very first lines."""
    return f"{UNTIL_MS - chance.randrange(LINES) * STEP_MS}-0"


async def whole(history: History, chance: random.Random) -> int:
    """All lines of 30 days."""
    since_ms = UNTIL_MS - chance.randrange(30, MONTHS * 30) * DAY_MS
    return len([1 async for _ in history.between(since_ms, since_ms + 30 * DAY_MS)])


async def timed(name: str, ask: Callable[[], Awaitable[Any]], count: int) -> None:
    """p50 and p99, each the median of the rounds; the same of the processor's time, which others on the machine change
    little; and the slowest of all."""
    waits, works = [], []
    for _ in range(ROUNDS):
        times, used = [], []
        for _ in range(count):
            began_s, used_s = time.perf_counter(), time.process_time()
            await ask()
            times.append(time.perf_counter() - began_s)
            used.append(time.process_time() - used_s)
        waits.append(sorted(times))
        works.append(sorted(used))
    p50, p99, work50, work99 = (median(quantile(times, percent) for times in rounds)
                                for rounds in (waits, works) for percent in (50, 99))
    print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms; of processor {work50:.1f}, {work99:.1f} ms; slowest "
          f"{max(map(max, waits)) * 1000:.1f} ms (n = {ROUNDS} × {count})", flush=True)
