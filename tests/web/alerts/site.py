"""A shop with a rule that fires: what the tests of the screens of alerts share."""

from dataclasses import replace

import orjson
from redis.asyncio import Redis

from opsmon.app.worker import evaluator
from opsmon.clock import ManualClock
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.records import dump_rule
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.settings import Settings
from opsmon.store.alerts.alert_store import read_stored
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.workers.evaluator import Evaluator
from tests.line import Line
from tests.orders import order

KEYS = Keys("main")
MANY = Rule("many", "Many orders", "orders-today", Limit(2), "critical", for_ms=0, keep_ms=60_000,
            action="Open a second line.", owner="Ana")
RICH = Rule("rich", "Much sold", "revenue-today", Limit(1_000), "high", for_ms=0)


async def keep(store: Redis, *rules: Rule) -> None:
    """Have these rules on, and none of those that come with opsmon."""
    await store.delete(KEYS.rules)
    off = [replace(rule, off_reason="not here") for rule in (await all_rules(Reader(store), KEYS)).values()]
    for rule in (*off, *rules):
        await store.hset(KEYS.rules, rule.id, orjson.dumps(dump_rule(rule)))


async def orders(line: Line, *numbers: int) -> None:
    """Orders come and are counted."""
    for number in numbers:
        await line.post("orders/create", order(number))
    await line.work()


async def fired(line: Line, settings: Settings, clock: ManualClock, *rules: Rule) -> Evaluator:
    """These rules fire: three orders came, and were looked at."""
    await keep(line.store, *(rules or (MANY,)))
    await orders(line, 1, 2, 3)
    looking = evaluator(settings, line.store, clock)
    await looking.round()
    return looking


async def the_alert(line: Line, rule: str = "many") -> Alert:
    """The alert of a rule."""
    found = await line.store.hgetall(KEYS.alerts)
    return next(one.alert for one in map(read_stored, found.values()) if one.alert.rule == rule)
