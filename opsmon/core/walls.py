"""A wall: how large letters have to be for who reads them, and how tiles are spread over its pages. Arithmetic only.

Letters are measured in % of the screen's height (vh), since with the distance that alone decides what can be read.
Source of the rule: ISO 9241-3, capitals of 16 minutes of arc at least; capitals are 0.72 of the font size.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, hypot, radians, tan
from typing import Literal

from opsmon.core.boards import HOME, Board, Placed
from opsmon.core.parts import TEXT
from opsmon.core.slots import Slot

# How many tiles a page holds: many beside each other, some (two by two), few (two, one above the other).
Fit = Literal["many", "some", "few"]

MOST_PAGES = 3
# Of the smallest letters, % of the height: what a wall has unasked, and what still leaves room for two tiles.
SMALLEST_VH = 2.8
LARGEST_VH = 7.4
_STEP_VH = 0.2
_CAPITALS = 0.72
_ARC = tan(radians(16 / 60))
_HEIGHT_OF_INCH_MM = 25.4 * 9 / hypot(16, 9)
_MOST_ROWS = {"many": 3, "some": 2, "few": 2}
_ORDER = {"L": 0, "M": 1, "S": 1, "wide": 2}
_ALL = 24


def letters_vh(inches: float, metres: float) -> float:
    """Font size of the smallest letters, in % of the height of a 16:9 screen of this diagonal, that can be read from so
    far away. Both are above 0."""
    return metres * 1000 * _ARC / _CAPITALS / (inches * _HEIGHT_OF_INCH_MM) * 100


def metres_read(inches: float, letters: float) -> float:
    """From how far letters of this size (vh) can be read: the other way round."""
    return letters / 100 * inches * _HEIGHT_OF_INCH_MM * _CAPITALS / _ARC / 1000


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of a wall: font size of the smallest ones in tenths of a vh, and what was asked for in vh."""

    tenths: int
    asked_vh: float

    @property
    def fit(self) -> Fit:
        """How many tiles there is room for."""
        return "many" if self.tenths <= 32 else "some" if self.tenths <= 50 else "few"

    @property
    def are_too_small(self) -> bool:
        """Whether larger ones were asked for than leave room for anything."""
        return self.asked_vh > self.tenths / 10


def letters_for(inches: float | None, metres: float | None) -> Letters:
    """The letters for a screen and a distance: the next step up, never below what a wall has unasked nor above what
    leaves room for tiles. Without either, those of a wall unasked."""
    if inches is None or metres is None:
        return Letters(round(SMALLEST_VH * 10), SMALLEST_VH)
    asked = letters_vh(inches, metres)
    stepped = SMALLEST_VH + ceil(round((asked - SMALLEST_VH) / _STEP_VH, 6)) * _STEP_VH
    return Letters(round(min(max(stepped, SMALLEST_VH), LARGEST_VH) * 10), asked)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tile stands: which slot, and how many of 24 columns it takes on a wide wall; 0: as its board has it."""

    placed: Placed
    columns: int

    @property
    def slot(self) -> Slot:
        """What stands there."""
        return self.placed.slot


@dataclass(frozen=True, slots=True)
class WallPage:
    """What is on the wall at one time."""

    board: Board
    places: tuple[Place, ...]

    @property
    def is_as_made(self) -> bool:
        """Whether the places are those the board was drawn with, and not reckoned."""
        return not all(place.columns for place in self.places)


@dataclass(frozen=True, slots=True)
class Wall:
    """Up to three pages in turn, and how many tiles had no room on them."""

    pages: tuple[WallPage, ...]
    left_out: int


def wall_of(boards: Sequence[Board], fit: Fit, is_shown: Callable[[str], bool]) -> Wall:
    """The tiles of up to three boards, those of a KPI that `is_shown`, over up to three pages; a KPI that several show
    stands on the first. Each board begins a page of its own."""
    asked, told = boards[:MOST_PAGES], set[str]()
    pages, left_out = list[WallPage](), 0
    for board in asked:
        slots = [one for one in board.placed("wall") if is_shown(one.slot.kpi) and one.slot.key not in told]
        told |= {one.slot.key for one in slots}
        parts = _parts(slots, fit)
        room = MOST_PAGES // len(asked)
        left_out += sum(map(len, parts[room:]))
        if board.id == HOME and fit == "many" and len(slots) == len(board.wall):
            parts = [tuple(Place(slot, 0) for slot in slots)]
        pages += [WallPage(board, part) for part in parts[:room]]
    return Wall(tuple(pages), left_out)


def _parts(slots: Sequence[Placed], fit: Fit) -> list[tuple[Place, ...]]:
    """The tiles of a board page by page: rows that are filled to the edge, as evenly as they go."""
    ordered = sorted(map(_readable, slots), key=lambda one: (_ORDER[one.slot.size], one.slot.kpi != TEXT))
    rows = list(_rows(ordered, fit))
    each = ceil(len(rows) / max(ceil(len(rows) / _MOST_ROWS[fit]), 1))
    return [tuple(Place(slot, _ALL // len(row)) for row in rows[start:start + each] for slot in row)
            for start in range(0, len(rows), each or 1)]


def _readable(placed: Placed) -> Placed:
    """A place with room for what stands there: a text is cut nowhere and read from afar, so it is wide."""
    slot = placed.slot
    return placed._replace(slot=replace(slot, size="wide")) if slot.kpi == TEXT and slot.size != "wide" else placed


def _rows(slots: Sequence[Placed], fit: Fit) -> Iterator[list[Placed]]:
    """Large ones first, wide ones last; where there is room for many, each kind in rows of its own; where letters are
    large a text has a whole row."""
    row = list[Placed]()
    for slot in slots:
        is_other = fit == "many" and bool(row) and _ORDER[row[0].slot.size] != _ORDER[slot.slot.size]
        is_other |= fit != "many" and bool(row) and TEXT in (row[0].slot.kpi, slot.slot.kpi)
        if row and (is_other or len(row) == _most(row[0].slot, fit)):
            yield row
            row = []
        row.append(slot)
    if row:
        yield row


def _most(slot: Slot, fit: Fit) -> int:
    """How many of a kind stand in a row."""
    return {"many": 4 if slot.size in ("M", "S") else 2, "some": 2, "few": 1}[fit]
