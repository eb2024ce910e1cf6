"""WooCommerce's deliveries: its ping, its signature, colliding ids, and what is kept of an order."""

import hmac
import json
import os
from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmon.core.events import Event
from opsmon.core.facts import tell
from opsmon.sources.base import (
    Accepted,
    Answered,
    NotUsed,
    Outcome,
    Rejected,
    Secret,
    SourceSettings,
    Unusable,
)
from opsmon.sources.base import take as take_delivery
from opsmon.sources.woocommerce import WooCommerce
from opsmon.store.event_stream import decode, encode
from tests.conftest import NOW_MS

MUTATIONS = 10_000 if os.environ.get("CI") else 500
SECRET = b"a-secret-of-the-shop"
HOST = "shop.example.org"
PREFIX = f"woo:{HOST}"
WRITTEN = Path(__file__).parent / "deliveries" / "woocommerce"

# All that is personal in order_created.json.
PERSONAL = ("wendelin", "ottilie", "grausam", "@", "203.0.113", "660", "am bach", "unterm", "innsbruck", "6020",
            "10115", "visa", "4242", "mozilla", "vip", "carthash", "key5b7c", "engraving", "second floor")


def written(name: str) -> dict[str, Any]:
    """One of the deliveries beside this file, each written by hand."""
    body: dict[str, Any] = json.loads((WRITTEN / f"{name}.json").read_text())
    return body


def order(**more: Any) -> dict[str, Any]:
    """An order with only what is read, and what a test says."""
    return {
        "id": 42, "status": "processing", "currency": "EUR", "total": "20.00", "customer_id": 0, "number": "42",
        "date_created_gmt": "2026-11-20T12:00:00", "date_modified_gmt": "2026-11-20T12:30:00",
        "line_items": [{"sku": "A", "quantity": 2, "total": "20.00", "price": 10, "name": "Apple"}], "refunds": [],
    } | more


def signed(body: bytes, topic: str, secret: bytes = SECRET, **others: bytes) -> dict[bytes, bytes]:
    """The headers WooCommerce gives a body; `others` replace or, when empty, remove some of them."""
    usual = {
        "source": f"https://{HOST}/".encode(), "topic": topic.encode(), "resource": b"order", "event": b"updated",
        "id": b"7", "delivery-id": b"5b7c9d1f", "signature": b64encode(hmac.digest(secret, body, "sha256")),
    } | {name.replace("_", "-"): value for name, value in others.items()}
    return {f"x-wc-webhook-{name}".encode(): value for name, value in usual.items() if value}


def door(*secrets: Secret) -> WooCommerce:
    """The adapter with these secrets, or with the shop's one."""
    return WooCommerce(SourceSettings("woo", "woocommerce", secrets or (Secret(SECRET),)), "main")


def take(topic: str, body: Any, **headers: bytes) -> Outcome:
    """What becomes of a signed body."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return take_delivery(door(), signed(raw, topic, **headers), raw, NOW_MS)


def event(topic: str, body: Any, **headers: bytes) -> Event:
    """The event of a signed body that is good."""
    outcome = take(topic, body, **headers)
    assert isinstance(outcome, Accepted), outcome
    return outcome.event


def updated(**more: Any) -> dict[str, Any]:
    """What is kept of an order."""
    return event("order.updated", order(**more)).data


def reason(topic: str, body: Any) -> str:
    """Why a signed body is a dead letter."""
    outcome = take(topic, body)
    assert isinstance(outcome, Unusable), outcome
    return outcome.reason


def ms(text: str) -> int:
    """An ISO date as epoch ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


# --- who may send -----------------------------------------------------------------------------------------------


def test_the_ping_of_a_new_webhook_is_told_yes_although_it_is_unsigned() -> None:
    """A form with a number: whoever does not answer 200 to it has a webhook that never works."""
    headers = {b"content-type": b"application/x-www-form-urlencoded"}
    assert take_delivery(door(), headers, b"webhook_id=17", NOW_MS) == Answered(200, "ping")


