"""Who was here is noted beside the requests: once a minute, a few at a time, open boards too."""

import asyncio
from collections.abc import Iterable

import pytest

from opsmon.clock import ManualClock
from opsmon.core.access import LOCAL, Who, person
from opsmon.web.accounts.touching import EVERY_MS, MOST_AT_ONCE, Touching
from tests.conftest import NOW_MS

pytestmark = pytest.mark.anyio


def who(number: int) -> Who:
    return person(f"p{number}", "Ana", "viewer", f"session-{number}")


async def test_each_is_noted_once_a_minute(clock: ManualClock) -> None:
    """However many pages they open; who holds no session is not noted."""
    noted: list[tuple[str, int]] = []

    async def note(one: Who, now_ms: int) -> None:
        noted.append((one.session, now_ms))

    touch = Touching(note, clock)
    for one in (who(1), who(1), LOCAL, who(2)):
        touch(one)
    clock.set(NOW_MS + EVERY_MS)
    touch(who(1))
    await touch.finish()
    assert noted == [("session-1", NOW_MS), ("session-2", NOW_MS), ("session-1", NOW_MS + EVERY_MS)]


async def test_a_slow_store_lets_nothing_pile_up(clock: ManualClock) -> None:
    """What is left out is noted another time; an error is nobody's."""
    store, began = asyncio.Event(), list[str]()

    async def note(one: Who, now_ms: int) -> None:
        began.append(one.session)
        await store.wait()
        raise ConnectionError

    touch = Touching(note, clock)
    for number in range(100):
        touch(who(number))
    await asyncio.sleep(0)
    store.set()
    await touch.finish()
    assert len(began) == MOST_AT_ONCE


async def test_an_open_board_is_in_use_until_its_session_ends(clock: ManualClock) -> None:
    """Asked with each heartbeat anyway."""
    noted: list[str] = []

    async def note(one: Who, now_ms: int) -> None:
        noted.append(one.session)

    async def gone(known: Iterable[Who]) -> set[str]:
        return {"session-2"} & {one.session for one in known}

    touch = Touching(note, clock)
    ended = await touch.watching(gone)(one for one in (who(1), who(2)))
    await touch.finish()
    assert (ended, noted) == ({"session-2"}, ["session-1"])
