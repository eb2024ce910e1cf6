"""Every board on every screen in every language, with the numbers of a very good year: nothing runs over or is cut.

Rendered from readings that no store was asked for (large.py), so that each tile has all it can have.
"""

from dataclasses import replace

import pytest
from playwright.async_api import Page

from opsmon.core.boards import BOARDS
from opsmon.settings import Settings
from tests.web.all_pages import fill_boards
from tests.web.browser import Site, until
from tests.web.large import LARGE

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

WALLS = [(1366, 768), (1920, 1080), (3840, 2160), (1080, 1920)]
DESKS = [*WALLS, (390, 844), (320, 640)]
# A language, and the currency whose amounts are longest there.
PLACES = pytest.mark.parametrize(("locale", "currency"), [("en", "EUR"), ("de", "EUR"), ("ja", "JPY")])
EACH = pytest.mark.parametrize("board", [board.id for board in BOARDS])

# Words and numbers of a tile that reach over it, over the window, or over the box that cuts them off.
OVER = """() => [...document.querySelectorAll('.tile, .health, .bar, .boards, .foot')].flatMap((tile) => {
  const box = tile.getBoundingClientRect();
  const texts = document.createTreeWalker(tile, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const node = texts.currentNode, one = node.parentElement;
    if (!node.textContent.trim() || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (one.closest('.visually-hidden, .button__word, .spark__caption, details:not([open]) > :not(summary)')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    if (!text.width || !text.height) continue;
    const side = parseFloat(getComputedStyle(one).fontSize) * 0.04;  // white at the edge of a digit hangs out
    const style = getComputedStyle(one);
    if (style.textOverflow === 'ellipsis') continue;  // shortened on purpose, and said so
    const cut = one.clientWidth && one.scrollWidth > one.clientWidth + 1 + side && style.overflowX !== 'visible';
    if (cut || text.right > box.right + side || text.left < box.left - side || text.right > innerWidth + 1)
      found.push(`${tile.id || tile.className}: ${one.className || one.localName}: ${node.textContent.trim()}`);
  }
  return found;
})"""
# Numbers that got so small that nobody reads them: below the least size of the wall, and of the page.
SMALL = """() => [...document.querySelectorAll('.tile__value')].filter((one) => one.checkVisibility()
    && !one.closest('.visually-hidden')).filter((one) => parseFloat(getComputedStyle(one).fontSize)
    < (document.documentElement.dataset.board === 'wall' ? 0.0275 * innerHeight : 14))
    .map((one) => `${one.closest('.tile').id}: ${getComputedStyle(one).fontSize}`)"""
# On a wall what is below its tile or the edge is lost.
LOW = """() => [...document.querySelectorAll('.cell > .tile')].flatMap((tile) => {
  const box = tile.getBoundingClientRect();
  if (!box.height) return [];
  return [...tile.querySelectorAll('.tile__label, .tile__value, .comparison, .tile__note, th, td, dt, dd, figcaption')]
    .filter((one) => one.checkVisibility() && !one.closest('.visually-hidden, details'))
    .filter((one) => {
      const text = one.getBoundingClientRect();
      const frame = one.closest('.rows')?.getBoundingClientRect() ?? box;
      const isCut = text.bottom > frame.bottom + 1 && text.top < frame.bottom - 1;
      return isCut || (!one.closest('.rows') && text.bottom > box.bottom + 1) || text.top > innerHeight;
    }).map((one) => `${tile.id}: ${one.className || one.localName}: ${one.textContent.trim().slice(0, 40)}`);
})"""


@pytest.fixture
def settings(settings: Settings, locale: str, currency: str) -> Settings:
    """In one language."""
    return replace(settings, locale=locale, currency=currency)


async def opened(site: Site, path: str, width: int, height: int) -> Page:
    """A page whose tiles all hold nine digits, also after it has become live."""
    await fill_boards(site)
    page = await site.open(path, width, height)
    await fill_boards(site)
    words = "document.querySelector('main').textContent"
    await until(page, f"{words}.replace(/[.,]/g, '').includes('{LARGE}')", "nine digits")
    await page.evaluate("() => document.fonts.ready")
    return page


async def size_of(page: Page) -> list[int]:
    """Width and height of the document."""
    found: list[int] = await page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    return found


@PLACES
@EACH
async def test_a_wall_holds_nine_digits_at_every_size(site: Site, board: str) -> None:
    """Exactly one screen, every text inside its tile, no line cut in two."""
    page = await opened(site, f"/wall/{board}", *WALLS[0])
    found: dict[str, object] = {}
    for width, height in WALLS:
        await page.set_viewport_size({"width": width, "height": height})
        wrong = [*await page.evaluate(OVER), *await page.evaluate(LOW), *await page.evaluate(SMALL)]
        if wrong or await size_of(page) != [width, height]:
            found[f"{width}×{height}"] = await size_of(page), wrong
    assert found == {}


@PLACES
@EACH
async def test_a_board_holds_nine_digits_at_every_width(site: Site, board: str) -> None:
    """From the narrowest phone to the largest desk: nothing scrolls sideways, every text is inside its tile."""
    page = await opened(site, f"/b/{board}", *DESKS[0])
    found: dict[str, object] = {}
    for width, height in DESKS:
        await page.set_viewport_size({"width": width, "height": height})
        wrong = [*await page.evaluate(OVER), *await page.evaluate(SMALL)]
        if wrong or (await size_of(page))[0] != width:
            found[f"{width}×{height}"] = await size_of(page), wrong
    assert found == {}
