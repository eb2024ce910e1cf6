"""One month of the history of alerts as a file of SQLite, which the standard library brings along.

A line of the log lies here with the names and values it had in the stream, whatever opsmon wrote it: old shapes are
kept as they are. Beside it stands what pages look for. What pages narrow to (rule, severity, state, whether the state
changed) is one of a few kinds; the lines of a kind lie together in their order, so that the next page is read from
there, however rare its lines are. A commit is on the disk when it returns, with the folder's entry of it: synchronous
EXTRA (sqlite.org/pragma.html). Whoever is killed in it leaves a journal, by which the next one undoes what is half.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from heapq import heapify, heappop, heappush
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from opsmon.store.alerts.alert_queries import SoughtLines

# An entry of the log: its id in the stream, and its names and values.
Entry = tuple[str, Mapping[str, str]]
# An id as numbers: epoch ms by the store's clock, and which one of that ms.
Place = tuple[int, int]
# When a line was, and its id.
Moment = tuple[int, int, int]

START: Place = (0, 0)
END: Place = (2**62, 0)
SHAPE = 1
_WAITS_S = 2.0
_MADE = f"""
create table kinds (id integer primary key, rule text not null, severity text not null, state text not null,
                    is_move integer not null, unique (rule, severity, state, is_move));
create table lines (ms integer not null, seq integer not null, at integer not null, kind integer not null,
                    alert text not null, told text not null, primary key (ms, seq)) without rowid;
