"""Options, happenings and facts of sources -> the views of the tiles without a number."""

from collections.abc import Sequence
from datetime import datetime
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton

from opsmon.core.activity import Happening, Kind
from opsmon.core.calendar import DAY_MS, HOUR_MS, SiteCalendar
from opsmon.core.health import Backlog
from opsmon.core.parts import ACTIVITY, CLOCK, PARTS, SOURCES, TEXT, ends_ms
from opsmon.core.slots import Level, Options
from opsmon.core.source_health import SourceFacts, judge_source
from opsmon.web.languages import N_
from opsmon.web.part_shapes import (
    ROOMS,
    ActivityView,
    ClockView,
    HappeningView,
    SourceRowView,
    SourcesTileView,
    TextView,
)
from opsmon.web.source_words import WORDS, title
from opsmon.web.tile_words import definition_words
from opsmon.web.wording import Wording, room_of

# With and without the name that its shop has for an order.
_HAPPENED: dict[Kind, tuple[str, str]] = {
    "placed": (N_("Order %(order)s placed"), N_("Order placed")),
    "paid": (N_("Order %(order)s paid"), N_("Payment received")),
    "fulfilled": (N_("Order %(order)s fulfilled"), N_("Order fulfilled")),
    "cancelled": (N_("Order %(order)s cancelled"), N_("Order cancelled")),
    "refunded": (N_("Order %(order)s refunded"), N_("Refund given")),
    "return": (N_("Order %(order)s: return requested"), N_("Return requested")),
    "dispute": (N_("Order %(order)s: payment disputed"), N_("Payment disputed")),
    "dead": ("", N_("An event could not be counted")),
    "silent": ("", N_("%(source)s went silent")),
    "back": ("", N_("%(source)s is back")),
}
LEVELS: dict[Level, str] = {"plain": N_("Plain"), "note": N_("Note"), "important": N_("Important")}
_NARROW = frozenset(" .,;:!'|()[]-\"iljtfrI/")
_HURRY = {"stopped": 0, "refusing": 1, "silent": 2, "well": 3, "never": 4}


def text_view(options: Options, calendar: SiteCalendar, wording: Wording, now_ms: int) -> TextView:
    """An announcement; of one whose time is over, since when it is not shown: only the editor still shows it."""
    say, end_ms = wording.say, ends_ms(options, calendar)
    note = ""
    if end_ms is not None:
        until = _day_and_time(end_ms, now_ms, wording)
        note = say("until %(time)s", time=until) if end_ms > now_ms else say("Not shown any more since %(time)s",
                                                                            time=until)
    text = options.text or say("Nothing is written here yet.")
    return TextView(TEXT, options.title, "live" if options.text else "empty", note, text, options.level,
                    "" if options.level == "plain" else say(LEVELS[options.level]), _room(text),
                    text.count("\n") + 1)


def clock_view(options: Options, calendar: SiteCalendar, wording: Wording, now_ms: int) -> ClockView:
    """The time of day in the site's zone or in another."""
    zone = ZoneInfo(options.zone) if options.zone else calendar.zone
    here, there = calendar.wall(now_ms), datetime.fromtimestamp(now_ms / 1000, zone)
    text = format_skeleton("Hm", there, locale=wording.locale)
    apart = there.replace(tzinfo=None) - here.replace(tzinfo=None)
    hours = round(apart.total_seconds() / 900) / 4
    city, sign = _city(zone.key, wording), "+" if hours >= 0 else ""
    far = wording.say("%(hours)s h", hours=sign + wording.number(hours)) if zone.key != calendar.zone.key else ""
    place = ", ".join([city, far]) if options.title and far else far
    return ClockView(CLOCK, options.title or city, "live", "", text, room_of(text),
                     format_skeleton("MMMEd", there, locale=wording.locale), zone.key, place)


