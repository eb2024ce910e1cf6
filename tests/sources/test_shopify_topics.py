"""What each topic of Shopify becomes: one event with an exact key, a version, and only what is allowed in it."""

from typing import Any

import pytest

from opsmon.core.facts import VENDOR_TYPES
from opsmon.sources.base import Accepted, NotUsed, Unusable
from opsmon.sources.shopify_bodies import READERS
from opsmon.store.event_stream import encode
from tests.conftest import NOW_MS
from tests.sources.shopify_door import RECORDED, RECORDED_NAMES, SHOP, WRITTEN, event, ms, reason, take, written

PREFIX = f"shopify:{SHOP}"
ORDER = f"{PREFIX}:order:9007199254740993"
TRIGGERED = "2026-11-20T12:59:30.250Z"

# Deliveries written by hand, and the topics that send such a body.
TOPICS = {
    "orders_create": "orders/create orders/updated orders/paid orders/cancelled orders/fulfilled "
                     "orders/partially_fulfilled",
    "orders_pos": "orders/create",
    "orders_legacy": "orders/updated",
    "orders_test_notification": "orders/create",
    "orders_edited": "orders/edited",
    "orders_edited_unwrapped": "orders/edited",
    "refunds_create": "refunds/create",
    "returns_request": "returns/request returns/approve",
    "returns_update": "returns/update returns/process",
    "returns_close": "returns/close returns/cancel returns/reopen returns/decline",
    "order_transactions_create": "order_transactions/create",
    "tender_transactions_create": "tender_transactions/create",
    "disputes_create": "disputes/create disputes/update",
    "fulfillments_create": "fulfillments/create fulfillments/update",
    "fulfillment_events_create": "fulfillment_events/create",
    "fulfillment_orders_placed_on_hold": "fulfillment_orders/placed_on_hold fulfillment_orders/split",
    "fulfillment_orders_hold_released": "fulfillment_orders/hold_released fulfillment_orders/cancelled "
                                        "fulfillment_orders/rescheduled "
                                        "fulfillment_orders/line_items_prepared_for_pickup",
    "fulfillment_orders_moved": "fulfillment_orders/moved",
    "fulfillment_orders_merged": "fulfillment_orders/merged",
    "carts_update": "carts/create carts/update",
    "checkouts_create": "checkouts/create checkouts/update",
    "checkouts_delete": "checkouts/delete",
    "draft_orders_create": "draft_orders/create draft_orders/update",
    "inventory_levels_update": "inventory_levels/update inventory_levels/connect",
    "inventory_levels_disconnect": "inventory_levels/disconnect",
    "inventory_items_update": "inventory_items/create inventory_items/update",
    "products_update": "products/create products/update",
    "locations_update": "locations/create locations/update locations/activate locations/deactivate",
    "removed": "inventory_items/delete products/delete locations/delete draft_orders/delete orders/delete",
    "shop_update": "shop/update",
    "app_uninstalled": "app/uninstalled",
    "app_scopes_update": "app/scopes_update",
    "bulk_operations_finish": "bulk_operations/finish",
    "customers_data_request": "customers/data_request",
    "customers_redact": "customers/redact",
    "shop_redact": "shop/redact",
}
SENT = [(name, topic) for name, topics in TOPICS.items() for topic in topics.split()]

