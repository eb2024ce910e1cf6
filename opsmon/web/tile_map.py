"""Orders by country -> the part of the world that holds them, cell by cell, and the largest beside it."""

from collections.abc import Sequence

from opsmon.core.panes import OTHER
from opsmon.core.readings import Row
from opsmon.core.world import CELLS, STEPS, Box, box_of, steps_of
from opsmon.web.tile_shapes import LegendView, MapCellView, MapView, RowView
from opsmon.web.tile_shown import Shown, part
from opsmon.web.tile_words import within

MOST_LISTED = 8
# A cell and its gap, in units of the asset; letters are read as long as a cell is wide enough for them.
CELL, GAP = 10, 1
MOST_NAMED = 24


def map_view(shown: Shown) -> MapView:
    """Countries by how much they have, in five steps; the map shows the part that holds 95 % of it."""
    rows = [row for row in shown.reading.rows if (row.value or 0) > 0]
    amounts = {row.name: row.value or 0 for row in rows if row.name in CELLS}
    steps, box = steps_of(amounts.values()), box_of(amounts)
    total = sum(row.value or 0 for row in rows)
    inside = sum(amount for code, amount in amounts.items() if box.holds(CELLS[code]))
    told = [row for row in rows if row.name != OTHER]
    said = shown.wording.say("%(name)s comes first with %(value)s", name=shown.name(told[0]),
                             value=shown.text(told[0].value)) if told else ""
    return MapView(
        *shown.head(_note(shown, total, sum(amounts.values()), inside), said, is_empty=not rows), box=_view_box(box),
        cells=tuple(_cell(code, steps[amount]) for code, amount in amounts.items()), is_named=box.width <= MOST_NAMED,
        legend=_legend(shown, steps), listed=_listed(shown, told, total),
        rows=tuple((shown.name(row), shown.text(row.value)) for row in rows),
    )


def _note(shown: Shown, total: float, placed: float, inside: float) -> str:
    """How many, how many of them have no place on any map, and which share of the others is beyond this part."""
    parts = [within(shown.text(total), shown.kpi, shown.wording)]
    if placed > inside:
        parts.append(shown.wording.say("%(share)s beyond this part of the map",
                                       share=shown.wording.fine_share((placed - inside) / placed)))
    if total > placed:
        parts.append(shown.wording.say("%(count)s without a country", count=shown.text(total - placed)))
    return ", ".join(parts)


def _cell(code: str, step: int) -> MapCellView:
    x, y = CELLS[code]
    return MapCellView(code, step, x * CELL + (CELL - GAP) / 2, y * CELL + (CELL - GAP) / 2)


def _legend(shown: Shown, steps: dict[float, int]) -> tuple[LegendView, ...]:
    """What each step that is used stands for: '12', '3 – 9'."""
    found = []
    for step in range(1, STEPS + 1):
        amounts = [amount for amount, one in steps.items() if one == step]
        if amounts:
            ends = dict.fromkeys(shown.text(amount) for amount in (min(amounts), max(amounts)))
            found.append(LegendView(step, " – ".join(ends)))
    return tuple(found)


def _listed(shown: Shown, rows: Sequence[Row], total: float) -> tuple[RowView, ...]:
    top = rows[0].value or 0 if rows else 0
    return tuple(RowView(name=shown.name(row), text=shown.text(row.value),
                         share=shown.wording.share((row.value or 0) / total), width=part(row.value or 0, top))
                 for row in rows[:MOST_LISTED])


def _view_box(box: Box) -> str:
    return " ".join(f"{side * CELL:g}" for side in (box.x, box.y, box.width, box.height))
