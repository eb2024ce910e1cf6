"""opsmon import of stock, counts and gauges, and of files that come every week: columns saved by a name."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import SystemClock
from opsmon.settings import Settings
from opsmon.store.keys import Keys
from opsmon.workers.worker import Worker
from tests.commands.test_importing import BEFORE, NOTHING, YESTERDAY, Spoken, csv, spoken, stored

__all__ = ["csv", "spoken"]
pytestmark = pytest.mark.anyio

SHOP = "nr;tag;netto\nG1;{day} 10:00;12,50\n"
GERMAN = ("--columns", "order=nr,time=tag,price=netto", "--time-format", "%d.%m.%Y %H:%M", "--currency", "CHF")


async def work(store: Redis, settings: Settings) -> None:
    """Count everything that waits."""
    worker = Worker(store, settings, SystemClock())
    aggregator = await worker.start()
    while await worker.step(aggregator, 1):
        pass


async def now_of(store: Redis, rollup: str, aggregate: str = "") -> dict[str, str]:
    """What holds now, by row; of several aggregates one."""
    (key,) = [key async for key in store.scan_iter(match=f"*:pane:*:{rollup}:n:*")]
    return {name.decode().rpartition(".")[0]: value.decode() for name, value in (await store.hgetall(key)).items()
            if name.decode().endswith(aggregate)}


# --- columns saved by a name ------------------------------------------------------------------------------------


async def test_columns_are_saved_and_used_by_name(
        spoken: Spoken, csv: Callable[..., str], store: Redis, keys: Keys) -> None:
    """With how times, currency and cancellations are read."""
    first = csv(SHOP.format(day=f"{YESTERDAY:%d.%m.%Y}"))
    _, said, _ = await spoken(first, *GERMAN, "--cancel-prefix", "X", "--save-columns", "till", "--dry-run")
    second = csv(SHOP.format(day=f"{BEFORE:%d.%m.%Y}"), "week-2.csv")
    code, _, _ = await spoken(second, "--columns-from", "till")
    (event,) = await stored(store, keys)
    assert (said.splitlines()[-2], code, event.data["currency"], event.data["total_minor"]) == (
        "Saved       how these files are read: --columns-from till", 0, "CHF", 1250)


async def test_columns_that_were_guessed_are_saved_too(spoken: Spoken, csv: Callable[..., str], tmp_path: Path) -> None:
    """As they were found, in a file that can be read and edited."""
    await spoken(csv(f"order,time,price\n1,{BEFORE},5\n"), "--save-columns", "plain", "--dry-run")
    found = orjson.loads((tmp_path / "import-columns" / "plain.json").read_bytes())
    assert found == {"table": "orders", "columns": {"order": "order", "time": "time", "price": "price"},
                     "time_format": "", "currency": None, "cancel_prefix": None}


async def test_what_is_saved_is_listed(spoken: Spoken, csv: Callable[..., str]) -> None:
    """In a line each."""
    nothing = await spoken("--list-columns")
    await spoken(csv(SHOP.format(day=f"{YESTERDAY:%d.%m.%Y}")), *GERMAN, "--save-columns", "till", "--dry-run")
    await spoken(csv("sku,stock\nKITE,5\n"), "--as", "stock", "--save-columns", "hall", "--dry-run")
    assert (nothing, await spoken("--list-columns")) == (
        (0, "No columns are saved: opsmon import FILE --save-columns NAME does.\n", ""),
        (0, "hall        stock: sku=sku, available=stock\n"
            "till        orders: order=nr, time=tag, price=netto, --time-format '%d.%m.%Y %H:%M', --currency 'CHF'\n",
         ""))


async def test_a_kind_of_table_is_saved_with_its_columns(spoken: Spoken, csv: Callable[..., str]) -> None:
    """And need not be said again."""
    name = csv("Artikel,Bestand\nKITE,5\n")
    columns = ("--columns", "sku=Artikel,available=Bestand", "--save-columns", "hall", "--dry-run")
    await spoken(name, "--as", "stock", *columns)
    code, said, _ = await spoken(name, "--columns-from", "hall", "--dry-run")
    assert (code, said.splitlines()[2]) == (0, "Stock       1 levels in 1 place, 5 pieces")


@pytest.mark.parametrize("args, code, said", [
    (("--columns-from", "till"), 1, "no columns are saved as till; saved are hall"),
    (("--columns-from", "../hall"), 1, "no columns are saved as ../hall; saved are hall"),
    (("--columns-from", "hall", "--columns", "sku=sku"), 2, "--columns and --columns-from: expected one of them"),
    (("--columns-from", "hall", "--as", "counts"), 2, "--as counts: what is saved as hall is for stock"),
    (("--save-columns", "../x"), 2,
     "--save-columns '../x': expected small letters, digits and hyphens, at most 32"),
    (("--columns-from", "broken"), 1, "{folder}/import-columns/broken.json is no file of saved columns: save them "
                                      "again with --save-columns broken"),
])
async def test_what_is_wrong_with_a_name_is_said(
        spoken: Spoken, csv: Callable[..., str], tmp_path: Path, args: tuple[str, ...], code: int, said: str) -> None:
    """Before anything is stored."""
    name = csv("sku,stock\nKITE,5\n")
    await spoken(name, "--as", "stock", "--save-columns", "hall", "--dry-run")
    if "broken" in args:
        (tmp_path / "import-columns" / "broken.json").write_text('{"table": "orders", "columns": 5}')
    found = await spoken(name, *args)
    assert found == (code, "", f"opsmon: {said.format(folder=tmp_path)}\n")


async def test_files_of_different_columns_are_not_saved_under_one_name(
        spoken: Spoken, csv: Callable[..., str]) -> None:
    """Which of them would it be?"""
    files = csv("sku,stock\nKITE,5\n"), csv("sku,qty\nKITE,5\n", "more.csv")
    code, _, complained = await spoken(*files, "--as", "stock", "--save-columns", "hall", "--dry-run")
    assert (code, complained) == (
        2, "opsmon: --save-columns: the files have different columns; save those of one file\n")


# --- stock ------------------------------------------------------------------------------------------------------


async def test_stock_is_what_the_last_file_says(
        spoken: Spoken, csv: Callable[..., str], store: Redis, settings: Settings) -> None:
    """Five, then three, then five again: five, and not what was there already."""
    for available in (5, 3, 5):
        await spoken(csv(f"sku,location,available\nKITE,hall,{available}\nBOAT,,7\n"), "--as", "stock")
        await work(store, settings)
    assert await now_of(store, "stock", ".s") == {"KITE|hall": "5", "BOAT|": "7"}


async def test_a_dry_run_of_stock_says_what_it_comes_to(spoken: Spoken, csv: Callable[..., str]) -> None:
    """With what cannot be taken, and why."""
    text = "sku,location,available\nKITE,hall,5\nKITE,yard,2\nBOAT,hall,many\n,hall,1\nKITE,hall,6\n"
    assert await spoken(csv(text), "--as", "stock", "--dry-run") == (1, (
        "Read        5 rows of 1 file\n"
        "Columns     sku=sku, available=available, location=location\n"
        "Stock       2 levels in 2 places, 7 pieces\n"
        "Left out    3 rows, for 3 problems:\n"
        "  orders.csv, line 4: available is 'many': expected a whole number up to 1000000\n"
        "  orders.csv, line 5: sku is '': expected 1 to 48 printable characters\n"
        "  orders.csv, line 6: says something else of KITE at hall than a row above it: expected one row of each\n"
        f"{NOTHING}"), "")


# --- counts and gauges ------------------------------------------------------------------------------------------


async def test_counts_add_up_and_a_correction_replaces_them(
        spoken: Spoken, csv: Callable[..., str], store: Redis, settings: Settings) -> None:
    """Two tills in a file; the file again; the file with a number put right."""
    for value in (3, 3, 4):
        text = f"time,name,value\n{BEFORE} 10:00,parcels,2\n{BEFORE} 10:00,parcels,{value}\n"
        await spoken(csv(text), "--as", "counts")
        await work(store, settings)
    found = [await store.hgetall(key) async for key in store.scan_iter(match="*:pane:*:counters:d:*")]
    assert [int(value) for panes in found for value in panes.values()] == [6]


async def test_a_dry_run_of_counts_says_the_sum_of_each(spoken: Spoken, csv: Callable[..., str]) -> None:
    """The largest first."""
    text = f"Date,Name,Value\n{BEFORE} 10:00,parcels,1200\n{YESTERDAY} 10:00,parcels,50\n{YESTERDAY} 10:00,returns,7\n"
    _, said, _ = await spoken(csv(text), "--as", "counts", "--dry-run")
    assert said.splitlines()[2:6] == ["Counts      3", f"Days        {BEFORE} to {YESTERDAY}", "  parcels: 1,250",
                                      "  returns: 7"]


async def test_files_of_counts_that_overlap_count_once_or_are_told_of(spoken: Spoken, csv: Callable[..., str]) -> None:
    """Alike is the same; otherwise the first holds."""
    one, more = f"time,name,value\n{BEFORE} 10:00,parcels,", f"{BEFORE} 11:00,parcels,1\n"
    files = csv(one + "2\n" + more), csv(one + "3\n" + more, "b.csv")
    code, said, _ = await spoken(*files, "--as", "counts", "--dry-run")
    assert (code, said.splitlines()[4:8]) == (1, [
        "  parcels: 3", "Repeated    1 stand alike in several files, and count once",
        "Left out    1 rows, for 1 problems:",
        f"  b.csv, line 1: the file says something else of parcels at {BEFORE} 10:00 than orders.csv, which holds"])


async def test_the_newest_row_of_a_gauge_holds(
        spoken: Spoken, csv: Callable[..., str], store: Redis, settings: Settings) -> None:
    """Whatever order the rows have."""
    text = f"time;name;value\n{YESTERDAY} 10:00;cold room;-18,5\n{BEFORE} 10:00;cold room;-20\n"
    code, _, _ = await spoken(csv(text), "--as", "gauges")
    await work(store, settings)
    found = await now_of(store, "gauges")
    assert (code, [text.partition(":")[2] for text in found.values()]) == (0, ["-18500"])


async def test_counts_that_are_older_than_what_is_remembered_stop_the_import(
        spoken: Spoken, csv: Callable[..., str], store: Redis) -> None:
    """As orders do."""
    code, said, _ = await spoken(csv("time,name,value\n2020-01-01 10:00,parcels,2\n"), "--as", "counts")
    assert (code, said.splitlines()[-1][:29], await store.keys()) == (1, "Too old     1 of 1 happened m", [])


async def test_columns_that_are_missing_are_named_for_the_kind_of_table(
        spoken: Spoken, csv: Callable[..., str]) -> None:
    """With what to write."""
    assert await spoken(csv("a,b\n1,2\n"), "--as", "stock") == (2, "", (
        "opsmon: orders.csv: no column is known to hold sku, available: say it with --columns sku=…,available=…; the "
        "file has a, b\n"))