# A delivery, its topic, what kind of event it becomes, about whom, of which time (None: the delivery's), with what.
BECOMES: list[tuple[str, str, str, str, str | None, dict[str, Any]]] = [
    ("orders_edited", "orders/edited", "order.edited", "edit:78912328", "2026-11-20T14:10:00+01:00",
     {"order": ORDER, "added": 1, "removed": 0}),
    ("orders_edited_unwrapped", "orders/edited", "order.edited", "edit:78912329", "2026-11-20T14:20:00+01:00",
     {"order": ORDER, "added": 2, "removed": 1}),
    ("returns_request", "returns/request", "return.updated", "return:3547267221", None,
     {"status": "requested", "order": ORDER}),
    ("returns_update", "returns/update", "return.updated", "return:3547267221", None, {"status": "", "order": ""}),
    ("returns_close", "returns/close", "return.updated", "return:3547267221", None,
     {"status": "closed", "order": ORDER}),
    ("order_transactions_create", "order_transactions/create", "payment.tried", "transaction:9223372036854775807",
     "2026-11-20T13:40:58+01:00",
     {"order": ORDER, "ok": "no", "kind": "sale", "gateway": "shopify_payments", "error": "card_declined",
      "test": False, "tried_ms": ms("2026-11-20T12:41:00Z")}),
    ("tender_transactions_create", "tender_transactions/create", "payment.moved", "tender:550005001",
     "2026-11-20T13:41:04+01:00",
     {"order": ORDER, "amount_minor": 14230, "currency": "EUR", "method": "credit_card", "test": False,
      "moved_ms": ms("2026-11-20T12:41:04Z")}),
    ("disputes_create", "disputes/create", "dispute.updated", "dispute:285332461850802063", None,
     {"order": ORDER, "status": "needs_response", "kind": "chargeback", "reason": "fraudulent", "amount_minor": 14230,
      "currency": "EUR", "opened_ms": ms("2026-11-20T13:00:00Z"), "due_ms": ms("2026-12-03T23:00:00Z")}),
    ("fulfillment_events_create", "fulfillment_events/create", "parcel.tracked", "fulfillment:255858046001",
     "2026-11-20T16:05:00+01:00", {"order": ORDER, "shipment": "out_for_delivery"}),
    ("carts_update", "carts/update", "cart.changed", "cart:hWN2Qa", "2026-11-20T13:36:00.751Z",
     {"filled_ms": ms("2026-11-20T13:30:00.101Z"), "pieces": 3}),
    ("checkouts_create", "checkouts/create", "checkout.updated", "checkout:981820079255243537",
     "2026-11-20T13:39:10+01:00", {"checkout": "c0ffee0042", "started_ms": ms("2026-11-20T12:38:00Z")}),
    ("draft_orders_create", "draft_orders/create", "draft.updated", "draft:517119332", "2026-11-20T11:05:00+01:00",
     {"name": "#D1", "status": "invoice_sent", "total_minor": 8800, "currency": "EUR", "order": "",
      "completed_ms": None}),
    ("inventory_levels_update", "inventory_levels/update", "inventory.changed", "stock:9007199254741001:61001",
     "2026-11-20T13:41:09+01:00", {"sku": "9007199254741001", "location": "61001", "available": -2}),
    ("inventory_levels_disconnect", "inventory_levels/disconnect", "inventory.changed", "stock:9007199254741001:61001",
     None, {"sku": "9007199254741001", "location": "61001"}),
    ("inventory_items_update", "inventory_items/update", "inventory_item.updated", "item:9007199254741001",
     "2026-11-20T13:00:00+01:00", {"sku": "TENT-2", "tracked": True}),
    ("products_update", "products/update", "product.updated", "product:7001", "2026-11-20T13:10:00+01:00",
     {"title": "Tent for two, with a porch and a very lo", "status": "active",
      "items": [["9007199254741001", "TENT-2"], ["9007199254741003", ""]], "tags": ["vip"]}),
    ("locations_update", "locations/update", "location.updated", "location:61001", "2026-11-20T13:20:00+01:00",
     {"name": "Lager Süd", "active": True, "country": "AT"}),
    ("shop_update", "shop/update", "shop.updated", "shop", "2026-11-20T15:00:00+01:00",
     {"zone": "Europe/Vienna", "currency": "EUR"}),
    ("app_uninstalled", "app/uninstalled", "app.uninstalled", "app", None, {}),
    ("app_scopes_update", "app/scopes_update", "app.scopes_updated", "app", "2026-11-20T13:50:00Z",
     {"now": ["read_orders", "read_returns"], "before": ["read_orders"]}),
    ("bulk_operations_finish", "bulk_operations/finish", "bulk.finished", "bulk:147595010",
     "2026-11-20T13:55:00-05:00",
     {"operation": "gid://shopify/BulkOperation/147595010", "status": "completed", "error": "", "kind": "query"}),
]


