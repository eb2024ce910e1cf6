"""What else a simulated shop tells: visitors of its pages, moves on the floor, stock, programs. The same for a seed.

Events of opsmon's own shape, for /ingest/events, in order of time. What belongs to an order follows its life; what
belongs to nobody in particular is drawn minute by minute, so that a window costs what it holds.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from opsmon.sources.simulated_day import HOURS, MINUTE, SECOND, across_days, day_start_ms, local_day
from opsmon.sources.simulated_goods import PRODUCTS
from opsmon.sources.simulated_programs import programs
from opsmon.sources.simulated_sales import TILL, Life, Shop, checkout_of, make_sale

# Visits that buy nothing: how many a minute in the mean hour of a day, how many at least, and how many steps they go.
LOOKING, LOOKING_AT_LEAST = 8.0, 8.0
_DEPTHS = (1,) * 26 + (2, 2, 2, 3)
_STEPS = ("page.viewed", "cart.updated", "checkout.started")
_PATHS = ("/", "/collections/coffee", "/collections/camp", "/products/house-espresso", "/products/enamel-mug")
# When an order comes to a stage: the share of the time from its payment to its fulfilment.
_STAGES = (("picking", 0.02), ("packing", 0.55), ("packed", 0.9), ("shipped", 1.0))
_LINES = {"A": ("A1", "A2", "A3"), "B": ("B1", "B2")}
_PEOPLE = ("Ada", "Ben", "Cleo", "Dan", "Eli")
LOCATION = "Main hall"


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """One event to be sent at `at_ms`, epoch ms. Sorts by time, then by id."""

    at_ms: int
    id: str
    body: dict[str, Any] = field(compare=False)


def said(at_ms: int, event_id: str, event_type: str, data: dict[str, Any], **more: Any) -> Said:
    """An event of the house, as /ingest/events takes it."""
    return Said(at_ms, event_id, {"id": event_id, "source": "demo", "type": event_type, "time": at_ms, "data": data,
                                  **more})


def simulate_house(shop: Shop, start_ms: int, end_ms: int, *, placed_from_ms: int = 0, with_programs: bool = True
                   ) -> Iterator[Said]:
    """All that is told in [start, end), by time; a far end costs nothing. Orders before `placed_from_ms` are left
    out, and what belongs to nobody is told by the first series of a shop alone."""
    streams = [across_days(shop, start_ms, end_ms, lambda life: (*_visit(shop, life), *_moves(life)), placed_from_ms)]
    if not shop.series:
        streams.append(_by_the_minute(shop, start_ms, end_ms, with_programs=with_programs))
    return heapq.merge(*streams)


def body_of(told: Iterable[Said]) -> bytes:
    """Events as one body of /ingest/events, a line each."""
    return b"\n".join(orjson.dumps(one.body) for one in told)


def stock_now(shop: Shop, now_ms: int) -> Iterator[Said]:
    """The level of every article, as of an instant."""
    return (_level(shop, at, now_ms) for at in range(len(PRODUCTS)))


def _visit(shop: Shop, life: Life) -> Iterator[Said]:
    """Of two orders of the web one is preceded by a visit that consented."""
    rng = Random(life.seed + 2)  # noqa: S311 - a simulated shop, not a secret
    if life.channel == TILL or life.is_test or rng.random() < 0.5:
        return
    visitor, begun_ms = f"v{life.id}", life.placed_ms - (90 + int(rng.random() * 300)) * SECOND
    for at, step in enumerate(_STEPS):
        more = {"key": checkout_of(life)} if step == "checkout.started" else {}
        at_ms = begun_ms + (life.placed_ms - begun_ms) * at // 3
        yield said(at_ms, f"{visitor}.{at}", step, {"visitor": visitor}, **more)
    sale = make_sale(shop, life)
    paid = {"visitor": visitor, "amount": sale.amounts.text(sale.gross), "currency": shop.currency}
    yield said(life.placed_ms, f"{visitor}.3", "checkout.completed", paid)


def _moves(life: Life) -> Iterator[Said]:
    if life.fulfilled_ms is None or life.paid_ms is None or life.channel == TILL or life.is_test:
        return
    rng = Random(life.seed + 3)  # noqa: S311 - a simulated shop, not a secret
    line = rng.choice("AAB")
    for stage, share in _STAGES:
        at_ms = life.paid_ms + int((life.fulfilled_ms - life.paid_ms) * share) + int(rng.random() * 90) * SECOND
        data = {"stage": stage, "line": f"Line {line}", "station": rng.choice(_LINES[line]),
                "person": rng.choice(_PEOPLE)}
        yield said(at_ms, f"m{life.id}.{stage}", "stage.moved", data, key=str(life.id))


def _by_the_minute(shop: Shop, start_ms: int, end_ms: int, *, with_programs: bool) -> Iterator[Said]:
    for minute in range(start_ms // MINUTE, -(-end_ms // MINUTE)):
        rng = Random(f"{shop.seed}:{shop.domain}:{minute}")  # noqa: S311 - a simulated shop, not a secret
        begins_ms = minute * MINUTE
        found = [*_looking(shop, begins_ms, rng),
                 _level(shop, minute % len(PRODUCTS), begins_ms + int(rng.random() * MINUTE))]
        if with_programs:
            found += [said(*one) for one in programs(begins_ms, rng)]
        yield from (one for one in sorted(found) if start_ms <= one.at_ms < end_ms)


def _looking(shop: Shop, begins_ms: int, rng: Random) -> Iterator[Said]:
    """Visits that buy nothing: most see a page or two, a few leave a checkout behind."""
    hour = (begins_ms - day_start_ms(shop, local_day(shop, begins_ms))) // (60 * MINUTE)
    mean = max(LOOKING * HOURS[min(hour, 23)] * 24 / sum(HOURS), LOOKING_AT_LEAST)
    for number in range(int(mean + rng.random())):
        visitor, at_ms = f"v{begins_ms // MINUTE}-{number}", begins_ms + int(rng.random() * 40) * SECOND
        for at in range(rng.choice(_DEPTHS)):
            data = {"visitor": visitor, "path": rng.choice(_PATHS)}
            more = {"key": f"c{visitor}"} if at == 2 else {}
            yield said(at_ms + at * 6 * SECOND, f"{visitor}.{at}", _STEPS[at], data, **more)


def _level(shop: Shop, at: int, at_ms: int) -> Said:
    """How much of an article is there: it falls as it is sold, and is filled up on days of its own."""
    product = PRODUCTS[at]
    full, days = product.popularity * 12, 3 + at % 5
    phase = (at_ms / 86_400_000 + at * 0.37 + shop.seed) % days
    left = round(full * (1 - phase / days)) + at % 4
    return said(at_ms, f"s{at}.{at_ms}", "inventory.changed",
                {"sku": product.sku, "location": LOCATION, "available": left}, key=product.sku, version=at_ms)
