"""A shop says by which days and in which money it counts; a site that counts otherwise says what to set."""

from typing import Any

import pytest
from redis.asyncio import Redis

from opsmon.core.shops import Shop, at_odds
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.meta import read_meta
from tests.conftest import NOW_MS
from tests.line import SHOP, Line
from tests.orders import iso, order

pytestmark = pytest.mark.anyio

ZONE = (f"The time zone of {SHOP} is America/New_York, this site counts its days by Europe/Berlin: "
        "set OPSMON_TIMEZONE=America/New_York, and it is counted anew.")
MONEY = f"{SHOP} sells in USD, this site shows EUR: set OPSMON_CURRENCY=USD."


def shop(zone: str = "America/New_York", currency: str = "EUR", updated_ms: int = NOW_MS) -> dict[str, Any]:
    """What a shop says of itself."""
    return {"id": 954889, "currency": currency, "iana_timezone": zone, "updated_at": iso(updated_ms)}


async def test_a_shop_of_another_time_zone_is_named_where_people_look(line: Line) -> None:
    """On /status, on /sources and for programs, with what to set."""
    await line.post("shop/update", shop())
    await line.work()
    assert ZONE in (await line.get("/status")).text
    assert ZONE in (await line.get("/sources")).text
    assert (await line.get("/status.json")).json["at_odds"] == [ZONE]


async def test_a_shop_of_another_currency_is_named(line: Line) -> None:
    """Once the site shows any money."""
    await line.post("orders/create", order(1))
    await line.post("shop/update", shop("Europe/Berlin", "USD"))
    await line.work()
    assert (await line.get("/status.json")).json["at_odds"] == [MONEY]


async def test_a_shop_that_counts_alike_is_not_named(line: Line) -> None:
    """Nothing is to be done."""
    await line.post("orders/create", order(1))
    await line.post("shop/update", shop("Europe/Berlin"))
    await line.work()
    assert (await line.get("/status.json")).json["at_odds"] == []


async def test_what_was_said_later_holds_in_any_order_of_arrival(line: Line, store: Redis, keys: Keys) -> None:
    """An old word that is late changes nothing."""
    await line.post("shop/update", shop("Asia/Tokyo", updated_ms=NOW_MS - 1_000))
    await line.work()
    await line.post("shop/update", shop("America/New_York", updated_ms=NOW_MS - 5_000))
    await line.work()
    assert (await read_meta(Reader(store), keys)).shops == (Shop(NOW_MS - 1_000, SHOP, "Asia/Tokyo", "EUR"),)


def test_each_shop_is_named_for_itself() -> None:
    """Two shops of one site may differ in different things; one that names no zone differs in none."""
    shops = (Shop(1, "a.example", "", "USD"), Shop(1, "b.example", "Asia/Tokyo", "EUR"))
    assert [sentence.partition(" ")[0] for sentence in at_odds(shops, "Europe/Berlin", "EUR")] == ["a.example", "The"]
