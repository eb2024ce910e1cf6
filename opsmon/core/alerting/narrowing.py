"""Which number a rule reads: its KPI, narrowed as the rule is, over the window that its kind looks at. Pure."""

from dataclasses import replace

from opsmon.core.alerting.rules import Burst, Late, Pace, Rule, Unusual
from opsmon.core.calendar import HOUR_MS
from opsmon.core.catalogue import Catalogue, Kpi, Sliding
from opsmon.core.narrowing import narrowed
from opsmon.core.values import HITS


def watched(rule: Rule, catalogue: Catalogue) -> Kpi | None:
    """The KPI a rule reads; None where there is none, or none that is counted by what the rule is narrowed to."""
    kpi = catalogue.kpi_by_id.get(rule.about)
    if kpi is None:
        return None
    if rule.only and not isinstance(rule.condition, Late):
        kpi = narrowed(kpi, rule.only, catalogue)
    kpi = replace(kpi, only=rule.only, against="none") if kpi is not None else None
    match rule.condition:
        case Unusual() if kpi is not None:
            return replace(kpi, window=Sliding(HOUR_MS))
        case Burst(within_ms=within_ms) if kpi is not None:
            return replace(_counted(kpi, catalogue), window=Sliding(within_ms))
        case Pace() if kpi is not None:
            return _counted(kpi, catalogue)
    return kpi


def sample(kpi: Kpi, count: int | None) -> int | None:
    """How many a value rests on; None of what is itself how many, or how much: nought of them is a number too."""
    return None if kpi.show in ("count", "sum") else count


def _counted(kpi: Kpi, catalogue: Catalogue) -> Kpi:
    """How many there were, not their share or mean."""
    match catalogue.rollup(kpi.rollup).measure:
        case "ratio":
            return replace(kpi, show=HITS, unit="count")
        case "mean":
            return replace(kpi, show="count", unit="count")
    return kpi
