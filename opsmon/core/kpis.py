"""The catalogue: which facts are rolled up, and which numbers are read from the rollups. Data, not code.

A fact is one thing an event tells (an order was placed, a refund was given) at one instant. A rollup
counts or sums one measure of facts into panes. A KPI is one number on the wall: a rollup, a window and
the words for it. Adding a KPI is one entry here and one test.
"""

from dataclasses import dataclass
from typing import Literal

from opsmon.core.calendar import HOUR_MS, MINUTE_MS

FactType = Literal["order.placed", "order.cancelled", "refund.given", "delivery.arrived"]
Measure = Literal["count", "sum", "mean"]


@dataclass(frozen=True, slots=True)
class Rollup:
    """What is kept in panes. `value` names the fact's amount for sums and means, `by` its dimension.

    count keeps `n`; sum keeps `s:EUR` per currency; mean keeps `s:EUR` and `n:EUR`, numerator and
    denominator apart, so that panes add up.
    """

    id: str
    on: tuple[FactType, ...]
    measure: Measure
    value: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Today:
    """From the start of the site's business day to now."""

    kind: Literal["today"] = "today"


@dataclass(frozen=True, slots=True)
class Tumbling:
    """Windows of one pane side by side (a minute or a local hour); `history` of them are shown."""

    size_ms: int
    history: int
    kind: Literal["tumbling"] = "tumbling"


@dataclass(frozen=True, slots=True)
class Sliding:
    """The last `size_ms`, moving on by `hop_ms`. Others call this window hopping."""

    size_ms: int
    hop_ms: int
    kind: Literal["sliding"] = "sliding"


Window = Today | Tumbling | Sliding


@dataclass(frozen=True, slots=True)
class Kpi:
    """One number: what it is called, what it is read from, and which direction is good."""

    id: str
    label: str
    rollup: str
    window: Window
    unit: Literal["orders", "money"]
    definition: str
    better: Literal["up", "down"] = "up"


ROLLUPS = (
    Rollup("orders", on=("order.placed",), measure="count"),
    Rollup("revenue", on=("order.placed", "order.cancelled", "refund.given"), measure="sum", value="amount"),
    Rollup("order-value", on=("order.placed",), measure="mean", value="goods"),
    Rollup("deliveries", on=("delivery.arrived",), measure="count", by="source"),
)

KPIS = (
    Kpi("orders-today", "Orders today", "orders", Today(), "orders",
        "Orders placed since the start of the business day, paid or not, cancelled ones included. "
        "Test orders and deleted orders are left out."),
    Kpi("revenue-today", "Revenue today", "revenue", Today(), "money",
        "Order totals with tax and shipping, after discounts, on the day the order was placed; minus "
        "refunds on the day they were given and cancellations on the day of the cancelling. "
        "Test orders are left out."),
    Kpi("orders-per-minute", "Orders per minute", "orders", Tumbling(MINUTE_MS, history=60), "orders",
        "Orders placed in the present minute; the line shows the last 60 minutes."),
    Kpi("orders-per-hour", "Orders per hour", "orders", Tumbling(HOUR_MS, history=24), "orders",
        "Orders placed in the present hour; the bars show the last 24 hours, the white marks the same "
        "hours a week ago."),
    Kpi("aov-1h", "Average order, last hour", "order-value", Sliding(HOUR_MS, hop_ms=MINUTE_MS), "money",
        "Order totals with tax and shipping, after discounts and before returns, divided by orders, over "
        "the last 60 minutes. Gift cards are left out, and so are orders of nothing else."),
)

ROLLUP_BY_ID = {rollup.id: rollup for rollup in ROLLUPS}
ROLLUPS_ON: dict[FactType, tuple[Rollup, ...]] = {
    fact: tuple(rollup for rollup in ROLLUPS if fact in rollup.on)
    for fact in sorted({fact for rollup in ROLLUPS for fact in rollup.on})
}
# Time alone moves each of these: minutes end, hours end, the day ends, last week's mark moves on.
MOVED_BY_TIME = tuple(kpi.id for kpi in KPIS)


def kpis_of(rollups: set[str]) -> list[str]:
    """The KPIs that read any of these rollups, in catalogue order."""
    return [kpi.id for kpi in KPIS if kpi.rollup in rollups]
