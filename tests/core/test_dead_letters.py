"""What a person sees of dead letters: reasons that are one, JSON over lines, no secrets."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.dead_letters import group_id, group_of, indented, masked

JSON = st.recursive(st.none() | st.booleans() | st.integers(-2**63, 2**63) | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
                    max_leaves=20)
WORDS = st.text(st.sampled_from("ab 1…'\"`[]{},.:-\\\n"), max_size=400)


@pytest.mark.parametrize(("reason", "sentence"), [
    ("the body is not JSON: unexpected end: line 1 column 2 (char 1)",
     "the body is not JSON: unexpected end: line … column … (char …)"),
    ("orders/create from a.example: created_at is no date: 'yesterday'",
     "orders/create from a.example: created_at is no date: …"),
    ("total is 'a value that was cut off he", "total is …"),
    ("not an id: ['a', 'b', {'c': 1", "not an id: …"),
    ("the event cannot be counted: KeyError 'x'", "the event cannot be counted: KeyError …"),
    ("the event's total isn't a number", "the event's total isn't a number"),
    ("id is -17.5, -3 or 2026-11-20T14:03:22+01:00", "id is … or …"),
    ("order b1e2c3d4-0000-4000 is unknown", "order … is unknown"),
    ("  two\n lines ", "two lines"), ("", ""),
])
def test_a_reason_is_grouped_without_its_details(reason: str, sentence: str) -> None:
    """A hundred broken bodies, each at another column, are one thing to look at."""
    assert group_of(reason) == sentence


@given(WORDS)
def test_the_sentence_of_a_sentence_is_itself(reason: str) -> None:
    """So that it may be typed where a reason is asked for."""
    assert group_of(group_of(reason)) == group_of(reason)


@given(st.integers(0, 10**30), st.text(max_size=30).filter(lambda text: "'" not in text and "\\" not in text))
def test_any_number_and_any_quoted_value_is_the_same_reason(number: int, value: str) -> None:
    """Whatever a vendor puts there."""
    assert group_of(f"line {number} is '{value}'") == "line … is …"


def test_a_sentence_is_never_long() -> None:
    """A reason of a megabyte is a line all the same."""
    assert len(group_of("very " * 200_000)) == 160


def test_a_sentence_has_a_short_name_of_its_own() -> None:
    """The same in every process, for addresses and the command line."""
    assert (group_id("not JSON"), len({group_id(f"reason {letter}") for letter in "abcdef"})) == (
        group_id("not JSON"), 6)
    assert len(group_id("\ud800")) == 8


@given(JSON)
def test_indented_json_is_the_same_json(value: object) -> None:
    """Only the blanks between its words are others."""
    raw = orjson.dumps(value).decode()
    assert orjson.loads(indented(raw)) == orjson.loads(raw)
    assert indented(indented(raw)) == indented(raw)


@given(JSON)
def test_indented_json_looks_as_everywhere(value: object) -> None:
    """Two blanks a level, empty ones closed up."""
    assert indented(orjson.dumps(value).decode()) == orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def test_numbers_keep_every_digit() -> None:
    """What orjson would round is what a person has to see."""
    assert indented('{"id":18446744073709551617,"total":1.10,"id":2}') == (
        '{\n  "id": 18446744073709551617,\n  "total": 1.10,\n  "id": 2\n}')


def test_a_thousand_brackets_are_no_page_of_blanks() -> None:
    """Rubbish may be nested as deep as it likes."""
    assert len(indented("[" * 1000 + "1," * 30_000 + "1" + "]" * 1000)) < 60_000 * 60


@pytest.mark.parametrize("name", ["authorization", "Cookie", "x-shopify-hmac-sha256", "webhook-signature",
                                  "X-Access-Token", "api-key", "client-secret"])
def test_a_header_that_may_be_a_secret_is_not_shown(name: str) -> None:
    """Only how long it is."""
    assert masked({name: "s3cret"}) == {name: "… (6 characters, not shown)"}


def test_other_headers_are_shown() -> None:
    """By them a letter is read again."""
    about = {"x-shopify-topic": "orders/create", "x-shopify-webhook-id": "b1e2", "ce-type": "order"}
    assert masked(about) == about
