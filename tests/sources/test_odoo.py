"""Odoo's deliveries: who may send them, what a record says, and that no body can break the door."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.events import Event
from opsmon.core.facts import Fact, tell
from opsmon.sources.base import Accepted, NotUsed, Outcome, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.base import take as take_delivery
from opsmon.sources.declared import read_sources
from opsmon.sources.odoo import Odoo, hashed, read_currencies
from opsmon.sources.odoo_bodies import READERS, STATES, Database, read_record
from opsmon.store.event_stream import decode, encode
from tests.conftest import NOW_MS
from tests.odoo import WRITTEN, picking, quant, sale

TOKEN = "q3nF-0uT_of-the-address-of-the-shop"
WRITTEN_MS = NOW_MS - 2_000


def door(*secrets: str, currency: str = "EUR") -> Odoo:
    """The adapter with these tokens, or with the one of its address."""
    tokens = tuple(Secret(secret.encode()) for secret in secrets or (hashed(TOKEN),))
    return Odoo(SourceSettings("odoo", "odoo", tokens, {"currency": currency} if currency else {}), "main")


def take(body: Any, *, at_ms: int = NOW_MS, token: str = TOKEN, source: Odoo | None = None) -> Outcome:
    """What becomes of a body that came to the right address."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return take_delivery(source or door(), {}, raw, at_ms, token.encode())


def event(body: Any, **more: Any) -> Event:
    """The event of a body that is good."""
    outcome = take(body, **more)
    assert isinstance(outcome, Accepted), outcome
    return outcome.event


def reason(body: Any, **more: Any) -> str:
    """Why a body is a dead letter."""
    outcome = take(body, **more)
    assert isinstance(outcome, Unusable), outcome
    return outcome.reason


def facts(body: Any, **more: Any) -> list[Fact]:
    """All that a body's event tells."""
    told, _ = tell(event(body, **more))
    return [fact for one in told for fact in one.facts]


def types(body: Any) -> list[str]:
    """The facts a body tells, by their names."""
    return [fact.type for fact in facts(body)]


# --- who may ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [TOKEN, hashed(TOKEN)], ids=["the token", "its hash"])
def test_the_token_of_the_address_lets_in(secret: str) -> None:
    """However it is written down in the settings."""
    assert isinstance(take(sale(), source=door(secret)), Accepted)


def test_two_tokens_are_good_at_once() -> None:
    """The old one until the last action in Odoo has the new one."""
    both = door("the-old-token-of-last-year", hashed(TOKEN))
    outcomes = [take(sale(), token=token, source=both) for token in ("the-old-token-of-last-year", TOKEN)]
    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted]


@pytest.mark.parametrize("token, counter", [
    ("", "no_token"), (TOKEN[:-1], "bad_token"), (TOKEN + "x", "bad_token"), (TOKEN.upper(), "bad_token"),
    (hashed(TOKEN), "bad_token"), ("ü" * 40, "bad_token"), ("\0", "bad_token"),
], ids=["none", "shorter", "longer", "capitals", "the hash itself", "no ASCII", "NUL"])
def test_another_token_is_a_401(token: str, counter: str) -> None:
    """Nothing of the body is looked at, and the hash opens nothing."""
    outcome = take(b"rubbish", token=token)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.counter, TOKEN in outcome.reason) == (401, counter, False)


def test_without_any_token_nobody_may() -> None:
    """An open door is never the default."""
    outcome = Odoo(SourceSettings("odoo", "odoo"), "main").verify({}, b"{}", b"")
    assert isinstance(outcome, Rejected) and (outcome.status, outcome.counter) == (401, "no_secret")


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_no_other_text_is_the_token(token: str) -> None:
    """Accepted if and only if it is the token."""
    assert (door().verify({}, b"", token.encode()) is None) == (token == TOKEN)


@pytest.mark.parametrize("secret", ["fifteen-letters", "sha256:" + "0" * 63, "sha256:" + "F" * 64,
                                    "shop.example.com=a-long-enough-token"])
def test_a_token_that_cannot_be_used_is_told_with_the_settings(secret: str) -> None:
    """Before anything is served."""
    found, problems = read_sources([{"name": "odoo", "kind": "odoo", "secrets": [secret]}], lambda path: "")
    assert (found, len(problems), problems[0].field) == ((), 1, "secrets")


@pytest.mark.parametrize("text, found", [
    ("", {}), ("EUR", {"": "EUR"}), ("1=EUR", {"1": "EUR"}), ("1=EUR, 2=USD,CHF", {"1": "EUR", "2": "USD", "": "CHF"}),
])
def test_currencies_are_read(text: str, found: dict[str, str]) -> None:
    """One for all, or by Odoo's id, or both."""
    assert read_currencies(text) == found


