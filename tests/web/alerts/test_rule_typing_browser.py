"""A rule while it is typed, in a real Chromium: what it would have said is there without a press, and in sight."""

import pytest

from tests.web.browser import Site, until
from tests.web.test_axe import DESK, PHONE, violations

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SHOWN = """(() => { const told = document.querySelector('#past .told')?.getBoundingClientRect();
    return told && told.top >= 0 && told.bottom <= innerHeight + 1 && told.height > 0; })()"""


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_the_past_of_a_rule_is_in_sight_while_it_is_typed(site: Site, size: tuple[int, int]) -> None:
    """Before it has a name, and the cursor stays where it was; axe finds nothing."""
    page = await site.open("/rules/new?about=orders-today", *size, live=False)
    await page.locator("[name=limit]").press_sequentially("20")
    await until(page, SHOWN, "what it would have said")
    assert await page.evaluate("[document.activeElement.name, document.activeElement.value]") == ["limit", "20"]
    assert (await violations(page), site.problems) == ([], [])


async def test_a_rule_that_is_not_whole_yet_leaves_what_was_said_marked_as_old(site: Site) -> None:
    """Until it is whole again."""
    page = await site.open("/rules/new?about=orders-today", *DESK, live=False)
    await page.locator("[name=limit]").press_sequentially("20")
    await until(page, SHOWN, "what it would have said")
    await page.fill("[name=limit]", "")
    await until(page, "document.getElementById('past').dataset.old === 'yes'", "the mark")
    kept = await page.inner_text("#past .told__text")
    await page.fill("[name=limit]", "30")
    await until(page, "document.getElementById('past').dataset.old === 'no'", "that it is new")
    assert kept == "There is no number of the last 14 days yet to try it on."
