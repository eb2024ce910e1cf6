"""opsmon connect odoo: what a person reads who connects Odoo, and that following it works."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from opsmon.__main__ import main
from opsmon.app.polling import pollers
from opsmon.app.site import sources
from opsmon.settings import load
from opsmon.sources.base import Accepted, take
from opsmon.store.connection import worker_client
from tests.conftest import NOW_MS
from tests.fakes.odoo import DATABASE, KEY, USER, FakeOdoo, open_odoo

pytestmark = pytest.mark.anyio

Spoken = Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]


@pytest.fixture
async def odoo() -> AsyncIterator[FakeOdoo]:
    """A database with nothing in it."""
    async with open_odoo() as opened:
        yield opened


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Spoken:
    """Run the verb in an empty folder: its code, what it printed, what it complained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPSMON_DATA", str(tmp_path / "data"))
    (tmp_path / "key").write_text(KEY + "\n")

    async def run(*args: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["connect", "odoo", *args])
        return code, *capsys.readouterr()

    return run


async def test_it_says_what_the_key_may_read(odoo: FakeOdoo, spoken: Spoken) -> None:
    """What is missing, with the right it needs; what is not installed is no fault."""
    odoo.denied = {"stock.quant"}
    del odoo.records["mrp.production"]
    code, said, _ = await spoken("--odoo", odoo.url, "--database", DATABASE, "--key-file", "key")
    assert (code, said.splitlines()[:6]) == (1, [
        f"Odoo      {odoo.url} ({DATABASE}): the key is good.",
        "  sale.order      can be read", "  stock.picking   can be read",
        "  mrp.production  its app is not installed", "  purchase.order  can be read",
        "  stock.quant     the key's user may not read stock.quant: it needs Inventory: User"])


async def test_it_names_the_fields_to_tick_that_there_are(odoo: FakeOdoo, spoken: Spoken) -> None:
    """Nobody looks for delivery_status where the app Inventory is not installed."""
    odoo.fields["sale.order"] = {"id", "state", "write_date", "amount_total"}
    _, said, _ = await spoken("--odoo", odoo.url, "--database", DATABASE, "--key-file", "key", "--user", USER)
    assert "  sale.order      state, write_date, amount_total\n" in said


@pytest.mark.parametrize("currencies, line", [({1: "EUR"}, "EUR"), ({1: "EUR", 2: "USD"}, "1=EUR,2=USD")])
async def test_its_lines_for_the_settings_can_be_used_as_they_are(
    odoo: FakeOdoo, spoken: Spoken, tmp_path: Path, currencies: dict[int, str], line: str
) -> None:
    """Copied into opsmon.toml they let Odoo in at the address that was printed, and ask it."""
    odoo.currencies = currencies
    code, said, _ = await spoken("--odoo", odoo.url, "--database", DATABASE, "--key-file", "key",
                                 "--url", "https://ops.example.com")
    (tmp_path / "opsmon.toml").write_text(said[said.index("[[source]]"):])
    settings = load({"OPSMON_DATA": str(tmp_path / "data")}, tmp_path / "opsmon.toml")
    found = re.search(r"https://ops\.example\.com/webhooks/odoo/([\w-]{43})\n", said)
    assert code == 0 and found
    body = (b'{"_model":"sale.order","_id":1,"state":"sale","amount_total":5,"currency_id":1,'
            b'"date_order":"2026-11-20 12:00:00"}')
    assert isinstance(take(sources(settings)["odoo"], {}, body, NOW_MS, found[1].encode()), Accepted)
    client = worker_client("redis://127.0.0.1:1")
    assert [poller.name for poller in pollers(settings, client)] == ["odoo"]
    await client.aclose()
    assert (settings.polls, settings.sources[0].options["currency"], found[1] in said[said.index("[[source]]"):]) == (
        True, line, False)


async def test_each_run_makes_another_token(spoken: Spoken) -> None:
    """So that one may be changed for another."""
    tokens = [re.findall(r"/webhooks/odoo/([\w-]+)", (await spoken())[1]) for _ in range(2)]
    assert (len(tokens[0]), tokens[0] != tokens[1]) == (1, True)


async def test_without_a_key_webhooks_alone_can_be_connected(spoken: Spoken) -> None:
    """Odoo's smaller plans have no API."""
    code, said, _ = await spoken()
    assert (code, 'currency = "EUR"' in said, "can ask for what was missed" in said) == (0, True, True)


@pytest.mark.parametrize("args, said", [
    (("--database", "d"), "where is Odoo?"),
    (("--odoo", "https://shop.odoo.com"), "to ask Odoo it needs url"),
    (("--odoo", "https://shop.odoo.com", "--database", "d", "--key-file", "nowhere"), "cannot be read (No such file"),
    (("--odoo", "http://127.0.0.1:1", "--database", "d", "--key-file", "key"), "cannot be reached"),
])
async def test_what_cannot_be_asked_is_a_sentence(spoken: Spoken, args: tuple[str, ...], said: str) -> None:
    """Never a traceback."""
    code, _, complained = await spoken(*args)
    assert (code, said in complained, complained.count("\n")) == (1, True, 1)


async def test_a_key_that_is_wrong_is_told_and_not_shown(odoo: FakeOdoo, spoken: Spoken, tmp_path: Path) -> None:
    """It may be a good one of another database."""
    (tmp_path / "key").write_text("another-private-key")
    code, said, complained = await spoken("--odoo", odoo.url, "--database", DATABASE, "--key-file", "key")
    assert (code, "does not know this API key" in complained, "another-private-key" in said + complained) == (
        1, True, False)
