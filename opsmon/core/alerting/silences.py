"""What is not to be said: silences somebody asked for, and what follows from another alert anyway. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from opsmon.core.alerting.built_in import BEHIND, EVERY_SOURCE
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import Missing, Rule, Unusual
from opsmon.core.calendar import DAY_MS

LONGEST_MS = DAY_MS
# What opsmon says of itself may not be kept silent for longer: ALERTING D1.
MUTE_MS = 30 * 60_000


@dataclass(frozen=True, slots=True)
class Silence:
    """Somebody wants to hear no more of something until `until_ms`, and says why. `rule` '' is everything, `labels`
    narrow it."""

    id: str
    rule: str
    labels: tuple[tuple[str, str], ...]
    until_ms: int
    author: str
    reason: str
    began_ms: int

    def covers(self, alert: Alert, now_ms: int) -> bool:
        """Whether an alert is kept silent by it now."""
        return (self.began_ms <= now_ms < self.until_ms and self.rule in ("", alert.rule)
                and set(self.labels) <= set(alert.labels))


def silence_of(alert: Alert, silences: Iterable[Silence], now_ms: int) -> Silence | None:
    """The silence that ends last of those that cover an alert; None where it may be told."""
    found = [one for one in silences if one.covers(alert, now_ms)]
    return max(found, key=lambda one: one.until_ms, default=None)


def inhibitor_of(alert: Alert, rule: Rule, firing: Iterable[tuple[Alert, Rule]]) -> Alert | None:
    """The open alert that explains this one: a silent source what is reckoned from its events, a backlog everything
    that is held against what is usual. None mutes itself."""
    for other, others in firing:
        if other.fingerprint != alert.fingerprint and other.is_open and _explains(others, rule):
            return other
    return None


def _explains(cause: Rule, rule: Rule) -> bool:
    is_reckoned = isinstance(rule.condition, Unusual | Missing)
    return is_reckoned and cause.about in (BEHIND, EVERY_SOURCE)
