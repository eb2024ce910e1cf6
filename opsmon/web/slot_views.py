"""A reading as one place on a board shows it: the tile of its KPI, with the title, filter and limits of that place."""

from collections.abc import Sequence
from dataclasses import replace

from opsmon.core.catalogue import Rollup
from opsmon.core.limits import Limits, limits_of
from opsmon.core.readings import Reading
from opsmon.core.slots import PLAIN, Options
from opsmon.web.tile_shown import Limit
from opsmon.web.tile_views import TileView, tile_view
from opsmon.web.tile_words import row_name
from opsmon.web.views import ComparisonView, KpiView
from opsmon.web.wording import Wording


def slot_view(reading: Reading, options: Options, wording: Wording, zone: str, *, is_behind: bool, rollup: Rollup,
              beside: Sequence[Reading] = ()) -> TileView:
    """The tile of a slot. Of a number the whole is marked beyond its limits, of rows each that is."""
    limits = limits_of(options, reading.kpi.unit, reading.currency)
    view = tile_view(reading, wording, zone, is_behind=is_behind, rollup=rollup, beside=beside,
                     limits=_of_rows(limits))
    if options == PLAIN:
        return view
    view = replace(view, label=options.title or label_of(wording.say(reading.kpi.label), options, rollup, wording))
    if not isinstance(view, KpiView):
        return view
    view = replace(view, comparison=_compared(view, options))
    return _marked(view, reading, limits, wording) if limits else view


def label_of(label: str, options: Options, rollup: Rollup, wording: Wording) -> str:
    """A KPI's name and what it is narrowed to: 'Sales by channel: Point of sale'."""
    names = [_value(field, value, rollup, wording) for field, value in options.only]
    return f"{label}: {', '.join(names)}" if names else label


def _value(field: str, value: str, rollup: Rollup, wording: Wording) -> str:
    return row_name(replace(rollup, by=(field,)), value, wording)[0]


def _compared(view: KpiView, options: Options) -> ComparisonView | None:
    """What the number is compared with; of what is narrowed nothing of before is kept."""
    return None if options.compare == "none" or options.only else view.comparison


def _of_rows(limits: Limits | None) -> dict[str, Limit]:
    """Of rows there is one mark, with its words: where it begins to warn."""
    first = None if limits is None else limits.critical if limits.warn is None else limits.warn
    return {} if limits is None or first is None else {"": Limit(first, limits.is_lowest)}


def _marked(view: KpiView, reading: Reading, limits: Limits, wording: Wording) -> KpiView:
    # While events wait, what is too low may only be late.
    level = None if view.state == "catching-up" else limits.level(reading.value)
    limit = limits.critical if level == "crit" else limits.warn
    if level is None or limit is None:
        return view
    said = wording.value(reading, limit)
    text = wording.say("below %(limit)s", limit=said) if limits.is_lowest else wording.say("over %(limit)s", limit=said)
    return replace(view, mark=level, mark_text=text)
