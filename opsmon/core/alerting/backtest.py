"""What a rule would have said of the past: the same steps as for the present, over a series of points. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from opsmon.core.alerting.life import Finding, new_alert, seen, step
from opsmon.core.alerting.rules import Rule

# Runs that are told one by one; of more only how many.
MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an alert: when it fired, when it was over (None: not by the last point), and its furthest value."""

    began_ms: int
    ended_ms: int | None
    peak: float | None


@dataclass(frozen=True, slots=True)
class BackTest:
    """What would have been, from the first to the last point that could be judged. `judged` of `points` had a number;
    `step_ms` lay between two of them: what was shorter is not seen."""

    runs: tuple[Run, ...]
    points: int
    judged: int
    from_ms: int | None
    until_ms: int | None
    step_ms: int


def back_test(rule: Rule, points: Sequence[tuple[int, Finding]]) -> BackTest:
    """Take a rule through (epoch ms, finding) pairs in the order of time."""
    judged = [at_ms for at_ms, finding in points if finding.found not in ("unknown", "learning")]
    steps = [after - before for before, after in pairwise(judged)]
    return BackTest(tuple(_runs(rule, points)), len(points), len(judged), judged[0] if judged else None,
                    judged[-1] if judged else None, min(steps, default=0))


def _runs(rule: Rule, points: Iterable[tuple[int, Finding]]) -> list[Run]:
    alert, found = new_alert(rule.id), list[Run]()
    for at_ms, finding in points:
        move = step(alert, finding, rule.timing, at_ms)
        alert = seen(alert, finding) if move is None else move.alert
        if move is not None and alert.state == "firing" and alert.began_ms == at_ms:
            found.append(Run(at_ms, None, alert.peak))
        elif alert.is_open and found:
            found[-1] = Run(alert.began_ms, None, alert.peak)
        if move is not None and alert.state == "resolved" != move.before:
            found[-1] = Run(found[-1].began_ms, at_ms, alert.peak)
    return found
