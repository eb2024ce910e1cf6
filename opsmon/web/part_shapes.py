"""What the tiles without a number receive: frozen values, already worded. Each has an id, a label and a state, as the
others have, so that whatever shows a tile can show them."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from dataclasses import dataclass
from typing import ClassVar, Literal

from opsmon.core.source_health import SourceState
from opsmon.web.views import DataState, shown


@dataclass(frozen=True, slots=True)
class PartView:
    """What each of them says."""

    id: str = shown("which tile it is: '_text'")
    label: str = shown("its title; '' where a text has none")
    state: DataState = shown("empty: nothing to show yet; error: could not be read")
    note: str = shown("a line beside it: until when, what waits, that it could not be read; '' if none")


@dataclass(frozen=True, slots=True)
class TextView(PartView):
    """An announcement. `room` and `lines` let CSS choose the largest letters that never clip."""

    kind: ClassVar[str] = "text"

    text: str = shown("what was written, with its line breaks; while nothing was, how to write it")
    level: Literal["plain", "note", "important"] = shown("how loud it is")
    word: str = shown("the level in a word: 'Important', '' for plain")
    room: int = shown("room the text takes in halves of a letter's height, the next of ROOMS")
    lines: int = shown("how many lines it was written in, 1 to 8")


@dataclass(frozen=True, slots=True)
class ClockView(PartView):
    """The time of day in one zone, as of when it was drawn; the page lets it tick."""

    kind: ClassVar[str] = "clock"

    text: str = shown("hours and minutes: '14:03'")
    chars: int = shown("room `text` takes in digits")
    date: str = shown("'Fri, Nov 21'")
    zone: str = shown("IANA name of the zone")
    place: str = shown("the zone in words, and how far it is from the site's: 'New York, −6 h'; '' for the site's")


@dataclass(frozen=True, slots=True)
class HappeningView:
    """Something that happened."""

    text: str = shown("'Order #1001 placed'")
    source: str = shown("who told of it: 'Shopify'")
    at_ms: int = shown("when, epoch ms: its age is drawn in the page")
    at: str = shown("the same by the site's clock: 'Fri 14:03'")
    mark: Literal["", "ok", "bad"] = shown("whether it is trouble, the end of it, or neither")


@dataclass(frozen=True, slots=True)
class ActivityView(PartView):
    """What happened last."""

    kind: ClassVar[str] = "activity"

    rows: tuple[HappeningView, ...] = shown("newest first, at most 8")
    empty: str = shown("what is said instead of rows, '' where there are some")
    definition: str = shown("what is listed, and what is left out")


@dataclass(frozen=True, slots=True)
class SourceRowView:
    """How one source is."""

    name: str = shown("'Shopify'")
    state: SourceState = shown("how it is doing")
    word: str = shown("the same in a word: 'Silent'")
    last_ms: int | None = shown("when it was last heard, epoch ms: its age is drawn in the page; None: never")
    last: str = shown("the same by the site's clock: 'Fri 14:03', '–' for never")
    usual: str = shown("'usually within 6 min', '' while that is not known")
    dead: str = shown("'3 dead letters', '' when there are none")


@dataclass(frozen=True, slots=True)
class SourcesTileView(PartView):
    """How all sources are, those that need a hand first."""

    kind: ClassVar[str] = "sources"

    rows: tuple[SourceRowView, ...] = shown("one for each source that is set up or was heard")
    empty: str = shown("what is said instead of rows, '' where there are some")
    definition: str = shown("what is told of each")


AnyPart = TextView | ClockView | ActivityView | SourcesTileView
PART_VIEWS: tuple[type, ...] = (TextView, ClockView, ActivityView, SourcesTileView)
# The room of a text is told in these steps, for there are no inline styles. Chinese of 280 signs takes 560.
ROOMS = (16, 24, 36, 54, 80, 120, 160, 200, 240, 255, 270, 300, 360, 450, 600)
