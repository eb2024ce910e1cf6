"""What events of the types that built-in KPIs count have to say: without it they would be taken and never counted.

An event of such a type is either refused with a sentence that names what is missing, or it is counted. Types
that are not here are a site's own: what they hold is counted by the site's own KPIs, or by none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# A counter is a sum of these, and sums stay below 2^53.
MAX_VALUE = 10**12


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field may hold: in words, and as a test."""

    words: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a type needs: `fields` all of them, of `some` at least one, and `optional` ones only as they should be.

    `key`: an event says what it is about, in these words. `version`: 'none' where one would keep the event from
    being counted, 'needed' where without one each event would be added to those before.
    """

    fields: Mapping[str, Kind] = field(default_factory=dict)
    some: Mapping[str, Kind] = field(default_factory=dict)
    optional: Mapping[str, Kind] = field(default_factory=dict)
    key: str = ""
    version: str = ""


def _is_number(value: Any) -> bool:
    return (type(value) is int or type(value) is float) and -MAX_VALUE <= value <= MAX_VALUE


def _is_whole(value: Any) -> bool:
    return -MAX_VALUE <= value <= MAX_VALUE if type(value) is int else _is_number(value) and value.is_integer()


def _is_name(value: Any) -> bool:
    return (value != "" and not value.isspace()) if type(value) is str else type(value) is int


NAME = Kind("a text", _is_name)
NUMBER = Kind("a number within a million million", _is_number)
WHOLE = Kind("a whole number within a million million", _is_whole)
LENGTH = Kind("a whole number from 0 up", lambda value: _is_whole(value) and value >= 0)
MS = Kind("milliseconds, a number from 0 up", lambda value: _is_number(value) and value >= 0)
STATUS = Kind("an HTTP status, 100 to 599", lambda value: type(value) is int and 100 <= value <= 599)

_WORKPLACE = {"station": NAME, "person": NAME, "line": NAME}

NEEDS: Mapping[str, Needs] = {
    "gauge.set": Needs({"name": NAME, "value": NUMBER}, version="none"),
    "count.add": Needs({"name": NAME, "value": WHOLE}),
    "queue.depth": Needs({"queue": NAME, "depth": LENGTH}, version="none"),
    "api.request": Needs({"endpoint": NAME, "ms": MS, "status": STATUS}),
    "function.called": Needs({"class": NAME, "ms": MS}),
    "user.active": Needs({"user": NAME}, version="none"),
    "stage.moved": Needs({"stage": NAME}, optional=_WORKPLACE, key="the order that moved", version="none"),
    "item.scanned": Needs(some=_WORKPLACE, optional={"sku": NAME, "quantity": WHOLE}),
    "inventory.changed": Needs({"sku": NAME, "available": WHOLE}, optional={"location": NAME},
                               key="the item at its place", version="needed"),
}


def lack(event_type: str, key: str, version: object, data: Mapping[str, Any]) -> str:
    """Why an event of a known type could not be counted, and what the type needs; '' when it can."""
    needs = NEEDS.get(event_type)
    if needs is None:
        return ""
    why = _why(needs, key, version, data)
    return f"{why}; {event_type} needs {describe(event_type)}" if why else ""


def describe(event_type: str) -> str:
    """What a known type needs, as a list: `a key (the order that moved) and data.stage`."""
    needs = NEEDS[event_type]
    said = [f"a key ({needs.key})"] if needs.key else []
    said += ["a version"] if needs.version == "needed" else []
    said += [f"data.{name}" for name in needs.fields]
    said += [" or ".join(f"data.{name}" for name in needs.some)] if needs.some else []
    return " and ".join(part for part in (", ".join(said[:-1]), said[-1]) if part)


def _why(needs: Needs, key: str, version: object, data: Mapping[str, Any]) -> str:
    if needs.key and not key:
        return f"key is missing: expected {needs.key}"
    if needs.version == "needed" and version is None:
        return "version is missing: expected a number that grows with each change"
    if needs.version == "none" and version is not None:
        return "it has a version: expected none, since what is told here is never replaced"
    get = data.get
    for name, kind in needs.fields.items():
        if not kind.fits(get(name)):
            return _misfit(name, get(name), kind)
    for others in filter(None, (needs.some, needs.optional)):
        for name, kind in others.items():
            value = get(name)
            if value is not None and value != "" and not kind.fits(value):
                return _misfit(name, value, kind)
    if needs.some and all(data.get(name) in (None, "") for name in needs.some):
        return "it says neither who nor where"
    return ""


def _misfit(name: str, value: object, kind: Kind) -> str:
    shown = "missing" if value is None else repr(value[:40] if type(value) is str else value)[:48]
    return f"data.{name} is {shown}: expected {kind.words}"
