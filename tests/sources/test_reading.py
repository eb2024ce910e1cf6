"""Bodies read with care: bounded in width, and an array cut into its elements as they were written."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.showing import shown, shown_or_missing
from opsmon.sources.reading import MAX_COMMAS, BadBody, elements, parse_object


@pytest.mark.parametrize("body, found", [
    (b"[]", []), (b" [\n] ", []), (b"[1]", [b"1"]),
    (b'[ 1 ,\t"a,]" , {"b": [1, 2]}\r\n]', [b"1", b'"a,]"', b'{"b": [1, 2]}']),
    (b"[1e999,18446744073709551616,NaN]", [b"1e999", b"18446744073709551616", b"NaN"]),
    ('["é\\u00e9🧵"]'.encode(), ['"é\\u00e9🧵"'.encode()]),
], ids=repr)
def test_an_array_is_cut_into_the_bytes_of_its_elements(body: bytes, found: list[bytes]) -> None:
    """Nothing is rounded, and nothing is judged yet."""
    assert elements(body, 10) == found


JSON = st.recursive(st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=9),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3))


@given(array=st.lists(JSON, max_size=5), gap=st.sampled_from(["", " ", "\r\n\t"]))
def test_any_array_is_cut_into_what_it_was_made_of(array: list[object], gap: str) -> None:
    """However wide it is written."""
    written = [orjson.dumps(one) for one in array]
    blank = gap.encode()
    assert elements(blank + b"[" + blank + (blank + b"," + blank).join(written) + blank + b"]" + blank, 5) == written


@given(body=st.binary(max_size=40) | st.text(alphabet='[]{},:"1\\ ', max_size=30).map(str.encode))
def test_any_bytes_whatever_are_cut_or_refused(body: bytes) -> None:
    """What orjson takes for an array is one."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    try:
        found = elements(body, 99)
    except BadBody:
        assert type(parsed) is not list
    else:
        assert type(parsed) is not list or list(map(orjson.loads, found)) == parsed


def test_of_an_array_too_long_one_element_more_than_asked_is_found() -> None:
    """So that it can be told that there are more."""
    assert len(elements(b"[1,2,3,4,5]", 3)) == 4


@pytest.mark.parametrize("read", [parse_object, lambda body: elements(body, 10)], ids=["object", "array"])
def test_a_body_of_nothing_but_commas_is_refused_unread(read: object) -> None:
    """A million empty lists would hold everybody up."""
    with pytest.raises(BadBody, match=r"the body has over 100000 commas"):
        read(b"[" + b"[]," * (MAX_COMMAS + 1) + b"[]]")  # type: ignore[operator]


def test_a_value_is_shown_short() -> None:
    """In a sentence for a person."""
    assert [shown("x" * 99), shown([1, 2]), shown_or_missing(None)] == [f"'{'x' * 39}", "[1, 2]", "missing"]


def test_a_value_nested_too_deep_to_be_shown_is_shown_in_words() -> None:
    """Python gives up at a thousand."""
    assert shown(orjson.loads(b"[" * 1_000 + b"]" * 1_000)) == "nested too deep"
