"""A store in memory: applies folds as the commit does, so that counting can be tried without a server."""

from collections.abc import Iterable
from typing import Any

import orjson

from opsmon.core.calendar import SiteCalendar
from opsmon.core.events import Event
from opsmon.core.folding import Hash, State, entities, fold
from opsmon.sources.shopify import Headers, read_event
from tests.conftest import NOW_MS

SHOP = "paper-boat.myshopify.com"
# What happened to orders; arrivals are counted by another rollup and differ with every repetition.
ABOUT_ORDERS = ("orders", "revenue", "order-value")


def event(topic: str, body: dict[str, Any], *, arrived_ms: int = NOW_MS, triggered_at: str = "") -> Event:
    """The event that a Shopify delivery becomes."""
    about = Headers(topic, SHOP, f"webhook-{topic}-{body['id']}-{arrived_ms}", triggered_at)
    return read_event(about, orjson.dumps(body), arrived_ms, "main")


class Memory:
    """Panes, states and counters after the folds so far."""

    def __init__(self, calendar: SiteCalendar, now_ms: int = NOW_MS) -> None:
        self.calendar, self.now_ms = calendar, now_ms
        self.panes: dict[Hash, dict[str, int]] = {}
        self.states: dict[str, State] = {}
        self.counters: dict[str, int] = {}
        self.since_ms: int | None = None

    def take(self, *events: Event) -> "Memory":
        """Fold one batch and apply it."""
        believed = {key: self.states.get(key) for event in events for key in entities(event)}
        folded = fold(events, believed, self.calendar, self.now_ms)
        for pane_hash, fields in folded.increments.items():
            _add(self.panes.setdefault(pane_hash, {}), fields)
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
