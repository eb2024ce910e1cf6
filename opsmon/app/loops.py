"""Tasks that run beside others, and end with them."""

import asyncio
from contextlib import AsyncExitStack


async def run_beside(stack: AsyncExitStack, *loops: object) -> None:
    """Run each in a task of its own, until the stack is closed."""
    for loop in loops:
        task: asyncio.Task[None] = asyncio.create_task(loop)  # type: ignore[arg-type]
        stack.push_async_callback(end, task)


async def end(task: "asyncio.Task[None]") -> None:
    """Cancel it until it is done: one that is just being answered may swallow the first word."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
