"""How Shopify signs and labels a delivery: so that demo and test orders use the front door."""

import base64
import hmac

from opsmon.sources.simulated_orders import API_VERSION
from opsmon.sources.simulator import Delivery

# The shop of `opsmon send-test`: the local test secret is good for no other.
TEST_SHOP = "test.opsmon.local"


def sign(body: bytes, secret: bytes) -> str:
    """The base64 HMAC-SHA256 of the exact bytes."""
    return base64.b64encode(hmac.digest(secret, body, "sha256")).decode()


def headers_for(delivery: Delivery, secret: bytes) -> dict[str, str]:
    """The headers of a delivery, signed."""
    return {
        "content-type": "application/json",
        "X-Shopify-Topic": delivery.topic,
        "X-Shopify-Hmac-Sha256": sign(delivery.body, secret),
        "X-Shopify-Shop-Domain": delivery.shop,
        "X-Shopify-API-Version": API_VERSION,
        "X-Shopify-Webhook-Id": delivery.webhook_id,
        "X-Shopify-Event-Id": delivery.event_id,
        "X-Shopify-Triggered-At": delivery.triggered_at,
    }
