"""Readings with rows -> ranked tables, errors by endpoint, values as last told."""

from collections.abc import Sequence

from opsmon.core.calendar import MINUTE_MS
from opsmon.core.catalogue import Tumbling
from opsmon.core.panes import OTHER
from opsmon.core.readings import Row
from opsmon.web.tile_shapes import ErrorsView, LastView, RankedView, RowView
from opsmon.web.tile_shown import Shown, adds_up, part
from opsmon.web.tile_words import row_name, sample_in, within

MOST_ROWS = 10


def ranked_view(shown: Shown) -> RankedView:
    """The ten largest; the rest in one row where values add up, else their number in the note."""
    is_whole = adds_up(shown)
    rows = [row for row in shown.reading.rows if row.value is not None and (row.value or not is_whole)]
    kept, rest = _divided(rows)
    if is_whole and rest:
        kept = [*kept, Row(OTHER, sum(row.value or 0 for row in rest))]
    total = _whole(shown, rows) if is_whole else None
    top = max((row.value or 0 for row in kept if row.name != OTHER), default=0)
    drawn = tuple(_ranked_row(shown, row, total, top) for row in kept)
    note = _ranked_note(shown, total, len(rows), is_whole=is_whole)
    said = shown.wording.say("%(name)s comes first with %(value)s", name=drawn[0].name, value=drawn[0].text
                             ) if kept else ""
    return RankedView(*shown.head(note, said, is_empty=not kept), rows=drawn)


def errors_view(shown: Shown) -> ErrorsView:
    """The worst ten; those of which too few were seen last, without a share."""
    rows = [row for row in shown.reading.rows if row.sample]
    kept = sorted(rows, key=lambda row: (row.name == OTHER, row.value is None, -(row.value or 0), -(row.sample or 0)))
    kept = kept[:MOST_ROWS]
    top = max((row.value or 0 for row in kept), default=0)
    drawn = tuple(_error_row(shown, row, top) for row in kept)
    seen = sample_in(shown.rollup, shown.kpi, sum(row.sample or 0 for row in rows), shown.wording)
    note = f"{seen}{_left_out(shown, len(rows), len(kept))}"
    said = shown.wording.say("Highest: %(name)s, %(value)s", name=drawn[0].name, value=drawn[0].text
                             ) if drawn and kept[0].value is not None else ""
    return ErrorsView(*shown.head(note, said, is_empty=not kept), rows=drawn)


def last_view(shown: Shown) -> LastView:
    """Ten values, the marked ones first: stock from the lowest, all else from the highest."""
    sign = 1 if shown.rollup.measure == "sum" and shown.kpi.window.kind == "now" else -1
    rows = [row for row in shown.reading.rows if row.value is not None]
    rows.sort(key=lambda row: (row.name == OTHER, not shown.warning(row), sign * (row.value or 0), row.name))
    marked = sum(1 for row in rows if shown.warning(row))
    drawn = tuple(_last_row(shown, row) for row in rows[:MOST_ROWS])
    said = _last_sentence(shown, marked, len(rows))
    order = shown.wording.say("lowest first") if sign > 0 and len(rows) > 1 else ""
    note = ", ".join(filter(None, (order, _left_out(shown, len(rows), len(drawn)).removeprefix(", "))))
    return LastView(*shown.head(note, said, is_empty=not drawn), rows=drawn)


def _last_sentence(shown: Shown, marked: int, count: int) -> str:
    if marked:
        return shown.wording.many("%(num)s of %(all)s needs a look", "%(num)s of %(all)s need a look", marked,
                                  all=shown.wording.number(count))
    return shown.wording.many("%(num)s value as last told", "%(num)s values as last told", count)


def _divided(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The ten largest, and what is beyond; `other` is beyond in any case."""
    named = [row for row in rows if row.name != OTHER]
    return named[:MOST_ROWS], [*named[MOST_ROWS:], *(row for row in rows if row.name == OTHER)]


def _whole(shown: Shown, rows: Sequence[Row]) -> float | None:
    """What the rows come to; None where there may be more than were asked for, or some are below zero."""
    if shown.rollup.measure == "top" and len(rows) >= shown.kpi.rows:
        return None
    return None if any((row.value or 0) < 0 for row in rows) else sum(row.value or 0 for row in rows)


def _ranked_row(shown: Shown, row: Row, total: float | None, top: float) -> RowView:
    value = row.value or 0
    return RowView(
        name=shown.name(row),
        text=shown.text(row.value),
        share=shown.wording.share(value / total) if total else "",
        detail=row_name(shown.rollup, row.name, shown.wording)[1],
        width="" if row.name == OTHER else part(value, top),
        warning=shown.warning(row),
        is_other=row.name == OTHER,
    )


def _ranked_note(shown: Shown, total: float | None, count: int, *, is_whole: bool) -> str:
    if total is not None:
        return f"{within(shown.text(total), shown.kpi, shown.wording)}{_before(shown)}"
    return "" if is_whole else _left_out(shown, count, min(count, MOST_ROWS)).removeprefix(", ")


def _before(shown: Shown) -> str:
    """The last whole window beside the one that still runs: three minutes of an hour say little."""
    window, series = shown.kpi.window, shown.reading.series
    if not isinstance(window, Tumbling) or len(series) < 2:
        return ""
    value = shown.text(series[-2].value)
    return ", " + (shown.wording.say("%(value)s in the minute before", value=value) if window.size_ms == MINUTE_MS
                   else shown.wording.say("%(value)s in the hour before", value=value))


def _error_row(shown: Shown, row: Row, top: float) -> RowView:
    sample = row.sample or 0
    of = shown.wording.number(sample)
    few = row.value is None
    return RowView(
        name=shown.name(row),
        text=shown.wording.say("too few") if row.value is None else shown.wording.fine_share(row.value),
        detail=of if row.value is None else _of(shown, round(row.value * sample), sample),
        width="" if few else part(row.value or 0, top),
        warning=shown.warning(row),
        is_other=row.name == OTHER,
    )


def _last_row(shown: Shown, row: Row) -> RowView:
    name, detail = row_name(shown.rollup, row.name, shown.wording)
    return RowView(name=name, text=shown.text(row.value), detail=detail, warning=shown.warning(row),
                   is_other=row.name == OTHER)


def _left_out(shown: Shown, count: int, kept: int) -> str:
    return f", {_of(shown, kept, count)}" if count > kept else ""


def _of(shown: Shown, some: int, of_all: int) -> str:
    return shown.wording.say("%(some)s of %(all)s", some=shown.wording.number(some), all=shown.wording.number(of_all))
