"""The reconciler against the fake shop: what a gap loses comes back, once, and what is known costs little."""

import asyncio

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.pollers.shopify import COUNTER, OVERLAP_MS, ShopifyOrders
from opsmon.pollers.shopify_admin import ShopifyAdmin
from opsmon.store.cursors import read_cursor
from opsmon.store.event_stream import decode
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts
from tests.conftest import NOW_MS
from tests.fakes import orders as shop
from tests.fakes.shopify import DOMAIN, FakeShopify
from tests.line import Line
from tests.pollers.conftest import fill

pytestmark = pytest.mark.anyio
HOUR_MS = 3_600_000


async def revenue_of(line: Line) -> object:
    """Revenue and orders of today, as the board shows them."""
    kpis = await line.kpis()
    return kpis["orders-today"]["value"], kpis["revenue-today"]["value"]


async def tell(line: Line, order: shop.Order, topic: str = "orders/updated") -> None:
    """A webhook about an order as it now stands."""
    assert (await line.post(topic, shop.rest(order), x_shopify_shop_domain=DOMAIN)).status == 200


def one(fake: FakeShopify, *life: str, number: int = 1, at_ms: int = NOW_MS - HOUR_MS) -> shop.Order:
    """An order of the shop, with a life of a minute a step."""
    for minute, what in enumerate(["create", *life]):
        fake.do(shop.Step(at_ms + minute * 60_000, number, what))
    return fake.orders[number]


async def test_an_order_no_webhook_told_of_is_counted(fake: FakeShopify, asking: ShopifyOrders, line: Line) -> None:
    """A gap heals: the order is on the board after the next round."""
    order = one(fake, "pay")
    result = await asking.poll(NOW_MS)
    await line.work()
    assert (result.found, result.new, result.error) == (1, 1, "")
    assert await revenue_of(line) == (int(not order.test), order.total)


async def test_an_order_a_webhook_told_of_is_known(fake: FakeShopify, asking: ShopifyOrders, line: Line) -> None:
    """Nothing is appended, and its refunds are not even asked for."""
    order = one(fake, "pay", "refund")
    await tell(line, order)
    await line.work()
    result = await asking.poll(NOW_MS)
    assert (result.found, result.new, "nodes" in fake.asked) == (1, 0, False)


async def test_what_both_tell_counts_once(fake: FakeShopify, asking: ShopifyOrders, line: Line) -> None:
    """The webhook comes after all, hours late: nothing moves."""
    order = one(fake, "pay", "refund")
    await asking.poll(NOW_MS)
    await line.work()
    before = await revenue_of(line)
    await tell(line, order)
    await line.work()
    assert await revenue_of(line) == before == (1, order.total - order.refunded)


async def test_a_webhook_that_comes_late_still_tells_the_checkout(fake: FakeShopify, asking: ShopifyOrders, line: Line
                                                                  ) -> None:
    """The Admin API does not know it, and must not win over who does."""
    order = one(fake)
    await asking.poll(NOW_MS)
    await line.work()
    await tell(line, order, "orders/create")
    await line.work()
    stored = await line.store.get(f"{{main}}:entity:shopify:{DOMAIN}:order:{order.id}")
    assert orjson.loads(stored)[4][0][2]["checkout"] == order.checkout


async def test_an_update_that_was_missed_keeps_the_checkout(fake: FakeShopify, asking: ShopifyOrders, line: Line
                                                            ) -> None:
    """It is remembered from the first webhook."""
    order = one(fake)
    await tell(line, order, "orders/create")
    await line.work()
    fake.do(shop.Step(NOW_MS - 600_000, 1, "edit"))
    await asking.poll(NOW_MS)
    await line.work()
    assert await revenue_of(line) == (1, order.total)
    stored = await line.store.get(f"{{main}}:entity:shopify:{DOMAIN}:order:{order.id}")
    assert orjson.loads(stored)[4][0][2]["checkout"] == order.checkout


async def test_a_second_round_finds_the_overlap_and_nothing_new(fake: FakeShopify, asking: ShopifyOrders, store: Redis
                                                                ) -> None:
    """Even before a worker has counted the first: a duplicate is told by its identity."""
    one(fake)
    assert [(await asking.poll(NOW_MS)).new for _ in range(2)] == [1, 0]
    assert await store.hget("{main}:counts", "recon:duplicate") == b"1"


