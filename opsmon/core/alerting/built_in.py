"""The rules that are on from the first minute: opsmon itself, silent sources, payments, late orders, a quiet shop."""

from opsmon.core.alerting.rules import Burst, Late, Limit, Milestone, Missing, Outlier, Quiet, Rule, Unusual
from opsmon.core.calendar import HOUR_MS, MINUTE_MS

# What is no KPI: how far the workers are behind, in ms.
BEHIND = "own:behind"
EVERY_SOURCE = "sources"
# How many receivers cannot be told.
TELLING = "own:telling"
# How often somebody could not sign in to this opsmon.
LOGINS = "own:logins"


def is_no_kpi(about: str) -> bool:
    """Whether this is a source, or opsmon itself: nothing of it is money or a customer's name."""
    return about in (BEHIND, TELLING, LOGINS, EVERY_SOURCE) or about.startswith("source:")


BUILT_IN: tuple[Rule, ...] = (
    Rule("behind", "opsmon is behind", BEHIND, Limit(10_000, clear=2_000), "high", for_ms=5_000, is_built_in=True,
         action="Look at the status page: a worker may have stopped, or the store may be slow."),
    Rule("telling-fails", "Somebody cannot be told of alerts", TELLING, Limit(0, clear=0), "high", for_ms=0,
         is_built_in=True, action="Look at the receivers page: it says who, since when, and why."),
    Rule("dead-letters", "Deliveries could not be used", "dead-letters", Limit(0, clear=0), "medium", for_ms=0,
         is_built_in=True, action="Open the dead letters, mend the cause and replay them."),
    Rule("source-silent", "A source is silent", EVERY_SOURCE, Quiet(), "high", for_ms=0, by_row=True, is_built_in=True,
         action="Look at the sources page: is the webhook still there, is the shop up?"),
    Rule("payment-failures", "Payments fail", "payment-failures", Limit(0.2, least=10), "critical", is_built_in=True,
         action="Try a payment in the shop, then ask the payment provider."),
    Rule("payment-burst", "Many payments failed at once", "payment-failures", Burst(10, 5 * MINUTE_MS), "high",
         for_ms=0, is_built_in=True, action="Look whether one customer tries many cards, or the provider is down."),
    Rule("failed-logins", "Somebody cannot sign in again and again", LOGINS, Burst(20, 10 * MINUTE_MS), "high",
         for_ms=0, is_built_in=True, action="Ask whoever it was. If it was nobody, close the way from there."),
    Rule("past-sla", "Orders are past their time", "active-orders", Late(24 * HOUR_MS), "high", for_ms=MINUTE_MS,
         is_built_in=True, action="Pack the oldest orders first."),
    Rule("stuck", "Orders are stuck in a stage", "stage-waits", Late(48 * HOUR_MS), "medium", by_row=True, for_ms=0,
         is_built_in=True, action="Look what the oldest ones wait for."),
    Rule("large-order", "An order is far larger than usual", "largest-orders", Outlier(), "low", for_ms=0,
         is_built_in=True, action="Look at the order and at its payment before it is packed."),
    Rule("orders-low", "Far fewer orders than usual", "orders-per-hour", Unusual("low"), "high", for_ms=0,
         keep_ms=HOUR_MS // 4, is_built_in=True, action="Place a test order: is the shop up, does payment work?"),
    Rule("no-orders", "No orders though many were expected", "orders-today", Missing(), "high", for_ms=0,
         is_built_in=True, action="Place a test order: is the shop up, does payment work?"),
    Rule("milestone", "A thousand orders more", "orders-today", Milestone(1_000), "low", for_ms=0, keep_ms=0,
         is_built_in=True, action="Tell the team."),
)
