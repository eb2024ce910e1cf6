"""Events in opsmon's own shape: what is taken of each, and the sentence for what is not."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.events import Event
from opsmon.core.facts import VENDOR_TYPES
from opsmon.sources.base import Rejected
from opsmon.sources.json_events import MAX_COMMAS, MAX_EVENTS, RESERVED, JsonEvents, Refused, divide
from opsmon.store.event_stream import decode, encode
from tests.conftest import NOW_MS

LEAST: dict[str, Any] = {"id": "a1", "type": "page.viewed"}
READER = JsonEvents("main", ("shopify",))


def take(**said: Any) -> Event | Refused:
    """What becomes of the least event with these members."""
    return READER.take(orjson.dumps(LEAST | said), NOW_MS)


def event(**said: Any) -> Event:
    """The same, of an event that is taken."""
    taken = take(**said)
    assert isinstance(taken, Event), taken
    return taken


def why(**said: Any) -> tuple[str, str]:
    """The same, of one that is not: what it is counted as, and the reason."""
    refused = take(**said)
    assert isinstance(refused, Refused), refused
    return refused.counter, refused.reason


# --- what is taken ----------------------------------------------------------------------------------------------


def test_an_event_needs_an_id_and_a_type() -> None:
    """The rest has defaults: it happened when it arrived, to nobody in particular."""
    assert event() == Event("events:a1", "page.viewed", NOW_MS, NOW_MS, "events", "main", "", None, {})


def test_an_event_with_everything_is_taken_whole() -> None:
    """Key and id carry the source, so that two of them may use the same names."""
    said = event(source="till-2", time=NOW_MS - 5, key="visitor-7", data={"path": "/", "ms": 12})
    assert said == Event("till-2:a1", "page.viewed", NOW_MS - 5, NOW_MS, "till-2", "main", "till-2:visitor-7", None,
                         {"path": "/", "ms": 12})


def test_what_an_array_holds_is_read_as_what_a_line_says() -> None:
    """The same event in either wrapping."""
    assert READER.take(LEAST, NOW_MS) == take()


def test_a_subject_is_a_key() -> None:
    """CloudEvents call it so."""
    assert event(subject="visitor-7").key == "events:visitor-7"


def test_a_key_goes_before_a_subject() -> None:
    """Where both are said, ours is meant."""
    assert event(key="ours", subject="theirs").key == "events:ours"


@pytest.mark.parametrize("name", ["source", "time", "key", "subject", "version", "data"])
def test_null_is_as_good_as_nothing_said(name: str) -> None:
    """Many senders write every member."""
    assert event(**{name: None}) == event()


def test_other_members_are_passed_over() -> None:
    """A CloudEvent has a few more; nothing is kept of them."""
    assert event(specversion="1.0", datacontenttype="application/json", traceparent={"a": [1]}) == event()


@pytest.mark.parametrize("time, time_ms", [
    ("2026-11-20T14:03:22+01:00", NOW_MS), ("2026-11-20T13:03:22Z", NOW_MS),
    ("2026-11-20 13:03:22.5+00:00", NOW_MS + 500),
    ("2026-11-20T13:03:22.123456Z", NOW_MS + 123), ("1960-01-01T00:00:00Z", -315_619_200_000),
    (NOW_MS, NOW_MS), (100_000_000_000, 100_000_000_000), (253_402_041_600_000, 253_402_041_600_000),
])
def test_a_time_is_a_date_with_offset_or_epoch_milliseconds(time: object, time_ms: int) -> None:
    """Both end as epoch milliseconds."""
    assert event(time=time).time_ms == time_ms


@pytest.mark.parametrize("event_type", ["a.b", "page.viewed", "api.request.failed_2", "a" * 31 + "." + "b" * 32])
def test_a_type_is_words_joined_by_points(event_type: str) -> None:
    """At least two, at most 64 characters."""
    assert event(type=event_type).type == event_type


@pytest.mark.parametrize("text", ["i", "i" * 128, "ü" * 128, "🧵", "a b", "a:b", "0", "\x00", "..", "'; --"])
def test_any_text_is_an_id(text: str) -> None:
    """Nothing is made of it but a name to know it again by."""
    assert event(id=text).id == f"events:{text}"


@pytest.mark.parametrize("value", [
    "", "x" * 200, "ü" * 200, "🧵" * 200, "<b>", "\x00\n", 0, -1, 2**53, -(2**53), 0.5, -0.0, 5e-324, 1e15, True, False,
    None,
], ids=repr)
def test_flat_data_are_kept_as_they_are(value: object) -> None:
    """Texts, numbers, yes and no, and nothing."""
    kept = event(data={"value": value}).data["value"]
    assert (kept, type(kept)) == (value, type(value))


def test_fifty_members_of_data_are_taken() -> None:
    """The limit itself is still in."""
    data = {f"{n:064}": n for n in range(50)}
    assert event(data=data).data == data


def test_an_event_is_the_same_after_it_crossed_the_stream() -> None:
    """What was read is what a worker reads."""
    said = event(key="k", version=3, data={"ü": "🧵", "n": None, "f": 0.1})
    assert decode(encode(said)) == said


# --- versions ---------------------------------------------------------------------------------------------------


def test_a_version_is_ordered_by_its_number_first() -> None:
    """Whatever the data say."""
    versions = [event(key="k", version=n, data={"n": n}).version for n in (0, 1, 9, 10, 2**53)]
    assert versions == sorted(versions, key=lambda version: version or ())


def test_two_data_of_one_version_are_told_apart_the_same_way_everywhere() -> None:
    """The tie is broken by the data alone, not by who comes first (`printf '{"n":"a"}' | b2sum -l 64`)."""
    one, other = (event(id=n, key="k", version=4, data={"n": n}).version for n in "ab")
    assert (one, other) == ((4, 0, "592097d8c66298a8"), (4, 0, "34a44602252e730e"))


def test_a_version_beyond_64_bits_is_refused() -> None:
    """A JSON reader has made a float of it."""
    said = b'{"id":"a1","type":"page.viewed","key":"k","version":18446744073709551616}'
    assert READER.take(said, NOW_MS) == Refused(
        "bad_version", "version is 1.8446744073709552e+19: expected a whole number from 0 to 2^53")


def test_the_same_data_in_the_same_version_are_equal() -> None:
    """Said again under another id, it is no news."""
    assert event(id="a", key="k", version=4).version == event(id="b", key="k", version=4).version


def test_a_version_without_a_key_is_refused() -> None:
    """There is nothing it could be the newer version of."""
    assert why(version=1) == ("bad_version", "a version needs a key: of what is it the version?")


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "i" * 129, 17, 1.5, True, None, [], {}, ["a1"]], ids=repr)
def test_what_is_no_id_is_refused(value: object) -> None:
    """A number would lose its last digits on the way through someone's JavaScript."""
    counter, reason = why(id=value)
    assert (counter, reason.partition(": ")[2]) == ("bad_id", "expected a text of 1 to 128 characters")


