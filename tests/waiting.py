"""Wait for something to come true instead of sleeping and hoping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE_S = 0.01


def wait_until(predicate: Callable[[], T], never_came: str, timeout_s: float = 30.0) -> T:
    """Ask `predicate` until it answers something true, and return that. Fails saying what never came."""
    end_s = time.monotonic() + timeout_s
    while not (answer := predicate()):
        if time.monotonic() > end_s:
            raise AssertionError(f"never came within {timeout_s:g} s: {never_came}")
        time.sleep(_PAUSE_S)
    return answer


async def wait_until_async(
    predicate: Callable[[], T | Awaitable[T]], never_came: str, timeout_s: float = 30.0
) -> T:
    """The same for a running event loop; `predicate` may be a coroutine function."""
    end_s = time.monotonic() + timeout_s
    while True:
        asked = predicate()
        answer: T = await asked if inspect.isawaitable(asked) else asked
        if answer:
            return answer
        if time.monotonic() > end_s:
            raise AssertionError(f"never came within {timeout_s:g} s: {never_came}")
        await asyncio.sleep(_PAUSE_S)
