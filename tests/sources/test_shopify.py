"""Shopify's deliveries: who may send them, what is kept of them, and that no body can break the door."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmon.sources.base import Accepted, NotUsed, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.base import take as take_delivery
from opsmon.sources.shopify import Shopify
from opsmon.sources.shopify_bodies import READERS
from opsmon.store.event_stream import encode
from tests.conftest import NOW_MS
from tests.orders import order, refund
from tests.sources.shopify_door import (
    RECORDED,
    RECORDED_NAMES,
    SECRET,
    SHOP,
    WRITTEN,
    door,
    event,
    ms,
    reason,
    signed,
    take,
    written,
)

# All that is personal in orders_create.json, refunds_create.json and fulfillments_create.json.
PERSONAL = (
    "wendelin", "ottilie", "grausam", "@", "example.org", "203.0.113.77", "660", "unterm", "am bach", "innsbruck",
    "hall", "6020", "6060", "tirol", "47.2", "11.4", "11.5", "411111", "4242", "visa", "mozilla", "click-77",
    "vip", "cart-token", "order-token", "second floor", "engraving", "emv", "parcel-0042", "lagerweg", "tür",
)


def nested(depth: int) -> bytes:
    """A small order with a list nested so deeply that the whole has `depth` levels."""
    return orjson.dumps(order())[:-1] + b',"x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


# --- who may send -----------------------------------------------------------------------------------------------


def test_a_delivery_signed_with_the_secret_is_taken() -> None:
    """The seal fits: the parcel comes in."""
    assert isinstance(take("orders/create", order()), Accepted)


def test_a_delivery_signed_with_another_secret_is_refused_with_the_likely_cause() -> None:
    """Who made a webhook in the admin and set the app's secret reads here what is wrong."""
    raw = orjson.dumps(order())
    outcome = take_delivery(door(), signed(raw, "orders/create", b"another-secret"), raw, NOW_MS)
    assert outcome == Rejected(
        401, "The signature matches no secret: it was made with another one (webhooks made in the admin and by an "
             "app have different secrets), or something on the way changed the body.\n", "bad_signature")


def test_a_delivery_without_a_signature_is_refused() -> None:
    """No seal, no entry."""
    outcome = take("orders/create", order(), hmac_sha256=b"")
    assert outcome == Rejected(401, "X-Shopify-Hmac-Sha256 is missing.\n", "unsigned")


@pytest.mark.parametrize("signature", [
    b"\xe4\xf6\xfc", b"=", b"====", b"not base64!", b"QQ==", b" " * 44, b"A" * 44, b"A" * 10_000, b"\x00",
], ids=repr)
def test_a_signature_that_is_none_is_refused_and_breaks_nothing(signature: bytes) -> None:
    """Umlauts, half a seal or a mile of it: all the same answer."""
    outcome = take("orders/create", order(), hmac_sha256=signature)
    assert isinstance(outcome, Rejected) and (outcome.status, outcome.counter) == (401, "bad_signature")


@pytest.mark.parametrize(
    "change", [bytes.lower, lambda s: s.rstrip(b"="), lambda s: s + b"\n", lambda s: b" " + s],
    ids=["small letters", "no padding", "a newline after", "a blank before"],
)
def test_a_signature_written_in_another_way_is_refused(change: Any) -> None:
    """One way to write a seal; whoever is loose here is loose elsewhere."""
    raw = orjson.dumps(order())
    headers = signed(raw, "orders/create")
    headers[b"x-shopify-hmac-sha256"] = change(headers[b"x-shopify-hmac-sha256"])
    assert not door().is_signed(headers, raw)


@pytest.mark.parametrize("secret", [b"the-old-secret", b"the-new-secret"])
def test_while_secrets_rotate_both_are_good(secret: bytes) -> None:
    """For an hour after the change Shopify still signs some with the old one."""
    raw = orjson.dumps(order())
    both = door(Secret(b"the-old-secret"), Secret(b"the-new-secret"))
    assert both.is_signed(signed(raw, "orders/create", secret), raw)


def test_a_secret_bound_to_a_shop_is_good_for_that_shop() -> None:
    """Each branch has a seal of its own; letter case of the shop's name does not matter."""
    raw = orjson.dumps(order())
    bound = door(Secret(SECRET, SHOP))
    assert bound.is_signed(signed(raw, "orders/create", shop_domain=SHOP.upper().encode()), raw)


