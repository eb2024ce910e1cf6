"""The log of 30 days, as it is read for the quality of alerts."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from opsmon.core.calendar import DAY_MS
from opsmon.store.alerts.quality_queries import Lately, lately
from opsmon.store.connection import Reader
from tests.conftest import NOW_MS
from tests.core.alerting.past import lived
from tests.web.alerts.past_month import KEYS, NOISY, log

pytestmark = pytest.mark.anyio

LINES = lived([(at * DAY_MS, at * DAY_MS + 60_000) for at in range(-40, 3)], NOISY)[0]


async def read(store: Redis, most_lines: int = 1_000) -> Lately:
    """As the page reads it."""
    return await lately(Reader(store), KEYS, NOW_MS, most_lines)


async def test_what_was_written_is_read_oldest_first(store: Redis) -> None:
    """Of 43 days those 30, and nothing of what is yet to come."""
    await log(store, LINES)
    found = await read(store)
    assert found == Lately(tuple(one for one in LINES if NOW_MS - 30 * DAY_MS <= one.at_ms < NOW_MS))


async def test_of_too_many_the_newest_are_read_and_that_is_said(store: Redis) -> None:
    """Since when they are."""
    await log(store, [one for one in LINES if one.at_ms < NOW_MS])
    found = await read(store, 10)
    assert (len(found.entries), found.since_ms) == (10, found.entries[0].at_ms)


async def test_a_log_without_a_line_is_a_quiet_month(store: Redis) -> None:
    """A new site has none."""
    assert await read(store) == Lately(())


async def test_what_people_did_and_said_is_among_it(store: Redis) -> None:
    """With the words they chose."""
    said = replace(LINES[-40], reason="judged", note="poor-details", code="fixed", at_ms=NOW_MS - 1)
    await log(store, [said])
    assert (await read(store)).entries == (said,)
