"""Forgetting a customer: nothing that names them is left in the store or on its disk, and every number stays."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import DAY_MS, SiteCalendar
from opsmon.core.folding import Rules
from opsmon.core.privacy import Request
from opsmon.settings import Settings
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.store.privacy import read_requests
from opsmon.workers.erasing import Erasing
from opsmon.workers.rebuild import rebuild
from opsmon.workers.verify import verify
from tests.conftest import NOW_MS
from tests.line import SHOP, Line
from tests.orders import order
from tests.waiting import wait_until_async

pytestmark = pytest.mark.anyio

ADA, BOB = 6123450987, 6123450988
NAMES = (b"6123450987", b"ada.lovelace@example.com", b"Lovelace")
REDACTION = {"shop_id": 954889, "shop_domain": SHOP, "orders_to_redact": [7001, 7002],
             "customer": {"id": ADA, "email": "ada.lovelace@example.com", "phone": "555-625-1199"}}


def bought(number: int, customer: int = ADA, **more: Any) -> dict[str, Any]:
    """An order of a customer, as Shopify tells it: with a name and an address for mail."""
    who = {"id": customer, "email": "ada.lovelace@example.com", "last_name": "Lovelace"} if customer == ADA else {
        "id": customer}
    return order(number, f"{number}.00", placed_ms=NOW_MS - (number % 7) * DAY_MS, updated_ms=NOW_MS - 60_000,
                 customer=who, checkout_token=f"token{number}", **more)


def rules_of(settings: Settings) -> Rules:
    return Rules(settings.catalogue, SiteCalendar(settings.timezone, settings.day_start_ms), settings.kept)


async def numbers(line: Line) -> Any:
    """Every KPI's value."""
    return {name: kpi.get("value", kpi.get("rows")) for name, kpi in (await line.kpis()).items()
            if name not in ("ingest-lag", "data-age")}


@pytest.fixture
async def sold(line: Line) -> Line:
    """A shop where Ada ordered three times and Bob once, and one of Ada's orders could not be used."""
    for number in (7001, 7002, 7003):
        await line.post("orders/create", bought(number))
    await line.post("orders/create", bought(7004, BOB))
    await line.post("orders/create", bought(7005) | {"total_price": "a lot", "total_price_set": None})
    await line.work()
    return line


@pytest.fixture
def chore(store: Redis, settings: Settings, keys: Keys, clock: ManualClock) -> Callable[[], Any]:
    """What a worker does every few seconds, until nothing is left to do."""
    async def run() -> list[Request]:
        erasing = Erasing(store, keys, rules_of(settings), DataDir(settings.data))

        async def is_done() -> bool:
            await erasing.run_once(clock.now_ms())
            return all(one.stage == "done" or one.kind == "export" for one in await read_requests(Reader(store), keys))

        await wait_until_async(is_done, "the requests")
        return await read_requests(Reader(store), keys)

    return run


async def differences(store: Redis, keys: Keys, settings: Settings, clock: ManualClock) -> list[Any]:
    """What a recount finds other than it was counted."""
    return (await verify(store, keys, rules_of(settings), clock.now_ms())).differences


async def held(store: Redis, text: bytes) -> list[bytes]:
    """The keys that hold a text, in their names or in what they hold."""
    found = []
    async for name in store.scan_iter(count=1000):
        if text in name or text in (await store.dump(name) or b"") or text in repr(await whole(store, name)).encode():
            found.append(name)
    return found


async def whole(store: Redis, name: bytes) -> Any:
    match await store.type(name):
        case b"string":
            return await store.get(name)
        case b"hash":
            return await store.hgetall(name)
        case b"stream":
            return await store.xrange(name)
        case b"zset":
            return await store.zrange(name, 0, -1)
        case _:
            return await store.smembers(name)


