"""Boards and their edits in words, for the pages they are made with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from opsmon.core.board_edits import cadence_of, place_of
from opsmon.core.board_records import BUILT_IN_IDS, CADENCES, SIZES, wrong_options
from opsmon.core.boards import MOST_ON_A_WALL, Board
from opsmon.core.catalogue import Catalogue
from opsmon.core.limits import hint
from opsmon.core.narrowing import comparisons, fields_of
from opsmon.core.parts import LEVELS, PARTS, TEXT
from opsmon.core.slots import Cadence, Slot
from opsmon.store.board_queries import Saved
from opsmon.web.edit_views import ChoiceView, EditRowView, FilterView, ListedView, TileFormView
from opsmon.web.filters import field_words
from opsmon.web.languages import N_
from opsmon.web.part_views import LEVELS as LEVEL_WORDS
from opsmon.web.slot_views import label_of
from opsmon.web.wording import Wording

_SIZES = {"S": N_("Small"), "M": N_("Medium"), "L": N_("Large"), "wide": N_("Wide")}
_ROWS: dict[Cadence, tuple[str, str]] = {
    "live": (N_("Live"), N_("as it happens")), "near": (N_("Near"), N_("every 30 s")),
    "batch": (N_("Batch"), N_("hourly, and when a board is opened"))}
_COMPARES = {"week": N_("the same weekday last week"), "yesterday": N_("yesterday"), "none": N_("nothing")}
AREAS = {"sales": N_("Sales"), "operations": N_("Operations"), "technology": N_("Technology")}
OWN = N_("Your own")
NO_NUMBER = N_("Without a number")
# So much of a text names its tile.
_MOST_NAME = 24


class BoardWords:
    """Says what stands on boards, in the words of one site."""

    def __init__(self, catalogue: Catalogue, wording: Wording) -> None:
        self._catalogue, self._wording = catalogue, wording

    def name(self, slot: Slot) -> str:
        """What a tile is called."""
        if slot.kpi in PARTS:
            return slot.options.title or self._part_name(slot)
        kpi = self._catalogue.kpi_by_id.get(slot.kpi)
        if kpi is None:
            return slot.options.title or slot.kpi
        rollup = self._catalogue.rollup(kpi.rollup)
        return slot.options.title or label_of(self._wording.say(kpi.label), slot.options, rollup, self._wording)

    def listed(self, board: Board, saved: Saved) -> ListedView:
        """A board in the list."""
        say, many = self._wording.say, self._wording.many
        is_own = board.id not in BUILT_IN_IDS
        kind = say("Made here.") if is_own else say("Changed.") if saved.told else say("As it comes.")
        tiles = many("%(num)s tile", "%(num)s tiles", len(board.slots))
        wall = say("%(count)s on the wall", count=self._wording.number(len(board.wall)))
        return ListedView(board.id, say(board.title), f"{tiles}, {wall}. {kind}", saved.version, is_own)

    def rows(self, board: Board, views: Mapping[str, object], known: Mapping[str, Sequence[str]],
             focus: tuple[str, str]) -> tuple[EditRowView, ...]:
        """The rows of a board in the editor; `views` are its tiles by key, `known` values by field, `focus` the tile
        and the button that were pressed last."""
        say = self._wording.say
        return tuple(EditRowView(say(_ROWS[row.cadence][0]), say(_ROWS[row.cadence][1]), tuple(
            self.tile(board, slot, views.get(slot.key), known, focus) for slot in row.slots)) for row in board.rows)

    def tile(self, board: Board, slot: Slot, view: object, known: Mapping[str, Sequence[str]],
             focus: tuple[str, str], trouble: str = "") -> TileFormView:
        """A tile in the editor."""
        say, options, place = self._wording.say, slot.options, place_of(board, slot.key)
        cadence = cadence_of(board, slot.key)
        row = next(row.slots for row in board.rows if row.cadence == cadence)
        fields = self._fields(slot)
        on_wall = say("place %(place)s on the wall", place=place) if place else say("not on the wall")
        wall_size = next((one.size for one in board.wall if one.key == slot.key), slot.size)
        form = TileFormView(
            slot.key, self.name(slot), f"{say(_SIZES[slot.size])}, {on_wall}", view,
            trouble or " ".join(f"{say(one)}." for one in self._wrong(slot)), slot.key == row[0].key,
            slot.key == row[-1].key, bool(trouble) or (focus[0] == slot.key and focus[1] in ("add", "tile")),
            focus[1] if focus[0] == slot.key else "", options.title, self._sizes(slot.size), self._cadences(cadence),
            self._places(place), self._sizes(wall_size), self._compares(slot),
            tuple(FilterView(field, field_words(field, self._wording), dict(options.only).get(field, ""),
                             tuple(known.get(field, ()))) for field in fields),
            "" if fields else say("This number cannot be narrowed: it is not counted by channel, country or the like."),
            options.warn, options.critical, options.is_lowest, self._hint(slot))
        return self._as_part(form, slot) if slot.kpi in PARTS else form

    def _as_part(self, form: TileFormView, slot: Slot) -> TileFormView:
        """The same of a tile without a number: nothing is narrowed or marked."""
        part, options, say = PARTS[slot.kpi], slot.options, self._wording.say
        levels = tuple(ChoiceView(one, say(LEVEL_WORDS[one]), one == options.level) for one in LEVELS)
        return replace(form, not_narrowed="", limit_hint="", part=part.name, text=options.text, until=options.until,
                       levels=levels if "level" in part.takes else (), zone=options.zone,
                       is_open=form.is_open or (slot.kpi == TEXT and not options.text))

    def _part_name(self, slot: Slot) -> str:
        """'Text: Stocktaking at 4 …', 'Clock: America/New_York'."""
        label, said = self._wording.say(PARTS[slot.kpi].kpi.label), slot.options.text or slot.options.zone
        short = said.partition("\n")[0]
        return f"{label}: {short[:_MOST_NAME].strip()}{' …' if len(short) > _MOST_NAME or short != said else ''}" if (
            said) else label

    def filters(self, board: Board, known: Mapping[str, Sequence[str]]) -> tuple[FilterView, ...]:
        """By what the whole board can be narrowed."""
        fields = dict.fromkeys(field for slot in board.slots for field in self._fields(slot))
        return tuple(FilterView(field, field_words(field, self._wording), "", tuple(known.get(field, ())))
                     for field in fields)

    def fields(self, slots: Sequence[Slot]) -> tuple[str, ...]:
        """By what any of these tiles can be narrowed."""
        return tuple(dict.fromkeys(field for slot in slots for field in self._fields(slot)))

    def _fields(self, slot: Slot) -> tuple[str, ...]:
        kpi = self._catalogue.kpi_by_id.get(slot.kpi)
        return fields_of(kpi, self._catalogue) if kpi else ()

    def _wrong(self, slot: Slot) -> list[str]:
        if slot.kpi in PARTS or slot.kpi in self._catalogue.kpi_by_id:
            return wrong_options(slot, self._catalogue)
        return [self._wording.say("There is no KPI %(kpi)s any more", kpi=slot.kpi)]

    def _hint(self, slot: Slot) -> str:
        kpi = self._catalogue.kpi_by_id.get(slot.kpi)
        return self._wording.say(hint(kpi.unit)) if kpi else ""

    def _sizes(self, chosen: str) -> tuple[ChoiceView, ...]:
        return tuple(ChoiceView(size, self._wording.say(_SIZES[size]), size == chosen) for size in SIZES)

    def _cadences(self, chosen: str) -> tuple[ChoiceView, ...]:
        say = self._wording.say
        return tuple(ChoiceView(one, f"{say(_ROWS[one][0])}: {say(_ROWS[one][1])}", one == chosen)
                     for one in CADENCES)

    def _places(self, chosen: int) -> tuple[ChoiceView, ...]:
        return tuple(ChoiceView(str(place), str(place) if place else self._wording.say("not there"), place == chosen)
                     for place in range(MOST_ON_A_WALL + 1))

    def _compares(self, slot: Slot) -> tuple[ChoiceView, ...]:
        kpi = self._catalogue.kpi_by_id.get(slot.kpi)
        kinds = comparisons(kpi, self._catalogue) if kpi and not slot.options.only else ()
        return tuple(ChoiceView(one, self._wording.say(_COMPARES[one]), one == slot.options.compare) for one in kinds)
