"""Hours in which what is usual was not: those of open alerts that are held against it, and of silent sources."""

from collections.abc import Iterable, Iterator

from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.narrowing import watched
from opsmon.core.alerting.rules import Missing, Quiet, Rule, Unusual
from opsmon.core.calendar import HOUR_MS
from opsmon.store.kpi_queries import KpiQueries

# Facts of a source that is silent are missing from every number.
EVERY_FACT = ""


class Alerted:
    """Tells each such hour once, as long as it runs."""

    def __init__(self, kpis: KpiQueries) -> None:
        self._kpis = kpis
        self._told: dict[str, int] = {}
        self._forgotten: frozenset[str] = frozenset()

    def hours(self, alerts: Iterable[tuple[Alert, Rule]], now_ms: int) -> list[tuple[str, str, int]]:
        """(fact, run of the alert, start of the hour) of all that were not told yet."""
        found, told = list[tuple[str, str, int]](), dict[str, int]()
        for alert, rule in alerts:
            if alert.is_open and (facts := self._facts(rule)):
                hours, last_ms = list(self._since(alert, rule, now_ms)), self._told.get(alert.id, -1)
                found += [(fact, alert.id, hour_ms) for hour_ms in hours if hour_ms > last_ms for fact in facts]
                told[alert.id] = hours[-1]
        self._told = told
        return found

    def unfounded(self, alerts: Iterable[Alert]) -> frozenset[str]:
        """The runs of which somebody says that nothing was wrong, until their hours are `forgotten`. What is said when
        it is over counts more than why it was closed."""
        return frozenset(one.id for one in alerts if one.id and not one.is_open and (
            one.verdict == "false-positive" or (one.code == "false" and one.verdict is None))) - self._forgotten

    def forgotten(self, runs: frozenset[str]) -> None:
        """The hours of these runs are ordinary ones again."""
        self._forgotten |= runs

    def _since(self, alert: Alert, rule: Rule, now_ms: int) -> Iterator[int]:
        """From the hour it began in; what was found of sixty minutes began before."""
        earlier_ms = HOUR_MS if isinstance(rule.condition, Unusual) else 0
        return (hour.start_ms for hour in self._kpis.calendar.hours(alert.began_ms - earlier_ms, now_ms + 1))

    def _facts(self, rule: Rule) -> tuple[str, ...]:
        if isinstance(rule.condition, Quiet):
            return (EVERY_FACT,)
        kpi = watched(rule, self._kpis.catalogue) if isinstance(rule.condition, Unusual | Missing) else None
        return self._kpis.catalogue.rollup(kpi.rollup).on if kpi is not None else ()
