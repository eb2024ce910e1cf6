"""Forgetting a customer: nothing that names them is left in the store or on its disk, and every number stays."""

from collections.abc import Callable
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
from opsmon.store.privacy_queries import read_requests
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
    return order(number, f"{number}.00", placed_ms=NOW_MS - number % 2 * DAY_MS, updated_ms=NOW_MS - 60_000,
                 customer=who, checkout_token=f"token{number}", **more)


def rules_of(settings: Settings) -> Rules:
    return Rules(settings.catalogue, SiteCalendar(settings.timezone, settings.day_start_ms), settings.kept)


async def numbers(line: Line) -> Any:
    """Every KPI's value, but for how many dead letters are held: theirs go."""
    return {name: kpi.get("value", kpi.get("rows")) for name, kpi in (await line.kpis()).items()
            if name not in ("dead-letters", "data-age")}


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


async def test_a_shop_is_forgotten_with_all_its_customers(
        sold: Line, store: Redis, keys: Keys, settings: Settings, clock: ManualClock, chore: Callable[[], Any]) -> None:
    """48 hours after the app has gone: nobody's id is left, nor a dead letter of the shop; the sums are."""
    await sold.post("shop/redact", {"shop_id": 954889, "shop_domain": SHOP})
    await sold.work()
    before = await numbers(sold)
    await chore()
    assert [await held(store, text) for text in (*NAMES, b"6123450988")] == [[], [], [], []]
    assert (await numbers(sold), await differences(store, keys, settings, clock)) == (before, [])


async def test_what_was_discarded_is_in_the_journal(sold: Line, store: Redis, keys: Keys,
                                                    chore: Callable[[], Any]) -> None:
    """A line without a name: how many went, and why."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    await chore()
    (line,) = [fields for _, fields in await store.xrange(keys.journal)]
    assert (line[b"settled"], line[b"because"]) == (b"1", b"erased on the vendor's request")
    assert await store.hget(keys.counts, "shopify:held") == b"0"


async def test_a_request_lives_on_where_a_worker_stopped(sold: Line, store: Redis, keys: Keys, settings: Settings,
                                                         clock: ManualClock, chore: Callable[[], Any]) -> None:
    """It is kept in the step that counts it; another worker finds it and ends it."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    (request,) = await read_requests(Reader(store), keys)
    assert (request.kind, request.about, request.stage) == ("customer", f"shopify:{SHOP}:customer:{ADA}", "asked")
    (done,) = await chore()
    assert (done.id, done.about, done.orders, done.salt, done.stage) == (request.id, "", (), "", "done")


async def test_one_worker_does_it_while_another_looks_on(sold: Line, store: Redis, keys: Keys, settings: Settings,
                                                         clock: ManualClock) -> None:
    """Who does not have the turn does nothing; so it is while the site is counted anew."""
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    before = await held(store, NAMES[0])
    await store.set(keys.note("recount"), "1", px=60_000)
    await Erasing(store, keys, rules_of(settings), DataDir(settings.data)).run_once(clock.now_ms())
    assert await held(store, NAMES[0]) == before
    assert await store.get(keys.note("recount")) == b"1"


async def test_a_customer_of_hundreds_of_orders_is_forgotten_in_steps(
        line: Line, store: Redis, keys: Keys, settings: Settings, clock: ManualClock, chore: Callable[[], Any]) -> None:
    """More orders than one step takes; each of them stays one."""
    for number in range(7001, 7251):
        await line.post("orders/create", bought(number))
    await line.post("customers/redact", REDACTION)
    await line.work()
    before = await numbers(line)
    await chore()
    assert (await numbers(line), await held(store, NAMES[0])) == (before, [])
    assert await differences(store, keys, settings, clock) == []


async def test_a_worker_does_it_by_itself_within_a_minute(sold: Line, store: Redis, clock: ManualClock) -> None:
    """Nobody has to ask for it."""
    await sold.post("customers/redact", REDACTION)
    for _ in range(5):
        clock.advance(6_000)
        await sold.work()
    assert await held(store, NAMES[0]) == []


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
    for _ in range(5):  # not counted yet: the event stays, and so does the request
        await Erasing(store, keys, rules_of(settings), DataDir(settings.data)).run_once(clock.now_ms())
    assert {name.split(b":")[1] for name in await held(store, NAMES[0])} == {b"events", b"erasing"}
    await sold.work()
    await chore()
    assert await held(store, NAMES[0]) == []
    assert await differences(store, keys, settings, clock) == []


async def test_a_wish_to_see_ones_data_makes_a_file(sold: Line, store: Redis, keys: Keys, settings: Settings,
                                                    clock: ManualClock, chore: Callable[[], Any]) -> None:
    """All that names the customer: what is remembered, the events, what could not be used; for our eyes only."""
    await sold.post("customers/data_request", REDACTION | {"orders_requested": [7001], "data_request": {"id": 9}})
    await sold.work()
    (request,) = await chore()
    path = Path(request.note)
    told = orjson.loads(path.read_bytes())
    assert (path.parent, path.stat().st_mode & 0o777) == (settings.data / "exports", 0o600)
    assert told["customer"] == f"shopify:{SHOP}:customer:{ADA}"
    assert sorted(name.rpartition(":")[2] for name in told["remembered"]) == ["6123450987", "7001", "7002", "7003"]
    assert told["events_by_type"] == {"order.updated": 3, "privacy.requested": 1}
    assert "Lovelace" in told["could_not_be_used"][0]["said"]


async def test_status_says_that_somebody_waits_for_their_data(sold: Line, chore: Callable[[], Any]) -> None:
    """With the day by which it has to be answered, 30 days after it was asked."""
    await sold.post("customers/data_request", REDACTION | {"orders_requested": [7001]})
    await sold.work()
    assert "1 data request waits, to be answered by Dec 20, 2026: opsmon privacy list." in (
        await sold.get("/status")).text


async def test_rubbish_among_the_requests_stops_no_worker(sold: Line, store: Redis, keys: Keys, clock: ManualClock,
                                                          caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and orders are counted as ever."""
    await store.hset(keys.erasing, "x", "rubbish")
    clock.advance(6_000)
    await sold.post("orders/create", bought(7009, BOB))
    assert await sold.work() == 1
    assert "requests for privacy cannot be worked" in caplog.text


async def test_a_worker_that_may_not_write_says_what_to_do(sold: Line, store: Redis, keys: Keys, settings: Settings,
                                                           clock: ManualClock) -> None:
    """A file stands where the folder should: whoever asks on another machine gets the export."""
    (settings.data / "exports").write_text("")
    await sold.post("customers/data_request", REDACTION | {"orders_requested": [7001]})
    await sold.work()
    await Erasing(store, keys, rules_of(settings), DataDir(settings.data)).run_once(clock.now_ms())
    (request,) = await read_requests(Reader(store), keys)
    assert request.note == f"opsmon privacy export {request.id}"


async def test_who_is_forgotten_is_not_exported_any_more(sold: Line, store: Redis, settings: Settings, keys: Keys,
                                                         chore: Callable[[], Any]) -> None:
    """The file of an earlier request goes, and so does the request."""
    await sold.post("customers/data_request", REDACTION | {"orders_requested": [7001]})
    await sold.work()
    (request,) = await chore()
    await sold.post("customers/redact", REDACTION)
    await sold.work()
    done = await chore()
    assert ([one.kind for one in done], Path(request.note).exists()) == (["customer"], False)