@pytest.mark.parametrize("text", ["euro", "1=", "=EUR", "1=EUR;2=USD", "1=EUR 2=USD"])
def test_other_currencies_are_told(text: str) -> None:
    """With what would be right."""
    with pytest.raises(ValueError, match="expected EUR, or by id"):
        read_currencies(text)


# --- orders -----------------------------------------------------------------------------------------------------


def test_a_sale_is_an_order_like_any_other() -> None:
    """The very shape that Shopify's orders have, so that everything is counted of it."""
    found = event(sale())
    assert (found.type, found.key, found.source, found.time_ms) == (
        "order.updated", "odoo:odoo:order:42", "odoo", WRITTEN_MS)
    assert found.data == {
        "name": "S00042", "test": False, "quotation": "", "placed_ms": 1_795_176_000_000, "cancelled_ms": None,
        "total_minor": 4990, "goods_minor": 4990, "currency": "EUR", "paid": "unknown", "fulfilled": "",
        "fulfilled_ms": None, "channel": "", "country": "", "region": "", "customer": "odoo:odoo:customer:9",
        "checkout": "", "lines": [], "refunds": []}


def test_an_order_outlives_the_stream() -> None:
    """What goes into the stream comes out of it."""
    found = event(sale())
    assert decode(encode(found)) == found


@pytest.mark.parametrize("state", ["draft", "sent", "approve"])
def test_what_is_no_sale_yet_is_a_quotation(state: str) -> None:
    """Nobody has ordered; a state that a module adds is shown as it is."""
    (fact,) = facts(sale(state=state))
    shown = {"draft": "quotation", "sent": "quotation sent"}.get(state, state)
    assert (fact.type, fact.fields) == ("order.quoted", {"state": shown, "amount": [4990, "EUR"]})


@pytest.mark.parametrize("state", ["sale", "done"])
def test_a_confirmed_order_is_placed_at_its_confirmation(state: str) -> None:
    """date_order is what Odoo sets then; `done` is what Odoo 16 and older call a locked one."""
    placed = facts(sale(state=state))[0]
    assert (placed.type, placed.time_ms) == ("order.placed", 1_795_176_000_000)


def test_an_order_that_was_confirmed_and_cancelled_is_placed_and_taken_back() -> None:
    """The order counts on its day, the cancelling on its own."""
    assert [(fact.type, fact.time_ms) for fact in facts(sale(state="cancel"))] == [
        ("order.placed", 1_795_176_000_000), ("order.cancelled", WRITTEN_MS)]


def test_a_quotation_that_was_cancelled_never_was_an_order() -> None:
    """It still has the date of its creation."""
    (fact,) = facts(sale(state="cancel", create_date="2026-11-20 12:00:00"))
    assert (fact.type, fact.fields["state"]) == ("order.quoted", "cancelled")


def test_a_cancelled_one_of_unknown_creation_is_placed_and_taken_back() -> None:
    """Revenue is right either way; tick create_date, and the number of orders is too."""
    body = sale(state="cancel")
    del body["create_date"]
    assert types(body) == ["order.placed", "order.cancelled"]


@pytest.mark.parametrize("status, fulfilled, told", [
    ("pending", "", "order.open"), ("partial", "partial", "order.open"), ("started", "partial", "order.open"),
    ("full", "fulfilled", "order.completed"), (False, "unknown", ""),
])
def test_how_much_is_delivered_is_read(status: object, fulfilled: str, told: str) -> None:
    """An order of services has nothing to deliver: it is neither open nor done."""
    found = sale(delivery_status=status)
    assert (event(found).data["fulfilled"], types(found)[1:]) == (fulfilled, [told] if told else [])


def test_an_order_is_done_when_its_goods_left() -> None:
    """effective_date, where it was ticked; else the change that said so."""
    dates = [{"effective_date": "2026-11-20 12:30:00"}, {}]
    assert [facts(sale(delivery_status="full", **date))[1].time_ms for date in dates] == [
        1_795_177_800_000, WRITTEN_MS]


def test_amounts_are_rounded_like_money() -> None:
    """Odoo computes with floating point; yen have no cents."""
    assert event(sale(total=0.1 + 0.2)).data["total_minor"] == 30
    assert event(sale(total=1234.0), source=door(currency="1=JPY")).data["total_minor"] == 1234


