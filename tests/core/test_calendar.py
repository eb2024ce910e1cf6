"""The site's days and hours where clocks change, zones are odd and days start at four."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, Level, Pane, SiteCalendar

FOUR = 4 * HOUR_MS
# Halves, quarters, negative savings, half-hour savings, a skipped day, no midnight, changes in Ramadan.
ZONES = ["UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu",
         "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Chatham", "Pacific/Apia", "Pacific/Kwajalein",
         "America/Sao_Paulo", "America/Havana", "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut",
         "America/St_Johns", "Asia/Tehran", "America/Caracas", "Asia/Pyongyang", "Antarctica/Troll"]
FIRST_MS, LAST_MS = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000) for year in (1993, 2035))
STARTS = st.sampled_from([0, FOUR, 150 * MINUTE_MS, 23 * HOUR_MS])


@cache
def changes(zone: str) -> list[int]:
    """The days, as instants, in which a zone's clocks are changed; the first instant if they never are."""
    days = range(FIRST_MS, LAST_MS, DAY_MS)
    offsets = [datetime.fromtimestamp(day / 1000, ZoneInfo(zone)).utcoffset() for day in days]
    changed = [day for day, (before, after) in zip(days, pairwise(offsets), strict=False) if before != after]
    return changed or [FIRST_MS]


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and an instant there: any, or one about a change of its clocks or a week after it."""
    zone = draw(st.sampled_from(ZONES))
    if draw(st.integers(0, 3)) == 0:
        return zone, draw(st.integers(FIRST_MS, LAST_MS))
    day = draw(st.sampled_from(changes(zone)))
    return zone, day + draw(st.sampled_from([0, 7 * DAY_MS])) + draw(st.integers(-2, 50)) * HOUR_MS // 2


def calendar(zone: str, day_start_ms: int = 0) -> SiteCalendar:
    return SiteCalendar(ZoneInfo(zone), day_start_ms)


def day_hours(zone: str, day: str, day_start_ms: int = 0) -> list[float]:
    """The lengths in hours of a day's hour panes."""
    site, on = calendar(zone, day_start_ms), date.fromisoformat(day)
    panes = site.hours(site.day_begins(on), site.day_begins(on + timedelta(days=1)))
    return [(pane.end_ms - pane.start_ms) / HOUR_MS for pane in panes]


def at(zone: str, wall: str, fold: int = 0) -> int:
    return calendar(zone).instant(datetime.fromisoformat(wall), fold)


@pytest.mark.parametrize(("zone", "day", "hours"), [
    ("Europe/Berlin", "2026-11-20", [1.0] * 24),
    ("Europe/Berlin", "2026-03-29", [1.0] * 23),
    ("Europe/Berlin", "2026-10-25", [1.0] * 25),
    ("Australia/Lord_Howe", "2026-04-05", [1.0, 1.0, 0.5, *[1.0] * 22]),
    ("Australia/Lord_Howe", "2026-10-04", [1.0, 1.0, 0.5, *[1.0] * 21]),
    ("Asia/Kolkata", "2026-11-20", [1.0] * 24),
    ("America/Sao_Paulo", "2018-11-04", [1.0] * 23),
    ("Pacific/Apia", "2011-12-30", []),
], ids=["plain", "spring, 23 h", "autumn, 25 h", "autumn, 24.5 h", "spring, 23.5 h", "half-hour zone",
        "no midnight", "a day that never was"])
def test_a_day_divides_into_whole_local_hours(zone: str, day: str, hours: list[float]) -> None:
    """Days of 23, 24.5 and 25 hours, and days without midnight, have as many hours as the wall clock shows."""
    assert sorted(day_hours(zone, day)) == sorted(hours)


def test_the_broken_hour_stands_where_the_clock_changed() -> None:
    """On Lord Howe the clock goes from 2:00 back to 1:30: half an hour more between one and two."""
    assert day_hours("Australia/Lord_Howe", "2026-04-05")[:4] == [1.0, 1.0, 0.5, 1.0]


def test_hours_of_a_half_hour_zone_begin_on_its_own_hours() -> None:
    """14:20 in Kolkata lies between 14:00 and 15:00 there, which is 8:30 to 9:30 UTC."""
    hour = calendar("Asia/Kolkata").place(at("Asia/Kolkata", "2026-11-20T14:20")).hour
    assert (hour.start_ms % HOUR_MS, hour.end_ms - hour.start_ms) == (30 * MINUTE_MS, HOUR_MS)


