"""An alert's life: ok -> pending -> firing -> recovering -> resolved, beside it no data and learning. Pure.

`step` moves an alert by what its rule found, people move it by the verbs below. Each gives a Move with its reason, the
one word that log, test and screen all show, or None where nothing changes. Beside its state an alert may be
acknowledged (by whom, until it recovers), assigned, and snoozed until an instant.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

State = Literal["ok", "pending", "firing", "recovering", "resolved", "no-data", "learning"]
# What became of an alert, as whoever closes it says.
Code = Literal["fixed", "false", "no-action", "known"]
# breach: beyond the limit. clear: on the good side of where it ends. between: neither. unknown: there is no number.
Found = Literal["breach", "clear", "between", "unknown", "learning"]
# What somebody says of an alert when it is over: that it led to something, or what was wrong with it. What ends by
# itself has no code, so that only this tells whether anybody had to do something.
Verdict = Literal["acted", "false-positive", "not-actionable", "poor-details", "other"]
Reason = Literal[
    "beyond", "held", "over-before-it-lasted", "back-within", "stayed-within", "beyond-again", "no-number",
    "number-again", "learning", "learned", "rule-gone", "acknowledged", "taken-back", "assigned", "snoozed", "closed",
    "noted", "judged", "escalated", "nobody-answered"]

OPEN: frozenset[State] = frozenset({"firing", "recovering"})
Things = tuple[tuple[str, int], ...]
# A number that is away for so long is said to be; before that the last state holds.
NO_DATA_AFTER_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found at one instant: `value` against `limit`, in the unit of its KPI; None where there is none.
    `things` are the foremost of what it counts: name, and since when in epoch ms."""

    found: Found
    value: float | None = None
    limit: float | None = None
    things: Things = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a breach has to last before it fires, and a recovery before it is believed, in ms."""

    for_ms: int
    keep_ms: int


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, by the rule and what it is about. `id` is that of this run of it, '' before it ever fired.

    `since_ms` is when the state began, `began_ms` when it fired, `ended_ms` when it was resolved; `unknown_ms` since
    when there is no number. `peak` is the value furthest out. `is_held`: closed by hand while beyond its limit, so that
    it has to recover once before it may fire anew. `things` as its last finding has them. `about`: what its numbers are
    of, '' where an older opsmon did not say. `version` grows by one with each move.
    """

    fingerprint: str
    rule: str
    labels: tuple[tuple[str, str], ...] = ()
    state: State = "ok"
    since_ms: int = 0
    version: int = 0
    id: str = ""
    began_ms: int = 0
    ended_ms: int = 0
    unknown_ms: int | None = None
    value: float | None = None
    limit: float | None = None
    at_first: float | None = None
    peak: float | None = None
    is_held: bool = False
    acknowledged_by: str = ""
    acknowledged_ms: int = 0
    assigned_to: str = ""
    snoozed_until_ms: int = 0
    code: Code | None = None
    things: Things = ()
    verdict: Verdict | None = None
    about: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody may have to do something."""
        return self.state in OPEN

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody has said that they see to it."""
        return self.is_open and bool(self.acknowledged_by)


@dataclass(frozen=True, slots=True)
class Move:
    """One change of an alert, why, and by whom ('' for opsmon itself)."""

    before: State
    alert: Alert
    reason: Reason
    by: str = ""
    note: str = ""


def fingerprint(rule: str, labels: tuple[tuple[str, str], ...]) -> str:
    """What tells an alert from others: the rule and what it is about; not the value, not the words."""
    return blake2b(repr((rule, tuple(sorted(labels)))).encode(), digest_size=8).hexdigest()


def new_alert(rule: str, labels: tuple[tuple[str, str], ...] = ()) -> Alert:
    """An alert that has not been looked at."""
    return Alert(fingerprint(rule, labels), rule, tuple(sorted(labels)))


def of(alert: Alert, about: str) -> Alert:
    """The alert of a rule that is about this now. Numbers of what it was about before are none of it."""
    if alert.about == about:
        return alert
    if not alert.about:
        return replace(alert, about=about)
    return replace(alert, about=about, value=None, limit=None, at_first=None, peak=None, things=())


