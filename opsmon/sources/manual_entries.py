"""What a person enters by hand: an order, a count, a gauge, a move, a scan. Fields of a form -> an Event.

Pure. A form carries an id of its own; together with what was typed it names the entry, which counts once, however
often it is sent. An order is an entity of that name, so that two orders which are called the same are two.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from opsmon.core.calendar import DAY_MS, SiteCalendar
from opsmon.core.events import Event, EventId
from opsmon.core.facts import FUTURE_MS
from opsmon.core.money import exponent, to_minor
from opsmon.core.said import Said
from opsmon.sources.csv_cells import BadCell, amount, country_code, currency_code, instant, quantity, shown
from opsmon.sources.needed_fields import MAX_VALUE

SOURCE = "floor"
CHANNEL = "manual"
# Marks of what was taken are kept for a week: an older form could count twice.
FORM_LIVES_MS = DAY_MS
MAX_NAME = 48

What = Literal["order", "count", "gauge", "move", "scan"]
_FORM_ID = re.compile(r"([0-9a-f]{8,12})-[0-9a-f]{16}", re.ASCII)
_ENTRY_ID = re.compile(rf"({_FORM_ID.pattern})-[0-9a-f]{{12}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One field: how it is read, and whether it must be filled in."""

    name: str
    label: str
    read: str = "text"
    required: bool = False


class Entry(NamedTuple):
    """What was entered: its event, and what would take it back (None: nothing needs to, or nothing can)."""

    event: Event
    undo: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong, by field; '' is the form itself."""

    fields: Mapping[str, str] = field(default_factory=dict)


FIELDS: Mapping[What, tuple[Field, ...]] = {
    "order": (
        Field("amount", "Amount", "amount", required=True), Field("currency", "Currency", "currency", required=True),
        Field("name", "Order number or name"), Field("time", "When", "time"), Field("country", "Country", "country"),
        Field("channel", "Channel"),
    ),
    "count": (
        Field("name", "What is counted", required=True), Field("value", "How many", "whole", required=True),
        Field("time", "When", "time"),
    ),
    "gauge": (Field("name", "Which gauge", required=True), Field("value", "What it shows", "number", required=True)),
    "move": (
        Field("order", "Order", required=True), Field("stage", "To stage", required=True), Field("person", "Person"),
        Field("station", "Station"), Field("line", "Line"),
    ),
    "scan": (
        Field("sku", "SKU"), Field("quantity", "Quantity", "whole"), Field("person", "Person"),
        Field("station", "Station"), Field("line", "Line"),
    ),
}
_TYPES: Mapping[What, str] = {
    "order": "order.updated", "count": "count.add", "gauge": "gauge.set", "move": "stage.moved", "scan": "item.scanned",
}


class ManualEntries:
    """Reads entries for one site. `kept_ms` is how far back an order can be counted."""

    def __init__(self, site: str, calendar: SiteCalendar, kept_ms: int) -> None:
        self._site, self._calendar, self._kept_ms = site, calendar, kept_ms

    def read(self, what: What, form_id: str, said: Mapping[str, str], now_ms: int) -> Entry | Wrong:
        """The event of a filled-in form, or what is wrong with it. Raises nothing."""
        if not is_form(form_id, now_ms):
            return Wrong({"": Said(
                "This form is older than a day: nothing was entered. Look it over and enter it again.")})
        found, wrong = self._fields(what, said, now_ms)
        wrong |= {} if wrong else _WHOLE[what](found, now_ms - self._kept_ms)
        if wrong:
            return Wrong(wrong)
        time_ms = found.pop("time", None) or now_ms
        make = self._order if what == "order" else self._plain
        return make(what, _entry_id(what, form_id, said), found, time_ms, now_ms)

    def undo(self, said: Mapping[str, str], now_ms: int) -> Event | None:
        """What takes an entry back: an order is deleted, a count is counted down. None for what is no entry."""
        what, entry_id = said.get("of"), said.get("entry", "")
        named = _ENTRY_ID.fullmatch(entry_id)
        if not named or not is_form(named[1], now_ms):
            return None
        event_id = EventId(f"{SOURCE}:{entry_id}:undo")
        if what == "order":
            return Event(event_id, "order.deleted", now_ms, now_ms, SOURCE, self._site, f"{SOURCE}:order:{entry_id}")
        name, value, time = said.get("name", ""), said.get("value", ""), said.get("at", "")
        if what != "count" or not (0 < len(name) <= MAX_NAME and _is_int(value) and _is_int(time)):
            return None
        return Event(event_id, "count.add", min(int(time), now_ms), now_ms, SOURCE, self._site, "", None,
                     {"name": name, "value": -int(value)})

    def _fields(self, what: What, said: Mapping[str, str], now_ms: int) -> tuple[dict[str, Any], dict[str, str]]:
        found: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for one in FIELDS[what]:
            text = cleaned(said.get(one.name, ""))
            if not text:
                wrong |= {one.name: Said("%(field)s is missing.", field=Said(one.label))} if one.required else {}
                continue
            try:
                found[one.name] = self._value(one, text, now_ms)
            except BadCell as error:
                wrong[one.name] = Said("%(field)s %(problem)s.", field=Said(one.label), problem=error.problem)
        return found, wrong

    def _value(self, one: Field, text: str, now_ms: int) -> Any:
        if len(text) > MAX_NAME:
            raise BadCell("is %(length)s characters long: expected at most %(most)s", length=len(text), most=MAX_NAME)
        return instant(text, self._calendar, now_ms=now_ms) if one.read == "time" else _READERS[one.read](text)

    def _order(self, what: What, entry_id: str, said: Mapping[str, Any], placed_ms: int, now_ms: int) -> Entry:
        total_minor = to_minor(str(said["amount"]), said["currency"])
        data = {
            "name": said.get("name", ""), "test": False, "placed_ms": placed_ms, "cancelled_ms": None,
            "total_minor": total_minor, "goods_minor": total_minor, "currency": said["currency"], "paid": "paid",
            # Nobody will tell of its parcels: it would be past its time for ever.
            "fulfilled": "unknown", "fulfilled_ms": None, "channel": said.get("channel", CHANNEL),
            "country": said.get("country", ""), "region": "", "customer": "", "checkout": "", "lines": [],
            "refunds": [],
        }
        event = Event(EventId(f"{SOURCE}:{entry_id}"), "order.updated", placed_ms, now_ms, SOURCE, self._site,
                      f"{SOURCE}:order:{entry_id}", (now_ms, 0, entry_id), data)
        return Entry(event, {"of": what, "entry": entry_id})

    def _plain(self, what: What, entry_id: str, data: dict[str, Any], time_ms: int, now_ms: int) -> Entry:
        # Whoever tells of moves without naming a source is "events": it is the same order, whoever moved it.
        key = f"events:{data.pop('order')}" if what == "move" else ""
        if what == "scan":
            data.setdefault("quantity", 1)
        event = Event(EventId(f"{SOURCE}:{entry_id}"), _TYPES[what], time_ms, now_ms, SOURCE, self._site, key, None,
                      data)
        undo = {"of": what, "entry": entry_id, "name": data["name"], "value": str(data["value"]), "at": str(time_ms)
                } if what == "count" else None
        return Entry(event, undo)


def is_form(form_id: str, now_ms: int) -> bool:
    """Whether a form of this id was made within a day: `<epoch ms, hex>-<16 hex digits at random>`."""
    found = _FORM_ID.fullmatch(form_id)
    return found is not None and now_ms - FORM_LIVES_MS <= int(found[1], 16) <= now_ms + FUTURE_MS


def cleaned(text: str) -> str:
    """What was typed, in one line, with the signs that numbers are read by."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split()).replace("\u2212", "-")


