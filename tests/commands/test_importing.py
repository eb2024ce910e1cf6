"""opsmon import: what it reports, what it stores, and what it refuses."""

import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from anyio import to_thread
from redis.asyncio import Redis

from opsmon.__main__ import main
from opsmon.clock import SystemClock
from opsmon.commands.appending import CHUNK, EARLIER, append
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.core.events import Event
from opsmon.settings import Settings
from opsmon.sources.csv_orders import How, read_orders
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.event_stream import GROUP, decode_entry
from opsmon.store.keys import Keys
from opsmon.store.notes import WorkerNote, note_worker
from opsmon.workers.worker import Worker
from tests.waiting import wait_until_async

pytestmark = pytest.mark.anyio

ROOT = str(Path(__file__).parents[2])
TODAY = datetime.now(UTC).date()
YESTERDAY, BEFORE = TODAY - timedelta(days=1), TODAY - timedelta(days=2)
HEADER = "order,time,quantity,price,sku,title\n"
BOATS = f"17,{BEFORE} 10:00,2,12.50,BOAT,Paper boat\n"
BACK = f"C18,{YESTERDAY} 09:00,-1,12.50,BOAT,Paper boat\n"
REPORT = f"""\
Read        2 rows of 1 file
Columns     order=order, time=time, quantity=quantity, price=price, sku=sku, title=title
Orders      1 with 1 lines
Money back  1, on days of their own
Days        {BEFORE} to {YESTERDAY}
EUR         25.00 ordered, 12.50 given back: 12.50
"""
NOTHING = "Nothing was stored: this was a dry run.\n"
Spoken = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
           server: EmbeddedStore) -> Iterator[Spoken]:
    """Run `opsmon import` in an empty folder, on the test store: its code, what it printed, what it complained."""
    for variable in [name for name in os.environ if name.startswith("OPSMON_") or name == "REDIS_URL"]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    for name, text in {"DATA": str(tmp_path), "STORE_URL": server.url, "TIMEZONE": "UTC", "CURRENCY": "EUR"}.items():
        monkeypatch.setenv(f"OPSMON_{name}", text)

    def typed(args: Sequence[str]) -> int:
        try:
            return main(["import", *args])
        except SystemExit as ended:
            return int(ended.code or 0)

    async def run(*args: str, **environment: str) -> tuple[int, str, str]:
        for name, text in environment.items():
            monkeypatch.setenv(name, text)
        code = await to_thread.run_sync(partial(typed, args))
        return code, *capsys.readouterr()

    uvicorn_level = logging.getLogger("uvicorn").level
    yield run
    logging.getLogger("uvicorn").setLevel(uvicorn_level)


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., str]:
    """Write a file in the folder; its name."""
    def write(text: str, name: str = "orders.csv") -> str:
        (tmp_path / name).write_text(text)
        return name

    return write


async def stored(store: Redis, keys: Keys) -> list[Event]:
    """What the stream holds."""
    found = [decode_entry(fields) for _, fields in await store.xrange(keys.events)]
    return [event for event in found if isinstance(event, Event)]


# --- a dry run --------------------------------------------------------------------------------------------------


async def test_a_dry_run_reports_and_stores_nothing(spoken: Spoken, csv: Callable[..., str], store: Redis) -> None:
    """Look before you leap."""
    found = await spoken(csv(HEADER + BOATS + BACK), "--cancel-prefix", "C", "--dry-run")
    assert (found, await store.keys()) == ((0, REPORT + NOTHING, ""), [])


async def test_a_dry_run_needs_no_store(spoken: Spoken, csv: Callable[..., str]) -> None:
    """It may be made anywhere."""
    code, said, _ = await spoken(csv(HEADER + BOATS), "--dry-run", OPSMON_STORE_URL="redis://127.0.0.1:1/0")
    assert (code, said.endswith(NOTHING)) == (0, True)