@pytest.mark.parametrize("currency, found", [("USD", "USD"), ("1=CHF,USD", "CHF"), ("2=CHF,USD", "USD")])
def test_a_currency_is_known_by_its_id_or_is_the_usual_one(currency: str, found: str) -> None:
    """A webhook tells an id only."""
    assert event(sale(), source=door(currency=currency)).data["currency"] == found


def test_a_currency_that_nobody_named_is_a_sentence() -> None:
    """It could be francs."""
    assert reason(sale(), source=door(currency="2=USD")) == (
        'currency_id is 1, and nobody said which currency that is: put currency = "EUR", or "1=EUR", below '
        "[[source]] in opsmon.toml")


@pytest.mark.parametrize("field", ["state", "amount_total", "date_order"])
def test_a_field_that_was_not_ticked_is_named(field: str) -> None:
    """So that it can be ticked; the body is kept, to be read again."""
    body = sale()
    del body[field]
    assert reason(body) == f"sale.order came without {field}: tick it among the webhook action's fields"


def test_empty_fields_are_empty() -> None:
    """Odoo says false for what is not there."""
    found = event(sale(partner_id=False, name=False, invoice_status=False, website_id=False)).data
    assert (found["customer"], found["name"], found["paid"], found["channel"]) == ("", "", "unknown", "")


# --- the other models -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model, entity, kind", [
    ("stock.picking", "picking", "picking.updated"), ("mrp.production", "production", "production.updated"),
    ("purchase.order", "purchase", "purchase.updated"),
])
def test_a_record_with_a_state_is_replaced_by_its_next_version(model: str, entity: str, kind: str) -> None:
    """One fact, of the state it is in now."""
    for state, shown in (*STATES[model].items(), ("rejected by a module", "rejected by a module")):
        found = event({"_model": model, "_id": 5, "state": state, "write_date": WRITTEN})
        (told,), _ = tell(found)
        assert (found.key, [(fact.type, fact.fields["state"]) for fact in told.facts]) == (
            f"odoo:odoo:{entity}:5", [(kind, shown)])


def test_a_transfer_out_that_is_done_is_shipped() -> None:
    """One within the house is done."""
    found = [event(picking(state="done", picking_type_code=kind)).data["state"] for kind in ("outgoing", "internal")]
    assert found == ["shipped", "done"]


def test_a_transfer_names_the_sale_it_belongs_to() -> None:
    """By the order's key where Odoo tells it, by its name else."""
    found = event(picking(sale_id=42)).data
    assert found == {"state": "ready", "kind": "outgoing", "order": "odoo:odoo:order:42", "origin": "S00042"}


def test_stock_is_what_is_there_and_not_reserved() -> None:
    """In pieces, or in litres."""
    assert [event(quant(**more)).data for more in ({}, {"quantity": 2.5, "reserved_quantity": False})] == [
        {"sku": "#17", "location": "#8", "available": 10}, {"sku": "#17", "location": "#8", "available": 2.5}]


def test_what_was_asked_for_is_called_by_its_names() -> None:
    """[id, name] in place of an id: the code of a product is in brackets before its name."""
    asked = quant(product_id=[17, "[TENT-2] Tent for two"], location_id=[8, "WH/Stock"])
    assert event(asked).data == {"sku": "TENT-2", "location": "WH/Stock", "available": 10}
    assert event(quant(product_id=[17, "Tent for two"])).data["sku"] == "Tent for two"


def test_a_purchase_has_an_amount() -> None:
    """Once amount_total was ticked."""
    (fact,) = facts({"_model": "purchase.order", "_id": 6, "state": "purchase", "write_date": WRITTEN,
                     "amount_total": 120.5, "currency_id": 1, "partner_id": 3})
    assert fact.fields["amount"] == [12050, "EUR"]


def test_a_model_of_no_number_is_not_used() -> None:
    """Whoever sends more than is counted is not told off."""
    assert isinstance(take({"_model": "crm.lead", "_id": 1}), NotUsed)


@pytest.mark.parametrize("body", [sale(_id="#NewId_0x766e17e27d00"), sale(_id="NewId_0x1"),
                                  sale(_action="opsmon(#NewId_0x766e17e27d00)")])
def test_a_try_from_a_form_that_was_not_saved_counts_nothing(body: dict[str, Any]) -> None:
    """Odoo sends such a body when the action is tried out before it is saved."""
    outcome = take(body)
    assert isinstance(outcome, NotUsed) and "save it, then try again" in outcome.about


# --- versions and identities ------------------------------------------------------------------------------------


def test_the_same_telling_twice_is_one_delivery() -> None:
    """Two rules of Odoo may tell of one change, seconds or hours apart."""
    assert event(sale()).id == event(sale(), at_ms=NOW_MS + 3_600_000).id