async def test_the_customer_is_in_many_places_before(sold: Line, store: Redis) -> None:
    """What follows would find something: the id in states, events, counts and a dead letter."""
    kinds = {name.split(b":")[1] for name in await held(store, NAMES[0])}
    assert kinds == {b"entity", b"events", b"pane", b"dead"}


async def test_nothing_in_the_store_names_a_customer_who_is_forgotten(sold: Line, store: Redis,
                                                                     chore: Callable[[], Any]) -> None:
    """Neither their id nor their name is found any more, in any key."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    await chore()
    assert [await held(store, text) for text in NAMES] == [[], [], []]


async def test_no_byte_on_the_disk_names_them_either(sold: Line, server: EmbeddedStore, settings: Settings,
                                                     chore: Callable[[], Any]) -> None:
    """The store's files are written anew; the folder of the data holds nothing of theirs."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    await chore()

    def found() -> list[tuple[Path, bytes]]:
        files = [path for folder in (server.folder, settings.data) for path in folder.rglob("*") if path.is_file()]
        return [(path, text) for path in files for text in NAMES if text in path.read_bytes()]

    async def is_clean() -> bool:  # the server deletes its old file beside its work
        return not found()

    await wait_until_async(is_clean, "clean files")
    assert found() == []


async def test_all_numbers_are_what_they_were(sold: Line, store: Redis, keys: Keys, settings: Settings,
                                              clock: ManualClock, chore: Callable[[], Any]) -> None:
    """Orders, revenue, different customers, returning ones: nothing moves, and a recount says the same."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    before = await numbers(sold)
    await chore()
    assert (await numbers(sold), await differences(store, keys, settings, clock)) == (before, [])
    await rebuild(store, keys, rules_of(settings), clock.now_ms())
    assert (await numbers(sold), await differences(store, keys, settings, clock)) == (before, [])


async def test_others_stay_who_they_are(sold: Line, store: Redis, chore: Callable[[], Any]) -> None:
    """Bob was not forgotten with Ada."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    before = await held(store, b"6123450988")
    await chore()
    assert await held(store, b"6123450988") == before


async def test_an_update_without_the_customer_changes_no_sum_of_orders(
        sold: Line, store: Redis, keys: Keys, settings: Settings, clock: ManualClock, chore: Callable[[], Any]) -> None:
    """After a redaction Shopify tells the order without its customer: it is counted as a guest's from then on."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    await chore()
    before = await numbers(sold)
    await sold.post("orders/updated", bought(7001) | {"customer": None, "updated_at": order(1)["updated_at"]})
    await sold.work()
    after = await numbers(sold)
    assert after["revenue-today"] == before["revenue-today"]
    assert await differences(store, keys, settings, clock) == []


async def test_an_update_that_names_the_customer_again_counts_each_order_once(
        sold: Line, store: Redis, keys: Keys, settings: Settings, clock: ManualClock, chore: Callable[[], Any]) -> None:
    """A vendor that tells the id once more has told it once more: the order is that customer's, and no other's."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    await chore()
    await sold.post("orders/updated", bought(7001) | {"updated_at": order(1)["updated_at"]})
    await sold.work()
    assert await differences(store, keys, settings, clock) == []
    members = [len(orjson.loads(await store.get(name))[1]) for name in
               [name async for name in store.scan_iter(match="{main}:entity:~customer:*")]]
    assert sorted(members) == [1, 1, 2]


async def test_an_order_that_comes_while_the_customer_is_being_forgotten_goes_with_them(
        sold: Line, store: Redis, keys: Keys, settings: Settings, clock: ManualClock, chore: Callable[[], Any]) -> None:
    """Between two steps a new version of an order names them again: it is found the next time."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    await Erasing(store, keys, rules_of(settings), DataDir(settings.data)).run_once(clock.now_ms())
    await sold.post("orders/updated", bought(7002) | {"updated_at": order(1)["updated_at"]})
    await chore()
    assert len(await held(store, NAMES[0])) > 0  # not counted yet: it stays, and so does the request
    await sold.work()
