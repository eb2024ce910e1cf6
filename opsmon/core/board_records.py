"""A board as plain data, as it is stored and written to a file; and what is wrong with one, in the user's words.

`parse` judges the shape alone. Which KPIs there are may change under a stored board: `problems` says what a board asks
that this site cannot answer, `known` leaves that out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, TypeVar, cast, get_args

from opsmon.core.boards import BOARDS, MOST_ON_A_WALL, Board, Row
from opsmon.core.calendar import SiteCalendar
from opsmon.core.catalogue import Catalogue
from opsmon.core.limits import wrong_limits
from opsmon.core.narrowing import comparisons, fields_of, narrowed
from opsmon.core.parts import BY_NAME, LEVELS, PARTS, Part, cleaned_lines, is_over, wrong_part
from opsmon.core.said import Said
from opsmon.core.slots import PLAIN, Cadence, Compare, Options, Size, Slot

MOST_TILES = 40
MOST_TITLE = 60
MOST_VALUE = 48
SIZES: tuple[Size, ...] = get_args(Size)
CADENCES: tuple[Cadence, ...] = get_args(Cadence)
COMPARES: tuple[Compare, ...] = get_args(Compare)
BUILT_IN_IDS = frozenset(board.id for board in BOARDS) | {"own"}

_ID = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_CONTROLS = dict.fromkeys([*range(32), 127], " ")
_EVERY = ("size", "title", "wall", "wall_size")
_TILE = ("kpi", "tile", "only", "compare", "warn", "critical", "direction", *_EVERY)
_OF_ORDERS = frozenset(board.id for board in BOARDS if board.is_of_orders)
T = TypeVar("T")

# A tile as it is read: its slot, its place on the wall (0: none) and its size there.
_Tile = tuple[Slot, int, Size]


def is_id(text: object) -> bool:
    """Whether a board may be called so in its address: a to z, digits and hyphens, at most 40."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def cleaned(text: str, most: int = MOST_TITLE) -> str:
    """A text on one line, no longer than it may be."""
    return " ".join(text.translate(_CONTROLS).split())[:most].strip()


def dump(board: Board) -> dict[str, Any]:
    """A board as plain data; `parse` of it gives the same board."""
    places = {slot.key: (place, slot.size) for place, slot in enumerate(board.wall, 1)}
    return {"board": board.id, "title": board.title,
            "rows": [{"cadence": row.cadence, "tiles": [_tile(slot, places) for slot in row.slots]}
                     for row in board.rows]}


def parse(told: object) -> tuple[Board | None, list[str]]:
    """The board that plain data tell, or what is wrong with them: every mistake with its place."""
    wrong: list[str] = []
    found = _table(told, "the file", ("board", "title", "rows"), wrong)
    board_id, title = found.get("board"), _text(found, "title", "the board", MOST_TITLE, wrong)
    if not is_id(board_id):
        wrong.append("board: give it an id of a to z, digits and hyphens, beginning with a letter, like \"my-line\"")
    if not title:
        wrong.append("title: give the board a name")
    rows, tiles = _rows(found.get("rows", []), wrong)
    wrong += _crowded(tiles)
    if wrong:
        return None, wrong
    wall = sorted((place, at) for at, (_, place, _) in enumerate(tiles) if place)
    on_wall = tuple(replace(tiles[at][0], size=tiles[at][2]) for _, at in wall)
    return Board(cast(str, board_id), title, rows, on_wall, board_id in _OF_ORDERS), []


def problems(board: Board, catalogue: Catalogue) -> list[str]:
    """What this site cannot show of a board, a sentence for each; [] when nothing."""
    return [sentence for number, slot in enumerate(board.slots, 1)
            for sentence in _of_slot(slot, f"tile {number} ({slot.kpi})", catalogue)]


def known(board: Board, catalogue: Catalogue) -> Board:
    """A board without what this site cannot show: a number that was not asked for must not stand in its place."""
    def kept(slots: Sequence[Slot]) -> tuple[Slot, ...]:
        return tuple(slot for slot in slots if not _of_slot(slot, "", catalogue))

    rows = tuple(replace(row, slots=kept(row.slots)) for row in board.rows)
    return replace(board, rows=tuple(row for row in rows if row.slots), wall=kept(board.wall))


def current(board: Board, calendar: SiteCalendar, now_ms: int) -> Board:
    """A board without texts whose time is over."""
    def kept(slots: Sequence[Slot]) -> tuple[Slot, ...]:
        return tuple(slot for slot in slots if not is_over(slot, calendar, now_ms))

    if not any(slot.options.until for slot in board.slots):
        return board
    rows = tuple(replace(row, slots=kept(row.slots)) for row in board.rows)
    return replace(board, rows=tuple(row for row in rows if row.slots), wall=kept(board.wall))


