"""What rules look up by themselves: late orders, large ones, work done beside work to do, stock that runs out."""

from dataclasses import replace
from datetime import date

from opsmon.core.alerting.judging import (
    LEARNING,
    UNKNOWN,
    Amounts,
    Work,
    judge_amount,
    judge_late,
    judge_pace,
    judge_stock,
)
from opsmon.core.alerting.life import Finding
from opsmon.core.alerting.narrowing import watched
from opsmon.core.alerting.rules import Late, Outlier, Pace, Rule, RunsOut
from opsmon.core.alerting.worktime import hours_in, instant, read_time, today, worked_since
from opsmon.core.calendar import HOUR_MS
from opsmon.core.catalogue import Kpi, Now
from opsmon.core.readings import Reading
from opsmon.store.alerts.orders import amounts_by_hour, late_orders, usual_amounts
from opsmon.store.kpi_queries import KpiQueries

# By what a rule is about: its labels and what was found.
Labels = tuple[tuple[str, str], ...]
Found = list[tuple[Labels, Finding]]
# A rule of rows makes so many alerts at most: beyond that it is one storm.
MOST_FOUND = 50
# Over: nobody can do anything about it today.
_CLOSED = Finding("clear")


class Looking:
    """Looks things up for rules. Remembers for an hour what orders usually come to."""

    def __init__(self, kpis: KpiQueries) -> None:
        self._kpis = kpis
        self._usual: dict[str, tuple[int, Amounts | None]] = {}
        self.holidays: frozenset[date] = frozenset()

    async def findings(self, rule: Rule, now_ms: int) -> Found:
        """What a rule of these kinds finds now. Raises STORE_ERRORS."""
        kpi = watched(rule, self._kpis.catalogue)
        match rule.condition:
            case Late() as late if kpi is not None:
                return await self._late(rule, late, kpi, now_ms)
            case Outlier() as outlier if kpi is not None:
                return await self._large(outlier, kpi, now_ms)
            case Pace() as pace if kpi is not None:
                return [((), await self._pace(pace, kpi, now_ms))]
        return [((), UNKNOWN)]

    def running_out(self, rule: RunsOut, reading: Reading) -> Found:
        """The goods that run out, those that are out first; learning until a pace is known."""
        stock = reading.stock
        if stock is None or not stock.days:
            return [((), LEARNING)]
        judged = [(_row(one.sku), judge_stock(rule, one.available, one.sold, stock.days)) for one in stock.supplies]
        return [one for one in judged if one[1].found in ("breach", "between")][:MOST_FOUND]

    async def _late(self, rule: Rule, late: Late, kpi: Kpi, now_ms: int) -> Found:
        hours = hours_in(late.hours, self._kpis.calendar.zone.key, self.holidays)
        found = await late_orders(self._kpis, kpi, worked_since(hours, now_ms, late.older_ms), by_stage=rule.by_row)
        if rule.by_row:
            return [(_row(stage), judge_late(*told)) for stage, told in found.items()][:MOST_FOUND]
        return [((), judge_late(*found.get("", (0, ()))))]

    async def _large(self, rule: Outlier, kpi: Kpi, now_ms: int) -> Found:
        """The orders of this hour and the last; later they are no news."""
        usual = await self._usually(kpi, now_ms) if rule.limit is None else None
        if rule.limit is None and usual is None:
            return [((), LEARNING)]
        hours = await amounts_by_hour(self._kpis, kpi, now_ms - HOUR_MS, now_ms)
        judged = [(_row(order), judge_amount(rule, amount, usual)) for _, rows in hours for order, amount in rows]
        return [one for one in judged if one[1].found == "breach"][:MOST_FOUND]

    async def _usually(self, kpi: Kpi, now_ms: int) -> Amounts | None:
        hour_ms = self._kpis.calendar.place(now_ms).hour.start_ms
        known = self._usual.get(kpi.id)
        if known is None or known[0] != hour_ms:
            known = self._usual[kpi.id] = hour_ms, await usual_amounts(self._kpis, kpi, hour_ms)
        return known[1]

    async def _pace(self, rule: Pace, kpi: Kpi, now_ms: int) -> Finding:
        """From when work begins until the cutoff; before and after there is nothing to catch up."""
        zone = self._kpis.calendar.zone.key
        worked = today(hours_in(rule.hours, zone, self.holidays), now_ms)
        if worked is None or not worked[0] <= now_ms < worked[1]:
            return _CLOSED
        from_ms = max(worked[0], now_ms - HOUR_MS)
        if from_ms >= now_ms:
            return UNKNOWN
        (done,), _ = await self._kpis.windows(kpi, [(from_ms, now_ms)], now_ms, now_ms)
        placed_ms = instant(now_ms, zone, read_time(rule.placed_by)) if rule.placed_by else now_ms
        left = await self._left(rule.need, min(placed_ms, now_ms), now_ms)
        if done.value is None or left is None:
            return UNKNOWN
        return judge_pace(rule, Work(done.value, now_ms - from_ms, left, worked[1] - now_ms))

    async def _left(self, need: str, placed_ms: int, now_ms: int) -> float | None:
        kpi = self._kpis.catalogue.kpi_by_id.get(need)
        if kpi is None:
            return None
        if isinstance(kpi.window, Now) and self._kpis.catalogue.rollup(kpi.rollup).measure == "open":
            kpi = replace(kpi, older_ms=max(kpi.older_ms, now_ms - placed_ms))
        (reading,) = await self._kpis.read([replace(kpi, against="none")], now_ms, now_ms)
        return reading.value


def _row(name: str) -> Labels:
    return (("row", name),)
