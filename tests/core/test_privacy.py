"""The names of those who are forgotten: the same wherever they stood, and nobody else's."""

import pytest

from opsmon.core.events import Event, EventId
from opsmon.core.measures import identity, label
from opsmon.core.privacy import Renaming, Request, mentions, request_of
from tests.conftest import NOW_MS

ADA = "shopify:s.myshopify.com:customer:6123450987"
ONE = Request("1", "customer", ADA, (), NOW_MS, "a-salt")
SHOP = Request("2", "shop", "shopify:s.myshopify.com", (), NOW_MS, "a-salt")


def new_name(request: Request = ONE, name: str = ADA) -> str:
    return Renaming(request).name(name) or name


def test_a_name_stands_for_the_same_customer_everywhere() -> None:
    """In a state's key, in its facts, in a row and in a count of different ones."""
    renaming, new = Renaming(ONE), new_name()
    assert renaming.key(f"~customer:{ADA}") == f"~customer:{new}"
    assert renaming.key(f"~session:visits:{ADA}") == f"~session:visits:{new}"
    assert renaming.inside({"customer": ADA, "who": [ADA, 1]}) == {"customer": new, "who": [new, 1]}
    assert renaming.field(f"20.{ADA}", identity) == f"20.{new}"
    assert renaming.field(f"{ADA}|web.s:EUR", str) == f"{new}|web.s:EUR"


def test_a_name_tells_nothing_without_its_salt() -> None:
    """Another salt, another name; the shop stays, which is no person."""
    other = new_name(Request("1", "customer", ADA, (), NOW_MS, "another"))
    assert new_name() != other
    assert new_name().startswith("shopify:s.myshopify.com:customer:erased-")


@pytest.mark.parametrize("text", [f"{ADA}1", f"1{ADA}", "shopify:s.myshopify.com:order:6123450987", ""])
def test_whose_name_is_alike_keeps_it(text: str) -> None:
    """Longer ones, and ids of other things."""
    renaming = Renaming(ONE)
    assert (renaming.name(text), renaming.key(text), renaming.field(text, label)) == (None, text, text)


def test_of_a_shop_all_customers_have_new_names_once() -> None:
    """Not those who have one already, and nobody of another shop."""
    new = new_name(SHOP)
    assert new.startswith("shopify:s.myshopify.com:customer:erased-")
    assert (new_name(SHOP, new), new_name(SHOP, "shopify:t.myshopify.com:customer:1")) == (
        new, "shopify:t.myshopify.com:customer:1")


def test_a_name_too_long_to_be_told_apart_whole_is_found_by_its_digest() -> None:
    """As it is counted."""
    long = f"shopify:{'a' * 60}.myshopify.com:customer:6123450987"
    renaming = Renaming(Request("1", "customer", long, (), NOW_MS, "a-salt"))
    assert renaming.field(identity(long), identity) == identity(renaming.name(long))


@pytest.mark.parametrize("text, is_named", [
    ('{"customer": {"id": 6123450987}}', True), ('{"customer_id":"6123450987"}', True),
    ('{"id": 61234509871}', False), ('{"id": 16123450987}', False), ("", False),
])
def test_a_long_id_is_found_whole_wherever_it_stands(text: str, is_named: bool) -> None:
    """Not as a part of another number."""
    assert mentions(text, (ADA,)) is is_named


@pytest.mark.parametrize("text, is_named", [
    ('{"customer_id": 17}', True), ('{"partner_id": [17, "Ada"]}', True), ('{"customer": "17"}', True),
    ('{"quantity": 17}', False), ('{"price": "17.00"}', False), ('{"customer_id": 170}', False),
])
def test_a_short_id_is_found_by_the_name_of_its_field(text: str, is_named: bool) -> None:
    """A 17 may be anything: other people's letters must stay."""
    assert mentions(text, ("woo:shop.example:customer:17",)) is is_named


def test_what_is_no_request_asks_for_nothing() -> None:
    """An order, say."""
    event = Event(EventId("1"), "order.updated", NOW_MS, NOW_MS, "shopify", "main", "k", (1, 0, ""), {})
    assert request_of(event, "") is None
