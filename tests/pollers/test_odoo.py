"""Asking Odoo for what its webhooks did not tell: nothing is missed, nothing counts twice."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.errors import SettingsError
from opsmon.pollers.base import PollResult
from opsmon.pollers.odoo import PAGE, OdooPoller, make_api, make_poller
from opsmon.pollers.odoo_api import Json2, JsonRpc, OdooApi
from opsmon.settings import Settings
from opsmon.sources.base import Secret, SourceSettings
from opsmon.sources.odoo import Odoo
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts
from tests.conftest import NOW_MS, SECRET
from tests.fakes.odoo import DATABASE, KEY, USER, FakeOdoo, open_odoo
from tests.http import request
from tests.line import open_line
from tests.odoo import sale

pytestmark = pytest.mark.anyio

TOKEN = "q3nF-0uT_of-the-address-of-the-shop"
SOURCE = SourceSettings("odoo", "odoo", (Secret(TOKEN.encode()),), {"currency": "EUR"})

Make = Callable[..., OdooPoller]


@pytest.fixture
async def odoo() -> AsyncIterator[FakeOdoo]:
    """A database with nothing in it."""
    async with open_odoo() as opened:
        yield opened


@pytest.fixture
def make(odoo: FakeOdoo, store: Redis, keys: Keys) -> Make:
    """Makes a poller, as a process does when it starts."""
    def made(api: OdooApi | None = None) -> OdooPoller:
        asked = api or Json2(odoo.url, DATABASE, KEY)
        return OdooPoller(Odoo(SOURCE, "main"), asked, store, keys, Scripts(store, keys))

    return made


def order(number: int, written: str = "2026-11-20 13:03:20.123456", **more: Any) -> dict[str, Any]:
    """A sales order as it stands in the database."""
    told = {name: value for name, value in sale(number, written=written).items() if not name.startswith("_")}
    return told | {"currency_id": [1, "EUR"], "partner_id": [9, "Wendelin Grausam"]} | more


async def stored(store: Redis, keys: Keys) -> list[str]:
    """The entities the stream tells of, oldest first."""
    return [orjson.loads(fields[b"e"])[6] for _, fields in await store.xrange(keys.events)]


async def totals(store: Redis, keys: Keys) -> dict[str, int]:
    """The source's running totals."""
    return {name.decode(): int(count) for name, count in (await store.hgetall(keys.counts)).items()
            if not name.endswith(b"last_ms")}


# --- what is found ----------------------------------------------------------------------------------------------


async def test_what_no_webhook_told_of_is_found(odoo: FakeOdoo, make: Make, store: Redis, keys: Keys) -> None:
    """Orders, transfers, stock: each into the entity its webhook would have gone into."""
    odoo.write("sale.order", order(42))
    odoo.write("stock.picking", {"id": 5, "state": "assigned", "write_date": "2026-11-20 13:03:20"})
    odoo.write("stock.quant", {"id": 3, "write_date": "2026-11-20 13:03:20", "product_id": [17, "[TENT-2] Tent"],
                               "location_id": [8, "WH/Stock"], "quantity": 12.0, "reserved_quantity": 2.0})
    assert await make().poll(NOW_MS) == PollResult(3, 3, "")
    assert sorted(await stored(store, keys)) == ["odoo:odoo:order:42", "odoo:odoo:picking:5", "odoo:odoo:quant:3"]
    assert await totals(store, keys) == {"odoo:accepted": 3, "odoo:reconciled": 3}


async def test_jsonrpc_finds_the_same(odoo: FakeOdoo, make: Make, store: Redis, keys: Keys) -> None:
    """For Odoo 18 and older."""
    odoo.write("sale.order", order(42))
    found = [await make(JsonRpc(odoo.url, DATABASE, USER, KEY)).poll(NOW_MS), await make().poll(NOW_MS)]
    assert found == [PollResult(1, 1, ""), PollResult(1, 0, "")]


async def test_asked_again_nothing_is_new(odoo: FakeOdoo, make: Make, store: Redis, keys: Keys) -> None:
    """By the same process or by another: the last five minutes are read again and again, and count once."""
    odoo.write("sale.order", order(42))
    poller = make()
    found = [await poller.poll(NOW_MS), await poller.poll(NOW_MS + 30_000), await make().poll(NOW_MS + 60_000)]
    assert [one.new for one in found] == [1, 0, 0]
    assert await totals(store, keys) == {"odoo:accepted": 1, "odoo:reconciled": 1}