@pytest.mark.parametrize("name, topic, kind, key, at, data", BECOMES, ids=[row[1] for row in BECOMES])
def test_a_topic_becomes_its_event(name: str, topic: str, kind: str, key: str, at: str | None,
                                   data: dict[str, Any]) -> None:
    """What it is, whose, of when, and the fields that are kept: no more than these."""
    made = event(topic, written(name), triggered_at=TRIGGERED.encode())
    assert made.version is not None
    assert (made.type, made.key, made.version[0], made.data) == (kind, f"{PREFIX}:{key}", ms(at or TRIGGERED), data)


@pytest.mark.parametrize("topic, kind, key", [
    ("orders/delete", "order.deleted", "order"), ("products/delete", "product.deleted", "product"),
    ("inventory_items/delete", "inventory_item.deleted", "item"), ("locations/delete", "location.deleted", "location"),
    ("draft_orders/delete", "draft.deleted", "draft"), ("checkouts/delete", "checkout.deleted", "checkout"),
])
def test_what_was_removed_is_told_by_its_id_alone(topic: str, kind: str, key: str) -> None:
    """All that Shopify sends of it, or all that is kept."""
    made = event(topic, written("removed"))
    assert (made.type, made.key, made.version, made.data) == (kind, f"{PREFIX}:{key}:9007199254741001", None, {})


@pytest.mark.parametrize("name, topic, kind, key, data", [
    ("customers_data_request", "customers/data_request", "privacy.requested", "customer:6123450987",
     {"customer": f"{PREFIX}:customer:6123450987", "orders": [ORDER, f"{PREFIX}:order:299939"], "request": "9999"}),
    ("customers_redact", "customers/redact", "privacy.customer_redacted", "customer:6123450987",
     {"customer": f"{PREFIX}:customer:6123450987", "orders": [ORDER], "request": ""}),
    ("shop_redact", "shop/redact", "privacy.shop_redacted", "shop", {"shop": "954889"}),
])
def test_a_wish_for_privacy_carries_the_ids_and_nothing_else(name: str, topic: str, kind: str, key: str,
                                                             data: dict[str, Any]) -> None:
    """Enough to find all that is kept of somebody; no mail address, no number to call."""
    made = event(topic, written(name))
    assert (made.type, made.key, made.version, made.data) == (kind, f"{PREFIX}:{key}", None, data)


@pytest.mark.parametrize("name, topic, parts", [
    ("fulfillment_orders_placed_on_hold", "fulfillment_orders/placed_on_hold",
     [("9007199254740995", "on_hold", "inventory_out_of_stock"), ("9007199254740997", "open",
                                                                  "inventory_out_of_stock")]),
    ("fulfillment_orders_hold_released", "fulfillment_orders/hold_released", [("9007199254740995", "open", "")]),
    ("fulfillment_orders_moved", "fulfillment_orders/moved",
     [("9007199254740995", "closed", ""), ("9007199254740999", "open", "")]),
    ("fulfillment_orders_merged", "fulfillment_orders/merged",
     [("9007199254740995", "open", ""), ("9007199254740997", "merged", "")]),
])
def test_each_part_of_an_order_says_how_it_stands(name: str, topic: str, parts: list[tuple[str, str, str]]) -> None:
    """A delivery may be about several; one that was merged away is named by a bare number."""
    made = event(topic, written(name), triggered_at=TRIGGERED.encode())
    first = f"{PREFIX}:fulfillment-order:9007199254740995"
    assert (made.type, made.key, made.version and made.version[0]) == ("fulfillment_order.updated", first,
                                                                      ms(TRIGGERED))
    assert [(part["key"].rpartition(":")[2], part["status"], part["reason"]) for part in made.data["parts"]] == parts


