"""Where counts are kept: hashes of panes by rollup and level, and how long each level is kept.

A rollup without a dimension keeps the minutes of an hour, the hours of a day and the days of a month in
one hash each. One with a dimension keeps the rows of five minutes, of an hour and of a day in one hash
each, so that a breakdown is one read and small hashes stay in the compact encoding.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from opsmon.core.calendar import DAY_MS, MINUTE_MS, Level, Pane, Place

# "n" is now: what holds at present, whatever the time (stock, occupancy, gauges).
StoredLevel = Literal["m", "h", "d", "n"]

OTHER = "\x7fother"
BLOCK_MINUTES = 5
# A hash holds up to 25 hours or 31 days of panes: it goes only when the last of them is out of date.
_MARGIN_MS = 2 * DAY_MS


class Hash(NamedTuple):
    """A stored hash of panes of one rollup and level; `span` says which stretch of time."""

    rollup: str
    level: StoredLevel
    span: str


NOW_SPAN = ""


class Slot(NamedTuple):
    """One pane in its hash: `prefix` begins the names of its fields; the pane ends at `end_ms`."""

    level: Level
    span: str
    prefix: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each level is kept after its panes end, and entities after their last change (None: for ever)."""

    minutes_ms: int = 8 * DAY_MS
    hours_ms: int = 400 * DAY_MS
    days_ms: int | None = None
    entities_ms: int = 400 * DAY_MS

    def of(self, level: Level) -> int | None:
        """How long panes of a level are kept."""
        return {"m": self.minutes_ms, "h": self.hours_ms, "d": self.days_ms}[level]


def expires_ms(end_ms: int, kept_ms: int | None) -> int | None:
    """When the hash of a pane may go; None for never."""
    return None if kept_ms is None else end_ms + kept_ms + _MARGIN_MS


def slot_of(pane: Pane, place: Place, *, is_whole: bool) -> Slot:
    """Where a pane of `place` is kept; `is_whole`: in a hash of its own."""
    if not is_whole:
        return Slot(pane.level, pane.span, f"{pane.field}.", pane.start_ms, pane.end_ms)
    if pane.level == "m":
        minute = int(pane.field)
        block = int(pane.span) + minute // BLOCK_MINUTES * BLOCK_MINUTES * (MINUTE_MS // 1000)
        return Slot("m", str(block), f"{minute}.", pane.start_ms, pane.end_ms)
    if pane.level == "h":
        return Slot("h", str(pane.start_ms // 1000), "", pane.start_ms, pane.end_ms)
    return Slot("d", f"{pane.span}{int(pane.field):02}", "", pane.start_ms, pane.end_ms)