@pytest.mark.parametrize("value", [
    "", "page", "Page.viewed", "page.", ".viewed", "page..viewed", "page viewed", "page.viewed ", "page.viewed\n",
    "1page.viewed", "päge.viewed", "page.𝟭", "a" * 32 + "." + "b" * 32, 17, None, [], {},
], ids=repr)
def test_what_is_no_type_is_refused(value: object) -> None:
    """A name that a catalogue can count by."""
    counter, reason = why(type=value)
    assert (counter, reason.partition(": ")[2]) == (
        "bad_type", "expected words of a-z, 0-9 and _ joined by points, such as page.viewed, at most 64 characters")


@pytest.mark.parametrize("event_type", sorted(RESERVED))
def test_a_type_that_opsmon_makes_itself_is_refused(event_type: str) -> None:
    """An order comes signed, from its shop: nobody with a token makes one, or counts one twice."""
    assert why(type=event_type) == (
        "reserved_type", f"type is '{event_type}': reserved for what opsmon tells of vendors' deliveries")


def test_every_type_of_a_vendor_is_reserved() -> None:
    """Those that the folding reads otherwise."""
    assert {"order.updated", "order.deleted", "refund.created", "fulfillment.updated"} <= VENDOR_TYPES < RESERVED


@pytest.mark.parametrize("value", [
    "", "2026-11-20", "2026-11-20T14:03:22", "tomorrow", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z",
    "9999-12-31T00:00:00Z", "2026-11-20T14:03:22+01:00" + " " * 20, 1_795_179_802, 0, -1, 253_402_041_600_001,
    1.795e12, True, [], {},
], ids=repr)
def test_what_is_no_time_is_refused(value: object) -> None:
    """A time without offset is of nowhere; epoch seconds, read as milliseconds, are in January 1970."""
    counter, reason = why(time=value)
    assert (counter, reason.partition(": ")[2]) == (
        "bad_time", "expected a date and time with offset, such as 2026-11-20T14:03:22+01:00, or epoch milliseconds")


@pytest.mark.parametrize("name", ["key", "subject"])
@pytest.mark.parametrize("value", ["k" * 201, 17, 0, False, [], {}], ids=repr)
def test_what_is_no_key_is_refused(name: str, value: object) -> None:
    """A text of at most 200 characters."""
    counter, reason = why(**{name: value})
    assert (counter, reason.partition(": ")[2]) == ("bad_key", "expected a text of at most 200 characters")