# --- every topic ------------------------------------------------------------------------------------------------


def test_each_topic_has_a_delivery_written_by_hand() -> None:
    """A new topic comes with a body to look at."""
    assert ({topic for _, topic in SENT}, set(TOPICS)) == (set(READERS), {path.stem for path in WRITTEN.iterdir()})


@pytest.mark.parametrize("name, topic", SENT)
def test_each_delivery_is_taken(name: str, topic: str) -> None:
    """None of them is a dead letter, and all of them fit into the stream."""
    made = event(topic, written(name))
    assert encode(made)
    assert made.type in VENDOR_TYPES | {"inventory.changed"}


@pytest.mark.parametrize("topic", READERS)
def test_a_body_without_anything_is_a_dead_letter_that_says_what_is_missing(topic: str) -> None:
    """In a sentence that names the topic."""
    assert reason(topic, {}).startswith(f"the topic is {topic}, but the body has no ") or (
        topic.startswith("returns/") and reason(topic, {}) == "admin_graphql_api_id is not an id: None")


@pytest.mark.skipif(not RECORDED_NAMES, reason="the recorded payloads (../shared/fixtures/shopify) are not here")
@pytest.mark.parametrize("topic", [*READERS, "customers/create", "orders/risk_assessment_changed"])
def test_every_recorded_body_at_every_topic_is_taken_or_set_aside_with_a_sentence(topic: str) -> None:
    """Real bodies, also at doors that are not theirs."""
    for name in RECORDED_NAMES:
        outcome = take(topic, (RECORDED / name).read_bytes())
        assert isinstance(outcome, Accepted | NotUsed | Unusable)
        assert not isinstance(outcome, Unusable) or len(outcome.reason) > 10


@pytest.mark.skipif(not RECORDED_NAMES, reason="the recorded payloads (../shared/fixtures/shopify) are not here")
@pytest.mark.parametrize("start, topic", [
    ("carts_update", "carts/update"), ("carts_rest", "carts/update"), ("checkouts", "checkouts/create"),
    ("disputes", "disputes/update"), ("draft_orders", "draft_orders/update"),
    ("fulfillment_events", "fulfillment_events/create"), ("fulfillment_orders", "fulfillment_orders/placed_on_hold"),
    ("inventory_levels", "inventory_levels/update"), ("order_transactions", "order_transactions/create"),
    ("products", "products/update"), ("tender_transactions", "tender_transactions/create"),
])
def test_every_recorded_body_is_taken_at_its_own_topic(start: str, topic: str) -> None:
    """What shops and Shopify's own examples really say."""
    names = [name for name in RECORDED_NAMES if name.startswith(start)]
    assert names
    assert [reason(topic, (RECORDED / name).read_bytes()) for name in names
            if not isinstance(take(topic, (RECORDED / name).read_bytes()), Accepted)] == []


# --- nothing personal -------------------------------------------------------------------------------------------

PERSONAL = {
    "first_name", "last_name", "company", "address1", "address2", "city", "zip", "province", "country", "phone",
    "email", "customer_email", "contact_email", "latitude", "longitude", "note", "message", "browser_ip", "user_agent",
    "receipt", "authorization", "payment_details", "credit_card_bin", "credit_card_number", "credit_card_name",
    "credit_card_company", "reason_notes", "return_reason_note", "customer_note", "staff_note", "reference",
    "remote_reference", "tracking_number", "tracking_url", "tracking_numbers", "tracking_urls", "properties",
    "note_attributes", "landing_site", "referring_site", "tags", "shop_owner", "sms_marketing_phone", "body_html",
    "abandoned_checkout_url", "invoice_url", "cart_token", "order_status_url", "client_details", "destination",
    "default_address", "addresses", "session_hash", "device_id", "buyer_accepts_marketing",
}
POISON = "p0is0n"


