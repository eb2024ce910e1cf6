"""Finding boards, numbers, sources and pages by what a person types."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsmon.core.finding import Findable, alike, find, words_of

AMONG = (
    Findable("board", "sales", "Sales", "/b/sales"),
    Findable("page", "dead-letters", "Dead letters", "/dead-letters", "What could not be used, and why"),
    Findable("source", "shopify", "Shopify", "/sources#source-shopify"),
    Findable("number", "revenue-today", "Revenue today", "/kpi/revenue-today", "Orders with tax and shipping."),
    Findable("number", "orders-today", "Orders today", "/kpi/orders-today", "Orders placed today."),
    Findable("number", "sales-by-country", "Sales by country", "/kpi/sales-by-country", "Orders and their amounts."),
    Findable("number", "cafe-groesse", "Größe im Café", "/kpi/cafe-groesse", "A number of its own."),
    Findable("number", "skov", "Ordrer i Ålborg, Ødis", "/kpi/skov", "Another one."),
)


def titles(question: str) -> list[str]:
    return [one.title for one in find(question, AMONG, 20)]


@pytest.mark.parametrize(("question", "first"), [
    ("revenue today", "Revenue today"), ("tod rev", "Revenue today"), ("REVENUE", "Revenue today"),
    ("revenue-today", "Revenue today"), ("sales", "Sales"), ("sales country", "Sales by country"),
    ("cafe", "Größe im Café"), ("CAFÉ", "Größe im Café"), ("größe", "Größe im Café"), ("GRÖSSE", "Größe im Café"),
    ("grosse", "Größe im Café"), ("odis", "Ordrer i Ålborg, Ødis"), ("alborg", "Ordrer i Ålborg, Ødis"),
    ("shop", "Shopify"), ("dead", "Dead letters"), ("why", "Dead letters"), ("board sales", "Sales"),
])
def test_beginnings_of_words_find_whatever_their_order_case_and_accents(question: str, first: str) -> None:
    """By title, by id, and by what is said of it."""
    assert titles(question)[0] == first


def test_every_word_has_to_fit() -> None:
    """More words find less."""
    assert (titles("orders"), titles("orders placed"), titles("orders xyzzy")) == (
        ["Orders today", "Revenue today", "Sales by country"], ["Orders today"], [])


def test_what_is_called_so_comes_before_what_only_speaks_of_it() -> None:
    """The title first, the board before the number."""
    assert titles("sales") == ["Sales", "Sales by country"]


def test_the_end_of_a_word_finds_nothing() -> None:
    """'day' is no beginning of 'today'."""
    assert titles("enue") == []


@pytest.mark.parametrize("question", ["", "   ", "--", "!?", "\0"])
def test_a_question_without_a_word_finds_nothing(question: str) -> None:
    """Neither does it find all."""
    assert titles(question) == []


@pytest.mark.parametrize(("question", "first"), [("revenu todaj", "Revenue today"), ("shpoify", "Shopify")])
def test_what_is_spelt_alike_is_offered(question: str, first: str) -> None:
    """For a slip of the finger."""
    assert first in [one.title for one in alike(question, AMONG, 5)]


@given(st.text(max_size=300))
@example("\U0001d412")  # a bold S: taken apart, a capital letter
def test_no_question_is_too_odd(question: str) -> None:
    """Whatever is typed: words are plain, and what is found is among what there is."""
    assert set(find(question, AMONG, 3)) <= set(AMONG)
    assert set(alike(question, AMONG, 3)) <= set(AMONG)
    assert [words_of(word) for word in words_of(question)] == [[word] for word in words_of(question)]
