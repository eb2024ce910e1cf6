"""Rules -> alerts -> notices. One process of a site does this at a time; whoever is first when it goes takes over.

Rules whose number has moved are looked at with the next round, the others with each second, what is held against the
usual every ten. A move is kept only if nobody else has moved the alert, so that two who believe it is their turn make
one alert.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from redis.asyncio import Redis

from opsmon.clock import Clock
from opsmon.core.alerting.digests import due_days
from opsmon.core.alerting.life import Alert, Finding, escalated, new_alert, of, retire, seen, step
from opsmon.core.alerting.receivers import Digests, Telling
from opsmon.core.alerting.rules import Late, Milestone, Missing, Outlier, Pace, Rule, RunsOut, Unusual
from opsmon.core.alerting.silences import Silence, inhibitor_of, silence_of
from opsmon.core.alerting.special_days import ORDINARY, SpecialDays
from opsmon.core.alerting.telling import Due, Route, due
from opsmon.store import health_queries
from opsmon.store.accounts.refused_logins import refused_logins
from opsmon.store.alerts.alert_store import AlertStore, Stored, log_line, notice_fields
from opsmon.store.alerts.odd_times import forget_alerted, note_alerted, odd_times
from opsmon.store.alerts.outbox import Postbox
from opsmon.store.alerts.rule_queries import all_rules, silences
from opsmon.store.alerts.telling_queries import standings, telling_of
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.scripts import Scripts
from opsmon.workers.alerted import Alerted
from opsmon.workers.observing import Observer, Surroundings

log = logging.getLogger("opsmon.evaluator")

# Whoever has the turn says so each round; gone for so long, it is another's.
TURN_MS = 2_500
ROUND_MS = 1_000
# Between two rounds that changes ask for: a storm of orders is one look.
_LEAST_MS = 250
_SLOW_MS = 10_000
# What is reckoned of hours and single orders is looked at so often; stock, of which all goods are read, so seldom.
_SLOW = Unusual | Missing | Late | Pace | Outlier
_SLOWEST_MS = 60_000
# How often the value of what is open is written, so that screens and people see where it stands.
_VALUE_MS = 5_000
_PAUSE_S = 1.0


class Evaluator:
    """Looks at the rules of one site until it is told to stop."""

    def __init__(self, client: Redis, keys: Keys, kpis: KpiQueries, sources: tuple[str, ...], who: str,
                 clock: Clock, own: Sequence[Rule] = (), special: Sequence[SpecialDays] = ()) -> None:
        self._reader, self._keys, self._kpis, self._sources = Reader(client), keys, kpis, sources
        self._scripts, self._who, self._clock = Scripts(client, keys), who, clock
        self._own, self._client, self._special = own, client, special
        self._postbox = Postbox(client, keys)
        self._odd, self._alerted = ORDINARY, Alerted(kpis)
        self._observer, self._telling = Observer(kpis), Telling({}, {}, Digests())
        self._digested: set[tuple[str, str]] = set()
        self.store = AlertStore(self._reader, self._scripts, keys)
        self._slow_ms = self._slowest_ms = 0
        self._written: dict[str, int] = {}
        self._last_id = "$"
        self._trouble = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Evaluate until `stop` is set. A store that is away is waited for."""
        while not stop.is_set():
            try:
                has_turn = await self._scripts.take_turn("evaluator", self._who, TURN_MS)
                if has_turn:
                    await self.round()
                await self._wait(stop, has_turn)
            except STORE_ERRORS as error:
                await self._pause(error, stop)
        with suppress(*STORE_ERRORS):
            await self._scripts.take_turn("evaluator", self._who, 1)

    async def round(self) -> None:
        """Look at every rule that is due, move the alerts, and say what is to be said. May be repeated."""
        now_ms = self._clock.now_ms()
        rules = await all_rules(self._reader, self._keys, self._own)
        known = await self.store.all()
        self._telling = await telling_of(self._reader, self._keys)
        if now_ms - self._slow_ms >= _SLOW_MS:
            self._odd = await odd_times(self._reader, self._keys, self._special)
        await self._evaluate(self._due(rules.values(), now_ms), known, now_ms)
        await self._retire(rules, known, now_ms)
        await self._mark(rules, [one.alert for one in known.values()], now_ms)
        await self._tell(rules, known, now_ms)
        await self._digest(now_ms)

    async def _mark(self, rules: Mapping[str, Rule], alerts: list[Alert], now_ms: int) -> None:
        """Say of which hours nobody is to learn what is usual, and of which after all."""
        opened = ((one, rules[one.rule]) for one in alerts if one.rule in rules)
        await note_alerted(self._client, self._keys, self._alerted.hours(opened, now_ms), now_ms)
        if runs := self._alerted.unfounded(alerts):
            await forget_alerted(self._client, self._keys, runs)
            self._alerted.forgotten(runs)

    def _due(self, rules: Iterable[Rule], now_ms: int) -> list[Rule]:
        """The rules to be looked at now."""
        is_slow_due, is_slowest_due = now_ms - self._slow_ms >= _SLOW_MS, now_ms - self._slowest_ms >= _SLOWEST_MS
        self._slow_ms = now_ms if is_slow_due else self._slow_ms
        self._slowest_ms = now_ms if is_slowest_due else self._slowest_ms
        return [rule for rule in rules if rule.is_on
                and (is_slow_due or not isinstance(rule.condition, _SLOW))
                and (is_slowest_due or not isinstance(rule.condition, RunsOut))]

    async def _evaluate(self, rules: list[Rule], known: dict[str, Stored], now_ms: int) -> None:
        reached = {one.alert.rule: one.alert.limit or 0.0 for one in known.values()}
        found = await self._observer.look(rules, await self._around(now_ms), now_ms,
                                          {rule.id: reached.get(rule.id, 0.0) for rule in rules
                                           if isinstance(rule.condition, Milestone)})
        for rule in rules:
            await self._judge(rule, found[rule.id], known, now_ms)

    async def _judge(self, rule: Rule, found: list[tuple[tuple[tuple[str, str], ...], Finding]],
                     known: dict[str, Stored], now_ms: int) -> None:
        told = set()
        for labels, finding in found:
            fresh = new_alert(rule.id, labels)
            told.add(fresh.fingerprint)
            stored = known.get(fresh.fingerprint, Stored(0, fresh))
            known[fresh.fingerprint] = await self._step(stored, finding, rule, now_ms)
        # A row that is gone from its list is back within.
        for stored in [one for one in known.values() if one.alert.rule == rule.id] if rule.has_rows else ():
            if stored.alert.fingerprint not in told and stored.alert.state not in ("ok", "resolved"):
                gone = Finding("clear", stored.alert.value, stored.alert.limit)
                known[stored.alert.fingerprint] = await self._step(stored, gone, rule, now_ms)

    async def _step(self, stored: Stored, finding: Finding, rule: Rule, now_ms: int) -> Stored:
        """Move an alert, or keep its value in mind: a value alone is written no more than it is shown."""
        stored = replace(stored, alert=of(stored.alert, rule.about))
        move = step(stored.alert, finding, rule.timing, now_ms)
        if move is not None:
            return await self.store.move(stored, move, rule, now_ms)
        after = seen(stored.alert, finding)
        written_ms = self._written.get(after.fingerprint, 0)
        if not after.is_open or after == stored.alert or now_ms - written_ms < _VALUE_MS:
            return replace(stored, alert=after)
        self._written[after.fingerprint] = now_ms
        return await self.store.note(replace(stored, alert=after), stored.told, [], now_ms)

    async def _retire(self, rules: Mapping[str, Rule], known: dict[str, Stored], now_ms: int) -> None:
        """End the alerts of rules that are gone or off."""
        for fingerprint, stored in known.items():
            rule = rules.get(stored.alert.rule)
            if rule is None or not rule.is_on:
                move = retire(stored.alert, now_ms)
                gone = rule or Rule(stored.alert.rule, stored.alert.rule, "", Milestone(1))
                known[fingerprint] = await self.store.move(stored, move, gone, now_ms) if move else stored

    async def _tell(self, rules: Mapping[str, Rule], known: dict[str, Stored], now_ms: int) -> None:
        silent = [one for one, _ in (await silences(self._reader, self._keys)).values()]
        firing = [(one.alert, rule) for one in known.values() if one.alert.is_open
                  if (rule := rules.get(one.alert.rule)) is not None]
        began_ms = _first_ms(known.values())
        for fingerprint, stored in known.items():
            rule = rules.get(stored.alert.rule)
            is_done = stored.told.is_over and stored.told.run == stored.alert.id
            if rule is not None and stored.alert.id and not is_done:
                is_muted = self._is_muted(stored.alert, rule, silent, firing, now_ms)
                known[fingerprint] = await self._say(stored, rule, is_muted, began_ms.get(rule.id), now_ms)

    async def _say(self, stored: Stored, rule: Rule, is_muted: bool, began_ms: int | None, now_ms: int) -> Stored:
        found = due(stored.alert, stored.told, self.route_of(rule), is_muted, now_ms, began_ms)
        if found.told == stored.told:
            return stored
        notices = [notice_fields(found.notice, receiver, stored.alert, rule, now_ms)
                   for receiver in found.notice.receivers] if found.notice else []
        line = _escalation(stored.alert, rule, found, now_ms)
        return await self.store.note(stored, found.told, notices, now_ms, line)

    def route_of(self, rule: Rule) -> Route:
        """Where the alerts of a rule go. Without any receiver panel and walls alone show them; of milestones always."""
        return Route(rule.severity, ()) if isinstance(rule.condition, Milestone) else self._telling.route(rule.severity)

    async def _digest(self, now_ms: int) -> None:
        """Queue the digests whose hour has come. Whoever takes over queues them once more: their keys are the same,
        and each is delivered once."""
        for word, day in due_days(self._telling, self._kpis.calendar.zone, now_ms):
            if (word, day) in self._digested or await self._is_queued(word, day):
                continue
            await self._postbox.queue_digest(word, day, self._telling.digest_receivers, now_ms)
            self._digested.add((word, day))

    async def _is_queued(self, word: str, day: str) -> bool:
        is_queued = await self._postbox.has_digest(word, day)
        self._digested |= {(word, day)} if is_queued else set()
        return is_queued

    def _is_muted(self, alert: Alert, rule: Rule, silent: list[Silence], firing: list[tuple[Alert, Rule]],
                  now_ms: int) -> bool:
        return (silence_of(alert, silent, now_ms) is not None or now_ms < alert.snoozed_until_ms
                or inhibitor_of(alert, rule, firing) is not None)

    async def _around(self, now_ms: int) -> Surroundings:
        backlog = await health_queries.backlog(self._reader, self._keys)
        heard = await health_queries.heard(self._reader, self._keys, self._kpis, self._sources, now_ms)
        failing = sum(one.failing_ms > 0 and name in self._telling.receivers
                      for name, one in (await standings(self._reader, self._keys)).items())
        return Surroundings(backlog, heard, failing, await refused_logins(self._reader, self._keys), self._odd)

    async def _wait(self, stop: asyncio.Event, has_turn: bool) -> None:
        """Until something was counted, but not for longer than a round, and not shorter than a look is worth. Who only
        waits for a turn asks again at once: within three seconds of a death another looks."""
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LEAST_MS / 1000)
        if has_turn and not stop.is_set():
            changes = await self._reader.after(self._keys.changes, self._last_id, ROUND_MS - _LEAST_MS)
            self._last_id = changes[-1][0].decode() if changes else self._last_id
        self._trouble = ""

    async def _pause(self, error: Exception, stop: asyncio.Event) -> None:
        """Say what happened once, then try again each second."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            log.error("rules cannot be looked at: %s: %s", type(error).__name__, error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_S)


def _first_ms(known: Iterable[Stored]) -> dict[str, int]:
    """By rule, when the first of its open alerts began of which nothing was said yet."""
    found: dict[str, int] = {}
    for one in known:
        if one.alert.is_open and (one.told.run != one.alert.id or not one.told.steps):
            found[one.alert.rule] = min(found.get(one.alert.rule, one.alert.began_ms), one.alert.began_ms)
    return found


def _escalation(alert: Alert, rule: Rule, found: Due, now_ms: int) -> list[str]:
    """The line of the log that says that others had to be told; none where it is the first word, or the same again."""
    notice = found.notice
    if notice is None or not (notice.word == "nobody" or (notice.word == "fired" and found.told.steps > 1)):
        return []
    return log_line(escalated(alert, is_nobody=notice.word == "nobody"), rule, now_ms)