def step(alert: Alert, finding: Finding, timing: Timing, now_ms: int) -> Move | None:
    """What a finding makes of an alert; None where nothing changes but perhaps its value (see `seen`)."""
    if finding.found in ("unknown", "learning"):
        return _without_number(alert, finding, now_ms)
    known = replace(seen(alert, finding), unknown_ms=None)
    move = _with_number(known, finding, timing, now_ms)
    # Kept in mind, or the next number that is missing would seem to be so since the last one was.
    return move or (_told(known, alert, "number-again", "") if alert.unknown_ms is not None else None)


def seen(alert: Alert, finding: Finding) -> Alert:
    """The alert with the value that was just found, and the furthest beyond its limit since it fired."""
    if finding.value is None:
        return alert
    peak = alert.peak
    if alert.is_open and finding.found == "breach" and finding.limit is not None and (
            peak is None or abs(finding.value - finding.limit) > abs(peak - finding.limit)):
        peak = finding.value
    return replace(alert, value=finding.value, limit=finding.limit, peak=peak, things=finding.things)


def acknowledge(alert: Alert, by: str, now_ms: int) -> Move | None:
    """Somebody sees to it until it recovers. The first one stays."""
    if not alert.is_open or alert.acknowledged_by:
        return None
    return _told(replace(alert, acknowledged_by=by, acknowledged_ms=now_ms), alert, "acknowledged", by)


def take_back(alert: Alert, by: str) -> Move | None:
    """Nobody sees to it after all."""
    if not alert.is_acknowledged:
        return None
    return _told(replace(alert, acknowledged_by="", acknowledged_ms=0), alert, "taken-back", by)


def assign(alert: Alert, to: str, by: str) -> Move | None:
    """Somebody is to see to it."""
    if not alert.is_open or alert.assigned_to == to:
        return None
    return _told(replace(alert, assigned_to=to), alert, "assigned", by)


def snooze(alert: Alert, until_ms: int, by: str, now_ms: int) -> Move | None:
    """Say no more of it until an instant; it stays on the list."""
    if not alert.is_open or until_ms <= now_ms:
        return None
    return _told(replace(alert, snoozed_until_ms=until_ms), alert, "snoozed", by)


def close(alert: Alert, code: Code, note: str, by: str, now_ms: int) -> Move | None:
    """Somebody says that it is over, and what it was. Where it is still beyond its limit it has to recover once before
    it may fire again: what was closed does not come back by the next tick."""
    if not alert.is_open:
        return None
    closed = replace(alert, code=code, is_held=alert.state == "firing")
    return replace(_moved(closed, "resolved", "closed", now_ms), before=alert.state, by=by, note=note)


def note(alert: Alert, text: str, by: str) -> Move | None:
    """Somebody writes down what they saw or did; nothing else changes."""
    if not alert.id or not text:
        return None
    return replace(_told(alert, alert, "noted", by), note=text)


def judge(alert: Alert, verdict: Verdict, by: str) -> Move | None:
    """Somebody says, of what is over, whether it was worth it. Whoever says something else later is believed."""
    if alert.is_open or not alert.id or alert.verdict == verdict:
        return None
    return replace(_told(replace(alert, verdict=verdict), alert, "judged", by), note=verdict)


def escalated(alert: Alert, *, is_nobody: bool) -> Move:
    """Others were told because nobody had answered; `is_nobody`: nor did any of them."""
    return Move(alert.state, alert, "nobody-answered" if is_nobody else "escalated")


def retire(alert: Alert, now_ms: int) -> Move | None:
    """Its rule is gone or off. Nothing holds it any more: there is one move, however often this is asked."""
    free = replace(alert, is_held=False)
    return _moved(free, "resolved" if alert.is_open else "ok", "rule-gone", now_ms) if _is_anything(alert) else None


