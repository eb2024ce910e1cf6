"""What people enter by hand: which event it becomes, and what is said of what cannot be taken."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import DAY_MS, SiteCalendar
from opsmon.core.events import Event
from opsmon.sources.manual_entries import FIELDS, Entry, ManualEntries, What, Wrong, cleaned, is_form
from tests.conftest import NOW_MS
from tests.memory import Memory

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
ENTRIES = ManualEntries("main", BERLIN, 400 * DAY_MS)
FORM = f"{NOW_MS:x}-00112233445566aa"
STALL = {"amount": "49,90", "currency": "EUR", "name": "Market stall"}


def entry(what: What, form: str = FORM, **said: str) -> Entry:
    """What was entered."""
    read = ENTRIES.read(what, form, said, NOW_MS)
    assert isinstance(read, Entry), read
    return read


def wrong(what: What, form: str = FORM, **said: str) -> Mapping[str, str]:
    """What is said of what cannot be taken, by field."""
    read = ENTRIES.read(what, form, said, NOW_MS)
    assert isinstance(read, Wrong), read
    return read.fields


def counted(*events: Event) -> Memory:
    """What these events come to."""
    return Memory(BERLIN).take(*events)


# --- what it becomes --------------------------------------------------------------------------------------------


def test_an_order_is_an_order_as_any_other() -> None:
    """In orders, revenue and sales by channel, on the day it is entered."""
    memory = counted(entry("order", **STALL).event)
    assert (memory.days("orders"), memory.days("revenue")) == (
        {"20261120": {"n": 1}}, {"20261120": {"s:EUR": 4990}})


def test_an_order_says_when_where_and_how() -> None:
    """Times are those of the site's clock."""
    event = entry("order", **STALL, time="2026-11-19T18:30", country="germany", channel="fair").event
    assert (event.time_ms, event.data["country"], event.data["channel"]) == (
        NOW_MS - 70_402_000, "DE", "fair")


def test_an_order_by_hand_is_not_waited_for() -> None:
    """Nobody would ever tell that it was packed."""
    assert counted(entry("order", **STALL).event).open.get("open-orders", {}) == {}


def test_two_orders_of_one_name_are_two() -> None:
    """The market stall comes every week."""
    other = f"{NOW_MS:x}-ffffffffffffffff"
    memory = counted(entry("order", **STALL).event, entry("order", other, **STALL).event)
    assert memory.days("orders") == {"20261120": {"n": 2}}


def test_a_form_that_is_sent_twice_is_one_entry() -> None:
    """Two taps have one id."""
    assert entry("order", **STALL).event.id == entry("order", **STALL).event.id


def test_a_form_that_was_changed_and_sent_again_is_another_entry() -> None:
    """It was gone back to, to enter the next."""
    first, second = entry("order", **STALL).event, entry("order", **STALL | {"amount": "5"}).event
    assert counted(first, second).days("revenue") == {"20261120": {"s:EUR": 5490}}


def test_the_other_entries_are_the_events_that_programs_send() -> None:
    """A move is one of the same order that a scanner moves."""
    found = {
        "count": entry("count", name="parcels", value="12"),
        "gauge": entry("gauge", name="cold room", value="\u221218,5"),
        "move": entry("move", order="1001", stage="packing", person="Mara"),
        "scan": entry("scan", sku="KITE", station="A1"),
    }
    assert {what: (one.event.type, one.event.key, one.event.data) for what, one in found.items()} == {
        "count": ("count.add", "", {"name": "parcels", "value": 12}),
        "gauge": ("gauge.set", "", {"name": "cold room", "value": -18.5}),
        "move": ("stage.moved", "events:1001", {"stage": "packing", "person": "Mara"}),
        "scan": ("item.scanned", "", {"sku": "KITE", "station": "A1", "quantity": 1}),
    }


# --- taking back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what, said", [("order", STALL), ("count", {"name": "parcels", "value": "12"})])
def test_what_was_entered_can_be_taken_back(what: What, said: dict[str, str]) -> None:
    """Afterwards it is as if it had not been."""
    entered = entry(what, **said)
    undone = ENTRIES.undo(entered.undo or {}, NOW_MS + 5_000)
    assert undone is not None
    panes = counted(entered.event, undone).panes
    assert {pane.rollup for pane, fields in panes.items() if any(fields.values())} == {"deliveries", "lags"}


def test_a_gauge_a_move_and_a_scan_are_put_right_by_the_next() -> None:
    """There is nothing to take back."""
    found = [entry("gauge", name="hall", value="21"), entry("move", order="1", stage="packing"),
             entry("scan", person="Mara")]
    assert [one.undo for one in found] == [None] * 3


