"""A month of alerts in the log, as a shop has them: what the tests of their quality share."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import orjson
from redis.asyncio import Redis

from opsmon.core.alerting.past_runs import Entry
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from tests.conftest import NOW_MS
from tests.core.alerting.past import lived, said
from tests.web.alerts.site import KEYS

SECOND_MS = 1_000
LATE = Rule("late", "Orders are late", "past-sla", Limit(0), "high", for_ms=0, keep_ms=MINUTE_MS)
# Forty alerts in ten days, each over by itself within half a minute: nobody ever did anything.
NOISY = Rule("noisy", "The shop answers slowly", "orders-today", Limit(2), "critical", for_ms=0, keep_ms=MINUTE_MS)


async def log(store: Redis, entries: Iterable[Entry]) -> None:
    """Have these lines in the log."""
    for one in sorted(entries, key=lambda line: line.at_ms):
        told = {"at": one.at_ms, "alert": one.alert, "run": one.run, "rule": one.rule, "title": one.rule,
                "severity": one.severity, "state": one.state, "reason": one.reason, "note": one.note,
                "code": one.code, "labels": orjson.dumps({}).decode()}
        await store.xadd(KEYS.alert_log, {name: str(value) for name, value in told.items()}, id=f"{one.at_ms}-*")


def noisy(times: int = 40, lasts_ms: int = 30 * SECOND_MS, rule: Rule = NOISY) -> list[Entry]:
    """So many alerts, six hours from one to the next, the last of them six hours ago."""
    began = [-(times - at) * 6 * HOUR_MS for at in range(times)]
    return lived([(at_ms, at_ms + lasts_ms) for at_ms in began], rule)[0]


def mended(days_ago: float, lasts_ms: int = 40 * MINUTE_MS, rule: Rule = LATE, row: str = "DHL") -> list[Entry]:
    """One that somebody saw to after three minutes, and says that they did something."""
    at_ms = -round(days_ago * DAY_MS)
    lines = said(lived([(at_ms, at_ms + lasts_ms)], rule, row)[0], NOW_MS + at_ms + 3 * MINUTE_MS, "acknowledged")
    return said(lines, NOW_MS + at_ms + lasts_ms + HOUR_MS, "judged", "acted")


def month(rules: dict[str, Rule]) -> list[Entry]:
    """What a shop has in a month: lanes that are late together, one rule that cries wolf, a few that were worth it."""
    chance, found = Random(7), list[Entry]()
    for day in range(1, 29):
        for row in ("DHL", "UPS", "GLS")[:chance.randint(0, 3)]:
            found += mended(day + chance.random() / 40, chance.randint(10, 90) * MINUTE_MS, rules["past-sla"], row)
    found += noisy(60, 45 * SECOND_MS, replace(rules["payment-failures"], for_ms=0))
    for days_ago in (3.2, 9.7, 20.1):
        at_ms = -round(days_ago * DAY_MS)
        lines = lived([(at_ms, at_ms + 4 * HOUR_MS)], rules["orders-low"])[0]
        lines = said(lines, NOW_MS + at_ms + 5 * MINUTE_MS, "escalated")
        found += said(lines, NOW_MS + at_ms + 5 * HOUR_MS, "judged", "false-positive")
    burst = [(-round(5.3 * DAY_MS) + at * 25 * MINUTE_MS, -round(5.3 * DAY_MS) + (at * 25 + 6) * MINUTE_MS)
             for at in range(9)]
    return found + lived(burst, replace(rules["source-silent"], keep_ms=MINUTE_MS), "shopify")[0]
