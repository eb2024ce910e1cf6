"""An archivist that is killed (SIGKILL) at its first step, then one at its second, and so on: a program.

Arguments: the store's URL, the folder, from which step to which, and in what strides. A step is a statement of SQLite
or a command to the store. Before each life a few lines more have come. Prints how many lives ended by the signal.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import redis
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.store.alerts.archive import Archive
from opsmon.store.keys import Keys
from opsmon.workers.archiving import Archivist
from tests.store.alert_lines import KEYS, lines

# Four months; each life finds so many new ones.
ALL, EACH = lines(3_000), 24
MOST_LINES = 60


class Life:
    """Counts what a process does, and ends it."""

    def __init__(self, ends_at: int) -> None:
        self.left = ends_at

    def step(self, _: object = None) -> None:
        """One step more."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Counted(Redis):
    """A client whose commands are steps."""

    life: Life

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One before it, one after it."""
        self.life.step()
        found = await super().execute_command(*args, **options)
        self.life.step()
        return found


async def archive_once(url: str, folder: str, life: Life) -> None:
    """Copy and trim, or die."""
    connect = sqlite3.connect

    def watched(*args: Any, **options: Any) -> sqlite3.Connection:
        made = connect(*args, **options)
        made.set_trace_callback(life.step)
        return made

    sqlite3.connect = watched  # type: ignore[assignment]
    client = Counted.from_url(url)
    client.life = life
    clock = ManualClock(int(ALL[-1][0].partition("-")[0]))
    await Archivist(client, Keys("main"), Archive(Path(folder)), clock, MOST_LINES).run_once()


def main(url: str, folder: str, first: int, last: int, stride: int) -> None:
    """Die again and again."""
    killed, come = 0, 0
    for ends_at in range(first, last, stride):
        with redis.Redis.from_url(url) as client:
            for entry_id, fields in ALL[come : come + EACH]:
                client.xadd(KEYS.alert_log, fields, id=entry_id)  # type: ignore[arg-type]
        come += EACH
        pid = os.fork()
        if pid == 0:
            asyncio.run(archive_once(url, folder, Life(ends_at)))
            os._exit(0)
        killed += os.waitpid(pid, 0)[1] == signal.SIGKILL
    print(killed, come)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
