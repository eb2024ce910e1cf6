"""/alerts.csv and /alerts.ndjson: what became of alerts as a file, oldest first, also what is archived.

Threats: amounts and names for those who may not see them (CWE-863), cells that a spreadsheet runs (CWE-1236).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, timedelta
from typing import Any

import orjson

from opsmon.core.alerting.rules import Rule
from opsmon.core.calendar import SiteCalendar
from opsmon.store.alerts.alert_queries import LogLine, SoughtLines
from opsmon.store.alerts.history import History
from opsmon.web.accounts.audit_page import written
from opsmon.web.alerts.words import AlertWords
from opsmon.web.history_csv import text_cell

HEAD = ("time", "alert", "run", "rule", "title", "labels", "severity", "before", "state", "reason", "by", "note",
        "value", "limit", "peak", "began", "code")
_EVER = 2**53
_AT_ONCE = 500


class Telling:
    """Puts lines as one reader may see them. `rules` are those there are now: where a line does not say what its rule
    was about, they do; of others nobody knows whether their amounts are for everybody."""

    def __init__(self, words: AlertWords, rules: Mapping[str, Rule], calendar: SiteCalendar) -> None:
        self._words, self._rules, self._calendar = words, rules, calendar

    def record(self, line: LogLine) -> dict[str, Any]:
        """A line by the names of HEAD; numbers in the unit of the rule's KPI (money in minor units), None and '' for
        what is not known or not for this reader."""
        hidden = self._words.hidden(self._words.rule_then(line, self._rules))
        labels = {} if "names" in hidden else dict(line.labels)
        value, limit, peak = (None, None, None) if "money" in hidden else (line.value, line.limit, line.peak)
        began = self._time(line.began_ms) if line.began_ms else ""
        return dict(zip(HEAD, (
            self._time(line.at_ms), line.alert, line.run, line.rule, line.title, labels, line.severity, line.before,
            line.state, line.reason, line.by, line.note, value, limit, peak, began, line.code), strict=True))

    def csv(self, lines: list[LogLine]) -> str:
        """Lines as CSV."""
        return written(tuple(_cell(value) for value in self.record(line).values()) for line in lines)

    def ndjson(self, lines: list[LogLine]) -> str:
        """Lines as JSON, one each."""
        return "".join(f"{orjson.dumps(self.record(line)).decode()}\n" for line in lines)

    def _time(self, time_ms: int) -> str:
        return self._calendar.wall(time_ms).isoformat(timespec="milliseconds")


async def pieces(history: History, asked: tuple[int, int, SoughtLines], put: Callable[[list[LogLine]], str],
                 head: str = "") -> AsyncIterator[str]:
    """The file, piece by piece: of millions of lines no more is held than is being sent."""
    if head:
        yield head
    some: list[LogLine] = []
    async for line in history.between(*asked):
        some.append(line)
        if len(some) == _AT_ONCE:
            yield put(some)
            some = []
    if some:
        yield put(some)


def span_of(asked: Mapping[str, str], calendar: SiteCalendar) -> tuple[int, int]:
    """From the first of the days that are asked for to the end of the last, epoch ms; what is no day is any."""
    since, until = day_of(asked.get("since", "")), day_of(asked.get("until", ""))
    return (calendar.day_begins(since) if since else 0,
            calendar.day_begins(until + timedelta(days=1)) if until else _EVER)


def day_of(text: str) -> date | None:
    """A day of this age of the world, as a form sends it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1990 <= day.year <= 2200 else None


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return text_cell(", ".join(f"{name}={text}" for name, text in value.items()))
    return text_cell(value) if isinstance(value, str) else "" if value is None else f"{value:.15g}"
