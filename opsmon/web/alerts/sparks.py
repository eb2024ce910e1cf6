"""The last 60 minutes of what open alerts are about, as small lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsmon.core.alerting.narrowing import watched
from opsmon.core.alerting.rules import Rule
from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import Kpi, Sliding, Today, Tumbling
from opsmon.core.history import has_history
from opsmon.core.windows import Bounds
from opsmon.store.alerts.alert_queries import AlertBook
from opsmon.store.kpi_queries import KpiQueries
from opsmon.web.alerts.drawing import MOST_OPEN
from opsmon.web.alerts.words import AlertWords
from opsmon.web.views import SparkView

_STEP_MS = 2 * MINUTE_MS
_POINTS = 30


@dataclass(frozen=True, slots=True)
class AlertSpark:
    """(epoch ms, value) pairs of the last 60 minutes."""

    points: tuple[tuple[int, float], ...]


async def alert_sparks(kpis: KpiQueries, book: AlertBook, now_ms: int) -> dict[str, AlertSpark]:
    """By fingerprint, of those open alerts whose number is kept by the minute. Raises STORE_ERRORS."""
    asked = [(one.alert, kpi) for one in book.open[:MOST_OPEN] if (kpi := _kpi(kpis, book.rules[one.alert.rule]))]
    read = {kpi: (await kpis.windows(kpi, _bounds(kpis, kpi, now_ms), now_ms, now_ms))[0]
            for kpi in dict.fromkeys(kpi for _, kpi in asked)}
    found = {}
    for alert, kpi in asked:
        row = dict(alert.labels).get("row")
        values = [(one.end_ms, one.value if row is None else next((r.value for r in one.rows if r.name == row), 0))
                  for one in read[kpi]]
        found[alert.fingerprint] = AlertSpark(tuple((at_ms, float(value or 0)) for at_ms, value in values))
    return found


def seen_sparks(sparks: Mapping[str, AlertSpark], words: AlertWords, book: AlertBook) -> dict[str, SparkView]:
    """Drawn for a reader; amounts that are not for them are left out."""
    rules = {one.alert.fingerprint: book.rules[one.alert.rule] for one in book.open}
    return {name: spark_view(one.points, rules[name], words) for name, one in sparks.items()
            if name in rules and not words.is_hidden(rules[name])}


def spark_view(points: Sequence[tuple[int, float]], rule: Rule, words: AlertWords) -> SparkView:
    """A line from zero, its last point marked."""
    values = [max(value, 0.0) for _, value in points]
    top = max(*values, 1e-9)
    dots = [(at * 10, round(100 - value * 96 / top)) for at, value in enumerate(values)]
    line = " ".join(f"{x},{y}" for x, y in dots[:-1])
    moving = " ".join(f"{x},{y}" for x, y in dots[-2:])
    said = words.wording.say("In the last 60 minutes between %(least)s and %(most)s, now %(now)s",
                             least=words.number(rule, min(values)), most=words.number(rule, max(values)),
                             now=words.number(rule, values[-1]))
    return SparkView(line, f"0,100 {line} {dots[-2][0]},100", (len(values) - 1) * 10, moving, str(dots[-1][0]),
                     str(dots[-1][1]), said, ())


def _kpi(kpis: KpiQueries, rule: Rule) -> Kpi | None:
    kpi = watched(rule, kpis.catalogue)
    if kpi is None:
        return None
    rollup = kpis.catalogue.rollup(kpi.rollup)
    is_by_minute = has_history(kpi, rollup) and "m" in rollup.levels
    return kpi if is_by_minute and isinstance(kpi.window, Today | Sliding | Tumbling) else None


def _bounds(kpis: KpiQueries, kpi: Kpi, now_ms: int) -> list[Bounds]:
    end_ms = now_ms - now_ms % MINUTE_MS + MINUTE_MS
    return [_window(kpis, kpi, end_ms - back * _STEP_MS) for back in range(_POINTS, -1, -1)]


def _window(kpis: KpiQueries, kpi: Kpi, end_ms: int) -> Bounds:
    if isinstance(kpi.window, Sliding):
        return end_ms - kpi.window.size_ms, end_ms
    place = kpis.calendar.place(end_ms - 1)
    if isinstance(kpi.window, Today):
        return place.day.start_ms, end_ms
    is_hour = isinstance(kpi.window, Tumbling) and kpi.window.size_ms == HOUR_MS
    return (place.hour.start_ms if is_hour else end_ms - MINUTE_MS), end_ms
