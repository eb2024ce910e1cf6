"""What the tiles with rows receive: frozen values, already worded. The number with its past is views.KpiView."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from dataclasses import dataclass
from typing import ClassVar, Literal

from opsmon.web.views import DataState, shown


@dataclass(frozen=True, slots=True)
class HeadView:
    """What every tile with rows says besides its rows."""

    id: str = shown("the KPI's id; the tile's element is kpi-<id>")
    label: str = shown("what is counted, in the team's words")
    state: DataState = shown("empty: nothing counted yet; catching-up: events wait; error: not computed")
    note: str = shown("a line under the label: the whole, the sample, what was left out; '' if none")
    sentence: str = shown("the finding in words, for screen readers; '' while there is nothing")
    definition: str = shown("what counts and what does not, with window and zone")
    empty: str = shown("what is said instead of rows: that there are none, and which source would fill them")


@dataclass(frozen=True, slots=True)
class RowView:
    """One row of a ranked table, of errors or of last values."""

    name: str = shown("what the row is: a product, a country, an endpoint, a queue")
    text: str = shown("its value in words")
    share: str = shown("'12%' of the whole, '' where values do not add up or the whole is not known", default="")
    detail: str = shown("a second fact in small: '12 of 1,204', a place; '' if none", default="")
    under: str = shown("what stands in small under the name: '3 pieces, MUG-BLUE, Berlin'; '' if nothing", default="")
    width: str = shown("length of its bar beside the longest: '63%'; '' for no bar", default="")
    warning: str = shown("why it is marked: 'over 1,000'; '' when all is well", default="")
    is_other: bool = shown("the rest, which is more than one thing: it stands last", default=False)


@dataclass(frozen=True, slots=True)
class RankedView(HeadView):
    """The best of many: name, value, share, a bar; what is left is `other`."""

    kind: ClassVar[str] = "ranked"

    rows: tuple[RowView, ...] = shown("largest first, at most 10, then the rest in one")


@dataclass(frozen=True, slots=True)
class ErrorsView(HeadView):
    """How many fail of how many, endpoint by endpoint."""

    kind: ClassVar[str] = "errors"

    rows: tuple[RowView, ...] = shown("worst first; text: the share, detail: '12 of 1,204'")


@dataclass(frozen=True, slots=True)
class LastView(HeadView):
    """Values as last told: queue depths, gauges, stock. They do not add up."""

    kind: ClassVar[str] = "last"

    rows: tuple[RowView, ...] = shown("those that are marked first; detail: the place")


@dataclass(frozen=True, slots=True)
class StepBarView:
    """One step of a funnel."""

    name: str = shown("'Cart'")
    text: str = shown("how many got as far")
    share: str = shown("'38%' of the step before, '' for the first")
    width: str = shown("length of its bar beside the first step: '38%'")
    lost_width: str = shown("length of the bar of the step before, drawn as an outline; '' for the first")
    is_steepest: bool = shown("most are lost on the way to this step")


@dataclass(frozen=True, slots=True)
class FunnelView(HeadView):
    """How far visits get, step by step."""

    kind: ClassVar[str] = "funnel"

    steps: tuple[StepBarView, ...] = shown("in order")


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One state and how many are in it."""

    name: str = shown("the state in words")
    text: str = shown("how many")
    y: str = shown("top of its bar, downwards: '37%'")
    height: str = shown("height of its bar: '63%'")
    warning: str = shown("why it is marked: 'over 40'; '' when all is well")


@dataclass(frozen=True, slots=True)
class ColumnsView(HeadView):
    """How many are in each state, side by side; a state keeps its place."""

    kind: ClassVar[str] = "columns"

    columns: tuple[ColumnView, ...] = shown("in the order of the work where it is known, else by name")
    chars: int = shown("room the longest text takes, so that CSS can make columns wide enough (1 to 20)")


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One part of a whole."""

    name: str = shown("'Returning'")
    text: str = shown("its value in words")
    share: str = shown("'38%' of the whole")
    x: str = shown("where it begins: '62%'")
    width: str = shown("how long it is: '38%'")
    tone: int = shown("1 to 5, which of the fills; 5 is the rest")


@dataclass(frozen=True, slots=True)
class SharesView(HeadView):
    """A whole and its few parts."""

    kind: ClassVar[str] = "shares"

    segments: tuple[SegmentView, ...] = shown("largest first, at most 4, then the rest")


@dataclass(frozen=True, slots=True)
class BulletView(HeadView):
    """A number on a scale from nothing: how far it is, and how far it must or may come."""

    kind: ClassVar[str] = "bullet"

    text: str = shown("the number in words")
    chars: int = shown("room `text` takes in digits, so that CSS can choose a size that never clips (1 to 20)")
    value: str = shown("the plain number for machines")
    width: str = shown("length of the bar of what there is: '41%'")
    band_x: str = shown("where the range of what may come begins: '70%'; '' for none")
    band_width: str = shown("how long that range is: '8%'")
    mark_x: str = shown("where the mark of what is needed or likely stands: '74%'; '' for none")
    verdict: Literal["short", "enough", "none"] = shown("whether it reaches the mark; none: nobody needs it to")
    rows: tuple[tuple[str, str], ...] = shown("(what, its value) of all that is drawn, for the table")


@dataclass(frozen=True, slots=True)
class MapCellView:
    """A country that has something."""

    code: str = shown("'DE': its letters, and its id in world.svg")
    step: int = shown("1 to 5, which of the fills; 5 is the most")
    x: float = shown("middle of its cell in SVG units, for its letters")
    y: float = shown("the same downwards")


@dataclass(frozen=True, slots=True)
class LegendView:
    """What a fill stands for."""

    step: int = shown("1 to 5, as in the map")
    text: str = shown("'3 – 9'")


@dataclass(frozen=True, slots=True)
class MapView(HeadView):
    """The part of the world that holds nearly all, a cell for each country, and the largest as a list beside it."""

    kind: ClassVar[str] = "map"

    box: str = shown("the part that is shown, as an SVG viewBox; it is 3 to 2")
    cells: tuple[MapCellView, ...] = shown("the countries that have something, on and off this part")
    is_named: bool = shown("whether cells are large enough for letters")
    legend: tuple[LegendView, ...] = shown("the fills that are used, from the least")
    listed: tuple[RowView, ...] = shown("largest first, at most 8")
    rows: tuple[tuple[str, str], ...] = shown("(country, its value) of all, for the table")


@dataclass(frozen=True, slots=True)
class MarkView:
    """One percentile."""

    name: str = shown("'median', '95%'")
    text: str = shown("its value in words, '–' where the sample is too small")
    x: str = shown("where it stands between nothing and the slowest: '41%'; '' where it is not known")


@dataclass(frozen=True, slots=True)
class StripView(HeadView):
    """Percentiles of one thing on one scale, which begins at nothing."""

    kind: ClassVar[str] = "strip"

    marks: tuple[MarkView, ...] = shown("smallest first")
    chars: int = shown("room the longest text takes, so that CSS can choose a size that never clips (1 to 20)")
