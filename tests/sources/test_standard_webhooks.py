"""Standard Webhooks: the published vectors, one way to write a signature, and what becomes of the body."""

import hmac
import os
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmon.core.events import Event, EventId
from opsmon.sources.base import Accepted, Outcome, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.base import take as take_delivery
from opsmon.sources.standard_webhooks import MAX_SIGNATURES, StandardWebhooks
from opsmon.store.event_stream import decode, encode
from tests.conftest import NOW_MS

MUTATIONS = 10_000 if os.environ.get("CI") else 500
KEY = b"a key of 24 bytes, no 25"
SECRET = b"whsec_" + b64encode(KEY)
NOW_S = NOW_MS // 1000
BODY = b'{"type":"invoice.paid","timestamp":"2026-11-20T13:03:20Z","data":{"number":"I-7","lines":[1],"total":3}}'


def door(*secrets: bytes) -> StandardWebhooks:
    """The adapter with these secrets, or with the one of the tests."""
    return StandardWebhooks(SourceSettings("billing", "standard-webhooks", tuple(map(Secret, secrets or (SECRET,)))),
                            "main")


def signature(body: bytes, webhook_id: bytes = b"msg_1", seconds: bytes = b"%d" % NOW_S, key: bytes = KEY) -> bytes:
    """One signature, version 1."""
    return b"v1," + b64encode(hmac.digest(key, b"%b.%b.%b" % (webhook_id, seconds, body), "sha256"))


def signed(body: bytes, **others: bytes) -> dict[bytes, bytes]:
    """The headers of a body; `others` replace some of them."""
    usual = {"id": b"msg_1", "timestamp": b"%d" % NOW_S} | others
    usual.setdefault("signature", signature(body, usual["id"], usual["timestamp"]))
    return {f"webhook-{name}".encode(): value for name, value in usual.items()}


def take(body: bytes = BODY, **headers: bytes) -> Outcome:
    """What becomes of a signed body."""
    return take_delivery(door(), signed(body, **headers), body, NOW_MS)


def event(**body: Any) -> Event:
    """The event of a signed body that is good."""
    outcome = take(orjson.dumps(body))
    assert isinstance(outcome, Accepted), outcome
    return outcome.event


def refusal(outcome: Outcome | None) -> tuple[int, str] | None:
    """Status and counter of what was refused."""
    return (outcome.status, outcome.counter) if isinstance(outcome, Rejected) else None


# --- who may send -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret, webhook_id, seconds, body, signed_as", [
    (b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b"msg_p5jXN8AQM9LWM0D4loKWxJek", b"1614265330",
     b'{"test": 2432232314}', b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    (b"whsec_plJ3nmyCDGBKInavdOK15jsl", b"msg_loFOjxBNrRLzqYUf", b"1731705121",
     b'{"event_type":"ping","data":{"success":true}}', b"v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="),
])
def test_the_published_vectors_are_verified(secret: bytes, webhook_id: bytes, seconds: bytes, body: bytes,
                                            signed_as: bytes) -> None:
    """Of the specification's libraries, and of Svix's manual."""
    headers = {b"webhook-id": webhook_id, b"webhook-timestamp": seconds, b"webhook-signature": signed_as}
    assert door(secret).verify(headers, body) is None
    assert refusal(door(secret).verify(headers, body + b" ")) == (401, "bad_signature")


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix(b"whsec_"), SECRET.rstrip(b"=")])
def test_a_secret_is_written_with_or_without_its_mark_and_its_padding(secret: bytes) -> None:
    """As it is copied."""
    assert door(secret).verify(signed(BODY), BODY) is None


@pytest.mark.parametrize("length", range(1, 8))
def test_a_key_of_any_length_is_padded_again(length: int) -> None:
    """Base64 without its = is as good."""
    key = KEY[:length]
    secret = b"whsec_" + b64encode(key).rstrip(b"=")
    assert door(secret).verify(signed(BODY, signature=signature(BODY, key=key)), BODY) is None


@pytest.mark.parametrize("secret", [b"whsec_", b"whsec_not base64", b"whsec_abc-def_", b"whsec_\xe9", b"A"])
def test_a_secret_that_is_no_base64_is_refused_when_it_is_set(secret: bytes) -> None:
    """Not found out when the first delivery fails."""
    with pytest.raises(ValueError, match=r"secrets of standard-webhooks are base64, such as whsec_\w+"):
        door(secret)


