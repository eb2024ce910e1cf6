"""The table of known facts against what is really counted, and definitions against what they then show."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import SiteCalendar
from opsmon.core.catalogue import Rollup
from opsmon.core.definitions import read_definitions
from opsmon.core.events import Event, EventId
from opsmon.core.facts import Fact, is_remembered_whole, lag_ms, order_members, plain_fact, tell
from opsmon.core.facts_known import FACTS, KnownFact, is_below_zero, kind_of, similar, without
from opsmon.core.groups import group_facts
from opsmon.core.kpis import BUILT_IN, ROLLUPS
from opsmon.core.measure_rules import RULES
from opsmon.core.readings import Reading, Site, plan, read
from opsmon.core.recounting import REMEMBERED
from opsmon.core.requests import Answers, Request, parse
from tests.conftest import NOW_MS
from tests.memory import Memory, event
from tests.orders import iso, order, refund

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
TYPES = {"text": str, "number": int | float, "ms": int | float, "money": list}


def shopify_events() -> Iterator[Event]:
    """An order that is open and has been paid back in part, one that was cancelled, one that was fulfilled."""
    about: dict[str, Any] = {"shipping_address": {"country_code": "DE", "province_code": "BE"}, "customer": {"id": 7},
                             "checkout_token": "c1"}
    placed_ms = NOW_MS - 20_000
    yield event("orders/create", order(1, "60.00", placed_ms=placed_ms, updated_ms=NOW_MS - 1_000, **about,
                                       refunds=[refund(order_id=1)]))
    yield event("orders/cancelled", order(2, placed_ms=placed_ms, updated_ms=NOW_MS - 1_000, **about,
                                          cancelled_at="2026-11-20T13:03:21Z"))
    quoted = event("orders/updated", order(4, placed_ms=placed_ms, updated_ms=NOW_MS))
    yield quoted._replace(data=quoted.data | {"quotation": "quotation sent"})
    yield event("orders/fulfilled", order(3, placed_ms=placed_ms, updated_ms=NOW_MS, **about,
                                          fulfillment_status="fulfilled"))
    at = iso(placed_ms)
    yield event("orders/edited", {"id": 4, "order_id": 1, "created_at": at, "line_items": {
        "additions": [{"delta": 1}], "removals": [{"delta": 1}]}})
    yield event("order_transactions/create", {"id": 5, "order_id": 1, "kind": "sale", "status": "failure",
                                              "gateway": "card", "error_code": "declined", "created_at": at})
    yield event("tender_transactions/create", {"id": 6, "amount": "9.50", "currency": "EUR", "processed_at": at,
                                               "payment_method": "cash"})
    yield event("disputes/create", {"id": 7, "type": "inquiry", "amount": "9.50", "currency": "EUR",
                                    "reason": "fraudulent", "status": "under_review", "initiated_at": at})
    yield event("fulfillment_events/create", {"fulfillment_id": 8, "status": "in_transit", "happened_at": at})
    yield event("fulfillment_orders/placed_on_hold", {"fulfillment_order": {
        "id": 9, "status": "on_hold", "fulfillment_holds": [{"reason": "other"}]}}, triggered_at=at)
    yield event("returns/request", {"id": 10, "status": "requested"}, triggered_at=at)
    yield event("products/update", {"id": 11, "title": "Tent", "tags": "camp", "updated_at": at, "variants": [
        {"inventory_item_id": 12, "sku": "TENT-2"}]})
    yield event("carts/update", {"token": "c2", "updated_at": at, "line_items": [{"quantity": 2}]})


def posted_events() -> Iterator[Event]:
    """Two of each fact that sites post, with all its fields and with one that nobody knows."""
    values = {"text": "one", "number": 400, "ms": 250, "money": 12.5}
    for at, (name, fact) in enumerate((name, fact) for name, fact in FACTS.items() if not fact.is_closed):
        data: dict[str, Any] = {field: values[known.kind] for field, known in fact.fields.items()}
        data |= {"currency": "EUR"} if "amount" in data else {}
        for number in range(2):
            key, version = ("till:c1", None) if name == "checkout.started" else (f"till:{name}", None)
            time_ms = NOW_MS - 10_000 + at * 100 + number * 50
            yield Event(EventId(f"till:{at}-{number}"), name, time_ms, NOW_MS, "till", "main", key, version,
                        data | {"litres": 2.5 + number, "person": "Ada"})


EVENTS = [*shopify_events(), *posted_events(),
          Event(EventId("till:own"), "till.opened", NOW_MS - 500, NOW_MS, "till", "main", "", None,
                {"litres": 2.5, "person": "Ada", "amount": 12.5, "currency": "EUR"})]


def produced() -> Iterator[Fact]:
    """Every fact that these events tell, by themselves and together."""
    memory = Memory(BERLIN).take(*EVENTS)
    groups: dict[str, dict[str, tuple[Any, ...]]] = {}
    for one in EVENTS:
        yield Fact("delivery.arrived", one.arrived_ms, {"source": one.source, "lag_ms": lag_ms(one)})
        tellings, members = tell(one)
        for told in tellings:
            yield from told.facts
            members = [*members, *order_members(told.key, told.facts)]
        if not is_remembered_whole(one):
            yield plain_fact(one)
        for member in members:
            assert member.group in memory.states and member.data is not None
            groups.setdefault(member.group, {})[member.name] = member.data
    for key, found in groups.items():
        yield from group_facts(key, found)


PRODUCED = list(produced())


# --- the table --------------------------------------------------------------------------------------------------


def test_every_fact_that_is_produced_is_known_and_every_known_one_is_produced() -> None:
    """The table is no wish; till.opened is the site's own."""
    assert {fact.type for fact in PRODUCED} - {"till.opened"} == set(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_a_known_fact_has_the_fields_that_are_known(name: str) -> None:
    """All that opsmon's own facts have; of what a site posts at least these."""
    fields = {field for fact in PRODUCED if fact.type == name for field in fact.fields}
    known = set(FACTS[name].fields)
    assert (fields == known) if FACTS[name].is_closed else (fields >= known)


@pytest.mark.parametrize("name", FACTS)
def test_a_known_field_holds_what_the_table_says(name: str) -> None:
    """Text, a number, or money with its currency."""
    wrong = [(field, fact.fields[field]) for fact in PRODUCED if fact.type == name
             for field, known in FACTS[name].fields.items() if not isinstance(fact.fields[field], TYPES[known.kind])]
    assert wrong == []


@pytest.mark.parametrize("name", FACTS)
def test_amounts_are_below_zero_where_the_table_says_so(name: str) -> None:
    """Refunds and cancellations lower revenue."""
    for field, known in FACTS[name].fields.items():
        amounts = [fact.fields[field][0] for fact in PRODUCED if fact.type == name] if known.kind == "money" else []
        assert [amount for amount in amounts if (amount < 0) != known.is_below_zero] == []


def test_what_is_remembered_may_be_revised() -> None:
    """And whatever is neither remembered nor every delivery may be posted by a site."""
    closed = {name for name, fact in FACTS.items() if fact.is_closed}
    assert (closed, closed - {name for name, fact in FACTS.items() if fact.is_revised}) == (
        REMEMBERED | {"delivery.arrived"}, {"delivery.arrived"})


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.id)
def test_what_the_built_in_kpis_count_is_known(rollup: Rollup) -> None:
    """Each fact with each field that is looked at; an amount may be another fact's."""
    conditions = {condition.field for condition in (*rollup.where, *rollup.hits)}
    asked = ({rollup.value, rollup.of, *rollup.by} | conditions) - {""}
    known = {field for fact in rollup.on for field in FACTS[fact].fields}
    assert asked <= known | ({"entity"} if rollup.measure == "open" else set())


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_each_fact_and_field_says_what_it_means(fact: KnownFact) -> None:
    """In a line."""
    meanings = [fact.meaning, *(known.meaning for known in fact.fields.values())]
    assert [text for text in meanings if not 0 < len(text) < 80 or "\n" in text] == []


