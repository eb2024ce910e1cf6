"""Query: the history of a KPI over a span, all of it as of one instant and in one round trip."""

from collections.abc import Mapping
from dataclasses import replace

from opsmon.core.catalogue import Kpi
from opsmon.core.history import History, annotated, plan_history, tell
from opsmon.core.spans import Span
from opsmon.store.kpi_queries import KpiQueries


async def history(kpis: KpiQueries, kpi: Kpi, span: Span, query: Mapping[str, str], now_ms: int,
                  caught_up_ms: int) -> History:
    """Read it; `query` may hold step (15m), by and row. Raises BadQuestion and TooMuch."""
    rollup = kpis.catalogue.rollup(kpi.rollup)
    planned = plan_history(kpi, rollup, span, query, kpis.calendar, now_ms, kpis.kept)
    if planned.asked.row is not None and rollup.measure == "top":
        # The row may be any of those that are told apart, not only one of the best.
        kpi = replace(kpi, rows=rollup.cap + 1)
    readings, site = await kpis.windows(kpi, planned.windows(), now_ms, caught_up_ms)
    (marks,) = await kpis.corrected([rollup.id])
    return annotated(tell(planned, kpi, rollup, readings, site), marks)
