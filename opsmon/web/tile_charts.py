"""Readings with rows -> funnels, columns by state, shares of a whole, percentiles on one scale."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from opsmon.core.explaining import error_of
from opsmon.core.panes import OTHER
from opsmon.core.readings import AGE_HOURS, Reading, Row
from opsmon.web.tile_shapes import (
    ColumnsView,
    ColumnView,
    FunnelView,
    MarkView,
    SegmentView,
    SharesView,
    StepBarView,
    StripView,
)
from opsmon.web.tile_shown import Shown, part
from opsmon.web.tile_words import (
    definition_words,
    give_or_take,
    sample_in,
    sample_words,
    step_name,
    too_early,
    within,
)
from opsmon.web.wording import Wording, room_of

MOST_COLUMNS = 8
MOST_SEGMENTS = 4
_REST = MOST_SEGMENTS + 1
# By when an order shall have left: what the KPIs past-sla and due-1h hold it to.
SLA_HOURS = 24
_FIRST_LATE = AGE_HOURS.index(SLA_HOURS) + 1

# Words that say at which point of the work a state stands. What has none of them stands behind, by name.
_ORDER_OF_WORK = (
    "draft", "quotation", "new", "requested", "payment", "awaiting_payment", "confirmed", "label_printed",
    "label_purchased", "queued", "waiting", "pick", "picking", "picked", "pack", "packing", "packed", "ready",
    "in progress", "in_progress", "open", "the rest", "check", "ship", "shipping", "shipped", "handed_over",
    "confirmed_by_carrier", "in_transit", "out_for_delivery", "ready_for_pickup", "attempted_delivery", "delayed",
    "needs_response", "under_review", "failure", "not_delivered", "done", "delivered",
)


def funnel_view(shown: Shown) -> FunnelView:
    """Steps with their counts, each beside the one before it."""
    rows = shown.reading.rows
    counts = [int(row.value or 0) for row in rows]
    kept = [now / before if before else 1.0 for before, now in pairwise(counts)]
    steepest = kept.index(min(kept)) + 1 if kept and min(kept) < 1 else 0
    steps = tuple(_step(shown, row, at, counts, is_steepest=at == steepest > 0) for at, row in enumerate(rows))
    is_empty = not any(counts)
    said = "" if is_empty else _funnel_sentence(shown, steps, counts, steepest)
    reached = counts[-1] / counts[0] if counts and counts[0] else None
    note = "" if reached is None else shown.wording.say(
        "%(share)s reach %(step)s", share=shown.wording.fine_share(reached), step=steps[-1].name)
    return FunnelView(*shown.head(note, said, is_empty=is_empty), steps=() if is_empty else steps)


def columns_view(shown: Shown) -> ColumnsView:
    """States side by side, each in its place however many are in it."""
    rows = [row for row in shown.reading.rows if (row.value or 0) > 0]
    kept = sorted(_at_most(rows, MOST_COLUMNS), key=_place)
    top = max((row.value or 0 for row in kept), default=0)
    total = sum(row.value or 0 for row in rows)
    fullest = max(kept, key=lambda row: row.value or 0, default=None)
    note = shown.wording.say("%(value)s in all", value=shown.text(total))
    said = shown.wording.say("%(all)s in all, most of them: %(name)s, %(value)s", all=shown.text(total),
                             name=shown.name(fullest), value=shown.text(fullest.value)) if fullest else ""
    columns = tuple(_column(shown, row, top) for row in kept)
    return ColumnsView(*shown.head(note, said, is_empty=not kept), columns=columns, chars=_longest(columns))


def ages_view(shown: Shown) -> ColumnsView:
    """Ages side by side, the youngest first; what is past its time is marked, in words."""
    rows = shown.reading.rows
    top, total = max((row.value or 0 for row in rows), default=0), sum(row.value or 0 for row in rows)
    late = sum(row.value or 0 for row in rows[_FIRST_LATE:])
    note = shown.wording.say("%(value)s in all, %(late)s of them older than %(hours)s h", value=shown.text(total),
                             late=shown.text(late), hours=SLA_HOURS)
    over = shown.wording.say("over %(hours)s h", hours=SLA_HOURS)
    columns = tuple(
        replace(_column(shown, row, top), name=name, warning=over if at >= _FIRST_LATE and row.value else "")
        for at, (row, name) in enumerate(zip(rows, _age_names(shown.wording), strict=False))) if total else ()
    return ColumnsView(*shown.head(note, note, is_empty=not total), columns=columns, chars=_longest(columns))


def _age_names(wording: Wording) -> list[str]:
    return [wording.say("under %(hours)s h", hours=AGE_HOURS[0]),
            *(wording.say("%(begin)s – %(end)s h", begin=begin, end=end) for begin, end in pairwise(AGE_HOURS)),
            wording.say("over %(hours)s h", hours=AGE_HOURS[-1])]


def shares_view(shown: Shown) -> SharesView:
    """The four largest parts of a whole, and the rest."""
    rows = [row for row in shown.reading.rows if (row.value or 0) > 0]
    kept = _at_most(rows, _REST)
    total = sum(row.value or 0 for row in kept)
    segments, before = [], 0.0
    for at, row in enumerate(kept, 1):
        segments.append(_segment(shown, row, _REST if row.name == OTHER else at, before, total))
        before += row.value or 0
    note = within(shown.text(total), shown.kpi, shown.wording)
    said = ", ".join(f"{one.name} {one.share}" for one in segments)
    return SharesView(*shown.head(note, said, is_empty=not segments), segments=tuple(segments))


def strip_view(shown: Shown) -> StripView:
    """Percentiles of one thing, told by the KPI itself and by those beside it."""
    readings = sorted([shown.reading, *shown.beside], key=_percentile)
    slowest = max((reading.value or 0 for reading in readings), default=0)
    marks = tuple(_mark(shown, reading, slowest) for reading in readings)
    count = max(reading.count or 0 for reading in readings)
    seen = sample_in(shown.rollup, shown.kpi, count, shown.wording)
    least = next((one for one in readings if one.value is None), None)
    about = f"{seen}, {give_or_take(error_of(shown.rollup), shown.wording)}"
    note = too_early(shown.rollup, least.kpi, count, shown.wording) if least else about
    said = ", ".join(f"{mark.name} {mark.text}" for mark in marks)
    view = StripView(*shown.head(note, said, is_empty=not count), marks=marks if count else (), chars=_longest(marks))
    definition = definition_words((reading.kpi.definition for reading in readings), shown.zone, shown.wording)
    return replace(view, label=_common_label(readings, shown), definition=definition)


def _longest(parts: Sequence[ColumnView] | Sequence[MarkView]) -> int:
    return max((room_of(part.text) for part in parts), default=1)


def _step(shown: Shown, row: Row, at: int, counts: Sequence[int], *, is_steepest: bool) -> StepBarView:
    before = counts[at - 1] if at else 0
    return StepBarView(
        name=step_name(row.name, shown.wording),
        text=shown.wording.number(counts[at]),
        share=shown.wording.fine_share(counts[at] / before) if before else "",
        width=part(counts[at], counts[0]),
        lost_width=part(before, counts[0]) if at else "",
        is_steepest=is_steepest,
    )


def _funnel_sentence(shown: Shown, steps: Sequence[StepBarView], counts: Sequence[int], steepest: int) -> str:
    said = shown.wording.say("%(last)s of %(sample)s got to the last step", last=steps[-1].text,
                             sample=sample_words(shown.rollup, counts[0], shown.wording))
    if not steepest:
        return said
    return said + "; " + shown.wording.say("most are lost between %(step)s and %(next)s",
                                           step=steps[steepest - 1].name, next=steps[steepest].name)


def _at_most(rows: Sequence[Row], most: int) -> list[Row]:
    """The largest rows, those that are too many as one; what was `other` already goes with them."""
    named = sorted((row for row in rows if row.name != OTHER), key=lambda row: (-(row.value or 0), row.name))
    beyond = [row for row in rows if row.name == OTHER]
    if len(named) + len(beyond) > most:
        named, beyond = named[:most - 1], [*named[most - 1:], *beyond]
    return [*named, Row(OTHER, sum(row.value or 0 for row in beyond))] if beyond else named


def _place(row: Row) -> tuple[bool, int, str]:
    """Where a state stands: by the work where it is known, else by name, so that none changes places."""
    name = row.name.lower()
    known = _ORDER_OF_WORK.index(name) if name in _ORDER_OF_WORK else len(_ORDER_OF_WORK)
    return row.name == OTHER, known, row.name


def _column(shown: Shown, row: Row, top: float) -> ColumnView:
    height = round((row.value or 0) / top * 100, 1) if top else 0
    return ColumnView(shown.name(row), shown.text(row.value), f"{round(100 - height, 1):g}%", f"{height:g}%",
                      shown.warning(row))


def _segment(shown: Shown, row: Row, tone: int, before: float, total: float) -> SegmentView:
    value = row.value or 0
    return SegmentView(shown.name(row), shown.text(value), shown.wording.share(value / total), part(before, total),
                       part(value, total), tone)


def _percentile(reading: Reading) -> float:
    return float(reading.kpi.show.removeprefix("p") or 50)


def _common_label(readings: Sequence[Reading], shown: Shown) -> str:
    """'API response, median' and 'API response, 95 %' have 'API response' in common."""
    beginnings = {reading.kpi.label.rpartition(",")[0] for reading in readings}
    common = beginnings.pop() if len(beginnings) == 1 else ""
    return shown.wording.say(common or readings[0].kpi.label)


def _mark(shown: Shown, reading: Reading, slowest: float) -> MarkView:
    percentile = _percentile(reading)
    name = shown.wording.say("median") if percentile == 50 else f"{percentile:g}%"
    place = "" if reading.value is None or not slowest else part(reading.value, slowest)
    return MarkView(name, shown.wording.value(reading, reading.value), place)
