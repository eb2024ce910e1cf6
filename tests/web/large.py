"""The numbers of a very good year: for every KPI the tile a board would show, with nine digits and long names.

Made by `tile_view` as pages make tiles, from readings that no store was asked for.
"""

from collections.abc import Mapping, Sequence

from opsmon.core.activity import Happening
from opsmon.core.calendar import HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Catalogue, Kpi, Rollup, Tumbling
from opsmon.core.health import Backlog, Heard
from opsmon.core.outlook import Outlook
from opsmon.core.readings import AGE_HOURS, AGES, OUTLOOK, Point, Reading, Row
from opsmon.core.slots import PLAIN, Options
from opsmon.core.source_health import SourceFacts
from opsmon.web.alerts.samples import alert_tiles
from opsmon.web.alerts.shapes import AlertsView
from opsmon.web.part_shapes import AnyPart
from opsmon.web.part_views import activity_view, clock_view, sources_view, text_view
from opsmon.web.tile_shown import Limit
from opsmon.web.tile_views import TileView, kpis_beside, tile_view
from opsmon.web.wording import Wording

NOW_MS = 1_795_179_802_000  # Friday 2026-11-20, 14:03:22 in Berlin
LARGE = 123_456_789
_BY_UNIT: Mapping[str, float] = {"money": 100 * LARGE, "share": 0.987, "ms": 356_400_000}
_LONG = "Hand-thrown stoneware mug, 350 ml, speckled grey"
_NAMES: Mapping[str, Sequence[str]] = {
    "country": ("DE", "AT", "CH", "GB", "BA", "VC", "US", "JP", "NL", "FR", "IT"),
    "status": ("in_transit", "out_for_delivery", "ready_for_pickup", "attempted_delivery", "delayed", "failure"),
    "stage": ("picking", "packing", "packed", "shipped", "awaiting_payment", "checking", "returned"),
    "state": ("draft", "confirmed", "in_progress", "waiting"),
    "channel": ("web", "pos", "marketplace", "b2b", "phone", "fax"),
    "kind": ("new", "returning"),
    "tier": ("new", "returning", "loyal", "vip"),
    "waits_for": ("picking", "packing", "payment", "stock"),
    "source": ("shopify", "odoo", "woo"),
}


def large_views(catalogue: Catalogue, wording: Wording, zone: str, currency: str = "EUR") -> list[TileView]:
    """One tile for every KPI of the catalogue."""
    return [_view(kpi, catalogue, wording, zone, currency) for kpi in catalogue.kpis]


def large_parts(wording: Wording, calendar: SiteCalendar) -> list[AnyPart | AlertsView]:
    """The tiles without a number, as full as they get."""
    told = [Happening(NOW_MS - number * HOUR_MS, kind, "standard-webhooks", f"#{LARGE}") for number, kind in enumerate(
        ("placed", "dispute", "return", "dead", "silent", "fulfilled", "refunded", "cancelled"))]
    facts = [SourceFacts(Heard(name, NOW_MS - 20 * HOUR_MS, HOUR_MS), {"held": 9_999}) for name in
             ("shopify", "standard-webhooks", "woocommerce", "odoo", "events")]
    zone = calendar.zone.key
    return [activity_view(PLAIN, told, wording, zone, NOW_MS), clock_view(PLAIN, calendar, wording, NOW_MS),
            sources_view(PLAIN, facts, Backlog(LARGE, 0, NOW_MS), wording, zone, NOW_MS),
            text_view(Options(text="Stocktaking"), calendar, wording, NOW_MS),
            dict(alert_tiles())["alerts, many"]]


def _view(kpi: Kpi, catalogue: Catalogue, wording: Wording, zone: str, currency: str) -> TileView:
    rollup = catalogue.rollup(kpi.rollup)
    beside = [_reading(one, catalogue.rollup(one.rollup), currency) for one in kpis_beside(kpi, catalogue.kpis)]
    limits = {"": Limit(_value(kpi, currency))}
    return tile_view(_reading(kpi, rollup, currency), wording, zone, is_behind=False, rollup=rollup, beside=beside,
                     limits=limits)


def _reading(kpi: Kpi, rollup: Rollup, currency: str) -> Reading:
    value = _value(kpi, currency)
    series = _series(kpi, value)
    likely = Outlook(NOW_MS, round(0.6 * value), round(value), round(0.9 * value), round(1.1 * value), 4)
    return Reading(
        kpi=kpi, value=value, currency=currency, start_ms=NOW_MS - HOUR_MS, end_ms=NOW_MS, complete=False,
        series=series, before=0.8 * value, before_until_ms=NOW_MS, before_series=series, expected=round(value),
        count=LARGE, rows=_rows(kpi, rollup, value), outlook=likely if kpi.show == OUTLOOK else None)


def _value(kpi: Kpi, currency: str) -> float:
    if kpi.unit == "money" and currency == "JPY":
        return LARGE
    return _BY_UNIT.get(kpi.unit, LARGE)


def _series(kpi: Kpi, value: float) -> tuple[Point, ...]:
    if not isinstance(kpi.window, Tumbling):
        return ()
    step_ms, count = (MINUTE_MS, 60) if kpi.window.size_ms == MINUTE_MS else (HOUR_MS, kpi.window.history)
    starts = [NOW_MS - (count - at) * step_ms for at in range(count)]
    return tuple(Point(start, start + step_ms, round(value * (at % 7 + 1) / 7)) for at, start in enumerate(starts))


def _rows(kpi: Kpi, rollup: Rollup, value: float) -> tuple[Row, ...]:
    if kpi.show == "funnel":
        return tuple(Row(step, round(value * (4 - at) / 4)) for at, step in enumerate(rollup.steps))
    if kpi.show == AGES:
        return tuple(Row(str(at), value) for at in range(len(AGE_HOURS) + 1))
    if not rollup.by:
        return ()
    names = _NAMES.get(rollup.by[0], [f"{_LONG} {at}" for at in range(12)])
    place = "|Außenlager Süd" if len(rollup.by) > 1 else ""
    step = 0.01 if kpi.unit == "share" else 2_222
    return tuple(Row(name + place, value - (at - 1) * step, LARGE) for at, name in enumerate(names))
