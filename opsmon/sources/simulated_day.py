"""A day of a simulated shop: when orders are placed, what becomes of each, and in what disorder it is told.

Two peaks (late morning, evening), a quiet night, weekdays that differ, slow growth. Steps are planned without
bodies, so a day costs little memory; a body is made when its step is sent.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import NamedTuple, Protocol, TypeVar

from opsmon.sources.simulated_sales import TILL, Life, Shop

# Per thousand of a day's orders, hour by hour.
HOURS = (9, 6, 4, 3, 4, 8, 16, 30, 46, 62, 75, 82, 68, 52, 46, 44, 47, 52, 62, 78, 86, 66, 38, 16)
WEEKDAYS = (1.10, 1.03, 1.00, 1.02, 1.06, 0.88, 0.91)
WEEKLY_GROWTH = 0.004
MARKETPLACE = "marketplace"
CHANNELS = ("web",) * 17 + (TILL,) * 2 + (MARKETPLACE,)
# No order is spoken of later than this many days after the day it was placed.
LONGEST_LIFE_DAYS = 3
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


# A visit begins before its order: what a day tells may begin so long before it.
EARLY_MS = 10 * MINUTE


class Sent(Protocol):
    """What is sent at an instant, epoch ms."""

    @property
    def at_ms(self) -> int: ...


S = TypeVar("S", bound=Sent)


class Step(NamedTuple):
    """One delivery to come. Sorts by the time it is sent; (order, position) makes that order total."""

    at_ms: int
    order: int
    position: int
    topic: str
    triggered_ms: int
    life: Life


def day_start_ms(shop: Shop, day: date) -> int:
    """The first instant of a local day, epoch ms."""
    return round(datetime(day.year, day.month, day.day, tzinfo=shop.zone).timestamp() * 1000)


def local_day(shop: Shop, at_ms: int) -> date:
    """The local day an instant lies in."""
    return datetime.fromtimestamp(at_ms / 1000, shop.zone).date()


def across_days(shop: Shop, start_ms: int, end_ms: int, told: Callable[[Life], Iterable[S]],
                placed_from_ms: int = 0) -> Iterator[S]:
    """What orders make be told in [start, end), across day borders, by time; a far end costs nothing.

    Orders placed before `placed_from_ms` are left out.
    """
    waiting: list[tuple[int, int, S]] = []
    number, day = count(), local_day(shop, start_ms) - timedelta(days=LONGEST_LIFE_DAYS)
    while (begins_ms := day_start_ms(shop, day)) - EARLY_MS < end_ms:
        while waiting and waiting[0][0] < begins_ms - EARLY_MS:
            yield heapq.heappop(waiting)[2]
        for life in lives(shop, day):
            for one in told(life) if life.placed_ms >= placed_from_ms else ():
                if start_ms <= one.at_ms < end_ms:
                    heapq.heappush(waiting, (one.at_ms, next(number), one))
        day += timedelta(days=1)
    while waiting:
        yield heapq.heappop(waiting)[2]


def expected_orders(shop: Shop, day: date) -> float:
    """The mean number of orders of a day, before its luck; growth is bounded to half and double."""
    weeks = (day - shop.opened).days / 7
    growth = min(2.0, max(0.5, 1 + WEEKLY_GROWTH * weeks))
    return shop.orders_per_day * growth * WEEKDAYS[day.weekday()]


def plan_day(shop: Shop, day: date) -> list[Step]:
    """All steps of the orders placed on a local day, by the time they are sent."""
    return sorted(step for life in lives(shop, day) for step in steps(life))


def lives(shop: Shop, day: date) -> Iterator[Life]:
    """The orders placed on a local day, in order of time."""
    rng = Random(f"{shop.seed}:{shop.domain}:{shop.series}:{day}")  # noqa: S311 - a simulated shop, not a secret
    start_ms = day_start_ms(shop, day)
    # A day of 23 or 25 h is the same curve, squeezed or stretched.
    hour_ms = (day_start_ms(shop, day + timedelta(days=1)) - start_ms) / 24
    for index, hours in enumerate(_arrivals(shop, day, rng)):
        yield _life(shop, day, index, start_ms + int(hours * hour_ms), rng)


def _arrivals(shop: Shop, day: date, rng: Random) -> Iterator[float]:
    """Hours since midnight at which orders come: more even than pure chance, less than a clock."""
    orders = expected_orders(shop, day) * max(0.5, rng.gauss(1, 0.06))
    # A shop that shall never look asleep must not have long gaps by chance.
    evenness = 12 if shop.quietest_per_hour else 2
    done, due = 0.0, rng.random()
    for hour, share in enumerate(HOURS):
        mean = max(orders * share / sum(HOURS), shop.quietest_per_hour)
        while due < done + mean:
            yield hour + (due - done) / mean
            due += rng.gammavariate(evenness, 1 / evenness)
        done += mean


def _life(shop: Shop, day: date, index: int, placed_ms: int, rng: Random) -> Life:
    draw = rng.random
    channel = CHANNELS[int(draw() * len(CHANNELS))]
    life = Life(
        id=_order_id(shop, day, index, large=draw() < 0.3),
        name=f"#{day:%m%d}-{'ABCDEFGHIJ'[shop.series % 10] if shop.series else ''}{index + 1:03d}",
        number=int(f"{day:%m%d}{index + 1:03d}"),
        seed=rng.getrandbits(64),
        placed_ms=placed_ms,
        paid_ms=_paid_ms(placed_ms, rng),
        edited_ms=placed_ms + 4 * SECOND + int(draw() * 20 * SECOND),
        channel=channel,
        is_test=draw() < 0.005,
    )
    return _fate(life, rng)


def _paid_ms(placed_ms: int, rng: Random) -> int | None:
    luck = rng.random()
    if luck < 0.94:
        return placed_ms + int(rng.random() * 4 * SECOND)
    return placed_ms + int((0.5 + rng.random() * 7) * HOUR) if luck < 0.98 else None


def _fate(life: Life, rng: Random) -> Life:
    """How it ends: cancelled (5 %), packed (most, 2 % of them late), sent back (4 %)."""
    luck, wait = rng.random(), rng.random()
    if luck < 0.03:
        cancelled_ms = life.placed_ms + int((0.2 + wait * 5) * HOUR)
        is_paid = life.paid_ms is not None and life.paid_ms < cancelled_ms
        paid_ms = life.paid_ms if is_paid else None
        refunded_ms = cancelled_ms + 30 * SECOND if is_paid and rng.random() < 0.7 else None
        return replace(life, paid_ms=paid_ms, cancelled_ms=cancelled_ms, refunded_ms=refunded_ms)
    if life.paid_ms is None:  # nobody paid: the shop gives it up
        return replace(life, cancelled_ms=life.placed_ms + int((30 + wait * 20) * HOUR))
    hours = 26 + wait * 20 if luck > 0.98 else 2 + wait * 18
    packed_ms = life.paid_ms + (SECOND if life.channel == TILL else int(hours * HOUR))
    refunded_ms = packed_ms + int((3 + rng.random() * 27) * HOUR) if luck < 0.07 else None
    return replace(life, fulfilled_ms=packed_ms, refunded_ms=refunded_ms)


def _order_id(shop: Shop, day: date, index: int, *, large: bool) -> int:
    """Unique over seeds (modulo 8), days and series; 100 apart, for the ids of what belongs to the order."""
    order_id = (shop.seed % 8) * 10**15 + day.toordinal() * 10**8 + (shop.series % 10) * 10**7 + index * 100
    return order_id + 82 * 10**16 if large else order_id


def steps(life: Life) -> list[Step]:
    """Every delivery of one order with delays, disorder (about 5 %) and duplicates (about 2 %)."""
    rng = Random(life.seed + 1)  # noqa: S311 - a simulated shop, not a secret
    told = [
        Step(ms + 200 + int(rng.random() * 1_200), life.id, position, topic, ms, life)
        for position, (topic, ms) in enumerate(_topics(life))
    ]
    if rng.random() < 0.06:  # the order is updated before it is created
        told[0] = told[0]._replace(at_ms=max(step.at_ms for step in told[:3]) + 500)
    late = [
        step._replace(at_ms=step.at_ms + int(rng.random() * 120 * SECOND)) if rng.random() < 0.04 else step
        for step in told
    ]
    again = [
        step._replace(at_ms=step.at_ms + int(rng.random() ** 2 * HOUR), position=step.position + 100)
        for step in late if rng.random() < 0.02
    ]
    return late + again


def _topics(life: Life) -> list[tuple[str, int]]:
    told = [
        ("orders/create", life.placed_ms),
        ("orders/paid", life.paid_ms),
        ("orders/updated", life.edited_ms),
        ("fulfillments/create", life.fulfilled_ms),
        ("orders/fulfilled", life.fulfilled_ms),
        ("orders/cancelled", life.cancelled_ms),
        ("refunds/create", life.refunded_ms),
        ("orders/updated", life.refunded_ms),
    ]
    return [(topic, ms) for topic, ms in told if ms is not None]
