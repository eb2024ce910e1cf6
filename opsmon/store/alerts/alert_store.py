"""Command: moving an alert. Whoever moves it says from which version; of two at once one wins, the other looks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from secrets import token_hex

import orjson

from opsmon.core.alerting.life import Alert, Move, new_alert
from opsmon.core.alerting.records import dump_alert, parse_alert
from opsmon.core.alerting.rules import Rule
from opsmon.core.alerting.telling import Notice, Told
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

# Two people and the evaluator: a fourth try would be a mistake of ours.
_TRIES = 8
UNTOLD = Told()
# More are open only in a storm.
_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Stored:
    """An alert as it is kept: its version in the store, and what was said of it."""

    version: int
    alert: Alert
    told: Told = UNTOLD


class AlertStore:
    """Moves the alerts of one site."""

    def __init__(self, reader: Reader, scripts: Scripts, keys: Keys) -> None:
        self._reader, self._scripts, self._keys = reader, scripts, keys

    async def all(self) -> dict[str, Stored]:
        """Every alert there is, by its fingerprint."""
        found = await self._reader.hash(self._keys.alerts)
        return {name.decode(): read_stored(record) for name, record in found.items()}

    async def one(self, fingerprint: str) -> Stored | None:
        """One alert; None where there is none."""
        return (await self.all()).get(fingerprint)

    async def move(self, stored: Stored, move: Move, rule: Rule, now_ms: int) -> Stored:
        """Keep a move with its line in the log; the record that counts now: the move's, or another one's that came
        first, and then nothing was written. May be repeated."""
        return (await self._move(stored, move, rule, now_ms))[0]

    async def note(self, stored: Stored, told: Told, notices: Iterable[Sequence[str]], now_ms: int,
                   log: Sequence[str] = ()) -> Stored:
        """Keep what has been said of an alert, with what is to be delivered, and with a line of the log where it is
        news; as `move`."""
        return (await self._keep(Stored(stored.version + 1, stored.alert, told), now_ms, log, list(notices)))[0]

    async def act(self, fingerprint: str, verb: Callable[[Alert], Move | None], rule_of: Callable[[str], Rule | None],
                  now_ms: int) -> tuple[Stored | None, bool]:
        """Do what somebody asks for on the alert as it is at that moment; the alert afterwards, and whether it was
        done: somebody else may have been first. May be repeated."""
        stored = await self.one(fingerprint)
        for _ in range(_TRIES):
            move = verb(stored.alert) if stored else None
            rule = rule_of(stored.alert.rule) if stored else None
            if stored is None or move is None or rule is None:
                return stored, False
            stored, is_done = await self._move(stored, move, rule, now_ms)
            if is_done:
                return stored, True
        raise TimeoutError("the alert is moved again and again")

    async def _move(self, stored: Stored, move: Move, rule: Rule, now_ms: int) -> tuple[Stored, bool]:
        after = Stored(stored.version + 1, move.alert, stored.told)
        # That a number is missing is news after five minutes; until then it is only kept in mind.
        is_news = move.reason not in ("no-number", "number-again") or move.before != move.alert.state
        return await self._keep(after, now_ms, log=log_line(move, rule, now_ms) if is_news else ())

    async def _keep(self, after: Stored, now_ms: int, log: Sequence[str] = (),
                    notices: Sequence[Sequence[str]] = ()) -> tuple[Stored, bool]:
        """The record that counts now, and whether it is this one: told by a mark, for two who write or snooze at the
        same instant make the same of an alert, and a client whose answer was lost asks again."""
        mark = token_hex(4)
        record = orjson.dumps({**dump_alert(after.alert, after.told), "mark": mark})
        other = await self._scripts.move_alert(after.alert.fingerprint, after.version - 1, record, now_ms, log, notices)
        if other is None:
            return after, True
        # A site that was restored meanwhile may have no such alert any more.
        gone = Stored(0, new_alert(after.alert.rule, after.alert.labels))
        return (gone, False) if other == b"0 " else (read_stored(other), _mark(other) == mark)


def _mark(record: bytes) -> str:
    return str(orjson.loads(record.partition(b" ")[2]).get("mark"))


@lru_cache(maxsize=_REMEMBERED)
def read_stored(record: bytes) -> Stored:
    """An alert from its record: the version, a blank, and the rest as JSON. Most of them are as they were at the last
    look."""
    version, _, text = record.partition(b" ")
    alert, told = parse_alert(orjson.loads(text))
    return Stored(int(version), alert, told)


def log_line(move: Move, rule: Rule, now_ms: int) -> list[str]:
    """A move as the names and values of a line in the log: whole in itself, for rules change."""
    alert = move.alert
    told = {"at": now_ms, "alert": alert.fingerprint, "run": alert.id, "rule": rule.id, "title": rule.title,
            "about": alert.about or rule.about, "severity": rule.severity, "before": move.before, "state": alert.state,
            "reason": move.reason, "by": move.by, "note": move.note, "value": alert.value, "limit": alert.limit,
            "peak": alert.peak, "began": alert.began_ms, "code": alert.code,
            "labels": orjson.dumps(dict(alert.labels)).decode()}
    return [str(part) for pair in told.items() if pair[1] not in (None, "") for part in pair]


def notice_fields(notice: Notice, receiver: str, alert: Alert, rule: Rule, now_ms: int) -> list[str]:
    """What is to be delivered to one receiver, as names and values of an entry."""
    told = {"key": f"{notice.key}-{receiver}", "word": notice.word, "receiver": receiver, "alert": alert.fingerprint,
            "run": alert.id, "rule": rule.id, "at": now_ms}
    return [str(part) for pair in told.items() for part in pair]