def test_a_day_without_midnight_begins_when_its_clock_does() -> None:
    """In São Paulo 2018-11-04 began at one o'clock: the day before ends there, with nothing between."""
    site = calendar("America/Sao_Paulo")
    begins = site.day_begins(date(2018, 11, 4))
    assert site.wall(begins).isoformat() == "2018-11-04T01:00:00-02:00"
    assert site.day_of(begins - 1) == date(2018, 11, 3)


def test_the_repeated_autumn_hour_is_two_bars() -> None:
    """02:30 comes twice on 2026-10-25 in Berlin: two panes, one after the other, in the same day."""
    site = calendar("Europe/Berlin")
    first, second = (site.place(at("Europe/Berlin", "2026-10-25T02:30", fold)).hour for fold in (0, 1))
    assert (first.end_ms, first.field, second.field) == (second.start_ms, "120", "180")
    assert first.span == second.span == "20261025"


def test_a_business_day_from_four_holds_the_night_before_it() -> None:
    """03:59 belongs to the day before; 04:00 begins the new one."""
    site = calendar("Europe/Berlin", FOUR)
    four = at("Europe/Berlin", "2026-11-20T04:00")
    assert [site.day_of(four - 1), site.day_of(four)] == [date(2026, 11, 19), date(2026, 11, 20)]
    assert site.place(four - 1).day.field == "19"


def test_a_business_day_over_the_clock_change_is_as_long_as_it_is() -> None:
    """Saturday's business day from 04:00 to 04:00 holds the extra hour of Sunday morning."""
    assert len(day_hours("Europe/Berlin", "2026-10-24", FOUR)) == 25
    assert len(day_hours("Europe/Berlin", "2026-10-25", FOUR)) == 24


def test_a_start_of_day_that_is_skipped_is_the_end_of_the_gap() -> None:
    """A day from 02:30 starts at 03:00 when the clock jumps over half past two."""
    site = calendar("Europe/Berlin", 150 * MINUTE_MS)
    assert site.wall(site.day_begins(date(2026, 3, 29))).isoformat() == "2026-03-29T03:00:00+02:00"


def test_a_day_that_has_begun_goes_on_when_the_clock_is_put_back() -> None:
    """A day from 02:30: ten past two in autumn comes before it the first time, and within it the second."""
    site = calendar("Europe/Berlin", 150 * MINUTE_MS)
    first, second = (at("Europe/Berlin", "2026-10-25T02:10", fold) for fold in (0, 1))
    assert [site.day_of(first), site.day_of(second)] == [date(2026, 10, 24), date(2026, 10, 25)]


def test_a_calendar_is_named_by_all_that_divides_time() -> None:
    """The same name, the same panes: a change of zone or start of day is a change of name."""
    assert calendar("Europe/Berlin", FOUR).name == "Europe/Berlin+14400000"


# --- a week earlier ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "then"), [
    ("2026-11-20T14:03", "2026-11-13T14:03"),
    ("2026-10-30T14:03", "2026-10-23T14:03"),
    ("2026-04-03T14:03", "2026-03-27T14:03"),
    ("2026-04-05T02:30", "2026-03-29T03:00"),
], ids=["plain", "over autumn", "over spring", "into the gap"])
def test_a_week_earlier_is_the_same_local_time(now: str, then: str) -> None:
    """Friday a quarter past two is compared with Friday a quarter past two, whatever the clocks did between."""
    site = calendar("Europe/Berlin")
    assert site.week_earlier(at("Europe/Berlin", now)) == at("Europe/Berlin", then)


def test_a_week_before_the_second_of_two_equal_hours_is_the_only_one_then() -> None:
    """A week ago half past two came once: both half past twos of today are compared with it."""
    site = calendar("Europe/Berlin")
    then = {site.week_earlier(at("Europe/Berlin", "2026-10-25T02:30", fold)) for fold in (0, 1)}
    assert then == {at("Europe/Berlin", "2026-10-18T02:30")}


def test_a_week_after_a_repeated_hour_is_compared_with_its_first() -> None:
    """Now comes once, a week ago it came twice: the first counts."""
    site = calendar("Europe/Berlin")
    assert site.week_earlier(at("Europe/Berlin", "2026-11-01T02:30")) == at("Europe/Berlin", "2026-10-25T02:30", 0)


def test_a_week_earlier_is_never_before_that_day_began() -> None:
    """The second ten past two of a day from 02:30 is compared with the start of last week's day."""
    site = calendar("Europe/Berlin", 150 * MINUTE_MS)
    second = at("Europe/Berlin", "2026-10-25T02:10", fold=1)
    assert site.week_earlier(second) == site.day_begins(date(2026, 10, 18))


