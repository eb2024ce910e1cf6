"""`opsmon notify` killed at points of the send path, as a real process: nobody is left untold."""

import pytest

from tests.faults.notify_kills import run

pytestmark = [pytest.mark.anyio, pytest.mark.kill]


async def test_killed_eight_times_it_leaves_nobody_untold() -> None:
    """To each receiver at most one message more for each kill; none to who looks at keys."""
    found = await run(kills=8, seed=3)
    assert (found.kills, found.missed, found.twice_by_key) == (8, 0, 0)
    assert max(found.twice.values()) <= found.kills
