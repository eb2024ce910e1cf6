"""By which days and in which money a shop counts, as it says itself, beside how the site does."""

from collections.abc import Iterable
from typing import NamedTuple

from opsmon.core.events import Event


class Shop(NamedTuple):
    """What a shop last said of itself: when (epoch ms), its IANA zone ('' where it named none), its currency."""

    updated_ms: int
    name: str
    zone: str
    currency: str


def shop_of(event: Event) -> Shop:
    """What an event `shop.updated` says."""
    name = event.key.removesuffix(":shop").rpartition(":")[2]
    return Shop(event.time_ms, name, str(event.data.get("zone") or ""), str(event.data.get("currency") or ""))


def at_odds(shops: Iterable[Shop], zone: str, currency: str | None) -> list[str]:
    """A sentence for each thing in which the site (its zone, the currency it shows) differs from a shop."""
    found = []
    for shop in shops:
        if shop.zone and shop.zone != zone:
            found.append(f"The time zone of {shop.name} is {shop.zone}, this site counts its days by {zone}: "
                         f"set OPSMON_TIMEZONE={shop.zone}, and it is counted anew.")
        if shop.currency and currency and shop.currency != currency:
            found.append(f"{shop.name} sells in {shop.currency}, this site shows {currency}: "
                         f"set OPSMON_CURRENCY={shop.currency}.")
    return found
