"""The built-in catalogue: which facts are rolled up, and which numbers are read from the rollups. Data, not code.

Adding a KPI is one entry here and one test; a site adds its own in opsmon.toml (definitions.py).
"""

from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import (
    AMOUNTS,
    AMOUNTS_KEPT_MS,
    GOODS,
    LAG_MINUTES_MS,
    LAST_STAGES,
    PERCENTILE_MINUTES_MS,
    SOLD,
    STAGES,
    TAGS,
    TOP_CAP,
    UNIQUE_HOURS_MS,
    Catalogue,
    Condition,
    Days,
    Kpi,
    Month,
    Now,
    Rollup,
    Sliding,
    Today,
    Tumbling,
)
from opsmon.core.goods import DAYS_LEFT

_ORDER = ("order.placed",)
_STEPS = ("page.viewed", "cart.updated", "checkout.started", "checkout.completed")
_FAILED = (Condition("status", ">=", 500),)
# What a customer does; capturing, voiding and paying back is done by the shop.
_BY_CUSTOMERS = (Condition("kind", "in", ("authorization", "sale")),)
_UNDECIDED = (Condition("status", "in", ("needs_response", "under_review")),)
_MOST_GOODS = 5_000
_UNSENT = tuple(Condition("stage", "!=", stage) for last in LAST_STAGES for stage in (last, last.capitalize()))
_UNDONE = tuple(Condition("state", "!=", state) for state in ("done", "shipped", "cancelled"))

