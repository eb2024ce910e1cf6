"""Light, dark, as the device prefers, with more contrast, with forced colours, without motion: in a real Chromium."""


import pytest
from playwright.async_api import Page

from tests.web.browser import Site, until, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

# What is drawn, and where a colour says nothing against its ground.
UNSEEN = """() => {
    const ground = getComputedStyle(document.body).backgroundColor === "rgba(0, 0, 0, 0)"
        ? getComputedStyle(document.documentElement).backgroundColor : getComputedStyle(document.body).backgroundColor;
    const shapes = document.querySelectorAll("main svg :is(rect, path, polyline, line), .health__mark svg path");
    return [...shapes].filter((shape) => {
        const { fill, stroke } = getComputedStyle(shape);
        return shape.getClientRects().length && ![fill, stroke].some((one) => one !== "none" && one !== ground);
    }).map((shape) => `${shape.closest("[id]")?.id}: ${shape.outerHTML.slice(0, 80)}`);
}"""


@pytest.fixture
async def site(site: Site) -> Site:
    """opsmon with two orders, so that boards have something to draw."""
    await site.order(1002, "49.90")
    return site


async def theme(page: Page) -> tuple[str, str]:
    """What is chosen, and what is seen."""
    chosen, seen = await page.evaluate(
        "() => [document.documentElement.dataset.theme, getComputedStyle(document.documentElement).colorScheme]")
    return chosen, seen


async def test_a_theme_is_remembered_and_the_device_followed_again(site: Site) -> None:
    """Dark on a light device stays dark; light again, and the evening makes it dark by itself."""
    page = await site.open("/b/overview")
    await page.emulate_media(color_scheme="light")
    assert (await theme(page))[0] == "auto"
    await page.click("[data-act=theme]")
    await page.reload()
    assert await theme(page) == ("dark", "dark")
    await page.click("[data-act=theme]")
    await page.reload()
    assert await theme(page) == ("auto", "light")
    await page.emulate_media(color_scheme="dark")
    assert (await theme(page))[0] == "auto"
    assert await page.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == "dark"


async def test_who_wants_more_contrast_gets_it(site: Site) -> None:
    """No quiet text, and lines that are seen."""
    page = await site.open("/b/overview")
    await page.emulate_media(contrast="more")
    colours = """() => ["quiet", "text", "hair", "bar"].map((name) => {
        const probe = document.body.appendChild(document.createElement("i"));
        probe.style.color = `var(--color-${name})`;
        return getComputedStyle(probe).color;
    })"""
    quiet, text, hair, bar = await page.evaluate(colours)
    assert (quiet, hair) == (text, bar)


@pytest.mark.parametrize("path", ["/b/overview", "/b/sales", "/b/operations", "/kpi/revenue-today", "/sources"])
async def test_charts_are_seen_in_forced_colours(site: Site, path: str) -> None:
    """Windows' own high contrast takes all colours away but a few: each shape still stands out from its ground."""
    page = await site.open(path, live=not path.startswith("/kpi"))
    await page.emulate_media(forced_colors="active")
    assert await page.evaluate(UNSEEN) == []


async def test_nothing_moves_for_who_wants_no_motion(site: Site) -> None:
    """A number that changes does not even blink."""
    page = await site.open("/b/overview")
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate("() => { window.moved = 0; Element.prototype.animate = () => { window.moved += 1; }; }")
    await site.order(1003)
    await until(page, f"{value_of('orders-today')} === '3'", "the order on the screen")
    assert await page.evaluate("() => window.moved") == 0