def test_a_secret_bound_to_a_shop_is_good_for_no_other() -> None:
    """The shop's name is not signed: a branch must not book into another."""
    raw = orjson.dumps(order())
    outcome = take_delivery(door(Secret(SECRET, "other.myshopify.com")), signed(raw, "orders/create"), raw, NOW_MS)
    assert isinstance(outcome, Rejected) and (outcome.status, outcome.counter) == (401, "no_secret")


def test_without_any_secret_the_answer_says_where_to_put_one() -> None:
    """The first thing one meets when setting up."""
    raw = orjson.dumps(order())
    nobody = Shopify(SourceSettings("shopify", "shopify"), "main")
    outcome = take_delivery(nobody, signed(raw, "orders/create"), raw, NOW_MS)
    assert outcome == Rejected(
        401, "No signing secret is set for this shop: put it into OPSMON_SHOPIFY_SECRETS.\n", "no_secret")


def test_headers_without_the_x_are_as_good() -> None:
    """Shopify's new deliveries write the same labels shorter."""
    raw = orjson.dumps(order())
    short = {name.removeprefix(b"x-"): value for name, value in signed(raw, "orders/create").items()}
    assert take_delivery(door(), short, raw, NOW_MS) == take("orders/create", order())


@pytest.mark.parametrize("header", [b"topic", b"shop-domain", b"webhook-id"])
@pytest.mark.parametrize("value", [b"", b"\xe9", b"a\x00b", b"a" * 256, b"a\r\nb"], ids=lambda v: repr(v)[:9])
def test_a_label_that_is_missing_or_odd_is_refused(header: bytes, value: bytes) -> None:
    """Without topic, shop and number nobody knows what is in the parcel, or whether it came before."""
    headers = signed(b"{}", "orders/create")
    headers[b"x-shopify-" + header] = value
    outcome = take_delivery(door(), headers, b"{}", NOW_MS)
    assert isinstance(outcome, Rejected) and (outcome.status, outcome.counter) == (400, "bad_headers")


def test_nothing_of_an_unsigned_body_is_looked_at() -> None:
    """An unsigned pile of rubbish costs a signature check and no more."""
    outcome = take_delivery(door(), signed(b"", "orders/create", b"another"), b"[" * 100_000, NOW_MS)
    assert isinstance(outcome, Rejected) and outcome.status == 401


def test_the_identity_of_a_delivery_is_shop_and_webhook_id() -> None:
    """Two shops may number alike."""
    outcome = take("orders/create", order(), shop_domain=b"Two.myshopify.com", webhook_id=b"77")
    assert isinstance(outcome, Accepted) and outcome.seen == "shopify:two.myshopify.com:77"


@given(body=st.binary(max_size=200), secret=st.binary(min_size=8, max_size=64))
def test_whatever_is_signed_is_verified(body: bytes, secret: bytes) -> None:
    """Every seal we would make, we take."""
    assert door(Secret(b"another-one"), Secret(secret)).is_signed(signed(body, "orders/create", secret), body)


@settings(max_examples=600, deadline=None)
@given(body=st.binary(min_size=1, max_size=80), data=st.data())
def test_one_changed_byte_of_body_or_signature_is_refused(body: bytes, data: st.DataObject) -> None:
    """Whoever touches one letter of the parcel or the seal has broken it; and nothing falls over."""
    headers = signed(body, "orders/create")
    parts = [body, headers[b"x-shopify-hmac-sha256"]]
    which = data.draw(st.integers(0, 1))
    at = data.draw(st.integers(0, len(parts[which]) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != parts[which][at]))
    parts[which] = parts[which][:at] + bytes([other]) + parts[which][at + 1:]
    headers[b"x-shopify-hmac-sha256"] = parts[1]
    assert not door().is_signed(headers, parts[0])


