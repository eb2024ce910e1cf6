"""What a reading asks the store for, and what it does with the answers: panes parsed and folded.

Every request is a whole small thing (a hash, an estimate, the head of a sorted set), so that all the
requests of a board go in one round trip.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from opsmon.core.calendar import Pane, SiteCalendar
from opsmon.core.catalogue import Rollup
from opsmon.core.folding import join_of
from opsmon.core.measures import JOINS, STORAGE
from opsmon.core.panes import NOW_SPAN, Hash, slot_of


class Request(NamedTuple):
    """One read. hash: all fields; unique: an estimate over hashes; distinct: the values of hashes; top: the
    best `most` of sorted sets added up; open: how many of a rollup are due in (low, high], and the earliest; ages:
    how many are in each stretch between two of `edges`, (one, next]; own: what opsmon knows of itself, by the name of
    its hash."""

    kind: Literal["hash", "unique", "distinct", "top", "open", "ages", "own"]
    hashes: tuple[Hash, ...]
    low: int = 0
    high: int = 0
    most: int = 0
    edges: tuple[int, ...] = ()


# By pane field, by row, by aggregate; a join is (value, 0), of last (time, value).
Parsed = Mapping[str, Mapping[str, Mapping[str, Any]]]
Totals = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the store said, by request; hashes parsed."""

    hashes: Mapping[Hash, Parsed]
    others: Mapping[Request, Any]


def hashes_of(rollup: Rollup, panes: Iterable[Pane], calendar: SiteCalendar) -> list[Hash]:
    """The hashes that hold these panes, each once, in order."""
    found = (slot_of(pane, calendar.place(pane.start_ms), is_whole=rollup.is_whole) for pane in panes)
    return list(dict.fromkeys(Hash(rollup.id, slot.level, slot.span) for slot in found))


def now_hash(rollup: Rollup) -> Hash:
    """Where what holds now is kept."""
    return Hash(rollup.id, "n", NOW_SPAN)


def parse(fields: Mapping[bytes, bytes], rollup: Rollup, level: str) -> Parsed:
    """A stored hash as numbers."""
    panes: dict[str, dict[str, dict[str, Any]]] = {}
    has_pane = not (level == "n" or (rollup.is_whole and level != "m"))
    is_join = STORAGE[rollup.measure] == "joins"
    for stored, amount in fields.items():
        name = stored.decode()
        pane = ""
        if has_pane:
            pane, _, name = name.partition(".")
        row, _, aggregate = name.rpartition(".")
        panes.setdefault(pane, {}).setdefault(row, {})[aggregate] = _join(amount) if is_join else int(amount)
    return panes


def fold_panes(rollup: Rollup, panes: Iterable[Pane], answers: Answers, calendar: SiteCalendar) -> Totals:
    """Panes as one: what each row's aggregates come to. Hashes that are missing count as empty."""
    totals: Totals = {}
    for pane in panes:
        slot = slot_of(pane, calendar.place(pane.start_ms), is_whole=rollup.is_whole)
        parsed = answers.hashes.get(Hash(rollup.id, slot.level, slot.span))
        if parsed:
            merge_into(totals, parsed.get(slot.prefix.rstrip("."), {}))
    return totals


def fold_now(rollup: Rollup, answers: Answers) -> Totals:
    """What holds now, row by row."""
    return {row: dict(found) for row, found in answers.hashes.get(now_hash(rollup), {}).get("", {}).items()}


def merge_into(totals: Totals, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Add rows to totals, or join them."""
    for row, aggregates in rows.items():
        into = totals.setdefault(row, {})
        for name, amount in aggregates.items():
            old = into.get(name)
            into[name] = amount if old is None else _merged(name, old, amount)


def all_rows(totals: Totals) -> dict[str, Any]:
    """All rows as one."""
    if len(totals) == 1:
        return next(iter(totals.values()))
    together: Totals = {}
    for aggregates in totals.values():
        merge_into(together, {"": aggregates})
    return together.get("", {})


def top_request(rollup: Rollup, panes: Sequence[Pane], calendar: SiteCalendar, currency: str, most: int) -> Request:
    """The best members over panes; money is ranked in one currency."""
    hashes = tuple(found._replace(span=f"{found.span}:{currency}") if currency else found
                   for found in hashes_of(rollup, panes, calendar))
    return Request("top", hashes, most=most)


def _merged(name: str, old: Any, new: Any) -> Any:
    return JOINS[join_of(name)](old, new) if isinstance(old, tuple) else old + new


def _join(stored: bytes) -> tuple[int, int]:
    first, _, second = stored.partition(b":")
    return int(first), int(second or 0)
