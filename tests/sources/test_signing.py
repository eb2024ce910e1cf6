"""A simulated delivery carries the same headers as Shopify's own."""

import base64
import hashlib
import hmac

from opsmon.sources import simulator
from opsmon.sources.signing import headers_for, sign

SECRET = b"a-secret-for-tests"


def test_a_signature_is_the_base64_hmac_of_the_exact_bytes() -> None:
    """The seal fits the parcel as it is; one byte more and it fits no longer."""
    expected = base64.b64encode(hmac.new(SECRET, b'{"id":1}', hashlib.sha256).digest()).decode()
    assert sign(b'{"id":1}', SECRET) == expected
    assert sign(b'{"id":1} ', SECRET) != expected


def test_the_headers_name_topic_shop_and_delivery() -> None:
    """The label says what is inside, who sent it, and which parcel it is."""
    delivery = simulator.test_order("EUR", 1_767_600_000_123)
    headers = headers_for(delivery, SECRET)
    assert headers == {
        "content-type": "application/json",
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Hmac-Sha256": sign(delivery.body, SECRET),
        "X-Shopify-Shop-Domain": "opsmon-demo.myshopify.com",
        "X-Shopify-API-Version": "2026-01",
        "X-Shopify-Webhook-Id": delivery.webhook_id,
        "X-Shopify-Event-Id": delivery.event_id,
        "X-Shopify-Triggered-At": "2026-01-05T08:00:00.123Z",
    }
