"""The content security policy on every page of the route table: enforced, and nothing of ours stumbles over it."""

import re

import pytest

from opsmon.web.security import CSP
from tests.http import request
from tests.web.all_pages import GROUPS, addresses, fill_boards, grouped
from tests.web.browser import Site, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

# What a page that is not there, not asked that way, or not yet to be had, is told about by the browser itself.
_STATUS = re.compile(r"the server responded with a status of (404|405|409|410)")


@pytest.mark.parametrize("group", GROUPS)
async def test_no_page_violates_the_policy(site: Site, group: str) -> None:
    """Loaded, live, moved by an order, all folds open: not one violation, and nothing on the console."""
    found: dict[str, list[str]] = {}
    for number, path in enumerate(grouped(await addresses(site))[group]):
        await fill_boards(site)
        page = await site.open(path, live=False)
        if await page.locator("#live").count():
            await until(page, "document.documentElement.dataset.fresh === 'live'", "a live screen")
        await site.order(2000 + number)
        await page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
        said = [text for text in site.problems if not _STATUS.search(text)]
        if wrong := [*await page.evaluate("() => window.violations"), *said]:
            found[path] = wrong
        site.problems.clear()
        await page.close()
        site.pages.remove(page)
    assert found == {}


@pytest.mark.parametrize("group", GROUPS)
async def test_every_page_carries_the_policy(site: Site, group: str) -> None:
    """Also an error: a page without it would run anything."""
    policies = {path: (await request(site.port, "GET", path, b"", {})).headers.get("content-security-policy")
                for path in grouped(await addresses(site))[group]}
    assert policies == dict.fromkeys(policies, CSP)


async def test_a_violation_would_be_seen(site: Site) -> None:
    """The proof can fail: a style in an element is noted."""
    page = await site.open("/")
    await page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">')")
    await until(page, "window.violations.length", "the violation")
    assert set(await page.evaluate("() => window.violations")) == {"style-src-attr inline"}