async def test_what_changed_is_new_again(odoo: FakeOdoo, make: Make, store: Redis, keys: Keys) -> None:
    """The next version of the same order."""
    poller = make()
    odoo.write("sale.order", order(42, state="sent"))
    first = await poller.poll(NOW_MS)
    odoo.write("sale.order", order(42, "2026-11-20 13:03:20.900000"))
    assert [(first.new), (await poller.poll(NOW_MS)).new] == [1, 1]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 7])
async def test_records_of_one_instant_are_all_found(
    odoo: FakeOdoo, make: Make, store: Redis, keys: Keys, count: int
) -> None:
    """One transaction wrote them all: pages cannot be told apart by time."""
    for number in range(count):
        odoo.write("sale.order", order(number + 1))
    assert await make().poll(NOW_MS) == PollResult(count, count, "")
    assert len(set(await stored(store, keys))) == count


async def test_pages_go_on_by_time(odoo: FakeOdoo, make: Make, store: Redis, keys: Keys) -> None:
    """Several instants, several records at each, some over the edge of a page."""
    for number in range(1000):
        odoo.write("sale.order", order(number + 1, f"2026-11-20 13:{number // 70:02}:00.500000"))
    assert await make().poll(NOW_MS) == PollResult(1000, 1000, "")


async def test_a_record_that_changes_between_two_pages_hides_no_other(
    odoo: FakeOdoo, make: Make, store: Redis, keys: Keys
) -> None:
    """It moves to the end, and those behind it move up: by place one would be passed over."""
    for number in range(500):
        odoo.write("sale.order", order(number + 1, f"2026-11-{number // 50 + 1:02} 13:{number % 50:02}:00"))
    answer = odoo.answer

    def changing(model: str, method: str, arguments: dict[str, Any]) -> Any:
        found = answer(model, method, arguments)
        if model == "sale.order" and method == "search_read":
            number = len(odoo.asked)
            odoo.write("sale.order", order(number, f"2026-11-20 13:03:{number:02}"))
        return found

    odoo.answer = changing  # type: ignore[method-assign]
    await make().poll(NOW_MS)
    assert len(set(await stored(store, keys))) == 500


async def test_a_transaction_that_was_slow_is_found_behind_what_was_read(
    odoo: FakeOdoo, make: Make, store: Redis, keys: Keys
) -> None:
    """Its write_date is when it began: minutes before it could be seen."""
    poller = make()
    odoo.write("sale.order", order(1, "2026-11-20 12:59:00"), commit=False)
    odoo.write("sale.order", order(2, "2026-11-20 13:03:20"))
    first = await poller.poll(NOW_MS)
    odoo.commit()
    assert (first.new, (await poller.poll(NOW_MS + 30_000)).new) == (1, 1)
    assert await stored(store, keys) == ["odoo:odoo:order:2", "odoo:odoo:order:1"]


async def test_the_first_time_it_asks_for_the_last_month_and_for_what_is_open(
    odoo: FakeOdoo, make: Make, store: Redis, keys: Keys
) -> None:
    """Not for the history of ten years; but a transfer that has waited for one is waiting still."""
    odoo.write("sale.order", order(1, "2026-10-01 12:00:00", date_order="2026-10-01 12:00:00"))
    odoo.write("sale.order", order(2, "2026-11-01 12:00:00", date_order="2026-11-01 12:00:00"))
    odoo.write("stock.picking", {"id": 3, "state": "assigned", "write_date": "2019-01-01 00:00:00"})
    odoo.write("stock.picking", {"id": 4, "state": "done", "write_date": "2026-11-20 12:00:00"})
    await make().poll(NOW_MS)
    assert sorted(await stored(store, keys)) == ["odoo:odoo:order:2", "odoo:odoo:picking:3"]


