"""What a day will come to: today so far, and what the same weekdays did in the hours that are left. Pure.

Nothing is fitted: each of the last weekdays is one answer, their mean is the likely one, the least and the most
of them are the range. The hour that runs counts by the share of it that is left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opsmon.core.calendar import Pane, SiteCalendar

# Four Fridays: enough for a range, near enough to be like this one.
WEEKDAYS = 4


@dataclass(frozen=True, slots=True)
class Rest:
    """What was left of one earlier weekday at this time of day: of the hour that ran the share `left`, 0 to 1, and
    all `hours` after it. `begins_ms` is when that business day began."""

    begins_ms: int
    hour: Pane
    left: float
    hours: tuple[Pane, ...]

    @property
    def panes(self) -> tuple[Pane, ...]:
        """Every hour it is read from."""
        return (self.hour, *self.hours)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the day will come to, as of `from_ms`, judging by `days` weekdays; money in minor units."""

    from_ms: int
    so_far: int
    likely: int
    low: int
    high: int
    days: int

    @property
    def rests(self) -> tuple[int, int]:
        """The least and the most that the hours left have brought."""
        return self.low - self.so_far, self.high - self.so_far


def rests(now_ms: int, calendar: SiteCalendar) -> Iterator[Rest]:
    """What was left of the same weekdays, newest first."""
    then_ms = now_ms
    for _ in range(WEEKDAYS):
        then_ms = calendar.week_earlier(then_ms)
        _, hour, day = calendar.place(then_ms)
        left = (hour.end_ms - then_ms) / (hour.end_ms - hour.start_ms)
        yield Rest(day.start_ms, hour, left, tuple(calendar.hours(hour.end_ms, day.end_ms)))


def outlook(from_ms: int, so_far: float, remaining: Sequence[float]) -> Outlook | None:
    """What the day will come to; `remaining` is what each weekday brought from now on. None without any."""
    if not remaining:
        return None
    likely = sum(remaining) / len(remaining)
    low, middle, high = (round(so_far + one) for one in (min(remaining), likely, max(remaining)))
    return Outlook(from_ms, round(so_far), middle, low, high, len(remaining))
