"""Who can be told: written and read back the same, masked, and refused with a sentence."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.alerting.hours import ALWAYS, Hours, is_open
from opsmon.core.alerting.receivers import (
    Digests,
    Receiver,
    Telling,
    dump_digests,
    dump_receiver,
    dump_route,
    hours_of,
    masked,
    parse_digests,
    parse_receiver,
    parse_route,
    route_faults,
)
from opsmon.core.alerting.telling import Route, Step
from tests.conftest import NOW_MS

ANA = Receiver("ana", "Ana", "email", "ana@shop.example")
HOOK = Receiver("hook", "Desk", "webhook", "https://hook.example/t/very-secret?k=1", "whsec_" + "a" * 44)
CHAT = Receiver("chat", "Chat", "apprise", "slack://token-a/token-b/token-c")
EVERYBODY = {one.id: one for one in (ANA, HOOK, CHAT)}

weeks = st.dictionaries(st.integers(0, 6), st.tuples(st.integers(0, 700), st.integers(701, 1440)))
hours = st.builds(Hours, st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]), weeks,
                  st.frozensets(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=3))
steps = st.lists(st.builds(Step, st.lists(st.sampled_from(["ana", "hook"]), max_size=2).map(tuple),
                           st.integers(0, 86_400_000)), max_size=3).map(tuple)
anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20),
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner,
                                                                                     max_size=4), max_leaves=10)


@given(hours, st.sampled_from([ANA, HOOK, CHAT]))
def test_a_receiver_is_read_as_it_was_written(when: Hours, one: Receiver) -> None:
    """Hours in any zone with it."""
    said = replace(one, hours=when)
    assert parse_receiver(dump_receiver(said)) == (said, [])


@given(hours, steps)
def test_a_route_is_read_as_it_was_written(when: Hours, some: tuple[Step, ...]) -> None:
    """Steps, waits and hours."""
    route = Route("high", some, when)
    assert parse_route(dump_route(route)) == (route, [])


@given(anything)
def test_whatever_is_read_is_a_record_or_sentences(told: Any) -> None:
    """Never a traceback."""
    for parse in (parse_receiver, parse_route):
        found, wrong = parse(told)
        assert (found is None) == bool(wrong)
    assert isinstance(parse_digests(told), Digests)


def test_digests_are_read_as_they_were_written() -> None:
    """Who, when, which."""
    plan = Digests(("ana",), 450, False, True, True)
    assert parse_digests(dump_digests(plan)) == plan


@pytest.mark.parametrize("one, shown", [(ANA, "ana@shop.example"), (HOOK, "https://hook.example/•••"),
                                        (CHAT, "slack://•••")])
def test_what_is_secret_in_an_address_is_not_shown(one: Receiver, shown: str) -> None:
    """A webhook's path and query, all of a chat's."""
    assert masked(one) == shown


@pytest.mark.parametrize("change", [
    {"to": "ana"}, {"to": "ana@"}, {"to": "a b@c"}, {"to": "ana@shop.example\nBcc: b@c"}, {"to": ""}, {"name": ""},
    {"name": "a\nb"}, {"id": "A"}, {"kind": "fax"}, {"otherwise": "ana"}, {"hours": {"zone": "Mars"}},
    {"hours": {"week": {"7": [0, 1]}}}, {"hours": {"week": {"1": [10, 5]}}}, {"to": "a" * 600},
    {"kind": "webhook", "to": "https://x.example/"}, {"kind": "webhook", "to": "http://x.example/"},
    {"kind": "apprise", "to": "json://x"}, {"kind": "apprise", "to": "SLACK://x"}])
def test_what_cannot_be_a_receiver_is_refused(change: dict[str, Any]) -> None:
    """With at least a sentence."""
    found, wrong = parse_receiver({**dump_receiver(ANA), **change})
    assert (found, bool(wrong)) == (None, True)


@pytest.mark.parametrize("route, fault", [
    (Route("high", (Step(()),)), "Step 1 is never reached"),
    (Route("high", (Step(("ana",)), Step(("hook",)))), "Step 2 is never reached"),
    (Route("high", (Step(("eve",)),)), "There is no receiver eve any more"),
    (Route("high", (Step(("chat",)),)), "Chat was never tested"),
    (Route("high", (Step(("ana",)),), Hours("UTC", {0: (480, 480)})), "Nobody is ever told in these hours"),
])
def test_a_route_that_reaches_nobody_says_so(route: Route, fault: str) -> None:
    """Unreachable steps, channels never tested, empty shifts."""
    (found,) = route_faults(route, EVERYBODY, {"ana", "hook"})
    assert found.startswith(fault)


def test_a_good_route_has_no_faults() -> None:
    """Two steps, both tested."""
    assert route_faults(Route("high", (Step(("ana",)), Step(("hook",), 60_000))), EVERYBODY, {"ana", "hook"}) == []


def test_without_a_route_everybody_is_told_at_once() -> None:
    """Of what is critical, high or medium; of what is low nobody."""
    telling = Telling(EVERYBODY, {}, Digests())
    assert [telling.route(severity).steps for severity in ("critical", "low")] == [
        (Step(("ana", "hook", "chat")),), ()]


def test_without_a_receiver_nobody_is_told() -> None:
    """Screens alone show alerts."""
    assert Telling({}, {}, Digests()).route("critical").steps == ()


def test_digests_go_to_mail_unless_somebody_was_chosen() -> None:
    """Chats would be full of them."""
    chosen = Telling(EVERYBODY, {}, Digests(("chat", "gone")))
    assert (Telling(EVERYBODY, {}, Digests()).digest_receivers, chosen.digest_receivers) == (("ana",), ("chat",))


def test_hours_without_times_are_always() -> None:
    """And with them they are those, in that zone."""
    some = hours_of("09:00", "18:00", range(5), "Europe/Berlin")
    assert (hours_of("", "", range(7), "Mars"), is_open(some, NOW_MS)) == (ALWAYS, True)


@pytest.mark.parametrize("opens, closes, zone", [("9", "18:00", "UTC"), ("18:00", "09:00", "UTC"),
                                                  ("09:00", "25:00", "UTC"), ("09:00", "18:00", "Mars")])
def test_hours_that_cannot_be_are_refused(opens: str, closes: str, zone: str) -> None:
    """With a sentence."""
    with pytest.raises(ValueError, match=r"\w"):
        hours_of(opens, closes, range(5), zone)
