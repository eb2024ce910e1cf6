"""Windows as a site writes them, and as they are told: "today", "7 days", "1h every 5m", "per hour"."""

import re

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import Days, Month, Now, Sliding, Today, Tumbling, Window

MOST_DAYS = 366
# A longer one is folded from hundreds of hours at every look: days say it as well.
LONGEST_SLIDING_MS = 7 * DAY_MS
EXPECTED = 'today, now, month, "7 days", "1h", "1h every 5m", "per minute" or "per hour"'

_UNITS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_DURATION = re.compile(r"([1-9]\d{0,5})([mhd])", re.ASCII)
_DAYS = re.compile(r"([1-9]\d{0,3}) days?", re.ASCII)
_NAMED: dict[str, Window] = {
    "today": Today(), "now": Now(), "month": Month(),
    "per minute": Tumbling(MINUTE_MS, history=60), "per hour": Tumbling(HOUR_MS, history=24),
}


def read_window(text: str, *, by_hours: bool) -> Window:
    """Read a window; `by_hours`: what is measured has no minutes. Raises ValueError saying what would be right."""
    words = " ".join(text.split())
    if words in _NAMED:
        return _NAMED[words]
    days = _DAYS.fullmatch(words)
    if days:
        if int(days[1]) > MOST_DAYS:
            raise ValueError(f'at most "{MOST_DAYS} days"')
        return Days(int(days[1]))
    size, every, hop = words.partition(" every ")
    size_ms, hop_ms = duration_ms(size), duration_ms(hop) if every else None
    if size_ms is None or (every and hop_ms is None):
        raise ValueError(EXPECTED)
    return _sliding(size_ms, hop_ms, is_hourly=by_hours or size_ms >= DAY_MS)


def duration_ms(text: str) -> int | None:
    """Read whole minutes, hours or days: 30m, 1h, 2d; None for anything else."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None


def window_words(window: Window) -> str:
    """'today', 'last 7 days', 'last 1h', 'last 1h every 5m', 'per hour'."""
    match window:
        case Days(count):
            return f"last {count} days" if count > 1 else "today"
        case Month():
            return "this month"
        case Sliding(size_ms, hop_ms, delay_ms):
            usual_ms = HOUR_MS if size_ms >= DAY_MS else MINUTE_MS
            hop = "" if hop_ms == usual_ms else f" every {duration_words(hop_ms)}"
            delay = f" until {duration_words(delay_ms)} ago" if delay_ms else ""
            return f"last {duration_words(size_ms)}{hop}{delay}"
        case Tumbling(size_ms):
            return "per minute" if size_ms == MINUTE_MS else "per hour"
        case _:
            return window.kind


def duration_words(length_ms: int) -> str:
    """As it is written: 90m, 24h, 2d. One day is told as 24h: it is no business day."""
    units = ("h", "m") if length_ms == DAY_MS else ("d", "h", "m")
    unit = next(unit for unit in units if length_ms % _UNITS[unit] == 0)
    return f"{length_ms // _UNITS[unit]}{unit}"


def _sliding(size_ms: int, hop_ms: int | None, *, is_hourly: bool) -> Sliding:
    step_ms = HOUR_MS if is_hourly else MINUTE_MS
    hop_ms = hop_ms or step_ms
    if size_ms > LONGEST_SLIDING_MS:
        days = -(-size_ms // DAY_MS)
        raise ValueError(f'at most "7d", or business days, "{min(days, MOST_DAYS)} days"')
    if size_ms % step_ms or hop_ms % step_ms:
        raise ValueError('whole hours, e.g. "24h" or "24h every 2h", as it is kept by the hour')
    if hop_ms > size_ms:
        raise ValueError(f'steps of at most {duration_words(size_ms)}, as longer ones leave gaps')
    return Sliding(size_ms, hop_ms)
