"""Dead letters read again: by their source, without the signature that was verified when they came."""

import orjson

from opsmon.core.events import Event, EventId
from opsmon.sources.base import Accepted, Answered, Many, NotUsed, Outcome, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.rereading import read_again
from opsmon.sources.shopify import Shopify
from tests.conftest import NOW_MS
from tests.orders import order

ABOUT = {"X-Shopify-Topic": "orders/create", "x-shopify-shop-domain": "a.example", "x-shopify-webhook-id": "b1"}
SHOPIFY = Shopify(SourceSettings("shopify", "shopify", (Secret(b"a-secret"),)), "main")
EVENT = Event(EventId("x:1"), "order.updated", 1, 1, "x", "main", "x:order:1")
BAD = Unusable("x:2", "the total is no amount", b"{}", "order")


class Fixed:
    """A source that always reads the same."""

    name, is_patient = "fixed", True

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def verify(self, headers: object, body: object, token: object) -> None:
        """Nobody asks."""
        raise AssertionError("a dead letter was verified when it came")

    def read(self, headers: object, body: object, arrived_ms: object) -> Outcome:
        """Always the same."""
        return self._outcome


def read(outcome: Outcome) -> list[tuple[str, Event]] | str:
    """What becomes of an outcome."""
    return read_again({"fixed": Fixed(outcome)}, "fixed", {}, b"", NOW_MS)


def test_a_letter_is_read_by_its_headers_alone() -> None:
    """No signature is kept, and none is asked for."""
    found = read_again({"shopify": SHOPIFY}, "shopify", ABOUT, orjson.dumps(order(1)), NOW_MS)
    assert [(seen, event.id, event.arrived_ms) for seen, event in found if isinstance(found, list)] == [
        ("shopify:a.example:b1", "shopify:a.example:b1", NOW_MS)]


def test_what_is_still_wrong_is_said() -> None:
    """In the words of the source."""
    assert read(BAD) == "the total is no amount"
    assert read(Rejected(400, "No topic.\n", "bad_headers")) == "No topic."
    assert read_again({}, "odoo", {}, b"", NOW_MS) == (
        "no source is called odoo any more: declare it again, or discard its letters")


def test_what_no_number_is_made_of_becomes_nothing() -> None:
    """The letter may go."""
    assert [read(NotUsed("x:1", "ping")), read(Answered(200, "ping"))] == [[], []]


def test_of_several_deliveries_the_good_ones_are_read() -> None:
    """The bad ones of a body have letters of their own."""
    assert read(Many((Accepted("x:1", EVENT), BAD, NotUsed("x:3", "ping")))) == [("x:1", EVENT)]
    assert read(Many((BAD, NotUsed("x:3", "ping")))) == "the total is no amount"


def test_headers_that_are_no_latin_1_break_nothing() -> None:
    """Whatever a sender put there."""
    assert isinstance(read_again({"shopify": SHOPIFY}, "shopify", {"x-shopify-topic": "żółw"}, b"", NOW_MS), str)