def test_two_changes_within_a_second_are_two_deliveries() -> None:
    """write_date has whole seconds, and an order may be confirmed in the second it is written in."""
    first, second = event(sale(state="sent")), event(sale(state="sale"))
    assert (first.id != second.id, first.version < second.version) == (True, True)  # type: ignore[operator]


@pytest.mark.parametrize("written", [WRITTEN, WRITTEN + ".123456", "2026-11-20T13:03:20", "2026-11-20T13:03:20Z"])
def test_a_time_is_utc_in_whole_seconds(written: str) -> None:
    """Webhooks of some versions tell microseconds, a poll does not: both are the same version."""
    assert event(sale(written=written)) == event(sale())


def test_without_write_date_the_same_body_is_one_delivery_within_a_minute() -> None:
    """A later one is another: the order may have come back to the state it was in."""
    body = sale()
    del body["write_date"]
    at_ms = NOW_MS // 60_000 * 60_000
    ids = [event(body, at_ms=at_ms + after_ms).id for after_ms in (0, 59_999, 60_000)]
    assert (ids[0] == ids[1], ids[1] == ids[2], event(body).version[0]) == (  # type: ignore[index]
        True, False, NOW_MS)


def test_a_poll_and_a_webhook_tell_the_same_event() -> None:
    """Names or not: an order found by asking is a duplicate of the one its webhook told of."""
    asked = sale(currency_id=[1, "EUR"], partner_id=[9, "Wendelin Grausam"])
    found = read_record("sale.order", asked, 42, Database("odoo", "main"), NOW_MS)
    assert (found.id, found.data) == (event(sale()).id, event(sale()).data)


def test_no_name_of_a_person_is_kept() -> None:
    """An order is somebody's, by number."""
    asked = sale(partner_id=[9, "Wendelin Grausam"], note="ring twice")
    assert [word for word in (b"Wendelin", b"ring") if word in encode(event(asked))] == []


def test_of_two_tellings_alike_the_one_with_names_counts() -> None:
    """Stock by SKU, not by number, once Odoo was asked."""
    bare, named = event(quant()), event(quant(product_id=[17, "[TENT-2] Tent"]))
    assert bare.version < named.version  # type: ignore[operator]


@pytest.mark.parametrize("number", [2**53 + 1, 2**63])
def test_large_ids_are_texts(number: int) -> None:
    """Not rounded anywhere."""
    assert event(sale(_id=number)).key == f"odoo:odoo:order:{number}"


# --- rubbish ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body, said", [
    (b"", "the body is empty"), (b"[]", "the body is a JSON list, expected an object"),
    ({}, "it does not come from Send Webhook Notification"),
    ({"_model": 17, "_id": 1}, "it does not come from Send Webhook Notification"),
    (sale(_id=None), "_id is not an id: None"), (sale(_id=1.5), "_id is not an id: 1.5"),
    (sale(state=3), "state is no text: 3"), (sale(date_order=False), "date_order is empty"),
    (sale(date_order="soon"), "date_order is no date: 'soon'"), (sale(written="0000-00-00"), None),
    (sale(amount_total="much"), "amount_total is not an amount: 'much'"),
    (sale(amount_total=1e300), None), (sale(partner_id={"id": 1}), "partner_id is not an id: {'id': 1}"),
    (quant(quantity="many"), "quantity is no number: 'many'"), (quant(quantity=True), "quantity is no number: True"),
])
def test_rubbish_is_kept_with_a_sentence(body: Any, said: str | None) -> None:
    """For the one who sent it."""
    found = reason(body)
    assert found == said or (said is None and found)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=8), one, max_size=3), max_leaves=8)
FIELDS = st.sampled_from(sorted({*sale(), *picking(), *quant(), "product_qty", "sale_id", "effective_date"}))


@given(st.sampled_from(sorted(READERS)), st.dictionaries(FIELDS, ANYTHING))
def test_no_field_can_break_the_door(model: str, changed: dict[str, Any]) -> None:
    """Whatever stands in a field: taken, or set aside with a sentence; and what is taken can be told and stored."""
    body = {**sale(), **picking(), **quant(), "state": "sale", **changed, "_model": model}
    outcome = take(body)
    if isinstance(outcome, Accepted):
        assert decode(encode(outcome.event)) == outcome.event
        tell(outcome.event)
    else:
        assert isinstance(outcome, Unusable | NotUsed)


@given(st.binary(max_size=60) | ANYTHING.map(orjson.dumps))
def test_no_body_can_break_the_door(body: bytes) -> None:
    """However broken."""
    assert isinstance(take(body), Unusable | NotUsed)
