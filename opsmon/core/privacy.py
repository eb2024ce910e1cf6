"""Who asked to be shown or forgotten, and the names that stand for customers who were forgotten.

A customer is an id as orders tell it (`shopify:shop:customer:17`). Forgetting gives it another name, the same
wherever it stood, so that every sum stays. The name is made with a salt that is thrown away with the request:
afterwards nobody can tell whose it was.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from opsmon.core.calendar import DAY_MS
from opsmon.core.events import Event, EventId
from opsmon.core.measures import identity

Kind = Literal["export", "customer", "shop"]
# Asked; then without a name left, but bytes of it on the store's disk; then those being written anew; then done.
Stage = Literal["asked", "rewrite", "rewriting", "done"]
# shopify.dev, "Privacy law compliance": act within 30 days.
DEADLINE_MS = 30 * DAY_MS
KINDS: dict[str, Kind] = {"privacy.requested": "export", "privacy.customer_redacted": "customer",
                          "privacy.shop_redacted": "shop"}
_ERASED = "erased-"
# Shorter ids are found by the name of their field only: a 17 may be anything.
_TELLING = 6


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. `about` is a customer's id, or the beginning of all ids of a shop (`shopify:shop`);
    once all is erased it is '', and so are `orders` and `salt`. `note` is for the stage it is at."""

    id: str
    kind: Kind
    about: str
    orders: tuple[str, ...]
    asked_ms: int
    salt: str = ""
    stage: Stage = "asked"
    note: str = ""


def request_of(event: Event, salt: str) -> Request | None:
    """What an event asks for; None for one that is no such request."""
    kind = KINDS.get(event.type)
    if kind is None:
        return None
    about = event.key.removesuffix(":shop") if kind == "shop" else str(event.data["customer"])
    return Request(short_id(event.id), kind, about, tuple(map(str, event.data.get("orders", ()))), event.arrived_ms,
                   salt)


def short_id(text: str) -> str:
    """A name short enough to be typed."""
    return blake2b(text.encode(), digest_size=4).hexdigest()


class Renaming:
    """The new names of those whom a request is about."""

    def __init__(self, request: Request) -> None:
        self._salt = request.salt.encode()[:64]
        self._one = request.about if request.kind != "shop" else ""
        self._start = f"{request.about}:customer:"

    @property
    def needles(self) -> list[str]:
        """Texts one of which stands wherever somebody is named, and in other places, too."""
        return list(dict.fromkeys([self._one, identity(self._one)])) if self._one else [self._start]

    def name(self, text: str) -> str | None:
        """The new name of a customer who is to be forgotten; None for any other text."""
        if self._one:
            return self._new(self._one) if text in (self._one, identity(self._one)) else None
        is_one = text.startswith(self._start) and not text.startswith(self._start + _ERASED)
        return self._new(text) if is_one else None

    def inside(self, value: Any) -> Any:
        """A value with all names in it replaced."""
        if isinstance(value, str):
            return self.name(value) or value
        if isinstance(value, Mapping):
            return {self.name(str(key)) or key: self.inside(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.inside(one) for one in value]
        return value

    def key(self, key: str) -> str:
        """The name of what is remembered: of a customer's group, of a visitor, of an entity of another kind."""
        head, colon, rest = key.partition(":")
        if not key.startswith("~"):
            return self.name(key) or key
        if head == "~session":
            rollup, _, visitor = rest.partition(":")
            return f"{head}:{rollup}:{self.name(visitor) or visitor}"
        return f"{head}{colon}{self.name(rest) or rest}"

    def field(self, field: str, cut: Callable[[object], str]) -> str:
        """The name of a counted field, a row or a member: `20.<customer>`, `<customer>|web.n`. `cut` is how such
        a name is made of a customer's (label or identity)."""
        if self._one:
            for name in self.needles:
                found = re.compile(rf"(?:^|(?<=[.|])){re.escape(name)}(?=$|[.|])")
                field = found.sub(cut(self._new(self._one)), field)
            return field
        found = re.compile(rf"{re.escape(self._start)}(?!{_ERASED})[^.|]+")
        return found.sub(lambda match: cut(self._new(match[0])), field)

    def _new(self, text: str) -> str:
        head, colon, _ = text.rpartition(":")
        return f"{head}{colon}{_ERASED}{blake2b(text.encode(), key=self._salt, digest_size=6).hexdigest()}"


def mentions(text: str, ids: Iterable[str]) -> bool:
    """Whether a delivery as it came names one of these customers or orders (`shopify:shop:order:17`)."""
    for one in ids:
        short = re.escape(one.rpartition(":")[2])
        found = re.search(rf"(?<!\w){short}(?!\w)", text)
        if found and len(short) < _TELLING:
            found = re.search(rf'"(?:\w*id|\w*customer\w*|\w*order\w*|partner\w*)"\s*:\s*[\["]*{short}(?!\w)', text)
        if found:
            return True
    return False


def stripped(event: Event, renaming: Renaming, *, is_remembered: bool) -> Event:
    """What stays of a counted event that names someone: that something arrived. Where nothing else remembers what
    it said, that as well, under another name."""
    if is_remembered:
        return event._replace(id=EventId(""), type="privacy.erased", key="", version=(0, 0, ""), data={})
    return event._replace(id=EventId(""), key=renaming.key(event.key), data=renaming.inside(event.data))