@pytest.mark.parametrize("body", [
    b"webhook_id=", b"webhook_id=1&x=2", b"webhook_id=1\n", b" webhook_id=1", b"webhook_id=-1",
    b"webhook_id=" + b"1" * 21, "webhook_id=١".encode(),
], ids=repr)
def test_what_only_looks_like_a_ping_has_to_be_signed(body: bytes) -> None:
    """Nothing but the one form."""
    assert isinstance(outcome := take_delivery(door(), {}, body, NOW_MS), Rejected)
    assert (outcome.status, outcome.counter) == (401, "unsigned")


def test_a_delivery_signed_with_the_secret_is_taken() -> None:
    """The seal fits."""
    assert isinstance(take("order.created", order()), Accepted)


def test_a_delivery_signed_with_another_secret_is_refused_with_the_likely_cause() -> None:
    """Each webhook has a secret of its own in WooCommerce; who made four of them forgot it at one."""
    raw = orjson.dumps(order())
    assert take_delivery(door(), signed(raw, "order.created", b"another-secret"), raw, NOW_MS) == Rejected(
        401, "The signature matches no secret: the webhook has another one in WooCommerce (each has its own), or "
             "something on the way changed the body.\n", "bad_signature")


def test_a_delivery_without_a_signature_is_refused() -> None:
    """No seal, no entry."""
    assert take("order.created", order(), signature=b"") == Rejected(
        401, "X-WC-Webhook-Signature is missing.\n", "unsigned")


def test_without_any_secret_the_answer_says_where_to_put_one() -> None:
    """The first thing one meets when setting up."""
    raw = orjson.dumps(order())
    nobody = WooCommerce(SourceSettings("woo", "woocommerce"), "main")
    assert take_delivery(nobody, signed(raw, "order.created"), raw, NOW_MS) == Rejected(
        401, "No secret is set for this shop: put it into secrets of the source woo.\n", "no_secret")


@pytest.mark.parametrize("secret", [b"the-old-secret", b"the-new-secret"])
def test_each_of_several_secrets_is_good(secret: bytes) -> None:
    """Four webhooks, four secrets; or one that is being changed."""
    raw = orjson.dumps(order())
    both = door(Secret(b"the-old-secret"), Secret(b"the-new-secret"))
    assert both.is_signed(signed(raw, "order.created", secret), raw)


@pytest.mark.parametrize("shop, good", [(HOST, True), ("other.example.org", False)])
def test_a_secret_bound_to_a_shop_is_good_for_that_shop_only(shop: str, good: bool) -> None:
    """The shop's address is not signed: one shop must not book into another."""
    raw = orjson.dumps(order())
    assert door(Secret(SECRET, shop)).is_signed(signed(raw, "order.created"), raw) is good


@pytest.mark.parametrize("header, value", [
    *((header, value) for header in (b"topic", b"delivery-id") for value in (b"", b"\xe9", b"a\x00b", b"a" * 300)),
    *((b"source", value) for value in (b"", b"\xe9", b"shop.example.org", b"http://[", b"https://" + b"a" * 300)),
], ids=lambda value: repr(value)[:12])
def test_a_label_that_is_missing_or_odd_is_refused(header: bytes, value: bytes) -> None:
    """Without topic, shop and number nobody knows what is in the parcel."""
    headers = signed(b"{}", "order.created") | {b"x-wc-webhook-" + header: value}
    assert take_delivery(door(), headers, b"{}", NOW_MS) == Rejected(
        400, "X-WC-Webhook-Topic, -Source and -Delivery-ID are needed, as short ASCII text.\n", "bad_headers")


@settings(max_examples=MUTATIONS, deadline=None)
@given(body=st.binary(min_size=1, max_size=60), data=st.data())
def test_a_delivery_is_taken_exactly_if_its_signature_is_the_one_right_text(body: bytes, data: st.DataObject) -> None:
    """Whoever touches one letter of the parcel or the seal, or writes the seal in another way, has broken it."""
    right = b64encode(hmac.digest(SECRET, body, "sha256"))
    at = data.draw(st.integers(0, len(right) - 1))
    given_ = data.draw(st.sampled_from([
        right, right.lower(), right.rstrip(b"="), right + b"=", right + b"\n", b" " + right, right + b",x", b"",
        right[:at], right[:at] + b"\xff" + right[at + 1:], right[:at] + b" " + right[at:],
        right[:at] + b"-" + right[at + 1:], right[:-2] + b"A=", right.replace(b"+", b"-").replace(b"/", b"_"),
    ]) | st.binary(max_size=60))
    sent = data.draw(st.sampled_from([body, body + b" ", body[:-1], body[::-1]]))
    oracle = given_ == b64encode(hmac.new(SECRET, sent, sha256).digest())
    assert (door().verify({b"x-wc-webhook-signature": given_}, sent) is None) is oracle


