"""Every page, full of texts that would like to be more, in a real Chromium: nothing runs, and nothing is refused."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from tests.line import Line
from tests.web.browser import open_chromium, until
from tests.web.naughty import NAUGHTY
from tests.web.naughty_site import addresses, letters, naughty_line

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

# The shortest that would be seen come first: a title has room for 40 characters.
TEXT = "".join(NAUGHTY[name] for name in ("out of double quotes", "out of single quotes", "an end first", "a style"))
# Where what is asked comes back on the page.
ASKED = {f"{path}?…" for path in ("/search", "/login", "/audit", "/screens/pair", "/dead-letters", "/kpi/own-kpi")}
WATCH = ("window.violations = []; document.addEventListener('securitypolicyviolation',"
         " (e) => violations.push(`${e.effectiveDirective} ${e.blockedURI}`));")


@pytest.fixture(scope="module")
async def chromium(anyio_backend: str) -> AsyncIterator[Browser]:
    """The browser, started once."""
    async with open_chromium() as browser:
        yield browser


async def signed(chromium: Browser, line: Line, cookie: str) -> BrowserContext:
    """A window of somebody who is signed in."""
    context = await chromium.new_context()
    name, _, value = cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{line.port}"}])
    await context.add_init_script(WATCH)
    return context


async def test_no_text_runs_on_any_page(chromium: Browser, settings: Settings, clock: ManualClock, store: Redis
                                        ) -> None:
    """0 dialogs, 0 violations of the policy, and nothing is fetched that a text names; also while it is live."""
    async with naughty_line(settings, clock, store, TEXT) as (line, cookie):
        context, said, asked = await signed(chromium, line, cookie), list[str](), set[str]()
        page = await context.new_page()
        page.on("dialog", lambda dialog: said.append(f"{page.url} {dialog.message}"))
        page.on("request", lambda request: asked.add(request.resource_type if request.url[-1:] == "x" else ""))
        paths = [path for name, path in addresses(TEXT) if "…" not in name or name in ASKED] + await letters(line)
        for path in paths:
            await page.goto(f"http://127.0.0.1:{line.port}{path}")
            await page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
            said += [f"{path} {one}" for one in await page.evaluate("() => window.violations")]
        await page.goto(f"http://127.0.0.1:{line.port}/b/own")
        await until(page, "document.documentElement.dataset.fresh === 'live'", "a live screen")
        said += await page.evaluate("() => window.violations")
        await context.close()
    assert (said, asked - {"", "document"}) == ([], set())


async def test_a_text_that_runs_would_be_seen(chromium: Browser, settings: Settings, clock: ManualClock, store: Redis
                                              ) -> None:
    """The proof can fail: the same text as markup violates the policy."""
    async with naughty_line(settings, clock, store, TEXT) as (line, cookie):
        context = await signed(chromium, line, cookie)
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{line.port}/b/own")
        await page.evaluate("text => document.body.insertAdjacentHTML('beforeend', '<p title=\"' + text)", TEXT)
        await until(page, "window.violations.length", "a violation")
        await context.close()
