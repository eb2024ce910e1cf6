"""Who is told of an alert, and when: after a wait, then step by step until somebody answers, then that it is over.

Pure. Whatever is due is worked out anew from the alert as it is at that moment, so that an acknowledgement, an end or a
silence takes back everything that was still to be said (grafana/oncall 4654).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from opsmon.core.alerting.hours import ALWAYS, Hours, is_open, opens_ms
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import Severity
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS

# fired: the first word. repeat: still so. resolved: it is over. nobody: all steps are through, nobody answered.
Word = Literal["fired", "repeat", "resolved", "nobody"]
MOST_LOOPS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """Waits in ms; 0: never. `waits` before the first word, `repeats` while nobody answers (slower with age: `slows`),
    `nudges` after somebody did."""

    waits_ms: int
    repeats_ms: int
    nudges_ms: int
    slows: bool


# ALERTING D3. What is low is told in the digest alone.
PACE: Mapping[Severity, Pace] = {
    "critical": Pace(0, 5 * MINUTE_MS, 4 * HOUR_MS, False), "high": Pace(15_000, 15 * MINUTE_MS, 8 * HOUR_MS, True),
    "medium": Pace(30_000, HOUR_MS, 0, True), "low": Pace(0, 0, 0, False),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation: whom to tell (names of receivers), `after_ms` the step before it went unanswered."""

    receivers: tuple[str, ...]
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """Where alerts of a severity go, and the hours in which they may; what is critical ignores hours."""

    severity: Severity
    steps: tuple[Step, ...]
    hours: Hours = ALWAYS

    def is_open(self, now_ms: int) -> bool:
        """Whether anybody may be told now."""
        return self.severity == "critical" or is_open(self.hours, now_ms)