def test_it_is_sent_once_and_so_has_to_be_kept() -> None:
    """After five failures in a row WooCommerce switches the webhook off, and never sends again."""
    assert door().is_patient is False


# --- which is which ---------------------------------------------------------------------------------------------


def test_two_deliveries_of_one_second_share_their_id_and_are_two() -> None:
    """The id is a hash of the second; what tells them apart is what they say."""
    one, two = take("order.updated", order(total="1.00")), take("order.updated", order(total="2.00"))
    assert isinstance(one, Accepted) and isinstance(two, Accepted)
    assert (one.seen == two.seen, one.seen.startswith("woo:5b7c9d1f:")) == (False, True)


def test_the_same_delivery_twice_is_one() -> None:
    """Same id, same bytes."""
    assert take("order.updated", order()) == take("order.updated", order())


@pytest.mark.parametrize("source, shop", [
    (b"https://Shop.Example.org/", HOST), (b"http://shop.example.org", HOST),
    (b"https://shop.example.org/de/", f"{HOST}/de"), (b"https://shop.example.org:8443/", f"{HOST}:8443"),
    (b"https://user:pass@shop.example.org/", HOST),
])
def test_an_order_is_known_by_the_site_it_is_of(source: bytes, shop: str) -> None:
    """Two sites number their orders alike, even when they share a host."""
    assert event("order.updated", order(), source=source).key == f"woo:{shop}:order:42"


# --- what is kept of an order -----------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["order.created", "order.updated", "order.restored"])
def test_an_order_becomes_one_canonical_event(topic: str) -> None:
    """The very shape that Shopify's orders have: in cents, in UTC, without a word about the person."""
    made = event(topic, written("order_created"))
    assert (made.type, made.key, made.time_ms) == (
        "order.updated", f"{PREFIX}:order:9007199254740993", ms("2026-11-20T12:41:09Z"))
    assert made.data == {
        "name": "#1042", "test": False, "placed_ms": ms("2026-11-20T12:41:05Z"), "cancelled_ms": None,
        "total_minor": 9414, "goods_minor": 9414, "currency": "EUR", "paid": "paid", "fulfilled": "",
        "fulfilled_ms": None, "channel": "web", "country": "DE", "region": "BE",
        "customer": f"{PREFIX}:customer:77", "checkout": "",
        "lines": [("TENT-2", 1, 4500, "Tent for two"), ("7002", 3, 2995, "Pegs, a handful")], "refunds": [],
    }


def test_nothing_personal_crosses_the_stream() -> None:
    """No name, no street, no card."""
    crossing = encode(event("order.created", written("order_created"))).decode().lower()
    assert [word for word in PERSONAL if word in crossing] == []


@pytest.mark.parametrize("status, paid, fulfilled, fulfilled_at, cancelled_at", [
    ("pending", "pending", "", None, None),
    ("on-hold", "pending", "", None, None),
    ("processing", "paid", "", None, None),
    ("completed", "paid", "fulfilled", "2026-11-20T12:30:00Z", None),
    ("refunded", "refunded", "unknown", None, None),
    ("cancelled", "voided", "", None, "2026-11-20T12:30:00Z"),
    ("failed", "voided", "", None, "2026-11-20T12:30:00Z"),
    ("awaiting-pickup", "pending", "awaiting-pickup", None, None),
    ("", "pending", "unknown", None, None),
])
def test_each_status_says_whether_it_is_paid_fulfilled_or_cancelled(
        status: str, paid: str, fulfilled: str, fulfilled_at: str | None, cancelled_at: str | None) -> None:
    """A status that a plugin made up is kept as it is called, and the order is open."""
    kept = updated(status=status)
    assert (kept["paid"], kept["fulfilled"], kept["fulfilled_ms"], kept["cancelled_ms"]) == (
        paid, fulfilled, fulfilled_at and ms(fulfilled_at), cancelled_at and ms(cancelled_at))