async def test_the_first_ten_problems_are_told_and_the_others_counted(spoken: Spoken, csv: Callable[..., str]) -> None:
    """The rest is mostly the same again."""
    rows = "".join(f"{number},soon,1,1,,\n" for number in range(12))
    code, said, _ = await spoken(csv(HEADER + rows), "--dry-run")
    lines = said.splitlines()
    assert (code, lines[4], lines[-2], len(lines)) == (
        1, "Left out    12 orders, for 12 problems:", "  … and 2 more", 17)
    assert lines[5] == ("  orders.csv, line 2: time is 'soon': expected a time such as 2011-11-27 15:04, or say how it "
                        "is written with --time-format")


async def test_each_currency_has_its_own_sum(spoken: Spoken, csv: Callable[..., str]) -> None:
    """Yen and euros are not added; a cancelled order is given back whole."""
    text = (f"order,time,total,currency,cancelled at,refunded amount\n1,{BEFORE} 10:00,1200,JPY,,\n"
            f"2,{BEFORE} 10:00,1234567.50,EUR,,0.50\n3,{BEFORE} 10:00,10,EUR,{BEFORE} 11:00,10\n")
    columns = "order=order,time=time,total=total,currency=currency,cancelled=cancelled at,refunded=refunded amount"
    _, said, _ = await spoken(csv(text), "--dry-run", "--columns", columns)
    assert said.splitlines()[5:7] == ["EUR         1,234,577.50 ordered, 10.50 given back: 1,234,567.00",
                                      "JPY         1,200 ordered, 0 given back: 1,200"]


async def test_files_that_overlap_are_told_of(spoken: Spoken, csv: Callable[..., str]) -> None:
    """So that nobody wonders about the sum."""
    text = HEADER + BOATS
    _, said, _ = await spoken(csv(text), csv(text, "again.csv"), "--dry-run")
    assert said.splitlines()[0::6] == ["Read        2 rows of 2 files",
                                       "Repeated    1 stand alike in several files, and count once"]


# --- a real one -------------------------------------------------------------------------------------------------


