"""What pages say of their visitors: a short JSON text that anybody can send, read as events of known names.

Nothing here is signed, so nothing here is believed further than it costs little: names are enumerated, fields
are allow-listed and bounded, and how many visitors, checkouts and names of the shop's own there can be in a
day is bounded too. No address, no agent, no query string is kept. Shopify's names: Web Pixels API, standard
events.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from opsmon.core.calendar import DAY_MS
from opsmon.core.events import Event, EventId
from opsmon.core.money import is_currency, to_minor

SOURCE = "pixel"
MAX_BODY = 2_048
MAX_EVENTS = 20
MAX_CUSTOM_NAMES = 50
# A page that was hidden tells later what happened; its own clock is not asked.
MAX_AGO_MS = 3_600_000
# A visit's state and its mark among those under way; it is remembered for nine days.
VISITOR_BYTES, VISITOR_DAYS = 350, 9
# A checkout is remembered as long as an order: so many visitors to one.
VISITORS_A_CHECKOUT = 10
# Of the smallest unit: what a day can bring at thousands a second stays below 2^53.
MAX_AMOUNT_MINOR = 10**8

# Every name, and the fields it may have.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "page.viewed": ("path",),
    "product.viewed": ("path", "product", "sku"),
    "cart.updated": ("path", "product", "sku", "pieces"),
    "checkout.started": ("path",),
    "checkout.completed": ("path", "amount"),
    "search.submitted": ("path", "term"),
    "error.occurred": ("path", "message", "where"),
    "page.timed": ("path", "what", "ms"),
    "feature.used": ("path", "feature"),
    "conversion.step": ("path", "step"),
}
_CUSTOM_FIELDS = ("path", "label", "value")
# What an event says nothing without.
_NEEDED = {"page.timed": "ms", "feature.used": "feature", "conversion.step": "step"}

ALIASES: Mapping[str, str] = {
    "page_viewed": "page.viewed",
    "product_viewed": "product.viewed",
    "product_added_to_cart": "cart.updated",
    "product_removed_from_cart": "cart.updated",
    "checkout_started": "checkout.started",
    "checkout_completed": "checkout.completed",
    "search_submitted": "search.submitted",
    "alert_displayed": "error.occurred",
}
# Steps of Shopify's checkout, between its beginning and its end.
STEPS: Mapping[str, str] = {
    "checkout_contact_info_submitted": "contact",
    "checkout_address_info_submitted": "address",
    "checkout_shipping_info_submitted": "shipping",
    "payment_info_submitted": "payment",
}

_TEXTS = {"product": 60, "sku": 48, "term": 60, "message": 80, "what": 32, "feature": 48, "step": 32, "label": 48}
_NUMBERS = {"pieces": 1_000_000, "ms": 3_600_000, "value": 10**9}
_PATH = 80
_CUSTOM = re.compile(r"custom\.[a-z_]{1,40}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_VISITOR = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


@dataclass(slots=True)
class Reading:
    """What a body says: its events, and by reason how many were left out."""

    events: list[Event] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


class Daily:
    """At most `most` different texts a day (UTC). Whoever comes later is told no until the day is over."""

    def __init__(self, most: int) -> None:
        self._most, self._day = most, 0
        self._known: set[int] = set()

    def admits(self, text: str, now_ms: int) -> bool:
        """Whether a text is one of today's, or there is room for it. May be repeated."""
        if now_ms // DAY_MS != self._day:
            self._day, self._known = now_ms // DAY_MS, set()
        mark = hash(text)
        if mark not in self._known and len(self._known) >= self._most:
            return False
        self._known.add(mark)
        return True