def wrong_options(slot: Slot, catalogue: Catalogue) -> list[str]:
    """What is wrong with what a slot says of its KPI, which is known."""
    if slot.kpi in PARTS:
        return wrong_part(slot.options)
    kpi, options = catalogue.kpi_by_id[slot.kpi], slot.options
    found = wrong_limits(options, kpi.unit)
    if options.only and narrowed(kpi, options.only, catalogue) is None:
        names, asked = ", ".join(fields_of(kpi, catalogue)), " + ".join(name for name, _ in options.only)
        found.append(Said("only: %(kpi)s is not counted by %(fields)s; it can be narrowed by %(names)s",
                          kpi=Said(kpi.label), fields=asked, names=names) if names else
                     Said("only: %(kpi)s is not counted by %(fields)s; it cannot be narrowed", kpi=Said(kpi.label),
                          fields=asked))
    elif options.compare != "week" and options.compare not in comparisons(kpi, catalogue):
        found.append(Said("compare: %(kpi)s cannot be compared so", kpi=Said(kpi.label)))
    return found


def _of_slot(slot: Slot, where: str, catalogue: Catalogue) -> list[str]:
    if slot.kpi not in PARTS and slot.kpi not in catalogue.kpi_by_id:
        near = get_close_matches(slot.kpi, catalogue.kpi_by_id, 1)
        return [f"{where}: there is no KPI of this id" + (f"; did you mean {near[0]}?" if near else
                                                            "; `opsmon kpis` lists them")]
    return [f"{where}, {sentence}" for sentence in wrong_options(slot, catalogue)]


def _tile(slot: Slot, places: Mapping[str, tuple[int, Size]]) -> dict[str, Any]:
    options = slot.options
    place, size = places.get(slot.key, (0, slot.size))
    on_wall: dict[str, Any] = ({"wall": place} if place else {}) | ({"wall_size": size} if size != slot.size else {})
    if slot.kpi in PARTS:
        part = PARTS[slot.kpi]
        said = {name: getattr(options, name) for name in ("title", *part.takes)
                if getattr(options, name) != getattr(PLAIN, name)}
        return {"tile": part.name, "size": slot.size, **said, **on_wall}
    told: dict[str, Any] = {"kpi": slot.kpi, "size": slot.size, "title": options.title, "only": dict(options.only),
                            "compare": options.compare, "warn": options.warn, "critical": options.critical,
                            "direction": "below" if options.is_lowest else "over"}
    usual: dict[str, Any] = {"title": "", "only": {}, "compare": PLAIN.compare, "warn": "", "critical": "",
                             "direction": "over"}
    told = {name: value for name, value in told.items() if name not in usual or value != usual[name]}
    return told | on_wall


def _rows(told: object, wrong: list[str]) -> tuple[tuple[Row, ...], list[_Tile]]:
    if not isinstance(told, list):
        wrong.append("rows: a list of rows is needed, each with a cadence and its tiles")
        return (), []
    rows, tiles, order = [], [], -1
    for number, one in enumerate(told, 1):
        where = f"row {number}"
        found = _table(one, where, ("cadence", "tiles"), wrong)
        cadence = _choice(found, "cadence", where, CADENCES, CADENCES[1], wrong)
        if CADENCES.index(cadence) <= order:
            wrong.append(f"{where}: rows go live, near, batch, each once")
        order = CADENCES.index(cadence)
        listed = found.get("tiles", [])
        if not isinstance(listed, list):
            wrong.append(f"{where}: tiles is a list")
            continue
        read = [_read_tile(tile, f"{where}, tile {at}", wrong) for at, tile in enumerate(listed, 1)]
        rows.append(Row(cadence, tuple(slot for slot, _, _ in read)))
        tiles += read
    return tuple(row for row in rows if row.slots), tiles


def _read_tile(told: object, where: str, wrong: list[str]) -> _Tile:
    if isinstance(told, dict) and "tile" in told:
        return _read_part(told, where, wrong)
    found = _table(told, where, _TILE, wrong)
    kpi = _text(found, "kpi", where, 40, wrong)
    if not kpi:
        wrong.append(f"{where}: kpi is missing; `opsmon kpis` lists them")
    if kpi in PARTS:
        wrong.append(f"{where}: {kpi} is no KPI; say \"tile\": \"{PARTS[kpi].name}\" instead")
    size = _choice(found, "size", where, SIZES, "M", wrong)
    options = Options(
        title=_text(found, "title", where, MOST_TITLE, wrong), only=_only(found, where, wrong),
        compare=_choice(found, "compare", where, COMPARES, PLAIN.compare, wrong),
        warn=_text(found, "warn", where, MOST_VALUE, wrong),
        critical=_text(found, "critical", where, MOST_VALUE, wrong),
        is_lowest=_choice(found, "direction", where, ("over", "below"), "over", wrong) == "below")
    return Slot(kpi, size, options), _place(found, where, wrong), _wall_size(found, where, size, wrong)