create index by_kind on lines (kind, ms, seq);
create index by_alert on lines (alert, ms, seq);
create index by_at on lines (at, ms, seq);
pragma user_version = {SHAPE};
"""
_ANY = "true"
# Of more kinds so many lines are looked through first: a millisecond.
_FEW, _LOOKED = 20, 500
_OF_ALL = "select ms, seq, told from lines where (ms, seq) < (?, ?) order by ms desc, seq desc"
_LATE = ("select ms, seq, told from (select ms, seq, kind, told from lines where (ms, seq) < (?, ?) order by ms desc, "
         "seq desc limit {looked}) where kind in (select id from kinds where {kinds}) order by ms desc, seq desc")
_OF_KIND = "select ms, seq, told from lines where kind = ? and (ms, seq) < (?, ?) order by ms desc, seq desc limit 1"
# With + before it a column is a condition and no index of it is taken (sqlite.org/optoverview.html).
_OF_ALERT = ("select ms, seq, told from lines where alert = ? and (ms, seq) < (?, ?) and +kind in "
             "(select id from kinds where {kinds}) order by ms desc, seq desc")
_BETWEEN = ("select at, ms, seq, told from lines where (at, ms, seq) > (?, ?, ?) and at < ? "
            "and (? = '' or alert = ?) and +kind in (select id from kinds where {kinds}) order by at, ms, seq limit ?")


class MonthFile:
    """One file, open; threads take turns. Raises sqlite3.Error and OSError."""

    def __init__(self, path: Path) -> None:
        """The file is made with its first lines."""
        self.path = path
        self._db = sqlite3.connect(path, timeout=_WAITS_S, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma synchronous = extra")

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def keep(self, entries: Iterable[Entry]) -> None:
        """Take lines in, all or none; on the disk when it returns. May be repeated: an id is kept once."""
        with self._writing():
            if not self._is_made():
                for statement in _MADE.split(";"):
                    self._db.execute(statement)
            kinds: dict[tuple[object, ...], int] = {}
            rows = [self._row(entry, kinds) for entry in entries]
            self._db.executemany("insert or replace into lines values (?, ?, ?, ?, ?, ?)", rows)

    def clear(self) -> None:
        """Keep nothing any more."""
        with self._writing():
            if self._is_made():
                self._db.execute("delete from lines")
                self._db.execute("delete from kinds")

    def newest(self) -> Place:
        """The last id; START where there is none."""
        if not self._is_made():
            return START
        found = self._rows("select ms, seq from lines order by ms desc, seq desc limit 1")
        return (found[0][0], found[0][1]) if found else START

    def read_back(self, ids: Sequence[Place]) -> list[Entry | None]:
        """What is kept under these ids."""
        if not self._is_made():
            return [None] * len(ids)
        found = ((place, self._rows("select told from lines where (ms, seq) = (?, ?)", place)) for place in ids)
        return [(f"{ms}-{seq}", orjson.loads(told[0][0])) if told else None for (ms, seq), told in found]

    def before(self, sought: SoughtLines, place: Place, count: int) -> list[Entry]:
        """At most `count` lines before a place, newest first."""
        if not self._is_made():
            return []
        condition, values = _kinds(sought)
        if sought.alert:
            return self._taken(_OF_ALERT.format(kinds=condition), (sought.alert, *place, *values), count)
        if condition == _ANY:
            return self._taken(_OF_ALL, place, count)
        kinds = [kind for kind, in self._rows(f"select id from kinds where {condition}", values)]  # noqa: S608
        # What is of many kinds is often near; of what is not each kind is asked for its next line.
        if len(kinds) > _FEW:
            near = self._taken(_LATE.format(kinds=condition, looked=_LOOKED), (*place, *values), count)
            if len(near) == count:
                return near
        return list(islice(self._by_kind(kinds, place), count))

    def between(self, sought: SoughtLines, after: Moment, until_ms: int, count: int
                ) -> list[tuple[Moment, Entry]]:
        """At most `count` lines of before an instant, oldest first by when they were; each with its place, to go on
        `after` it: (instant, id)."""
        if not self._is_made():
            return []
        condition, values = _kinds(sought)
        asked = (*after, until_ms, sought.alert, sought.alert, *values, count)
        return [((row[0], row[1], row[2]), _entry(row[1:]))
                for row in self._rows(_BETWEEN.format(kinds=condition), asked)]

    def _taken(self, query: str, values: Sequence[object], count: int) -> list[Entry]:
        # A query that is left open would keep writers out.
        with closing(self._db.execute(query, values)) as found:
            return [_entry(row) for row in found.fetchmany(count)]

    def _by_kind(self, kinds: Sequence[int], place: Place) -> Iterator[Entry]:
        def next_of(kind: int, place: Place) -> Iterator[tuple[int, int, int, str]]:
            return ((-ms, -seq, kind, told) for ms, seq, told in self._rows(_OF_KIND, (kind, *place)))

        heap = [line for kind in kinds for line in next_of(kind, place)]
        heapify(heap)
        while heap:
            ms, seq, kind, told = heappop(heap)
            yield _entry((-ms, -seq, told))
            for line in next_of(kind, (-ms, -seq)):
                heappush(heap, line)

    def _row(self, entry: Entry, kinds: dict[tuple[object, ...], int]) -> tuple[object, ...]:
        (ms, seq), told = place_of(entry[0]), entry[1]
        kind = (*(told.get(name, "") for name in ("rule", "severity", "state")),
                told.get("before", "") != told.get("state", ""))
        if kind not in kinds:
            self._db.execute("insert or ignore into kinds (rule, severity, state, is_move) values (?, ?, ?, ?)", kind)
            kinds[kind] = self._rows("select id from kinds where (rule, severity, state, is_move) = (?, ?, ?, ?)",
                                     kind)[0][0]
        at_ms = told.get("at", "")
        return (ms, seq, int(at_ms) if at_ms.isdecimal() else ms, kinds[kind], told.get("alert", ""),
                orjson.dumps(dict(told)).decode())

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(query, values).fetchall()

    def _is_made(self) -> bool:
        version: int = self._db.execute("pragma user_version").fetchone()[0]
        return version > 0

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise


def place_of(entry_id: str) -> Place:
    """An id of a stream as numbers."""
    ms, _, seq = entry_id.partition("-")
    return min(int(ms), END[0]), min(int(seq or 0), END[0])


def _kinds(sought: SoughtLines) -> tuple[str, list[str]]:
    """The kinds that are meant, as a condition and its values."""
    wanted = [(name, value) for name, value in (("rule", sought.rule), ("severity", sought.severity),
                                                ("state", sought.state)) if value]
    parts = [f"{name} = ?" for name, _ in wanted] + ([] if sought.is_of_people else ["is_move = 1"])
    return " and ".join(parts) or _ANY, [value for _, value in wanted]


def _entry(row: Sequence[object]) -> Entry:
    return f"{row[0]}-{row[1]}", orjson.loads(str(row[2]))
