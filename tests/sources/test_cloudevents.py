"""CloudEvents: three modes and a handshake, by a token; one bad event of a batch does not spoil the others."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.events import Event
from opsmon.sources.base import Accepted, Answered, Many, Outcome, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.base import take as take_delivery
from opsmon.sources.cloudevents import MAX_EVENTS, RATE, CloudEvents
from opsmon.store.event_stream import decode, encode
from tests.conftest import NOW_MS

TOKEN = b"a-token-of-the-bus"
STRUCTURED, BATCH = b"application/cloudevents+json", b"application/cloudevents-batch+json"
LEAST = {"specversion": "1.0", "id": "A-1", "source": "/lines/3", "type": "line.stopped"}
NOT_JSON = "the data are 'text/plain': expected application/json"


def door(*tokens: bytes, **options: str) -> CloudEvents:
    """The adapter with these tokens, or with the one of the tests."""
    return CloudEvents(SourceSettings("bus", "cloudevents", tuple(map(Secret, tokens or (TOKEN,))), options), "main")


def take(body: bytes, kind: bytes = STRUCTURED, **others: bytes) -> Outcome:
    """What becomes of a body that comes with the token; `others` are ce- headers."""
    headers = {b"authorization": b"Bearer " + TOKEN, b"content-type": kind}
    headers |= {b"ce-" + name.encode(): value for name, value in others.items()}
    return take_delivery(door(), headers, body, NOW_MS)


def structured(**more: Any) -> Outcome:
    """What becomes of one event whose attributes and data are one body."""
    return take(orjson.dumps(LEAST | more))


def binary(body: bytes = b"", kind: bytes = b"application/json", **more: bytes) -> Outcome:
    """What becomes of one event whose attributes are headers."""
    return take(body, kind, **({name: value.encode() for name, value in LEAST.items()} | more))


def event(outcome: Outcome) -> Event:
    """The event of what is good."""
    assert isinstance(outcome, Accepted), outcome
    return outcome.event


def reason(outcome: Outcome) -> str:
    """Why it is a dead letter."""
    assert isinstance(outcome, Unusable), outcome
    return outcome.reason


# --- who may send -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers, token", [
    ({b"authorization": b"Bearer " + TOKEN}, b""), ({b"authorization": b"bearer  " + TOKEN}, b""), ({}, TOKEN),
    ({b"authorization": b"Basic abc"}, TOKEN), ({b"authorization": b"Bearer " + TOKEN}, b"another"),
], ids=repr)
def test_the_token_is_a_bearers_or_in_the_address(headers: dict[bytes, bytes], token: bytes) -> None:
    """As the sender can; what is in the header counts first."""
    assert door().verify(headers, b"", token) is None


@pytest.mark.parametrize("headers, token, counter", [
    ({}, b"", "no_token"), ({b"authorization": b"Bearer"}, b"", "no_token"), ({b"authorization": b"Basic x"}, b"",
                                                                              "no_token"),
    ({}, TOKEN + b" ", "bad_token"), ({}, TOKEN[:-1], "bad_token"), ({}, TOKEN.upper(), "bad_token"),
    ({b"authorization": b"Bearer another"}, TOKEN, "bad_token"), ({b"authorization": b"Bearer \xe9"}, b"", "bad_token"),
], ids=repr)
def test_without_the_right_token_nothing_is_read(headers: dict[bytes, bytes], token: bytes, counter: str) -> None:
    """The answer says what is missing, and never what would be right."""
    outcome = take_delivery(door(), headers, b"{", NOW_MS, token)
    assert isinstance(outcome, Rejected) and (outcome.status, outcome.counter) == (401, counter)


def test_while_tokens_change_both_are_good() -> None:
    """The old one until every sender has the new one."""
    assert [door(b"the-old-one", b"the-new-one").verify({}, b"", token) for token in (b"the-old-one", b"the-new-one")
            ] == [None, None]


def test_without_any_token_the_answer_says_where_to_put_one() -> None:
    """The first thing one meets when setting up."""
    nobody = CloudEvents(SourceSettings("bus", "cloudevents"), "main")
    assert nobody.verify({}, b"", b"x") == Rejected(
        401, "No token is set: put one into secrets of the source bus.\n", "no_secret")


# --- the handshake ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked, allowed", [
    (b"", b"%d" % RATE), (b"120", b"120"), (b"999999999", b"%d" % RATE), (b"0", b"%d" % RATE), (b"*", b"%d" % RATE),
    ("١".encode(), b"%d" % RATE), (b"1" * 5_000, b"%d" % RATE), (b"-3", b"%d" % RATE),
], ids=lambda value: repr(value)[:12])
def test_a_sender_that_asks_is_told_how_often(asked: bytes, allowed: bytes) -> None:
    """Not more than it asked for."""
    headers = {b"webhook-request-origin": b"bus.example.org", b"webhook-request-rate": asked}
    assert door().greet(headers) == Answered(200, "handshake", headers=(
        (b"allow", b"POST"), (b"webhook-allowed-origin", b"bus.example.org"), (b"webhook-allowed-rate", allowed)))


@pytest.mark.parametrize("origin", [b"", b"a b", b"a\r\nset-cookie: x", b"\xe9", b"a" * 256], ids=lambda o: repr(o)[:9])
def test_a_sender_without_a_name_is_refused(origin: bytes) -> None:
    """And its name is written back only if it is one."""
    assert door().greet({b"webhook-request-origin": origin}) == Rejected(
        400, "WebHook-Request-Origin is needed, the host name of the sender.\n", "bad_headers")


@pytest.mark.parametrize("origin, status", [(b"Bus.example.org", 200), (b"two.example", 200), (b"three.example", 403)])
def test_a_site_may_say_who_may_ask(origin: bytes, status: int) -> None:
    """Then nobody else is encouraged."""
    answer = door(origins="bus.example.org, two.example").greet({b"webhook-request-origin": origin})
    assert answer.status == status


# --- the three modes --------------------------------------------------------------------------------------------


def test_a_structured_event_is_one_body() -> None:
    """Attributes and data together; nested data are left out."""
    made = event(structured(time="2026-11-20T14:03:20+01:00", subject="belt-7", data={"s": 4, "by": "Mara", "x": [1]},
                            datacontenttype="application/json", comexampleextension=7))
    assert made[1:] == ("line.stopped", 1_795_179_800_000, NOW_MS, "bus", "main", "bus:belt-7", None,
                        {"s": 4, "by": "Mara"})


def test_a_binary_event_has_its_attributes_as_headers() -> None:
    """And is the very same event."""
    assert event(binary(b'{"s":4,"by":"Mara","x":[1]}', time=b"2026-11-20T14:03:20+01:00", subject=b"belt-7")) == event(
        structured(time="2026-11-20T14:03:20+01:00", subject="belt-7", data={"s": 4, "by": "Mara", "x": [1]}))


def test_a_batch_is_many_events() -> None:
    """All or none of them are stored, in one call."""
    outcome = take(orjson.dumps([LEAST, LEAST | {"id": "A-2", "data": {"s": 1}}]), BATCH)
    assert isinstance(outcome, Many)
    assert outcome.outcomes == (structured(), structured(id="A-2", data={"s": 1}))


def test_one_bad_event_of_a_batch_is_a_dead_letter_and_the_others_are_taken() -> None:
    """Its bytes are kept as they came, with every digit."""
    bad = b'{ "specversion": "1.0", "id": 18446744073709551616, "type": "line.stopped" }'
    outcome = take(b"[" + orjson.dumps(LEAST) + b" , " + bad + b" ]\n", BATCH)
    assert isinstance(outcome, Many)
    good, dead = outcome.outcomes
    assert good == structured()
    assert isinstance(dead, Unusable)
    assert (dead.body, dead.reason, dead.headers) == (
        bad, "source is missing: expected a text of 1 to 2000 characters", {"content-type": STRUCTURED.decode()})


@pytest.mark.parametrize("piece", [b"17", b"null", b'"a"', b"[]", b"{}", b"NaN", b'{"a":1e999}', b'{"a":"\\ud800"}',
                                   b"1" * 5_000, b"[" * 900 + b"]" * 900, b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"],
                         ids=lambda piece: repr(piece)[:12])
def test_whatever_is_between_two_events_does_not_spoil_them(piece: bytes) -> None:
    """Numbers, nothing, depth, what is no JSON: dead letters, each by itself."""
    least = orjson.dumps(LEAST)
    outcome = take(b"[" + least + b"," + piece + b"," + least.replace(b"A-1", b"A-2") + b"]", BATCH)
    assert isinstance(outcome, Many)
    assert [type(one) for one in outcome.outcomes] == [Accepted, Unusable, Accepted]


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[{}", b"[{},", b"[{},]", b"[,]", b"[{}]]", b"[{}] x", b"[{} {}]",
                                  b"\xff", b"[\xff]", b"17", b"[" * 100_000, b"[" * 5_000 + b"]" * 5_000, b"[] []"],
                         ids=lambda body: repr(body)[:12])
def test_a_batch_that_is_no_array_is_one_dead_letter(body: bytes) -> None:
    """Where one event ends and the next begins is not known."""
    outcome = take(body, BATCH)
    assert isinstance(outcome, Unusable)
    assert (outcome.body, outcome.headers, outcome.reason.partition(":")[0]) == (
        body, {"content-type": BATCH.decode()}, "the body is no JSON array")


def test_an_empty_batch_is_told_yes() -> None:
    """There was nothing to send, and it was sent."""
    assert take(b" [ ] ", BATCH) == Answered(200, "empty")


@pytest.mark.parametrize("count, good", [(MAX_EVENTS, True), (MAX_EVENTS + 1, False), (90_000, False)])
def test_a_thousand_events_are_a_batch_and_more_are_refused(count: int, good: bool) -> None:
    """Before they are read."""
    outcome = take(b"[" + b",".join([b"{}"] * count) + b"]", BATCH)
    assert isinstance(outcome, Many) if good else outcome == Rejected(
        413, "The batch has over the limit of 1000 events.\n", "too_many")


@pytest.mark.parametrize("kind", [
    b"application/cloudevents+json; charset=utf-8", b"Application/CloudEvents+JSON", b" application/cloudevents+json ;",
])
def test_a_mode_is_told_by_the_content_type_however_it_is_written(kind: bytes) -> None:
    """Letter case and charset do not matter."""
    assert isinstance(take(orjson.dumps(LEAST), kind), Accepted)


@pytest.mark.parametrize("kind", [
    b"", b"application/json", b"text/plain", b"application/cloudevents+xml", b"application/cloudevents",
    b"application/x-www-form-urlencoded", b"\xff"])
def test_where_the_mode_cannot_be_told_it_is_a_415(kind: bytes) -> None:
    """The answer names those that are read."""
    assert take(orjson.dumps(LEAST), kind) == Rejected(
        415, "This is no CloudEvent that is read here: expected application/cloudevents+json, "
             "application/cloudevents-batch+json, or ce- headers and JSON.\n", "content_type")


def test_a_format_that_is_not_read_is_a_415_in_spite_of_ce_headers() -> None:
    """A structured event in Avro is none in headers."""
    outcome = binary(kind=b"application/cloudevents+avro")
    assert isinstance(outcome, Rejected) and outcome.status == 415


# --- attributes -------------------------------------------------------------------------------------------------


def test_source_and_id_together_are_the_identity() -> None:
    """Two sources may number alike, and no two pairs look like one."""
    pairs = [("a", "b"), ("a", "c"), ("d", "b"), ("a:b", "c"), ("a", "b:c"), ("a/b", "c"), ("a:", "b")]
    seen = {outcome.seen for source, id_ in pairs
            if isinstance(outcome := structured(source=source, id=id_), Accepted)}
    assert len(seen) == len(pairs)


def test_an_event_known_in_one_mode_is_known_in_every_mode() -> None:
    """A bridge may turn one into the other."""
    alone, batched = binary(), take(orjson.dumps([LEAST]), BATCH)
    assert isinstance(alone, Accepted) and isinstance(batched, Many)
    assert batched.outcomes[0].seen == alone.seen


@pytest.mark.parametrize("header, text", [
    (b"belt-7", "belt-7"), (b"Stra%C3%9Fe%207", "Straße 7"), (b"100%", "100%"), (b"%zz", "%zz"),
    ("Straße".encode(), "Straße"), (b'"belt \\"7\\" \\\\"', 'belt "7" \\'), (b'"', '"'), (b"%22belt%22", '"belt"'),
    (b"%F0%9F%A7%B5", "🧵"), (b'""', ""),
])
def test_headers_are_percent_encoded(header: bytes, text: str) -> None:
    """And perhaps quoted."""
    assert event(binary(subject=header)).key == (f"bus:{text}" if text else "")


@pytest.mark.parametrize("header", [b"%FF", b"\xff", b"%C3", b"%ED%A0%80"])
def test_a_header_that_is_no_utf8_is_a_dead_letter(header: bytes) -> None:
    """Half a letter is none."""
    assert reason(binary(subject=header)) == "ce-subject is not UTF-8, percent-encoded"


@pytest.mark.parametrize("more, said", [
    ({"specversion": "0.3"}, "specversion is '0.3': expected '1.0'"),
    ({"specversion": None}, "specversion is missing: expected '1.0'"),
    ({"id": ""}, "id is '': expected a text of 1 to 100 characters"),
    ({"id": 7}, "id is 7: expected a text of 1 to 100 characters"),
    ({"id": "x" * 101}, f"id is '{'x' * 39}: expected a text of 1 to 100 characters"),
    ({"source": None}, "source is missing: expected a text of 1 to 2000 characters"),
    ({"type": None}, "type is missing: expected words of a-z, 0-9 and _ joined by points, such as page.viewed, at most "
                     "64 characters"),
    ({"type": "order.updated"}, "type is 'order.updated': reserved for what opsmon tells of vendors' deliveries"),
    ({"time": "2026-11-20"}, "time is '2026-11-20': expected a date and time with offset, such as "
                             "2026-11-20T14:03:22+01:00, or epoch milliseconds"),
    ({"subject": "x" * 201}, f"key is '{'x' * 40}': expected a text of at most 200 characters"),
    ({"data": [1]}, "data is a list: expected an object"), ({"data": "x"}, "data is 'x': expected an object"),
    ({"data_base64": "aGk="}, "data_base64 is not read: expected data, a JSON object"),
    ({"data": {"x": 1e300}}, "data.x is 1e+300: expected a number within 2^53"),
    ({"data": "hi", "datacontenttype": "text/plain"}, NOT_JSON),
    ({"data": {}, "datacontenttype": 7}, "the data are 7: expected application/json"),
], ids=lambda value: repr(value)[:34])
def test_an_event_that_cannot_be_understood_is_a_dead_letter_that_says_why(more: dict[str, Any], said: str) -> None:
    """It can be mended and sent again with the same id."""
    outcome = structured(**more)
    assert reason(outcome) == said
    assert isinstance(outcome, Unusable) and outcome.seen.startswith("bus:sha256:")


@pytest.mark.parametrize("body, kind, said", [
    (b"hello", b"text/plain", NOT_JSON), (b"<a/>", b"application/xml",
                                          "the data are 'application/xml': expected application/json"),
    (b"[1]", b"application/json", "the data are no JSON object"), (b"17", b"", "the data are no JSON object"),
    (b"\x00\x01", b"application/octet-stream", "the data are 'application/octet-stream': expected application/json"),
])
def test_data_that_are_no_json_object_are_refused(body: bytes, kind: bytes, said: str) -> None:
    """A picture cannot be counted."""
    assert reason(binary(body, kind)) == said


@pytest.mark.parametrize("kind", [b"application/json; charset=utf-8", b"application/vnd.belt+json", b"text/json", b""])
def test_json_has_many_names(kind: bytes) -> None:
    """And none: then it is taken for JSON."""
    assert event(binary(b'{"s":4}', kind)).data == {"s": 4}


@pytest.mark.parametrize("kind", [b"application/json", b"text/plain", b""])
def test_an_event_without_data_counts_all_the_same(kind: bytes) -> None:
    """Type and time are all that is needed."""
    assert event(binary(b"", kind)).data == {}


def test_a_binary_dead_letter_keeps_the_headers_it_is_read_again_by() -> None:
    """And no token among them."""
    outcome = binary(b"[1]", subject=b"Stra%C3%9Fe")
    assert isinstance(outcome, Unusable)
    again = {name.encode(): value.encode("latin-1") for name, value in outcome.headers.items()}
    assert event(door().read(again, b'{"s":1}', NOW_MS)) == event(binary(b'{"s":1}', subject=b"Stra%C3%9Fe"))
    assert TOKEN.decode() not in str(outcome.headers)


def test_ids_of_any_number_of_digits_are_texts_and_stay_whole() -> None:
    """CloudEvents' ids are texts; those in the data are kept with every digit."""
    made = event(structured(id="9007199254740993", data={"order": 2**53 + 1, "big": 2**63}))
    assert (made.id.rpartition(":")[2], made.data) == (
        "9007199254740993", {"order": "9007199254740993", "big": "9223372036854775808"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12)
NAMES = st.sampled_from([*LEAST, "time", "subject", "datacontenttype", "data", "data_base64", "other"])


@given(batch=st.lists(st.dictionaries(NAMES, JSON).map(lambda more: LEAST | more) | JSON, max_size=4))
def test_any_batch_whatever_is_events_and_dead_letters(batch: list[Any]) -> None:
    """One for each, and what is an event can cross the stream."""
    outcome = take(orjson.dumps(batch), BATCH)
    found = outcome.outcomes if isinstance(outcome, Many) else ()
    assert len(found) == len(batch)
    for one in found:
        assert isinstance(one, Unusable) or (isinstance(one, Accepted) and decode(encode(one.event)) == one.event)


@given(body=st.binary(max_size=60), kind=st.sampled_from([STRUCTURED, BATCH, b"application/json", b""]),
       headers=st.dictionaries(st.sampled_from(["id", "source", "type", "time", "subject", "specversion"]),
                               st.binary(max_size=20)))
def test_any_delivery_whatever_is_answered(body: bytes, kind: bytes, headers: dict[str, bytes]) -> None:
    """Nothing raises."""
    assert isinstance(take(body, kind, **headers), Accepted | Unusable | Many | Answered | Rejected)
    assert isinstance(binary(body, kind, **headers), Accepted | Unusable | Many | Answered | Rejected)
