"""Sample histories for the gallery at /components, made as pages make them: every state once."""

from zoneinfo import ZoneInfo

from opsmon.core.calendar import HOUR_MS, SiteCalendar
from opsmon.core.catalogue import Kpi
from opsmon.core.history import Compared, History, Spot, SpotState
from opsmon.core.kpis import BUILT_IN
from opsmon.core.readings import Reading
from opsmon.core.spans import compared, read_span
from opsmon.web.history_views import EventView, ExplainedView, HistoryView, RowsView, RowView
from opsmon.web.history_words import Values, history_view
from opsmon.web.kpi_links import Here
from opsmon.web.span_words import SpanWords
from opsmon.web.wording import Wording

_NOW_MS = 1_763_730_202_000  # Fri 2025-11-21 14:03:22 in Berlin
_CALENDAR = SiteCalendar(ZoneInfo("Europe/Berlin"))
_WORDS = SpanWords(Wording("en", _CALENDAR), _CALENDAR)
_SOLD = [90, 0, 0, -40, 30, 110, 260, 420, 610, 580, 700, 820, 640, 560, 190]
_THEN = [60, 20, 0, 0, 45, 150, 240, 380, 520, 610, 690, 640, 590, 480, 450, 520, 560, 640, 720, 690, 480, 300, 160, 90]
_WAITED = [420, 410, None, None, 380, 510, 640, 720, 690, 655, 640, 700, 730, 610, 590]


def _history(kpi: Kpi, values: list[int | None], then: list[int], since_hour: int) -> HistoryView:
    span = read_span("day", None, _CALENDAR, _NOW_MS)
    since_ms = span.start_ms + since_hour * HOUR_MS

    def spot(hour: int) -> Spot:
        start_ms, value = span.start_ms + hour * HOUR_MS, values[hour] if hour < len(values) else None
        state: SpotState = "ahead" if hour >= len(values) else "uncounted" if hour < since_hour else (
            "empty" if value is None else "moving" if hour == len(values) - 1 else "whole")
        return Spot(start_ms, start_ms + HOUR_MS, state, None if state == "uncounted" else value, None,
                    then[hour] if then else None)

    reading = Reading(kpi, None, "EUR", span.start_ms, span.end_ms, False)
    told = History(
        span=span, step="hour", row=None, spots=tuple(spot(hour) for hour in range(24)),
        whole=Spot(*span.bounds, "moving", 497_000 if kpi.unit == "money" else 601, None, None),
        against=compared(span, _CALENDAR),
        compared=Compared(497_000, 437_500, _NOW_MS, _NOW_MS - 7 * 24 * HOUR_MS) if then else None,
        has_quarters=True, currency="EUR", as_of_ms=_NOW_MS, since_ms=since_ms, gone_ms=None)
    here = Here(kpi.id, kpi.label, "day", "", "", None)
    return history_view(told, kpi, BUILT_IN.rollup(kpi.rollup), Values(reading, _WORDS), _WORDS, here, _NOW_MS)


def _of(kpi_id: str) -> Kpi:
    return BUILT_IN.kpi_by_id[kpi_id]


HISTORIES = (
    ("bars, beside the week before", _history(_of("revenue-today"), [100 * value for value in _SOLD],
                                              [100 * value for value in _THEN], 0)),
    ("a line with a gap", _history(_of("api-p95"), [*_WAITED], [], 0)),
    ("counting began at noon", _history(_of("revenue-today"), [100 * value for value in _SOLD], [], 12)),
    ("nothing is known", _history(_of("revenue-today"), [None] * 15, [], 24)),
)
ROWS = (
    ("over a span", RowsView("By country, Friday, November 21, 2025", "Country", (
        RowView("DE", "/kpi/revenue-by-country?span=day&row=DE", "€3,210.00", "41", "100.0"),
        RowView("AT", "/kpi/revenue-by-country?span=day&row=AT", "€1,010.50", "12", "31.5"),
        RowView("Other", "/kpi/revenue-by-country?span=day&row=other", "€749.50", "9", "23.3")), True,
        "112 more rows are in the CSV.", "/kpi/revenue-by-country.csv?span=day&by=country")),
    ("as it stands now", RowsView("By stage, now", "Stage", (
        RowView("picking", "", "18", "", "100.0"), RowView("packing", "", "6", "", "33.3")), False, "", "")),
)
_FACTS = (("Counts", "The number of order.placed.", ""), ("Window", "The business day so far", ""),
          ("Freshness", "As of Nov 21, 14:03:22", "1,240 events wait to be counted."))
_MADE = "What it was last made of"
EXPLAINED = (
    ("with its last events", ExplainedView("Orders placed since the start of the business day.", _FACTS, _MADE, (
        EventView("Nov 21, 14:03:20", "order.updated", "shopify:paper-boat:order:1001", ("order.placed",)),))),
    ("without any", ExplainedView("Orders placed since the start of the business day.", _FACTS, _MADE, ())),
)