async def test_orders_go_into_the_stream_that_webhooks_go_into(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """Oldest first, under the name that was given."""
    found = await spoken(csv(HEADER + BACK + BOATS), "--cancel-prefix", "C", "--name", "till")
    assert found == (0, REPORT + "Stored      2 events; 0 were there already\n", "")
    assert [(event.type, event.source, event.site, event.key) for event in await stored(store, keys)] == [
        ("order.updated", "import", "main", "import:till:order:17"),
        ("refund.created", "import", "main", "import:till:order:C18")]


async def test_the_same_import_again_stores_nothing_more(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """However often one is not sure."""
    name = csv(HEADER + BOATS + BACK)
    await spoken(name)
    code, said, _ = await spoken(name)
    assert (code, said.splitlines()[-1], await store.xlen(keys.events)) == (
        0, "Stored      0 events; 2 were there already", 2)


async def test_after_a_correction_the_same_command_takes_what_was_missing(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """The good orders are there already."""
    code, said, _ = await spoken(csv(HEADER + BOATS + f"18,{BEFORE} 11:00,one,1,,\n"))
    assert (code, said.splitlines()[-2:]) == (1, [
        "Stored      1 events; 0 were there already",
        "Rows were left out: see above. Once they are right, the same command takes what is missing."])
    code, said, _ = await spoken(csv(HEADER + BOATS + f"18,{BEFORE} 11:00,1,1,,\n"))
    assert (code, said.splitlines()[-1]) == (0, "Stored      1 events; 1 were there already")
    assert [event.data["name"] for event in await stored(store, keys)] == ["17", "18"]


async def test_a_file_without_a_good_order_stores_nothing(
        spoken: Spoken, csv: Callable[..., str], store: Redis) -> None:
    """And the store is not even asked."""
    code, said, _ = await spoken(csv(HEADER + BOATS.replace("12.50", "x")))
    assert (code, said.splitlines()[-1][:20], await store.keys()) == (1, "Rows were left out: ", [])


# --- too old ----------------------------------------------------------------------------------------------------

OLD = f"1,{datetime.now(UTC) - timedelta(days=500)},1,1,,\n"
TOO_OLD = ("Too old     1 of 2 happened more than 400 days ago and would not be counted: OPSMON_KEEP_ORDERS=502d would "
           "keep them")


async def test_orders_older_than_orders_are_kept_stop_the_import_before_it_begins(
        spoken: Spoken, csv: Callable[..., str], store: Redis) -> None:
    """A year of zeros on the board would be found out much later."""
    code, said, complained = await spoken(csv(HEADER + OLD + BOATS))
    assert (code, said.splitlines()[-1]) == (1, TOO_OLD)
    assert complained == ("opsmon: nothing was stored. Raise the setting, for `opsmon up` too, or leave them uncounted "
                          "with --force\n")
    assert await store.keys() == []


async def test_the_setting_that_is_named_lets_them_in(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """As it was written."""
    code, _, _ = await spoken(csv(HEADER + OLD + BOATS), OPSMON_KEEP_ORDERS="502d")
    assert (code, await store.xlen(keys.events)) == (0, 2)


async def test_force_takes_them_all_the_same(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """The status page counts them as too old."""
    code, _, _ = await spoken(csv(HEADER + OLD + BOATS), "--force")
    assert (code, await store.xlen(keys.events)) == (0, 2)


# --- the command line -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args, said", [
    (("--name", "My Shop"), "--name 'My Shop': expected small letters, digits and hyphens, at most 32"),
    (("--currency", "euro"), "--currency 'euro': expected an ISO currency of three capital letters"),
    (("--time-format", "%Q"), "--time-format '%Q': expected a format with a year, as strptime reads it, e.g. "
                              "'%d/%m/%Y %H:%M'"),
    (("--columns", "order=number,time=time,price=price"),
     "orders.csv: --columns order=number: no such column; the file has order, time, quantity, price, sku, title"),
    (("--columns", "price"), "--columns: 'price' is no column: expected each field once, as field=header; the fields "
                             "are order, time, quantity, price, sku, title, customer, country, total, currency, "
                             "channel, cancels, cancelled, refunded"),
], ids=lambda value: value[0] if isinstance(value, tuple) else "")
async def test_a_wrong_command_line_is_a_2_that_says_what_would_be_right(
        spoken: Spoken, csv: Callable[..., str], store: Redis, args: tuple[str, ...], said: str) -> None:
    """Before anything is stored."""
    assert await spoken(csv(HEADER + BOATS), *args) == (2, "", f"opsmon: {said}\n")
    assert await store.keys() == []


async def test_no_file_is_a_2_with_the_usage(spoken: Spoken) -> None:
    """Nothing to read."""
    code, _, complained = await spoken()
    assert (code, complained.startswith("usage: opsmon import")) == (2, True)


async def test_a_file_that_is_not_there_stops_the_import(spoken: Spoken, csv: Callable[..., str], store: Redis) -> None:
    """Orders may have rows in it."""
    found = await spoken(csv(HEADER + BOATS), "more.csv")
    assert (found, await store.keys()) == ((1, "", "opsmon: more.csv cannot be read: No such file or directory\n"), [])


async def test_the_options_say_how_a_file_is_to_be_read(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """Columns, time, currency, prefix."""
    text = f"nr;tag;netto\nG1;{YESTERDAY:%d.%m.%Y} 10:00;12,50\n"
    code, _, _ = await spoken(csv(text), "--columns", "order=nr,time=tag,price=netto", "--time-format",
                              "%d.%m.%Y %H:%M", "--currency", "CHF", "--cancel-prefix", "G")
    (event,) = await stored(store, keys)
    refund = event.data["refunds"][0]
    at = datetime.combine(YESTERDAY, datetime.min.time(), UTC) + timedelta(hours=10)
    assert (code, refund["amount_minor"], refund["currency"], refund["time_ms"]) == (
        0, 1250, "CHF", round(at.timestamp() * 1000))


# --- the store, and those who count -----------------------------------------------------------------------------


def orders(count: int) -> str:
    """A file of so many orders."""
    return HEADER + "".join(f"{number},{BEFORE} 10:00,1,1,,\n" for number in range(1, count + 1))


async def test_a_store_that_is_not_there_is_said_without_its_password(spoken: Spoken, csv: Callable[..., str]) -> None:
    """With what to do."""
    code, _, complained = await spoken(csv(HEADER + BOATS), "--store", "redis://:a-password@127.0.0.1:1/0")
    assert (code, complained.partition(" did not confirm: ")[0]) == (1, "opsmon: the store at redis://…@127.0.0.1:1/0")
    assert complained.endswith(
        "Is opsmon running with this --data or --store, and is there room in the store? 0 of 1 events are stored; the "
        "same command again goes on from there, and counts nothing twice\n")


async def test_a_full_store_is_said_to_be_one(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """Nothing is half stored."""
    limit = (await store.config_get("maxmemory"))["maxmemory"]
    await store.config_set("maxmemory", "1")
    try:
        code, _, complained = await spoken(csv(HEADER + BOATS))
    finally:
        await store.config_set("maxmemory", limit)
    assert (code, " did not confirm: " in complained, "0 of 1 events are stored" in complained) == (1, True, True)
    assert await store.xlen(keys.events) == 0


async def test_without_a_worker_the_import_stops_before_the_stream_fills_up(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """Webhooks need the room; the same command goes on when somebody counts."""
    code, _, complained = await spoken(csv(orders(2_500)))
    held = await store.xlen(keys.events)
    assert (code, 1_000 < held < 2_000, complained) == (
        1, True, f"opsmon: {held:,} events wait in the stream and no worker counts them: start `opsmon up` or `opsmon "
                 f"worker`. {held:,} of 2,500 events are stored; the same command again goes on from there, and counts "
                 "nothing twice\n")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of the shop; orders are given as events here."""
    return replace(settings, timezone=ZoneInfo("UTC"))


def events(count: int, settings: Settings) -> list[Event]:
    """What a file of so many orders says."""
    how = How(SiteCalendar(settings.timezone), settings.site, currency="EUR")
    return read_orders([("orders.csv", orders(count))], how, SystemClock().now_ms()).events


async def test_the_import_goes_as_fast_as_workers_count(settings: Settings, store: Redis, keys: Keys) -> None:
    """What comes by webhook meanwhile never waits behind all of it."""
    stop, worker, waits = asyncio.Event(), Worker(store, settings, SystemClock()), []

    def tell(done: int, why: str) -> None:
        waits.append(why)

    working = asyncio.create_task(worker.run(stop))
    outcomes = await append(events(2_500, settings), settings, SystemClock(), tell)
    stop.set()
    await working
    waiting = [int(why.partition(" ")[0].replace(",", "")) for why in waits if why]
    assert (outcomes, await store.xlen(keys.events)) == ({b"event": 2_500}, 2_500)
    assert max(waiting, default=0) <= 1_500


async def test_an_import_that_was_broken_off_goes_on_where_it_was(
        settings: Settings, store: Redis, keys: Keys) -> None:
    """What was stored the first time is not even sent again."""
    whole = events(2_500, settings)
    with pytest.raises(OpsmonError):
        await append(whole, settings, SystemClock(), _nobody)
    before = await store.xlen(keys.events)
    await store.xgroup_create(keys.events, GROUP, id="$")  # by now all of them have been counted
    outcomes = await append(whole, settings, SystemClock(), _nobody)
    assert outcomes == {EARLIER: before, b"event": 2_500 - before}
    assert {event.id for event in await stored(store, keys)} == {event.id for event in whole}


async def test_an_import_that_was_done_begins_anew(settings: Settings, store: Redis, keys: Keys) -> None:
    """The same files again are looked at from the first row."""
    whole = events(20, settings)
    outcomes = [await append(whole, settings, SystemClock(), _nobody) for _ in range(2)]
    assert outcomes == [{b"event": 20}, {b"duplicate": 20}]


async def test_files_that_were_changed_in_between_are_sent_from_the_first_row(
        settings: Settings, store: Redis, keys: Keys) -> None:
    """Nobody knows where the new rows stand."""
    with pytest.raises(OpsmonError):
        await append(events(2_500, settings), settings, SystemClock(), _nobody)
    before = await store.xlen(keys.events)
    await store.xgroup_create(keys.events, GROUP, id="$")
    outcomes = await append(events(2_501, settings), settings, SystemClock(), _nobody)
    assert outcomes == {b"duplicate": before, b"event": 2_501 - before}


async def test_how_far_an_import_got_goes_with_the_store(settings: Settings, store: Redis, keys: Keys) -> None:
    """Another store, or one that lost all, has none of it."""
    with pytest.raises(OpsmonError):
        await append(events(2_500, settings), settings, SystemClock(), _nobody)
    await store.flushall()
    await store.xgroup_create(keys.events, GROUP, id="$", mkstream=True)
    whole = events(900, settings)
    assert await append(whole, settings, SystemClock(), _nobody) == {b"event": 900}


async def test_an_import_that_is_interrupted_says_how_far_it_is_and_goes_on(
        spoken: Spoken, csv: Callable[..., str], settings: Settings, store: Redis, keys: Keys, tmp_path: Path) -> None:
    """Ctrl-C, and the same command again: each order once."""
    csv(orders(5_000))
    stop, worker = asyncio.Event(), Worker(store, settings, SystemClock())
    working = asyncio.create_task(worker.run(stop))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "opsmon", "import", "orders.csv", cwd=tmp_path, env=os.environ | {"PYTHONPATH": ROOT},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    await wait_until_async(lambda: _reached(store, keys, 1_000), "the first thousand", 30)
    process.send_signal(signal.SIGINT)
    _, complained = await process.communicate()
    said_to_be = re.fullmatch(r"opsmon: interrupted\. ([\d,]+) of 5,000 events are stored; the same command again goes "
                              r"on from there, and counts nothing twice\n", complained.decode())
    code, said, _ = await spoken("orders.csv")
    stop.set()
    await working
    found = re.search(r"; ([\d,]+) by an earlier try$", said.strip())
    assert (process.returncode, code, said_to_be is None, found is None) == (130, 0, False, False), (complained, said)
    # The part that was under way may have got there.
    told, kept = (int(one[1].replace(",", "")) for one in (said_to_be, found) if one)
    assert told <= kept <= told + CHUNK
    names = [event.data["name"] for event in await stored(store, keys)]
    assert (len(names), len(set(names))) == (5_000, 5_000)


async def _reached(store: Redis, keys: Keys, count: int) -> bool:
    return int(await store.xlen(keys.events)) >= count


async def test_a_worker_that_gets_no_further_is_waited_for_and_then_told_of(
        settings: Settings, store: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives, and something is wrong with it."""
    monkeypatch.setattr("opsmon.commands.appending.PATIENCE_S", 0.2)
    await note_worker(store, keys, "worker-1", WorkerNote(SystemClock().now_ms(), 0, "rubbish"))
    with pytest.raises(OpsmonError, match="and it gets no less: `opsmon status` says why"):
        await append(events(2_500, settings), settings, SystemClock(), _nobody)


async def test_an_import_waits_while_the_stream_is_above_its_bound(
        settings: Settings, store: Redis, keys: Keys) -> None:
    """Raw events of webhooks have their place there; without a worker nobody makes room."""
    whole = events(20, settings)
    await append(whole[:10], settings, SystemClock(), _nobody)
    with pytest.raises(OpsmonError, match="0 of 10 events are stored"):
        await append(whole[10:], replace(settings, stream_memory_bytes=1_000), SystemClock(), _nobody)


def _nobody(done: int, why: str) -> None:
    """Told, and says nothing."""