@pytest.mark.parametrize("status, fulfilled", [("completed", "fulfilled"), ("refunded", "fulfilled"), ("sent", "sent")])
def test_an_order_was_fulfilled_when_it_was_completed(status: str, fulfilled: str) -> None:
    """Not when somebody wrote a note on it a week later."""
    kept = updated(status=status, date_completed_gmt="2026-11-20T12:10:00")
    assert (kept["fulfilled"], kept["fulfilled_ms"]) == (fulfilled, ms("2026-11-20T12:10:00Z"))


@pytest.mark.parametrize("status", ["cancelled", "awaiting-pickup"])
def test_what_was_paid_stays_paid_whatever_the_status_is_called(status: str) -> None:
    """The date of the payment says so."""
    assert updated(status=status, date_paid_gmt="2026-11-20T12:01:00")["paid"] == "paid"


@pytest.mark.parametrize("status, facts", [
    ("pending", ["order.placed", "order.line", "order.open"]),
    ("awaiting-pickup", ["order.placed", "order.line", "order.open"]),
    ("completed", ["order.placed", "order.line", "order.completed"]),
    ("refunded", ["order.placed", "order.line"]),
    ("failed", ["order.placed", "order.cancelled"]),
])
def test_what_an_order_counts_as_follows_from_its_status(status: str, facts: list[str]) -> None:
    """Nobody packs what was paid back."""
    told, _ = tell(event("order.updated", order(status=status)))
    assert [fact.type for one in told for fact in one.facts] == facts


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft", "draft"])
def test_a_draft_is_no_order_yet(status: str) -> None:
    """The checkout makes one as soon as a customer looks at it."""
    assert isinstance(take("order.created", order(status=status)), NotUsed)


@pytest.mark.parametrize("via, channel", [
    ("checkout", "web"), ("store-api", "web"), ("pos-rest-api", "pos"), ("admin", "admin"), (None, ""), (7, "")])
def test_the_channel_is_where_the_order_was_made(via: object, channel: str) -> None:
    """The two checkouts of WooCommerce are one channel."""
    assert updated(created_via=via)["channel"] == channel


@pytest.mark.parametrize("shipping, billing, found", [
    ({"country": "", "state": ""}, {"country": "AT", "state": "T"}, ("AT", "T")),
    ({"country": "US", "state": "CA"}, {"country": "AT", "state": "T"}, ("US", "CA")),
    ({"country": "DE", "state": "DE-BE"}, None, ("DE", "BE")),
    (None, [], ("", "")), ({"country": 7}, "AT", ("", "")),
])
def test_an_order_goes_where_it_is_shipped_to_or_billed(shipping: object, billing: object, found: tuple[str, str]
                                                        ) -> None:
    """What is downloaded is shipped nowhere."""
    kept = updated(shipping=shipping, billing=billing)
    assert (kept["country"], kept["region"]) == found


@pytest.mark.parametrize("total, currency, minor", [
    ("20.00", "EUR", 2000), (20, "EUR", 2000), (19.99, "EUR", 1999), ("500", "JPY", 500), ("1.234", "KWD", 1234),
    ("0.00", "EUR", 0), ("20.005", "EUR", 2000),
])
def test_money_comes_as_text_or_number(total: object, currency: str, minor: int) -> None:
    """And is kept in whole cents, yen or fils."""
    assert updated(total=total, currency=currency)["total_minor"] == minor


