"""Conditions as a site writes them: `{ channel = "web", amount = ">= 50", country = ["DE", "AT"] }`."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from opsmon.core.catalogue import Condition, Fields, Operator
from opsmon.core.definition_words import shown
from opsmon.core.facts_known import Kind
from opsmon.core.money import exponent

MOST_VALUES = 100
MAX_TEXT = 200
_OPERATION = re.compile(r"\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,9})?", re.ASCII)
_TRUTH = {"true": True, "false": False}


class MoneyCondition(Condition):
    """A condition on an amount, which is written in whole currency units: 49.9 is 49.90 EUR or 4990 cents."""

    __slots__ = ()

    def matches(self, fields: Fields) -> bool:
        """Whether the fact's fields meet the condition; a plain number is compared as it is."""
        found = fields.get(self.field)
        if isinstance(found, list | tuple):
            # The nearest double to the amount, as the parsed number is: equal amounts are equal.
            fields = {self.field: found[0] / 10 ** exponent(found[1])}
        return Condition.matches(self, fields)


class Mistake(NamedTuple):
    """What is wrong with a field, and what would be right."""

    field: str
    text: str


def read_conditions(said: object, kind_of: Callable[[str], Kind | None]) -> Iterator[Condition | Mistake]:
    """Read a table of conditions. `kind_of` says what a field holds (None: only the site knows)."""
    if not isinstance(said, dict):
        yield Mistake("", f'is {shown(said)}: expected a table, e.g. {{ channel = "web", amount = ">= 50" }}')
        return
    for field, value in said.items():
        try:
            yield _condition(field, value, kind_of(field))
        except ValueError as error:
            yield Mistake(field, f"is {shown(value)}: expected {error}")


def _condition(field: str, said: object, kind: Kind | None) -> Condition:
    operator, value = _parsed(said, kind)
    _check(field, operator, value, kind)
    is_money = kind == "money" or (kind is None and field == "amount")
    return (MoneyCondition if is_money else Condition)(field, operator, cast(Any, value))


def _parsed(said: object, kind: Kind | None) -> tuple[Operator, object]:
    if isinstance(said, list):
        return "in", tuple(said)
    if not isinstance(said, str):
        return "=", said
    operation = _OPERATION.fullmatch(said)
    if operation is None:
        return "=", said
    operator, rest = cast(Operator, operation[1]), operation[2]
    if not rest:
        raise ValueError(f'a value after {operator}, e.g. "{operator} 50"')
    return operator, _value(rest, kind)


def _value(text: str, kind: Kind | None) -> object:
    """What stands after an operator: a number or a truth if it looks like one, unless the field is text."""
    if kind == "text":
        return text
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return _TRUTH.get(text, text)


def _check(field: str, operator: Operator, value: object, kind: Kind | None) -> None:
    """Refuse what no fact can meet. Raises ValueError."""
    if isinstance(value, tuple) and not 0 < len(value) <= MOST_VALUES:
        raise ValueError(f"a list of 1 to {MOST_VALUES} values")
    values = value if isinstance(value, tuple) else (value,)
    if not all(map(_is_plain, values)):
        raise ValueError('a text, a number, true or false, a list of them, or a comparison, e.g. ">= 50"')
    if operator not in ("=", "!=", "in"):
        if kind == "text":
            raise ValueError(f"=, != or a list, as {field} is text")
        if not _is_number(value):
            raise ValueError(f'a number after {operator}, e.g. "{operator} 50"')
    if kind == "text" and not all(isinstance(one, str) for one in values):
        raise ValueError(f"a text in quotes, as {field} is text")
    if kind not in ("text", None) and not all(map(_is_number, values)):
        raise ValueError(f'a number or a comparison, e.g. ">= 50", as {field} is a number')


def _is_plain(value: object) -> bool:
    return (isinstance(value, str) and len(value) <= MAX_TEXT) or isinstance(value, bool) or _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 2**53
