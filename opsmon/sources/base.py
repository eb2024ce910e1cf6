"""The port of a source: what a delivery (one raw request) turns out to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    A 4xx would cost the shop its subscription (Shopify deletes it after eight failures). `headers` are those
    that it is read again by, as text; none of them is a secret.
    """

    seen: str
    reason: str
    body: bytes
    about: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotUsed:
    """Good, of a kind that no number is made of."""

    seen: str
    about: str


Single = Accepted | Unusable | NotUsed


@dataclass(frozen=True, slots=True)
class Many:
    """Several in one body: all of them are stored, or none."""

    outcomes: tuple[Single, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """Nothing to store and nothing wrong: a vendor's ping or handshake. Counted under `counter`."""

    status: int
    counter: str
    text: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()


Outcome = Rejected | Answered | Single | Many


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What a site says of one of its sources: its name, which is its path too, its kind, its secrets or tokens,
    and what only its kind knows."""

    name: str
    kind: str
    secrets: tuple[Secret, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """One vendor. Pure: both may be called again with the same delivery. Names of headers are small letters.

    `is_patient`: whether the sender sends again what was not answered 2xx; for one who does not, a delivery
    that the store cannot take is kept on disk.
    """

    name: str
    is_patient: bool

    def verify(self, headers: Mapping[bytes, bytes], body: bytes, token: bytes) -> Rejected | Answered | None:
        """Why the sender may not, or what it is told instead; None: it is who it says. Raises nothing.

        `token` is what the address held: its last part, or `?access_token=`. Nothing of the body is parsed here.
        """
        ...

    def read(self, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int) -> Outcome:
        """What a verified delivery says. Raises nothing on bad input. Dead letters are read again by this."""
        ...


class SourceKind(Protocol):
    """What makes a source of its settings, for a site.

    `options` are the settings only it has, and what they say. `steps` are the three to five things to do in the
    vendor's admin and in opsmon.toml, each in a sentence or two, for the page that shows how to connect it:
    {url} in them is where this source's address goes, {name} its name.
    """

    options: Mapping[str, str]
    steps: tuple[str, ...]

    def __call__(self, settings: SourceSettings, site: str) -> Source:
        """A source as declared."""
        ...


def take(source: Source, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int, token: bytes = b"") -> Outcome:
    """Verify, then read: nothing of a body that is not its sender's is looked at."""
    return source.verify(headers, body, token) or source.read(headers, body, arrived_ms)
