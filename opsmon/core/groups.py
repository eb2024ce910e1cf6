"""Facts that several events make together: of a customer's orders, of a checkout, of an order's stages."""

from collections.abc import Iterator, Mapping
from typing import Any

from opsmon.core.facts import CHECKOUT, CUSTOMER, STAGES, Fact

Members = Mapping[str, tuple[Any, ...]]

# One customer's orders, one order's moves: beyond this a group takes no more, which is counted.
MOST_MEMBERS = 2_000
# From how many orders on a customer is called so.
TIERS = ((10, "VIP"), (5, "loyal"), (2, "returning"), (1, "new"))


def group_facts(key: str, members: Members) -> tuple[Fact, ...]:
    """What all members of a group tell together: the same for the same members in any order."""
    if key.startswith(CUSTOMER):
        return tuple(_customer(key, members))
    if key.startswith(CHECKOUT):
        return tuple(_checkout(members))
    return tuple(_stages(key, members))


def joined(old: tuple[Any, ...] | None, new: tuple[Any, ...], key: str) -> tuple[Any, ...]:
    """A member told twice: of a checkout the earlier start counts, of others the later word."""
    return min(old, new) if old is not None and key.startswith(CHECKOUT) else new


def _customer(key: str, orders: Members) -> Iterator[Fact]:
    placed = sorted((time_ms, name, minor, currency) for name, (time_ms, minor, currency) in orders.items())
    customer = key.removeprefix(CUSTOMER)
    for number, (time_ms, _, minor, currency) in enumerate(placed):
        kind = "returning" if number else "new"
        yield Fact("customer.ordered", time_ms, {"kind": kind, "customer": customer, "amount": [minor, currency]})
    if placed:
        tier = next(name for least, name in TIERS if len(placed) >= least)
        yield Fact("customer.known", placed[0][0], {"tier": tier, "customer": customer})


def _checkout(members: Members) -> Iterator[Fact]:
    if "started" in members:
        yield Fact("checkout.followed", members["started"][0], {"paid": "yes" if "paid" in members else "no"})


def _stages(key: str, moves: Members) -> Iterator[Fact]:
    ordered = sorted((move[0], name, *move[1:]) for name, move in moves.items())
    for at, (time_ms, _, stage, station, person, line) in enumerate(ordered):
        about = {"stage": stage, "station": station, "person": person, "line": line}
        yield Fact("stage.entered", time_ms, about)
        if at + 1 < len(ordered):
            left_ms = ordered[at + 1][0]
            yield Fact("stage.left", left_ms, about | {"took_ms": left_ms - time_ms})
        else:
            yield Fact("stage.holds", time_ms, {"stage": stage, "entity": key.removeprefix(STAGES)})