class Pixel:
    """Reads bodies for a site; `memory_bytes` is what the visitors it admits may cost in the store."""

    def __init__(self, site: str, memory_bytes: int, *, keeps_terms: bool = False) -> None:
        self._site, self._keeps_terms = site, keeps_terms
        visitors = max(memory_bytes // (VISITOR_BYTES * VISITOR_DAYS), 1)
        self._visitors, self._checkouts = Daily(visitors), Daily(max(visitors // VISITORS_A_CHECKOUT, 1))
        self._custom = Daily(MAX_CUSTOM_NAMES)

    def read(self, body: bytes, arrived_ms: int) -> Reading:
        """What a body says: one event or a list of them. Raises nothing."""
        reading = Reading()
        try:
            said: Any = orjson.loads(body)
        except (orjson.JSONDecodeError, RecursionError):
            said = None
        pieces = said if type(said) is list else [said]
        if len(pieces) > MAX_EVENTS:
            reading.refused["too_many"] += 1
            return reading
        for piece in pieces:
            event = self._event(piece, arrived_ms)
            if isinstance(event, str):
                reading.refused[event] += 1
            else:
                reading.events.append(event)
        return reading

    def _event(self, said: object, arrived_ms: int) -> Event | str:
        """An event, or the reason why it is none."""
        if type(said) is not dict or not _matches(_NAME, said.get("id")) or not _matches(_VISITOR, said.get("visitor")):
            return "bad_event"
        fields = said.get("data") or {}
        name = said.get("name")
        if type(name) is not str or type(fields) is not dict:
            return "bad_event"
        if name in STEPS:
            name, fields = "conversion.step", {**fields, "step": STEPS[name]}
        name = ALIASES.get(name, name)
        data = self._data(name, fields)
        if data is None:
            return "unknown_name"
        if name in _NEEDED and _NEEDED[name] not in data:
            return "bad_event"
        token = fields.get("checkout") if name == "checkout.started" else None
        checkout = str(token) if _matches(_VISITOR, token) else ""
        if reason := self._lacks_room(name, said["visitor"], checkout, arrived_ms):
            return reason
        return Event(EventId(f"{SOURCE}:{said['id']}"), name, _time_ms(said.get("ago"), arrived_ms), arrived_ms, SOURCE,
                     self._site, f"{SOURCE}:{checkout}" if checkout else "", None, {"visitor": said["visitor"], **data})

    def _lacks_room(self, name: str, visitor: str, checkout: str, now_ms: int) -> str:
        if name not in FIELDS and not self._custom.admits(name, now_ms):
            return "custom_names"
        if not self._visitors.admits(visitor, now_ms):
            return "visitors"
        if checkout and not self._checkouts.admits(checkout, now_ms):
            return "checkouts"
        return ""

    def _data(self, name: str, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """The fields that are kept; None for a name nobody knows."""
        names = FIELDS.get(name) or (_CUSTOM_FIELDS if _CUSTOM.fullmatch(name) else None)
        if names is None:
            return None
        data: dict[str, Any] = {}
        for field_name in names:
            if field_name in fields and (field_name != "term" or self._keeps_terms):
                data |= _kept(field_name, fields)
        return data


def _kept(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """One field as it is kept; {} for what cannot be."""
    value = fields[name]
    if name == "amount":
        return _money(value, fields.get("currency"))
    if name in _NUMBERS:
        is_number = type(value) in (int, float) and abs(value) <= _NUMBERS[name] and (value >= 0 or name == "value")
        return {name: value} if is_number else {}
    if type(value) is not str:
        return {}
    text = _path(value) if name in ("path", "where") else " ".join(value.split())[: _TEXTS[name]]
    return {name: text} if text else {}


def _path(text: str) -> str:
    path = text.partition("?")[0].partition("#")[0]
    return path[:_PATH] if path.startswith("/") else ""


def _money(amount: object, currency: object) -> dict[str, Any]:
    if not is_currency(currency):
        return {}
    try:
        is_fair = 0 <= to_minor(amount, str(currency)) <= MAX_AMOUNT_MINOR
    except ValueError:
        return {}
    return {"amount": amount, "currency": currency} if is_fair and amount is not None else {}


def _time_ms(ago_ms: object, arrived_ms: int) -> int:
    return arrived_ms - ago_ms if type(ago_ms) is int and 0 <= ago_ms <= MAX_AGO_MS else arrived_ms


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return type(value) is str and pattern.fullmatch(value) is not None