ROLLUPS = (
    Rollup("orders", on=_ORDER, measure="count"),
    Rollup("revenue", on=("order.placed", "order.cancelled", "refund.given"), measure="sum", value="amount"),
    Rollup("order-value", on=_ORDER, measure="mean", value="goods"),
    Rollup(AMOUNTS, on=_ORDER, measure="top", value="amount", by=("order",), levels="h", cap=TOP_CAP,
           hours_kept_ms=AMOUNTS_KEPT_MS),
    Rollup("deliveries", on=("delivery.arrived",), measure="count", by=("source",), levels="hd"),
    Rollup("lags", on=("delivery.arrived",), measure="mean", value="lag_ms", by=("source",), levels="mh",
           minutes_kept_ms=LAG_MINUTES_MS),
    Rollup("sales-by-country", on=_ORDER, measure="mean", value="amount", by=("country",), levels="hd"),
    Rollup("sales-by-region", on=_ORDER, measure="mean", value="amount", by=("region",), levels="hd"),
    Rollup("sales-by-channel", on=_ORDER, measure="mean", value="amount", by=("channel",), levels="hd"),
    Rollup("products", on=("order.line",), measure="top", value="amount", by=("product",), levels="hd", cap=TOP_CAP),
    Rollup("pieces", on=("order.line",), measure="top", value="pieces", by=("product",), levels="hd", cap=TOP_CAP),
    Rollup("customers", on=("customer.ordered",), measure="distinct", of="customer", levels="d"),
    Rollup("customer-orders", on=("customer.ordered",), measure="mean", value="amount", by=("kind",), levels="hd"),
    Rollup("customer-tiers", on=("customer.known",), measure="count", by=("tier",), levels="n"),
    Rollup("visits", on=_STEPS, measure="sessions", of="visitor", steps=_STEPS, value="amount"),
    Rollup("visitors", on=_STEPS, measure="unique", of="visitor", levels="hd", hours_kept_ms=UNIQUE_HOURS_MS),
    Rollup("checkouts", on=("checkout.followed",), measure="ratio", hits=(Condition("paid", "=", "no"),)),
    Rollup("open-orders", on=("order.open",), measure="open", levels=""),
    Rollup("waiting", on=("order.open",), measure="count", by=("waits_for",), levels="n"),
    Rollup("completed", on=("order.completed",), measure="mean", value="took_ms"),
    Rollup("payments", on=("payment.attempted",), measure="ratio", where=_BY_CUSTOMERS,
           hits=(Condition("ok", "=", "no"),)),
    Rollup("paid", on=("payment.received",), measure="sum", value="amount"),
    Rollup("carts", on=("cart.filled",), measure="count"),
    Rollup("holds", on=("order.held",), measure="count", by=("reason",), levels="n"),
    Rollup("parcels", on=("parcel.moved",), measure="count", by=("status",),
           where=(Condition("status", "!=", "delivered"),), levels="n"),
    Rollup("returns", on=("return.requested",), measure="count"),
    Rollup("returns-open", on=("return.open",), measure="count", by=("status",), levels="n"),
    Rollup("disputes", on=("dispute.opened",), measure="count", by=("status",), where=_UNDECIDED, levels="n"),
    Rollup(STAGES, on=("stage.holds",), measure="open", of="stage", where=_UNSENT, levels=""),
    Rollup("stages", on=("stage.holds",), measure="count", by=("stage",), levels="n"),
    Rollup("stage-times", on=("stage.left",), measure="mean", value="took_ms", by=("stage",), levels="hd"),
    Rollup("output-by-line", on=("stage.entered",), measure="count", by=("line",), levels="hd"),
    Rollup("output-by-station", on=("stage.entered",), measure="count", by=("station",), levels="hd"),
    Rollup("output-by-person", on=("stage.entered",), measure="count", by=("person",), levels="hd"),
    Rollup("stock", on=("inventory.changed",), measure="sum", value="available", by=("sku", "location"), of="sku",
           levels="n", cap=_MOST_GOODS),
    Rollup(SOLD, on=("order.line",), measure="top", value="pieces", by=("sku",), levels="d", cap=_MOST_GOODS),
    Rollup(GOODS, on=("product.known",), measure="count", by=("item", "sku", "product"), levels="n", cap=_MOST_GOODS),
    Rollup(TAGS, on=("product.tagged",), measure="count", by=("product", "tag"), levels="n", cap=_MOST_GOODS),
    Rollup("api", on=("api.request",), measure="percentile", value="ms", minutes_kept_ms=PERCENTILE_MINUTES_MS),
    Rollup("api-errors", on=("api.request",), measure="ratio", hits=_FAILED, by=("endpoint",)),
    Rollup("users", on=("user.active", "feature.used"), measure="sessions", of="user"),
    Rollup("queues", on=("queue.depth",), measure="last", value="depth", by=("queue",), levels="nmh"),
    Rollup("gauges", on=("gauge.set",), measure="last", value="value", by=("name",), levels="nmh", scale=1000),
    Rollup("counters", on=("count.add",), measure="sum", value="value", by=("name",)),
    Rollup("opsmon", on=(), measure="own", levels=""),
    Rollup("functions", on=("function.called",), measure="percentile", value="ms", by=("class",), levels="mh",
           minutes_kept_ms=PERCENTILE_MINUTES_MS),
    Rollup("transfers", on=("picking.updated",), measure="count", by=("state",), where=_UNDONE, levels="n"),
    Rollup("production", on=("production.updated",), measure="count", by=("state",), where=_UNDONE, levels="n"),
    Rollup("quotations", on=("order.quoted",), measure="count", by=("state",), where=_UNDONE, levels="n"),
    Rollup("scans-by-person", on=("item.scanned",), measure="count", by=("person",), levels="hd"),
    Rollup("scans-by-station", on=("item.scanned",), measure="count", by=("station",), levels="hd"),
)

# What the board of today shows, in its order.
BOARD = (
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
        "Orders placed in the present hour; the bars show the last 24 hours."),
    Kpi("aov-1h", "Average order, last hour", "order-value", Sliding(HOUR_MS, hop_ms=MINUTE_MS), "money",
        "Order totals with tax and shipping, after discounts and before returns, divided by orders, over "
        "the last 60 minutes. Gift cards are left out, and so are orders of nothing else.", show="mean"),
)