MALFORMED = {
    "no comma": lambda right: right.replace(b",", b""),
    "two commas": lambda right: right.replace(b",", b",,"),
    "a comma more": lambda right: right + b",x",
    "bad padding": lambda right: right.rstrip(b"="),
    "more padding": lambda right: right + b"=",
    "non-ASCII": lambda right: right[:9] + b"\xc3\xa9" + right[9:],
    "double space": lambda right: right + b"  " + right,
    "tab": lambda right: right + b"\t" + right,
    "a space before": lambda right: b" " + right,
    "a space after": lambda right: right + b" ",
    "junk in base64": lambda right: right[:9] + b"!" + right[9:],
    "other spare bits": lambda right: right[:-2] + bytes([right[-2] + 1]) + b"=",
    "url-safe base64": lambda right: b"v1," + b"-_" + right[5:],
    "nothing": lambda right: b"v1,",
    "version 2 only": lambda right: b"v2" + right[2:],
    "asymmetric only": lambda right: b"v1a" + right[2:],
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED)
def test_a_signature_written_in_another_way_is_a_401(change: Any) -> None:
    """The reference verifier stumbles over six of these."""
    assert refusal(take(signature=change(signature(BODY)))) == (401, "bad_signature")


def test_a_body_that_is_no_utf8_is_a_401() -> None:
    """The seventh: a text is signed, so what is no text was not."""
    assert refusal(take(b'{"type":"a.b","data":{"x":"\xff"}}')) == (401, "bad_signature")


@pytest.mark.parametrize("seconds", [
    b"123_456", "١٦١٤".encode(), b".4", b" 1614265330", b"1614265330 ", b"1614265330.0", b"-1", b"+1614265330",
    b"1e9", b"0x10", b"9" * 13, b"1614265330\n", b"nan",
], ids=repr)
def test_a_timestamp_is_whole_seconds_in_digits(seconds: bytes) -> None:
    """However rightly it is signed."""
    assert refusal(take(timestamp=seconds)) == (401, "bad_signature")


@pytest.mark.parametrize("webhook_id", [b"a b", b"a\tb", b"\xe9", b"a" * 129, b"a\x00"], ids=lambda v: repr(v)[:9])
def test_an_id_is_a_short_ascii_text(webhook_id: bytes) -> None:
    """However rightly it is signed."""
    assert refusal(take(id=webhook_id)) == (401, "bad_signature")


@pytest.mark.parametrize("missing", ["id", "timestamp", "signature"])
def test_each_of_the_three_headers_is_needed(missing: str) -> None:
    """Without one of them nothing is signed."""
    headers = signed(BODY)
    del headers[f"webhook-{missing}".encode()]
    assert take_delivery(door(), headers, BODY, NOW_MS) == Rejected(
        401, "webhook-id, webhook-timestamp and webhook-signature are needed.\n", "unsigned")


def test_one_of_several_signatures_is_enough() -> None:
    """While the sender changes its secret it signs with both; signatures of other kinds are passed over."""
    others = signature(BODY, key=b"another") + b" v1a,AAAA v2,whatever "
    assert isinstance(take(signature=others + signature(BODY)), Accepted)


@pytest.mark.parametrize("secret", [b"whsec_" + b64encode(b"the old key"), SECRET])
def test_one_of_several_secrets_is_enough(secret: bytes) -> None:
    """While opsmon is told of a new secret it has both."""
    both = door(b"whsec_" + b64encode(b"the old key"), SECRET)
    key = b"the old key" if secret != SECRET else KEY
    assert both.verify(signed(BODY, signature=signature(BODY, key=key)), BODY) is None


@pytest.mark.parametrize("before, good", [(MAX_SIGNATURES - 1, True), (MAX_SIGNATURES, False), (100_000, False)])
def test_ten_signatures_are_looked_at_and_no_more(before: int, good: bool) -> None:
    """A header of a mile is not worked through."""
    outcome = take(signature=b"v1a,AAAA " * before + signature(BODY))
    assert isinstance(outcome, Accepted) is good


