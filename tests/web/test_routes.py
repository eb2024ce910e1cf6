"""The table of all addresses: it is what it was, and each door takes as much as it says."""

import asyncio
import difflib
from contextlib import suppress
from pathlib import Path

import pytest

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from opsmon.store.data_dir import DataDir
from opsmon.web.changing import PER_ACCOUNT, PER_ADDRESS
from opsmon.web.route_table import Row, lines_of, route_table
from tests.conftest import NOW_MS
from tests.http import request, sealed
from tests.line import Line
from tests.web.accounts.accounts import KEYS, signed_in

pytestmark = pytest.mark.anyio

KNOWN = Path(__file__).parent / "routes.txt"
EXAMPLES = {"{board}": "operations", "{source}": "shopify", "{token}": "a-token",
            "{name}": "events", "{id}": "orders-today", "{secret}": "x"}
TAKING = [row for row in route_table() if row.most_bytes]
FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


def changing(row: Row) -> str:
    """How something is sent there."""
    return next(method for method in ("POST", "PUT") if method in row.methods)


def example(row: Row) -> str:
    path = row.path
    for name, value in EXAMPLES.items():
        path = path.replace(name, value)
    return path


def test_every_address_is_known() -> None:
    """A new one, or a wider one, is looked at: python -m opsmon routes > tests/web/routes.txt."""
    assert list(difflib.unified_diff(KNOWN.read_text().splitlines(), list(lines_of(route_table())), lineterm="")) == []


def test_only_machines_pairing_and_links_of_alerts_are_on_the_port_for_the_internet() -> None:
    """Everything else is on that of the boards."""
    assert {row.path for row in route_table() if row.side == "public"} - {"/livez", "/static/{build}/{file}"} == {
        row.path for row in route_table() if row.path.startswith(("/webhooks", "/ingest", "/collect", "/pair", "/pixel",
                                                                  "/shopify-pixel", "/a/{token}"))}


async def head_of(line: Line, row: Row, secret: str = "") -> dict[str, str]:
    """How an admin, or a machine, asks there."""
    cookie = {"cookie": await signed_in(line.store, "admin", NOW_MS)} if row.side == "internal" else {}
    token = {"authorization": f"Bearer {secret}"} if row.path == "/ingest/events" else {}
    return {"host": "127.0.0.1", **FORM, **cookie, **token}


async def answered(port: int, head: list[str], pieces: int) -> tuple[int, dict[str, str]]:
    """Send a head and so many chunks of 64 KiB, until there is an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*head, "", ""]).encode())

    async def chunks() -> None:
        with suppress(OSError):
            for _ in range(pieces):
                writer.write(b"10000\r\n" + b"a" * 65536 + b"\r\n")
                await writer.drain()

    sending = asyncio.create_task(chunks())
    try:
        said = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
    finally:
        sending.cancel()
        writer.close()
    first, *lines = said.strip().split("\r\n")
    return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines)


@pytest.mark.parametrize("row", TAKING, ids=lambda row: row.path)
@pytest.mark.parametrize("told", [True, False], ids=["said before", "in chunks"])
async def test_a_door_takes_no_more_than_its_table_says(line: Line, settings: Settings, row: Row, told: bool) -> None:
    """However the length is told. /collect answers everybody the same, and counts it."""
    length = f"content-length: {row.most_bytes + 1}" if told else "transfer-encoding: chunked"
    secret = DataDir(settings.data).test_secret()
    head = [f"{name}: {value}" for name, value in (await head_of(line, row, secret)).items()]
    status, headers = await answered(line.port, [f"{changing(row)} {example(row)} HTTP/1.1", *head, length],
                                     0 if told else row.most_bytes // 65536 + 1)
    assert (status, headers["connection"]) == (204 if row.path == "/collect" else 413, "close")


@pytest.mark.parametrize("row", [row for row in TAKING if row.side == "internal"], ids=lambda row: row.path)
async def test_a_form_of_just_that_size_is_read(line: Line, row: Row) -> None:
    """It is refused for what it says, if at all."""
    answer = await request(line.port, changing(row), example(row), b"a" * row.most_bytes, {
        **await head_of(line, row), "x-csrf": ""})
    assert answer.status == 403


# How often


async def spend(line: Line, what: str, tries: int) -> None:
    """So many tries were just taken."""
    await line.store.hset(KEYS.tries(what), mapping={"level": tries, "at": NOW_MS})
    await line.store.pexpire(KEYS.tries(what), 600_000)


async def test_an_account_changes_only_so_much_in_a_while(line: Line, clock: ManualClock) -> None:
    """More than hands can; then it is told when to go on, and others go on meanwhile."""
    cookie = await signed_in(line.store, "operator", NOW_MS)
    headers = sealed({"cookie": cookie, "sec-fetch-site": "same-origin"})
    most, each_ms = PER_ACCOUNT
    # As if it had done all but one of them: a bucket's level.
    await spend(line, "changes-by:person:operator", most - 1)
    statuses = [(await request(line.port, "POST", "/enter", b"", headers)).status for _ in range(2)]
    assert statuses == [415, 429]
    clock.advance(each_ms)
    assert (await request(line.port, "POST", "/enter", b"", headers)).status == 415
    other = sealed({"cookie": await signed_in(line.store, "admin", NOW_MS), "sec-fetch-site": "same-origin"})
    assert (await request(line.port, "POST", "/enter", b"", other)).status == 415


async def test_an_address_changes_only_so_much_in_a_while(line: Line) -> None:
    """Whoever sits there; the answer says when to come back, to whom it is a program too."""
    most, each_ms = PER_ADDRESS
    await spend(line, "changes-from:192.0.2.1", most)
    headers = {"sec-fetch-site": "same-origin", "x-forwarded-for": "192.0.2.1",
               "cookie": await signed_in(line.store, "admin", NOW_MS)}
    answer = await request(line.port, "POST", "/logout", b"", headers)
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert (await request(line.port, "POST", "/logout", b"", headers | {"x-forwarded-for": "192.0.2.2"})).status == 303
    assert each_ms <= 1000
