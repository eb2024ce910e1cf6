"""POST /webhooks/odoo over real HTTP: answered within Odoo's second whatever the store does, and never lost."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from socket import socket
from typing import Any

import orjson
import pytest
import redis

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from opsmon.sources.base import Secret, SourceSettings
from opsmon.sources.odoo import hashed
from opsmon.store.connection import Reader, worker_client
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.store.notes import read_spools
from tests.conftest import SECRET
from tests.http import Answer, request
from tests.line import Line, open_line
from tests.odoo import picking, quant, sale
from tests.waiting import wait_until, wait_until_async
from tests.web.own_store import own_store as opened_store

pytestmark = pytest.mark.anyio

TOKEN = "q3nF-0uT_of-the-address-of-the-shop"
SOURCE = SourceSettings("odoo", "odoo", (Secret(hashed(TOKEN).encode()),), {"currency": "EUR"})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A shop that has Odoo."""
    return replace(settings, sources=(SOURCE,))


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A store of this test's own, that may be stopped."""
    with opened_store(tmp_path) as store:
        yield store


async def tell(line: Line, body: Any, path: str = f"/webhooks/odoo/{TOKEN}") -> Answer:
    """Tell of a record, as Odoo does."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return await request(line.port, "POST", path, raw, {"content-type": "application/json"})


async def rows(line: Line, kpi: str) -> dict[str, Any]:
    """A KPI's rows by name."""
    return {row["name"]: row["value"] for row in (await line.kpis())[kpi].get("rows", [])}


# --- the door ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"/webhooks/odoo/{TOKEN}", f"/ingest/odoo/{TOKEN}", f"/webhooks/odoo?token={TOKEN}",
                                  f"/webhooks/odoo?access_token={TOKEN}"])
async def test_a_sale_counts(line: Line, path: str) -> None:
    """From Odoo's one way of telling to the board."""
    answer = await tell(line, sale(), path)
    await line.work()
    shown = await line.kpis()
    assert (answer.status, shown["orders-today"]["value"], shown["revenue-today"]["value"]) == (200, 1, 4990)


async def test_a_quotation_becomes_an_order_and_is_taken_back(line: Line) -> None:
    """As its state goes on, in any order of arrival."""
    seen = []
    for second, state in enumerate(("draft", "sale", "draft")):
        await tell(line, sale(state=state, written=f"2026-11-20 13:03:{second:02}"))
        await line.work()
        seen.append(((await line.kpis())["orders-today"]["value"], await rows(line, "quotations-by-state")))
    assert seen == [(0, {"quotation": 1}), (1, {}), (0, {"quotation": 1})]


async def test_transfers_and_production_are_shown_by_state(line: Line) -> None:
    """States that a module adds, too; what is done is no work any more."""
    for number, state in enumerate(("assigned", "assigned", "approve", "done")):
        await tell(line, picking(number + 1, state))
    await tell(line, {"_model": "mrp.production", "_id": 1, "state": "progress", "write_date": "2026-11-20 13:00:00"})
    await line.work()
    assert (await rows(line, "transfers-by-state"), await rows(line, "production-by-state")) == (
        {"ready": 2, "approve": 1}, {"in progress": 1})


async def test_stock_is_shown(line: Line) -> None:
    """The newest word counts."""
    await tell(line, quant())
    await tell(line, quant(quantity=5.0, write_date="2026-11-20 13:03:21"))
    await line.work()
    assert (await line.kpis())["stock"]["rows"][0]["value"] == 3


@pytest.mark.parametrize("path", ["/webhooks/odoo", "/webhooks/odoo/wrong", "/webhooks/odoo?token=wrong"])
async def test_another_token_is_a_401_and_stores_nothing(line: Line, keys: Keys, path: str) -> None:
    """The address is the secret."""
    assert ((await tell(line, sale(), path)).status, await line.store.xlen(keys.events)) == (401, 0)


async def test_rubbish_is_answered_well_and_kept(line: Line, keys: Keys) -> None:
    """Odoo would not read a 4xx; we read the dead letter."""
    body = sale()
    del body["state"]
    answers = [await tell(line, body), await tell(line, b"{")]
    reasons = [fields[b"reason"].decode() for _, fields in await line.store.xrange(keys.dead)]
    assert ([answer.status for answer in answers], reasons[0]) == (
        [200, 200], "sale.order: sale.order came without state: tick it among the webhook action's fields")
    assert reasons[1].startswith("a body without _model: the body is not JSON")