# --- what is kept of an order -----------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", [topic for topic, reader in READERS.items() if reader.__name__ == "read_order"])
def test_an_order_becomes_one_canonical_event(topic: str) -> None:
    """Whatever the topic says happened, the event says how the order stands: in the shop's money, in cents."""
    made = event(topic, written("orders_create"), triggered_at=b"2026-11-20T12:41:08.250Z")
    assert made.data == {
        "name": "#1042", "test": False, "placed_ms": ms("2026-11-20T12:41:05Z"), "cancelled_ms": None,
        "total_minor": 14230, "goods_minor": 9230, "currency": "EUR", "paid": "paid", "fulfilled": "",
        "fulfilled_ms": None, "channel": "web", "country": "AT", "region": "T",
        "customer": f"shopify:{SHOP}:customer:6123450987", "checkout": "",
        "lines": [("TENT-2", 1, 9250, "Tent for two"), ("7002", 2, 5000, "Gift card")], "refunds": [],
    }


@pytest.mark.parametrize(("parcels", "fulfilled"), [
    ([], "2026-11-20T12:41:08Z"),
    ([{"status": "success", "created_at": "2026-11-20T12:42:00Z"}], "2026-11-20T12:42:00Z"),
    ([{"status": "success", "created_at": "2026-11-20T12:42:00Z"},
      {"status": "success", "created_at": "2026-11-20T12:44:00Z"},
      {"status": "cancelled", "created_at": "2026-11-20T12:50:00Z"}], "2026-11-20T12:44:00Z"),
])
def test_an_order_is_fulfilled_when_its_last_parcel_was_made(parcels: list[Any], fulfilled: str) -> None:
    """Cancelled parcels do not count; a body without parcels tells by its update."""
    body = written("orders_create") | {"fulfillment_status": "fulfilled", "fulfillments": parcels}
    assert event("orders/fulfilled", body).data["fulfilled_ms"] == ms(fulfilled)


def test_an_order_that_is_partly_packed_is_not_fulfilled() -> None:
    """It stays among the open ones."""
    body = written("orders_create") | {"fulfillment_status": "partial",
                                       "fulfillments": [{"status": "success", "created_at": "2026-11-20T12:42:00Z"}]}
    assert event("orders/updated", body).data["fulfilled_ms"] is None


def test_an_order_names_its_checkout() -> None:
    """So that a checkout that was started is known to be paid."""
    assert event("orders/create", written("orders_create") | {"checkout_token": "c0ffee"}).data["checkout"] == "c0ffee"


def test_an_event_names_its_delivery_its_entity_and_its_times() -> None:
    """When it was triggered is event time, when it reached us is arrival time; ids are text."""
    made = event("orders/create", written("orders_create"), triggered_at=b"2026-11-20T12:41:08.250Z")
    assert (made.id, made.type, made.time_ms, made.arrived_ms, made.source, made.site, made.key) == (
        f"shopify:{SHOP}:b1e2", "order.updated", ms("2026-11-20T12:41:08.250Z"), NOW_MS, "shopify", "main",
        f"shopify:{SHOP}:order:9007199254740993")


def test_event_time_is_the_bodys_when_no_trigger_time_is_said() -> None:
    """Older deliveries do not say when they were triggered."""
    assert event("orders/create", written("orders_create")).time_ms == ms("2026-11-20T12:41:08Z")


@pytest.mark.parametrize("name, topic", [
    ("orders_create", "orders/create"), ("refunds_create", "refunds/create"),
    ("fulfillments_create", "fulfillments/create"),
])
def test_nothing_personal_crosses_the_stream(name: str, topic: str) -> None:
    """No name, mail, street, phone, network address or card: what is not kept cannot leak."""
    stored = encode(event(topic, written(name))).decode().lower()
    assert [word for word in PERSONAL if word in stored] == []


def test_the_words_that_count_as_personal_are_in_the_deliveries() -> None:
    """The test above would find them."""
    bodies = "".join((WRITTEN / f"{name}.json").read_text().lower()
                     for name in ("orders_create", "refunds_create", "fulfillments_create"))
    assert [word for word in PERSONAL if word not in bodies] == []


def test_a_version_is_the_update_then_progress_then_a_digest() -> None:
    """Of two that were updated in the same second the one further on in its life wins."""
    placed = event("orders/create", order(financial_status="pending")).version
    paid = event("orders/paid", order(financial_status="paid")).version
    gone = event("orders/cancelled", order(financial_status="paid", cancelled_at="2026-11-20T13:03:22Z")).version
    assert placed is not None and paid is not None and gone is not None
    assert placed < paid < gone


