"""Reading vendors' JSON with care: bounded, and with a sentence for what is wrong."""

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from opsmon.core.calendar import MAX_MS, MIN_MS
from opsmon.core.showing import shown
from opsmon.sources.base import MAX_DEPTH, MAX_MEMBERS

# A body of 1 MiB has a third of these. A million empty lists take their time, and twenty times their memory.
MAX_COMMAS = 100_000
_END = 256
# Finds where things end: numbers stay as they are written, however many digits they have.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*")


class BadBody(ValueError):
    """The body is not what its topic promises; the message says why, for the one who sent it."""


def parse_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object of bounded depth and width. Raises BadBody."""
    if not body:
        raise BadBody("the body is empty")
    _check_commas(body)
    try:
        parsed = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise BadBody(f"the body is not JSON: {str(error)[:120]}") from None
    if type(parsed) is not dict:
        raise BadBody(f"the body is a JSON {type(parsed).__name__}, expected an object")
    if _may_be_rubbish(parsed, body):
        _check_bounds(parsed)
    return parsed


def _check_commas(body: bytes) -> None:
    if body.count(b",") > MAX_COMMAS:
        raise BadBody(f"the body has over {MAX_COMMAS} commas")


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


def elements(body: bytes, most: int) -> list[bytes]:
    """The elements of a JSON array, each as its own bytes, none of them checked; `most` + 1 when there are more.

    Raises BadBody.
    """
    _check_commas(body)
    try:
        return _elements(body.decode(), most)
    except (ValueError, RecursionError) as error:
        raise BadBody(f"the body is no JSON array: {str(error)[:120]}") from None


def _elements(text: str, most: int) -> list[bytes]:
    found: list[bytes] = []
    at, mark = _past(text, 0)
    if mark != "[":
        raise ValueError("it does not begin with [")
    begun, mark = _past(text, at)
    if mark == "]" and not text[begun:].strip(" \t\n\r"):
        return found
    while len(found) <= most:
        begun = _space(text, at)
        _, ended = _DECODER.raw_decode(text, begun)
        found.append(text[begun:ended].encode())
        at, mark = _past(text, ended)
        if mark == "]" and not text[at:].strip(" \t\n\r"):
            return found
        if mark != ",":
            raise ValueError(f"a comma or the end is missing after element {len(found)}")
    return found


def _past(text: str, at: int) -> tuple[int, str]:
    """The next mark after blanks, and where one is behind it."""
    begun = _space(text, at)
    return begun + 1, text[begun : begun + 1]


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


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
    raise BadBody(f"{name} is no date: {shown(value)}")


def short_text(value: object, longest: int = 64) -> str:
    """A vendor's word, cut to `longest` characters; '' for anything that is no text."""
    return value[:longest] if isinstance(value, str) else ""