def poisoned(value: Any, is_person: bool = False) -> Any:
    """The same body with every personal field, and the name of whoever has an address, replaced by one word."""
    if isinstance(value, list):
        return [poisoned(one, is_person) for one in value]
    if not isinstance(value, dict):
        return value
    is_person = bool({"first_name", "address1", "email"} & set(value)) and "updated_at" not in value
    return {name: POISON if name in PERSONAL or (name == "name" and is_person) else poisoned(one)
            for name, one in value.items()}


def poisoned_bodies() -> list[tuple[str, str, Any]]:
    """Every delivery by hand at its topics, with poison in it, and with poison beside what it has. Tags of people and
    orders are personal, those of a product are not."""
    more = dict.fromkeys(PERSONAL, POISON)
    of_goods = {"tags": "camp"}
    return [(name, topic, {**more, **poisoned(written(name)), **(of_goods if name == "products_update" else {})})
            for name, topic in SENT]


@pytest.mark.parametrize("name, topic, body", poisoned_bodies(), ids=[f"{name}-{topic}" for name, topic in SENT])
def test_no_personal_field_of_any_topic_crosses_the_stream(name: str, topic: str, body: Any) -> None:
    """Names, addresses, mail, numbers to call, cards, notes: what is not kept cannot leak."""
    outcome = take(topic, body)
    assert isinstance(outcome, Accepted), outcome
    assert POISON not in encode(outcome.event).decode()


@pytest.mark.parametrize("name, topic", SENT)
def test_no_word_about_a_person_in_the_deliveries_crosses_the_stream(name: str, topic: str) -> None:
    """The same, by the words themselves, in whatever field they stand."""
    stored = encode(event(topic, written(name))).decode().lower()
    words = ("wendelin", "ottilie", "grausam", "@", "+43", "4242", "411111", "unterm", "innsbruck", "6020",
             "47.2", "emv")
    assert [word for word in words if word in stored] == []


# --- oddities of single topics ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status, ok", [("success", "yes"), ("failure", "no"), ("error", "no"), ("pending", ""),
                                        ("surprise", "")])
def test_a_payment_is_yes_or_no_or_not_decided(status: str, ok: str) -> None:
    """What waits for the bank is neither."""
    body = written("order_transactions_create") | {"status": status}
    assert event("order_transactions/create", body).data["ok"] == ok


def test_of_two_words_about_one_payment_the_decided_one_holds() -> None:
    """A transaction has no time of its last change."""
    body = written("order_transactions_create")
    waiting = event("order_transactions/create", body | {"status": "pending"}).version
    decided = event("order_transactions/create", body | {"status": "success"}).version
    assert waiting is not None and decided is not None and waiting < decided


def test_a_stock_level_nobody_counts_has_no_number() -> None:
    """`available` is null where the shop does not track the item."""
    body = written("inventory_levels_update") | {"available": None}
    assert "available" not in event("inventory_levels/update", body).data


@pytest.mark.parametrize("available", ["6", 6.5, True, 2**53, [], {}], ids=repr)
def test_a_stock_level_that_is_no_count_is_a_dead_letter(available: Any) -> None:
    """Half a tent is not in stock."""
    said = reason("inventory_levels/update", written("inventory_levels_update") | {"available": available})
    assert said == f"available is no count: {available!r:.40}"


def test_a_stock_level_counts_when_its_body_says() -> None:
    """Not when it was triggered: the same version is the same fact by whatever way it came."""
    made = event("inventory_levels/update", written("inventory_levels_update"), triggered_at=TRIGGERED.encode())
    assert made.time_ms == ms("2026-11-20T13:41:09+01:00")