def test_a_cancelled_order_says_when() -> None:
    """The sale stays on its day; the cancelling has a day of its own."""
    data = event("orders/cancelled", order(cancelled_at="2026-11-20T13:03:22-05:00")).data
    assert (data["cancelled_ms"], data["placed_ms"]) == (ms("2026-11-20T18:03:22Z"), NOW_MS)


def test_the_same_order_has_the_same_version_whatever_the_topic() -> None:
    """create, paid and updated of one checkout carry one body: they are one version."""
    assert event("orders/create", order()).version == event("orders/paid", order()).version


def test_an_order_of_ten_lines_fits_in_a_kilobyte() -> None:
    """The stream keeps two days of them in memory."""
    lines = [{"id": 11814000000000 + n, "sku": f"SKU-{n:06}-BLACK-XL", "quantity": n, "price": "1234.56"}
             for n in range(1, 11)]
    assert len(encode(event("orders/create", written("orders_create") | {"line_items": lines}))) <= 1024


def test_an_old_order_without_price_sets_counts_its_plain_prices() -> None:
    """Bodies of 2015 have one price and no sets."""
    made = event("orders/updated", written("orders_legacy"))
    assert (made.data["total_minor"], made.data["currency"], made.data["lines"]) == (
        40994, "USD", [("IPOD-2008-GREEN", 2, 39800, "Player")])


def test_an_old_refund_without_subtotals_counts_the_money_that_moved() -> None:
    """Before 2016 a refund did not say what its lines were worth; what failed did not move."""
    (given_back,) = event("orders/updated", written("orders_legacy")).data["refunds"]
    assert (given_back["amount_minor"], given_back["time_ms"]) == (19900, ms("2015-03-19T20:20:00Z"))


def test_the_admins_test_notification_is_marked_as_a_test() -> None:
    """The order #9999 of "Jon" is none, and is never counted."""
    made = event("orders/create", written("orders_test_notification"))
    assert (made.data["name"], made.data["test"]) == ("#9999", True)


def test_the_billing_address_tells_the_country_when_nothing_is_shipped() -> None:
    """Vouchers have no shipping address."""
    body = written("orders_create") | {"shipping_address": None}
    body["billing_address"]["country_code"] = "DE"
    assert event("orders/create", body).data["country"] == "DE"


def test_an_order_of_nothing_but_gift_cards_has_no_value_to_average() -> None:
    """It counts as an order, but would pull the average order down or up for nothing."""
    body = order(line_items=[{"quantity": 1, "price": "49.90", "gift_card": True}])
    assert event("orders/create", body).data["goods_minor"] is None


@pytest.mark.parametrize("total, minor", [
    ("49.90", 4990), ("49.9", 4990), ("49", 4900), (49, 4900), (49.9, 4990), (0.1, 10), ("-3.50", -350), ("0", 0),
    ("0.005", 0), ("0.015", 2), ("1e3", 100000), (None, 0), ("90071992547409.91", 2**53 - 1),
])
def test_money_is_read_as_text_number_or_nothing(total: Any, minor: int) -> None:
    """Shopify writes amounts as text, in refunds as numbers, and sometimes not at all."""
    body = order(total=total, line_items=[], total_price_set=None)
    assert event("orders/create", body).data["total_minor"] == minor


@pytest.mark.parametrize("total", [
    "NaN", "Infinity", "-Infinity", "1e400", "90071992547409.92", "9" * 400, "", "free", "1.2.3", True, [], {},
    1e300, 10**17,
], ids=lambda total: repr(total)[:20])
def test_money_that_is_no_amount_is_a_dead_letter(total: Any) -> None:
    """No number on the wall is made of "NaN" or of more cents than a register can hold."""
    body = order(total=total, line_items=[], total_price_set=None)
    assert reason("orders/create", body).startswith("total_price is")


@pytest.mark.parametrize(
    "currency, total, minor", [("JPY", "1200", 1200), ("KWD", "1.234", 1234), ("EUR", "1", 100)])
def test_each_currency_has_its_own_minor_unit(currency: str, total: str, minor: int) -> None:
    """Yen have no cents, dinars have a thousand fils."""
    data = event("orders/create", order(total=total, currency=currency, line_items=[])).data
    assert (data["total_minor"], data["currency"]) == (minor, currency)


