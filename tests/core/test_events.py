"""Ids of vendors: texts throughout, because they outgrow the numbers of other languages."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.events import entity_id


@pytest.mark.parametrize("number", [1, 2**53, 2**53 + 1, 5_182_437_124, 2**63 - 1, 2**63])
def test_a_number_is_an_id_to_its_last_digit(number: int) -> None:
    """Beyond 2^53 JavaScript and Lua would round: 9007199254740993 must not become ...992."""
    assert entity_id(orjson.loads(str(number))) == str(number)


@pytest.mark.parametrize("text", ["18446744073709551616", "99999999999999999999999", "a-1", "gid://shopify/Order/1",
                                  "x" * 64])
def test_a_text_is_an_id_as_it_is(text: str) -> None:
    """Beyond 2^64 vendors write texts."""
    assert entity_id(text) == text


def test_a_number_beyond_64_bits_is_refused() -> None:
    """A JSON reader has made a float of it: two orders could share one id."""
    with pytest.raises(ValueError, match="not an id"):
        entity_id(orjson.loads("18446744073709551616"))


@pytest.mark.parametrize("value", [0, -1, 2**63 + 1, 1.0, True, None, "", "x" * 65, "ü", "a\nb", [], {}])
def test_what_is_no_id_is_refused(value: object) -> None:
    """Nothing empty, broken, over-long or unprintable becomes part of a key."""
    with pytest.raises(ValueError, match="not an id"):
        entity_id(value)


@given(st.integers(1, 2**63), st.integers(1, 2**63))
def test_different_numbers_are_different_ids(one: int, other: int) -> None:
    """No two orders become one."""
    assert (entity_id(one) == entity_id(other)) == (one == other)
