"""A store of a test's own, which may be stopped and started again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.server_binary import find_server


@contextmanager
def own_store(folder: Path) -> Iterator[EmbeddedStore]:
    """Started; stopped in the end, whatever happened to it."""
    data = DataDir(folder / "d")
    data.make()
    store = EmbeddedStore(data, find_server(), 64 * 1024 * 1024)
    store.start()
    try:
        yield store
    finally:
        store.stop()
