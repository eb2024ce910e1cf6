"""Signing in, one's profile and signing out, in a real Chromium at phone size; and what a revoked screen does."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext
from redis.asyncio import Redis

from opsmon.clock import SystemClock
from opsmon.core.access import LOCAL
from opsmon.store.accounts.people import People
from opsmon.store.accounts.sessions import Sessions
from opsmon.store.connection import Reader
from tests.web.accounts.accounts import HOUR_MS, KEYS
from tests.web.accounts.people import PASSWORD
from tests.web.browser import Site, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"
LIVE = "document.documentElement?.dataset.fresh === 'live'"


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A phone."""
    opened = await chromium.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    yield opened
    await opened.close()


async def invited(store: Redis) -> tuple[str, str]:
    """Ana, invited as an admin: her id, and the path of her link."""
    people = People(store, Reader(store), KEYS)
    _, made, secret = await people.add(LOCAL, "", "ana@shop.example", "Ana", "admin", SystemClock().now_ms())
    return made.id, f"/invite/{secret}"


async def test_from_an_invitation_to_signing_out_with_a_thumb(site: Site, store: Redis) -> None:
    """A password, a theme that holds, out; signed in again, and nothing is wider than the phone."""
    _, path = await invited(store)
    page = await site.open(path, 390, 844, live=False)
    await page.get_by_label("Choose a password").fill(PASSWORD)
    await page.get_by_role("button", name="Begin").tap()
    await until(page, LIVE, "the board")
    await page.locator(".me > summary").tap()
    await page.get_by_role("link", name="Profile").tap()
    await page.get_by_label("Theme").select_option("light")
    await page.get_by_role("button", name="Save").tap()
    await page.get_by_text("Saved.").wait_for()
    sideways = [await page.evaluate(SIDEWAYS)]
    assert await page.evaluate("document.documentElement.dataset.theme") == "light"
    await page.locator(".me > summary").tap()
    await page.get_by_role("button", name="Sign out", exact=True).tap()
    await page.get_by_label("E-mail address").fill("ana@shop.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").tap()
    await until(page, LIVE, "the board again")
    sideways.append(await page.evaluate(SIDEWAYS))
    assert (sideways, await page.evaluate("violations")) == ([0, 0], [])


async def test_a_board_whose_session_was_ended_asks_to_sign_in(site: Site, store: Redis) -> None:
    """By itself, within a heartbeat or two, and it comes back to where it was; it loads once."""
    person_id, path = await invited(store)
    page = await site.open(path, 390, 844, live=False)
    await page.get_by_label("Choose a password").fill(PASSWORD)
    await page.get_by_role("button", name="Begin").tap()
    await page.wait_for_url("**/")
    await page.goto(f"http://127.0.0.1:{site.port}/b/sales")
    await until(page, LIVE, "the board")
    await Sessions(store, KEYS, HOUR_MS, HOUR_MS).end_all(person_id)
    await page.wait_for_url("**/login?next=%2Fb%2Fsales", timeout=20_000)
    assert site.asked.count("/login?next=%2Fb%2Fsales") == 1
