"""Command: take deliveries of senders who never send again. While the store is away they wait on this disk.

Odoo waits 1 s for an answer and never sends again (odoo/addons/base/models/ir_actions.py). So the store has
0.4 s; then a delivery is written to a file, synced, and brought to the stream once the store is back. As long
as anything waits, what comes goes behind it: order is kept. Bringing may be repeated, for the marks of
deliveries that were taken make duplicates of what came before; so nothing is forgotten before the store has
confirmed it. Files are written by one thread, never by the event loop; those that wait together share one sync.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import orjson

from opsmon.clock import Clock
from opsmon.core.errors import StoreUnavailable
from opsmon.store.appender import Appender
from opsmon.store.scripts import Taken
from opsmon.store.spool_file import SpoolFile, abandoned, make

log = logging.getLogger("opsmon.spool")

T = TypeVar("T")

# How long the store has, and then the disk: an answer is there within Odoo's second.
STORE_DEADLINE_S, DEADLINE_S = 0.4, 0.9
MOST_BYTES = 64 * 1024 * 1024
# One call of the store's script: as much as of a body of events.
_BATCH, _BATCH_BYTES = 250, 256 * 1024
_TRY_AGAIN_S = 0.5
_LOOK_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What waits on the disk of this process: how many, their bytes, since when (epoch ms; None: nothing waits),
    and how many were brought to the store since the process began."""

    waiting: int
    size_bytes: int
    since_ms: int | None
    brought: int


@dataclass(slots=True)
class _Kept:
    records: list[bytes]
    answer: "asyncio.Future[None]"


Tell = Callable[[SpoolState], Awaitable[None]]


