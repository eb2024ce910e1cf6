"""Drawing a page on the server: a board of twelve tiles and more from views that are at hand, as every visit does."""

import time
from statistics import median
from zoneinfo import ZoneInfo

from opsmon.core.boards import BOARDS
from opsmon.core.calendar import SiteCalendar
from opsmon.core.kpis import BUILT_IN
from opsmon.web import rendering
from opsmon.web.samples import BOARDS as SAMPLES
from opsmon.web.views import CellView, PageView, RowView
from opsmon.web.wording import Wording
from tests.web.large import large_views

ROUNDS = 300
TILES = 12


def main() -> None:
    """Print one line for each board that has twelve tiles."""
    tiles = {view.id: view for view in large_views(
        BUILT_IN, Wording("en", SiteCalendar(ZoneInfo("Europe/Berlin"))), "Europe/Berlin")}
    for board in BOARDS:
        cells = tuple(CellView("normal", tiles[slot.kpi]) for slot in board.slots if slot.kpi in tiles)[:TILES]
        if len(cells) == TILES:
            times_ms = sorted(timed_ms(cells) for _ in range(ROUNDS))
            print(f"{board.id}, {TILES} tiles: drawn in {median(times_ms):.1f} ms (p99 {times_ms[-4]:.1f} ms)",
                  flush=True)


def timed_ms(cells: tuple[CellView, ...]) -> float:
    """How long one drawing takes."""
    began_s = time.perf_counter()
    draw(cells)
    return 1000 * (time.perf_counter() - began_s)


def draw(cells: tuple[CellView, ...]) -> str:
    """The page as `Pages.answer` draws it."""
    _, health, setup = SAMPLES["busy"]
    shell = PageView("Packing hall", "board", "auto", "en", "Europe/Berlin", 5, "a1.1763", "b1", "/live", 0)
    rows = (RowView("live", "", "", cells[:6]), RowView("near", "every 30 s", "30 s", cells[6:]))
    revisions = {"health": 7, "setup": 7} | {f"kpi-{cell.tile.id}": 7 for cell in cells}
    return rendering.page("board", page=shell, rows=rows, is_of_orders=True, health=health, setup=setup, revs=revisions,
                          has_marks=False)
