"""Outbox -> people. One process of a site does this at a time; what it took and did not settle the next one takes over.

Each receiver is told by a task of its own, so that a slow one keeps nobody waiting. What failed is tried again, later
each time and never in step with others; the receiver's own next one is told at once.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from opsmon.clock import Clock
from opsmon.core.alerting.digests import digest
from opsmon.core.alerting.hours import opens_ms
from opsmon.core.alerting.life import Alert, new_alert
from opsmon.core.alerting.messages import Bundle, Dropped, Item, Message, Queued, fate, gathered, superseded
from opsmon.core.alerting.past_runs import runs_of
from opsmon.core.alerting.quality import review
from opsmon.core.alerting.receivers import GROUP_INTERVAL_MS, STALE_MS, Receiver, Telling
from opsmon.core.alerting.rules import Rule
from opsmon.core.alerting.silences import Silence, inhibitor_of, silence_of
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.core.said import Said
from opsmon.notify.ports import DeliveryFailed
from opsmon.notify.ports import Notifier as Channel
from opsmon.store.alerts.alert_store import AlertStore, Stored
from opsmon.store.alerts.outbox import Outbox
from opsmon.store.alerts.quality_queries import lately
from opsmon.store.alerts.rule_queries import all_rules, silences
from opsmon.store.alerts.telling_queries import Attempt, Standing, log_lines, standings, telling_of
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts
from opsmon.threads import in_thread

log = logging.getLogger("opsmon.notifier")

# What a bundle says, at an instant: injected, for words are chosen where pages are.
Render = Callable[[Bundle, int], Message]
TURN_MS = 5_000
ROUND_MS = 1_000
# What one round of the evaluator queues comes within this: lanes that are late together go as one message.
GATHER_MS = 250
# A whole delivery, however slowly the other side answers.
WITHIN_S = 20.0
FIRST_PAUSE_MS, LONGEST_PAUSE_MS, LONGEST_ASKED_MS = 2_000, 5 * MINUTE_MS, HOUR_MS
_STOP_S = 2.0
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Situation:
    """How things are when something is sent."""

    telling: Telling
    rules: Mapping[str, Rule]
    alerts: Mapping[str, Stored]
    silent: Sequence[Silence]
    standing: Mapping[str, Standing]
    now_ms: int

    def rule_of(self, queued: Queued) -> Rule | None:
        """The rule a notice is about."""
        return self.rules.get(queued.rule)

    def alert_of(self, queued: Queued) -> Alert | None:
        """The alert a notice is about, as it is now."""
        stored = self.alerts.get(queued.alert)
        return stored.alert if stored else None

    def is_muted(self, alert: Alert | None, rule: Rule | None) -> bool:
        """Whether nothing is to be said of it now."""
        if alert is None or rule is None:
            return False
        firing = [(one.alert, other) for one in self.alerts.values() if one.alert.is_open
                  if (other := self.rules.get(one.alert.rule)) is not None]
        return (silence_of(alert, self.silent, self.now_ms) is not None or self.now_ms < alert.snoozed_until_ms
                or inhibitor_of(alert, rule, firing) is not None)


@dataclass(slots=True)
class Pause:
    """After how many failures, and until when, a receiver is left alone."""

    failures: int = 0
    until_ms: int = 0


class Notifier:
    """Tells people, for one site, until it is told to stop."""

    def __init__(self, client: Redis, keys: Keys, channels: Mapping[str, Channel], render: Render, who: str,
                 clock: Clock, zone: ZoneInfo, own: Sequence[Rule] = (),
                 jitter: Callable[[], float] = random.random) -> None:
        """`own` are the rules of the site's file, `zone` is where it is."""
        self._reader, self._keys, self._scripts = Reader(client), keys, Scripts(client, keys)
        self._outbox, self._alerts = Outbox(client, keys), AlertStore(self._reader, self._scripts, keys)
        self._channels, self._render, self._who = channels, render, who
        self._clock, self._jitter, self._zone, self._own = clock, jitter, zone, own
        self._waiting: dict[str, Queued] = {}
        self._bundles: dict[str, str] = {}
        self._pauses: dict[str, Pause] = {}
        self._said_ms: dict[tuple[str, str], int] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._has_turn = False
        self._trouble = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set. A store that is away is waited for."""
        while not stop.is_set():
            try:
                if await self._scripts.take_turn("notifier", self._who, TURN_MS):
                    await self.round(ROUND_MS)
                else:
                    self._has_turn = False
                    await self._sleep(stop)
                self._trouble = ""
            except STORE_ERRORS as error:
                await self._pause(error, stop)
        await self._end()

    async def round(self, wait_ms: int = 0) -> None:
        """Take what is new, and begin to tell whoever is to be told now."""
        if not self._has_turn:
            await self._outbox.open()
            self._waiting = {one.id: one for one in await self._outbox.begun()}
            self._bundles = await self._outbox.bundles()
            self._has_turn = True
        now_ms = self._clock.now_ms()
        for one in await self._outbox.take(min(wait_ms, self._soonest_ms(now_ms))):
            self._waiting[one.id] = one
        if self._waiting:
            self._begin(await self._look())

    async def idle(self) -> None:
        """Wait until everybody who is being told has been. Raises what went wrong in the store."""
        while self._telling:
            await asyncio.gather(*self._telling.values())

    def _begin(self, now: Situation) -> None:
        """A task for each receiver for whom something waits and who is not being told right now."""
        for name in {one.receiver for one in self._waiting.values()} - set(self._telling):
            task = asyncio.create_task(self._tell(name, now))
            self._telling[name] = task
            task.add_done_callback(lambda done, name=name: self._told(name, done))  # type: ignore[misc]

    def _told(self, name: str, task: "asyncio.Task[None]") -> None:
        self._telling.pop(name, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("%s could not be told: %s: %s", name, type(error).__name__, error)

    async def _tell(self, name: str, now: Situation) -> None:
        """Everything that is due for one receiver, the worst first."""
        mine = [one for one in self._waiting.values() if one.receiver == name]
        groups = sorted(self._grouped(mine), key=lambda group: (_rank(now, group[0]), group[0].id))
        for at, group in enumerate(groups):
            # While one was sent somebody may have answered the next.
            await self._deliver(group, mine, now if at == 0 else await self._look())

    def _grouped(self, mine: list[Queued]) -> list[list[Queued]]:
        """What goes as one message: what was begun so before, then what belongs together."""
        begun: dict[str, list[Queued]] = {}
        for one in mine:
            if one.id in self._bundles:
                begun.setdefault(self._bundles[one.id], []).append(one)
        return [*begun.values(), *gathered([one for one in mine if one.id not in self._bundles]).values()]

    async def _deliver(self, group: list[Queued], mine: list[Queued], now: Situation) -> None:
        """Send one group, unless it waits, or nothing of it holds any more."""
        receiver = now.telling.receivers.get(group[0].receiver)
        if receiver is not None and self._waits(group, receiver, now):
            return
        marks = [mark for one in group for mark in (one.key, _heard(one))]
        told = await self._outbox.told(marks)
        fates = {one.id: self._fate(one, mine, receiver, told, now) for one in group}
        await self._drop([one for one in group if fates[one.id]], fates, now)
        left = [one for one in group if not fates[one.id]]
        if not left or receiver is None:
            return
        bundle = await self._bundle(left, now)
        if bundle is None:
            await self._drop(left, {one.id: "empty" for one in left}, now)
            return
        if left[0].id not in self._bundles:
            await self._outbox.begin(bundle.key, [one.id for one in left])
            self._bundles |= dict.fromkeys([one.id for one in left], bundle.key)
        await self._send(bundle, left, receiver, now)

    def _waits(self, group: list[Queued], receiver: Receiver, now: Situation) -> bool:
        """Whether it is too early: more may come, it was just said, nobody works, or it failed a moment ago."""
        first, rule = group[0], now.rule_of(group[0])
        if first.word == "test":
            return False
        if self._paused(receiver.id, now) and (
                not receiver.otherwise or self._paused(receiver.otherwise, now)):
            return True
        if now.now_ms < max(first.at_ms + (GATHER_MS if first.rule else 0), self._next_ms(first, rule)):
            return True
        is_critical = rule is not None and rule.severity == "critical"
        return not is_critical and opens_ms(receiver.hours, now.now_ms) not in (now.now_ms, None)

    def _next_ms(self, queued: Queued, rule: Rule | None) -> int:
        """From when on others of the same rule may be told of."""
        said_ms = self._said_ms.get((queued.receiver, queued.rule))
        if said_ms is None or rule is None or queued.word != "fired" or queued.id in self._bundles:
            return 0
        return said_ms + GROUP_INTERVAL_MS.get(rule.severity, 0)

    def _paused(self, receiver: str, now: Situation) -> bool:
        return now.now_ms < self._pauses.get(receiver, Pause()).until_ms

    def _fate(self, one: Queued, mine: list[Queued], receiver: Receiver | None, told: set[str], now: Situation
              ) -> Dropped:
        """Why a notice is not sent, '' when it is."""
        if one.key in told:
            return "twice"
        if receiver is None:
            return "nobody"
        if not one.run:
            return ""
        if superseded(one, mine):
            return "superseded"
        alert, rule = now.alert_of(one), now.rule_of(one)
        return fate(one, alert, rule, now.is_muted(alert, rule), _heard(one) in told)

    async def _drop(self, gone: Sequence[Queued], why: Mapping[str, str], now: Situation) -> None:
        """Take away what does not hold any more; it is counted. Who may have got it has heard of its run."""
        if not gone:
            return
        marks = [_heard(one) for one in gone if one.id in self._bundles and one.run]
        attempts = [Attempt(now.now_ms, one.receiver, one.word, one.rule, "not sent", why[one.id]) for one in gone]
        await self._outbox.settle([one.id for one in gone], marks, attempts)
        self._forget(gone)

    async def _bundle(self, group: Sequence[Queued], now: Situation) -> Bundle | None:
        """A group with all that is to be said; None where a digest has nothing to tell."""
        first = group[0]
        key = self._bundles.get(first.id, first.key)
        if first.word in ("daily", "weekly", "monthly"):
            data = await (self._review(first, now) if first.word == "monthly" else self._digest(first, now))
            return None if data is None else Bundle(key, first.word, first.receiver, (), data)
        items = [Item(one, now.alert_of(one) or new_alert(one.rule), rule) for one in group
                 if (rule := now.rule_of(one)) is not None]
        return Bundle(key, first.word, first.receiver, tuple(items))

    async def _digest(self, one: Queued, now: Situation) -> dict[str, Any] | None:
        since_ms = one.at_ms - (7 if one.word == "weekly" else 1) * DAY_MS
        found = digest(await log_lines(self._reader, self._keys, since_ms),
                       [stored.alert for stored in now.alerts.values()], now.rules, now.telling, since_ms, one.at_ms)
        return None if found.is_empty and not now.telling.digests.is_empty_told else {"digest": found}

    async def _review(self, one: Queued, now: Situation) -> dict[str, Any] | None:
        """What the page of alerts' quality says on that morning; None where nothing fired. A month of alerts is a
        quarter of a second of reckoning: nobody else is to be told later for it."""
        entries = (await lately(self._reader, self._keys, one.at_ms)).entries
        found = await in_thread(lambda: review(runs_of(entries), now.rules, now.telling, self._zone, one.at_ms))
        return None if found.is_empty else {"review": found,
                                            "titles": {each.rule: now.rules[each.rule].title for each in found.rules}}

    async def _send(self, bundle: Bundle, group: Sequence[Queued], receiver: Receiver, now: Situation) -> None:
        """To the receiver, or to its next one where it cannot be told."""
        is_paused = bundle.word != "test" and self._paused(receiver.id, now)
        failed = None if is_paused else await self._try(bundle, receiver, now)
        if failed is None and not is_paused:
            await self._settle(bundle, group, receiver, "accepted", now)
            return
        other = now.telling.receivers.get(receiver.otherwise)
        if other is not None and bundle.word != "test" and not self._paused(other.id, now):
            again = await self._try(replace(bundle, key=f"{bundle.key}-{other.id}"), other, now)
            if again is None:
                await self._settle(bundle, group, other, f"accepted, in the place of {receiver.id}", now)
                return
        is_stale = now.now_ms - group[0].at_ms >= STALE_MS
        if failed is not None and (failed.is_permanent or is_stale or bundle.word == "test"):
            await self._bury(bundle, group, failed.sentence, now)

    async def _try(self, bundle: Bundle, receiver: Receiver, now: Situation) -> DeliveryFailed | None:
        """One try, written down if it failed; None when it was accepted."""
        try:
            message = self._render(bundle, now.now_ms)
            async with asyncio.timeout(WITHIN_S):
                await self._channels[receiver.kind].send(receiver, message, now.now_ms)
        except DeliveryFailed as error:
            failed = error
        except TimeoutError:
            failed = DeliveryFailed(Said("no answer within %(seconds)s s", seconds=f"{WITHIN_S:g}"))
        except Exception as error:  # one message that nobody can make or send holds up no other
            log.exception("a message to %s", receiver.id)
            failed = DeliveryFailed(Said("this message cannot be sent (%(why)s)", why=type(error).__name__),
                                    is_permanent=True)
        else:
            self._pauses.pop(receiver.id, None)
            return None
        await self._note_failure(bundle, receiver, failed, now)
        return failed

    async def _note_failure(self, bundle: Bundle, receiver: Receiver, failed: DeliveryFailed, now: Situation) -> None:
        at_ms = self._clock.now_ms()
        pause = self._pauses.setdefault(receiver.id, Pause())
        pause.failures += 1
        wait_ms = min(FIRST_PAUSE_MS * 2 ** min(pause.failures - 1, 20), LONGEST_PAUSE_MS)
        wait_ms = int(wait_ms * (0.5 + self._jitter() / 2))
        if failed.after_s is not None:
            wait_ms = max(wait_ms, min(failed.after_s * 1000, LONGEST_ASKED_MS))
        # What is wrong with one message says nothing of the next one.
        pause.until_ms = 0 if failed.is_permanent else at_ms + wait_ms
        before = now.standing.get(receiver.id, Standing())
        standing = replace(before, failing_ms=before.failing_ms or at_ms, why=failed.sentence)
        if pause.failures == 1:
            log.warning("%s cannot be told: %s", receiver.id, failed)
        outcome = "failed for good" if failed.is_permanent else "failed"
        await self._outbox.note([Attempt(at_ms, receiver.id, bundle.word, _rule(bundle), outcome, failed.sentence)],
                                {receiver.id: standing})

    async def _settle(self, bundle: Bundle, group: Sequence[Queued], receiver: Receiver, outcome: str, now: Situation
                      ) -> None:
        """It was accepted: so it is written, and it is waited for no more."""
        at_ms, before = self._clock.now_ms(), now.standing.get(receiver.id, Standing())
        standing = Standing(at_ms, at_ms if bundle.word == "test" else before.tested_ms)
        marks = [mark for one in group for mark in (one.key, *([_heard(one)] if one.run else []))]
        await self._outbox.settle([one.id for one in group], marks,
                                  [Attempt(at_ms, receiver.id, bundle.word, _rule(bundle), outcome, "")],
                                  {receiver.id: standing})
        self._said_ms[(group[0].receiver, group[0].rule)] = at_ms
        self._forget(group)

    async def _bury(self, bundle: Bundle, group: Sequence[Queued], why: str, now: Situation) -> None:
        """It cannot be delivered: it stays to be seen, and can be sent again by hand. A failed test is only told of."""
        dead = [{"key": one.key, "word": one.word, "receiver": one.receiver, "at": str(one.at_ms), "alert": one.alert,
                 "run": one.run, "rule": one.rule, "why": why} for one in group if one.word != "test"]
        await self._outbox.settle([one.id for one in group], (), (), dead=dead)
        self._forget(group)

    def _forget(self, gone: Sequence[Queued]) -> None:
        for one in gone:
            self._waiting.pop(one.id, None)
            self._bundles.pop(one.id, None)

    def _soonest_ms(self, now_ms: int) -> int:
        """How long to wait for news at most: what is gathered goes when its time is over."""
        if not self._waiting:
            return ROUND_MS
        left = [one.at_ms + GATHER_MS - now_ms for one in self._waiting.values()]
        return max(min((ms for ms in left if ms > 0), default=ROUND_MS), 1)

    async def _look(self) -> Situation:
        silent = [one for one, _ in (await silences(self._reader, self._keys)).values()]
        rules = await all_rules(self._reader, self._keys, self._own)
        return Situation(await telling_of(self._reader, self._keys), rules, await self._alerts.all(), silent,
                         await standings(self._reader, self._keys), self._clock.now_ms())

    async def _sleep(self, stop: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_S)

    async def _pause(self, error: Exception, stop: asyncio.Event) -> None:
        """Say what happened once, then try again each second; what waits is read anew."""
        self._has_turn = False
        if str(error) != self._trouble:
            self._trouble = str(error)
            log.error("nobody can be told: %s: %s", type(error).__name__, error)
        await self._sleep(stop)

    async def _end(self) -> None:
        """Let what is on its way arrive, then give up the turn."""
        tasks = list(self._telling.values())
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_S)
        for task in tasks:
            task.cancel()
        with suppress(*STORE_ERRORS):
            await self._scripts.take_turn("notifier", self._who, 1)


def _heard(one: Queued) -> str:
    return f"{one.run}:{one.receiver}"


def _rule(bundle: Bundle) -> str:
    return bundle.items[0].rule.id if bundle.items else ""


def _rank(now: Situation, one: Queued) -> int:
    """Critical first, tests before all."""
    rule = now.rule_of(one)
    ranks = {"critical": 1, "high": 2, "medium": 3}
    return 0 if one.word == "test" else ranks.get(rule.severity, 4) if rule else 4
