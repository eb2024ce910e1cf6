"""A store in memory: applies folds as the commit does, so that counting can be tried without a server."""

from collections.abc import Iterable
from typing import Any

import orjson

from opsmon.core.calendar import SiteCalendar
from opsmon.core.catalogue import Catalogue
from opsmon.core.events import Event
from opsmon.core.folding import Fold, Rules, fold, hear, join_of
from opsmon.core.kpis import BUILT_IN
from opsmon.core.measures import JOINS
from opsmon.core.panes import Hash
from opsmon.core.states import Believed, State
from opsmon.sources.shopify import Headers, read_event
from tests.conftest import NOW_MS

SHOP = "paper-boat.myshopify.com"
# What happened to orders; arrivals are counted by another rollup and differ with every repetition.
ABOUT_ORDERS = ("orders", "revenue", "order-value")


def event(topic: str, body: dict[str, Any], *, arrived_ms: int = NOW_MS, triggered_at: str = "") -> Event:
    """The event that a Shopify delivery becomes."""
    about = Headers(topic, SHOP, f"webhook-{topic}-{body.get('id', '')}-{arrived_ms}", triggered_at)
    return read_event(about, orjson.dumps(body), arrived_ms, "main")


class Memory:
    """Panes, states and counters after the folds so far."""

    def __init__(self, calendar: SiteCalendar, now_ms: int = NOW_MS, catalogue: Catalogue = BUILT_IN) -> None:
        self.rules, self.now_ms = Rules(catalogue, calendar), now_ms
        self.panes: dict[Hash, dict[str, int]] = {}
        self.joins: dict[Hash, dict[str, tuple[int, int]]] = {}
        self.scores: dict[Hash, dict[str, int]] = {}
        self.seen: dict[Hash, set[str]] = {}
        self.open: dict[str, dict[str, int]] = {}
        self.rows: dict[tuple[str, str], set[str]] = {}
        self.states: dict[str, State] = {}
        self.counters: dict[str, int] = {}
        self.since_ms: int | None = None

    def take(self, *events: Event) -> "Memory":
        """Fold one batch and apply it."""
        return self.apply(self.fold(*events))

    def fold(self, *events: Event) -> Fold:
        """What a batch would change, as the worker folds it: again when a state turns out to be missing."""
        heard, missing = hear(events, self.rules), set[str]()
        while True:
            believed = Believed({key: self.states.get(key) for key in heard.keys | missing}, self.rows)
            folded = fold(heard, believed, self.rules, self.now_ms)
            if not folded.missing:
                return folded
            missing |= folded.missing

    def apply(self, folded: Fold) -> "Memory":
        """What the commit script does."""
        for pane_hash, fields in folded.increments.items():
            _add(self.panes.setdefault(pane_hash, {}), fields)
        for pane_hash, members in folded.scores.items():
            _add(self.scores.setdefault(pane_hash, {}), members)
        for pane_hash, joins in folded.joins.items():
            into = self.joins.setdefault(pane_hash, {})
            for name, new in joins.items():
                into[name] = JOINS[join_of(name)](into.get(name, new), new)
        for pane_hash, seen in folded.seen.items():
            self.seen.setdefault(pane_hash, set()).update(seen)
        for rollup, marks in folded.open.items():
            into_open = self.open.setdefault(rollup, {}) | {n: at for n, at in marks.items() if at is not None}
            self.open[rollup] = {n: at for n, at in into_open.items() if marks.get(n, at) is not None}
        for place, rows in folded.admitted.items():
            self.rows.setdefault(place, set()).update(rows)
        _add(self.counters, folded.counters)
        self.states |= folded.states
        known = [at for at in (self.since_ms, folded.since_ms) if at is not None]
        self.since_ms = min(known, default=None)
        return self

    def about_orders(self) -> dict[tuple[Hash, str], int]:
        """Every pane about orders that is not zero."""
        return {(pane_hash, name): amount for pane_hash, fields in self.panes.items()
                for name, amount in fields.items() if amount and pane_hash.rollup in ABOUT_ORDERS}

    def days(self, rollup: str) -> dict[str, dict[str, int]]:
        """One rollup day by day: `20261120` -> aggregate -> amount, zeros left out."""
        days: dict[str, dict[str, int]] = {}
        for (pane_hash, name), amount in self.about_orders().items():
            if (pane_hash.rollup, pane_hash.level) == (rollup, "d"):
                day, _, aggregate = name.partition(".")
                days.setdefault(f"{pane_hash.span}{int(day):02}", {})[aggregate] = amount
        return days


def fold_all(events: Iterable[Event], calendar: SiteCalendar, now_ms: int = NOW_MS) -> Memory:
    """Each event in a batch of its own."""
    memory = Memory(calendar, now_ms)
    for one in events:
        memory.take(one)
    return memory


def _add(totals: dict[str, int], fields: dict[str, int]) -> None:
    for name, amount in fields.items():
        totals[name] = totals.get(name, 0) + amount
