"""Events in opsmon's own shape, many to a body: how a body is divided, and what each of them says.

An event is a flat JSON object with the names of CloudEvents where they fit: id, source, type, time, data,
and key (or subject), the one it is about. One that cannot be taken is refused with a sentence; the others
of its body are taken all the same.
"""

import re
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from opsmon.core.calendar import MAX_MS, MIN_MS
from opsmon.core.events import Event, EventId
from opsmon.core.facts import VENDOR_TYPES
from opsmon.core.money import is_currency, to_minor
from opsmon.core.recounting import REMEMBERED
from opsmon.sources.base import Rejected
from opsmon.sources.needed_fields import lack

MAX_EVENTS = 10_000
# Rubbish of a million empty lists is not read at all: ten thousand events hold fewer commas.
MAX_COMMAS = 1_000_000
MAX_ID, MAX_KEY, MAX_TYPE, MAX_NAME, MAX_TEXT, MAX_DATA = 128, 200, 64, 64, 200, 50
# Beyond it a number is not exact in JavaScript and Lua.
MAX_NUMBER = 2**53
# Epoch milliseconds below this (March 1973) are seconds by mistake.
LEAST_MS = 100_000_000_000
_LONGEST_TIME = 40

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", re.ASCII)
_SOURCE = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
# Told by vendors' deliveries, or by every event: sent by hand, they would be counted twice.
RESERVED = VENDOR_TYPES | REMEMBERED | {"delivery.arrived"}


class Refused(NamedTuple):
    """An event that is not taken: what it is counted as, and why, for the one who sent it."""

    counter: str
    reason: str


class _Bad(ValueError):
    def __init__(self, counter: str, reason: str) -> None:
        super().__init__(reason)
        self.refused = Refused(counter, reason)


def divide(body: bytes, *, is_lines: bool) -> list[Any] | Rejected:
    """The events of a body: the bytes of each line, or what an array holds. Blank lines are passed over.

    `is_lines`: the sender says so. Otherwise a body that begins with a bracket is an array.
    """
    begun = body.lstrip()
    if not begun:
        return Rejected(400, "The body is empty: events are JSON lines, a JSON array or one object.\n", "bad_body")
    if body.count(b",") > MAX_COMMAS:
        return Rejected(413, f"The body has over {MAX_COMMAS} commas: more than {MAX_EVENTS} events hold.\n",
                        "too_large")
    return _array(body) if begun.startswith(b"[") and not is_lines else _lines(body)


def no_json(body: bytes, first: Refused) -> Rejected:
    """What is said of a body none of whose lines is JSON, `first` being what is wrong with the first."""
    line = 1 + body[: len(body) - len(body.lstrip())].count(b"\n")
    return Rejected(400, f"No line of the body is JSON. Line {line} is {first.reason}.\n", "bad_body")


class JsonEvents:
    """Reads events one by one. `vendors` are the sources that come by a door of their own, signed."""

    name = "events"

    def __init__(self, site: str, vendors: Collection[str] = ()) -> None:
        self._site = site
        self._vendors = frozenset(vendors)

    def take(self, piece: object, arrived_ms: int) -> Event | Refused:
        """Read one event: the bytes of a line, or what an array holds."""
        try:
            return self._event(_parsed(piece) if type(piece) is bytes else piece, arrived_ms)
        except _Bad as bad:
            return bad.refused

    def _event(self, said: object, arrived_ms: int) -> Event:
        if type(said) is not dict:
            shown = "null" if said is None else _shown(said)
            raise _Bad("not_object", f"the event is {shown}: expected an object")
        get = said.get
        event_id, source, event_type, time = get("id"), get("source"), get("type"), get("time")
        if type(event_id) is not str or not 0 < len(event_id) <= MAX_ID:
            raise _Bad("bad_id", f"id is {_shown(event_id)}: expected a text of 1 to {MAX_ID} characters")
        if type(event_type) is not str or len(event_type) > MAX_TYPE or not _is_open(event_type):
            raise _bad_type(event_type)
        source = "events" if source is None else self._source(source)
        data = _data(get("data"))
        key, version = _key(said), get("version")
        if why := lack(event_type, key, version, data):
            raise _Bad("bad_fields", why)
        return Event(
            EventId(f"{source}:{event_id}"),
            event_type,
            arrived_ms if time is None else _time_ms(time),
            arrived_ms,
            source,
            self._site,
            f"{source}:{key}" if key else "",
            None if version is None else _version(version, key, data),
            data,
        )

    def _source(self, source: object) -> str:
        if type(source) is not str or not _SOURCE.fullmatch(source):
            raise _Bad("bad_source", f"source is {_shown(source)}: expected 1 to 32 of a-z, 0-9 and -")
        if source in self._vendors:
            raise _Bad("bad_source", f"source is {source!r}: its events come signed, to /webhooks/{source}")
        return source