async def test_the_token_is_in_no_log_and_in_no_answer(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads a log could send orders."""
    caplog.set_level(logging.DEBUG)
    answers = [await tell(line, sale()), await tell(line, b"{"), await tell(line, sale(), f"/webhooks/x/{TOKEN}"),
               await tell(line, sale(), f"/webhooks/odoo/{TOKEN}x"), await line.get("/status"),
               await line.get("/status.json"), await line.get("/metrics")]
    await line.work()
    told = caplog.text + "".join(answer.text for answer in answers)
    assert [secret for secret in (TOKEN, hashed(TOKEN)[7:]) if secret in told] == []


# --- the store is away ------------------------------------------------------------------------------------------


class Sender:
    """Odoo as it is: gives up after a second, never sends again, and does not look at what it is told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.statuses: list[int] = []
        self.gave_up = 0

    async def send(self, body: dict[str, Any]) -> None:
        """Tell once."""
        try:
            async with asyncio.timeout(1.0):
                answer = await request(self._port, "POST", f"/webhooks/odoo/{TOKEN}", orjson.dumps(body), {})
            self.statuses.append(answer.status)
        except TimeoutError:
            self.gave_up += 1


@pytest.mark.parametrize("how", ["stopped", "hanging"])
async def test_while_the_store_is_away_nothing_is_lost(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore, keys: Keys, how: str
) -> None:
    """A sender with a second of patience and no second try: every answer is in time, and all of it counts."""
    client = worker_client(own_store.url)
    async with open_line(replace(settings, store_url=own_store.url), clock, client, SECRET.encode()) as line:
        sender, total = Sender(line.port), 0
        await sender.send(sale(1))
        away(own_store, how)
        end_s = time.monotonic() + float(os.environ.get("STORE_AWAY_S", "3"))
        while time.monotonic() < end_s:
            await asyncio.gather(*(sender.send(sale(2 + total + n)) for n in range(4)))
            total += 4
            await asyncio.sleep(0.02)
        back(own_store, how)
        assert line.web.webhooks is not None
        spool = line.web.webhooks.spool
        await wait_until_async(lambda: not spool.state.waiting, "all was brought")
        await wait_until_async(lambda: read_spools(Reader(client), keys), "the process said so")
        await line.work()
        assert (sender.gave_up, set(sender.statuses)) == (0, {200})
        assert (await line.kpis())["orders-today"]["value"] == total + 1
        assert int(await client.hget(keys.counts, "odoo:accepted") or 0) == total + 1
        waiting = line.web.webhooks.refused

        async def spooled() -> bool:
            """What was counted and what is still to be brought to the counts, which happens beside us."""
            return int(await client.hget(keys.counts, "odoo:spooled") or 0) + waiting["odoo:spooled"] == total

        await wait_until_async(spooled, f"{total} were counted as spooled")
    await client.aclose()


def away(store: EmbeddedStore, how: str) -> None:
    """Stop the store, or let it hang."""
    if how == "stopped":
        store.stop()
    else:
        assert store.pid
        os.kill(store.pid, signal.SIGSTOP)


def back(store: EmbeddedStore, how: str) -> None:
    """Undo it."""
    if how == "stopped":
        store.start()
    else:
        assert store.pid
        os.kill(store.pid, signal.SIGCONT)


async def test_who_sends_again_is_still_asked_to(
    settings: Settings, clock: ManualClock, own_store: EmbeddedStore
) -> None:
    """Shopify hears a 503 and comes again: nothing of it is on the disk."""
    client = worker_client(own_store.url)
    async with open_line(replace(settings, store_url=own_store.url), clock, client, SECRET.encode()) as line:
        own_store.stop()
        answers = [(await line.post("orders/create", {"id": 1})).status, (await tell(line, sale())).status]
        assert line.web.webhooks is not None
        assert (answers, line.web.webhooks.spool.state.waiting) == ([503, 200], 1)
        own_store.start()
    await client.aclose()


# --- the web process is killed ----------------------------------------------------------------------------------


@contextmanager
def ingest(folder: Path, store: EmbeddedStore, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A real ingest process of a shop that has Odoo; killed in the end."""
    (folder / "opsmon.toml").write_text(
        f'[[source]]\nname = "odoo"\nkind = "odoo"\nsecrets = ["{hashed(TOKEN)}"]\ncurrency = "EUR"\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPSMON_")}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "OPSMON_TIMEZONE": "Europe/Berlin"}
    process = subprocess.Popen(
        [sys.executable, "-m", "opsmon", "ingest", "--port", str(port), "--store", store.url, "--data",
         str(folder / "data")], cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: told(port, b"{}", "/livez", "GET") == 200, "the process was ready", 20)
        yield process
    finally:
        process.kill()
        process.wait()


def told(port: int, body: bytes, path: str = f"/webhooks/odoo/{TOKEN}", method: str = "POST") -> int:
    """Ask once; the status, 0 for no answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request(method, path, body)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_what_was_answered_by_a_process_that_is_killed_is_not_lost(own_store: EmbeddedStore, tmp_path: Path) -> None:
    """SIGKILL while the store is away and deliveries wait; the next process brings what was promised."""
    with socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port, keys = asked.getsockname()[1], Keys("main")
    own_store.stop()
    promised: list[int] = []
    for first in (0, 100):
        with ingest(tmp_path, own_store, port):
            promised += [number for number in range(first, first + 40)
                         if told(port, orjson.dumps(sale(number + 1))) == 200]
    own_store.start()
    client = redis.Redis.from_url(own_store.url)
    with ingest(tmp_path, own_store, port):
        wait_until(lambda: client.xlen(keys.events) >= len(promised), "all was brought", 20)
    brought = [orjson.loads(fields[b"e"])[6] for _, fields in client.xrange(keys.events)]
    client.close()
    assert (len(promised), brought) == (80, [f"odoo:odoo:order:{number + 1}" for number in promised])
