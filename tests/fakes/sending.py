"""How Shopify delivers: signed, out of order, now and then twice, again after a failure with the body of then.

Facts: ../shared/SOURCES.md 1.3. Time is compressed: `hour_s` seconds are an hour of Shopify's.
"""

import asyncio
import hmac
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit
from uuid import UUID

RETRIES = 8
RETRIED_FOR_H = 4.0
CONNECT_S, TOTAL_S = 1.0, 5.0


@dataclass
class Subscription:
    """Where a topic goes."""

    id: str
    topic: str
    uri: str
    format: str = "JSON"


@dataclass(frozen=True)
class Delivery:
    """One webhook as it was when it was triggered: a retry sends the same."""

    topic: str
    body: bytes
    webhook_id: str
    event_id: str
    triggered_at: str


class Sender:
    """Sends to subscriptions. `on_given_up` hears of a subscription that eight retries in a row failed for."""

    def __init__(self, domain: str, secret: bytes, seed: int, hour_s: float, *, most_at_once: int = 20) -> None:
        self.counts: Counter[str] = Counter()
        self._domain, self._secret, self._hour_s = domain, secret, hour_s
        self._chance = Random(seed)
        self._gate = asyncio.Semaphore(most_at_once)
        self._tasks: set[asyncio.Task[None]] = set()
        self.deleted: set[str] = set()

    def send(self, subscription: Subscription, delivery: Delivery) -> None:
        """Begin to deliver; sometimes late, sometimes twice, sometimes twice at the same instant."""
        late_s = self._chance.random() * 0.02 if self._chance.random() < 0.8 else self._chance.random() * 0.6
        self._begin(subscription, delivery, late_s)
        luck = self._chance.random()
        if luck < 0.04:
            self._begin(subscription, delivery, late_s if luck < 0.02 else late_s + self._chance.random())

    async def settle(self) -> None:
        """Wait until everything is delivered or given up."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def stop(self) -> None:
        """Deliver nothing more."""
        for task in self._tasks:
            task.cancel()

    def uuid(self) -> str:
        """An id, the same for the same seed."""
        return str(UUID(int=self._chance.getrandbits(128)))

    def _begin(self, subscription: Subscription, delivery: Delivery, late_s: float) -> None:
        task = asyncio.create_task(self._deliver(subscription, delivery, late_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, subscription: Subscription, delivery: Delivery, late_s: float) -> None:
        await asyncio.sleep(late_s)
        for attempt in range(RETRIES + 1):
            if subscription.id in self.deleted:
                self.counts["dropped"] += 1
                return
            async with self._gate:
                status = await self._attempt(subscription.uri, delivery)
            self.counts[str(status)] += 1
            if 200 <= status < 300:
                return
            # Pauses double, and all of them together are four hours.
            pause_h = RETRIED_FOR_H * 2**attempt / (2**RETRIES - 1) if attempt < RETRIES else 0
            await asyncio.sleep(pause_h * self._hour_s)
        self.counts["given up"] += 1
        self.deleted.add(subscription.id)

    async def _attempt(self, uri: str, delivery: Delivery) -> int:
        """The status; 0 for no answer in time."""
        try:
            async with asyncio.timeout(TOTAL_S):
                return await self._post(uri, delivery)
        except (OSError, TimeoutError, ValueError, IndexError):
            return 0

    async def _post(self, uri: str, delivery: Delivery) -> int:
        parts = urlsplit(uri)
        reader, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, parts.port), CONNECT_S)
        try:
            headers = {
                "host": parts.netloc, "content-type": "application/json", "content-length": len(delivery.body),
                "connection": "close", "X-Shopify-Topic": delivery.topic, "X-Shopify-Shop-Domain": self._domain,
                "X-Shopify-API-Version": "2026-01", "X-Shopify-Webhook-Id": delivery.webhook_id,
                "X-Shopify-Event-Id": delivery.event_id, "X-Shopify-Triggered-At": delivery.triggered_at,
                "X-Shopify-Hmac-Sha256": b64encode(hmac.digest(self._secret, delivery.body, "sha256")).decode(),
            }
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"POST {parts.path} HTTP/1.1\r\n{head}\r\n".encode() + delivery.body)
            return int((await reader.readline()).split()[1])
        finally:
            writer.close()
