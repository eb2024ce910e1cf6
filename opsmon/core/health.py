"""How old the data are: how far the workers are behind, and whether a source has gone quiet.

The connection of a screen is the first age and is judged in the browser; these are the other two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

WORKER_GONE_MS = 15_000
BEHIND_MS = 2_000

HealthState = Literal["ok", "late", "stopped", "store-down"]


@dataclass(frozen=True, slots=True)
class Heard:
    """A source: when it was last heard (arrival, epoch ms), and the gap that is usual at this hour."""

    name: str
    last_ms: int | None
    usual_gap_ms: int | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the stream: events not read, events read but not counted, and since when."""

    unread: int
    pending: int
    oldest_ms: int | None

    def caught_up_ms(self, now_ms: int) -> int:
        """All that arrived by this instant has been counted."""
        return now_ms if self.oldest_ms is None else min(self.oldest_ms, now_ms)


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict, with its reason's numbers: what waits, which worker has what trouble, who is silent."""

    state: HealthState
    waiting: int
    behind_ms: int
    trouble: str
    silent: tuple[Heard, ...]


def judge(backlog: Backlog, workers: Mapping[str, tuple[int, str]], sources: tuple[Heard, ...],
          now_ms: int) -> Health:
    """Judge what is known. `workers` maps a name to when it was last alive and the trouble it has."""
    waiting = backlog.unread + backlog.pending
    behind_ms = now_ms - backlog.caught_up_ms(now_ms)
    alive = [name for name, (seen_ms, _) in workers.items() if now_ms - seen_ms < WORKER_GONE_MS]
    trouble = next((text for name, (_, text) in sorted(workers.items()) if name in alive and text), "")
    silent = tuple(source for source in sources if is_silent(source, now_ms))
    if not alive:
        return Health("stopped", waiting, behind_ms, trouble, silent)
    late = waiting > 0 and behind_ms > BEHIND_MS
    return Health("late" if late else "ok", waiting, behind_ms, trouble, silent)


def is_silent(source: Heard, now_ms: int) -> bool:
    """Whether a source has been quiet for longer than is usual; never when nothing is usual yet."""
    if source.last_ms is None or source.usual_gap_ms is None:
        return False
    return now_ms - source.last_ms > source.usual_gap_ms