@pytest.mark.parametrize("line, kept", [
    ({"quantity": 3, "price": 3.3333333333333335}, ("", 3, 1000, "")),
    ({"quantity": 3, "price": 10}, ("", 3, 3000, "")),
    ({"quantity": 3, "price": 3.3333, "total": "10.00"}, ("", 3, 1000, "")),
    ({"quantity": 0.5, "price": 8, "total": "4.00"}, ("", 1, 400, "")),
    ({"quantity": 2.0, "price": 8}, ("", 2, 1600, "")),
    ({"quantity": 1, "price": None, "product_id": 2**53 + 1}, ("9007199254740993", 1, 0, "")),
    ({"quantity": 1, "total": "-2.00", "name": "N" * 99}, ("", 1, -200, "N" * 40)),
])
def test_a_line_is_worth_its_total_or_price_times_pieces(line: dict[str, Any], kept: tuple[Any, ...]) -> None:
    """A third of ten three times is ten."""
    assert updated(line_items=[line])["lines"] == [kept]


def test_a_refund_is_dated_by_the_last_change_of_its_order() -> None:
    """The order names its refunds without a date."""
    (refund,) = updated(refunds=[{"id": 9, "reason": "broken, says Ottilie", "total": "-10.00"}])["refunds"]
    assert {**refund, "version": refund["version"][:2]} == {
        "key": f"{PREFIX}:refund:9", "version": [ms("2026-11-20T12:30:00Z"), 1],
        "time_ms": ms("2026-11-20T12:30:00Z"), "amount_minor": 1000, "currency": "EUR", "test": False}


def test_dates_are_read_in_utc_and_never_by_the_clock_of_the_site() -> None:
    """Nobody knows where the site's clock hangs."""
    kept = updated(date_created="2030-01-01T00:00:00", date_created_gmt="2026-11-20T11:00:00")
    assert kept["placed_ms"] == ms("2026-11-20T11:00:00Z")


def test_an_order_never_changed_is_as_old_as_it_is() -> None:
    """Some plugins leave the date of change empty."""
    assert event("order.updated", order(date_modified_gmt=None)).time_ms == ms("2026-11-20T12:00:00Z")


@pytest.mark.parametrize("earlier, later", [
    ({"status": "pending"}, {"status": "processing"}), ({"status": "processing"}, {"status": "completed"}),
    ({"status": "completed"}, {"status": "completed", "refunds": [{"id": 1, "total": "-1.00"}]}),
    ({"status": "on-hold"}, {"status": "cancelled"}),
    ({"status": "completed"}, {"status": "pending", "date_modified_gmt": "2026-11-20T12:30:01"}),
])
def test_of_two_versions_the_later_one_is_higher(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    """By the date of the change; within one second by how far the order has come."""
    first, second = (event("order.updated", order(**more)).version for more in (earlier, later))
    assert first is not None and second is not None and first < second


# --- deletions --------------------------------------------------------------------------------------------------


def test_a_deletion_is_an_id_and_nothing_else() -> None:
    """Dated by its arrival, as it says nothing itself."""
    made = event("order.deleted", written("order_deleted"))
    assert made[1:] == ("order.deleted", NOW_MS, NOW_MS, "woo", "main", f"{PREFIX}:order:9007199254740993",
                        (NOW_MS, 15, "deleted"), {})


def test_a_restored_order_is_there_again() -> None:
    """The trash gives back what Shopify's deletion does not."""
    deleted = event("order.deleted", {"id": 42})
    restored = event("order.restored", order(date_modified_gmt="2026-11-20T13:03:23"))
    (away,), (back,) = tell(deleted)[0], tell(restored)[0]
    assert (away.key, away.facts) == (back.key, ())
    assert away.version < back.version


def test_an_update_from_before_the_deletion_does_not_undo_it() -> None:
    """However late it arrives."""
    (away,), (old,) = tell(event("order.deleted", {"id": 42}))[0], tell(event("order.updated", order()))[0]
    assert old.version < away.version


def test_an_order_in_the_trash_is_deleted() -> None:
    """An update that is sent after the deletion finds it there."""
    made = event("order.updated", order(status="trash"))
    assert (made.type, made.version) == ("order.deleted", (ms("2026-11-20T12:30:00Z"), 15, "deleted"))


# --- what is no order -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", [
    "customer.created", "product.updated", "coupon.deleted", "action.woocommerce_add_to_cart", "order.dreamt"])
def test_other_topics_are_good_and_not_used(topic: str) -> None:
    """No number is made of them; their webhooks stay alive."""
    outcome = take(topic, written("action"))
    assert isinstance(outcome, NotUsed) and outcome.about == topic


