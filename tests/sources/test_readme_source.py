"""The source that the README shows is one: it is taken from there, registered, heard, and not to be fooled."""

import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from opsmon.sources.base import SourceKind
from opsmon.sources.declared import read_sources
from opsmon.sources.kinds import KINDS
from opsmon.store.keys import Keys
from tests.conftest import NOW_MS, SECRET
from tests.http import Answer, request
from tests.line import Line, open_line

pytestmark = pytest.mark.anyio

README = (Path(__file__).parents[2] / "README.md").read_text()
SECTION = README.partition("\n## Add a source\n")[2].partition("\n## ")[0]
TABLE = {"name": "carrier", "kind": "parcels", "secrets": SECRET}
SCAN = b'{"scan":"s-1","parcel":"00340434161094042557","at":"2026-11-20T13:03:20Z","depot":"Leipzig"}'


@pytest.fixture
def parcels(monkeypatch: pytest.MonkeyPatch) -> SourceKind:
    """The class of the README, registered as the README says."""
    (code,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    namespace: dict[str, SourceKind] = {}
    exec(compile(code, "README.md", "exec"), namespace)
    (name, of), = re.findall(r'`"(\w+)": (\w+)` to `KINDS`', SECTION)
    monkeypatch.setitem(KINDS, name, namespace[of])
    return namespace[of]


@pytest.fixture
async def line(parcels: SourceKind, settings: Settings, clock: ManualClock, store: Redis) -> AsyncIterator[Line]:
    """The whole line, with a carrier declared as in opsmon.toml."""
    declared, problems = read_sources([TABLE], str)
    assert problems == []
    async with open_line(replace(settings, sources=declared), clock, store, SECRET.encode()) as opened:
        yield opened


async def scanned(line: Line, body: bytes, signed: bytes | None = None) -> Answer:
    """Deliver a scan, as the carrier does, or with the signature of another body."""
    signature = hmac.digest(SECRET.encode(), body if signed is None else signed, "sha256").hex()
    return await request(line.port, "POST", "/webhooks/carrier", body, {"x-parcel-signature": signature})


async def test_a_delivery_becomes_an_event(line: Line, keys: Keys) -> None:
    """About a parcel, at the time of the scan."""
    assert (await scanned(line, SCAN)).status == 200
    ((_, entry),) = await line.store.xrange(keys.events)
    assert json.loads(entry[b"e"]) == [
        "carrier:s-1", "parcel.scanned", 1_795_179_800_000, NOW_MS, "carrier", "main", "carrier:00340434161094042557",
        None, {"depot": "Leipzig"}]


async def test_a_forged_delivery_is_refused(line: Line, keys: Keys) -> None:
    """And nothing of it is stored."""
    answer = await scanned(line, SCAN, b"another body")
    assert (answer.status, answer.text) == (401, "The signature matches no secret.\n")
    assert await line.store.xlen(keys.events) == 0


async def test_the_same_scan_twice_is_one_and_an_odd_one_is_a_dead_letter(line: Line, keys: Keys) -> None:
    """The carrier is told 200 all the same."""
    answers = [await scanned(line, body) for body in (SCAN, SCAN, b"{}", b'{"scan":7}', b"rubbish")]
    assert [answer.status for answer in answers] == [200] * 5
    assert (await line.store.xlen(keys.events), await line.store.xlen(keys.dead)) == (1, 3)


async def test_it_says_how_it_is_connected(parcels: SourceKind) -> None:
    """In three to five steps, with a place for the address."""
    assert (3 <= len(parcels.steps) <= 5, " ".join(parcels.steps).count("{url}")) == (True, 1)


async def test_the_section_is_short() -> None:
    """A newcomer reads it in a minute."""
    assert len(SECTION.strip().splitlines()) <= 50
