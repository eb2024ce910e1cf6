"""Lines of the log of alerts, as the store has them: what the tests of the history share."""

from typing import Any

from redis.asyncio import Redis

from opsmon.core.calendar import HOUR_MS
from opsmon.store.alerts.alert_queries import SoughtLines
from opsmon.store.alerts.archive import Archive
from opsmon.store.alerts.month_file import Entry
from opsmon.store.keys import Keys
from tests.conftest import NOW_MS

KEYS = Keys("main")
RULES, ROWS = 7, 3
SEVERITIES = ("critical", "high", "medium", "low")


def told(number: int, at_ms: int) -> dict[str, str]:
    """What happened: every fourth line is of a person, who changes nothing of the state."""
    before, state = (("ok", "firing"), ("firing", "firing"), ("firing", "recovering"), ("recovering", "resolved")
                     )[number % 4]
    rule = number // 4 % RULES
    return {"at": str(at_ms), "alert": f"{rule:x}{number % ROWS}", "rule": f"rule-{rule}", "title": f"Rule {rule}",
            "severity": SEVERITIES[rule % 4], "before": before, "state": state, "reason": "beyond",
            "by": "Ana" if before == state else "", "value": str(number), "labels": '{"lane":"dhl"}'}


def lines(count: int, until_ms: int = NOW_MS, step_ms: int = HOUR_MS, first: int = 0) -> list[Entry]:
    """So many lines, oldest first; two of each instant."""
    moments = (until_ms - (count - number - 1) // 2 * step_ms for number in range(count))
    return [(f"{at_ms}-{number % 2}", told(first + number, at_ms)) for number, at_ms in enumerate(moments)]


async def put(store: Redis, entries: list[Entry]) -> None:
    """Have them in the log of the store."""
    pipe = store.pipeline(transaction=False)
    for entry_id, fields in entries:
        pipe.xadd(KEYS.alert_log, fields, id=entry_id)  # type: ignore[arg-type]
    await pipe.execute()


async def in_store(store: Redis) -> list[str]:
    """Which lines the store has."""
    found: Any = await store.xrange(KEYS.alert_log)
    return [entry_id.decode() for entry_id, _ in found]


async def in_files(archive: Archive) -> list[Entry]:
    """What the files have, oldest first."""
    return (await archive.before(SoughtLines(), (2**62, 0), 10**6)).entries[::-1]
