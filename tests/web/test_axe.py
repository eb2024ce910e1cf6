"""axe-core on every page of the route table, dark and light, on phone and desk: no violation (UX C4)."""

from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page
from redis.asyncio import Redis

from opsmon.settings import Settings
from tests.web.all_pages import GROUPS, NOT_PAGES, addresses, fill_boards, grouped, routes_of
from tests.web.browser import Site, open_site

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
         "resultTypes": ["violations"]}
# The gallery shows the same part in every state and twice over: there a landmark is not the only one of its name.
REPEATED = {"rules": {"landmark-unique": {"enabled": False}}}
# What is folded away is looked at too.
UNFOLDED = "() => { for (const one of document.querySelectorAll('details')) one.open = true; }"
PHONE, DESK = (390, 844), (1366, 768)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a currency, as a shop that has set one."""
    return replace(settings, currency="EUR")


async def violations(page: Page) -> list[str]:
    """What axe finds, a sentence each: the rule, the element, and what is wrong with it."""
    await page.evaluate(UNFOLDED)
    await page.evaluate(AXE_SCRIPT)  # over the debugger, which the policy of the page does not bind
    rules = RULES | (REPEATED if "/components" in page.url else {})
    found: dict[str, Any] = await page.evaluate("(rules) => axe.run(document, rules)", rules)
    return [f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for rule in found["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("group", GROUPS)
async def test_axe_finds_nothing_on_any_page(site: Site, group: str, theme: str, size: tuple[int, int]) -> None:
    """Every page can be used by everyone: with a screen reader, without colours, by keyboard."""
    found: dict[str, list[str]] = {}
    page = await site.context.new_page()
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    for path in grouped(await addresses(site))[group]:
        await fill_boards(site)
        await page.goto(f"http://127.0.0.1:{site.port}{path}{'&' if '?' in path else '?'}theme={theme}")
        if wrong := await violations(page):
            found[path] = wrong
    await page.close()
    assert found == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("path", ["/", "/wall"])
async def test_axe_finds_nothing_before_the_first_order(
        chromium: Browser, settings: Settings, store: Redis, path: str, theme: str) -> None:
    """The page that says how to connect a shop."""
    context = await chromium.new_context()
    async with open_site(settings, store, context) as site:
        page = await site.open(f"{path}?theme={theme}")
        assert await violations(page) == []
    await context.close()


async def test_axe_would_find_something(site: Site) -> None:
    """The proof can fail: a picture without words, grey on grey, a button without a name."""
    page = await site.open("/", live=True)
    await page.evaluate("() => { document.querySelector('main').insertAdjacentHTML('beforeend',"
                        " '<button></button><img src=\"data:,\"><input>'); }")
    assert {said.partition(":")[0] for said in await violations(page)} == {"button-name", "image-alt", "label"}


async def test_no_page_is_forgotten(site: Site) -> None:
    """Every address of the route table is looked at, or named among those that are no pages."""
    looked_at = set(await addresses(site)) - {"anything else"}
    assert routes_of(site) == looked_at | NOT_PAGES