@given(moments(), STARTS)
def test_a_week_earlier_stays_within_that_business_day(moment: tuple[str, int], day_start_ms: int) -> None:
    """The comparison never takes in another day's sales."""
    zone, time_ms = moment
    site = calendar(zone, day_start_ms)
    day = site.day_of(time_ms) - timedelta(days=7)
    assert site.day_begins(day) <= site.week_earlier(time_ms) <= site.day_begins(day + timedelta(days=1))


# --- panes partition time ----------------------------------------------------------------------------------


@given(moments(), STARTS)
def test_an_instant_lies_in_its_minute_its_hour_and_its_day(moment: tuple[str, int], day_start_ms: int) -> None:
    """Minute within hour within day, and all of them hold the instant."""
    zone, time_ms = moment
    minute, hour, day = calendar(zone, day_start_ms).place(time_ms)
    assert day.start_ms <= hour.start_ms <= minute.start_ms <= time_ms
    assert time_ms < minute.end_ms <= hour.end_ms <= day.end_ms


@given(moments(), STARTS, st.sampled_from(["m", "h", "d"]))
def test_panes_follow_each_other_without_gap_or_overlap(
    moment: tuple[str, int], day_start_ms: int, level: Level
) -> None:
    """Where one ends the next begins, and the last instant of a pane still belongs to it."""
    zone, time_ms = moment
    site = calendar(zone, day_start_ms)
    pane = at_level(site, time_ms, level)
    following = at_level(site, pane.end_ms, level)
    assert at_level(site, pane.start_ms, level) == at_level(site, pane.end_ms - 1, level) == pane
    assert following.start_ms == pane.end_ms


def at_level(site: SiteCalendar, time_ms: int, level: Level) -> Pane:
    return next(pane for pane in site.place(time_ms) if pane.level == level)


@given(moments(), STARTS)
def test_no_two_hours_near_a_day_share_a_place(moment: tuple[str, int], day_start_ms: int) -> None:
    """Each has a hash and field of its own, or two bars would be one."""
    zone, time_ms = moment
    site = calendar(zone, day_start_ms)
    panes = list(site.hours(time_ms - 2 * DAY_MS, time_ms + 2 * DAY_MS))
    assert len({(pane.span, pane.field) for pane in panes}) == len(panes)


@given(moments(), STARTS)
def test_the_hours_of_a_day_add_up_to_it(moment: tuple[str, int], day_start_ms: int) -> None:
    """The first begins with the day and the last ends with it."""
    zone, time_ms = moment
    site = calendar(zone, day_start_ms)
    day = site.place(time_ms).day
    hours = list(site.hours(day.start_ms, day.end_ms))
    assert (hours[0].start_ms, hours[-1].end_ms) == (day.start_ms, day.end_ms)
    assert all(one.end_ms == other.start_ms for one, other in pairwise(hours))


@given(moments())
def test_days_are_those_of_the_wall_clock(moment: tuple[str, int]) -> None:
    """Where days begin at midnight, the date on the wall is the day of the pane."""
    zone, time_ms = moment
    site = calendar(zone)
    assert site.day_of(time_ms) == site.wall(time_ms).date()


@given(moments())
def test_an_hour_pane_shows_one_hour_of_the_wall_clock(moment: tuple[str, int]) -> None:
    """All of it lies in the hour that the clock shows, at one offset from UTC."""
    zone, time_ms = moment
    site = calendar(zone)
    hour = site.place(time_ms).hour
    first, last = site.wall(hour.start_ms), site.wall(hour.end_ms - 1)
    assert (first.hour, first.utcoffset()) == (last.hour, last.utcoffset())


def test_the_last_hours_end_with_the_present_one() -> None:
    """Twenty-four bars over the autumn change begin at three, not at two: one hour came twice."""
    site = calendar("Europe/Berlin")
    panes = site.last_hours(at("Europe/Berlin", "2026-10-26T02:15"), 25)
    assert (len(panes), site.wall(panes[0].start_ms).isoformat()) == (25, "2026-10-25T02:00:00+01:00")


def test_many_instants_are_remembered_within_bounds() -> None:
    """The calendar forgets rather than grows: a year of minutes is no year of memory."""
    site = calendar("UTC")
    for minute in range(20_001):
        site.place(minute * MINUTE_MS)
    assert len(site._places) == 1


def test_minutes_follow_each_other_where_an_offset_had_seconds() -> None:
    """Monrovia was 44 min 30 s behind until 1972: its days begin on the minute all the same, and walks end."""
    monrovia = SiteCalendar(ZoneInfo("Africa/Monrovia"))
    start_ms = monrovia.place(44_668_800_000).day.start_ms
    minutes = list(monrovia.minutes(start_ms, start_ms + 3 * HOUR_MS))
    assert [pane.start_ms for pane in minutes] == [start_ms + at * MINUTE_MS for at in range(180)]
