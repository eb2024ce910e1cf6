"""The log of a rule whose number goes beyond its limit and comes back, made by the same steps as in life."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from opsmon.core.alerting.life import Alert, Finding, Move, due_ms, new_alert, seen, step
from opsmon.core.alerting.past_runs import Entry
from opsmon.core.alerting.rules import Limit, Rule
from tests.conftest import NOW_MS

LATE = Rule("late", "Orders are late", "past-sla", Limit(0), "high", for_ms=0, keep_ms=60_000)
SECOND_MS, MINUTE_MS = 1_000, 60_000
BREACH, CLEAR = Finding("breach", 5.0, 2.0), Finding("clear", 0.0, 2.0)


def entry(move: Move, rule: Rule, at_ms: int) -> Entry:
    """A move as a line of the log."""
    alert = move.alert
    return Entry(at_ms, alert.fingerprint, alert.id, rule.id, rule.severity, alert.state, move.reason, move.note,
                 alert.code or "")


def lived(stretches: Sequence[tuple[int, int]], rule: Rule = LATE, row: str = "DHL", from_ms: int = NOW_MS
          ) -> tuple[list[Entry], Alert]:
    """The lines of an alert that was beyond its limit in these stretches (from and until, in ms after `from_ms`), and
    well for long afterwards; and the alert. Looked at whenever something changes or falls due."""
    alert, found, lines = new_alert(rule.id, (("row", row),)), CLEAR, list[Entry]()
    changes = [(from_ms + at_ms, finding) for began, ended in stretches for at_ms, finding in (
        (began, BREACH), (ended, CLEAR))]
    for at_ms, finding in (*changes, (changes[-1][0] + 10 * rule.timing.keep_ms + 1, CLEAR)):
        for now_ms, seen_then in (*_dues(alert, rule, at_ms), (at_ms, finding)):
            move = step(alert, found if seen_then is None else seen_then, rule.timing, now_ms)
            alert = move.alert if move else seen(alert, finding)
            lines += [entry(move, rule, now_ms)] if move else []
        found = finding
    return lines, alert


def said(lines: Iterable[Entry], at_ms: int, reason: str, note: str = "", code: str = "") -> list[Entry]:
    """The lines with one more about their last run, in its place."""
    listed = list(lines)
    last = next(one for one in reversed(listed) if one.at_ms <= at_ms)
    more = replace(last, at_ms=at_ms, reason=reason, note=note, code=code)
    return sorted([*listed, more], key=lambda one: one.at_ms)


def _dues(alert: Alert, rule: Rule, until_ms: int) -> list[tuple[int, Finding | None]]:
    due = due_ms(alert, rule.timing)
    return [(due, None)] if due is not None and due <= until_ms else []
