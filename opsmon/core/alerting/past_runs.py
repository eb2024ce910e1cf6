"""What the log of alerts tells of each run: when it fired, who saw to it, how long it lasted, how it ended. Pure.

And the same past under another rule: how often that would have fired, to the second, for the log knows when each number
went beyond its limit and came back. It knows so of every kind of rule, of silent sources too. What only hovered around
its limit meanwhile is in no line and counts as beyond it: it would have fired so often at most.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from opsmon.core.alerting.life import Code, Timing, Verdict
from opsmon.core.alerting.rules import Severity

_FIRED = frozenset({"beyond", "held"})
_BREACH = frozenset({"beyond", "held", "beyond-again"})
_CLEAR = frozenset({"back-within", "over-before-it-lasted", "stayed-within", "closed", "rule-gone"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log, as far as it matters here. Words are those of life.py; '' where an older opsmon wrote none."""

    at_ms: int
    alert: str
    run: str
    rule: str
    severity: str
    state: str
    reason: str
    note: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run of an alert. `over_ms` is when its number came back for good, or somebody closed it, None while it is
    open: the wait until a recovery is believed is no part of it. `is_alone`: it ended by itself, and nobody had said
    that they see to it."""

    alert: str
    rule: str
    severity: Severity
    began_ms: int
    over_ms: int | None = None
    acknowledged_ms: int | None = None
    is_alone: bool = False
    is_escalated: bool = False
    code: Code | None = None
    verdict: Verdict | None = None

    @property
    def is_acted_on(self) -> bool:
        """Whether somebody did something about it, as they say."""
        return self.code == "fixed" or self.verdict == "acted"


def runs_of(entries: Iterable[Entry]) -> list[PastRun]:
    """Every run that fired within these lines (oldest first), in the order in which they fired."""
    found: dict[str, PastRun] = {}
    within: dict[str, int] = {}
    for one in entries:
        if one.state == "firing" and one.reason in _FIRED:
            found.setdefault(one.run, PastRun(one.alert, one.rule, one.severity, one.at_ms))  # type: ignore[arg-type]
        elif one.run in found:
            found[one.run] = _after(found[one.run], one, within)
    return list(found.values())


def _after(run: PastRun, one: Entry, within: dict[str, int]) -> PastRun:
    """A run after one more line of it; `within` is since when each run is back within its limit."""
    match one.reason:
        case "back-within":
            within[one.run] = one.at_ms
        case "beyond-again":
            within.pop(one.run, None)
        case "acknowledged" if run.acknowledged_ms is None:
            return replace(run, acknowledged_ms=one.at_ms)
        case "escalated" | "nobody-answered":
            return replace(run, is_escalated=True)
        case "judged":
            return replace(run, verdict=one.note)  # type: ignore[arg-type]
        case "stayed-within" | "closed" | "rule-gone" if one.state == "resolved" and run.over_ms is None:
            is_alone = one.reason == "stayed-within" and run.acknowledged_ms is None
            return replace(run, over_ms=within.get(one.run, one.at_ms), is_alone=is_alone,
                           code=one.code or None)  # type: ignore[arg-type]
    return run


# Of each alert: (epoch ms, whether it is beyond its limit from then on), in the order of time.
Marks = Mapping[str, Sequence[tuple[int, bool]]]


def marks_of(entries: Iterable[Entry]) -> dict[str, list[tuple[int, bool]]]:
    """When the number of each alert went beyond its limit, and came back."""
    found: dict[str, list[tuple[int, bool]]] = {}
    for one in entries:
        if one.reason in _BREACH or one.reason in _CLEAR:
            found.setdefault(one.alert, []).append((one.at_ms, one.reason in _BREACH))
    return found


def times_fired(marks: Marks, timing: Timing, now_ms: int) -> int:
    """How often it would have fired with this timing: as life.py says, of which only this much matters here."""
    return sum(_times(each, timing, now_ms) for each in marks.values())


def _times(marks: Sequence[tuple[int, bool]], timing: Timing, now_ms: int) -> int:
    times, is_open, is_beyond, since_ms = 0, False, False, 0
    for at_ms, beyond in (*marks, (now_ms, False)):
        lasts_ms = at_ms - since_ms
        if is_beyond and not is_open and lasts_ms >= timing.for_ms:
            times, is_open = times + 1, True
        elif is_open and not is_beyond and lasts_ms >= timing.keep_ms:
            is_open = False
        if beyond != is_beyond:
            is_beyond, since_ms = beyond, at_ms
    return times
