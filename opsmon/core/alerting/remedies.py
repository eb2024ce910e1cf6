"""What may be done about a rule that fires too often: later, less loudly, or not at all; each with what it would have
changed. Pure."""

from dataclasses import dataclass, replace
from typing import Literal

from opsmon.core.alerting.past_runs import Marks, times_fired
from opsmon.core.alerting.rules import SEVERITIES, Milestone, Rule
from opsmon.core.calendar import HOUR_MS, MINUTE_MS

Kind = Literal["later", "lower", "retire"]
LADDER_MS = (MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS)


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change of a rule: the rule afterwards, and how often it would have fired instead of how often."""

    kind: Kind
    rule: Rule
    times: int
    instead_of: int


def remedies(rule: Rule, marks: Marks, now_ms: int) -> list[Remedy]:
    """What may be done about a rule, held against the marks of its alerts. opsmon's own health is always looked at
    (ALERTING D1): it cannot be retired."""
    if not rule.is_on:
        return []
    before = times_fired(marks, rule.timing, now_ms)
    changed: list[tuple[Kind, Rule | None]] = [("later", later(rule, marks, now_ms)), ("lower", lower(rule))]
    found = [Remedy(kind, after, times_fired(marks, after.timing, now_ms), before)
             for kind, after in changed if after is not None]
    if not rule.about.startswith("own:"):
        found.append(Remedy("retire", rule, 0, before))
    return found


def later(rule: Rule, marks: Marks, now_ms: int) -> Rule | None:
    """The rule with the next longer time a breach has to last: the first with which it would have fired half as often
    at most, else the next one. None where it waits for an hour already."""
    steps = [replace(rule, for_ms=length_ms) for length_ms in LADDER_MS if length_ms > rule.timing.for_ms]
    if not steps or isinstance(rule.condition, Milestone):
        return None
    before = times_fired(marks, rule.timing, now_ms)
    return next((one for one in steps if times_fired(marks, one.timing, now_ms) * 2 <= before), steps[0])


def lower(rule: Rule) -> Rule | None:
    """The rule one severity down; None at the lowest."""
    at = SEVERITIES.index(rule.severity) + 1
    if at == len(SEVERITIES) or isinstance(rule.condition, Milestone):
        return None
    return replace(rule, severity=SEVERITIES[at])