@pytest.mark.parametrize("change, said", [
    ({"id": 1.5}, "id is not an id: 1.5"),
    ({"id": 2**63 + 1}, "id is not an id: 9223372036854775809"),
    ({"currency": "euro"}, "not a currency: 'euro'"),
    ({"total": "ten"}, "total is not an amount: 'ten'"),
    ({"total": "1e30"}, "total is amount out of range: '1e30'"),
    ({"date_created_gmt": None}, "date_created_gmt is no date: None"),
    ({"date_modified_gmt": "yesterday"}, "date_modified_gmt is no date: 'yesterday'"),
    ({"line_items": {"a": 1}}, "line_items is not a list of objects"),
    ({"line_items": [{"quantity": "2"}]}, "line quantity is no count: '2'"),
    ({"line_items": [{"quantity": True}]}, "line quantity is no count: True"),
    ({"line_items": [{"quantity": -1}]}, "line quantity is no count: -1"),
    ({"line_items": [{"quantity": 1, "price": "x"}]}, "line price is not an amount: 'x'"),
    ({"refunds": [{"total": "-1.00"}]}, "id is not an id: None"),
    ({"customer_id": -1}, "customer_id is not an id: -1"),
], ids=lambda value: repr(value)[:40])
def test_an_order_that_cannot_be_understood_is_a_dead_letter_that_says_why(change: dict[str, Any], said: str) -> None:
    """It is kept, and read again once somebody has seen to it."""
    assert reason("order.updated", order() | change) == said


def test_an_id_of_twenty_digits_is_refused_and_not_rounded() -> None:
    """The parser has made a float of it before anyone could look."""
    assert reason("order.updated", orjson.dumps(order()).replace(b'"id":42', b'"id":18446744073709551616')) == (
        "id is not an id: 1.8446744073709552e+19")


@pytest.mark.parametrize("field", ["id", "total", "currency", "date_created_gmt", "customer_id"])
def test_a_field_nested_a_thousand_deep_is_a_dead_letter(field: str) -> None:
    """What cannot even be shown in a sentence is not shown."""
    deep = b"[" * 1_000 + b"1,2" + b"]" * 1_000
    raw = orjson.dumps(order() | {field: "@@", "last": [{}, 1]}).replace(b'"@@"', deep)
    assert isinstance(take("order.updated", raw), Unusable)


def test_a_dead_letter_keeps_the_headers_it_is_read_again_by() -> None:
    """And no secret among them."""
    outcome = take("order.updated", b"{}")
    assert isinstance(outcome, Unusable)
    assert outcome.headers == {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-source": f"https://{HOST}/",
                               "x-wc-webhook-delivery-id": "5b7c9d1f"}
    again = {name.encode(): value.encode() for name, value in outcome.headers.items()}
    assert door().read(again, orjson.dumps(order()), NOW_MS) != outcome


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from(["2026-11-20T12:00:00", "trash", "processing", "EUR", "1.00", "-1.00"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12)


@given(changes=st.dictionaries(st.sampled_from([*sorted(order()), "shipping", "created_via", "date_paid_gmt"]), JSON))
def test_any_order_whatever_is_an_event_or_a_dead_letter(changes: dict[str, Any]) -> None:
    """And what is an event can cross the stream, and be told."""
    outcome = take("order.updated", order() | changes)
    assert isinstance(outcome, Accepted | Unusable | NotUsed)
    if isinstance(outcome, Accepted):
        assert decode(encode(outcome.event)).key == outcome.event.key
        assert len(list(tell(outcome.event)[0])) >= 1


@given(headers=st.dictionaries(st.sampled_from(sorted(signed(b"", "x"))), st.binary(max_size=40)),
       body=st.binary(max_size=60))
def test_any_delivery_whatever_is_answered(headers: dict[bytes, bytes], body: bytes) -> None:
    """Nothing raises, in whatever order it is asked."""
    assert isinstance(take_delivery(door(), headers, body, NOW_MS), Rejected | Answered)
    assert isinstance(door().read(headers, body, NOW_MS), Rejected | Unusable | NotUsed | Accepted)