def _read_part(told: Mapping[str, Any], where: str, wrong: list[str]) -> _Tile:
    """A tile without a number."""
    part = BY_NAME[_choice(told, "tile", where, tuple(BY_NAME), next(iter(BY_NAME)), wrong)]
    found = _table(told, where, ("tile", *part.takes, *_EVERY), wrong)
    size = _choice(found, "size", where, SIZES, part.size, wrong)
    options = Options(title=_text(found, "title", where, MOST_TITLE, wrong), **_said(part, found, where, wrong))
    wrong += [f"{where}, {sentence}" for sentence in wrong_part(options)]
    return Slot(part.id, size, options), _place(found, where, wrong), _wall_size(found, where, size, wrong)


def _said(part: Part, found: Mapping[str, Any], where: str, wrong: list[str]) -> dict[str, Any]:
    """What a file says of a tile without a number."""
    text = found.get("text", "")
    said: dict[str, Any] = {"text": cleaned_lines(text) if isinstance(text, str) else ""}
    if not isinstance(text, str):
        wrong.append(f"{where}: text is a text, in quotes")
    said["level"] = _choice(found, "level", where, LEVELS, PLAIN.level, wrong)
    said |= {name: _text(found, name, where, MOST_VALUE, wrong) for name in ("until", "zone")}
    return {name: value for name, value in said.items() if name in part.takes}


def _wall_size(found: Mapping[str, Any], where: str, size: Size, wrong: list[str]) -> Size:
    return _choice(found, "wall_size", where, SIZES, size, wrong)


def _place(found: Mapping[str, Any], where: str, wrong: list[str]) -> int:
    """The place on the wall, 0 for none."""
    place = found.get("wall", 0)
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place <= MOST_ON_A_WALL:
        wrong.append(f"{where}: wall is its place there, 1 to {MOST_ON_A_WALL}")
        return 0
    return place


def _crowded(tiles: Sequence[_Tile]) -> list[str]:
    """What only all tiles together show."""
    found = []
    keys = [slot.key for slot, _, _ in tiles]
    for at, key in enumerate(keys):
        if key in keys[:at] and tiles[at][0].kpi:
            found.append(f"{tiles[at][0].kpi} stands on the board twice: give one of them another title or filter")
    if len(tiles) > MOST_TILES:
        found.append(f"rows: {len(tiles)} tiles are more than the {MOST_TILES} that a board may have")
    if sum(1 for _, place, _ in tiles if place) > MOST_ON_A_WALL:
        found.append(f"wall: at most {MOST_ON_A_WALL} tiles can be read from afar")
    return found


def _table(told: object, where: str, names: Sequence[str], wrong: list[str]) -> Mapping[str, Any]:
    if not isinstance(told, dict):
        wrong.append(f"{where}: {{…}} with {', '.join(names)} is needed")
        return {}
    for name in told:
        if name not in names:
            near = get_close_matches(str(name), names, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            wrong.append(f"{where}: {str(name)[:40]} is not known here{meant}")
    return told


def _text(found: Mapping[str, Any], name: str, where: str, most: int, wrong: list[str]) -> str:
    value = found.get(name, "")
    if not isinstance(value, str):
        wrong.append(f"{where}: {name} is a text, in quotes")
        return ""
    if len(value) > most:
        wrong.append(f"{where}: {name} is longer than {most} characters")
    return cleaned(value, most)


def _choice(found: Mapping[str, Any], name: str, where: str, choices: Sequence[T], usual: T, wrong: list[str]) -> T:
    value = found.get(name, usual)
    if value not in choices:
        wrong.append(f"{where}: {name} is one of {', '.join(map(str, choices))}")
        return usual
    return cast(T, value)


def _only(found: Mapping[str, Any], where: str, wrong: list[str]) -> tuple[tuple[str, str], ...]:
    told = found.get("only", {})
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        wrong.append(f"{where}: only says which, like {{\"channel\": \"pos\"}}")
        return ()
    return tuple(sorted((str(field)[:MOST_VALUE], value[:MOST_VALUE]) for field, value in told.items()))
