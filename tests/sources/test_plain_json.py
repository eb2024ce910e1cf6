"""Plain JSON: a token, and settings that say where id, time and key are."""

import os
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmon.core.events import Event
from opsmon.sources.base import Accepted, BadOption, Outcome, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.base import take as take_delivery
from opsmon.sources.declared import read_sources
from opsmon.sources.plain_json import PlainJson
from opsmon.store.event_stream import decode, encode
from tests.conftest import NOW_MS

MUTATIONS = 10_000 if os.environ.get("CI") else 500
TOKEN = b"a-token-of-the-door"
NO_TIME = "expected a date and time with offset, such as 2026-11-20T14:03:22+01:00, or epoch milliseconds"


def door(**options: str) -> PlainJson:
    """The adapter, with these settings."""
    return PlainJson(SourceSettings("back-door", "json", (Secret(TOKEN), Secret(b"another-token")), options), "main")


def take(body: Any, **options: str) -> Outcome:
    """What becomes of a body that comes with the token."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return take_delivery(door(**options), {}, raw, NOW_MS, TOKEN)


def event(body: Any, **options: str) -> Event:
    """The event of a body that is good."""
    outcome = take(body, **options)
    assert isinstance(outcome, Accepted), outcome
    return outcome.event


def reason(body: Any, **options: str) -> str:
    """Why it is a dead letter."""
    outcome = take(body, **options)
    assert isinstance(outcome, Unusable), outcome
    return outcome.reason


def test_without_any_setting_a_body_is_an_event_of_now() -> None:
    """Flat members are its data; nested ones are left out."""
    body = {"open": True, "by": {"name": "Mara"}, "seconds": 4}
    hashed = sha256(orjson.dumps(body)).hexdigest()
    assert take(body) == Accepted(f"back-door:sha256:{hashed}", event(body))
    assert event(body) == (f"back-door:sha256:{hashed}", "back_door.received", NOW_MS, NOW_MS, "back-door", "main", "",
                           None, {"open": True, "seconds": 4})


def test_settings_say_where_everything_is() -> None:
    """By points into what is nested."""
    body = {"order": {"id": 2**53 + 1, "shelf": "B-7"}, "meta": {"at": "2026-11-20T14:03:20+01:00"}, "pieces": 3}
    made = event(body, type="order.packed", id="order.id", time="meta.at", key="order.shelf")
    assert made == ("back-door:9007199254740993", "order.packed", 1_795_179_800_000, NOW_MS, "back-door", "main",
                    "back-door:B-7", None, {"pieces": 3})


def test_with_an_id_it_is_once_however_it_is_written() -> None:
    """The second one may say more."""
    one, two = take({"id": 7}, id="id"), take({"id": "7", "x": 1}, id="id")
    assert isinstance(one, Accepted) and isinstance(two, Accepted) and one.seen == two.seen


@pytest.mark.parametrize("value, text", [
    (7, "7"), (-7, "-7"), (0, "0"), (2**53 + 1, "9007199254740993"), (2**64 - 1, "18446744073709551615"),
    ("a é", "a é"),
])
def test_an_id_is_a_text_or_a_whole_number_with_every_digit(value: object, text: str) -> None:
    """Whatever JavaScript would make of it."""
    assert event({"id": value}, id="id").id == f"back-door:{text}"


@pytest.mark.parametrize("body, said", [
    (b'{"a":{"id":18446744073709551616}}', "a.id is 1.8446744073709552e+19"), (b'{"a":{"id":1.0}}', "a.id is 1.0"),
    (b'{"a":{"id":true}}', "a.id is True"), (b'{"a":{"id":""}}', "a.id is ''"), (b'{"a":{"id":[1]}}', "a.id is [1]"),
    (b"{}", "a.id is missing"), (b'{"a":7}', "a.id is missing"), (b'{"a":[{"id":1}]}', "a.id is missing"),
])
def test_an_id_that_is_none_is_a_dead_letter_that_names_its_place(body: bytes, said: str) -> None:
    """Told at the first delivery that the setting points nowhere."""
    assert reason(body, id="a.id") == f"{said}: expected a text or a whole number below 2^64, as it is the id"


@pytest.mark.parametrize("time, time_ms", [
    (1_795_179_800_000, 1_795_179_800_000), (1_795_179_800, 1_795_179_800_000), (None, NOW_MS),
    ("2026-11-20T13:03:20Z", 1_795_179_800_000),
])
def test_a_time_is_a_date_or_seconds_or_milliseconds(time: object, time_ms: int) -> None:
    """Without one it is now."""
    assert event({"at": time}, time="at").time_ms == time_ms


@pytest.mark.parametrize("time, shown", [("2026-11-20T13:03:20", "'2026-11-20T13:03:20'"), (0, "0"), (-5, "-5"),
                                         (10**18, "1000000000000000000"), (True, "True"), ([], "a list"), (1.5, "1.5")])
def test_a_time_that_is_none_is_a_dead_letter(time: object, shown: str) -> None:
    """A date without an offset could be any of two dozen."""
    assert reason({"at": time}, time="at") == f"time is {shown}: {NO_TIME}"


def test_a_body_need_not_be_about_anything() -> None:
    """The key is there, or it is not."""
    assert [event(body, key="shelf").key for body in ({}, {"shelf": None}, {"shelf": 7})] == ["", "", "back-door:7"]


@pytest.mark.parametrize("value, kept", [
    (2**53, 2**53), (2**53 + 1, "9007199254740993"), ("x" * 300, "x" * 200), ("🧵\x00é", "🧵\x00é"), (None, None)])
def test_what_is_flat_is_kept(value: object, kept: object) -> None:
    """Too large to count with is a text, and a long text is cut."""
    assert event({"a": value}).data == {"a": kept}


@pytest.mark.parametrize("body, said", [
    (b"", "the body is empty"), (b"[{}]", "the body is a JSON list, expected an object"),
    (b"null", "the body is a JSON NoneType, expected an object"),
    (b'{"a":18446744073709551616}', "data.a is 1.8446744073709552e+19: expected a number within 2^53"),
    ({str(n): n for n in range(51)}, "data has 51 members: expected at most 50"),
    ({"amount": "ten", "currency": "EUR"}, "data.amount is not an amount: 'ten'"),
    ({"n" * 65: 1}, f"data has a member named '{'n' * 40}': expected 1 to 64 characters"),
    (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "the body is nested deeper than 64"),
], ids=lambda value: repr(value)[:24])
def test_a_body_that_cannot_be_counted_is_a_dead_letter_that_says_why(body: Any, said: str) -> None:
    """It is kept, and told yes."""
    assert reason(body) == said


@pytest.mark.parametrize("option", ["id", "time", "key"])
def test_a_field_nested_a_thousand_deep_breaks_nothing(option: str) -> None:
    """What cannot be shown in a sentence is not shown."""
    body = b'{"a":' + b"[" * 1_000 + b"1,2" + b"]" * 1_000 + b',"b":[{},1]}'
    assert isinstance(take(body, **{option: "a"}), Unusable)


@pytest.mark.parametrize("event_type, said", [
    ("Door", "type is 'Door': expected words of a-z, 0-9 and _ joined by points, such as page.viewed, at most 64 "
             "characters"),
    ("order.placed", "type is 'order.placed': reserved for what opsmon tells of vendors' deliveries"),
])
def test_a_type_that_cannot_be_counted_is_refused_when_it_is_set(event_type: str, said: str) -> None:
    """Not found out when the first delivery comes."""
    with pytest.raises(BadOption, match=r"^type is") as raised:
        door(type=event_type)
    assert (raised.value.name, str(raised.value)) == ("type", said)


def test_what_is_wrong_with_a_declared_source_names_its_field() -> None:
    """`opsmon check` shows the line of it."""
    tables = [{"name": "door", "kind": "json", "secrets": "a-long-token", "type": "order.placed"},
              {"name": "till", "kind": "json", "secrets": "till.example=a-long-token"},
              {"name": "bell", "kind": "standard-webhooks", "secrets": "whsec_no base64"}]
    found, problems = read_sources(tables, str)
    assert found == ()
    assert [(one.index, one.field, one.text) for one in problems] == [
        (0, "type", "type is 'order.placed': reserved for what opsmon tells of vendors' deliveries"),
        (1, "secrets", "a secret cannot be bound to a shop here: expected none of the form shop.example=secret"),
        (2, "secrets", "secrets of standard-webhooks are base64, such as whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ]


@settings(max_examples=MUTATIONS, deadline=None)
@given(data=st.data())
def test_a_delivery_is_taken_exactly_if_its_token_is_one_of_those_set(data: st.DataObject) -> None:
    """A bearer's goes before the address's; a letter more or less is another one."""
    at = data.draw(st.integers(0, len(TOKEN) - 1))
    tokens = st.sampled_from([
        TOKEN, b"another-token", b"", TOKEN.upper(), TOKEN + b"\x00", TOKEN[:at], TOKEN[:at] + b"\xff" + TOKEN[at + 1:],
        b"a-token-of-the-door,another-token"]) | st.binary(max_size=20)
    bearer, asked = data.draw(st.none() | tokens.map(bytes.strip)), data.draw(tokens)
    scheme = data.draw(st.sampled_from([b"Bearer ", b"bearer  ", b"Basic ", b"Bearer"]))
    headers = {} if bearer is None else {b"authorization": scheme + bearer}
    said = bearer if bearer and scheme.strip().lower() == b"bearer" and scheme.endswith(b" ") else asked
    good = said in (TOKEN, b"another-token")
    assert (door().verify(headers, b"{", asked) is None) is good


@pytest.mark.parametrize("token, counter", [(b"", "no_token"), (b"wrong", "bad_token")])
def test_without_the_right_token_nothing_is_read(token: bytes, counter: str) -> None:
    """A stranger learns nothing of what would be right."""
    outcome = take_delivery(door(), {}, b"{", NOW_MS, token)
    assert isinstance(outcome, Rejected) and (outcome.status, outcome.counter) == (401, counter)


def test_nobody_knows_whether_it_is_sent_again_and_so_it_is_kept() -> None:
    """A script that posts once and forgets loses nothing while the store is away."""
    assert door().is_patient is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12)
PLACES = st.sampled_from(["a", "b", "a.b", "a.b.c", ".", "a.", ""])


@given(body=st.dictionaries(st.sampled_from(["a", "b", "c", ""]), JSON), id_=PLACES, time=PLACES, key=PLACES)
def test_any_object_whatever_is_an_event_or_a_dead_letter(body: dict[str, Any], id_: str, time: str, key: str) -> None:
    """And what is an event can cross the stream."""
    outcome = take(body, id=id_, time=time, key=key)
    assert isinstance(outcome, Unusable) or (
        isinstance(outcome, Accepted) and decode(encode(outcome.event)) == outcome.event)


@given(body=st.binary(max_size=60))
def test_any_bytes_whatever_are_an_event_or_a_dead_letter(body: bytes) -> None:
    """A body may be anything."""
    assert isinstance(take(body), Accepted | Unusable)
