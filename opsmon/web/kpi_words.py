"""The page of a KPI in words: the present number, its rows, the line to be copied."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsmon.core.catalogue import Kpi, Rollup, Today
from opsmon.core.explaining import error_of
from opsmon.core.history import History
from opsmon.core.panes import OTHER
from opsmon.core.readings import Reading, Row
from opsmon.web.explained_words import explained_view, fresh_text, is_behind
from opsmon.web.history_views import KpiPageView, LinkView, RowsView, RowView
from opsmon.web.history_words import Values, history_view, span_links
from opsmon.web.kpi_links import Here
from opsmon.web.presenting import LONGEST_TEXT, comparison
from opsmon.web.span_words import SpanWords
from opsmon.web.tile_words import give_or_take

MOST_ROWS = 100
MOST_COPIED = 20
NO_HISTORY = "This number is what holds now: opsmon keeps no history of it."


def page_view(reading: Reading, told: Mapping[str, Any], history: History | None, rollup: Rollup, words: SpanWords,
              here: Here, now_ms: int, without: str) -> KpiPageView:
    """Everything on the page; `without` says why there is no history."""
    kpi, values = reading.kpi, Values(reading, words)
    value = _present(reading, here.row)
    text = values.text(value)
    fresh, is_row = told["fresh"], here.row is not None
    return KpiPageView(
        id=kpi.id, text=text, chars=min(max(len(text), 1), LONGEST_TEXT), value="" if value is None else str(value),
        unit=values.unit(value), window=told["window"]["words"], note=_note(reading, value, rollup, words),
        fresh=fresh_text(fresh, words), is_behind=is_behind(fresh),
        copied=_copied(reading, told, rollup, values, words, here, now_ms),
        csv=here.csv(), all_rows=LinkView("All rows", here.of_row(None)) if is_row else None,
        spans=() if without == NO_HISTORY else span_links(here),
        history=history_view(history, kpi, rollup, values, words, here, now_ms) if history else None,
        without=without,
        rows=None if is_row else _rows(reading, history, rollup, values, words, here),
        explained=explained_view(told, words, is_row=is_row),
    )


def _copied(reading: Reading, told: Mapping[str, Any], rollup: Rollup, values: Values, words: SpanWords, here: Here,
            now_ms: int) -> str:
    """The number for a chat: with its window, what it is compared with, and of when it is; rows one a line."""
    found = comparison(reading, words.wording) if isinstance(reading.kpi.window, Today) and here.row is None else None
    beside = f", {found.change} {found.against}" if found and found.change else ""
    line = (f"{here.label}: {values.with_unit(_present(reading, here.row))} ({told['window']['words']}{beside}), "
            f"as of {words.instant(now_ms)}, {told['zone']}")
    rows = reading.rows[:MOST_COPIED] if here.row is None else ()
    return "\n".join([line, *(f"{row_name(row.name, rollup)}: {values.text(row.value)}" for row in rows)])


def row_name(name: str, rollup: Rollup) -> str:
    """A row as it is shown: what is beyond the cap, and what says nothing, have words of their own."""
    if name == OTHER:
        return "Other"
    return (", ".join(name.split("|")) if len(rollup.by) > 1 else name) or "not told"


def _present(reading: Reading, row: str | None) -> float | None:
    if row is None:
        return reading.value
    named = {"other" if found.name == OTHER else found.name: found.value for found in reversed(reading.rows)}
    return named.get(row, None if reading.kpi.unit in ("share", "ms") else 0)


def _note(reading: Reading, value: float | None, rollup: Rollup, words: SpanWords) -> str:
    if reading.others:
        amounts = ", ".join(words.wording.money(minor, currency) for currency, minor in reading.others)
        return f"not included: {amounts}"
    if value is None and reading.count is not None and reading.count < reading.kpi.least:
        return f"too few to tell: {reading.count} of {reading.kpi.least}"
    return "no data in this window" if value is None else give_or_take(error_of(rollup), words.wording)


def _rows(reading: Reading, history: History | None, rollup: Rollup, values: Values, words: SpanWords, here: Here
          ) -> RowsView | None:
    """Rows over the span; of what has no history, and of a funnel, those of the present number."""
    by = " and ".join(rollup.by).replace("_", " ")
    if history is not None and rollup.by:
        rows = history.whole.rows if history.whole else ()
        title = f"By {by}, {words.title(history.span)}"
        return _breakdown((title, by), rows, rollup, values, words, here) if rows else None
    title = f"By {by}, now" if by else "Step by step"
    return _breakdown((title, by or "step"), reading.rows, rollup, values, words, None) if reading.rows else None


def _breakdown(named: tuple[str, str], rows: Sequence[Row], rollup: Rollup, values: Values, words: SpanWords,
               here: Here | None) -> RowsView:
    most = max((row.value or 0 for row in rows), default=0)
    left = len(rows) - MOST_ROWS
    return RowsView(
        title=named[0], by=named[1].capitalize(),
        has_samples=any(row.sample not in (None, row.value) for row in rows),
        rows=tuple(_row(row, most, rollup, values, words, here) for row in rows[:MOST_ROWS]),
        more=f"{words.wording.number(left)} more rows are in the CSV." if left > 0 else "",
        csv=here.csv("|".join(rollup.by)) if here else "",
    )


def _row(row: Row, most: float, rollup: Rollup, values: Values, words: SpanWords, here: Here | None) -> RowView:
    share = 100 * max(row.value or 0, 0) / most if most > 0 else 0
    return RowView(
        name=row_name(row.name, rollup), text=values.text(row.value), width=f"{share:.1f}",
        href=here.of_row("other" if row.name == OTHER else row.name) if here else "",
        sample="" if row.sample is None else words.wording.number(row.sample),
    )


def label_of(kpi: Kpi, rollup: Rollup, row: str | None) -> str:
    """What the page is about: the number, or one row of it."""
    return kpi.label if row is None else f"{kpi.label}: {row_name(row, rollup)}"
