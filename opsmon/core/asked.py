"""What a program asks of a KPI's history, read and checked: from when to when, in which steps, by what."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opsmon.core.calendar import DAY_MS, HOUR_MS, MAX_MS, MIN_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.ranges import levels_of
from opsmon.core.windows import Bounds, CalendarUnit, Every, Kind, Unit, windows

_DURATION = re.compile(r"(\d{1,4})(m|h|d)", re.ASCII)
_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_UNITS: dict[str, Unit] = {"hour": "hour", "day": "day", "week": "week", "month": "month", "year": "year"}
STEPS = ("minute", *_UNITS)
PARAMETERS = ("from", "to", "step", "by", "row")
_LEVEL_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


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

    def bounds(self, calendar: SiteCalendar) -> list[Bounds]:
        """The windows asked for, oldest first. The first and the last may reach out of the stretch."""
        return list(windows(self.kind, self.from_ms, self.to_ms, calendar))


def read_question(kpi: Kpi, rollup: Rollup, query: Mapping[str, str], calendar: SiteCalendar, now_ms: int) -> Asked:
    """Read a query string. Raises BadQuestion."""
    unknown = sorted(set(query) - set(PARAMETERS))
    if unknown:
        raise BadQuestion(f"{unknown[0]}: no such parameter; known are {', '.join(PARAMETERS)}")
    if not levels_of(rollup):
        raise BadQuestion(f"{kpi.id} is what holds now: it has no history")
    to_ms = _instant("to", query.get("to"), calendar, now_ms)
    from_ms = _instant("from", query.get("from"), calendar, to_ms - DAY_MS)
    if from_ms >= to_ms:
        raise BadQuestion("from must be before to")
    step = query.get("step") or _fitting(to_ms - from_ms, rollup)
    return Asked(from_ms, to_ms, step, _kind(step, rollup, calendar, from_ms), *_rows(kpi, rollup, query))


def _instant(name: str, text: str | None, calendar: SiteCalendar, default_ms: int) -> int:
    """Epoch ms, or ISO 8601; without an offset it is the site's wall clock. Kept to the minute it is in."""
    if not text:
        return default_ms
    try:
        if re.fullmatch(r"-?\d{1,15}", text):
            found = int(text)
        else:
            wall = datetime.fromisoformat(text)
            found = calendar.instant(wall) if wall.tzinfo is None else round(wall.timestamp() * 1000)
        if not MIN_MS <= found <= MAX_MS:
            raise ValueError
    except (ValueError, OverflowError):
        raise BadQuestion(f"{name}={text[:40]}: expected an instant such as 2026-11-20T14:00 (the site's time), "
                          "2026-11-20T13:00Z or epoch milliseconds") from None
    return found


def _fitting(length_ms: int, rollup: Rollup) -> str:
    """The step that a stretch is shown in when none is named: up to some two hundred windows."""
    finest = _LEVEL_MS[levels_of(rollup)[-1]]
    for step, step_ms in (("minute", MINUTE_MS), ("hour", HOUR_MS), ("day", DAY_MS), ("month", 30 * DAY_MS)):
        if step_ms >= finest and length_ms <= 200 * step_ms:
            return step
    return "year"


def _kind(step: str, rollup: Rollup, calendar: SiteCalendar, from_ms: int) -> Kind:
    finest_ms = _LEVEL_MS[levels_of(rollup)[-1]]
    if step in _UNITS:
        kind: Kind = CalendarUnit(_UNITS[step])
        size_ms = HOUR_MS if step == "hour" else DAY_MS
    else:
        match = _DURATION.fullmatch("1m" if step == "minute" else step)
        size_ms = int(match[1]) * _MS[match[2]] if match else 0
        if not size_ms:
            raise BadQuestion(f"step={step[:40]}: expected {', '.join(STEPS)}, or a duration such as 15m or 4h")
        # Beginning with the day, so that 15m stands at :00, :15, :30 and :45 of the wall clock.
        kind = Every(size_ms, offset_ms=calendar.place(from_ms).day.start_ms)
    if size_ms < finest_ms:
        kept = {"m": "minutes", "h": "hours", "d": "days"}[levels_of(rollup)[-1]]
        raise BadQuestion(f"step={step}: this number is kept by {kept}, no finer")
    return kind


def _rows(kpi: Kpi, rollup: Rollup, query: Mapping[str, str]) -> tuple[bool, str | None]:
    by, row, dimension = query.get("by"), query.get("row"), "|".join(rollup.by)
    if by is None and row is None:
        return False, None
    if not dimension:
        raise BadQuestion(f"{kpi.id} is not kept by anything: leave by and row out")
    if by not in (None, dimension):
        raise BadQuestion(f"by={by[:40]}: {kpi.id} is kept by {dimension}")
    return row is None, row
