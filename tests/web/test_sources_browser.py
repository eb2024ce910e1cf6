"""A real Chromium before /sources: what a person sees who connects a shop, and what the button does."""

import asyncio
import re
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from hmac import digest
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from playwright.async_api import BrowserContext, Page
from redis.asyncio import Redis

from opsmon.clock import SystemClock
from opsmon.settings import Settings, load
from opsmon.sources.base import Secret, SourceSettings
from opsmon.store.embedded import EmbeddedStore
from tests.orders import order
from tests.web.browser import Site, open_site, until, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SHOPS_SECRET = "the-shop-shows-this-one"


def fresh(server: EmbeddedStore, folder: Path, port: int, **environ: str) -> Settings:
    """The settings of somebody who has set nothing but this."""
    return load({"OPSMON_PORT": str(port), **environ}, overrides={
        "store_url": server.url, "data": str(folder), "timezone": "Europe/Berlin"})


@pytest.fixture
async def site(context: BrowserContext, server: EmbeddedStore, store: Redis, tmp_path: Path, heartbeat_a_second: None,
               monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A new opsmon at the port its settings name, with a heartbeat a second and refusals brought as often."""
    monkeypatch.setattr("opsmon.store.refusals._EVERY_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with open_site(fresh(server, tmp_path, port), store, context, port) as opened:
        yield opened


class Shopify:
    """A tiny stand-in: posts orders to the address it was given, signed with its own secret."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def send(self, number: int, webhook_id: str) -> int:
        """Deliver the creation of an order; the status of the answer."""
        body = orjson.dumps(order(number, placed_ms=SystemClock().now_ms()))
        connection = HTTPConnection(self._url.hostname or "", self._url.port, timeout=5)
        connection.request("POST", self._url.path, body, {
            "Content-Type": "application/json", "X-Shopify-Topic": "orders/create", "X-Shopify-Webhook-Id": webhook_id,
            "X-Shopify-Shop-Domain": "paper-boat.myshopify.com", "X-Shopify-API-Version": "2026-01",
            "X-Shopify-Hmac-Sha256": b64encode(digest(SHOPS_SECRET.encode(), body, "sha256")).decode()})
        status = connection.getresponse().status
        connection.close()
        return status


async def copied(page: Page, pattern: str) -> str:
    """What the page gives to be copied that looks like this."""
    texts = await page.locator("#source-shopify .steps__code").all_inner_texts()
    return next(text for text in texts if re.search(pattern, text))


def state(page: Page, name: str, never_came: str) -> "asyncio.Future[object]":
    """Wait for Shopify's card to be in a state, without a reload."""
    said = f"document.querySelector('#source-shopify').dataset.state === '{name}'"
    return asyncio.ensure_future(until(page, said, never_came))


async def test_a_shop_is_connected_by_what_the_page_says(site: Site, server: EmbeddedStore, tmp_path: Path) -> None:
    """The address goes into Shopify, its secret into the setting that is named; the first order is seen to arrive."""
    page = await site.open("/sources")
    await page.evaluate("() => { window.mark = 'the same page'; }")
    shop = Shopify(await copied(page, "^http.*/webhooks/"))
    setting = (await copied(page, "^OPSMON_")).removesuffix("=…")

    early = await asyncio.to_thread(shop.send, 1001, "one")
    await state(page, "refusing", "the refusal, before the secret is set")
    cause = await page.inner_text("#source-shopify .refusals")

    await site.stop()
    site.settings = fresh(server, tmp_path, site.port, **{setting: SHOPS_SECRET})
    await site.start()
    again = await asyncio.to_thread(shop.send, 1001, "one")
    await site.work()
    await state(page, "well", "the first order")

    board = await site.open("/")
    assert (early, "no_secret" in cause, again, await page.evaluate("() => window.mark"),
            await board.evaluate(f"() => {value_of('orders-today')}")) == (401, True, 200, "the same page", "1")


async def test_the_button_tries_the_way_and_comes_back_to_the_card(site: Site) -> None:
    """A plain form: what became of the test event stands beside it, and no number has moved."""
    page = await site.open("/sources")
    async with page.expect_navigation():
        await page.click("#source-shopify .trial__send")
    await site.work()
    await until(page, "document.querySelector('#source-shopify .trial__said')", "the outcome")
    told = await page.inner_text("#source-shopify .trial__said")
    assert (told.startswith("Arrived"), page.url.endswith("/sources#source-shopify"), site.problems) == (True, True, [])


async def test_nothing_violates_the_policy(site: Site) -> None:
    """Also with the outcome of a test shown, and pushes coming in."""
    page = await site.open("/sources")
    await site.order(1001) if site.settings.shopify_secrets else None
    assert (await page.evaluate("() => window.violations"), site.problems) == ([], [])


async def test_what_was_unfolded_stays_so_while_deliveries_come_in(site: Site) -> None:
    """Who reads the steps is not interrupted by a push."""
    page = await site.open("/sources")
    await page.click("#source-shopify summary")
    shop = Shopify(f"http://127.0.0.1:{site.port}/webhooks/shopify")
    await asyncio.to_thread(shop.send, 1001, "one")
    await state(page, "refusing", "the push")
    assert await page.evaluate("() => document.querySelector('#source-shopify details').open") is False


@pytest.mark.parametrize("width", [320, 390, 1366, 1920])
async def test_no_page_of_sources_is_wider_than_its_screen(
    site: Site, width: int, store: Redis
) -> None:
    """With six sources, long names and a long address."""
    await site.stop()
    names = ("shopify-of-the-second-brand-abcd", "woo", "odoo", "till", "erp")
    site.settings = replace(site.settings, public_url="https://ops.paper-boat-outdoor-equipment.example.com",
                            sources=tuple(SourceSettings(name, "shopify", (Secret(b"12345678"),)) for name in names))
    await site.start()
    page = await site.open("/sources", width, 844)
    over = await page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert (over, await page.locator(".source-card:visible").count()) == (0, 7)
