"""Events a second by `POST /ingest/events`, POST to durable 200, and how long a lone webhook waits meanwhile."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from statistics import median

import orjson
import uvloop

from tests.bench.ingest import signed_requests
from tests.bench.processes import SECRET, cpu_s, running

ROUNDS = 3
EVENTS = 100_000
WEBHOOK_EVERY_S = 0.02


def main() -> None:
    """Print one line for each body size and number of connections; each on a store of its own."""
    for size, connections in itertools.product((1_000, 10_000), (1, 4)):
        with running(["store"], ["ingest"]) as opsmon:
            webhooks = signed_requests(1)
            pids = [opsmon.processes["ingest"].pid]
            rounds = [uvloop.run(one_round(opsmon.port, size, connections, webhooks, pids)) for _ in range(ROUNDS)]
        rates, waits, costs, webhook_s = zip(*rounds, strict=True)
        posts, lone = sorted(itertools.chain(*waits)), sorted(itertools.chain(*webhook_s))
        print(f"{size:6,} events a body, {connections} connections: {median(rates):7,.0f} events/s "
              f"(of {min(rates):,.0f} to {max(rates):,.0f}), a POST p50 {quantile(posts, 50):.0f} ms, "
              f"p99 {quantile(posts, 99):.0f} ms, "
              f"{median(costs):.1f} µs processor each; a webhook meanwhile p50 {quantile(lone, 50):.1f} ms, "
              f"p99 {quantile(lone, 99):.1f} ms (n = {len(lone)})", flush=True)


async def one_round(port: int, size: int, connections: int, webhooks: list[tuple[bytes, bytes]],
                    pids: list[int]) -> tuple[float, list[float], float, list[float]]:
    """Events a second, seconds of each POST, µs of the server's processor time per event, seconds of each webhook."""
    tag = secrets.token_hex(4)
    requests = [request(tag, first, size) for first in range(0, EVENTS, size)]
    used_s, started_s = cpu_s(pids), time.perf_counter()
    lone = asyncio.create_task(knock(port, webhooks, tag))
    waits = await asyncio.gather(*(send(port, requests[at::connections], size) for at in range(connections)))
    took_s = time.perf_counter() - started_s
    lone.cancel()
    webhook_s = await lone
    return EVENTS / took_s, [wait for some in waits for wait in some], 1e6 * (cpu_s(pids) - used_s) / EVENTS, webhook_s


async def send(port: int, requests: list[bytes], size: int) -> list[float]:
    """Send one body after the other on one connection; the seconds each took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waits = []
    for sent in requests:
        started_s = time.perf_counter()
        writer.write(sent)
        said = await answer(reader)
        waits.append(time.perf_counter() - started_s)
        if orjson.loads(said) != {"accepted": size, "duplicates": [], "refused": []}:
            raise RuntimeError(f"not all were accepted: {said[:200]!r}")
    writer.close()
    return waits


async def knock(port: int, webhooks: list[tuple[bytes, bytes]], tag: str) -> list[float]:
    """Send a lone webhook now and then until cancelled; the seconds each took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waits: list[float] = []
    try:
        for number in itertools.count():
            before, after = webhooks[number % len(webhooks)]
            started_s = time.perf_counter()
            writer.write(b"%b%b-%d%b" % (before, tag.encode(), number, after))
            await answer(reader)
            waits.append(time.perf_counter() - started_s)
            await asyncio.sleep(WEBHOOK_EVERY_S)
    except asyncio.CancelledError:
        writer.close()
    return waits


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of an answer. Raises RuntimeError when it is no 200."""
    status, body = await heard(reader)
    if status != 200:
        raise RuntimeError(f"{status} {body!r}")
    return body


async def heard(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """An answer: its status and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


def request(tag: str, first: int, size: int) -> bytes:
    """A whole request of `size` events, about 250 bytes each."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return posted(orjson.dumps({
        "id": f"{tag}-{number:012d}", "type": "page.viewed", "time": now, "key": f"visitor-{number % 5000}",
        "data": {"path": f"/products/paper-boat-{number % 100}", "referrer": "https://example.org/search",
                 "country": "DE", "ms": number % 700, "device": "phone", "logged_in": False},
    }) for number in range(first, first + size))


def posted(events: Iterable[bytes]) -> bytes:
    """A whole request of these events, one to a line."""
    body = b"\n".join(events)
    return (f"POST /ingest/events HTTP/1.1\r\nHost: opsmon\r\nAuthorization: Bearer {SECRET}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def quantile(ordered: list[float], percent: int) -> float:
    """A quantile of seconds, in ms."""
    return 1000 * ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]
