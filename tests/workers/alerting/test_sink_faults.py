"""An hour in which a sink is down, slow, busy, broken or cut off, by a clock of the test's, over real connections: what
is still so is told once when it is back, and nothing in between is lost or said again.
"""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.app.telling import notifier
from opsmon.clock import ManualClock
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.receivers import Receiver
from opsmon.core.calendar import MINUTE_MS
from opsmon.notify import egress
from opsmon.notify.egress import Egress
from opsmon.notify.email import EmailNotifier, server_of
from opsmon.notify.webhook import WebhookNotifier
from opsmon.settings import Settings
from opsmon.store.alerts.telling_queries import dead_notices
from opsmon.store.connection import Reader
from opsmon.workers.notifier import Notifier
from tests.conftest import NOW_MS
from tests.fakes.sinks import Mailbox, Sink, https_sink, mail_server
from tests.notify.test_channels import read
from tests.workers.alerting.outbox import ANA, BEN, KEYS, LATE, fires, goes, keep, outcomes, put, say

pytestmark = pytest.mark.anyio
BAD = replace(LATE, id="bad", severity="critical", title="Payments fail")
ROWS = ("DHL", "UPS", "GLS")


@dataclass
class Site:
    """Somebody who is told over a real connection, and the worker that tells them."""

    store: Redis
    clock: ManualClock
    worker: Notifier
    receiver: Receiver
    sink: Sink
    box: Mailbox

    async def hour(self) -> None:
        """Six alerts fire, are repeated twice, and three of them are over before the hour is."""
        late = [await fires(self.store, NOW_MS, row) for row in ROWS]
        bad = [await fires(self.store, NOW_MS, row, BAD) for row in ROWS]
        for minute in range(60):
            if minute in (0, 20, 40):
                await self.say("fired" if minute == 0 else "repeat", [*late, *bad], minute)
            if minute == 50:
                over = [replace(one, state="resolved", ended_ms=self.clock.now_ms()) for one in bad]
                for one in over:
                    await put(self.store, one)
                await self.say("resolved", over, minute)
            await goes(self.worker, self.clock, MINUTE_MS)

    async def say(self, word: str, alerts: list[Alert], number: int) -> None:
        """Queue a word about these."""
        for one in alerts:
            await say(self.store, one, self.receiver.id, self.clock.now_ms(), word, number)

    async def later(self) -> None:
        """An hour more, in which it is back: a sink may have asked for patience."""
        for _ in range(60):
            await goes(self.worker, self.clock, MINUTE_MS)


@asynccontextmanager
async def site(store: Redis, settings: Settings, clock: ManualClock, folder: Path, receiver: Receiver
               ) -> AsyncIterator[Site]:
    """With a mail server, an https address, and one who is told by one of them."""
    async with https_sink(folder) as (sink, context), mail_server() as box:
        channels: Any = {"webhook": WebhookNotifier(Egress(("127.0.0.1/32",), context)),
                         "email": EmailNotifier(server_of(f"smtp://127.0.0.1:{box.port}"), "opsmon@shop.example")}
        to = sink.url if receiver.kind == "webhook" else receiver.to
        await keep(store, replace(receiver, to=to), LATE, BAD)
        worker = await notifier(settings, store, clock, channels)
        yield Site(store, clock, worker, replace(receiver, to=to), sink, box)


def answers(status: str, headers: str = "") -> Callable[[Sink], None]:
    """An address that answers so."""
    def set_(sink: Sink) -> None:
        sink.status, sink.headers = status, headers
    return set_


def is_slow(sink: Sink) -> None:
    """Longer than anybody waits."""
    sink.seconds = 1.0


def is_cut(sink: Sink) -> None:
    """It takes what it is sent, and says nothing."""
    sink.is_cut = True


def breaks_off(sink: Sink) -> None:
    """In the middle of its answer."""
    sink.answer = b"HTTP/1.1 200"


@pytest.mark.parametrize("trouble, most_asked", [
    (answers("500 Oh"), 40), (answers("503 Later"), 40), (answers("429 Busy", "Retry-After: 1800\r\n"), 3),
    (answers("503 Later", "Retry-After: 3000\r\n"), 2), (answers("429 Busy"), 40), (is_slow, 40), (is_cut, 40),
    (breaks_off, 40)])
