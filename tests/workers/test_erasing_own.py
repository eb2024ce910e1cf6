"""Forgetting a customer of whom a site's own events tell, and whom its own KPIs count."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.privacy import Request
from opsmon.settings import Settings, load
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.store.privacy import keep_request
from opsmon.workers.erasing import Erasing
from opsmon.workers.rebuild import rebuild
from tests.conftest import SECRET
from tests.http import request
from tests.line import Line, open_line
from tests.workers.test_erasing import differences, held, rules_of

pytestmark = pytest.mark.anyio

_numbers = itertools.count(1)
ADA, BOB = "crm:customer:ada", "crm:customer:bob"
KPIS = """
[[kpi]]
id = "callers"
label = "Callers"
on = "call.answered"
measure = "distinct"
of = "customer"
window = "today"

[[kpi]]
id = "talkers"
label = "Longest talkers"
on = "call.answered"
measure = "top"
by = "customer"
value = "seconds"
window = "today"

[[kpi]]
id = "by-caller"
label = "Seconds by caller"
on = "call.answered"
measure = "sum"
by = "customer"
value = "seconds"
cap = 2
window = "today"

[[kpi]]
id = "longest"
label = "Longest call by caller"
on = "call.answered"
measure = "max"
by = "customer"
value = "seconds"
window = "today"

[[kpi]]
id = "callers-visits"
label = "Conversations"
on = "call.answered"
measure = "sessions"
of = "customer"
gap = "30m"
window = "today"
"""


@pytest.fixture
async def line(server: EmbeddedStore, tmp_path: Path, clock: ManualClock, store: Redis) -> AsyncIterator[Line]:
    """The whole line, with KPIs of callers."""
    async with open_line(settings_of(server, tmp_path), clock, store, SECRET.encode()) as opened:
        yield opened


@pytest.fixture
def settings(server: EmbeddedStore, tmp_path: Path) -> Settings:
    """The same as the line's."""
    return settings_of(server, tmp_path)


def settings_of(server: EmbeddedStore, folder: Path) -> Settings:
    (folder / "opsmon.toml").write_text(KPIS)
    return load({}, folder / "opsmon.toml", {
        "store_url": server.url, "data": str(folder), "timezone": "Europe/Berlin", "shopify_secrets": SECRET,
        "ingest_token": "token-of-the-phone", "worker_name": "worker-1"})


async def call(line: Line, *calls: tuple[str, int]) -> None:
    """Somebody called, and was spoken with for so many seconds."""
    body = orjson.dumps([{"id": f"call-{next(_numbers)}", "type": "call.answered",
                          "data": {"customer": customer, "seconds": seconds}} for customer, seconds in calls])
    answer = await request(line.port, "POST", "/ingest/events", body, {"authorization": "Bearer token-of-the-phone"})
    assert answer.json["accepted"] == len(calls)
    await line.work()


async def forget(line: Line, keys: Keys, settings: Settings, clock: ManualClock, about: str = ADA) -> None:
    """Ask for it, and let a worker do it."""
    asked = Request("1", "customer", about, (), clock.now_ms(), "a-salt")
    await keep_request(line.store, keys, asked)
    for _ in range(4):
        await Erasing(line.store, keys, rules_of(settings), DataDir(settings.data)).run_once(clock.now_ms())


async def numbers(line: Line) -> Any:
    return {name: (kpi["value"], sorted(row["value"] for row in kpi.get("rows", ())))
            for name, kpi in (await line.kpis()).items() if name != "data-age"}


async def test_all_kinds_of_counts_keep_their_sums(line: Line, store: Redis, keys: Keys, settings: Settings,
                                                   clock: ManualClock) -> None:
    """Different ones, rankings, rows, joins, sessions: the same numbers, with a name that says nothing."""
    await call(line, (ADA, 60), (BOB, 30), (ADA, 90), ("crm:customer:eve", 5))
    before = await numbers(line)
    assert {name.split(b":")[1] for name in await held(store, ADA.encode())} == {
        b"events", b"pane", b"top", b"rows", b"open", b"entity"}
    await forget(line, keys, settings, clock)
    assert (await numbers(line), await held(store, ADA.encode())) == (before, [])
    assert await differences(store, keys, settings, clock) == []
    await rebuild(store, keys, rules_of(settings), clock.now_ms())
    assert (await numbers(line), await held(store, ADA.encode())) == (before, [])


async def test_whose_name_begins_alike_is_another(line: Line, store: Redis, keys: Keys, settings: Settings,
                                                  clock: ManualClock) -> None:
    """crm:customer:ada is forgotten, crm:customer:adam is not."""
    await call(line, (ADA, 60), ("crm:customer:adam", 30))
    before = await numbers(line)
    await forget(line, keys, settings, clock)
    rows = {row["name"] for row in (await line.kpis())["by-caller"]["rows"]}
    assert len(rows) == 2 and "crm:customer:adam" in rows and ADA not in rows
    assert (await numbers(line), await differences(store, keys, settings, clock)) == (before, [])


async def test_a_file_that_a_spool_had_set_aside_goes(line: Line, keys: Keys, settings: Settings,
                                                      clock: ManualClock) -> None:
    """It holds what somebody sent, and nobody can read it back."""
    folder = settings.data / "spool" / "main"
    folder.mkdir(parents=True)
    kept, gone = folder / "1.unreadable", folder / "2.unreadable"
    kept.write_bytes(b"\x00rubbish"), gone.write_bytes(b'\x00{"customer_id": "ada"}')
    await forget(line, keys, settings, clock)
    assert (kept.exists(), gone.exists()) == (True, False)


async def test_an_export_is_of_one_customer_only(line: Line, keys: Keys, settings: Settings, clock: ManualClock
                                                 ) -> None:
    """Nothing of others is in it."""
    await call(line, (ADA, 60), ("crm:customer:adam", 30))
    asked = Request("2", "export", ADA, (), clock.now_ms())
    await keep_request(line.store, keys, asked)
    await Erasing(line.store, keys, rules_of(settings), DataDir(settings.data)).run_once(clock.now_ms())
    text = (settings.data / "exports" / "2.json").read_text()
    assert (text.count("adam"), orjson.loads(text)["events_by_type"]) == (0, {"call.answered": 1})


async def test_a_store_that_may_not_be_told_is_said_so(line: Line, store: Redis, keys: Keys, settings: Settings,
                                                       clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    """A hosted store without BGREWRITEAOF: all is erased there, and a person reads what is left to do."""
    await store.acl_setuser("default", enabled=True, nopass=True, commands=["-bgrewriteaof"], reset=False)
    try:
        await forget(line, keys, settings, clock)
    finally:
        await store.acl_setuser("default", enabled=True, nopass=True, commands=["+bgrewriteaof"], reset=False)
    assert "may not be told to write its files anew" in caplog.text


def test_a_request_says_nothing_of_whom_it_was_about_once_it_is_done() -> None:
    """Only that it was, and when."""
    from opsmon.store.privacy import nameless

    asked = Request("1", "customer", ADA, ("crm:order:17",), 5, "a-salt")
    assert nameless(asked, "done", "9") == replace(asked, about="", orders=(), salt="", stage="done", note="9")
