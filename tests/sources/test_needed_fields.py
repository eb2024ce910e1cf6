"""Types that built-in KPIs count: taken with what they need, refused with a sentence that names it."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.events import Event
from opsmon.core.facts_known import FACTS
from opsmon.core.kpis import ROLLUPS
from opsmon.sources.json_events import JsonEvents, Refused
from opsmon.sources.needed_fields import NEEDS, describe
from tests.conftest import NOW_MS
from tests.core.test_facts_known import BERLIN
from tests.memory import Memory

READER = JsonEvents("main")
RIGHT: dict[str, dict[str, Any]] = {
    "gauge.set": {"data": {"name": "cold room", "value": -18.5}},
    "count.add": {"data": {"name": "parcels", "value": 12}},
    "queue.depth": {"data": {"queue": "mails", "depth": 0}},
    "api.request": {"data": {"endpoint": "/cart", "ms": 41.5, "status": 200}},
    "function.called": {"data": {"class": "Price", "ms": 3}},
    "user.active": {"data": {"user": 17}},
    "stage.moved": {"key": "order-1", "data": {"stage": "packing"}},
    "item.scanned": {"data": {"station": "A1", "person": "Mara", "sku": "KITE", "quantity": 2}},
    "inventory.changed": {"key": "KITE", "version": 1, "data": {"sku": "KITE", "available": 5}},
}
LACKING: list[tuple[str, dict[str, Any], str]] = [
    ("api.request", {"data": {"endpoint": "/cart", "status": 200}},
     "data.ms is missing: expected milliseconds, a number from 0 up; api.request needs data.endpoint, data.ms and "
     "data.status"),
    ("api.request", {"data": {"endpoint": "/cart", "ms": -1, "status": 200}}, "data.ms is -1: expected milliseconds, "),
    ("api.request", {"data": {"endpoint": "/cart", "ms": "41", "status": 200}}, "data.ms is '41': expected "),
    ("api.request", {"data": {"endpoint": "/cart", "ms": 1, "status": "500"}},
     "data.status is '500': expected an HTTP status, 100 to 599; "),
    ("api.request", {"data": {"endpoint": "/cart", "ms": 1, "status": True}}, "data.status is True: expected "),
    ("api.request", {}, "data.endpoint is missing: expected a text; "),
    ("gauge.set", {"data": {"name": "cold room", "value": "-18"}}, "data.value is '-18': expected a number "),
    ("gauge.set", {"data": {"name": "cold room", "value": 1e13}},
     "data.value is 10000000000000.0: expected a number within a million million; gauge.set needs data.name and "
     "data.value"),
    ("gauge.set", {"data": {"name": " ", "value": 1}}, "data.name is ' ': expected a text; "),
    ("gauge.set", {"key": "g", "version": 3, "data": {"name": "cold room", "value": 1}},
     "it has a version: expected none, since what is told here is never replaced; gauge.set needs "),
    ("count.add", {"data": {"name": "parcels", "value": 0.4}}, "data.value is 0.4: expected a whole number "),
    ("count.add", {"data": {"name": "parcels"}}, "data.value is missing: expected a whole number "),
    ("queue.depth", {"data": {"queue": "mails", "depth": -1}},
     "data.depth is -1: expected a whole number from 0 up; queue.depth needs data.queue and data.depth"),
    ("stage.moved", {"data": {"stage": "packing"}},
     "key is missing: expected the order that moved; stage.moved needs a key (the order that moved) and data.stage"),
    ("stage.moved", {"key": "order-1", "data": {"to": "packing"}}, "data.stage is missing: expected a text; "),
    ("stage.moved", {"key": "order-1", "version": 1, "data": {"stage": "packing"}}, "it has a version: "),
    ("item.scanned", {"data": {"sku": "KITE"}},
     "it says neither who nor where; item.scanned needs data.station or data.person or data.line"),
    ("item.scanned", {"data": {"station": "A1", "quantity": 1.5}}, "data.quantity is 1.5: expected a whole number "),
    ("inventory.changed", {"key": "KITE", "data": {"sku": "KITE", "available": 5}},
     "version is missing: expected a number that grows with each change; inventory.changed needs a key (the item at "
     "its place), a version, data.sku and data.available"),
    ("user.active", {}, "data.user is missing: expected a text; user.active needs data.user"),
    ("function.called", {"data": {"ms": 3}}, "data.class is missing: expected a text; "),
]


def take(event_type: str, said: dict[str, Any]) -> Event | Refused:
    """What becomes of an event of this type."""
    return READER.take(orjson.dumps({"id": "a1", "type": event_type} | said), NOW_MS)


def is_counted(event: Event) -> bool:
    """Whether a KPI moves by this event: more than the count of what came in."""
    memory = Memory(BERLIN).take(event)
    rollups = {pane.rollup for part in (memory.panes, memory.joins, memory.seen, memory.scores) for pane in part}
    return bool((rollups | set(memory.open)) - {"deliveries"})


@pytest.mark.parametrize("event_type", NEEDS)
def test_an_event_with_what_its_type_needs_is_taken_and_counted(event_type: str) -> None:
    """200 means that a number moves."""
    event = take(event_type, RIGHT[event_type])
    assert isinstance(event, Event), event
    assert is_counted(event)


@pytest.mark.parametrize("event_type, said, reason", LACKING, ids=lambda value: value if isinstance(value, str) else "")
def test_one_that_could_not_be_counted_is_refused_with_what_is_needed(
        event_type: str, said: dict[str, Any], reason: str) -> None:
    """Never accepted and then nowhere."""
    refused = take(event_type, said)
    assert isinstance(refused, Refused), refused
    assert (refused.counter, refused.reason[: len(reason)]) == ("bad_fields", reason)


@pytest.mark.parametrize("event_type", NEEDS)
def test_what_a_type_needs_is_a_field_that_is_known(event_type: str) -> None:
    """`opsmon kpis --facts` lists the same names."""
    needs = NEEDS[event_type]
    assert {*needs.fields, *needs.some, *needs.optional} <= set(FACTS[event_type].fields)


@pytest.mark.parametrize("event_type", NEEDS)
def test_what_built_in_numbers_measure_is_needed(event_type: str) -> None:
    """A value or a visitor that may be missing would be a number that misses events."""
    measured = {name for rollup in ROLLUPS if event_type in rollup.on for name in (rollup.value, rollup.of) if name}
    assert measured <= set(NEEDS[event_type].fields)


def test_what_a_type_needs_is_said_in_a_line() -> None:
    """Key first, then version, then fields."""
    assert describe("inventory.changed") == (
        "a key (the item at its place), a version, data.sku and data.available")


@pytest.mark.parametrize("event_type", ["till.opened", "page.viewed", "feature.used"])
def test_a_type_of_the_sites_own_needs_nothing(event_type: str) -> None:
    """What its fields are, the site knows; a page of a visitor who did not consent has no visitor."""
    assert isinstance(take(event_type, {}), Event)


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2**54, 2**54), st.floats(allow_nan=False,
                    allow_infinity=False), st.sampled_from(["", " ", "A1", "500", "x" * 60]))


@given(st.sampled_from(sorted(NEEDS)), st.sampled_from(["", "k"]), st.sampled_from([None, 1]), st.data())
def test_whatever_is_accepted_is_counted(event_type: str, key: str, version: int | None, data: st.DataObject) -> None:
    """Whatever its fields hold: refused, or a number moves. Adding nothing moves none, and misses nothing."""
    known = FACTS[event_type].fields
    fields = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(known, SCALARS)))
    event = take(event_type, {"key": key, "version": version, "data": fields})
    if isinstance(event, Event) and 0 not in (fields.get("value", 1), fields.get("available", 1)):
        assert is_counted(event)