async def test_it_goes_on_from_the_newest_order_seen(fake: FakeShopify, asking: ShopifyOrders, store: Redis, keys: Keys
                                                     ) -> None:
    """By Shopify's clock, not by ours; ten minutes back, for what its index showed late."""
    order = one(fake, at_ms=NOW_MS - HOUR_MS)
    await asking.poll(NOW_MS)
    assert await read_cursor(store, keys, "shopify") == str(order.updated_ms)
    one(fake, number=2, at_ms=order.updated_ms - OVERLAP_MS + 1_000)
    one(fake, number=3, at_ms=order.updated_ms - OVERLAP_MS - 60_000)
    assert (await asking.poll(NOW_MS)).found == 2


async def test_what_happens_twice_within_a_second_is_two_states(fake: FakeShopify, asking: ShopifyOrders, store: Redis
                                                                ) -> None:
    """updated_at has whole seconds; how far the order has come tells the two apart."""
    order = one(fake)
    await asking.poll(NOW_MS)
    shop.happen(order, "pay", order.updated_ms)
    assert (await asking.poll(NOW_MS)).new == 1


async def test_a_webhook_that_is_under_way_is_no_gap(fake: FakeShopify, asking: ShopifyOrders) -> None:
    """What changed within the last half minute is asked for next time."""
    one(fake, at_ms=NOW_MS - 5_000)
    assert [(await asking.poll(now_ms)).found for now_ms in (NOW_MS, NOW_MS + 60_000)] == [0, 1]


async def test_gaps_filled_are_counted_and_history_is_not(fake: FakeShopify, asking: ShopifyOrders, store: Redis
                                                          ) -> None:
    """The first round brings what was before opsmon was: that is no gap."""
    one(fake, at_ms=NOW_MS - 2 * HOUR_MS)
    await asking.poll(NOW_MS)
    assert await store.hget("{main}:counts", COUNTER) is None
    one(fake, number=2)
    await asking.poll(NOW_MS)
    assert await store.hget("{main}:counts", COUNTER) == b"1"


async def test_it_makes_no_source_look_alive_that_is_silent(fake: FakeShopify, asking: ShopifyOrders, store: Redis
                                                            ) -> None:
    """When the last webhook came is a question about webhooks."""
    one(fake)
    await asking.poll(NOW_MS)
    assert await store.hget("{main}:counts", "shopify:last_ms") is None
    ((_, fields),) = await store.xrange("{main}:events")
    assert decode(fields[b"e"]).source == "recon"


async def test_pages_shrink_until_shopify_runs_the_query(fake: FakeShopify, asking: ShopifyOrders) -> None:
    """250 orders with their lines cost too many points: the page is halved and remembered, and all orders come."""
    fill(fake, 120)
    result = await asking.poll(NOW_MS)
    assert (result.error, result.found, asking._page) == ("", 120, 31)


async def test_an_order_of_many_lines_comes_whole(fake: FakeShopify, asking: ShopifyOrders, line: Line) -> None:
    """Its further lines are fetched page by page."""
    order = one(fake)
    order.lines = [shop.Line(order.id + at, f"SKU-{at}", "Thing", 1, 100) for at in range(400)]
    await asking.poll(NOW_MS)
    ((_, fields),) = await line.store.xrange("{main}:events")
    assert [row[0] for row in decode(fields[b"e"]).data["lines"]] == [f"SKU-{at}" for at in range(400)]


async def test_a_refund_of_many_lines_comes_whole(fake: FakeShopify, asking: ShopifyOrders, store: Redis) -> None:
    """Its value is the sum of all of them."""
    order = one(fake, "pay")
    order.refunds.append(shop.Refund(order.id + 200, order.updated_ms, [(100, 19)] * 200))
    await asking.poll(NOW_MS)
    ((_, fields),) = await store.xrange("{main}:events")
    assert decode(fields[b"e"]).data["refunds"][0]["amount_minor"] == 200 * 119


async def test_an_order_that_cannot_be_used_is_a_dead_letter(fake: FakeShopify, asking: ShopifyOrders, store: Redis
                                                             ) -> None:
    """With the reason; the others go on."""
    one(fake)
    one(fake, number=2).lines[0].quantity = -1
    result = await asking.poll(NOW_MS)
    assert (result.new, "cannot be used" in result.error, await store.xlen("{main}:dead")) == (1, True, 1)


async def test_hidden_addresses_do_not_stop_it(fake: FakeShopify, asking: ShopifyOrders) -> None:
    """A field that this app may not see is null beside the others."""
    one(fake)
    fake.hidden = {"shippingAddress", "billingAddress"}
    assert (await asking.poll(NOW_MS)).new == 1


@pytest.mark.parametrize(("spoil", "said"), [
    ({"scopes": {"read_products"}}, "lacks the scope read_orders"),
    ({"is_approved": False}, "protected customer data"), ({"status": 503}, "answered 503"),
    ({"status": 402}, "is frozen")])