async def test_after_that_it_asks_for_what_changed(odoo: FakeOdoo, make: Make, store: Redis, keys: Keys) -> None:
    """Whatever its date; from where the last process came to."""
    odoo.write("sale.order", order(1))
    await make().poll(NOW_MS)
    odoo.write("sale.order", order(2, "2026-11-20 13:03:30", date_order="2020-01-01 00:00:00"))
    odoo.write("sale.order", order(3, "2026-11-19 13:03:30"))
    await make().poll(NOW_MS + 30_000)
    since = [arguments["domain"] for model, method, arguments in odoo.asked if model == "sale.order"
             and method == "search_read"][-1]
    assert (since, await stored(store, keys)) == (
        [["write_date", ">=", "2026-11-20 12:58:20"]], ["odoo:odoo:order:1", "odoo:odoo:order:2"])


async def test_stock_is_asked_of_our_own_places_only(odoo: FakeOdoo, make: Make) -> None:
    """What customers have is no stock."""
    await make().poll(NOW_MS)
    (domain,) = [arguments["domain"] for model, method, arguments in odoo.asked if model == "stock.quant"
                 and method == "search_read"]
    assert ["location_id.usage", "=", "internal"] in domain


async def test_a_field_that_is_not_there_is_not_asked_for(
    odoo: FakeOdoo, make: Make, store: Redis, keys: Keys
) -> None:
    """Without the app Inventory an order has no delivery_status."""
    odoo.fields["sale.order"] -= {"delivery_status", "effective_date", "website_id"}
    odoo.write("sale.order", order(42))
    assert await make().poll(NOW_MS) == PollResult(1, 1, "")


async def test_a_record_that_cannot_be_read_is_set_aside_once(
    odoo: FakeOdoo, make: Make, store: Redis, keys: Keys
) -> None:
    """And stands in nobody's way."""
    poller = make()
    odoo.write("sale.order", order(1, amount_total="much"))
    odoo.write("sale.order", order(2))
    assert [(await poller.poll(NOW_MS + 60_000 * n)).new for n in range(3)] == [1, 0, 0]
    (letter,) = await store.xrange(keys.dead)
    assert letter[1][b"reason"] == b"sale.order, asked for: amount_total is not an amount: 'much'"


# --- webhooks and polls -----------------------------------------------------------------------------------------


async def test_what_a_webhook_told_of_is_not_counted_again(
    odoo: FakeOdoo, settings: Settings, clock: ManualClock, store: Redis, keys: Keys
) -> None:
    """A gap is filled, and only the gap: three orders, of which webhooks told of two."""
    told = replace(settings, sources=(SOURCE,))
    async with open_line(told, clock, store, SECRET.encode()) as line:
        for number in (1, 2, 3):
            odoo.write("sale.order", order(number))
        for number in (1, 3):
            body = orjson.dumps(sale(number) | {"effective_date": False, "website_id": False})
            await request(line.port, "POST", f"/webhooks/odoo/{TOKEN}", body, {})
        api = Json2(odoo.url, DATABASE, KEY)
        poller = OdooPoller(Odoo(SOURCE, "main"), api, store, keys, Scripts(store, keys))
        assert await poller.poll(NOW_MS) == PollResult(3, 1, "")
        await line.work()
        assert (await line.kpis())["orders-today"]["value"] == 3


# --- what goes wrong --------------------------------------------------------------------------------------------


async def test_rights_that_are_missing_are_named(odoo: FakeOdoo, make: Make) -> None:
    """What can be read is read all the same."""
    odoo.denied = {"stock.quant", "sale.order"}
    odoo.write("stock.picking", {"id": 5, "state": "assigned", "write_date": "2026-11-20 13:03:20"})
    assert await make().poll(NOW_MS) == PollResult(
        1, 1, "the key's user may not read sale.order: it needs Sales: User, All Documents; the key's user may not "
              "read stock.quant: it needs Inventory: User")


@pytest.mark.parametrize("is_old", [False, True])
async def test_an_app_that_is_not_installed_is_no_error(odoo: FakeOdoo, make: Make, is_old: bool) -> None:
    """A shop that makes nothing has no manufacturing orders."""
    del odoo.records["mrp.production"]
    odoo.write("sale.order", order(42))
    poller = make(JsonRpc(odoo.url, DATABASE, USER, KEY) if is_old else None)
    assert await poller.poll(NOW_MS) == PollResult(1, 1, "")
    asked = len([model for model, *_ in odoo.asked if model == "mrp.production"])
    await poller.poll(NOW_MS)
    assert (asked, len([model for model, *_ in odoo.asked if model == "mrp.production"])) == (1, 1)


