"""Test events: each is what a sender of its kind would send, is taken by the source, and is counted nowhere."""

from typing import Any

import pytest

from opsmon.core.facts import tell
from opsmon.sources.base import Accepted, Many, NotUsed, Secret, Single, SourceSettings, take
from opsmon.sources.json_events import JsonEvents
from opsmon.sources.kinds import KINDS
from opsmon.sources.probing import Probe, event_probe, has_probe, probe
from opsmon.sources.signing import TEST_SHOP
from tests.conftest import NOW_MS

SECRET = Secret(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
TRIED = [kind for kind in KINDS if has_probe(SourceSettings("one", kind, (SECRET,)))]


def taken(settings: SourceSettings, found: Probe | None) -> Single:
    """What the source makes of a test event."""
    assert found is not None
    headers = {name.lower().encode(): value.encode() for name, value in found.headers.items()}
    outcome: Any = take(KINDS[settings.kind](settings, "main"), headers, found.body, NOW_MS, found.token.encode())
    one: Single = outcome.outcomes[0] if isinstance(outcome, Many) else outcome
    return one


@pytest.mark.parametrize("kind", TRIED)
def test_a_test_event_is_taken_by_its_source(kind: str) -> None:
    """Signed as the sender signs, in the shape it sends."""
    settings = SourceSettings("one", kind, (SECRET,))
    assert isinstance(taken(settings, probe(settings, NOW_MS)), Accepted | NotUsed)


@pytest.mark.parametrize("kind", TRIED)
def test_two_test_events_are_two(kind: str) -> None:
    """The second one is no duplicate of the first."""
    settings = SourceSettings("one", kind, (SECRET,))
    first, second = (taken(settings, probe(settings, NOW_MS + at)) for at in (0, 1_000))
    assert first.seen != second.seen


@pytest.mark.parametrize("kind", TRIED)
def test_a_test_event_tells_no_fact_that_a_number_is_made_of(kind: str) -> None:
    """An order that is marked as a test, or a type that nobody counts."""
    settings = SourceSettings("one", kind, (SECRET,))
    outcome = taken(settings, probe(settings, NOW_MS))
    if isinstance(outcome, Accepted):
        told, members = tell(outcome.event)
        known = [fact for one in told for fact in one.facts if fact.type != "opsmon.test"]
        assert (known, list(members), outcome.event.type in ("order.updated", "opsmon.test")) == ([], [], True)


def test_shopify_is_tried_with_the_local_test_secret() -> None:
    """So that it can be tried before the shop's own secret is known; it is good for the test shop only."""
    settings = SourceSettings("shopify", "shopify", (SECRET, Secret(b"of-this-machine", TEST_SHOP)))
    found = probe(settings, NOW_MS)
    assert found is not None
    assert (found.headers["X-Shopify-Shop-Domain"], isinstance(taken(settings, found), Accepted)) == (TEST_SHOP, True)


def test_without_a_secret_there_is_nothing_to_sign_with() -> None:
    """The page then shows no button."""
    settings = SourceSettings("one", "shopify")
    assert (has_probe(settings), probe(settings, NOW_MS)) == (False, None)


def test_the_door_of_own_events_is_tried_with_its_token() -> None:
    """Its identity is known beforehand, so that it can be looked for."""
    found = event_probe((Secret(b"token-of-the-till"),), NOW_MS)
    event = JsonEvents("main").take(found.body, NOW_MS)
    assert (getattr(event, "id", event), found.headers["Authorization"]) == (found.seen, "Bearer token-of-the-till")


def test_a_token_is_not_shown() -> None:
    """Nothing of a token that goes into the address is written into a log."""
    assert "geheim" not in repr(Probe({}, b"", "geheim"))
