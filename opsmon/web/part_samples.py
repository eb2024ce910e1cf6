"""Samples of the tiles without a number: every state, much and little in them."""

from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

from opsmon.core.activity import Happening
from opsmon.core.calendar import HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.health import Backlog, Heard
from opsmon.core.slots import Options
from opsmon.core.source_health import MOST_HELD, Row, SourceFacts
from opsmon.web.part_shapes import AnyPart
from opsmon.web.part_views import activity_view, clock_view, sources_view, text_view
from opsmon.web.tile_samples import NOW_MS, ZONE
from opsmon.web.wording import Wording

_CALENDAR = SiteCalendar(ZoneInfo(ZONE))
_WORDING = {tag: Wording(tag, _CALENDAR) for tag in ("en_GB", "de")}
_SHORT = "Stocktaking today: the line stops at 16:00."
_LINES = "Early shift\nDock 3 is closed until noon.\nTake parcels for DHL to dock 5.\n\nThank you!"
_LONG = ("From Monday on orders with fragile goods are packed at station 7 only: the new boxes are there, and so is "
         "Bo, who shows how they fold. Whatever is on hold for a box waits on the green shelf, not on the belt. "
         "Questions: extension 214, or the board beside the coffee machine. Thanks.")
_NO_BLANKS = "Lagerverwaltungsumstellungsvorbereitungsbesprechung"


def part_tiles() -> Iterator[tuple[str, AnyPart]]:
    """(what it shows, the tile), kind by kind."""
    yield from _texts()
    yield from _clocks()
    yield from _lists()


def _texts() -> Iterator[tuple[str, AnyPart]]:
    for name, options in (
            ("a line", Options(text=_SHORT)), ("a note", Options("Dock", text=_LINES, level="note")),
            ("important, until", Options("Stocktaking", text=_SHORT, level="important", until="2025-11-21T16:00")),
            ("as long as may be", Options("Packing", text=_LONG[:280], level="note", until="2025-12-24T12:00")),
            ("one long word", Options(text=_NO_BLANKS, level="important")),
            ("as HTML", Options(text="<b>1 & 2</b> 'so' \"it\" stays")),
            ("over", Options(text=_SHORT, until="2025-11-20T16:00")), ("empty", Options())):
        yield f"text, {name}", text_view(options, _CALENDAR, _WORDING["en_GB"], NOW_MS)


def _clocks() -> Iterator[tuple[str, AnyPart]]:
    for name, options in (("the site's", Options()), ("another zone", Options(zone="America/New_York")),
                          ("half an hour apart", Options("Warehouse India", zone="Asia/Kolkata"))):
        yield f"clock, {name}", clock_view(options, _CALENDAR, _WORDING["en_GB"], NOW_MS)


def _lists() -> Iterator[tuple[str, AnyPart]]:
    told = [Happening(NOW_MS - at * MINUTE_MS, *what) for at, what in (
        (1, ("placed", "shopify", "#1042")), (2, ("paid", "shopify", "#1041")), (4, ("back", "odoo")),
        (9, ("dead", "shopify")), (16, ("fulfilled", "shopify", "#1038")), (41, ("refunded", "shopify", "#1007")),
        (75, ("cancelled", "shopify", "#1031")), (600, ("dispute", "shopify", "#0977")))]
    sources = [
        _source("shopify", 1, 6, held=0), _source("odoo", 75, 20, held=3),
        SourceFacts(Heard("standard-webhooks", NOW_MS - 90 * MINUTE_MS, None), row=Row(12, NOW_MS, "bad_signature")),
        _source("events", 3, 5, held=MOST_HELD), SourceFacts(Heard("woocommerce", None, None)),
    ]
    for tag in ("en_GB", "de"):
        wording, in_language = _WORDING[tag], ", German" if tag == "de" else ""
        activity = activity_view(Options(), told, wording, ZONE, NOW_MS)
        yield f"activity, live{in_language}", activity
        health = sources_view(Options(), sources, Backlog(0, 0, None), wording, ZONE, NOW_MS)
        yield f"sources, live{in_language}", health
    yield "activity, error", replace(activity, state="error", note="As of 13:58.")
    yield "activity, empty", activity_view(Options(), [], _WORDING["en_GB"], ZONE, NOW_MS)
    yield "sources, events wait", sources_view(Options("Doors"), sources[:1], Backlog(1_200, 40, NOW_MS - HOUR_MS),
                                               _WORDING["en_GB"], ZONE, NOW_MS)
    yield "sources, empty", sources_view(Options(), [], Backlog(0, 0, None), _WORDING["en_GB"], ZONE, NOW_MS)


def _source(name: str, minutes_ago: int, gap_minutes: int, held: int) -> SourceFacts:
    return SourceFacts(Heard(name, NOW_MS - minutes_ago * MINUTE_MS, gap_minutes * MINUTE_MS), totals={"held": held})