async def test_after_an_hour_of_trouble_what_is_still_so_is_told_once(
        trouble: Callable[[Sink], None], most_asked: int, store: Redis, settings: Settings, clock: ManualClock,
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lanes in one message, by one key; of what is over meanwhile at most that it is; and no storm before."""
    if trouble is is_slow:
        monkeypatch.setattr(egress, "WITHIN_S", 0.3)
    async with site(store, settings, clock, tmp_path, BEN) as at:
        trouble(at.sink)
        await at.hour()
        asked = len(at.sink.asked)
        at.sink.status, at.sink.headers, at.sink.seconds = "204 No Content", "", 0.0
        at.sink.is_cut, at.sink.answer = False, None
        monkeypatch.undo()
        await at.later()
        told = [orjson.loads(body)["data"] for _, _, body in at.sink.asked[asked:]]
    late = [one for one in told if one["alerts"][0]["rule"] == "late"]
    over = [one for one in told if one["alerts"][0]["rule"] == "bad"]
    assert [sorted(row["labels"]["row"] for row in one["alerts"]) for one in late] == [sorted(ROWS)]
    assert (len(over) <= 1, {one["word"] for one in over} <= {"resolved"}) == (True, True)
    assert asked <= most_asked
    assert (await store.xlen(KEYS.notices), await dead_notices(Reader(store), KEYS, 10)) == (0, [])


async def test_what_was_taken_though_nobody_heard_so_has_the_same_key(
        store: Redis, settings: Settings, clock: ManualClock, tmp_path: Path) -> None:
    """Cut off after it was sent, again and again: who knows keys takes it once."""
    async with site(store, settings, clock, tmp_path, BEN) as at:
        at.sink.is_cut = True
        await at.say("fired", [await fires(store, NOW_MS)], 0)
        for _ in range(5):
            await goes(at.worker, clock, 10 * MINUTE_MS)
        at.sink.is_cut = False
        await goes(at.worker, clock, 10 * MINUTE_MS)
    assert (len(at.sink.asked), len({headers["webhook-id"] for _, headers, _ in at.sink.asked})) == (6, 1)


async def test_an_address_that_refuses_connections_for_an_hour_is_told_once(
        store: Redis, settings: Settings, clock: ManualClock, tmp_path: Path) -> None:
    """Nothing listens there; then it does."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        async with site(store, settings, clock, tmp_path, BEN) as at:
            await keep(store, replace(at.receiver, to=f"https://127.0.0.1:{closed.getsockname()[1]}/hook"))
            await at.hour()
            before = len(at.sink.asked)
            await keep(store, at.receiver)
            await at.later()
    told = [orjson.loads(body)["data"]["alerts"] for _, _, body in at.sink.asked]
    assert before == 0
    assert sum(alert["rule"] == "late" for one in told for alert in one) == len(ROWS)
    assert len(told) <= 2


@pytest.mark.parametrize("says, is_cut", [("451 later", False), ("421 closing", False), ("", True)])
async def test_a_mail_server_in_trouble_for_an_hour_sends_once(
        says: str, is_cut: bool, store: Redis, settings: Settings, clock: ManualClock, tmp_path: Path) -> None:
    """One mail about the three lanes when it takes mail again, at most one about what is over."""
    async with site(store, settings, clock, tmp_path, ANA) as at:
        at.box.says, at.box.is_cut = says, is_cut
        await at.hour()
        before, at.box.says, at.box.is_cut = len(at.box.mails), "", False
        await at.later()
        subjects = [read(mail)["Subject"] for mail in at.box.mails]
    assert before == 0
    assert len([one for one in subjects if "Orders are late (3 alerts)" in one]) == 1
    assert len(subjects) <= 2


async def test_one_in_trouble_keeps_nobody_else_waiting(
        store: Redis, settings: Settings, clock: ManualClock, tmp_path: Path) -> None:
    """Ben's address is cut off for the hour; Ana has every mail in its minute, each once."""
    async with site(store, settings, clock, tmp_path, BEN) as at:
        await keep(store, ANA)
        at.sink.is_cut = True
        for minute in range(5):
            alert = await fires(store, clock.now_ms(), f"lane {minute}", replace(LATE, severity="low"))
            for name in ("ana", "ben"):
                await say(store, alert, name, clock.now_ms())
            await goes(at.worker, clock, 10 * MINUTE_MS)
    assert len(at.box.mails) == 5
    assert [one for one in await outcomes(store) if one[0] == "ana" and one[2] != "accepted"] == []
