"""A tap on the socket of a store: a real process dies of SIGKILL at the command that is named, before it is done or
after, when nobody has heard of it yet."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path


class Points:
    """Counts what a process does, from when it is armed; at point `at` it is killed, once."""

    def __init__(self) -> None:
        self.at, self.count, self.kills = 0, 0, 0
        self.kill: Callable[[], None] = lambda: None
        self.met: list[str] = []

    def arm(self, at: int, kill: Callable[[], None]) -> None:
        """From now on, the point number `at` is the last, from 1."""
        self.at, self.count, self.kill = at, 0, kill

    def reach(self, where: str) -> bool:
        """One more point; whether the process is dead."""
        self.count += 1
        if self.count == self.at:
            self.at = 0
            self.kill()
            self.kills += 1
            self.met.append(where)
            return True
        return False

    def note(self, where: str) -> None:
        """One more point, of somebody who need not know."""
        self.reach(where)


@asynccontextmanager
async def tapped(store: Path, tap: Path, points: Points, counts: Callable[[bytes], bool]) -> AsyncIterator[str]:
    """A socket that leads to the store's, and its URL. Of the requests that `counts` says, two points each: before the
    store has it, and before its answer is heard."""
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_unix_connection(str(store))
        dies = asyncio.Event()
        back = asyncio.create_task(_answers(upstream, writer, points, dies))
        with suppress(ConnectionError):
            while asked := await reader.read(2**20):
                if counts(asked):
                    word = _word(asked)
                    if points.reach(f"before {word}"):
                        break
                    # Counted now, done when the answer comes: other connections count meanwhile.
                    if points.at and points.count + 1 == points.at:
                        dies.set()
                    else:
                        points.reach(f"after {word}")
                downstream.write(asked)
                await downstream.drain()
        if not dies.is_set():
            back.cancel()
        downstream.close()
        writer.transport.abort()

    server = await asyncio.start_unix_server(serve, str(tap))
    try:
        yield f"unix://{tap}"
    finally:
        server.close()


async def _answers(upstream: asyncio.StreamReader, writer: asyncio.StreamWriter, points: Points, dies: asyncio.Event
                   ) -> None:
    with suppress(ConnectionError):
        while answer := await upstream.read(2**20):
            if dies.is_set() and points.reach("after it was done"):
                return
            writer.write(answer)
            await writer.drain()


def _word(asked: bytes) -> str:
    parts = asked.split(b"\r\n", 3)
    return parts[2].decode("ascii", "replace") if len(parts) > 2 else "?"
