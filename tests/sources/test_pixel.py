"""What is read of a body that anybody may have sent, and what never gets in."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import DAY_MS
from opsmon.core.facts_known import FACTS
from opsmon.sources.pixel import (
    ALIASES,
    FIELDS,
    MAX_AMOUNT_MINOR,
    MAX_CUSTOM_NAMES,
    STEPS,
    VISITOR_BYTES,
    VISITOR_DAYS,
    Daily,
    Pixel,
)
from tests.conftest import NOW_MS

ENOUGH = 64 * 1024**2
JSON = st.recursive(st.none() | st.booleans() | st.integers(-2**63, 2**63) | st.floats(allow_nan=False) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def said(name: object = "page.viewed", number: int = 1, **more: Any) -> dict[str, Any]:
    """What pixel.js says of one event; `more` replaces."""
    return {"id": f"e{number}", "name": name, "visitor": "v-1", "ago": 0, "data": {"path": "/"}} | more


def read(body: object, pixel: Pixel | None = None) -> tuple[list[Any], dict[str, int]]:
    """The events of a body, as name and data, and what was refused."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    reading = (pixel or Pixel("main", ENOUGH)).read(raw, NOW_MS)
    return [(event.type, dict(event.data)) for event in reading.events], dict(reading.refused)


def data(name: str, **fields: Any) -> dict[str, Any]:
    """What is kept of an event's fields, beside its visitor."""
    ((_, kept),), _ = read(said(name, data=fields))
    return {field: value for field, value in kept.items() if field != "visitor"}


def test_an_event_of_a_page_is_an_event() -> None:
    """Named after its id, dated by its age, of a source that nobody else can be."""
    (event,) = Pixel("main", ENOUGH).read(orjson.dumps(said(ago=2_000)), NOW_MS).events
    assert event == ("pixel:e1", "page.viewed", NOW_MS - 2_000, NOW_MS, "pixel", "main", "", None,
                     {"visitor": "v-1", "path": "/"})


def test_a_list_of_events_is_several() -> None:
    """pixel.js sends some together."""
    assert read([said(number=1), said("checkout.started", 2)])[0] == [
        ("page.viewed", {"visitor": "v-1", "path": "/"}), ("checkout.started", {"visitor": "v-1", "path": "/"})]


def test_more_than_twenty_are_none() -> None:
    """A body of very many small events is no page's."""
    assert read([said(number=n) for n in range(21)]) == ([], {"too_many": 1})


@pytest.mark.parametrize("name", FIELDS)
def test_each_name_is_taken(name: str) -> None:
    """Every one that is enumerated, with all of its fields."""
    fields = {"path": "/p", "product": "Boat", "sku": "B-1", "pieces": 2, "amount": 12.5, "currency": "EUR",
              "message": "x is not y", "where": "/a.js", "what": "load", "ms": 12.5, "feature": "zoom", "step": "one"}
    expected = {field: fields[field] for field in FIELDS[name] if field in fields}
    expected |= {"currency": "EUR"} if "amount" in expected else {}
    assert data(name, **fields) == expected


@pytest.mark.parametrize("name", FIELDS)
def test_each_name_is_a_fact_that_kpis_can_count(name: str) -> None:
    """The table of known facts speaks of every one."""
    assert "visitor" in FACTS[name].fields


@pytest.mark.parametrize(("name", "ours"), ALIASES.items())
def test_shopifys_names_are_understood(name: str, ours: str) -> None:
    """Its standard events, as its sandbox names them."""
    assert [kind for kind, _ in read(said(name))[0]] == [ours]


@pytest.mark.parametrize(("name", "step"), STEPS.items())
def test_steps_of_shopifys_checkout_are_steps(name: str, step: str) -> None:
    """Between the checkout's beginning and its end."""
    assert read(said(name, data={}))[0] == [("conversion.step", {"visitor": "v-1", "step": step})]


