"""Which closed hours a fold corrects: hours that could stand as whole before its events came, and change by them.

An hour could stand as whole once its end and the grace had passed and nothing older waited. So it counts when the
oldest event of a batch arrived after that: told by arrival, the same events mark the same hours however late a worker
is. What is taken back and added again leaves no mark. Of sets and extremes nobody knows whether they changed: those are
not marked.
"""

from collections.abc import Iterable

from opsmon.core.calendar import DAY_MS, Pane
from opsmon.core.catalogue import Rollup
from opsmon.core.measures import STORAGE
from opsmon.core.panes import Hash, Slot

# So long a mark is kept, and so many of a rollup: an hour that is corrected later than that is history.
KEPT_MS = 31 * DAY_MS
MOST = 800
_KNOWN = frozenset({"sums", "scores"})


class Late:
    """Collects what is booked into closed hours, and says of which hours something remained."""

    def __init__(self, closed_ms: int | None, now_ms: int) -> None:
        self._closed_ms, self._oldest_ms = closed_ms, now_ms - KEPT_MS
        self._met: dict[tuple[str, int], Slot] = {}

    def is_closed(self, hour: Pane) -> bool:
        """Whether an hour could stand as whole, and is not too old to be marked."""
        return self._closed_ms is not None and self._oldest_ms < hour.end_ms <= self._closed_ms

    def note(self, rollup: Rollup, slot: Slot) -> None:
        """Something of a rollup is booked into a closed hour."""
        if STORAGE[rollup.measure] in _KNOWN:
            self._met[rollup.id, slot.start_ms] = slot

    def remained(self, increments: dict[Hash, dict[str, int]], scores: Iterable[Hash]) -> dict[str, list[int]]:
        """By rollup: the starts of closed hours that change. Increments of nought are gone already."""
        if not self._met:
            return {}
        ranked = {(found.rollup, found.span.partition(":")[0]) for found in scores if found.level == "h"}
        corrected: dict[str, list[int]] = {}
        for (rollup, start_ms), slot in self._met.items():
            fields = increments.get(Hash(rollup, "h", slot.span), {})
            if (rollup, slot.span) in ranked or any(name.startswith(slot.prefix) for name in fields):
                corrected.setdefault(rollup, []).append(start_ms)
        return corrected


def closed_by(first_arrived_ms: int | None, grace_ms: int) -> int | None:
    """Hours that ended by then could stand as whole before the first of these events came; None: nothing came."""
    return None if first_arrived_ms is None else first_arrived_ms - grace_ms
