"""The polling process: when it asks, who of several does, and how it ends."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.pollers.base import PollResult
from opsmon.pollers.polling import Polling
from opsmon.store.connection import Reader, worker_client
from opsmon.store.cursors import read_poll
from opsmon.store.keys import Keys
from tests.conftest import NOW_MS
from tests.waiting import wait_until_async
from tests.workers.fleet import open_fleet

pytestmark = pytest.mark.anyio
EVERY_MS = 300_000


@dataclass
class Asked:
    """A poller that remembers when it was asked."""

    name: str = "shop"
    every_ms: int = EVERY_MS
    result: PollResult = field(default_factory=lambda: PollResult(3, 1))
    at: list[int] = field(default_factory=list)
    takes_s: float = 0.0

    async def poll(self, now_ms: int) -> PollResult:
        self.at.append(now_ms)
        await asyncio.sleep(self.takes_s)
        if self.result.error == "a bug":
            raise ZeroDivisionError
        return self.result


def polling(store: Redis, keys: Keys, clock: ManualClock, *pollers: Asked, who: str = "one", turn_ms: int = 30_000
            ) -> Polling:
    """A process that polls."""
    return Polling(pollers, store, keys, clock, who, turn_ms=turn_ms)


async def test_it_asks_at_once_and_then_at_its_pace(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Five minutes, a little more or less, so that machines do not ask together."""
    shop = Asked()
    process = polling(store, keys, clock, shop)
    for _ in range(13):
        await process.step(shop)
        clock.advance(60_000)
    assert [round((at - NOW_MS) / EVERY_MS) for at in shop.at] == [0, 1, 2]


async def test_a_round_is_noted_for_the_sources_page(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """What it found, what was new, and when it asks again."""
    shop = Asked()
    await polling(store, keys, clock, shop).step(shop)
    note = await read_poll(Reader(store), keys, "shop")
    assert note is not None
    assert (note.polled_ms, note.found, note.new, note.error) == (NOW_MS, 3, 1, "")
    assert abs(note.next_ms - NOW_MS - EVERY_MS) <= EVERY_MS // 10


async def test_who_never_polled_has_no_note(store: Redis, keys: Keys) -> None:
    """None, not a zero."""
    assert await read_poll(Reader(store), keys, "shop") is None


async def test_a_new_process_does_not_ask_before_it_is_time(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Restarts must not double the load."""
    shop = Asked()
    await polling(store, keys, clock, shop).step(shop)
    await store.delete(keys.turn("shop"))
    clock.advance(60_000)
    await polling(store, keys, clock, shop, who="two").step(shop)
    assert len(shop.at) == 1


async def test_a_note_from_a_clock_that_was_ahead_is_not_waited_for(store: Redis, keys: Keys, clock: ManualClock
                                                                    ) -> None:
    """Else a wrong clock would stop the asking for a year."""
    shop = Asked()
    clock.advance(365 * 86_400_000)
    await polling(store, keys, clock, shop).step(shop)
    clock.set(NOW_MS)
    await polling(store, keys, clock, shop).step(shop)
    assert len(shop.at) == 2


async def test_of_two_machines_one_asks(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """The other stands by, and takes over when the first has died."""
    one, two = Asked(), Asked()
    await polling(store, keys, clock, one, who="one").step(one)
    stands_by = polling(store, keys, clock, two, who="two")
    clock.advance(2 * EVERY_MS)
    await stands_by.step(two)
    assert (len(one.at), len(two.at)) == (1, 0)
    await store.delete(keys.turn("shop"))  # what its expiry does
    await stands_by.step(two)
    assert len(two.at) == 1


async def test_the_turn_expires(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """Whoever is killed does not keep it."""
    shop = Asked()
    await polling(store, keys, clock, shop).step(shop)
    assert 0 < await store.pttl(keys.turn("shop")) <= 30_000


async def test_the_turn_is_kept_while_a_round_takes_long(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """A bulk operation takes minutes: nobody else begins one meanwhile."""
    slow, other = Asked(takes_s=0.6), Asked()
    asking = asyncio.create_task(polling(store, keys, clock, slow, who="one", turn_ms=150).step(slow))
    await asyncio.sleep(0.45)
    await polling(store, keys, clock, other, who="two", turn_ms=150).step(other)
    await asking
    assert (len(slow.at), len(other.at)) == (1, 0)


async def test_after_errors_it_asks_sooner_and_then_ever_later(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """10 s, 20 s, 40 s … up to its pace."""
    shop = Asked(result=PollResult(0, 0, "no answer"))
    process, pauses = polling(store, keys, clock, shop), []
    for _ in range(7):
        await process.step(shop)
        note = await read_poll(Reader(store), keys, "shop")
        assert note is not None
        pauses.append((note.next_ms - clock.now_ms()) / 1000)
        clock.set(note.next_ms)
    expected = [10, 20, 40, 80, 160, 300, 300]
    assert all(abs(pause - due) <= due / 10 for pause, due in zip(pauses, expected, strict=True))


async def test_a_fault_of_a_poller_is_told_and_stops_no_other(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """As a fault of ours."""
    shop = Asked(result=PollResult(0, 0, "a bug"))
    await polling(store, keys, clock, shop).step(shop)
    note = await read_poll(Reader(store), keys, "shop")
    assert note is not None
    assert note.error.startswith("this is a fault in opsmon: ZeroDivisionError")


async def test_told_to_stop_it_ends_at_once_and_gives_the_turn_away(store: Redis, keys: Keys, clock: ManualClock
                                                                    ) -> None:
    """In the middle of a round too: what was not taken is found again."""
    slow, idle = Asked(takes_s=60), Asked(name="idle")
    stop, began_s = asyncio.Event(), time.monotonic()
    running = asyncio.create_task(polling(store, keys, clock, slow, idle).run(stop))
    await wait_until_async(lambda: slow.at and idle.at, "both were asked")
    stop.set()
    await running
    assert time.monotonic() - began_s < 3
    await wait_until_async(_is_free(store, keys), "the turn is free")


async def test_with_nobody_to_ask_it_waits(store: Redis, keys: Keys, clock: ManualClock) -> None:
    """A process manager ends all processes when one of them ends."""
    stop = asyncio.Event()
    running = asyncio.create_task(polling(store, keys, clock).run(stop))
    assert (await asyncio.wait({running}, timeout=0.1))[0] == set()
    stop.set()
    await running


def _is_free(store: Redis, keys: Keys):  # type: ignore[no-untyped-def]
    async def ask() -> bool:
        return not await store.exists(keys.turn("shop"))

    return ask


async def test_it_outlives_a_restart_of_the_store(keys: Keys, clock: ManualClock) -> None:
    """It waits, says so once, and goes on."""
    with open_fleet() as fleet:
        client = worker_client(fleet.store.url)
        shop, stop = Asked(every_ms=1), asyncio.Event()
        running = asyncio.create_task(polling(client, keys, clock, shop).run(stop))
        await wait_until_async(lambda: shop.at, "the first round")
        fleet.store.stop()
        fleet.store.start()
        before = len(shop.at)
        clock.advance(60_000)
        await wait_until_async(lambda: len(shop.at) > before, "a round after the restart")
        stop.set()
        await running
        await client.aclose()
