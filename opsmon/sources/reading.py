"""Reading vendors' JSON with care: bounded, and with a sentence for what is wrong."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from opsmon.core.calendar import MAX_MS, MIN_MS
from opsmon.sources.base import MAX_DEPTH, MAX_MEMBERS

_END = 256


class BadBody(ValueError):
    """The body is not what its topic promises; the message says why, for the one who sent it."""


def parse_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object of bounded depth and width. Raises BadBody."""
    if not body:
        raise BadBody("the body is empty")
    try:
        parsed = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise BadBody(f"the body is not JSON: {str(error)[:120]}") from None
    if type(parsed) is not dict:
        raise BadBody(f"the body is a JSON {type(parsed).__name__}, expected an object")
    if _may_be_rubbish(parsed, body):
        _check_bounds(parsed)
    return parsed


def _may_be_rubbish(parsed: dict[str, Any], body: bytes) -> bool:
    """Whether depth and width are worth a look: rubbish has very many members, or ends in a run of brackets.

    A look costs as much as reading the body, and saves nothing: what is read is read by name and bounded
    there, nothing walks the rest, and orjson's own 1,024 bounds its depth.
    """
    end = body[-_END:]
    return len(parsed) > MAX_MEMBERS or b"]]]]]]]]" in end or b"}}}}}}}}" in end


def _check_bounds(parsed: dict[str, Any]) -> None:
    level: list[Any] = [parsed]
    for _ in range(MAX_DEPTH):
        if len(max(level, key=len)) > MAX_MEMBERS:
            raise BadBody(f"the body has over {MAX_MEMBERS} members in one place")
        level = [value for container in level
                 for value in (container.values() if type(container) is dict else container)
                 if type(value) is dict or type(value) is list]
        if not level:
            return
    raise BadBody(f"the body is nested deeper than {MAX_DEPTH}")


@lru_cache(maxsize=4096)
def _instant(text: str) -> int:
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    time_ms = round(when.timestamp() * 1000)
    if not MIN_MS <= time_ms <= MAX_MS:
        raise ValueError(text)
    return time_ms


def instant_ms(value: object, name: str) -> int:
    """An ISO 8601 date with time and offset as epoch ms. Raises BadBody, naming the field."""
    try:
        if isinstance(value, str) and len(value) <= 40:
            return _instant(value)
    except (ValueError, OverflowError):
        pass
    raise BadBody(f"{name} is no date: {value!r:.40}")


def short_text(value: object, longest: int = 64) -> str:
    """A vendor's word, cut to `longest` characters; '' for anything that is no text."""
    return value[:longest] if isinstance(value, str) else ""