def test_shop_money_wins_over_the_currency_the_buyer_saw() -> None:
    """One till, one currency: the shop's."""
    body = order(total="40.00", currency="EUR", line_items=[]) | {"currency": "USD", "total_price": "44.00"}
    data = event("orders/create", body).data
    assert (data["total_minor"], data["currency"]) == (4000, "EUR")


def test_a_price_set_without_an_amount_leaves_the_plain_price() -> None:
    """Half a set is no reason to count nothing."""
    body = order(total="40.00", line_items=[], total_price_set={"shop_money": {"currency_code": "EUR"}})
    assert event("orders/create", body).data["total_minor"] == 4000


@pytest.mark.parametrize("currency", ["eur", "EURO", "E1R", "", None, 978])
def test_a_currency_that_is_none_is_a_dead_letter(currency: Any) -> None:
    """An amount without a known currency is in no sum."""
    assert reason("orders/create", order(total_price_set=None) | {"currency": currency}) == (
        f"not a currency: {currency!r}")


def test_sums_too_large_for_exact_numbers_are_a_dead_letter() -> None:
    """A million of the dearest thing there is: no register holds that, and nothing falls over."""
    body = order(line_items=[{"quantity": 1_000_000, "price": "90071992547409.91"}])
    assert reason("orders/create", body).startswith("line value is out of range: ")


def test_refunds_too_large_for_exact_numbers_are_a_dead_letter() -> None:
    """The same for what is given back."""
    line = {"subtotal": "90071992547409.91", "total_tax": "90071992547409.91"}
    said = reason("refunds/create", refund() | {"refund_line_items": [line]})
    assert said == "refund is out of range: 18014398509481982"


# --- ids and dates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2**53 - 1, 2**53, 2**53 + 1, 820982911946154508, 2**63 - 1, 2**63])
def test_an_id_is_kept_to_the_last_digit(number: int) -> None:
    """Two orders whose numbers differ in the last digit stay two."""
    assert event("orders/create", order(number)).key == f"shopify:{SHOP}:order:{number}"


@pytest.mark.parametrize("number", [
    "18446744073709551616", "9223372036854775809", "18446744073709551615", "123456789012345678901234567890", "1.5",
    "1e3", "0", "-1", "true", "null", '""', "[1]", '"' + "7" * 65 + '"', '"1\\n2"', '"ü"',
])
def test_an_id_that_cannot_be_kept_exactly_is_a_dead_letter(number: str) -> None:
    """Beyond 2^64 a JSON reader makes a rounded number of it, and two orders would become one."""
    raw = orjson.dumps(order(77)).replace(b'"id":77', f'"id":{number}'.encode())
    assert reason("orders/create", raw).startswith("id is not an id: ")


def test_an_id_as_text_is_the_same_entity() -> None:
    """Some senders quote their numbers."""
    assert event("orders/create", order() | {"id": "1001"}).key == event("orders/create", order()).key


@pytest.mark.parametrize("text, utc", [
    ("2026-11-20T13:00:00-05:00", "2026-11-20T18:00:00Z"), ("2026-11-20T13:00:00-17:00", "2026-11-21T06:00:00Z"),
    ("2026-11-20T13:00:00-00:00", "2026-11-20T13:00:00Z"), ("2026-11-20T13:00:00+05:30", "2026-11-20T07:30:00Z"),
    ("2026-11-20T13:00:00.123Z", "2026-11-20T13:00:00.123Z"), ("2026-11-20T13:00:00", "2026-11-20T13:00:00Z"),
    ("0001-01-08T00:00:00+00:00", "0001-01-08T00:00:00Z"), ("9999-12-24T23:59:59Z", "9999-12-24T23:59:59Z"),
])
def test_a_date_is_an_instant_whatever_its_offset(text: str, utc: str) -> None:
    """Offsets change with the season; -17:00 was really seen."""
    body = order() | {"processed_at": None, "created_at": text}
    assert event("orders/create", body).data["placed_ms"] == ms(utc)