@pytest.mark.parametrize("name", [
    "order.updated", "refund.created", "order.placed", "custom.", "custom.Up", "custom.a1", "delivery.arrived",
    "checkout.followed", "page", "", "page.viewed ", "inventory.changed",
])
def test_no_other_name_is_taken(name: str) -> None:
    """Least of all one that counts money, stock or orders."""
    assert read(said(name)) == ([], {"unknown_name": 1})


@pytest.mark.parametrize("event", [
    None, 1, "x", [], {}, said(id=""), said(id="a b"), said(id=7), said(id="x" * 65), said(visitor=""),
    said(visitor=None), said(visitor="a_b"), said(visitor="é"), said(visitor="x" * 65), said(None),
    said(["page.viewed"]), said(data=[1]), said("page.timed"), said("page.timed", data={"ms": "12"}),
    said("feature.used"), said("conversion.step"),
], ids=str)
def test_what_is_no_event_is_counted_as_such(event: object) -> None:
    """Without an id, a visitor or what it is about it says nothing."""
    assert read([event]) == ([], {"bad_event": 1})


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"[" * 2_000, b"\xff\xfe", b'"\\ud800"', b"null", b"NaN"])
def test_what_is_no_json_is_counted_too(body: bytes) -> None:
    """And raises nothing."""
    assert read(body) == ([], {"bad_event": 1})


@pytest.mark.parametrize(("path", "kept"), [
    ("/boats?utm=1&mail=me@example.org", "/boats"), ("/boats#me", "/boats"), ("/" + "x" * 200, "/" + "x" * 79),
    ("boats", None), ("https://shop.example/x", None), ("", None), (7, None), (None, None),
])
def test_of_a_path_nothing_is_kept_behind_the_question_mark(path: object, kept: str | None) -> None:
    """A query holds names, addresses and searches."""
    assert data("page.viewed", path=path).get("path") == kept


def test_texts_are_cut_and_numbers_bounded() -> None:
    """A title longer than sixty characters is cut, a count beyond reason is left out."""
    assert data("cart.updated", product="x" * 99, sku=7, pieces=10**7) == {"product": "x" * 60}
    assert data("custom.zoomed", label=" a \n b ", value=-2.5, more=1) == {"label": "a b", "value": -2.5}


def test_no_field_is_kept_that_is_not_listed() -> None:
    """No address, no agent, no name, whatever a page sends."""
    kept = data("page.viewed", path="/", ip="192.0.2.1", agent="x", email="a@example.org", amount=5, currency="EUR")
    assert kept == {"path": "/"}


def test_what_visitors_search_for_is_dropped_unless_the_site_asks_for_it() -> None:
    """People type their names into search fields."""
    body = said("search.submitted", data={"term": "paper boat"})
    assert read(body)[0] == [("search.submitted", {"visitor": "v-1"})]
    assert read(body, Pixel("main", ENOUGH, keeps_terms=True))[0] == [
        ("search.submitted", {"visitor": "v-1", "term": "paper boat"})]


