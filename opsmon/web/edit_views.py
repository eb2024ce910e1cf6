"""What the pages say that boards are made with: the list, the editor, the gallery, and two edits that met."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from dataclasses import dataclass
from typing import Any

from opsmon.web.views import shown


@dataclass(frozen=True, slots=True)
class ListedView:
    """A board in the list."""

    id: str = shown("its id, as in its address")
    title: str = shown("'Sales'")
    about: str = shown("'15 tiles, 8 on the wall. Changed.'")
    version: int = shown("the version it is at, 0 while it never was saved")
    is_own: bool = shown("whether it was made here, and may be deleted")


@dataclass(frozen=True, slots=True)
class BoardsView:
    """All boards, and what became of the last deed."""

    boards: tuple[ListedView, ...] = shown("every board there is")
    deleted: tuple[ListedView, ...] = shown("those that were deleted and can be brought back")
    troubles: tuple[str, ...] = shown("what is wrong with a file or a name, () when nothing is")
    title: str = shown("the name that was typed for a new board", default="")


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """One of several."""

    value: str = shown("what the form sends")
    text: str = shown("what it is called")
    is_chosen: bool = shown("whether it is the one")


@dataclass(frozen=True, slots=True)
class FilterView:
    """A field by which a tile can be narrowed."""

    field: str = shown("its name as events tell it: 'channel'")
    label: str = shown("'Channel'")
    value: str = shown("which one, '' for all")
    known: tuple[str, ...] = shown("values that were seen this month")


@dataclass(frozen=True, slots=True)
class TileFormView:
    """A tile in the editor: what it shows now, and what can be changed of it."""

    key: str = shown("what tells it from the others on the board")
    label: str = shown("its title, or its KPI's")
    about: str = shown("'L. Place 1 on the wall'")
    view: Any = shown("the tile as it is now; None where the site cannot show it")
    trouble: str = shown("why the site cannot show it, or why a change was not taken; '' when all is well")
    is_first: bool = shown("whether it is the first of its row")
    is_last: bool = shown("whether it is the last of its row")
    is_open: bool = shown("whether its form is unfolded")
    focus: str = shown("the button that was pressed last: 'up', 'down', '' for none")
    title: str = shown("the title it was given, '' for the KPI's")
    sizes: tuple[ChoiceView, ...] = shown("S, M, L, wide")
    rows: tuple[ChoiceView, ...] = shown("live, near, batch")
    places: tuple[ChoiceView, ...] = shown("places on the wall, the first for none")
    wall_sizes: tuple[ChoiceView, ...] = shown("its size there")
    compares: tuple[ChoiceView, ...] = shown("what it may be compared with; () where there is nothing")
    filters: tuple[FilterView, ...] = shown("what it can be narrowed by; () where it cannot")
    not_narrowed: str = shown("why it cannot be narrowed, '' where it can")
    warn: str = shown("where it begins to warn, as it was written")
    critical: str = shown("where it is critical, as it was written")
    is_lowest: bool = shown("whether below is bad")
    limit_hint: str = shown("how a limit is written: 'a number, like 40'")
    part: str = shown("which tile without a number: 'text', 'clock', …; '' for a number", default="")
    text: str = shown("of a text: what is written", default="")
    levels: tuple[ChoiceView, ...] = shown("of a text: how loud it may be", default=())
    until: str = shown("of a text: until when it is shown, as a browser writes it", default="")
    zone: str = shown("of a clock: another zone than the site's", default="")


@dataclass(frozen=True, slots=True)
class EditRowView:
    """The tiles of one row."""

    name: str = shown("'Live'")
    every: str = shown("'as it happens'")
    tiles: tuple[TileFormView, ...] = shown("in order")


@dataclass(frozen=True, slots=True)
class EditView:
    """A board in the editor."""

    id: str = shown("its id")
    title: str = shown("its title")
    version: int = shown("the version this page was made of, sent with every form")
    rows: tuple[EditRowView, ...] = shown("live, near, batch; those that have tiles")
    notice: str = shown("what was done last: 'Removed: Orders today'; '' for nothing")
    trouble: str = shown("why the last deed could not be done, '' when it was")
    is_own: bool = shown("whether it was made here; else it can be put back")
    can_undo: bool = shown("whether an earlier version is kept")
    is_changed: bool = shown("whether it is other than it comes with opsmon")
    filters: tuple[FilterView, ...] = shown("by what the whole board can be narrowed in its address")


@dataclass(frozen=True, slots=True)
class OfferedView:
    """A KPI in the gallery."""

    kpi: str = shown("its id")
    label: str = shown("its name")
    view: Any = shown("its tile with the present reading")
    is_there: bool = shown("whether it stands on the board already")


@dataclass(frozen=True, slots=True)
class GalleryGroupView:
    """KPIs that belong together."""

    title: str = shown("'Sales'")
    offered: tuple[OfferedView, ...] = shown("its KPIs")


@dataclass(frozen=True, slots=True)
class GalleryView:
    """Every KPI of the site, to be put on a board."""

    id: str = shown("the board's id")
    title: str = shown("the board's title")
    version: int = shown("the version this page was made of")
    groups: tuple[GalleryGroupView, ...] = shown("sales, operations, technology, own")


@dataclass(frozen=True, slots=True)
class ConflictView:
    """Somebody else saved the board since this page was opened: theirs stands, and mine can be done on top."""

    id: str = shown("the board's id")
    title: str = shown("the board's title as it is now")
    version: int = shown("the version that counts now")
    theirs: tuple[str, ...] = shown("what they changed, a sentence each")
    mine: tuple[str, ...] = shown("what I was about to change")
    form: tuple[tuple[str, str], ...] = shown("the fields of my form, to be sent again")
