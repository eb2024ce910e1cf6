"""The world as equal cells, a country each: where a country stands, and which part of it holds the orders. Pure.

On a map of outlines a shop's orders are a few specks: Malta and Singapore cannot be seen, Russia and Canada are
nearly all there is, and nobody buys there. Here every country is as large as every other, near its neighbours, and
can be read by its letters. The arrangement is opsmon's own; whoever would rather have it otherwise edits the grid.
"""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import NamedTuple

# ISO 3166-1, XK for Kosovo; .. is sea. Antarctica and islands where nobody lives are left out.
GRID = """
.. .. .. .. .. .. .. .. GL .. .. .. .. IS FO .. .. NO SE AX FI .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..
.. .. .. .. .. .. .. .. .. .. .. .. .. .. IM .. .. DK .. .. EE .. .. .. .. RU .. .. .. .. .. .. .. .. .. .. ..
CA .. .. .. .. .. .. .. .. .. .. .. .. IE GB .. NL DE PL LT LV .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..
.. .. .. .. .. PM .. .. .. .. .. .. .. GG JE BE LU CZ SK .. BY .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..
US .. .. .. .. .. .. .. .. .. .. .. .. .. FR CH LI AT HU UA MD .. .. .. KZ .. .. .. MN .. .. .. .. .. .. .. ..
.. .. .. .. .. .. .. .. .. .. .. .. .. AD MC IT SI HR RS RO .. .. GE .. UZ KG .. .. .. .. .. .. .. .. .. .. ..
.. .. .. .. .. BM .. .. .. .. .. .. PT ES .. VA SM BA XK BG .. .. AM AZ TM TJ .. .. CN .. KP .. JP .. .. .. ..
MX .. .. .. BS TC .. .. .. .. .. .. .. GI .. .. ME AL MK .. TR .. .. .. .. .. .. .. .. .. KR .. .. .. .. .. ..
GT BZ .. CU HT DO PR VI VG .. .. .. MA DZ TN MT .. .. GR CY LB SY IQ IR AF .. .. .. .. .. TW .. .. .. .. .. ..
SV HN KY JM .. AI SX MF BL .. .. .. EH .. .. LY .. EG .. PS IL JO KW BH .. PK NP BT MO HK .. .. .. .. .. .. ..
.. NI .. .. .. .. KN AG MS .. CV SN MR ML NE TD .. SD ER .. .. SA QA AE .. IN BD MM LA VN .. PH .. MP .. .. ..
.. CR .. AW CW BQ DM GP MQ .. GM GW GN BF .. NG CM CF SS ET DJ .. YE OM .. LK .. TH KH .. .. .. .. GU MH .. ..
.. PA .. .. TT GD VC LC BB .. SL LR CI GH TG BJ GQ .. UG KE SO .. .. .. MV .. .. .. MY BN .. PW .. FM NR KI ..
.. .. CO VE GY SR GF .. .. .. .. .. .. .. .. ST GA CG RW TZ .. SC .. .. .. .. .. .. SG ID TL .. PG SB TV TK ..
.. EC PE .. BR .. .. .. .. .. .. .. .. SH .. .. AO CD BI MW KM YT .. .. .. .. .. .. .. .. .. .. .. VU FJ WF WS
.. .. .. BO PY .. .. .. .. .. .. .. .. .. .. .. NA ZM ZW MZ MG RE MU .. .. .. .. .. .. .. .. AU .. NC TO NU AS
.. .. CL AR UY .. .. .. .. .. .. .. .. .. .. .. .. BW SZ .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. CK PF
.. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ZA LS .. .. .. .. .. .. .. .. .. .. .. .. .. .. NZ .. .. ..
.. .. .. .. FK .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..
"""
STEPS = 5
# What a box has to hold of all that is placed, and how narrow it may be, in cells; its shape is 3 to 2.
SHARE = 0.95
LEAST = 9


class Cell(NamedTuple):
    """A place on the grid: columns eastwards, rows southwards, from 0."""

    x: int
    y: int


class Box(NamedTuple):
    """A part of the grid, in cells."""

    x: float
    y: float
    width: float
    height: float

    def holds(self, cell: Cell) -> bool:
        """Whether a cell lies in it, whole."""
        return (self.x <= cell.x <= self.x + self.width - 1) and (self.y <= cell.y <= self.y + self.height - 1)


CELLS: Mapping[str, Cell] = {
    code: Cell(x, y) for y, line in enumerate(GRID.split("\n")[1:-1]) for x, code in enumerate(line.split())
    if code != ".."}
WORLD = Box(0, 0, max(cell.x for cell in CELLS.values()) + 1, max(cell.y for cell in CELLS.values()) + 1)


def box_of(amounts: Mapping[str, float]) -> Box:
    """A small part of the world that holds SHARE of what is placed, no smaller than LEAST; the world for nothing."""
    placed = {CELLS[code]: amount for code, amount in amounts.items() if code in CELLS and amount > 0}
    if not placed:
        return WORLD
    needed, kept = SHARE * sum(placed.values()), set(placed)
    while smaller := min(_trimmed(kept, placed, needed), key=_area, default=None):
        kept = smaller
    return _shaped(_around(kept))


def steps_of(amounts: Iterable[float]) -> dict[float, int]:
    """By amount its step, 1 to STEPS: steps hold about as many different amounts each, the largest is in the last."""
    ordered = sorted(set(amounts), reverse=True)
    return {amount: STEPS - STEPS * larger // len(ordered) for larger, amount in reversed(list(enumerate(ordered)))}


def _trimmed(kept: set[Cell], placed: Mapping[Cell, float], needed: float) -> list[set[Cell]]:
    """What is left when the cells of one edge go, as often as enough is left."""
    box = _around(kept)
    edges = (lambda cell: cell.x > box.x, lambda cell: cell.x < box.x + box.width - 1,
             lambda cell: cell.y > box.y, lambda cell: cell.y < box.y + box.height - 1)
    found = [set(filter(is_in, kept)) for is_in in edges]
    return [left for left in found if left and sum(placed[cell] for cell in left) >= needed]


def _around(cells: Iterable[Cell]) -> Box:
    found = list(cells)
    x, y = min(cell.x for cell in found), min(cell.y for cell in found)
    return Box(x, y, max(cell.x for cell in found) - x + 1, max(cell.y for cell in found) - y + 1)


def _area(cells: set[Cell]) -> float:
    box = _around(cells)
    return box.width * box.height


def _shaped(box: Box) -> Box:
    """The box with as much around it as makes it 3 to 2, moved so that it stays in the world; else the world."""
    size = max(ceil(box.width / 3), ceil(box.height / 2), LEAST // 3)
    width, height = 3 * size, 2 * size
    if width > WORLD.width or height > WORLD.height:
        return WORLD
    x = min(max(box.x - (width - box.width) // 2, 0), WORLD.width - width)
    y = min(max(box.y - (height - box.height) // 2, 0), WORLD.height - height)
    return Box(x, y, width, height)
