"""The scripts of the shop's pages in a real Chromium: a shop on one port, opsmon on another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from playwright.async_api import Browser, BrowserContext, Page
from redis.asyncio import Redis

from opsmon.core.events import Event
from opsmon.settings import Settings
from opsmon.store.event_stream import decode
from opsmon.store.keys import Keys
from tests.waiting import wait_until_async
from tests.web.browser import open_site

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NO_TRACK = "Object.defineProperty(Navigator.prototype, 'doNotTrack', { get: () => '1' });"
NO_SALE = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });"
NO_BEACON = "Navigator.prototype.sendBeacon = () => false;"
NO_STORAGE = "Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('blocked'); } });"
# Shopify's sandbox, as far as a pixel uses it: what the shop does is told to whoever has subscribed.
ANALYTICS = """
window.subscribers = {};
window.analytics = { subscribe(name, tell) { subscribers[name] = tell; } };
"""


@dataclass
class Shop:
    """The shop's web server: every path is a page that loads the pixel; and what opsmon heard of it."""

    context: BrowserContext
    store: Redis
    opsmon: str
    tag: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Any request: a page, whose policy allows opsmon's script and address, and nothing inline."""
        head = await reader.readuntil(b"\r\n\r\n")
        is_script = head.startswith(b"GET /broken.js")
        body = b"nobody.knows();" if is_script else (
            f"<!doctype html><title>Boats</title>{self.tag}<p>Boats".encode())
        policy = f"default-src 'none'; script-src 'self' {self.opsmon}; connect-src {self.opsmon}"
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: {'text/javascript' if is_script else 'text/html'}\r\n"
            f"content-security-policy: {policy}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body)
        await writer.drain()
        writer.close()

    async def open(self, path: str = "/boats?q=secret", *, script: str = "pixel.js", attributes: str = "",
                   before: str = "") -> Page:
        """Open a page of the shop; `before` runs in it before anything else."""
        self.tag = f'<script defer src="{self.opsmon}/{script}" {attributes}></script>'
        page = await self.context.new_page()
        page.on("request", lambda asked: self.asked.append(asked.url))
        page.on("console", lambda said: said.type in ("error", "warning") and self.problems.append(said.text))
        if before:
            await page.add_init_script(before)
        await page.goto(f"http://127.0.0.1:{self.port}{path}")
        return page

    async def heard(self, count: int) -> list[Event]:
        """What opsmon took, once it is so much, in the order it happened."""
        keys = Keys("main")

        async def came() -> bool:
            return int(await self.store.xlen(keys.visits)) >= count

        await wait_until_async(came, f"{count} events of the page")
        found = [decode(fields[b"e"]) for _, fields in await self.store.xrange(keys.visits)]
        return sorted(found, key=lambda event: event.time_ms)

    async def names(self, count: int) -> list[str]:
        """Their names, and what they say first."""
        return [f"{event.type} {event.data.get('what') or event.data.get('path')}" for event in await self.heard(count)]

    async def quiet(self, page: Page) -> int:
        """How much opsmon has heard once a page has had time to say something: its timer, and the queue."""
        await page.evaluate("() => new Promise((done) => setTimeout(done, 800))")
        return int(await self.store.xlen(Keys("main").visits))


@asynccontextmanager
async def open_shop(chromium: Browser, settings: Settings, store: Redis) -> AsyncIterator[Shop]:
    """A shop beside a running opsmon."""
    context = await chromium.new_context()
    async with open_site(settings, store, context) as site:
        shop = Shop(context, store, f"http://127.0.0.1:{site.port}")
        server = await asyncio.start_server(shop.answer, "127.0.0.1", 0)
        shop.port = server.sockets[0].getsockname()[1]
        async with server:
            yield shop
        await context.close()


@pytest.fixture
async def shop(chromium: Browser, settings: Settings, store: Redis) -> AsyncIterator[Shop]:
    """A shop whose pages load the pixel."""
    async with open_shop(chromium, settings, store) as opened:
        yield opened


