"""Alerts that wait to be told, put into the store as the evaluator puts them."""

from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.app.telling import notifier
from opsmon.clock import ManualClock
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.receivers import Receiver, dump_receiver, dump_route
from opsmon.core.alerting.records import dump_alert, dump_rule
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.core.alerting.telling import Route, Told
from opsmon.notify.ports import Notifier as Port
from opsmon.settings import Settings
from opsmon.store.alerts.outbox import Postbox
from opsmon.store.alerts.telling_queries import attempts
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.workers.notifier import Notifier

KEYS = Keys("main")
LATE = Rule("late", "Orders are late", "orders-today", Limit(2), "high", for_ms=0, by_row=True, action="Pack them.")
ANA = Receiver("ana", "Ana", "email", "ana@shop.example")
BEN = Receiver("ben", "Ben", "webhook", "https://hook.example/b", "whsec_" + "a" * 32)


async def keep(store: Redis, *records: Receiver | Rule | Route) -> None:
    """Have these receivers, rules and routes."""
    for one in records:
        match one:
            case Receiver():
                await store.hset(KEYS.receivers, one.id, orjson.dumps(dump_receiver(one)))
            case Rule():
                await store.hset(KEYS.rules, one.id, orjson.dumps(dump_rule(one)))
            case Route():
                await store.hset(KEYS.routes, one.severity, orjson.dumps(dump_route(one)))


async def fires(store: Redis, now_ms: int, row: str = "DHL", rule: Rule = LATE, **more: Any) -> Alert:
    """An alert that is open."""
    labels = (("row", row),)
    alert = Alert(f"f-{rule.id}-{row}", rule.id, labels, "firing", now_ms, 1, f"f-{rule.id}-{row}-{now_ms}", now_ms,
                  value=34.0, limit=2.0, peak=40.0, **more)
    await put(store, alert)
    return alert


async def put(store: Redis, alert: Alert) -> None:
    """Have an alert as it is."""
    await store.hset(KEYS.alerts, alert.fingerprint, b"1 " + orjson.dumps(dump_alert(alert, Told())))


async def say(store: Redis, alert: Alert, receiver: str, now_ms: int, word: str = "fired", number: int = 0) -> None:
    """Queue a notice about an alert."""
    await Postbox(store, KEYS).queue({
        "key": f"{alert.id}-{word}-{number}-{receiver}", "word": word, "receiver": receiver,
        "alert": alert.fingerprint, "run": alert.id, "rule": alert.rule, "at": str(now_ms)})


async def telling(settings: Settings, store: Redis, clock: ManualClock, channel: Port) -> Notifier:
    """What tells people, all of them by one channel."""
    return await notifier(settings, store, clock, dict.fromkeys(("email", "webhook", "apprise"), channel))


async def goes(worker: Notifier, clock: ManualClock, by_ms: int = 1_000) -> None:
    """A while passes, and everything that is due then is told."""
    clock.advance(by_ms)
    await worker.round()
    await worker.idle()


async def outcomes(store: Redis) -> list[tuple[str, str, str, str]]:
    """What became of each try, oldest first: receiver, word, outcome, why."""
    return [(one.receiver, one.word, one.outcome, one.why)
            for one in reversed(await attempts(Reader(store), KEYS, 1000))]
