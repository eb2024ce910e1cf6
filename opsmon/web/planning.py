"""When each slot is read: what its place says of it, how often it may change, and whether anything moved."""

import asyncio
from dataclasses import dataclass, replace

from opsmon.core.access import EVERYTHING, Sight
from opsmon.core.boards import Placed
from opsmon.core.catalogue import Catalogue, Kpi, Now, Tumbling
from opsmon.core.narrowing import narrowed
from opsmon.core.parts import ALERTS, PARTS, kpi_of
from opsmon.core.slots import PLAIN, Cadence, Options

LIVE_MS = 250
CHART_MS = 5_000
NEAR_MS = 30_000
BATCH_MS = 3_600_000
NEVER_MS = -BATCH_MS
# What is wrong, beside what stands on boards: the band above the tiles, and the list of the page of alerts for readers,
# people of the floor and managers, by what of the numbers each may see.
BAND, OPEN, COUNT = "_band", "_open", "_count"
# The line above the tiles, and the way from a board to the page of alerts, which says how many are open.
BAND_SLOT, COUNT_SLOT = "band", "alerts"
FIXED = {name: Kpi(name, "Alerts", "", Now(), "count", "") for name in (BAND, OPEN, COUNT)}
OPEN_SLOTS: dict[str, frozenset[Sight]] = {
    "open-plain": frozenset(), "open-names": frozenset({"names"}), "open-money-names": EVERYTHING}
# Of what is read from nowhere: a text, a clock.
STILL_MS = 1_000


@dataclass(slots=True)
class SlotPlan:
    """A slot: which KPI it reads, or which tile without a number it is, what its place says of it, how often it may
    change, when it was read, whether it is due."""

    slot_id: str
    kpi: Kpi
    cadence_ms: int
    options: Options = PLAIN
    read_ms: int = NEVER_MS
    dirty: bool = True

    @property
    def is_part(self) -> bool:
        """Whether it is a tile without a number, or a place of its own that all boards have."""
        return self.kpi.id in PARTS or self.kpi.id in FIXED

    @property
    def is_of_alerts(self) -> bool:
        """Whether it says what is wrong: it is read with the change that tells of it."""
        return self.kpi.id == ALERTS or self.kpi.id in FIXED

    def wait_ms(self, running_ms: int) -> int | None:
        """How long until it may be read again; None when nothing about it moved."""
        return max(self.read_ms + self.cadence_ms - running_ms, 0) if self.dirty else None

    def hurry(self) -> None:
        """Let it be read with the next look, whatever its cadence."""
        self.dirty, self.read_ms = True, NEVER_MS

    def postpone(self, wait_ms: int) -> None:
        """Let it be read again, but not before so long."""
        self.dirty, self.read_ms = True, running_ms() + wait_ms - self.cadence_ms


def plan_of(placed: Placed, catalogue: Catalogue) -> SlotPlan:
    """The plan of a place on a board, due at once. Raises ValueError where there is no such KPI, or it cannot be
    narrowed so: a board is shown without those."""
    options, kpi = placed.slot.options, kpi_of(placed.slot.kpi, catalogue)
    if kpi is None:
        raise ValueError(f"there is no KPI {placed.slot.kpi}")
    if kpi.id in PARTS:
        return SlotPlan(placed.id, kpi, _part_cadence_ms(kpi.id, placed.cadence), options)
    asked = narrowed(kpi, options.only, catalogue) if options.only else replace(kpi, against=options.compare)
    if asked is None:
        raise ValueError(f"{kpi.id} is not counted by {options.only}")
    return SlotPlan(placed.id, asked, _cadence_ms(kpi, placed.cadence), options)


def open_slot(seen: frozenset[Sight]) -> str:
    """The list of open alerts for somebody who sees this much: never more than they may."""
    return max((name for name, sees in OPEN_SLOTS.items() if sees <= seen), key=lambda name: len(OPEN_SLOTS[name]))


def fixed_plans() -> list[SlotPlan]:
    """The places that are on no board: the band, how many are open, and the lists of the page of alerts."""
    return [SlotPlan(BAND_SLOT, FIXED[BAND], CHART_MS), SlotPlan(COUNT_SLOT, FIXED[COUNT], CHART_MS),
            *(SlotPlan(name, FIXED[OPEN], CHART_MS, Options(title=name)) for name in OPEN_SLOTS)]


def running_ms() -> int:
    """Milliseconds of the event loop's own time: pacing must not depend on the site's clock."""
    return int(asyncio.get_running_loop().time() * 1000)


def _cadence_ms(kpi: Kpi, cadence: Cadence) -> int:
    """How long at least between two readings. Of what is live, charts of 24 bars move slowly."""
    if cadence == "live":
        is_chart = isinstance(kpi.window, Tumbling) and kpi.window.history == 24
        return CHART_MS if is_chart else LIVE_MS
    return NEAR_MS if cadence == "near" else BATCH_MS


def _part_cadence_ms(part: str, cadence: Cadence) -> int:
    """The same of a tile without a number: lists are never read as often as a number."""
    if PARTS[part].is_still:
        return STILL_MS
    return {"live": CHART_MS, "near": NEAR_MS, "batch": BATCH_MS}[cadence]
