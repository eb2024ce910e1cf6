"""`opsmon up` at rest: memory of all its processes, and processor time with ten screens open."""

import asyncio
import time
from statistics import median

import uvloop

from tests.bench.processes import cpu_s, family, pss_mb, running
from tests.bench.screens import Screen, live_path

ROUNDS = 3
SCREENS = 10
SECONDS = 20.0


def main() -> None:
    """Print one line."""
    rounds = []
    for _ in range(ROUNDS):
        with running(["up"]) as opsmon:
            rounds.append(uvloop.run(one_round(opsmon.port, opsmon.processes["up"].pid)))
    memory, used = (median(figures) for figures in zip(*rounds, strict=True))
    print(f"at rest with {SCREENS} screens: {memory:.0f} MB PSS in all, {used:.1f} % of a core "
          f"over {SECONDS:.0f} s")


async def one_round(port: int, pid: int) -> tuple[float, float]:
    """Memory in MB, and processor in per cent of one core."""
    path, loop = await live_path(port), asyncio.get_running_loop()
    screens = [(await loop.create_connection(lambda: Screen(path), "127.0.0.1", port))[1] for _ in range(SCREENS)]
    await asyncio.sleep(8)
    pids = family(pid)
    started_s, used_s = time.perf_counter(), cpu_s(pids)
    await asyncio.sleep(SECONDS)
    used = 100 * (cpu_s(pids) - used_s) / (time.perf_counter() - started_s)
    memory = pss_mb(pids)
    for screen in screens:
        screen.transport.close()
    return memory, used
