"""From a number to somebody who sees to it, with opsmon in processes of its own, a mail server and a real Chromium: a
rule from a tile, its past beside it while it is typed, orders that make it fire, the mail, its link on a phone, and the
wall and the panel that follow. Nothing is put into the store beforehand."""

import email
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.policy import default
from typing import Any

import orjson
import pytest
from playwright.async_api import Browser, Page

from opsmon.clock import SystemClock
from opsmon.core.calendar import DAY_MS
from tests.commands.test_commands import ROOT, free_port, serves, starting
from tests.fakes.sinks import Mailbox, mail_server
from tests.http import request
from tests.line import SHOP, sign
from tests.orders import order
from tests.waiting import wait_until_async
from tests.web.browser import until
from tests.web.test_axe import violations

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SECRET = "a-secret-of-the-shop"
DESK, PHONE, WALL = (1366, 900), (390, 844), (1920, 1080)
# On a machine that does seven things at once.
PATIENCE_S = 60.0
LIVE = "document.documentElement?.dataset.fresh === 'live'"
THEMES: tuple[Any, ...] = ("dark", "light")


@dataclass(slots=True)
class Journey:
    """A running `opsmon up` with a mail server, browsers to look at it with, and what was wrong on the way."""

    port: int
    box: Mailbox
    chromium: Browser
    wrong: dict[str, list[str]] = field(default_factory=dict)
    orders: int = 0

    async def page(self, size: tuple[int, int], path: str, *, live: bool = False) -> Page:
        """An address in a browser of its own."""
        context = await self.chromium.new_context(viewport={"width": size[0], "height": size[1]})
        page = await context.new_page()
        page.on("pageerror", lambda error: self.wrong.setdefault(path, []).append(str(error)))
        await page.goto(f"http://127.0.0.1:{self.port}{path}")
        if live:
            await until(page, LIVE, f"{path} live", PATIENCE_S)
        return page

    async def look(self, page: Page, name: str) -> None:
        """Have axe look at it in both themes, and see that it is not wider than its screen; keep pictures where
        somebody wants them."""
        folder, width = os.environ.get("OPSMON_PICTURES"), await page.evaluate("innerWidth")
        was_open = await page.evaluate("[...document.querySelectorAll('details')].map((one) => one.open)")
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme)
            if folder:
                await page.screenshot(path=f"{folder}/alert-{name}-{width}-{theme}.png", full_page=True)
            if found := await violations(page):
                self.wrong[f"{name} {theme}"] = found
            await page.evaluate("(was) => document.querySelectorAll('details').forEach("
                                "(one, at) => { one.open = was[at]; })", was_open)
        over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            self.wrong[f"{name} wide"] = [f"{over} px"]

    async def order(self, days_ago: int = 0) -> None:
        """An order comes in, as Shopify sends it."""
        self.orders += 1
        raw = orjson.dumps(order(self.orders, placed_ms=SystemClock().now_ms() - days_ago * DAY_MS))
        answer = await request(self.port, "POST", "/webhooks/shopify", raw, {
            "x-shopify-topic": "orders/create", "x-shopify-shop-domain": SHOP,
            "x-shopify-webhook-id": f"delivery-{self.orders}",
            "x-shopify-hmac-sha256": sign(raw, SECRET.encode())})
        assert answer.status == 200


@pytest.fixture
async def journey(chromium: Browser) -> AsyncIterator[Journey]:
    """opsmon just started, with a mail server, and a day with four orders three days ago."""
    async with mail_server() as box, running(box) as port:
        made = Journey(port, box, chromium)
        for _ in range(4):
            await made.order(days_ago=3)
        await made.order()
        yield made
        for context in chromium.contexts[1:]:
            await context.close()


@asynccontextmanager
async def running(box: Mailbox) -> AsyncIterator[int]:
    """`opsmon up` in processes of its own; its port."""
    with starting() as (folder, start):
        port = free_port()
        start("up", "--data", str(folder / "data"), "--port", str(port), OPSMON_CURRENCY="EUR",
              OPSMON_SHOPIFY_SECRETS=SECRET, OPSMON_SMTP_URL=f"smtp://127.0.0.1:{box.port}",
              OPSMON_MAIL_FROM="opsmon@shop.example", PYTHONPATH=str(ROOT))
        await wait_until_async(serves(port), "the board of `opsmon up`", PATIENCE_S)
        yield port


