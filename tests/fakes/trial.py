"""A trial: a fake shop sends while workers are killed and the store goes away; in the end all must be as the shop
says. `python -m tests.fakes.trial [ORDERS] [SECONDS]` runs it for long, with its control."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from opsmon.app.web import open_web
from opsmon.listening import listen
from opsmon.pollers.base import PollResult
from opsmon.pollers.shopify import ShopifyOrders
from opsmon.pollers.shopify_admin import ShopifyAdmin
from opsmon.pollers.shopify_webhooks import WebhookCheck
from opsmon.settings import load
from opsmon.store.connection import worker_client
from opsmon.store.rollups import decode_state
from opsmon.store.scripts import Scripts
from opsmon.web.server import serve
from tests.fakes import orders as shop
from tests.fakes.shopify import DOMAIN, TOKEN, open_shopify
from tests.waiting import wait_until, wait_until_async
from tests.workers.fleet import Fleet, open_fleet

SECRET = b"a-secret-of-the-fake-shop"
SPAN_MS = 30 * 3_600_000


@dataclass
class Trial:
    """How hard it is: orders, real seconds, how often workers die, how often the store does; whether webhooks are
    deleted half-way, and whether anything is asked for in the end."""

    orders: int = 250
    seconds: float = 6.0
    kill_every_s: float = 1.5
    store_ends: int = 2
    seed: int = 11
    deletes: bool = True
    reconciles: bool = True


@dataclass
class Outcome:
    """What the shop says, what opsmon says, and what happened on the way."""

    expected: dict[str, Any]
    counted: dict[str, Any]
    first: PollResult
    last: PollResult | None
    check: PollResult | None
    kills: int = 0
    store_ends: int = 0
    answers: dict[str, int] = field(default_factory=dict)


async def run(fleet: Fleet, trial: Trial) -> Outcome:
    """One trial on a store of its own."""
    now_ms = time.time_ns() // 1_000_000
    steps = shop.plan(trial.seed, trial.orders, now_ms - SPAN_MS, now_ms - 120_000)
    fleet.start("worker-1")
    async with open_shopify(SECRET, seed=trial.seed, speed=100) as fake, _web(fleet) as url:
        client = worker_client(fleet.store.url)
        check = WebhookCheck(ShopifyAdmin(fake.url, TOKEN), url)
        asking = ShopifyOrders(ShopifyAdmin(fake.url, TOKEN), client, fleet.keys, Scripts(client, fleet.keys), "main",
                               1_000)
        await check.poll(now_ms)
        begun, rest = steps[: len(steps) // 10], steps[len(steps) // 10 :]
        await fake.play(begun, 0.2)
        first = await asking.poll(now_ms)
        harm = asyncio.create_task(_harm(fleet, trial))
        half = len(rest) * 2 // 5
        await fake.play(rest[:half], trial.seconds * 2 / 5)
        if trial.deletes:
            fake.sender.deleted |= {one.id for one in fake.subscriptions}
        await fake.play(rest[half:], trial.seconds * 3 / 5)
        kills, ends = await harm
        await fake.sender.settle()
        checked = await check.poll(now_ms) if trial.reconciles else None
        await _drained(fleet)
        last = await asking.poll(now_ms) if trial.reconciles else None
        await _drained(fleet)
        counted = read(fleet)
        await client.aclose()
        return Outcome(shop.oracle(list(fake.orders.values())), counted, first, last, checked, kills, ends,
                       dict(fake.sender.counts))


async def _harm(fleet: Fleet, trial: Trial) -> tuple[int, int]:
    """Kill workers every so often and the store now and then; how many kills of each."""
    chance, began_s, kills, ends = Random(trial.seed), time.monotonic(), 0, 0
    while (gone := (time.monotonic() - began_s) / trial.seconds) < 1:
        await asyncio.sleep(chance.uniform(0.5, 1.0) * trial.kill_every_s)
        fleet.kill("worker-1")
        kills += 1
        if ends < trial.store_ends and gone >= (ends + 1) / (trial.store_ends + 2):
            ends += 1
            await _end_store(fleet)
        fleet.start("worker-1")
    return kills, ends


async def _end_store(fleet: Fleet) -> None:
    """SIGKILL, a while without it, and again."""
    assert fleet.store.pid is not None
    os.kill(fleet.store.pid, signal.SIGKILL)
    wait_until(lambda: fleet.store.poll() is not None, "the end of the store")
    await asyncio.sleep(0.4)
    fleet.store.start()


async def _drained(fleet: Fleet) -> None:
    await wait_until_async(fleet.is_drained, f"the stream drained; {fleet.log('worker-1')[-2000:]}", timeout_s=60)


@asynccontextmanager
async def _web(fleet: Fleet) -> AsyncIterator[str]:
    """The webhooks' door, as Shopify sees it."""
    settings = load({}, overrides={"store_url": fleet.store.url, "data": str(fleet.folder / "data"),
                                   "timezone": "Europe/Berlin", "shopify_secrets": SECRET.decode()})
    sockets = listen("127.0.0.1", 0, boards=True)
    async with open_web(settings, boards=False, ingest=True) as web:
        server = serve(web.app, sockets, web.drain)
        serving = asyncio.create_task(server.serve(sockets))
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}/webhooks/shopify"
        server.should_exit = True
        await serving


