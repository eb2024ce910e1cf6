"""`opsmon explain`: a number in words, on a terminal and for programs."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from opsmon.__main__ import main
from opsmon.clock import ManualClock, SystemClock
from opsmon.core.kpis import KPIS
from opsmon.store.connection import worker_client
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from tests.memory import event
from tests.orders import order
from tests.workers.desk import Desk, work

Explained = Callable[..., tuple[int, str, str]]


async def fill(url: str) -> None:
    """An order that was placed a moment ago, counted."""
    client, now_ms = worker_client(url), SystemClock().now_ms()
    try:
        await client.flushall()
        desk = Desk(client, Keys("main"), ManualClock(now_ms))
        await desk.append(event("orders/create", order(1001, "49.90", placed_ms=now_ms), arrived_ms=now_ms))
        await work(await desk.worker())
    finally:
        await client.aclose()


@pytest.fixture
def explained(server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
              tmp_path: Path) -> Explained:
    """Run the verb on a store with one order: its code, what it printed, what it complained."""
    for variable in [name for name in os.environ if name.startswith("OPSMON_") or name == "REDIS_URL"]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("OPSMON_TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("OPSMON_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    asyncio.run(fill(server.url))

    def run(*args: str) -> tuple[int, str, str]:
        code = main(["explain", *args, "--store", server.url])
        return code, *capsys.readouterr()

    return run


def said_about(said: str) -> dict[str, str]:
    """The lines by their first word."""
    return {line.partition("  ")[0]: line[12:] for line in said.splitlines() if line[:1].isupper()}


def test_a_number_is_explained_line_by_line(explained: Explained) -> None:
    """What it is, what it counts, how exact, over which window, in which zone, how long it is kept."""
    code, said, _ = explained("revenue-today")
    lines = said_about(said)
    assert (code, said.splitlines()[0]) == (0, "Revenue today: €49.90")
    assert lines["Counts"] == "The sum of amount of order.placed or order.cancelled or refund.given."
    assert lines["Exactness"] == "Exact. Corrections are subtracted where they were added."
    assert lines["Days"] == "of Europe/Berlin, beginning at 00:00"
    assert lines["Kept"] == "days for ever, hours for 400 days, minutes for 8 days"


def test_the_events_behind_a_number_are_told_with_what_they_added(explained: Explained) -> None:
    """The order by its key, and its amount as it is kept."""
    _, said, _ = explained("revenue-today")
    assert said.splitlines()[-2].endswith(" order.updated shopify:paper-boat.myshopify.com:order:1001")
    assert said.splitlines()[-1] == "            order.placed amount=4990 EUR"


def test_a_program_reads_the_same_as_json(explained: Explained) -> None:
    """The shape of /api/kpis/{id}/explain."""
    code, said, _ = explained("orders-today", "--json")
    told = json.loads(said)
    assert (code, told["id"], told["value"], len(told["last_events"])) == (0, "orders-today", 1, 1)


def test_a_number_that_nobody_knows_names_those_there_are(explained: Explained) -> None:
    """One sentence, and what can be asked."""
    code, said, complained = explained("profit")
    assert (code, said, complained) == (
        1, "", f"opsmon: profit: no such number; known are {', '.join(kpi.id for kpi in KPIS)}\n")


def test_every_number_can_be_explained(explained: Explained) -> None:
    """Also those that hold now, and those that nothing was counted of."""
    assert {kpi.id: explained(kpi.id)[0] for kpi in KPIS} == dict.fromkeys((kpi.id for kpi in KPIS), 0)