async def test_a_page_tells_that_it_was_seen_and_how_long_it_took(shop: Shop) -> None:
    """Without what stands behind the question mark; the shop's content policy lets both through."""
    await shop.open()
    events = await shop.heard(2)
    assert sorted((event.type, event.data["path"]) for event in events) == [
        ("page.timed", "/boats"), ("page.viewed", "/boats")]
    assert (shop.problems, len({event.data["visitor"] for event in events})) == ([], 1)


async def test_a_visitor_is_the_same_from_page_to_page_and_has_no_cookie(shop: Shop) -> None:
    """As long as the tab is open."""
    page = await shop.open()
    await shop.heard(2)
    await page.goto(f"http://127.0.0.1:{shop.port}/kites")
    events = await shop.heard(4)
    assert (len({event.data["visitor"] for event in events}), await shop.context.cookies()) == (1, [])


async def test_a_shop_that_changes_pages_by_itself_is_followed(shop: Shop) -> None:
    """History entries, back and forth; the same path again is no other page."""
    page = await shop.open()
    await page.evaluate("() => { history.pushState({}, '', '/kites'); history.replaceState({}, '', '/kites?more'); }")
    await shop.heard(3)
    await page.evaluate("() => history.back()")
    names = await shop.names(4)
    assert [name for name in names if name.startswith("page.viewed")] == [
        "page.viewed /boats", "page.viewed /kites", "page.viewed /boats"]


async def test_what_a_shop_tracks_itself_arrives(shop: Shop) -> None:
    """By a name of its own, or one that KPIs know, with the fields that are kept."""
    page = await shop.open()
    await page.evaluate("""() => {
        opsmon.track("cart.updated", { product: "Boat", pieces: 2, mail: "a@example.org" });
        opsmon.track("checkout.started", { checkout: "token-1" });
        opsmon.track("custom.zoomed", { label: "x".repeat(500), value: 2.5 });
    }""")
    events = {event.type: event for event in await shop.heard(5)}
    assert {name: value for name, value in events["cart.updated"].data.items() if name != "visitor"} == {
        "path": "/boats", "product": "Boat", "pieces": 2}
    assert events["checkout.started"].key == "pixel:token-1"
    assert events["custom.zoomed"].data["label"] == "x" * 48


async def test_many_events_at_once_go_in_several_beacons(shop: Shop) -> None:
    """None is larger than what is read: all of them arrive."""
    page = await shop.open()
    await page.evaluate("""() => {
        for (let n = 0; n < 30; n++) opsmon.track("product.viewed", { product: "\\u8239".repeat(80), sku: `B-${n}` });
    }""")
    events = await shop.heard(32)
    assert len({event.data.get("sku") for event in events if event.type == "product.viewed"}) == 30


async def test_an_error_of_the_page_is_told(shop: Shop) -> None:
    """What a script said and where it stands, five times at the most."""
    page = await shop.open()
    await page.evaluate("""() => {
        const script = () => Object.assign(document.createElement("script"), { src: "/broken.js" });
        for (let n = 0; n < 9; n++) document.head.append(script());
        Promise.reject(new Error("not today"));
    }""")
    await shop.heard(7)
    await shop.quiet(page)
    events = [event.data for event in await shop.heard(7) if event.type == "error.occurred"]
    assert len(events) == 5
    assert {(one["message"], one.get("where")) for one in events} == {
        ("Uncaught ReferenceError: nobody is not defined", "/broken.js"), ("Error: not today", None)}


async def test_what_waits_is_sent_when_the_page_is_left(shop: Shop) -> None:
    """At once, not after the third of a second that others wait for company."""
    page = await shop.open()
    await shop.heard(2)
    await page.evaluate("() => { opsmon.track('custom.left'); location.href = '/kites'; }")
    names = [event.type for event in await shop.heard(5)]
    assert names.count("custom.left") == 1


async def test_without_beacons_it_fetches(shop: Shop) -> None:
    """Refused by the browser, the same goes by another way, with no console full of errors."""
    await shop.open(before=NO_BEACON)
    await shop.heard(2)
    assert (f"{shop.opsmon}/collect" in shop.asked, shop.problems) == (True, [])


