"""The hours in which people work, as they write them, and how much of a stretch of time lies in them. Pure.

`mon-fri 08:00-16:30, sat 09:00-12:00`, by the wall clock of the site; holidays are closed.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from opsmon.core.alerting.hours import ALWAYS, Hours
from opsmon.core.said import Said

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NO_WEEK = Said("Write hours like mon-fri 08:00-16:30, sat 09:00-12:00.")
NO_TIME = Said("Write a time like 14:00.")
# Beyond that nobody asks how much was worked.
_MOST_DAYS = 400
_PART = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d?:\d\d)-(\d\d?:\d\d)", re.ASCII)
_TIME = re.compile(r"(\d\d?):(\d\d)", re.ASCII)


def read_week(text: str) -> dict[int, tuple[int, int]]:
    """By weekday (0 is Monday) from and until, in minutes from midnight. Raises ValueError with a sentence."""
    week: dict[int, tuple[int, int]] = {}
    for part in text.lower().split(","):
        found = _PART.fullmatch(" ".join(part.split()))
        if found is None or found[1] not in DAYS or (found[2] or found[1]) not in DAYS:
            raise ValueError(NO_WEEK)
        first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
        stretch = read_time(found[3]), read_time(found[4])
        days = range(first, last + 1)
        if stretch[0] >= stretch[1] or not days or not week.keys().isdisjoint(days):
            raise ValueError(NO_WEEK)
        week |= dict.fromkeys(days, stretch)
    return week


def read_time(text: str) -> int:
    """'14:00' as minutes from midnight, to 24:00. Raises ValueError with a sentence."""
    found = _TIME.fullmatch(text.strip())
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else 24 * 60 + 1
    if minutes > 24 * 60:
        raise ValueError(NO_TIME)
    return minutes


def hours_in(text: str, zone: str, holidays: Iterable[date] = ()) -> Hours:
    """Hours as they are written; '' is always. Raises ValueError."""
    return Hours(zone, read_week(text), frozenset(holidays)) if text else ALWAYS


def today(hours: Hours, now_ms: int) -> tuple[int, int] | None:
    """From when until when is worked on the day of an instant, in epoch ms; None where nobody works then."""
    if hours.is_always:
        return None
    return _stretch(hours.week, hours.closed, datetime.fromtimestamp(now_ms / 1000, ZoneInfo(hours.zone)).date(),
                    ZoneInfo(hours.zone))


def instant(now_ms: int, zone: str, minute: int) -> int:
    """A time of the day of an instant, in epoch ms."""
    there = ZoneInfo(zone)
    return _at(datetime.fromtimestamp(now_ms / 1000, there).date(), minute, there)


def worked_since(hours: Hours, now_ms: int, length_ms: int) -> int:
    """Since when so much was worked until now: what is older than that instant has waited for longer. 0 where so much
    was not worked in a year."""
    if hours.is_always:
        return now_ms - length_ms
    zone, left_ms = ZoneInfo(hours.zone), length_ms
    day = datetime.fromtimestamp(now_ms / 1000, zone).date()
    for back in range(_MOST_DAYS):
        stretch = _stretch(hours.week, hours.closed, day - timedelta(days=back), zone)
        if stretch is None:
            continue
        ends_ms = min(stretch[1], now_ms)
        if ends_ms - stretch[0] >= left_ms:
            return ends_ms - left_ms
        left_ms -= max(ends_ms - stretch[0], 0)
    return 0


def _stretch(week: Mapping[int, tuple[int, int]], closed: Collection[date], day: date, zone: ZoneInfo
             ) -> tuple[int, int] | None:
    found = week.get(day.weekday())
    return None if found is None or day in closed else (_at(day, found[0], zone), _at(day, found[1], zone))


def _at(day: date, minute: int, zone: ZoneInfo) -> int:
    """A minute of a local day; an hour that the clock leaves out is the one after it."""
    local = datetime.combine(day + timedelta(days=minute // (24 * 60)), time(minute // 60 % 24, minute % 60), zone)
    return int(local.astimezone(UTC).timestamp() * 1000)
