"""Boards in a real Chromium in German, in Japanese, from right to left: nothing is cut, nothing scrolls sideways.

No machine has all fonts. For Japanese each sign is drawn as a W, which is as wide; a made-up language in Arabic letters
stands for those that are written from right to left.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from playwright.async_api import Page

from opsmon.settings import Settings
from opsmon.web import languages, rendering
from opsmon.web.feed import slots_of
from opsmon.web.views import KpiView
from opsmon.web.wording import room_of
from tests.translations import catalogue, plain, template
from tests.web.browser import Site
from tests.web.test_browser import CLIPPED
from tests.web.test_untranslated import widened

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

LOCALES = pytest.mark.parametrize("locale", ["de", "ja", "ar"])
BOARDS = ("overview", "sales", "operations", "technology")
ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمن"
LARGE = {"de": ("123.456.789", "123.456.789,000\u00a0KWD"), "ja": ("123,456,789", "KWD\u00a0123,456,789.000"),
         "ar": ("123,456,789", "\u200f123,456,789.000\u00a0د.ك.\u200f")}


def wide(text: str) -> str:
    """Each Japanese sign as a letter of its width, after which a line may end."""
    return "".join("W\u200b" if unicodedata.east_asian_width(sign) in "WF" else sign for sign in text)


def arabic(text: str) -> str:
    """A text in Arabic letters; what is put into it stays."""
    return "".join(ARABIC[(ord(sign) - 0xFF21) % len(ARABIC)] if sign >= "\uff21" else sign for sign in widened(text))


def spoken(made: Catalog, say: Any) -> Catalog:
    """A catalogue said otherwise."""
    for one in made:
        if one.id:
            text, is_one = _last(one.string) or _last(one.id), isinstance(one.id, str)
            one.string = say(text) if is_one else (say(text),) * made.num_plurals
    return made


def _last(text: str | tuple[str, ...] | None) -> str:
    return text if isinstance(text, str) else text[-1] if text else ""


@pytest.fixture
def settings(locale: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """In that language."""
    made = catalogue("ja") if locale == "ja" else template() if locale == "ar" else None
    if made is not None:
        made.locale = Catalog(locale=locale).locale
        spoken(made, wide if locale == "ja" else arabic)
        (tmp_path / "locales" / locale).mkdir(parents=True)
        (tmp_path / "locales" / locale / "messages.po").write_bytes(plain(made, locale))
        monkeypatch.setattr(languages, "LOCALES", tmp_path / "locales")
    languages.messages.cache_clear()
    yield replace(settings, locale=locale)
    languages.messages.cache_clear()
    rendering.environment.cache_clear()


async def with_large_numbers(site: Site, board: str, layout: str, locale: str) -> None:
    """Every number of a board has nine digits before the point, money three after it."""
    feed = site.web.feed if site.web else None
    assert feed is not None
    slots = slots_of(feed.boards[board], layout)
    await feed.open(slots)
    found = [(slot, feed.hub.slots[slot].view) for slot in sorted(slots) if slot.startswith("kpi-")]
    feed.hub.update([(slot, enlarged(view, *LARGE[locale])) for slot, view in found], 0)


def enlarged(view: Any, number: str, money: str) -> Any:
    """A tile with the longest number it may show; other tiles keep what they have."""
    if not isinstance(view, KpiView) or not is_dataclass(view) or "text" not in {f.name for f in fields(view)}:
        return view
    text = money if "€" in view.text else number
    return replace(view, text=text, chars=room_of(text), value="123456789", state="live")


async def sideways(page: Page) -> list[int]:
    """How wide the document is, and the window."""
    found: list[int] = await page.evaluate(
        "() => { const d = document.documentElement; return [d.scrollWidth, d.clientWidth]; }")
    return found


@LOCALES
async def test_boards_fit_every_screen(site: Site, locale: str) -> None:
    """Phones of 320 and 390, a desk of 1920: no word and no number pushes a board sideways."""
    wrong = []
    for board in BOARDS:
        await with_large_numbers(site, board, "board", locale)
        page = await site.open(f"/b/{board}", 320, 844)
        for width in (320, 390, 1920):
            await page.set_viewport_size({"width": width, "height": 844})
            wrong += [(board, width, found)] if (found := await sideways(page)) != [width, width] else []
    assert wrong == []


@LOCALES
async def test_walls_clip_nothing(site: Site, locale: str) -> None:
    """One screen, whole words, whole numbers."""
    wrong = []
    for board in BOARDS:
        await with_large_numbers(site, board, "wall", locale)
        page = await site.open(f"/wall/{board}", 1920, 1080)
        wrong += [(board, cut) for cut in await page.evaluate(CLIPPED)]
        wrong += [(board, found)] if (found := await sideways(page)) != [1920, 1920] else []
    assert wrong == []


@LOCALES
async def test_other_pages_fit_a_phone_and_a_desk(site: Site, locale: str) -> None:
    """Forms, tables, histories."""
    wrong = []
    for path in ("/status", "/sources", "/dead-letters", "/enter?what=move", "/kpi/revenue-today", "/kpi/pipeline",
                 "/x"):
        page = await site.open(path, 320, 844, live=path == "/sources")
        for width in (320, 1920):
            await page.set_viewport_size({"width": width, "height": 844})
            wrong += [(path, width, found)] if (found := await sideways(page)) != [width, width] else []
    assert wrong == []


@pytest.mark.parametrize("locale", ["ar"])
async def test_lines_begin_at_the_right_and_time_runs_to_the_right(site: Site, locale: str) -> None:
    """The page is mirrored, its clocks and charts of time are not."""
    page = await site.open("/b/overview", 1280, 900)
    found = await page.evaluate("""() => {
        const tile = document.querySelector('#kpi-revenue-today'), box = tile.getBoundingClientRect();
        const range = document.createRange();
        range.selectNodeContents(tile.querySelector('.tile__label'));
        return [document.documentElement.dir, Math.abs(range.getBoundingClientRect().right - box.right) < 2,
                getComputedStyle(document.querySelector('.bars__frame')).direction];
    }""")
    assert found == ["rtl", True, "ltr"]
