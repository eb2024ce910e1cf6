"""A shop's events, mixed and shuffled, and what they must come to: an oracle that shares no code with the engine."""

import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from opsmon.core.events import Event, EventId
from opsmon.store.event_stream import checksum, encode
from opsmon.store.scripts import Taken

GAP_MS = 1_800_000
# At least; more of both where there are more events, so that none of them has thousands.
CUSTOMERS, VISITORS = 50, 300
Numbers = dict[str, int]


@dataclass
class Trade:
    """Deliveries in order of arrival, and the numbers they must come to."""

    deliveries: list[Taken]
    expected: Numbers
    events: list[Event] = field(repr=False, default_factory=list)


def make_trade(count: int, seed: int) -> Trade:
    """A third orders in two versions, a third requests, a third page views; shuffled."""
    chance, now_ms = random.Random(seed), time.time_ns() // 1_000_000
    customers, visitors = max(CUSTOMERS, count // 400), max(VISITORS, count // 60)
    made = [_order(n // 2, n % 2, now_ms, customers) for n in range(count // 3)]
    made += [_request(n, now_ms, chance) for n in range(count // 3)]
    made += [_view(n, now_ms, chance, visitors) for n in range(count - 2 * (count // 3))]
    chance.shuffle(made)
    return Trade([_taken(event) for event in made], oracle(made), made)


def oracle(events: list[Event]) -> Numbers:
    """Added up with dictionaries: the newest version of each order, every request once, visits cut at gaps."""
    newest: dict[str, Event] = {}
    requests: Counter[str] = Counter()
    views: defaultdict[str, list[int]] = defaultdict(list)
    for event in events:
        if event.type == "order.updated" and (event.key not in newest or newest[event.key].version < event.version):  # type: ignore[operator]
            newest[event.key] = event
        elif event.type == "api.request":
            requests["all"] += 1
            requests["failed"] += event.data["status"] >= 500
        elif event.type == "page.viewed":
            views[event.data["visitor"]].append(event.time_ms)
    orders = [event.data for event in newest.values()]
    return {
        "events": len(events), "orders": len(orders), "revenue": sum(order["total_minor"] for order in orders),
        "open": sum(order["fulfilled_ms"] is None for order in orders), "requests": requests["all"],
        "failed": requests["failed"], "visits": sum(map(_visits, views.values())),
        "views": sum(map(len, views.values())),
    }


def _visits(times: list[int]) -> int:
    ordered = sorted(times)
    return 1 + sum(b - a > GAP_MS for a, b in zip(ordered, ordered[1:], strict=False))


def _order(number: int, version: int, now_ms: int, customers: int = CUSTOMERS) -> Event:
    placed_ms = now_ms - number % 1200 * 60_000
    total = 1_000 + number * 7 % 5_000 + version
    data: dict[str, Any] = {
        "name": f"#{number}", "test": False, "placed_ms": placed_ms, "cancelled_ms": None, "total_minor": total,
        "goods_minor": total, "currency": "EUR", "paid": "paid", "fulfilled": "", "channel": "web", "country": "DE",
        "region": "", "customer": f"c{number % customers}", "checkout": "", "refunds": [],
        "lines": [["BOAT", 1, total, "Boat"]],
        "fulfilled_ms": placed_ms + 60_000 if version and number % 3 == 0 else None,
    }
    return Event(EventId(f"shopify:{number}-{version}"), "order.updated", now_ms, now_ms, "shopify", "main",
                 f"shopify:order:{number}", (placed_ms + version, version, "hash"), data)


def _request(number: int, now_ms: int, chance: random.Random) -> Event:
    time_ms = now_ms - chance.randrange(20 * 3_600_000)
    data = {"endpoint": f"/e{number % 20}", "status": 500 if number % 9 == 0 else 200, "ms": number % 700 + 1}
    return Event(EventId(f"api:{number}"), "api.request", time_ms, now_ms, "api", "main", "", None, data)


def _view(number: int, now_ms: int, chance: random.Random, visitors: int = VISITORS) -> Event:
    time_ms = now_ms - chance.randrange(20 * 3_600_000)
    return Event(EventId(f"web:{number}"), "page.viewed", time_ms, now_ms, "web", "main", "", None,
                 {"visitor": f"v{number % visitors}"})


def _taken(event: Event) -> Taken:
    payload = encode(event)
    return Taken("event", event.source, event.id, payload, checksum(payload))