async def test_a_key_that_is_wrong_is_told(odoo: FakeOdoo, make: Make) -> None:
    """And is not in the sentence."""
    errors = [(await make(api).poll(NOW_MS)).error for api in (
        Json2(odoo.url, DATABASE, "another-key"), JsonRpc(odoo.url, DATABASE, USER, "another-key"))]
    assert errors == [
        f"{odoo.url} ({DATABASE}) does not know this API key: make one in Odoo under Preferences → Account Security, "
        "and look at the name of the database",
        f"{odoo.url} ({DATABASE}) does not know the user {USER} with this key"]


async def test_while_odoo_is_away_it_says_so_and_goes_on_later(
    odoo: FakeOdoo, make: Make, store: Redis, keys: Keys
) -> None:
    """Nothing is skipped."""
    poller = make()
    odoo.broken = 502
    odoo.write("sale.order", order(42))
    broken = await poller.poll(NOW_MS)
    odoo.broken = 0
    assert (broken.new, "502" in broken.error, await poller.poll(NOW_MS)) == (0, True, PollResult(1, 1, ""))


async def test_where_nobody_answers_is_a_sentence(make: Make) -> None:
    """One, not one for each model."""
    found = await make(Json2("http://127.0.0.1:1", DATABASE, KEY)).poll(NOW_MS)
    assert (found.error, found.found) == (
        "127.0.0.1/json/2/sale.order/fields_get cannot be reached (Connection refused)", 0)


# --- how it is declared -----------------------------------------------------------------------------------------


def test_a_source_says_where_to_ask(tmp_path: Path, store_free: "tuple[Any, Any, Any]") -> None:
    """With a user it is asked in the old way."""
    key = tmp_path / "key"
    key.write_text(KEY + "\n")
    options = {"url": "https://shop.odoo.com/", "database": DATABASE, "key_file": str(key)}
    assert isinstance(make_api("odoo", options), Json2)
    assert isinstance(make_api("odoo", options | {"user": USER}), JsonRpc)
    poller = make_poller(replace(SOURCE, options=options | {"every": "60"}), Odoo(SOURCE, "main"), *store_free)
    assert poller is not None and (poller.name, poller.every_ms) == ("odoo", 60_000)


def test_a_source_that_says_nowhere_is_not_asked(store_free: "tuple[Any, Any, Any]") -> None:
    """Webhooks alone."""
    assert make_poller(SOURCE, Odoo(SOURCE, "main"), *store_free) is None


@pytest.fixture
def store_free() -> tuple[Any, Any, Any]:
    """Client, keys and scripts of a store that nobody connects to."""
    client = Redis()
    return client, Keys("main"), Scripts(client, Keys("main"))


@pytest.mark.parametrize("options, said", [
    ({"url": "shop.odoo.com", "database": "d", "key_file": "k"}, "to ask Odoo it needs url"),
    ({"url": "https://shop.odoo.com", "key_file": "k"}, "to ask Odoo it needs url"),
    ({"url": "https://shop.odoo.com", "database": "d", "key_file": "/nowhere"}, "cannot be read"),
    ({"url": "https://shop.odoo.com", "database": "d", "key_file": "/dev/null"}, "holds no API key"),
])
def test_what_cannot_be_asked_is_told_at_the_start(options: dict[str, str], said: str) -> None:
    """Not after a day without data."""
    with pytest.raises(SettingsError, match=said):
        make_api("odoo", options)


@pytest.mark.parametrize("every", ["9", "soon", "-30", "1.5", "100000"])
def test_a_pace_that_cannot_be_kept_is_told(tmp_path: Path, store_free: "tuple[Any, Any, Any]", every: str) -> None:
    """Odoo is not to be asked every second."""
    (tmp_path / "key").write_text(KEY)
    options = {"url": "https://shop.odoo.com", "database": "d", "key_file": str(tmp_path / "key"), "every": every}
    with pytest.raises(SettingsError, match="expected seconds"):
        make_poller(replace(SOURCE, options=options), Odoo(SOURCE, "main"), *store_free)
