"""What slow and stuck screens cost: a frame each, and news that is not old (LIVE 5.8, 5 and 6)."""

import asyncio
import re
import socket
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from opsmon.clock import ManualClock
from opsmon.web import rendering
from opsmon.web.views import HealthView
from tests.line import Line
from tests.waiting import wait_until_async
from tests.web.test_live import PHONE, changes, count, hub_of, on_board, stalled

pytestmark = pytest.mark.anyio

MB = 1024 * 1024
BYTES_PER_STEP, STEP_S = 1_250, 0.1  # 100 kbit/s


def resident_bytes() -> int:
    """What this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def test_stuck_screens_hold_a_frame_each_and_no_backlog(line: Line) -> None:
    """Twenty screens take nothing while 200 changes of 60 kB pass by: less than 1 MB each, where a queue has 12."""
    hub = hub_of(line)
    async with AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(stalled(line.port))
        await wait_until_async(lambda: len(hub.screens) == 20, "the stalled screens")
        before = resident_bytes()
        for _ in range(20):
            changes(line, 10, size=60_000)
            await asyncio.sleep(0)
        assert resident_bytes() - before < 20 * MB


async def test_a_phone_on_a_slow_link_sees_no_old_news(line: Line) -> None:
    """100 kbit/s, ten changes a second, 9 kB each: what arrives is younger than 1.5 s in the median."""
    with socket.socket() as phone:
        phone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        phone.setblocking(False)
        await asyncio.get_running_loop().sock_connect(phone, ("127.0.0.1", line.port))
        ask = (f"GET /live?v={rendering.build()}&since={line.since} HTTP/1.1\r\nhost: 127.0.0.1:{line.port}\r\n"
               f"user-agent: {PHONE}\r\n\r\n")
        await asyncio.get_running_loop().sock_sendall(phone, ask.encode())
        ages = await ages_of(line, phone, steps=60)
    assert (len(ages) >= 4, median(ages) < 1.5) == (True, True), ages


async def ages_of(line: Line, phone: socket.socket, steps: int) -> list[float]:
    """How old each frame is when its last byte arrives at such a link, in seconds."""
    hub, ages, text = hub_of(line), [], ""
    view = hub.slots["health"].view
    assert isinstance(view, HealthView)
    for _ in range(steps):
        hub.update([("health", replace(view, text=f"said {time.monotonic()} {'x' * 9_000}"))], hub.revision + 1)
        hub.publish()
        async with asyncio.timeout(5):
            text += (await asyncio.get_running_loop().sock_recv(phone, BYTES_PER_STEP)).decode()
        if whole := re.search(r"said ([\d.]+) x{9000}", text):
            ages.append(time.monotonic() - float(whole[1]))
            text = text[whole.end() :]
        await asyncio.sleep(STEP_S)
    return ages


async def test_a_store_that_was_emptied_is_shown_as_it_is(line: Line, clock: ManualClock) -> None:
    """FLUSHALL under an open screen: with the next order the board tells what the store holds now, and no more."""
    await count(line, 1001, 1002)
    await on_board(line, "€99.80")
    screen = await line.open(since=line.since)
    await line.store.flushall()
    line.lanes = await line.worker.start()  # as the worker does after a NOGROUP
    clock.advance(1_000)
    await count(line, 1003)
    began_s = time.monotonic()
    while "€49.90" not in (await screen.next_frame()).data:
        pass
    assert time.monotonic() - began_s < 10
