"""What an order's life adds to the numbers: an event's present facts, entity by entity.

An order is one entity and each refund another, because a refund arrives twice: on its own and inside
the order. Facts are a pure function of one version, so that a newer version can replace an older one
whole and any order of arrival ends the same.
"""

from dataclasses import dataclass
from typing import Any

from opsmon.core.events import Event
from opsmon.core.kpis import FactType
from opsmon.core.money import Money

Version = tuple[int, int, str]

# A deletion carries no version; nothing that was known before it may undo it.
DELETED: Version = (2**53 - 1, 0, "deleted")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened at `time_ms` (epoch ms): its amounts by name, and what it can be told by."""

    type: FactType
    time_ms: int
    amounts: dict[str, Money]
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """All that one event tells of one entity. Without a key it is an event with no memory."""

    key: str | None
    version: Version | None
    facts: tuple[Fact, ...]


def tell(event: Event) -> list[Told]:
    """What an event says, entity by entity. Raises KeyError, TypeError or ValueError for unusable data."""
    told = [Told(None, None, (Fact("delivery.arrived", event.arrived_ms, {}, {"source": event.source}),))]
    if event.type == "order.deleted":
        told.append(Told(event.key, DELETED, ()))
    elif event.type == "order.updated":
        told.append(Told(event.key, event.version, tuple(_order_facts(event.data))))
    told.extend(_refund(refund, event) for refund in event.data.get("refunds", ()))
    return told


def _order_facts(order: dict[str, Any]) -> list[Fact]:
    if order["test"]:
        return []
    total = Money(order["total_minor"], order["currency"])
    amounts = {"amount": total}
    if order["goods_minor"] is not None:
        amounts["goods"] = Money(order["goods_minor"], order["currency"])
    facts = [Fact("order.placed", order["placed_ms"], amounts, {})]
    if order["cancelled_ms"] is not None:
        facts.append(Fact("order.cancelled", order["cancelled_ms"], {"amount": -_unreturned(order)}, {}))
    return facts


def _unreturned(order: dict[str, Any]) -> Money:
    """What a cancellation still takes back: the total less the refunds, which are booked on their own."""
    refunded = sum(r["amount_minor"] for r in order["refunds"] if r["currency"] == order["currency"])
    return Money(order["total_minor"] - refunded, order["currency"])


def _refund(refund: dict[str, Any], event: Event) -> Told:
    amount = -Money(refund["amount_minor"], refund["currency"])
    facts = () if refund["test"] else (Fact("refund.given", refund["time_ms"], {"amount": amount}, {}),)
    return Told(refund["key"], tuple(refund["version"]), facts)
