"""Test deliveries: what a sender of each kind would send, signed as it signs, that no number is made of.

By these a person sees whether the way from outside to a source is open. Shopify's is an order marked as a
test, which goes the whole line and is left out of every count; others are of a type or topic no KPI uses. A
source of plain JSON has none: all that is sent to it is of the one type it was given.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from opsmon.sources import simulator
from opsmon.sources.base import Secret, SourceSettings
from opsmon.sources.signing import TEST_SHOP, headers_for

TYPE = "opsmon.test"
_HOST = "opsmon.local"


@dataclass(frozen=True, slots=True)
class Probe:
    """One test delivery: its headers and bytes, the token that goes at the end of the address ('': none), and
    its identity where the source that reads it does not tell."""

    headers: Mapping[str, str]
    body: bytes
    token: str = field(default="", repr=False)
    seen: str = ""


def probe(settings: SourceSettings, now_ms: int) -> Probe | None:
    """A test delivery for a source; None where its kind has none, or nothing to sign it with."""
    make = _MAKERS.get(settings.kind)
    return make(settings.secrets, now_ms) if make and settings.secrets else None


def has_probe(settings: SourceSettings) -> bool:
    """Whether there is a test delivery for a source."""
    return probe(settings, 0) is not None


def event_probe(tokens: Sequence[Secret], now_ms: int) -> Probe:
    """A test event for the door of opsmon's own events."""
    body = orjson.dumps({"id": f"test-{now_ms}", "type": TYPE, "data": {"sent_ms": now_ms}})
    return Probe({"content-type": "application/json", **_bearer(tokens)}, body, seen=f"events:test-{now_ms}")


def _shopify(secrets: Sequence[Secret], now_ms: int) -> Probe:
    secret = next((one for one in secrets if one.shop == TEST_SHOP), secrets[0])
    delivery = simulator.left_out_order(now_ms, domain=secret.shop or TEST_SHOP)
    return Probe(headers_for(delivery, secret.value), delivery.body)


def _woocommerce(secrets: Sequence[Secret], now_ms: int) -> Probe:
    secret, body = secrets[0], orjson.dumps({"id": now_ms})
    return Probe({
        "content-type": "application/json", "X-WC-Webhook-Topic": TYPE, "X-WC-Webhook-Resource": "opsmon",
        "X-WC-Webhook-Event": "test", "X-WC-Webhook-ID": "0", "X-WC-Webhook-Delivery-ID": f"{now_ms:x}",
        "X-WC-Webhook-Source": f"https://{secret.shop or _HOST}/",
        "X-WC-Webhook-Signature": b64encode(hmac.digest(secret.value, body, "sha256")).decode(),
    }, body)


def _cloudevents(secrets: Sequence[Secret], now_ms: int) -> Probe:
    body = orjson.dumps({"specversion": "1.0", "id": f"test-{now_ms}", "type": TYPE, "source": f"//{_HOST}",
                         "data": {"sent_ms": now_ms}})
    return Probe({"content-type": "application/cloudevents+json", **_bearer(secrets)}, body)


def _standard(secrets: Sequence[Secret], now_ms: int) -> Probe:
    text = secrets[0].value.decode().removeprefix("whsec_").rstrip("=")
    key, body = b64decode(text + "=" * (-len(text) % 4)), orjson.dumps({"type": TYPE, "data": {"sent_ms": now_ms}})
    name, seconds = f"test-{now_ms}", now_ms // 1000
    signature = b64encode(hmac.digest(key, f"{name}.{seconds}.".encode() + body, "sha256")).decode()
    return Probe({"content-type": "application/json", "webhook-id": name, "webhook-timestamp": str(seconds),
                  "webhook-signature": f"v1,{signature}"}, body)


def _odoo(secrets: Sequence[Secret], now_ms: int) -> Probe | None:
    """The token goes into the address; of one that is stored as its hash nobody here knows it."""
    token = next((one.value.decode() for one in secrets if not one.value.startswith(b"sha256:")), "")
    body = orjson.dumps({"_model": TYPE, "_id": now_ms, "_action": "opsmon test"})
    return Probe({"content-type": "application/json"}, body, token) if token else None


def _bearer(secrets: Sequence[Secret]) -> dict[str, str]:
    return {"Authorization": f"Bearer {secrets[0].value.decode()}"}


_MAKERS: dict[str, Callable[[Sequence[Secret], int], Probe | None]] = {
    "shopify": _shopify, "woocommerce": _woocommerce, "standard-webhooks": _standard,
    "cloudevents": _cloudevents, "odoo": _odoo,
}
