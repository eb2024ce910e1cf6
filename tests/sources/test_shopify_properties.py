"""Shopify's door against everything that could be sent: it answers, never falls over, and trusts one seal only."""

import base64
import hashlib
import os
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opsmon.core.calendar import SiteCalendar
from opsmon.sources.base import Accepted, Outcome, Secret, Unusable
from opsmon.sources.base import take as take_delivery
from opsmon.sources.shopify_bodies import READERS
from opsmon.store.event_stream import encode
from tests.conftest import NOW_MS
from tests.memory import Memory
from tests.sources.shopify_door import SECRET, SHOP, WRITTEN, door, signed, take, written

# Seals are cheap to try; a body is read, written and counted.
MUTATIONS, BODIES = (10_000, 2_000) if os.environ.get("CI") else (500, 500)
BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
NAMES = sorted(path.stem for path in WRITTEN.iterdir())


def fields_of(value: Any) -> set[str]:
    """Every name of a field anywhere in a body."""
    if isinstance(value, list):
        return set().union(*map(fields_of, value)) if value else set()
    return set(value).union(*map(fields_of, value.values())) if isinstance(value, dict) else set()


FIELDS = st.sampled_from(sorted(set().union(*(fields_of(written(name)) for name in NAMES))))
WORDS = st.sampled_from(["EUR", "1e999", "NaN", "-0.01", "2026-11-20T13:00:00Z", "refund", "success", "9" * 30,
                         "on_hold", "gid://shopify/Order/1", "gid://", "requested", "-00:00"])
SCALARS = (st.none() | st.booleans() | st.integers(-2**63, 2**64 - 1) | st.floats(allow_nan=False)
           | st.text(max_size=12) | WORDS)
JSONS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6), max_leaves=12)


def is_known(outcome: Outcome) -> bool:
    """Whether it is a dead letter with a sentence, or an event that fits into the stream and can be counted."""
    if isinstance(outcome, Accepted):
        Memory(BERLIN).take(outcome.event)
        return bool(encode(outcome.event))
    return isinstance(outcome, Unusable) and len(outcome.reason) > 10


@settings(max_examples=BODIES, deadline=None)
@given(topic=st.sampled_from(sorted(READERS)), body=st.dictionaries(FIELDS, JSONS, max_size=10) | JSONS)
def test_any_json_under_any_topic_is_taken_or_set_aside(topic: str, body: Any) -> None:
    """Whatever was signed: an event that fits into the stream, or a sentence; never a fall."""
    outcome = take(topic, body)
    assert is_known(outcome)


@settings(max_examples=BODIES, deadline=None)
@given(name=st.sampled_from(NAMES), topic=st.sampled_from(sorted(READERS)),
       odd=st.dictionaries(FIELDS, JSONS, max_size=3))
def test_a_good_body_with_something_odd_in_it_is_taken_or_set_aside(name: str, topic: str, odd: dict[str, Any]) -> None:
    """The nearer to the truth, the deeper it is read."""
    outcome = take(topic, written(name) | odd)
    assert is_known(outcome)


# --- the seal ---------------------------------------------------------------------------------------------------


def oracle(secret: bytes, body: bytes, given_signature: bytes) -> bool:
    """The seal by hand, as RFC 2104 writes it down: nothing of the code under test, nothing of hmac."""
    block = (hashlib.sha256(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + body).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()
    return base64.b64encode(outer) == given_signature


@st.composite
def mutated(draw: st.DrawFn, value: bytes) -> bytes:
    """The same bytes, or with one of the faults that happen or are tried."""
    at = draw(st.integers(0, len(value)))
    other = draw(st.binary(min_size=1, max_size=2))
    return draw(st.sampled_from([
        value, value, value[:at], value[at:], value[:at] + other + value[at:], value[:at] + other + value[at + 1:],
        value.swapcase(), value.rstrip(b"="), value + b"=", value + b"\n", b" " + value, value[::-1], b"", other,
        value.replace(b"+", b"-").replace(b"/", b"_"), value + b"," + value,
    ]))


@settings(max_examples=MUTATIONS, deadline=None)
@given(data=st.data(), secret=st.binary(min_size=1, max_size=80), body=st.binary(max_size=60))
@example(data=None, secret=b"k" * 65, body=b"")
def test_a_delivery_is_accepted_exactly_when_the_oracle_accepts_it(data: Any, secret: bytes, body: bytes) -> None:
    """One letter more or less in the parcel, the seal or the secret, and it is refused; else it is let in."""
    headers = signed(body, "orders/create", secret)
    seal = headers[b"x-shopify-hmac-sha256"]
    if data is not None:
        body, seal = data.draw(mutated(body)), data.draw(mutated(seal))
        secret = data.draw(st.just(secret) | mutated(secret))
    headers[b"x-shopify-hmac-sha256"] = seal
    assert door(Secret(b"of-another-app"), Secret(secret)).is_signed(headers, body) == (
        oracle(secret, body, seal) or oracle(b"of-another-app", body, seal))


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_a_wish_for_privacy_with_a_bad_seal_is_a_401(topic: str) -> None:
    """Shopify tries this before it lets an app into its store."""
    raw = orjson.dumps(written(topic.replace("/", "_")))
    outcome = take_delivery(door(Secret(SECRET, SHOP)), signed(raw, topic, b"another"), raw, NOW_MS)
    assert getattr(outcome, "status", None) == 401
