"""The page of a KPI in words: the present number, its rows, the line to be copied."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsmon.core.catalogue import Kpi, Rollup, Today
from opsmon.core.explaining import error_of
from opsmon.core.history import History
from opsmon.core.panes import OTHER
from opsmon.core.readings import Reading, Row
from opsmon.web import tile_words
from opsmon.web.explained_words import explained_view, fresh_text, is_behind, window_in_words
from opsmon.web.history_views import KpiPageView, LinkView, RowsView, RowView
from opsmon.web.history_words import Values, history_view, span_links
from opsmon.web.kpi_links import Here
from opsmon.web.languages import N_
from opsmon.web.presenting import comparison
from opsmon.web.span_words import SpanWords
from opsmon.web.tile_words import give_or_take
from opsmon.web.wording import Wording, room_of

MOST_ROWS = 100
MOST_COPIED = 20
NO_HISTORY = N_("This number is what holds now: opsmon keeps no history of it.")


def page_view(reading: Reading, told: Mapping[str, Any], history: History | None, rollup: Rollup, words: SpanWords,
              here: Here, now_ms: int, without: str) -> KpiPageView:
    """Everything on the page; `without` says why there is no history."""
    kpi, values = reading.kpi, Values(reading, words)
    value = _present(reading, here.row)
    text = values.text(value)
    fresh, is_row, window = told["fresh"], here.row is not None, window_in_words(kpi.window, words.wording)
    return KpiPageView(
        id=kpi.id, text=text, chars=room_of(text), value="" if value is None else str(value),
        unit=values.unit(value), window=window, note=_note(reading, value, rollup, words),
        fresh=fresh_text(fresh, words), is_behind=is_behind(fresh),
        copied=_copied(reading, told, rollup, values, words, here, now_ms),
        csv=here.csv(), all_rows=LinkView(words.wording.say("All rows"), here.of_row(None)) if is_row else None,
        spans=() if without == NO_HISTORY else span_links(here, words),
        history=history_view(history, kpi, rollup, values, words, here, now_ms) if history else None,
        without=words.wording.say(without),
        rows=None if is_row else _rows(reading, history, rollup, values, words, here),
        explained=explained_view(told, kpi, rollup, words, is_row=is_row),
    )


def _copied(reading: Reading, told: Mapping[str, Any], rollup: Rollup, values: Values, words: SpanWords, here: Here,
            now_ms: int) -> str:
    """The number for a chat: with its window, what it is compared with, and of when it is; rows one a line."""
    found = comparison(reading, words.wording) if isinstance(reading.kpi.window, Today) and here.row is None else None
    beside = f", {found.change} {found.against}" if found and found.change else ""
    line = words.wording.say(
        "%(label)s: %(value)s (%(window)s), as of %(time)s, %(zone)s", label=here.label,
        value=values.with_unit(_present(reading, here.row)), time=words.instant(now_ms), zone=told["zone"],
        window=window_in_words(reading.kpi.window, words.wording) + beside)
    rows = reading.rows[:MOST_COPIED] if here.row is None else ()
    named = (f"{row_name(row.name, rollup, words.wording)}: {values.text(row.value)}" for row in rows)
    return "\n".join([line, *named])


def row_name(name: str, rollup: Rollup, wording: Wording) -> str:
    """A row as tiles show it; of several fields all."""
    return ", ".join(filter(None, tile_words.row_name(rollup, name, wording)))


def _present(reading: Reading, row: str | None) -> float | None:
    if row is None:
        return reading.value
    named = {"other" if found.name == OTHER else found.name: found.value for found in reversed(reading.rows)}
    return named.get(row, None if reading.kpi.unit in ("share", "ms") else 0)


def _note(reading: Reading, value: float | None, rollup: Rollup, words: SpanWords) -> str:
    if reading.others:
        amounts = ", ".join(words.wording.money(minor, currency) for currency, minor in reading.others)
        return words.wording.say("not included: %(amounts)s", amounts=amounts)
    if value is None and reading.count is not None and reading.count < reading.kpi.least:
        return words.wording.say("too few to tell: %(some)s of %(all)s", some=words.wording.number(reading.count),
                                 all=words.wording.number(reading.kpi.least))
    if value is None:
        return words.wording.say("no data in this window")
    return give_or_take(error_of(rollup), words.wording)


def _rows(reading: Reading, history: History | None, rollup: Rollup, values: Values, words: SpanWords, here: Here
          ) -> RowsView | None:
    """Rows over the span; of what has no history, and of a funnel, those of the present number."""
    say = words.wording.say
    by = words.wording.both([tile_words.field_name(one, words.wording) for one in rollup.by])
    if history is not None and rollup.by:
        rows = history.whole.rows if history.whole else ()
        title = say("By %(field)s, %(span)s", field=by, span=words.title(history.span))
        return _breakdown((title, by), rows, rollup, values, words, here) if rows else None
    title = say("By %(field)s, now", field=by) if by else say("Step by step")
    return _breakdown((title, by or say("step")), reading.rows, rollup, values, words, None) if reading.rows else None


def _breakdown(named: tuple[str, str], rows: Sequence[Row], rollup: Rollup, values: Values, words: SpanWords,
               here: Here | None) -> RowsView:
    most = max((row.value or 0 for row in rows), default=0)
    left = len(rows) - MOST_ROWS
    return RowsView(
        title=named[0], by=named[1][:1].upper() + named[1][1:],
        has_samples=any(row.sample not in (None, row.value) for row in rows),
        rows=tuple(_row(row, most, rollup, values, words, here) for row in rows[:MOST_ROWS]),
        more=words.wording.many("%(num)s more row is in the CSV.", "%(num)s more rows are in the CSV.", left
                                ) if left > 0 else "",
        csv=here.csv("|".join(rollup.by)) if here else "",
    )


def _row(row: Row, most: float, rollup: Rollup, values: Values, words: SpanWords, here: Here | None) -> RowView:
    share = 100 * max(row.value or 0, 0) / most if most > 0 else 0
    return RowView(
        name=row_name(row.name, rollup, words.wording), text=values.text(row.value), width=f"{share:.1f}",
        href=here.of_row("other" if row.name == OTHER else row.name) if here else "",
        sample="" if row.sample is None else words.wording.number(row.sample),
    )


def label_of(kpi: Kpi, rollup: Rollup, row: str | None, wording: Wording) -> str:
    """What the page is about: the number, or one row of it."""
    label = wording.say(kpi.label)
    return label if row is None else f"{label}: {row_name(row, rollup, wording)}"
