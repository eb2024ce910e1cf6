"""What the browser tests share: Chromium, a context of it, and a running opsmon to look at with it. A file that needs
another context, other settings or other orders overrides just that."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext
from redis.asyncio import Redis

from opsmon.settings import Settings
from tests.web.browser import Site, open_chromium, open_site


@pytest.fixture(scope="module")
async def chromium(anyio_backend: str) -> AsyncIterator[Browser]:
    """The browser, started once for a file."""
    async with open_chromium() as browser:
        yield browser


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser in which nothing is kept yet."""
    opened = await chromium.new_context()
    yield opened
    await opened.close()


@pytest.fixture
async def bare_site(context: BrowserContext, settings: Settings, store: Redis) -> AsyncIterator[Site]:
    """opsmon before its first order."""
    async with open_site(settings, store, context) as opened:
        yield opened


@pytest.fixture
async def site(bare_site: Site) -> Site:
    """opsmon with an order, so that boards are boards."""
    await bare_site.order(1001, "49.90")
    return bare_site


@pytest.fixture
def heartbeat_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent connection is noticed after 2.4 s, and who is no longer let in after one."""
    for module in ("feed", "pages", "live"):
        monkeypatch.setattr(f"opsmon.web.{module}.HEARTBEAT_S", 1)