def test_without_any_secret_the_answer_says_where_to_put_one() -> None:
    """The first thing one meets when setting up."""
    nobody = StandardWebhooks(SourceSettings("billing", "standard-webhooks"), "main")
    assert take_delivery(nobody, signed(BODY), BODY, NOW_MS) == Rejected(
        401, "No secret is set: put one into secrets of the source billing.\n", "no_secret")


def test_a_wrong_signature_is_refused_with_the_likely_cause() -> None:
    """Each endpoint has a secret of its own."""
    assert take(signature=signature(BODY, key=b"another")) == Rejected(
        401, "The signature matches no secret: it was made with that of another endpoint, or something on the way "
             "changed the body.\n", "bad_signature")


@pytest.mark.parametrize("off_s, good", [(-300, True), (-301, False), (300, True), (301, False), (-10**9, False)])
def test_a_delivery_is_good_for_five_minutes(off_s: int, good: bool) -> None:
    """Whoever recorded one cannot play it next week."""
    outcome = take(timestamp=b"%d" % (NOW_S + off_s))
    assert (isinstance(outcome, Accepted), refusal(outcome)) == (good, None if good else (401, "stale"))


@settings(max_examples=MUTATIONS, deadline=None)
@given(body=st.binary(min_size=1, max_size=40), data=st.data())
def test_a_delivery_is_signed_exactly_if_a_strict_oracle_says_so(body: bytes, data: st.DataObject) -> None:
    """The oracle: written down by other means, and shorter."""
    right = signature(body)
    at = data.draw(st.integers(0, len(right) - 1))
    one = st.sampled_from([
        right, right.lower(), right[:-1], right + b"=", b"v1a,AAAA", b"v2,x", b"", right.replace(b",", b""),
        right[:at] + b"\xff" + right[at + 1:], right[:at] + b" " + right[at:], right[:at] + b"\t" + right[at:],
        signature(body, key=b"another"), right[:-2] + b"B=", b"v1," + right, b"v1 ," + right[3:],
    ]) | st.binary(max_size=60)
    given_ = b" ".join(data.draw(st.lists(one, min_size=1, max_size=12)))
    webhook_id = data.draw(st.sampled_from([b"msg_1"] * 8 + [b"msg_2", b"", b"msg 1", b"msg_1.1"]))
    seconds = data.draw(st.sampled_from([b"%d" % NOW_S] * 8 + [b"", b"1_0", b"%d" % (NOW_S + 1), b"0%d" % NOW_S]))
    headers = {b"webhook-id": webhook_id, b"webhook-timestamp": seconds, b"webhook-signature": given_}
    assert (door().verify(headers, body) is None) is oracle(webhook_id, seconds, given_, body)


def oracle(webhook_id: bytes, seconds: bytes, given_: bytes, body: bytes) -> bool:
    """Whether a delivery is signed, with nothing forgiven."""
    try:
        parts = given_.decode("ascii").split(" ")
        text = body.decode("utf-8")
        names = webhook_id.decode("ascii"), seconds.decode("ascii")
    except UnicodeDecodeError:
        return False
    if len(parts) > 10 or not all(re.fullmatch(r"v1,[A-Za-z0-9+/]{43}=|(?!v1,)[A-Za-z0-9]+,.+", part, re.DOTALL)
                                  for part in parts):
        return False
    if not re.fullmatch(r"[!-~]{1,128}", names[0]) or not re.fullmatch(r"[0-9]{1,12}", names[1]):
        return False
    expected = b64encode(hmac.new(KEY, f"{names[0]}.{names[1]}.{text}".encode(), sha256).digest()).decode()
    return f"v1,{expected}" in parts


# --- what is said -----------------------------------------------------------------------------------------------


def test_a_body_becomes_an_event_of_its_type() -> None:
    """Nested members are left out: what is flat can be counted."""
    assert take() == Accepted("billing:msg_1", Event(
        EventId("billing:msg_1"), "invoice.paid", 1_795_179_800_000, NOW_MS, "billing", "main", "", None,
        {"number": "I-7", "total": 3}))


def test_the_same_message_sent_again_is_the_same() -> None:
    """A retry has the id of the first try, and a time and signature of its own."""
    again = take(timestamp=b"%d" % (NOW_S + 60))
    first = take()
    assert isinstance(again, Accepted) and isinstance(first, Accepted) and again.seen == first.seen


