"""opsmon connect shopify and opsmon poll, as one types them, against a fake shop."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsmon.__main__ import main
from opsmon.pollers.shopify_webhooks import wanted
from tests.conftest import NOW_MS
from tests.fakes import orders as shop
from tests.fakes.shopify import DOMAIN, TOKEN, FakeShopify, open_shopify
from tests.waiting import wait_until
from tests.workers.fleet import open_fleet

URL = "https://ops.example.com"


@pytest.fixture
def fake() -> Iterator[FakeShopify]:
    """A shop in a thread of its own: the command has a loop of its own."""
    opened: list[FakeShopify] = []
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        async with open_shopify(b"its-secret", now_ms=lambda: NOW_MS, speed=100) as shop:
            opened.append(shop)
            await stop.wait()

    def serve() -> None:
        loop.run_until_complete(run())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    wait_until(lambda: opened, "the shop opened")
    yield opened[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An empty folder, and only the token in the environment."""
    for variable in [name for name in os.environ if name.startswith("OPSMON_") or name == "REDIS_URL"]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("OPSMON_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OPSMON_SHOPIFY_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_it_makes_the_webhooks_and_says_so_and_again_changes_nothing(
        fake: FakeShopify, here: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Shop, scopes, what was made; then the same as there."""
    args = ("connect", "shopify", "--shop", fake.url, "--url", URL)
    codes = main(args), main(args)
    said = capsys.readouterr().out
    assert (codes, len(fake.subscriptions), TOKEN in said) == ((0, 0), len(wanted()), False)
    assert f"Shop       {DOMAIN}: the token is good." in said
    assert (said.count(f"  made     {', '.join(wanted())}"), said.count(f"  there    {', '.join(wanted())}")) == (1, 1)


def test_what_could_not_be_made_is_said_and_is_a_1(fake: FakeShopify, here: pytest.MonkeyPatch,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    """With the scope that is missing."""
    fake.scopes = {"read_orders"}
    assert main(("connect", "shopify", "--shop", fake.url, "--url", URL)) == 1
    said = capsys.readouterr().out
    assert "Scope      read_fulfillments is missing: parcels" in said
    assert "Scope      read_inventory is missing: stock\n" in said
    assert re.findall(r"  not made (.*)", said) == [
        "fulfillments/create, fulfillments/update, fulfillment_events/create, products/create, products/update, "
        "products/delete"]


def test_a_token_that_is_not_known_is_one_sentence(fake: FakeShopify, here: pytest.MonkeyPatch,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, and not the token."""
    here.setenv("OPSMON_SHOPIFY_TOKEN", "shpat_of-another-shop")
    assert main(("connect", "shopify", "--shop", fake.url, "--url", URL)) == 1
    complained = capsys.readouterr().err
    assert ("does not know this token" in complained, "shpat_of" in complained) == (True, False)


@pytest.mark.parametrize(("args", "said"), [
    ((), "the shop is not known: give --shop"), (("--shop", "a.myshopify.com"), "the public address is not known"),
    (("--shop", "shop.example.com"), "expected the shop's own name"),
    (("--shop", "a.myshopify.com", "--url", "http://ops.example.com"), "expected an https:// address")])
def test_what_is_missing_or_wrong_is_said_before_anything_is_asked(
        here: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str) -> None:
    """And how to give it."""
    assert main(("connect", "shopify", *args)) == 1
    assert said in capsys.readouterr().err


@pytest.mark.kill
def test_the_process_polls_and_ends_within_three_seconds(fake: FakeShopify) -> None:
    """Orders come, the note is left, SIGTERM ends it with 0."""
    for number in (1, 2, 3):
        fake.orders[number] = shop.make(number, NOW_MS - 3_600_000, 1)
    with open_fleet() as fleet:
        environment = {name: text for name, text in os.environ.items() if not name.startswith("OPSMON_")}
        environment |= {"OPSMON_SHOPIFY_SHOP": fake.url, "OPSMON_SHOPIFY_TOKEN": TOKEN, "OPSMON_STORE_URL":
                        fleet.store.url, "OPSMON_DATA": str(fleet.folder / "data"), "OPSMON_PUBLIC_URL": URL,
                        "PYTHONPATH": str(Path(__file__).parents[2])}
        process = subprocess.Popen([sys.executable, "-m", "opsmon", "poll"], env=environment, cwd=fleet.folder,
                                   stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: len(fake.subscriptions) == len(wanted()), "the webhooks", timeout_s=20)
            wait_until(lambda: fleet.client.exists("{main}:note:poll:shopify"), "the first round", timeout_s=20)
            process.send_signal(signal.SIGTERM)
            assert process.wait(3) == 0
        finally:
            process.kill()
            process.wait()