@pytest.mark.parametrize("said", [
    {}, {"of": "order"}, {"of": "order", "entry": FORM}, {"of": "order", "entry": f"{FORM}-zz"}, {"of": "gauge"},
    {"of": "count", "entry": f"{FORM}-00112233aabb"},
    {"of": "count", "entry": f"{FORM}-00112233aabb", "name": "x", "value": "1.5", "at": "0"},
    {"of": "order", "entry": f"{NOW_MS - 2 * DAY_MS:x}-00112233445566aa-00112233aabb"},
], ids=str)
def test_what_was_not_entered_today_is_not_taken_back(said: dict[str, str]) -> None:
    """Whoever made up these fields."""
    assert ENTRIES.undo(said, NOW_MS) is None


# --- what is wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what, said, field, sentence", [
    ("order", {"currency": "EUR"}, "amount", "Amount is missing."),
    ("order", {"amount": "5"}, "currency", "Currency is missing."),
    ("order", {"amount": "5", "currency": "€"}, "currency",
     "Currency is '€': expected an ISO currency such as EUR."),
    ("order", {"amount": "1,234", "currency": "EUR"}, "amount",
     "Amount is '1,234', which may be 1234 or 1.234: expected 1234 or 1.2340."),
    ("order", {"amount": "five", "currency": "EUR"}, "amount",
     "Amount is 'five': expected a number such as 12.50."),
    ("order", {"amount": "0", "currency": "EUR"}, "amount", "Amount is 0: expected more than 0."),
    ("order", {"amount": "-5", "currency": "EUR"}, "amount", "Amount is -5: expected more than 0."),
    ("order", {"amount": "5.5", "currency": "JPY"}, "amount", "Amount is 5.5: JPY has 0 digits after the point."),
    ("order", {"amount": "9" * 18, "currency": "EUR"}, "amount",
     "Amount is '999999999999999999': expected a number such as 12.50."),
    ("order", STALL | {"time": "2027-01-01T10:00"}, "time",
     "When is '2027-01-01T10:00': expected a time that is not in the future."),
    ("order", STALL | {"time": "2020-01-01T10:00"}, "time",
     "When is longer ago than orders are kept: it would not be counted."),
    ("order", STALL | {"country": "Atlantis"}, "country",
     "Country is 'Atlantis': expected a country such as Germany, or its code, DE."),
    ("order", STALL | {"name": "x" * 49}, "name",
     "Order number or name is 49 characters long: expected at most 48."),
    ("count", {"name": "parcels", "value": "1.5"}, "value",
     "How many is '1.5': expected a whole number up to 1000000."),
    ("count", {"name": "parcels", "value": "0"}, "value", "How many is 0: that counts nothing."),
    ("gauge", {"name": "hall", "value": "1e3"}, "value", "What it shows is '1e3': expected a number such as 12.50."),
    ("gauge", {"name": "hall", "value": "9999999999999"}, "value",
     "What it shows is '9999999999999': expected a number within a million million."),
    ("move", {"stage": "packing"}, "order", "Order is missing."),
    ("scan", {"sku": "KITE"}, "person", "Person, station or line is missing: one of them says whose scan it is."),
])
def test_what_is_wrong_is_said_at_its_field(what: What, said: dict[str, str], field: str, sentence: str) -> None:
    """With what would be right."""
    assert wrong(what, **said) == {field: sentence}


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Not one thing a try."""
    assert set(wrong("order", amount="x", currency="y", country="z")) == {"amount", "currency", "country"}


@pytest.mark.parametrize("form, is_one", [
    (FORM, True), (f"{NOW_MS - DAY_MS:x}-00112233445566aa", True), (f"{NOW_MS - DAY_MS - 1:x}-00112233445566aa", False),
    (f"{NOW_MS + DAY_MS:x}-00112233445566aa", False), ("", False), (FORM.upper(), False), (FORM + "0", False),
])
def test_a_form_is_good_for_a_day(form: str, is_one: bool) -> None:
    """What marks duplicates is not kept for ever."""
    assert is_form(form, NOW_MS) == is_one


def test_what_was_typed_is_one_line() -> None:
    """Whatever was pasted."""
    assert cleaned(" \u00a0Kite\r\n\x00\t 7 \u22125 ") == "Kite 7 -5"


@given(st.sampled_from(sorted(FIELDS)), st.data())
def test_whatever_is_typed_is_taken_and_counted_or_told_of(what: What, data: st.DataObject) -> None:
    """No fault, and nothing lost between."""
    texts = st.text(max_size=60) | st.sampled_from(["5", "12,50", "EUR", "DE", "2026-11-19T10:00", "-1", "A1"])
    said: dict[str, Any] = {one.name: data.draw(texts) for one in FIELDS[what]}
    read = ENTRIES.read(what, FORM, said, NOW_MS)
    if isinstance(read, Entry):
        assert counted(read.event).panes or counted(read.event).joins
    else:
        assert set(read.fields) <= {one.name for one in FIELDS[what]}
