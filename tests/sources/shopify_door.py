"""Shopify's door for tests: bodies written by hand, signed as Shopify signs them, and what becomes of them."""

import hmac
import json
from base64 import b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from opsmon.core.events import Event
from opsmon.sources.base import Accepted, Outcome, Secret, SourceSettings, Unusable
from opsmon.sources.base import take as take_delivery
from opsmon.sources.shopify import Shopify
from tests.conftest import NOW_MS

SHOP = "paper-boat.myshopify.com"
SECRET = b"a-secret-of-the-shop"
WRITTEN = Path(__file__).parent / "deliveries" / "shopify"
RECORDED = Path(__file__).parents[3] / "shared" / "fixtures" / "shopify"
RECORDED_NAMES = sorted(path.name for path in RECORDED.glob("*.json"))

def written(name: str) -> dict[str, Any]:
    """One of the deliveries beside this file, each written by hand."""
    body: dict[str, Any] = json.loads((WRITTEN / f"{name}.json").read_text())
    return body


def signed(body: bytes, topic: str, secret: bytes = SECRET, **others: bytes) -> dict[bytes, bytes]:
    """The headers Shopify gives a body; `others` replace or, when empty, remove some of them."""
    usual = {
        "topic": topic.encode(), "shop-domain": SHOP.encode(), "webhook-id": b"b1e2",
        "hmac-sha256": b64encode(hmac.digest(secret, body, "sha256")),
    } | {name.replace("_", "-"): value for name, value in others.items()}
    return {f"x-shopify-{name}".encode(): value for name, value in usual.items() if value}


def door(*secrets: Secret) -> Shopify:
    """The adapter with these secrets, or with the shop's one."""
    return Shopify(SourceSettings("shopify", "shopify", secrets or (Secret(SECRET),)), "main")


def take(topic: str, body: Any, **headers: bytes) -> Outcome:
    """What becomes of a signed body."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return take_delivery(door(), signed(raw, topic, **headers), raw, NOW_MS)


def event(topic: str, body: Any, **headers: bytes) -> Event:
    """The event of a signed body that is good."""
    outcome = take(topic, body, **headers)
    assert isinstance(outcome, Accepted), outcome
    return outcome.event


def reason(topic: str, body: Any) -> str:
    """Why a signed body is a dead letter."""
    outcome = take(topic, body)
    assert isinstance(outcome, Unusable), outcome
    return outcome.reason


def ms(text: str) -> int:
    """An ISO date as epoch ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
