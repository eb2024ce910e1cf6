"""Whoever looks at the rules dies while an alert fires: it fires once, and is told once."""

import pytest

from tests.faults.leader import WHERE, run

pytestmark = [pytest.mark.anyio, pytest.mark.kill]


@pytest.mark.parametrize("at", WHERE)
async def test_an_alert_that_fires_while_its_leader_is_killed_fires_once(at: int) -> None:
    """SIGKILL to a real worker; another has the turn within seconds and goes on from what is kept."""
    found = await run(at)
    assert found.is_right, found