@pytest.mark.parametrize(("amount", "currency", "kept"), [
    (749.95, "EUR", 749.95), ("749.95", "EUR", "749.95"), (0, "EUR", 0), (MAX_AMOUNT_MINOR // 100, "EUR", 1_000_000),
    (1_000_000.01, "EUR", None), (-1, "EUR", None), (1e300, "EUR", None), ("x", "EUR", None), (True, "EUR", None),
    (5, "euro", None), (5, None, None), ([5], "EUR", None), (None, "EUR", None),
])
def test_an_amount_is_fair_or_left_out(amount: object, currency: object, kept: object) -> None:
    """A million from a page is no sale, and a sum of such would be too large to count."""
    assert data("checkout.completed", amount=amount, currency=currency).get("amount") == kept


def test_only_a_completed_checkout_has_an_amount() -> None:
    """Begun and completed, the same money would count twice in a visit."""
    assert data("checkout.started", amount=5, currency="EUR") == {}


def test_a_checkout_is_known_by_its_token() -> None:
    """Orders name the same token: so it shows which were abandoned."""
    def key(token: object) -> str:
        body = orjson.dumps(said("checkout.started", data={"checkout": token}))
        return Pixel("main", ENOUGH).read(body, NOW_MS).events[0].key

    assert [key("c0ffee-17"), key("a b"), key(7), key(None)] == ["pixel:c0ffee-17", "", "", ""]


@pytest.mark.parametrize(("ago", "time_ms"), [
    (0, NOW_MS), (3_600_000, NOW_MS - 3_600_000), (3_600_001, NOW_MS), (-5, NOW_MS), (1.5, NOW_MS), ("9", NOW_MS),
    (None, NOW_MS), (True, NOW_MS),
])
def test_an_event_is_dated_by_its_age(ago: object, time_ms: int) -> None:
    """Clocks of visitors are wrong by years: only how long ago it was is asked, of the last hour."""
    (event,) = Pixel("main", ENOUGH).read(orjson.dumps(said(ago=ago)), NOW_MS).events
    assert event.time_ms == time_ms


def test_a_day_knows_fifty_names_of_the_shops_own() -> None:
    """The rest is refused; those that were known stay so, and tomorrow there is room again."""
    pixel = Pixel("main", ENOUGH)
    names = [f"custom.{'a' * n}" for n in range(1, MAX_CUSTOM_NAMES - 9)] + [f"custom.{'b' * n}" for n in range(1, 11)]
    for name in names:
        assert read(said(name), pixel)[1] == {}
    assert read(said("custom.more"), pixel) == ([], {"custom_names": 1})
    assert read(said(names[0]), pixel)[1] == {}
    assert len(pixel.read(orjson.dumps(said("custom.more")), NOW_MS + DAY_MS).events) == 1


def test_visitors_beyond_what_memory_holds_are_not_counted() -> None:
    """Each is remembered for nine days: whoever invents them cannot fill the store."""
    pixel = Pixel("main", 30 * VISITOR_BYTES * VISITOR_DAYS)
    outcomes = [read(said(visitor=f"v{n}"), pixel)[1] for n in [*range(31), 0]]
    assert outcomes == [{}] * 30 + [{"visitors": 1}, {}]


def test_checkouts_have_a_tenth_of_that_room() -> None:
    """They are remembered as long as orders are."""
    pixel = Pixel("main", 30 * VISITOR_BYTES * VISITOR_DAYS)
    outcomes = [read(said("checkout.started", data={"checkout": f"c{n}"}), pixel)[1] for n in range(4)]
    assert outcomes == [{}] * 3 + [{"checkouts": 1}]


def test_a_daily_table_begins_anew_with_the_day() -> None:
    """Room for one a day."""
    table = Daily(1)
    assert [table.admits("a", NOW_MS), table.admits("b", NOW_MS), table.admits("b", NOW_MS + DAY_MS)] == [
        True, False, True]


@given(JSON)
def test_of_any_json_every_event_is_taken_or_counted(body: Any) -> None:
    """Whatever it is: nothing is raised, nothing is forgotten."""
    events, refused = read(orjson.dumps(body) if not isinstance(body, int) or abs(body) < 2**53 else b"1")
    pieces = body if isinstance(body, list) else [body]
    assert len(events) + sum(refused.values()) == (len(pieces) if len(pieces) <= 20 else 1)


KNOWN = sorted({field for fields in FIELDS.values() for field in fields} | {"checkout", "currency"})


@given(st.dictionaries(st.sampled_from(KNOWN), JSON), st.sampled_from([*FIELDS, "custom.own"]))
def test_of_any_fields_only_flat_short_ones_are_kept(fields: dict[str, Any], name: str) -> None:
    """No list, no object, no text above eighty characters."""
    events, _ = read(said(name, data=fields))
    kept = [value for _, one in events for value in one.values()]
    assert all(type(value) in (str, int, float) and len(str(value)) <= 80 for value in kept)
