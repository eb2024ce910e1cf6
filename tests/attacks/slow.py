"""A thousand connections that send, or read, next to nothing, while a shop sends its orders (HARDENING T21)."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import orjson

from opsmon.web.rendering import asset
from tests.bench.processes import SECRET, running
from tests.line import SHOP, sign

LONGEST_HELD_S = 10.0
P99_MS = 500.0
_DRIP_S = 1.0
# So many connections are opened a second, until all are: as slowhttptest does, to hold them and not to flood.
_OPENED_EACH_S = 200
_POST = b"POST /webhooks/shopify HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100000\r\n\r\n"
# More than a socket keeps for whoever does not read it, without much work for each.
_GETS = f"GET {asset('vendor/htmx.min.js')} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode() * 4
# What is sent first, and what is dripped then; who drips nothing reads a byte at a time instead.
ATTACKS = {
    "headers": (b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n", b"x-a: b\r\n"),
    "body": (_POST, b"a"),
    "read": (_GETS, b""),
}


@dataclass(slots=True)
class Figures:
    """What an attack came to: times of webhooks in ms, refused ones, and how long the server held each connection."""

    webhooks_ms: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    held_s: dict[tuple[int, str], float] = field(default_factory=dict)
    left: int = 0

    @property
    def p99_ms(self) -> float:
        return sorted(self.webhooks_ms)[int(len(self.webhooks_ms) * 0.99)] if self.webhooks_ms else float("inf")

    @property
    def longest_s(self) -> float:
        return max(self.held_s.values(), default=0.0)

    @property
    def is_right(self) -> bool:
        return not self.failures and not self.left and self.p99_ms < P99_MS and self.longest_s <= LONGEST_HELD_S


def slow(connections: int, seconds: float) -> bool:
    """All three, one after another; whether all came out right."""
    right = True
    with running(["store"], ["web", "--with-ingest"]) as started:
        for name, (first, drip) in ATTACKS.items():
            found = asyncio.run(attack(started.port, first, drip, connections, seconds))
            print(f"slow {name}: {connections} connections for {seconds:g} s: {len(found.webhooks_ms)} webhooks, "
                  f"p99 {found.p99_ms:.0f} ms (aim {P99_MS:.0f}), {dict(found.failures) or 'none'} failed; "
                  f"{len(found.held_s)} connections held, the longest for {found.longest_s:.1f} s "
                  f"(aim {LONGEST_HELD_S:g}), {found.left} for ever")
            right = right and found.is_right
    return right


async def attack(port: int, first: bytes, drip: bytes, connections: int, seconds: float) -> Figures:
    """Hold connections, each anew when it was closed, and send webhooks meanwhile."""
    figures, ended = Figures(), threading.Event()
    shop = threading.Thread(target=_send_orders, args=(port, figures, ended))
    shop.start()
    end_s = time.monotonic() + seconds
    attackers = [asyncio.create_task(_hold(port, first, drip, end_s, number / _OPENED_EACH_S))
                 for number in range(connections)]
    watching = asyncio.create_task(_watch(port, figures, end_s + LONGEST_HELD_S + 2))
    await asyncio.wait(attackers)
    ended.set()
    await asyncio.to_thread(shop.join)
    await watching
    return figures


async def _hold(port: int, first: bytes, drip: bytes, end_s: float, after_s: float) -> None:
    """What is still open at the end is left open: the server has to end it."""
    await asyncio.sleep(after_s)
    while time.monotonic() < end_s:
        taken = socket.socket()
        taken.setblocking(False)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        with suppress(OSError):
            await asyncio.get_running_loop().sock_connect(taken, ("127.0.0.1", port))
            await asyncio.get_running_loop().sock_sendall(taken, first)
            await _drip(taken, drip, end_s)
        taken.close()


async def _drip(taken: socket.socket, drip: bytes, end_s: float) -> None:
    """Until the other side closes, at the latest a while after the end. Raises OSError when it does."""
    while time.monotonic() < end_s + LONGEST_HELD_S + 1:
        await asyncio.sleep(_DRIP_S)
        if drip:
            taken.send(drip)
        with suppress(BlockingIOError):
            # To read is to help the server; only who writes looks whether it has closed.
            if not taken.recv(4096 if drip else 1):
                return


async def _watch(port: int, figures: Figures, end_s: float) -> None:
    """Note how long the server holds each connection, as the kernel tells it."""
    seen: dict[tuple[int, str], float] = {}
    while time.monotonic() < end_s:
        now_s, held = time.monotonic(), set(_held(port))
        for other in held:
            figures.held_s[other] = now_s - seen.setdefault(other, now_s)
        for other in set(seen) - held:
            del seen[other]
        await asyncio.sleep(0.25)
    figures.left = len(set(_held(port)))


def _held(port: int) -> Iterator[tuple[int, str]]:
    """The connections that some process here has open on a port: their other ends, which are used again, and inodes."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_, inode = line.split()[:10]
        if int(local.rpartition(":")[2], 16) == port and state != "0A" and inode != "0":
            yield int(remote.rpartition(":")[2], 16), inode


def _send_orders(port: int, figures: Figures, ended: threading.Event) -> None:
    """Some forty webhooks a second, each on a connection of its own."""
    number = 0
    while not ended.wait(0.025):
        number += 1
        body = orjson.dumps({"id": number})
        begun_s = time.perf_counter()
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("POST", "/webhooks/shopify", body, {
                "x-shopify-topic": "orders/updated", "x-shopify-shop-domain": SHOP,
                "x-shopify-webhook-id": f"slow-{number}", "x-shopify-hmac-sha256": sign(body, SECRET.encode())})
            status = connection.getresponse().status
            figures.failures.update([str(status)] if status != 200 else [])
            connection.close()
        except OSError as error:
            figures.failures[repr(error)] += 1
        figures.webhooks_ms.append((time.perf_counter() - begun_s) * 1000)