@pytest.mark.parametrize("value", [
    "yesterday", "", 1763640000, None, "2026-13-01T00:00:00Z", [], "2026-11-20T25:00:00Z", "2" * 41,
    "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2026-11-20T13:00:00+24:00",
], ids=repr)
def test_a_date_that_is_none_is_a_dead_letter_that_names_the_field(value: Any) -> None:
    """Who wrote the sender reads which field is wrong."""
    assert reason("orders/create", order() | {"updated_at": value}) == f"updated_at is no date: {value!r:.40}"


# --- refunds, deletions, parcels --------------------------------------------------------------------------------


def test_a_refund_is_worth_its_lines_with_tax_and_the_shipping_given_back() -> None:
    """Goods 92.50 with tax, and shipping, which Shopify writes as an adjustment of -9.80."""
    (given_back,) = event("refunds/create", written("refunds_create")).data["refunds"]
    assert (given_back["amount_minor"], given_back["currency"]) == (10230, "EUR")


def test_a_refund_is_an_entity_of_its_own_with_its_own_day() -> None:
    """It lowers the day it was given; the event still says whose order it is about."""
    made = event("refunds/create", written("refunds_create"))
    (given_back,) = made.data["refunds"]
    assert (made.type, made.key, given_back["key"], given_back["time_ms"]) == (
        "refund.created", f"shopify:{SHOP}:order:9007199254740993", f"shopify:{SHOP}:refund:929361100001",
        ms("2026-11-21T08:15:30Z"))


def test_a_refund_is_the_same_from_both_ways() -> None:
    """It comes on its own and inside its order; both tell the same, and the order ranks higher."""
    body = written("refunds_create")
    (alone,) = event("refunds/create", body).data["refunds"]
    (inside,) = event("orders/updated", written("orders_create") | {"refunds": [body]}).data["refunds"]
    assert {**alone, "version": None} == {**inside, "version": None}
    assert [alone["version"][1], inside["version"][1]] == [0, 1]


def test_a_refund_of_test_money_is_a_test() -> None:
    """Money of the bogus gateway never was."""
    body = written("refunds_create")
    body["transactions"][0]["test"] = True
    assert event("refunds/create", body).data["refunds"][0]["test"] is True


def test_a_refund_without_any_currency_is_a_dead_letter() -> None:
    """So many what?"""
    assert reason("refunds/create", refund() | {"transactions": []}) == "the refund names no currency"


def test_a_deleted_order_is_told_by_its_id_alone() -> None:
    """All that Shopify sends of it."""
    made = event("orders/delete", {"id": 820982911946154508})
    assert (made.type, made.key, made.version, made.data) == (
        "order.deleted", f"shopify:{SHOP}:order:820982911946154508", None, {})


@pytest.mark.parametrize("topic", ["fulfillments/create", "fulfillments/update"])
def test_a_parcel_becomes_an_event_of_its_own(topic: str) -> None:
    """A parcel knows its order, its carrier and how far it is; not where it goes."""
    made = event(topic, written("fulfillments_create"))
    assert (made.type, made.key, made.data) == (
        "fulfillment.updated", f"shopify:{SHOP}:fulfillment:255858046001",
        {"order": f"shopify:{SHOP}:order:9007199254740993", "status": "success", "shipment": "",
         "carrier": "Austrian Post", "created_ms": ms("2026-11-20T15:02:11Z")})


# --- signed, but not to be used ---------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["customers/create", "themes/publish", "inventory_transfers/complete", "x"])
def test_a_topic_that_no_number_is_made_of_is_not_used(topic: str) -> None:
    """It is counted and answered well; its body is not even read."""
    assert take(topic, b"not even JSON") == NotUsed(f"shopify:{SHOP}:b1e2", topic)


@pytest.mark.parametrize("topic, body, said", [
    ("orders/create", {"id": 17}, "the topic is orders/create, but the body has no created_at"),
    ("orders/paid", written("refunds_create"), "the topic is orders/paid, but the body has no updated_at"),
    ("orders/updated", written("orders_edited"), "the topic is orders/updated, but the body has no id"),
    ("refunds/create", written("orders_create"), "the topic is refunds/create, but the body has no order_id"),
    ("fulfillments/update", written("orders_create"),
     "the topic is fulfillments/update, but the body has no order_id"),
    ("orders/delete", {"order": 17}, "the topic is orders/delete, but the body has no id"),
])
def test_a_body_of_another_topic_is_a_dead_letter_that_says_so(topic: str, body: Any, said: str) -> None:
    """A webhook that was set up for the wrong event is found by reading one sentence."""
    assert reason(topic, body) == said


