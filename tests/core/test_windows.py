"""Windows by the cases of other engines, and where the wall clock makes them odd."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, Level, Place, SiteCalendar
from opsmon.core.windows import (
    Aligned,
    CalendarUnit,
    Every,
    Kind,
    aligned_windows,
    cover,
    last_bounds,
    window_of,
    windows,
)

FOUR = 4 * HOUR_MS
SHARED = Path(__file__).parents[2].parent / "shared" / "window_cases.jsonl"
Case = dict[str, Any]
Bounds = tuple[int, int]

# In the words of ../shared/README.md. They stand for the shared cases where those are not there.
OWN_CASES: list[Case] = [
    {"id": "before 1970", "kind": "tumbling", "params": {"size_ms": 10, "offset_ms": -3, "aggs": ["count", "sum"]},
     "events": [[-4, "a", 1], [-3, "a", 2], [6, "b", 3], [7, "a", 4]],
     "expected": [[-13, -3, "a", "count", 1], [-13, -3, "a", "sum", 1], [-3, 7, "a", "count", 1],
                  [-3, 7, "a", "sum", 2], [-3, 7, "b", "count", 1], [-3, 7, "b", "sum", 3],
                  [7, 17, "a", "count", 1], [7, 17, "a", "sum", 4]]},
    {"id": "empty ones too", "kind": "sliding", "params": {
        "size_ms": 4, "slide_ms": 2, "emit_empty": [0, 8], "aggs": ["count"]},
     "events": [[1, "a", 1]],
     "expected": [[-2, 2, "a", "count", 1], [0, 4, "a", "count", 1], [2, 6, "a", "count", 0],
                  [4, 8, "a", "count", 0], [6, 10, "a", "count", 0]]},
    {"id": "months", "kind": "tumbling", "params": {
        "calendar": {"unit": "month", "n": 2, "start": [2026, 1, 31], "tz": "UTC"}, "aggs": ["count"]},
     "events": [[1_774_915_199_999, "a", 1], [1_774_915_200_000, "a", 1]],
     "expected": [[1_769_817_600_000, 1_774_915_200_000, "a", "count", 1],
                  [1_774_915_200_000, 1_780_185_600_000, "a", "count", 1]]},
    {"id": "two events", "kind": "sliding", "params": {"mode": "per_event", "size_ms": 10, "aggs": ["count"]},
     "events": [[20, "a", 1], [9, "a", 1]],
     "expected": [[-1, 9, "a", "count", 1], [10, 20, "a", "count", 1]]},
]

# We differ, because the repeated autumn hour is two bars here and one in Flink.
WE_DIFFER: dict[str, Any] = {"w057": [
    [1636268400000, 1636272000000, "k", "count", 1], [1636272000000, 1636275600000, "k", "count", 1],
    [1636275600000, 1636279200000, "k", "count", 1], [1636279200000, 1636282800000, "k", "count", 1],
    [1636282800000, 1636286400000, "k", "count", 1], [1636286400000, 1636290000000, "k", "count", 1],
]}

AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "count": len, "sum": sum, "min": min, "max": max, "mean": lambda values: sum(values) / len(values),
}


def shared_cases() -> list[Case]:
    """Our own cases and, where they are, the shared ones that assign events to windows and drop none as late."""
    lines = SHARED.read_text().splitlines() if SHARED.exists() else []
    cases = OWN_CASES + [json.loads(line) for line in lines]
    return [case for case in cases if case["kind"] != "session" and "semantics" not in case["params"]]


ALL = shared_cases()
PLACED = [case for case in ALL if "mode" not in case["params"] and "late" not in case["params"]]
PER_EVENT = [case for case in ALL if case["params"].get("mode") == "per_event" and not case.get("dropped")]


def calendar(zone: str = "UTC", day_start_ms: int = 0) -> SiteCalendar:
    return SiteCalendar(ZoneInfo(zone), day_start_ms)


def at(zone: str, wall: str, fold: int = 0) -> int:
    """When the clock of a zone reads this."""
    return int(datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * 1000


def lengths(kind: Kind, zone: str, day: str, day_start_ms: int = 0) -> list[float]:
    """How many hours each of the windows lasts that overlap 24 hours from the start of a day."""
    site = calendar(zone, day_start_ms)
    begins = site.day_begins(date.fromisoformat(day))
    return [(end - start) / HOUR_MS for start, end in windows(kind, begins, begins + DAY_MS, site)]


def kind_of(params: Case) -> Kind:
    """A case's windows in our words."""
    if "calendar" not in params:
        return Every(params["size_ms"], params.get("slide_ms", 0), params.get("offset_ms", 0), params.get("origin_ms"))
    named = params["calendar"]
    if named["unit"] == "wall":
        return CalendarUnit("hour", named["size_ms"] // HOUR_MS)
    return CalendarUnit(named["unit"], named.get("n", 1), date(*named["start"]) if "start" in named else None)


def results(case: Case, key: str, bounds: Bounds, values: list[float]) -> list[list[Any]]:
    """What a case says of one window and one key."""
    return [[*bounds, key, name, AGGREGATES[name](values)] for name in case["params"]["aggs"]]


def assigned(case: Case) -> list[list[Any]]:
    """Each event in each window that holds it, by key, and the empty windows where they are asked for."""
    params, times = case["params"], [event[0] for event in case["events"]]
    first, last = params.get("emit_empty", [min(times), max(times) + 1])
    site = calendar(params.get("calendar", {}).get("tz", "UTC"))
    found = []
    for start, end in windows(kind_of(params), first, last, site):
        for key in sorted({event[1] for event in case["events"]}):
            values = [event[2] for event in case["events"] if event[1] == key and start <= event[0] < end]
            if values or "emit_empty" in params:
                found += results(case, key, (start, end), values)
    return sorted(found)


def aligned(case: Case) -> list[list[Any]]:
    """What these engines say of windows aligned to events: without those before 0, without what came late."""
    params, found = case["params"], []
    for key in sorted({event[1] for event in case["events"]}):
        ours = aligned_windows([event[0] for event in case["events"] if event[1] == key], params["size_ms"], 1)
        for start, last in sorted({no_earlier(params, start, end - 1) for start, end in ours}):
            values = [event[2] for number, event in enumerate(case["events"])
                      if event[1] == key and start <= event[0] <= last and not closed(case, number, last)]
            found += results(case, key, (start, last), values)
    return sorted(found)


def no_earlier(params: Case, start: int, last: int) -> Bounds:
    """A window before 0 as the engines have it, who know no time before 1970: moved to 0, or cut there."""
    if start >= 0 or "early" not in params:
        return start, last
    return (0, params["size_ms"]) if params["early"] == "0..size" else (0, last)


def closed(case: Case, number: int, last: int) -> bool:
    """Whether these engines had closed a window when an event came. We drop nothing."""
    late = case["params"].get("late")
    return late is not None and last + 1 + late["grace_ms"] <= max(event[0] for event in case["events"][:number + 1])


# --- the cases of other engines ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", PLACED, ids=lambda case: case["id"])
def test_events_fall_into_the_windows_that_other_engines_have(case: Case) -> None:
    """Beam, Flink, Kafka, Bytewax, Quix, Pathway, Scotty and Arroyo agree on tumbling and sliding windows."""
    assert assigned(case) == sorted(WE_DIFFER.get(case["id"]) or case["expected"])


@pytest.mark.parametrize("case", PER_EVENT, ids=lambda case: case["id"])
def test_windows_aligned_to_events_are_those_of_kafka_and_quix(case: Case) -> None:
    """One ends with each event, one starts after it if there is anything in it."""
    assert aligned(case) == sorted(case["expected"])


# --- windows of a fixed size -------------------------------------------------------------------------------


def test_a_tumbling_window_is_a_sliding_one_that_hops_its_size() -> None:
    """Both ways to say it are one kind."""
    assert Every(10) == Every(10, 10)


def test_windows_overlap_the_stretch_and_no_more() -> None:
    """One that ends where the stretch begins, or begins where it ends, shares no instant with it."""
    #  0    5    10   15   20
    #       [=========)           the stretch
    #  [---------)
    #       [---------)
    #            [---------)
    assert list(windows(Every(10, 5), 5, 15, calendar())) == [(0, 10), (5, 15), (10, 20)]


def test_an_empty_stretch_has_no_windows() -> None:
    """Nor one that runs backwards."""
    kinds: list[Kind] = [Every(10, 5), CalendarUnit("day")]
    assert [list(windows(kind, 7, end, calendar())) for kind in kinds for end in (7, 3)] == [[], [], [], []]


def test_windows_come_one_by_one() -> None:
    """The first of a million years costs no more than the first of a minute."""
    assert next(windows(Every(MINUTE_MS), 0, 1_000_000 * 365 * DAY_MS, calendar())) == (0, MINUTE_MS)


def test_a_hop_beyond_the_size_leaves_gaps() -> None:
    """Two of every ten ms are in a window, the others in none."""
    assert list(windows(Every(2, 10), 0, 21, calendar())) == [(0, 2), (10, 12), (20, 22)]
    assert list(windows(Every(2, 10), 5, 8, calendar())) == []


def test_the_window_that_began_last_may_be_over() -> None:
    """With gaps the latest window stands until the next one begins."""
    assert last_bounds(Every(2, 10), 15, calendar()) == (10, 12)


def test_the_latest_sliding_window_has_only_just_begun() -> None:
    """An hour that hops by five minutes: at 12:07 the latest began at 12:05, the oldest still open at 11:10."""
    kind, seven_past = Every(HOUR_MS, 5 * MINUTE_MS), 12 * HOUR_MS + 7 * MINUTE_MS
    latest = last_bounds(kind, seven_past, calendar())
    oldest = next(windows(kind, seven_past, seven_past + 1, calendar()))
    assert latest == (12 * HOUR_MS + 5 * MINUTE_MS, 13 * HOUR_MS + 5 * MINUTE_MS)
    assert oldest == (11 * HOUR_MS + 10 * MINUTE_MS, 12 * HOUR_MS + 10 * MINUTE_MS)


def test_before_its_origin_there_is_no_window() -> None:
    """Neither one that holds the instant nor one that began last; the first may begin after the origin."""
    kind = Every(10, offset_ms=2, origin_ms=5)
    assert [window_of(kind, time, calendar()) for time in (5, 11, 12)] == [None, None, (12, 22)]
    assert last_bounds(kind, 11, calendar()) is None


def test_a_sliding_window_of_an_instant_is_refused() -> None:
    """There are several, or none."""
    with pytest.raises(ValueError, match="several sliding windows or in none"):
        window_of(Every(10, 5), 7, calendar())


@pytest.mark.parametrize(("kind", "numbers"), [
    (Every, (0,)), (Every, (-5,)), (Every, (10, -1)), (CalendarUnit, ("day", 0)), (CalendarUnit, ("hour", 25)),
    (CalendarUnit, ("hour", 2, date(2026, 1, 1))), (Aligned, (0,)), (Aligned, (90_000,)), (Aligned, (60_000, 0)),
])
def test_windows_that_cannot_be_are_refused(kind: Callable[..., object], numbers: tuple[object, ...]) -> None:
    """No size, no count, backwards, hours beyond a day or from a date, half a step."""
    with pytest.raises(ValueError):
        kind(*numbers)


# --- windows aligned to events -----------------------------------------------------------------------------


def test_windows_of_events_hold_their_last_minute_whole() -> None:
    """An order at 10:07:30, ten minutes: from 9:57 to the end of 10:07, since minutes are what is counted."""
    order = 10 * HOUR_MS + 7 * MINUTE_MS + 30_000
    assert aligned_windows([order], 10 * MINUTE_MS) == [(9 * HOUR_MS + 57 * MINUTE_MS, 10 * HOUR_MS + 8 * MINUTE_MS)]


def test_windows_of_events_know_neither_order_nor_number() -> None:
    """However often an event comes and whatever came before it."""
    #  -5       0        5      12    16
    #   [----------------]                ends with 5
    #               [------------]        ends with 12
    #                     [----------]    starts after 5 and holds 12; nothing starts after 12
    assert aligned_windows([12, 5, 5, 12], 10, 1) == aligned_windows([5, 12], 10, 1) == [(-5, 6), (2, 13), (6, 17)]


def test_no_events_have_no_windows() -> None:
    """Windows aligned to events need events."""
    assert aligned_windows([], 10, 1) == []


# --- windows of the calendar -------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "zone", "day", "hours"), [
    (4, "Europe/Berlin", "2026-11-20", [4.0] * 6),
    (4, "Europe/Berlin", "2026-10-25", [5.0, *[4.0] * 5]),
    (4, "Europe/Berlin", "2026-03-29", [3.0, *[4.0] * 6]),
    (2, "Australia/Lord_Howe", "2026-04-05", [2.5, *[2.0] * 11]),
    (4, "America/Havana", "2026-03-08", [3.0, *[4.0] * 6]),
    (5, "UTC", "2026-11-20", [*[5.0] * 4, 4.0]),
    (24, "Asia/Kathmandu", "2026-11-20", [24.0]),
], ids=["plain", "autumn", "spring and the next day", "half an hour back", "no midnight", "what is left", "a day"])
def test_hours_together_last_as_long_as_the_wall_clock_takes(
    count: int, zone: str, day: str, hours: list[float]
) -> None:
    """00:00 to 04:00 is three, four or five hours; every day starts anew."""
    assert lengths(CalendarUnit("hour", count), zone, day) == hours