def test_a_body_without_a_time_and_a_delivery_without_one_is_of_when_it_came() -> None:
    """Older deliveries do not say when they were triggered."""
    made = event("inventory_levels/disconnect", written("inventory_levels_disconnect"))
    assert made.version is not None and (made.time_ms, made.version[0]) == (NOW_MS, NOW_MS)


@pytest.mark.parametrize("value, said", [
    ({"additions": [{"delta": "2"}]}, "delta is no count: '2'"),
    ({"additions": {"delta": 2}}, "additions is not a list of objects"),
])
def test_an_edit_that_counts_nothing_is_a_dead_letter(value: Any, said: str) -> None:
    """A change by "two" is none."""
    assert reason("orders/edited", {"id": 1, "order_id": 2, "line_items": value}) == said


def test_an_edit_without_a_time_is_of_when_it_was_triggered() -> None:
    """Captured bodies have none."""
    body = {"order_edit": {"id": 1, "order_id": 2, "line_items": {"additions": [], "removals": []}}}
    made = event("orders/edited", body, triggered_at=TRIGGERED.encode())
    assert made.version is not None and made.version[0] == ms(TRIGGERED)


@pytest.mark.parametrize("token", [None, "", 7, ["c0ffee"]], ids=repr)
def test_a_checkout_without_a_token_is_a_dead_letter(token: Any) -> None:
    """Nobody could tell which order came of it."""
    said = reason("checkouts/create", written("checkouts_create") | {"token": token})
    assert said == f"token is not a text: {token!r}"


def test_a_part_of_an_order_as_a_plain_resource_is_read_too() -> None:
    """A poll of the shop gives the same without wrapping."""
    made = event("fulfillment_orders/rescheduled", {"id": 17, "status": "ON_HOLD", "order_id": 3,
                                                    "fulfillment_holds": [{"reason": "high_risk_of_fraud"}]})
    assert made.data["parts"] == [
        {"key": f"{PREFIX}:fulfillment-order:17", "status": "on_hold", "reason": "high_risk_of_fraud"}]


def test_a_shop_that_names_no_zone_has_none() -> None:
    """Shopify's own test notification has null there."""
    assert event("shop/update", written("shop_update") | {"iana_timezone": None}).data["zone"] == ""


@pytest.mark.parametrize("orders, said", [
    ({"id": 1}, "orders_to_redact is not a list of up to 2000 ids"),
    ([1.5], "orders_to_redact is not an id: 1.5"),
    ([1] * 2_001, "orders_to_redact is not a list of up to 2000 ids"),
])
def test_orders_to_forget_that_cannot_be_read_are_a_dead_letter(orders: Any, said: str) -> None:
    """To forget half of them would be a lie."""
    assert reason("customers/redact", written("customers_redact") | {"orders_to_redact": orders}) == said


@pytest.mark.parametrize("number", [2**53 + 1, 820982911946154508, 2**63 - 1])
@pytest.mark.parametrize("name, topic, fields", [
    ("order_transactions_create", "order_transactions/create", ("id", "order_id")),
    ("tender_transactions_create", "tender_transactions/create", ("id", "order_id")),
    ("disputes_create", "disputes/create", ("id", "order_id")),
    ("fulfillment_events_create", "fulfillment_events/create", ("fulfillment_id", "order_id")),
    ("inventory_levels_update", "inventory_levels/update", ("inventory_item_id", "location_id")),
    ("checkouts_create", "checkouts/create", ("id",)), ("removed", "products/delete", ("id",)),
])
def test_the_ids_of_every_topic_are_kept_to_the_last_digit(name: str, topic: str, fields: tuple[str, ...],
                                                           number: int) -> None:
    """As text, all the way into the stream."""
    made = event(topic, written(name) | dict.fromkeys(fields, number))
    assert encode(made).decode().count(str(number)) >= len(fields)
    assert made.key.endswith(str(number))
