"""What a program asks of a KPI's history, read and checked: from when to when, in which steps, by what."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from opsmon.core.calendar import DAY_MS, HOUR_MS, MAX_MS, MIN_MS, MINUTE_MS, Level, SiteCalendar
from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.folding import kept
from opsmon.core.panes import Retention
from opsmon.core.ranges import levels_of
from opsmon.core.window_texts import duration_ms, duration_words
from opsmon.core.windows import Bounds, CalendarUnit, Every, Kind, Unit, windows

_UNITS: dict[str, Unit] = {"hour": "hour", "day": "day", "week": "week", "month": "month", "year": "year"}
STEPS = ("minute", *_UNITS)
PARAMETERS = ("from", "to", "step", "by", "row")
_LEVEL_MS: dict[Level, int] = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_LEVEL_NAMES: dict[Level, str] = {"m": "minutes", "h": "hours", "d": "days"}
# No instant is nearer to the ends of the calendar than this, so that no window reaches out of it.
_LONGEST_MS = 3_660 * DAY_MS
# In a query string a plus that was not escaped has become a space.
_LOST_PLUS = re.compile(r"(T\d\d:?\d\d\S*) (\d\d(:?\d\d)?)", re.ASCII)


class BadQuestion(ValueError):
    """A question that cannot be answered; the message says what can be asked instead."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A stretch of a KPI's history: windows of `kind` within [from, to), each row apart or one `row`."""

    from_ms: int
    to_ms: int
    step: str
    kind: Kind
    by_rows: bool
    row: str | None

    def bounds(self, calendar: SiteCalendar) -> Iterator[Bounds]:
        """The windows asked for, oldest first, however many. The first and the last may reach out of the stretch."""
        return windows(self.kind, self.from_ms, self.to_ms, calendar)


def read_question(kpi: Kpi, rollup: Rollup, query: Mapping[str, str], calendar: SiteCalendar, now_ms: int,
                  retention: Retention) -> Asked:
    """Read a query string. Raises BadQuestion."""
    unknown = sorted(set(query) - set(PARAMETERS))
    if unknown:
        raise BadQuestion(f"{unknown[0][:40]}: no such parameter; known are {', '.join(PARAMETERS)}")
    if not levels_of(rollup) or kpi.show == "open":
        raise BadQuestion(f"{kpi.id} is what holds now: it has no history")
    to_ms = _instant("to", query.get("to"), calendar, now_ms)
    from_ms = _instant("from", query.get("from"), calendar, to_ms - DAY_MS)
    if from_ms >= to_ms:
        raise BadQuestion("from must be before to")
    finest = finest_level(rollup, from_ms, now_ms, retention)
    step = query.get("step") or _fitting(to_ms - from_ms, finest)
    kind = _kind(step, calendar, from_ms)
    _check_step(step, kind, finest, rollup)
    return Asked(from_ms, to_ms, step, kind, *_rows(kpi, rollup, query))


def _instant(name: str, text: str | None, calendar: SiteCalendar, default_ms: int) -> int:
    """Epoch ms, or ISO 8601; without an offset it is the site's wall clock."""
    if not text:
        return default_ms
    try:
        if re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
            found = int(text)
        else:
            wall = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
            found = calendar.instant(wall) if wall.tzinfo is None else round(wall.timestamp() * 1000)
        if not MIN_MS + _LONGEST_MS <= found <= MAX_MS - _LONGEST_MS:
            raise ValueError
    except (ValueError, OverflowError):
        raise BadQuestion(f"{name}={text[:40]}: expected an instant such as 2026-11-20T14:00 (the site's time), "
                          "2026-11-20T13:00Z or epoch milliseconds") from None
    return found


def finest_level(rollup: Rollup, from_ms: int, now_ms: int, retention: Retention) -> Level:
    """The finest level that is kept so far back. Raises BadQuestion when none is."""
    life_ms = None
    for level in reversed(levels_of(rollup)):
        life_ms = kept(rollup, level, retention)
        if life_ms is None or from_ms >= now_ms - life_ms:
            return level
    raise BadQuestion(f"from: this number is kept for {_told(life_ms or 0)}")


def _fitting(length_ms: int, finest: Level) -> str:
    """The step that a stretch is shown in when none is named: up to some two hundred windows."""
    for step, step_ms in (("minute", MINUTE_MS), ("hour", HOUR_MS), ("day", DAY_MS), ("month", 30 * DAY_MS)):
        if step_ms >= _LEVEL_MS[finest] and length_ms <= 200 * step_ms:
            return step
    return "year"


def _kind(step: str, calendar: SiteCalendar, from_ms: int) -> Kind:
    if step in _UNITS:
        return CalendarUnit(_UNITS[step])
    size_ms = MINUTE_MS if step == "minute" else duration_ms(step)
    if size_ms is None or size_ms > _LONGEST_MS:
        raise BadQuestion(f"step={step[:40]}: expected {', '.join(STEPS)}, or a duration such as 15m or 4h")
    if size_ms % DAY_MS == 0:
        return CalendarUnit("day", size_ms // DAY_MS, calendar.day_of(from_ms))
    if size_ms % HOUR_MS == 0 and DAY_MS % size_ms == 0:
        # By the wall clock of each day: also after a clock change 4h stands at 00:00, 04:00, 08:00 …
        return CalendarUnit("hour", size_ms // HOUR_MS)
    # Beginning with the day, so that 15m stands at :00, :15, :30 and :45 of the wall clock.
    return Every(size_ms, offset_ms=calendar.place(from_ms).day.start_ms)


def _check_step(step: str, kind: Kind, finest: Level, rollup: Rollup) -> None:
    """Refuse windows that would cut through what is kept: each half would be told the whole."""
    cuts = kind.size_ms % _LEVEL_MS[finest] if isinstance(kind, Every) else finest == "d" and kind.unit == "hour"
    if cuts:
        where = "" if finest == levels_of(rollup)[-1] else "so far back "
        raise BadQuestion(f"step={step}: {where}this number is kept by {_LEVEL_NAMES[finest]}, no finer")


def _rows(kpi: Kpi, rollup: Rollup, query: Mapping[str, str]) -> tuple[bool, str | None]:
    by, row, dimension = query.get("by"), query.get("row"), "|".join(rollup.by)
    if by is None and row is None:
        return False, None
    if not dimension:
        raise BadQuestion(f"{kpi.id} is not kept by anything: leave by and row out")
    if by not in (None, dimension):
        raise BadQuestion(f"by={by[:40]}: {kpi.id} is kept by {dimension}")
    return row is None, row


def _told(life_ms: int) -> str:
    """A length of time as settings are written; odd ones to the minute below."""
    return duration_words(max(life_ms - life_ms % MINUTE_MS, MINUTE_MS))
