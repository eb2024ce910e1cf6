"""Boards made with a real Chromium: by mouse, by touch, by keyboard, and seen on a second screen."""


import pytest
from playwright.async_api import Browser, Page

from tests.web.browser import Site, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
TILES = "[...document.querySelectorAll('article.tile')].map((e) => e.id.replace('kpi-', '')).join(' ')"
SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"


async def new_board(site: Site, *tiles: str) -> Page:
    """A board made by hand, with these tiles of the gallery; its editor."""
    page = await site.open("/boards", live=False)
    await page.get_by_label("Name of a new board").fill("Mine")
    await page.get_by_role("button", name="Make it").click()
    for tile in tiles:
        await page.get_by_role("link", name="Add a tile").first.click()
        await page.get_by_role("button", name=f"Add {tile}", exact=True).click()
        await page.wait_for_url("**/edit?at=**")
    return page


async def shows(screen: Page, tiles: str) -> None:
    """Wait until a screen shows just these tiles, live."""
    await until(screen, f"{TILES} === '{tiles}' && document.documentElement.dataset.fresh === 'live'",
                f"{tiles} on the screen")


async def test_by_mouse_a_board_is_made_and_changes_on_a_second_screen(site: Site) -> None:
    """Added, moved and removed by clicks; a wall that shows the board follows without a hand."""
    page = await new_board(site, "Orders today", "Revenue today")
    wall = await site.open("/wall/mine")
    await shows(wall, "orders-today revenue-today")
    await page.get_by_role("button", name="Remove Orders today").click()
    await shows(wall, "revenue-today")
    await page.get_by_role("button", name="Undo").click()
    await shows(wall, "orders-today revenue-today")
    assert site.problems == []


async def test_by_keyboard_a_tile_moves_and_the_focus_goes_with_it(site: Site) -> None:
    """Enter on Down, and again: the button that was pressed has the focus after each."""
    page = await new_board(site, "Orders today", "Revenue today", "Orders per minute")
    screen = await site.open("/b/mine")
    await page.get_by_role("button", name="Down Orders today").focus()
    await page.keyboard.press("Enter")
    await shows(screen, "revenue-today orders-today orders-per-minute")
    focused = "document.activeElement.textContent.trim()"
    await until(page, f"{focused} === 'Down Orders today'", "the focus on the button")
    await page.keyboard.press("Enter")
    await shows(screen, "revenue-today orders-per-minute orders-today")
    await until(page, "document.querySelector('#tile-orders-today [value=down]').disabled", "the end of the row")
    await page.locator("#tile-orders-today summary").last.focus()
    await page.keyboard.press("Enter")
    await page.locator("#tile-orders-today-title").focus()
    await page.keyboard.type("So far")
    await page.keyboard.press("Enter")
    await until(screen, "document.body.textContent.includes('So far')", "the title on the screen")
    assert site.problems == []


async def test_by_touch_a_tile_is_added_on_a_phone(chromium: Browser, site: Site) -> None:
    """With a thumb at 390 by 844: nothing to scroll sideways, every button large enough."""
    await new_board(site, "Orders today")
    screen = await site.open("/b/mine")
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = await context.new_page()
    await phone.goto(f"http://127.0.0.1:{site.port}/b/mine/edit")
    wide = [await phone.evaluate(SIDEWAYS)]
    small = await phone.evaluate("() => [...document.querySelectorAll('button, a.button, summary, select')]"
                                 ".filter((e) => e.offsetHeight && e.offsetHeight < 44).map((e) => e.textContent)")
    await phone.get_by_role("link", name="Add a tile").first.tap()
    await phone.wait_for_url("**/add")
    wide.append(await phone.evaluate(SIDEWAYS))
    await phone.get_by_role("button", name="Add Queue depths", exact=True).tap()
    await shows(screen, "orders-today queues")
    await context.close()
    assert (wide, small) == ([0, 0], [])


async def test_two_people_at_once_see_both_changes(site: Site) -> None:
    """The second is shown what the first did, and has theirs done on top of it."""
    first = await new_board(site, "Orders today", "Revenue today")
    second = await site.open("/b/mine/edit", live=False)
    screen = await site.open("/b/mine")
    await first.get_by_role("button", name="Remove Orders today").click()
    await shows(screen, "revenue-today")
    await second.locator("#board-title").fill("Ours")
    await second.get_by_role("button", name="Rename").click()
    said = [await second.locator(f"section[aria-labelledby={name}] li").all_inner_texts()
            for name in ("theirs", "mine")]
    assert said == [["Removed: Orders today"], ["Title: Ours"]]
    await second.get_by_role("button", name="Do mine as well").click()
    await until(screen, "document.title === 'Ours'", "both changes on the screen")
    await shows(screen, "revenue-today")


@pytest.mark.parametrize("path", ["/boards", "/b/sales/edit", "/b/sales/add"])
async def test_the_pages_work_without_scripts(chromium: Browser, site: Site, path: str) -> None:
    """And break no rule of the policy, which allows nothing inline; at 320 px nothing is cut off."""
    context = await chromium.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text))
    answer = await page.goto(f"http://127.0.0.1:{site.port}{path}")
    assert answer is not None
    cut = await page.evaluate(SIDEWAYS)
    await context.close()
    assert (answer.status, cut, said) == (200, 0, [])