@pytest.mark.parametrize("value", [-1, 2**53 + 1, 2**64 - 1, 1.0, "1", True, [], {}], ids=repr)
def test_what_is_no_version_is_refused(value: object) -> None:
    """A whole number that every reader reads alike."""
    counter, reason = why(key="k", version=value)
    assert (counter, reason.partition(": ")[2]) == ("bad_version", "expected a whole number from 0 to 2^53")


@pytest.mark.parametrize("value", ["", "Till", "a" * 33, "a:b", "~customer", "/a", "ü", "a\n", 17, [], {}], ids=repr)
def test_what_is_no_source_is_refused(value: object) -> None:
    """No colon, or its keys could pass for another's."""
    counter, reason = why(source=value)
    assert (counter, reason.partition(": ")[2]) == ("bad_source", "expected 1 to 32 of a-z, 0-9 and -")


def test_the_source_of_a_vendor_is_refused() -> None:
    """Or a token would do what takes a signature: replace an order, or have a webhook taken for a duplicate."""
    assert why(source="shopify") == ("bad_source",
                                     "source is 'shopify': its events come signed, to /webhooks/shopify")


@pytest.mark.parametrize("data, said", [
    ([], "data is a list: expected an object"),
    ("{}", "data is '{}': expected an object"),
    ({"a": {}}, "data.a is an object: expected flat data, no object and no list"),
    ({"a": [1]}, "data.a is a list: expected flat data, no object and no list"),
    ({"a": "x" * 201}, f"data.a is '{'x' * 40}': expected at most 200 characters"),
    ({"a": 2**53 + 1}, "data.a is 9007199254740993: expected a number within 2^53"),
    ({"a": -(2**53) - 1}, "data.a is -9007199254740993: expected a number within 2^53"),
    ({"a": 1e300}, "data.a is 1e+300: expected a number within 2^53"),
    ({"": 1}, "data has a member named '': expected 1 to 64 characters"),
    ({"n" * 65: 1}, f"data has a member named '{'n' * 40}': expected 1 to 64 characters"),
    ({str(n): n for n in range(51)}, "data has 51 members: expected at most 50"),
    ({"amount": "ten", "currency": "EUR"}, "data.amount is not an amount: 'ten'"),
    ({"amount": True, "currency": "EUR"}, "data.amount is not an amount: True"),
    ({"amount": "1e20", "currency": "EUR"}, "data.amount is amount out of range: '1e20'"),
], ids=lambda value: repr(value)[:30])
def test_data_that_cannot_be_counted_are_refused(data: object, said: str) -> None:
    """Told at the door, not found out by a worker."""
    assert why(data=data) == ("bad_data", said)


@pytest.mark.parametrize("data", [
    {"amount": "12.50", "currency": "EUR"}, {"amount": 12, "currency": "JPY"}, {"amount": None, "currency": "EUR"},
    {"amount": "ten"}, {"amount": "ten", "currency": "euro"},
])
def test_an_amount_is_money_only_with_a_currency(data: dict[str, Any]) -> None:
    """Else it is a word like any other."""
    assert event(data=data).data == data


@pytest.mark.parametrize("piece, said", [
    (b"17", "the event is 17: expected an object"), (b'"a"', "the event is 'a': expected an object"),
    (b"null", "the event is null: expected an object"), (b"[]", "the event is a list: expected an object"),
    ([LEAST], "the event is a list: expected an object"),
], ids=repr)
def test_what_is_no_object_is_no_event(piece: object, said: str) -> None:
    """In a line or in an array."""
    assert READER.take(piece, NOW_MS) == Refused("not_object", said)


@pytest.mark.parametrize("line", [
    b"{", b"id=17", b"\xff\xfe", b'{"a":NaN}', b'{"a":1e999}', b'{"a":"\\ud800"}', b"[" * 100_000,
    b'{"id":"a"} {"id":"b"}', b"\xef\xbb\xbf{}",
], ids=lambda line: repr(line[:20]))
def test_a_line_that_is_not_json_is_refused(line: bytes) -> None:
    """However it is broken, and however deep."""
    refused = READER.take(line, NOW_MS)
    assert isinstance(refused, Refused)
    assert (refused.counter, refused.reason[:10]) == ("not_json", "not JSON: ")


def test_a_reason_is_short_however_long_the_value_is() -> None:
    """It goes back by the thousand."""
    _, reason = why(id="x" * 1_000_000)
    assert len(reason) < 120


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12)
NAMES = st.sampled_from(["id", "type", "time", "key", "subject", "version", "data", "source", "other"])


@given(said=st.dictionaries(NAMES, JSON))
def test_any_json_whatever_is_an_event_or_a_sentence(said: dict[str, Any]) -> None:
    """And what is an event can cross the stream."""
    taken = READER.take(orjson.dumps(said), NOW_MS)
    assert isinstance(taken, Refused) or decode(encode(taken)) == taken


