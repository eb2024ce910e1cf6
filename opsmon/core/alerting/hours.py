"""When people may be told: business hours in their own zone. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS_AHEAD = 15


@dataclass(frozen=True, slots=True)
class Hours:
    """Business hours: by weekday (0 is Monday) the minutes from local midnight between which somebody works; no entry:
    closed. `closed` are days on which nobody does. Empty hours mean always open."""

    zone: str = "UTC"
    week: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    closed: frozenset[date] = frozenset()

    @property
    def is_always(self) -> bool:
        """Whether there is no closing time at all."""
        return not self.week and not self.closed


ALWAYS = Hours()


def is_open(hours: Hours, now_ms: int) -> bool:
    """Whether somebody works at this instant, by the wall clock of their zone."""
    if hours.is_always:
        return True
    local = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(hours.zone))
    opens = hours.week.get(local.weekday())
    minute = local.hour * 60 + local.minute
    return opens is not None and local.date() not in hours.closed and opens[0] <= minute < opens[1]


def opens_ms(hours: Hours, now_ms: int) -> int | None:
    """When somebody works next: now if they do, None if nobody does within two weeks."""
    if is_open(hours, now_ms):
        return now_ms
    local = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(hours.zone))
    found = (_opening(hours, local.date() + timedelta(days=ahead)) for ahead in range(_DAYS_AHEAD))
    return next((at_ms for at_ms in found if at_ms is not None and at_ms > now_ms), None)


def _opening(hours: Hours, day: date) -> int | None:
    """When a day opens; an hour that the clock leaves out opens with the one after it."""
    opens = hours.week.get(day.weekday())
    if opens is None or day in hours.closed:
        return None
    local = datetime(day.year, day.month, day.day, opens[0] // 60, opens[0] % 60, tzinfo=ZoneInfo(hours.zone))
    return int(local.astimezone(UTC).timestamp() * 1000)
