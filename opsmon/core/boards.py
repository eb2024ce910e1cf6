"""The boards that come with opsmon: which numbers stand where, how large, and how often they may change. Data.

A board has up to three rows (live, near, batch) for desk and phone, and a wall of at most nine tiles. A slot is read
and drawn once for all boards that show it; a KPI in a row that is not its usual one, or with options, is another slot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple

from opsmon.core.catalogue import Catalogue, Kpi, Tumbling
from opsmon.core.kpis import BUILT_IN
from opsmon.core.parts import ACTIVITY, ALERTS, PARTS, SOURCES
from opsmon.core.slots import Cadence, Size, Slot

MOST_ON_A_WALL = 9
# A phone's bar has no room for more.
MOST_LINKED = 5


class Placed(NamedTuple):
    """A slot and how often it may change."""

    slot: Slot
    cadence: Cadence

    @property
    def id(self) -> str:
        """Where it stands in a page, and by what it is shared: plain where the KPI has its usual cadence."""
        usual = USUAL.get(self.slot.kpi, "near")
        return "_".join(["kpi-" + self.slot.key, *([] if self.cadence == usual else [self.cadence])])


@dataclass(frozen=True, slots=True)
class Row:
    """Slots of one cadence."""

    cadence: Cadence
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A named list of slots. `wall` is what of it a wall shows; `is_of_orders`: before the first order it says how to
    connect a shop, and nothing else."""

    id: str
    title: str
    rows: tuple[Row, ...]
    wall: tuple[Slot, ...]
    is_of_orders: bool = True

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every slot of desk and phone, in order."""
        return tuple(chain.from_iterable(row.slots for row in self.rows))

    def shown(self, layout: str) -> tuple[Slot, ...]:
        """The slots of a layout: wall, or board for desk and phone."""
        return self.wall if layout == "wall" else self.slots

    def placed(self, layout: str) -> tuple[Placed, ...]:
        """The same, with how often each may change: on the wall as often as on the desk."""
        cadence = {slot.key: row.cadence for row in self.rows for slot in row.slots}
        return tuple(Placed(slot, cadence.get(slot.key, "near")) for slot in self.shown(layout))

    @property
    def shape(self) -> str:
        """What tells this version of a board from another one that a screen may show."""
        return blake2b(repr(self).encode(), digest_size=6).hexdigest()


# What / shows, and what a stream without a board is of: the wall of the first hour.
OVERVIEW = "overview"
HOME = "today"

_MONEY = (Slot("revenue-today", "L"), Slot("orders-today", "L"))
_TODAY = (Slot("orders-today", "L"), Slot("revenue-today", "L"), Slot("orders-per-hour", "wide"),
          Slot("orders-per-minute"), Slot("aov-1h"))

BOARDS = (
    Board(OVERVIEW, "Overview", (
        Row("live", (*_MONEY, Slot("orders-per-hour", "wide"), Slot("orders-per-minute"), Slot("aov-1h"),
                     Slot("visitors-now"), Slot("active-orders"), Slot(ALERTS, "wide"))),
        Row("near", (Slot("conversion-30m"), Slot("abandonment"), Slot("oldest-order"), Slot("fulfilment-time"),
                     Slot("top-products", "wide"), Slot("funnel-today", "wide"), Slot("pipeline", "wide"),
                     Slot("api-p95", "wide"), Slot(ACTIVITY, "wide"))),
        Row("batch", (Slot("revenue-outlook", "wide"), Slot("revenue-month"), Slot("orders-month"))),
    ), (*_MONEY, Slot("orders-per-minute"), Slot("aov-1h"), Slot("visitors-now"), Slot("active-orders"),
        Slot("orders-per-hour", "wide"), Slot("top-products", "wide"))),
    Board("sales", "Sales", (
        Row("live", (*_MONEY, Slot("orders-per-hour", "wide"), Slot("orders-per-minute"), Slot("aov-1h"),
                     Slot("visitors-now"), Slot("carts-today"))),
        Row("near", (Slot("conversion-30m"), Slot("abandonment"), Slot("funnel-today", "wide"),
                     Slot("top-products", "wide"), Slot("top-pieces", "wide"), Slot("orders-by-country", "wide"),
                     Slot("revenue-by-channel", "wide"))),
        Row("batch", (Slot("revenue-outlook", "wide"), Slot("revenue-month"), Slot("orders-month"),
                      Slot("revenue-30d"), Slot("customers-today"), Slot("orders-outlook", "wide"),
                      Slot("channels-30d", "wide"), Slot("countries-30d", "wide"), Slot("custom-30d", "wide"))),
    ), (*_MONEY, Slot("orders-per-minute"), Slot("aov-1h"), Slot("conversion-30m"), Slot("visitors-now"),
        Slot("orders-per-hour", "wide"), Slot("top-products", "wide"))),
    Board("operations", "Operations", (
        Row("live", (Slot("active-orders", "L"), Slot("past-sla", "L"), Slot(ALERTS, "wide"))),
        Row("near", (Slot("completed-1h", "wide"), Slot("oldest-order"), Slot("fulfilment-time"),
                     Slot("payment-failures"), Slot("return-requests"), Slot("pipeline", "wide"),
                     Slot("order-ages", "wide"), Slot("waiting", "wide"), Slot("output-by-line", "wide"),
                     Slot("output-by-station", "wide"), Slot("output-by-person", "wide"), Slot("stock", "wide"),
                     Slot("parcels", "wide"), Slot("orders-on-hold", "wide"))),
        Row("batch", (Slot("completed-month", "L"), Slot("stage-times", "wide"))),
    ), (Slot("active-orders", "L"), Slot("past-sla", "L"), Slot("oldest-order"), Slot("fulfilment-time"),
        Slot("payment-failures"), Slot("return-requests"), Slot("pipeline", "wide"), Slot("output-by-line", "wide"))),
    Board("technology", "Technology", (
        Row("live", (Slot("active-users", "L"), Slot("waiting-events"), Slot("dead-letters"), Slot(ALERTS, "wide"))),
        Row("near", (Slot("api-p95", "wide"), Slot("api-errors", "wide"), Slot("queues", "wide"),
                     Slot("function-p95", "wide"), Slot("lag-by-source", "wide"), Slot("gauges", "wide"),
                     Slot("counters", "wide"), Slot(SOURCES, "wide"), Slot(ACTIVITY, "wide"))),
    ), (Slot("active-users", "L"), Slot("dead-letters", "L"), Slot("api-p95", "wide"), Slot("api-errors", "wide"),
        Slot("queues", "wide"), Slot("lag-by-source", "wide")), is_of_orders=False),
    Board(HOME, "opsmon", (Row("live", _TODAY),), _TODAY),
)


def boards_of(catalogue: Catalogue) -> dict[str, Board]:
    """The boards of a site by id: those that come with opsmon, and `own` when it has KPIs of its own."""
    found = {board.id: board for board in BOARDS}
    own = [kpi for kpi in catalogue.kpis if kpi.id not in BUILT_IN.kpi_by_id]
    if own:
        slots = tuple(Slot(kpi.id, size_of(kpi, catalogue)) for kpi in own)
        found["own"] = Board("own", "Own", (Row("near", slots),), slots[:MOST_ON_A_WALL - 1], is_of_orders=False)
    return found


def linked(boards: Mapping[str, Board], here: str = "") -> list[Board]:
    """The boards a reader chooses between, in order: five, or four and a way to all; the one that is shown is one of
    them."""
    found = [board for board in boards.values() if board.id != HOME]
    most = found if len(found) <= MOST_LINKED else found[:MOST_LINKED - 1]
    shown = boards.get(here)
    return most if shown is None or shown in most or here == HOME else [*most[:-1], shown]


def shape_of(boards: Iterable[Board]) -> str:
    """What tells this version of several boards from another one that a screen may show."""
    return "-".join(board.shape for board in boards)


def cadences(boards: Mapping[str, Board]) -> dict[str, Cadence]:
    """How often each KPI on any board may change."""
    return {slot.kpi: row.cadence for board in boards.values() for row in board.rows for slot in row.slots}


def size_of(kpi: Kpi, catalogue: Catalogue) -> Size:
    """The size that shows a KPI, or a tile without a number, whole."""
    if kpi.id in PARTS:
        return PARTS[kpi.id].size
    rollup = catalogue.rollup(kpi.rollup)
    is_list = bool(rollup.by) or kpi.show == "funnel"
    return "wide" if is_list or (isinstance(kpi.window, Tumbling) and kpi.window.history == 24) else "M"


# Of a KPI on no built-in board: near.
USUAL = cadences({board.id: board for board in BOARDS}) | {part.id: part.cadence for part in PARTS.values()}
