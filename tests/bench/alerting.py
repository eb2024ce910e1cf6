"""From a webhook to a mail at its server: 200 rules, while 1,000 events a second come in beside it.

Rule n says that more than n orders came today: each order makes one more of them fire, so that every webhook is one
mail. `opsmon up` as it is: web, worker, evaluator, notifier; the mail server is this process.
"""

import asyncio
import time
from contextlib import suppress

import orjson
import uvloop

from opsmon.core.alerting.receivers import Receiver, dump_receiver
from opsmon.core.alerting.records import dump_rule
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader, worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from tests.bench.ndjson import answer, quantile, request
from tests.bench.processes import SECRET, Started, running
from tests.fakes.sinks import Mailbox, mail_server
from tests.http import request as ask
from tests.line import SHOP, sign
from tests.orders import order

RULES, EVENTS_EACH, EVERY_S = 200, 100, 0.1
SAMPLES = 60
_FIRST_ORDER = 900_000


def main() -> None:
    """Print one line."""
    waits = sorted(uvloop.run(measured()))
    print(f"webhook to mail, {RULES} rules, {EVENTS_EACH / EVERY_S:,.0f} events/s beside it (n = {len(waits)}): "
          f"p50 {quantile(waits, 50):,.0f} ms, p99 {quantile(waits, 99):,.0f} ms")


async def measured() -> list[float]:
    """Seconds of each webhook."""
    async with mail_server() as box:
        settings = {"OPSMON_SMTP_URL": f"smtp://127.0.0.1:{box.port}", "OPSMON_MAIL_FROM": "opsmon@shop.example"}
        with running(["up"], settings=settings) as opsmon:
            await ready(opsmon)
            load = asyncio.create_task(events(opsmon.port))
            try:
                return [await sample(opsmon.port, box, number) for number in range(SAMPLES)]
            finally:
                load.cancel()
                with suppress(asyncio.CancelledError):
                    await load


async def ready(opsmon: Started) -> None:
    """Have the rules and one who is told, and nothing else."""
    client, keys = worker_client(DataDir(opsmon.folder).store_url), Keys("main")
    for rule in (await all_rules(Reader(client), keys)).values():
        await client.hset(keys.rules, rule.id, orjson.dumps({**dump_rule(rule), "off_reason": "bench"}))
    for number in range(RULES):
        rule = Rule(f"n{number}", f"More than {number}.", "orders-today", Limit(number), "critical", for_ms=0)
        await client.hset(keys.rules, rule.id, orjson.dumps(dump_rule(rule)))
    ana = Receiver("ana", "Ana", "email", "ana@shop.example")
    await client.hset(keys.receivers, ana.id, orjson.dumps(dump_receiver(ana)))
    await client.aclose()
    await asyncio.sleep(3)


async def sample(port: int, box: Mailbox, number: int) -> float:
    """Seconds from the POST of an order to the mail of its rule."""
    body = orjson.dumps(order(_FIRST_ORDER + number, placed_ms=int(time.time() * 1000)))
    wanted = f"More than {number}.".encode()
    started_s = time.perf_counter()
    await ask(port, "POST", "/webhooks/shopify", body, {
        "x-shopify-topic": "orders/create", "x-shopify-shop-domain": SHOP, "x-shopify-webhook-id": f"bench-{number}",
        "x-shopify-hmac-sha256": sign(body, SECRET.encode())})
    while not any(wanted in mail for mail in box.mails):
        await asyncio.sleep(0.002)
        if time.perf_counter() - started_s > 30:
            raise RuntimeError(f"no mail came of order {number}")
    took_s = time.perf_counter() - started_s
    box.mails.clear()
    await asyncio.sleep(0.3)
    return took_s


async def events(port: int) -> None:
    """A thousand events a second, until cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    first, next_s = 0, time.perf_counter()
    try:
        while True:
            writer.write(request("load", first, EVENTS_EACH))
            await answer(reader)
            first, next_s = first + EVENTS_EACH, next_s + EVERY_S
            await asyncio.sleep(max(next_s - time.perf_counter(), 0))
    finally:
        writer.close()
