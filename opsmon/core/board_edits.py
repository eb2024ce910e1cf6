"""Edits of a board, each a small deed on one tile or the whole, and what two versions of a board differ in.

A tile is named by its key, not by its place: so a deed means the same on a version that somebody else has made.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from opsmon.core.board_records import CADENCES, MOST_TILES
from opsmon.core.boards import MOST_ON_A_WALL, USUAL, Board, Row, size_of
from opsmon.core.catalogue import Catalogue
from opsmon.core.parts import kpi_of
from opsmon.core.said import Said
from opsmon.core.slots import Cadence, Options, Size, Slot


class CannotEdit(Exception):
    """Why a deed cannot be done, in a sentence."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(Said(text, **values))
        self.sentence = Said(text, **values)


def find(board: Board, key: str) -> Slot:
    """A tile by its key. Raises CannotEdit."""
    found = next((slot for slot in board.slots if slot.key == key), None)
    if found is None:
        raise CannotEdit("This tile is not on the board any more.")
    return found


def cadence_of(board: Board, key: str) -> Cadence:
    """The row a tile stands in. Raises CannotEdit."""
    find(board, key)
    return next(row.cadence for row in board.rows if key in {slot.key for slot in row.slots})


def place_of(board: Board, key: str) -> int:
    """A tile's place on the wall, 0 where it is not on it."""
    return next((place for place, slot in enumerate(board.wall, 1) if slot.key == key), 0)


def add(board: Board, kpi_id: str, catalogue: Catalogue) -> Board:
    """Put a KPI at the end of its usual row, and on the wall while there is room. Raises CannotEdit."""
    kpi = kpi_of(kpi_id, catalogue)
    if kpi is None:
        raise CannotEdit("There is no such KPI.")
    if len(board.slots) >= MOST_TILES:
        raise CannotEdit("A board has room for %(most)s tiles. Remove one first.", most=MOST_TILES)
    slot, number = Slot(kpi_id, size_of(kpi, catalogue)), 2
    while slot.key in {one.key for one in board.slots}:
        slot, number = replace(slot, options=Options(title=f"{kpi.label} ({number})")), number + 1
    wall = (*board.wall, slot) if len(board.wall) < MOST_ON_A_WALL else board.wall
    return replace(_into(board, slot, USUAL.get(kpi_id, "near")), wall=wall)


def remove(board: Board, key: str) -> Board:
    """Take a tile away, from the wall too. Raises CannotEdit."""
    find(board, key)
    rows = (replace(row, slots=_without(row.slots, key)) for row in board.rows)
    return replace(board, rows=tuple(row for row in rows if row.slots), wall=_without(board.wall, key))


def move(board: Board, key: str, step: int) -> Board:
    """Move a tile within its row: -1 forward, 1 back; where it cannot move on it stays. Raises CannotEdit."""
    find(board, key)
    return replace(board, rows=tuple(replace(row, slots=_moved(row.slots, key, step)) for row in board.rows))


def rename(board: Board, title: str) -> Board:
    """Another title. Raises CannotEdit."""
    if not title:
        raise CannotEdit("Give the board a name.")
    return replace(board, title=title)


def change(board: Board, key: str, slot: Slot, cadence: Cadence, place: int, wall_size: Size) -> Board:
    """Let a tile be `slot`, in this row, at this place of the wall (0: not there). Raises CannotEdit."""
    find(board, key)
    if slot.key != key and slot.key in {one.key for one in board.slots}:
        raise CannotEdit("The board has just this tile already: give it another title or filter.")
    others = _without(board.wall, key)
    if place and len(others) >= MOST_ON_A_WALL:
        raise CannotEdit("The wall is full: %(most)s tiles can be read from afar. Take one off first.",
                         most=MOST_ON_A_WALL)
    stays = cadence_of(board, key) == cadence
    if stays:
        rows = (replace(row, slots=tuple(slot if one.key == key else one for one in row.slots)) for row in board.rows)
        moved = replace(board, rows=tuple(rows))
    else:
        moved = _into(remove(board, key), slot, cadence)
    shown = replace(slot, size=wall_size)
    at = min(place - 1, len(others))
    return replace(moved, wall=(*others[:at], shown, *others[at:]) if place else others)


def changes(old: Board, new: Board, name: Callable[[Slot], str]) -> list[str]:
    """What `new` has otherwise than `old`, a sentence for each; `name` says what a tile is called."""
    before, after = {slot.key: slot for slot in old.slots}, {slot.key: slot for slot in new.slots}
    found: list[str] = [Said("Title: %(title)s", title=new.title)] if old.title != new.title else []
    found += [Said("Removed: %(tile)s", tile=name(slot)) for key, slot in before.items() if key not in after]
    found += [Said("Added: %(tile)s", tile=name(slot)) for key, slot in after.items() if key not in before]
    both = [key for key in after if key in before]
    for key in both:
        slot, was = after[key], before[key]
        if slot.size != was.size:
            found.append(Said("Size of %(tile)s: %(size)s", tile=name(slot), size=slot.size))
        if cadence_of(old, key) != cadence_of(new, key):
            found.append(Said("Row of %(tile)s: %(row)s", tile=name(slot), row=Said(cadence_of(new, key))))
    found += _moves([key for key in before if key in after], both, after, name)
    return found + _on_the_wall(old, new, name)


def _moves(was: Sequence[str], order: Sequence[str], slots: dict[str, Slot], name: Callable[[Slot], str]) -> list[str]:
    moved = [key for key, other in zip(order, was, strict=True) if key != other]
    named = ", ".join(name(slots[key]) for key in moved[:3]) + (" …" if len(moved) > 3 else "")
    return [Said("Order: %(tiles)s", tiles=named)] if moved else []


def _on_the_wall(old: Board, new: Board, name: Callable[[Slot], str]) -> list[str]:
    both = {slot.key for slot in old.slots} & {slot.key for slot in new.slots}
    before, after = ([slot for slot in board.wall if slot.key in both] for board in (old, new))
    if before == after:
        return []
    on: list[str] = [Said("Now on the wall: %(tile)s", tile=name(slot)) for slot in after
                     if not place_of(old, slot.key)]
    off: list[str] = [Said("No longer on the wall: %(tile)s", tile=name(slot)) for slot in before
                      if not place_of(new, slot.key)]
    return on + off or [Said("Order or sizes on the wall")]


def _into(board: Board, slot: Slot, cadence: Cadence) -> Board:
    """A tile at the end of a row, which is made where it is not there."""
    rows = {row.cadence: row for row in board.rows}
    row = rows.get(cadence, Row(cadence, ()))
    rows[cadence] = replace(row, slots=(*row.slots, slot))
    return replace(board, rows=tuple(rows[one] for one in CADENCES if one in rows))


def _without(slots: Sequence[Slot], key: str) -> tuple[Slot, ...]:
    return tuple(slot for slot in slots if slot.key != key)


def _moved(slots: tuple[Slot, ...], key: str, step: int) -> tuple[Slot, ...]:
    at = next((at for at, slot in enumerate(slots) if slot.key == key), None)
    if at is None or not 0 <= at + step < len(slots):
        return slots
    rest = _without(slots, key)
    return (*rest[: at + step], slots[at], *rest[at + step :])