def test_what_is_asked_of_the_table() -> None:
    """Kinds, fields that are missing for certain, names that are spelt almost so."""
    on = ["till.opened", "page.viewed", "refund.given"]
    assert (kind_of("amount", on), kind_of("country", on), without("country", on)) == ("money", None, ["refund.given"])
    assert (is_below_zero("amount", ["refund.given"]), is_below_zero("amount", on), is_below_zero("amount", [])) == (
        True, False, False)
    assert (similar("refund.givn", FACTS), similar("till.opened", FACTS)) == (" (did you mean refund.given?)", "")


# --- a definition that is taken shows something -----------------------------------------------------------------


def reading(table: dict[str, Any]) -> Reading | None:
    """What a definition shows after all those events; None when it is refused."""
    catalogue, problems = read_definitions([table], BUILT_IN)
    if problems:
        return None
    memory = Memory(BERLIN, catalogue=catalogue).take(*EVENTS)
    site = Site(NOW_MS, BERLIN, "EUR", NOW_MS - 1, NOW_MS, 0)
    planned = plan(catalogue.kpis[-1], catalogue, site)
    hashes, others = {}, {}
    for request in planned.requests(BERLIN):
        if request.kind == "hash":
            (found,) = request.hashes
            stored = {name: str(amount) for name, amount in memory.panes.get(found, {}).items()}
            stored |= {name: f"{one}:{two}" for name, (one, two) in memory.joins.get(found, {}).items()}
            hashes[found] = parse({name.encode(): text.encode() for name, text in stored.items()}, planned.rollup,
                                  found.level)
        else:
            others[request] = answer(memory, request)
    return read(planned, Answers(hashes, others), site)