SALES = (
    Kpi("largest-orders", "Largest orders, this hour", AMOUNTS, Tumbling(HOUR_MS, history=1), "money",
        "The orders of the present hour by their totals with tax and shipping, the largest first, cancelled ones "
        "included. Test orders are left out.", "neither"),
    Kpi("conversion-30m", "Conversion, 30 minutes", "visits", Sliding(30 * MINUTE_MS), "share",
        "Of the visits that began in the last 30 minutes, those that completed a checkout. A visit ends after "
        "30 minutes without a page. Only visitors who consented are seen.", show="converted", least=20),
    Kpi("abandonment", "Abandoned checkouts", "checkouts", Sliding(HOUR_MS, delay_ms=HOUR_MS), "share",
        "Of the checkouts started between two and one hours ago, those without an order by now.", "down",
        least=5),
    Kpi("visitors-now", "Visitors now", "visits", Now(), "visitors",
        "Visitors seen in the last 30 minutes.", show="open"),
    Kpi("visitors-today", "Visitors today", "visitors", Today(), "visitors",
        "Different visitors since the start of the business day, estimated to within 1 % (one in three days may "
        "be further off)."),
    Kpi("visits-today", "Visits today", "visits", Today(), "sessions",
        "Visits that began today: pages of one visitor with no gap longer than 30 minutes.", show="count"),
    Kpi("visit-length", "Length of a visit", "visits", Today(), "ms",
        "From the first to the last page of a visit, on average, today.", "neither", show="duration"),
    Kpi("revenue-per-visit", "Revenue per visit", "visits", Today(), "money",
        "Completed checkouts of today's visits, divided by visits.", show="mean"),
    Kpi("funnel-today", "From visit to payment", "visits", Today(), "sessions",
        "Today's visits that got as far as a page, the cart, the checkout, the payment. A later step implies "
        "the earlier ones.", show="funnel"),
    Kpi("top-products", "Top products today", "products", Today(), "money",
        "Quantity times price of today's order lines by product, before discounts on the whole order; cancelled "
        "orders are left out."),
    Kpi("top-pieces", "Most sold today", "pieces", Today(), "pieces",
        "Pieces in today's orders by product; cancelled orders are left out."),
    Kpi("revenue-by-country", "Sales by country", "sales-by-country", Today(), "money",
        "Totals of today's orders by the country they go to, cancelled ones included, before returns.", show="sum"),
    Kpi("orders-by-country", "Orders by country", "sales-by-country", Today(), "orders",
        "Today's orders by the country they go to, cancelled ones included.", show="count"),
    Kpi("revenue-by-region", "Sales by region", "sales-by-region", Today(), "money",
        "Totals of today's orders by the region they go to, cancelled ones included, before returns.", show="sum"),
    Kpi("orders-by-region", "Orders by region", "sales-by-region", Today(), "orders",
        "Today's orders by the region they go to, cancelled ones included.", show="count"),
    Kpi("revenue-by-channel", "Sales by channel", "sales-by-channel", Today(), "money",
        "Totals of today's orders by the channel they came from, cancelled ones included, before returns.",
        show="sum"),
    Kpi("orders-by-channel", "Orders by channel", "sales-by-channel", Today(), "orders",
        "Today's orders by the channel they came from, cancelled ones included.", show="count"),
    Kpi("customers-today", "Customers today", "customers", Today(), "customers",
        "Different customers who ordered today. Orders without a customer are left out."),
    Kpi("orders-by-custom", "New and returning", "customer-orders", Today(), "orders",
        "Today's orders by whether they are the customer's first one known here.", "neither", show="count"),
    Kpi("customer-tiers", "Customers by tier", "customer-tiers", Now(), "customers",
        "Customers by the number of their orders: new 1, returning 2, loyal 5, VIP 10 or more."),
    Kpi("paid-today", "Paid today", "paid", Today(), "money",
        "Money received today, less what was paid back today, as the payment providers tell it. Sales are "
        "counted when they are ordered, this when it is paid."),
    Kpi("carts-today", "Carts today", "carts", Today(), "count",
        "Carts of the online shop that were begun today and have something in them. The shop tells of them, "
        "whether or not a visitor consented."),
    Kpi("revenue-30d", "Revenue, 30 days", "revenue", Days(30), "money",
        "As revenue today, over the last 30 business days, today among them."),
    Kpi("revenue-month", "Revenue this month", "revenue", Month(), "money",
        "As revenue today, since the month began; beside it the month before, up to the same hour of the same day."),
    Kpi("orders-month", "Orders this month", "orders", Month(), "orders",
        "Orders placed since the month began, paid or not, cancelled ones included; beside it the month before, up "
        "to the same hour of the same day."),
    Kpi("revenue-outlook", "Revenue by tonight", "revenue", Today(), "money",
        "Revenue today so far, and what the same weekdays of the last four weeks brought in the hours that are left: "
        "their mean, with the least and the most of them as the range.", show="outlook"),
    Kpi("orders-outlook", "Orders by tonight", "orders", Today(), "orders",
        "Orders today so far, and what the same weekdays of the last four weeks brought in the hours that are left: "
        "their mean, with the least and the most of them as the range.", show="outlook"),
    Kpi("channels-30d", "Sales by channel, 30 days", "sales-by-channel", Days(30), "money",
        "Totals of the last 30 business days' orders by the channel they came from, cancelled ones included, before "
        "returns.", show="sum"),
    Kpi("countries-30d", "Sales by country, 30 days", "sales-by-country", Days(30), "money",
        "Totals of the last 30 business days' orders by the country they go to, cancelled ones included, before "
        "returns.", show="sum"),
    Kpi("custom-30d", "New and returning, 30 days", "customer-orders", Days(30), "orders",
        "Orders of the last 30 business days by whether they were the customer's first one known here.", "neither",
        show="count"),
)

