"""Query: single orders that rules are about: the oldest that are late, and the amounts of all that came."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from opsmon.core.alerting.judging import MOST_THINGS, Amounts, learn_amounts
from opsmon.core.alerting.life import Things
from opsmon.core.calendar import DAY_MS
from opsmon.core.catalogue import STAGES, Kpi
from opsmon.core.goods import EVERY
from opsmon.core.panes import OTHER
from opsmon.core.states import EntityState, State
from opsmon.store.kpi_queries import KpiQueries
from opsmon.threads import in_thread

# Beyond so many nobody counts any more: it is everything.
MOST_LATE = 5_000
LEARNED_DAYS = 14
# So many hours are read at once: with 28,000 orders in two weeks that keeps the loop, in which orders are counted, for
# some 4 ms; all of them would for 45 and more.
_AT_A_TIME_H = 6


async def late_orders(kpis: KpiQueries, kpi: Kpi, until_ms: int, *, by_stage: bool = False
                      ) -> dict[str, tuple[int, Things]]:
    """Those open since `until_ms` or longer, by stage where that is asked ('' for all): how many, and the oldest by
    name with since when. Nothing of a stage without any."""
    stages = {value for field, value in kpi.only if field == "stage"}
    found = [(*_stage_and_key(kpi, member), since_ms)
             for member, since_ms in await kpis.open_since(kpi.rollup, until_ms, MOST_LATE)]
    kept = [one for one in found if not stages or one[0] in stages]
    grouped = {stage: list(ones) for stage, ones in groupby(sorted(kept), key=lambda one: one[0])}
    rows = grouped if by_stage else {"": kept} if kept else {}
    oldest = {row: sorted((since_ms, key) for _, key, since_ms in ones)[:MOST_THINGS] for row, ones in rows.items()}
    states = await kpis.states_of([key for ones in oldest.values() for _, key in ones])
    return {row: (len(rows[row]), tuple((order_name(key, states), since_ms) for since_ms, key in ones))
            for row, ones in oldest.items()}


def order_name(key: str, states: Mapping[str, State]) -> str:
    """What its shop calls an order, or the last of what it is known by here."""
    state = states.get(key)
    facts = state.facts if isinstance(state, EntityState) else ()
    named = next((fact.fields.get("order", "") for fact in facts if fact.type == "order.placed"), "")
    return str(named) or key.rpartition(":")[2]


async def amounts_by_hour(kpis: KpiQueries, kpi: Kpi, from_ms: int, now_ms: int
                          ) -> list[tuple[int, list[tuple[str, float]]]]:
    """Of each hour that has begun its end and its orders with their amounts, in minor units; of an hour with more
    orders than are told apart nothing, for those it knows are the first ones."""
    hours = [(one.start_ms, one.end_ms) for one in kpis.calendar.hours(from_ms, now_ms + 1)]
    each, found = replace(kpi, rows=EVERY), list[tuple[int, list[tuple[str, float]]]]()
    for at in range(0, len(hours), _AT_A_TIME_H):
        windows, _ = await kpis.windows(each, hours[at:at + _AT_A_TIME_H], now_ms, now_ms)
        told = [(one.end_ms, [(row.name, float(row.value or 0)) for row in one.rows]) for one in windows]
        found += [(end_ms, [] if any(name == OTHER for name, _ in rows) else rows) for end_ms, rows in told]
    return found


async def usual_amounts(kpis: KpiQueries, kpi: Kpi, now_ms: int) -> Amounts | None:
    """What orders of the last two weeks came to; None where there are too few of them."""
    hours = await amounts_by_hour(kpis, kpi, now_ms - LEARNED_DAYS * DAY_MS, now_ms)
    return await in_thread(lambda: learned_of(hours))


def learned_of(hours: Sequence[tuple[int, Sequence[tuple[str, float]]]]) -> Amounts | None:
    """What is usual, of the orders of some hours."""
    first = next((at for at, (_, rows) in enumerate(hours) if rows), len(hours))
    return learn_amounts([amount for _, rows in hours for _, amount in rows], (len(hours) - first) / 24)


def _stage_and_key(kpi: Kpi, member: str) -> tuple[str, str]:
    stage, _, key = member.partition("|")
    return (stage, key) if kpi.rollup == STAGES else ("", member)
