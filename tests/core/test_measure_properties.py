"""Each measure's two laws: panes merged in any parts and order are the same, and what is taken back is gone."""

import random
from collections import Counter, defaultdict
from statistics import pstdev
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Catalogue, Condition, Kpi, Now, Rollup, Today
from opsmon.core.events import Event, EventId
from opsmon.core.folding import Fold, Folding, Rules
from opsmon.core.panes import OTHER
from opsmon.core.sessions import Session
from opsmon.core.states import Believed, EntityState, SessionState
from opsmon.core.values import value_of
from tests.conftest import NOW_MS
from tests.memory import Memory

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
ZONES = ["America/Havana", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/London", "Asia/Kolkata"]
HIT = "hit.made"
BY = ("city",)
ROLLUPS = (
    Rollup("count", (HIT,), "count"),
    Rollup("count-by", (HIT,), "count", by=BY, cap=3),
    Rollup("sum", (HIT,), "sum", "value"),
    Rollup("sum-by", (HIT,), "sum", "value", by=BY, cap=3),
    Rollup("mean", (HIT,), "mean", "value"),
    Rollup("ratio", (HIT,), "ratio", hits=(Condition("value", ">", 0),)),
    Rollup("stddev", (HIT,), "stddev", "value"),
    Rollup("percentile", (HIT,), "percentile", "size"),
    Rollup("min", (HIT,), "min", "value"),
    Rollup("max", (HIT,), "max", "value"),
    Rollup("last", (HIT,), "last", "value"),
    Rollup("unique", (HIT,), "unique", of="city", levels="hd"),
    Rollup("distinct", (HIT,), "distinct", of="city", levels="hd"),
    Rollup("top", (HIT,), "top", "value", by=BY, levels="hd", cap=3),
    Rollup("money", (HIT,), "sum", "price"),
    Rollup("now", (HIT,), "count", by=BY, levels="n"),
    Rollup("visits", (HIT,), "sessions", of="city", gap_ms=10 * MINUTE_MS),
)
RULES = Rules(Catalogue(ROLLUPS, ()), BERLIN)
JOINS = ("min", "max", "last", "unique")


@st.composite
def hits(draw: st.DrawFn, versions: bool = False) -> list[Event]:
    """Events of one type over some hours; with versions each is about an entity of its own."""
    made = []
    for number in range(draw(st.integers(1, 25))):
        time_ms = NOW_MS - draw(st.integers(0, 300)) * 37_000
        data = {"value": draw(st.integers(-1000, 1000)), "size": draw(st.floats(0.001, 1e6)),
                "city": draw(st.sampled_from(["Ulm", "Köln", "Rom", "Oslo", "Bern"])),
                "price": [draw(st.integers(-500, 500)), draw(st.sampled_from(["EUR", "JPY"]))]}
        version = (1, 0, "a") if versions else None
        made.append(Event(EventId(f"e{number}"), HIT, time_ms, NOW_MS, "test", "main", f"test:{number}", version, data))
    return made


def everything(memory: Memory) -> tuple[Any, ...]:
    """All that a store would hold, without zeros and without which rows were admitted first."""
    panes = {where: {name: n for name, n in fields.items() if n} for where, fields in memory.panes.items()}
    return ({where: fields for where, fields in panes.items() if fields}, memory.joins, memory.seen, memory.open)


def counted(events: list[Event], sizes: list[int], catalogue: Catalogue) -> Memory:
    """The events in batches of these sizes."""
    memory, at = Memory(BERLIN, catalogue=catalogue), 0
    for size in [*sizes, len(events)]:
        if events[at : at + size]:
            memory.take(*events[at : at + size])
        at += size
    return memory


UNCAPPED = Catalogue(tuple(rollup for rollup in ROLLUPS if rollup.cap > 3), ())


@given(hits(), st.lists(st.integers(1, 7), max_size=10), st.randoms(use_true_random=False))
def test_batches_and_order_make_no_difference(events: list[Event], sizes: list[int], chance: random.Random) -> None:
    """The merge law, of every measure at once: any batches of any permutation give the panes of one batch."""
    shuffled = chance.sample(events, len(events))
    assert everything(counted(shuffled, sizes, UNCAPPED)) == everything(counted(events, [], UNCAPPED))


@given(hits(versions=True), st.randoms(use_true_random=False))
def test_what_is_taken_back_is_gone(events: list[Event], chance: random.Random) -> None:
    """The retraction law: entities that are withdrawn, in any order, leave nothing in any sum, row, or ranking."""
    memory = Memory(BERLIN, catalogue=RULES.catalogue).take(*events)
    gone = [event._replace(version=(2, 0, "b"), type="nothing.left") for event in chance.sample(events, len(events))]
    for event in gone:
        memory.take(event)
    left = {where: fields for where, fields in memory.panes.items()
            if where.rollup not in ("deliveries", "lags") and any(fields.values())}
    assert (left, {where: members for where, members in memory.scores.items() if any(members.values())}) == ({}, {})


@given(hits(versions=True))
def test_joins_leave_out_what_may_be_taken_back(events: list[Event]) -> None:
    """A smallest value that is withdrawn could not be un-counted: entities have no minima, maxima, last values."""
    memory = Memory(BERLIN, catalogue=RULES.catalogue).take(*events)
    assert (memory.joins, memory.seen) == ({}, {})


def folded(events: list[Event], rollup: str, level: str = "d") -> dict[str, Any]:
    """One rollup's aggregates over all its panes of a level."""
    memory = counted(events, [], RULES.catalogue)
    totals: dict[str, Any] = Counter()
    for where, fields in memory.panes.items():
        if (where.rollup, where.level) == (rollup, level):
            for name, amount in fields.items():
                totals[name.rpartition(".")[2]] += amount
    return totals


def told(rollup: str, found: dict[str, Any], show: str = "", currency: str | None = None) -> Any:
    """What a KPI on this rollup would say."""
    kpi = Kpi("k", "K", rollup, Today(), "count", "A sentence of some length.", show=show)
    return value_of(RULES.catalogue.rollup(rollup), kpi, found, currency)


@given(hits())
def test_each_measure_says_what_a_list_of_its_values_says(events: list[Event]) -> None:
    """Against the arithmetic of the standard library: count, sum, mean, ratio, standard deviation."""
    values = [event.data["value"] for event in events]
    assert told("count", folded(events, "count")) == len(values)
    assert told("sum", folded(events, "sum")) == sum(values)
    assert abs(told("mean", folded(events, "mean"), "mean") - sum(values) / len(values)) <= 0.5
    assert told("ratio", folded(events, "ratio")) == sum(value > 0 for value in values) / len(values)
    assert told("stddev", folded(events, "stddev")) == pytest.approx(pstdev(values), abs=1e-9)


@given(hits())
def test_money_is_never_added_across_currencies(events: list[Event]) -> None:
    """Euros and yen have sums of their own."""
    expected: Counter[str] = Counter()
    for event in events:
        expected[event.data["price"][1]] += event.data["price"][0]
    found = folded(events, "money")
    assert {c: told("money", found, currency=c) for c in ("EUR", "JPY")} == {c: expected[c] for c in ("EUR", "JPY")}


@given(hits(), st.sampled_from([50, 95, 99]))
def test_a_percentile_is_right_to_two_per_cent(events: list[Event], share: int) -> None:
    """Against the nearest rank of the sorted values."""
    sizes = sorted(event.data["size"] for event in events)
    exact = sizes[max(-(-share * len(sizes) // 100), 1) - 1]
    assert told("percentile", folded(events, "percentile"), f"p{share}") == pytest.approx(exact, rel=0.02)


@given(hits())
def test_minima_maxima_and_last_values_are_those_of_the_list(events: list[Event]) -> None:
    """The last by event time; of two at one instant the larger."""
    memory = counted(events, [], RULES.catalogue)
    found: dict[str, Any] = defaultdict(list)
    for where, fields in memory.joins.items():
        if where.level == "d":
            for pair in fields.values():
                found[where.rollup].append(pair)
    values = [event.data["value"] for event in events]
    assert (min(found["min"])[0], max(found["max"])[0]) == (min(values), max(values))
    assert max(found["last"]) == max((event.time_ms, event.data["value"]) for event in events)


@given(hits())
def test_rows_and_other_make_up_the_total(events: list[Event]) -> None:
    """With three rows told apart the rest is in `other`: counts and sums add up to those without rows."""
    by, plain = folded(events, "count-by"), folded(events, "count")
    assert by["n"] == plain["n"]
    assert folded(events, "sum-by").get("s", 0) == folded(events, "sum").get("s", 0)
    memory = counted(events, [], RULES.catalogue)
    named = {name.partition(".")[0] for where, fields in memory.panes.items()
             if where[:2] == ("count-by", "d") for name in fields}
    assert len(named - {OTHER}) <= 3


@given(hits())
def test_different_values_are_counted_exactly(events: list[Event]) -> None:
    """Of a day: as many fields as cities."""
    memory = counted(events, [], RULES.catalogue)
    by_day: dict[str, set[str]] = defaultdict(set)
    for event in events:
        pane = BERLIN.place(event.time_ms).day
        by_day[f"{pane.span}{int(pane.field):02}"].add(event.data["city"])
    found = {where.span: set(fields) for where, fields in memory.panes.items() if where[:2] == ("distinct", "d")}
    assert found == by_day


def cut(times: list[int], gap_ms: int) -> list[Session]:
    """The oracle of sessions: sort everything, cut where the gap is longer."""
    found: list[list[int]] = []
    for time_ms in sorted(times):
        if found and time_ms - found[-1][-1] <= gap_ms:
            found[-1].append(time_ms)
        else:
            found.append([time_ms])
    return [Session(one[0], one[-1], len(one), 0) for one in found]


@given(hits(), st.lists(st.integers(1, 7), max_size=10))
def test_sessions_are_those_of_the_sorted_list(events: list[Event], sizes: list[int]) -> None:
    """In whatever order events come: late ones extend, bridge and merge."""
    memory = counted(events, sizes, RULES.catalogue)
    for city in {event.data["city"] for event in events}:
        state = memory.states[f"~session:visits:{city}"]
        times = [event.time_ms for event in events if event.data["city"] == city]
        assert isinstance(state, SessionState)
        assert list(state.sessions) == cut(times, 10 * MINUTE_MS)
    sessions = sum(len(state.sessions) for state in memory.states.values() if isinstance(state, SessionState))
    assert folded(events, "visits")["n"] == sessions


def test_two_events_exactly_one_gap_apart_are_one_session() -> None:
    """Joined when the distance is at most the gap; a millisecond more and they are two."""
    for distance_ms, sessions in ((10 * MINUTE_MS, 1), (10 * MINUTE_MS + 1, 2)):
        events = [Event(EventId(f"e{at}"), HIT, NOW_MS - HOUR_MS + at, NOW_MS, "test", "main", "", None,
                        {"value": 1, "city": "Ulm"}) for at in (0, distance_ms)]
        assert folded(events, "visits")["n"] == sessions


@given(st.sampled_from(ZONES), st.lists(st.integers(0, 400 * 1440), min_size=1, max_size=20))
def test_every_level_adds_up_to_the_same_in_every_zone(zone: str, minutes_ago: list[int]) -> None:
    """Days of 23, 24.5 and 25 hours, half-hour zones, days without midnight: nothing falls between panes."""
    calendar = SiteCalendar(ZoneInfo(zone))
    events = [Event(EventId(f"e{n}"), HIT, NOW_MS - ago * MINUTE_MS, NOW_MS, "test", "main", "", None, {"value": 1})
              for n, ago in enumerate(minutes_ago)]
    memory = Memory(calendar, catalogue=RULES.catalogue).take(*events)
    totals: Counter[str] = Counter()
    for where, fields in memory.panes.items():
        if where.rollup == "count":
            totals[where.level] += sum(fields.values())
    kept_hours = sum(calendar.place(NOW_MS - ago * MINUTE_MS).hour.end_ms + 400 * 24 * HOUR_MS > NOW_MS
                     for ago in minutes_ago)
    assert (totals["d"], totals["h"]) == (len(minutes_ago), kept_hours)


def test_an_event_later_than_its_minutes_are_kept_lands_in_hour_and_day() -> None:
    """Nine days late: its minute is gone, its hour and day are not."""
    late = Event(EventId("late"), HIT, NOW_MS - 9 * 24 * HOUR_MS, NOW_MS, "test", "main", "", None, {"value": 1})
    memory = Memory(BERLIN, catalogue=RULES.catalogue).take(late)
    assert {where.level for where in memory.panes if where.rollup == "count"} == {"h", "d"}
    assert memory.counters == {"test:late": 1}


def test_what_holds_now_has_no_time() -> None:
    """Stock, occupancy: the level of now holds what all entities say together."""
    events = [Event(EventId(f"e{n}"), HIT, NOW_MS, NOW_MS, "test", "main", f"test:{n}", (1, 0, "a"),
                    {"value": 1, "city": city}) for n, city in enumerate(("Ulm", "Ulm", "Rom"))]
    memory = Memory(BERLIN, catalogue=RULES.catalogue).take(*events)
    (fields,) = (fields for where, fields in memory.panes.items() if where.rollup == "now")
    assert fields == {"Ulm.n": 2, "Rom.n": 1}
    assert isinstance(Now().kind, str)


def test_a_fold_can_be_taken_back_whole() -> None:
    """Book a state, take it back: no increments remain."""
    folding = Folding(Believed({}, {}), RULES, NOW_MS)
    memory = Memory(BERLIN, catalogue=RULES.catalogue)
    (event,) = [Event(EventId("e"), HIT, NOW_MS, NOW_MS, "test", "main", "test:1", (1, 0, "a"),
                      {"value": 3, "city": "Ulm"})]
    state = memory.take(event).states["test:1"]
    assert isinstance(state, EntityState)
    for sign in (+1, -1):
        folding.book_state("test:1", state, sign)
    done: Fold = folding.finish()
    assert (done.increments, done.scores) == ({}, {})
