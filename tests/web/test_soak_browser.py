"""A wall under five updates a second, for as long as a test may take; `python -m tests.soak` is the same for longer."""

import pytest
from redis.asyncio import Redis

from opsmon.settings import Settings
from tests.soak import soak
from tests.web.browser import open_chromium, open_site

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_a_wall_that_is_updated_all_the_time_does_not_grow(settings: Settings, store: Redis) -> None:
    """Its heap stays level, its nodes below 3,000, and no update makes a timer."""
    async with open_chromium() as browser, open_site(settings, store, await browser.new_context()) as site:
        await site.order(1001)
        report = await soak(site, 20, 5)
        assert report.problems() == [], report.lines()
