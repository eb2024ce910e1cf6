"""A worker's desk on the real store: append events, work them, look at what was counted."""

from typing import Any
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.catalogue import Catalogue
from opsmon.core.events import Event
from opsmon.core.folding import Rules
from opsmon.core.kpis import BUILT_IN
from opsmon.store.event_stream import GROUP, EventStream, checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.rollups import Rollups
from opsmon.store.scripts import Scripts
from opsmon.workers.aggregator import Aggregator
from tests.memory import ABOUT_ORDERS

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))


class Desk:
    """The store of one site and its workers, all in this process."""

    def __init__(self, store: Redis, keys: Keys, clock: ManualClock, catalogue: Catalogue = BUILT_IN) -> None:
        self.store, self.keys, self.clock, self.catalogue = store, keys, clock, catalogue
        self.scripts = Scripts(store, keys)

    async def append(self, *events: Event) -> list[str]:
        """Append events as ingest does; their entry ids."""
        return [await self.append_bytes(encode(event)) for event in events]

    async def append_bytes(self, payload: bytes, check: str | None = None) -> str:
        """Append any bytes, with their checksum or another."""
        fields: Any = {"e": payload, "c": checksum(payload) if check is None else check}
        return (await self.store.xadd(self.keys.events, fields)).decode()

    async def worker(self, name: str = "worker-1", calendar: SiteCalendar = BERLIN, generation: int = 0
                     ) -> Aggregator:
        """A worker of this name, just started."""
        stream = EventStream(self.store, self.keys, name)
        await stream.ensure_group()
        rules = Rules(self.catalogue, calendar)
        rollups = Rollups(self.store, self.keys, self.scripts, generation, rules)
        return Aggregator(stream, rollups, rules, self.clock)

    async def leave_in_hand(self, name: str, idle_ms: int = 0) -> list[str]:
        """Read everything new as a worker that then ends; the entries' ids."""
        reply: Any = await self.store.xreadgroup(GROUP, name, {self.keys.events: ">"})
        ids = [entry_id for entry_id, _ in reply[0][1]]
        await self.store.xclaim(self.keys.events, GROUP, name, 0, ids, idle=idle_ms, justid=True)
        return [entry_id.decode() for entry_id in ids]

    async def age(self, idle_ms: int) -> None:
        """Make everything pending look as old as that."""
        for entry in await self.store.xpending_range(self.keys.events, GROUP, "-", "+", 10_000):
            await self.store.xclaim(self.keys.events, GROUP, entry["consumer"], 0, [entry["message_id"]],
                                    idle=idle_ms, justid=True)

    async def pending(self) -> list[str]:
        """Ids of what is in hands."""
        found = await self.store.xpending_range(self.keys.events, GROUP, "-", "+", 10_000)
        return [entry["message_id"].decode() for entry in found]

    async def dead(self) -> list[tuple[str, str, str]]:
        """Every dead letter: payload, reason, tries."""
        return [(fields[b"payload"].decode(), fields[b"reason"].decode(), fields[b"tries"].decode())
                for _, fields in await self.store.xrange(self.keys.dead)]

    async def changes(self) -> list[int]:
        """The newest arrival of every change entry that numbers moved by."""
        return [int(fields[b"arrived"]) for _, fields in await self.store.xrange(self.keys.changes)
                if fields[b"arrived"]]

    async def arrivals(self) -> int:
        """How many deliveries were counted, over all days. They have no memory: twice counted is two."""
        panes = await self.panes(("deliveries",))
        return sum(amount for name, amount in panes.items() if ":d:" in name)

    async def panes(self, rollups: tuple[str, ...] = ABOUT_ORDERS, generation: int = 0) -> dict[str, int]:
        """Every pane of these rollups that is not zero: `rollup:level:span.field.aggregate`."""
        found: dict[str, int] = {}
        start = f"{self.keys.tag}:pane:{generation}:"
        for key in [name.decode() async for name in self.store.scan_iter(match=start + "*", count=1000)]:
            if key.removeprefix(start).partition(":")[0] in rollups and await self.store.type(key) == b"hash":
                for name, amount in (await self.store.hgetall(key)).items():
                    if int(amount):
                        found[f"{key.removeprefix(start)}.{name.decode()}"] = int(amount)
        return found


def in_names(panes: Any) -> dict[str, int]:
    """Panes folded in memory, by the names that `Desk.panes` gives them."""
    return {f"{where.rollup}:{where.level}:{where.span}.{name}": amount
            for (where, name), amount in panes.items()}


async def work(aggregator: Aggregator) -> None:
    """Count everything that waits."""
    while await aggregator.run_once():
        pass
