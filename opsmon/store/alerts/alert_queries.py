"""Queries: what is wrong and what was, for those who look: alerts with their rules and silences, and the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import Rule
from opsmon.core.alerting.silences import Silence, inhibitor_of, silence_of
from opsmon.store.alerts.alert_store import Stored, read_stored
from opsmon.store.alerts.rule_queries import all_rules, silences
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

_AT_A_TIME = 500
# A page looks through so many lines; whoever wants to look further goes on from where it ended.
MOST_READ = 10_000


@dataclass(frozen=True, slots=True)
class AlertBook:
    """Every alert of a site, the rules they are of, and what is kept silent."""

    alerts: tuple[Stored, ...]
    rules: Mapping[str, Rule]
    silences: tuple[Silence, ...]

    @property
    def open(self) -> tuple[Stored, ...]:
        """Those that somebody may have to see to, the worst first, then the oldest."""
        order = {"critical": 0, "high": 1, "medium": 2, "low": 3}
        found = [one for one in self.alerts if one.alert.is_open and one.alert.rule in self.rules]
        return tuple(sorted(found, key=lambda one: (order[self.rules[one.alert.rule].severity], one.alert.began_ms,
                                                    one.alert.fingerprint)))

    def silence_of(self, alert: Alert, now_ms: int) -> Silence | None:
        """The silence that keeps an alert quiet now."""
        return silence_of(alert, self.silences, now_ms)

    def inhibitor_of(self, alert: Alert) -> Alert | None:
        """The open alert that explains this one."""
        firing = [(one.alert, self.rules[one.alert.rule]) for one in self.open]
        return inhibitor_of(alert, self.rules[alert.rule], firing)

    def running(self, now_ms: int) -> tuple[Silence, ...]:
        """The silences that hold now, the first to end first."""
        return tuple(sorted((one for one in self.silences if one.began_ms <= now_ms < one.until_ms),
                            key=lambda one: (one.until_ms, one.id)))


async def alert_book(reader: Reader, keys: Keys, own: Sequence[Rule] = ()) -> AlertBook:
    """All of it as it is now. `own` are the rules of the site's file. Raises STORE_ERRORS."""
    found = await reader.hash(keys.alerts)
    rules = await all_rules(reader, keys, own)
    kept = await silences(reader, keys)
    return AlertBook(tuple(read_stored(record) for record in found.values()), rules,
                     tuple(one for one, _ in kept.values()))


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log: a move of an alert, whole in itself. Numbers are in the unit of what its rule was `about`
    then; '' where an older opsmon did not say."""

    id: str
    at_ms: int
    alert: str
    run: str
    rule: str
    title: str
    severity: str
    before: str
    state: str
    reason: str
    by: str
    note: str
    value: float | None
    limit: float | None
    peak: float | None
    began_ms: int
    code: str
    labels: tuple[tuple[str, str], ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class SoughtLines:
    """Which lines are meant; '' is any. `is_of_people`: with what people did, else only what an alert became."""

    rule: str = ""
    severity: str = ""
    state: str = ""
    alert: str = ""
    is_of_people: bool = True

    def has(self, line: LogLine) -> bool:
        """Whether a line is one of them."""
        return (self.rule in ("", line.rule) and self.severity in ("", line.severity)
                and self.state in ("", line.state) and self.alert in ("", line.alert)
                and (self.is_of_people or line.before != line.state))


async def log_page(reader: Reader, keys: Keys, sought: SoughtLines, count: int, before: str = "+", after: str = "0-0"
                   ) -> tuple[list[LogLine], str]:
    """At most `count` lines that the store has `after` an id, newest first, and the id to go on from, '' at the end.
    All there is, and fast: history.py."""
    found: list[LogLine] = []
    for _ in range(MOST_READ // _AT_A_TIME):
        start = before if before == "+" else f"({before}"
        entries = await reader.entries(keys.alert_log, start, f"({after}", _AT_A_TIME, newest_first=True)
        for entry_id, fields in entries:
            before = entry_id.decode()
            line = line_of(before, {name.decode(): value.decode() for name, value in fields.items()})
            found += [line] if sought.has(line) else []
            if len(found) == count:
                return found, before
        if len(entries) < _AT_A_TIME:
            return found, ""
    return found, before


def line_of(entry_id: str, told: Mapping[str, str]) -> LogLine:
    """An entry of the log as a line; what an older opsmon did not write is ''."""
    at_ms = int(told.get("at") or entry_id.partition("-")[0])
    labels = tuple(sorted(orjson.loads(told.get("labels") or "{}").items()))
    text = partial(_text, told)
    return LogLine(
        entry_id, at_ms, text("alert"), text("run"), text("rule"), text("title"), text("severity"), text("before"),
        text("state"), text("reason"), text("by"), text("note"), _number(told, "value"), _number(told, "limit"),
        _number(told, "peak"), int(told.get("began") or 0), text("code"), labels, text("about"))


def _text(told: Mapping[str, str], name: str) -> str:
    return told.get(name, "")


def _number(told: Mapping[str, str], name: str) -> float | None:
    return float(told[name]) if told.get(name) else None
