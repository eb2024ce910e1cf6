"""The send path killed anywhere: before and after each command to the store and each delivery, on the real store.

A kill is an exception that nobody catches, after which that process does nothing more, whatever it tries. Who takes
over is a new one on the same store.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis

from opsmon.app.wording import notice_words
from opsmon.clock import ManualClock
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver
from opsmon.settings import Settings
from opsmon.store.alerts.links import link_secret
from opsmon.workers.notifier import Notifier
from tests.workers.alerting.outbox import ANA, BEN, KEYS, LATE, fires, keep, put, say

_BAD = replace(LATE, id="bad", severity="critical", title="Payments fail")
_CEM = replace(ANA, id="cem", name="Cem")


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Life:
    """Counts what a process does; at `ends_at`, from 1, it dies: odd before the step, even after it. 0: never."""

    ends_at: int = 0
    steps: int = 0
    is_over: bool = False

    def before(self) -> None:
        """A step begins."""
        self._next()

    def after(self) -> None:
        """A step was done."""
        self._next()

    def _next(self) -> None:
        self.steps += 1
        self.is_over |= self.steps == self.ends_at
        if self.is_over:
            raise Killed


class Mortal(Redis):
    """A client of a process that may die: on the connections of another one."""

    def __init__(self, store: Redis, life: Life) -> None:
        super().__init__(connection_pool=store.connection_pool)
        self.life = life

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One step."""
        self.life.before()
        found = await super().execute_command(*args, **options)
        self.life.after()
        return found

    def pipeline(self, *args: Any, **options: Any) -> Any:
        """Of which the whole is one step: a transaction is done or not."""
        pipe: Any = super().pipeline(*args, **options)
        execute, life = pipe.execute, self.life

        async def once(*args: Any, **options: Any) -> Any:
            life.before()
            found = await execute(*args, **options)
            life.after()
            return found

        pipe.execute = once
        return pipe


@dataclass
class People:
    """Who is told, and keeps every message."""

    life: Life
    got: list[tuple[str, Message]]

    async def send(self, receiver: Receiver, message: Message, now_ms: int) -> None:
        """One step."""
        self.life.before()
        self.got.append((receiver.id, message))
        self.life.after()


@dataclass(frozen=True)
class Outcome:
    """What came of a run: kills, notices nobody got (or missed by who looks at
    keys), messages that came once more, notices that came once more to who
    looks at the keys of messages, and what was told after its alert was over."""

    kills: int
    missed: int
    twice: int
    twice_by_key: int
    late: int


async def run(store: Redis, settings: Settings, now_ms: int, kills_at: list[int]) -> Outcome:
    """Three people, four alerts, one more after each death; then they are over. Processes die at these steps, one
    after the other, the last one lives."""
    await store.flushall()
    clock, got, lives = ManualClock(now_ms), list[tuple[str, Message]](), [*kills_at, 0]
    await keep(store, ANA, BEN, _CEM, LATE, _BAD)
    alerts = [await fires(store, now_ms, row, rule) for row, rule in (
        ("DHL", LATE), ("UPS", LATE), ("GLS", LATE), ("card", _BAD))]
    expected = set[str]()

    async def queue(word: str, alert: Alert) -> None:
        for name in ("ana", "ben", "cem"):
            await say(store, alert, name, clock.now_ms(), word)
            expected.add(f"{alert.id}-{word}-0-{name}")

    async def one_more() -> None:
        alerts.append(await fires(store, clock.now_ms(), f"lane {len(alerts)}"))
        await queue("fired", alerts[-1])

    for alert in alerts:
        await queue("fired", alert)
    lives = await _empty(store, settings, clock, got, lives, one_more)
    for alert in alerts:
        await put(store, replace(alert, state="resolved", ended_ms=clock.now_ms()))
        await queue("resolved", alert)
    lives = await _empty(store, settings, clock, got, lives)
    return _outcome(expected, got, len(kills_at) - (len(lives) - 1))


async def _empty(store: Redis, settings: Settings, clock: ManualClock, got: list[tuple[str, Message]],
                 lives: list[int], after_each: Callable[[], Awaitable[None]] | None = None) -> list[int]:
    """Processes work until the outbox is empty; the lives that are left. `after_each` happens after a death. The
    steps of the one that works go on to count in the next call: its end is as many steps nearer."""
    while True:
        life = Life(lives[0])
        client = Mortal(store, life)
        words = notice_words(settings, await link_secret(store, KEYS))
        channels: Any = dict.fromkeys(("email", "webhook", "apprise"), People(life, got))
        worker = Notifier(client, KEYS, channels, words.message, "one", clock, settings.timezone)
        try:
            while await store.xlen(KEYS.notices):
                clock.advance(1_000)
                await worker.round()
                await worker.idle()
            return [max(lives[0] - life.steps, 1) if lives[0] else 0, *lives[1:]]
        except Killed:
            lives = lives[1:]
            if after_each is not None:
                await after_each()


def _outcome(expected: set[str], got: list[tuple[str, Message]], kills: int) -> Outcome:
    def keys(message: Message) -> list[str]:
        return [one["key"] for one in message.data["alerts"]]

    every = {key for _, message in got for key in keys(message)}
    messages = Counter(frozenset(keys(message)) for _, message in got)
    # Who looks at keys takes the first message of each and nothing of the others.
    taken = {message.key: message for _, message in reversed(got)}.values()
    by_key = Counter(key for message in taken for key in keys(message))
    late = sum(message.data["word"] == "fired" and one["state"] == "resolved"
               for _, message in got for one in message.data["alerts"])
    return Outcome(kills, len(expected - every) + len(expected - set(by_key)), messages.total() - len(messages),
                   by_key.total() - len(by_key), late)