@pytest.mark.parametrize("raw, said", [
    (b"", "the body is empty"), (b"[]", "the body is a JSON list, expected an object"),
    (b"null", "the body is a JSON NoneType, expected an object"),
    (b'"text"', "the body is a JSON str, expected an object"),
])
def test_a_body_that_is_no_object_is_a_dead_letter(raw: bytes, said: str) -> None:
    """An empty parcel, or a letter where a parcel was announced."""
    assert reason("orders/create", raw) == said


@pytest.mark.parametrize("raw", [b"{", b"{'id': 1}", b"\xff\xfe", b'{"id": 1,}', b'{"id": NaN}', b"id=1",
                                 b'{"name": "\xed\xa0\x80"}', b'{"name": "\\ud800"}'], ids=repr)
def test_a_body_that_is_not_json_is_a_dead_letter(raw: bytes) -> None:
    """The reason says where reading ended, and nothing of what stood there."""
    assert reason("orders/create", raw).startswith("the body is not JSON: ")


def test_a_dead_letter_keeps_the_body_and_what_it_was_about() -> None:
    """So that it can be looked at, mended and sent again."""
    outcome = take("orders/create", b"{")
    assert isinstance(outcome, Unusable)
    assert (outcome.seen, outcome.body, outcome.about) == (
        f"shopify:{SHOP}:b1e2", b"{", f"orders/create from {SHOP}")


def test_a_body_nested_64_deep_is_taken() -> None:
    """No real order has ten levels."""
    assert isinstance(take("orders/create", nested(64)), Accepted)


@pytest.mark.parametrize("depth", [65, 66, 100, 1000])
def test_a_body_nested_deeper_is_a_dead_letter(depth: int) -> None:
    """What is folded so often holds nothing but trouble."""
    assert reason("orders/create", nested(depth)) == "the body is nested deeper than 64"


@pytest.mark.parametrize("depth", [1025, 10_000, 100_000])
def test_a_body_nested_absurdly_deep_is_a_dead_letter_too(depth: int) -> None:
    """The reader itself gives up there, without falling over."""
    assert reason("orders/create", nested(depth)).startswith("the body is not JSON: ")


def test_depth_that_hides_does_no_harm() -> None:
    """Folded so that it does not look like it: nobody unfolds it, so the order counts as ever."""
    hidden = b'["]",' * 900 + b"0" + b',"["]' * 900
    assert isinstance(take("orders/create", orjson.dumps(order())[:-1] + b',"x":' + hidden + b"}"), Accepted)


@pytest.mark.parametrize("text", ["[" * 500, '"[' * 200, "\\" * 99 + "[" * 99, '\\"{' * 100], ids=lambda t: t[:6])
def test_brackets_inside_texts_are_no_depth(text: str) -> None:
    """A customer may write as many brackets as they like."""
    assert isinstance(take("orders/create", order(note=text)), Accepted)


def test_two_thousand_lines_are_taken() -> None:
    """The largest order anyone has sent had a thousand."""
    body = order(line_items=[{"sku": "A", "quantity": 1, "price": "1.00"}] * 2_000)
    assert len(event("orders/create", body).data["lines"]) == 2_000


@pytest.mark.parametrize(("more", "said"), [
    ({"line_items": [{"sku": "A", "quantity": 1, "price": "1.00"}] * 2_001}, "line_items has over 2000 entries"),
    ({"refunds": [{}] * 2_001}, "refunds has over 2000 entries"),
    ({str(n): n for n in range(2_001)}, "the body has over 2000 members in one place"),
], ids=["lines", "refunds", "keys of the order"])
def test_more_than_two_thousand_members_in_one_place_are_a_dead_letter(more: dict[str, Any], said: str) -> None:
    """A million names in one object is an attack on tables, not an order."""
    assert reason("orders/create", order() | more) == said


