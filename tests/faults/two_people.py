"""Two people act on one alert at once, on the real store: each history's commands in an order drawn by its seed.

What comes out has to be what some serial order of their acts gives, to the oracle of tests/core/alerting, and the same
for both: the record, the log, and what each was answered.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.core.alerting import life
from opsmon.core.alerting.life import Alert, Code, Move
from opsmon.core.alerting.records import dump_alert
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.core.alerting.telling import Told
from opsmon.store.alerts.alert_store import AlertStore
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts
from tests.core.alerting.oracle import REASON, Ought

KEYS = Keys("main")
RULE = Rule("late", "Orders are late", "orders-today", Limit(2), "high", for_ms=0)
FINGERPRINT = life.fingerprint(RULE.id, ())
ACTS = ("acknowledge", "take-back", "assign", "snooze", "close", "note")


@dataclass(frozen=True)
class Act:
    """What somebody asks for; `more` is to whom, until when, what it was, or what they write."""

    what: str
    by: str
    more: Any = None

    def verb(self, alert: Alert, now_ms: int) -> Move | None:
        """It, of an alert as it is."""
        match self.what:
            case "acknowledge":
                return life.acknowledge(alert, self.by, now_ms)
            case "take-back":
                return life.take_back(alert, self.by)
            case "assign":
                return life.assign(alert, self.more, self.by)
            case "snooze":
                return life.snooze(alert, self.more, self.by, now_ms)
            case "close":
                code: Code = self.more
                return life.close(alert, code, "", self.by, now_ms)
        return life.note(alert, self.more, self.by)


@dataclass
class History:
    """What two people asked for, what they were answered, and what there was in the end."""

    asked: dict[str, list[Act]]
    done: dict[str, list[bool]] = field(default_factory=lambda: {"Ana": [], "Ben": []})
    sees: dict[str, Alert] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)

    def faults(self, now_ms: int) -> list[str]:
        """What is wrong with it; nothing where both see the same, and some serial order gives it."""
        ana, ben = self.sees["Ana"], self.sees["Ben"]
        found = [] if ana == ben else [f"Ana sees {ana}, Ben {ben}"]
        if not any(self._is(order, now_ms) for order in merges(self.asked["Ana"], self.asked["Ben"])):
            found.append(f"no serial order of {self.asked} gives {self.done}, {self.log} and {ana}")
        return found

    @property
    def notes(self) -> int:
        """How many notes both were told to have written down."""
        return sum(done for by, acts in self.asked.items()
                   for act, done in zip(acts, self.done[by], strict=True) if act.what == "note")

    def _is(self, order: Sequence[Act], now_ms: int) -> bool:
        """Whether the oracle comes to the same, when the acts come in this order."""
        ought, done = Ought("firing", runs=1), dict[str, list[bool]](Ana=[], Ben=[])
        log = list[tuple[str, str]]()
        for act in order:
            done[act.by].append(ought.act(act.what, act.by, now_ms, act.more))
            log += [(act.by, REASON[act.what])] * done[act.by][-1]
        is_ = self.sees["Ana"]
        comes_to = ought.state, ought.seen_by, ought.given_to, ought.quiet_until, ought.code, ought.is_held
        return (done, log, comes_to) == (self.done, self.log, (
            is_.state, is_.acknowledged_by, is_.assigned_to, is_.snoozed_until_ms, is_.code, is_.is_held))


def merges(one: Sequence[Act], other: Sequence[Act]) -> Iterator[list[Act]]:
    """Both, each in its own order, together in every order."""
    if not one or not other:
        yield [*one, *other]
        return
    yield from ([one[0], *rest] for rest in merges(one[1:], other))
    yield from ([other[0], *rest] for rest in merges(one, other[1:]))


class Conductor:
    """Lets one of several go on at a time, by chance: until its next command to the store."""

    def __init__(self, random: Random) -> None:
        self._random, self._waiting, self._came = random, dict[str, asyncio.Future[None]](), asyncio.Event()

    async def pause(self, who: str) -> None:
        """Wait for one's turn."""
        self._waiting[who] = asyncio.get_running_loop().create_future()
        self._came.set()
        await self._waiting[who]

    async def conduct(self, players: dict[str, "asyncio.Task[None]"]) -> None:
        """Until all are through. Raises what one of them raised."""
        for player in players.values():
            player.add_done_callback(lambda _: self._came.set())
        while playing := {who for who, player in players.items() if not player.done()}:
            if playing <= set(self._waiting):
                self._waiting.pop(self._random.choice(sorted(playing))).set_result(None)
            self._came.clear()
            if not {who for who in playing if not players[who].done()} <= set(self._waiting):
                await self._came.wait()
        await asyncio.gather(*players.values())


class Paced(Redis):
    """A client that waits for its turn before each command."""

    def __init__(self, store: Redis, conductor: Conductor, who: str) -> None:
        super().__init__(connection_pool=store.connection_pool)
        self._conductor, self._who = conductor, who

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """When it is its turn."""
        await self._conductor.pause(self._who)
        return await super().execute_command(*args, **options)


async def run(store: Redis, seed: int, now_ms: int, scripts: type[Scripts] = Scripts) -> History:
    """One history."""
    random = Random(seed)
    history = History({by: [_drawn(random, by, now_ms) for _ in range(random.randint(1, 3))] for by in ("Ana", "Ben")})
    await start(store, now_ms)
    conductor = Conductor(random)

    async def play(by: str) -> None:
        client = Paced(store, conductor, by)
        alerts = AlertStore(Reader(client), scripts(client, KEYS), KEYS)
        for act in history.asked[by]:
            _, was_done = await alerts.act(FINGERPRINT, lambda alert, act=act: act.verb(alert, now_ms),
                                                lambda _: RULE, now_ms)
            history.done[by].append(was_done)

    await conductor.conduct({by: asyncio.create_task(play(by)) for by in ("Ana", "Ben")})
    history.sees = {by: await _seen(store) for by in ("Ana", "Ben")}
    lines: Any = await store.xrange(KEYS.alert_log)
    history.log = [(line[b"by"].decode(), line[b"reason"].decode()) for _, line in lines]
    return history


async def start(store: Redis, now_ms: int) -> None:
    """Have one alert, that fires, and nothing that was before."""
    await store.delete(KEYS.alerts, KEYS.alert_log, KEYS.changes)
    fired = Alert(FINGERPRINT, RULE.id, (), "firing", now_ms, 1, f"{FINGERPRINT}-{now_ms}", now_ms)
    await Scripts(store, KEYS).move_alert(FINGERPRINT, 0, orjson.dumps(dump_alert(fired, Told())), now_ms, (), ())


async def _seen(store: Redis) -> Alert:
    found = await AlertStore(Reader(store), Scripts(store, KEYS), KEYS).one(FINGERPRINT)
    assert found is not None
    return found.alert


def _drawn(random: Random, by: str, now_ms: int) -> Act:
    what = random.choice(ACTS)
    return Act(what, by, {"assign": random.choice(("Ana", "Ben")), "snooze": now_ms + random.choice((30, 120)) * 60_000,
                          "close": random.choice(("fixed", "false", "known")), "note": "looked at it"}.get(what))
