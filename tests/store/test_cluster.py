"""Many sites on one Cluster, with the same code: three primaries, a replica of each, and nodes that go away.

What a Cluster does not promise: replicas hear of a write after it was answered. SIGKILL of a primary may lose
its last answered writes; a fail-over in good order (CLUSTER FAILOVER) loses none.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import StoreUnavailable
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN
from opsmon.settings import Settings
from opsmon.store.appender import Appender
from opsmon.store.backup_file import Origin, read_manifest, read_records, write_backup
from opsmon.store.connection import STORE_ERRORS, Reader, ingest_client, worker_client
from opsmon.store.copying import copy_site
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.event_stream import GROUP
from opsmon.store.fence import fenced
from opsmon.store.keys import Keys
from opsmon.store.refusals import flush_once
from opsmon.store.restoring import Restoring
from opsmon.store.scripts import Scripts, Taken
from opsmon.workers.rebuild import rebuild
from opsmon.workers.verify import verify
from tests.conftest import NOW_MS, SECRET
from tests.line import Line, open_line
from tests.orders import order, refund
from tests.store.cluster import SHARDS, Cluster, Node, open_cluster
from tests.waiting import wait_until, wait_until_async

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    """One cluster for all of these tests."""
    with open_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(nodes: Cluster) -> Cluster:
    """The cluster, whole and empty, whoever is primary by now."""
    nodes.heal()
    nodes.empty()
    return nodes


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Redis]:
    """What a worker or a board has."""
    opened = worker_client(cluster.url)
    yield opened
    await opened.aclose()


def site_in(cluster: Cluster, shard: int) -> str:
    """A site whose keys lie in this shard."""
    return next(name for number in count() if cluster.shard_of(name := f"shop-{number}") == shard)


@asynccontextmanager
async def open_site(store_url: str, site: str, settings: Settings) -> AsyncIterator[Line]:
    """All of opsmon for one site, as its processes would be: each with clients of its own."""
    client = worker_client(store_url)
    own = replace(settings, store_url=store_url, site=site)
    try:
        async with open_line(own, ManualClock(NOW_MS), client, SECRET.encode()) as line:
            yield line
    finally:
        await client.aclose()


@asynccontextmanager
async def working(line: Line) -> AsyncIterator[None]:
    """The line's worker as a process runs it: nobody helps it over an error."""
    stop = asyncio.Event()
    running = asyncio.create_task(line.worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def send(line: Line, number: int) -> bool:
    """Deliver one order of 10 EUR; whether it was answered as stored."""
    answer = await line.post("orders/create", order(number, "10.00"), x_shopify_webhook_id=f"order-{number}")
    return answer.status == 200


async def send_until_answered(line: Line, numbers: range) -> None:
    """As a vendor does: each order again until it is answered."""
    for number in numbers:
        await wait_until_async(partial(send, line, number), "an answer")


async def orders(line: Line) -> int:
    """How many orders the board shows; -1 while it can show none."""
    answer = await line.get("/api/kpis")
    return int(answer.json["kpis"]["orders-today"]["value"]) if answer.status == 200 else -1


async def shows(line: Line, number: int) -> None:
    """Wait until the board shows so many orders."""
    async def shown() -> bool:
        return await orders(line) == number

    await wait_until_async(shown, f"{number} orders")


async def deliveries(line: Line) -> int:
    """How many deliveries were counted in this hour; they have no memory: twice is twice."""
    assert line.web.feed is not None
    rows, = await line.web.feed._kpis.rows_by_hour("deliveries", [NOW_MS])
    return rows.get("shopify", 0)


async def a_day(line: Line) -> dict[str, Any]:
    """Some orders, one sent twice, one refunded; the numbers then."""
    for number in range(1, 31):
        await line.post("orders/create", order(number, f"{number}.90"))
    await line.post("orders/updated", order(7, "7.50", updated_ms=NOW_MS + 1_000, refunds=[refund(1, 2.0, order_id=7)]))
    await line.post("orders/create", b"no order")
    await send(line, 99)
    await send(line, 99)
    await line.work()
    return await line.kpis()


@contextmanager
def hanging(*nodes: Node) -> Iterator[None]:
    """SIGSTOP: a process keeps its connections and answers nobody."""
    for node in nodes:
        os.kill(node.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for node in nodes:
            os.kill(node.pid, signal.SIGCONT)


def connected(cluster: Cluster) -> int:
    """How many clients are connected to nodes that run, replicas and this question among them."""
    return sum(int(node.client.info("clients")["connected_clients"]) for node in cluster.nodes if node.runs)


async def taken(appender: Appender, delivery: Taken) -> list[bytes]:
    """What became of a delivery; [] when the store did not answer."""
    with suppress(StoreUnavailable):
        return await appender.append_batch([delivery])
    return []


async def replies(client: Redis) -> list[object]:
    """What a client makes of the answers to all that opsmon asks."""
    key = "{shop}:stream"
    await client.hset("{shop}:hash", mapping={"a": 1, "b": "{}"})
    await client.zadd("{shop}:top", {"TENT-2": 5, "TENT-1": 2})
    await client.pfadd("{shop}:unique", "a", "b")
    pipe = client.pipeline(transaction=False)
    pipe.hgetall("{shop}:hash").zrevrange("{shop}:top", 0, 1, withscores=True).pfcount("{shop}:unique", "{shop}:no")
    said: list[object] = [await client.xgroup_create(key, GROUP, id="0", mkstream=True)]
    said += [await client.xadd(key, {"e": b"\x00\xff"}, id=f"{number}-1") for number in (1, 2, 3)]
    said += [await client.xreadgroup(GROUP, "worker-1", {key: ">"}, count=2)]
    said += [await client.xreadgroup(GROUP, "worker-1", {key: ">"}, block=5)]
    said += [await client.xreadgroup(GROUP, "worker-1", {key: ">"}, block=5)]
    said += [await client.xclaim(key, GROUP, "worker-2", min_idle_time=0, message_ids=["1-1", "9-9"])]
    said += [[one["times_delivered"] for one in await client.xpending_range(key, GROUP, "-", "+", 9, "worker-1")]]
    said += [await client.xpending(key, GROUP), await client.xinfo_groups(key), await client.xread({key: "1-1"})]
    said += [await client.xrevrange(key, count=1), await client.xlen(key), await client.xtrim(key, maxlen=1)]
    said += [await client.mget(["{shop}:no", "{shop}:none"]), await client.hgetall("{shop}:none")]
    said += [await client.set("{shop}:lock", "1", nx=True, px=60_000), await client.set("{shop}:lock", "2", nx=True)]
    said += [await pipe.execute(), await client.exists(key), await client.unlink(key, "{shop}:hash")]
    said += [[type(await client.memory_usage("{shop}:top")), await client.memory_usage(key)]]
    said += [sorted([name async for name in client.scan_iter(match="{shop}:*", count=1000)])]
    said += [await client.config_get("appendfsync"), (await client.info("server"))["valkey_version"]]
    return said


async def test_each_site_counts_as_on_a_server_of_its_own(
    cluster: Cluster, server: EmbeddedStore, settings: Settings
) -> None:
    """Three sites on three primaries, and a fourth on the embedded store, show the same numbers of the same day."""
    shown = []
    for url, site in [(server.url, "alone"), *((cluster.url, site_in(cluster, shard)) for shard in range(SHARDS))]:
        async with open_site(url, site, settings) as line:
            shown.append(await a_day(line))
    assert shown[0]["orders-today"]["value"] == 31
    assert shown == [shown[0]] * 4


async def test_a_site_of_a_cluster_is_backed_up_and_restored_elsewhere(
    cluster: Cluster, server: EmbeddedStore, settings: Settings, tmp_path: Path
) -> None:
    """From a Cluster to the embedded store: the same numbers, and a recount finds the same."""
    site = site_in(cluster, 1)
    async with open_site(cluster.url, site, settings) as line:
        shown = await a_day(line)
        origin = Origin(site, 1, 0, "1.0", NOW_MS)
        manifest = await write_backup(tmp_path / "a.tar.gz", origin, copy_site(line.store, Keys(site)))
    assert read_manifest(tmp_path / "a.tar.gz") == manifest
    async with worker_client(server.url) as single:
        await single.flushall()
        async with fenced(single, Keys(site)) as fence:
            restoring = Restoring(single, Keys(site), fence, 0)
            await restoring.run(read_records(tmp_path / "a.tar.gz"), await restoring.begin())
        rules = Rules(settings.catalogue, SiteCalendar(settings.timezone, settings.day_start_ms), settings.kept)
        assert (await verify(single, Keys(site), rules, NOW_MS)).differences == []
    async with open_site(server.url, site, settings) as line:
        assert await line.kpis() == shown


async def test_a_site_is_restored_to_a_cluster(cluster: Cluster, client: Redis, settings: Settings, tmp_path: Path
                                               ) -> None:
    """To the node that the site's keys belong on."""
    site = site_in(cluster, 2)
    async with open_site(cluster.url, site, settings) as line:
        shown = await a_day(line)
        await write_backup(tmp_path / "a", Origin(site, 1, 0, "1.0", NOW_MS), copy_site(line.store, Keys(site)))
    cluster.empty()
    async with fenced(client, Keys(site)) as fence:
        restoring = Restoring(client, Keys(site), fence, 0)
        await restoring.run(read_records(tmp_path / "a"), await restoring.begin())
    async with open_site(cluster.url, site, settings) as line:
        assert await line.kpis() == shown


async def test_a_site_lies_whole_on_one_primary(cluster: Cluster, settings: Settings) -> None:
    """Its keys carry one hash tag; another site's lie elsewhere."""
    for shard in range(SHARDS):
        async with open_site(cluster.url, site_in(cluster, shard), settings) as line:
            await a_day(line)
    tags = [{name.split(b":")[0].decode() for name in cluster.primary(shard).client.scan_iter()}
            for shard in range(SHARDS)]
    assert tags == [{Keys(site_in(cluster, shard)).tag} for shard in range(SHARDS)]


async def test_a_cluster_answers_as_one_server_does(client: Redis, server: EmbeddedStore) -> None:
    """Every command that opsmon sends gets a reply of the same shape."""
    async with worker_client(server.url) as single:
        await single.flushall()
        expected = await replies(single)
    assert await replies(client) == expected


async def test_a_client_s_first_question_goes_where_the_key_is(cluster: Cluster) -> None:
    """Not to whichever node comes first, which may be away."""
    for shard in range(SHARDS):
        cluster.primary(shard).client.config_resetstat()
    for number in range(9):
        client = worker_client(cluster.url)
        await client.hgetall(Keys(f"shop-{number}").meta)
        await client.aclose()
    stats = [cluster.primary(shard).client.info("errorstats") for shard in range(SHARDS)]
    assert [one for one in stats if "errorstat_MOVED" in one] == []


async def test_a_screen_that_waits_for_news_holds_up_no_question(client: Redis) -> None:
    """A blocked read has its connection for itself."""
    reader = Reader(client)
    waiting = asyncio.create_task(reader.after("{shop}:changes", "0", 5_000))
    assert [await reader.length("{shop}:changes") for _ in range(9)] == [0] * 9
    assert not waiting.done()
    await client.xadd("{shop}:changes", {"kpis": "orders-today"}, id="1-1")
    assert await waiting == [(b"1-1", {b"kpis": b"orders-today"})]


async def test_the_status_page_tells_of_the_node_that_the_site_lies_on(cluster: Cluster, client: Redis) -> None:
    """Memory and fsync of another node would be somebody else's."""
    reader, told = Reader(client), []
    for shard in range(SHARDS):
        await reader.length(Keys(site_in(cluster, shard)).events)
        told.append((await reader.info("server"))["tcp_port"])
    assert told == [cluster.primary(shard).port for shard in range(SHARDS)]


async def test_a_site_s_keys_are_looked_for_on_its_node_only(cluster: Cluster, client: Redis) -> None:
    """The others may be away, and have plenty of their own."""
    for shard in range(SHARDS):
        await client.set(Keys(site_in(cluster, shard)).meta, "1")
        cluster.primary(shard).client.config_resetstat()
    keys = Keys(site_in(cluster, 1))
    assert [name async for name in client.scan_iter(match=f"{keys.tag}:*", count=1000)] == [keys.meta.encode()]
    assert ["cmdstat_scan" in cluster.primary(shard).client.info("commandstats") for shard in range(SHARDS)] == [
        False, True, False]


async def test_refused_deliveries_are_counted_by_the_first_thing_a_client_does(cluster: Cluster) -> None:
    """All or none, though no node is known yet."""
    keys, refused = Keys("shop"), Counter({"shopify:refused": 2, "shopify:too_large": 1})
    client = ingest_client(cluster.url)
    await flush_once(client, keys, refused)
    counted = await client.hgetall(keys.counts)
    await client.aclose()
    assert (counted, refused) == ({b"shopify:refused": b"2", b"shopify:too_large": b"1"}, {})


async def test_a_fail_over_in_good_order_loses_nothing(cluster: Cluster, settings: Settings) -> None:
    """The replica takes over, and back, while orders pour in; worker, ingest and board carry on by themselves."""
    async with open_site(cluster.url, site_in(cluster, 1), settings) as line, working(line):
        for turn in range(3):
            sending = asyncio.create_task(send_until_answered(line, range(turn * 50 + 1, turn * 50 + 51)))
            if turn:
                await wait_until_async(lambda: asyncio.to_thread(cluster.is_whole), "a replica that stands by")
                await asyncio.to_thread(cluster.fail_over, 1)
            await sending
        await shows(line, 150)
        assert await deliveries(line) == 150


async def test_a_killed_primary_s_replica_counts_what_it_has_heard_of_once(
    cluster: Cluster, settings: Settings
) -> None:
    """SIGKILL under load. What the replica had confirmed before is there; what it never heard of is nowhere."""
    site = site_in(cluster, 1)
    async with open_site(cluster.url, site, settings) as line, working(line):
        await send_until_answered(line, range(1, 51))
        assert cluster.primary(1).client.wait(1, 5_000) == 1
        sending = asyncio.create_task(send_until_answered(line, range(51, 151)))
        await wait_until_async(lambda: line.store.xlen(Keys(site).events), "the middle of it")
        promoted = cluster.kill_primary(1)
        await sending
        held = int(promoted.client.xlen(Keys(site).events))
        await shows(line, held)
        assert (await deliveries(line), promoted.is_primary()) == (held, True)
        assert 50 < held <= 150


async def test_a_dead_shard_stops_no_other_site(cluster: Cluster, settings: Settings) -> None:
    """Its primary and replica are gone: a site elsewhere works on and starts anew, though scripts are forgotten."""
    for node in cluster.nodes[0::SHARDS]:
        node.kill()
    site = site_in(cluster, 2)
    for number in (1, 2):
        async with open_site(cluster.url, site, settings) as line:
            cluster.primary(2).client.script_flush()
            assert (await send(line, number), await line.work(), await orders(line)) == (True, 1, number)


async def test_a_site_of_a_dead_shard_is_told_to_come_back(cluster: Cluster, settings: Settings) -> None:
    """No 2xx without a durable append; once the shard is back, the same delivery is taken."""
    async with open_site(cluster.url, site_in(cluster, 0), settings) as line:
        for node in cluster.nodes[0::SHARDS]:
            node.kill()
        answer = await line.post("orders/create", order(1))
        cluster.heal()  # here: a server ends with the thread that started it
        await send_until_answered(line, range(1, 2))
        assert (answer.status, await line.work(), await orders(line)) == (503, 1, 1)


async def test_a_cluster_that_hangs_is_not_asked_node_by_node(cluster: Cluster) -> None:
    """A process that has just started would wait for each of six; the sender is told no in time."""
    client = ingest_client(cluster.url)
    appender = Appender(Scripts(client, Keys("shop")), ManualClock(NOW_MS))
    with hanging(*cluster.nodes), pytest.raises(StoreUnavailable):
        async with asyncio.timeout(2):
            await appender.append_batch([Taken("event", "shopify", "1", b"{}", "0")])
    await client.aclose()


async def test_a_client_that_was_let_down_closes_what_it_opened(cluster: Cluster) -> None:
    """Every connection, also when its last question had no answer."""
    before = connected(cluster)
    client = ingest_client(cluster.url)
    await client.ping()
    for shard in range(SHARDS):
        await client.hgetall(Keys(site_in(cluster, shard)).meta)
    with hanging(cluster.primary(0)), pytest.raises(STORE_ERRORS):
        await client.hgetall(Keys(site_in(cluster, 0)).meta)
    await client.aclose()
    wait_until(lambda: connected(cluster) == before, "the end of its connections")


async def test_a_primary_that_hangs_makes_nobody_wait_for_ever(cluster: Cluster) -> None:
    """Shopify gives five seconds, Odoo one: until the replica takes over, the answer is no, and comes in time."""
    keys, delivery = Keys(site_in(cluster, 0)), Taken("event", "shopify", "1", b"{}", "0")
    async with ingest_client(cluster.url) as client:
        appender = Appender(Scripts(client, keys), ManualClock(NOW_MS))
        with hanging(cluster.primary(0)):
            with pytest.raises(StoreUnavailable):
                async with asyncio.timeout(2):
                    await appender.append_batch([delivery])
            assert await wait_until_async(lambda: taken(appender, delivery), "the replica's answer") == [b"event"]


async def test_a_site_on_a_cluster_can_be_counted_anew_and_proved(cluster: Cluster, settings: Settings) -> None:
    """`opsmon replay` and `opsmon verify` do there what they do on one server."""
    site = site_in(cluster, 1)
    async with open_site(cluster.url, site, settings) as line:
        for number in range(1, 6):
            assert await send(line, number)
        await line.work()
        keys, rules = Keys(site), Rules(BUILT_IN, SiteCalendar(ZoneInfo("Europe/Berlin")))
        before = await orders(line)
        assert await rebuild(line.store, keys, rules, NOW_MS) == 1
        report = await verify(line.store, keys, rules, NOW_MS)
        assert (before, report.differences, report.numbers > 0) == (5, [], True)
