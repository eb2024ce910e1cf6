"""Tiles that show no number: a text, a clock, what happened, how the sources are, what is wrong.

A place on a board names one as it names a KPI, by an id that no KPI can have; a file says `tile` where it says `kpi`
of a number. What a place says of it (a text, a zone) is in the options of its slot.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from zoneinfo import ZoneInfo

from opsmon.core.calendar import SiteCalendar
from opsmon.core.catalogue import Catalogue, Kpi, Now
from opsmon.core.said import Said
from opsmon.core.slots import Cadence, Level, Options, Size, Slot

TEXT, CLOCK, ACTIVITY, SOURCES, ALERTS = "_text", "_clock", "_activity", "_sources", "_alerts"
LEVELS: tuple[Level, ...] = get_args(Level)
MOST_TEXT = 280
MOST_LINES = 8
_MOST_ZONE = 48
_CONTROLS = dict.fromkeys([*range(32), 127], " ")
_UNTIL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of tile. `kpi` is its name and what it shows, told as those of a KPI are; `takes`: what may be said of it
    besides a title. What does not depend on what is counted `is_still`: nothing is read for it."""

    kpi: Kpi
    size: Size
    cadence: Cadence
    takes: tuple[str, ...] = ()
    is_still: bool = False

    @property
    def id(self) -> str:
        """By what a slot names it."""
        return self.kpi.id

    @property
    def name(self) -> str:
        """By what a file names it: 'clock'."""
        return self.kpi.id.removeprefix("_")


def _part(part_id: str, label: str, shows: str) -> Kpi:
    return Kpi(part_id, label, "", Now(), "count", shows)


PARTS: dict[str, Part] = {part.id: part for part in (
    Part(_part(TEXT, "Text", "An announcement, as it was written for this board."), "wide", "live",
         ("text", "level", "until"), is_still=True),
    Part(_part(CLOCK, "Clock", "The time of day, by the clock of the server."), "M", "live", ("zone",), is_still=True),
    Part(_part(ACTIVITY, "What happened", "The last happenings among the newest events: orders placed, paid, fulfilled "
               "and cancelled, refunds, returns and disputes, events that could not be counted, and sources that went "
               "silent or came back. Without amounts and names of people."), "wide", "near"),
    Part(_part(SOURCES, "Sources", "Each source: how it is, when it was last heard, the longest gap that is usual at "
               "this hour, and how many of its events could not be counted."), "wide", "near"),
    Part(_part(ALERTS, "Alerts", "Each open alert, the worst first. Without amounts and names of people."), "wide",
         "live"),
)}
BY_NAME = {part.name: part for part in PARTS.values()}


def kpi_of(kpi_id: str, catalogue: Catalogue) -> Kpi | None:
    """The KPI of a slot; of a tile without a number what it is called; None where there is none of this id."""
    return PARTS[kpi_id].kpi if kpi_id in PARTS else catalogue.kpi_by_id.get(kpi_id)


def cleaned_lines(text: str) -> str:
    """A text as it is kept: lines without blanks at their ends, none that is empty at the beginning or the end."""
    lines = [" ".join(line.translate(_CONTROLS).split()) for line in re.split("\r\n|\r|\n", text)]
    return "\n".join(lines).strip()


def wrong_part(options: Options) -> list[str]:
    """What is wrong with what a place says of a tile without a number, a sentence for each."""
    found: list[str] = []
    if len(options.text) > MOST_TEXT:
        found.append(Said("text: it is %(length)s characters long, at most %(most)s can be read from afar",
                          length=len(options.text), most=MOST_TEXT))
    if options.text.count("\n") >= MOST_LINES:
        found.append(Said("text: at most %(most)s lines can be read from afar", most=MOST_LINES))
    if options.until and _wall_time(options.until) is None:
        found.append(Said("until: a date and a time are needed, like 2026-11-24T18:00"))
    if options.zone and not is_zone(options.zone):
        found.append(Said("zone: there is no time zone of this name; it is like America/New_York"))
    return found


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        return len(name) <= _MOST_ZONE and bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):
        return False


def ends_ms(options: Options, calendar: SiteCalendar) -> int | None:
    """The first instant at which a text is not shown any more, by the site's clock; None: it stays."""
    wall = _wall_time(options.until)
    return None if wall is None else calendar.instant(wall)


def is_over(slot: Slot, calendar: SiteCalendar, now_ms: int) -> bool:
    """Whether a slot is a text that is not to be shown any more."""
    end_ms = ends_ms(slot.options, calendar)
    return end_ms is not None and end_ms <= now_ms


def _wall_time(until: str) -> datetime | None:
    try:
        return datetime.fromisoformat(until) if _UNTIL.fullmatch(until) else None
    except ValueError:
        return None