def test_without_a_time_it_happened_when_it_was_signed() -> None:
    """To the second."""
    assert event(type="a.b").time_ms == NOW_S * 1000


@pytest.mark.parametrize("said, kept", [
    ("invoice.paid", "invoice.paid"), ("Invoice.Paid", "invoice.paid"), ("ping", "billing.ping"),
    ("user-created", "billing.user_created"), ("v1/user.created", "v1_user.created"),
])
def test_a_type_is_written_as_opsmon_writes_types(said: str, kept: str) -> None:
    """So that a KPI can name it."""
    assert event(type=said).type == kept


@pytest.mark.parametrize("value, kept", [
    (2**53, 2**53), (2**53 + 1, "9007199254740993"), (-(2**63), "-9223372036854775808"),
    (2**64 - 1, "18446744073709551615"), ("x" * 201, "x" * 200), (None, None), (True, True), (1.5, 1.5),
], ids=lambda value: repr(value)[:24])
def test_flat_members_are_kept_with_every_digit(value: object, kept: object) -> None:
    """Too large to count with is a text, and a long text is cut."""
    assert event(type="a.b", data={"x": value}).data == {"x": kept}


@pytest.mark.parametrize("body, said", [
    (b"", "the body is empty"), (b"[]", "the body is a JSON list, expected an object"),
    (b"17", "the body is a JSON int, expected an object"),
    (b"{}", "type is missing: expected words of a-z, 0-9 and _ joined by points, such as page.viewed, at most 64 "
            "characters"),
    (b'{"type":"order.placed"}', "type is 'order.placed': reserved for what opsmon tells of vendors' deliveries"),
    (b'{"type":"a.b","data":[1]}', "data is a list: expected an object"),
    (b'{"type":"a.b","data":"x"}', "data is 'x': expected an object"),
    (b'{"type":"a.b","data":{"x":18446744073709551616}}',
     "data.x is 1.8446744073709552e+19: expected a number within 2^53"),
    (b'{"type":"a.b","timestamp":"yesterday"}', "time is 'yesterday': expected a date and time with offset, such as "
                                                "2026-11-20T14:03:22+01:00, or epoch milliseconds"),
], ids=lambda value: repr(value)[:30])
def test_a_signed_body_that_cannot_be_understood_is_a_dead_letter(body: bytes, said: str) -> None:
    """The sender is told yes, or it would send the same again for days."""
    outcome = take(body)
    assert isinstance(outcome, Unusable)
    assert (outcome.seen, outcome.reason, outcome.headers) == ("billing:msg_1", said, {"webhook-id": "msg_1"})


def test_a_body_that_breaks_off_is_a_dead_letter() -> None:
    """Signed, and no JSON."""
    outcome = take(b'{"type":')
    assert isinstance(outcome, Unusable) and outcome.reason.startswith("the body is not JSON: ")


def test_a_dead_letter_is_read_again_however_old_it_is() -> None:
    """It was signed when it came; that it is old now is no fault of its sender's."""
    bad = take(b'{"type":"order.placed"}')
    assert isinstance(bad, Unusable)
    headers = {name.encode(): value.encode() for name, value in bad.headers.items()}
    assert isinstance(door().read(headers, BODY, NOW_MS + 10**9), Accepted)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12)


@given(body=st.dictionaries(st.sampled_from(["type", "timestamp", "data", "other"]), JSON | st.just("a.b")))
def test_any_object_whatever_is_an_event_or_a_dead_letter(body: dict[str, Any]) -> None:
    """And what is an event can cross the stream."""
    outcome = take(orjson.dumps(body))
    assert isinstance(outcome, Unusable) or (
        isinstance(outcome, Accepted) and decode(encode(outcome.event)) == outcome.event)


@given(headers=st.dictionaries(st.sampled_from([b"webhook-id", b"webhook-timestamp", b"webhook-signature"]),
                               st.binary(max_size=40) | st.just(b"%d" % NOW_S)), body=st.binary(max_size=60))
def test_any_delivery_whatever_is_answered(headers: dict[bytes, bytes], body: bytes) -> None:
    """Nothing raises, in whatever order it is asked."""
    assert refusal(take_delivery(door(), headers, body, NOW_MS)) in ((401, "unsigned"), (401, "bad_signature"))
    assert isinstance(door().read(headers, body, NOW_MS), Rejected | Unusable | Accepted)
