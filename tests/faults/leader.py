"""The worker that looks at the rules, killed with SIGKILL while an alert fires: before the alert is kept, after that,
before its notice is queued, after that. Another one goes on."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from opsmon.core.alerting.built_in import BUILT_IN
from opsmon.core.alerting.life import fingerprint
from opsmon.core.alerting.records import dump_rule
from opsmon.store.alerts.alert_store import read_stored
from opsmon.store.connection import worker_client
from tests.faults.tap import Points, tapped
from tests.faults.test_alert_machine import ROUTE, RULE
from tests.waiting import wait_until_async
from tests.workers.alerting.outbox import ANA, KEYS, keep
from tests.workers.fleet import Fleet, open_fleet

WHERE = {1: "before the alert is kept", 2: "after that", 3: "before its notice is queued", 4: "after that, too"}
PATIENCE_S = 60
WHO = fingerprint(RULE.id, ())


@dataclass(frozen=True)
class Outcome:
    """What came of it: the log as (state, reason), the notices queued as (receiver, word), and how many seconds after
    the kill another had the turn."""

    log: list[tuple[str, str]]
    notices: list[tuple[str, str]]
    seconds: float

    @property
    def is_right(self) -> bool:
        """Fired once, told once, and gone on with."""
        return (self.log, self.notices) == (
            [("firing", "beyond"), ("recovering", "back-within")], [("ana", "fired")])


async def run(at: int) -> Outcome:
    """One kill at one of the four points; then the number is well again, as the next one sees."""
    with open_fleet() as fleet:
        points, killed_s = Points(), [0.0]
        await _prepared(fleet)
        socket = Path(fleet.store.url.removeprefix("unix://"))
        async with tapped(socket, fleet.folder / "tap.sock", points, lambda asked: b'"state":"firing"' in asked) as url:
            leader = fleet.start("leader", store=url)
            await wait_until_async(lambda: _turn(fleet).startswith("leader:"), "the leader's turn", PATIENCE_S)
            fleet.start("next")
            await wait_until_async(lambda: fleet.client.hexists(KEYS.note("workers"), "next"), "the next one",
                                   PATIENCE_S)

            def kill() -> None:
                leader.kill()
                killed_s[0] = time.monotonic()

            points.arm(at, kill)
            _fail(fleet, 7)
            await wait_until_async(lambda: points.kills, f"a kill; {fleet.log('leader')}", PATIENCE_S)
            await wait_until_async(lambda: _turn(fleet).startswith("next:"), "the next one's turn", PATIENCE_S)
            seconds = time.monotonic() - killed_s[0]
            await wait_until_async(lambda: _is_told(fleet), f"a notice; {fleet.log('next')}", PATIENCE_S)
            _fail(fleet, 1)
            await wait_until_async(lambda: "recovering" in dict(_log(fleet)), "the next one's look", PATIENCE_S)
            notices: Any = fleet.client.xrange(KEYS.notices)
            return Outcome(_log(fleet), [(one[b"receiver"].decode(), one[b"word"].decode()) for _, one in notices],
                           seconds)


async def _prepared(fleet: Fleet) -> None:
    client = worker_client(fleet.store.url)
    off = [replace(one, off_reason="not here") for one in BUILT_IN]
    await keep(client, *off, RULE, ROUTE, ANA, *(replace(ANA, id=f"r{at}", name=f"r{at}") for at in range(9)))
    await client.hset(KEYS.rules, RULE.id, orjson.dumps(dump_rule(RULE)))
    await client.aclose()


def _fail(fleet: Fleet, count: int) -> None:
    """So many receivers fail: the number that is looked at."""
    fleet.client.hset(KEYS.standing, mapping={f"r{at}": orjson.dumps({"failing_ms": int(at < count)})
                                              for at in range(9)})


def _turn(fleet: Fleet) -> str:
    found: Any = fleet.client.get(KEYS.turn("evaluator"))
    return (found or b"").decode()


def _is_told(fleet: Fleet) -> bool:
    found: Any = fleet.client.hget(KEYS.alerts, WHO)
    return found is not None and read_stored(found).told.steps > 0


def _log(fleet: Fleet) -> list[tuple[str, str]]:
    lines: Any = fleet.client.xrange(KEYS.alert_log)
    return [(one[b"state"].decode(), one[b"reason"].decode()) for _, one in lines]
