"""Whoever tells people may die at any step: nobody is left untold, and who looks at keys hears nothing twice."""

import pytest
from redis.asyncio import Redis

from opsmon.settings import Settings
from tests.conftest import NOW_MS
from tests.faults.telling import run

pytestmark = pytest.mark.anyio
LOTS = 6


@pytest.mark.parametrize("lot", range(LOTS))
async def test_killed_at_any_of_120_steps_nobody_is_missed(lot: int, store: Redis, settings: Settings) -> None:
    """Before and after each command and each delivery: at most one message more for each kill, none by its key."""
    found = [await run(store, settings, NOW_MS, [at]) for at in range(1 + lot, 121, LOTS)]
    assert all(one.kills == 1 for one in found)
    assert [(one.missed, one.twice_by_key, one.late) for one in found] == [(0, 0, 0)] * len(found)
    assert max(one.twice for one in found) == 1


async def test_killed_again_and_again_nobody_is_missed(store: Redis, settings: Settings) -> None:
    """Who takes over dies too, five times."""
    for at in (7, 19, 33, 40, 55):
        found = await run(store, settings, NOW_MS, [at] * 5)
        assert (found.missed, found.twice_by_key, found.late, found.twice <= found.kills) == (0, 0, 0, True)
