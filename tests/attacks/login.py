"""Ten thousand guesses at one account, while somebody watches how long the others wait (HARDENING T6)."""

import asyncio
import time
from collections import Counter
from urllib.parse import urlencode

from opsmon.store.data_dir import DataDir
from tests.bench.processes import running
from tests.http import request

P99_MS = 50.0
MOST_LOOKED_AT = 20
_FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
_AT_A_TIME = 20


def login(guesses: int) -> bool:
    """Guess; whether few were looked at and nobody waited."""
    with running(["store"], ["web", "--with-ingest"]) as started:
        return asyncio.run(_guess(started.port, DataDir(started.folder).first_secret(), guesses))


async def _guess(port: int, secret: str, guesses: int) -> bool:
    await _post(port, f"/welcome/{secret}", name="Ana", email="ana@shop.example", password="three odd herons")
    numbers, statuses, waits_ms = iter(range(guesses)), Counter[int](), list[float]()
    begun_s = time.monotonic()

    async def guessing() -> None:
        for number in numbers:
            # From many addresses, as a botnet has them: only the account's own bound is left.
            statuses[await _post(port, "/login", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
                                 email="ana@shop.example", password=f"guess {number}")] += 1

    watching = asyncio.create_task(_watch(port, waits_ms))
    await asyncio.gather(*(guessing() for _ in range(_AT_A_TIME)))
    watching.cancel()
    hours = (time.monotonic() - begun_s) / 3600
    p99_ms = sorted(waits_ms)[int(len(waits_ms) * 0.99)]
    looked_at, most = statuses[403], MOST_LOOKED_AT * max(hours, 1)
    print(f"login: {guesses} guesses in {hours * 3600:.0f} s: {looked_at} looked at (aim {most:.0f}), "
          f"{statuses[429]} turned away, {dict(statuses)}; others waited p99 {p99_ms:.0f} ms (aim {P99_MS:.0f})")
    return looked_at <= most and set(statuses) <= {403, 429} and p99_ms < P99_MS


async def _watch(port: int, waits_ms: list[float]) -> None:
    """How long the loop keeps somebody waiting who asks for next to nothing, on one connection; our own part in it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        begun_s = time.perf_counter()
        writer.write(b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\nok\n")
        waits_ms.append((time.perf_counter() - begun_s) * 1000)
        await asyncio.sleep(0.02)


async def _post(port: int, path: str, address: str = "192.0.2.1", **fields: str) -> int:
    return (await request(port, "POST", path, urlencode(fields).encode(), {**_FORM, "x-forwarded-for": address})).status
