"""A KPI narrowed to one channel, country, line …: read from what is kept by that field, or not at all.

Nothing is estimated. A number can be narrowed where its own rollup has rows of the field, or where another one counts
the same facts by it; else the answer is None, and a board says so. What is counted by product or SKU can be narrowed to
those that carry a tag now (goods.py), ranked or not.
"""

from dataclasses import replace
from typing import TypeGuard

from opsmon.core.boards import Board
from opsmon.core.calendar import HOUR_MS
from opsmon.core.catalogue import (
    OF_GOODS,
    TAG,
    TAGS,
    Catalogue,
    Days,
    Kpi,
    Month,
    Now,
    Rollup,
    Sliding,
    Today,
    Tumbling,
    Window,
)
from opsmon.core.parts import PARTS
from opsmon.core.slots import Compare, Slot

Only = tuple[tuple[str, str], ...]

# What is ranked, told apart or grouped into visits keeps no rows that one can be taken of.
_WITH_ROWS = frozenset({"count", "sum", "mean", "ratio", "stddev", "percentile", "min", "max", "last"})
# A mean counts the facts that have its value: here that is each of them (facts.py).
_EVERY_FACT_HAS = {("order.placed", "amount")}


def narrowed(kpi: Kpi, only: Only, catalogue: Catalogue) -> Kpi | None:
    """The same number of these rows only; None where that is not known exactly."""
    fields = {field for field, _ in only}
    own = catalogue.rollup(kpi.rollup)
    if own.has_rows and own.measure in _WITH_ROWS and fields <= {*own.by, *_of_goods(own, catalogue)}:
        return replace(kpi, only=only, against="none")
    if own.measure == "top" and fields and fields <= _of_goods(own, catalogue):
        return replace(kpi, only=only, against="none")
    for other in catalogue.rollups:
        if not own.by and fields <= set(other.by) and _counts_the_same(own, other, kpi):
            show = own.measure if own.measure in ("count", "sum") and other.measure == "mean" else kpi.show
            return replace(kpi, rollup=other.id, show=show, only=only, against="none")
    return None


def fields_of(kpi: Kpi, catalogue: Catalogue) -> tuple[str, ...]:
    """The fields by which a KPI can be narrowed, one at a time."""
    told = dict.fromkeys(field for rollup in catalogue.rollups for field in rollup.by)
    return tuple(field for field in told if narrowed(kpi, ((field, ""),), catalogue))


def narrowed_board(board: Board, only: Only, catalogue: Catalogue) -> Board:
    """A board with each tile narrowed that can be; one that is narrowed in the same field stays as it is."""
    def of(slot: Slot) -> Slot:
        if slot.kpi in PARTS:
            return slot
        merged = tuple(sorted({**dict(only), **dict(slot.options.only)}.items()))
        is_known = narrowed(catalogue.kpi_by_id[slot.kpi], merged, catalogue) is not None
        options = replace(slot.options, only=merged, compare="week")
        return replace(slot, options=options) if is_known and merged != slot.options.only else slot

    rows = tuple(replace(row, slots=tuple(map(of, row.slots))) for row in board.rows)
    return replace(board, rows=rows, wall=tuple(map(of, board.wall)))


def comparisons(kpi: Kpi, catalogue: Catalogue) -> tuple[Compare, ...]:
    """What a KPI can be compared with: () where nothing of before is read."""
    rollup = catalogue.rollup(kpi.rollup)
    if rollup.has_rows or "m" not in rollup.levels or rollup.measure not in _WITH_ROWS:
        return ()
    return ("week", "yesterday", "none") if isinstance(kpi.window, Today) or _is_hourly(kpi.window) else ()


def _of_goods(rollup: Rollup, catalogue: Catalogue) -> frozenset[str]:
    """By what its rows can be looked up when they are read: the tag, of what is counted by product or SKU."""
    is_known = TAGS in catalogue.index_by_id and not OF_GOODS.isdisjoint(rollup.by[:1])
    return frozenset({TAG}) if is_known else frozenset()


def _counts_the_same(own: Rollup, other: Rollup, kpi: Kpi) -> bool:
    if (own.on, own.where) != (other.on, other.where) or not other.has_rows or _level(kpi.window) not in other.levels:
        return False
    if own.measure == "count" and other.measure == "mean":
        return all((fact, other.value) in _EVERY_FACT_HAS for fact in own.on)
    if own.measure == "count" and other.measure == "count":
        return True
    alike = (own.value, own.hits, own.scale) == (other.value, other.hits, other.scale)
    pair = (own.measure, other.measure)
    return alike and own.measure in _WITH_ROWS and (own.measure == other.measure or pair == ("sum", "mean"))


def _level(window: Window) -> str:
    """The finest panes that a window is made of."""
    match window:
        case Today() | Days() | Month():
            return "d"
        case Tumbling() if _is_hourly(window):
            return "h"
        case Tumbling() | Sliding():
            return "m"
        case Now():
            return "n"


def _is_hourly(window: Window) -> TypeGuard[Tumbling]:
    return isinstance(window, Tumbling) and window.size_ms == HOUR_MS