def read(fleet: Fleet) -> dict[str, Any]:
    """What opsmon has counted, in the oracle's words: from its panes, and from what it remembers of each order."""
    states, refunds = {}, 0
    for key in fleet.client.scan_iter(match=f"{fleet.keys.tag}:entity:shopify:{DOMAIN}:*", count=1000):
        state = decode_state(fleet.client.get(key))
        facts = {fact.type: fact for fact in state.facts}  # type: ignore[union-attr]
        kind, number = key.decode().split(":")[-2:]
        if kind == "refund" and "refund.given" in facts:
            refunds += facts["refund.given"].fields["amount"][0]
        if kind == "order" and "order.placed" in facts:
            states[number] = (facts["order.placed"].fields["amount"][0], _time(facts, "order.cancelled"),
                              _time(facts, "order.completed"), state.version[0])  # type: ignore[union-attr]
    countries: dict[str, list[int]] = {}
    for name, amount in _days(fleet, "sales-by-country"):
        row, _, aggregate = name.rpartition(".")
        if aggregate in ("n:EUR", "s:EUR"):
            countries.setdefault(row, [0, 0])[aggregate == "s:EUR"] += amount
    return {
        "orders": sum(amount for name, amount in _days(fleet, "orders") if name.endswith(".n")), "refunds": refunds,
        "revenue": sum(amount for name, amount in _days(fleet, "revenue") if name.endswith(".s:EUR")),
        "open": fleet.client.zcard(fleet.keys.open(0, "open-orders")),
        "countries": {country: tuple(row) for country, row in countries.items() if row[0]}, "states": states,
    }


def _time(facts: dict[str, Any], kind: str) -> int | None:
    return facts[kind].time_ms if kind in facts else None


def _days(fleet: Fleet, rollup: str) -> list[tuple[str, int]]:
    found = fleet.client.keys(f"{fleet.keys.tag}:pane:0:{rollup}:d:*")
    return [(name.decode(), int(amount)) for key in found for name, amount in fleet.client.hgetall(key).items()]


def main() -> int:
    """The long form: 0 when all is equal, and the control is not."""
    orders, seconds = (float(text) for text in (sys.argv[1:] or ["3000", "90"]))
    codes = []
    for name, trial in (("trial", Trial(int(orders), seconds, 3.0)),
                        ("control", Trial(int(orders) // 4, seconds / 4, 3.0, reconciles=False))):
        with open_fleet() as fleet:
            done = asyncio.run(run(fleet, trial))
        is_equal = done.counted == done.expected
        codes.append(is_equal)
        print(f"{name}: {'equal' if is_equal else 'different'}; {done.kills} kills, answers {done.answers}, last round "
              f"{done.last}, webhooks {done.check}")
    return 0 if codes == [True, False] else 1


if __name__ == "__main__":
    sys.exit(main())