@given(data=st.dictionaries(st.text(max_size=4), JSON), version=st.none() | st.integers(0, 99))
def test_any_data_whatever_is_kept_as_it_is_or_refused(data: dict[str, Any], version: int | None) -> None:
    """Nothing is cut and nothing is rounded."""
    taken = take(data=data, key="k", version=version)
    assert taken.counter == "bad_data" if isinstance(taken, Refused) else taken.data == data


@given(line=st.binary(max_size=60))
def test_any_bytes_whatever_are_an_event_or_a_sentence(line: bytes) -> None:
    """A line may be anything."""
    assert isinstance(READER.take(line, NOW_MS), Event | Refused)


# --- how a body is divided --------------------------------------------------------------------------------------


def pieces(body: bytes, *, is_lines: bool = False) -> Any:
    """The pieces, or the status of why there are none."""
    found = divide(body, is_lines=is_lines)
    return found.status if isinstance(found, Rejected) else found


@pytest.mark.parametrize("body, found", [
    (b'{"a":1}', [b'{"a":1}']),
    (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
    (b'{"a":1}\r\n\r\n{"b":2}', [b'{"a":1}\r', b'{"b":2}']),
    (b'\n \n{"a":1}\n\n', [b'{"a":1}']),
    (b'{\n  "a": 1\n}\n', [b'{\n  "a": 1\n}\n']),
    (b'[{"a":1},{"b":2}]', [{"a": 1}, {"b": 2}]),
    (b' \n[\n{"a":1},\n17\n]\n', [{"a": 1}, 17]),
    (b"[]", []),
    (b'{"a":1}\nrubbish\n[2]', [b'{"a":1}', b"rubbish", b"[2]"]),
    (b"id=17&type=a.b", [b"id=17&type=a.b"]),
], ids=repr)
def test_a_body_is_lines_an_array_or_one_object(body: bytes, found: list[Any]) -> None:
    """Blank lines do not count."""
    assert pieces(body) == found


def test_a_first_line_that_is_a_list_is_a_line_where_lines_were_announced() -> None:
    """One bad line does not spoil the others."""
    assert pieces(b'[17\n{"a":1}', is_lines=True) == [b"[17", b'{"a":1}']


@pytest.mark.parametrize("body", [b"", b" ", b"\n\r\n\t"])
def test_an_empty_body_is_a_400(body: bytes) -> None:
    """Something went wrong before it was sent."""
    assert pieces(body) == 400


@pytest.mark.parametrize("body, said", [
    (b"[", "The body begins as a JSON array and is none, line 1: unexpected end of data.\n"),
    (b'[{"a":1},\n{"b":2},\n{"c"}]',
     "The body begins as a JSON array and is none, line 3: unexpected character, expected ':' after key.\n"),
    (b"[1]\n[2]", "The body begins as a JSON array and is none, line 2: unexpected content after document.\n"),
], ids=repr)
def test_an_array_that_breaks_off_is_a_400_that_names_the_line(body: bytes, said: str) -> None:
    """Nothing of it is taken: where an element ends is not known any more."""
    assert divide(body, is_lines=False) == Rejected(400, said, "bad_body")


@pytest.mark.parametrize("body", [
    b"{}\n" * (MAX_EVENTS + 1), b"[" + b"{}," * MAX_EVENTS + b"{}]", b"\n" * (2 * MAX_EVENTS) + b"\n{}",
    b"[" + b"[]," * (MAX_COMMAS + 1) + b"[]]", b'{"a":[' + b"0," * (MAX_COMMAS + 1) + b"0]}",
], ids=["lines", "an array", "blank lines", "a million lists", "a million numbers in one event"])
def test_too_many_are_a_413(body: bytes) -> None:
    """Nothing of them is taken."""
    assert pieces(body) == 413


@pytest.mark.parametrize("body", [
    b"{}\n" * MAX_EVENTS, b"{}\n\n" * MAX_EVENTS, b"[" + b"{}," * (MAX_EVENTS - 1) + b"{}]",
], ids=["lines", "lines with blank ones between", "an array"])
def test_ten_thousand_are_not_too_many(body: bytes) -> None:
    """The limit itself is still in."""
    assert len(pieces(body)) == MAX_EVENTS


@given(body=st.binary(max_size=80) | st.text(alphabet='[]{},:"1\n \\', max_size=40).map(str.encode),
       is_lines=st.booleans())
def test_any_body_whatever_is_divided_or_rejected(body: bytes, is_lines: bool) -> None:
    """Never an exception; nothing but a 400 or 413 is said of it."""
    found = pieces(body, is_lines=is_lines)
    assert isinstance(found, list) or found in (400, 413)