def _entry_id(what: What, form_id: str, said: Mapping[str, str]) -> str:
    typed = "\n".join([what, *(cleaned(said.get(one.name, "")) for one in FIELDS[what])])
    return f"{form_id}-{blake2b(typed.encode(), digest_size=6).hexdigest()}"


def _check_order(said: Mapping[str, Any], oldest_ms: int) -> dict[str, str]:
    value, currency = said["amount"], said["currency"]
    try:
        minor = to_minor(str(value), currency)
    except ValueError:
        return {"amount": Said("Amount is larger than can be counted.")}
    if minor <= 0:
        return {"amount": Said("Amount is %(amount)s: expected more than 0.", amount=value)}
    if Decimal(minor).scaleb(-exponent(currency)) != value:
        return {"amount": Said("Amount is %(amount)s: %(currency)s has %(digits)s digits after the point.",
                               amount=value, currency=currency, digits=exponent(currency))}
    if said.get("time", oldest_ms) < oldest_ms:
        return {"time": Said("When is longer ago than orders are kept: it would not be counted.")}
    return {}


def _check_count(said: Mapping[str, Any], oldest_ms: int) -> dict[str, str]:
    return {} if said["value"] else {"value": Said("How many is 0: that counts nothing.")}


def _check_scan(said: Mapping[str, Any], oldest_ms: int) -> dict[str, str]:
    who = any(said.get(name) for name in ("station", "person", "line"))
    return {} if who else {"person": Said("Person, station or line is missing: one of them says whose scan it is.")}


def _check_nothing(said: Mapping[str, Any], oldest_ms: int) -> dict[str, str]:
    return {}


def _number(text: str) -> int | float:
    found = amount(text, has_commas=True)
    if abs(found) > MAX_VALUE:
        raise BadCell(f"is {shown(text)}: expected a number within a million million")
    return int(found) if found == int(found) else float(found)


def _country(text: str) -> str:
    code = country_code(text)
    if len(code) != 2:
        raise BadCell(f"is {shown(text)}: expected a country such as Germany, or its code, DE")
    return code


def _is_int(text: str) -> bool:
    return len(text) <= 16 and text.isascii() and text.removeprefix("-").isdigit()


_READERS: Mapping[str, Callable[[str], Any]] = {
    "text": str, "amount": lambda text: amount(text, has_commas=True), "number": _number, "currency": currency_code,
    "whole": lambda text: quantity(text, has_commas=True), "country": _country,
}
_WHOLE: Mapping[What, Callable[[Mapping[str, Any], int], dict[str, str]]] = {
    "order": _check_order, "count": _check_count, "gauge": _check_nothing, "move": _check_nothing, "scan": _check_scan,
}