async def say_who_is_told(journey: Journey) -> None:
    """Ana, by mail."""
    desk = await journey.page(DESK, "/receivers")
    await desk.get_by_label("Who", exact=True).fill("Ana")
    await desk.get_by_label("Where").fill("ana@shop.example")
    await desk.get_by_role("button", name="Add them").click()
    await until(desk, "document.body.textContent.includes('ana@shop.example')", "Ana in the list", PATIENCE_S)
    await journey.look(desk, "receivers")


async def make_the_rule(journey: Journey) -> str:
    """From the tile by clicking; what it would have said before stands beside it while it is typed. That sentence."""
    desk = await journey.page(DESK, "/b/sales", live=True)
    await until(desk, "document.querySelector('#kpi-orders-today .tile__value')?.value === '1'", "the order",
                PATIENCE_S)
    tile = desk.locator("#kpi-orders-today")
    await tile.get_by_text("What counts").click()
    await tile.get_by_role("link", name="Explain this number").click()
    await desk.get_by_role("link", name="Make a rule").click()
    await desk.get_by_label("Name").fill("Many orders today")
    await desk.get_by_label("How bad").select_option("critical")
    await desk.get_by_label("What to do").fill("Open a second packing line.")
    await desk.locator("[name=limit]").press_sequentially("2")
    await until(desk, "document.querySelector('#past .told__text')", "its past", PATIENCE_S)
    past = await desk.inner_text("#past .told__text")
    await journey.look(desk, "rule")
    await desk.get_by_role("button", name="Save").click()
    await until(desk, "document.body.textContent.includes('Saved. It is looked at from now on.')", "it saved",
                PATIENCE_S)
    return past


async def mailed_link(journey: Journey) -> str:
    """The path of the link in the only mail."""
    await wait_until_async(lambda: journey.box.mails, "the mail", PATIENCE_S)
    mail: Any = email.message_from_bytes(journey.box.mails[0], policy=default)
    assert (mail["To"], mail["Subject"]) == ("ana@shop.example", "Critical: Many orders today")
    found = re.search(rf"http://127\.0\.0\.1:{journey.port}(/a/\S+)", mail.get_content())
    assert found is not None
    return found[1]


async def says(page: Page, where: str, text: str) -> None:
    """Wait until a place of a page says this."""
    await until(page, f"document.querySelector('{where}')?.textContent === '{text}'", f"{where}: {text}", PATIENCE_S)


async def test_from_a_tile_to_a_mail_to_somebody_who_sees_to_it(journey: Journey) -> None:
    """Everything by clicking; wall, panel and navigation follow by themselves, and axe finds nothing on any page."""
    await say_who_is_told(journey)
    past = await make_the_rule(journey)
    wall, panel = await journey.page(WALL, "/wall", live=True), await journey.page(DESK, "/b/operations", live=True)
    for _ in range(2):
        await journey.order()
    await says(wall, "#band[data-loud] .band__title", "Many orders today")
    await says(panel, "[data-kind=alerts] .alerts__title", "Many orders today")
    await journey.look(wall, "wall")
    await journey.look(panel, "panel")
    phone = await journey.page(PHONE, await mailed_link(journey))
    await journey.look(phone, "link")
    await says(wall, "#band[data-loud] .band__who", "nobody sees to it yet")
    await phone.get_by_role("button", name="I see to it").click()
    await says(wall, "#band:not([data-loud]) .band__who", "Ana, by a link sees to it")
    await says(panel, "[data-kind=alerts] .alerts__who", "Ana, by a link sees to it")
    assert "You see to it: nobody else is called." in await phone.inner_text("main")
    await journey.look(phone, "link-seen")
    listed = await journey.page(PHONE, "/alerts", live=True)
    await journey.look(listed, "list")
    assert (await panel.inner_text("#alerts"), past, journey.wrong) == (
        "Alerts: 1 open", "It would have fired 1 time in the last 14 days.", {})