async def test_what_is_wrong_is_said_and_no_cursor_moves(fake: FakeShopify, asking: ShopifyOrders, store: Redis,
                                                         keys: Keys, spoil: dict[str, object], said: str) -> None:
    """In words that say what to do; the next round begins where this one did."""
    one(fake)
    for name, value in spoil.items():
        setattr(fake, name, value)
    result = await asking.poll(NOW_MS)
    assert (said in result.error, result.new, await read_cursor(store, keys, "shopify")) == (True, 0, "")


async def test_a_token_that_is_not_known_is_said_and_not_shown(fake: FakeShopify, store: Redis, keys: Keys) -> None:
    """Which setting holds it, and never the token."""
    admin = ShopifyAdmin(fake.url, "shpat_wrong")
    result = await ShopifyOrders(admin, store, keys, Scripts(store, keys), "main", 300_000).poll(NOW_MS)
    assert ("OPSMON_SHOPIFY_TOKEN" in result.error, "shpat_wrong" in result.error) == (True, False)


async def test_rubbish_for_an_answer_is_an_error_and_no_traceback(fake: FakeShopify, asking: ShopifyOrders) -> None:
    """Fields of other types, fields that are not there."""
    one(fake)
    fake.hidden = {"updatedAt"}
    assert "not understood" in (await asking.poll(NOW_MS)).error


# --- long gaps ---


async def test_a_long_gap_comes_in_one_file(fake: FakeShopify, asking: ShopifyOrders, store: Redis, keys: Keys) -> None:
    """Weeks of orders: one bulk operation instead of many pages, and the cursor is when Shopify began it."""
    fill(fake, 300, span_ms=20 * 86_400_000)
    result = await asking.poll(NOW_MS)
    assert (result.error, result.found, result.new, "orders" in fake.asked) == ("", 300, 300, False)
    assert await read_cursor(store, keys, "shopify") == str(NOW_MS // 1000 * 1000)


async def test_in_bulk_and_by_pages_the_same_is_counted(fake: FakeShopify, asking: ShopifyOrders, line: Line,
                                                        admin: ShopifyAdmin) -> None:
    """Lines join their orders, refunds are fetched beside: not one version is new by the other way."""
    fill(fake, 300, span_ms=20 * 86_400_000)
    await asking.poll(NOW_MS)
    await line.work()
    paging = ShopifyOrders(admin, line.store, Keys("main"), Scripts(line.store, Keys("main")), "main", 1, name="again",
                           bulk_gap_ms=10**12)
    result = await paging.poll(NOW_MS)
    assert (result.error, result.found, result.new) == ("", 300, 0)
    told = [decode(fields[b"e"]) for _, fields in await line.store.xrange("{main}:events")]
    assert {event.key: len(event.data["lines"]) for event in told} == {
        f"shopify:{DOMAIN}:order:{order.id}": len(order.lines) for order in fake.orders.values()}


async def test_a_quiet_shop_needs_no_bulk_operation(fake: FakeShopify, asking: ShopifyOrders) -> None:
    """Its gap is long, but empty."""
    one(fake, at_ms=NOW_MS - 10 * 86_400_000)
    assert ((await asking.poll(NOW_MS)).found, "bulkOperationRunQuery" in fake.asked) == (1, False)


async def test_a_bulk_operation_that_was_begun_is_waited_for(fake: FakeShopify, asking: ShopifyOrders, store: Redis,
                                                             admin: ShopifyAdmin, keys: Keys) -> None:
    """The process ended meanwhile: the next one takes the file and begins no second operation."""
    fill(fake, 300, span_ms=20 * 86_400_000)
    fake.looks = 10**6
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await asking.poll(NOW_MS)
    for operation in fake._bulk.values():
        operation["left"] = 0
    later = ShopifyOrders(admin, store, keys, Scripts(store, keys), "main", 300_000)
    result = await later.poll(NOW_MS)
    assert (result.error, result.new, fake.asked.count("bulkOperationRunQuery")) == ("", 300, 1)


async def test_a_bulk_operation_that_failed_is_begun_again(fake: FakeShopify, asking: ShopifyOrders) -> None:
    """Next time; this time it is said."""
    fill(fake, 300, span_ms=20 * 86_400_000)
    begun = fake._bulk_begun

    def failing(query: str) -> dict[str, object]:
        answer = begun(query)
        node = answer["bulkOperation"]
        del node["left"]
        node["status"], node["errorCode"] = "FAILED", "TIMEOUT"
        return answer

    fake._bulk_begun = failing  # type: ignore[method-assign, assignment]
    assert "FAILED (TIMEOUT)" in (await asking.poll(NOW_MS)).error
    fake._bulk_begun = begun  # type: ignore[method-assign]
    assert (await asking.poll(NOW_MS)).new == 300