@dataclass(frozen=True, slots=True)
class Told:
    """What has been said of one run of an alert (`run` is its id): how many steps in all loops, how often it was
    repeated, when the last step and the last word were, who heard of it so far. `is_over`: that it is over was said, or
    need not be."""

    run: str = ""
    steps: int = 0
    repeats: int = 0
    step_ms: int = 0
    last_ms: int = 0
    is_nobody: bool = False
    is_over: bool = False
    heard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said now, to whom. `number` counts the words about this run: with the run it makes the key by
    which a receiver knows a repeated delivery."""

    word: Word
    run: str
    number: int
    receivers: tuple[str, ...]

    @property
    def key(self) -> str:
        """The same for each try at delivering the same word."""
        return f"{self.run}-{self.word}-{self.number}"


@dataclass(frozen=True, slots=True)
class Due:
    """What follows: a notice for now or none, what has been told after it, and when to look again (None: when the alert
    changes). `is_held`: it waits for opening hours."""

    notice: Notice | None
    told: Told
    again_ms: int | None
    is_held: bool = False


def due(alert: Alert, told: Told, route: Route, is_muted: bool, now_ms: int, began_ms: int | None = None) -> Due:
    """What is to be said of an alert now. `is_muted`: silenced, inhibited or snoozed. `began_ms`: when the first alert
    of its rule began of which nothing was said yet: those that follow within its wait are told with it."""
    told = Told(run=alert.id) if alert.id and alert.id != told.run else told
    # A clock that was put back by an hour is no reason to wait for an hour more.
    told = replace(told, step_ms=min(told.step_ms, now_ms), last_ms=min(told.last_ms, now_ms))
    found = _due(alert, told, route, is_muted, now_ms, began_ms)
    if found.notice is None or found.notice.word == "resolved":
        return found
    # Routes and severities change meanwhile: that it is over is told to those who heard, whoever is on the route then.
    heard = tuple(dict.fromkeys((*found.told.heard, *found.notice.receivers)))
    return replace(found, told=replace(found.told, heard=heard))


def _due(alert: Alert, told: Told, route: Route, is_muted: bool, now_ms: int, began_ms: int | None) -> Due:
    if alert.state == "resolved":
        return _over(alert, told, route, is_muted, now_ms)
    if not alert.is_open or is_muted or not route.steps:
        return Due(None, told, None)
    if not route.is_open(now_ms):
        return Due(None, told, opens_ms(route.hours, now_ms), is_held=True)
    if alert.is_acknowledged:
        return _acknowledged(alert, told, route, now_ms)
    return _open(alert if began_ms is None or told.steps else replace(alert, began_ms=began_ms), told, route, now_ms)


def unreachable(route: Route) -> list[int]:
    """Steps (from 1) that can never be: without anybody to tell, or waiting for nothing behind the first."""
    return [at for at, step in enumerate(route.steps, 1)
            if not step.receivers or (at > 1 and step.after_ms <= 0)]


def receivers(route: Route, told: Told) -> tuple[str, ...]:
    """Everybody on the steps that were taken so far, each once: to them it is repeated."""
    heard = [one for at in range(min(told.steps, len(route.steps))) for one in route.steps[at].receivers]
    return tuple(dict.fromkeys(heard))


def _open(alert: Alert, told: Told, route: Route, now_ms: int) -> Due:
    """Nobody has answered: the first word, the next step, or the same again."""
    pace = PACE[route.severity]
    if alert.state == "recovering":
        return Due(None, told, None)
    step_ms = _step_due_ms(alert, told, route, pace)
    if step_ms is not None and now_ms >= step_ms:
        return _stepped(told, route, now_ms, pace)
    nobody_ms = _nobody_due_ms(told, route, pace) if step_ms is None and not told.is_nobody else None
    if nobody_ms is not None and now_ms >= nobody_ms:
        return _nobody(told, route, now_ms, pace)
    repeat_ms = _repeat_due_ms(told, pace)
    if told.steps and repeat_ms is not None and now_ms >= repeat_ms:
        return _repeated(told, route, now_ms, step_ms, pace)
    return Due(None, told, _soonest(step_ms, nobody_ms, repeat_ms if told.steps else None))


def _step_due_ms(alert: Alert, told: Told, route: Route, pace: Pace) -> int | None:
    """When the next step is due; None when all loops are through. One step alone is not gone through again."""
    loops = MOST_LOOPS if len(route.steps) > 1 else 1
    if told.steps >= loops * len(route.steps):
        return None
    if told.steps == 0:
        return alert.began_ms + pace.waits_ms + route.steps[0].after_ms
    at = told.steps % len(route.steps)
    return told.step_ms + (route.steps[at].after_ms or route.steps[-1].after_ms)


def _stepped(told: Told, route: Route, now_ms: int, pace: Pace) -> Due:
    step = route.steps[told.steps % len(route.steps)]
    word: Word = "fired" if told.steps < len(route.steps) else "repeat"
    after = replace(told, steps=told.steps + 1, step_ms=now_ms, last_ms=now_ms)
    return Due(_notice(word, told, step.receivers), after, now_ms + (pace.repeats_ms or DAY_MS))


def _nobody(told: Told, route: Route, now_ms: int, pace: Pace) -> Due:
    """Every loop went unanswered: the screens say so. A route of one step has nobody else to go to."""
    after = replace(told, is_nobody=True)
    if len(route.steps) == 1:
        return Due(None, after, _repeat_due_ms(told, pace))
    return Due(_notice("nobody", told, ()), replace(after, last_ms=now_ms), None)


def _nobody_due_ms(told: Told, route: Route, pace: Pace) -> int:
    """Until when whoever was told last has time to answer: as long as a step waits; where there is one alone, until it
    would be said again."""
    alone_ms = pace.repeats_ms or DAY_MS
    return told.step_ms + (alone_ms if len(route.steps) == 1 else route.steps[-1].after_ms)


def _repeat_due_ms(told: Told, pace: Pace) -> int | None:
    """When to say it again: twice as long after each time where it slows, at most a day."""
    if not pace.repeats_ms:
        return None
    wait_ms = pace.repeats_ms * 2 ** min(told.repeats, 20) if pace.slows else pace.repeats_ms
    return told.last_ms + min(wait_ms, DAY_MS)


def _repeated(told: Told, route: Route, now_ms: int, step_ms: int | None, pace: Pace) -> Due:
    after = replace(told, repeats=told.repeats + 1, last_ms=now_ms)
    return Due(_notice("repeat", told, receivers(route, told)), after, _soonest(step_ms, _repeat_due_ms(after, pace)))


def _acknowledged(alert: Alert, told: Told, route: Route, now_ms: int) -> Due:
    """Somebody sees to it: a nudge after hours, nothing else."""
    pace = PACE[route.severity]
    if not pace.nudges_ms or not told.steps:
        return Due(None, told, None)
    due_ms = max(told.last_ms, alert.acknowledged_ms) + pace.nudges_ms
    if now_ms < due_ms:
        return Due(None, told, due_ms)
    after = replace(told, repeats=told.repeats + 1, last_ms=now_ms)
    return Due(_notice("repeat", told, receivers(route, told)), after, now_ms + pace.nudges_ms)


def _over(alert: Alert, told: Told, route: Route, is_muted: bool, now_ms: int) -> Due:
    """That it is over is said once to everybody who heard that it began, and to nobody else."""
    after = replace(told, is_over=True)
    if told.is_over or is_muted or not told.heard or not alert.id:
        return Due(None, after, None)
    if not route.is_open(now_ms):
        return Due(None, told, opens_ms(route.hours, now_ms), is_held=True)
    return Due(_notice("resolved", told, told.heard), replace(after, last_ms=now_ms), None)


def _notice(word: Word, told: Told, to: tuple[str, ...]) -> Notice:
    return Notice(word, told.run, told.steps + told.repeats + (word in ("resolved", "nobody")), to)


def _soonest(*instants: int | None) -> int | None:
    return min((one for one in instants if one is not None), default=None)
