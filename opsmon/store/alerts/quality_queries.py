"""Query: the log of the last 30 days, as far as it tells whether alerts are worth what they cost."""

from dataclasses import dataclass

from opsmon.core.alerting.past_runs import Entry
from opsmon.core.alerting.quality import BACK_MS
from opsmon.store.alerts.alert_queries import LogLine, SoughtLines, log_page
from opsmon.store.alerts.history import History
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

_AT_A_TIME = 2_000
# Seventy alerts an hour for a month. Whoever has more knows without figures what is wrong.
MOST_LINES = 200_000


@dataclass(frozen=True, slots=True)
class Lately:
    """The lines of a time, oldest first. `since_ms` is when the first of them was where not all could be read, None
    when these are all."""

    entries: tuple[Entry, ...]
    since_ms: int | None = None


async def lately(reader: Reader, keys: Keys, until_ms: int, most_lines: int = MOST_LINES,
                 history: History | None = None) -> Lately:
    """The 30 days up to an instant, or the newest lines of them; without a `history` as far as the store has them.
    Raises STORE_ERRORS."""
    since_ms, before, found = until_ms - BACK_MS, "", list[LogLine]()
    while len(found) < most_lines:
        at_a_time = min(_AT_A_TIME, most_lines - len(found))
        if history is None:
            lines, before = await log_page(reader, keys, SoughtLines(), at_a_time, before or "+")
        else:
            page = await history.page(SoughtLines(), at_a_time, before)
            lines, before = list(page.lines), page.last
        found += [one for one in lines if since_ms <= one.at_ms < until_ms]
        if not before or (lines and lines[-1].at_ms < since_ms):
            return Lately(tuple(map(_entry, reversed(found))))
    return Lately(tuple(map(_entry, reversed(found))), found[-1].at_ms)


def _entry(line: LogLine) -> Entry:
    return Entry(line.at_ms, line.alert, line.run, line.rule, line.severity, line.state, line.reason, line.note,
                 line.code)