OPERATIONS = (
    Kpi("stock", "Stock", "stock", Now(), "pieces",
        "Pieces available by SKU, at all locations together, as last told, and for how many days they last: divided by "
        "the pieces sold a day, on average over the last 14 complete days, or as many as were counted, three at least. "
        "Cancelled orders are left out. Names and SKUs are those the shop gives its products now.", "neither",
        "operations", show=DAYS_LEFT, rows=5_000),
    Kpi("pipeline", "Orders by stage", "stages", Now(), "orders",
        "Orders by the stage they were last moved to.", "neither", "operations"),
    Kpi("stage-waits", "Orders in a stage", STAGES, Now(), "orders",
        "Orders at a stage that is not the last: done, shipped, sent, delivered, picked up, collected, finished, "
        "completed and cancelled ones are left out.", "neither", "operations"),
    Kpi("waiting", "Open orders by what they wait for", "waiting", Now(), "orders",
        "Orders that are neither fulfilled nor cancelled, by what comes next.", "down", "operations"),
    Kpi("output-by-line", "Output per hour by line", "output-by-line", Tumbling(HOUR_MS, history=24), "count",
        "Moves to another stage in the present hour, by line.", area="operations"),
    Kpi("output-by-station", "Output per hour by station", "output-by-station", Tumbling(HOUR_MS, history=24),
        "count", "Moves to another stage in the present hour, by station.", area="operations"),
    Kpi("output-by-person", "Output per hour by person", "output-by-person", Tumbling(HOUR_MS, history=24),
        "count", "Moves to another stage in the present hour, by person.", area="operations"),
    Kpi("past-sla", "Orders past their time", "open-orders", Now(), "orders",
        "Open orders placed more than 24 hours ago.", "down", "operations", older_ms=24 * HOUR_MS),
    Kpi("order-ages", "Open orders by age", "open-orders", Now(), "orders",
        "Orders that are neither fulfilled nor cancelled, by how long ago they were placed.", "down", "operations",
        show="ages"),
    Kpi("completed-1h", "Done in the last hour", "completed", Sliding(HOUR_MS), "orders",
        "Orders fulfilled in the last 60 minutes, beside those that must leave within the next hour to be on time: "
        "open orders placed more than 23 hours ago, those past their time among them.", area="operations",
        show="count", beside="due-1h"),
    Kpi("due-1h", "Due within the hour", "open-orders", Now(), "orders",
        "Open orders placed more than 23 hours ago: to be on time they leave within the next hour, or should have "
        "left before.", "down", "operations", older_ms=23 * HOUR_MS),
    Kpi("oldest-order", "Oldest open order", "open-orders", Now(), "ms",
        "How long ago the oldest order that is neither fulfilled nor cancelled was placed.", "down", "operations",
        show="oldest"),
    Kpi("active-orders", "Active orders", "open-orders", Now(), "orders",
        "Orders that are neither fulfilled nor cancelled.", "neither", "operations"),
    Kpi("fulfilment-time", "Time to fulfil", "completed", Days(7), "ms",
        "From placing to fulfilment, on average, of the orders fulfilled in the last 7 business days.", "down",
        "operations", show="mean"),
    Kpi("payment-failures", "Failed payments", "payments", Sliding(HOUR_MS), "share",
        "Of the payments that customers tried in the last 60 minutes, those that failed. Tests are left out.",
        "down", "operations", least=10),
    Kpi("orders-on-hold", "Orders on hold", "holds", Now(), "orders",
        "Orders that are on hold, by reason. One that is packed in several parts counts once for each part "
        "on hold.", "down", "operations"),
    Kpi("parcels", "Parcels by status", "parcels", Now(), "count",
        "Parcels that are not delivered, by what the carrier last said of them.", "neither", "operations"),
    Kpi("return-requests", "Return requests today", "returns", Today(), "count",
        "Returns that were requested today, or begun by the shop without a request.", "down", "operations"),
    Kpi("returns-open", "Returns under way", "returns-open", Now(), "count",
        "Returns that are requested and not answered, or accepted and not closed.", "down", "operations"),
    Kpi("disputes-open", "Open disputes", "disputes", Now(), "count",
        "Payments that customers dispute, not decided yet: those that need an answer, and those under review.",
        "down", "operations"),
    Kpi("stage-times", "Time in each stage", "stage-times", Days(5), "ms",
        "From entering a stage to leaving it, on average, over the last 5 business days.", "down", "operations",
        show="mean"),
    Kpi("completed-month", "Completed this month", "completed", Month(), "orders",
        "Orders fulfilled since the month began.", area="operations", show="count"),
    Kpi("transfers-by-state", "Transfers by state", "transfers", Now(), "count",
        "Transfers of goods that are neither done nor cancelled, by their state.", "neither", "operations"),
    Kpi("production-by-state", "Production by state", "production", Now(), "count",
        "Manufacturing orders that are neither done nor cancelled, by their state.", "neither", "operations"),
    Kpi("quotations-by-state", "Quotations by state", "quotations", Now(), "count",
        "Quotations that are neither confirmed nor cancelled, by their state.", "neither", "operations"),
    Kpi("scans-by-person", "Scans per hour by person", "scans-by-person", Tumbling(HOUR_MS, history=24), "count",
        "Scans in the present hour, by person.", area="operations"),
    Kpi("scans-by-station", "Scans per hour by station", "scans-by-station", Tumbling(HOUR_MS, history=24), "count",
        "Scans in the present hour, by station.", area="operations"),
)

