"""A store of a newer opsmon is left alone, with a sentence; one of an older opsmon is brought up to date in place."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from opsmon.__main__ import main
from opsmon.core.errors import NewerStore
from opsmon.core.schema import SCHEMA
from opsmon.settings import Settings
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.store.meta import read_meta
from opsmon.store.schema import STEPS, bring_up
from opsmon.store.server_binary import find_server
from tests.line import Line
from tests.orders import order

pytestmark = pytest.mark.anyio

SENTENCE = (f"This store was written by a newer opsmon (its schema is 99, this one knows {SCHEMA}). Install that "
            "version again, or restore a backup of before.")


async def written_down(store: Redis, keys: Keys) -> bytes | None:
    """The schema that the store is marked with."""
    found: bytes | None = await store.hget(keys.meta, "schema")
    return found


async def test_a_worker_marks_a_new_store(line: Line, store: Redis, keys: Keys) -> None:
    """With the schema it writes."""
    assert await written_down(store, keys) == b"%d" % SCHEMA


async def test_there_is_a_step_to_each_schema() -> None:
    """From the first that was ever written."""
    assert len(STEPS) == SCHEMA


async def test_an_older_store_is_brought_up_step_by_step(store: Redis, keys: Keys) -> None:
    """Only what is missing is done, in order, and written down after each."""
    done: list[tuple[int, bytes | None]] = []

    def step(number: int) -> Callable[[Redis, Keys], Any]:
        async def act(client: Redis, found: Keys) -> None:
            done.append((number, await written_down(client, found)))

        return act

    await store.hset(keys.meta, "schema", "0")
    await bring_up(store, keys, [step(1)])
    await bring_up(store, keys, [step(1)])
    assert (done, await written_down(store, keys)) == ([(1, b"0")], b"1")


async def test_what_was_counted_before_the_schema_was_written_down_stays(line: Line, store: Redis, keys: Keys) -> None:
    """The first schema only gives a name to what was there."""
    await line.post("orders/create", order(1, "10.00"))
    await line.work()
    await store.hdel(keys.meta, "schema")
    await line.worker.start()
    assert await written_down(store, keys) == b"%d" % SCHEMA
    assert (await line.kpis())["orders-today"]["value"] == 1


async def test_a_newer_store_is_never_marked_as_older(store: Redis, keys: Keys) -> None:
    """Not even by a process that looked before the newer one came."""
    async def meanwhile(client: Redis, found: Keys) -> None:
        await client.hset(found.meta, "schema", "99")

    await bring_up(store, keys, [meanwhile])
    assert await written_down(store, keys) == b"99"
    with pytest.raises(NewerStore):
        await read_meta(Reader(store), keys)


@pytest.mark.parametrize("command", [
    ["worker"], ["web"], ["ingest"], ["verify"], ["status"], ["explain", "orders-today"], ["people", "list"],
    ["boards", "list"], ["privacy", "list"], ["backup", "/nowhere/a.tar.gz"],
], ids=lambda words: words[0])
async def test_every_process_refuses_a_newer_store(
    server: EmbeddedStore, store: Redis, keys: Keys, tmp_path: Path, command: list[str],
    capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and exit code 1; nothing is written."""
    await store.hset(keys.meta, "schema", "99")
    words = [*command, "--store", server.url, "--data", str(tmp_path)]
    if command[0] in ("worker", "web", "ingest"):
        # They handle signals, which only a main thread may.
        port = ["--port", "18999"] if command[0] != "worker" else []
        ended = await asyncio.to_thread(subprocess.run, [sys.executable, "-m", "opsmon", *words, *port],
                                        capture_output=True, text=True, timeout=60, check=False)
        code, said = ended.returncode, ended.stderr
    else:
        code = await asyncio.to_thread(main, words)
        said = capsys.readouterr().err
    assert (code, said) == (1, f"opsmon: {SENTENCE}\n")
    assert [name async for name in store.scan_iter()] == [keys.meta.encode()]


def test_up_does_not_start_on_a_newer_store(tmp_path: Path) -> None:
    """It ends, instead of starting its children again and again; the store stops with it."""
    data = DataDir(tmp_path)
    data.make()
    store = EmbeddedStore(data, find_server(), 64 * 1024 * 1024)
    store.start()

    async def mark() -> None:
        async with Redis.from_url(store.url) as client:
            await client.hset(Keys("main").meta, "schema", "99")

    asyncio.run(mark())
    store.stop()
    ended = subprocess.run([sys.executable, "-m", "opsmon", "up", "--data", str(tmp_path), "--port", "18998"],
                           capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (1, f"opsmon: {SENTENCE}")


async def test_boards_that_run_say_that_the_store_is_newer(line: Line, store: Redis, keys: Keys, settings: Settings
                                                           ) -> None:
    """A newer opsmon took it over meanwhile: 503, and a sentence in place of numbers read wrongly."""
    await store.hset(keys.meta, "schema", "99")
    answer = await line.get("/api/kpis")
    assert (answer.status, answer.json) == (503, {
        "error": "The store was written by a newer opsmon than this one. "
                 "Whoever runs it can install that version again."})


async def test_a_worker_that_runs_ends(line: Line, store: Redis, keys: Keys) -> None:
    """As soon as it has to look again: whoever runs it is told why."""
    await store.hset(keys.meta, "schema", "99")
    with pytest.raises(NewerStore):
        await line.worker.run(asyncio.Event())
