"""Which tile shows a reading: one table of choices, and the number with its past for everything it does not name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from opsmon.core.calendar import MINUTE_MS
from opsmon.core.catalogue import Kpi, Measure, Rollup, Today, Tumbling
from opsmon.core.explaining import error_of
from opsmon.core.goods import DAYS_LEFT
from opsmon.core.kpis import BUILT_IN
from opsmon.core.readings import AGES, OUTLOOK, Reading
from opsmon.web.presenting import kpi_view
from opsmon.web.tile_bullets import needed_view, outlook_view
from opsmon.web.tile_charts import ages_view, columns_view, funnel_view, shares_view, strip_view
from opsmon.web.tile_map import map_view
from opsmon.web.tile_rows import errors_view, last_view, ranked_view
from opsmon.web.tile_shapes import (
    BulletView,
    ColumnsView,
    ErrorsView,
    FunnelView,
    LastView,
    MapView,
    RankedView,
    SharesView,
    StripView,
)
from opsmon.web.tile_shown import Limit, Shown
from opsmon.web.tile_stock import stock_view
from opsmon.web.tile_words import filled_by, give_or_take, sample_in, too_early, untold_words
from opsmon.web.views import KpiView, RateView
from opsmon.web.wording import LONGEST, Wording

WithRows = RankedView | FunnelView | ColumnsView | StripView | SharesView | ErrorsView | LastView | BulletView | MapView
TileView = KpiView | WithRows
TILE_VIEWS: tuple[type, ...] = (
    KpiView, RateView, RankedView, FunnelView, ColumnsView, StripView, SharesView, ErrorsView, LastView, BulletView,
    MapView)


class Choice(NamedTuple):
    """A tile, and the KPIs it is for: `show`, `by` and `window` hold where they are given."""

    measures: tuple[Measure, ...]
    view: Callable[[Shown], WithRows]
    show: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    window: tuple[str, ...] = ()

    def fits(self, kpi: Kpi, rollup: Rollup) -> bool:
        """Whether the tile is for this KPI."""
        return (rollup.measure in self.measures and (not self.show or kpi.show in self.show)
                and (not self.by or (rollup.by or ("",))[0] in self.by)
                and (not self.window or kpi.window.kind in self.window))


# The first that fits decides; a KPI without rows shows its number. Parts of a whole that are few are a bar of
# shares, what is where now are columns, all that is left is ranked.
_FEW = ("kind", "channel", "tier")
CHOICES = (
    Choice(("sessions",), funnel_view, show=("funnel",)),
    Choice(("open",), ages_view, show=(AGES,)),
    Choice(("ratio",), errors_view),
    Choice(("last", "min", "max"), last_view),
    Choice(("sum",), stock_view, show=(DAYS_LEFT,)),
    Choice(("sum",), last_view, window=("now",)),
    Choice(("sum",), last_view, by=("name",)),
    Choice(("sum", "count"), outlook_view, show=(OUTLOOK,)),
    Choice(("count",), shares_view, by=_FEW),
    Choice(("mean",), map_view, by=("country",), show=("count",), window=("today",)),
    Choice(("mean",), shares_view, by=_FEW, show=("sum", "count")),
    Choice(("mean",), shares_view, by=("country",), show=("sum", "count"), window=("days",)),
    Choice(("count",), columns_view, window=("now",)),
    Choice(("count", "sum", "mean", "stddev", "percentile", "top"), ranked_view),
)


def tile_view(reading: Reading, wording: Wording, zone: str, *, is_behind: bool, rollup: Rollup | None = None,
              limits: Mapping[str, Limit] | None = None, beside: Sequence[Reading] = ()) -> TileView:
    """A reading as the tile that fits it; `is_behind`: events wait that it does not hold yet.

    `rollup`: what a site's own KPI is read from; of a built-in one it is known. `limits`: beyond which value a
    row is marked, by its name, '' for all others. `beside`: readings of what it is shown beside
    (`kpis_beside`).
    """
    found = rollup or _built_in(reading.kpi)
    if found is None:
        return kpi_view(reading, wording, zone, is_behind=is_behind)
    shown = Shown(reading, found, wording, zone, is_behind, limits or {}, tuple(beside))
    return _with_untold(_view_of(shown), reading, wording)


def _view_of(shown: Shown) -> TileView:
    beside, found, reading = shown.beside, shown.rollup, shown.reading
    if beside and found.measure == "percentile" and not found.by:
        return strip_view(shown)
    if beside and reading.kpi.beside:
        return needed_view(shown)
    make = choose(reading.kpi, found)
    return make(shown) if make else _number_view(shown)


def _with_untold(view: TileView, reading: Reading, wording: Wording) -> TileView:
    """With why it is not known what carries a tag, or that something is left out."""
    if not reading.untold:
        return view
    said = untold_words(reading.untold, wording)
    if reading.untold == "others":
        return replace(view, note=", ".join(filter(None, (view.note, said))))
    return unfilled_view(view, said)


def unfilled_view(view: TileView, filled_by: str) -> TileView:
    """The tile of a KPI that has never had anything to count: no number, and which source would fill it."""
    if isinstance(view, KpiView):
        return replace(view, text="–", chars=1, value="", state="empty", note=filled_by, comparison=None, spark=None,
                       bars=None, mark="", mark_text="")
    return replace(view, state="empty", note="", empty=filled_by)


def choose(kpi: Kpi, rollup: Rollup) -> Callable[[Shown], WithRows] | None:
    """What shows a KPI; None for the number."""
    if not rollup.by and kpi.show not in ("funnel", OUTLOOK, AGES):
        return None
    if kpi.only and {field for field, _ in kpi.only} >= set(rollup.by):
        return None
    return next((choice.view for choice in CHOICES if choice.fits(kpi, rollup)), None)


def kpis_beside(kpi: Kpi, kpis: Sequence[Kpi]) -> tuple[Kpi, ...]:
    """What a KPI is shown beside: the one it names, or the other percentiles of the same over the same window."""
    if kpi.beside and not kpi.only:
        return tuple(one for one in kpis if one.id == kpi.beside)
    if not kpi.show.startswith("p") or kpi.only:
        return ()
    return tuple(one for one in kpis if one.id != kpi.id and one.show.startswith("p") and one.unit == kpi.unit
                 and (one.rollup, one.window) == (kpi.rollup, kpi.window))


def _built_in(kpi: Kpi) -> Rollup | None:
    return BUILT_IN.rollup(kpi.rollup) if kpi.rollup in BUILT_IN.index_by_id else None


def _number_view(shown: Shown) -> KpiView:
    """The number; a share or a mean says what it rests on, and nought of a share is a number too."""
    reading = shown.reading
    view = kpi_view(reading, shown.wording, shown.zone, is_behind=shown.is_behind)
    is_share = shown.kpi.unit == "share" and reading.value is not None
    view = replace(view, state="live" if is_share and view.state == "empty" else view.state,
                   note=view.note if _has_own_note(reading) else _number_note(shown), **_total(shown))
    window = shown.kpi.window
    is_rate = isinstance(window, Tumbling) and window.size_ms == MINUTE_MS and shown.kpi.unit != "money"
    return _rate_view(shown, view) if is_rate else view


def _rate_view(shown: Shown, view: KpiView) -> RateView:
    """A number a minute, with its unit, and how many a minute there were in the last hour: one minute says little."""
    said = {one.name: getattr(view, one.name) for one in fields(KpiView)}
    whole = [point.value or 0 for point in shown.reading.series[:-1]]
    usual = sum(whole) / len(whole) if whole else 0
    hour = shown.wording.say("%(value)s a minute in the last hour", value=shown.wording.number(round(usual, 1)))
    # None in this minute is a number, where there were some in the hour: a wall shows it.
    state = "live" if usual and view.state == "empty" else view.state
    # Its unit takes the room of two digits.
    return RateView(**said | {"chars": min(view.chars + 2, LONGEST), "note": hour if whole else view.note,
                              "state": state}, per=shown.wording.say("/ min"))


def _total(shown: Shown) -> dict[str, Any]:
    """Of what only grows until the day ends: what is added up, and since when."""
    reading = shown.reading
    if not isinstance(reading.kpi.window, Today) or shown.rollup.measure not in ("count", "sum"):
        return {}
    return {"sums": (reading.currency or "") if reading.kpi.unit == "money" else "count", "from_ms": reading.start_ms}


def _has_own_note(reading: Reading) -> bool:
    return bool(reading.others) or isinstance(reading.kpi.window, Tumbling)


def _number_note(shown: Shown) -> str:
    """What it rests on and how exact it is; of what is missing, why, and which source would tell it."""
    reading, kpi, count = shown.reading, shown.kpi, shown.reading.count
    if kpi.only and not count and not reading.value:
        is_counted = shown.rollup.measure in ("count", "sum") or kpi.show in ("count", "sum")
        return shown.wording.say("Among the others, not told apart") if is_counted and reading.value is None else ""
    if reading.value is None and count:
        return too_early(shown.rollup, kpi, count, shown.wording)
    if not reading.value and not count:
        return _nothing_yet(shown) if "order.placed" in shown.rollup.on else filled_by(shown.rollup, shown.wording)
    parts = [sample_in(shown.rollup, kpi, count, shown.wording)
             if count and kpi.unit in ("share", "ms", "money") else "",
             give_or_take(error_of(shown.rollup), shown.wording)]
    return ", ".join(filter(None, parts))


def _nothing_yet(shown: Shown) -> str:
    """A day without an order says so; what there was by now a week ago stands beside it."""
    if not isinstance(shown.kpi.window, Today):
        return ""
    say = shown.wording.say
    return say("No orders yet today.") if shown.kpi.unit == "orders" else say("Nothing yet today.")
