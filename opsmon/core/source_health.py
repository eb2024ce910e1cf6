"""How a source is doing, judged from what is known of it: never heard, well, silent, refused, or stopped.

The order matters: what needs a hand first is said first. A source that is refused hears itself as busy, so
that only the count of refusals in a row tells; a source that has always been quiet at this hour is well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from opsmon.core.health import Heard, is_silent

# So many refused one after the other, and nothing taken between them, is no stray scanner. Of a source that
# was never taken from, the first refusal says all there is.
ROW = 5
# What was refused longer ago than this says nothing of the present.
ROW_KEPT_MS = 86_400_000

# So many dead letters of one source, or so many bytes of them, are kept; see append_events.lua.
MOST_HELD, MOST_HELD_BYTES = 10_000, 16 * 1024 * 1024

SourceState = Literal["never", "well", "silent", "refusing", "stopped"]

# What is counted by source beside refusals; every other counter is the reason of one.
COUNTERS = frozenset({
    "accepted", "duplicate", "not_used", "dead", "last_ms", "late", "future", "too-old", "crowded", "out-of-order",
    "reconciled", "spooled", "unavailable", "ping", "handshake", "empty", "held",
    "held_bytes",
})


@dataclass(frozen=True, slots=True)
class Row:
    """Refusals one after the other: how many since anything was taken, when the last was, and why."""

    count: int
    last_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poller found when it last asked, and when it asks again; instants in epoch ms."""

    last_ms: int | None
    next_ms: int | None
    found: int
    new: int
    error: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a test event, and when it was sent; `went_well`: it arrived."""

    at_ms: int
    went_well: bool
    text: str


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of one source. `totals` are running counts by outcome; rates and `lag_ms` are of what has
    been counted."""

    heard: Heard
    totals: Mapping[str, int] = field(default_factory=dict)
    in_5_minutes: int = 0
    in_an_hour: int = 0
    lag_ms: int | None = None
    row: Row | None = None
    poll: Poll | None = None
    spooled: int | None = None
    trial: Trial | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether what cannot be used is not kept any more, because nobody looks at what is."""
        return self.totals.get("held", 0) >= MOST_HELD or self.totals.get("held_bytes", 0) >= MOST_HELD_BYTES

    @property
    def refusals(self) -> dict[str, int]:
        """How many were refused, by reason; the most frequent first."""
        found = {name: count for name, count in self.totals.items() if is_refusal(name) and count > 0}
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def is_refusal(counter: str) -> bool:
    """Whether a counter of a source, named without the source, counts refusals."""
    return counter not in COUNTERS


def judge_source(facts: SourceFacts, now_ms: int) -> SourceState:
    """The state of a source at an instant."""
    if facts.is_stopped:
        return "stopped"
    if _is_refusing(facts, now_ms):
        return "refusing"
    if facts.heard.last_ms is None:
        return "never"
    return "silent" if is_silent(facts.heard, now_ms) else "well"


def _is_refusing(facts: SourceFacts, now_ms: int) -> bool:
    row, last_ms = facts.row, facts.heard.last_ms
    if row is None or now_ms - row.last_ms > ROW_KEPT_MS:
        return False
    if last_ms is None:
        return row.count > 0
    return row.count >= ROW and row.last_ms > last_ms