def activity_view(options: Options, happenings: Sequence[Happening], wording: Wording, zone: str, now_ms: int
                  ) -> ActivityView:
    """What happened last."""
    rows = tuple(_happening(one, wording, now_ms) for one in happenings)
    empty = "" if rows else wording.say("Nothing of note among the newest events.")
    return ActivityView(ACTIVITY, _label(options, ACTIVITY, wording), "live" if rows else "empty", "", rows, empty,
                        definition_words([PARTS[ACTIVITY].kpi.definition], zone, wording))


def sources_view(options: Options, facts: Sequence[SourceFacts], waiting: Backlog, wording: Wording, zone: str,
                 now_ms: int) -> SourcesTileView:
    """How all sources are: those that need a hand first, those that were never heard last."""
    rows = sorted((_source(one, wording, now_ms) for one in facts), key=lambda row: _HURRY[row.state])
    count = waiting.unread + waiting.pending
    note = wording.many("%(num)s event waits to be counted", "%(num)s events wait to be counted", count
                        ) if count else ""
    return SourcesTileView(SOURCES, _label(options, SOURCES, wording), "live" if rows else "empty", note, tuple(rows),
                           "" if rows else wording.say("No source is set up"),
                           definition_words([PARTS[SOURCES].kpi.definition], zone, wording))


def _label(options: Options, part_id: str, wording: Wording) -> str:
    return options.title or wording.say(PARTS[part_id].kpi.label)


def _happening(one: Happening, wording: Wording, now_ms: int) -> HappeningView:
    named, plain = _HAPPENED[one.kind]
    source = title(one.source, wording)
    if one.kind in ("silent", "back"):
        text, by = wording.say(plain, source=source), ""
    else:
        text, by = wording.say(named, order=one.order) if one.order and named else wording.say(plain), source
    return HappeningView(text, by, one.time_ms, _at(one.time_ms, now_ms, wording),
                         "ok" if one.kind == "back" else "bad" if one.kind in ("dead", "silent") else "")


def _source(facts: SourceFacts, wording: Wording, now_ms: int) -> SourceRowView:
    state, last_ms, gap_ms = judge_source(facts, now_ms), facts.heard.last_ms, facts.heard.usual_gap_ms
    dead = facts.totals.get("held", 0)
    return SourceRowView(
        title(facts.heard.name, wording), state, wording.say(WORDS[state]), last_ms,
        "–" if last_ms is None else _at(last_ms, now_ms, wording),
        "" if gap_ms is None else wording.say("usually within %(length)s", length=wording.duration(gap_ms)),
        wording.many("%(num)s dead letter", "%(num)s dead letters", dead) if dead else "")


def _at(time_ms: int, now_ms: int, wording: Wording) -> str:
    """'Fri 14:03', and from a week ago on 'Nov 14, 14:03'."""
    return wording.day_and_hour(time_ms) if now_ms - time_ms < 6 * DAY_MS else wording.day_and_time(time_ms)


def _day_and_time(time_ms: int, now_ms: int, wording: Wording) -> str:
    near = abs(time_ms - now_ms) < 12 * HOUR_MS
    return wording.time(time_ms) if near else wording.day_and_time(time_ms)


def _room(text: str) -> int:
    """The room of a text in halves of a letter's height, in steps; a line breaks where its words end, which the sheet
    allows for."""
    room = sum(map(_width, text)) * 2
    return next((step for step in ROOMS if room <= step), ROOMS[-1])


def _width(sign: str) -> float:
    """How wide a sign is beside the height of its line, rounded up. Source: the widths of Arial, regular; UAX #11."""
    if east_asian_width(sign) in "WF":
        return 1.0
    if sign in _NARROW:
        return 0.3
    return 0.87 if sign in "MWmw@%—" else 0.7 if sign.isupper() else 0.56


def _city(zone: str, wording: Wording) -> str:
    """A zone as people call it: 'New York'."""
    known = wording.locale.time_zones.get(zone, {}).get("city")
    return str(known or zone.rpartition("/")[2].replace("_", " "))
