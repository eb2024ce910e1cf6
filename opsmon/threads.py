"""What blocks, beside the event loop: each call in a thread of its own.

It is a daemon: a vendor who hangs must not keep a process from ending within its three seconds, as the threads of
asyncio's own pool would.
"""

import asyncio
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_thread(act: Callable[[], T]) -> T:
    """What `act` returns or raises. Who is cancelled while waiting leaves it to end by itself."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        outcome: tuple[T | None, BaseException | None]
        try:
            outcome = act(), None
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            outcome = None, error
        try:
            loop.call_soon_threadsafe(settle, *outcome)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    Thread(target=run, daemon=True).start()
    return await answer
