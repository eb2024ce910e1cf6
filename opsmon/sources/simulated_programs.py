"""What a simulated shop's programs tell by the minute: requests answered, queues, users, functions. Invented."""

from collections.abc import Iterator
from math import exp
from random import Random
from typing import Any, NamedTuple

_MINUTE = 60_000


class Endpoint(NamedTuple):
    """Where requests go: how often of a hundred, how long in the mean, and how many of a thousand fail."""

    path: str
    share: int
    ms: float
    failing: int


ENDPOINTS = (
    Endpoint("/products", 40, 42, 1), Endpoint("/search", 24, 95, 4), Endpoint("/cart", 18, 60, 6),
    Endpoint("/checkout", 10, 180, 22), Endpoint("/login", 6, 110, 3), Endpoint("/export", 2, 900, 60),
)
REQUESTS = 40  # a minute
_FUNCTIONS = (("Pricing", 18.0), ("Stock", 35.0), ("Mail", 240.0))
_QUEUES = (("emails", 40), ("labels", 12), ("exports", 3))
_USERS = 30

# (when, id, type, data) of an event.
Told = tuple[int, str, str, dict[str, Any]]


def programs(begins_ms: int, rng: Random) -> Iterator[Told]:
    """All that programs tell in the minute that begins then."""
    name = begins_ms // _MINUTE

    def at_ms() -> int:
        return begins_ms + int(rng.random() * _MINUTE)

    for number, endpoint in enumerate(rng.choices(ENDPOINTS, [one.share for one in ENDPOINTS], k=REQUESTS)):
        status = 503 if rng.random() * 1000 < endpoint.failing else 200
        told = {"endpoint": endpoint.path, "ms": _long(endpoint.ms, rng), "status": status}
        yield at_ms(), f"a{name}.{number}", "api.request", told
    for number, (function, ms) in enumerate(rng.choices(_FUNCTIONS, k=REQUESTS // 4)):
        yield at_ms(), f"f{name}.{number}", "function.called", {"class": function, "ms": _long(ms, rng)}
    for queue, usual in _QUEUES:
        yield at_ms(), f"q{name}.{queue}", "queue.depth", {"queue": queue, "depth": int(usual * exp(rng.gauss(0, 0.6)))}
    for number in range(6):
        yield at_ms(), f"u{name}.{number}", "user.active", {"user": f"user-{rng.randrange(_USERS)}"}
    yield at_ms(), f"g{name}", "gauge.set", {"name": "Cold store, °C", "value": round(rng.gauss(4.0, 0.3), 1)}
    yield at_ms(), f"n{name}", "count.add", {"name": "Labels printed", "value": rng.randrange(1, 5)}


def _long(usual_ms: float, rng: Random) -> float:
    """A time as answers take it: most near the usual, a few much longer."""
    return round(usual_ms * exp(rng.gauss(0, 0.55)), 1)
