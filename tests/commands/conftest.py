"""What tests of commands share: the store they work on, and a way to do something on it beside them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from opsmon.__main__ import main
from opsmon.store.connection import worker_client
from opsmon.store.embedded import EmbeddedStore

Opsmon = Callable[..., tuple[int, str]]


def on(server: EmbeddedStore, act: Callable[[Redis], Any]) -> Any:
    """Do something on the store: a command has an event loop of its own."""
    async def run() -> Any:
        client = worker_client(server.url)
        try:
            return await act(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


@pytest.fixture
def opsmon(server: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
           capsys: pytest.CaptureFixture[str]) -> Opsmon:
    """Run `opsmon COMMAND …`, of the file's COMMAND, on an empty store: its exit code, and what it printed."""
    monkeypatch.setenv("OPSMON_TIMEZONE", "Europe/Berlin")
    on(server, lambda client: client.flushall())

    def run(*words: str) -> tuple[int, str]:
        code = main([request.module.COMMAND, *words, "--store", server.url, "--data", str(tmp_path)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run
