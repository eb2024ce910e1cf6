"""Money: whole minor units of one currency, whatever way a vendor writes it."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.money import MAX_MINOR, Money, exponent, is_currency, to_minor


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XYZ", 2)])
def test_every_currency_has_its_digits(currency: str, digits: int) -> None:
    """Cents for most, none for yen, three for dinars; an unknown currency has two."""
    assert exponent(currency) == digits


@pytest.mark.parametrize(("amount", "currency", "minor"), [
    ("49.90", "EUR", 4990), ("49.9", "EUR", 4990), ("49", "EUR", 4900), ("0.00", "EUR", 0),
    ("-12.30", "EUR", -1230), ("500", "JPY", 500), ("500.00", "JPY", 500), ("1.234", "KWD", 1234),
    ("1.2345", "CLF", 12345),
    (49.9, "EUR", 4990), (0.1, "EUR", 10), (49, "EUR", 4900), (19.99, "EUR", 1999), (1e3, "EUR", 100000),
])
def test_texts_and_numbers_are_read_alike(amount: object, currency: str, minor: int) -> None:
    """Shopify writes "49.90" in orders and 49.9 in refunds: both are 4990 cents."""
    assert to_minor(amount, currency) == minor


def test_nothing_is_zero() -> None:
    """A null price is no price."""
    assert to_minor(None, "EUR") == 0


@pytest.mark.parametrize(("amount", "minor"), [("0.005", 0), ("0.015", 2), ("-0.005", 0), ("1.0049", 100)])
def test_half_a_cent_goes_to_the_even_side(amount: str, minor: int) -> None:
    """More digits than the currency has are rounded, without a drift."""
    assert to_minor(amount, "EUR") == minor


@pytest.mark.parametrize("amount", ["", "x", "1,50", "--1", "NaN", "Infinity", "-inf", True, [], {}, b"1",
                                    float("nan"), float("inf")])
def test_what_is_no_amount_is_refused(amount: object) -> None:
    """A sentence instead of a wrong number."""
    with pytest.raises(ValueError, match="not an amount"):
        to_minor(amount, "EUR")


@pytest.mark.parametrize("amount", ["90071992547409.92", "-90071992547409.92", "99999999999999999999", "1e300",
                                    "1e999990",
                                    "1e999999", "1e999999999", 1e18, 2**64])
def test_what_is_out_of_range_is_refused(amount: object) -> None:
    """Beyond 2^53 minor units sums would be rounded; a power of ten with a billion digits costs no time."""
    with pytest.raises(ValueError, match="out of range"):
        to_minor(amount, "EUR")


def test_the_largest_amount_is_exact() -> None:
    """The last whole number that every part of opsmon can hold."""
    assert (to_minor("90071992547409.91", "EUR"), to_minor(str(MAX_MINOR), "JPY")) == (MAX_MINOR, MAX_MINOR)


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_any_amount_survives_being_written(minor: int, currency: str) -> None:
    """Written with the currency's digits and read again, it is the same to the last unit."""
    assert to_minor(str(Decimal(minor).scaleb(-exponent(currency))), currency) == minor


@given(st.decimals(-10**6, 10**6, places=5))
def test_any_rounding_is_that_of_decimal_arithmetic(amount: Decimal) -> None:
    """The quick way for plain prices and the thorough one agree."""
    cents = (amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    assert to_minor(f"{amount:f}", "EUR") == cents


def test_taking_back_is_the_negative() -> None:
    """The same amount of the same currency, the other way."""
    assert -Money(4990, "EUR") == Money(-4990, "EUR")


@pytest.mark.parametrize(("code", "looks_right"), [
    ("EUR", True), ("eur", False), ("EU", False), ("EURO", False), ("A1B", False), ("É€R", False), (978, False),
    (None, False)])
def test_a_currency_is_three_capital_letters(code: object, looks_right: bool) -> None:
    """Anything else is a mistake of the sender."""
    assert is_currency(code) is looks_right
