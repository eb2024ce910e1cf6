"""What is sent, before anybody has put it into words: notices to a receiver that go as one message. Pure.

Whether a notice still holds is asked again right before it is sent: somebody may have answered meanwhile, it may be
over, or be silenced (grafana/oncall 4654).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import Rule, Severity

Told = Literal["fired", "repeat", "resolved", "test", "daily", "weekly", "monthly"]
# Why a notice that was queued was not sent.
Dropped = Literal["acknowledged", "over", "muted", "fired-again", "rule-gone", "never-told", "superseded", "twice",
                  "nobody", ""]


@dataclass(frozen=True, slots=True)
class Queued:
    """A notice in the outbox: `id` of its entry, `key` by which it is known to whoever gets it, `at_ms` when it was
    queued. `alert` is a fingerprint, `run` one run of it; both '' for tests and digests."""

    id: str
    key: str
    word: Told
    receiver: str
    at_ms: int
    alert: str = ""
    run: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One notice with what it is about, as that is when it is sent."""

    queued: Queued
    alert: Alert
    rule: Rule


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes to a receiver as one message. `key` is the same for each try at it. `data` is what a digest says."""

    key: str
    word: Told
    receiver: str
    items: tuple[Item, ...] = ()
    data: Mapping[str, Any] | None = None

    @property
    def severity(self) -> Severity:
        """That of its rule."""
        return self.items[0].rule.severity if self.items else "low"


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends. `subject` is one line. `links` are (text, URL); `data` is the same for programs."""

    key: str
    subject: str
    text: str
    data: Mapping[str, Any]


def fate(queued: Queued, alert: Alert | None, rule: Rule | None, is_muted: bool, was_told: bool) -> Dropped:
    """Why a notice is not sent, '' when it is. `is_muted`: silenced, snoozed or explained by another alert; `was_told`:
    this receiver heard of this run before."""
    if alert is None or rule is None or not rule.is_on:
        return "rule-gone"
    if alert.id != queued.run:
        return "fired-again"
    if is_muted:
        return "muted"
    if queued.word == "resolved":
        return _fate_of_end(alert, was_told)
    if not alert.is_open:
        return "over"
    # A nudge after hours is queued later than the acknowledgement it is about.
    if alert.is_acknowledged and queued.at_ms <= alert.acknowledged_ms:
        return "acknowledged"
    return ""


def superseded(queued: Queued, waiting: Iterable[Queued]) -> bool:
    """Whether a later word about the same run waits for the same receiver: one message for one incident, however long
    a channel was away (HARDENING F31)."""
    return bool(queued.run) and any(
        other.run == queued.run and other.receiver == queued.receiver and other.id != queued.id
        and _order(other) > _order(queued) for other in waiting)


def gathered(waiting: Sequence[Queued]) -> dict[tuple[str, str, str], list[Queued]]:
    """Notices that go together: of one receiver, rule and word. Tests and digests go alone."""
    found: dict[tuple[str, str, str], list[Queued]] = {}
    for one in waiting:
        alone = "" if one.rule else one.id
        found.setdefault((one.receiver, one.rule or alone, one.word), []).append(one)
    return found


def _order(queued: Queued) -> tuple[int, int]:
    milliseconds, _, number = queued.id.partition("-")
    return int(milliseconds), int(number or 0)


def _fate_of_end(alert: Alert, was_told: bool) -> Dropped:
    if alert.state != "resolved":
        return "fired-again"
    return "" if was_told else "never-told"
