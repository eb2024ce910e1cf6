"""The tiles in a real Chromium: nothing is cut off on a phone or on a wall, and every text can be read."""


import pytest
from playwright.async_api import Page

from opsmon.web.samples import GALLERY
from tests.web.browser import Site

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NAMES = [name for name, _ in GALLERY.tiles]
# What reaches over its tile; charts may draw over the edge of their box by the width of a line.
OVER = """() => [...document.querySelectorAll('.tile:not([data-kind="number"], [data-chars]) *')].filter((one) => {
  if (one.closest('svg, details, .visually-hidden')) return false;
  const box = one.getBoundingClientRect(), tile = one.closest('.tile').getBoundingClientRect();
  const isLow = document.documentElement.dataset.board === 'wall' && box.bottom > tile.bottom + 1;
  return box.width && (box.right > tile.right + 1 || box.left < tile.left - 1 || isLow);
}).map((one) => `${one.closest('.tile').dataset.name}: ${one.tagName} ${one.textContent.slice(0, 40)}`)"""
# Puts some of the gallery's tiles on a wall.
WALL = """(names) => {
  const all = [...document.querySelectorAll('.gallery__theme:first-child .gallery__name')];
  const tiles = names.map((name) => {
    const tile = all.find((one) => one.textContent.endsWith(': ' + name)).nextElementSibling;
    tile.dataset.name = name;
    tile.dataset.size = 'wide';
    return tile;
  });
  document.documentElement.dataset.board = 'wall';
  document.documentElement.dataset.theme = 'dark';
  const wall = document.createElement('div');
  wall.className = 'tiles';
  wall.append(...tiles);
  document.querySelector('.main').replaceChildren(wall);
}"""
# Rows that are shown on a wall, but not whole.
CUT = """() => [...document.querySelectorAll('.tile .rows')].flatMap((rows) => {
  const bottom = rows.getBoundingClientRect().bottom + 1;
  return [...rows.querySelectorAll('tr, dd')].filter((row) => row.getBoundingClientRect().bottom > bottom)
    .map((row) => row.textContent);
})"""
WALLS = [
    ["top-products, many rows", "funnel-today, live", "pipeline, live", "api, live", "api-errors, live",
     "revenue-by-channel, more than fit"],
    ["revenue-by-country, German, 9 digits", "parcels, many states", "stock, live", "api, slow",
     "funnel-today, 9 digits", "orders-by-custom, live"],
    ["top-products, long names", "parcels, one state, 9 digits", "revenue-by-channel, one, 9 digits",
     "api-errors, one, long name", "stock, long names, 9 digits", "stage-times, live"],
]


@pytest.fixture
def site(bare_site: Site) -> Site:
    """With its gallery."""
    return bare_site


async def gallery(site: Site, width: int, height: int) -> Page:
    return await site.open("/components", width, height, live=False)


@pytest.mark.parametrize("width", [320, 390, 1920])
async def test_no_tile_reaches_over_its_edge(site: Site, width: int) -> None:
    """Long names and numbers of nine digits too, and nothing scrolls sideways."""
    page = await gallery(site, width, 844)
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert await page.evaluate(OVER) == []


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (3840, 2160)], ids=str)
@pytest.mark.parametrize("names", WALLS, ids=lambda names: names[0])
async def test_a_wall_shows_whole_rows_or_none(site: Site, names: list[str], size: tuple[int, int]) -> None:
    """As many rows as fit: none is cut in two, and no tile grows into the next."""
    page = await gallery(site, *size)
    await page.evaluate(WALL, names)
    assert await page.evaluate("document.documentElement.scrollHeight") == size[1]
    assert (await page.evaluate(OVER), await page.evaluate(CUT)) == ([], [])


async def test_the_letters_of_a_wall_are_large_enough(site: Site) -> None:
    """2.8 % of the height at least (UX W2)."""
    page = await gallery(site, 1920, 1080)
    await page.evaluate(WALL, WALLS[0])
    smallest = await page.evaluate(
        "() => Math.min(...[...document.querySelectorAll('.rows *, .tile__note')].filter((one) => one.children.length"
        " === 0 && one.textContent.trim() && !one.closest('.visually-hidden, svg') && one.getClientRects().length)"
        ".map((one) => parseFloat(getComputedStyle(one).fontSize)))")
    assert smallest >= 0.028 * 1080


async def test_all_names_can_be_read_on_the_phone(site: Site) -> None:
    """What a wall may shorten the board shows whole."""
    page = await gallery(site, 390, 844)
    shortened = await page.evaluate(
        "() => [...document.querySelectorAll('.rows th, .rows td, .columns__name')].filter((one) => one.clientWidth"
        " && one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)")
    assert shortened == []


async def test_bars_are_as_long_as_their_values(site: Site) -> None:
    """The second product is three quarters of the first, on the screen too."""
    page = await gallery(site, 1280, 800)
    first, second = await page.evaluate(
        "() => [...document.querySelectorAll('.ranked')][0].querySelectorAll('rect').values().take(2).toArray()"
        ".map((one) => one.getBoundingClientRect().width)")
    assert round(second / first, 2) == round(312_000 / 418_240, 2)


async def test_the_gallery_breaks_no_rule_of_the_page(site: Site) -> None:
    """No style and no script but those of the site."""
    page = await gallery(site, 1280, 800)
    assert (await page.evaluate("window.violations"), site.problems) == ([], [])
