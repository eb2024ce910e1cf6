"""Forgetting beside live traffic, and broken off at any point: each order is counted once, by whoever's name."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from opsmon.clock import ManualClock
from opsmon.core.facts import CUSTOMER
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN
from opsmon.core.privacy import Request
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.store.privacy import keep_request
from opsmon.store.privacy_queries import read_requests
from opsmon.store.rollups import decode_state
from opsmon.store.scripts import Scripts
from opsmon.store.traces import Traces
from opsmon.workers.erasing import Erasing
from opsmon.workers.rebuild import settle
from opsmon.workers.verify import verify
from tests.conftest import NOW_MS
from tests.memory import SHOP, event
from tests.orders import order
from tests.workers.desk import BERLIN, Desk, work

pytestmark = pytest.mark.anyio

RULES = Rules(BUILT_IN, BERLIN)
ADA = f"shopify:{SHOP}:customer:6123450987"
COUNTED = ("orders", "revenue", "customer-orders", "customer-tiers", "deliveries")


class Breaking(Redis):
    """A client whose connection is lost for good after so many commands."""

    left = 1_000_000

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Answer as usual, as long as it lasts."""
        self.left -= 1
        if self.left < 0:
            raise RedisConnectionError("lost")
        return await super().execute_command(*args, **options)


def sale(number: int, version: int = 0) -> Any:
    """A version of one of Ada's orders."""
    return event("orders/updated", order(number, f"{number + version}.00", placed_ms=NOW_MS - 60_000,
                                         updated_ms=NOW_MS + version * 1_000, customer={"id": 6123450987}),
                 arrived_ms=NOW_MS + version)


@pytest.fixture
async def desk(store: Redis, keys: Keys, clock: ManualClock) -> Desk:
    """A desk where Ada's 150 orders were counted, and she is to be forgotten."""
    await settle(store, keys, RULES, NOW_MS, NOW_MS)
    made = Desk(store, keys, clock)
    await made.append(*(sale(number) for number in range(1, 151)))
    await work(await made.worker())
    await keep_request(store, keys, Request("1", "customer", ADA, (), NOW_MS, "a-salt"))
    return made


async def names(desk: Desk) -> dict[str, bytes]:
    return await Traces(desk.store, desk.keys, Scripts(desk.store, desk.keys)).states([ADA])


async def members(desk: Desk) -> list[str]:
    """The orders of all customers."""
    start = desk.keys.entity(CUSTOMER)
    found = [await desk.store.get(name) async for name in desk.store.scan_iter(match=f"{start}*")]
    return sorted(name for value in found if value for name in decode_state(value).members)  # type: ignore[union-attr]


async def test_broken_off_anywhere_every_sum_is_as_it_was(desk: Desk, server: EmbeddedStore, data: DataDir) -> None:
    """The connection is lost after 1, 2, 3 … commands: a recount says the same each time, until all is done."""
    client, before, breaks = Breaking.from_url(server.url), await desk.panes(COUNTED), 0
    while (await read_requests(Reader(desk.store), desk.keys))[0].stage != "done":
        breaks += 1
        client.left = breaks
        try:
            await Erasing(client, desk.keys, RULES, data).run_once(NOW_MS)
        except RedisConnectionError:
            pass
        await desk.store.delete(desk.keys.note("recount"))  # it lives for 30 s
        assert (await verify(desk.store, desk.keys, RULES, NOW_MS)).differences == []
        assert len(await members(desk)) == 150
    await client.aclose()
    assert breaks > 15
    assert (await desk.panes(COUNTED), await names(desk)) == (before, {})


async def test_orders_that_change_meanwhile_are_counted_once(desk: Desk, data: DataDir, keys: Keys) -> None:
    """A worker counts new versions of all of Ada's orders while she is being forgotten."""
    worker, erasing = await desk.worker(), Erasing(desk.store, keys, RULES, data)

    async def trade() -> None:
        for version in (1, 2, 3):
            for number in range(1, 151, 10):
                await desk.append(*(sale(n, version) for n in range(number, number + 10)))
                await work(worker)

    async def forget() -> None:
        for _ in range(6):
            await erasing.run_once(NOW_MS)
            await asyncio.sleep(0)

    await asyncio.gather(trade(), forget())
    await keep_request(desk.store, keys, Request("2", "customer", ADA, (), NOW_MS, "a-salt"))
    while any(one.stage != "done" for one in await read_requests(Reader(desk.store), keys)):
        await erasing.run_once(NOW_MS)
    assert (await verify(desk.store, keys, RULES, NOW_MS)).differences == []
    assert (len(await members(desk)), len(set(await members(desk))), await names(desk)) == (150, 150, {})
    assert await desk.arrivals() == 600


@pytest.fixture
def data(tmp_path: Any) -> DataDir:
    """A folder for exports."""
    return DataDir(tmp_path)