def due_ms(alert: Alert, timing: Timing) -> int | None:
    """When time alone will move it next; None while it needs another finding."""
    match alert.state:
        case "pending":
            return alert.since_ms + timing.for_ms
        case "recovering":
            return alert.since_ms + timing.keep_ms
        case _:
            return None


def _with_number(alert: Alert, finding: Finding, timing: Timing, now_ms: int) -> Move | None:
    match alert.state:
        case "pending":
            return _pending(alert, finding, timing, now_ms)
        case "firing":
            return _moved(alert, "recovering", "back-within", now_ms) if finding.found == "clear" else None
        case "recovering":
            return _recovering(alert, finding, timing, now_ms)
        case _:
            return _quiet(alert, finding, timing, now_ms)


def _quiet(alert: Alert, finding: Finding, timing: Timing, now_ms: int) -> Move | None:
    """ok, resolved, no data, learning: nothing is wrong as far as is known."""
    if finding.found == "breach" and not alert.is_held:
        return _fired(alert, now_ms) if timing.for_ms == 0 else _moved(alert, "pending", "beyond", now_ms)
    if alert.state == "no-data":
        return _moved(alert, "ok", "number-again", now_ms)
    if alert.state == "learning":
        return _moved(alert, "ok", "learned", now_ms)
    if alert.is_held and finding.found == "clear":
        return _moved(replace(alert, is_held=False), "ok", "stayed-within", now_ms)
    return None


def _pending(alert: Alert, finding: Finding, timing: Timing, now_ms: int) -> Move | None:
    if finding.found != "breach":
        return _moved(alert, "ok", "over-before-it-lasted", now_ms)
    return _fired(alert, now_ms) if now_ms - alert.since_ms >= timing.for_ms else None


def _recovering(alert: Alert, finding: Finding, timing: Timing, now_ms: int) -> Move | None:
    if finding.found == "breach":
        return _moved(alert, "firing", "beyond-again", now_ms)
    return _moved(alert, "resolved", "stayed-within", now_ms) if now_ms - alert.since_ms >= timing.keep_ms else None


def _without_number(alert: Alert, finding: Finding, now_ms: int) -> Move | None:
    """No number: what is open stays open, what is quiet says so after five minutes."""
    if alert.is_open:
        return None
    if finding.found == "learning":
        return None if alert.state == "learning" else _moved(alert, "learning", "learning", now_ms)
    if alert.state == "no-data":
        return None
    if alert.unknown_ms is None:
        return _told(replace(alert, unknown_ms=now_ms), alert, "no-number", "")
    return _moved(alert, "no-data", "no-number", now_ms) if now_ms - alert.unknown_ms >= NO_DATA_AFTER_MS else None


def _fired(alert: Alert, now_ms: int) -> Move:
    """A new run of the alert: nobody has seen it, nothing is said of it."""
    reason: Reason = "held" if alert.state == "pending" else "beyond"
    # A clock may be put back: two runs never have one name, or the second would seem to have been told of.
    last_ms = int(alert.id.rpartition("-")[2]) if alert.id else 0
    fresh = replace(alert, id=f"{alert.fingerprint}-{max(now_ms, last_ms + 1)}", began_ms=now_ms, ended_ms=0,
                    at_first=alert.value, peak=alert.value, acknowledged_by="", acknowledged_ms=0, assigned_to="",
                    snoozed_until_ms=0, code=None, verdict=None, is_held=False)
    return replace(_moved(fresh, "firing", reason, now_ms), before=alert.state)


def _moved(alert: Alert, state: State, reason: Reason, now_ms: int) -> Move:
    ended_ms = now_ms if state == "resolved" else alert.ended_ms
    after = replace(alert, state=state, since_ms=now_ms, ended_ms=ended_ms, version=alert.version + 1)
    return Move(alert.state, after, reason)


def _told(after: Alert, before: Alert, reason: Reason, by: str) -> Move:
    return Move(before.state, replace(after, version=before.version + 1), reason, by)


def _is_anything(alert: Alert) -> bool:
    return alert.state not in ("ok", "resolved") or alert.is_held
