"""What tests share: a real store, a clock that stands still, and the whole line in one process."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.settings import Settings, load
from opsmon.store.connection import worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.store.server_binary import find_server
from tests.key_lives import immortal_strangers
from tests.line import Line, open_line

# Friday 2026-11-20, 14:03:22 in Berlin.
NOW_MS = 1_795_179_802_000
SECRET = "a-secret-of-the-shop"

# A few examples while working, many before a change is accepted.
hypothesis.settings.register_profile("here", max_examples=40, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=300, deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedStore]:
    """The real embedded store, once for all tests."""
    with tempfile.TemporaryDirectory(prefix="opsmon-test-") as folder:
        data = DataDir(Path(folder))
        data.make()
        store = EmbeddedStore(data, find_server(), 256 * 1024 * 1024)
        store.start()
        yield store
        store.stop()


@pytest.fixture
async def store(server: EmbeddedStore) -> AsyncIterator[Redis]:
    """A client of the real store, empty. Afterwards no key may live for ever that keys.py does not say so of."""
    client = worker_client(server.url)
    await client.flushall()
    yield client
    strangers = await immortal_strangers(client)
    await client.aclose()
    assert strangers == []


@pytest.fixture
def keys() -> Keys:
    """The keys of the site that tests use."""
    return Keys("main")


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at Friday 2026-11-20, 14:03:22 in Berlin."""
    return ManualClock(NOW_MS)


@pytest.fixture
def settings(server: EmbeddedStore, tmp_path: Path) -> Settings:
    """Settings of a shop in Berlin, on the test store."""
    return load({}, overrides={
        "store_url": server.url, "data": str(tmp_path), "timezone": "Europe/Berlin",
        "shopify_secrets": SECRET, "worker_name": "worker-1",
    })


@pytest.fixture
async def line(settings: Settings, clock: ManualClock, store: Redis) -> AsyncIterator[Line]:
    """The whole line: a web server on a free port and a worker, on the real store."""
    async with open_line(settings, clock, store, SECRET.encode()) as opened:
        yield opened
