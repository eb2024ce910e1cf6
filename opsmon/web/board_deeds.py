"""What a form of the editor asks for, done to a board; and the tile it leaves in view."""

from collections.abc import Mapping
from dataclasses import replace

from opsmon.core.board_edits import CannotEdit, add, change, find, move, place_of, remove, rename
from opsmon.core.board_records import CADENCES, COMPARES, MOST_VALUE, SIZES, cleaned, wrong_options
from opsmon.core.boards import Board
from opsmon.core.catalogue import Catalogue
from opsmon.core.narrowing import comparisons
from opsmon.core.parts import LEVELS, PARTS, cleaned_lines, kpi_of
from opsmon.core.slots import PLAIN, Options, Slot

Form = Mapping[str, str]
ONLY = "only-"


def done(board: Board, form: Form, catalogue: Catalogue) -> tuple[Board, str]:
    """The board after a deed, and the key of the tile it was about ('' for none). Raises CannotEdit."""
    key = form.get("tile", "")
    match form.get("act"):
        case "add":
            after = add(board, form.get("kpi", ""), catalogue)
            return after, next(slot.key for slot in after.slots if slot.key not in {one.key for one in board.slots})
        case "remove":
            return remove(board, key), ""
        case "up":
            return move(board, key, -1), key
        case "down":
            return move(board, key, 1), key
        case "title":
            return rename(board, cleaned(form.get("title", ""))), ""
        case "tile":
            return _changed(board, key, form, catalogue)
    raise CannotEdit("This button is not known: load the page again.")


def slot_of(slot: Slot, form: Form, catalogue: Catalogue) -> Slot:
    """A tile as a form describes it, right or wrong."""
    size = next((size for size in SIZES if size == form.get("size")), slot.size)
    if slot.kpi in PARTS:
        return replace(slot, size=size, options=_said(slot, form))
    kpi = catalogue.kpi_by_id[slot.kpi]
    only = tuple(sorted((name.removeprefix(ONLY), cleaned(value, MOST_VALUE)) for name, value in form.items()
                        if name.startswith(ONLY) and value.strip()))
    compare = next((one for one in COMPARES if one == form.get("compare")), PLAIN.compare)
    is_comparable = not only and compare in comparisons(kpi, catalogue)
    options = Options(cleaned(form.get("title", "")), only, compare if is_comparable else PLAIN.compare,
                      cleaned(form.get("warn", ""), MOST_VALUE), cleaned(form.get("critical", ""), MOST_VALUE),
                      form.get("direction") == "below")
    if not options.warn and not options.critical:
        options = replace(options, is_lowest=False)
    options = replace(options, title="" if options.title == kpi.label else options.title)
    return replace(slot, size=size, options=options)


def _said(slot: Slot, form: Form) -> Options:
    """What a form says of a tile without a number."""
    level = next((level for level in LEVELS if level == form.get("level")), PLAIN.level)
    until, zone = (cleaned(form.get(name, ""), MOST_VALUE) for name in ("until", "zone"))
    # A browser may write seconds too.
    said = Options(text=cleaned_lines(form.get("text", "")), level=level, until=until[:16], zone=zone)
    title = cleaned(form.get("title", ""))
    return Options(title=title, **{name: getattr(said, name) for name in PARTS[slot.kpi].takes})


def _changed(board: Board, key: str, form: Form, catalogue: Catalogue) -> tuple[Board, str]:
    before = find(board, key)
    if kpi_of(before.kpi, catalogue) is None:
        raise CannotEdit("There is no such KPI any more: this tile can only be removed.")
    slot = slot_of(before, form, catalogue)
    wrong = wrong_options(slot, catalogue)
    if wrong:
        raise CannotEdit("%(wrong)s.", wrong=wrong[0])
    cadence = next((one for one in CADENCES if one == form.get("row")), None)
    place = form.get("wall", str(place_of(board, key)))
    size = next((size for size in SIZES if size == form.get("wall_size")), slot.size)
    if cadence is None or not (place.isascii() and place.isdigit() and len(place) == 1):
        raise CannotEdit("This form is not whole: load the page again.")
    return change(board, key, slot, cadence, int(place), size), slot.key
