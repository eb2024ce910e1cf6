"""opsmon check says when nobody would be told of alerts."""

import pytest
from redis.asyncio import Redis

from opsmon.commands.weaknesses import untold
from opsmon.settings import Settings
from tests.workers.alerting.outbox import ANA, keep

pytestmark = pytest.mark.anyio


async def test_check_says_when_nobody_is_told(store: Redis, settings: Settings) -> None:
    """Alerts that nobody hears are on screens only."""
    (sentence,) = await untold(settings)
    assert sentence.startswith("Nobody is told of alerts")


async def test_check_says_who_was_never_tested(store: Redis, settings: Settings) -> None:
    """And that mail has no server."""
    await keep(store, ANA)
    sentences = await untold(settings)
    assert [one.partition(":")[0] for one in sentences] == [
        "Ana was never sent a test", "Somebody is to be told by mail and no mail server is set"]
