"""Test events at the press of a button: sent to a source's own address, and followed until they are counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from opsmon.clock import Clock
from opsmon.core.source_health import Trial
from opsmon.sources.base import Answered, Many, Rejected, Source, take
from opsmon.sources.probing import Probe
from opsmon.store import health_queries
from opsmon.store.connection import STORE_ERRORS, Read, Reader
from opsmon.store.keys import Keys
from opsmon.web.reaching import TIMEOUT_S, Reached, Unreached, reach

# What is sent has to be found in the store, and then counted, within this: longer nobody looks at a page.
COUNTED_WITHIN_S = 3.0
_LOOK_EVERY_S = 0.02
_GATEWAY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Door:
    """Where a source is heard: its address, what makes a test delivery for it, and what reads one."""

    name: str
    url: str
    make: Callable[[int], Probe | None]
    source: Source | None = None


class Trials:
    """Sends test events, one at a time per source. `tell` keeps the outcome where every screen can see it."""

    def __init__(self, doors: Mapping[str, Door], reader: Reader, keys: Keys, clock: Clock,
                 tell: Callable[[str, Trial], Awaitable[None]]) -> None:
        self._doors, self._reader, self._keys, self._clock, self._tell = doors, reader, keys, clock, tell
        self._under_way: set[str] = set()

    def knows(self, name: str) -> bool:
        """Whether there is such a source."""
        return name in self._doors

    async def run(self, name: str) -> None:
        """Send one and tell what became of it; nothing while another of this source is under way."""
        if name in self._under_way:
            return
        self._under_way.add(name)
        try:
            trial = await self._try(self._doors[name])
        finally:
            self._under_way.discard(name)
        await self._tell(name, trial)

    async def _try(self, door: Door) -> Trial:
        now_ms = self._clock.now_ms()
        probe = door.make(now_ms)
        if probe is None:
            return Trial(now_ms, False, "There is no test event for it: give it a secret or token first.")
        url = f"{door.url}/{probe.token}" if probe.token else door.url
        found = await asyncio.to_thread(reach, url, probe.headers, probe.body)
        if isinstance(found, Unreached):
            return Trial(now_ms, False, f"Could not be reached: {found.why}")
        if not 200 <= found.status < 300:
            return Trial(now_ms, False, refusal(found))
        try:
            async with asyncio.timeout(COUNTED_WITHIN_S + TIMEOUT_S):
                return Trial(now_ms, *await self._followed(found, _seen(door, probe, now_ms)))
        except STORE_ERRORS:
            return Trial(now_ms, True, f"Answered {found.status} in {found.took_ms} ms, but the store cannot be asked "
                                       "whether it is there.")

    async def _followed(self, found: Reached, seen: str) -> tuple[bool, str]:
        if seen and (await self._reader.many([Read("get", (self._keys.seen(seen),))]))[0] != b"1":
            return False, (f"Something answered {found.status}, but nothing arrived here: the address leads to another "
                           "machine, or to another opsmon.")
        loop = asyncio.get_running_loop()
        began = loop.time()
        newest = await self._reader.newest(self._keys.events)
        entered_ms = int(newest[0][0].partition(b"-")[0]) if newest else 0
        while await self._waits(entered_ms):
            if loop.time() - began > COUNTED_WITHIN_S:
                return True, f"Arrived in {found.took_ms} ms, but it is not counted yet: is a worker running?"
            await asyncio.sleep(_LOOK_EVERY_S)
        took_ms = found.took_ms + round((loop.time() - began) * 1000)
        return True, f"Arrived and counted in {took_ms} ms."

    async def _waits(self, entered_ms: int) -> bool:
        """Whether anything that came into the stream by then is not counted yet."""
        oldest_ms = (await health_queries.backlog(self._reader, self._keys)).oldest_ms
        return oldest_ms is not None and oldest_ms <= entered_ms


def refusal(found: Reached) -> str:
    """What an answer other than 2xx means."""
    said = f" {found.text}" if found.text else ""
    if 300 <= found.status < 400:
        return (f"Answered with a redirect ({found.status}) to {found.location or 'nowhere'}: senders follow none. "
                "Give them the address it leads to.")
    if found.status in _GATEWAY and not said:
        return f"The proxy answers {found.status}: it does not reach opsmon."
    if found.status == 404 and not said:
        return "Answered 404: nothing takes deliveries there. Does the proxy let this path through?"
    return f"Refused with {found.status}.{said}"


def _seen(door: Door, probe: Probe, now_ms: int) -> str:
    """The identity by which a delivery is marked as taken; '' where that cannot be told beforehand."""
    if probe.seen or door.source is None:
        return probe.seen
    headers = {name.lower().encode(): value.encode() for name, value in probe.headers.items()}
    outcome = take(door.source, headers, probe.body, now_ms, probe.token.encode())
    if isinstance(outcome, Many):
        return outcome.outcomes[0].seen if outcome.outcomes else ""
    return "" if isinstance(outcome, Rejected | Answered) else outcome.seen
