"""What a digest of a day or a week says: what is open, what came and went, what was held overnight, what rang most.

Pure: worked out from the lines of the alert log.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.receivers import Telling
from opsmon.core.alerting.rules import Rule

MOST_LISTED = 10
_LATE_MINUTES = 60


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log, as far as digests need it."""

    at_ms: int
    run: str
    rule: str
    title: str
    severity: str
    state: str
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """What happened from `since_ms` to `until_ms`. `is_open`: titles of what is open; `held`: titles of what began and
    ended while nobody was to be told; `noisy`: (title, how often it fired), most first."""

    since_ms: int
    until_ms: int
    fired: int
    resolved: int
    acknowledged: int
    is_open: tuple[str, ...]
    held: tuple[str, ...]
    noisy: tuple[tuple[str, int], ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.fired or self.resolved or self.is_open)


def digest(log: Iterable[LogLine], alerts: Iterable[Alert], rules: Mapping[str, Rule], telling: Telling,
           since_ms: int, until_ms: int) -> Digest:
    """A digest of the lines from `since_ms` (with it) to `until_ms` (without)."""
    lines = [one for one in log if since_ms <= one.at_ms < until_ms]
    fired = [one for one in lines if one.state == "firing" and one.reason in ("beyond", "held")]
    ended = {one.run for one in lines if _is_end(one)}
    held = [one for one in fired if one.run in ended and _was_held(one, lines, telling)]
    rang = Counter(one.title for one in fired)
    return Digest(
        since_ms, until_ms, len(fired), len(ended), len({one.run for one in lines if one.reason == "acknowledged"}),
        tuple(sorted(rules[one.rule].title for one in alerts if one.is_open and one.rule in rules))[:MOST_LISTED],
        tuple(dict.fromkeys(one.title for one in held))[:MOST_LISTED],
        tuple(sorted(rang.items(), key=lambda pair: (-pair[1], pair[0])))[:3])


def due_days(telling: Telling, zone: ZoneInfo, now_ms: int) -> list[tuple[str, str]]:
    """Which digests are due: (daily, weekly or monthly, its day). An hour late at most: nobody wants to read in the
    afternoon what the morning was to say."""
    local = datetime.fromtimestamp(now_ms / 1000, zone)
    plan = telling.digests
    late = local.hour * 60 + local.minute - plan.at_minute
    if not 0 <= late < _LATE_MINUTES or not telling.digest_receivers:
        return []
    day = local.date().isoformat()
    daily = [("daily", day)] if plan.is_daily else []
    weekly = [("weekly", day)] if plan.is_weekly and local.weekday() == 0 else []
    return daily + weekly + ([("monthly", day)] if plan.is_monthly and _begins_month(local.date()) else [])


def _begins_month(day: date) -> bool:
    """Whether it is the first of its month that is neither a Saturday nor a Sunday."""
    return day.weekday() < 5 and (day.day == 1 or (day.weekday() == 0 and day.day <= 3))


def _is_end(line: LogLine) -> bool:
    """Whether a run ended with it. What people write and say of it later is of a run that is over, too."""
    return line.state == "resolved" and line.reason in ("stayed-within", "closed", "rule-gone")


def _was_held(fired: LogLine, lines: Iterable[LogLine], telling: Telling) -> bool:
    """Whether nobody was to be told when it fired, nor when it ended."""
    if fired.severity not in ("high", "medium"):
        return False
    route = telling.route(fired.severity)  # type: ignore[arg-type]
    end = max(one.at_ms for one in lines if one.run == fired.run and _is_end(one))
    return bool(route.steps) and not route.is_open(fired.at_ms) and not route.is_open(end)
