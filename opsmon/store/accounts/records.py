"""How people, sessions, screens and tokens are written down: one JSON text each."""

from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

import orjson

from opsmon.core.access import Role

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `password` is its argon2id hash, '' until the invitation was accepted; `version`
    counts the changes, so that two who change one person at a time are told apart."""

    id: str
    email: str
    name: str
    role: Role
    password: str = ""
    version: int = 1
    made_ms: int = 0
    locale: str = ""
    theme: str = ""
    clock: str = ""
    teams: tuple[str, ...] = ()
    quiet_from: str = ""
    quiet_until: str = ""
    notify: tuple[str, ...] = ()
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, somewhere. `proven_ms`: when the password was last typed; `ends_ms`: at the latest."""

    person: str
    begun_ms: int
    ends_ms: int
    proven_ms: int
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class PairedScreen:
    """A wall that was let in. `secret` is the hash of its token, `before` that of the one before its renewal, which
    is good until the screen has used the new one. `board`: what it shows, several joined by +; `version` counts what
    makes its page another one; `identify_ms`: when somebody last asked which of the screens it is."""

    id: str
    name: str
    secret: str
    board: str = "today"
    sees_money: bool = False
    paired_ms: int = 0
    paired_by: str = ""
    renewed_ms: int = 0
    before: str = ""
    version: int = 1
    identify_ms: int = 0


@dataclass(frozen=True, slots=True)
class Pairing:
    """A wall that waits to be let in. `secret` is the hash of what will be its token."""

    secret: str
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows. `id` is the hash of its secret; scopes are numbers, metrics and money."""

    id: str
    name: str
    scopes: tuple[str, ...]
    made_ms: int
    made_by: str
    ends_ms: int


def written(record: Any) -> bytes:
    """A record as it is kept."""
    return orjson.dumps(asdict(record))


def read(kind: type[T], text: bytes) -> T:
    """A record as it was kept. Fields of a newer opsmon are left out, fields of an older one have their defaults."""
    told = orjson.loads(text)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: tuple(value) if isinstance(value, list) else value
                   for name, value in told.items() if name in known})