def _array(body: bytes) -> list[Any] | Rejected:
    try:
        events: list[Any] = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        said = f"line {error.lineno}: {error.msg}" if isinstance(error, orjson.JSONDecodeError) else str(error)
        return Rejected(400, f"The body begins as a JSON array and is none, {said}.\n", "bad_body")
    return events if len(events) <= MAX_EVENTS else _too_many()


def _lines(body: bytes) -> list[Any] | Rejected:
    if body.count(b"\n") > 2 * MAX_EVENTS:  # as many blank ones as others are let pass
        return _too_many()
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    if len(lines) > 1 and _is_json(body):
        return [body]  # one object, written over several lines
    return lines if len(lines) <= MAX_EVENTS else _too_many()


def _too_many() -> Rejected:
    return Rejected(413, f"The body has over the limit of {MAX_EVENTS} events.\n", "too_large")


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError):
        return False
    return True


def _parsed(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise _Bad("not_json", f"not JSON: {str(error)[:120]}") from None


@lru_cache(maxsize=1024)
def _is_open(event_type: str) -> bool:
    return event_type not in RESERVED and _TYPE.fullmatch(event_type) is not None


def _bad_type(event_type: object) -> _Bad:
    if type(event_type) is str and event_type in RESERVED:
        return _Bad("reserved_type", f"type is {event_type!r}: reserved for what opsmon tells of vendors' deliveries")
    return _Bad("bad_type", f"type is {_shown(event_type)}: expected words of a-z, 0-9 and _ joined by points, "
                            f"such as page.viewed, at most {MAX_TYPE} characters")


def _key(said: dict[str, Any]) -> str:
    key = said.get("key")
    if key is None:
        key = said.get("subject")
    if key is None:
        return ""
    if type(key) is not str or len(key) > MAX_KEY:
        raise _Bad("bad_key", f"key is {_shown(key)}: expected a text of at most {MAX_KEY} characters")
    return key


def _time_ms(time: object) -> int:
    if type(time) is int and LEAST_MS <= time <= MAX_MS:
        return time
    if type(time) is str and len(time) <= _LONGEST_TIME:
        try:
            when = datetime.fromisoformat(time)
            time_ms = round(when.timestamp() * 1000)
        except (ValueError, OverflowError):
            pass
        else:
            if when.tzinfo is not None and MIN_MS <= time_ms <= MAX_MS:
                return time_ms
    raise _Bad("bad_time", f"time is {_shown(time)}: expected a date and time with offset, such as "
                           "2026-11-20T14:03:22+01:00, or epoch milliseconds")


def _version(version: object, key: str, data: dict[str, Any]) -> tuple[int, int, str]:
    if type(version) is not int or not 0 <= version <= MAX_NUMBER:
        raise _Bad("bad_version", f"version is {_shown(version)}: expected a whole number from 0 to 2^53")
    if not key:
        raise _Bad("bad_version", "a version needs a key: of what is it the version?")
    return version, 0, blake2b(orjson.dumps(data), digest_size=8).hexdigest()


def _data(data: object) -> dict[str, Any]:
    if data is None:
        return {}
    if type(data) is not dict:
        raise _Bad("bad_data", f"data is {_shown(data)}: expected an object")
    if len(data) > MAX_DATA:
        raise _Bad("bad_data", f"data has {len(data)} members: expected at most {MAX_DATA}")
    for name, value in data.items():
        kind = type(value)
        if kind is str:
            good = len(value) <= MAX_TEXT
        elif kind is int or kind is float:
            good = -MAX_NUMBER <= value <= MAX_NUMBER
        else:
            good = value is None or kind is bool
        if not good or not 0 < len(name) <= MAX_NAME:
            raise _bad_member(name, value)
    if "amount" in data:
        _check_money(data["amount"], data.get("currency"))
    return data


def _bad_member(name: str, value: object) -> _Bad:
    if not 0 < len(name) <= MAX_NAME:
        return _Bad("bad_data", f"data has a member named {_shown(name)}: expected 1 to {MAX_NAME} characters")
    limit = ("flat data, no object and no list" if type(value) in (dict, list)
             else f"at most {MAX_TEXT} characters" if type(value) is str else "a number within 2^53")
    return _Bad("bad_data", f"data.{name} is {_shown(value)}: expected {limit}")


def _check_money(amount: object, currency: object) -> None:
    """Refuse what folding could not count: with a currency, an amount is money."""
    if is_currency(currency):
        try:
            to_minor(amount, str(currency))
        except ValueError as error:
            raise _Bad("bad_data", f"data.amount is {error}") from None


def _shown(value: object) -> str:
    """A value in a sentence: short, however long it is."""
    if type(value) is dict or type(value) is list:
        return "an object" if type(value) is dict else "a list"
    return repr(value[:40] if type(value) is str else value)[:48] if value is not None else "missing"