@pytest.mark.parametrize("signal", [NO_TRACK, NO_SALE], ids=["Do Not Track", "Global Privacy Control"])
async def test_a_browser_that_asks_not_to_be_tracked_is_not(shop: Shop, signal: str) -> None:
    """Nothing is sent and nothing is kept, whatever the shop tracks."""
    page = await shop.open(before=signal)
    await page.evaluate("() => opsmon.consent(true)")
    await page.evaluate("() => opsmon.track('custom.zoomed')")
    assert (await shop.quiet(page), await page.evaluate("() => sessionStorage.length")) == (0, 0)


async def test_a_shop_that_asks_first_sends_nothing_before_the_answer(shop: Shop) -> None:
    """Nothing sent, nothing kept; after the yes the page counts."""
    page = await shop.open(attributes='data-consent="ask"')
    await page.evaluate("() => opsmon.track('custom.zoomed')")
    before = await shop.quiet(page), await page.evaluate("() => sessionStorage.length")
    await page.evaluate("() => opsmon.consent(true)")
    assert (before, await shop.names(1), await page.evaluate("() => sessionStorage.length")) == (
        (0, 0), ["page.viewed /boats"], 1)


async def test_a_consent_that_is_taken_back_ends_it(shop: Shop) -> None:
    """What waited is not sent, the visitor is forgotten."""
    page = await shop.open()
    await shop.heard(2)
    await page.evaluate("""() => {
        opsmon.track("custom.zoomed");
        opsmon.consent(false);
        history.pushState({}, "", "/kites");
    }""")
    assert (await shop.quiet(page), await page.evaluate("() => sessionStorage.length")) == (2, 0)


async def test_a_page_that_may_keep_nothing_still_counts(shop: Shop) -> None:
    """Storage is blocked: the visitor lasts as long as the page."""
    await shop.open(before=NO_STORAGE)
    assert len({event.data["visitor"] for event in await shop.heard(2)}) == 1


def checkout(**more: Any) -> dict[str, Any]:
    """A checkout as Shopify's sandbox shows it."""
    return {"checkout": {"token": "c0ffee17", "totalPrice": {"amount": 749.95, "currencyCode": "EUR"}} | more}


async def test_shopifys_pixel_says_what_the_shop_does(shop: Shop) -> None:
    """Its standard events by opsmon's names, the visitor by Shopify's, the checkout by its token."""
    variant = {"sku": "B-1", "product": {"title": "Boat"}}
    told = {
        "page_viewed": {}, "product_viewed": {"productVariant": variant},
        "product_added_to_cart": {"cartLine": {"quantity": 2, "merchandise": variant}},
        "checkout_started": checkout(), "payment_info_submitted": checkout(), "checkout_completed": checkout(),
    }
    page = await shop.open("/blank", script="nothing.js")
    await page.evaluate(ANALYTICS)
    script = (await page.request.get(f"{shop.opsmon}/shopify-pixel.js"))
    text = (await script.text()).replace("https://ops.example.com", shop.opsmon)
    await page.evaluate(f"() => {{ {text} }}")
    for number, (name, data) in enumerate(told.items()):
        event = {"id": f"sh-{number}", "name": name, "clientId": "5a1f-77", "data": data,
                 "context": {"document": {"location": {"pathname": "/products/boat"}}}}
        await page.evaluate(f"() => subscribers.{name}({{...{orjson.dumps(event).decode()}, "
                            "timestamp: new Date().toISOString()})")
    events = await shop.heard(len(told))
    assert sorted(event.type for event in events) == sorted([
        "page.viewed", "product.viewed", "cart.updated", "checkout.started", "conversion.step", "checkout.completed"])
    by_type = {event.type: event for event in events}
    assert {event.data["visitor"] for event in events} == {"5a1f-77"}
    assert by_type["checkout.started"].key == "pixel:c0ffee17"
    assert (by_type["checkout.completed"].data["amount"], by_type["cart.updated"].data["pieces"]) == (749.95, 2)
