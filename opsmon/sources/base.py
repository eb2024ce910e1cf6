"""The port of a source: what a delivery (one raw request) turns out to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from opsmon.core.events import Event

# What a delivery may hold before it is called rubbish, although its sender signed it.
MAX_DEPTH = 64
MAX_MEMBERS = 2_000


@dataclass(frozen=True, slots=True)
class Secret:
    """One signing secret; with `shop` it is good for that shop domain only."""

    value: bytes
    shop: str | None = None

    def __repr__(self) -> str:
        return f"Secret(value=…, shop={self.shop!r})"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not taken, nothing stored: `status` and `reason` go back to the sender."""

    status: int
    reason: str
    counter: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A good delivery. `seen` is its identity for the duplicate check."""

    seen: str
    event: Event


@dataclass(frozen=True, slots=True)
class Unusable:
    """Signed, but not to be understood: kept as a dead letter, and answered as if all were well.

    A 4xx would cost the shop its subscription (Shopify deletes it after eight failures).
    """

    seen: str
    reason: str
    body: bytes
    about: str


@dataclass(frozen=True, slots=True)
class NotUsed:
    """Good, of a kind that no number is made of."""

    seen: str
    about: str


Outcome = Rejected | Accepted | Unusable | NotUsed


class Source(Protocol):
    """One vendor. `take` is pure: it may be called again with the same delivery."""

    name: str

    def take(self, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int) -> Outcome:
        """Verify and read one delivery. Header names are small letters. Raises nothing on bad input."""
        ...
