"""`opsmon notify` as a real process, killed with SIGKILL at points of the way from the outbox to the sinks.

Points are each command to the store (before it is done, and before its answer is heard) and, at the sinks, when
somebody comes, when a message was taken, and when that was said. Two mail addresses and an https address are told.
"""

import email
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email.policy import default
from pathlib import Path
from random import Random
from time import time

import orjson
from redis.asyncio import Redis

from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.spawning import spawn
from opsmon.store.alerts.alert_store import read_stored
from opsmon.store.connection import worker_client
from tests.fakes.sinks import Mailbox, Sink, https_sink, mail_server
from tests.faults.tap import Points, tapped
from tests.waiting import wait_until_async
from tests.workers.alerting.outbox import ANA, BEN, KEYS, fires, keep, put, say
from tests.workers.fleet import Fleet, open_fleet

# Of what is low nothing waits for the one before.
RULE = Rule("late", "Orders are late", "orders-today", Limit(2), "low", for_ms=0, by_row=True)
TOLD = ("ana", "ben", "cem")
# About as many points as it takes to tell three of one alert.
MOST_POINTS = 40
PATIENCE_S = 60


@dataclass
class Outcome:
    """What came of a run: kills, at which points; notices nobody got, messages that came once more (in all, and the
    most to one receiver), and notices that came once more to who looks at the keys of messages."""

    kills: int
    points: Counter[str]
    missed: int
    twice: dict[str, int]
    twice_by_key: int
    messages: int

    @property
    def is_right(self) -> bool:
        """Whether it is as HARDENING F32 wants it."""
        return self.missed == self.twice_by_key == 0 and all(more <= self.kills for more in self.twice.values())


@dataclass
class Run:
    """A store, a tap on it, sinks, and the one process."""

    fleet: Fleet
    client: Redis
    url: str
    points: Points
    box: Mailbox
    sink: Sink
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    said: set[tuple[str, str, str]] = field(default_factory=set)

    def start(self) -> None:
        """Start the process; the turn of the one before it is over."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPSMON_")}
        environment |= {
            "OPSMON_SMTP_URL": f"smtp://127.0.0.1:{self.box.port}", "OPSMON_MAIL_FROM": "opsmon@shop.example",
            "OPSMON_NOTIFY_NETWORKS": "127.0.0.1/32", "SSL_CERT_FILE": str(self.folder / "cert.pem"),
            "OPSMON_TIMEZONE": "UTC", "PYTHONPATH": str(Path(__file__).parents[2])}
        with (self.folder / "notify.log").open("ab") as output:
            self.process = spawn([sys.executable, "-m", "opsmon", "notify", "--store", self.url, "--data",
                                  str(self.folder / "data")], env=environment, output=output)

    async def stage(self, number: int, word: str, kills_at: list[int]) -> None:
        """One alert begins or ends; the process dies at these points, the last one lives until all is told."""
        now_ms = int(time() * 1000)
        alert = await (fires(self.client, now_ms, f"lane {number}", RULE) if word == "fired" else
                       self._ends(f"f-late-lane {number}", now_ms))
        for name in TOLD:
            await say(self.client, alert, name, now_ms, word)
            self.said.add((name, word, str(number)))
        for at in kills_at:
            await self._killed(at)
        await wait_until_async(self._is_empty, f"an empty outbox; {self.log()}", PATIENCE_S)

    async def _ends(self, fingerprint: str, now_ms: int) -> Alert:
        raw = await self.client.hget(KEYS.alerts, fingerprint)
        over = replace(read_stored(raw or b"").alert, state="resolved", ended_ms=now_ms)
        await put(self.client, over)
        return over

    async def _killed(self, at: int) -> None:
        """Wait for its death at a point, and start the next one; or until there is nothing left to do."""
        process = self.process
        assert process is not None
        before = self.points.kills
        self.points.arm(at, process.kill)

        async def is_over() -> bool:
            return self.points.kills > before or await self.client.xlen(KEYS.notices) == 0

        await wait_until_async(is_over, f"a death at point {at}; {self.log()}", PATIENCE_S)
        self.points.at = 0
        if self.points.kills == before:
            return
        process.wait()
        # As if the seconds of its turn had run out.
        await self.client.delete(KEYS.turn("notifier"))
        self.start()

    async def _is_empty(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        return await self.client.xlen(KEYS.notices) == 0

    def log(self) -> str:
        """What the processes said."""
        return (self.folder / "notify.log").read_text()[-2_000:]

    def outcome(self) -> Outcome:
        """What was said, beside what came."""
        came = self._came()
        taken = {(to, key): what for to, key, what in reversed(came)}
        by_key = Counter((to, *one) for (to, _), what in taken.items() for one in what)
        every = {(to, *one) for to, _, what in came for one in what}
        twice = dict.fromkeys(TOLD, 0)
        for (to, _), count in Counter((to, what) for to, _, what in came).items():
            twice[to] += count - 1
        return Outcome(self.points.kills, Counter(self.points.met), len(self.said - every), twice,
                       by_key.total() - len(by_key), len(came))

    def _came(self) -> list[tuple[str, str, frozenset[tuple[str, str]]]]:
        """Each message: to whom, its key, and of which alerts it says what."""
        found = []
        for raw in self.box.mails:
            mail = email.message_from_bytes(raw, policy=default)
            word = "resolved" if mail["Subject"].startswith("Over") else "fired"
            text = str(mail.get_payload(decode=True), "utf-8")  # type: ignore[arg-type]
            lanes = re.findall(r"Orders are late: lane ([0-9]+)", text)
            found.append((mail["To"].partition("@")[0], mail["Message-ID"], frozenset((word, one) for one in lanes)))
        for _, headers, body in self.sink.asked:
            data = orjson.loads(body)["data"]
            lanes = [one["labels"]["row"].removeprefix("lane ") for one in data["alerts"]]
            found.append(("ben", headers["webhook-id"], frozenset((data["word"], one) for one in lanes)))
        return found


@asynccontextmanager
async def opened() -> AsyncIterator[Run]:
    """A store, a tap, sinks and a process of their own."""
    with open_fleet() as fleet:
        points = Points()
        socket = Path(fleet.store.url.removeprefix("unix://").partition("?")[0])
        async with (mail_server() as box, https_sink(fleet.folder) as (sink, _),
                    tapped(socket, fleet.folder / "tap.sock", points, _counts) as url):
            client = worker_client(fleet.store.url)
            box.hears = lambda: points.note("at the mail server")
            sink.hears = lambda: points.note("at the https address")
            await keep(client, ANA, replace(ANA, id="cem", to="cem@shop.example"), replace(BEN, to=sink.url), RULE)
            run = Run(fleet, client, url, points, box, sink, fleet.folder)
            try:
                yield run
            finally:
                if run.process is not None:
                    run.process.kill()
                    run.process.wait()
                await client.aclose()


def _counts(asked: bytes) -> bool:
    return any(name in asked for name in (b":notices", b":told:", b":bundles", b":deliveries"))


async def run(kills: int, seed: int) -> Outcome:
    """So many kills at points drawn by the seed, one to three for each alert that begins and each that ends."""
    random, number = Random(seed), 0
    async with opened() as running:
        running.start()
        while running.points.kills < kills:
            number += 1
            for word in ("fired", "resolved"):
                at = [random.randint(1, MOST_POINTS) for _ in range(random.randint(1, 3))]
                await running.stage(number, word, at[:kills - running.points.kills])
        return running.outcome()
