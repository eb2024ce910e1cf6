"""What the templates of a KPI's page receive: frozen values, already worded for the reader."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from dataclasses import dataclass
from typing import Literal

from opsmon.core.history import SpotState
from opsmon.web.views import ComparisonView, GridLineView, shown


@dataclass(frozen=True, slots=True)
class SpotView:
    """One window of a history, in a box 100 high."""

    state: SpotState = shown("whole, moving (drawn as not whole), part, or why nothing is known of it")
    name: str = shown("what it stands for: '13:00', 'Fri, Nov 20'; the repeated hour of autumn with its zone")
    label: str = shown("axis label under it, '' for most of them")
    text: str = shown("its value in words, '–' where nothing is known")
    before: str = shown("the same window of the span before, '' when unknown")
    note: str = shown("'so far', 'not counted yet', 'too few: 3 of 20'; '' for a whole one")
    sample: str = shown("how many a mean, share or percentile rests on, '' for what rests on all")
    hint: str = shown("all of that in one line, for whoever points at it")
    left: str = shown("left edge of its place, in SVG units")
    x: str = shown("left edge of its bar; of a line the middle of its place")
    y: str = shown("top edge of the bar, or the height of the point, downwards; '' where nothing is known")
    height: str = shown("height of the bar, '' in a line")
    before_y: str = shown("height of the mark of the span before, '' when unknown")
    has_dot: bool = shown("a line chart: whether it is marked by a dot; those that stand alone always are")
    delta: str = shown("path of the mark over it that says it was corrected, '' when it was not", default="")


@dataclass(frozen=True, slots=True)
class GapView:
    """A stretch of a chart of which nothing is known."""

    x: str = shown("left edge in SVG units")
    width: str = shown("width in SVG units")
    middle: str = shown("its middle, in percent of the chart's width")
    text: str = shown("why: 'not counted yet'; '' where there is no room for words")


@dataclass(frozen=True, slots=True)
class ChartView:
    """A history as bars (what adds up) or as a line with gaps (means, shares, percentiles)."""

    kind: Literal["bars", "line"] = shown("which of the two")
    width: int = shown("width of the box in SVG units; it is 100 high")
    place: int = shown("width of one window's place")
    bar: str = shown("width of one bar")
    spots: tuple[SpotView, ...] = shown("oldest first, those to come among them")
    lines: tuple[str, ...] = shown("a line chart: SVG polyline points, one for each unbroken stretch")
    moving: str = shown("a line chart: points of the last stretch, which still moves; '' when there is none")
    gaps: tuple[GapView, ...] = shown("stretches of which nothing is known")
    grid: tuple[GridLineView, ...] = shown("up to 4 grid lines")
    base: GridLineView = shown("the line of nought")
    label: str = shown("the finding in a sentence, with what it is about, for screen readers")


@dataclass(frozen=True, slots=True)
class LinkView:
    """A way to another page, or the name of this one."""

    text: str = shown("what it is called")
    href: str = shown("where it leads, '' when it is this page")


@dataclass(frozen=True, slots=True)
class HistoryView:
    """A KPI over a day, week, month or year."""

    title: str = shown("the span: 'Friday, November 20, 2026'")
    steps: tuple[LinkView, ...] = shown("by the hour and by 15 minutes; () when there is no choice")
    earlier: LinkView = shown("the span before")
    later: LinkView | None = shown("the span after; None when it has not begun")
    finding: str = shown("what the chart shows, in a sentence")
    comparison: ComparisonView | None = shown("beside the span before, None where there is nothing to say")
    notes: tuple[str, ...] = shown("what is not whole or not known, and why; days of 23 or 25 hours")
    chart: ChartView | None = shown("None when nothing of the span is known")
    rows: tuple[SpotView, ...] = shown("every window that has begun, for the table")
    before: str = shown("what the marks of the span before are: 'a week before', '' when there are none")
    column: str = shown("head of the first column of the table: 'Hour', 'Day'")
    has_samples: bool = shown("whether the table has a column of how many")
    is_moving: bool = shown("whether a window is drawn as not whole")


@dataclass(frozen=True, slots=True)
class RowView:
    """One row of a breakdown."""

    name: str = shown("the row's name, as its source wrote it")
    href: str = shown("its own history, '' when there is none")
    text: str = shown("its value in words")
    sample: str = shown("how many it rests on, '' for what rests on all")
    width: str = shown("its value beside the largest, 0 to 100")


@dataclass(frozen=True, slots=True)
class RowsView:
    """A breakdown: over the span, or as it stands now."""

    title: str = shown("'By country, Friday, November 20, 2026'")
    by: str = shown("what the rows are: 'Country', 'Step'")
    rows: tuple[RowView, ...] = shown("largest first")
    has_samples: bool = shown("whether there is a column of how many")
    more: str = shown("how many are not listed here, '' when all are")
    csv: str = shown("where they are got window by window as CSV")


@dataclass(frozen=True, slots=True)
class EventView:
    """One of the events that a number was last made of."""

    at: str = shown("when it happened, by the site's clock")
    type: str = shown("'order.updated'")
    key: str = shown("what it is about: 'shopify:paper-boat:order:1001', or its id")
    adds: tuple[str, ...] = shown("each fact it adds: 'order.placed amount=1,999 EUR'")


@dataclass(frozen=True, slots=True)
class ExplainedView:
    """A number explained."""

    definition: str = shown("the sentence that defines it")
    facts: tuple[tuple[str, str, str], ...] = shown("(name, text, warning): counts, window, zone, exactness, …")
    made: str = shown("heading of the events: 'What it was last made of'")
    events: tuple[EventView, ...] = shown("the last that it was made of, newest first")


@dataclass(frozen=True, slots=True)
class KpiPageView:
    """The page of one KPI."""

    id: str = shown("the KPI's id")
    text: str = shown("the present number, formatted")
    chars: int = shown("room `text` takes in digits, so that CSS can choose a size that never clips (1 to 20)")
    value: str = shown("the plain number for machines")
    unit: str = shown("'orders', '' where the number says it")
    window: str = shown("the window in words")
    note: str = shown("what is not in the number, else ''")
    fresh: str = shown("how fresh it is, in a sentence")
    is_behind: bool = shown("whether events wait that it does not hold yet")
    copied: str = shown("one line to be copied: what, how much, which window, as of when")
    csv: str = shown("where the page's data are got as CSV")
    all_rows: LinkView | None = shown("back from one row to all of them")
    spans: tuple[LinkView, ...] = shown("day, week, month and year, with the chosen one; () for what has no history")
    history: HistoryView | None = shown("None for what has no history")
    without: str = shown("why there is no history or no chart, '' when there is")
    rows: RowsView | None = shown("its breakdown, None when it has none")
    explained: ExplainedView = shown("what it means and what it was made of")