TECHNOLOGY = (
    Kpi("api-p50", "API response, median", "api", Sliding(15 * MINUTE_MS), "ms",
        "Half of the requests of the last 15 minutes were answered in this time, to within 2 %.", "down",
        "technology", show="p50", least=20),
    Kpi("api-p95", "API response, 95 %", "api", Sliding(15 * MINUTE_MS), "ms",
        "Of the requests of the last 15 minutes 95 % were answered in this time, to within 2 %.", "down",
        "technology", show="p95", least=20),
    Kpi("api-p99", "API response, 99 %", "api", Sliding(15 * MINUTE_MS), "ms",
        "Of the requests of the last 15 minutes 99 % were answered in this time, to within 2 %.", "down",
        "technology", show="p99", least=100),
    Kpi("api-errors", "Errors by endpoint", "api-errors", Sliding(15 * MINUTE_MS), "share",
        "Requests of the last 15 minutes answered with a status of 500 or above, by endpoint.", "down",
        "technology", least=20),
    Kpi("active-users", "Active users", "users", Now(), "visitors",
        "Users who did something in the last 30 minutes.", area="technology", show="open"),
    Kpi("queues", "Queue depths", "queues", Now(), "count",
        "What waits in each queue, as last told.", "down", "technology", rows=50),
    Kpi("gauges", "Gauges", "gauges", Now(), "count",
        "The last value told of each gauge.", "neither", "technology", rows=50),
    Kpi("counters", "Counters today", "counters", Today(), "count",
        "What was counted under each name today.", "neither", "technology", rows=50),
    Kpi("function-p95", "Function latency, 95 %", "functions", Sliding(15 * MINUTE_MS), "ms",
        "Of the calls of each class of function in the last 15 minutes 95 % took this long, to within 2 %.",
        "down", "technology", show="p95", least=20),
)

OWN = (
    Kpi("lag-by-source", "Lag by source", "lags", Sliding(15 * MINUTE_MS), "ms",
        "From when it happened to when it arrived, on average, of what came in the last 15 minutes; what came more "
        "than a day later counts as a day.", "down", "technology", show="mean", rows=50),
    Kpi("waiting-events", "Events waiting", "opsmon", Now(), "count",
        "Events that were taken and are not counted yet.", "down", "technology", show="waiting"),
    Kpi("dead-letters", "Dead letters", "opsmon", Now(), "count",
        "Deliveries and events kept aside because they could not be used.", "down", "technology", show="dead"),
)

KPIS = BOARD + SALES + OPERATIONS + TECHNOLOGY + OWN
BUILT_IN = Catalogue(ROLLUPS, KPIS)
