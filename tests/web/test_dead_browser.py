"""Dead letters in a real Chromium: without scripts, on a phone, and with a payload that would like to be one."""

from collections.abc import AsyncIterator

import orjson
import pytest
from playwright.async_api import Browser, BrowserContext

from tests.orders import order
from tests.store.dead import keep, letter
from tests.web.browser import Site

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

HOSTILE = b"</textarea></pre><script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>"


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
async def context(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    """A browser with scripts, and one without."""
    opened = await chromium.new_context(java_script_enabled=request.param)
    yield opened
    await opened.close()


@pytest.fixture
def site(bare_site: Site) -> Site:
    """Without an order."""
    return bare_site


async def test_a_person_finds_corrects_and_replays_a_letter(site: Site) -> None:
    """From the status page, by clicking; a slip in the correction is told beside it."""
    await keep(site.store, letter(1, b'{"id": 1'))
    page = await site.open("/status", live=False)
    await page.click("a[href='/dead-letters']")
    await page.click(".dead__group .dead__reason")
    await page.click(".dead__row .dead__reason")
    await page.click("summary")
    await page.fill("#payload", '{"id": 1,\n"half": }')
    await page.click("text=Check and replay")
    assert "line 2, column 9" in await page.inner_text("#payload-error")
    assert await page.input_value("#payload") == '{"id": 1,\n"half": }'
    await page.fill("#payload", orjson.dumps(order(1), option=orjson.OPT_INDENT_2).decode())
    await page.click("text=Check and replay")
    assert (await page.inner_text(".dead__notice")).startswith("Corrected and replayed 1 letter")
    assert (await site.store.xlen("{main}:events"), await site.store.xlen("{main}:dead")) == (1, 0)


async def test_a_reason_is_discarded_with_a_word(site: Site) -> None:
    """Without one, nothing goes."""
    await keep(site.store, letter(1, b"{"), letter(2, b"{"))
    page = await site.open("/dead-letters", live=False)
    await page.click(".dead__reason")
    await page.click("text=Discard >> nth=-1")
    assert "Say why" in await page.inner_text("#because-error")
    await page.fill("#because", "a test of the vendor's")
    await page.click("button:has-text('Discard')")
    assert "Discarded 2 letters, because: a test of the vendor's." in await page.inner_text(".dead__notice")


async def test_a_hostile_payload_is_a_text_and_no_more(site: Site) -> None:
    """No dialog, nothing asked for, nothing that the policy had to stop."""
    (one,) = await keep(site.store, letter(1, HOSTILE, reason=HOSTILE.decode()))
    dialogs: list[str] = []
    for path in ("/dead-letters", f"/dead-letters/{one}", "/status"):
        page = await site.open(path, live=False)
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        assert HOSTILE.decode() in await page.inner_text("main") or path == "/dead-letters"
        assert await page.locator("main script, main img, main svg[onload]").count() == 0
    assert (dialogs, site.problems, [path for path in site.asked if path == "/x"]) == ([], [], [])


@pytest.mark.parametrize("width", [320, 390, 1920])
async def test_no_page_scrolls_sideways(site: Site, width: int) -> None:
    """Long reasons wrap; a payload scrolls in its own box."""
    (one, _) = await keep(site.store, letter(1, b'{"x":"' + b"y" * 500 + b'"}', reason="z" * 300), letter(2))
    page = await site.open("/dead-letters", live=False)
    reason = await page.get_attribute(".dead__reason", "href")
    for path in ("/status", "/dead-letters", str(reason), f"/dead-letters/{one}"):
        page = await site.open(path, width, 844, live=False)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