def answer(memory: Memory, request: Request) -> Any:
    """What the store says to anything but the reading of a hash."""
    match request.kind:
        case "unique":
            return len(set().union(*(memory.seen.get(found, set()) for found in request.hashes)))
        case "distinct":
            return len({name for found in request.hashes for name in memory.panes.get(found, {})})
        case "top":
            totals = Counter[str]()
            for found in request.hashes:
                totals.update(memory.scores.get(found, {}))
            return sorted(totals.items(), key=lambda row: (-row[1], row[0]))[: request.most]
        case _:
            marks = memory.open.get(request.hashes[0].rollup, {}).values()
            due = [at_ms for at_ms in marks if request.low < at_ms <= request.high]
            return len(due), min(due, default=None)


FIELDS = sorted({field for fact in FACTS.values() for field in fact.fields} | {"litres", "person"})
WINDOWS = ["today", "now", "month", "7 days", "1h", "15m", "1h every 5m", "2h", "24h", "48h", "per minute", "per hour"]


@st.composite
def tables(draw: st.DrawFn, measure: str) -> dict[str, Any]:
    """A definition that has what its measure needs, of facts and fields that there are: often a right one."""
    rule = RULES[measure]
    on = draw(st.lists(st.sampled_from([*FACTS, "till.opened"]), min_size=1, max_size=2, unique=True))
    known = [set(FACTS[fact].fields) if fact in FACTS and FACTS[fact].is_closed else {*FIELDS} for fact in on]
    posted = {"litres", "person", *(field for fact in on if fact in FACTS for field in FACTS[fact].fields)}
    fields = st.sampled_from(sorted(set.intersection(*known) & posted) or FIELDS)
    table: dict[str, Any] = {"id": "own", "label": "Own", "on": on, "measure": measure,
                             "window": draw(st.sampled_from(WINDOWS))}
    drawn = {"value": fields, "of": fields, "by": fields, "hits": fields.map(lambda field: {field: "!= 7"}),
             "show": st.sampled_from([*rule.shows, "p50", "p99.9", "step1"]), "steps": st.permutations(on)}
    for name, strategy in drawn.items():
        if name in rule.needs or (name in rule.takes and draw(st.booleans())):
            table[name] = draw(strategy)
    if table.get("value") == "amount":
        table["unit"] = draw(st.sampled_from(["money", "orders"]))
    return table


@pytest.mark.parametrize("measure", RULES)
@given(data=st.data())
def test_what_is_taken_is_counted_and_shows_a_number(measure: str, data: st.DataObject) -> None:
    """Of events that have its fields: what could only ever show nothing was refused with a sentence."""
    table = data.draw(tables(measure))
    found = reading(table)
    if found is None or is_unknown(table):
        return
    assert found.value is not None
    # These events arrive as they happen: their lag is none.
    if measure != "stddev" and table.get("value") != "lag_ms" and found.kpi.show not in ("duration", "converted"):
        assert found.value != 0


def is_unknown(table: dict[str, Any]) -> bool:
    """Whether it looks at what these events do not have, which opsmon cannot know of a site's own."""
    facts = [fact.fields for fact in PRODUCED if fact.type in table["on"]]
    value, of = table.get("value"), table.get("of")
    if table.get("unit") == "orders" and table.get("show") != "count":
        return True  # all amounts here have a currency
    return (value is not None and not any(isinstance(fields.get(value), int | float | list) for fields in facts)) or (
        of is not None and not any(of in fields for fields in facts))
