"""What tiles with rows are made of: a reading, its rollup, the words, and the limits beyond which a row is marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.panes import OTHER
from opsmon.core.readings import Reading, Row
from opsmon.web.tile_words import definition_words, empty_words, row_name, told_of
from opsmon.web.views import DataState
from opsmon.web.wording import Wording


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a value is marked: over `value`, or below it. In the KPI's own unit."""

    value: float
    is_lowest: bool = False

    def marks(self, value: float | None) -> bool:
        """Whether a value is to be marked."""
        return value is not None and (value < self.value if self.is_lowest else value > self.value)


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a tile is made of.

    `limits`: by the name of a row, '' for the others. `beside`: other percentiles of the same.
    """

    reading: Reading
    rollup: Rollup
    wording: Wording
    zone: str
    is_behind: bool
    limits: Mapping[str, Limit]
    beside: Sequence[Reading] = ()

    @property
    def kpi(self) -> Kpi:
        """The KPI that is read."""
        return self.reading.kpi

    def text(self, value: float | None) -> str:
        """A value in words."""
        return self.wording.value(self.reading, value)

    def name(self, row: Row) -> str:
        """A row's name, of several fields the first."""
        return row_name(self.rollup, row.name, self.wording)[0]

    def warning(self, row: Row) -> str:
        """'over 1,000' where the row is to be marked."""
        limit = self.limits.get(row.name, self.limits.get(""))
        if limit is None or row.name == OTHER or not limit.marks(row.value):
            return ""
        said = self.text(limit.value)
        return (self.wording.say("below %(limit)s", limit=said) if limit.is_lowest
                else self.wording.say("over %(limit)s", limit=said))

    def head(self, note: str, sentence: str, *, is_empty: bool) -> tuple[str, str, DataState, str, str, str, str]:
        """The fields of HeadView, in their order."""
        state: DataState = "catching-up" if self.is_behind else "empty" if is_empty else "live"
        definition = definition_words(told_of(self.kpi, self.rollup), self.zone, self.wording)
        empty = empty_words(self.rollup, self.kpi, self.wording) if is_empty else ""
        return (self.kpi.id, self.wording.say(self.kpi.label), state, "" if is_empty else note,
                "" if is_empty else sentence, definition, empty)


def adds_up(shown: Shown) -> bool:
    """Whether the rows' values make up a whole: counts and sums do, means and percentiles do not."""
    measure, show = shown.rollup.measure, shown.kpi.show
    return measure in ("count", "sum", "top") or (measure == "mean" and show in ("sum", "count"))


def part(value: float, whole: float) -> str:
    """A length beside the whole, as SVG writes it: '63%'."""
    share = min(max(value / whole, 0), 1) * 100 if whole > 0 else 0
    return f"{round(share, 1):g}%"
