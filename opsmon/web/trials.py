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
from opsmon.web.wording import Wording

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
                 tell: Callable[[str, Trial], Awaitable[None]], wording: Wording) -> None:
        self._doors, self._reader, self._keys, self._clock, self._tell = doors, reader, keys, clock, tell
        self._wording = wording
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
        now_ms, say = self._clock.now_ms(), self._wording.say
        probe = door.make(now_ms)
        if probe is None:
            return Trial(now_ms, False, say("There is no test event for it: give it a secret or token first."))
        url = f"{door.url}/{probe.token}" if probe.token else door.url
        found = await asyncio.to_thread(reach, url, probe.headers, probe.body, self._wording)
        if isinstance(found, Unreached):
            return Trial(now_ms, False, say("Could not be reached: %(why)s", why=found.why))
        if not 200 <= found.status < 300:
            return Trial(now_ms, False, refusal(found, self._wording))
        try:
            async with asyncio.timeout(COUNTED_WITHIN_S + TIMEOUT_S):
                return Trial(now_ms, *await self._followed(found, _seen(door, probe, now_ms)))
        except STORE_ERRORS:
            return Trial(now_ms, True, say(
                "Answered %(status)s in %(length)s, but the store cannot be asked whether it is there.",
                status=found.status, length=self._wording.milliseconds(found.took_ms)))

    async def _followed(self, found: Reached, seen: str) -> tuple[bool, str]:
        say = self._wording.say
        if seen and (await self._reader.many([Read("get", (self._keys.seen(seen),))]))[0] != b"1":
            return False, say(
                "Something answered %(status)s, but nothing arrived here: the address leads to another machine, or to "
                "another opsmon.", status=found.status)
        loop = asyncio.get_running_loop()
        began = loop.time()
        newest = await self._reader.newest(self._keys.events)
        entered_ms = int(newest[0][0].partition(b"-")[0]) if newest else 0
        while await self._waits(entered_ms):
            if loop.time() - began > COUNTED_WITHIN_S:
                return True, say("Arrived in %(length)s, but it is not counted yet: is a worker running?",
                                 length=self._wording.milliseconds(found.took_ms))
            await asyncio.sleep(_LOOK_EVERY_S)
        took = self._wording.milliseconds(found.took_ms + round((loop.time() - began) * 1000))
        return True, say("Arrived and counted in %(length)s.", length=took)

    async def _waits(self, entered_ms: int) -> bool:
        """Whether anything that came into the stream by then is not counted yet."""
        oldest_ms = (await health_queries.backlog(self._reader, self._keys)).oldest_ms
        return oldest_ms is not None and oldest_ms <= entered_ms


def refusal(found: Reached, wording: Wording) -> str:
    """What an answer other than 2xx means."""
    said, say = f" {found.text}" if found.text else "", wording.say
    if 300 <= found.status < 400:
        return say("Answered with a redirect (%(status)s) to %(address)s: senders follow none. Give them the address "
                   "it leads to.", status=found.status, address=found.location or say("nowhere"))
    if found.status in _GATEWAY and not said:
        return say("The proxy answers %(status)s: it does not reach opsmon.", status=found.status)
    if found.status == 404 and not said:
        return say("Answered 404: nothing takes deliveries there. Does the proxy let this path through?")
    return say("Refused with %(status)s.", status=found.status) + said


def _seen(door: Door, probe: Probe, now_ms: int) -> str:
    """The identity by which a delivery is marked as taken; '' where that cannot be told beforehand."""
    if probe.seen or door.source is None:
        return probe.seen
    headers = {name.lower().encode(): value.encode() for name, value in probe.headers.items()}
    outcome = take(door.source, headers, probe.body, now_ms, probe.token.encode())
    if isinstance(outcome, Many):
        return outcome.outcomes[0].seen if outcome.outcomes else ""
    return "" if isinstance(outcome, Rejected | Answered) else outcome.seen
