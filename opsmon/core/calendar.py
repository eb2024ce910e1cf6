"""The site's days and hours: where panes begin and end on the wall clock of the warehouse.

A pane of an hour starts on a local hour, at a clock change, or at the start of the business day,
whichever came last; so days of 23, 24.5 and 25 hours, half-hour zones and days without midnight all
divide into whole panes. Instants are epoch ms, UTC; every stretch is half-open, [start, end).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

# What datetime can place in every zone: 0001-01-03 to 9999-12-29.
MIN_MS = -62_135_424_000_000
MAX_MS = 253_402_041_600_000

Level = Literal["m", "h", "d"]
_REMEMBERED_MINUTES = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Pane(NamedTuple):
    """A slice of time that counts are kept for: `field` of the hash named by `level` and `span`."""

    level: Level
    span: str
    field: str
    start_ms: int
    end_ms: int


class Place(NamedTuple):
    """Where an instant falls: its minute, hour and day panes."""

    minute: Pane
    hour: Pane
    day: Pane


class SiteCalendar:
    """Days and hours of one zone, business days starting `day_start_ms` after local midnight."""

    def __init__(self, zone: ZoneInfo, day_start_ms: int = 0) -> None:
        self.zone = zone
        self.day_start_ms = day_start_ms
        self._places: dict[int, Place] = {}
        self._days: dict[date, int] = {}

    @property
    def name(self) -> str:
        """What makes two calendars divide time alike: `Europe/Berlin+0`."""
        return f"{self.zone.key}+{self.day_start_ms}"

    def place(self, time_ms: int) -> Place:
        """The panes an instant falls into. Raises OverflowError outside the years 1 to 9999."""
        # Clock changes fall on whole UTC minutes in every zone since 1972 (tz database).
        minute = time_ms // MINUTE_MS
        found = self._places.get(minute)
        if found is None:
            if len(self._places) >= _REMEMBERED_MINUTES:
                self._places.clear()
            found = self._places[minute] = self._locate(minute * MINUTE_MS)
        return found

    def wall(self, time_ms: int) -> datetime:
        """The wall clock at an instant, with its zone."""
        return (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(self.zone)

    def day_of(self, time_ms: int) -> date:
        """The business day an instant belongs to."""
        day = (self.wall(time_ms).replace(tzinfo=None) - timedelta(milliseconds=self.day_start_ms)).date()
        while time_ms >= self.day_begins(day + timedelta(days=1)):
            day += timedelta(days=1)
        return day

    def day_begins(self, day: date) -> int:
        """The first instant at which the wall clock reads the start of business day `day`, or later."""
        if day not in self._days:
            midnight = datetime.combine(day, datetime.min.time())
            begins_ms = self.instant(midnight + timedelta(milliseconds=self.day_start_ms))
            # Before 1972 some clocks differed from UTC by seconds; panes begin on whole UTC minutes all the same.
            self._days[day] = begins_ms - begins_ms % MINUTE_MS
        return self._days[day]

    def instant(self, wall: datetime, fold: int = 0) -> int:
        """When the wall clock reads `wall` (naive); a time that is skipped becomes the end of the gap."""
        local = wall.replace(tzinfo=self.zone, fold=fold)
        time_ms = (local - _EPOCH) // timedelta(milliseconds=1)
        return time_ms if self.wall(time_ms).replace(tzinfo=None) == wall else self._change_near(time_ms)

    def week_earlier(self, time_ms: int) -> int:
        """The same local time on the same weekday a week before, kept within that business day."""
        return self.days_earlier(time_ms, 7)

    def days_earlier(self, time_ms: int, days: int) -> int:
        """The same local time so many business days before, kept within that day."""
        now = self.wall(time_ms)
        day = self.day_of(time_ms) - timedelta(days=days)
        then = self.instant(now.replace(tzinfo=None, fold=0) - timedelta(days=days), now.fold)
        return min(max(then, self.day_begins(day)), self.day_begins(day + timedelta(days=1)))

    def month_earlier(self, time_ms: int) -> int:
        """The same local time on the same day of the month before, from the 29th on perhaps the last of a shorter
        month; kept within that business day."""
        now, day = self.wall(time_ms), self.day_of(time_ms)
        before = months_earlier(day, 1)
        then = self.instant(now.replace(tzinfo=None, fold=0) - (day - before), now.fold)
        return min(max(then, self.day_begins(before)), self.day_begins(before + timedelta(days=1)))

    def minutes(self, start_ms: int, end_ms: int) -> Iterator[Pane]:
        """Minute panes that begin in [start, end), oldest first; `start` is taken down to its minute."""
        time_ms = self.place(start_ms).minute.start_ms
        while time_ms < end_ms:
            pane = self.place(time_ms).minute
            yield pane
            time_ms = pane.end_ms

    def hours(self, start_ms: int, end_ms: int) -> Iterator[Pane]:
        """Hour panes that begin in [start, end), oldest first; `start` is taken down to its hour."""
        time_ms = self.place(start_ms).hour.start_ms
        while time_ms < end_ms:
            pane = self.place(time_ms).hour
            yield pane
            time_ms = pane.end_ms

    def last_hours(self, time_ms: int, count: int) -> list[Pane]:
        """The hour pane of an instant and those before it, `count` in all, oldest first."""
        panes = [self.place(time_ms).hour]
        while len(panes) < count:
            panes.append(self.place(panes[-1].start_ms - 1).hour)
        return panes[::-1]

    def _locate(self, time_ms: int) -> Place:
        day = self.day_of(time_ms)
        begins, ends = self.day_begins(day), self.day_begins(day + timedelta(days=1))
        hour_start = max(self._hour_start(time_ms), begins)
        hour_end = min(self._hour_end(time_ms), ends)
        minute = (time_ms - hour_start) // MINUTE_MS
        minute_start = hour_start + minute * MINUTE_MS
        return Place(
            Pane("m", str(hour_start // 1000), str(minute), minute_start, minute_start + MINUTE_MS),
            Pane("h", f"{day:%Y%m%d}", str((hour_start - begins) // MINUTE_MS), hour_start, hour_end),
            Pane("d", f"{day:%Y%m}", str(day.day), begins, ends),
        )

    def _hour_start(self, time_ms: int) -> int:
        start = time_ms - (time_ms + self._offset(time_ms)) % HOUR_MS
        return start if self._offset(start) == self._offset(time_ms) else self._minute_by(self._change_near(time_ms))

    def _hour_end(self, time_ms: int) -> int:
        offset = self._offset(time_ms)
        end = time_ms - (time_ms + offset) % HOUR_MS + HOUR_MS
        return end if self._offset(end - 1) == offset else self._minute_by(self._change_near(end - 1))

    @staticmethod
    def _minute_by(time_ms: int) -> int:
        """The first whole minute at which a change has been made."""
        return -(-time_ms // MINUTE_MS) * MINUTE_MS

    def _offset(self, time_ms: int) -> int:
        offset = self.wall(time_ms).utcoffset()
        return 0 if offset is None else offset // timedelta(minutes=1) * MINUTE_MS

    def _change_near(self, time_ms: int) -> int:
        """The instant of the clock change in the day before `time_ms`: bisected, exact to the ms."""
        low, high = time_ms - DAY_MS, time_ms
        after = self._offset(high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._offset(middle) == after else (middle, high)
        return high


def months_earlier(day: date, months: int) -> date:
    """The same day of an earlier month, from the 29th on perhaps the last of a shorter one."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    first = date(year, month + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return min(first + timedelta(days=day.day - 1), last)