def test_hours_together_are_counted_from_the_start_of_the_business_day() -> None:
    """Shifts of three hours in a day from four: 04:00, 07:00, and the last from 01:00."""
    site, noon = calendar("Europe/Berlin", FOUR), at("Europe/Berlin", "2026-11-20T12:00")
    starts = [site.wall(start).hour for start, _ in windows(CalendarUnit("hour", 3), noon, noon + DAY_MS, site)]
    assert starts == [10, 13, 16, 19, 22, 1, 4, 7, 10]


def test_the_repeated_autumn_hour_is_two_windows() -> None:
    """02:30 comes twice in Berlin: each lies in an hour of its own."""
    times = [at("Europe/Berlin", "2026-10-25T02:30", fold) for fold in (0, 1)]
    found = [window_of(CalendarUnit("hour"), time, calendar("Europe/Berlin")) for time in times]
    assert found == [(time - HOUR_MS // 2, time + HOUR_MS // 2) for time in times]


@pytest.mark.parametrize(("kind", "begins", "ends"), [
    (CalendarUnit("day"), "2026-11-20", "2026-11-21"),
    (CalendarUnit("week"), "2026-11-16", "2026-11-23"),
    (CalendarUnit("week", 1, date(2026, 1, 4)), "2026-11-15", "2026-11-22"),
    (CalendarUnit("month"), "2026-11-01", "2026-12-01"),
    (CalendarUnit("month", 3), "2026-10-01", "2027-01-01"),
    (CalendarUnit("month", 1, date(2026, 1, 31)), "2026-10-31", "2026-11-30"),
    (CalendarUnit("month", 1, date(2027, 1, 25)), "2026-10-25", "2026-11-25"),
    (CalendarUnit("year"), "2026-01-01", "2027-01-01"),
    (CalendarUnit("year", 1, date(2024, 2, 29)), "2026-02-28", "2027-02-28"),
], ids=["day", "from Monday", "from Sunday", "month", "quarter", "from the 31st", "from a later 25th", "year",
        "from 29 February"])
@pytest.mark.parametrize("day_start_ms", [0, FOUR])
def test_dated_windows_begin_when_a_business_day_does(
    kind: CalendarUnit, begins: str, ends: str, day_start_ms: int
) -> None:
    """Friday 2026-11-20, shortly after nine in Berlin."""
    site, hour = calendar("Europe/Berlin", day_start_ms), f"T{day_start_ms // HOUR_MS:02}:00"
    found = window_of(kind, at("Europe/Berlin", "2026-11-20T09:05"), site)
    assert found == (at("Europe/Berlin", begins + hour), at("Europe/Berlin", ends + hour))


def test_the_night_belongs_to_the_month_before() -> None:
    """With days from four, the first of December at three is still November."""
    night = at("Europe/Berlin", "2026-12-01T03:00")
    found = window_of(CalendarUnit("month"), night, calendar("Europe/Berlin", FOUR))
    assert found == (at("Europe/Berlin", "2026-11-01T04:00"), at("Europe/Berlin", "2026-12-01T04:00"))


def test_a_day_that_never_was_is_no_window() -> None:
    """Samoa had no 30 December 2011: the 29th is followed by the 31st, in days and in hours."""
    site, start = calendar("Pacific/Apia"), at("Pacific/Apia", "2011-12-29T00:00")
    days = [(start, start + DAY_MS), (start + DAY_MS, start + 2 * DAY_MS)]
    assert list(windows(CalendarUnit("day"), start, start + 2 * DAY_MS, site)) == days
    assert len(list(windows(CalendarUnit("hour", 6), start, start + 2 * DAY_MS, site))) == 8


# --- covers ------------------------------------------------------------------------------------------------


def levels_of(start: str, end: str, *levels: Level, **since: int) -> list[str]:
    """The panes that cover a stretch in Berlin: level, and the start on the wall clock."""
    site, zone = calendar("Europe/Berlin"), "Europe/Berlin"
    panes = cover(at(zone, start), at(zone, end), site, levels or ("d", "h", "m"), **since)
    return [f"{pane.level} {site.wall(pane.start_ms):%dT%H:%M}" for pane in panes]


def test_a_cover_takes_days_then_hours_then_minutes() -> None:
    """From two minutes before an hour to one past, with an hour and a day on the way."""
    assert levels_of("2026-11-18T22:58", "2026-11-20T01:01") == [
        "m 18T22:58", "m 18T22:59", "h 18T23:00", "d 19T00:00", "h 20T00:00", "m 20T01:00"]


def test_a_cover_of_part_of_a_minute_is_the_minute() -> None:
    """Nothing finer is stored."""
    site = calendar()
    assert cover(30_001, 30_002, site) == cover(0, MINUTE_MS, site) == [site.place(0).minute]


def test_a_cover_of_nothing_is_nothing() -> None:
    """An empty stretch reads no panes."""
    assert (cover(5, 5, calendar()), cover(6, 5, calendar())) == ([], [])


def test_a_cover_without_levels_is_refused() -> None:
    """There would be nothing to fold."""
    with pytest.raises(ValueError, match="at least one level"):
        cover(0, 1, calendar(), ())


def test_a_cover_without_minutes_is_widened_to_hours() -> None:
    """Visitors are counted per hour and day: 09:20 to 10:10 is the two hours it touches."""
    assert levels_of("2026-11-20T09:20", "2026-11-20T10:10", "d", "h") == ["h 20T09:00", "h 20T10:00"]


def test_where_minutes_are_gone_the_hour_is_taken() -> None:
    """Minutes from 10:30 on: the stretch begins with the hour before, and all of ten o'clock is one hour."""
    kept = at("Europe/Berlin", "2026-11-20T10:30")
    found = levels_of("2026-11-20T09:59", "2026-11-20T11:01", minutes_from_ms=kept)
    assert found == ["h 20T09:00", "h 20T10:00", "m 20T11:00"]


def test_an_end_within_an_hour_that_lost_its_minutes_is_widened_too() -> None:
    """Minutes from 10:30 on: to read 10:10, ten o'clock must be read to its end; 10:40 alone need not."""
    kept = at("Europe/Berlin", "2026-11-20T10:30")
    assert levels_of("2026-11-20T10:10", "2026-11-20T10:40", minutes_from_ms=kept) == ["h 20T10:00"]
    assert levels_of("2026-11-20T10:40", "2026-11-20T10:41", minutes_from_ms=kept) == ["m 20T10:40"]


def test_an_hour_taken_whole_may_make_the_day_whole() -> None:
    """All but the last ten minutes of a day whose last hour lost its first: one day, not 24 hours."""
    kept = at("Europe/Berlin", "2026-11-20T23:30")
    assert levels_of("2026-11-20T00:00", "2026-11-20T23:50", minutes_from_ms=kept) == ["d 20T00:00"]


def test_where_hours_are_gone_the_day_is_taken() -> None:
    """Hours from the 20th on: the end of the 19th is the 19th."""
    kept = at("Europe/Berlin", "2026-11-20T00:00")
    found = levels_of("2026-11-19T23:00", "2026-11-20T01:00", minutes_from_ms=kept, hours_from_ms=kept)
    assert found == ["d 19T00:00", "h 20T00:00"]


def test_a_level_kept_since_1970_is_kept_since_then() -> None:
    """The instant 0 is an instant, not the lack of one."""
    site = calendar()
    assert cover(-MINUTE_MS, MINUTE_MS, site, minutes_from_ms=0) == [site.place(-1).hour, site.place(0).minute]


class CountingCalendar(SiteCalendar):
    """A calendar that counts how often it is looked at."""

    looks = 0

    def place(self, time_ms: int) -> Place:
        self.looks += 1
        return super().place(time_ms)


def test_a_year_is_covered_in_as_many_looks_as_panes() -> None:
    """A year from 09:30 to 09:30: 364 days, the hours and minutes of the two ends, and no walk through the rest."""
    site = CountingCalendar(ZoneInfo("Europe/Berlin"))
    panes = cover(at("Europe/Berlin", "2025-11-20T09:30"), at("Europe/Berlin", "2026-11-20T09:30"), site)
    assert [len([pane for pane in panes if pane.level == level]) for level in "dhm"] == [364, 23, 60]
    assert site.looks == len(panes) + 2
