"""Many screens in one process of their own, cheap enough to leave the server its processor: one shared buffer, no
object per message. `python -m tests.bench.fanout_clients PORT COUNT SECONDS PATH` prints `measuring`, then a JSON line.
"""

import asyncio
import json
import resource
import sys
import time
from array import array
from typing import Any

import uvloop

RATE = 5
STAMP = b"@%020d@"
WARM_UP_S = 3.0
AT_ONCE = 100


class Screens:
    """What all screens hear: the age of each frame at each of them, in ns, and how many bytes came."""

    def __init__(self) -> None:
        self.ages_ns = array("q")
        self.room = bytearray(256 * 1024)
        self.view = memoryview(self.room)
        self.open = 0
        self.heard_bytes = 0
        self.is_measuring = False


class Screen(asyncio.BufferedProtocol):
    """One open stream. Of a frame that comes in pieces the one with the last stamp counts."""

    def __init__(self, screens: Screens, request: bytes) -> None:
        self._screens, self._request = screens, request

    def connection_made(self, transport: Any) -> None:
        self._screens.open += 1
        transport.write(self._request)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._screens.view

    def buffer_updated(self, nbytes: int) -> None:
        screens = self._screens
        at = screens.room.rfind(b"@", 0, nbytes)
        if screens.is_measuring and at >= 21 and screens.room[at - 21] == 64:
            screens.ages_ns.append(time.perf_counter_ns() - int(screens.room[at - 20 : at]))
            screens.heard_bytes += nbytes

    def connection_lost(self, exc: Exception | None) -> None:
        self._screens.open -= 1


async def main(port: int, count: int, seconds: float, path: str) -> None:
    """Connect, warm up, measure, tell."""
    screens, loop = Screens(), asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode()
    for start in range(0, count, AT_ONCE):
        await asyncio.gather(*(loop.create_connection(lambda: Screen(screens, request), "127.0.0.1", port)
                               for _ in range(min(AT_ONCE, count - start))))
    await asyncio.sleep(WARM_UP_S)
    print("measuring", flush=True)
    screens.is_measuring = True
    await asyncio.sleep(seconds)
    screens.is_measuring = False
    ages_ms = sorted(age / 1e6 for age in screens.ages_ns)
    print(json.dumps({
        "open": screens.open, "frames": len(ages_ms), "p50_ms": ages_ms[len(ages_ms) // 2],
        "p99_ms": ages_ms[len(ages_ms) * 99 // 100], "bytes": screens.heard_bytes}), flush=True)
    sys.stdin.read()  # stay connected while memory is read


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    _port, _count, _seconds, _path = sys.argv[1:]
    uvloop.run(main(int(_port), int(_count), float(_seconds), _path))