class Spool:
    """Takes deliveries into the store or, while it is away, onto the disk. Nothing is made before it is needed."""

    def __init__(self, folder: Path, appender: Appender, clock: Clock, tell: Tell | None = None,
                 most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._appender, self._clock, self._tell = folder, appender, clock, tell
        self._most_bytes = most_bytes
        self._own: SpoolFile | None = None
        self._left: list[SpoolFile] = []
        self._queue: list[_Kept] = []
        self._writing: asyncio.Task[None] | None = None
        self._came = asyncio.Event()
        self._waiting, self._queued_bytes, self._brought = 0, 0, 0
        self._since_ms: int | None = None
        # One thread: what it does to a file it does in the order it was asked.
        self._disk = ThreadPoolExecutor(1, "opsmon-spool")

    @property
    def state(self) -> SpoolState:
        """What waits now."""
        return SpoolState(self._waiting, self._size_bytes(), self._since_ms, self._brought)

    async def take(self, batch: Sequence[Taken]) -> list[str]:
        """Take deliveries that came together: event, dead, not_used, duplicate or spooled, for each.

        May be repeated. Raises StoreUnavailable when they are neither in the store nor on the disk for sure.
        """
        until_s = asyncio.get_running_loop().time() + DEADLINE_S
        if not self._waiting:
            with suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(STORE_DEADLINE_S):
                    if len(batch) == 1:
                        return [await self._appender.append(batch[0])]
                    return [outcome.decode() for outcome in await self._appender.append_batch(batch)]
        await self._keep([pack(taken) for taken in batch], until_s)
        return ["spooled"] * len(batch)

    async def run(self) -> None:
        """Bring what waits, here and in the files of processes that are gone, for ever."""
        while True:
            try:
                await self.bring()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._came.wait(), _LOOK_EVERY_S)
                self._came.clear()
            except StoreUnavailable:
                await asyncio.sleep(_TRY_AGAIN_S)
            except OSError as error:
                log.error("%s cannot be read: %s", self._folder, error.strerror)
                await asyncio.sleep(_LOOK_EVERY_S)

    async def bring(self) -> int:
        """Bring all that waits to the store, in order; how many. May be repeated.

        Raises StoreUnavailable or OSError; what was not confirmed by then still waits.
        """
        before = self._brought
        for file in await self._on_disk(abandoned, self._folder):
            self._left.append(file)
            self._note_waiting(file.count)
        while self._left:
            await self._bring_file(self._left[0])
            await self._on_disk(self._left.pop(0).remove)
        while self._waiting:
            # What is being written now is read after it: the thread does one after the other.
            own = await self._on_disk(self._file)
            await self._bring_file(own)
            if await self._on_disk(own.is_unreadable):
                await self._give_up(own)
        if self._brought > before:
            log.warning("the store is back: %d deliveries were brought to it from the disk", self._brought - before)
            if self._tell:
                await self._tell(self.state)
        return self._brought - before

    async def close(self) -> None:
        """Finish what is being written and let go of the files; what waits, the next process brings."""
        while self._writing:
            await asyncio.wait([self._writing])
        for file in (*self._left, *([self._own] if self._own else [])):
            with suppress(OSError):
                await self._on_disk(file.remove)
        self._disk.shutdown()

    async def _bring_file(self, file: SpoolFile) -> None:
        while records := await self._on_disk(file.oldest, _BATCH, _BATCH_BYTES):
            batch = [_promised(taken) for taken in map(unpack, records) if taken is not None]
            if batch:
                await self._appender.append_batch(batch)
            await self._on_disk(file.forget, records)
            self._brought += len(records)
            self._note_waiting(-len(records))

    async def _give_up(self, file: SpoolFile) -> None:
        log.error("%s: %d deliveries cannot be read back and are set aside", file.path, file.count)
        self._own = None
        self._note_waiting(-file.count)
        await self._on_disk(file.set_aside)

    async def _keep(self, records: list[bytes], until_s: float) -> None:
        size = sum(map(len, records))
        if self._size_bytes() + size > self._most_bytes:
            raise StoreUnavailable(f"{self._folder} holds {self._most_bytes // 1024**2} MB: no more is kept there")
        if not self._waiting:
            log.warning("the store does not confirm: deliveries that are sent only once wait in %s", self._folder)
        kept = _Kept(records, asyncio.get_running_loop().create_future())
        self._queue.append(kept)
        self._queued_bytes += size
        self._note_waiting(len(records))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_queue())
        try:
            async with asyncio.timeout_at(until_s):
                await kept.answer
        except TimeoutError:
            raise StoreUnavailable(f"{self._folder} did not take a delivery in time: the disk is slow") from None

    async def _write_queue(self) -> None:
        while self._queue:
            together, self._queue = self._queue, []
            records = [record for kept in together for record in kept.records]
            error: StoreUnavailable | None = None
            try:
                await self._on_disk(self._write, records)
            except OSError as refused:
                self._note_waiting(-len(records))
                error = StoreUnavailable(f"{self._folder} cannot be written: {refused.strerror}")
                log.error(str(error))
            self._queued_bytes -= sum(map(len, records))
            _answer(together, error)
            self._came.set()
        self._writing = None

    def _note_waiting(self, more: int) -> None:
        self._waiting += more
        if not self._waiting:
            self._since_ms = None
        elif self._since_ms is None:
            self._since_ms = self._clock.now_ms()

    def _size_bytes(self) -> int:
        return self._queued_bytes + (self._own.size_bytes if self._own else 0)

    def _write(self, records: list[bytes]) -> None:
        self._file().append(records)

    def _file(self) -> SpoolFile:
        if self._own is None:
            self._own = make(self._folder)
        return self._own

    async def _on_disk(self, act: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, act, *args)


def _promised(taken: Taken) -> Taken:
    """It was answered 200: it is kept, whatever else its source has sent."""
    return replace(taken, kind="promised") if taken.kind == "dead" else taken


def pack(taken: Taken) -> bytes:
    """A delivery as a record."""
    values = {field.name: getattr(taken, field.name) for field in fields(taken)}
    return orjson.dumps({name: {"bytes": value.decode("latin-1")} if isinstance(value, bytes) else value
                         for name, value in values.items()})


def unpack(record: bytes) -> Taken | None:
    """The delivery of a record; None for one that this version cannot read."""
    try:
        return Taken(**{name: value["bytes"].encode("latin-1") if isinstance(value, dict) else value
                        for name, value in orjson.loads(record).items()})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.error("a delivery on the disk cannot be read, and is left out: %s", type(error).__name__)
        return None


def _answer(together: Sequence[_Kept], error: StoreUnavailable | None) -> None:
    for kept in together:
        if not kept.answer.done():
            if error is None:
                kept.answer.set_result(None)
            else:
                kept.answer.set_exception(error)