@pytest.mark.parametrize("lines, said", [
    ("none", "line_items is not a list of objects"), ({"a": 1}, "line_items is not a list of objects"),
    ([1], "line_items is not a list of objects"), ([{"quantity": "2"}], "line quantity is no count: '2'"),
    ([{"quantity": -1}], "line quantity is no count: -1"), ([{"quantity": 1.5}], "line quantity is no count: 1.5"),
    ([{"quantity": True}], "line quantity is no count: True"), ([{}], "line quantity is no count: None"),
])
def test_lines_that_are_none_are_a_dead_letter(lines: Any, said: str) -> None:
    """Half a box is not picked."""
    assert reason("orders/create", order(line_items=lines)) == said


# --- anything at all --------------------------------------------------------------------------------------------

SCALARS = (st.none() | st.booleans() | st.integers(-2**70, 2**70) | st.floats() | st.text(max_size=20)
           | st.sampled_from(["EUR", "1e999", "NaN", "2026-11-20T13:00:00Z", "refund", "success", "9" * 30]))
FIELDS = st.sampled_from(sorted(
    set(written("orders_create")) | set(written("refunds_create")) | set(written("fulfillments_create"))
    | {"sku", "quantity", "price", "gift_card", "subtotal", "subtotal_set", "shop_money", "amount", "kind",
       "currency_code", "country_code", "total_tax", "tax_amount", "product_id"}))
JSONS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=6), max_leaves=20)


@given(topic=st.sampled_from(sorted(READERS)), body=st.binary(max_size=300))
def test_arbitrary_bytes_are_a_dead_letter_and_break_nothing(topic: str, body: bytes) -> None:
    """Whatever was signed, the answer is one we know."""
    assert isinstance(take(topic, body), Unusable)


@settings(max_examples=600, deadline=None)
@given(topic=st.sampled_from(sorted(READERS)), name=st.sampled_from([
    "orders_create", "orders_legacy", "refunds_create", "fulfillments_create"]),
    odd=st.dictionaries(FIELDS, JSONS, max_size=4))
def test_a_good_body_with_odd_fields_breaks_nothing(topic: str, name: str, odd: dict[str, Any]) -> None:
    """Good parcels with something strange in them: taken or set aside, and what is taken can be stored."""
    raw = json.dumps(written(name) | odd).encode()
    outcome = take(topic, raw)
    assert isinstance(outcome, Accepted | Unusable)
    assert not isinstance(outcome, Accepted) or encode(outcome.event)


@given(headers=st.dictionaries(st.sampled_from([
    b"x-shopify-topic", b"x-shopify-shop-domain", b"x-shopify-webhook-id", b"x-shopify-hmac-sha256",
    b"x-shopify-triggered-at", b"shopify-topic", b"shopify-hmac-sha256"]), st.binary(max_size=60)),
    body=st.binary(max_size=60))
def test_arbitrary_headers_are_refused_and_break_nothing(headers: dict[bytes, bytes], body: bytes) -> None:
    """Whatever stands on the label of an unsigned parcel."""
    assert isinstance(take_delivery(door(), headers, body, NOW_MS), Rejected)


@pytest.mark.skipif(not RECORDED_NAMES, reason="the recorded payloads (../shared/fixtures/shopify) are not here")
@pytest.mark.parametrize("topic", sorted(READERS))
def test_every_recorded_payload_breaks_nothing_at_any_topic(topic: str) -> None:
    """Real bodies of every kind, each at every door: taken or set aside."""
    outcomes = [take(topic, (RECORDED / name).read_bytes()) for name in RECORDED_NAMES]
    assert [outcome for outcome in outcomes if not isinstance(outcome, Accepted | Unusable)] == []


@pytest.mark.skipif(not RECORDED_NAMES, reason="the recorded payloads (../shared/fixtures/shopify) are not here")
@pytest.mark.parametrize("start, topic", [
    ("orders_", "orders/create"), ("refunds_", "refunds/create"), ("fulfillments_", "fulfillments/create")])
def test_every_recorded_payload_is_taken_at_its_own_topic(start: str, topic: str) -> None:
    """What shops really sent, of all ages and sizes, becomes events."""
    names = [name for name in RECORDED_NAMES if name.startswith(start)]
    assert [reason(topic, (RECORDED / name).read_bytes()) for name in names
            if not isinstance(take(topic, (RECORDED / name).read_bytes()), Accepted)] == []
